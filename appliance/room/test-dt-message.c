// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/dt-message.h"

#include <string.h>

#include "appliance/signaling/json-check.h"

static DtMessage *parse(const char *text)
{
	return dt_message_parse(text, strlen(text));
}

static void test_round_trip(void)
{
	g_autoptr(JsonNode) data = json_node_new(JSON_NODE_VALUE);
	g_autofree char *text = NULL;
	g_autoptr(DtMessage) m = NULL;

	json_node_set_string(data, "h\xc3\xa9llo \"x\"");
	text = dt_message_build_message("a", "b", NULL, TRUE, data);
	m = parse(text);
	g_assert_cmpint(m->type, ==, DT_MESSAGE);
	g_assert_cmpstr(m->sender, ==, "a");
	g_assert_cmpstr(json_node_get_string(m->target), ==, "b");
	g_assert_true(m->is_private);
	g_assert_cmpstr(json_node_get_string(m->data), ==,
			"h\xc3\xa9llo \"x\"");
}

static void test_ack(void)
{
	g_autofree char *text = dt_message_build_ack("a", -1, 0);
	g_autoptr(DtMessage) m = parse(text);

	g_assert_cmpint(m->type, ==, DT_ACK);
	g_assert_cmpint(m->ack_n, ==, -1);
}

static void test_versions(void)
{
	g_autoptr(DtMessage) two = parse(
		"{\"type\":\"MESSAGE\",\"isPrivate\":false,\"sender\":\"a\","
		"\"target\":null,\"data\":{\"x\":1}}");
	g_autoptr(DtMessage) mcu = parse(
		"{\"type\":\"MESSAGE\",\"sender\":\"a\",\"target\":[\"b\","
		"\"c\"],\"data\":null}");

	g_assert_null(two->target);
	g_assert_true(JSON_NODE_HOLDS_OBJECT(two->data));
	g_assert_true(JSON_NODE_HOLDS_ARRAY(mcu->target));
	g_assert_true(JSON_NODE_HOLDS_NULL(mcu->data));
}

static void test_the_rest_is_data(void)
{
	static const char *const data[] = {
		"", "true", "12345", "QUJD", "{\"type\":\"other\"}", "{}", "[",
		"{\"type\":\"MESSAGE\"}", "{\"type\":\"ACK\"}",
		"{\"type\":\"ACK\",\"ackN\":-2}",
		"{\"type\":\"ACK\",\"ackN\":1.5}", "{\"type\":\"ACK\",",
	};

	for (guint i = 0; i < G_N_ELEMENTS(data); i++)
		g_assert_null(parse(data[i]));
}

static void test_recorded(void)
{
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "recordings", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint counts[N_DT_TYPES] = {0};
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *text = NULL;
		g_auto(GStrv) lines = NULL;

		if (!g_str_has_suffix(name, ".jsonl"))
			continue;
		g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
		lines = g_strsplit(text, "\n", -1);
		for (char **l = lines; *l; l++) {
			g_autoptr(JsonObject) o = json_checked_parse_object(
				*l, -1, 1 << 20, NULL);
			g_autoptr(DtMessage) m = NULL;

			if (!o || !json_object_has_member(o, "dc"))
				continue;
			m = parse(json_object_get_string_member(o, "data"));
			if (!m)
				g_error("%s: %s", name, *l);
			counts[m->type]++;
		}
	}
	g_test_message("%u messages, %u requests, %u acks, %u cancels, %u "
		       "errors", counts[DT_MESSAGE], counts[DT_WRQ],
		       counts[DT_ACK], counts[DT_CANCEL], counts[DT_ERROR]);
	g_assert_cmpuint(counts[DT_MESSAGE], >, 10);
	g_assert_cmpuint(counts[DT_ACK], >, 10);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dt-message/round-trip", test_round_trip);
	g_test_add_func("/dt-message/ack", test_ack);
	g_test_add_func("/dt-message/versions", test_versions);
	g_test_add_func("/dt-message/data", test_the_rest_is_data);
	g_test_add_func("/dt-message/recorded", test_recorded);
	return g_test_run();
}
