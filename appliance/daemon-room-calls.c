// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-media.h"

#include <string.h>

#define JOIN_ANSWER_MS 20000	/* then joinRoom is answered, joined or not */

/* --- joinRoom, answered when self is in ----------------------------------- */
static void drop_join(Daemon *d)
{
	g_clear_pointer(&d->join_call, control_call_unref);
	g_clear_pointer(&d->join_error, g_free);
	if (d->join_timeout) {
		g_source_destroy(d->join_timeout);
		g_clear_pointer(&d->join_timeout, g_source_unref);
	}
}

/* Nobody waits for it any more, for a reason of ours. */
static void abandon_join(Daemon *d, const char *why)
{
	if (!d->join_call)
		return;
	control_call_fail(d->join_call, CONTROL_CODE_STATE, NULL, "%s", why);
	drop_join(d);
}

static gboolean on_join_timeout(gpointer data)
{
	Daemon *d = data;

	control_call_fail(d->join_call, CONTROL_CODE_FAILED, NULL,
			  "Not in room '%s' after %d s%s%s; it is tried on. "
			  "See the status", d->room_name, JOIN_ANSWER_MS / 1000,
			  d->join_error ? ": " : "",
			  d->join_error ? d->join_error : "");
	drop_join(d);
	return G_SOURCE_REMOVE;
}

static void note_join_error(Daemon *d, JsonObject *params)
{
	JsonNode *n = json_object_get_member(params, "error");

	if (!n || JSON_NODE_HOLDS_NULL(n))
		return;
	g_free(d->join_error);
	d->join_error = JSON_NODE_HOLDS_OBJECT(n) ?
		g_strdup(text_member(json_node_get_object(n), "content")) :
		json_to_string(n, FALSE);
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

void daemon_control_event(Daemon *d, const char *name, JsonObject *params)
{
	if (!d->join_call)
		return;
	if (is_self_joined(d, name, params)) {
		/* The event's own object goes on to others. */
		JsonObject *o = json_object_new();

		json_object_set_string_member(o, "room", d->room_name);
		json_object_set_string_member(o, "peerId",
					      text_member(params, "peerId"));
		json_object_set_object_member(
			o, "peerInfo", json_object_ref(
				json_object_get_object_member(params,
							      "peerInfo")));
		daemon_reply_object(d->join_call, o);
		drop_join(d);
	} else if (!strcmp(name, "systemAction") &&
		   !g_strcmp0(text_member(params, "action"), "reject")) {
		const char *why = text_member(params, "message");

		control_call_fail(d->join_call, CONTROL_CODE_FAILED, NULL,
				  "The server refuses: %s; it is tried on",
				  why ? why : "without a reason");
		drop_join(d);
	} else {
		note_join_error(d, params);
	}
}

void daemon_control_done(Daemon *d)
{
	abandon_join(d, "The daemon is stopping");
	daemon_init_abandon(d, "The daemon is stopping");
}

static JsonNode *given_user_data(JsonObject *params)
{
	JsonNode *options = json_object_get_member(params, "options");

	return options && JSON_NODE_HOLDS_OBJECT(options) ?
		json_object_get_member(json_node_get_object(options),
				       "userData") : NULL;
}

static void join_room(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *params = control_call_get_params(call);
	const char *name = text_member(params, "room");
	JsonNode *user_data = given_user_data(params);
	g_autoptr(GError) error = NULL;

	if (!name)
		name = daemon_default_room(d);
	if (!daemon_join(d, name, &error)) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL, "%s",
				  error->message);
		return;
	}
	if (user_data)
		room_set_user_data(d->room, user_data);
	abandon_join(d, "Another joinRoom came in between");
	/* The outcome is an event, and these come from the main loop alone. */
	d->join_call = control_call_ref(call);
	d->join_timeout = g_timeout_source_new(JOIN_ANSWER_MS);
	g_source_set_callback(d->join_timeout, on_join_timeout, d, NULL);
	g_source_attach(d->join_timeout, NULL);
}

static void leave_room(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *o;
	g_autoptr(JsonNode) room = NULL;
	JsonNode *node;

	if (!d->room_name) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "There is no room to leave");
		return;
	}
	room = room_describe(d->room);
	o = json_object_new();
	json_object_set_string_member(
		o, "peerId", text_member(json_node_get_object(room), "sid"));
	json_object_set_string_member(o, "previousRoom", d->room_name);
	node = json_node_init_object(json_node_alloc(), o);
	json_object_unref(o);
	daemon_leave(d);
	abandon_join(d, "leaveRoom came in between");
	control_call_reply(call, node);
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
