// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-messages.h"

#include <string.h>

#include "appliance/daemon-private.h"

static void test_rows(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (int i = 0; i < N_DAEMON_MESSAGES; i++) {
		const struct daemon_message_row *row = daemon_message_get(i);

		g_assert_cmpuint(strlen(row->id), ==, 32);
		g_assert_cmpuint(strspn(row->id, "0123456789abcdef"), ==, 32);
		g_assert_true(g_hash_table_add(seen, (gpointer) row->id));
		g_assert_true(g_hash_table_add(seen, (gpointer) row->event));
		g_assert_true(g_str_has_suffix(row->help, ".") ||
			      g_str_has_suffix(row->help, "state."));
	}
	g_assert_null(daemon_message_get(N_DAEMON_MESSAGES));
}

/* What the last line had: "KEY=text" each. */
static GLogWriterOutput keep(GLogLevelFlags level, const GLogField *fields,
			     gsize n, gpointer user)
{
	GPtrArray *kept = user;

	g_ptr_array_set_size(kept, 0);
	for (gsize i = 0; i < n; i++)
		g_ptr_array_add(kept, g_strdup_printf(
			"%s=%s", fields[i].key,
			(const char *) fields[i].value));
	return G_LOG_WRITER_HANDLED;
}

static gboolean has(GPtrArray *kept, const char *line)
{
	for (guint i = 0; i < kept->len; i++)
		if (!strcmp(g_ptr_array_index(kept, i), line))
			return TRUE;
	return FALSE;
}

static void test_fields(gconstpointer user)
{
	GPtrArray *kept = (GPtrArray *) user;
	g_autofree char *long_name = g_strnfill(1000, 'x');
	g_autoptr(JsonObject) params = json_object_new();
	g_autofree char *cut = g_strnfill(DAEMON_MESSAGE_FIELD_MAX, 'x');
	g_autofree char *cut_line = g_strconcat("SKYLINK_PEER=", cut, NULL);
	g_autofree char *told = NULL;

	json_object_set_string_member(params, "peerId", "abc");
	daemon_log_event(&told, "lobby", "peerJoined", params);
	g_assert_true(has(kept, "MESSAGE=peer \"abc\" (\"\") joined"));
	g_assert_true(has(kept, "MESSAGE_ID=d6ddf3bbaf04497bbcd1d8444b42b4bf"));
	g_assert_true(has(kept, "SKYLINK_EVENT=peer-joined"));
	g_assert_true(has(kept, "SKYLINK_ROOM=lobby"));
	g_assert_true(has(kept, "SKYLINK_PEER=abc"));

	json_object_set_string_member(params, "peerId", long_name);
	daemon_log_event(&told, NULL, "peerLeft", params);
	g_assert_true(has(kept, cut_line));
	g_assert_true(has(kept, "SKYLINK_EVENT=peer-left"));

	json_object_set_string_member(params, "reason", "locked");
	daemon_log_event(&told, "lobby", "systemAction", params);
	g_assert_true(has(kept, "SKYLINK_REASON=locked"));
	g_assert_true(has(kept, "PRIORITY=4"));
}

static void not_ready(char **told, const char *json)
{
	g_autoptr(JsonNode) node = json_from_string(json, NULL);

	daemon_log_event(told, "lobby", "readyStateChange",
			 json_node_get_object(node));
}

static void test_not_joined(gconstpointer user)
{
	static const char away[] =
		"{\"readyState\":-1,\"error\":{\"content\":\"no\\u001b reply\"}}";
	GPtrArray *kept = (GPtrArray *) user;
	g_autofree char *told = NULL;

	not_ready(&told, away);
	g_assert_true(has(kept, "MESSAGE=the room is not joined: no? reply"));
	g_assert_true(has(kept, "SKYLINK_EVENT=room-not-joined"));
	g_assert_true(has(kept, "PRIORITY=4"));

	g_ptr_array_set_size(kept, 0);
	not_ready(&told, away);
	not_ready(&told, "{\"readyState\":1,\"error\":null}");
	not_ready(&told, "{\"readyState\":-1,\"error\":{\"content\":7}}");
	g_assert_cmpuint(kept->len, ==, 0);
	not_ready(&told, "{\"readyState\":-1,\"error\":{\"content\":\"x\"}}");
	g_assert_true(has(kept, "MESSAGE=the room is not joined: x"));
}

static void assert_status(const char *json, guint peers, const char *text)
{
	g_autoptr(JsonNode) node = json_from_string(json, NULL);
	g_autofree char *got = daemon_notify_text(json_node_get_object(node),
						  peers);

	g_assert_cmpstr(got, ==, text);
}

static void test_status(void)
{
	assert_status("{\"state\":\"joined\",\"name\":\"lobby\"}", 3,
		      "in room lobby, 3 peers");
	assert_status("{\"state\":\"joined\",\"name\":\"a\\nREADY=0\"}", 1,
		      "in room a READY=0, 1 peer");
	assert_status("{\"state\":\"waiting\",\"name\":\"lobby\","
		      "\"next_attempt_s\":3.6,\"error\":\"cannot resolve\"}",
		      0, "waiting 4 s to join room lobby: cannot resolve");
	assert_status("{\"state\":\"idle\",\"hint\":\"set server\"}", 0,
		      "in no room: set server");
	assert_status("{\"state\":\"connecting\",\"name\":\"lobby\"}", 0,
		      "joining room lobby");
}

int main(int argc, char *argv[])
{
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);

	g_test_init(&argc, &argv, NULL);
	g_log_set_writer_func(keep, kept, NULL);
	g_test_add_func("/daemon-messages/rows", test_rows);
	g_test_add_data_func("/daemon-messages/fields", kept, test_fields);
	g_test_add_data_func("/daemon-messages/not-joined", kept,
			     test_not_joined);
	g_test_add_func("/daemon-messages/status", test_status);
	return g_test_run();
}
