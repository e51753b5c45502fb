// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-sender.h"

#include <errno.h>

#include "webrtc/rtp.h"
#include "webrtc/test-rtp-util.h"

static const uint8_t seed[8] = { 0xff, 0xf0, 0, 1, 0xff, 0xff, 0xff, 0 };

static const uint8_t other_seed[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static const struct rtp_sender_config video = {
	.ssrc = 0x11, .rtx_ssrc = 0x22, .pt = 96, .rtx_pt = 97,
	.clock_rate = 90000, .ext = { .twcc = 3, .mid = 4 }, .mid = "1",
};

static void test_time_does_not_drift(void)
{
	struct rtp_sender s = { 0 };
	struct rtp_sender_config audio = video;

	audio.clock_rate = 48000;
	audio.rtx_pt = 0;
	g_assert_cmpint(rtp_sender_set(&s, &audio, seed), ==, 0);
	/* Ten years of 20 ms frames, looked at now and then: exactly 960
	 * units each, whatever wrapped. */
	for (uint64_t year = 0; year < 10; year++) {
		uint64_t us = year * 31536000 * UINT64_C(1000000);
		uint32_t first = rtp_sender_timestamp(&s, us);

		for (uint32_t i = 0; i < 1000; i++)
			g_assert_cmphex(rtp_sender_timestamp(&s,
							     us + i * 20000),
					==, first + i * 960);
	}
	/* and a second is the clock rate, a year later too */
	g_assert_cmphex(rtp_sender_timestamp(&s, UINT64_C(31536000000000)) -
				rtp_sender_timestamp(&s, 0),
			==, (uint32_t) (UINT64_C(31536000) * 48000));
	rtp_sender_done(&s);
}

static void test_report_pairs_the_clocks(void)
{
	/* 2000-01-01 00:00:00.25 UTC */
	const uint64_t realtime = UINT64_C(946684800250000);
	struct rtp_sender s = { 0 };
	struct rtcp_sender_info a, b;

	g_assert_cmpint(rtp_sender_set(&s, &video, seed), ==, 0);
	a = rtp_sender_info(&s, 5000000, (int64_t) realtime - 5000000);
	g_assert_cmphex(a.ntp, ==, UINT64_C(0xbc17c20040000000));
	b = rtp_sender_info(&s, 6000000, (int64_t) realtime - 5000000);
	g_assert_cmphex(b.ntp - a.ntp, ==, UINT64_C(1) << 32);
	g_assert_cmpuint(b.rtp_timestamp - a.rtp_timestamp, ==, 90000);
	g_assert_cmphex(a.rtp_timestamp, ==,
			rtp_sender_timestamp(&s, 5000000));
	rtp_sender_done(&s);
}

static void test_history_is_bounded_in_number_and_time(void)
{
	struct rtp_planner *planner;
	struct rtp_sender s = { 0 };
	uint64_t now = 1000000;
	uint16_t first;

	g_assert_cmpint(rtp_planner_new(&planner, 0, 0), ==, 0);
	g_assert_cmpint(rtp_sender_set(&s, &video, seed), ==, 0);
	first = s.seq;
	/* Far beyond the wrap of the sequence number. */
	for (unsigned int i = 0; i < 200000; i++, now += 1000) {
		struct coded_unit *u = test_unit_h264(200, false, i);
		struct rtp_plan *plan;
		uint16_t seq = (uint16_t) (first + i);

		g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
		/* room for 512 plans only: let older go by time */
		rtp_sender_commit(&s, plan, 0, 196, now);
		rtp_plan_unref(plan);
		coded_unit_unref(u);
		g_assert_nonnull(rtp_sender_find(&s, seq));
		g_assert_null(rtp_sender_find(&s, (uint16_t) (seq + 1)));
		g_assert_null(rtp_sender_find(&s, (uint16_t) (seq - 1024)));
		if (i % 5 == 0)
			now += 15000;
	}
	g_assert_cmpuint(s.packets, ==, 200000);
	g_assert_cmpuint(s.n_held, >, 300);
	rtp_sender_expire(&s, now + RTP_HISTORY_US + 1000);
	g_assert_cmpuint(s.n_held, ==, 0);
	g_assert_cmpuint(rtp_planner_get_used(planner), ==, 0);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_sender_done(&s);
	rtp_planner_free(planner);
}

static void test_resending_is_limited(void)
{
	struct coded_unit *u = test_unit_h264(3000, false, 0);
	struct rtp_planner *planner;
	struct rtp_sender s = { 0 };
	struct rtp_sent *sent;
	struct rtp_plan *plan;
	uint16_t seq;

	g_assert_cmpint(rtp_planner_new(&planner, 2, 0), ==, 0);
	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
	g_assert_cmpint(rtp_sender_set(&s, &video, seed), ==, 0);
	seq = s.seq;
	g_assert_cmpint(rtp_sender_may_resend(&s, seq, 50000, 0), ==,
			RTP_RESEND_GONE);
	rtp_sender_commit(&s, plan, 1, 1000, 1000000);
	g_assert_cmpint(rtp_sender_may_resend(&s, seq, 50000, 1010000), ==,
			RTP_RESEND_OK);
	sent = rtp_sender_find(&s, seq);
	g_assert_cmpuint(sent->fragment, ==, 1);
	rtp_sender_rtx_commit(&s, sent, 1002, 1010000);
	g_assert_cmpint(rtp_sender_may_resend(&s, seq, 50000, 1059000), ==,
			RTP_RESEND_SOON);
	g_assert_cmpint(rtp_sender_may_resend(&s, seq, 50000, 1060000), ==,
			RTP_RESEND_OK);
	g_assert_cmpint(rtp_sender_may_resend(&s, seq, 50000, 2600000), ==,
			RTP_RESEND_GONE);
	rtp_plan_unref(plan);
	coded_unit_unref(u);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_sender_done(&s);
	rtp_planner_free(planner);
}

static void test_setting_again_keeps_the_numbers(void)
{
	struct rtp_sender_config c = video;
	struct rtp_sender s = { 0 };
	uint32_t offset;

	g_assert_cmpint(rtp_sender_set(&s, &c, seed), ==, 0);
	g_assert_cmphex(s.seq, ==, 0x7ff0);	/* away from the wrap */
	s.seq = 1234;
	s.packets = 99;
	offset = s.timestamp_offset;
	c.pt = 100;
	g_assert_cmpint(rtp_sender_set(&s, &c, other_seed), ==, 0);
	g_assert_cmpuint(s.seq, ==, 1234);
	g_assert_cmpuint(s.packets, ==, 99);
	g_assert_cmphex(s.timestamp_offset, ==, offset);
	g_assert_cmpuint(s.pt, ==, 100);
	c.ext.mid = 99;				/* refused: nothing changes */
	c.pt = 101;
	g_assert_cmpint(rtp_sender_set(&s, &c, seed), ==, -EINVAL);
	g_assert_cmpuint(s.pt, ==, 100);
	c = video;
	c.ssrc = 0x99;				/* a new source */
	g_assert_cmpint(rtp_sender_set(&s, &c, seed), ==, 0);
	g_assert_cmpuint(s.packets, ==, 0);
	rtp_sender_done(&s);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-sender/time-does-not-drift",
			test_time_does_not_drift);
	g_test_add_func("/rtp-sender/report-pairs-the-clocks",
			test_report_pairs_the_clocks);
	g_test_add_func("/rtp-sender/history-is-bounded-in-number-and-time",
			test_history_is_bounded_in_number_and_time);
	g_test_add_func("/rtp-sender/resending-is-limited",
			test_resending_is_limited);
	g_test_add_func("/rtp-sender/setting-again-keeps-the-numbers",
			test_setting_again_keeps_the_numbers);
	return g_test_run();
}
