// SPDX-License-Identifier: Apache-2.0
/* Offers and answers out of the ordinary, through the public interface. */
#include "webrtc/jsep-test.h"

#include <errno.h>

/* --- less usual offers -------------------------------------------------- */
#define TRANSPORT                                                              \
	"a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"                 \
	"a=fingerprint:" PRINT_A "\na=setup:actpass\n"
#define HEAD "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
#define OPUS                                                                   \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:a\na=rtcp-mux\n"               \
	"a=rtpmap:111 opus/48000/2\n"
#define VIDEO(pts) "m=video 9 UDP/TLS/RTP/SAVPF " pts "\na=mid:v\na=rtcp-mux\n"

/* What we cannot serve is refused but keeps its place. */
static void test_rejected(void)
{
	static const char sdp[] = HEAD
		"a=group:BUNDLE x a v d\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 0 "
		"8\na=mid:x\na=rtcp-mux\n" TRANSPORT
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:a\na=rtcp-mux\n"
		"a=rtpmap:111 opus/48000/2\n" TRANSPORT VIDEO(
			"98") "a=rtpmap:98 VP9/90000\n" TRANSPORT
			      "m=message 7 TCP/MSRP *\na=mid:m\n" TRANSPORT
			      "m=application 9 DTLS/SCTP 5000\na=mid:d\n"
			      "a=sctpmap:5000 webrtc-datachannel "
			      "1024\n" TRANSPORT "m=audio 0 UDP/TLS/RTP/SAVPF "
			      "111\na=mid:z\na=rtcp-mux\n"
			      "a=rtpmap:111 opus/48000/2\n"
			      "m=audio 0 UDP/TLS/RTP/SAVPF "
			      "111\na=mid:n\na=rtcp-mux\n"
			      "a=rtpmap:111 opus/48000/2\n" TRANSPORT;
	struct jsep *j = make(true, true, both, 2);
	const struct jsep_negotiated *n;
	char *answer, *offer;

	n = offer_in(j, sdp, &answer);
	g_assert_cmpuint(n->n_media, ==, 7);
	g_assert_cmpuint(n->transport_mline, ==, 1);
	for (unsigned int i = 0; i < 7; i++)
		g_assert_cmpint(n->media[i].rejected, ==, i != 1 && i != 4);
	g_assert_cmpuint(n->remote_max_message_size, ==, 65536);
	g_assert_cmpint(n->video_send, ==, -1);
	g_assert_cmpint(n->audio_send, ==, 1);
	assert_lines(answer, (const char *const[]){
				     "a=group:BUNDLE a d",
				     "m=audio 0 UDP/TLS/RTP/SAVPF 0", "a=mid:x",
				     "m=audio 9 UDP/TLS/RTP/SAVPF 111",
				     "m=video 0 UDP/TLS/RTP/SAVPF 98",
				     "m=message 0 TCP/MSRP *",
				     "m=application 9 DTLS/SCTP 5000",
				     "a=sctpmap:5000 webrtc-datachannel 1024",
				     "m=audio 0 UDP/TLS/RTP/SAVPF 111",
				     "m=audio 0 UDP/TLS/RTP/SAVPF 111", NULL});

	/* Our own offer keeps the refused places and adds nothing. */
	g_assert_cmpint(jsep_create_offer(j, &offer), ==, 0);
	g_assert_cmpuint(count(offer, "\r\nm="), ==, 7);
	g_assert_cmpuint(count(offer, "\r\nm=video 0 "), ==, 1);
	jsep_free(j);
	g_free(answer);
	g_free(offer);
}

static void test_bundle_only(void)
{
	static const char sdp[] =
		HEAD "a=group:BUNDLE a v\n" OPUS TRANSPORT
		     "m=video 0 UDP/TLS/RTP/SAVPF 120\na=mid:v\na=rtcp-mux\n"
		     "a=bundle-only\na=rtpmap:120 VP8/90000\n" TRANSPORT;
	struct jsep *j = make(true, true, both, 2);
	char *answer;
	const struct jsep_negotiated *n = offer_in(j, sdp, &answer);

	g_assert_false(n->media[1].rejected);
	g_assert_cmpuint(n->media[1].sending.pt, ==, 120);
	g_assert_nonnull(strstr(answer, "m=video 9 UDP/TLS/RTP/SAVPF 120\r\n"));
	jsep_free(j);
	g_free(answer);
}

/* An offer of audio alone: our next offer adds what is missing, with numbers
 * that mean nothing else in the bundle. */
