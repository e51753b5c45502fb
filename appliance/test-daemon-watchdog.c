// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"

static gboolean is_paced(enum video_source_state state, const char *source)
{
	struct video_pipeline_stats s = {.state = state};

	g_strlcpy(s.source, source, sizeof(s.source));
	return daemon_watchdog_is_paced(&s);
}

/* A camera may go for as long as it likes: that is no reason to start anew. */
static void test_what_must_deliver(void)
{
	g_assert_true(is_paced(VIDEO_SOURCE_LIVE, "test 640x480@30"));
	g_assert_true(is_paced(VIDEO_SOURCE_LIVE,
			       "v4l2:/dev/video0 MJPG 640x480@30"));
	g_assert_false(is_paced(VIDEO_SOURCE_LIVE, "file:/run/pictures"));
	g_assert_false(is_paced(VIDEO_SOURCE_PLACEHOLDER,
				"v4l2:/dev/video0 stopped: No such device"));
	g_assert_false(is_paced(VIDEO_SOURCE_PLACEHOLDER,
				"v4l2:/dev/video0 has not begun yet"));
	g_assert_false(is_paced(VIDEO_SOURCE_IDLE, "there is no source"));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon-watchdog/pace", test_what_must_deliver);
	return g_test_run();
}
