// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-visitor.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/console/console-request.h"
#include "appliance/roomserver/room-answer.h"
#include "appliance/roomserver/room-api.h"

#define MAX_PATH 1024

static bool is_under(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (!path[n] || path[n] == '/');
}

enum room_area room_visit_area(const struct room_service *service,
			       const char *path)
{
	static const char *const login[] = {
		"/login", "/login.js", "/logout", "/session", "/common.css",
		"/icon.svg",
	};

	if (is_under(path, "/api") || is_under(path, "/socket.io") ||
	    is_under(path, "/rest"))
		return ROOM_AREA_ROOMS;
	for (unsigned int i = 0; i < G_N_ELEMENTS(login); i++)
		if (strcmp(path, login[i]) == 0)
			return ROOM_AREA_LOGIN;
	if (service->no_rooms || is_under(path, "/console"))
		return ROOM_AREA_CONSOLE;
	return ROOM_AREA_VIEWER;
}

/* --- where from ------------------------------------------------------------- */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

/* As IPv6, so that there is one form of each. */
static struct in6_addr plain_address(const union address *a)
{
	struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	if (a->any.sa_family == AF_INET6)
		return a->v6.sin6_addr;
	memcpy(mapped.s6_addr + 12, &a->v4.sin_addr, 4);
	return mapped;
}

static bool is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) ||
	       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

static void read_address(struct lws *wsi, struct room_visitor *ret)
{
	union address peer = {0}, local = {0};
	socklen_t peer_len = sizeof(peer), local_len = sizeof(local);
	int fd = lws_get_socket_fd(wsi);
	struct in6_addr from, to;

	if (getpeername(fd, &peer.any, &peer_len) < 0 ||
	    getsockname(fd, &local.any, &local_len) < 0)
		return;
	from = plain_address(&peer);
	to = plain_address(&local);
	ret->loopback = is_loopback(&from);
	ret->same_machine = ret->loopback || IN6_ARE_ADDR_EQUAL(&from, &to);
}

/* A header that libwebsockets knows stands under its token alone, any other
 * under its name alone. */
static bool is_proxied(struct lws *wsi)
{
	static const char *const names[] = {"forwarded:", "x-forwarded-proto:"};
	static const enum lws_token_indexes tokens[] = {
		WSI_TOKEN_X_FORWARDED_FOR, WSI_TOKEN_HTTP_X_REAL_IP,
		WSI_TOKEN_HTTP_VIA,
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++)
		if (lws_hdr_custom_length(wsi, names[i],
					  (int) strlen(names[i])) >= 0)
			return true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(tokens); i++)
		if (lws_hdr_total_length(wsi, tokens[i]) > 0)
			return true;
	return false;
}

/* A proxy on this machine stands for somebody who may be elsewhere. */
static void read_proxy(struct lws *wsi, struct room_visitor *ret)
{
	static const char proto_name[] = "x-forwarded-proto:";
	char proto[8] = "";

	if (!ret->loopback || !is_proxied(wsi))
		return;
	ret->loopback = false;
	if (lws_hdr_custom_copy(wsi, proto, sizeof(proto), proto_name,
				(int) strlen(proto_name)) > 0 &&
	    g_ascii_strcasecmp(proto, "https") == 0)
		ret->secure = true;
}

/* --- as whom ---------------------------------------------------------------- */
static void cookie_name(const struct room_service *service, bool secure,
			char ret[32])
{
	g_snprintf(ret, 32, "%sskylink-%u", secure ? "__Host-" : "",
		   service->listener->port);
}

static void read_session(const struct room_service *service, struct lws *wsi,
			 struct room_visit *ret)
{
	char header[CONSOLE_COOKIES_MAX_BYTES], name[32];

	if (lws_hdr_copy(wsi, header, sizeof(header), WSI_TOKEN_HTTP_COOKIE) <=
	    0)
		return;
	cookie_name(service, ret->visitor.secure, name);
	if (console_cookie_find(header, name, ret->session,
				sizeof(ret->session)) < 0)
		ret->session[0] = '\0';
}

void room_visit_read(struct room_service *service, struct lws *wsi, bool touch,
		     struct room_visit *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->visitor.secure = lws_is_ssl(wsi);
	read_address(wsi, &ret->visitor);
	read_proxy(wsi, &ret->visitor);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HOST) > 0) {
		/* Too long a one is none of ours. */
		if (lws_hdr_copy(wsi, ret->host, sizeof(ret->host),
				 WSI_TOKEN_HOST) <= 0)
			ret->host[0] = '\0';
		ret->visitor.host = ret->host;
	}
	read_session(service, wsi, ret);
	ret->visitor.role = console_auth_find(service->auth, ret->session,
					      g_get_monotonic_time(), touch);
}

