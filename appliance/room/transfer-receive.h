/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/transfer-receive.h - one transfer from one peer
 *
 *	asked --accept()--> running --all is here--> finishing --kept--> done
 *	  | \                 |                          |
 *	  |  '----------------+--------------------------+--> cancelled, failed
 *	  '--reject()--> rejected
 *
 * The last ACK leaves when the sink has kept what came, so that a sender never
 * believes in data that is not there. To a sender that offers it ("window"),
 * the first ACK grants chunks in advance, and every fourth of them is
 * acknowledged.
 *
 * Source:  docs/skylink-protocol.md §10
 * Thread:  control
 * Memory:  embedded; transfer_receive_done(). Holds one sink, no data
 */
#pragma once

#include "appliance/room/transfer-request.h"

enum transfer_receive_state {
	TRANSFER_RECEIVE_ASKED,
	TRANSFER_RECEIVE_RUNNING,
	TRANSFER_RECEIVE_FINISHING,
	TRANSFER_RECEIVE_DONE,	/* from here on nothing follows */
	TRANSFER_RECEIVE_REJECTED,
	TRANSFER_RECEIVE_CANCELLED,
	TRANSFER_RECEIVE_FAILED,
};

struct transfer_receive;
struct transfer_keeping;

struct transfer_receive_ops {
	/* A control message (transfer full). */
	void (*say)(void *user, char *text);
	/* The sink has answered; at any time, also within a call. */
	void (*finished)(void *user);
	gint64 (*now_us)(void *user);
};

struct transfer_receive {
	TransferRequest request;
	const struct transfer_receive_ops *ops;
	void *user;
	enum transfer_receive_state state;
	struct transfer_keeping *keeping;	/* the sink; NULL: none yet */
	guint64 n_bytes;	/* received; of a data URL: characters */
	guint64 n_chunks, n_acked;
	guint window;		/* granted; 0: none */
	gint64 due_us;		/* when to act unasked; -1: never */
	char *self_id, *id;
	char *error;		/* why it ended, or NULL */
	JsonObject *info;	/* what the sink says about it, or NULL */
};

/* Takes the strings of @request. @id: under which it is known here. */
void transfer_receive_init(struct transfer_receive *t, const char *self_id,
			   const char *id, TransferRequest *request,
			   const struct transfer_receive_ops *ops, void *user);
/* Without a word: an unfinished sink keeps nothing. */
void transfer_receive_done(struct transfer_receive *t);

/* Takes @sink. FALSE: not in this state. */
gboolean transfer_receive_accept(struct transfer_receive *t, TransferSink sink);
gboolean transfer_receive_reject(struct transfer_receive *t, const char *why);
/* What came on its channel and is no control message. */
void transfer_receive_chunk(struct transfer_receive *t, gboolean text,
			    const guint8 *data, gsize len);
void transfer_receive_peer_cancelled(struct transfer_receive *t,
				     const char *content);
void transfer_receive_peer_failed(struct transfer_receive *t,
				  const char *content);
void transfer_receive_cancel(struct transfer_receive *t);
/* Its channel or its peer is gone. */
void transfer_receive_lost(struct transfer_receive *t, const char *why);
/* To be called at due_us. */
void transfer_receive_tick(struct transfer_receive *t, gint64 now_us);

gboolean transfer_receive_is_over(const struct transfer_receive *t);
