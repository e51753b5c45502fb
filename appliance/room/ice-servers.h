/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/ice-servers.h - the room's pc_config for rtc_peer_new()
 *
 * Source:  docs/skylink-protocol.md §7.1; RFC 7064, RFC 7065
 * Thread:  any
 * Memory:  ice_servers_done()
 */
#pragma once

#include <json-glib/json-glib.h>

#include "webrtc/rtc.h"

#define ICE_SERVERS_MAX 8

struct ice_servers {
	struct rtc_ice_server list[ICE_SERVERS_MAX];
	guint n, n_ignored;
};

/**
 * ice_servers_parse() - what is usable of pc_config.iceServers
 * @array: objects as in the wire's inRoom, or NULL
 *
 * The user name before the "@" is split off. Entries of other schemes, TURN
 * without credentials and what is over the limit are ignored, and counted.
 */
void ice_servers_parse(JsonArray *array, struct ice_servers *ret);
void ice_servers_done(struct ice_servers *servers);
