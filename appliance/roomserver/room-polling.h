/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-polling.h - Engine.IO over XHR long polling
 *
 * Source:  docs/skylink-protocol.md §3.5
 * Thread:  server; the functions are called inside the callbacks of
 *          libwebsockets and return what these must return
 */
#pragma once

#include "appliance/roomserver/room-connection.h"

/* A GET or POST at /socket.io/. */
int room_polling_serve(struct room_service *service, struct lws *wsi,
		       struct connection *connection, bool post);
int room_polling_expect_body(struct lws *wsi, struct connection *connection,
			     enum purpose purpose, size_t max_body);
int room_polling_on_body(struct connection *connection, const void *in,
			 size_t len);
int room_polling_on_body_complete(struct lws *wsi,
				  struct connection *connection);
int room_polling_on_writable(struct lws *wsi, struct connection *connection);

/* A held poll has something to bring, or its session is gone. */
void room_polling_wake(struct room_service *service, struct lws *wsi);
/*
 * An answer is on its way and could not be written at once. Until it has left,
 * what the client sends or its end must not be left unread either (see
 * hold_poll()): whoever does not wait for his answer is dropped.
 */
void room_polling_watch_output(struct room_service *service, struct lws *wsi);
/* The descriptor that watches these connections is readable. */
void room_polling_on_hangup(struct room_service *service);
