/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/peer-health.h - when a connection needs help, and when it is
 * beyond it
 *
 *              up                  lost
 *   CONNECTING ----> UP <--------> LOST ----> given up, 18 s after the loss
 *     | 10 s, then    ^     up      | at once, after 4 s, after 12 s
 *     | 20 s, 30 s    |             |
 *     '--> restart ---'             '--> restart
 *
 * The times are for a unit of 10 s. A connection that never came up gets three
 * restarts; it is given up when ICE has failed besides, and else left alone:
 * who sits there and waits costs nothing. Times count from the last attempt, so
 * that a box which stood still itself tries as often as any. 18 s after
 * libnice's 10 s without consent make less than 30 s since the last sign of
 * life.
 *
 * Source:  docs/skylink-protocol.md §5.5 (0.6.12's health timer)
 * Thread:  any; pure, the clock comes in with each call
 * Memory:  embedded in its owner, nothing to release
 */
#pragma once

#include <glib.h>

#define PEER_HEALTH_UNIT_MS	10000 /* 0.6.12: trickle */
#define PEER_HEALTH_PLAIN_UNITS 5     /* 0.6.12: 50 s without trickle */
#define PEER_HEALTH_MCU_UNITS	10    /* 0.6.12: 105 s with an MCU */
#define PEER_HEALTH_RESTARTS	3     /* then nothing more is tried */

enum peer_health_advice {
	PEER_HEALTH_WAIT,
	PEER_HEALTH_RESTART,
	PEER_HEALTH_GIVE_UP,
};

struct peer_health {
	gint64 unit_us, first_us;
	gboolean up, stood, failed;
	guint restarts; /* since it was up */
	gint64 due_us; /* when to ask; -1: never */
};

/**
 * peer_health_init() - a connection begins
 * @unit_ms:	 0: PEER_HEALTH_UNIT_MS
 * @first_units: how long it may take the first time, in units
 * @now_us:	 monotonic, here and below
 */
void peer_health_init(struct peer_health *h, guint unit_ms, guint first_units,
		      gint64 now_us);
/* It stands. */
void peer_health_up(struct peer_health *h);
/* ICE has failed. */
void peer_health_down(struct peer_health *h, gint64 now_us);
/* To be called at due_us. */
enum peer_health_advice peer_health_tick(struct peer_health *h, gint64 now_us);
/* The advice could not be followed yet, negotiation being under way. */
void peer_health_postpone(struct peer_health *h, gint64 now_us);
