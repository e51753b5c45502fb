/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/jsep-test.h - what the tests of the negotiation share
 *
 * Thread:  the test's
 * Memory:  texts returned are to be freed with g_free()
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "webrtc/jsep.h"

#define PRINT_A                                                                \
	"sha-256 "                                                             \
	"19:89:4F:3B:47:EF:8B:09:DF:9E:87:A8:8E:1F:B9:A9:"                     \
	"64:A2:91:C7:BB:B9:C5:B3:F6:0A:5B:5B:5A:71:23:F0"

static const enum media_codec both[] = {MEDIA_CODEC_H264, MEDIA_CODEC_VP8};
static const enum media_codec vp8[] = {MEDIA_CODEC_VP8};

static inline struct jsep *make(bool audio, bool video,
				const enum media_codec *codecs, unsigned int n)
{
	return jsep_new(&(struct jsep_config){
		.send_audio = audio,
		.send_video = video,
		.video_codecs = codecs,
		.n_video_codecs = n,
		.stream_id = "box",
		.cname = "cn",
		.audio_ssrc = 1001,
		.video_ssrc = 1002,
		.video_rtx_ssrc = 1003,
		.fingerprint = PRINT_A,
		.ufrag = "ufrg",
		.pwd = "0123456789abcdefghijklmn",
		.session_id = 42,
	});
}

static inline char *load(const char *name)
{
	char *path =
		g_test_build_filename(G_TEST_DIST, "corpus", "sdp", name, NULL);
	char *text;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_free(path);
	return text;
}

static inline const struct jsep_negotiated *offer_in(struct jsep *j,
						     const char *sdp,
						     char **ret_answer)
{
	int r = jsep_accept_offer(j, sdp, strlen(sdp));

	if (r < 0)
		g_test_message("%s", jsep_get_error(j));
	g_assert_cmpint(r, ==, 0);
	g_assert_cmpint(jsep_get_state(j), ==, RTC_SIGNALING_HAVE_REMOTE_OFFER);
	g_assert_cmpint(jsep_create_answer(j, ret_answer), ==, 0);
	g_assert_cmpint(jsep_get_state(j), ==, RTC_SIGNALING_STABLE);
	return jsep_get_negotiated(j);
}

static inline const struct jsep_negotiated *answer_in(struct jsep *j,
						      const char *sdp)
{
	int r = jsep_accept_answer(j, sdp, strlen(sdp));

	if (r < 0)
		g_test_message("%s", jsep_get_error(j));
	g_assert_cmpint(r, ==, 0);
	return jsep_get_negotiated(j);
}

/* Every line of @wanted stands in the text, in this order. */
static inline void assert_lines(const char *text, const char *const wanted[])
{
	for (size_t i = 0; wanted[i]; i++) {
		char *line = g_strconcat(wanted[i], "\r\n", NULL);
		const char *at = strstr(text, line);

		if (!at)
			g_test_message("missing '%s' in\n%s", wanted[i], text);
		g_assert_nonnull(at);
		text = at;
		g_free(line);
	}
}

static inline unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}
