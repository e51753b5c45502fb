// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "webrtc/dcep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parses, is written the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[DCEP_OPEN_MAX_BYTES];
	struct dcep_message m;
	int n;

	if (dcep_parse(data, size, &m) < 0)
		return 0;
	n = dcep_write(&m, again, sizeof(again));
	if (n < 0 || (size_t) n != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
