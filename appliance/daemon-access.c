// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"

#include <string.h>

static const char *text(Config *c, enum option_id id)
{
	const char *value = config_get_string(c, id);

	return *value ? value : NULL;
}

/* The option table knows no other names than these. */
static enum socket_transport_choice transport(const char *name)
{
	return !strcmp(name, "websocket") ? SOCKET_TRANSPORT_WEBSOCKET :
		!strcmp(name, "polling") ? SOCKET_TRANSPORT_POLLING :
					   SOCKET_TRANSPORT_AUTO;
}

static enum room_turn_transport turn_transport(const char *name)
{
	return !strcmp(name, "udp") ? ROOM_TURN_UDP :
		!strcmp(name, "tcp") ? ROOM_TURN_TCP :
		!strcmp(name, "none") ? ROOM_TURN_NONE :
		!strcmp(name, "all") ? ROOM_TURN_ALL :
				       ROOM_TURN_ANY;
}

void daemon_read_access(Config *c, RoomAccess *ret)
{
	*ret = (RoomAccess){
		.start = text(c, OPT_ROOM_START),
		.duration_h = (double) config_get_int(c, OPT_ROOM_DURATION),
		.region = text(c, OPT_ROOM_REGION),
		/* the server inside this box is asked as it listens */
		.force_ssl = text(c, OPT_ROOM_SERVER) &&
			config_get_bool(c, OPT_ROOM_FORCE_SSL),
		.socket_timeout_ms = (guint)
			config_get_int(c, OPT_ROOM_SOCKET_TIMEOUT),
		.transport = transport(config_get_string(c,
							 OPT_ROOM_TRANSPORT)),
		.ca_file = text(c, OPT_ROOM_CA_FILE),
		.no_stun = !config_get_bool(c, OPT_NETWORK_STUN),
		.no_turn = !config_get_bool(c, OPT_NETWORK_TURN),
		.no_public_stun = !config_get_bool(c, OPT_NETWORK_PUBLIC_STUN),
		.force_turn = config_get_bool(c, OPT_NETWORK_FORCE_TURN),
		.turn_transport = turn_transport(
			config_get_string(c, OPT_NETWORK_TURN_TRANSPORT)),
	};
}
