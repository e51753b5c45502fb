/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-server.h - a Skylink-compatible room service
 *
 * Room API with CORS, Socket.IO 1.x over WebSocket and polling, and the viewer
 * page, on one listening port, in a thread and event loop of its own.
 *
 * Source:  the wire protocol as documented in docs/skylink-protocol.md
 * Thread:  control to create and destroy; runs on "server"
 * Memory:  owned by its creator
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define ROOM_SERVER_SECRET_BYTES 32

struct room_server;

struct room_server_config {
	const char *listen;	/* "127.0.0.1:8080", "[::1]:8080", "*:8080" */
	bool next_free_port;	/* busy: try up to 20 ports above */
	const char *app_key;	/* the one key served, "demo" */
	const char *viewer_room; /* the room the page at / joins, "lobby" */
	const char *turn_url;	/* "turn:user@host" for clients, or NULL: a
				 * dummy entry that keeps 0.6.37 alive */
	const char *turn_credential;
	/* What tokens are signed with; NULL: made anew. SkylinkJS 0.6.12 joins
	 * its old room again with its old tokens: keeping these bytes makes
	 * them outlive a restart of the server. */
	const guint8 *token_secret;	/* ROOM_SERVER_SECRET_BYTES */
	unsigned int max_clients;	/* 0: 1024 */
	unsigned int ping_interval_ms, ping_timeout_ms;	/* 0: 25000, 60000 */
};

/* Return: NULL with @error: "Cannot listen on 127.0.0.1:8080: Address already
 * in use; ..." */
struct room_server *room_server_new(const struct room_server_config *config,
				    GError **error);
struct room_server *room_server_free(struct room_server *server);

/* The port really taken, and "http://127.0.0.1:8081/" for people. Any thread */
guint16 room_server_get_port(struct room_server *server);
const char *room_server_get_url(struct room_server *server);
/* For a client in this program: an address that is there whatever the network
 * does, when it listens on all. Return: to be freed with g_free(). Any thread */
char *room_server_get_local_url(struct room_server *server);

struct room_server_stats {
	unsigned int clients, rooms;
	guint64 clients_total, messages_in, messages_out, bytes_in, bytes_out;
	guint64 refused, dropped_slow, timeouts, bad_messages;
};
void room_server_get_stats(struct room_server *server,
			   struct room_server_stats *ret);
