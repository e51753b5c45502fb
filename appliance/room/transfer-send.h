/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/transfer-send.h - one transfer to one peer, as its sender
 *
 *	waiting --start()--> asked --ACK 0--> running --ACK n--> done
 *	                      |  \              |
 *	                ACK -1|   '-------------+--> cancelled, failed
 *	                      v
 *	                  rejected
 *
 * One chunk for each ACK, as SkylinkJS has it; to a receiver whose ACK says
 * how many may follow ("window"), so many. A chunk is read when it leaves, so
 * that memory does not grow with the size.
 *
 * Source:  docs/skylink-protocol.md §10
 * Thread:  control
 * Memory:  embedded; transfer_send_done(). The scratch is its owner's
 */
#pragma once

#include "appliance/room/transfer-request.h"

enum transfer_send_state {
	TRANSFER_SEND_WAITING,	/* for its channel */
	TRANSFER_SEND_ASKED,
	TRANSFER_SEND_RUNNING,
	TRANSFER_SEND_DONE,	/* from here on nothing follows */
	TRANSFER_SEND_REJECTED,
	TRANSFER_SEND_CANCELLED,
	TRANSFER_SEND_FAILED,
};

/* Where a chunk is made; one serves any number of transfers. */
struct transfer_scratch {
	guint8 raw[TRANSFER_SLICE_MAX];
	char text[TRANSFER_CHUNK_MAX + 4];
};

struct transfer_send_ops {
	/* A chunk. Return: 0, -EAGAIN (transfer_send_writable() follows), or
	 * why it is impossible. */
	int (*chunk)(void *user, gboolean text, const void *data, gsize len);
	/* A control message (transfer full). */
	void (*say)(void *user, char *text);
};

struct transfer_send {
	TransferRequest request;	/* its strings are this one's */
	const TransferSource *source;
	struct transfer_scratch *scratch;
	const struct transfer_send_ops *ops;
	void *user;
	enum transfer_send_state state;
	guint64 n_chunks, n_sent, n_acked;
	guint window;		/* what may be unacknowledged */
	gboolean blocked;	/* a chunk waits for writable */
	gint64 due_us;		/* when to act unasked; -1: never */
	char *self_id;
	char *error;		/* why it ended, or NULL */
};

/* Takes the strings of @request. @source, @scratch, @ops: kept. */
void transfer_send_init(struct transfer_send *t, const char *self_id,
			TransferRequest *request, const TransferSource *source,
			struct transfer_scratch *scratch,
			const struct transfer_send_ops *ops, void *user);
void transfer_send_done(struct transfer_send *t);

/* Its channel is there: asks. */
void transfer_send_start(struct transfer_send *t,
			 const TransferAddress *address, gint64 now_us);
void transfer_send_ack(struct transfer_send *t, gint64 n, guint window,
		       gint64 now_us);
void transfer_send_writable(struct transfer_send *t, gint64 now_us);
/* The peer's CANCEL and ERROR; @content may be NULL. */
void transfer_send_peer_cancelled(struct transfer_send *t,
				  const char *content);
void transfer_send_peer_failed(struct transfer_send *t, const char *content);
/* We do not want any more. */
void transfer_send_cancel(struct transfer_send *t);
/* No word can be said any more: its channel or its peer is gone. */
void transfer_send_lost(struct transfer_send *t, const char *why);
/* To be called at due_us. */
void transfer_send_tick(struct transfer_send *t, gint64 now_us);

gboolean transfer_send_is_over(const struct transfer_send *t);
/* What the peer has for certain, in units of the request's size. */
guint64 transfer_send_get_bytes(const struct transfer_send *t);
