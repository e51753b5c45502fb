// SPDX-License-Identifier: Apache-2.0
#include "webrtc/jsep-test.h"

#include <stdio.h>

/* --- recordings --------------------------------------------------------- */
static const char *const versions[] = {"0.6.12", "0.6.37", "0.9.3", "2.6.2"};

static void test_recorded_offers(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		char *name = g_strdup_printf("sdp_%s_offer.sdp", versions[i]);
		char *offer = load(name), *answer;
		struct jsep *j = make(true, true, both, 2);
		const struct jsep_negotiated *n = offer_in(j, offer, &answer);
		const struct jsep_media *a = &n->media[0], *v = &n->media[1];

		g_test_message("%s", name);
		g_assert_cmpuint(n->n_media, ==, 3);
		g_assert_cmpint(n->dtls_role, ==, JSEP_DTLS_SERVER);
		g_assert_cmpstr(n->fingerprint_algorithm, ==, "sha-256");
		g_assert_cmpuint(strlen(n->fingerprint), ==, 95);
		g_assert_cmpuint(strlen(n->ufrag), ==, 4);
		g_assert_cmpuint(strlen(n->pwd), ==, 24);
		g_assert_true(n->data);
		g_assert_cmpuint(n->remote_sctp_port, ==, 5000);
		g_assert_cmpuint(n->remote_max_message_size, ==, 262144);
		g_assert_true(n->changed);
		g_assert_false(n->ice_restarted);
		g_assert_cmpuint(n->n_candidates, ==, 0);
		g_assert_cmpint(n->audio_send, ==, 0);
		g_assert_cmpint(n->video_send, ==, 1);
		g_assert_cmpint(n->audio_receive, ==, 0);
		g_assert_cmpint(n->video_receive, ==, 1);

		g_assert_true(a->send && a->receive);
		g_assert_cmpint(a->sending.codec, ==, MEDIA_CODEC_OPUS);
		g_assert_cmpuint(a->sending.pt, ==, 111);
		g_assert_cmpint(a->sending.rtx_pt, ==, -1);
		g_assert_cmpuint(a->sending.fb, ==, SDP_FB_TWCC);
		g_assert_cmpuint(a->ext[JSEP_EXT_AUDIO_LEVEL], ==, 1);
		g_assert_cmpuint(a->ext[JSEP_EXT_PLAYOUT_DELAY], ==, 0);

		g_assert_true(v->send && v->receive);
		g_assert_cmpint(v->sending.codec, ==, MEDIA_CODEC_H264);
		g_assert_cmpuint(v->sending.pt, ==, 108);
		g_assert_cmpint(v->sending.rtx_pt, ==, 109);
		g_assert_cmphex(v->sending.h264_profile_level_id, ==, 0x42e01f);
		g_assert_cmpuint(v->sending.fb, ==,
				 SDP_FB_NACK | SDP_FB_PLI | SDP_FB_FIR |
					 SDP_FB_TWCC);
		g_assert_cmpuint(v->n_receiving, ==, 2);
		g_assert_cmpint(v->receiving[1].codec, ==, MEDIA_CODEC_VP8);
		g_assert_cmpuint(v->receiving[1].pt, ==, 96);
		g_assert_cmpuint(v->ext[JSEP_EXT_MID], ==, 4);
		g_assert_cmpuint(v->ext[JSEP_EXT_ABS_SEND_TIME], ==, 2);
		g_assert_cmpuint(v->ext[JSEP_EXT_TWCC], ==, 3);
		g_assert_cmpuint(v->ext[JSEP_EXT_PLAYOUT_DELAY], ==, 5);
		g_assert_cmpuint(v->n_remote, ==, 1);
		g_assert_cmpuint(v->remote[0].ssrc, !=, 0);
		g_assert_cmpuint(v->remote[0].rtx_ssrc, !=, 0);
		g_assert_cmpuint(strlen(v->remote_stream), ==, 36);
		/* 2.6.2 has a stream per kind; the others one for both. */
		g_assert_cmpint(strcmp(v->remote_stream, a->remote_stream) == 0,
				==, i < 3);

		assert_lines(
			answer,
			(const char *const[]){
				"a=group:BUNDLE 0 1 2",
				"m=audio 9 UDP/TLS/RTP/SAVPF 111",
				"a=setup:passive",
				"a=mid:0",
				"a=extmap:1 "
				"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
				"a=sendrecv",
				"a=msid:box box-audio",
				"a=rtcp-mux",
				"a=rtcp-rsize",
				"a=rtpmap:111 opus/48000/2",
				"a=ssrc:1001 cname:cn",
				"m=video 9 UDP/TLS/RTP/SAVPF 108 109 96 97",
				"a=mid:1",
				"a=sendrecv",
				"a=msid:box box-video",
				"a=rtpmap:108 H264/90000",
				"a=rtcp-fb:108 transport-cc",
				"a=fmtp:108 level-asymmetry-allowed=1;"
				"packetization-mode=1;profile-level-id=42e01f",
				"a=rtpmap:109 rtx/90000",
				"a=fmtp:109 apt=108",
				"a=rtpmap:96 VP8/90000",
				"a=ssrc-group:FID 1002 1003",
				"m=application 9 UDP/DTLS/SCTP "
				"webrtc-datachannel",
				"a=setup:passive",
				"a=mid:2",
				"a=sctp-port:5000",
				"a=max-message-size:262144",
				NULL});
		g_assert_cmpuint(count(answer, "goog-remb"), ==, 0);
		jsep_free(j);
		g_free(answer);
		g_free(offer);
		g_free(name);
	}
}

