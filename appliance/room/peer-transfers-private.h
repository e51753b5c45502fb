/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/peer-transfers-private.h - what the two halves share
 *
 *	peer-transfers.c	which transfer, which channel, when
 *	peer-transfers-tell.c	events and descriptions
 *
 * Thread:  control
 */
#pragma once

#include "appliance/room/peer-transfers.h"
#include "appliance/room/transfer-receive.h"
#include "appliance/room/transfer-send.h"

enum transfer_direction {
	TRANSFER_UP,
	TRANSFER_DOWN,
	TRANSFER_STREAM,	/* down, without being asked */
};

struct transfer {
	PeerTransfers *owner;
	enum transfer_direction direction;
	char *id, *label;
	char *peer_id;		/* in events; with an MCU, who sent it */
	GStrv targets;		/* with an MCU, for whom it is; or NULL */
	gboolean has_channel, own_channel;
	guint16 channel;
	TransferShared *source;
	struct transfer_send up;
	struct transfer_receive down;
	guint64 stream_bytes, stream_chunks;
	gboolean stream_over, stream_failed;
	gint64 stream_due_us;	/* it is given up */
	int told;		/* the state of the last event; -1: none */
	guint64 told_bytes;
	gint64 told_us, started_us;
};

struct say {			/* text NULL: close the channel */
	guint16 channel;
	char *text;
};

struct PeerTransfers {
	char *peer_id;
	const struct peer_transfers_ops *ops;
	void *user;
	GPtrArray *list;	/* struct transfer, oldest first */
	GQueue says;
	struct transfer_scratch *scratch;	/* made with the first upload */
	guint depth;		/* inputs under way: nothing is freed */
	gint64 last_due_us;
	gint64 retry_us;	/* to say what waits; -1: not by the clock */
	guint64 n_refused;
};

/* --- peer-transfers-tell.c ------------------------------------------------ */
/* Tells what has changed since the last time. */
void transfer_tell(struct transfer *t);
void transfer_tell_request(struct transfer *t);
void transfer_tell_chunk(struct transfer *t, gboolean text, const guint8 *data,
			 gsize len);
/* (transfer full): transferInfo */
JsonObject *transfer_info(const struct transfer *t);
JsonObject *transfer_describe(const struct transfer *t);
gboolean transfer_is_over(const struct transfer *t);
