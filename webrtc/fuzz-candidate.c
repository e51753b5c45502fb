// SPDX-License-Identifier: Apache-2.0
#include "webrtc/candidate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parses must survive being written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct candidate a, b;
	char line[2 * CANDIDATE_MAX_BYTES];
	int n;

	if (candidate_parse((const char *) data, size, &a) < 0)
		return 0;
	n = candidate_format(&a, line, sizeof(line));
	if (n < 0)
		abort();
	if (n > (int) CANDIDATE_MAX_BYTES)
		return 0;
	if (candidate_parse(line, (size_t) n, &b) < 0)
		abort();
	if (strcmp(a.address, b.address) != 0 || a.port != b.port ||
	    a.priority != b.priority || a.type != b.type ||
	    a.tcptype != b.tcptype || strcmp(a.ufrag, b.ufrag) != 0)
		abort();
	return 0;
}