static void test_adding_lines(void)
{
	static const char sdp[] =
		HEAD "a=group:BUNDLE 1\n"
		     "m=audio 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtcp-mux\n"
		     "a=extmap:5 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"
		     "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\n"
		     "a=rtpmap:96 opus/48000/2\n" TRANSPORT;
	struct jsep *j = make(true, true, vp8, 1);
	char *answer, *offer;

	offer_in(j, sdp, &answer);
	g_assert_cmpint(jsep_create_offer(j, &offer), ==, 0);
	assert_lines(offer,
		     (const char *const[]){
			     "a=group:BUNDLE 1 2 3",
			     "m=audio 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1",
			     "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid",
			     "m=video 9 UDP/TLS/RTP/SAVPF 127 97 108 109",
			     "a=mid:2",
			     "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid",
			     "a=extmap:14 "
			     "http://www.webrtc.org/experiments/rtp-hdrext/"
			     "playout-delay",
			     "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
			     "a=mid:3", NULL});
	jsep_free(j);
	g_free(answer);
	g_free(offer);
}

static void check_h264(const char *fmtp, bool wanted, const char *said)
{
	char *sdp =
		g_strdup_printf(HEAD VIDEO("100") "a=rtpmap:100 H264/90000\n"
						  "a=fmtp:100 %s\n" TRANSPORT,
				fmtp);
	struct jsep *j = make(true, true, both, 2);
	char *answer;

	g_test_message("%s", fmtp);
	if (wanted) {
		offer_in(j, sdp, &answer);
		g_assert_nonnull(strstr(answer, said));
		g_free(answer);
	} else {
		g_assert_cmpint(jsep_accept_offer(j, sdp, strlen(sdp)), ==,
				-EOPNOTSUPP);
	}
	jsep_free(j);
	g_free(sdp);
}

static void test_h264_profiles(void)
{
	check_h264("packetization-mode=1;profile-level-id=42e01f;"
		   "level-asymmetry-allowed=1;",
		   true, "=42e01f\r\n");
	check_h264("packetization-mode=1; profile-level-id=42C02A; "
		   "level-asymmetry-allowed=1",
		   true, "=42c01f\r\n");
	check_h264("profile-level-id=42e00b;packetization-mode=1", true,
		   "=42e00b\r\n");
	check_h264("profile-level-id=42e034;packetization-mode=1", true,
		   "=42e01f\r\n");
	check_h264("profile-level-id=4d801f;packetization-mode=1;"
		   "level-asymmetry-allowed=1",
		   true, "=4d801f\r\n");
	check_h264("profile-level-id=42001f;packetization-mode=1", false, NULL);
	check_h264("profile-level-id=42e01f;packetization-mode=0", false, NULL);
	check_h264("profile-level-id=42e01f", false, NULL);
	check_h264("profile-level-id=4d001f;packetization-mode=1", false, NULL);
	check_h264("profile-level-id=64001f;packetization-mode=1", false, NULL);
	check_h264("profile-level-id=42e01;packetization-mode=1", false, NULL);
	check_h264("profile-level-id=42e0zz;packetization-mode=1", false, NULL);
}

/* Without the header extension transport-cc is of no use: REMB then. */
static void test_feedback_fallback(void)
{
	static const char sdp[] = HEAD VIDEO(
		"100") "a=rtpmap:100 VP8/90000\n"
		       "a=rtcp-fb:100 transport-cc\na=rtcp-fb:100 goog-remb\n"
		       "a=rtcp-fb:100 nack\n"
		       "a=extmap:15 http://www.ietf.org/id/draft-holmer-rmcat-"
		       "transport-wide-cc-extensions-01\n" TRANSPORT;
	struct jsep *j = make(true, true, both, 2);
	char *answer;
	const struct jsep_negotiated *n = offer_in(j, sdp, &answer);

	g_assert_cmpuint(n->media[0].sending.fb, ==, SDP_FB_NACK | SDP_FB_REMB);
	g_assert_cmpint(n->media[0].sending.rtx_pt, ==, -1);
	g_assert_null(strstr(answer, "transport-cc"));
	g_assert_null(strstr(answer, "FID"));
	jsep_free(j);
	g_free(answer);
}

