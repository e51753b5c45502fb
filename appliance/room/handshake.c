// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/handshake.h"

#include <string.h>

struct held_candidate {
	char *mid, *candidate;
	guint mline;
};

void handshake_init(struct handshake *h, const char *self_id,
		    const char *peer_id, gdouble self_weight,
		    const struct handshake_ops *ops, void *user)
{
	*h = (struct handshake){
		.ops = ops,
		.user = user,
		.self_id = g_strdup(self_id),
		.peer_id = g_strdup(peer_id),
		.self_weight = self_weight,
		.peer_is_mcu = !strcmp(peer_id, "MCU"),
		.due_us = -1,
	};
	g_queue_init(&h->candidates);
}

static void held_candidate_free(gpointer data)
{
	struct held_candidate *c = data;

	g_free(c->mid);
	g_free(c->candidate);
	g_free(c);
}

void handshake_done(struct handshake *h)
{
	g_queue_clear_full(&h->candidates, held_candidate_free);
	g_clear_pointer(&h->self_id, g_free);
	g_clear_pointer(&h->peer_id, g_free);
}

/* --- rules --------------------------------------------------------------- */
static void learn(struct handshake *h, const MessageHello *hello)
{
	if (!hello)
		return;
	if (hello->sm_version)
		h->peer_is_2x = g_str_has_prefix(hello->sm_version, "2.");
	if (hello->has_weight) {
		h->has_peer_weight = TRUE;
		h->peer_weight = hello->weight;
	}
}

/* A peer without weight compares like NaN: it will never offer. */
static gboolean is_tie(const struct handshake *h)
{
	return h->has_peer_weight && h->self_weight == h->peer_weight;
}

static gboolean we_lead(const struct handshake *h)
{
	if (!h->has_peer_weight || h->self_weight > h->peer_weight)
		return TRUE;
	return is_tie(h) && strcmp(h->self_id, h->peer_id) > 0;
}

static void wait_for_peer(struct handshake *h, gint64 now_us)
{
	if (h->state == HANDSHAKE_NEW)
		h->state = HANDSHAKE_WAITING;
	if (h->state != HANDSHAKE_WAITING)
		return;
	h->due_us = now_us + (is_tie(h) ? HANDSHAKE_TIE_US : HANDSHAKE_WAIT_US);
}

static void say_welcome(struct handshake *h)
{
	h->welcomed = TRUE;
	h->ops->send_welcome(h->user);
}

static void make_offer(struct handshake *h, gboolean ice_restart,
		       const MessageRestart *restart, gint64 now_us)
{
	enum handshake_state before = h->state;

	h->state = HANDSHAKE_OFFERED;
	h->restart_sent = FALSE;
	h->offered = TRUE;
	h->resends = 0;
	h->resent_us = now_us;
	h->n_candidates = 0;
	h->due_us = now_us + HANDSHAKE_WAIT_US;
	if (!h->ops->offer(h->user, ice_restart, restart)) {
		h->state = before == HANDSHAKE_STABLE ? before
						      : HANDSHAKE_FAILED;
		h->due_us = -1;
	}
}

static void release_candidates(struct handshake *h)
{
	struct held_candidate *c;

	while ((c = g_queue_pop_head(&h->candidates))) {
		h->ops->add_candidate(h->user, c->mid, c->mline, c->candidate);
		held_candidate_free(c);
	}
}

static void become_stable(struct handshake *h, gint64 now_us)
{
	h->state = HANDSHAKE_STABLE;
	h->agreed = TRUE;
	h->restart_sent = FALSE;
	h->due_us = -1;
	release_candidates(h);
	if (h->restart_wanted) {
		h->restart_wanted = FALSE;
		handshake_request_restart(h, h->restart_wanted_ice, FALSE,
					  now_us);
	}
}

/* --- introductions ------------------------------------------------------- */
void handshake_enter(struct handshake *h, const MessageHello *hello,
		     gint64 now_us)
{
	learn(h, hello);
	/* A peer that enters again wants a new negotiation, whatever we think
	 * of the old one; an offer under way is repeated by its timer. */
	if (h->state != HANDSHAKE_OFFERED)
		h->offered = FALSE;
	if (h->state == HANDSHAKE_FAILED && h->ops->start_over(h->user))
		h->state = HANDSHAKE_NEW;
	say_welcome(h);
	wait_for_peer(h, now_us);
}