static void test_recorded_answers(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		char *name = g_strdup_printf("sdp_%s_answer.sdp", versions[i]);
		char *answer = load(name), *offer;
		struct jsep *j = make(true, true, vp8, 1);
		const struct jsep_negotiated *n;

		g_test_message("%s", name);
		g_assert_cmpint(jsep_create_offer(j, &offer), ==, 0);
		assert_lines(
			offer,
			(const char *const[]){
				"o=- 42 1 IN IP4 127.0.0.1",
				"a=group:BUNDLE 0 1 2",
				"m=audio 9 UDP/TLS/RTP/SAVPF 111",
				"a=setup:actpass", "a=sendrecv",
				"a=msid:box box-audio",
				"m=video 9 UDP/TLS/RTP/SAVPF 96 97 108 109",
				"a=extmap:5 http://www.webrtc.org/experiments/"
				"rtp-hdrext/playout-delay",
				"a=sendrecv", "a=rtpmap:96 VP8/90000",
				"a=rtcp-fb:96 goog-remb",
				"a=rtcp-fb:96 transport-cc",
				"a=ssrc-group:FID 1002 1003",
				"m=application 9 UDP/DTLS/SCTP "
				"webrtc-datachannel",
				"a=max-message-size:262144", NULL});

		n = answer_in(j, answer);
		g_assert_cmpint(n->dtls_role, ==, JSEP_DTLS_SERVER);
		g_assert_true(n->media[0].send && n->media[0].receive);
		g_assert_true(n->media[1].send && n->media[1].receive);
		g_assert_cmpint(n->media[1].sending.codec, ==, MEDIA_CODEC_VP8);
		g_assert_cmpuint(n->media[1].sending.pt, ==, 96);
		g_assert_cmpint(n->media[1].sending.rtx_pt, ==, 97);
		g_assert_cmpuint(n->media[1].sending.fb, ==,
				 SDP_FB_NACK | SDP_FB_PLI | SDP_FB_FIR |
					 SDP_FB_TWCC);
		g_assert_cmpuint(n->media[1].n_receiving, ==, 2);
		g_assert_cmpuint(strlen(n->media[1].remote_stream), ==, 36);
		jsep_free(j);
		g_free(offer);
		g_free(answer);
		g_free(name);
	}
}

