// SPDX-License-Identifier: Apache-2.0
#include "webrtc/srtp-in.h"

#include <errno.h>

#include <glib.h>

#include "webrtc/srtp-out.h"

static const struct srtp_master master = {
	{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	{21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34},
};

static size_t protect(struct srtp_out *s, uint32_t ssrc, uint16_t seq,
		      uint8_t *dst)
{
	uint8_t header[12] = {0x80, 96, (uint8_t) (seq >> 8), (uint8_t) seq,
			      0, 0, 0, 0, 0, 0, (uint8_t) (ssrc >> 8),
			      (uint8_t) ssrc};
	uint8_t body[100] = {7};
	struct iovec piece = {body, sizeof(body)};
	int r = srtp_out_rtp(s, header, 12, &piece, 1, dst, 256);

	g_assert_cmpint(r, >, 0);
	return (size_t) r;
}

static void test_bad_packets(gconstpointer data)
{
	enum srtp_profile profile = GPOINTER_TO_UINT(data);
	struct srtp_in_stats stats;
	struct srtp_out *out = NULL;
	struct srtp_in *in = NULL;
	uint8_t wire[256], copy[256];
	size_t len;

	g_assert_cmpint(srtp_out_new(profile, &master, &out), ==, 0);
	g_assert_cmpint(srtp_in_new(profile, &master, &in), ==, 0);
	len = protect(out, 1, 10, wire);

	/* Any bit that changes, and any cut, is seen. */
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, wire, len);
		copy[i] ^= 0x10;
		g_assert_cmpint(srtp_in_rtp(in, copy, len), ==, -EBADMSG);
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, wire, len);
		g_assert_cmpint(srtp_in_rtp(in, copy, i), ==, -EBADMSG);
		memcpy(copy, wire, len);
		g_assert_cmpint(srtp_in_rtcp(in, copy, i), ==, -EBADMSG);
	}
	srtp_in_get_stats(in, &stats);
	g_assert_cmpuint(stats.bad, ==, 3 * len);
	g_assert_cmpuint(stats.packets, ==, 0);

	memcpy(copy, wire, len);
	g_assert_cmpint(srtp_in_rtp(in, copy, len), ==, 112);
	g_assert_cmpint(srtp_in_rtp(in, wire, len), ==, -EALREADY);
	srtp_in_get_stats(in, &stats);
	g_assert_cmpuint(stats.packets, ==, 1);
	g_assert_cmpuint(stats.replayed, ==, 1);

	srtp_out_free(out);
	srtp_in_free(in);
}

static void test_disorder_within_window(void)
{
	struct srtp_out *out = NULL;
	struct srtp_in *in = NULL;
	uint8_t early[256], old[256], wire[256];
	size_t len;

	g_assert_cmpint(srtp_out_new(SRTP_PROFILE_AEAD_AES_128_GCM, &master,
				     &out),
			==, 0);
	g_assert_cmpint(srtp_in_new(SRTP_PROFILE_AEAD_AES_128_GCM, &master,
				    &in),
			==, 0);
	len = protect(out, 1, 65000, old);
	len = protect(out, 1, 65530, early);
	for (uint32_t seq = 65531; seq < 65536 + 900; seq++) {
		protect(out, 1, (uint16_t) seq, wire);
		g_assert_cmpint(srtp_in_rtp(in, wire, len), ==, 112);
	}
	/* From before the wrap, late but within the window: welcome. */
	g_assert_cmpint(srtp_in_rtp(in, early, len), ==, 112);
	g_assert_cmpint(srtp_in_rtp(in, old, len), ==, -EALREADY);
	srtp_out_free(out);
	srtp_in_free(in);
}

#define N_SENDERS (SRTP_IN_SSRCS_MAX / SRTP_OUT_SSRCS_MAX)

static void test_source_limit(void)
{
	struct srtp_out *out[N_SENDERS] = {NULL};
	struct srtp_in_stats stats;
	struct srtp_in *in = NULL;
	uint8_t wire[256];
	size_t len;

	/* Several senders with one key, as each takes 16 sources only. */
	G_STATIC_ASSERT(SRTP_IN_SSRCS_MAX % SRTP_OUT_SSRCS_MAX == 0);
	for (int i = 0; i < N_SENDERS; i++)
		g_assert_cmpint(srtp_out_new(SRTP_PROFILE_AES128_CM_SHA1_80,
					     &master, &out[i]),
				==, 0);
	g_assert_cmpint(srtp_in_new(SRTP_PROFILE_AES128_CM_SHA1_80, &master,
				    &in),
			==, 0);
	for (uint32_t i = 0; i < SRTP_IN_SSRCS_MAX; i++) {
		len = protect(out[i / SRTP_OUT_SSRCS_MAX], i, 1, wire);
		/* Forgeries take no place. */
		wire[len - 1] ^= 1;
		wire[10] ^= 0x80;
		g_assert_cmpint(srtp_in_rtp(in, wire, len), ==, -EBADMSG);
		wire[10] ^= 0x80;
		wire[len - 1] ^= 1;
		g_assert_cmpint(srtp_in_rtp(in, wire, len), ==, 112);
	}
	srtp_out_free(out[0]);
	g_assert_cmpint(srtp_out_new(SRTP_PROFILE_AES128_CM_SHA1_80, &master,
				     &out[0]),
			==, 0);
	len = protect(out[0], 1000, 1, wire);
	g_assert_cmpint(srtp_in_rtp(in, wire, len), ==, -ENOSPC);
	len = protect(out[0], 3, 2, wire);
	g_assert_cmpint(srtp_in_rtp(in, wire, len), ==, 112);
	srtp_in_get_stats(in, &stats);
	g_assert_cmpuint(stats.refused, ==, 1);
	g_assert_cmpuint(stats.packets, ==, SRTP_IN_SSRCS_MAX + 1);

	for (int i = 0; i < N_SENDERS; i++)
		srtp_out_free(out[i]);
	srtp_in_free(in);
}

static void test_refusals(void)
{
	struct srtp_in *in = NULL;

	g_assert_cmpint(srtp_in_new(SRTP_PROFILE_NONE, &master, &in), ==,
			-EINVAL);
	g_assert_null(in);
	g_assert_null(srtp_in_free(NULL));
	/* The library comes back after its last user has gone. */
	for (int i = 0; i < 3; i++) {
		g_assert_cmpint(srtp_in_new(SRTP_PROFILE_AEAD_AES_128_GCM,
					    &master, &in),
				==, 0);
		in = srtp_in_free(in);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/srtp-in/bad/gcm",
			     GUINT_TO_POINTER(SRTP_PROFILE_AEAD_AES_128_GCM),
			     test_bad_packets);
	g_test_add_data_func("/srtp-in/bad/cm",
			     GUINT_TO_POINTER(SRTP_PROFILE_AES128_CM_SHA1_80),
			     test_bad_packets);
	g_test_add_func("/srtp-in/disorder", test_disorder_within_window);
	g_test_add_func("/srtp-in/sources", test_source_limit);
	g_test_add_func("/srtp-in/refusals", test_refusals);
	return g_test_run();
}
