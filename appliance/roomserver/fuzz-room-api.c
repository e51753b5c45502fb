// SPDX-License-Identifier: Apache-2.0
/* First line: the path of a request; second: its Host. Whatever is accepted
 * must give an answer that is JSON. */
#include "appliance/roomserver/room-api.h"

#include <stdint.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[ROOM_SECRET_BYTES];
	static const struct room_key key = {.name = "k", .space = "k"};
	g_autofree char *text = g_strndup((const char *) data, size);
	char *host_text = strchr(text, '\n');
	struct room_api_request request;
	struct room_api_host host = {.name = "h", .port = 1};
	g_autofree char *answer = NULL;

	if (host_text) {
		*host_text++ = '\0';
		if (room_api_parse_host(host_text, &host) == 0)
			g_assert_true(host.name[0]);
	}
	if (room_api_parse(text, &request) < 0)
		return 0;
	answer = room_api_format(&request, &(struct room_api_grant){
						   .secret = secret,
						   .key = &key,
						   .uid = "u",
						   .now_ms = 1,
						   .host = &host,
						   .port_in_host = true,
					   });
	/* A room's name may hold control characters; the answer escapes them.
	 */
	g_assert_true(json_check(answer, strlen(answer), 16384, NULL) == 0);
	return 0;
}
