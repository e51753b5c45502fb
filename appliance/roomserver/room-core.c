// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-core-private.h"

#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/json-check.h"

/* Said by a server, an MCU or a recorder only: SkylinkJS believes whoever
 * sends them, so that relaying one would let a peer throw others out. The
 * rest are for the server, and nothing that one peer says to another. */
static const char *const server_types[] = {
	"inRoom",   "redirect",	      "peerList",  "introduceError",
	"approach", "recordingEvent", "rtmpEvent", "storedMessages",
	"joinRoom", "group",	      "getPeers",  "introduce",
};

struct room_core *room_core_new(const struct room_core_config *config,
				const struct room_core_ops *ops, void *data,
				struct room_counters *counters)
{
	struct room_core *core = g_new0(struct room_core, 1);

	core->keys = config->keys;
	core->turn_host = g_strdup(config->turn.host);
	core->turn_user = g_strdup(config->turn.user);
	core->turn_secret = g_strdup(config->turn.secret);
	memcpy(core->secret, config->secret, sizeof(core->secret));
	core->ops = ops;
	core->data = data;
	core->counters = counters;
	core->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					    core_destroy);
	core->peers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					    core_peer_destroy);
	core->logins = g_hash_table_new(g_str_hash, g_str_equal);
	core->tags = g_ptr_array_new();
	core->next_due_ms = G_MAXINT64;
	return core;
}

struct room_core *room_core_free(struct room_core *core)
{
	if (!core)
		return NULL;
	g_assert(core->n_clients == 0);
	g_hash_table_unref(core->logins);
	g_hash_table_unref(core->peers);
	g_hash_table_unref(core->rooms);
	g_ptr_array_unref(core->tags);
	g_free(core->turn_host);
	g_free(core->turn_user);
	g_free(core->turn_secret);
	explicit_bzero(core->secret, sizeof(core->secret));
	g_free(core);
	return NULL;
}

void core_drop_bad(struct room_client *client)
{
	room_count(client->core->counters->bad_messages, 1);
}

const char *core_get_string(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

void core_append(GString *out, const char *name, const char *value)
{
	if (out->str[out->len - 1] != '{')
		g_string_append_c(out, ',');
	json_quote(out, name, strlen(name));
	g_string_append_c(out, ':');
	json_quote(out, value, strlen(value));
}

void core_deliver_one(struct room_client *client, const GString *json)
{
	struct room_core *core = client->core;

	core->ops->deliver(core->data, &client->tag, 1, json->str, json->len);
}

void core_send_redirect(struct room_client *client, const char *rid,
			const char *action, const char *reason,
			const char *info)
{
	g_autoptr(GString) out = g_string_new("{");

	core_append(out, "type", "redirect");
	core_append(out, "action", action);
	core_append(out, "reason", reason);
	core_append(out, "info", info);
	if (rid)
		core_append(out, "rid", rid);
	g_string_append_c(out, '}');
	core_deliver_one(client, out);
}

void core_finish_if_alone(struct room_client *client)
{
	struct room_core *core = client->core;

	if (client->n_peers || client->finished)
		return;
	client->finished = true;
	core->ops->finish(core->data, client->tag);
}

static bool is_server_type(const struct room_field *type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(server_types); i++)
		if (room_field_is(type, server_types[i]))
			return true;
	return false;
}

/* The peer in whose name the client speaks, when what it says of itself is
 * right. */
static struct peer *find_speaker(struct room_client *client,
				 const struct room_message *m)
{
	for (unsigned int i = 0; i < client->n_peers; i++) {
		struct peer *peer = client->peers[i];

		if (!room_field_is(&m->mid, peer->sid))
			continue;
		/* native clients of one room may leave the room out */
		return room_field_is(&m->rid, peer->room->rid) ||
				       (m->rid.kind != ROOM_FIELD_STRING &&
					client->n_peers == 1)
			       ? peer
			       : NULL;
	}
	return NULL;
}

static bool is_broadcast(const struct room_message *m)
{
	return m->target.kind == ROOM_FIELD_NONE ||
	       m->target.kind == ROOM_FIELD_NULL;
}

/* Whom a broadcast of this peer reaches: its room, and those it has been
 * introduced to. */
enum audience {
	AUDIENCE_ALL,
	AUDIENCE_ROOM,	     /* without those of other rooms */
	AUDIENCE_PRIVILEGED, /* of the room */
	AUDIENCE_KNOW_GROUPS,
	AUDIENCE_NO_GROUPS, /* SkylinkJS 2.x */
};

