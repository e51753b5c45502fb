// SPDX-License-Identifier: Apache-2.0
#include "media/keyframe-authority.h"

#include <glib.h>

#define START_US UINT64_C(1000000)

static void test_first_frame_is_one(void)
{
	struct keyframe_authority a;

	keyframe_authority_init(&a);
	g_assert_true(keyframe_authority_is_due(&a, START_US));
	keyframe_authority_made(&a, START_US);
	g_assert_false(keyframe_authority_is_due(&a, START_US + 10000000));
}

static void test_requests_are_merged_and_postponed(void)
{
	struct keyframe_authority a;

	keyframe_authority_init(&a);
	keyframe_authority_made(&a, START_US);
	for (unsigned int i = 0; i < 50; i++)
		keyframe_authority_request(&a, false);

	g_assert_false(keyframe_authority_is_due(
		&a, START_US + KEYFRAME_MIN_GAP_US - 1));
	/* Postponed, not forgotten. */
	g_assert_true(
		keyframe_authority_is_due(&a, START_US + KEYFRAME_MIN_GAP_US));
	keyframe_authority_made(&a, START_US + KEYFRAME_MIN_GAP_US);
	/* One answers all fifty. */
	g_assert_false(keyframe_authority_is_due(
		&a, START_US + 10 * KEYFRAME_MIN_GAP_US));
}

static void test_first_request_does_not_wait(void)
{
	struct keyframe_authority a;

	keyframe_authority_init(&a);
	keyframe_authority_made(&a, START_US);
	keyframe_authority_request(&a, false);
	g_assert_false(keyframe_authority_is_due(&a, START_US + 1));
	keyframe_authority_request(&a, true);
	g_assert_true(keyframe_authority_is_due(&a, START_US + 1));
	keyframe_authority_made(&a, START_US + 1);
	g_assert_false(keyframe_authority_is_due(&a, START_US + 2));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keyframe-authority/first-frame",
			test_first_frame_is_one);
	g_test_add_func("/keyframe-authority/merge",
			test_requests_are_merged_and_postponed);
	g_test_add_func("/keyframe-authority/first-request",
			test_first_request_does_not_wait);
	return g_test_run();
}
