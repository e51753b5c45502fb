// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-plan.h"

#include <errno.h>

#include "webrtc/test-rtp-util.h"

static void test_sizes_are_equal_but_the_last(void)
{
	struct rtp_planner *planner;
	struct rtp_fragment f;

	g_assert_cmpint(rtp_planner_new(&planner, 4, 0), ==, 0);
	for (size_t size = 3; size < 40000; size += 1 + size / 7) {
		g_autofree uint8_t *bytes = g_malloc0(size);
		struct coded_unit *u =
			test_unit_new(MEDIA_CODEC_VP8, bytes, size);
		struct rtp_plan *plan;
		size_t first = 0, sum = 0;

		g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
		coded_unit_unref(u);
		for (unsigned int i = 0; i < plan->n_fragments; i++) {
			rtp_plan_fragment(plan, i, &f);
			g_assert_cmpuint(f.len, <=, RTP_PLAN_PAYLOAD_MAX);
			g_assert_cmpuint(f.len, >, 4);
			if (i == 0)
				first = f.len;
			if (i + 1 < plan->n_fragments)
				g_assert_cmpuint(f.len, ==, first);
			else
				g_assert_cmpuint(f.len, <=, first);
			g_assert_true(f.marker == (i + 1 == plan->n_fragments));
			sum += f.len;
		}
		g_assert_cmpuint(sum, ==, size + 4u * plan->n_fragments);
		g_assert_cmpuint(sum, ==, plan->bytes);
		rtp_plan_unref(plan);
	}
	g_assert_cmpuint(test_units, ==, 0);
	g_assert_null(rtp_planner_free(planner));
}

static void test_pool_is_bounded_and_returns(void)
{
	struct coded_unit *u = test_unit_h264(3000, true, 0);
	struct rtp_planner *planner;
	struct rtp_plan *a, *b, *c = NULL;

	g_assert_cmpint(rtp_planner_new(&planner, 2, 0), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, u, &a), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, u, &b), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, u, &c), ==, -ENOBUFS);
	g_assert_null(c);
	rtp_plan_ref(a);
	rtp_plan_unref(a);
	g_assert_cmpuint(rtp_planner_get_used(planner), ==, 2);
	g_assert_null(rtp_plan_unref(a));
	g_assert_cmpint(rtp_plan_new(planner, u, &a), ==, 0);
	rtp_plan_unref(a);
	rtp_plan_unref(b);
	rtp_plan_unref(NULL);
	g_assert_cmpuint(rtp_planner_get_used(planner), ==, 0);
	coded_unit_unref(u);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_planner_free(planner);
}

static void test_refuses_without_taking(void)
{
	struct coded_unit *tiny = test_unit_new(MEDIA_CODEC_VP8, "ab", 2);
	struct coded_unit *empty = test_unit_new(MEDIA_CODEC_OPUS, NULL, 0);
	struct coded_unit *opus = test_unit_new(MEDIA_CODEC_OPUS, NULL, 1300);
	struct coded_unit *huge =
		test_unit_new(MEDIA_CODEC_VP8, NULL,
			      RTP_PLAN_FRAGMENTS_MAX * RTP_PLAN_PAYLOAD_MAX);
	struct rtp_planner *planner;
	struct rtp_plan *p = NULL;

	g_assert_cmpint(rtp_planner_new(&planner, 1, 63), ==, -EINVAL);
	g_assert_cmpint(rtp_planner_new(&planner, 1, 1500), ==, -EINVAL);
	g_assert_cmpint(rtp_planner_new(&planner, 1, 0), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, tiny, &p), ==, -EBADMSG);
	g_assert_cmpint(rtp_plan_new(planner, empty, &p), ==, -EBADMSG);
	g_assert_cmpint(rtp_plan_new(planner, opus, &p), ==, -E2BIG);
	g_assert_cmpint(rtp_plan_new(planner, huge, &p), ==, -E2BIG);
	g_assert_null(p);
	g_assert_cmpuint(rtp_planner_get_used(planner), ==, 0);
	coded_unit_unref(tiny);
	coded_unit_unref(empty);
	coded_unit_unref(opus);
	coded_unit_unref(huge);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_planner_free(planner);
	rtp_planner_free(NULL);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-plan/sizes-are-equal-but-the-last",
			test_sizes_are_equal_but_the_last);
	g_test_add_func("/rtp-plan/pool-is-bounded-and-returns",
			test_pool_is_bounded_and_returns);
	g_test_add_func("/rtp-plan/refuses-without-taking",
			test_refuses_without_taking);
	return g_test_run();
}