static bool belongs(const struct peer *peer, enum audience audience)
{
	switch (audience) {
	case AUDIENCE_ALL:
	case AUDIENCE_ROOM:
		break;
	case AUDIENCE_PRIVILEGED:
		return peer->key->privileged;
	case AUDIENCE_KNOW_GROUPS:
		return !peer->client->no_groups;
	case AUDIENCE_NO_GROUPS:
		return peer->client->no_groups;
	}
	return true;
}

static void gather(struct room_core *core, const GPtrArray *peers,
		   const struct peer *except, enum audience audience)
{
	for (guint i = 0; i < peers->len; i++) {
		struct peer *peer = peers->pdata[i];

		if (peer != except && belongs(peer, audience))
			g_ptr_array_add(core->tags, peer->client->tag);
	}
}

static void broadcast(struct peer *own, enum audience audience,
		      const char *json, size_t len)
{
	struct room_core *core = own->client->core;

	g_ptr_array_set_size(core->tags, 0);
	gather(core, own->room->peers, own, audience);
	if (own->links && audience != AUDIENCE_PRIVILEGED &&
	    audience != AUDIENCE_ROOM)
		gather(core, own->links, NULL, audience);
	if (core->tags->len)
		core->ops->deliver(core->data, core->tags->pdata,
				   core->tags->len, json, len);
}

static struct peer *find_target(struct peer *own,
				const struct room_field *target)
{
	char sid[ROOM_SID_CHARS + 1];
	struct peer *to;

	if (target->len != ROOM_SID_CHARS)
		return NULL;
	memcpy(sid, target->text, ROOM_SID_CHARS);
	sid[ROOM_SID_CHARS] = '\0';
	to = g_hash_table_lookup(own->client->core->peers, sid);
	if (!to || to == own)
		return NULL;
	return to->room == own->room || core_are_linked(own, to) ? to : NULL;
}

static void note_version(struct room_client *client,
			 const struct room_message *m)
{
	if (m->sm_version.kind == ROOM_FIELD_STRING && m->sm_version.len >= 2 &&
	    memcmp(m->sm_version.text, "2.", 2) == 0)
		client->no_groups = true;
}

static void note_lock(struct peer *own, const struct room_message *m)
{
	if (room_field_is(&m->type, "roomLockEvent"))
		own->room->locked = m->lock.kind == ROOM_FIELD_TRUE;
}

/* Whoever is to be introduced by others is not announced; and a lock is the
 * room's, of which peers of other rooms know nothing. */
static enum audience audience_of(const struct peer *own,
				 const struct room_message *m)
{
	if (room_field_is(&m->type, "roomLockEvent"))
		return AUDIENCE_ROOM;
	return !own->key->auto_introduce && room_field_is(&m->type, "enter")
		       ? AUDIENCE_PRIVILEGED
		       : AUDIENCE_ALL;
}

/* One message of a peer, alone or out of a group. */
static void relay(struct room_client *client, const struct room_message *m,
		  const char *json, size_t len)
{
	struct room_core *core = client->core;
	struct peer *own = find_speaker(client, m);
	struct peer *to;

	if (!own || is_server_type(&m->type)) {
		core_drop_bad(client);
		return;
	}
	if (room_field_is(&m->type, "bye")) {
		/* 2.x says it to each peer of a room it leaves; the first
		 * time serves all. */
		core_leave(own);
		return;
	}
	note_version(client, m);
	note_lock(own, m);

	if (is_broadcast(m)) {
		broadcast(own, audience_of(own, m), json, len);
		return;
	}
	if (m->target.kind != ROOM_FIELD_STRING) {
		core_drop_bad(client);
		return;
	}
	to = find_target(own, &m->target);
	if (to)
		core->ops->deliver(core->data, &to->client->tag, 1, json, len);
}

/* Nothing is said for the first messages beyond the rate; a client that goes
 * on gets one warning every few seconds. */
bool core_within_rate(struct room_client *client, unsigned int cost)
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
	core_drop_bad(client);
	if (!client->warned_us ||
	    now_us - client->warned_us >= ROOM_RATE_WARN_US) {
		client->warned_us = now_us;
		core_send_redirect(client,
				   client->n_peers ? client->peers[0]->room->rid
						   : NULL,
				   "warning", "fastmsg",
				   "Messages are sent too quickly and are "
				   "dropped");
	}
	return false;
}

/* --- groups -----------------------------------------------------------------
 */

