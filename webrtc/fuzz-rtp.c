// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_header h;
	volatile uint8_t sink;
	size_t n;

	rtp_demux(data, size);
	if (rtp_parse(data, size, &h) < 0)
		return 0;
	/* All parts lie inside, in order, and nothing is left over. */
	if ((size_t) (h.payload - data) + h.payload_len + h.padding != size)
		abort();
	for (unsigned int id = 0; id < 256; id++) {
		const uint8_t *e = rtp_ext_find(&h, (uint8_t) id, &n);

		if (!e)
			continue;
		if (e < h.ext || n > (size_t) (h.ext + h.ext_len - e))
			abort();
		for (size_t i = 0; i < n; i++)
			sink = e[i];
	}
	(void) sink;
	return 0;
}
