/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-login.h - logging in and out, by a page of ours
 *
 *   POST /login   {"password":"..."} or {"token":"..."}
 *		   200 {"role":"operate"} and the cookie; 401; 429 {"wait":20}
 *   POST /logout  200, and no cookie
 *   GET /session  {"role":"watch","console":true}
 *
 * Both POSTs come from our own pages alone (Origin, and a type that no form
 * has), whatever a browser lets others send.
 *
 * Thread:  server, inside a libwebsockets callback of the connection
 */
#pragma once

#include "appliance/roomserver/room-visitor.h"

/* Return: what the callback of libwebsockets must return. */
int room_login_serve(struct room_service *service, struct lws *wsi,
		     struct connection *connection,
		     const struct room_visit *visit, const char *path,
		     bool post);
/* The body of a POST /login is there. */
int room_login_on_body(struct room_service *service, struct lws *wsi,
		       struct connection *connection);
