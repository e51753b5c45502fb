// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packetize-h264.h"

#include <errno.h>

#include "webrtc/depacketize.h"
#include "webrtc/test-rtp-util.h"

static struct rtp_planner *planner;

static struct rtp_plan *plan_bytes(const void *bytes, size_t size)
{
	struct coded_unit *u = test_unit_new(MEDIA_CODEC_H264, bytes, size);
	struct rtp_plan *plan = NULL;

	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
	coded_unit_unref(u);
	return plan;
}

static void test_start_codes_of_both_lengths(void)
{
	/* trailing zeros, an empty NAL unit, emulation prevention inside */
	static const uint8_t in[] = {
		0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 1,
		0, 0, 1, 0x65, 0, 0, 3, 1, 9, 0, 0,
	};
	struct h264_nal_iter it;
	const uint8_t *nal;
	size_t n;

	h264_nal_iter_init(&it, in, sizeof(in));
	g_assert_true(h264_nal_iter_next(&it, &nal, &n));
	g_assert_cmpmem(nal, n, "\x67\x01\x02", 3);
	g_assert_true(h264_nal_iter_next(&it, &nal, &n));
	g_assert_cmpmem(nal, n, "\x68\x03", 2);
	g_assert_true(h264_nal_iter_next(&it, &nal, &n));
	g_assert_cmpmem(nal, n, "\x65\x00\x00\x03\x01\x09", 6);
	g_assert_false(h264_nal_iter_next(&it, &nal, &n));
	g_assert_false(h264_nal_iter_next(&it, &nal, &n));
}

/* The quick search against the obvious one, over every short pattern. */
static void test_search_misses_nothing(void)
{
	for (unsigned int bits = 0; bits < 1u << 18; bits++) {
		uint8_t in[9];
		struct h264_nal_iter it;
		size_t n, found = 0, want = 0;
		const uint8_t *nal;

		for (unsigned int i = 0; i < 9; i++)
			in[i] = (uint8_t) (bits >> 2 * i & 3);
		/* NAL units: what follows a code and is not empty */
		for (unsigned int i = 0; i + 3 < 9; i++) {
			unsigned int z = i + 3;

			if (in[i] || in[i + 1] || in[i + 2] != 1)
				continue;
			/* zeros up to the next code or the end: empty */
			while (z < 9 && !in[z])
				z++;
			if (z < 9 && !(in[z] == 1 && z >= i + 5))
				want++;
		}
		h264_nal_iter_init(&it, in, 9);
		while (h264_nal_iter_next(&it, &nal, &n)) {
			g_assert_cmpuint(n, >, 0);
			found++;
		}
		g_assert_cmpuint(found, ==, want);
	}
}

static void test_parameter_sets_share_a_packet(void)
{
	struct coded_unit *u = test_unit_h264(5000, true, 3);
	static const uint8_t want[] = { 0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f,
					0, 4, 0x68, 0xce, 0x3c, 0x80 };
	uint8_t p[RTP_PLAN_PAYLOAD_MAX];
	struct rtp_plan *plan;
	bool marker;
	size_t n;

	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, 0);
	n = test_fragment_copy(plan, 0, p, sizeof(p), &marker);
	g_assert_cmpmem(p, n, want, sizeof(want));
	g_assert_false(marker);
	/* then one run of FU-A */
	n = test_fragment_copy(plan, 1, p, sizeof(p), &marker);
	g_assert_cmphex(p[0], ==, 0x7c);
	g_assert_cmphex(p[1], ==, 0x85);
	for (unsigned int i = 2; i < plan->n_fragments; i++) {
		size_t this_n = test_fragment_copy(plan, i, p, sizeof(p),
						   &marker);
		bool last = i + 1 == plan->n_fragments;

		g_assert_true(marker == last);
		g_assert_cmphex(p[1], ==, last ? 0x45 : 0x05);
		if (!last)
			g_assert_cmpuint(this_n, ==, n);
	}
	rtp_plan_unref(plan);
	coded_unit_unref(u);
}

