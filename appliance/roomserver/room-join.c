// SPDX-License-Identifier: Apache-2.0
/* room-join.c - coming in, staying for one's time, and going */
#include "appliance/roomserver/room-core-private.h"

#include <string.h>

#define HOUR_MS (3600.0 * 1000.0)

void core_destroy(gpointer data)
{
	struct room *room = data;

	g_ptr_array_unref(room->peers);
	g_free(room->rid);
	g_free(room);
}

void core_peer_destroy(gpointer data)
{
	struct peer *peer = data;

	if (peer->links)
		g_ptr_array_unref(peer->links);
	g_free(peer->uid);
	g_free(peer);
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

/* What joinRoom says of itself. */
struct join {
	const struct room_key *key;
	struct room_token_user user;
	struct room_token_room room;
	char *len;
	const char *user_cred, *room_cred;
	gint64 start_ms, end_ms, made_ms;
};

/* Return: false when something is missing. */
static bool read_join(JsonObject *message, struct join *ret)
{
	const char *key = ret->key ? ret->key->name : "";

	ret->len = dup_text(message, "len");
	ret->user = (struct room_token_user){
		.key = key,
		.uid = core_get_string(message, "uid"),
		.time_stamp = core_get_string(message, "timeStamp"),
		.cid = core_get_string(message, "cid"),
	};
	ret->room = (struct room_token_room){
		.key = key,
		.rid = core_get_string(message, "rid"),
		.start = core_get_string(message, "start"),
		.len = ret->len,
		.api_owner = core_get_string(message, "apiOwner"),
	};
	ret->user_cred = core_get_string(message, "userCred");
	ret->room_cred = core_get_string(message, "roomCred");
	return ret->user.uid && ret->user.time_stamp && ret->user.cid &&
	       ret->room.rid && ret->room.start && ret->len &&
	       ret->room.api_owner && ret->user_cred && ret->room_cred;
}

/* Both tokens are right for what the message says of itself. */
static bool tokens_hold(struct room_core *core, const struct join *join)
{
	char user[ROOM_TOKEN_SIZE], room[ROOM_TOKEN_SIZE];

	room_token_make_user(core->secret, &join->user, user);
	room_token_make_room(core->secret, &join->room, room);
	/* Both are always compared. */
	bool user_holds = room_token_equal(user, join->user_cred);
	bool room_holds = room_token_equal(room, join->room_cred);

	return user_holds && room_holds;
}

static bool parse_ms(const char *text, gint64 *ret)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);

	if (!time)
		return false;
	*ret = g_date_time_to_unix(time) * 1000 +
	       g_date_time_get_microsecond(time) / 1000;
	return true;
}

/* The times that the tokens vouch for: they are ours, and hold them. */
static bool read_times(struct join *join)
{
	double length_ms = g_ascii_strtod(join->len, NULL) * HOUR_MS;

	if (!parse_ms(join->room.start, &join->start_ms) ||
	    !parse_ms(join->user.time_stamp, &join->made_ms) ||
	    !(length_ms > 0 && length_ms < (double) (G_MAXINT64 / 4)))
		return false;
	join->end_ms = join->start_ms + (gint64) length_ms;
	return true;
}

static void append_relay(struct room_core *core, GString *out)
{
	g_autofree char *user = g_strdup(core->turn_user);
	g_autofree char *credential = NULL, *url = NULL;

	if (user) {
		credential = g_strdup(core->turn_secret);
	} else {
		user = g_strdup_printf("%" G_GINT64_FORMAT,
				       core->ops->wall_ms(core->data) / 1000 +
					       ROOM_TURN_LIFETIME_S);
		credential = room_token_sha1(core->turn_secret, user);
	}
	url = g_strdup_printf("turn:%s@%s", user, core->turn_host);
	core_append(out, "url", url);
	core_append(out, "credential", credential);
}

static void send_in_room(struct peer *peer)
{
	struct room_core *core = peer->client->core;
	g_autoptr(GString) out = g_string_new("{");
	gint64 now_ms = core->ops->wall_ms(core->data);

	/* The newest always weighs most, across a clock that is set back too:
	 * equal weights make two clients greet each other for ever. */
	core->last_tie_breaker = MAX(now_ms, core->last_tie_breaker + 1);

	core_append(out, "type", "inRoom");
	core_append(out, "sid", peer->sid);
	core_append(out, "rid", peer->room->rid);
	g_string_append_printf(out, ",\"tieBreaker\":%" G_GINT64_FORMAT,
			       core->last_tie_breaker);
	g_string_append(out, ",\"pc_config\":{\"iceServers\":[{");
	append_relay(core, out);
	g_string_append(out, "}]}}");
	core_deliver_one(peer->client, out);
}