/* A page that stops what it took on the first m-line gets it on the next. */
static void test_track_moves(void)
{
	static const char first[] = HEAD "a=group:BUNDLE a\n" OPUS TRANSPORT;
	static const char second[] =
		HEAD "a=group:BUNDLE b\n"
		     "m=audio 0 UDP/TLS/RTP/SAVPF 111\na=mid:a\n"
		     "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:b\na=rtcp-mux\n"
		     "a=rtpmap:111 opus/48000/2\n" TRANSPORT;
	struct jsep *j = make(true, true, both, 2);
	const struct jsep_negotiated *n;
	char *answer;

	offer_in(j, first, &answer);
	g_free(answer);
	n = offer_in(j, second, &answer);
	g_assert_cmpint(n->audio_send, ==, 1);
	g_assert_cmpuint(n->transport_mline, ==, 1);
	g_assert_true(n->media[0].rejected);
	g_assert_true(n->changed);
	jsep_free(j);
	g_free(answer);
}

/* --- refusals ----------------------------------------------------------- */
static void test_states(void)
{
	struct jsep *j = make(true, true, both, 2);
	char *offer = load("sdp_0.6.37_offer.sdp"), *text;
	char *answer = load("sdp_0.6.37_answer.sdp");

	g_assert_cmpint(jsep_accept_answer(j, answer, strlen(answer)), ==,
			-EBUSY);
	g_assert_cmpstr(jsep_get_error(j), !=, "");
	g_assert_cmpint(jsep_create_answer(j, &text), ==, -EBUSY);
	g_assert_cmpint(jsep_rollback(j), ==, -EBUSY);

	g_assert_cmpint(jsep_create_offer(j, &text), ==, 0);
	g_free(text);
	g_assert_cmpint(jsep_create_offer(j, &text), ==, -EBUSY);
	g_assert_cmpint(jsep_accept_offer(j, offer, strlen(offer)), ==, -EBUSY);
	g_assert_cmpint(jsep_rollback(j), ==, 0);
	g_assert_null(jsep_get_negotiated(j));

	g_assert_cmpint(jsep_accept_offer(j, offer, strlen(offer)), ==, 0);
	g_assert_cmpint(jsep_accept_offer(j, offer, strlen(offer)), ==, -EBUSY);
	g_assert_cmpint(jsep_create_offer(j, &text), ==, -EBUSY);
	g_assert_cmpint(jsep_rollback(j), ==, 0);
	g_assert_null(jsep_get_negotiated(j));
	jsep_free(j);
	g_free(offer);
	g_free(answer);
}

static void test_bad_offers(void)
{
	static const struct {
		const char *sdp;
		int error;
	} rows[] = {
		{"hello", -EBADMSG},
		{HEAD, -EBADMSG},
		{HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\n" TRANSPORT, -EOPNOTSUPP},
		{HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\n"
		      "a=rtpmap:111 opus/48000/2\n" TRANSPORT,
		 -EOPNOTSUPP},
		{HEAD "m=audio 9 RTP/AVP 111\na=rtcp-mux\n"
		      "a=rtpmap:111 opus/48000/2\n" TRANSPORT,
		 -EOPNOTSUPP},
		{HEAD OPUS "a=ice-ufrag:abcd\na=fingerprint:" PRINT_A "\n",
		 -EBADMSG},
		{HEAD OPUS "a=ice-ufrag:abc\na=ice-pwd:0123456789012345678901"
			   "\na=fingerprint:" PRINT_A "\n",
		 -EBADMSG},
		{HEAD OPUS
		 "a=ice-ufrag:abcd\na=ice-pwd:short\na=fingerprint:" PRINT_A
		 "\n",
		 -EBADMSG},
		{HEAD OPUS "a=ice-ufrag:ab\"d\na=ice-pwd:"
			   "0123456789012345678901\na=fingerprint:" PRINT_A
			   "\n",
		 -EBADMSG},
		{HEAD OPUS "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901"
			   "\n",
		 -EBADMSG},
		{HEAD OPUS "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901"
			   "\na=fingerprint:md5 00:11\n",
		 -EBADMSG},
		{HEAD OPUS "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901"
			   "\na=fingerprint:sha-256 00:11\n",
		 -EBADMSG},
		{HEAD OPUS TRANSPORT "a=setup:holdconn\n", -EOPNOTSUPP},
		{HEAD OPUS TRANSPORT OPUS TRANSPORT, -EBADMSG},
		{HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:"
		      "0123456789012345678901234567890123456789\na=rtcp-mux\n"
		      "a=rtpmap:111 opus/48000/2\n" TRANSPORT,
		 -EBADMSG},
	};
	struct jsep *j = make(true, true, both, 2);
	char *offer = load("sdp_0.6.37_offer.sdp"), *answer;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int r = jsep_accept_offer(j, rows[i].sdp, strlen(rows[i].sdp));

		g_test_message("%zu: %s", i, jsep_get_error(j));
		g_assert_cmpint(r, ==, rows[i].error);
		g_assert_cmpint(strlen(jsep_get_error(j)), >, 10);
		g_assert_cmpint(jsep_get_state(j), ==, RTC_SIGNALING_STABLE);
		g_assert_null(jsep_get_negotiated(j));
	}
	offer_in(j, offer, &answer); /* none of it did harm */
	jsep_free(j);
	g_free(answer);
	g_free(offer);
}

