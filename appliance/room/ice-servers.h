/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/ice-servers.h - the room's pc_config for rtc_peer_new()
 *
 * Source:  docs/skylink-protocol.md §7.1; RFC 7064, RFC 7065
 * Thread:  any
 * Memory:  ice_servers_done()
 */
#pragma once

#include <json-glib/json-glib.h>

#include "appliance/room/room-access.h"
#include "webrtc/rtc.h"

#define ICE_SERVERS_MAX 8

struct ice_servers {
	struct rtc_ice_server list[ICE_SERVERS_MAX];
	guint n;
	guint n_ignored;		/* of no use to anybody, or to us */
	guint n_unwanted;		/* by RoomAccess */
	gboolean relay_only;		/* forceTURN */
};

/**
 * ice_servers_parse() - what is usable of pc_config.iceServers
 * @array:    objects as in the wire's inRoom, or NULL
 * @access:   what of it is wanted; NULL: all
 * @own_host: the signaling server's host, whose STUN is not a public one;
 *	      or NULL
 *
 * The user name before the "@" is split off. Entries of other schemes, TURN
 * without credentials, TURN over TLS (not available yet) and what is over the
 * limit are ignored, and counted. TURNServerTransport rewrites a relay's
 * "?transport="; "all" makes two of one. A public STUN server is, as
 * SkylinkJS has it, one whose URL does not say "temasys".
 */
void ice_servers_parse(JsonArray *array, const RoomAccess *access,
		       const char *own_host, struct ice_servers *ret);
void ice_servers_done(struct ice_servers *servers);