static void test_nontrickle(void)
{
	static const char *const names[] = {"0.6.12", "0.6.37"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *name = g_strdup_printf("sdp_%s_nontrickle_offer.sdp",
					     names[i]);
		char *offer = load(name), *answer;
		struct jsep *j = make(true, true, both, 2);
		const struct jsep_negotiated *n = offer_in(j, offer, &answer);

		/* Four lines, two of them TCP; those of m-line 0 alone. */
		g_assert_cmpuint(n->n_candidates, ==, 2);
		g_assert_cmpstr(n->candidates[0].address, ==, "192.0.2.2");
		g_assert_cmpstr(n->candidates[1].address, ==, "fd00::2");
		g_assert_cmpint(n->remote_end_of_candidates, ==, i == 1);
		jsep_free(j);
		g_free(answer);
		g_free(offer);
		g_free(name);
	}
}

static void test_receive_only(void)
{
	static const char *const names[] = {"0.6.12", "0.6.37"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *name =
			g_strdup_printf("sdp_%s_recvonly_offer.sdp", names[i]);
		char *sdp = load(name), *text;
		struct jsep *j = make(true, true, both, 2);
		const struct jsep_negotiated *n = offer_in(j, sdp, &text);

		g_assert_true(n->media[0].send && !n->media[0].receive);
		g_assert_true(n->media[1].send && !n->media[1].receive);
		g_assert_cmpint(n->video_receive, ==, -1);
		g_assert_cmpuint(count(text, "a=sendonly\r\n"), ==, 2);
		jsep_free(j);
		g_free(text);
		g_free(sdp);
		g_free(name);

		name = g_strdup_printf("sdp_%s_recvonly_answer.sdp", names[i]);
		sdp = load(name);
		j = make(true, true, both, 2);
		g_assert_cmpint(jsep_create_offer(j, &text), ==, 0);
		/* It was made for the offer above, so it is sendonly. */
		n = answer_in(j, sdp);
		g_assert_false(n->media[1].send);
		g_assert_true(n->media[1].receive);
		g_assert_cmpint(n->video_send, ==, -1);
		jsep_free(j);
		g_free(text);
		g_free(sdp);
		g_free(name);
	}
}

/* A page replaces its stream twice: two more m-lines each time. We stay on the
 * first pair, the page's current stream is on the last. */
static void check_growth(const char *version, unsigned int n_offers)
{
	static const struct {
		unsigned int n_media;
		int receive;
		const char *directions[8];
	} rows[] = {
		{3, 1, {"sendrecv", "sendrecv"}},
		{5, 4, {"sendonly", "sendonly", "recvonly", "recvonly"}},
		{7,
		 6,
		 {"sendonly", "sendonly", "inactive", "inactive", "recvonly",
		  "recvonly"}},
		{7,
		 6,
		 {"sendonly", "sendonly", "inactive", "inactive", "recvonly",
		  "recvonly"}},
	};
	struct jsep *j = make(true, true, both, 2);
	char *stream = NULL;

	for (unsigned int i = 0; i < n_offers; i++) {
		char *name = g_strdup_printf("replace_%s_%u_offer.sdp", version,
					     i + 1);
		char *offer = load(name), *answer;
		const struct jsep_negotiated *n;
		char *wanted[9] = {0};

		g_test_message("%s", name);
		n = offer_in(j, offer, &answer);
		g_assert_cmpuint(n->n_media, ==, rows[i].n_media);
		g_assert_cmpint(n->audio_send, ==, 0);
		g_assert_cmpint(n->video_send, ==, 1);
		g_assert_cmpint(n->video_receive, ==, rows[i].receive);
		g_assert_cmpint(n->audio_receive, ==,
				rows[i].receive == 1 ? 0 : rows[i].receive - 1);
		g_assert_false(n->ice_restarted);
		g_assert_false(n->dtls_changed);
		g_assert_cmpint(n->changed, ==, i < 3);
		g_assert_cmpstr(n->media[n->video_receive].remote_stream, !=,
				"");
		if (i < 3)
			g_assert_cmpstr(
				n->media[n->video_receive].remote_stream, !=,
				stream);
		g_free(stream);
		stream = g_strdup(n->media[n->video_receive].remote_stream);

		for (unsigned int k = 0; rows[i].directions[k]; k++)
			wanted[k] =
				g_strconcat("a=", rows[i].directions[k], NULL);
		assert_lines(answer, (const char *const *) wanted);
		g_assert_cmpuint(count(answer, "\r\nm="), ==, rows[i].n_media);
		g_assert_cmpuint(count(answer, "a=msid:box"), ==, 2);
		for (unsigned int k = 0; wanted[k]; k++)
			g_free(wanted[k]);
		g_free(answer);
		g_free(offer);
		g_free(name);
	}
	g_free(stream);
	jsep_free(j);
}

