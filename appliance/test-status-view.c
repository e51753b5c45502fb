// SPDX-License-Identifier: Apache-2.0
#include "appliance/status-view.h"

#include <string.h>

#include "appliance/ctl/ctl-format.h"

static JsonNode *from_text(const char *text)
{
	JsonNode *node = json_from_string(text, NULL);

	g_assert_nonnull(node);
	return node;
}

static void test_room(void)
{
	g_autoptr(JsonNode) joined = status_view_room(from_text(
		"{\"state\":\"inRoom\",\"room\":\"lobby\",\"server\":\"//s\","
		"\"sid\":\"x1\",\"retries\":0,\"nextAttemptMs\":null,"
		"\"lastError\":null,\"locked\":true}"));
	g_autoptr(JsonNode) waiting = status_view_room(from_text(
		"{\"state\":\"waiting\",\"room\":null,\"sid\":null,"
		"\"retries\":4,\"nextAttemptMs\":2500,"
		"\"lastError\":\"refused\"}"));
	JsonObject *o = json_node_get_object(joined);

	g_assert_cmpstr(json_object_get_string_member(o, "state"), ==,
			"joined");
	g_assert_cmpstr(json_object_get_string_member(o, "name"), ==, "lobby");
	g_assert_cmpstr(json_object_get_string_member(o, "id"), ==, "x1");
	g_assert_true(json_object_get_null_member(o, "next_attempt_s"));
	g_assert_true(json_object_get_boolean_member(o, "locked"));
	o = json_node_get_object(waiting);
	g_assert_cmpstr(json_object_get_string_member(o, "state"), ==,
			"waiting");
	g_assert_cmpfloat(json_object_get_double_member(o, "next_attempt_s"),
			  ==, 2.5);
	g_assert_cmpstr(json_object_get_string_member(o, "error"), ==,
			"refused");
}

static void assert_state(const char *members, const char *want)
{
	g_autofree char *text = g_strdup_printf("[{\"peerId\":\"p\",%s}]",
						members);
	g_autoptr(JsonNode) node = status_view_peers(from_text(text), 0);
	JsonObject *o = json_array_get_object_element(
		json_node_get_array(node), 0);

	g_assert_cmpstr(json_object_get_string_member(o, "state"), ==, want);
}

static void test_peer_states(void)
{
	assert_state("\"iceConnectionState\":\"checking\","
		     "\"connected\":false", "connecting");
	assert_state("\"iceConnectionState\":\"completed\","
		     "\"connected\":true", "connected");
	assert_state("\"iceConnectionState\":\"completed\","
		     "\"connected\":true,\"kept\":true", "kept");
	assert_state("\"iceConnectionState\":\"failed\",\"connected\":true",
		     "failed");
}

static void test_peer_row(void)
{
	g_autoptr(JsonNode) node = status_view_peers(from_text(
		"[{\"peerId\":\"p\",\"agent\":\"Chrome\",\"version\":\"120\","
		"\"iceConnectionState\":\"completed\",\"connected\":true,"
		"\"since\":\"1970-01-01T00:01:40Z\",\"userData\":\"me\","
		"\"rtc\":{\"srtpProfile\":\"AEAD_AES_128_GCM\","
		"\"videoCodec\":\"VP8\",\"candidatePair\":\"a -> b\","
		"\"rttUs\":1500,\"targetBps\":2000000,\"loss\":0.5,"
		"\"audioPackets\":10,\"videoPackets\":20}}]"), 161);
	g_autofree char *page = ctl_format_peers(node, false);

	/* The row has everything the table shows. */
	g_assert_cmpstr(strchr(page, '\n') + 1, ==,
			"p     Chrome 120  connected  completed  VP8    "
			"AEAD_AES_128_GCM  1.5 ms  2 Mb/s  50.0 %       30  "
			"1 min 1 s  a -> b\n");
}

static JsonNode *view_talkative(guint n_peers, gsize bytes)
{
	g_autofree char *data = g_strnfill(bytes - 2, 'x');	/* and quotes */
	g_autoptr(GString) text = g_string_new("[");

	for (guint i = 0; i < n_peers; i++)
		g_string_append_printf(text, "%s{\"peerId\":\"p\","
					     "\"userData\":\"%s\"}",
				       i ? "," : "", data);
	g_string_append_c(text, ']');
	return status_view_peers(from_text(text->str), 0);
}

/* Sixteen peers, of which each says a lot: two fit, and the rest is told. */
static void test_much_user_data(void)
{
	gsize bytes = STATUS_VIEW_USER_DATA_MAX / 2;
	g_autoptr(JsonNode) node = view_talkative(16, bytes);
	g_autofree char *answer = json_to_string(node, FALSE);
	JsonArray *peers = json_node_get_array(node);

	g_assert_cmpuint(strlen(answer), <, 2 * STATUS_VIEW_USER_DATA_MAX);
	for (guint i = 0; i < 16; i++) {
		JsonObject *o = json_array_get_object_element(peers, i);

		g_assert_cmpint(json_object_get_null_member(o, "userData"), ==,
				i >= 2);
		g_assert_cmpint(json_object_get_int_member_with_default(
					o, "userDataOmitted", 0),
				==, i >= 2 ? (gint64) bytes : 0);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/status-view/room", test_room);
	g_test_add_func("/status-view/peer-states", test_peer_states);
	g_test_add_func("/status-view/peer-row", test_peer_row);
	g_test_add_func("/status-view/much-user-data", test_much_user_data);
	return g_test_run();
}
