// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-life.h"
#include "appliance/daemon-media.h"

#include <string.h>

#define JOIN_ANSWER_MS 20000	/* then joinRoom is answered, joined or not */

/* --- joinRoom, answered when self is in ----------------------------------- */
static void drop_join(Daemon *d)
{
	daemon_media_cancel_join(d);
	g_clear_pointer(&d->join_call, control_call_unref);
	g_clear_pointer(&d->join_name, g_free);
	g_clear_pointer(&d->join_error, g_free);
	d->join_error_code = 0;
	if (d->join_timeout) {
		g_source_destroy(d->join_timeout);
		g_clear_pointer(&d->join_timeout, g_source_unref);
	}
}

/* The call's answer, with what the API's callback gets; takes @text. */
static void fail_join(Daemon *d, int code, char *text)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "error",
				      d->join_error ? d->join_error : text);
	if (d->join_error_code)
		json_object_set_int_member(o, "errorCode", d->join_error_code);
	else
		json_object_set_null_member(o, "errorCode");
	json_object_set_string_member(o, "room", d->join_name);
	json_node_take_object(node, o);
	control_call_fail(d->join_call, code, node, "%s", text);
	drop_join(d);
	g_free(text);
}

/* Nobody waits for it any more, for a reason of ours. */
void daemon_abandon_join(Daemon *d, const char *why)
{
	if (d->join_call)
		fail_join(d, CONTROL_CODE_STATE, g_strdup(why));
}

static gboolean on_join_timeout(gpointer data)
{
	Daemon *d = data;

	fail_join(d, CONTROL_CODE_FAILED, g_strdup_printf(
		"Not in room '%s' after %d s%s%s; it is tried on. See the "
		"status", d->join_name, JOIN_ANSWER_MS / 1000,
		d->join_error ? ": " : "", d->join_error ? d->join_error : ""));
	return G_SOURCE_REMOVE;
}

static void note_join_error(Daemon *d, JsonObject *params)
{
	JsonNode *n = json_object_get_member(params, "error");
	JsonObject *o;

	if (!n || JSON_NODE_HOLDS_NULL(n))
		return;
	g_free(d->join_error);
	if (!JSON_NODE_HOLDS_OBJECT(n)) {
		d->join_error = json_to_string(n, FALSE);
		return;
	}
	o = json_node_get_object(n);
	d->join_error = g_strdup(text_member(o, "content"));
	d->join_error_code = json_object_get_int_member_with_default(
		o, "errorCode", 0);
}

/* Events come later than what they tell of: it may be of the room before. */
static gboolean is_self_joined(Daemon *d, const char *name, JsonObject *params)
{
	if (strcmp(name, "peerJoined") ||
	    !json_object_get_boolean_member_with_default(params, "isSelf",
							 FALSE))
		return FALSE;
	return !g_strcmp0(text_member(json_object_get_object_member(
					      params, "peerInfo"), "room"),
			  d->room_name);
}

static void reply_joined(Daemon *d, JsonObject *params)
{
	/* The event's own object goes on to others. */
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "room", d->join_name);
	json_object_set_string_member(o, "peerId",
				      text_member(params, "peerId"));
	json_object_set_object_member(
		o, "peerInfo",
		json_object_ref(json_object_get_object_member(params,
							      "peerInfo")));
	daemon_reply_object(d->join_call, o);
	drop_join(d);
}

void daemon_control_event(Daemon *d, const char *name, JsonObject *params)
{
	daemon_privileged_event(d, name, params);
	/* Until its media is there, nothing is of this join. */
	if (!d->join_call || !d->join_timeout)
		return;
	if (is_self_joined(d, name, params)) {
		reply_joined(d, params);
	} else if (!strcmp(name, "systemAction") &&
		   !g_strcmp0(text_member(params, "action"), "reject")) {
		const char *why = text_member(params, "message");

		fail_join(d, CONTROL_CODE_FAILED, g_strdup_printf(
			"The server refuses: %s; it is tried on",
			why ? why : "without a reason"));
	} else if (g_str_has_prefix(name, "socket") ||
		   g_str_has_prefix(name, "channel") ||
		   !strcmp(name, "readyStateChange")) {
		note_join_error(d, params);
	}
}

