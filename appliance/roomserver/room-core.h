/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-core.h - who is in which room, who gets what
 *
 *   client (a signaling connection)   room (a rid)
 *      |                                |
 *      '-------- peer (a sid) ----------'
 *
 * A client is a peer in no room, in one, or (SkylinkJS 2.x) in several. The
 * core takes the clients' messages as JSON text and says what goes to whom;
 * it knows no sockets, and clock and randomness come from outside.
 *
 * Rules: a message with a target goes to that peer of the same room alone,
 * any other to the rest of the room, its text unchanged byte for byte; mid and
 * rid must be the sender's own; what only a server may say is not relayed.
 *
 * Source:  docs/skylink-protocol.md §4, §11, §13, §18.1
 * Thread:  server
 * Memory:  owned by its creator; clients belong to the core
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "appliance/roomserver/room-counters.h"
#include "appliance/roomserver/room-token.h"

#define ROOM_SID_CHARS		  20
#define ROOM_MAX_ROOMS_PER_CLIENT 8
#define ROOM_MAX_GROUP		  64	/* messages in one "group" */
/* A newcomer among 60 peers sends some 60 x 45 messages within a second. Long
 * ones count for more: else one client could fill everybody's queue with
 * broadcasts until the others are dropped for being slow. */
#define ROOM_RATE_BURST		  4000
#define ROOM_RATE_PER_SECOND	  400
#define ROOM_RATE_BYTES		  4096	/* more than one message each */
#define ROOM_RATE_WARN_US	  (5 * G_USEC_PER_SEC)

struct room_core;
struct room_client;

struct room_core_config {
	const char *app_key;
	const char *turn_url;		/* "turn:user@host" */
	const char *turn_credential;
	uint8_t secret[ROOM_SECRET_BYTES];
};

struct room_core_ops {
	/* Queue one JSON text for @n clients, each named by the tag given to
	 * room_client_new(). Must not call back into the core. */
	void (*deliver)(void *data, void *const *tags, unsigned int n,
			const char *json, size_t len);
	/* End this connection when all it was sent has left; same rule. */
	void (*finish)(void *data, void *tag);
	gint64 (*monotonic_us)(void *data);
	gint64 (*wall_ms)(void *data);
	void (*random)(void *data, uint8_t *bytes, size_t n);
};

/* All strings of @config are copied; @counters is borrowed for life. */
struct room_core *room_core_new(const struct room_core_config *config,
				const struct room_core_ops *ops, void *data,
				struct room_counters *counters);
/* All clients must have been freed. */
struct room_core *room_core_free(struct room_core *core);

struct room_client *room_client_new(struct room_core *core, void *tag);
/* Its peers leave: the others get "bye". */
struct room_client *room_client_free(struct room_client *client);
bool room_client_has_joined(const struct room_client *client);

/**
 * room_client_receive() - one message from this client
 * @json: unchecked text, @len bytes
 *
 * Whatever it is, nothing worse happens than that it is dropped and counted.
 */
void room_client_receive(struct room_client *client, const char *json,
			 size_t len);