static void test_growth(void)
{
	check_growth("0.6.12", 4);
	check_growth("0.6.37", 4);
}

/* The recorded answerer's own offers would be of seven m-lines; ours grow with
 * those of the remote, and its answers fit them. */
static void test_growth_then_our_offer(void)
{
	struct jsep *page = make(true, true, vp8, 1);
	struct jsep *box = make(true, true, both, 2);
	char *sdp = load("replace_0.6.37_3_offer.sdp"), *answer, *offer;
	const struct jsep_negotiated *n;

	offer_in(box, sdp, &answer);
	g_assert_cmpint(jsep_create_offer(box, &offer), ==, 0);
	g_assert_cmpuint(count(offer, "\r\nm="), ==, 7);
	g_assert_cmpuint(count(offer, "a=sendrecv\r\n"), ==, 2);
	g_assert_cmpuint(count(offer, "a=recvonly\r\n"), ==, 4);
	assert_lines(offer,
		     (const char *const[]){
			     "a=group:BUNDLE 0 1 2 3 4 5 6",
			     "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=sendrecv",
			     "m=video 9 UDP/TLS/RTP/SAVPF 108 109 96 97",
			     "a=sendrecv", NULL});
	g_free(answer);
	n = offer_in(page, offer, &answer);
	g_assert_cmpuint(n->n_media, ==, 7);
	n = answer_in(box, answer);
	g_assert_cmpint(n->video_send, ==, 1);
	jsep_free(page);
	jsep_free(box);
	g_free(answer);
	g_free(offer);
	g_free(sdp);
}

/* --- both ends ours ----------------------------------------------------- */
static void check_pair(unsigned int bits)
{
	bool as = bits & 1, vs = bits & 2, ar = bits & 4, vr = bits & 8;
	struct jsep *a = make(as, vs, both, 2);
	struct jsep *b = make(ar, vr, vp8, 1);
	const struct jsep_negotiated *na, *nb;
	char *offer, *answer;

	g_assert_cmpint(jsep_create_offer(a, &offer), ==, 0);
	g_assert_cmpint(jsep_get_state(a), ==, RTC_SIGNALING_HAVE_LOCAL_OFFER);
	nb = offer_in(b, offer, &answer);
	na = answer_in(a, answer);
	g_assert_cmpint(jsep_get_state(a), ==, RTC_SIGNALING_STABLE);

	g_assert_cmpint(na->dtls_role, ==, JSEP_DTLS_CLIENT);
	g_assert_cmpint(nb->dtls_role, ==, JSEP_DTLS_SERVER);
	g_assert_cmpint(na->media[0].send, ==, as);
	g_assert_cmpint(na->media[1].send, ==, vs);
	g_assert_cmpint(na->media[0].receive, ==, ar);
	g_assert_cmpint(na->media[1].receive, ==, vr);
	g_assert_cmpint(nb->media[0].send, ==, ar);
	g_assert_cmpint(nb->media[1].send, ==, vr);
	g_assert_cmpint(nb->media[0].receive, ==, as);
	g_assert_cmpint(nb->media[1].receive, ==, vs);
	g_assert_true(na->data && nb->data);
	if (vs)
		g_assert_cmpint(na->media[1].sending.codec, ==,
				MEDIA_CODEC_H264);
	if (vr)
		g_assert_cmpint(nb->media[1].sending.codec, ==,
				MEDIA_CODEC_VP8);
	if (vr) {
		g_assert_cmpstr(na->media[1].remote_stream, ==, "box");
		g_assert_cmpuint(na->media[1].remote[0].ssrc, ==, 1002);
		g_assert_cmpuint(na->media[1].remote[0].rtx_ssrc, ==, 1003);
	}
	g_assert_cmpstr(na->ufrag, ==, "ufrg");
	g_free(offer);
	g_free(answer);

	/* The same again, from the other side: nothing changes, and the DTLS
	 * roles stay although the offer leaves them open. */
	g_assert_cmpint(jsep_create_offer(b, &offer), ==, 0);
	na = offer_in(a, offer, &answer);
	g_assert_nonnull(strstr(answer, "a=setup:active\r\n"));
	nb = answer_in(b, answer);
	g_assert_cmpint(na->dtls_role, ==, JSEP_DTLS_CLIENT);
	g_assert_cmpint(nb->dtls_role, ==, JSEP_DTLS_SERVER);
	g_assert_false(na->ice_restarted || na->dtls_changed);
	g_assert_false(nb->ice_restarted || nb->dtls_changed);
	g_assert_cmpint(na->media[1].send, ==, vs);
	g_assert_cmpint(na->media[1].receive, ==, vr);
	g_assert_cmpuint(na->n_media, ==, 3);

	jsep_free(a);
	jsep_free(b);
	g_free(offer);
	g_free(answer);
}

