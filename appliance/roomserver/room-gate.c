// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-gate.h"

#include <string.h>

#include "appliance/roomserver/room-api.h"
#include "appliance/roomserver/room-keys.h"

static bool is_address(const char *name)
{
	g_autofree char *plain = NULL;
	size_t n = strlen(name);

	if (name[0] != '[')
		return g_hostname_is_ip_address(name);
	plain = g_strndup(name + 1, n - 2);
	return g_hostname_is_ip_address(plain);
}

static bool is_named(const char *name, const char *own)
{
	size_t n = strlen(own);

	/* What the local network's name service makes of it, too. */
	return g_ascii_strncasecmp(name, own, n) == 0 &&
	       (!name[n] || g_ascii_strcasecmp(name + n, ".local") == 0);
}

bool room_gate_is_own(const char *host, const char *const *names)
{
	struct room_api_host split;

	if (!host || room_api_parse_host(host, &split) < 0)
		return false;
	if (is_address(split.name) || is_named(split.name, "localhost"))
		return true;
	for (; names && *names; names++)
		if (is_named(split.name, *names))
			return true;
	return false;
}

bool room_gate_same_origin(const char *origin, const char *host)
{
	return origin && host && room_cors_match("self", origin, host);
}

enum room_verdict room_gate_check(const struct room_gate *gate,
				  enum room_area area,
				  const struct room_visitor *v)
{
	bool clear = gate->tls && !v->secure;

	if (area == ROOM_AREA_ROOMS)
		return clear && !v->same_machine ? ROOM_TO_HTTPS : ROOM_ALLOWED;
	/* A browser always says a name; a script that says none is led by
	 * nobody. */
	if (v->host ? !room_gate_is_own(v->host, gate->names)
		    : area != ROOM_AREA_VIEWER)
		return ROOM_FOREIGN;
	if (clear && !v->loopback)
		return ROOM_TO_HTTPS;
	switch (area) {
	case ROOM_AREA_ROOMS:
	case ROOM_AREA_LOGIN:
		return ROOM_ALLOWED;
	case ROOM_AREA_VIEWER:
		if (gate->viewer_open || v->loopback || v->role)
			return ROOM_ALLOWED;
		return gate->can_login ? ROOM_TO_LOGIN : ROOM_CLOSED;
	case ROOM_AREA_CONSOLE:
		if (v->role == CONSOLE_ROLE_OPERATE)
			return ROOM_ALLOWED;
		return gate->can_operate ? ROOM_TO_LOGIN : ROOM_CLOSED;
	}
	g_assert_not_reached();
}
