// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/message-build.h"

#include <string.h>

static JsonObject *start(MessageType type, const char *mid, const char *rid,
			 const char *target)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "type", message_type_name(type));
	if (mid)
		json_object_set_string_member(o, "mid", mid);
	if (rid)
		json_object_set_string_member(o, "rid", rid);
	if (target)
		json_object_set_string_member(o, "target", target);
	return o;
}

static JsonObject *start_self(MessageType type, const MessageSelf *self,
			      const char *target)
{
	return start(type, self->mid, self->rid, target);
}

/* Milliseconds and weights stay integers in the text. */
static void set_number(JsonObject *o, const char *name, gdouble value)
{
	if (value == (gdouble) (gint64) value)
		json_object_set_int_member(o, name, (gint64) value);
	else
		json_object_set_double_member(o, name, value);
}

JsonObject *message_build_join_room(const RoomApiAnswer *a, const char *app_key)
{
	JsonObject *o = start(MESSAGE_JOIN_ROOM, NULL, a->room_key, NULL);

	json_object_set_string_member(o, "uid", a->username);
	json_object_set_string_member(o, "cid", a->cid);
	json_object_set_string_member(o, "userCred", a->user_cred);
	json_object_set_string_member(o, "timeStamp", a->time_stamp);
	json_object_set_string_member(o, "apiOwner", a->api_owner);
	json_object_set_string_member(o, "roomCred", a->room_cred);
	json_object_set_string_member(o, "start", a->start);
	if (a->len_text)
		json_object_set_string_member(o, "len", a->len_text);
	else
		set_number(o, "len", a->len_number);
	json_object_set_boolean_member(o, "isPrivileged", a->is_privileged);
	json_object_set_boolean_member(o, "autoIntroduce", a->auto_introduce);
	json_object_set_string_member(o, "key", app_key);
	return o;
}

static const char *session_type(const MessageSelf *self)
{
	return self->screenshare ? "screensharing" : "stream";
}

/* Who we are, for every version: 0.6.12 wants sessionType, and reads
 * receiveOnly the other way round, so it is always false. */
static void add_hello(JsonObject *o, const MessageSelf *self)
{
	json_object_set_string_member(o, "agent", self->agent);
	json_object_set_string_member(o, "version", self->version);
	json_object_set_string_member(o, "os", self->os);
	json_object_set_object_member(o, "userInfo",
				      json_object_ref(self->user_info));
	json_object_set_boolean_member(o, "receiveOnly", FALSE);
	json_object_set_string_member(o, "sessionType", session_type(self));
	set_number(o, "weight", self->weight);
	json_object_set_null_member(o, "temasysPluginVersion");
	json_object_set_boolean_member(o, "enableIceTrickle",
				       self->ice_trickle);
	json_object_set_boolean_member(o, "enableDataChannel",
				       !self->no_data_channel);
	json_object_set_boolean_member(o, "enableIceRestart", TRUE);
	json_object_set_string_member(o, "SMProtocolVersion",
				      MESSAGE_SM_VERSION);
	json_object_set_string_member(o, "DTProtocolVersion",
				      MESSAGE_DT_VERSION);
}

static void add_restart(JsonObject *o, const MessageRestart *r)
{
	json_object_set_boolean_member(o, "doIceRestart", r->do_ice_restart);
	json_object_set_boolean_member(o, "isRestartResend", r->is_resend);
	json_object_set_boolean_member(o, "isConnectionRestart",
				       r->is_connection_restart);
	json_object_set_boolean_member(o, "explicit", r->is_explicit);
	json_object_set_int_member(o, "lastRestart", r->last_restart_ms);
}

JsonObject *message_build_enter(const MessageSelf *self, const char *target)
{
	JsonObject *o = start_self(MESSAGE_ENTER, self, target);

	add_hello(o, self);
	return o;
}

JsonObject *message_build_welcome(const MessageSelf *self, const char *target)
{
	JsonObject *o = start_self(MESSAGE_WELCOME, self, target);

	add_hello(o, self);
	return o;
}