static void test_pairs(void)
{
	for (unsigned int bits = 0; bits < 16; bits++)
		check_pair(bits);
}

static void test_ice_restart(void)
{
	struct jsep *a = make(true, true, both, 2);
	struct jsep *b = make(true, true, both, 2);
	const struct jsep_negotiated *n;
	char *offer, *answer;

	g_assert_cmpint(jsep_create_offer(a, &offer), ==, 0);
	offer_in(b, offer, &answer);
	answer_in(a, answer);
	g_free(offer);
	g_free(answer);

	g_assert_cmpint(jsep_add_local_candidate(a, "candidate:1 1 udp 1 "
						    "1.2.3.4 5 typ host"),
			==, 0);
	jsep_set_ice_credentials(a, "newufrag", "0123456789012345678901");
	g_assert_cmpint(jsep_create_offer(a, &offer), ==, 0);
	g_assert_nonnull(strstr(offer, "a=candidate"));
	g_assert_cmpint(jsep_add_local_candidate(a, "candidate:1 1 udp 1 "
						    "1.2.3.4 5 typ host"),
			==, -EEXIST);
	g_assert_cmpint(jsep_accept_offer(b, offer, strlen(offer)), ==, 0);
	n = jsep_get_negotiated(b);
	g_assert_true(n->ice_restarted);
	g_assert_false(n->changed || n->dtls_changed);
	g_assert_cmpstr(n->ufrag, ==, "newufrag");
	jsep_set_ice_credentials(b, "otherufr", "9123456789012345678901");
	g_assert_cmpint(jsep_create_answer(b, &answer), ==, 0);
	n = answer_in(a, answer);
	g_assert_true(n->ice_restarted);
	g_assert_cmpstr(n->ufrag, ==, "otherufr");
	jsep_free(a);
	jsep_free(b);
	g_free(offer);
	g_free(answer);
}

/* Nothing, then a stream, then another one, then nothing again: the same
 * m-lines and sources all the time. */
