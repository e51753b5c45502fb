// SPDX-License-Identifier: Apache-2.0
/* Input: a line "HASH FINGERPRINT", as after "a=fingerprint:". */
#include <stdlib.h>
#include <string.h>

#include "webrtc/dtls-fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dtls_fingerprint fp, again;
	char text[DTLS_FINGERPRINT_BYTES];
	char *line = malloc(size + 1), *space;

	if (!line)
		abort();
	if (size)
		memcpy(line, data, size);
	line[size] = 0;
	space = strchr(line, ' ');
	if (space) {
		*space = 0;
		if (dtls_fingerprint_parse(line, space + 1, &fp) == 0) {
			dtls_fingerprint_format(&fp, text);
			if (dtls_fingerprint_parse(line, text, &again) < 0 ||
			    !dtls_fingerprint_equal(&fp, &again))
				abort();
		}
	}
	free(line);
	return 0;
}