static struct room *get_room(struct room_core *core, const struct join *join)
{
	struct room *room = g_hash_table_lookup(core->rooms, join->room.rid);

	if (room)
		return room;
	room = g_new0(struct room, 1);
	room->rid = g_strdup(join->room.rid);
	room->space = join->key->space;
	room->peers = g_ptr_array_new();
	g_hash_table_insert(core->rooms, room->rid, room);
	room_count_set(core->counters->rooms, g_hash_table_size(core->rooms));
	return room;
}

static void enter_room(struct room_client *client, const struct join *join)
{
	struct room_core *core = client->core;
	struct peer *peer = g_new0(struct peer, 1);
	uint8_t random[ROOM_SID_CHARS / 4 * 3];

	/* 20 characters: never "MCU", which clients believe to be a server. */
	do {
		core->ops->random(core->data, random, sizeof(random));
		room_token_id(random, ROOM_SID_CHARS, peer->sid);
	} while (g_hash_table_contains(core->peers, peer->sid));
	peer->uid = g_strdup(join->user.uid);
	peer->room = get_room(core, join);
	peer->client = client;
	peer->key = join->key;
	peer->end_ms = join->end_ms;
	g_hash_table_insert(core->peers, peer->sid, peer);
	g_hash_table_replace(core->logins, peer->uid, peer);
	g_ptr_array_add(peer->room->peers, peer);
	client->peers[client->n_peers++] = peer;
	core->next_due_ms =
		MIN(core->next_due_ms, peer->end_ms - ROOM_CLOSE_WARNING_MS);
	send_in_room(peer);
}

static void send_bye(struct room_core *core, const char *sid, const char *rid)
{
	g_autoptr(GString) out = g_string_new("{");

	core_append(out, "type", "bye");
	core_append(out, "mid", sid);
	core_append(out, "rid", rid);
	g_string_append_c(out, '}');
	core->ops->deliver(core->data, core->tags->pdata, core->tags->len,
			   out->str, out->len);
}

/* Those of other rooms hear of it with the room they know themselves in. */
static void unlink_all(struct peer *peer)
{
	struct room_core *core = peer->client->core;

	for (guint i = 0; peer->links && i < peer->links->len; i++) {
		struct peer *other = peer->links->pdata[i];

		g_ptr_array_remove(other->links, peer);
		g_ptr_array_set_size(core->tags, 0);
		g_ptr_array_add(core->tags, other->client->tag);
		send_bye(core, peer->sid, other->room->rid);
	}
}

void core_leave(struct peer *peer)
{
	struct room_client *client = peer->client;
	struct room_core *core = client->core;
	struct room *room = peer->room;

	g_ptr_array_remove(room->peers, peer);
	g_ptr_array_set_size(core->tags, 0);
	for (guint i = 0; i < room->peers->len; i++)
		g_ptr_array_add(
			core->tags,
			((struct peer *) room->peers->pdata[i])->client->tag);
	if (core->tags->len)
		send_bye(core, peer->sid, room->rid);
	unlink_all(peer);

	if (!room->peers->len)
		g_hash_table_remove(core->rooms, room->rid);
	for (unsigned int i = 0; i < client->n_peers; i++) {
		if (client->peers[i] != peer)
			continue;
		client->peers[i] = client->peers[--client->n_peers];
		break;
	}
	if (g_hash_table_lookup(core->logins, peer->uid) == peer)
		g_hash_table_remove(core->logins, peer->uid);
	g_hash_table_remove(core->peers, peer->sid);
	room_count_set(core->counters->rooms, g_hash_table_size(core->rooms));
}

/* A join is refused; a client that is in no other room goes. */
static void reject(struct room_client *client, const char *rid,
		   const char *reason, const char *info)
{
	room_count(client->core->counters->refused, 1);
	core_send_redirect(client, rid, "reject", reason, info);
	core_finish_if_alone(client);
}

struct refusal {
	const char *reason, *info;
};

static struct refusal check_times(struct room_core *core, struct join *join)
{
	gint64 now_ms = core->ops->wall_ms(core->data);

