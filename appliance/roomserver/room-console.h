/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-console.h - the console's WebSockets
 *
 *   console-link --page, lines--> each browser, as fast as it reads
 *   browser --command--> console-link
 *
 * Nothing is queued for a browser: it has its place in the link, and gets what
 * is newest there when its connection takes more. One that takes nothing for
 * ROOM_CONSOLE_SLOW_US is dropped.
 *
 * Texts that go out: {"page":{...}}, {"event":{...}}, {"result":{...}},
 * {"missed":3}. The close code ROOM_CONSOLE_CLOSE_LOGIN says that the session
 * is over.
 *
 * Thread:  server
 * Memory:  one small struct for each of at most ROOM_CONSOLE_MAX_STREAMS
 */
#pragma once

#include "appliance/roomserver/room-connection.h"

#define ROOM_CONSOLE_PATH	 "/console/socket"
#define ROOM_CONSOLE_MAX_STREAMS 32
#define ROOM_CONSOLE_SLOW_US	 (20 * (gint64) G_USEC_PER_SEC)
#define ROOM_CONSOLE_CLOSE_LOGIN 4401
/* Commands at once, and one more in so long. */
#define ROOM_CONSOLE_COMMANDS	 20
#define ROOM_CONSOLE_COMMAND_US	 (200 * (gint64) 1000)

/* All that follow return what the callback of libwebsockets must return. */
int room_console_on_upgrade(struct room_service *service, struct lws *wsi);
int room_console_on_open(struct room_service *service, struct lws *wsi,
			 struct connection *connection);
int room_console_on_receive(struct room_service *service, struct lws *wsi,
			    struct connection *connection, const char *in,
			    size_t len);
int room_console_on_writable(struct room_service *service, struct lws *wsi,
			     struct connection *connection);

/* The connection ended: what it has of ours goes. Takes one without. */
void room_console_on_end(struct room_service *service,
			 struct connection *connection);
/* The link has something new. */
void room_console_wake(struct room_service *service);
/* Once a second: sessions that are over, browsers that do not read. */
void room_console_tick(struct room_service *service);
