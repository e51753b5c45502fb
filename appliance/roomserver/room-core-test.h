/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-core-test.h - connections of a room core in tests
 *
 * Keys: "demo" asks for nothing; "quiet" does not introduce, "desk" is its
 * privileged alias; "other" is a privileged key of its own; "orphan" is an
 * alias of nobody.
 *
 * Thread:  any
 */
#pragma once

#include <json-glib/json-glib.h>
#include <string.h>

#include "appliance/roomserver/room-core.h"

#define KEY  "demo"
#define CID  "cid"
#define NOW  INT64_C(1795337635413)
#define START "2026-11-22T08:53:55.148Z"

/* A connection as the core sees it: a tag, and what arrives there. */
struct end {
	struct world *world;
	struct room_client *client;
	GPtrArray *got; /* JSON texts */
	bool finished;
	char sid[ROOM_SID_CHARS + 1];
	gint64 weight;
};

struct world {
	struct room_core *core;
	struct room_core_config config;
	struct room_keys *keys;
	struct room_counters counters;
	unsigned int next_user;
	gint64 monotonic_us, wall_ms;
	uint8_t next_random;
};

static inline void deliver(void *data, void *const *tags, unsigned int n,
		    const char *json, size_t len)
{
	for (unsigned int i = 0; i < n; i++) {
		struct end *end = tags[i];

		g_ptr_array_add(end->got, g_strndup(json, len));
	}
}

static inline void finish(void *data, void *tag)
{
	((struct end *) tag)->finished = true;
}

static inline gint64 monotonic_us(void *data)
{
	return ((struct world *) data)->monotonic_us;
}

static inline gint64 wall_ms(void *data)
{
	return ((struct world *) data)->wall_ms;
}

static inline void fill_random(void *data, uint8_t *bytes, size_t n)
{
	memset(bytes, ((struct world *) data)->next_random++, n);
}

static const struct room_core_ops ops = {
	.deliver = deliver,
	.finish = finish,
	.monotonic_us = monotonic_us,
	.wall_ms = wall_ms,
	.random = fill_random,
};

static inline void world_init(struct world *w)
{
	static const char file[] = "[" KEY "]\n"
				   "[quiet]\nauto_introduce = no\n"
				   "[desk]\nparent = quiet\nprivileged = yes\n"
				   "auto_introduce = no\n"
				   "[orphan]\nparent = nobody\n"
				   "[other]\nprivileged = yes\n";
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

	memset(w, 0, sizeof(*w));
	w->keys = room_keys_parse("keys", file, strlen(file), problems);
	g_assert_nonnull(w->keys);
	w->config = (struct room_core_config){
		.keys = w->keys,
		.turn = {.host = "h", .user = "u", .secret = "c"},
		.secret = {1, 2, 3},
	};
	w->wall_ms = NOW;
	w->monotonic_us = 1000;
	w->core = room_core_new(&w->config, &ops, w, &w->counters);
}

static inline void world_done(struct world *w)
{
	room_core_free(w->core);
	room_keys_free(w->keys);
}

static inline void end_init(struct end *end, struct world *w)
{
	*end = (struct end){.world = w};
	end->got = g_ptr_array_new_with_free_func(g_free);
	end->client = room_client_new(w->core, end);
}

static inline void end_done(struct end *end)
{
	end->client = room_client_free(end->client);
	g_clear_pointer(&end->got, g_ptr_array_unref);
}

static inline void say(struct end *end, const char *json)
{
	room_client_receive(end->client, json, strlen(json));
}

/* What has come since the last look, one text a line. */
static inline char *take(struct end *end)
{
	GString *all = g_string_new(NULL);

	for (guint i = 0; i < end->got->len; i++) {
		if (i)
			g_string_append_c(all, '\n');
		g_string_append(all, end->got->pdata[i]);
	}
	g_ptr_array_set_size(end->got, 0);
	return g_string_free(all, FALSE);
}