void daemon_control_done(Daemon *d)
{
	daemon_abandon_join(d, "The daemon is stopping");
	daemon_init_abandon(d, "The daemon is stopping");
	daemon_privileged_done(d);
}

/* --- joinRoom: first what is sent, then the room -------------------------- */
static JsonObject *join_options(ControlCall *call)
{
	JsonNode *options = json_object_get_member(
		control_call_get_params(call), "options");

	return options ? json_node_get_object(options) : NULL;
}

static void on_media_ready(Daemon *d, const GError *media_error, gpointer data)
{
	JsonObject *options = join_options(d->join_call);
	JsonNode *user_data = options ?
		json_object_get_member(options, "userData") : NULL;
	g_autoptr(GError) error = NULL;

	if (media_error) {
		fail_join(d, CONTROL_CODE_FAILED,
			  g_strdup(media_error->message));
		return;
	}
	if (!daemon_join(d, d->join_name, &error)) {
		fail_join(d, CONTROL_CODE_STATE, g_strdup(error->message));
		return;
	}
	if (user_data)
		room_set_user_data(d->room, user_data);
	daemon_life_by_hand(d, d->room_name);
	/* The outcome is an event, and these come from the main loop alone. */
	d->join_timeout = g_timeout_source_new(JOIN_ANSWER_MS);
	g_source_set_callback(d->join_timeout, on_join_timeout, d, NULL);
	g_source_attach(d->join_timeout, NULL);
}

static void join_room(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	const char *name = text_member(control_call_get_params(call), "room");
	g_autoptr(GError) error = NULL;

	if (!name)
		name = daemon_default_room(d);
	if (!daemon_can_join(d, name, &error)) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL, "%s",
				  error->message);
		return;
	}
	daemon_abandon_join(d, "Another joinRoom came in between");
	d->join_call = control_call_ref(call);
	d->join_name = g_strdup(name);
	daemon_media_join(d, join_options(call), on_media_ready, NULL);
}

static void leave_room(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) room = NULL;
	JsonObject *o;

	if (!d->room_name) {
		daemon_abandon_join(d, "leaveRoom came in between");
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "There is no room to leave");
		return;
	}
	if (!daemon_media_leave(d, json_object_get_member(
					control_call_get_params(call),
					"stopMediaOptions"), &error)) {
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s",
				  error->message);
		return;
	}
	daemon_abandon_join(d, "leaveRoom came in between");
	room = room_describe(d->room);
	o = json_object_new();
	json_object_set_string_member(
		o, "peerId", text_member(json_node_get_object(room), "sid"));
	json_object_set_string_member(o, "previousRoom", d->room_name);
	daemon_leave(d);
	daemon_life_by_hand(d, NULL);
	daemon_reply_object(call, o);
}

/* --- mute ----------------------------------------------------------------- */
static void reply_muted(ControlCall *call, Daemon *d)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();

	json_object_set_boolean_member(o, "audioMuted", d->audio_muted);
	json_object_set_boolean_member(o, "videoMuted", d->video_muted);
	json_node_take_object(node, o);
	control_call_reply(call, node);
}

static void mute_stream(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *options = json_object_get_object_member(
		control_call_get_params(call), "options");

	daemon_set_muted(d, json_object_get_boolean_member_with_default(
				 options, "audioMuted", d->audio_muted),
			 json_object_get_boolean_member_with_default(
				 options, "videoMuted", d->video_muted));
	reply_muted(call, d);
}

static void enable_audio(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	daemon_set_muted(d, FALSE, d->video_muted);
	reply_muted(call, d);
}

static void disable_audio(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	daemon_set_muted(d, TRUE, d->video_muted);
	reply_muted(call, d);
}

static void enable_video(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	daemon_set_muted(d, d->audio_muted, FALSE);
	reply_muted(call, d);
}

static void disable_video(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	daemon_set_muted(d, d->audio_muted, TRUE);
	reply_muted(call, d);
}

const ControlHandler daemon_room_handlers[] = {
	{ "joinRoom", join_room },
	{ "leaveRoom", leave_room },
	{ "muteStream", mute_stream },
	{ "enableAudio", enable_audio },
	{ "disableAudio", disable_audio },
	{ "enableVideo", enable_video },
	{ "disableVideo", disable_video },
	{ NULL, NULL },
};
