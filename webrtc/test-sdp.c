// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sdp.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

static int parse_text(const char *text, struct sdp_session *s)
{
	return sdp_parse(text, strlen(text), s, NULL);
}

static char *load(const char *name)
{
	char *path =
		g_test_build_filename(G_TEST_DIST, "corpus", "sdp", name, NULL);
	char *text;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_free(path);
	return text;
}

static void assert_span(struct sdp_span s, const char *text)
{
	char *copy = g_strndup(s.p, s.n);

	g_assert_cmpstr(copy, ==, text);
	g_free(copy);
}

static void check_recorded(const struct sdp_session *s)
{
	const struct sdp_media *video = &s->media[1];
	struct sdp_span value;

	g_assert_cmpuint(s->n_media, ==, 3);
	g_assert_cmpuint(s->n_bundles, ==, 1);
	assert_span(s->bundle[0], "0 1 2");
	g_assert_cmpint(s->media[0].kind, ==, SDP_KIND_AUDIO);
	g_assert_cmpint(video->kind, ==, SDP_KIND_VIDEO);
	g_assert_cmpint(s->media[2].kind, ==, SDP_KIND_APPLICATION);
	g_assert_cmpuint(s->media[2].sctp_port, ==, 5000);
	g_assert_cmpuint(s->media[2].max_message_size, ==, 262144);
	for (unsigned int i = 0; i < 3; i++) {
		char mid[2] = {(char) ('0' + i), 0};

		assert_span(s->media[i].mid, mid);
		g_assert_cmpuint(s->media[i].transport.ufrag.n, ==, 4);
		g_assert_cmpuint(s->media[i].transport.pwd.n, ==, 24);
	}

	g_assert_cmpint(sdp_media_find_rtx(video, 96), ==, 97);
	g_assert_true(sdp_span_is(sdp_media_find_pt(video, 96)->name, "VP8"));
	g_assert_cmpuint(sdp_media_find_pt(video, 96)->fb, ==,
			 SDP_FB_NACK | SDP_FB_PLI | SDP_FB_FIR | SDP_FB_TWCC |
				 SDP_FB_REMB);
	g_assert_true(sdp_fmtp_get(sdp_media_find_pt(&s->media[0], 111)->fmtp,
				   "useinbandfec", &value));
	assert_span(value, "1");
}

/* Every recorded description of three m-lines, whole and with LF alone. */
static void test_recorded(void)
{
	static const char *const names[] = {
		"sdp_0.6.12_offer.sdp",
		"sdp_0.6.12_answer.sdp",
		"sdp_0.6.12_nontrickle_offer.sdp",
		"sdp_0.6.12_nontrickle_answer.sdp",
		"sdp_0.6.12_recvonly_offer.sdp",
		"sdp_0.6.12_recvonly_answer.sdp",
		"sdp_0.6.37_offer.sdp",
		"sdp_0.6.37_answer.sdp",
		"sdp_0.6.37_nontrickle_offer.sdp",
		"sdp_0.6.37_nontrickle_answer.sdp",
		"sdp_0.6.37_recvonly_offer.sdp",
		"sdp_0.6.37_recvonly_answer.sdp",
		"sdp_0.9.3_offer.sdp",
		"sdp_0.9.3_answer.sdp",
		"sdp_2.6.2_offer.sdp",
		"sdp_2.6.2_answer.sdp",
	};
	struct sdp_session *s = g_new(struct sdp_session, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *text = load(names[i]), *lf;
		char **parts = g_strsplit(text, "\r\n", -1);

		g_test_message("%s", names[i]);
		lf = g_strjoinv("\n", parts);
		g_assert_cmpint(parse_text(text, s), ==, 0);
		check_recorded(s);
		g_assert_cmpint(parse_text(lf, s), ==, 0);
		check_recorded(s);
		g_strfreev(parts);
		g_free(lf);
		g_free(text);
	}
	g_free(s);
}