/* A group that may be passed on whole: each part is a broadcast of @own that
 * every peer of the room is to get. */
static bool is_plain_part(const struct peer *own, const char *text)
{
	struct room_message m;

	return text && room_message_scan(&m, text, strlen(text)) == 0 &&
	       find_speaker(own->client, &m) == own && is_broadcast(&m) &&
	       !is_server_type(&m.type) && !room_field_is(&m.type, "bye") &&
	       !room_field_is(&m.type, "enter");
}

static const char *get_part(JsonArray *lists, guint i)
{
	JsonNode *item = json_array_get_element(lists, i);

	return json_node_get_value_type(item) == G_TYPE_STRING
		       ? json_node_get_string(item)
		       : NULL;
}

/* Whole for those who know groups, in parts for the others. */
static void relay_whole(struct peer *own, JsonArray *lists, const char *json,
			size_t len)
{
	broadcast(own, AUDIENCE_KNOW_GROUPS, json, len);
	for (guint i = 0; i < json_array_get_length(lists); i++) {
		const char *text = get_part(lists, i);
		struct room_message m;

		if (room_message_scan(&m, text, strlen(text)) == 0) {
			note_lock(own, &m);
			broadcast(own, AUDIENCE_NO_GROUPS, text, strlen(text));
		}
	}
}

/* Each part like a message of its own: a target inside is obeyed, and what
 * must not be said alone must not be said in a group either. */
static void relay_parts(struct room_client *client, JsonArray *lists)
{
	for (guint i = 0; i < json_array_get_length(lists); i++) {
		const char *text = get_part(lists, i);
		struct room_message m;

		if (!text || room_message_scan(&m, text, strlen(text)) < 0)
			core_drop_bad(client);
		else
			relay(client, &m, text, strlen(text));
	}
}

static void handle_group(struct room_client *client,
			 const struct room_message *m, const char *json,
			 size_t len)
{
	g_autoptr(JsonObject) message = json_checked_parse_object(
		json, (gssize) len, EIO_MAX_PACKET, NULL);
	JsonNode *node =
		message ? json_object_get_member(message, "lists") : NULL;
	struct peer *own = find_speaker(client, m);
	JsonArray *lists;
	guint n;
	bool plain = is_broadcast(m);

	if (!own || !node || !JSON_NODE_HOLDS_ARRAY(node) ||
	    json_array_get_length(json_node_get_array(node)) > ROOM_MAX_GROUP) {
		core_drop_bad(client);
		return;
	}
	lists = json_node_get_array(node);
	n = json_array_get_length(lists);
	/* Each part counts as a message: the group itself was the first. */
	if (!n || !core_within_rate(client, n - 1))
		return;
	for (guint i = 0; plain && i < n; i++)
		plain = is_plain_part(own, get_part(lists, i));
	if (plain)
		relay_whole(own, lists, json, len);
	else
		relay_parts(client, lists);
}

/* --- clients ----------------------------------------------------------------
 */

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
		core_leave(client->peers[0]);
	client->core->n_clients--;
	g_free(client);
	return NULL;
}

bool room_client_has_joined(const struct room_client *client)
{
	return client->n_peers > 0;
}

void room_client_set_no_groups(struct room_client *client)
{
	client->no_groups = true;
}

/* The few that the server acts on itself, read into a tree. */
static void handle_request(struct room_client *client, const char *json,
			   size_t len,
			   void (*handle)(struct room_client *client,
					  JsonObject *message))
{
	g_autoptr(JsonObject) message = json_checked_parse_object(
		json, (gssize) len, EIO_MAX_PACKET, NULL);

	if (message)
		handle(client, message);
	else
		core_drop_bad(client);
}

void room_client_receive(struct room_client *client, const char *json,
			 size_t len)
{
	struct room_message m;

	if (client->finished ||
	    !core_within_rate(client,
			      1 + (unsigned int) (len / ROOM_RATE_BYTES)))
		return;
	room_count(client->core->counters->messages_in, 1);
	if (room_message_scan(&m, json, len) < 0)
		core_drop_bad(client);
	else if (room_field_is(&m.type, "joinRoom"))
		handle_request(client, json, len, core_handle_join);
	else if (room_field_is(&m.type, "getPeers"))
		handle_request(client, json, len, core_handle_get_peers);
	else if (room_field_is(&m.type, "introduce"))
		handle_request(client, json, len, core_handle_introduce);
	else if (room_field_is(&m.type, "group"))
		handle_group(client, &m, json, len);
	else
		relay(client, &m, json, len);
}