JsonObject *message_build_restart(const MessageSelf *self, const char *target,
				  const MessageRestart *restart)
{
	JsonObject *o = start_self(MESSAGE_RESTART, self, target);

	add_hello(o, self);
	add_restart(o, restart);
	return o;
}

JsonObject *message_build_description(const MessageSelf *self,
				      const char *target, MessageType type,
				      const char *sdp,
				      const MessageRestart *restart,
				      gboolean resent, JsonArray *media_info)
{
	JsonObject *o = start_self(type, self, target);

	json_object_set_string_member(o, "sdp", sdp);
	if (restart) {
		add_hello(o, self);
		add_restart(o, restart);
	} else {
		json_object_set_object_member(
			o, "userInfo", json_object_ref(self->user_info));
		set_number(o, "weight", self->weight);
	}
	if (resent)
		json_object_set_boolean_member(o, "restart", TRUE);
	if (media_info)
		json_object_set_array_member(o, "mediaInfoList",
					     json_array_ref(media_info));
	return o;
}

JsonObject *message_build_candidate(const MessageSelf *self,
				    const char *target, guint label,
				    const char *id, const char *candidate)
{
	JsonObject *o = start_self(MESSAGE_CANDIDATE, self, target);

	json_object_set_int_member(o, "label", label);
	json_object_set_string_member(o, "id", id);
	json_object_set_string_member(o, "candidate", candidate);
	return o;
}

JsonObject *message_build_end_of_candidates(const MessageSelf *self,
					    const char *target, guint n)
{
	JsonObject *o = start_self(MESSAGE_END_OF_CANDIDATES, self, target);

	json_object_set_int_member(o, "noOfExpectedCandidates", n);
	return o;
}

JsonObject *message_build_answer_ack(const MessageSelf *self,
				     const char *target, gboolean success)
{
	JsonObject *o = start_self(MESSAGE_ANSWER_ACK, self, target);

	json_object_set_boolean_member(o, "success", success);
	return o;
}

JsonObject *message_build_text(const MessageSelf *self, const char *target,
			       JsonNode *data)
{
	JsonObject *o = start_self(target ? MESSAGE_PRIVATE : MESSAGE_PUBLIC,
				   self, target);

	if (self->cid)
		json_object_set_string_member(o, "cid", self->cid);
	json_object_set_member(o, "data", json_node_copy(data));
	return o;
}

JsonObject *message_build_update_user(const MessageSelf *self,
				      JsonNode *user_data, gint64 stamp_ms)
{
	JsonObject *o = start_self(MESSAGE_UPDATE_USER, self, NULL);

	if (user_data)
		json_object_set_member(o, "userData",
				       json_node_copy(user_data));
	else
		json_object_set_string_member(o, "userData", "");
	json_object_set_int_member(o, "stamp", stamp_ms);
	return o;
}

JsonObject *message_build_mute(const MessageSelf *self, MessageType type,
			       gboolean muted, gint64 stamp_ms)
{
	JsonObject *o = start_self(type, self, NULL);

	json_object_set_boolean_member(o, "muted", muted);
	json_object_set_int_member(o, "stamp", stamp_ms);
	return o;
}

JsonObject *message_build_room_lock(const MessageSelf *self, gboolean lock)
{
	JsonObject *o = start_self(MESSAGE_ROOM_LOCK, self, NULL);

	json_object_set_boolean_member(o, "lock", lock);
	return o;
}

JsonObject *message_build_stream_ended(const MessageSelf *self,
				       const char *stream_id,
				       JsonObject *settings,
				       gboolean screenshare)
{
	JsonObject *o = start_self(MESSAGE_STREAM, self, NULL);

	if (self->cid)
		json_object_set_string_member(o, "cid", self->cid);
	json_object_set_string_member(o, "streamId", stream_id);
	if (settings)
		json_object_set_object_member(o, "settings",
					      json_object_ref(settings));
	/* what 0.6.12 tells the two apart by */
	json_object_set_string_member(o, "sessionType",
				      screenshare ? "screensharing"
						  : "stream");
	json_object_set_string_member(o, "status", "ended");
	return o;
}

