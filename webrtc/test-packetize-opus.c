// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packetize-opus.h"

#include "webrtc/test-rtp-util.h"

static void test_one_packet_is_one_payload(void)
{
	struct coded_unit *u = test_unit_new(MEDIA_CODEC_OPUS, "\xfcsound", 6);
	uint8_t payload[RTP_PLAN_PAYLOAD_MAX];
	struct rtp_planner *planner;
	struct rtp_plan *plan;
	bool marker = true;
	size_t n;

	g_assert_cmpint(rtp_planner_new(&planner, 1, 0), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
	g_assert_cmpuint(plan->n_fragments, ==, 1);
	n = test_fragment_copy(plan, 0, payload, sizeof(payload), &marker);
	g_assert_cmpmem(payload, n, "\xfcsound", 6);
	g_assert_false(marker);
	rtp_plan_unref(plan);
	coded_unit_unref(u);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_planner_free(planner);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packetize-opus/one-packet-is-one-payload",
			test_one_packet_is_one_payload);
	return g_test_run();
}