/* A re-offer may not take back or change what was agreed. */
static void test_bad_reoffers(void)
{
	static const char base[] =
		HEAD "a=group:BUNDLE a v\n" OPUS TRANSPORT VIDEO(
			"100") "a=rtpmap:100 VP8/90000\n" TRANSPORT;
	static const char *const rows[] = {
		HEAD OPUS TRANSPORT,
		HEAD "a=group:BUNDLE a v\n" VIDEO(
			"100") "a=rtpmap:100 VP8/90000\n" TRANSPORT OPUS
			TRANSPORT,
		HEAD "a=group:BUNDLE a w\n" OPUS TRANSPORT
		     "m=video 9 UDP/TLS/RTP/SAVPF 100\na=mid:w\na=rtcp-mux\n"
		     "a=rtpmap:100 VP8/90000\n" TRANSPORT,
	};
	struct jsep *j = make(true, true, both, 2);
	char *answer;

	offer_in(j, base, &answer);
	g_free(answer);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_cmpint(jsep_accept_offer(j, rows[i], strlen(rows[i])),
				==, -EBADMSG);
		g_test_message("%s", jsep_get_error(j));
		g_assert_cmpuint(jsep_get_negotiated(j)->n_media, ==, 2);
	}
	offer_in(j, base, &answer);
	g_assert_false(jsep_get_negotiated(j)->changed);
	jsep_free(j);
	g_free(answer);
}

/* Replaces the first @from in a good answer by @to. */
static char *spoil(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	g_assert_nonnull(at);
	return g_strdup_printf("%.*s%s%s", (int) (at - text), text, to,
			       at + strlen(from));
}

static void test_bad_answers(void)
{
	static const struct {
		const char *from, *to;
		int error;
	} rows[] = {
		{"v=0", "v=x", -EBADMSG},
		{"a=setup:active", "a=setup:actpass", -EBADMSG},
		{"a=rtcp-mux\r\n", "", -EBADMSG},
		{"a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opux/48000/2",
		 -EBADMSG},
		{"a=mid:1", "a=mid:9", -EBADMSG},
		{"m=video 9", "m=audio 9", -EBADMSG},
		{"a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0 2", -EBADMSG},
		{"a=group:BUNDLE 0 1 2", "a=nothing", -EBADMSG},
		{"a=ice-pwd:", "a=ice-pwx:", -EBADMSG},
		{"a=sctp-port:5000", "a=nothing", -EBADMSG},
		{"m=application", "m=audio 0 RTP/SAVPF 0\r\nm=application",
		 -EBADMSG},
	};
	char *good = load("sdp_0.6.37_answer.sdp"), *offer;
	struct jsep *j = make(true, true, both, 2);

	g_assert_cmpint(jsep_create_offer(j, &offer), ==, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *bad = spoil(good, rows[i].from, rows[i].to);

		g_assert_cmpint(jsep_accept_answer(j, bad, strlen(bad)), ==,
				rows[i].error);
		g_test_message("%zu: %s", i, jsep_get_error(j));
		g_assert_cmpint(jsep_get_state(j), ==,
				RTC_SIGNALING_HAVE_LOCAL_OFFER);
		g_assert_null(jsep_get_negotiated(j));
		g_free(bad);
	}
	answer_in(j, good);
	jsep_free(j);
	g_free(offer);
	g_free(good);
}