static void test_tracks_come_and_go(void)
{
	static const struct {
		bool audio, video;
		const char *stream, *first, *second;
	} steps[] = {
		{false, false, "none", "recvonly", "recvonly"},
		{true, true, "one", "sendrecv", "sendrecv"},
		{false, true, "two", "recvonly", "sendrecv"},
		{false, false, "two", "recvonly", "recvonly"},
		{true, true, "three", "sendrecv", "sendrecv"},
	};
	struct jsep *a = make(false, false, both, 2);
	struct jsep *b = make(true, true, both, 2);

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		const struct jsep_negotiated *n;
		char *offer, *answer;
		char first[32], second[32], msid[32];

		jsep_set_tracks(a, steps[i].audio, steps[i].video,
				steps[i].stream);
		g_assert_cmpint(jsep_create_offer(a, &offer), ==, 0);
		snprintf(first, sizeof(first), "a=%s", steps[i].first);
		snprintf(second, sizeof(second), "a=%s", steps[i].second);
		snprintf(msid, sizeof(msid), "a=msid:%s", steps[i].stream);
		assert_lines(offer, (const char *const[]){
					    "a=mid:0", first, "a=mid:1",
					    second, NULL});
		/* what was announced stays */
		g_assert_cmpuint(count(offer, msid), ==, i > 0 ? 2 : 0);
		g_assert_cmpuint(count(offer, "a=ssrc:1001 cname"), ==, i > 0);
		/* either side's wish holds in the answers too */
		if (i % 2) {
			offer_in(b, offer, &answer);
			n = answer_in(a, answer);
		} else {
			jsep_rollback(a);
			g_free(offer);
			g_assert_cmpint(jsep_create_offer(b, &offer), ==, 0);
			n = offer_in(a, offer, &answer);
			answer_in(b, answer);
		}
		g_assert_cmpint(n->audio_send, ==, steps[i].audio ? 0 : -1);
		g_assert_cmpint(n->video_send, ==, steps[i].video ? 1 : -1);
		g_assert_cmpuint(n->n_media, ==, 3);
		n = jsep_get_negotiated(b);
		g_assert_cmpint(n->video_receive, ==, steps[i].video ? 1 : -1);
		if (steps[i].video)
			g_assert_cmpstr(n->media[1].remote_stream, ==,
					steps[i].stream);
		g_free(offer);
		g_free(answer);
	}
	jsep_free(a);
	jsep_free(b);
}

/* Towards an MCU: nothing is taken, whoever offers. */
static void test_send_only(void)
{
	struct jsep_config config = {
		.send_audio = true, .no_receive = true,
		.video_codecs = vp8, .n_video_codecs = 1, .stream_id = "box",
		.cname = "cn", .audio_ssrc = 1001, .video_ssrc = 1002,
		.video_rtx_ssrc = 1003, .fingerprint = PRINT_A,
		.ufrag = "ufrg", .pwd = "0123456789abcdefghijklmn",
		.session_id = 42,
	};

	for (int role = 0; role < 2; role++) {
		struct jsep *a = jsep_new(&config);
		struct jsep *b = make(true, true, both, 2);
		const struct jsep_negotiated *n;
		char *offer, *answer;

		g_assert_cmpint(jsep_create_offer(role ? b : a, &offer), ==, 0);
		offer_in(role ? a : b, offer, &answer);
		answer_in(role ? b : a, answer);
		assert_lines(role ? answer : offer,
			     (const char *const[]){"a=mid:0", "a=sendonly",
						   "a=mid:1", "a=inactive",
						   NULL});
		n = jsep_get_negotiated(a);
		g_assert_cmpint(n->audio_send, ==, 0);
		g_assert_cmpint(n->audio_receive, ==, -1);
		g_assert_cmpint(n->video_receive, ==, -1);
		n = jsep_get_negotiated(b);
		g_assert_cmpint(n->audio_receive, ==, 0);
		g_assert_cmpint(n->audio_send, ==, -1);
		g_free(offer);
		g_free(answer);
		jsep_free(a);
		jsep_free(b);
	}
}

