/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-access.h - how a room is asked for and reached
 *
 * What the API's init() takes. Zeroed it means: no schedule, the system's
 * certificates, whatever transport works, every ICE server the room names.
 *
 * Source:  docs/skylink-protocol.md §2.1, §3.2, §7.1
 * Thread:  control
 * Memory:  a caller's strings are borrowed; room_access_copy() owns its own,
 *          until room_access_done()
 */
#pragma once

#include <glib.h>

#include "appliance/signaling/room-api-client.h"
#include "appliance/signaling/socket-plan.h"

#define ROOM_ACCESS_MIN_SOCKET_TIMEOUT_MS 5000
#define ROOM_ACCESS_MAX_SOCKET_TIMEOUT_MS 300000

/* TURNServerTransport of the API. */
enum room_turn_transport {
	ROOM_TURN_ANY,		/* as the server says */
	ROOM_TURN_UDP,
	ROOM_TURN_TCP,
	ROOM_TURN_NONE,		/* without a word on transport */
	ROOM_TURN_ALL,		/* both */
};

typedef struct {
	const char *start;		/* ISO 8601, with @duration_h; NULL:
					 * no scheduled room */
	gdouble duration_h;		/* hours */
	const char *credential;		/* base64 HMAC-SHA1 made elsewhere; NULL:
					 * made from the secret, if there is one */
	const char *region;		/* "sg", "us2", or NULL */
	gboolean force_ssl;
	guint socket_timeout_ms;	/* per try; 0: 7000; at least 5000 */
	enum socket_transport_choice transport;
	const char *ca_file;		/* PEM; NULL: the system's */
	gboolean no_stun, no_turn;	/* enableSTUNServer, enableTURNServer */
	gboolean no_public_stun;	/* usePublicSTUN: false */
	gboolean force_turn;		/* relays alone; overrides both above */
	gboolean force_turn_ssl;	/* refused: not available yet */
	enum room_turn_transport turn_transport;
	gboolean no_data_channel;	/* enableDataChannel: false */
} RoomAccess;

/* @access: NULL: zeroed */
void room_access_copy(RoomAccess *ret, const RoomAccess *access);
void room_access_done(RoomAccess *access);

/* The room API's request that @access makes of a server and a key; borrows
 * from all of them. */
RoomApiRequest room_access_request(const RoomAccess *access,
				   const char *room_server,
				   const char *app_key, const char *secret,
				   const char *room);

/* Return: FALSE with a ROOM_ERROR_ARGUMENT or ROOM_ERROR_UNAVAILABLE that
 * says which and why. The CA file is not looked into. */
gboolean room_access_check(const RoomAccess *access, const char *room_server,
			   const char *app_key, const char *secret,
			   GError **error);