void handshake_welcome(struct handshake *h, const MessageHello *hello,
		       gint64 now_us)
{
	learn(h, hello);
	if (h->offered || h->state == HANDSHAKE_OFFERED) {
		h->dropped++;
		return;
	}
	if (h->state == HANDSHAKE_FAILED && h->ops->start_over(h->user))
		h->state = HANDSHAKE_NEW;
	if (h->peer_is_mcu || h->mcu_mode || h->peer_is_2x || we_lead(h)) {
		make_offer(h, FALSE, NULL, now_us);
		return;
	}
	if (!h->welcomed)
		say_welcome(h);
	else
		h->dropped++;
	wait_for_peer(h, now_us);
}

/* --- descriptions -------------------------------------------------------- */
/* Both offered. SkylinkJS never gives way, so we do where it could not have
 * expected our offer; of two of our kind the lighter gives way. */
static gboolean give_way(struct handshake *h)
{
	if (!h->peer_is_2x && we_lead(h))
		return FALSE;
	if (!h->ops->start_over(h->user))
		return FALSE;
	h->state = HANDSHAKE_WAITING;
	h->due_us = -1;
	return TRUE;
}

void handshake_offer(struct handshake *h, const char *sdp,
		     const MessageHello *hello, gint64 now_us)
{
	learn(h, hello);
	if (h->state == HANDSHAKE_FAILED && h->ops->start_over(h->user))
		h->state = HANDSHAKE_WAITING;
	if (h->state == HANDSHAKE_NEW || h->state == HANDSHAKE_FAILED ||
	    (h->state == HANDSHAKE_OFFERED && !give_way(h))) {
		h->dropped++;
		return;
	}
	h->n_candidates = g_queue_get_length(&h->candidates);
	if (h->ops->answer(h->user, sdp)) {
		h->offered = TRUE;	/* this negotiation is done */
		become_stable(h, now_us);
	} else if (h->state != HANDSHAKE_STABLE) {
		h->state = HANDSHAKE_FAILED;
		h->due_us = -1;
	}
}

void handshake_answer(struct handshake *h, const char *sdp, gint64 now_us)
{
	gboolean ok;

	if (h->state != HANDSHAKE_OFFERED) {
		h->dropped++;
		return;
	}
	ok = h->ops->apply_answer(h->user, sdp);
	if (h->peer_is_2x)
		h->ops->send_answer_ack(h->user, ok);
	if (ok) {
		become_stable(h, now_us);
		return;
	}
	/* What was agreed before still holds, if anything was. */
	h->state = h->agreed && h->ops->start_over(h->user)
			   ? HANDSHAKE_STABLE
			   : HANDSHAKE_FAILED;
	h->due_us = -1;
}

void handshake_candidate(struct handshake *h, const char *mid, guint mline,
			 const char *candidate)
{
	struct held_candidate *c;

	if (h->n_candidates >= HANDSHAKE_TOTAL_CANDIDATES ||
	    h->state == HANDSHAKE_FAILED) {
		h->dropped++;
		return;
	}
	h->n_candidates++;
	if (h->state == HANDSHAKE_STABLE) {
		h->ops->add_candidate(h->user, mid, mline, candidate);
		return;
	}
	if (g_queue_get_length(&h->candidates) >= HANDSHAKE_MAX_CANDIDATES) {
		h->dropped++;
		return;
	}
	c = g_new0(struct held_candidate, 1);
	c->mid = g_strdup(mid);
	c->candidate = g_strdup(candidate);
	c->mline = mline;
	g_queue_push_tail(&h->candidates, c);
}

