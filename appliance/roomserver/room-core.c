// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-core.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/json-check.h"

struct room {
	char *rid;
	GHashTable *peers; /* sid -> struct peer, not owned */
	bool locked;
};

struct peer {
	char sid[ROOM_SID_CHARS + 1];
	struct room *room;
	struct room_client *client;
};

struct room_client {
	struct room_core *core;
	void *tag;
	struct peer *peers[ROOM_MAX_ROOMS_PER_CLIENT];
	unsigned int n_peers;
	double allowance; /* messages that may come at once */
	gint64 allowance_us, warned_us;
	bool finished;
};

struct room_core {
	char *app_key, *turn_url, *turn_credential;
	uint8_t secret[ROOM_SECRET_BYTES];
	const struct room_core_ops *ops;
	void *data;
	struct room_counters *counters;
	GHashTable *rooms; /* rid -> struct room, owned */
	GPtrArray *tags;   /* receivers of the message at hand */
	gint64 last_tie_breaker;
	unsigned int n_clients;
};

/* Said by a server, an MCU or a recorder only: SkylinkJS believes whoever
 * sends them, so that relaying one would let a peer throw others out. */
static const char *const server_types[] = {
	"inRoom",   "redirect",	      "peerList",  "introduceError",
	"approach", "recordingEvent", "rtmpEvent", "storedMessages",
	"joinRoom", "group",	      NULL,
};

static void room_destroy(gpointer data)
{
	struct room *room = data;

	g_hash_table_unref(room->peers);
	g_free(room->rid);
	g_free(room);
}

struct room_core *room_core_new(const struct room_core_config *config,
				const struct room_core_ops *ops, void *data,
				struct room_counters *counters)
{
	struct room_core *core = g_new0(struct room_core, 1);

	core->app_key = g_strdup(config->app_key);
	core->turn_url = g_strdup(config->turn_url);
	core->turn_credential = g_strdup(config->turn_credential);
	memcpy(core->secret, config->secret, sizeof(core->secret));
	core->ops = ops;
	core->data = data;
	core->counters = counters;
	core->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					    room_destroy);
	core->tags = g_ptr_array_new();
	return core;
}

struct room_core *room_core_free(struct room_core *core)
{
	if (!core)
		return NULL;
	g_assert(core->n_clients == 0);
	g_hash_table_unref(core->rooms);
	g_ptr_array_unref(core->tags);
	g_free(core->app_key);
	g_free(core->turn_url);
	g_free(core->turn_credential);
	g_free(core);
	return NULL;
}

static void drop_bad(struct room_client *client)
{
	room_count(client->core->counters->bad_messages, 1);
}

static const char *get_string(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

/* A member that comes as a string or as a number ("len"), as text. */
static char *dup_text(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node))
		return NULL;
	if (json_node_get_value_type(node) == G_TYPE_STRING)
		return json_node_dup_string(node);
	if (json_node_get_value_type(node) == G_TYPE_INT64)
		return g_strdup_printf("%" G_GINT64_FORMAT,
				       json_node_get_int(node));
	return NULL;
}

static void deliver_one(struct room_client *client, const GString *json)
{
	struct room_core *core = client->core;

	core->ops->deliver(core->data, &client->tag, 1, json->str, json->len);
}

/* To everybody in the room but @except. */
static void deliver_rest(struct room_core *core, struct room *room,
			 const struct peer *except, const char *json,
			 size_t len)
{
	GHashTableIter iter;
	gpointer value;

	g_ptr_array_set_size(core->tags, 0);
	g_hash_table_iter_init(&iter, room->peers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct peer *peer = value;

		if (peer != except)
			g_ptr_array_add(core->tags, peer->client->tag);
	}
	if (core->tags->len)
		core->ops->deliver(core->data, core->tags->pdata,
				   core->tags->len, json, len);
}

/* Append ,"name":"value" or, for the first, without the comma. */
static void append_member(GString *out, const char *name, const char *value)
{
	if (out->str[out->len - 1] != '{')
		g_string_append_c(out, ',');
	json_quote(out, name, strlen(name));
	g_string_append_c(out, ':');
	json_quote(out, value, strlen(value));
}

