// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtcp.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static const struct rtcp_report_block block = {
	.ssrc = 0xb10cb10c, .fraction_lost = 64, .lost = -2,
	.highest_seq = 0x00012345, .jitter = 99, .lsr = 0xcafe0001,
	.dlsr = 65536,
};

static struct rtcp_packet only(const uint8_t *data, size_t len)
{
	struct rtcp_packet p, none;
	struct rtcp_iter it;

	rtcp_iter_init(&it, data, len);
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 1);
	g_assert_cmpint(rtcp_iter_next(&it, &none), ==, 0);
	return p;
}

static void test_compound_is_read_back(void)
{
	struct rtcp_sender_info info = { .ntp = UINT64_C(0xe000000080000000),
					 .rtp_timestamp = 77, .packets = 5,
					 .bytes = 1234 };
	const uint32_t ssrcs[] = { 1, 2 };
	uint8_t data[RTCP_COMPOUND_MAX];
	struct rtcp_writer w = { data, sizeof(data), 0 };
	struct rtcp_report_block b;
	struct rtcp_packet p;
	struct rtcp_iter it;
	size_t n;

	g_assert_cmpint(rtcp_write_sr(&w, 1, &info, &block, 1), ==, 0);
	g_assert_cmpint(rtcp_write_rr(&w, 2, NULL, 0), ==, 0);
	g_assert_cmpint(rtcp_write_sdes(&w, ssrcs, 2, "abc"), ==, 0);
	g_assert_cmpint(rtcp_write_bye(&w, ssrcs, 2), ==, 0);
	g_assert_cmpuint(w.len % 4, ==, 0);

	rtcp_iter_init(&it, data, w.len);
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 1);
	g_assert_cmpint(p.type, ==, RTCP_SR);
	g_assert_cmpuint(p.sender, ==, 1);
	g_assert_cmphex(p.info.ntp, ==, info.ntp);
	g_assert_cmpuint(p.info.rtp_timestamp, ==, 77);
	g_assert_cmpuint(p.info.packets, ==, 5);
	g_assert_cmpuint(p.info.bytes, ==, 1234);
	g_assert_cmpuint(p.n, ==, 1);
	b = rtcp_get_block(&p, 0);
	g_assert_cmphex(b.ssrc, ==, block.ssrc);
	g_assert_cmpint(b.lost, ==, -2);
	g_assert_cmpuint(b.fraction_lost, ==, 64);
	g_assert_cmphex(b.highest_seq, ==, block.highest_seq);
	g_assert_cmphex(b.lsr, ==, block.lsr);
	g_assert_cmpuint(b.dlsr, ==, 65536);
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 1);
	g_assert_cmpint(p.type, ==, RTCP_RR);
	g_assert_cmpuint(p.sender, ==, 2);
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 1);
	g_assert_cmpint(p.type, ==, RTCP_SDES);
	g_assert_cmpuint(p.n, ==, 2);
	g_assert_cmpmem(rtcp_get_cname(&p, &n), 3, "abc", 3);
	g_assert_cmpuint(n, ==, 3);
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 1);
	g_assert_cmpint(p.type, ==, RTCP_BYE);
	g_assert_cmpuint(rtcp_get_ssrc(&p, 1), ==, 2);
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 0);
}

/* Layouts as drawn in the RFCs, octet by octet. */
static void test_octets_of_feedback(void)
{
	static const uint8_t nack[] = { 0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2,
					0xff, 0xfe, 0x80, 0x05, 0, 100, 0, 0 };
	static const uint8_t pli[] = { 0x81, 206, 0, 2, 0, 0, 0, 1,
				       0, 0, 0, 2 };
	static const uint8_t fir[] = { 0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0,
				       0, 0, 0, 2, 9, 0, 0, 0 };
	/* 0xfffe, +1 (0xffff), +3 (0x0001), +16 (0x000e); then 100 */
	const uint16_t seqs[] = { 0xfffe, 0xffff, 0x0001, 0x000e, 100 };
	uint8_t data[64];
	struct rtcp_writer w = { data, sizeof(data), 0 };
	struct rtcp_packet p;
	uint16_t mask;

	g_assert_cmpint(rtcp_write_nack(&w, 1, 2, seqs, 5), ==, 0);
	g_assert_cmpmem(data, w.len, nack, sizeof(nack));
	p = only(data, w.len);
	g_assert_cmpint(p.type, ==, RTCP_NACK);
	g_assert_cmpuint(p.media, ==, 2);
	g_assert_cmpuint(p.n, ==, 2);
	g_assert_cmphex(rtcp_get_nack(&p, 0, &mask), ==, 0xfffe);
	g_assert_cmphex(mask, ==, 0x8005);

	w.len = 0;
	g_assert_cmpint(rtcp_write_pli(&w, 1, 2), ==, 0);
	g_assert_cmpmem(data, w.len, pli, sizeof(pli));
	g_assert_cmpint(only(data, w.len).type, ==, RTCP_PLI);

	w.len = 0;
	g_assert_cmpint(rtcp_write_fir(&w, 1, 2, 9), ==, 0);
	g_assert_cmpmem(data, w.len, fir, sizeof(fir));
	p = only(data, w.len);
	g_assert_cmpint(p.type, ==, RTCP_FIR);
	g_assert_cmpuint(rtcp_get_ssrc(&p, 0), ==, 2);
	g_assert_cmpuint(rtcp_get_fir_seq(&p, 0), ==, 9);
}

