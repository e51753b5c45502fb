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

#include "appliance/room/room-access.h"
#include "appliance/room/transfer.h"
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
	ROOM_ERROR_UNAVAILABLE,	/* this version cannot */
};

typedef struct Room Room;

/* What self sends, as others are told. */
typedef struct {
	const char *id;			/* msid; copied. NULL: a new one */
	gboolean send_audio, send_video, screenshare, stereo;
	unsigned int width, height, fps;
	unsigned int max_audio_kbps, max_video_kbps, max_data_kbps; /* 0: none*/
	/* Another number: another stream, though its form be the same. */
	unsigned int serial;
} RoomStream;

typedef struct {
	GMainContext *context;
	struct rtc_engine *engine;
	RoomAccess access;		/* copied */
	const char *room_server;	/* "http://127.0.0.1:8080", "//host" */
	const char *app_key;
	const char *secret;		/* or NULL */
	JsonNode *user_data;		/* or NULL */
	gboolean send_audio, send_video;
	unsigned int width, height, fps; /* reported in userInfo.settings */
	const enum media_codec *video_codecs;	/* order of preference */
	unsigned int n_video_codecs;
	unsigned int max_peers;		/* 0: ROOM_MAX_PEERS */
	gboolean watch_only;		/* peers' media is not taken */
	gboolean no_trickle;		/* descriptions wait for candidates */
	gboolean channel_messages;	/* every message is an event, too */
	unsigned int backoff_ms, backoff_max_ms;	/* 0: 500, 30000 */
	unsigned int health_ms;		/* 0: PEER_HEALTH_UNIT_MS */
	gdouble (*random)(void *user);	/* 0 <= x < 1; NULL: GLib's */
	/* May a peer's request to send something wait for an answer? FALSE:
	 * it is refused at once. NULL: it waits. At once; must not call the
	 * room. */
	gboolean (*transfer_request)(void *user, const char *peer_id,
				     const char *transfer_id,
				     JsonObject *transfer_info);
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

/* What room_join() takes as a name; the error says why not. Pure. */
gboolean room_check_name(const char *name, GError **error);
/* Starts joining; the outcome arrives as events (peerJoined with isSelf,
 * or systemAction / channelError / readyStateChange). Fails at once only for
 * bad arguments (name empty, too long, containing '/' or controls). */
gboolean room_join(Room *room, const char *name, GError **error);
void room_leave(Room *room);
/* What was waited for may be there now: the clock was set. Nothing happens
 * unless it waits. */
void room_retry_soon(Room *room);
void room_set_muted(Room *room, gboolean audio, gboolean video);
/* Another stream, or none: peers are told, and it is negotiated anew. Where
 * kinds, screenshare or serial differ it is another stream, with streamEnded
 * and incomingStream of self; else the same one with other settings. The same
 * in every field: nothing happens. */
void room_set_stream(Room *room, const RoomStream *stream);
/* For the next room_join(); what stands goes on, and comes back as it was.
 * NULL: as it is; an empty @secret: none. Nothing changes on failure. */
gboolean room_set_access(Room *room, const char *room_server,
			 const char *app_key, const char *secret,
			 const RoomAccess *access, GError **error);

/* From the next join on. */
void room_set_trickle(Room *room, gboolean trickle);
/* For peers that come from now on. @codecs: order of preference; at most
 * N_MEDIA_CODECS */
void room_set_video_codecs(Room *room, const enum media_codec *codecs,
			   unsigned int n);

/* This machine's addresses or routes are others: what waits for the network is
 * tried again within seconds, not by all boxes in it at one moment. */
void room_network_changed(Room *room);

/* From now on; 0: ROOM_MAX_PEERS. Nobody who is here is sent away. */
void room_set_max_peers(Room *room, unsigned int max_peers);

/* Of peers that come from now on. */
void room_set_watch_only(Room *room, gboolean watch_only);

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
/* Renegotiates with each of @ids (NULL terminated), as far as it is here; with
 * an MCU the room is joined anew, once. @errors: gets {peerId: why}. */
void room_refresh_each(Room *room, const char *const *ids, gboolean ice_restart,
		       JsonObject *errors);
/* Renegotiates with one peer, or with all (NULL). */
gboolean room_refresh(Room *room, const char *peer_id, gboolean ice_restart,
		      GError **error);
/* Privileged keys: the answers come as getPeersStateChange and
 * introduceStateChange. */
gboolean room_get_peers(Room *room, gboolean show_all, GError **error);
gboolean room_introduce(Room *room, const char *sending_peer_id,
			const char *receiving_peer_id, GError **error);

/* --- transfers ------------------------------------------------------------ */
typedef struct {
	const char *name;		/* without directories; NULL: a data URL */
	const char *mime_type;		/* or NULL */
	guint64 size;			/* bytes; a data URL: characters */
	guint timeout_s;		/* 0: TRANSFER_TIMEOUT_S */
	gboolean data_url;		/* sendURLData: text in small slices */
	gboolean string_chunks;		/* base64 even where binary is known */
} RoomTransferOffer;

/**
 * room_send_data() - offer a file or a data URL to peers
 * @source:	taken, also on failure
 * @targets:	peer ids, NULL terminated; NULL: everybody
 * @ret_ids:	(transfer full): {peerId: transferId} of those asked
 *
 * What becomes of it arrives as dataTransferState, one row per peer. Fails
 * when no peer can be asked.
 */
gboolean room_send_data(Room *room, const RoomTransferOffer *offer,
			TransferSource source, const char *const *targets,
			JsonObject **ret_ids, GError **error);
/* A peer's offer is taken; @sink is taken, also on failure. */
gboolean room_accept_transfer(Room *room, const char *peer_id,
			      const char *transfer_id, TransferSink sink,
			      GError **error);
gboolean room_reject_transfer(Room *room, const char *peer_id,
			      const char *transfer_id, GError **error);
/* Either direction, at any step. */
gboolean room_cancel_transfer(Room *room, const char *peer_id,
			      const char *transfer_id, GError **error);
/* (transfer full): an array of transfers: peerId, transferId, state,
 * transferInfo as events carry it, bytes, bytesPerSecond */
JsonNode *room_describe_transfers(Room *room);

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
/* (transfer full): the STUN and TURN servers that the room named and we take,
 * NULL terminated; NULL: in no room. */
char **room_list_ice_urls(Room *room);
