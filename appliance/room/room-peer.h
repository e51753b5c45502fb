/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-peer.h - one remote peer: its connection, its handshake,
 * its channels and what is known about it
 *
 * Source:  docs/skylink-protocol.md §5 to §10
 * Thread:  control
 * Memory:  belongs to the room. At most PEER_CHANNELS_MAX channels
 *          and the handshake's candidates
 */
#pragma once

#include "appliance/room/handshake.h"
#include "appliance/room/ice-servers.h"
#include "appliance/room/peer-info.h"
#include "appliance/room/room.h"
#include "appliance/room/peer-transfers.h"
#include "webrtc/rtc.h"

#define ROOM_PEER_REOPENS	 8	/* of a messaging channel that closes */
#define ROOM_PEER_REOPEN_MS	 100

typedef struct RoomPeer RoomPeer;

/* What self sends: the room's, the same for all its peers. */
typedef struct {
	RoomStream sends;
	char *stream_id;		/* msid of what we send */
	gboolean mcu;			/* there is one: it alone gets media */
	gboolean audio_muted, video_muted;
	gboolean watch_only;		/* takes nothing of peers that come */
} RoomMedia;

/* Upward. None of them may free the peer, save gone(). */
struct room_peer_events {
	/* @params: (transfer full) */
	void (*event)(void *user, const char *name, JsonObject *params);
	/* @message: (transfer full) */
	void (*send)(void *user, JsonObject *message);
	void (*codec_use)(void *user, enum media_codec codec, gboolean took);
	void (*connected)(void *user, RoomPeer *peer);
	/* The connection that stood is down. Its health sees to it. */
	void (*down)(void *user, RoomPeer *peer);
	/* (transfer full): {peerId, peerInfo} of another peer, whose words an
	 * MCU passed on; or NULL */
	JsonObject *(*about)(void *user, const char *peer_id);
	/* The connection is lost for good, or was closed over there. @lost: it
	 * stood, and then failed: the peer may still be in the room. */
	void (*gone)(void *user, RoomPeer *peer, gboolean lost,
		     const char *why);
	/* Transfers: as in struct peer_transfers_ops. */
	gboolean (*transfer_wanted)(void *user, const char *peer_id,
				    const char *transfer_id, JsonObject *info);
	gboolean (*transfer_room)(void *user);
};

typedef struct {
	struct rtc_engine *engine;
	GMainContext *context;
	const char *id;
	const MessageSelf *self;	/* kept: the room's, as it is now */
	const char *room;
	const RoomMedia *media;		/* kept, as it is now */
	const enum media_codec *video_codecs;		/* kept */
	unsigned int n_video_codecs;
	const struct ice_servers *ice;			/* kept */
	guint health_ms;		/* 0: PEER_HEALTH_UNIT_MS */
	/* Given up before, and back: over there the old connection still is. */
	gboolean returns;
	JsonObject *hello;		/* its last introduction then, or NULL */
	const struct room_peer_events *events;
	void *user;
} RoomPeerConfig;

/* Return: NULL with @error when there is no room for another connection. */
RoomPeer *room_peer_new(const RoomPeerConfig *config, GError **error);
/* Closes the connection, gives up its codec; no event, no message. Takes NULL,
 * returns NULL. */
RoomPeer *room_peer_free(RoomPeer *peer);

/* What came from it: enter, welcome, offer, answer, candidate, restart,
 * endOfCandidates, answerAck. */
void room_peer_message(RoomPeer *peer, const Message *message);
void room_peer_restart(RoomPeer *peer, gboolean ice_restart);
/* The media it was given have changed: renegotiates. */
void room_peer_renew_media(RoomPeer *peer);

/* Signaling is gone: from now on nothing is sent over it. */
void room_peer_detach(RoomPeer *peer);
/* Something else about it changed (mute, user data): the room tells us. */
struct peer_info *room_peer_get_info(RoomPeer *peer);

const char *room_peer_get_id(RoomPeer *peer);
/* The last message in which it introduced itself, or NULL. */
JsonObject *room_peer_get_hello(RoomPeer *peer);
gboolean room_peer_is_connected(RoomPeer *peer);
gboolean room_peer_is_detached(RoomPeer *peer);
/* The last events about it: channels and connection are closed. @is_here: by
 * another connection, and of this one only what was under way is told of. */
void room_peer_tell_closed(RoomPeer *peer, gboolean is_here);
/* "" before DTLS is done */
const char *room_peer_get_fingerprint(RoomPeer *peer);

/* To 2.x only, which knows no mute events; else nothing happens. */
void room_peer_send_media_state(RoomPeer *peer, gboolean video);
/* Over the messaging channel. @targets: with an MCU, for whom it is to pass it
 * on; else NULL. Return: 0, -ENOTCONN, -EAGAIN, -EMSGSIZE. */
int room_peer_send_p2p(RoomPeer *peer, gboolean is_private,
		       const char *const *targets, JsonNode *data);
/* Asks it to renegotiate, though it will not: with an MCU a new join follows,
 * and this is its announcement. */
void room_peer_announce_restart(RoomPeer *peer);

/* Everything that is sent to it and comes from it; lives as long as it. */
PeerTransfers *room_peer_get_transfers(RoomPeer *peer);
gboolean room_peer_is_mcu(RoomPeer *peer);

/* Return: (transfer full): {peerId, peerInfo} to which an event adds. */
JsonObject *room_peer_event_params(RoomPeer *peer);
/* Return: (transfer full): for `peers`. */
JsonObject *room_peer_describe(RoomPeer *peer);