/* A description of another connection is told from one of the same. */
static void test_other_connection(void)
{
	struct jsep *a = make(true, true, both, 2);
	struct jsep *b = make(true, true, both, 2);
	char *offer, *answer, *other;

	g_assert_cmpint(jsep_create_offer(b, &offer), ==, 0);
	g_assert_false(jsep_is_other_connection(a, offer, strlen(offer)));
	offer_in(a, offer, &answer);
	answer_in(b, answer);
	g_assert_false(jsep_is_other_connection(a, offer, strlen(offer)));
	g_assert_false(jsep_is_other_connection(a, "v=0", 3));
	g_free(answer);
	/* an ICE restart alone is the same connection */
	jsep_set_ice_credentials(b, "newufrag", "0123456789012345678901");
	g_assert_cmpint(jsep_create_offer(b, &other), ==, 0);
	g_assert_false(jsep_is_other_connection(a, other, strlen(other)));
	/* another session with them is not */
	memcpy(strstr(other, "o=- 42"), "o=- 43", 6);
	g_assert_true(jsep_is_other_connection(a, other, strlen(other)));
	g_free(other);
	/* nor is another certificate */
	memcpy(strstr(offer, "19:89:4F"), "19:89:40", 8);
	g_assert_true(jsep_is_other_connection(a, offer, strlen(offer)));
	g_free(offer);
	jsep_free(a);
	jsep_free(b);
}

static void test_candidates_in_text(void)
{
	struct jsep *j = make(true, true, both, 2);
	char *offer, *text;

	g_assert_null(jsep_write_local(j));
	g_assert_cmpint(jsep_create_offer(j, &offer), ==, 0);
	g_assert_null(strstr(offer, "a=candidate"));
	g_assert_cmpint(jsep_add_local_candidate(j, "candidate:1 1 udp 1 "
						    "1.2.3.4 5 typ host"),
			==, 0);
	jsep_set_gathering_done(j);
	text = jsep_write_local(j);
	assert_lines(text, (const char *const[]){
				   "o=- 42 1 IN IP4 127.0.0.1",
				   "m=audio 9 UDP/TLS/RTP/SAVPF 111",
				   "a=candidate:1 1 udp 1 1.2.3.4 5 typ host",
				   "a=end-of-candidates", NULL});
	g_assert_cmpuint(count(text, "a=candidate"), ==, 1);
	g_assert_cmpstr(jsep_get_transport_mid(j), ==, "0");

	for (int r = 0, i = 0; r == 0; i++) {
		g_autofree char *line = g_strdup_printf("candidate:%d", i);

		r = jsep_add_local_candidate(j, line);
		g_assert_true(r == 0 || r == -ENOSPC);
	}
	g_free(text);
	text = jsep_write_local(j);
	g_assert_cmpuint(count(text, "a=candidate"), ==, JSEP_MAX_CANDIDATES);
	g_free(text);
	g_free(offer);
	jsep_free(j);
}

static void test_candidate_applies(void)
{
	struct jsep *j = make(true, true, both, 2);
	char *sdp = load("sdp_0.6.37_offer.sdp"), *answer;

	g_assert_true(jsep_candidate_applies(j, "1", 1));
	offer_in(j, sdp, &answer);
	g_assert_true(jsep_candidate_applies(j, "0", 0));
	g_assert_true(jsep_candidate_applies(j, NULL, 0));
	g_assert_false(jsep_candidate_applies(j, "1", 1));
	g_assert_false(jsep_candidate_applies(j, "", 2));
	jsep_free(j);
	g_free(sdp);
	g_free(answer);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jsep/recorded-offers", test_recorded_offers);
	g_test_add_func("/jsep/recorded-answers", test_recorded_answers);
	g_test_add_func("/jsep/nontrickle", test_nontrickle);
	g_test_add_func("/jsep/receive-only", test_receive_only);
	g_test_add_func("/jsep/growth", test_growth);
	g_test_add_func("/jsep/growth-then-our-offer",
			test_growth_then_our_offer);
	g_test_add_func("/jsep/pairs", test_pairs);
	g_test_add_func("/jsep/ice-restart", test_ice_restart);
	g_test_add_func("/jsep/tracks-come-and-go", test_tracks_come_and_go);
	g_test_add_func("/jsep/send-only", test_send_only);
	g_test_add_func("/jsep/other-connection", test_other_connection);
	g_test_add_func("/jsep/candidates-in-text", test_candidates_in_text);
	g_test_add_func("/jsep/candidate-applies", test_candidate_applies);
	return g_test_run();
}
