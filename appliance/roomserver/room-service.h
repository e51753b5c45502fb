/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-service.h - rooms on libwebsockets' event loop
 *
 *   listening socket --> HTTP --+-- /api/...      room-api: who may join
 *                               +-- /socket.io/   engine: WebSocket, polling
 *                               |                    '-- room-core: rooms
 *                               +-- /rest/stats/  taken and forgotten
 *                               +-- /login        console-auth: sessions
 *                               +-- /console/     console-link: the daemon
 *                               '-- /             the viewer page
 *
 * room-gate decides for each request whether it is let in.
 *
 * Thread:  server, except where said
 * Memory:  owned by its creator
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "appliance/roomserver/room-core.h"
#include "appliance/roomserver/room-counters.h"
#include "appliance/roomserver/room-listener.h"
#include "appliance/roomserver/room-tls.h"

/* Headers and requests that do not come to their end. */
#define ROOM_SERVICE_HEADER_TIMEOUT_S 10
#define ROOM_SERVICE_KEEPALIVE_S      75
/* A body from its first byte to its last: each byte of it begins
 * libwebsockets' own timeout anew. */
#define ROOM_SERVICE_BODY_TIMEOUT_S   20
/* An answer that the client does not take. */
#define ROOM_SERVICE_ANSWER_TIMEOUT_S 20
#define ROOM_SERVICE_MAX_HEADER_BYTES 8192
#define ROOM_SERVICE_MORE_CONNECTIONS 64
/* One POST may hold a queue of packets, each character encoded twice. */
#define ROOM_SERVICE_MAX_POST_BYTES (4u << 20)
#define ROOM_SERVICE_MAX_UNJOINED_POST_BYTES (64u << 10)
/* How long stopping waits for the goodbyes to leave. */
#define ROOM_SERVICE_STOP_US (500 * 1000)

struct room_service_config {
	const struct room_core_config *core;
	const char *app_key, *viewer_room;	/* what the page joins */
	struct room_tls *tls;		/* NULL: http alone */
	const char *const *names;	/* this machine's; borrowed for life */
	bool no_rooms;		/* nothing but the console */
	bool viewer_open;	/* to whoever reaches it, from anywhere */
	struct console_link *console;	/* borrowed for life; NULL: none */
	const char *operate_password, *watch_password, *token; /* or NULL */
	unsigned int max_clients, max_clients_per_address;
	unsigned int ping_interval_ms, ping_timeout_ms;
};

struct console_link;
struct room_service;

/* @listener and @counters are borrowed for life; all else is copied. */
struct room_service *room_service_new(const struct room_service_config *config,
				      const struct room_listener *listener,
				      struct room_counters *counters,
				      GError **error);
struct room_service *room_service_free(struct room_service *service);

/* Serve until room_service_stop(); says goodbye to the clients, returns. */
void room_service_run(struct room_service *service);
/* For connections to come, of a service that has one; it takes a reference.
 * Thread: any */
void room_service_set_tls(struct room_service *service, struct room_tls *tls);
/* What the console's link calls. Thread: any */
void room_service_wake(void *service);
/* Thread: any */
void room_service_stop(struct room_service *service);
