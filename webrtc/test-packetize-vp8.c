// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packetize-vp8.h"

#include "webrtc/depacketize.h"
#include "webrtc/test-rtp-util.h"

static void round_trip(struct rtp_planner *planner, size_t size,
		       uint64_t number)
{
	g_autofree uint8_t *in = g_malloc(size), *out = g_malloc(size);
	uint8_t payload[RTP_PLAN_PAYLOAD_MAX];
	struct depacketizer d;
	struct coded_unit *u;
	struct rtp_plan *plan;

	for (size_t i = 0; i < size; i++)
		in[i] = (uint8_t) (i * 31 >> 3);
	u = test_unit_new(MEDIA_CODEC_VP8, in, size);
	u->number = number;
	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
	depacketizer_init(&d, out, size);
	for (unsigned int i = 0; i < plan->n_fragments; i++) {
		size_t n = test_fragment_copy(plan, i, payload,
					      sizeof(payload), NULL);

		g_assert_cmpint(depacketize_vp8(&d, payload, n), ==, 0);
		g_assert_true(d.start == (i == 0));
		g_assert_true(d.has_picture_id);
		g_assert_cmpuint(d.picture_id, ==, number & 0x7fff);
	}
	g_assert_cmpmem(out, d.len, in, size);
	rtp_plan_unref(plan);
	coded_unit_unref(u);
}

static void test_round_trip(void)
{
	struct rtp_planner *planner;

	g_assert_cmpint(rtp_planner_new(&planner, 1, 0), ==, 0);
	for (size_t size = 3; size < 30000; size = size * 5 / 4 + 1)
		round_trip(planner, size, size);
	round_trip(planner, 100, 0x7fff);
	round_trip(planner, 100, 0x8000);	/* the picture id wraps */
	round_trip(planner, 100, UINT64_MAX);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_planner_free(planner);
}

static void test_bytes_on_the_wire(void)
{
	static const uint8_t want0[] = { 0x90, 0x80, 0x81, 0x02 };
	static const uint8_t want1[] = { 0x80, 0x80, 0x81, 0x02 };
	struct coded_unit *u = test_unit_new(MEDIA_CODEC_VP8, NULL, 2000);
	uint8_t payload[RTP_PLAN_PAYLOAD_MAX];
	struct rtp_planner *planner;
	struct rtp_plan *plan;

	u->number = 0x102;
	g_assert_cmpint(rtp_planner_new(&planner, 1, 0), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
	g_assert_cmpuint(plan->n_fragments, ==, 2);
	test_fragment_copy(plan, 0, payload, sizeof(payload), NULL);
	g_assert_cmpmem(payload, 4, want0, 4);
	test_fragment_copy(plan, 1, payload, sizeof(payload), NULL);
	g_assert_cmpmem(payload, 4, want1, 4);
	rtp_plan_unref(plan);
	coded_unit_unref(u);
	rtp_planner_free(planner);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packetize-vp8/round-trip", test_round_trip);
	g_test_add_func("/packetize-vp8/bytes-on-the-wire",
			test_bytes_on_the_wire);
	return g_test_run();
}
