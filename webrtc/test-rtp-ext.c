// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-ext.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/rtp.h"

static const struct rtp_ext_ids all_ids = {
	.mid = 4, .abs_send_time = 2, .twcc = 3, .playout_delay = 5,
	.audio_level = 1,
};

static void test_block_is_read_back(void)
{
	struct rtp_ext_values v = { .twcc_seq = 0xfedc, .send_us = 1500000,
				    .audio_level = 42, .audio_voice = true };
	uint8_t p[RTP_FIXED_BYTES + RTP_EXT_BLOCK_MAX];
	struct rtp_ext_block b;
	struct rtp_header h;
	const uint8_t *e;
	size_t n;

	g_assert_cmpint(rtp_ext_block_init(&b, &all_ids, "video", 0, 120), ==,
			0);
	g_assert_cmpuint(b.len % 4, ==, 0);
	rtp_write_fixed(p, true, false, 96, 1, 2, 3);
	n = rtp_ext_block_write(&b, &v, p + RTP_FIXED_BYTES);
	g_assert_cmpint(rtp_parse(p, RTP_FIXED_BYTES + n, &h), ==, 0);
	g_assert_cmpuint(h.payload_len, ==, 0);

	e = rtp_ext_find(&h, 4, &n);
	g_assert_cmpmem(e, n, "video", 5);
	e = rtp_ext_find(&h, 3, &n);
	g_assert_cmpmem(e, n, "\xfe\xdc", 2);
	e = rtp_ext_find(&h, 2, &n);		/* 1.5 s in 6.18 */
	g_assert_cmpmem(e, n, "\x06\x00\x00", 3);
	e = rtp_ext_find(&h, 5, &n);		/* 0 and 12 times 10 ms */
	g_assert_cmpmem(e, n, "\x00\x00\x0c", 3);
	e = rtp_ext_find(&h, 1, &n);
	g_assert_cmpmem(e, n, "\xaa", 1);
}

static void test_nothing_negotiated_is_no_block(void)
{
	const struct rtp_ext_ids none = { 0 };
	struct rtp_ext_block b;

	g_assert_cmpint(rtp_ext_block_init(&b, &none, "a", 0, 0), ==, 0);
	g_assert_cmpuint(b.len, ==, 0);
}

static void test_longest_block_fits(void)
{
	struct rtp_ext_block b;

	g_assert_cmpint(rtp_ext_block_init(&b, &all_ids, "0123456789abcdef", 0,
					   40950),
			==, 0);
	g_assert_cmpuint(b.len, <=, RTP_EXT_BLOCK_MAX);
	/* longer than the one-byte form allows: left out, not cut */
	g_assert_cmpint(rtp_ext_block_init(&b, &all_ids, "0123456789abcdefg",
					   0, 0),
			==, 0);
	g_assert_cmpuint(b.len, ==, 20);
}

static void test_bad_numbers(void)
{
	struct rtp_ext_ids twice = { .mid = 4, .twcc = 4 };
	struct rtp_ext_ids big = { .mid = 15 };
	struct rtp_ext_block b;

	g_assert_cmpint(rtp_ext_block_init(&b, &twice, "a", 0, 0), ==,
			-EINVAL);
	g_assert_cmpint(rtp_ext_block_init(&b, &big, "a", 0, 0), ==, -EINVAL);
	g_assert_cmpint(rtp_ext_block_init(&b, &all_ids, "a", 20, 10), ==,
			-EINVAL);
	g_assert_cmpint(rtp_ext_block_init(&b, &all_ids, "a", 0, 40960), ==,
			-EINVAL);
}

static void test_send_time_wraps_each_64_seconds(void)
{
	g_assert_cmpuint(rtp_ext_abs_send_time(64000000), ==, 0);
	g_assert_cmphex(rtp_ext_abs_send_time(63999999), ==, 0xffffff);
	/* ten years of uptime: still one step per 1/2^18 s */
	g_assert_cmphex(rtp_ext_abs_send_time(UINT64_C(315360000) * 1000000 +
					      250000),
			==, (UINT64_C(315360000) % 64 << 18 | 1 << 16));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-ext/block-is-read-back",
			test_block_is_read_back);
	g_test_add_func("/rtp-ext/nothing-negotiated-is-no-block",
			test_nothing_negotiated_is_no_block);
	g_test_add_func("/rtp-ext/longest-block-fits",
			test_longest_block_fits);
	g_test_add_func("/rtp-ext/bad-numbers", test_bad_numbers);
	g_test_add_func("/rtp-ext/send-time-wraps-each-64-seconds",
			test_send_time_wraps_each_64_seconds);
	return g_test_run();
}
