// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdlib.h>

#include "appliance/signaling/room-api-answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(RoomApiAnswer) answer = NULL;
	gint code;

	answer = room_api_answer_parse((const char *) data, size, 200, &code,
				       &error);
	if (!answer != !!error)
		abort();
	if (!answer)
		return 0;
	for (int tls = 0; tls < 2; tls++) {
		g_autoptr(GPtrArray) urls = room_api_answer_urls(answer, tls);

		if (!urls->len)
			abort();
		for (guint i = 0; i < urls->len; i++)
			if (!g_str_has_prefix(urls->pdata[i], "ws"))
				abort();
	}
	return 0;
}