static void send_redirect(struct room_client *client, const char *rid,
			  const char *action, const char *reason,
			  const char *info)
{
	g_autoptr(GString) out = g_string_new("{");

	append_member(out, "type", "redirect");
	append_member(out, "action", action);
	append_member(out, "reason", reason);
	append_member(out, "info", info);
	if (rid)
		append_member(out, "rid", rid);
	g_string_append_c(out, '}');
	deliver_one(client, out);
}

/* A join is refused; a client that is in no other room goes. */
static void reject(struct room_client *client, const char *rid,
		   const char *reason, const char *info)
{
	struct room_core *core = client->core;

	room_count(core->counters->refused, 1);
	send_redirect(client, rid, "reject", reason, info);
	if (!client->n_peers) {
		client->finished = true;
		core->ops->finish(core->data, client->tag);
	}
}

static struct peer *find_own(struct room_client *client, const char *rid)
{
	if (!rid) /* native clients of one room may leave it out */
		return client->n_peers == 1 ? client->peers[0] : NULL;
	for (unsigned int i = 0; i < client->n_peers; i++)
		if (strcmp(client->peers[i]->room->rid, rid) == 0)
			return client->peers[i];
	return NULL;
}

/* The peer is gone for all others; the room goes with the last. */
static void leave(struct peer *peer)
{
	struct room_client *client = peer->client;
	struct room_core *core = client->core;
	struct room *room = peer->room;
	g_autoptr(GString) out = g_string_new("{");

	append_member(out, "type", "bye");
	append_member(out, "mid", peer->sid);
	append_member(out, "rid", room->rid);
	g_string_append_c(out, '}');
	deliver_rest(core, room, peer, out->str, out->len);

	g_hash_table_remove(room->peers, peer->sid);
	if (!g_hash_table_size(room->peers))
		g_hash_table_remove(core->rooms, room->rid);
	for (unsigned int i = 0; i < client->n_peers; i++) {
		if (client->peers[i] != peer)
			continue;
		client->peers[i] = client->peers[--client->n_peers];
		break;
	}
	g_free(peer);
	room_count_set(core->counters->rooms, g_hash_table_size(core->rooms));
}

static void send_in_room(struct peer *peer)
{
	struct room_core *core = peer->client->core;
	g_autoptr(GString) out = g_string_new("{");
	gint64 now_ms = core->ops->wall_ms(core->data);

	/* The newest always weighs most, across a clock that is set back too:
	 * equal weights make two clients greet each other for ever. */
	core->last_tie_breaker = MAX(now_ms, core->last_tie_breaker + 1);

	append_member(out, "type", "inRoom");
	append_member(out, "sid", peer->sid);
	append_member(out, "rid", peer->room->rid);
	g_string_append_printf(out, ",\"tieBreaker\":%" G_GINT64_FORMAT,
			       core->last_tie_breaker);
	g_string_append(out, ",\"pc_config\":{\"iceServers\":[{");
	append_member(out, "url", core->turn_url);
	append_member(out, "credential", core->turn_credential);
	g_string_append(out, "}]}}");
	deliver_one(peer->client, out);
}

static void enter_room(struct room_client *client, const char *rid)
{
	struct room_core *core = client->core;
	struct room *room = g_hash_table_lookup(core->rooms, rid);
	struct peer *peer = g_new0(struct peer, 1);
	uint8_t random[ROOM_SID_CHARS / 4 * 3];

	if (!room) {
		room = g_new0(struct room, 1);
		room->rid = g_strdup(rid);
		room->peers = g_hash_table_new(g_str_hash, g_str_equal);
		g_hash_table_insert(core->rooms, room->rid, room);
	}
	do {
		core->ops->random(core->data, random, sizeof(random));
		room_token_id(random, ROOM_SID_CHARS, peer->sid);
	} while (g_hash_table_contains(room->peers, peer->sid));
	peer->room = room;
	peer->client = client;
	g_hash_table_insert(room->peers, peer->sid, peer);
	client->peers[client->n_peers++] = peer;
	room_count_set(core->counters->rooms, g_hash_table_size(core->rooms));
	send_in_room(peer);
}

