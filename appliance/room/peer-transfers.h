/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/peer-transfers.h - all transfers with one peer
 *
 * Finds for each message the transfer it belongs to, by the channel it came
 * on; opens and closes the channels of transfers; tells what happens as
 * SkylinkJS's events, progress at most every TRANSFER_PROGRESS_US.
 *
 *	own channel:  label = the transfer's id (0.6.12: <peer>-<id>)
 *	main channel: one at a time, further ones of ours wait in line
 *
 * Source:  docs/skylink-protocol.md §10.3; SkylinkJS 0.6.12 API (events)
 * Thread:  control
 * Memory:  belongs to its peer; at most TRANSFER_MAX_PER_PEER transfers, and
 *	    PEER_TRANSFERS_SAY_MAX messages for which there was no room yet
 */
#pragma once

#include "appliance/room/dt-message.h"
#include "appliance/room/room.h"
#include "appliance/room/transfer-request.h"

#define TRANSFER_PROGRESS_US	(G_USEC_PER_SEC / 4)
#define PEER_TRANSFERS_SAY_MAX	64
/* When the way to the peer had no room, and nobody tells when it has. */
#define PEER_TRANSFERS_RETRY_MS 100
/* A stream of which nothing came for so long has ended. */
#define PEER_TRANSFERS_STREAM_IDLE_S 60
/* Chunks of streams are told as events up to this size. */
#define PEER_TRANSFERS_STREAM_BYTES 65536

typedef struct PeerTransfers PeerTransfers;
typedef struct TransferShared TransferShared;	/* a source and its readers */

TransferShared *transfer_shared_new(TransferSource source);
TransferShared *transfer_shared_ref(TransferShared *shared);
void transfer_shared_unref(TransferShared *shared);

/* What is known of self and peer now; strings are borrowed for the moment. */
typedef struct {
	const char *self_id, *agent, *version;
	TransferPeer peer;
	gboolean has_main;
	guint16 main_channel;
} PeerTransfersContext;

/* What they need. None of it may free the transfers. */
struct peer_transfers_ops {
	void (*get_context)(void *user, PeerTransfersContext *ret);
	/* As rtc_peer_send(). */
	int (*send)(void *user, guint16 channel, gboolean text,
		    const void *data, gsize len);
	gboolean (*open_channel)(void *user, const char *label, GError **error);
	void (*close_channel)(void *user, guint16 channel);
	/* @params: (transfer full) */
	void (*event)(void *user, const char *name, JsonObject *params);
	/* May a request wait for an answer? At once. */
	gboolean (*is_wanted)(void *user, const char *peer_id,
			      const char *transfer_id, JsonObject *info);
	/* One more is about to begin: is there room for it? */
	gboolean (*has_room)(void *user);
	/* peer_transfers_get_due() has moved. */
	void (*due_changed)(void *user);
	gint64 (*now_us)(void *user);
};

PeerTransfers *peer_transfers_new(const char *peer_id,
				  const struct peer_transfers_ops *ops,
				  void *user);
/* Without an event; what is unfinished leaves nothing behind. Takes NULL,
 * returns NULL. */
PeerTransfers *peer_transfers_free(PeerTransfers *transfers);

/* @targets: with an MCU, for whom it is; else NULL.
 * Return: (transfer full): the transfer's id, or NULL with @error. */
char *peer_transfers_offer(PeerTransfers *transfers,
			   const RoomTransferOffer *offer, gboolean is_private,
			   const char *id, TransferShared *source,
			   const char *const *targets, GError **error);
gboolean peer_transfers_accept(PeerTransfers *transfers, const char *id,
			       TransferSink sink, GError **error);
gboolean peer_transfers_reject(PeerTransfers *transfers, const char *id,
			       GError **error);
gboolean peer_transfers_cancel(PeerTransfers *transfers, const char *id,
			       GError **error);

/* --- what the channels tell ---------------------------------------------- */
/* @is_main: it is a messaging channel; @remote: the peer made it */
void peer_transfers_opened(PeerTransfers *transfers, guint16 channel,
			   const char *label, gboolean is_main,
			   gboolean remote);
void peer_transfers_closed(PeerTransfers *transfers, guint16 channel);
void peer_transfers_writable(PeerTransfers *transfers, guint16 channel);
/* WRQ, ACK, CANCEL, ERROR. @label: of @channel */
void peer_transfers_message(PeerTransfers *transfers, guint16 channel,
			    gboolean is_main, const char *label,
			    const DtMessage *message);
/* What is no control message. */
void peer_transfers_data(PeerTransfers *transfers, guint16 channel,
			 gboolean text, const guint8 *data, gsize len);
/* The connection is gone: all that runs ends with an event. */
void peer_transfers_lost(PeerTransfers *transfers, const char *why);

/* When peer_transfers_tick() is to be called, or -1. */
gint64 peer_transfers_get_due(PeerTransfers *transfers);
void peer_transfers_tick(PeerTransfers *transfers);

guint peer_transfers_count(PeerTransfers *transfers);
gboolean peer_transfers_has(PeerTransfers *transfers, const char *id);
/* Adds an object for each. */
void peer_transfers_describe(PeerTransfers *transfers, JsonArray *list);