static void test_details(void)
{
	struct sdp_session *s = g_new(struct sdp_session, 1);
	char *text = load("sdp_0.6.12_nontrickle_offer.sdp");

	g_assert_cmpint(parse_text(text, s), ==, 0);
	g_assert_cmpuint(s->media[0].n_candidates, ==, 4);
	assert_span(s->media[0].candidates[0],
		    "candidate:2001791793 1 udp 2122194687 192.0.2.2 45880 "
		    "typ host generation 0 network-id 1");
	assert_span(s->media[1].msid, "2525984a-7052-4b04-bb7c-adbb13055ebd "
				      "95c4f447-ab2d-4688-8600-8d8091a62543");
	g_assert_cmpuint(s->media[1].ssrcs[0].ssrc, ==, 2234636749);
	g_assert_cmpuint(s->media[1].ssrcs[0].rtx_ssrc, ==, 3589926830);
	g_assert_true(s->media[1].ssrcs[1].is_rtx);
	assert_span(s->media[1].ssrcs[0].cname, "g6NLLEhxlGg686Bk");
	g_assert_cmpuint(s->media[0].n_extmaps, ==, 4);
	g_assert_cmpint(s->media[0].transport.setup, ==, SDP_SETUP_ACTPASS);
	g_free(text);
	g_free(s);
}

/* A browser of 2016: old SCTP syntax, names for mids, payload types whose
 * rtpmap was removed, session level credentials and direction. */
static void test_old(void)
{
	static const char text[] =
		"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
		"a=group:BUNDLE audio data\na=ice-ufrag:abcd\n"
		"a=ice-pwd:0123456789012345678901\na=setup:active\n"
		"a=fingerprint:sha-1 00:11\na=fingerprint:sha-256 22:33\n"
		"a=recvonly\n"
		"m=audio 1/2 RTP/SAVPF 111 96 0\nb=AS:40\nb=TIAS:39000\n"
		"a=mid:audio\na=rtpmap:111 opus/48000/2\n"
		"a=fmtp:111 minptime=10; useinbandfec=1; stereo ;\n"
		"a=rtcp-fb:* transport-cc\na=fmtp:97 apt=96\n"
		"m=application 9 DTLS/SCTP 5000\na=mid:data\n"
		"a=sctpmap:5001 webrtc-datachannel 1024\na=sendrecv\n";
	struct sdp_session *s = g_new(struct sdp_session, 1);
	struct sdp_span value;

	g_assert_cmpint(parse_text(text, s), ==, 0);
	assert_span(s->transport.ufrag, "abcd");
	assert_span(s->transport.fingerprint, "sha-256 22:33");
	g_assert_cmpint(s->media[0].direction, ==, SDP_RECVONLY);
	g_assert_cmpint(s->media[1].direction, ==, SDP_SENDRECV);
	g_assert_cmpuint(s->media[0].max_bps, ==, 39000);
	g_assert_cmpuint(s->media[0].n_codecs, ==, 3);
	g_assert_false(sdp_media_find_pt(&s->media[0], 96)->has_rtpmap);
	g_assert_cmpuint(sdp_media_find_pt(&s->media[0], 0)->fb, ==,
			 SDP_FB_TWCC);
	g_assert_true(sdp_fmtp_get(s->media[0].codecs[0].fmtp, "useinbandfec",
				   &value));
	assert_span(value, "1");
	g_assert_true(
		sdp_fmtp_get(s->media[0].codecs[0].fmtp, "stereo", &value));
	assert_span(value, "");
	g_assert_false(
		sdp_fmtp_get(s->media[0].codecs[0].fmtp, "stere", &value));
	g_assert_cmpuint(s->media[1].sctp_port, ==, 5001);
	g_free(s);
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		unsigned int line;
	} rows[] = {
		{"", 0},
		{"\n\n", 2},
		{"v=1\n", 1},
		{"m=audio 9 RTP/SAVPF 0\n", 1},
		{"v=0\nx\n", 2},
		{"v=0\nm=audio\n", 2},
		{"v=0\nm=audio 9 RTP/SAVPF\n", 2},
		{"v=0\nm=audio 65536 RTP/SAVPF 0\n", 2},
		{"v=0\nm=audio -1 RTP/SAVPF 0\n", 2},
		{"v=0\nm=audio 9 RTP/SAVPF x\n", 2},
		{"v=0\nm=audio 9 RTP/SAVPF 128\n", 2},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=rtpmap:0 PCMU\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=rtpmap:0 PCMU/0\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=rtpmap:z PCMU/8000\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=setup:maybe\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=extmap:0 urn:x\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=extmap:1\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=ssrc:4294967296 cname:a\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=ssrc-group:FID 1\n", 3},
		{"v=0\nm=audio 9 RTP/SAVPF 0\na=mid:\n", 3},
		{"v=0\nm=application 9 DTLS/SCTP x\na=sctp-port:70000\n", 3},
		{"v=0\nm=video 9 RTP/SAVPF 0\nb=AS:-4\n", 3},
	};
	struct sdp_session *s = g_new(struct sdp_session, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		unsigned int line = 99;

		g_test_message("%s", rows[i].text);
		g_assert_cmpint(
			sdp_parse(rows[i].text, strlen(rows[i].text), s, &line),
			==, -EBADMSG);
		g_assert_cmpuint(line, ==, rows[i].line);
	}
	g_assert_cmpint(sdp_parse("v=0\0\n", 5, s, NULL), ==, -EBADMSG);
	g_free(s);
}

