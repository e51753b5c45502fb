// SPDX-License-Identifier: Apache-2.0
#include "appliance/media-options.h"

#include <string.h>

static const MediaDefaults defaults = {
	.audio_source = "auto",
	.video_source = "v4l2:/dev/video7",
	.channels = 1,
	.width = 1280,
	.height = 720,
	.fps = 30,
};

static MediaStream *parse(const char *text, GError **error)
{
	g_autoptr(JsonNode) node = text ? json_from_string(text, NULL) : NULL;

	return media_options_parse(node ? json_node_get_object(node) : NULL,
				   &defaults, error);
}

static void check(const char *text, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MediaStream) s = parse(text, &error);
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *json = NULL;

	g_assert_no_error(error);
	json_node_take_object(node, media_stream_to_json(s));
	json_object_remove_member(json_node_get_object(node), "id");
	json = json_to_string(node, FALSE);
	g_assert_cmpstr(json, ==, expected);
}

static void check_fails(const char *text, const char *word)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, word));
}

#define CAMERA "{\"source\":\"v4l2:/dev/video7\",\"resolution\":{\"width\":"

static void test_options(void)
{
	check(NULL, "{\"audio\":{\"source\":\"auto\",\"stereo\":false},"
		    "\"video\":" CAMERA "1280,\"height\":720},"
		    "\"frameRate\":30},\"isScreensharing\":false}");
	check("{}", "{\"audio\":false,\"video\":false,"
		    "\"isScreensharing\":false}");
	check("{\"audio\":{\"stereo\":true,\"source\":\"test\"},"
	      "\"video\":false}",
	      "{\"audio\":{\"source\":\"test\",\"stereo\":true},"
	      "\"video\":false,\"isScreensharing\":false}");
	check("{\"video\":{\"resolution\":{\"width\":641,\"height\":360},"
	      "\"frameRate\":10}}",
	      "{\"audio\":false,\"video\":" CAMERA "640,\"height\":360},"
	      "\"frameRate\":10},\"isScreensharing\":false}");
	check("{\"video\":{\"resolution\":\"VGA\"}}",
	      "{\"audio\":false,\"video\":" CAMERA "640,\"height\":480},"
	      "\"frameRate\":30},\"isScreensharing\":false}");
	check_fails("{\"video\":{\"resolution\":\"VAG\"}}", "FHD");
}

static void test_mute(void)
{
	g_autoptr(MediaStream) a = parse("{\"audio\":{\"mute\":true},"
					 "\"video\":true}",
					 NULL);
	g_autoptr(MediaStream) b = parse("{\"video\":{\"mute\":true}}", NULL);

	g_assert_true(a->audio_muted && !a->video_muted);
	g_assert_true(b->video_muted && !b->audio_muted);
	g_assert_cmpstr(a->id, !=, b->id);
}

static void test_none_is_named(void)
{
	MediaDefaults none = defaults;
	g_autoptr(GError) error = NULL;

	none.video_source = "none";
	g_assert_null(media_options_parse(NULL, &none, &error));
	g_assert_nonnull(strstr(error->message, "video.source"));
}

static void test_screen(void)
{
	static const char *const refused[] = {"screen", "screen:0", "window:3",
					      "Desktop", "auto"};
	g_autoptr(MediaStream) a =
		media_options_parse_screen(NULL, FALSE, &defaults, NULL);
	g_autoptr(MediaStream) b = media_options_parse_screen(
		"file:/tmp/a.mkv", TRUE, &defaults, NULL);

	g_assert_cmpstr(a->video_source, ==, "test-screen");
	g_assert_null(a->audio_source);
	g_assert_true(a->screenshare);
	g_assert_cmpstr(b->video_source, ==, "file:/tmp/a.mkv");
	g_assert_cmpstr(b->audio_source, ==, "auto");
	for (unsigned int i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(media_options_parse_screen(refused[i], FALSE,
							 &defaults, &error));
		g_assert_nonnull(strstr(error->message, "cannot be captured"));
	}
}

static void test_bandwidth(void)
{
	g_autoptr(JsonNode) node =
		json_from_string("{\"audio\":48,\"video\":256}", NULL);
	MediaBandwidth b = {1, 2, 3};

	media_options_parse_bandwidth(json_node_get_object(node), &b);
	g_assert_cmpuint(b.audio, ==, 48);
	g_assert_cmpuint(b.video, ==, 256);
	g_assert_cmpuint(b.data, ==, 0);
	media_options_parse_bandwidth(NULL, &b);
	g_assert_cmpuint(b.audio, ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-options/options", test_options);
	g_test_add_func("/media-options/mute", test_mute);
	g_test_add_func("/media-options/none", test_none_is_named);
	g_test_add_func("/media-options/screen", test_screen);
	g_test_add_func("/media-options/bandwidth", test_bandwidth);
	return g_test_run();
}
