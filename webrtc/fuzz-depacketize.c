// SPDX-License-Identifier: Apache-2.0
/* The input is a row of payloads, each behind a byte with its length; the
 * first byte chooses the codec and how little room there is. */
#include "webrtc/depacketize.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct depacketizer d;
	size_t room;
	uint8_t *out;
	bool h264;

	if (!size)
		return 0;
	h264 = data[0] & 1;
	room = data[0] & 2 ? 64 : 4096;
	out = malloc(room);
	depacketizer_init(&d, out, room);
	data++;
	size--;
	while (size) {
		size_t n = data[0], before = d.len;
		int r;

		data++;
		size--;
		if (n > size)
			n = size;
		r = h264 ? depacketize_h264(&d, data, n)
			 : depacketize_vp8(&d, data, n);
		if (d.len > room || (r < 0 && d.len != before) ||
		    (r == 0 && d.len == before))
			abort();
		data += n;
		size -= n;
	}
	free(out);
	return 0;
}
