/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-core-private.h - what the parts of the core share
 *
 *   room-core.c       clients, their messages, who gets them
 *   room-join.c       who comes in, for how long, and how one goes
 *   room-introduce.c  lists and introductions for privileged peers
 *
 * Thread:  server
 * Memory:  rooms and peers belong to the core's tables
 */
#pragma once

#include <json-glib/json-glib.h>

#include "appliance/roomserver/room-core.h"
#include "appliance/roomserver/room-message.h"

struct room {
	char *rid;
	const char *space; /* of the key; constant */
	GPtrArray *peers;  /* struct peer, in the order they came */
	bool locked;
};

struct peer {
	char sid[ROOM_SID_CHARS + 1];
	char *uid; /* of its token */
	struct room *room;
	struct room_client *client;
	const struct room_key *key;
	GPtrArray *links; /* introduced peers of other rooms; or NULL */
	gint64 end_ms;	  /* wall clock */
	bool warned;	  /* that the end is near */
};

struct room_client {
	struct room_core *core;
	void *tag;
	struct peer *peers[ROOM_MAX_ROOMS_PER_CLIENT];
	unsigned int n_peers;
	double allowance; /* messages that may come at once */
	gint64 allowance_us, warned_us;
	bool finished, no_groups;
};

struct room_core {
	const struct room_keys *keys;
	char *turn_host, *turn_user, *turn_secret;
	uint8_t secret[ROOM_SECRET_BYTES];
	const struct room_core_ops *ops;
	void *data;
	struct room_counters *counters;
	GHashTable *rooms;  /* rid -> struct room, owned */
	GHashTable *peers;  /* sid -> struct peer, owned */
	GHashTable *logins; /* uid -> struct peer: tokens in use */
	GPtrArray *tags;    /* receivers of the message at hand */
	gint64 last_tie_breaker;
	gint64 next_due_ms; /* nobody is to be told of his end before */
	unsigned int n_clients;
};

/* A string member, or NULL. */
const char *core_get_string(JsonObject *object, const char *name);
/* Append ,"name":"value" or, for the first, without the comma. */
void core_append(GString *out, const char *name, const char *value);

void core_drop_bad(struct room_client *client);
/* Takes @cost from the client's allowance, or warns the client. */
bool core_within_rate(struct room_client *client, unsigned int cost);
void core_deliver_one(struct room_client *client, const GString *json);
void core_send_redirect(struct room_client *client, const char *rid,
			const char *action, const char *reason,
			const char *info);
/* Ends the client when it is in no room. */
void core_finish_if_alone(struct room_client *client);

/* --- room-join.c */
void core_handle_join(struct room_client *client, JsonObject *message);
/* The peer is gone for all others; the room goes with the last. */
void core_leave(struct peer *peer);
void core_destroy(gpointer room);
void core_peer_destroy(gpointer peer);

/* --- room-introduce.c */
void core_handle_get_peers(struct room_client *client, JsonObject *message);
void core_handle_introduce(struct room_client *client, JsonObject *message);
bool core_are_linked(const struct peer *a, const struct peer *b);
