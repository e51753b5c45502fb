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
 * Peers of different rooms that a privileged one has introduced to each other
 * hear each other as if they were in one.
 *
 * Each peer stays until the time its token names (start and hours): it is
 * warned before, told at the end, and gone then.
 *
 * Source:  docs/skylink-protocol.md §4, §11, §13, §18.1
 * Thread:  server
 * Memory:  owned by its creator; clients belong to the core
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "appliance/roomserver/room-counters.h"
#include "appliance/roomserver/room-keys.h"
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
/* Tokens are verified and a room may be made: some 40 at once, 4 a second. */
#define ROOM_JOIN_COST		  100
#define ROOM_MAX_ROOMS		  16384
#define ROOM_MAX_LINKS		  64	/* introductions across rooms */
/* Before the end of its time a client hears "toClose". */
#define ROOM_CLOSE_WARNING_MS	  (5 * 60 * 1000)
/* Clocks of those who schedule rooms are a little off. */
#define ROOM_START_TOLERANCE_MS	  5000
/* SkylinkJS 0.6.12 uses one token as long as the page is open. */
#define ROOM_TOKEN_MAX_AGE_MS	  (INT64_C(8760) * 3600 * 1000)
#define ROOM_TURN_LIFETIME_S	  86400

struct room_core;
struct room_client;

/*
 * Where clients find a relay. With @user its password is @secret; without, the
 * credentials are made for each client and end after a day: user = the second
 * at which they end, password = base64(HMAC-SHA1(secret, user)), which is what
 * coturn's use-auth-secret expects. (Its usual "time:name" cannot be used:
 * SkylinkJS cuts the URL at the colons.)
 */
struct room_turn {
	const char *host;		/* "box.example[:3478]" */
	const char *user;		/* NULL: time-limited */
	const char *secret;
};

struct room_core_config {
	const struct room_keys *keys;	/* borrowed for life; the first serves
					 * who names none */
	struct room_turn turn;
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

/* To be called about once a second: rooms whose time comes to its end. */
void room_core_tick(struct room_core *core);

struct room_client *room_client_new(struct room_core *core, void *tag);
/* Its peers leave: the others get "bye". */
struct room_client *room_client_free(struct room_client *client);
bool room_client_has_joined(const struct room_client *client);
/* Its library is SkylinkJS 2.x, which does not know "group". Also noticed by
 * what the client says of itself in its messages. */
void room_client_set_no_groups(struct room_client *client);

/**
 * room_client_receive() - one message from this client
 * @json: unchecked text, @len bytes
 *
 * Whatever it is, nothing worse happens than that it is dropped and counted.
 */
void room_client_receive(struct room_client *client, const char *json,
			 size_t len);