	if (!read_times(join))
		return (struct refusal){"credentialError",
					"The credentials have no time"};
	if (now_ms - join->made_ms > ROOM_TOKEN_MAX_AGE_MS)
		return (struct refusal){"oldTimeStamp",
					"The credentials are too old"};
	if (now_ms >= join->end_ms)
		return (struct refusal){"expired",
					"The time of the room is over"};
	/* An open room has no start but the moment its token was made, and a
	 * clock that is set back must not close it. */
	if (now_ms + ROOM_START_TOLERANCE_MS < join->start_ms &&
	    strcmp(join->room.start, join->user.time_stamp) != 0)
		return (struct refusal){"notStart",
					"The time of the room has not come"};
	return (struct refusal){0};
}

static struct refusal check_place(struct room_client *client,
				  const struct join *join,
				  const struct peer *own)
{
	struct room_core *core = client->core;
	const struct room *room =
		g_hash_table_lookup(core->rooms, join->room.rid);
	const struct peer *login =
		g_hash_table_lookup(core->logins, join->user.uid);

	if (login && login->client != client)
		return (struct refusal){"duplicatedLogin",
					"These credentials are in use"};
	if (own)
		return (struct refusal){0};
	if (room && room->locked)
		return (struct refusal){"locked", "The room is locked"};
	if (client->n_peers == ROOM_MAX_ROOMS_PER_CLIENT)
		return (struct refusal){"serverError",
					"This connection is in too many rooms"};
	if (!room && g_hash_table_size(core->rooms) >= ROOM_MAX_ROOMS)
		return (struct refusal){"serverError",
					"There are as many rooms as allowed"};
	return (struct refusal){0};
}

static struct peer *find_in_room(struct room_client *client, const char *rid)
{
	for (unsigned int i = 0; i < client->n_peers; i++)
		if (strcmp(client->peers[i]->room->rid, rid) == 0)
			return client->peers[i];
	return NULL;
}

void core_handle_join(struct room_client *client, JsonObject *message)
{
	struct room_core *core = client->core;
	const char *name = core_get_string(message, "key");
	const char *rid = core_get_string(message, "rid");
	struct join join = {
		.key = name ? room_keys_find(core->keys, name)
			    : room_keys_get(core->keys, 0),
	};
	struct peer *own = rid ? find_in_room(client, rid) : NULL;
	struct refusal refusal = {0};

	if (!core_within_rate(client, ROOM_JOIN_COST - 1))
		return;
	if (!join.key || !join.key->space)
		refusal = (struct refusal){"keyFailed",
					   "Unknown application key"};
	else if (!read_join(message, &join) || !tokens_hold(core, &join))
		refusal =
			(struct refusal){"credentialError",
					 "The credentials are not valid here"};
	if (!refusal.reason)
		refusal = check_times(core, &join);
	if (!refusal.reason)
		refusal = check_place(client, &join, own);
	if (refusal.reason) {
		reject(client, rid, refusal.reason, refusal.info);
	} else {
		if (own)
			core_leave(own);
		enter_room(client, &join);
	}
	g_free(join.len);
}

/* --- the end of one's time --------------------------------------------------
 */

static gint64 due_ms(const struct peer *peer)
{
	return peer->warned ? peer->end_ms
			    : peer->end_ms - ROOM_CLOSE_WARNING_MS;
}

/* Return: whether the peer is gone. */
static bool tell_end(struct peer *peer, gint64 now_ms)
{
	struct room_client *client = peer->client;
	g_autofree char *rid = NULL;

	if (now_ms < peer->end_ms) {
		peer->warned = true;
		core_send_redirect(client, peer->room->rid, "warning",
				   "toClose", "The room will close soon");
		return false;
	}
	rid = g_strdup(peer->room->rid);
	core_leave(peer);
	core_send_redirect(client, rid, "reject", "roomclose",
			   "The time of the room is over");
	core_finish_if_alone(client);
	return true;
}

void room_core_tick(struct room_core *core)
{
	gint64 now_ms = core->ops->wall_ms(core->data);
	g_autoptr(GPtrArray) due = NULL;
	gint64 next_ms = G_MAXINT64;
	GHashTableIter iter;
	gpointer value;

	if (now_ms < core->next_due_ms)
		return;
	due = g_ptr_array_new();
	g_hash_table_iter_init(&iter, core->peers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		if (due_ms(value) <= now_ms)
			g_ptr_array_add(due, value);
		else
			next_ms = MIN(next_ms, due_ms(value));
	}
	/* No peer goes by another's leaving. */
	for (guint i = 0; i < due->len; i++)
		if (!tell_end(due->pdata[i], now_ms))
			next_ms = MIN(next_ms, due_ms(due->pdata[i]));
	core->next_due_ms = next_ms;
}
