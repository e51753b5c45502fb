// SPDX-License-Identifier: Apache-2.0
#include "webrtc/ice-url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ice_url url;

	if (ice_url_parse((const char *) data, size, &url) == 0 &&
	    (!url.host[0] || strlen(url.host) >= sizeof(url.host) ||
	     url.port == 0))
		abort();
	return 0;
}
