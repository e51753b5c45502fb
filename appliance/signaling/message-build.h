/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/message-build.h - the signaling messages that we send
 *
 * Each carries the union of the fields that the client versions want, in the
 * way that suits all of them.
 *
 * Source:  docs/skylink-protocol.md §4.2, §16 (how a native peer can serve
 *          all versions)
 * Thread:  any
 * Memory:  every builder returns a new JsonObject (transfer full); arguments
 *          are borrowed, objects and nodes among them referenced
 */
#pragma once

#include "appliance/signaling/message.h"
#include "appliance/signaling/room-api-answer.h"

/* What we call ourselves on the wire. */
#define MESSAGE_SM_VERSION "0.1.2.4"
#define MESSAGE_DT_VERSION "0.1.3"

/* Self, as introduced to others. */
typedef struct {
	const char *mid, *rid, *cid;
	const char *agent;		/* "skylinkd" */
	const char *version;		/* dotted, sent as a string */
	const char *os;
	gdouble weight;
	gboolean ice_trickle;
	gboolean no_data_channel;	/* enableDataChannel: false */
	gboolean screenshare;		/* 0.6.12's sessionType */
	JsonObject *user_info;		/* of user_info_build() */
} MessageSelf;

/* The stream that self sends, as 2.x wants to know of it. */
typedef struct {
	const char *stream_id;		/* the msid */
	gboolean screenshare;
	gboolean audio_muted, video_muted;
} MessageMedia;

/* What a restart copies from the one it answers (zeroed: our own). */
typedef struct {
	gboolean do_ice_restart, is_resend;
	gboolean is_connection_restart, is_explicit;
	gint64 last_restart_ms;
} MessageRestart;

JsonObject *message_build_join_room(const RoomApiAnswer *answer,
				    const char *app_key);
/* @target: NULL for everybody in the room. */
JsonObject *message_build_enter(const MessageSelf *self, const char *target);
JsonObject *message_build_welcome(const MessageSelf *self, const char *target);
JsonObject *message_build_restart(const MessageSelf *self, const char *target,
				  const MessageRestart *restart);
/**
 * message_build_description() - offer or answer
 * @restart:    merged into an offer that renegotiates with 2.x; or NULL
 * @resent:     an offer sent once more ("restart": true)
 * @media_info: of media_info_build(), or NULL
 */
JsonObject *message_build_description(const MessageSelf *self,
				      const char *target, MessageType type,
				      const char *sdp,
				      const MessageRestart *restart,
				      gboolean resent, JsonArray *media_info);
JsonObject *message_build_candidate(const MessageSelf *self,
				    const char *target, guint label,
				    const char *id, const char *candidate);
JsonObject *message_build_end_of_candidates(const MessageSelf *self,
					    const char *target, guint n);
JsonObject *message_build_answer_ack(const MessageSelf *self,
				     const char *target, gboolean success);
/* @target: NULL: public. */
JsonObject *message_build_text(const MessageSelf *self, const char *target,
			       JsonNode *data);
/* @user_data: NULL: "" (unset) */
JsonObject *message_build_update_user(const MessageSelf *self,
				      JsonNode *user_data, gint64 stamp_ms);
/* @type: MESSAGE_MUTE_AUDIO or MESSAGE_MUTE_VIDEO */
JsonObject *message_build_mute(const MessageSelf *self, MessageType type,
			       gboolean muted, gint64 stamp_ms);
JsonObject *message_build_room_lock(const MessageSelf *self, gboolean lock);
/**
 * message_build_stream_ended() - a stream of ours stopped
 * @settings:	 userInfo's settings of that stream (borrowed), or NULL
 * @screenshare: it was the screen
 */
JsonObject *message_build_stream_ended(const MessageSelf *self,
				       const char *stream_id,
				       JsonObject *settings,
				       gboolean screenshare);
/* To the server: without mid and rid, as SkylinkJS sends them. */
JsonObject *message_build_get_peers(gboolean show_all);
JsonObject *message_build_introduce(const char *sending_peer,
				    const char *receiving_peer);
/* 2.x's way of muting; @state: "active", "muted", "unavailable" */
JsonObject *message_build_media_info(const MessageSelf *self,
				     const char *target,
				     const MessageMedia *media, gboolean video,
				     const char *state);
/* @messages: JsonObject, 1 to 16 */
JsonObject *message_build_group(const char *mid, const char *rid,
				JsonObject *const *messages, guint n);

/**
 * media_info_build() - 2.x's mediaInfoList for a local description
 * @sdp: our own; every m-line that sends audio or video gets an entry
 */
JsonArray *media_info_build(const char *sdp, const char *mid,
			    const MessageMedia *media);

/* Compact JSON text (g_free). */
char *message_to_text(JsonObject *object);
