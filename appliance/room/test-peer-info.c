// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-info.h"

#include <string.h>

static void take(struct peer_info *info, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) m = message_parse_text(text, -1, &error);

	g_assert_no_error(error);
	g_assert_true(peer_info_take_hello(info, &m->hello, &error));
}

static char *to_text(struct peer_info *info)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, peer_info_to_json(info));
	return json_to_string(node, FALSE);
}

static void test_as_the_api_documents(void)
{
	struct peer_info info;
	g_autofree char *text = NULL;

	peer_info_init(&info, "lobby");
	take(&info, "{\"type\":\"enter\",\"mid\":\"a\",\"agent\":\"chrome\","
		    "\"version\":\"156\",\"os\":\"Linux\",\"userInfo\":{"
		    "\"userData\":\"x\",\"settings\":{\"audio\":{\"stereo\":"
		    "false},\"video\":false,\"maxBandwidth\":{}},"
		    "\"mediaStatus\":{\"audioMuted\":false,\"videoMuted\":true"
		    "}}}");
	text = to_text(&info);
	g_assert_cmpstr(text, ==,
			"{\"userData\":\"x\",\"settings\":{\"audio\":{"
			"\"stereo\":false},\"video\":false,\"bandwidth\":{}},"
			"\"mediaStatus\":{\"audioMuted\":false,\"videoMuted\":"
			"true},\"agent\":{\"name\":\"chrome\",\"version\":156,"
			"\"os\":\"Linux\"},\"room\":\"lobby\"}");
	peer_info_done(&info);
}

/* 0.6.37's first welcome says it sends nothing; the offer tells the truth,
 * and has no agent. */
static void test_later_messages_correct(void)
{
	struct peer_info info;

	peer_info_init(&info, "r");
	take(&info, "{\"type\":\"welcome\",\"mid\":\"a\",\"agent\":\"chrome\","
		    "\"SMProtocolVersion\":\"0.1.2.4\",\"userInfo\":{"
		    "\"settings\":{\"audio\":false,\"video\":false},"
		    "\"mediaStatus\":{\"audioMuted\":true,\"videoMuted\":true}"
		    "}}");
	take(&info, "{\"type\":\"offer\",\"mid\":\"a\",\"sdp\":\"v=0\","
		    "\"userInfo\":{\"settings\":{\"audio\":true,\"video\":{"
		    "\"screenshare\":true}},\"mediaStatus\":{\"audioMuted\":"
		    "false,\"videoMuted\":false}}}");
	g_assert_cmpstr(info.agent, ==, "chrome");
	g_assert_true(json_node_get_boolean(info.audio));
	g_assert_true(info.screenshare);
	g_assert_false(info.audio_muted);
	g_assert_false(peer_info_is_2x(&info));
	peer_info_done(&info);
}

static void test_stamps(void)
{
	struct peer_info info;
	enum peer_info_kind kind = PEER_INFO_AUDIO_MUTED;

	peer_info_init(&info, "r");
	g_assert_true(peer_info_take_mute(&info, kind, FALSE, TRUE, 100));
	g_assert_false(peer_info_take_mute(&info, kind, TRUE, TRUE, 99));
	g_assert_false(info.audio_muted);
	/* each kind has its own clock */
	g_assert_true(peer_info_take_mute(&info, PEER_INFO_VIDEO_MUTED, FALSE,
					  TRUE, 50));
	/* without a stamp it counts */
	g_assert_true(peer_info_take_mute(&info, kind, TRUE, FALSE, 0));
	/* nothing new is no change */
	g_assert_false(peer_info_take_mute(&info, kind, TRUE, TRUE, 200));
	peer_info_done(&info);
}

static void test_user_data(void)
{
	struct peer_info info;
	g_autoptr(JsonNode) data = json_from_string("{\"a\":[1,2]}", NULL);

	peer_info_init(&info, "r");
	g_assert_true(peer_info_take_user_data(&info, data, TRUE, 5));
	g_assert_false(peer_info_take_user_data(&info, data, TRUE, 6));
	g_assert_true(JSON_NODE_HOLDS_OBJECT(info.user_data));
	peer_info_done(&info);
}

