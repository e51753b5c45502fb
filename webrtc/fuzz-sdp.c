// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sdp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte a span claims to have. */
static unsigned int touch(struct sdp_span s)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum += (unsigned char) s.p[i];
	return sum;
}

static unsigned int touch_media(const struct sdp_media *m)
{
	struct sdp_span value = {0};
	unsigned int sum = touch(m->mid) + touch(m->msid) + touch(m->formats);

	for (unsigned int i = 0; i < m->n_codecs; i++) {
		sum += touch(m->codecs[i].name) + touch(m->codecs[i].fmtp);
		if (sdp_fmtp_get(m->codecs[i].fmtp, "apt", &value))
			sum += touch(value);
		sum += (unsigned int) sdp_media_find_rtx(m, m->codecs[i].pt);
	}
	for (unsigned int i = 0; i < m->n_extmaps; i++)
		sum += touch(m->extmaps[i].uri);
	for (unsigned int i = 0; i < m->n_ssrcs; i++)
		sum += touch(m->ssrcs[i].cname) + touch(m->ssrcs[i].msid);
	for (unsigned int i = 0; i < m->n_candidates; i++)
		sum += touch(m->candidates[i]);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_session *s = malloc(sizeof(*s));
	unsigned int sum = 0;

	if (!s)
		abort();
	if (sdp_parse((const char *) data, size, s, NULL) == 0) {
		for (unsigned int i = 0; i < s->n_media; i++)
			sum += touch_media(&s->media[i]);
		for (unsigned int i = 0; i < s->n_bundles; i++)
			sum += touch(s->bundle[i]);
	}
	free(s);
	/* Looked at, so that the reads stay. */
	__asm__ volatile("" : : "r"(sum));
	return 0;
}
