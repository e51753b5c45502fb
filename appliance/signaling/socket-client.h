/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/socket-client.h - a Socket.IO 1.x client for "message"
 *
 * Goes through the plan (socket-plan.h) until an address answers the Engine.IO
 * and Socket.IO handshakes, then keeps that connection: pings, and says when it
 * is over. It never reconnects by itself, because a new connection is a new
 * peer.
 *
 *   plan --> CONNECTING --"0{..}"--> --"40"--> OPEN --> over
 *              ^    | no answer within connect_timeout_ms
 *              '----' next step
 *
 * Source:  docs/skylink-protocol.md §3
 * Thread:  control; its context must be the thread's default one
 * Memory:  belongs to its creator; any callback may free it
 */
#pragma once

#include <libsoup/soup.h>

#include "appliance/signaling/socket-plan.h"

#define SOCKET_CLIENT_CONNECT_TIMEOUT_MS 7000
#define SOCKET_CLIENT_MAX_UNCONFIRMED	 (8 * 1024 * 1024)

#define SOCKET_CLIENT_ERROR (socket_client_error_quark())
GQuark socket_client_error_quark(void);

enum socket_client_error_code {
	SOCKET_CLIENT_ERROR_CONNECT,	/* no address answered */
	SOCKET_CLIENT_ERROR_CLOSED,	/* the server ended it */
	SOCKET_CLIENT_ERROR_LOST,	/* the network ended it */
	SOCKET_CLIENT_ERROR_SILENT,	/* no pong */
	SOCKET_CLIENT_ERROR_PROTOCOL,	/* what came is no Socket.IO */
};

typedef struct SocketClient SocketClient;

typedef struct {
	SoupSession *session;		/* referenced */
	const char *const *urls;	/* "ws://host:port/socket.io/", .., NULL
					 * terminated; copied */
	guint connect_timeout_ms;	/* 0: SOCKET_CLIENT_CONNECT_TIMEOUT_MS;
					 * per try */
	enum socket_transport_choice choice;
	guint retry_delay_ms;		/* 0: SOCKET_PLAN_DELAY_MS */

	void (*opened)(void *user, const char *url);
	/* The text of one message; not yet checked. Borrowed. */
	void (*message)(void *user, const char *text, gsize len);
	/* A try failed. @next: what is tried after its wait; NULL: nothing
	 * more, and closed() follows. Or NULL. */
	void (*failed)(void *user, const struct socket_plan_step *failed,
		       const struct socket_plan_step *next,
		       const GError *error);
	/* Over, once; also when no address answered. */
	void (*closed)(void *user, const GError *error);
	void *user;
} SocketClientConfig;

/* Callbacks start with the main loop, never from within. */
SocketClient *socket_client_new(const SocketClientConfig *config);
/* Says goodbye ("41") and closes; no callback runs any more. Takes NULL,
 * returns NULL. */
SocketClient *socket_client_free(SocketClient *client);

gboolean socket_client_is_open(SocketClient *client);
/* Of the try under way or the connection: "websocket", "polling". */
const char *socket_client_get_transport(SocketClient *client);

/**
 * socket_client_send() - one message
 * @text: a JSON text; sent as a string in the event's array
 *
 * Return: FALSE when not open, or when the server has confirmed nothing for
 * too long (SOCKET_CLIENT_MAX_UNCONFIRMED bytes since its last pong).
 */
gboolean socket_client_send(SocketClient *client, const char *text);

/* Is the server still there? Without an answer within so long the connection is
 * over (SOCKET_CLIENT_ERROR_SILENT). Nothing when not open. */
void socket_client_probe(SocketClient *client, guint timeout_ms);

typedef struct {
	guint64 messages_in, messages_out, bytes_in, bytes_out, bad;
} SocketClientStats;
void socket_client_get_stats(SocketClient *client, SocketClientStats *ret);