static void test_limits(void)
{
	struct sdp_session *s = g_new(struct sdp_session, 1);
	GString *t = g_string_new("v=0\n");

	for (unsigned int i = 0; i < SDP_MAX_MEDIA; i++)
		g_string_append(t, "m=audio 9 RTP/SAVPF 0\n");
	g_assert_cmpint(parse_text(t->str, s), ==, 0);
	g_string_append(t, "m=audio 9 RTP/SAVPF 0\n");
	g_assert_cmpint(parse_text(t->str, s), ==, -EMSGSIZE);

	g_string_assign(t, "v=0\nm=audio 9 RTP/SAVPF");
	for (unsigned int i = 0; i <= SDP_MAX_CODECS; i++)
		g_string_append_printf(t, " %u", i);
	g_assert_cmpint(parse_text(t->str, s), ==, -EMSGSIZE);

	/* Candidates and SSRCs over the limit cost themselves alone. */
	g_string_assign(t, "v=0\nm=audio 9 RTP/SAVPF 0\n");
	for (unsigned int i = 0; i < 100; i++)
		g_string_append_printf(t,
				       "a=candidate:%u\na=ssrc:%u cname:x\n"
				       "a=extmap:%u urn:%u\n",
				       i, i, i + 1, i);
	g_assert_cmpint(parse_text(t->str, s), ==, 0);
	g_assert_cmpuint(s->media[0].n_candidates, ==, SDP_MAX_CANDIDATES);
	g_assert_cmpuint(s->media[0].n_ssrcs, ==, SDP_MAX_SSRCS);
	g_assert_cmpuint(s->media[0].n_extmaps, ==, SDP_MAX_EXTMAPS);

	g_string_assign(t, "v=0\na=");
	for (unsigned int i = 0; i < SDP_MAX_LINE; i++)
		g_string_append_c(t, 'x');
	g_assert_cmpint(parse_text(t->str, s), ==, -EMSGSIZE);

	g_string_assign(t, "v=0\n");
	while (t->len <= SDP_MAX_BYTES)
		g_string_append(t, "a=padding of no meaning\n");
	g_assert_cmpint(parse_text(t->str, s), ==, -EMSGSIZE);
	g_string_free(t, TRUE);
	g_free(s);
}

static void test_numbers(void)
{
	uint64_t n = 7;

	g_assert_true(sdp_span_number(
		(struct sdp_span){"18446744073709551615", 20}, UINT64_MAX, &n));
	g_assert_cmpuint(n, ==, UINT64_MAX);
	g_assert_false(sdp_span_number(
		(struct sdp_span){"18446744073709551616", 20}, UINT64_MAX, &n));
	g_assert_false(sdp_span_number((struct sdp_span){"", 0}, 5, &n));
	g_assert_false(sdp_span_number((struct sdp_span){"6", 1}, 5, &n));
	g_assert_true(sdp_span_number((struct sdp_span){"5", 1}, 5, &n));
	g_assert_cmpuint(n, ==, 5);
}

static void test_writer(void)
{
	struct sdp_writer w;
	char buf[16];

	sdp_writer_init(&w, buf, sizeof(buf));
	sdp_part(&w, "m=%s", "x");
	sdp_line(&w, " %d", 9);
	g_assert_cmpint(sdp_writer_finish(&w), ==, 7);
	g_assert_cmpstr(buf, ==, "m=x 9\r\n");
	sdp_line(&w, "%s", "0123456");
	g_assert_cmpint(sdp_writer_finish(&w), ==, -ENOSPC);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sdp/recorded", test_recorded);
	g_test_add_func("/sdp/details", test_details);
	g_test_add_func("/sdp/old", test_old);
	g_test_add_func("/sdp/bad", test_bad);
	g_test_add_func("/sdp/limits", test_limits);
	g_test_add_func("/sdp/numbers", test_numbers);
	g_test_add_func("/sdp/writer", test_writer);
	return g_test_run();
}
