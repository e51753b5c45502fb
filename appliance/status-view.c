// SPDX-License-Identifier: Apache-2.0
#include "appliance/status-view.h"

#include <string.h>

/* Moves a member to another name; missing: null. */
static void move(JsonObject *from, const char *name, JsonObject *to,
		 const char *new_name)
{
	JsonNode *node = json_object_get_member(from, name);

	json_object_set_member(to, new_name,
			       node ? json_node_copy(node)
				    : json_node_new(JSON_NODE_NULL));
}

static const char *text_of(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node) : "";
}

static void set_text(JsonObject *o, const char *name, const char *text)
{
	if (text[0])
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

JsonNode *status_view_room(JsonNode *room)
{
	static const char *const names[][2] = {
		{"room", "name"},
		{"server", "server"},
		{"sid", "id"},
		{"retries", "retries"},
		{"lastError", "error"},
		{"cause", "cause"},
		{"refusal", "refusal"},
		{"transport", "transport"},
		{"locked", "locked"},
		{"joins", "joins"},
		{"losses", "losses"},
		{"badMessages", "bad_messages"},
		{"foreignMessages", "foreign_messages"},
		{"unexpectedMessages", "unexpected_messages"},
		{"keptPeers", "kept_peers"},
		{"peersRefused", "peers_refused"},
		{"iceServers", "ice_servers"},
		{"iceServersIgnored", "ice_servers_ignored"},
		{"iceServersNotWanted", "ice_servers_not_wanted"},
		{"eventsDropped", "events_dropped"},
	};
	JsonObject *from = json_node_get_object(room), *to = json_object_new();
	const char *state = text_of(from, "state");
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_object_set_string_member(to, "state", !strcmp(state, "inRoom")
							   ? "joined" : state);
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++)
		move(from, names[i][0], to, names[i][1]);
	if (json_object_get_null_member(from, "nextAttemptMs"))
		json_object_set_null_member(to, "next_attempt_s");
	else
		json_object_set_double_member(
			to, "next_attempt_s",
			(double) json_object_get_int_member(
				from, "nextAttemptMs") / 1000);
	json_node_take_object(node, to);
	json_node_unref(room);
	return node;
}

/* The states of RTCPeerConnection; "kept": media flows, but the room does not
 * know the peer any more. */
static const char *peer_state(JsonObject *peer)
{
	const char *ice = text_of(peer, "iceConnectionState");

	if (!strcmp(ice, "failed") || !strcmp(ice, "closed"))
		return ice;
	if (!json_object_get_boolean_member_with_default(peer, "connected",
							 FALSE))
		return "connecting";
	return json_object_get_boolean_member_with_default(peer, "kept", FALSE)
		       ? "kept" : "connected";
}

static void set_since(JsonObject *to, const char *text, gint64 now_s)
{
	g_autoptr(GDateTime) since = g_date_time_new_from_iso8601(text, NULL);

	if (since)
		json_object_set_int_member(
			to, "since",
			MAX(now_s - g_date_time_to_unix(since), 0));
	else
		json_object_set_null_member(to, "since");
}

static void set_transport(JsonObject *to, JsonObject *rtc)
{
	gint64 rtt = json_object_get_int_member_with_default(rtc, "rttUs", 0);
	gint64 audio = json_object_get_int_member_with_default(
		rtc, "audioPackets", 0);
	gint64 video = json_object_get_int_member_with_default(
		rtc, "videoPackets", 0);

	set_text(to, "pair", text_of(rtc, "candidatePair"));
	set_text(to, "codec", text_of(rtc, "videoCodec"));
	set_text(to, "profile", text_of(rtc, "srtpProfile"));
	if (rtt > 0)
		json_object_set_double_member(to, "rtt_ms",
					      (double) rtt / 1000);
	else
		json_object_set_null_member(to, "rtt_ms");
	move(rtc, "targetBps", to, "target_bps");
	move(rtc, "loss", to, "loss");
	json_object_set_int_member(to, "packets", audio + video);
}

/* Peers choose how much they say about themselves, and an answer is one line.
 * @left: bytes that may still be said. */
static void move_user_data(JsonObject *from, JsonObject *to, gsize *left)
{
	JsonNode *node = json_object_get_member(from, "userData");
	g_autofree char *text = node ? json_to_string(node, FALSE) : NULL;
	gsize len = text ? strlen(text) : 0;

	if (len > *left) {
		json_object_set_null_member(to, "userData");
		json_object_set_int_member(to, "userDataOmitted", (gint64) len);
		return;
	}
	*left -= len;
	move(from, "userData", to, "userData");
}

static JsonObject *view_peer(JsonObject *from, gint64 now_s, gsize *left)
{
	JsonObject *to = json_object_new();
	JsonNode *rtc = json_object_get_member(from, "rtc");
	g_autofree char *agent = g_strstrip(
		g_strdup_printf("%s %s", text_of(from, "agent"),
				text_of(from, "version")));

	move(from, "peerId", to, "peerId");
	set_text(to, "agent", agent);
	json_object_set_string_member(to, "state", peer_state(from));
	move(from, "iceConnectionState", to, "ice");
	if (rtc && JSON_NODE_HOLDS_OBJECT(rtc))
		set_transport(to, json_node_get_object(rtc));
	set_since(to, text_of(from, "since"), now_s);
	move_user_data(from, to, left);
	move(from, "mediaStatus", to, "mediaStatus");
	move(from, "rtc", to, "rtc");
	return to;
}

JsonNode *status_view_peers(JsonNode *peers, gint64 now_s)
{
	JsonArray *from = json_node_get_array(peers);
	JsonArray *to = json_array_new();
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	gsize left = STATUS_VIEW_USER_DATA_MAX;

	for (unsigned int i = 0; i < json_array_get_length(from); i++)
		json_array_add_object_element(
			to, view_peer(json_array_get_object_element(from, i),
				      now_s, &left));
	json_node_take_array(node, to);
	json_node_unref(peers);
	return node;
}