/* Both tokens are right for what joinRoom says of itself. */
static bool tokens_hold(struct room_core *core, JsonObject *message)
{
	g_autofree char *len = dup_text(message, "len");
	struct room_token_user user = {
		.key = core->app_key,
		.uid = get_string(message, "uid"),
		.time_stamp = get_string(message, "timeStamp"),
		.cid = get_string(message, "cid"),
	};
	struct room_token_room room = {
		.key = core->app_key,
		.rid = get_string(message, "rid"),
		.start = get_string(message, "start"),
		.len = len,
		.api_owner = get_string(message, "apiOwner"),
	};
	const char *user_cred = get_string(message, "userCred");
	const char *room_cred = get_string(message, "roomCred");
	char token[ROOM_TOKEN_SIZE];

	if (!user.uid || !user.time_stamp || !user.cid || !room.rid ||
	    !room.start || !room.len || !room.api_owner || !user_cred ||
	    !room_cred)
		return false;
	room_token_make_user(core->secret, &user, token);
	if (!room_token_equal(token, user_cred))
		return false;
	room_token_make_room(core->secret, &room, token);
	return room_token_equal(token, room_cred);
}

/* The room's time, from "start" for "len" hours, as the token vouches. */
static bool has_expired(struct room_core *core, JsonObject *message)
{
	g_autofree char *len = dup_text(message, "len");
	g_autoptr(GDateTime) start = g_date_time_new_from_iso8601(
		get_string(message, "start"), NULL);
	double end_ms;

	if (!start)
		return true;
	end_ms = (double) g_date_time_to_unix(start) * 1000.0 +
		 g_ascii_strtod(len, NULL) * 3600.0 * 1000.0;
	return (double) core->ops->wall_ms(core->data) > end_ms;
}

static void handle_join(struct room_client *client, JsonObject *message)
{
	struct room_core *core = client->core;
	const char *rid = get_string(message, "rid");
	const char *key = get_string(message, "key");
	struct room *room;
	struct peer *own;

	if (key && strcmp(key, core->app_key) != 0) {
		reject(client, rid, "keyFailed", "Unknown application key");
		return;
	}
	if (!tokens_hold(core, message)) {
		reject(client, rid, "credentialError",
		       "The credentials are not valid here");
		return;
	}
	if (has_expired(core, message)) {
		reject(client, rid, "expired", "The time of the room is over");
		return;
	}

	own = find_own(client, rid);
	room = g_hash_table_lookup(core->rooms, rid);
	if (room && room->locked && !own) {
		reject(client, rid, "locked", "The room is locked");
		return;
	}
	if (own)
		leave(own);
	if (client->n_peers == ROOM_MAX_ROOMS_PER_CLIENT) {
		reject(client, rid, "serverError",
		       "This connection is in too many rooms");
		return;
	}
	enter_room(client, rid);
}

/* One message of a peer, alone or out of a group. */
static void relay(struct room_client *client, JsonObject *message,
		  const char *json, size_t len)
{
	struct room_core *core = client->core;
	const char *type = get_string(message, "type");
	const char *mid = get_string(message, "mid");
	struct peer *own = find_own(client, get_string(message, "rid"));
	JsonNode *target = json_object_get_member(message, "target");
	struct peer *to;

	if (!own || !mid || strcmp(mid, own->sid) != 0 ||
	    g_strv_contains(server_types, type)) {
		drop_bad(client);
		return;
	}
	if (strcmp(type, "bye") == 0) {
		/* 2.x says it to each peer of a room it leaves; the first
		 * time serves all. */
		leave(own);
		return;
	}
	if (strcmp(type, "roomLockEvent") == 0)
		own->room->locked = json_object_get_boolean_member_with_default(
			message, "lock", FALSE);

	if (!target || JSON_NODE_HOLDS_NULL(target)) {
		deliver_rest(core, own->room, own, json, len);
		return;
	}
	if (json_node_get_value_type(target) != G_TYPE_STRING) {
		drop_bad(client);
		return;
	}
	to = g_hash_table_lookup(own->room->peers,
				 json_node_get_string(target));
	if (to && to != own)
		core->ops->deliver(core->data, &to->client->tag, 1, json, len);
}

