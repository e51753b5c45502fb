/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room.h - self in a Skylink room: peers, handshake, events
 *
 * Joins by room API and signaling socket, keeps one rtc_peer per remote peer,
 * and reports everything as SkylinkJS events (their names, their payloads).
 * Whatever drops is rejoined for ever with backoff and jitter, until
 * room_leave().
 *
 * Source:  SkylinkJS 0.6.12 API; the wire protocol in docs/skylink-protocol.md
 * Thread:  control; the context must be the thread's default one
 * Memory:  owned by its creator. Peers, those kept after a loss of signaling
 *          included, are at most twice max_peers
 */
#pragma once

#include <json-glib/json-glib.h>

#include "webrtc/rtc.h"

#define ROOM_MAX_NAME_BYTES 256
#define ROOM_MAX_PEERS	    64
/* A bye is obeyed this much later when the peer is connected: if our own
 * signaling drops as well, it was the server that went, and not the peer. */
#define ROOM_BYE_GRACE_MS   500

/* When every connection that stood has failed, though signaling says that
 * the peers are still there, our own network was the cause: this much later the
 * room is joined anew. */
#define ROOM_RECOVER_MS	    2000

#define ROOM_ERROR (room_error_quark())
GQuark room_error_quark(void);

enum room_error_code {
	ROOM_ERROR_ARGUMENT,
	ROOM_ERROR_NOT_IN_ROOM,
	ROOM_ERROR_NO_PEER,
	ROOM_ERROR_BUSY,	/* too much is waiting to be sent */
};

typedef struct Room Room;

typedef struct {
	GMainContext *context;
	struct rtc_engine *engine;
	const char *room_server;	/* "http://127.0.0.1:8080", "//host" */
	const char *app_key;
	const char *secret;		/* or NULL */
	JsonNode *user_data;		/* or NULL */
	gboolean send_audio, send_video;
	unsigned int width, height, fps; /* reported in userInfo.settings */
	const enum media_codec *video_codecs;	/* order of preference */
	unsigned int n_video_codecs;
	unsigned int max_peers;		/* 0: ROOM_MAX_PEERS */
	gboolean no_trickle;		/* descriptions wait for candidates */
	gboolean channel_messages;	/* every message is an event, too */
	unsigned int backoff_ms, backoff_max_ms;	/* 0: 500, 30000 */
	gdouble (*random)(void *user);	/* 0 <= x < 1; NULL: GLib's */
	/* An event: SkylinkJS's name and an object with its parameters under
	 * the API's parameter names. @params is borrowed. From the main loop,
	 * never from within a call: it may do anything, also free the room. */
	void (*event)(void *user, const char *name, JsonObject *params);
	/* The video codec of a peer was negotiated (@took) or given up: the
	 * daemon takes and releases rungs. At once, and from within calls: it
	 * must not call the room. */
	void (*codec_use)(void *user, enum media_codec codec, gboolean took);
	void *user;
} RoomConfig;

Room *room_new(const RoomConfig *config, GError **error);
void room_free(Room *room);

/* Starts joining; the outcome arrives as events (peerJoined with isSelf,
 * or systemAction / channelError / readyStateChange). Fails at once only for
 * bad arguments (name empty, too long, containing '/' or controls). */
gboolean room_join(Room *room, const char *name, GError **error);
void room_leave(Room *room);
void room_set_muted(Room *room, gboolean audio, gboolean video);

/* What others see of us; NULL: unset. Kept for the next join. */
void room_set_user_data(Room *room, JsonNode *user_data);
JsonNode *room_get_user_data(Room *room);	/* borrowed, or NULL */
/**
 * room_send_message() - a message over signaling
 * @targets: peer ids, NULL terminated; NULL: to everybody
 */
gboolean room_send_message(Room *room, JsonNode *message,
			   const char *const *targets, GError **error);
/* The same over the data channels. Peers without one are left out; fails
 * when there is none with. */
gboolean room_send_p2p_message(Room *room, JsonNode *message,
			       const char *const *targets, GError **error);
gboolean room_lock(Room *room, gboolean lock, GError **error);
gboolean room_is_locked(Room *room);
/* Renegotiates with one peer, or with all (NULL). */
gboolean room_refresh(Room *room, const char *peer_id, gboolean ice_restart,
		      GError **error);
/* Skips what is left of the wait before the next attempt to join. */
void room_retry_now(Room *room);
/* Return: (transfer full): peerInfo, self's for NULL; NULL: no such peer. */
JsonObject *room_get_peer_info(Room *room, const char *peer_id);

/* A snapshot for status and peers. */
JsonNode *room_describe(Room *room);		/* state, room, sid, server,
						 * retries, next attempt */
JsonNode *room_describe_peers(Room *room);	/* array: peerId, agent,
						 * version, SMProtocolVersion,
						 * states, rtc stats, user data,
						 * mediaStatus, since; kept:
						 * TRUE for a connection that
						 * outlived its signaling */
/* (transfer full), of strings it frees; the kept ones too */
GPtrArray *room_list_peer_ids(Room *room);
