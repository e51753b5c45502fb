// SPDX-License-Identifier: Apache-2.0
/* pc_config.iceServers of a server. The first byte says what is wanted of
 * them. What comes out is within its limit and complete. */
#include "appliance/room/ice-servers.h"

#include <stdint.h>
#include <string.h>

#include "appliance/signaling/json-check.h"
#include "webrtc/ice-url.h"

#define TEXT_MAX_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ice_servers *servers)
{
	struct ice_url url;

	g_assert_cmpuint(servers->n, <=, ICE_SERVERS_MAX);
	for (guint i = 0; i < servers->n; i++) {
		const struct rtc_ice_server *s = &servers->list[i];

		g_assert_nonnull(s->url);
		g_assert_cmpint(ice_url_parse(s->url, strlen(s->url), &url), ==,
				0);
		g_assert_true(!g_str_has_prefix(s->url, "turn") ||
			      (s->username && s->credential));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RoomAccess access = {0};
	g_autoptr(JsonNode) node = NULL;
	struct ice_servers servers;

	if (!size)
		return 0;
	access.no_turn = data[0] & 1;
	access.no_stun = (data[0] & 2) != 0;
	access.no_public_stun = (data[0] & 4) != 0;
	access.force_turn = (data[0] & 8) != 0;
	access.turn_transport = (data[0] >> 4) % (ROOM_TURN_ALL + 1);
	node = json_checked_parse((const char *) data + 1, (gssize) size - 1,
				  TEXT_MAX_BYTES, NULL);
	if (!node || !JSON_NODE_HOLDS_ARRAY(node))
		return 0;
	ice_servers_parse(json_node_get_array(node),
			  data[0] & 0x80 ? &access : NULL, "rooms.example.org",
			  &servers);
	check(&servers);
	ice_servers_done(&servers);
	return 0;
}
