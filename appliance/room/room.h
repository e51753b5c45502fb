/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room.h - self in a Skylink room: peers, handshake, events
 *
 * Joins by room API and signaling socket, keeps one rtc_peer per remote peer,
 * and reports everything as SkylinkJS events (their names, their payloads).
 * Whatever drops is rejoined for ever with backoff and jitter, until
 * room_leave().
 *
 * Source:  SkylinkJS 0.6.12 API; the wire protocol in docs/skylink-protocol.md
 * Thread:  control
 * Memory:  owned by its creator
 */
#pragma once

#include <json-glib/json-glib.h>

#include "webrtc/rtc.h"

typedef struct Room Room;

typedef struct {
	GMainContext *context;
	struct rtc_engine *engine;
	const char *room_server;	/* "http://127.0.0.1:8080" or "//host" */
	const char *app_key;
	const char *secret;		/* or NULL */
	JsonNode *user_data;		/* or NULL */
	gboolean send_audio, send_video;
	unsigned int width, height, fps; /* reported in userInfo.settings */
	const enum media_codec *video_codecs;	/* order of preference */
	unsigned int n_video_codecs;
	unsigned int max_peers;		/* 0: 64 */
	/* An event: SkylinkJS's name and an object with its parameters under
	 * the API's parameter names. @params is borrowed. */
	void (*event)(void *user, const char *name, JsonObject *params);
	/* The video codecs of a peer were negotiated (@took) or given up: the
	 * daemon takes and releases rungs. */
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

/* A snapshot for status and peers. */
JsonNode *room_describe(Room *room);		/* state, room, sid, server,
						 * retries, next attempt */
JsonNode *room_describe_peers(Room *room);	/* array: peerId, agent,
						 * version, SMProtocolVersion,
						 * states, rtc stats, user data,
						 * mediaStatus, since */
GPtrArray *room_list_peer_ids(Room *room);