/* What 2.x makes a text of is read back; a text that only looks so, is not. */
static void test_user_data_2x(void)
{
	static const struct {
		const char *told, *object_member;
	} rows[] = {
		{"{\"a\":1}", "a"}, {"{&quot;b&quot;:2}", "b"},
		{"plain", NULL},    {"17", NULL},
		{"{\"a\":", NULL},  {"", NULL},
	};
	struct peer_info info;

	peer_info_init(&info, "r");
	take(&info, "{\"type\":\"enter\",\"mid\":\"a\","
		    "\"SMProtocolVersion\":\"2.1.0\"}");
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(JsonNode) told = json_node_init_string(
			json_node_alloc(), rows[i].told);

		peer_info_take_user_data(&info, told, TRUE, i);
		if (rows[i].object_member)
			g_assert_true(json_object_has_member(
				json_node_get_object(info.user_data),
				rows[i].object_member));
		else
			g_assert_cmpstr(json_node_get_string(info.user_data),
					==, rows[i].told);
	}
	peer_info_done(&info);

	peer_info_init(&info, "r");	/* of 0.6 it is a text */
	{
		g_autoptr(JsonNode) told = json_node_init_string(
			json_node_alloc(), rows[0].told);

		peer_info_take_user_data(&info, told, FALSE, 0);
		g_assert_cmpstr(json_node_get_string(info.user_data), ==,
				rows[0].told);
	}
	peer_info_done(&info);
}

static void test_versions(void)
{
	struct peer_info info;

	peer_info_init(&info, "r");
	take(&info, "{\"type\":\"enter\",\"mid\":\"a\",\"version\":\"1.2.3\","
		    "\"SMProtocolVersion\":\"2.1.0\"}");
	g_assert_true(peer_info_is_2x(&info));
	{
		g_autofree char *text = to_text(&info);

		g_assert_nonnull(strstr(text, "\"version\":\"1.2.3\""));
	}
	peer_info_done(&info);
}

static void test_bad_user_info_changes_nothing(void)
{
	struct peer_info info;
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) m = message_parse_text(
		"{\"type\":\"enter\",\"mid\":\"a\",\"agent\":\"chrome\","
		"\"userInfo\":{\"settings\":{\"audio\":7}}}", -1, NULL);

	peer_info_init(&info, "r");
	g_assert_false(peer_info_take_hello(&info, &m->hello, &error));
	g_assert_nonnull(strstr(error->message, "settings.audio"));
	g_assert_cmpstr(info.agent, ==, "chrome");
	g_assert_false(json_node_get_boolean(info.audio));
	peer_info_done(&info);
}

static JsonNode *text_node(gsize len)
{
	g_autofree char *text = g_strnfill(len, 'x');

	return json_node_init_string(json_node_alloc(), text);
}

/* Every event about the peer would carry it. */
static void test_large_user_data_is_ignored(void)
{
	struct peer_info info;
	g_autoptr(JsonNode) small = text_node(PEER_INFO_MAX_NODE_BYTES - 2);
	g_autoptr(JsonNode) large = text_node(PEER_INFO_MAX_NODE_BYTES - 1);
	g_autofree char *text = g_strnfill(PEER_INFO_MAX_NODE_BYTES, 'x');
	g_autofree char *enter = g_strdup_printf(
		"{\"type\":\"enter\",\"mid\":\"a\",\"userInfo\":{"
		"\"userData\":\"%s\",\"settings\":{\"audio\":true,"
		"\"video\":{\"mute\":\"%s\"}}}}", text, text);

	peer_info_init(&info, "r");
	g_assert_true(peer_info_take_user_data(&info, small, FALSE, 0));
	g_assert_false(peer_info_take_user_data(&info, large, FALSE, 0));
	take(&info, enter);
	g_assert_true(json_node_equal(info.user_data, small));
	g_assert_true(json_node_get_boolean(info.audio));
	g_assert_false(JSON_NODE_HOLDS_OBJECT(info.video));
	peer_info_done(&info);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/peer-info/api", test_as_the_api_documents);
	g_test_add_func("/peer-info/later", test_later_messages_correct);
	g_test_add_func("/peer-info/stamps", test_stamps);
	g_test_add_func("/peer-info/user-data", test_user_data);
	g_test_add_func("/peer-info/user-data-2x", test_user_data_2x);
	g_test_add_func("/peer-info/versions", test_versions);
	g_test_add_func("/peer-info/bad", test_bad_user_info_changes_nothing);
	g_test_add_func("/peer-info/large", test_large_user_data_is_ignored);
	return g_test_run();
}