/* The remote takes our video but refuses our sound and data. */
static void test_partial_answer(void)
{
	char *good = load("sdp_0.6.37_answer.sdp"), *offer, *a, *b, *c;
	struct jsep *j = make(true, true, both, 2);
	const struct jsep_negotiated *n;

	g_assert_cmpint(jsep_create_offer(j, &offer), ==, 0);
	a = spoil(good, "m=audio 9", "m=audio 0");
	b = spoil(a, "m=application 9", "m=application 0");
	c = spoil(b, "BUNDLE 0 1 2", "BUNDLE 1");
	n = answer_in(j, c);
	g_assert_true(n->media[0].rejected && n->media[2].rejected);
	g_assert_false(n->data);
	g_assert_cmpuint(n->transport_mline, ==, 1);
	g_assert_cmpint(n->video_send, ==, 1);
	g_assert_cmpint(n->audio_send, ==, -1);
	g_assert_cmpint(n->media[1].sending.codec, ==, MEDIA_CODEC_H264);
	g_assert_cmpstr(jsep_get_transport_mid(j), ==, "1");
	jsep_free(j);
	g_free(offer);
	g_free(good);
	g_free(a);
	g_free(b);
	g_free(c);
}

/* --- another stream, again and again ------------------------------------- */
/* As browsers do it: the new stream takes lines that were rejected, else new
 * ones at the end; those of the one before stay, and say that they only
 * receive. */
struct page {
	struct {
		enum sdp_kind kind;
		unsigned int mid;
		bool sends, dead;
	} lines[SDP_MAX_MEDIA];
	unsigned int n, mids, streams;
};

static void page_add(struct page *p, enum sdp_kind kind)
{
	unsigned int i = 0;

	while (i < p->n && !p->lines[i].dead)
		i++;
	g_assert_cmpuint(i, <, SDP_MAX_MEDIA);
	p->n = MAX(p->n, i + 1);
	p->lines[i].kind = kind;
	p->lines[i].mid = p->mids++;
	p->lines[i].sends = true;
	p->lines[i].dead = false;
}

static char *page_offer(const struct page *p)
{
	GString *s = g_string_new(HEAD "a=group:BUNDLE");

	for (unsigned int i = 0; i < p->n; i++) {
		if (!p->lines[i].dead)
			g_string_append_printf(s, " %u", p->lines[i].mid);
	}
	g_string_append(s, "\n" TRANSPORT);
	for (unsigned int i = 0; i < p->n; i++) {
		bool audio = p->lines[i].kind == SDP_KIND_AUDIO;

		g_string_append_printf(
			s,
			"m=%s %u UDP/TLS/RTP/SAVPF %u\na=mid:%u\n"
			"a=rtcp-mux\na=rtpmap:%s\na=%s\n",
			audio ? "audio" : "video", p->lines[i].dead ? 0 : 9,
			audio ? 111 : 96, p->lines[i].mid,
			audio ? "111 opus/48000/2" : "96 VP8/90000",
			p->lines[i].sends ? "sendrecv" : "recvonly");
		if (p->lines[i].sends)
			g_string_append_printf(s, "a=msid:stream%u track\n",
					       p->streams);
	}
	return g_string_free(s, FALSE);
}

static void page_replace_stream(struct page *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		p->lines[i].sends = false;
	page_add(p, SDP_KIND_AUDIO);
	page_add(p, SDP_KIND_VIDEO);
	p->streams++;
}

/* Whether a line that was rejected belonged to nobody. */
static void page_take_answer(struct page *p, const struct jsep_negotiated *n)
{
	g_assert_cmpuint(n->n_media, ==, p->n);
	for (unsigned int i = 0; i < p->n; i++) {
		const struct jsep_media *m = &n->media[i];

		g_assert_false(p->lines[i].dead && !m->rejected);
		p->lines[i].dead = m->rejected;
		if (m->rejected)
			g_assert_false(p->lines[i].sends);
	}
}