bool room_visit_is_own_page(struct lws *wsi, const struct room_visit *visit)
{
	char origin[ROOM_VISITOR_MAX_HOST];

	return lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) >
		       0 &&
	       room_gate_same_origin(origin, visit->visitor.host);
}

char *room_visit_make_cookie(const struct room_service *service,
			     const struct room_visit *visit,
			     const char *session)
{
	bool secure = visit->visitor.secure;
	char name[32];

	cookie_name(service, secure, name);
	return g_strdup_printf(
		"%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" G_GINT64_FORMAT
		"%s",
		name, session,
		*session ? CONSOLE_SESSION_LIFE_US / G_USEC_PER_SEC : 0,
		secure ? "; Secure" : "");
}

/* --- refusals --------------------------------------------------------------- */
static const char *words_of(enum room_verdict verdict, enum room_area area)
{
	switch (verdict) {
	case ROOM_ALLOWED:
		break;
	case ROOM_TO_HTTPS:
		return "From another machine this server is reached by https "
		       "and wss alone\n";
	case ROOM_FOREIGN:
		return "This box does not go by that name. Use its address, or "
		       "add the name to roomserver.names.\n";
	case ROOM_TO_LOGIN:
		return "Not logged in\n";
	case ROOM_CLOSED:
		return area == ROOM_AREA_CONSOLE
			       ? "There is no console: console.password_file is "
				 "not set\n"
			       : "Nobody may watch from another machine: set "
				 "roomserver.viewer_password_file, or "
				 "roomserver.viewer_access = open\n";
	}
	return "";
}

static unsigned int status_of(enum room_verdict verdict)
{
	switch (verdict) {
	case ROOM_ALLOWED:
		return HTTP_STATUS_OK;
	case ROOM_FOREIGN:
		return 421;
	case ROOM_TO_LOGIN:
		return HTTP_STATUS_UNAUTHORIZED;
	case ROOM_TO_HTTPS:
	case ROOM_CLOSED:
		break;
	}
	return HTTP_STATUS_FORBIDDEN;
}

/* Path and query as one may stand in a header; "/" when they may not. */
static char *address_of(struct lws *wsi, const char *path)
{
	GString *out = g_string_new(NULL);
	char argument[MAX_PATH];

	g_string_append_uri_escaped(out, path, "/", FALSE);
	for (int i = 0;; i++) {
		int n = lws_hdr_copy_fragment(wsi, argument, sizeof(argument),
					      WSI_TOKEN_HTTP_URI_ARGS, i);

		if (n < 0)
			break;
		g_string_append_c(out, i ? '&' : '?');
		g_string_append_uri_escaped(out, argument, "=", FALSE);
	}
	return g_string_free(out, FALSE);
}

/* Where a page is sent instead of being refused; NULL: nowhere. */
static char *destination_of(struct lws *wsi, enum room_verdict verdict,
			    const struct room_visit *visit, const char *path)
{
	g_autofree char *address = address_of(wsi, path);
	g_autofree char *escaped = NULL;

	if (verdict == ROOM_TO_HTTPS && visit->visitor.host)
		return g_strconcat("https://", visit->host, address, NULL);
	/* Files of a page are refused: a script that gets another page instead
	 * is no help. */
	if (verdict != ROOM_TO_LOGIN ||
	    (path[strlen(path) - 1] != '/' && strcmp(path, "/console") != 0))
		return NULL;
	escaped = g_uri_escape_string(address, "/", FALSE);
	return g_strconcat("/login?next=", escaped, NULL);
}

int room_visit_refuse(struct lws *wsi, enum room_verdict verdict,
		      enum room_area area, const struct room_visit *visit,
		      const char *path, bool upgrade)
{
	const char *words = words_of(verdict, area);
	bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
	g_autofree char *location =
		get && !upgrade && area != ROOM_AREA_ROOMS
			? destination_of(wsi, verdict, visit, path)
			: NULL;
	struct room_answer answer = {
		.status = location ? HTTP_STATUS_FOUND : status_of(verdict),
		.content_type = "text/plain; charset=utf-8",
		.body = words,
		.len = strlen(words),
		.location = location,
		.for_us = area != ROOM_AREA_ROOMS,
	};

	if (upgrade)
		return room_answer_refuse_upgrade(wsi, &answer);
	/* A body that may follow is not to be read as a request. */
	return room_answer_send(wsi, &answer) < 0 || !get ? -1 : 0;
}