#define assert_got(end, text)                                                  \
	G_STMT_START                                                           \
	{                                                                      \
		g_autofree char *got_ = take(end);                             \
		g_assert_cmpstr(got_, ==, text);                               \
	}                                                                      \
	G_STMT_END

/* What joinRoom says; each with a user of its own unless one is given. */
struct join_as {
	const char *key, *rid, *start, *len, *user, *made;
	const char *spoil;	/* "user", "room", "key" */
};

static inline char *join_text_as(struct world *w, const struct join_as *given)
{
	struct join_as as = *given;
	char user_cred[ROOM_TOKEN_SIZE], room_cred[ROOM_TOKEN_SIZE];
	g_autofree char *user = g_strdup_printf("u%u", w->next_user++);

	as.key = as.key ? as.key : KEY;
	as.start = as.start ? as.start : START;
	as.made = as.made ? as.made : as.start;
	as.len = as.len ? as.len : "200";
	as.user = as.user ? as.user : user;
	room_token_make_user(w->config.secret,
			     &(struct room_token_user){
				     .key = as.key,
				     .uid = as.user,
				     .time_stamp = as.made,
				     .cid = CID,
			     },
			     user_cred);
	room_token_make_room(w->config.secret,
			     &(struct room_token_room){
				     .key = as.key,
				     .rid = as.rid,
				     .start = as.start,
				     .len = as.len,
				     .api_owner = "o",
			     },
			     room_cred);
	if (as.spoil && strcmp(as.spoil, "user") == 0)
		user_cred[3] = user_cred[3] == 'x' ? 'y' : 'x';
	if (as.spoil && strcmp(as.spoil, "room") == 0)
		room_cred[42] = room_cred[42] == 'x' ? 'y' : 'x';
	return g_strdup_printf(
		"{\"type\":\"joinRoom\",\"uid\":\"%s\",\"cid\":\"" CID
		"\",\"rid\":\"%s\",\"userCred\":\"%s\",\"timeStamp\":\"%s\","
		"\"apiOwner\":\"o\",\"roomCred\":\"%s\",\"start\":\"%s\","
		"\"len\":\"%s\",\"isPrivileged\":true,\"autoIntroduce\":true,"
		"\"key\":\"%s\"}",
		as.user, as.rid, user_cred, as.made, room_cred, as.start, as.len,
		as.spoil && strcmp(as.spoil, "key") == 0 ? "nobody" : as.key);
}

static inline char *join_text(struct world *w, const char *rid, const char *start,
		       const char *spoil)
{
	return join_text_as(w, &(struct join_as){
				       .rid = rid,
				       .start = start,
				       .spoil = spoil,
			       });
}

static inline void join_as(struct end *end, const struct join_as *as)
{
	g_autofree char *text = join_text_as(end->world, as);
	g_autofree char *answer = NULL;
	g_autoptr(JsonNode) node = NULL;
	JsonObject *object;

	say(end, text);
	answer = take(end);
	node = json_from_string(answer, NULL);
	g_assert_nonnull(node);
	object = json_node_get_object(node);
	g_assert_cmpstr(json_object_get_string_member(object, "type"), ==,
			"inRoom");
	g_assert_cmpstr(json_object_get_string_member(object, "rid"), ==,
			as->rid);
	g_strlcpy(end->sid, json_object_get_string_member(object, "sid"),
		  sizeof(end->sid));
	end->weight = json_object_get_int_member(object, "tieBreaker");
	g_assert_cmpuint(strlen(end->sid), ==, ROOM_SID_CHARS);
}

static inline void join(struct end *end, const char *rid)
{
	join_as(end, &(struct join_as){.rid = rid});
}

/* One message of a peer, with its own mid and rid. */
static inline char *message(struct end *end, const char *rid, const char *rest)
{
	return g_strdup_printf("{\"mid\":\"%s\",\"rid\":\"%s\",%s}", end->sid,
			       rid, rest);
}