static void test_replaced_streams(void)
{
	struct jsep *j = make(true, true, vp8, 1);
	const struct jsep_negotiated *n;
	struct page p = {0};
	unsigned int dead = 0;
	char stream[32];

	page_add(&p, SDP_KIND_AUDIO);
	page_add(&p, SDP_KIND_VIDEO);
	for (unsigned int i = 0; i < 100; i++) {
		g_autofree char *sdp = page_offer(&p), *answer = NULL;

		n = offer_in(j, sdp, &answer);
		page_take_answer(&p, n);
		/* our own tracks never move */
		g_assert_cmpint(n->audio_send, ==, 0);
		g_assert_cmpint(n->video_send, ==, 1);
		/* and theirs is the newest, wherever it is */
		g_assert_cmpint(n->audio_receive, >=, 0);
		g_assert_cmpint(n->video_receive, >=, 0);
		g_assert_true(p.lines[n->audio_receive].sends);
		g_snprintf(stream, sizeof(stream), "stream%u", p.streams);
		g_assert_cmpstr(n->media[n->video_receive].remote_stream, ==,
				stream);
		for (unsigned int k = 0; k < p.n; k++)
			dead += p.lines[k].dead;
		/* A new offer of ours has them as they are. */
		if (i % 10 == 0) {
			g_autofree char *ours = NULL;

			g_assert_cmpint(jsep_create_offer(j, &ours), ==, 0);
			g_assert_cmpuint(count(ours, "m=audio 0") +
						 count(ours, "m=video 0"),
					 ==, count(answer, "m=audio 0") +
						 count(answer, "m=video 0"));
			g_assert_cmpint(jsep_rollback(j), ==, 0);
		}
		page_replace_stream(&p);
	}
	g_test_message("%u m-lines after 100 streams", p.n);
	g_assert_cmpuint(dead, >, 0);
	/* those in use, those that may idle, and one round */
	g_assert_cmpuint(p.n, <=, 2 + JSEP_IDLE_LINES_MAX + 4);
	jsep_free(j);
}

/* Few that idle stay: a page that only pauses finds its lines again. */
static void test_paused_lines_stay(void)
{
	struct jsep *j = make(true, true, vp8, 1);
	struct page p = {0};

	for (unsigned int i = 0; i < 2 + JSEP_IDLE_LINES_MAX; i++)
		page_add(&p, i % 2 ? SDP_KIND_VIDEO : SDP_KIND_AUDIO);
	for (unsigned int i = 0; i < 6; i++) {
		g_autofree char *sdp = page_offer(&p), *answer = NULL;
		const struct jsep_negotiated *n = offer_in(j, sdp, &answer);

		for (unsigned int k = 0; k < p.n; k++) {
			g_assert_false(n->media[k].rejected);
			g_assert_true(n->media[k].receive == p.lines[k].sends);
			p.lines[k].sends = i % 2;
		}
	}
	jsep_free(j);
}

/* A line of ours that the page stopped and then used for the other kind. */
static void test_line_of_other_kind(void)
{
	struct jsep *j = make(true, true, vp8, 1);
	struct page p = {0};
	const struct jsep_negotiated *n;

	page_add(&p, SDP_KIND_VIDEO);
	page_add(&p, SDP_KIND_AUDIO);
	for (unsigned int i = 0; i < 3; i++) {
		g_autofree char *sdp = page_offer(&p), *answer = NULL;
		g_autofree char *ours = NULL;

		n = offer_in(j, sdp, &answer);
		g_assert_cmpint(n->audio_send, ==, 1 - (int) (i / 2));
		g_assert_cmpint(n->video_send, ==, i == 0 ? 0 : i == 1 ? -1 : 2);
		g_assert_cmpint(jsep_create_offer(j, &ours), ==, 0);
		g_assert_cmpuint(count(ours, "a=sendrecv"), ==, i == 1 ? 1 : 2);
		g_assert_cmpint(jsep_rollback(j), ==, 0);
		if (i == 0) {
			p.lines[0].dead = true;
			p.lines[0].sends = false;
			continue;
		}
		page_add(&p, SDP_KIND_AUDIO);
		page_add(&p, SDP_KIND_VIDEO);
		p.lines[1].dead = true;
		p.lines[1].sends = false;
	}
	jsep_free(j);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jsep-apply/rejected", test_rejected);
	g_test_add_func("/jsep-apply/bundle-only", test_bundle_only);
	g_test_add_func("/jsep-apply/adding-lines", test_adding_lines);
	g_test_add_func("/jsep-apply/h264-profiles", test_h264_profiles);
	g_test_add_func("/jsep-apply/feedback-fallback",
			test_feedback_fallback);
	g_test_add_func("/jsep-apply/track-moves", test_track_moves);
	g_test_add_func("/jsep-apply/states", test_states);
	g_test_add_func("/jsep-apply/bad-offers", test_bad_offers);
	g_test_add_func("/jsep-apply/bad-reoffers", test_bad_reoffers);
	g_test_add_func("/jsep-apply/bad-answers", test_bad_answers);
	g_test_add_func("/jsep-apply/replaced-streams", test_replaced_streams);
	g_test_add_func("/jsep-apply/paused-lines", test_paused_lines_stay);
	g_test_add_func("/jsep-apply/other-kind", test_line_of_other_kind);
	g_test_add_func("/jsep-apply/partial-answer", test_partial_answer);
	return g_test_run();
}
