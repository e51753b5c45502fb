// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-health.h"

void peer_health_init(struct peer_health *h, guint unit_ms, guint first_units,
		      gint64 now_us)
{
	*h = (struct peer_health){
		.unit_us = (unit_ms ? unit_ms : PEER_HEALTH_UNIT_MS) *
			   G_GINT64_CONSTANT(1000),
	};
	h->first_us = h->unit_us * first_units;
	h->due_us = now_us + h->first_us;
}

void peer_health_up(struct peer_health *h)
{
	h->up = h->stood = TRUE;
	h->failed = FALSE;
	h->restarts = 0;
	h->due_us = -1;
}

void peer_health_down(struct peer_health *h, gint64 now_us)
{
	h->failed = TRUE;
	if (h->up) {
		h->up = FALSE;
		h->due_us = now_us;
	} else if (!h->stood && h->restarts >= PEER_HEALTH_RESTARTS) {
		h->due_us = now_us;
	}
}

/* Nobody is given up who was not asked as often as was meant: when this box
 * itself stood still, all times have passed at once. */
static enum peer_health_advice tick_lost(struct peer_health *h, gint64 now_us)
{
	if (h->restarts >= PEER_HEALTH_RESTARTS) {
		h->due_us = -1;
		return PEER_HEALTH_GIVE_UP;
	}
	h->restarts++;
	h->due_us = now_us + (h->restarts < PEER_HEALTH_RESTARTS
				      ? h->restarts * h->unit_us * 2 / 5
				      : h->unit_us * 3 / 5);
	return PEER_HEALTH_RESTART;
}

enum peer_health_advice peer_health_tick(struct peer_health *h, gint64 now_us)
{
	if (h->due_us < 0 || now_us < h->due_us)
		return PEER_HEALTH_WAIT;
	if (h->stood)
		return tick_lost(h, now_us);
	if (h->restarts >= PEER_HEALTH_RESTARTS) {
		h->due_us = -1;
		return h->failed ? PEER_HEALTH_GIVE_UP : PEER_HEALTH_WAIT;
	}
	h->restarts++;
	h->failed = FALSE;
	h->due_us = now_us + h->first_us + h->restarts * h->unit_us;
	return PEER_HEALTH_RESTART;
}

void peer_health_postpone(struct peer_health *h, gint64 now_us)
{
	if (h->stood || !h->restarts)
		return;
	h->restarts--;
	h->due_us = now_us + h->first_us;
}