/* Takes @cost from the client's allowance. Nothing is said for the first
 * messages beyond the rate; a client that goes on gets one warning every few
 * seconds. */
static bool within_rate(struct room_client *client, unsigned int cost)
{
	struct room_core *core = client->core;
	gint64 now_us = core->ops->monotonic_us(core->data);
	double seconds =
		(double) (now_us - client->allowance_us) / G_USEC_PER_SEC;

	client->allowance_us = now_us;
	client->allowance =
		MIN(ROOM_RATE_BURST,
		    client->allowance + seconds * ROOM_RATE_PER_SECOND);
	if (client->allowance >= cost) {
		client->allowance -= cost;
		return true;
	}
	drop_bad(client);
	if (!client->warned_us ||
	    now_us - client->warned_us >= ROOM_RATE_WARN_US) {
		client->warned_us = now_us;
		send_redirect(client,
			      client->n_peers ? client->peers[0]->room->rid
					      : NULL,
			      "warning", "fastmsg",
			      "Messages are sent too quickly and are dropped");
	}
	return false;
}

/* Groups are taken apart: 2.x does not know them, everybody else takes the
 * parts as well, and a target inside must be obeyed. Each part counts as a
 * message: the group itself was the first. */
static void handle_group(struct room_client *client, JsonObject *message)
{
	JsonNode *node = json_object_get_member(message, "lists");
	JsonArray *lists;

	if (!node || !JSON_NODE_HOLDS_ARRAY(node) ||
	    json_array_get_length(json_node_get_array(node)) > ROOM_MAX_GROUP) {
		drop_bad(client);
		return;
	}
	lists = json_node_get_array(node);
	for (guint i = 0; i < json_array_get_length(lists); i++) {
		JsonNode *item = json_array_get_element(lists, i);
		g_autoptr(JsonObject) inner = NULL;
		const char *text;

		if (i && !within_rate(client, 1))
			return;
		if (json_node_get_value_type(item) != G_TYPE_STRING) {
			drop_bad(client);
			continue;
		}
		text = json_node_get_string(item);
		inner = json_checked_parse_object(text, -1, EIO_MAX_PACKET,
						  NULL);
		if (!inner || !get_string(inner, "type")) {
			drop_bad(client);
			continue;
		}
		relay(client, inner, text, strlen(text));
	}
}

struct room_client *room_client_new(struct room_core *core, void *tag)
{
	struct room_client *client = g_new0(struct room_client, 1);

	client->core = core;
	client->tag = tag;
	client->allowance = ROOM_RATE_BURST;
	client->allowance_us = core->ops->monotonic_us(core->data);
	core->n_clients++;
	return client;
}

struct room_client *room_client_free(struct room_client *client)
{
	if (!client)
		return NULL;
	while (client->n_peers)
		leave(client->peers[0]);
	client->core->n_clients--;
	g_free(client);
	return NULL;
}

bool room_client_has_joined(const struct room_client *client)
{
	return client->n_peers > 0;
}

void room_client_receive(struct room_client *client, const char *json,
			 size_t len)
{
	g_autoptr(JsonObject) message = NULL;
	const char *type;

	if (client->finished ||
	    !within_rate(client, 1 + (unsigned int) (len / ROOM_RATE_BYTES)))
		return;
	room_count(client->core->counters->messages_in, 1);
	message = json_checked_parse_object(json, (gssize) len, EIO_MAX_PACKET,
					    NULL);
	type = message ? get_string(message, "type") : NULL;
	if (!type) {
		drop_bad(client);
		return;
	}

	if (strcmp(type, "joinRoom") == 0)
		handle_join(client, message);
	else if (strcmp(type, "group") == 0)
		handle_group(client, message);
	else
		relay(client, message, json, len);
}
