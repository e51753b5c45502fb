// SPDX-License-Identifier: Apache-2.0
/* The input is a list of descriptions: 'O' an offer, 'A' an answer to an offer
 * of ours made just before, each up to the next byte 0xff. */
#include "webrtc/jsep.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct jsep *make(void)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_H264,
						  MEDIA_CODEC_VP8};

	return jsep_new(&(struct jsep_config){
		.send_audio = true,
		.send_video = true,
		.video_codecs = codecs,
		.n_video_codecs = 2,
		.stream_id = "stream",
		.cname = "cname",
		.audio_ssrc = 1,
		.video_ssrc = 2,
		.video_rtx_ssrc = 3,
		.fingerprint = "sha-256 00",
		.ufrag = "abcd",
		.pwd = "abcdefghijklmnopqrstuv",
		.session_id = 1,
	});
}

/* What we write about anything must at least be a description. */
static void check(const char *text)
{
	struct sdp_session *s = malloc(sizeof(*s));

	if (!s || sdp_parse(text, strlen(text), s, NULL) < 0)
		abort();
	free(s);
}

static void apply(struct jsep *j, char type, const char *sdp, size_t len)
{
	char *text = NULL;

	if (type == 'O') {
		if (jsep_accept_offer(j, sdp, len) < 0)
			return;
		if (jsep_create_answer(j, &text) < 0)
			abort();
		check(text);
	} else {
		if (jsep_create_offer(j, &text) < 0)
			abort();
		check(text);
		if (jsep_accept_answer(j, sdp, len) < 0)
			jsep_rollback(j);
	}
	g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jsep *j = make();

	while (size > 1) {
		const uint8_t *end = memchr(data, 0xff, size);
		size_t n = end ? (size_t) (end - data) : size;

		if (n > 1)
			apply(j, data[0] == 'A' ? 'A' : 'O',
			      (const char *) data + 1, n - 1);
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	jsep_free(j);
	return 0;
}
