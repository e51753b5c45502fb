// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/user-info.h"

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message.h"

static UserInfo parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) o =
		json_checked_parse_object(text, -1, 65536, &error);
	UserInfo info;

	g_assert_no_error(error);
	g_assert_true(user_info_parse(o, &info, &error));
	return info;
}

static gint64 width(JsonNode *video)
{
	JsonObject *r = json_object_get_object_member(
		json_node_get_object(video), "resolution");

	return json_object_get_int_member(r, "width");
}

static void test_flat(void)
{
	UserInfo info = parse(
		"{\"userData\":{\"a\":1},\"settings\":{\"audio\":{\"stereo\":"
		"false},\"video\":{\"resolution\":{\"width\":640,\"height\":480}"
		",\"screenshare\":true},\"bandwidth\":{\"video\":256}},"
		"\"mediaStatus\":{\"audioMuted\":false,\"videoMuted\":true}}");

	g_assert_true(JSON_NODE_HOLDS_OBJECT(info.user_data));
	g_assert_cmpint(width(info.video), ==, 640);
	g_assert_true(info.screenshare);
	g_assert_false(info.audio_muted);
	g_assert_true(info.video_muted);
	g_assert_nonnull(info.bandwidth);
	user_info_done(&info);
}

/* 2.x keys by stream; 1 is active, 0 muted, -1 not there. */
static void test_keyed_by_stream(void)
{
	UserInfo info = parse(
		"{\"userData\":\"hello\",\"settings\":{\"audio\":{\"s1\":{"
		"\"stereo\":false}},\"video\":{\"s2\":{\"resolution\":{"
		"\"width\":320,\"height\":240}}}},\"mediaStatus\":{\"s1\":{"
		"\"audioMuted\":0,\"videoMuted\":-1},\"s2\":{\"audioMuted\":-1,"
		"\"videoMuted\":1}}}");

	g_assert_cmpint(width(info.video), ==, 320);
	g_assert_true(info.audio_muted);
	g_assert_false(info.video_muted);
	user_info_done(&info);
}

static void test_absent_stays_absent(void)
{
	UserInfo info = parse("{\"settings\":{\"audio\":false,\"video\":true}}");

	g_assert_null(info.user_data);
	g_assert_false(info.has_media_status);
	g_assert_false(json_node_get_boolean(info.audio));
	g_assert_true(json_node_get_boolean(info.video));
	user_info_done(&info);
}

static void test_wrong_kinds_are_named(void)
{
	static const char *const bad[][2] = {
		{"{\"settings\":7}", "field 'userInfo.settings' must be an "
				     "object"},
		{"{\"settings\":{\"audio\":\"x\"}}",
		 "field 'userInfo.settings.audio' must be true, false or an "
		 "object"},
		{"{\"mediaStatus\":[]}",
		 "field 'userInfo.mediaStatus' must be an object"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonObject) o = json_checked_parse_object(
			bad[i][0], -1, 65536, NULL);
		UserInfo info;

		g_assert_false(user_info_parse(o, &info, &error));
		g_assert_cmpstr(error->message, ==, bad[i][1]);
	}
}

static void test_ours_is_read_back(void)
{
	UserInfoSelf self = {
		.send_video = TRUE, .width = 1280, .height = 720, .fps = 30,
		.agent = "skylinkd", .version = "1", .room = "r",
	};
	g_autoptr(JsonObject) o = user_info_build(&self);
	UserInfo info;

	g_assert_true(user_info_parse(o, &info, NULL));
	g_assert_cmpint(width(info.video), ==, 1280);
	g_assert_false(json_node_get_boolean(info.audio));
	g_assert_true(info.audio_muted);	/* not sent counts as muted */
	g_assert_false(info.video_muted);
	g_assert_cmpstr(json_node_get_string(info.user_data), ==, "");
	user_info_done(&info);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/user-info/flat", test_flat);
	g_test_add_func("/user-info/keyed", test_keyed_by_stream);
	g_test_add_func("/user-info/absent", test_absent_stays_absent);
	g_test_add_func("/user-info/kinds", test_wrong_kinds_are_named);
	g_test_add_func("/user-info/ours", test_ours_is_read_back);
	return g_test_run();
}
