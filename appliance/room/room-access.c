// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-access.h"

#include "appliance/room/room.h"

void room_access_copy(RoomAccess *ret, const RoomAccess *access)
{
	*ret = access ? *access : (RoomAccess){0};
	ret->start = g_strdup(ret->start);
	ret->credential = g_strdup(ret->credential);
	ret->region = g_strdup(ret->region);
	ret->ca_file = g_strdup(ret->ca_file);
}

void room_access_done(RoomAccess *a)
{
	g_free((char *) a->start);
	g_free((char *) a->credential);
	g_free((char *) a->region);
	g_free((char *) a->ca_file);
	*a = (RoomAccess){0};
}

RoomApiRequest room_access_request(const RoomAccess *a, const char *room_server,
				   const char *app_key, const char *secret,
				   const char *room)
{
	return (RoomApiRequest){
		.base = room_server,
		.force_ssl = a->force_ssl,
		.app_key = app_key,
		.room = room,
		.secret = secret,
		.credential = a->credential,
		.start = a->start,
		.hours = a->duration_h,
		.region = a->region,
	};
}

static gboolean refuse(GError **error, int code, const char *what)
{
	g_set_error_literal(error, ROOM_ERROR, code, what);
	return FALSE;
}

gboolean room_access_check(const RoomAccess *a, const char *room_server,
			   const char *app_key, const char *secret,
			   GError **error)
{
	RoomApiRequest request =
		room_access_request(a, room_server, app_key, secret, "x");
	g_autoptr(GError) cause = NULL;
	g_autofree char *url = NULL;

	if (!*app_key)
		return refuse(error, ROOM_ERROR_ARGUMENT,
			      "The app key is empty");
	url = room_api_url(&request, 0, &cause);
	if (!url)
		return refuse(error, ROOM_ERROR_ARGUMENT, cause->message);
	if (a->socket_timeout_ms &&
	    (a->socket_timeout_ms < ROOM_ACCESS_MIN_SOCKET_TIMEOUT_MS ||
	     a->socket_timeout_ms > ROOM_ACCESS_MAX_SOCKET_TIMEOUT_MS))
		return refuse(error, ROOM_ERROR_ARGUMENT,
			      "The socket timeout must be 5000 to 300000 ms");
	if (a->force_turn && a->no_turn)
		return refuse(error, ROOM_ERROR_ARGUMENT,
			      "Relays alone were asked for, and none at all");
	if (a->force_turn_ssl)
		return refuse(error, ROOM_ERROR_UNAVAILABLE,
			      "forceTURNSSL is not available yet: this version "
			      "cannot use a TURN relay over TLS");
	return TRUE;
}
