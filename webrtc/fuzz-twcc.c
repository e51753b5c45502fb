// SPDX-License-Identifier: Apache-2.0
#include "webrtc/twcc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_result(void *user, const struct twcc_result *result)
{
	unsigned int *n = user;

	if (++*n > TWCC_HISTORY || (result->was_lost && !result->received))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct twcc_history h;
	unsigned int results = 0, n = 0;
	struct twcc_status s;
	struct twcc_iter it;

	twcc_history_init(&h, 0);
	for (unsigned int i = 0; i < 3000; i++)
		twcc_history_add(&h, i, 1000);
	twcc_history_feedback(&h, data, size, 5000, on_result, &results);
	/* Each packet's fate is told once, and none stays unknown after it. */
	if (twcc_iter_init(&it, data, size) < 0)
		return 0;
	while (twcc_iter_next(&it, &s) > 0)
		n++;
	if (n > TWCC_STATUSES_MAX)
		abort();
	return 0;
}
