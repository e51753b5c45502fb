/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/handshake.h - who offers, who answers, and when, with one peer
 *
 *            enter in: welcome out          offer in: answer out
 *   NEW ------------------------> WAITING ------------------------> STABLE
 *     |                           |     ^ glare lost:                 ^
 *     | welcome in, we offer      |     | start over                  |
 *     '-----------> OFFERED <-----'-----'                             |
 *                     | ^------ restart or welcome in, we offer ------|
 *                     '-------- answer in ----------------------------'
 *
 * The heavier side offers; equal weights let the larger id offer. A welcome
 * is answered with a welcome at most once per negotiation, so that no two
 * clients can echo each other for ever. 2.x offers on every welcome and
 * expects the same. Whoever waits in vain offers in the end.
 *
 * Pure: what it decides to do goes through the actions given; the clock comes
 * in with each call.
 *
 * Source:  docs/skylink-protocol.md §5.1, §5.2, §6, §16
 * Thread:  control
 * Memory:  embedded in its owner; handshake_done(). Holds back at most
 *          HANDSHAKE_MAX_CANDIDATES candidates
 */
#pragma once

#include "appliance/signaling/message-build.h"
#include "appliance/signaling/message.h"

#define HANDSHAKE_MAX_CANDIDATES 128	/* held back for a description */
#define HANDSHAKE_TOTAL_CANDIDATES 1024 /* taken in one negotiation */
#define HANDSHAKE_TIE_US    (2 * G_USEC_PER_SEC) /* then the smaller offers */
#define HANDSHAKE_WAIT_US   (10 * G_USEC_PER_SEC) /* for an offer or answer */
#define HANDSHAKE_RESEND_US (1 * G_USEC_PER_SEC)  /* between re-sent offers */
#define HANDSHAKE_STALE_US  (1 * G_USEC_PER_SEC)  /* after an old answer */
#define HANDSHAKE_RESENDS   2	/* unasked ones, per offer or restart */
/* 0.6.37 drops a restart while the answer before is being applied, and 0.6.12
 * within three seconds of the last: then it is asked once more. */
#define HANDSHAKE_RESTART_US (3 * G_USEC_PER_SEC)

enum handshake_state {
	HANDSHAKE_NEW,
	HANDSHAKE_WAITING,	/* introduced; the peer is to act */
	HANDSHAKE_OFFERED,	/* have-local-offer */
	HANDSHAKE_STABLE,	/* negotiated at least once */
	HANDSHAKE_FAILED,	/* a description was not to be applied */
};

struct handshake_ops {
	void (*send_welcome)(void *user);
	/* Makes an offer and sends it; @restart: its fields go along, for 2.x;
	 * or NULL. FALSE: it could not be made. */
	gboolean (*offer)(void *user, gboolean ice_restart,
			  const MessageRestart *restart);
	/* The local offer once more, marked as re-sent. */
	void (*resend_offer)(void *user);
	/* Applies a remote offer and sends the answer. */
	gboolean (*answer)(void *user, const char *sdp);
	gboolean (*apply_answer)(void *user, const char *sdp);
	void (*send_answer_ack)(void *user, gboolean success);
	void (*send_restart)(void *user, const MessageRestart *restart);
	void (*add_candidate)(void *user, const char *mid, guint mline,
			      const char *candidate);
	/* Forgets our offer: by a rollback where the connection has stood,
	 * else by making it anew. FALSE: neither can be done. */
	gboolean (*start_over)(void *user);
};

struct handshake {
	const struct handshake_ops *ops;
	void *user;
	char *self_id, *peer_id;
	gdouble self_weight;
	enum handshake_state state;
	gboolean peer_is_2x, peer_is_mcu;
	gboolean mcu_mode;	/* there is one: who hears welcome offers, and
				 * restarts are not followed */
	gboolean has_peer_weight;
	gdouble peer_weight;
	gboolean welcomed;	/* we sent welcome in this negotiation */
	gboolean offered;	/* it has begun: one of us offered */
	gboolean agreed;	/* negotiated at least once */
	gboolean restart_wanted, restart_wanted_ice;
	gboolean restart_sent;	/* and nothing came of it yet */
	gboolean ice_restart_asked;	/* by our own restart message */
	guint restarts_left;	/* times that message is sent again */
	GQueue candidates;
	guint n_candidates;	/* in this negotiation */
	guint resends;
	gint64 resent_us;
	gint64 due_us;		/* when to act unasked; -1: never */
	guint64 dropped;	/* messages that had no place */
};

void handshake_init(struct handshake *h, const char *self_id,
		    const char *peer_id, gdouble self_weight,
		    const struct handshake_ops *ops, void *user);
void handshake_done(struct handshake *h);

/* What came from the peer. @now_us: monotonic. */
void handshake_enter(struct handshake *h, const MessageHello *hello,
		     gint64 now_us);
void handshake_welcome(struct handshake *h, const MessageHello *hello,
		       gint64 now_us);
void handshake_offer(struct handshake *h, const char *sdp,
		     const MessageHello *hello, gint64 now_us);
void handshake_answer(struct handshake *h, const char *sdp, gint64 now_us);
void handshake_candidate(struct handshake *h, const char *mid, guint mline,
			 const char *candidate);
/* Return: TRUE if the restart is followed, FALSE if dropped. */
gboolean handshake_restart(struct handshake *h, const MessageHello *hello,
			   gint64 now_us);

/* We want to renegotiate, now or after what is under way. @help: nobody asked
 * for it but the connection's health. */
void handshake_request_restart(struct handshake *h, gboolean ice_restart,
			       gboolean help, gint64 now_us);
/* Another connection is to be negotiated in place of the one there was: what
 * was going on is forgotten. An offer is awaited, or made in the end. @hello:
 * what is known of the peer from before, or NULL. */
void handshake_renew(struct handshake *h, const MessageHello *hello,
		     gint64 now_us);
/* An answer to an offer of a connection that is no more: its sender is to be
 * content with that, and gets another offer. */
void handshake_stale_answer(struct handshake *h, gint64 now_us);

/* To be called at due_us. */
void handshake_tick(struct handshake *h, gint64 now_us);
