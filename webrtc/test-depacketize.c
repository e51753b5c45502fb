// SPDX-License-Identifier: Apache-2.0
#include "webrtc/depacketize.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void test_h264_refuses_what_cannot_be(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		int want;
	} rows[] = {
		{ "", 0, -EBADMSG },
		{ "\x00zz", 3, -EBADMSG },		/* type 0 */
		{ "\x7c\x05zz", 4, -EBADMSG },		/* FU without start */
		{ "\x7c\xc5zz", 4, -EBADMSG },		/* start and end */
		{ "\x7c\x85", 2, -EBADMSG },		/* FU without data */
		{ "\x78\x00\x05zz", 5, -EBADMSG },	/* STAP-A too short */
		{ "\x78\x00\x00", 3, -EBADMSG },	/* empty NAL in it */
		{ "\x78\x00", 2, -EBADMSG },
		{ "\x7d\x85zz", 4, -EBADMSG },		/* FU-B: mode 2 */
		{ "\x41zzzzzzzzzzzzzz", 15, -ENOSPC },
	};
	uint8_t out[16];

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct depacketizer d;

		depacketizer_init(&d, out, sizeof(out));
		g_assert_cmpint(depacketize_h264(&d,
						 (const uint8_t *)
						 rows[i].bytes, rows[i].len),
				==, rows[i].want);
		g_assert_cmpuint(d.len, ==, 0);
		g_assert_false(d.in_fragment);
	}
}

static void test_vp8_descriptors_of_others(void)
{
	/* X, I L T K with a 7-bit picture id, as temporal layers send it */
	static const uint8_t full[] = { 0x90, 0xf0, 0x11, 0x22, 0x33, 'v' };
	static const uint8_t plain[] = { 0x10, 'w' };
	static const uint8_t late[] = { 0x00, 'x' };
	struct depacketizer d;
	uint8_t out[8];

	depacketizer_init(&d, out, sizeof(out));
	g_assert_cmpint(depacketize_vp8(&d, late, 2), ==, -EBADMSG);
	for (size_t n = 0; n < sizeof(full); n++)
		g_assert_cmpint(depacketize_vp8(&d, full, n), ==, -EBADMSG);
	g_assert_cmpint(depacketize_vp8(&d, full, sizeof(full)), ==, 0);
	g_assert_cmpuint(d.picture_id, ==, 0x11);
	g_assert_cmpint(depacketize_vp8(&d, late, 2), ==, 0);
	g_assert_cmpmem(out, d.len, "vx", 2);
	depacketizer_init(&d, out, sizeof(out));
	g_assert_cmpint(depacketize_vp8(&d, plain, 2), ==, 0);
	g_assert_cmpmem(out, d.len, "w", 1);
	depacketizer_init(&d, out, 0);
	g_assert_cmpint(depacketize_vp8(&d, plain, 2), ==, -ENOSPC);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/depacketize/h264-refuses-what-cannot-be",
			test_h264_refuses_what_cannot_be);
	g_test_add_func("/depacketize/vp8-descriptors-of-others",
			test_vp8_descriptors_of_others);
	return g_test_run();
}
