// SPDX-License-Identifier: Apache-2.0
#include "media/h264-annexb.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cutting at access units loses nothing, ends, and each piece stands in the
 * bytes that were given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t pos = 0, at = 0;
	struct h264_nal nal;

	while (h264_next_nal(data, size, &pos, &nal)) {
		if (nal.size == 0 || nal.data < data ||
		    nal.size > (size_t) (data + size - nal.data) ||
		    nal.start >= (size_t) (nal.data - data) || pos > size)
			abort();
	}
	while (at < size) {
		struct h264_unit_info info;
		size_t whole = h264_find_unit(data + at, size - at, true);
		size_t known = h264_find_unit(data + at, size - at, false);

		if (whole == 0 || whole > size - at)
			abort();
		if (known != 0 && known != whole)
			abort();
		h264_inspect_unit(data + at, whole, &info);
		at += whole;
	}
	return 0;
}
