/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-server.h - a Skylink-compatible room service
 *
 * Room API with CORS, Socket.IO 1.x over WebSocket and polling, and the viewer
 * page, the console, with and without TLS, on one listening port, in a thread
 * and event loop of its own. Or the console alone.
 *
 * Source:  the wire protocol as documented in docs/skylink-protocol.md
 * Thread:  control to create and destroy; runs on "server"
 * Memory:  owned by its creator
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "appliance/roomserver/room-keys.h"

struct console_link;
struct room_server;

struct room_server_config {
	const char *listen;	/* "127.0.0.1:8080", "[::1]:8080", "*:8080" */
	bool next_free_port;	/* busy: try up to 20 ports above */
	/* The keys served (taken, also on failure), and which of them the
	 * page uses; NULL: the one is served without conditions. */
	struct room_keys *keys;
	const char *app_key;	/* "demo" */
	const char *viewer_room; /* the room the page at / joins, "lobby" */
	/* A relay for clients: "HOST[:PORT]" or "USER@HOST[:PORT]" (see struct
	 * room_turn), and its secret. NULL: a dummy that keeps 0.6.37 alive */
	const char *turn;
	const char *turn_secret;
	/* Where the secret of the tokens and our own certificate are kept;
	 * NULL: nowhere. SkylinkJS 0.6.12 joins its old room again with its
	 * old tokens: so these outlive a restart of the server. */
	const char *state_dir;
	bool tls;		/* https and wss on the same port */
	const char *certificate, *certificate_key; /* PEM; NULL: our own */
	/* More names that this machine goes by, for our own certificate and
	 * for the pages; or NULL */
	const char *const *names;
	/* Who may see the pages, from elsewhere; see room-gate.h. The
	 * passwords are kept as a hash. */
	bool viewer_open;
	const char *operate_password, *watch_password, *token; /* or NULL */
	struct console_link *console;	/* borrowed for life; NULL: none */
	bool no_rooms;		/* the console alone */
	unsigned int max_clients;	/* 0: 1024 */
	unsigned int max_clients_per_address;	/* 0: all of them */
	unsigned int ping_interval_ms, ping_timeout_ms;	/* 0: 25000, 60000 */
};

/* Return: NULL with @error: "Cannot listen on 127.0.0.1:8080: Address already
 * in use; ..." */
struct room_server *room_server_new(const struct room_server_config *config,
				    GError **error);
struct room_server *room_server_free(struct room_server *server);

/* The port really taken, and "http://127.0.0.1:8081/" for people: with https
 * where others reach it and TLS is on. Any thread */
guint16 room_server_get_port(struct room_server *server);
const char *room_server_get_url(struct room_server *server);
/* Of the certificate: "AB:CD:...", borrowed until it is checked; NULL without
 * TLS. Control */
const char *room_server_get_fingerprint(struct room_server *server);
/* Its last second, since 1970; 0 without TLS. Control */
gint64 room_server_get_certificate_end(struct room_server *server);

enum room_server_certificate {
	ROOM_SERVER_CERTIFICATE_SAME,
	ROOM_SERVER_CERTIFICATE_NEW,	/* or read again: served from now on */
	ROOM_SERVER_CERTIFICATE_SOON,	/* the operator's: about to end */
	ROOM_SERVER_CERTIFICATE_ENDED,
	ROOM_SERVER_CERTIFICATE_BAD,	/* @error; the one before goes on */
};

/**
 * room_server_check_certificate() - is there another one, or to be?
 * @now: seconds since 1970
 *
 * To be called now and then, as a certificate does not last as long as a
 * server. Connections keep the one they have. _SOON and _ENDED are returned once
 * for each certificate. Control
 */
enum room_server_certificate
room_server_check_certificate(struct room_server *server, gint64 now,
			      GError **error);
/* The secret of a key, for a client in this program; NULL: none. */
const char *room_server_get_key_secret(struct room_server *server,
				       const char *app_key);
/* For a client in this program: an address that is there whatever the network
 * does, when it listens on all. Return: to be freed with g_free(). Any thread */
char *room_server_get_local_url(struct room_server *server);

struct room_server_stats {
	unsigned int clients, rooms;
	guint64 clients_total, messages_in, messages_out, bytes_in, bytes_out;
	guint64 logins_failed;
	guint64 refused, dropped_slow, timeouts, bad_messages;
};
void room_server_get_stats(struct room_server *server,
			   struct room_server_stats *ret);
