// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-receiver.h"

#include <glib.h>

static void add(struct rtp_receiver *r, uint32_t ssrc, uint16_t seq,
		uint32_t timestamp, uint64_t now_us)
{
	struct rtp_header h = { .ssrc = ssrc, .seq = seq,
				.timestamp = timestamp };

	rtp_receiver_add(r, &h, 48000, now_us);
}

static void test_loss_and_extended_sequence(void)
{
	struct rtcp_report_block b;
	struct rtp_receiver r;

	rtp_receiver_init(&r);
	/* across the wrap; every fourth is lost */
	for (uint32_t i = 0; i < 70000; i++) {
		if (i % 4 != 1)
			add(&r, 7, (uint16_t) (60000 + i), i * 960,
			    i * 20000ull);
	}
	g_assert_cmpuint(rtp_receiver_report(&r, &b, 1, 1), ==, 1);
	g_assert_cmpuint(b.ssrc, ==, 7);
	g_assert_cmpuint(b.highest_seq, ==, 60000 + 69999);
	g_assert_cmpint(b.lost, ==, 17500);
	g_assert_cmpuint(b.fraction_lost, ==, 64);
	g_assert_cmpuint(b.jitter, ==, 0);
	g_assert_cmpuint(rtp_receiver_get_lost(&r), ==, 17500);
	/* nothing new: nothing to report */
	g_assert_cmpuint(rtp_receiver_report(&r, &b, 1, 1), ==, 0);
	/* the fraction is of the interval */
	add(&r, 7, (uint16_t) (60000 + 70000), 0, 0);
	g_assert_cmpuint(rtp_receiver_report(&r, &b, 1, 1), ==, 1);
	g_assert_cmpuint(b.fraction_lost, ==, 0);
	g_assert_cmpint(b.lost, ==, 17500);
}

static void test_reordering_is_no_loss(void)
{
	static const uint16_t order[] = { 1, 3, 2, 5, 4, 4, 6 };
	struct rtcp_report_block b;
	struct rtp_receiver r;

	rtp_receiver_init(&r);
	for (unsigned int i = 0; i < G_N_ELEMENTS(order); i++)
		add(&r, 1, order[i], 0, 0);
	g_assert_cmpuint(rtp_receiver_report(&r, &b, 1, 1), ==, 1);
	g_assert_cmpint(b.lost, ==, -1);	/* one came twice */
	g_assert_cmpuint(b.fraction_lost, ==, 0);
}

static void test_restart_of_the_sender(void)
{
	struct rtcp_report_block b;
	struct rtp_receiver r;

	rtp_receiver_init(&r);
	for (uint16_t i = 0; i < 10; i++)
		add(&r, 1, i, 0, 0);
	add(&r, 1, 30000, 0, 0);		/* a stray one: ignored */
	add(&r, 1, 10, 0, 0);
	rtp_receiver_report(&r, &b, 1, 1);
	g_assert_cmpuint(b.highest_seq, ==, 10);
	add(&r, 1, 40000, 0, 0);
	add(&r, 1, 40001, 0, 0);		/* two in a row: restarted */
	g_assert_cmpuint(rtp_receiver_report(&r, &b, 1, 1), ==, 1);
	g_assert_cmpuint(b.highest_seq, ==, 40001);
	g_assert_cmpint(b.lost, ==, 0);
}

static void test_jitter(void)
{
	struct rtcp_report_block b;
	struct rtp_receiver r;

	rtp_receiver_init(&r);
	/* every other packet 10 ms late: |D| is 480 units, always */
	for (uint32_t i = 0; i < 1000; i++)
		add(&r, 1, (uint16_t) i, UINT32_MAX - 480000 + i * 960,
		    i * 20000ull + (i & 1) * 10000);
	rtp_receiver_report(&r, &b, 1, 1);
	g_assert_cmpuint(b.jitter, >=, 478);
	g_assert_cmpuint(b.jitter, <=, 480);
}

static void test_sender_report_times(void)
{
	struct rtcp_report_block b;
	struct rtp_receiver r;

	rtp_receiver_init(&r);
	add(&r, 1, 0, 0, 1000000);
	rtp_receiver_on_sr(&r, 1, UINT64_C(0x1122334455667788), 2000000);
	rtp_receiver_on_sr(&r, 2, 1, 2000000);	/* unknown: ignored */
	rtp_receiver_report(&r, &b, 1, 3500000);
	g_assert_cmphex(b.lsr, ==, 0x33445566);
	g_assert_cmpuint(b.dlsr, ==, 65536 + 32768);
}

static void test_sources_are_bounded(void)
{
	struct rtcp_report_block b[RTP_SOURCES_MAX + 5];
	struct rtp_receiver r;

	rtp_receiver_init(&r);
	for (uint32_t ssrc = 1; ssrc <= 1000; ssrc++)
		add(&r, ssrc, 0, 0, 1000000);
	g_assert_cmpuint(r.untracked, ==, 1000 - RTP_SOURCES_MAX);
	g_assert_cmpuint(rtp_receiver_report(&r, b, G_N_ELEMENTS(b), 1), ==,
			 RTP_SOURCES_MAX);
	/* the silent give way, one that says BYE at once */
	add(&r, 5000, 0, 0, 1000000 + RTP_SOURCE_SILENCE_US);
	g_assert_cmpuint(r.untracked, ==, 1000 - RTP_SOURCES_MAX);
	g_assert_cmpuint(rtp_receiver_report(&r, b, G_N_ELEMENTS(b), 1), ==,
			 1);
	rtp_receiver_on_bye(&r, 5000);
	add(&r, 5001, 0, 0, 1000000 + RTP_SOURCE_SILENCE_US);
	g_assert_cmpuint(rtp_receiver_report(&r, b, G_N_ELEMENTS(b), 1), ==,
			 1);
	g_assert_cmpuint(b[0].ssrc, ==, 5001);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-receiver/loss-and-extended-sequence",
			test_loss_and_extended_sequence);
	g_test_add_func("/rtp-receiver/reordering-is-no-loss",
			test_reordering_is_no_loss);
	g_test_add_func("/rtp-receiver/restart-of-the-sender",
			test_restart_of_the_sender);
	g_test_add_func("/rtp-receiver/jitter", test_jitter);
	g_test_add_func("/rtp-receiver/sender-report-times",
			test_sender_report_times);
	g_test_add_func("/rtp-receiver/sources-are-bounded",
			test_sources_are_bounded);
	return g_test_run();
}
