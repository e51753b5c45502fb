// SPDX-License-Identifier: Apache-2.0
#include "webrtc/keyframe-requests.h"

#include <glib.h>

static void test_first_passes_and_repeats_wait(void)
{
	struct keyframe_requests k = { 0 };
	unsigned int passed = 0;

	g_assert_cmpuint(keyframe_requests_due_us(&k), ==, UINT64_MAX);
	g_assert_cmpint(keyframe_requests_add(&k, 100), ==,
			KEYFRAME_ASK_FIRST);
	/* A peer that asks every 10 ms for 10 s is heard once a second. */
	for (uint64_t t = 10000; t <= 10000000; t += 10000)
		if (keyframe_requests_add(&k, 100 + t) == KEYFRAME_ASK)
			passed++;
	g_assert_cmpuint(passed, ==, 10);
}

static void test_early_request_is_kept_or_answered(void)
{
	struct keyframe_requests k = { 0 };

	keyframe_requests_add(&k, 1000000);
	g_assert_cmpint(keyframe_requests_add(&k, 1500000), ==, KEYFRAME_KEEP);
	g_assert_cmpuint(keyframe_requests_due_us(&k), ==, 2000000);
	g_assert_cmpint(keyframe_requests_poll(&k, 1999999), ==,
			KEYFRAME_KEEP);
	g_assert_cmpint(keyframe_requests_poll(&k, 2000000), ==, KEYFRAME_ASK);
	g_assert_cmpint(keyframe_requests_poll(&k, 9000000), ==,
			KEYFRAME_KEEP);

	g_assert_cmpint(keyframe_requests_add(&k, 2500000), ==, KEYFRAME_KEEP);
	keyframe_requests_answered(&k);
	g_assert_cmpuint(keyframe_requests_due_us(&k), ==, UINT64_MAX);
	g_assert_cmpint(keyframe_requests_poll(&k, 9000000), ==,
			KEYFRAME_KEEP);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keyframe-requests/first-passes-and-repeats-wait",
			test_first_passes_and_repeats_wait);
	g_test_add_func("/keyframe-requests/early-request-is-kept-or-answered",
			test_early_request_is_kept_or_answered);
	return g_test_run();
}