static void test_remb(void)
{
	/* exponent 3, mantissa 0x3ffff, two SSRCs */
	uint8_t data[] = { 0x8f, 206, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0,
			   'R', 'E', 'M', 'B', 2, 0x0f, 0xff, 0xff,
			   0, 0, 0, 5, 0, 0, 0, 6 };
	struct rtcp_packet p = only(data, sizeof(data));
	struct rtcp_iter it;

	g_assert_cmpint(p.type, ==, RTCP_REMB);
	g_assert_cmpuint(p.bps, ==, 0x3ffffu << 3);
	g_assert_cmpuint(rtcp_get_ssrc(&p, 1), ==, 6);
	data[17] = 0xff;		/* exponent 63 */
	g_assert_cmpuint(only(data, sizeof(data)).bps, ==, UINT64_MAX);
	data[16] = 3;			/* one SSRC too many */
	rtcp_iter_init(&it, data, sizeof(data));
	g_assert_cmpint(rtcp_iter_next(&it, &p), ==, -EBADMSG);
	data[12] = 'X';			/* somebody else's feedback */
	g_assert_cmpint(only(data, sizeof(data)).type, ==, RTCP_OTHER);
}

static void test_counts_beyond_the_packet(void)
{
	static const struct {
		uint8_t data[28];
		size_t len;
	} rows[] = {
		{ { 0x80, 200, 0, 5 }, 24 },	/* SR without sender info */
		{ { 0x81, 201, 0, 1 }, 8 },	/* RR without its block */
		{ { 0x82, 203, 0, 1 }, 8 },	/* BYE of two */
		{ { 0x81, 206, 0, 1 }, 8 },	/* PLI without media SSRC */
		{ { 0x80, 201, 0, 9 }, 8 },	/* longer than the compound */
		{ { 0x40, 201, 0, 1 }, 8 },	/* version 1 */
		{ { 0xa0, 201, 0, 1, 0, 0, 0, 0 }, 8 },	/* padding 0 */
		{ { 0xa0, 201, 0, 1, 0, 0, 0, 9 }, 8 },	/* padding too long */
		{ { 0x80, 201, 0 }, 3 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct rtcp_packet p = { .n = 77 };
		struct rtcp_iter it;

		rtcp_iter_init(&it, rows[i].data, rows[i].len);
		g_assert_cmpint(rtcp_iter_next(&it, &p), ==, -EBADMSG);
		g_assert_cmpuint(p.n, ==, 77);
		g_assert_cmpint(rtcp_iter_next(&it, &p), ==, 0);
	}
}

static void test_full_writer_writes_nothing(void)
{
	struct rtcp_report_block blocks[RTCP_BLOCKS_MAX + 1] = { { 0 } };
	const struct rtcp_sender_info info = { 0 };
	const uint32_t ssrc = 1;
	const uint16_t seq = 1;
	uint8_t data[7], big[RTCP_COMPOUND_MAX];
	struct rtcp_writer w = { data, sizeof(data), 0 };

	g_assert_cmpint(rtcp_write_sr(&w, 1, &info, NULL, 0), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_rr(&w, 1, NULL, 0), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_sdes(&w, &ssrc, 1, "a"), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_bye(&w, &ssrc, 1), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_nack(&w, 1, 2, &seq, 1), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_pli(&w, 1, 2), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_fir(&w, 1, 2, 3), ==, -ENOSPC);
	g_assert_cmpint(rtcp_write_twcc(&w, 1, 2, big, 8), ==, -ENOSPC);
	g_assert_cmpuint(w.len, ==, 0);
	w = (struct rtcp_writer){ big, sizeof(big), 0 };
	g_assert_cmpint(rtcp_write_rr(&w, 1, blocks, RTCP_BLOCKS_MAX + 1), ==,
			-ENOSPC);
	g_assert_cmpint(rtcp_write_rr(&w, 1, blocks, RTCP_BLOCKS_MAX), ==, 0);
	g_assert_cmpuint(only(big, w.len).n, ==, RTCP_BLOCKS_MAX);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtcp/compound-is-read-back",
			test_compound_is_read_back);
	g_test_add_func("/rtcp/octets-of-feedback", test_octets_of_feedback);
	g_test_add_func("/rtcp/remb", test_remb);
	g_test_add_func("/rtcp/counts-beyond-the-packet",
			test_counts_beyond_the_packet);
	g_test_add_func("/rtcp/full-writer-writes-nothing",
			test_full_writer_writes_nothing);
	return g_test_run();
}
