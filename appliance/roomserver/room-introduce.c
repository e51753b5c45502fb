// SPDX-License-Identifier: Apache-2.0
/* room-introduce.c - what privileged peers may ask for (§12) */
#include "appliance/roomserver/room-core-private.h"

#include <string.h>

#include "appliance/signaling/json-check.h"

/* In whose name the client asks: its privileged peer, of the room it names if
 * it names one. These messages carry no mid. */
static struct peer *find_asker(struct room_client *client, JsonObject *message)
{
	const char *rid = core_get_string(message, "rid");

	for (unsigned int i = 0; i < client->n_peers; i++) {
		struct peer *peer = client->peers[i];

		if (peer->key->privileged &&
		    (!rid || strcmp(peer->room->rid, rid) == 0))
			return peer;
	}
	return NULL;
}

/* Return: whether there was one. */
static bool append_room(GString *out, const struct room *room, bool show_all)
{
	bool any = false;

	for (guint i = 0; i < room->peers->len; i++) {
		const struct peer *peer = room->peers->pdata[i];

		if (peer->key->privileged && !show_all)
			continue;
		if (any) {
			g_string_append_c(out, ',');
		} else {
			if (out->str[out->len - 1] != '{')
				g_string_append_c(out, ',');
			json_quote(out, room->rid, strlen(room->rid));
			g_string_append(out, ":[");
			any = true;
		}
		json_quote(out, peer->sid, strlen(peer->sid));
	}
	if (any)
		g_string_append_c(out, ']');
	return any;
}

void core_handle_get_peers(struct room_client *client, JsonObject *message)
{
	struct room_core *core = client->core;
	struct peer *asker = find_asker(client, message);
	g_autoptr(GString) out = g_string_new("{");
	GHashTableIter iter;
	gpointer value;
	JsonNode *show = json_object_get_member(message, "showAll");
	bool show_all = show && JSON_NODE_HOLDS_VALUE(show) &&
			json_node_get_boolean(show);

	if (!asker) {
		core_drop_bad(client);
		return;
	}
	core_append(out, "type", "peerList");
	core_append(out, "rid", asker->room->rid);
	g_string_append(out, ",\"result\":{");
	g_hash_table_iter_init(&iter, core->rooms);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct room *room = value;

		if (strcmp(room->space, asker->key->space) == 0)
			append_room(out, room, show_all);
	}
	g_string_append(out, "}}");
	/* Who asks for long lists pays for them. */
	if (core_within_rate(client,
			     (unsigned int) (out->len / ROOM_RATE_BYTES)))
		core_deliver_one(client, out);
}

bool core_are_linked(const struct peer *a, const struct peer *b)
{
	return a->links && g_ptr_array_find(a->links, b, NULL);
}

static void link_one(struct peer *peer, struct peer *other)
{
	if (!peer->links)
		peer->links = g_ptr_array_new();
	g_ptr_array_add(peer->links, other);
}

static unsigned int n_links(const struct peer *peer)
{
	return peer->links ? peer->links->len : 0;
}

/* Return: NULL, or why not. */
static const char *introduce(struct peer *sender, struct peer *receiver)
{
	if (sender->room == receiver->room || core_are_linked(sender, receiver))
		return NULL;
	if (n_links(sender) >= ROOM_MAX_LINKS ||
	    n_links(receiver) >= ROOM_MAX_LINKS)
		return "too many introductions";
	link_one(sender, receiver);
	link_one(receiver, sender);
	return NULL;
}

static struct peer *find_in_space(struct room_core *core, const char *space,
				  const char *sid)
{
	struct peer *peer = g_hash_table_lookup(core->peers, sid);

	return peer && strcmp(peer->key->space, space) == 0 ? peer : NULL;
}

static void send_error(struct room_client *client, const char *rid,
		       const char *sending, const char *receiving,
		       const char *reason)
{
	g_autoptr(GString) out = g_string_new("{");

	core_append(out, "type", "introduceError");
	core_append(out, "sendingPeerId", sending);
	core_append(out, "receivingPeerId", receiving);
	core_append(out, "reason", reason);
	core_append(out, "rid", rid);
	g_string_append_c(out, '}');
	core_deliver_one(client, out);
}

void core_handle_introduce(struct room_client *client, JsonObject *message)
{
	struct room_core *core = client->core;
	struct peer *asker = find_asker(client, message);
	const char *sending = core_get_string(message, "sendingPeerId");
	const char *receiving = core_get_string(message, "receivingPeerId");
	struct peer *sender, *receiver;
	g_autoptr(GString) out = NULL;
	const char *reason;

	if (!client->n_peers || !sending || !receiving) {
		core_drop_bad(client);
		return;
	}
	if (!asker) {
		core_drop_bad(client);
		send_error(client, client->peers[0]->room->rid, sending,
			   receiving, "not a privileged peer");
		return;
	}
	sender = find_in_space(core, asker->key->space, sending);
	receiver = find_in_space(core, asker->key->space, receiving);
	if (!sender || !receiver)
		reason = "peer not found";
	else if (sender == receiver)
		reason = "a peer cannot be introduced to itself";
	else
		reason = introduce(sender, receiver);
	if (reason) {
		send_error(client, asker->room->rid, sending, receiving,
			   reason);
		return;
	}
	out = g_string_new("{");
	core_append(out, "type", "approach");
	core_append(out, "rid", sender->room->rid);
	core_append(out, "target", receiving);
	g_string_append_c(out, '}');
	core_deliver_one(sender->client, out);
}
