/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-visitor.h - who sends a request, and its refusal
 *
 * Thread:  server, inside a libwebsockets callback of the connection
 * Memory:  embedded in its caller
 */
#pragma once

#include "appliance/roomserver/room-connection.h"
#include "appliance/roomserver/room-gate.h"

#define ROOM_VISITOR_MAX_HOST 300

struct room_visit {
	struct room_visitor visitor;	/* its host points at the one below */
	char host[ROOM_VISITOR_MAX_HOST];
	char session[CONSOLE_SESSION_CHARS + 1];	/* "": none */
};

/* Which part of the server a path belongs to. */
enum room_area room_visit_area(const struct room_service *service,
			       const char *path);

/* @touch: the session is in use. */
void room_visit_read(struct room_service *service, struct lws *wsi, bool touch,
		     struct room_visit *ret);

/* The page that asks is ours, by its Origin. */
bool room_visit_is_own_page(struct lws *wsi, const struct room_visit *visit);

/**
 * room_visit_refuse() - the answer to whom the gate does not let in
 * @path:    where a page goes on to by https or after logging in
 * @upgrade: the request wants a WebSocket
 *
 * Return: what the callback of libwebsockets must return.
 */
int room_visit_refuse(struct lws *wsi, enum room_verdict verdict,
		      enum room_area area, const struct room_visit *visit,
		      const char *path, bool upgrade);

/* "skylink-8080=ID; Path=/; ...": a cookie is for all ports of a name, so its
 * own name has ours. @session: "" takes it away. g_free() */
char *room_visit_make_cookie(const struct room_service *service,
			     const struct room_visit *visit,
			     const char *session);
