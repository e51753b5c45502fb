// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"

#include <string.h>

#include "appliance/daemon-messages.h"

#define QUOTED_MAX_BYTES 120
#define REASON_MAX_BYTES 480	/* one that says what to do about it */

static JsonObject *object_of(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

/* A stranger's words: cut, and with nothing in them a terminal acts on. */
static char *harmless(const char *text, size_t max_bytes)
{
	char *cut = g_utf8_make_valid(text ? text : "", -1);

	if (strlen(cut) > max_bytes)
		*g_utf8_find_prev_char(cut, cut + max_bytes) = '\0';
	for (char *p = cut; *p; p = g_utf8_next_char(p)) {
		if (!g_unichar_isprint(g_utf8_get_char(p)))
			memset(p, '?', (size_t) (g_utf8_next_char(p) - p));
	}
	return cut;
}

static char *quote(const char *text)
{
	g_autofree char *cut = harmless(text, QUOTED_MAX_BYTES);

	return g_strdup_printf("\"%s\"", cut);
}

static void log_peer(enum daemon_message m, const char *what,
		     const char *room, JsonObject *params)
{
	JsonObject *agent = object_of(object_of(params, "peerInfo"), "agent");
	g_autofree char *id = quote(text_member(params, "peerId"));
	g_autofree char *name = quote(text_member(agent, "name"));
	struct daemon_message_about about = {
		.room = room, .peer = text_member(params, "peerId")};

	daemon_message_log(m, &about, "peer %s (%s) %s", id, name, what);
}

static void log_joined(JsonObject *params)
{
	struct daemon_message_about about = {
		.room = text_member(object_of(params, "peerInfo"), "room"),
		.peer = text_member(params, "peerId")};
	g_autofree char *id = quote(about.peer);
	g_autofree char *quoted = quote(about.room);

	daemon_message_log(DAEMON_MESSAGE_ROOM_JOINED, &about,
			   "joined room %s as %s", quoted, id);
}

static void log_system_action(const char *room, JsonObject *params)
{
	struct daemon_message_about about = {
		.room = room, .reason = text_member(params, "reason")};
	g_autofree char *action = quote(text_member(params, "action"));
	g_autofree char *reason = quote(about.reason);
	g_autofree char *message = quote(text_member(params, "message"));

	daemon_message_log(DAEMON_MESSAGE_ROOM_REFUSED, &about,
			   "the server says %s: %s (%s)", action, reason,
			   message);
}

/* A server that is away is asked for ever: a reason is told when it is new. */
static void log_not_joined(char **told, const char *room, JsonObject *params)
{
	JsonObject *error = object_of(params, "error");
	struct daemon_message_about about = {
		.room = room, .reason = text_member(error, "content")};
	g_autofree char *reason = NULL;

	if (!about.reason || !g_strcmp0(*told, about.reason))
		return;
	g_free(*told);
	*told = g_strdup(about.reason);
	reason = harmless(about.reason, REASON_MAX_BYTES);
	daemon_message_log(DAEMON_MESSAGE_NOT_JOINED, &about,
			   "the room is not joined: %s", reason);
}

void daemon_log_event(char **told, const char *room, const char *name,
		      JsonObject *params)
{
	bool self = json_object_get_boolean_member_with_default(
		params, "isSelf", FALSE);
	struct daemon_message_about about = {.room = room};

	if (!strcmp(name, "peerJoined") && self) {
		g_clear_pointer(told, g_free);
		log_joined(params);
	} else if (!strcmp(name, "readyStateChange")) {
		log_not_joined(told, room, params);
	} else if (!strcmp(name, "peerLeft") && self) {
		daemon_message_log(DAEMON_MESSAGE_ROOM_LEFT, &about,
				   "left the room");
	} else if (!strcmp(name, "peerJoined")) {
		log_peer(DAEMON_MESSAGE_PEER_JOINED, "joined", room, params);
	} else if (!strcmp(name, "peerLeft")) {
		log_peer(DAEMON_MESSAGE_PEER_LEFT, "left", room, params);
	} else if (!strcmp(name, "sessionDisconnect")) {
		daemon_message_log(DAEMON_MESSAGE_ROOM_LOST, &about,
				   "the room is lost; it is joined again by "
				   "itself");
	} else if (!strcmp(name, "systemAction")) {
		log_system_action(room, params);
	} else if (!strcmp(name, "channelError") ||
		   !strcmp(name, "socketError")) {
		g_autofree char *error = quote(text_member(params, "error"));

		about.reason = text_member(params, "error");
		daemon_message_log(DAEMON_MESSAGE_SIGNALING, &about,
				   "signaling: %s", error);
	} else {
		g_debug("event %s", name);
	}
}