JsonObject *message_build_get_peers(gboolean show_all)
{
	JsonObject *o = start(MESSAGE_GET_PEERS, NULL, NULL, NULL);

	json_object_set_boolean_member(o, "showAll", show_all);
	return o;
}

JsonObject *message_build_introduce(const char *sending_peer,
				    const char *receiving_peer)
{
	JsonObject *o = start(MESSAGE_INTRODUCE, NULL, NULL, NULL);

	json_object_set_string_member(o, "sendingPeerId", sending_peer);
	json_object_set_string_member(o, "receivingPeerId", receiving_peer);
	return o;
}

static void set_media(JsonObject *o, const char *mid, const MessageMedia *media,
		      gboolean video, const char *state)
{
	g_autofree char *id = g_strdup_printf("%s_%s",
					      video ? "VIDEO" : "AUDIO",
					      media->stream_id);
	const char *type = !video	      ? "audioMic"
			   : media->screenshare ? "videoScreen"
						: "videoCamera";

	json_object_set_string_member(o, "publisherId", mid);
	json_object_set_string_member(o, "mediaId", id);
	json_object_set_string_member(o, "mediaType", type);
	json_object_set_string_member(o, "mediaState", state);
}

JsonObject *message_build_media_info(const MessageSelf *self,
				     const char *target,
				     const MessageMedia *media, gboolean video,
				     const char *state)
{
	JsonObject *o = start_self(MESSAGE_MEDIA_INFO, self, target);

	set_media(o, self->mid, media, video, state);
	return o;
}

JsonObject *message_build_group(const char *mid, const char *rid,
				JsonObject *const *messages, guint n)
{
	JsonObject *o = start(MESSAGE_GROUP, mid, rid, NULL);
	JsonArray *lists = json_array_sized_new(n);

	for (guint i = 0; i < n; i++) {
		g_autofree char *text = message_to_text(messages[i]);

		json_array_add_string_element(lists, text);
	}
	json_object_set_array_member(o, "lists", lists);
	return o;
}

/* --- 2.x's list of media ------------------------------------------------- */
/* One m-line of our own description. */
struct section {
	gboolean audio, video, sends;
	const char *mid;
};

static void add_section(JsonArray *list, const struct section *s,
			const char *mid, const MessageMedia *media)
{
	gboolean muted = s->video ? media->video_muted : media->audio_muted;
	JsonObject *o;

	if (!(s->audio || s->video) || !s->sends || !s->mid)
		return;
	o = json_object_new();
	set_media(o, mid, media, s->video, muted ? "muted" : "active");
	json_object_set_string_member(o, "transceiverMid", s->mid);
	json_object_set_string_member(o, "mediaMetaData", "");
	json_object_set_string_member(o, "simulcast", "");
	json_array_add_object_element(list, o);
}

/* m=<media> <port> ... */
static gboolean has_port_zero(const char *line)
{
	const char *port = strchr(line, ' ');

	return port && g_str_has_prefix(port, " 0 ");
}

JsonArray *media_info_build(const char *sdp, const char *mid,
			    const MessageMedia *media)
{
	JsonArray *list = json_array_new();
	g_auto(GStrv) lines = g_strsplit(sdp, "\n", -1);
	struct section s = {0};

	for (char **l = lines; *l; l++) {
		g_strchomp(*l);
		if (g_str_has_prefix(*l, "m=")) {
			add_section(list, &s, mid, media);
			s = (struct section){
				.audio = g_str_has_prefix(*l, "m=audio "),
				.video = g_str_has_prefix(*l, "m=video "),
				/* sendrecv when nothing is said; port 0 is
				 * an m-line that was given up */
				.sends = !has_port_zero(*l),
			};
		} else if (g_str_has_prefix(*l, "a=mid:")) {
			s.mid = *l + strlen("a=mid:");
		} else if (!strcmp(*l, "a=recvonly") ||
			   !strcmp(*l, "a=inactive")) {
			s.sends = FALSE;
		}
	}
	add_section(list, &s, mid, media);
	return list;
}

char *message_to_text(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(node, object);
	return json_to_string(node, FALSE);
}