/* --- renegotiation ------------------------------------------------------- */
gboolean handshake_restart(struct handshake *h, const MessageHello *hello,
			   gint64 now_us)
{
	MessageRestart copy = {
		.do_ice_restart = hello->do_ice_restart,
		.is_resend = TRUE,
		.is_connection_restart = hello->is_connection_restart,
		.is_explicit = hello->is_explicit,
		.last_restart_ms = hello->last_restart,
	};

	learn(h, hello);
	if (h->state == HANDSHAKE_NEW || h->state == HANDSHAKE_FAILED ||
	    h->peer_is_mcu || h->mcu_mode) {
		h->dropped++;
		return FALSE;
	}
	if (h->state == HANDSHAKE_OFFERED) {
		/* It is stable, or it would not ask: it never saw our offer. */
		if (now_us - h->resent_us < HANDSHAKE_RESEND_US) {
			h->dropped++;
			return FALSE;
		}
		h->resent_us = now_us;
		h->ops->resend_offer(h->user);
		return TRUE;
	}
	if (we_lead(h)) {
		gboolean ice = hello->do_ice_restart || h->ice_restart_asked;

		h->ice_restart_asked = FALSE;
		make_offer(h, ice, NULL, now_us);
		return TRUE;
	}
	/* An echo of ours, which only an equal makes: it would go on for ever,
	 * and nobody else will offer. */
	if (is_tie(h) && h->restart_sent &&
	    (hello->is_restart_resend || !hello->sm_version)) {
		make_offer(h, hello->do_ice_restart, NULL, now_us);
		return TRUE;
	}
	h->restart_sent = TRUE;
	h->ops->send_restart(h->user, &copy);
	return TRUE;
}

void handshake_request_restart(struct handshake *h, gboolean ice_restart,
			       gboolean help, gint64 now_us)
{
	const MessageRestart ours = {
		.do_ice_restart = ice_restart,
		.is_connection_restart = help,
		.is_explicit = !help,
	};

	switch (h->state) {
	case HANDSHAKE_OFFERED:
	case HANDSHAKE_NEW:
	case HANDSHAKE_WAITING:
		h->restart_wanted_ice = ice_restart ||
					(h->restart_wanted &&
					 h->restart_wanted_ice);
		h->restart_wanted = TRUE;
		break;
	case HANDSHAKE_STABLE:
		if (h->peer_is_2x) {
			make_offer(h, ice_restart, &ours, now_us);
			break;
		}
		h->ice_restart_asked = ice_restart;
		h->restart_sent = TRUE;
		h->restarts_left = HANDSHAKE_RESENDS;
		h->due_us = now_us + HANDSHAKE_RESTART_US;
		h->ops->send_restart(h->user, &ours);
		break;
	case HANDSHAKE_FAILED:
		break;
	}
}

void handshake_stale_answer(struct handshake *h, gint64 now_us)
{
	if (h->state != HANDSHAKE_WAITING) {
		h->dropped++;
		return;
	}
	/* 2.x takes no other offer before it has this. It may have several to
	 * answer, and the answers look the same: ours follows the last. */
	if (h->peer_is_2x)
		h->ops->send_answer_ack(h->user, TRUE);
	h->due_us = now_us + HANDSHAKE_STALE_US;
}

void handshake_renew(struct handshake *h, const MessageHello *hello,
		     gint64 now_us)
{
	learn(h, hello);
	g_queue_clear_full(&h->candidates, held_candidate_free);
	h->n_candidates = 0;
	h->offered = h->agreed = FALSE;
	h->restart_wanted = h->restart_sent = h->ice_restart_asked = FALSE;
	h->state = HANDSHAKE_NEW;
	wait_for_peer(h, now_us);
}

void handshake_tick(struct handshake *h, gint64 now_us)
{
	if (h->due_us < 0 || now_us < h->due_us)
		return;
	h->due_us = -1;
	if (h->state == HANDSHAKE_WAITING) {
		make_offer(h, FALSE, NULL, now_us);
	} else if (h->state == HANDSHAKE_OFFERED &&
		   h->resends < HANDSHAKE_RESENDS) {
		h->resends++;
		h->resent_us = now_us;
		h->due_us = now_us + HANDSHAKE_WAIT_US;
		h->ops->resend_offer(h->user);
	} else if (h->state == HANDSHAKE_STABLE && h->restart_sent &&
		   h->restarts_left > 0) {
		const MessageRestart again = {
			.do_ice_restart = h->ice_restart_asked,
			.is_explicit = TRUE,
		};

		h->restarts_left--;
		h->due_us = now_us + HANDSHAKE_RESTART_US;
		h->ops->send_restart(h->user, &again);
	}
}
