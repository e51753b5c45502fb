/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-private.h - what the files of a room share
 *
 *   room.c          joining, leaving, self, and what the daemon calls
 *   room-peers.c    who is here: adding, keeping, removing
 *   room-message.c  what a message from somebody means
 *   room-mcu.c      a room with a media server in it
 *   room-privileged.c  peers of other rooms, and bringing them together
 *   room-stream.c   what self sends, and what becomes of it
 *   room-transfers.c  data to and from peers
 *
 * Thread:  control
 */
#pragma once

#include "appliance/room/ice-servers.h"
#include "appliance/room/room-events.h"
#include "appliance/room/room-peer.h"
#include "appliance/room/room-session.h"
#include "appliance/room/room.h"
#include "appliance/signaling/user-info.h"

struct Room {
	RoomConfig config;
	enum media_codec codecs[N_MEDIA_CODECS];
	RoomSession *session;
	RoomEvents *events;

	/* self */
	MessageSelf self;		/* points at the strings below */
	char *sid;			/* NULL: not in a room */
	char *mid;			/* the last one: kept peers know it */
	char *rid, *cid, *os;
	UserInfoSelf info;
	JsonNode *user_data;		/* or NULL */
	RoomMedia media;
	gboolean locked;
	struct ice_servers ice;

	/* others */
	GHashTable *peers;		/* id: RoomPeer, owned */
	GPtrArray *kept;		/* RoomPeer whose signaling is gone */
	GHashTable *byes;		/* id: GSource of a bye that waits */
	GHashTable *lost;		/* id: JsonObject, its hello; failed,
					 * and no bye came */
	GSource *recover_timer;
	guint64 peers_refused, unexpected;
	gint64 transfer_ms;		/* in the last transfer's id */
};

/* --- room.c -------------------------------------------------------------- */
/* @params: (transfer full) */
void room_emit(Room *room, const char *name, JsonObject *params);
/* {peerId, peerInfo, isSelf: true} */
JsonObject *room_self_params(Room *room);
void room_send(Room *room, JsonObject *message);
/* The userInfo that everything we send carries, as it is now. */
void room_refresh_self(Room *room);
/* An event about self; @of_stream: with isScreensharing. */
void room_emit_self(Room *room, const char *name, gboolean of_stream);
gint64 room_now_ms(void);
gboolean room_need_joined(Room *room, GError **error);
/* @targets: NULL terminated, or NULL */
gboolean room_need_peers(Room *room, const char *const *targets,
			 GError **error);

/* --- room-peers.c -------------------------------------------------------- */
RoomPeer *room_peers_find(Room *room, const char *id);
/* Those that are connected though their signaling is gone, too. */
RoomPeer *room_peers_find_any(Room *room, const char *id);
/* @hello: of room_peers_find_lost(), or NULL. NULL: no room for it. */
RoomPeer *room_peers_add(Room *room, const char *id, JsonObject *hello);
/* What was known of a peer that was lost, {} for nothing; NULL: it was not. */
JsonObject *room_peers_find_lost(Room *room, const char *id);
/* To be called once the newcomer's message was read. */
void room_peers_tell_joined(Room *room, RoomPeer *peer);
/* A message that introduces it anew: it is not lost any more. */
void room_peers_found(Room *room, const char *id);
/* The server says that it left. */
void room_peers_bye(Room *room, const char *id);
/* Signaling is gone: keeps those that are connected. */
void room_peers_signaling_lost(Room *room);
void room_peers_remove_all(Room *room);

/* --- room-mcu.c ---------------------------------------------------------- */
/* The MCU is here, gone: who gets our media changes. */
void room_mcu_joined(Room *room);
void room_mcu_left(Room *room);
/* With an MCU nobody renegotiates: tells all, leaves and joins again. */
void room_mcu_rejoin(Room *room);
/* Over the MCU's channel to @targets, or to all. Return: 0 or as
 * room_peer_send_p2p(). */
int room_mcu_send_p2p(Room *room, JsonNode *content,
		      const char *const *targets);

/* --- room-privileged.c --------------------------------------------------- */
void room_take_peer_list(Room *room, const Message *message);
void room_take_introduce_error(Room *room, const Message *message);

/* --- room-stream.c ------------------------------------------------------- */
/* Our own stream, if there is one, to whoever listens to us. */
void room_tell_own_stream(Room *room);
/* --- room-transfers.c ---------------------------------------------------- */
gboolean room_transfers_is_wanted(void *room, const char *peer_id,
				  const char *transfer_id, JsonObject *info);
gboolean room_transfers_has_room(void *room);

/* --- room-message.c ------------------------------------------------------ */
void room_take_message(Room *room, const Message *message);
