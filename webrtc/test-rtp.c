// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void test_written_header_is_read_back(void)
{
	uint8_t p[RTP_FIXED_BYTES + 3] = { 0 };
	struct rtp_header h;

	rtp_write_fixed(p, false, true, 127, 0xfffe, 0x89abcdef, 0xdeadbeef);
	memcpy(p + RTP_FIXED_BYTES, "abc", 3);
	g_assert_cmpint(rtp_parse(p, sizeof(p), &h), ==, 0);
	g_assert_true(h.marker);
	g_assert_cmpuint(h.pt, ==, 127);
	g_assert_cmphex(h.seq, ==, 0xfffe);
	g_assert_cmphex(h.timestamp, ==, 0x89abcdef);
	g_assert_cmphex(h.ssrc, ==, 0xdeadbeef);
	g_assert_null(h.ext);
	g_assert_cmpmem(h.payload, h.payload_len, "abc", 3);
}

static void test_csrc_extension_padding(void)
{
	/* two CSRCs, RFC 8285 §4.2's one-byte example, 4 bytes of padding */
	static const uint8_t p[] = {
		0xb2, 0x60, 0x00, 0x01, 0, 0, 0, 2, 0, 0, 0, 3,
		0, 0, 0, 4, 0, 0, 0, 5,
		0xbe, 0xde, 0x00, 0x03,
		0x10, 0xaa, 0x21, 0xbb, 0xbc, 0x00, 0x00, 0x33, 1, 2, 3, 4,
		'p', 'a', 'y', 0, 0, 0, 4,
	};
	struct rtp_header h;
	const uint8_t *e;
	size_t n;

	g_assert_cmpint(rtp_parse(p, sizeof(p), &h), ==, 0);
	g_assert_cmpuint(h.n_csrc, ==, 2);
	g_assert_cmpuint(h.padding, ==, 4);
	g_assert_cmpmem(h.payload, h.payload_len, "pay", 3);

	e = rtp_ext_find(&h, 1, &n);
	g_assert_cmpmem(e, n, "\xaa", 1);
	e = rtp_ext_find(&h, 2, &n);
	g_assert_cmpmem(e, n, "\xbb\xbc", 2);
	e = rtp_ext_find(&h, 3, &n);
	g_assert_cmpmem(e, n, "\1\2\3\4", 4);
	g_assert_null(rtp_ext_find(&h, 4, &n));
	g_assert_null(rtp_ext_find(&h, 0, &n));

	/* Every truncation is refused or loses payload only; none is read
	 * beyond (the sanitizer watches). */
	for (size_t len = 0; len < 36; len++)
		g_assert_cmpint(rtp_parse(p, len, &h), ==, -EBADMSG);
}

static void test_two_byte_extension(void)
{
	/* RFC 8285 §4.3: a zero-length element, then 3 bytes */
	static const uint8_t p[] = {
		0x90, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,
		0x10, 0x00, 0x00, 0x02, 7, 0, 0, 200, 3, 9, 8, 7,
	};
	struct rtp_header h;
	const uint8_t *e;
	size_t n = 99;

	g_assert_cmpint(rtp_parse(p, sizeof(p), &h), ==, 0);
	g_assert_nonnull(rtp_ext_find(&h, 7, &n));
	g_assert_cmpuint(n, ==, 0);
	e = rtp_ext_find(&h, 200, &n);
	g_assert_cmpmem(e, n, "\x09\x08\x07", 3);
	g_assert_cmpuint(h.payload_len, ==, 0);
}

static void test_lies_about_lengths(void)
{
	uint8_t p[20] = { 0x80, 96 };
	struct rtp_header h = { .pt = 77 };
	size_t n;

	p[0] = 0x40;				/* version 1 */
	g_assert_cmpint(rtp_parse(p, 20, &h), ==, -EBADMSG);
	p[0] = 0x83;				/* 3 CSRCs do not fit */
	g_assert_cmpint(rtp_parse(p, 20, &h), ==, -EBADMSG);
	p[0] = 0xa0;				/* padding of 0, of too much */
	g_assert_cmpint(rtp_parse(p, 20, &h), ==, -EBADMSG);
	p[19] = 9;
	g_assert_cmpint(rtp_parse(p, 20, &h), ==, -EBADMSG);
	g_assert_cmpuint(h.pt, ==, 77);		/* output untouched */
	p[19] = 8;
	g_assert_cmpint(rtp_parse(p, 20, &h), ==, 0);
	g_assert_cmpuint(h.payload_len, ==, 0);

	/* an element longer than the block; id 15 ends the one-byte form */
	memcpy(p, "\x90\x60\0\0\0\0\0\0\0\0\0\0\xbe\xde\0\1\x1f\1\2\3", 20);
	g_assert_cmpint(rtp_parse(p, 20, &h), ==, 0);
	g_assert_null(rtp_ext_find(&h, 1, &n));
	p[16] = 0xf0;
	p[18] = 0x10;
	g_assert_null(rtp_ext_find(&h, 1, &n));
}

static void test_demux(void)
{
	static const struct {
		uint8_t b[2];
		enum rtp_demux want;
	} rows[] = {
		{ { 0, 1 }, RTP_DEMUX_STUN },	{ { 3, 0 }, RTP_DEMUX_STUN },
		{ { 4, 0 }, RTP_DEMUX_OTHER },	{ { 19, 0 }, RTP_DEMUX_OTHER },
		{ { 20, 0 }, RTP_DEMUX_DTLS },	{ { 63, 0 }, RTP_DEMUX_DTLS },
		{ { 64, 0 }, RTP_DEMUX_OTHER }, { { 127, 0 }, RTP_DEMUX_OTHER },
		{ { 128, 63 }, RTP_DEMUX_RTP },
		{ { 128, 128 + 63 }, RTP_DEMUX_RTP },
		{ { 128, 192 }, RTP_DEMUX_RTCP },
		{ { 191, 223 }, RTP_DEMUX_RTCP },
		{ { 144, 224 }, RTP_DEMUX_RTP },
		{ { 192, 200 }, RTP_DEMUX_OTHER },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(rtp_demux(rows[i].b, 2), ==, rows[i].want);
	g_assert_cmpint(rtp_demux(rows[0].b, 1), ==, RTP_DEMUX_OTHER);
}

static void test_sequence_order_wraps(void)
{
	g_assert_true(rtp_seq_newer(0, 0xffff));
	g_assert_true(rtp_seq_newer(0x7fff, 0));
	g_assert_false(rtp_seq_newer(0xffff, 0));
	g_assert_false(rtp_seq_newer(5, 5));
	g_assert_false(rtp_seq_newer(0x8000, 0));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp/written-header-is-read-back",
			test_written_header_is_read_back);
	g_test_add_func("/rtp/csrc-extension-padding",
			test_csrc_extension_padding);
	g_test_add_func("/rtp/two-byte-extension", test_two_byte_extension);
	g_test_add_func("/rtp/lies-about-lengths", test_lies_about_lengths);
	g_test_add_func("/rtp/demux", test_demux);
	g_test_add_func("/rtp/sequence-order-wraps",
			test_sequence_order_wraps);
	return g_test_run();
}
