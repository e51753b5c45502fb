/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/socket-transport.h - one way to carry Engine.IO packets
 *
 * Source:  docs/skylink-protocol.md §3.1, §3.4, §3.5
 * Thread:  control; its context must be the thread's default one
 * Memory:  an opened transport belongs to whoever opened it
 */
#pragma once

#include <libsoup/soup.h>

typedef struct SocketTransport SocketTransport;

/* Never called from within open(); any of them may free the transport. */
struct socket_transport_events {
	/* One Engine.IO packet, UTF-8 checked, borrowed. */
	void (*packet)(void *user, const char *text, gsize len);
	/* Over, once. @error: why; NULL: the server closed in good order. */
	void (*closed)(void *user, const GError *error);
};

struct socket_transport_ops {
	const char *name;	/* "websocket" */
	/**
	 * open() - start connecting
	 * @url: "ws://host:port/socket.io/" or "wss://...", whatever
	 *	 the transport
	 * @max_bytes: longest packet taken from the server
	 */
	SocketTransport *(*open)(SoupSession *session, const char *url,
				 gsize max_bytes,
				 const struct socket_transport_events *events,
				 void *user);
	/* Queues one packet; only after a packet has arrived. */
	void (*send)(SocketTransport *transport, const char *packet);
	/* Sends what is queued, then closes; nobody is called any more. */
	void (*free)(SocketTransport *transport);
};

extern const struct socket_transport_ops socket_websocket_ops;
extern const struct socket_transport_ops socket_polling_ops;
