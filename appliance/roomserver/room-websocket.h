/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-websocket.h - Engine.IO over WebSocket
 *
 * Source:  docs/skylink-protocol.md §3.4
 * Thread:  server; the functions are called inside the callbacks of
 *          libwebsockets and return what these must return
 */
#pragma once

#include "appliance/roomserver/room-connection.h"

int room_websocket_on_upgrade(struct room_service *service, struct lws *wsi);
int room_websocket_on_open(struct room_service *service, struct lws *wsi,
			   struct connection *connection);
/* @in: a piece of a message. */
int room_websocket_on_receive(struct lws *wsi, struct connection *connection,
			      const char *in, size_t len);
/* Write what is queued without waiting to be asked for it: most of the time the
 * system takes it at once. Only outside the callbacks of this connection. */
void room_websocket_flush(struct engine_session *session);
int room_websocket_on_writable(struct lws *wsi, struct connection *connection);