static void test_delimiter_and_filler_are_left_out(void)
{
	static const uint8_t in[] = { 0, 0, 0, 1, 0x09, 0xf0,
				      0, 0, 1, 0x41, 1, 2, 3,
				      0, 0, 1, 0x0c, 0xff, 0x80 };
	struct rtp_plan *plan = plan_bytes(in, sizeof(in));
	uint8_t p[64];
	bool marker;
	size_t n;

	g_assert_cmpuint(plan->n_fragments, ==, 1);
	n = test_fragment_copy(plan, 0, p, sizeof(p), &marker);
	g_assert_cmpmem(p, n, "\x41\1\2\3", 4);
	g_assert_true(marker);
	rtp_plan_unref(plan);
}

static void test_no_unit_is_refused(void)
{
	static const char *const bad[] = { "", "abcdefgh", "\x65garbage" };
	struct rtp_plan *plan;
	struct coded_unit *u;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		u = test_unit_new(MEDIA_CODEC_H264, bad[i], strlen(bad[i]));
		g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, -EBADMSG);
		coded_unit_unref(u);
	}
	/* more NAL units than a plan has parts */
	u = test_unit_new(MEDIA_CODEC_H264, NULL, 40 * 5);
	for (unsigned int i = 0; i < 40; i++)
		memcpy((uint8_t *) u->data + 5 * i, "\0\0\1\x41\x80", 5);
	g_assert_cmpint(rtp_plan_new(planner, u, &plan), ==, -E2BIG);
	coded_unit_unref(u);
}

/* Random units of many NAL units come back byte for byte. */
static void test_round_trip(void)
{
	g_autofree uint8_t *in = g_malloc(200000), *out = g_malloc(200000);
	uint8_t p[RTP_PLAN_PAYLOAD_MAX];

	for (unsigned int round = 0; round < 300; round++) {
		unsigned int n_nals =
			(unsigned int) g_test_rand_int_range(1, 9);
		struct depacketizer d;
		struct rtp_plan *plan;
		size_t size = 0;

		for (unsigned int i = 0; i < n_nals; i++) {
			size_t n = (size_t) g_test_rand_int_range(1, 2500);

			if (g_test_rand_int_range(0, 3) == 0)
				n = n % 30 + 1;
			memcpy(in + size, "\0\0\0\1", 4);
			size += 4;
			in[size++] = 0x61;
			while (--n)
				in[size++] = (uint8_t)
					g_test_rand_int_range(1, 256);
		}
		plan = plan_bytes(in, size);
		depacketizer_init(&d, out, 200000);
		for (unsigned int i = 0; i < plan->n_fragments; i++) {
			size_t n = test_fragment_copy(plan, i, p, sizeof(p),
						      NULL);

			g_assert_cmpint(depacketize_h264(&d, p, n), ==, 0);
		}
		g_assert_false(d.in_fragment);
		g_assert_cmpmem(out, d.len, in, size);
		rtp_plan_unref(plan);
	}
}

int main(int argc, char *argv[])
{
	int r;

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packetize-h264/start-codes-of-both-lengths",
			test_start_codes_of_both_lengths);
	g_test_add_func("/packetize-h264/search-misses-nothing",
			test_search_misses_nothing);
	g_test_add_func("/packetize-h264/parameter-sets-share-a-packet",
			test_parameter_sets_share_a_packet);
	g_test_add_func("/packetize-h264/delimiter-and-filler-are-left-out",
			test_delimiter_and_filler_are_left_out);
	g_test_add_func("/packetize-h264/no-unit-is-refused",
			test_no_unit_is_refused);
	g_test_add_func("/packetize-h264/round-trip", test_round_trip);
	g_assert_cmpint(rtp_planner_new(&planner, 2, 0), ==, 0);
	r = g_test_run();
	g_assert_cmpuint(test_units, ==, 0);
	rtp_planner_free(planner);
	return r;
}
