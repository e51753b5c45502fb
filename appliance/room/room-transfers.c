// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-transfers.h"

#include <string.h>

#include "appliance/room/room-private.h"

static GPtrArray *list_peers(Room *r)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter iter;
	gpointer peer;

	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		g_ptr_array_add(list, peer);
	g_ptr_array_extend(list, r->kept, NULL, NULL);
	return list;
}

gboolean room_transfers_has_room(void *user)
{
	g_autoptr(GPtrArray) peers = list_peers(user);
	guint n = 0;

	for (guint i = 0; i < peers->len; i++)
		n += peer_transfers_count(
			room_peer_get_transfers(peers->pdata[i]));
	return n < TRANSFER_MAX;
}

gboolean room_transfers_is_wanted(void *user, const char *peer_id,
				  const char *transfer_id, JsonObject *info)
{
	Room *r = user;

	return !r->config.transfer_request ||
	       r->config.transfer_request(r->config.user, peer_id, transfer_id,
					  info);
}

/* As SkylinkJS makes them; two within a millisecond differ all the same. */
static char *make_id(Room *r)
{
	r->transfer_ms = MAX(room_now_ms(), r->transfer_ms + 1);
	return g_strdup_printf("%s_%" G_GINT64_FORMAT, r->self.mid,
			       r->transfer_ms);
}

static gboolean check_offer(const RoomTransferOffer *offer, GError **error)
{
	const char *why = NULL;

	if (offer->size > TRANSFER_MAX_BYTES)
		why = "It is larger than 2^53 bytes";
	else if (offer->name && strlen(offer->name) > TRANSFER_MAX_NAME_BYTES)
		why = "Its name is longer than 4096 bytes";
	else if (offer->name && !g_utf8_validate(offer->name, -1, NULL))
		why = "Its name is not UTF-8";
	else if (offer->mime_type &&
		 (strlen(offer->mime_type) > TRANSFER_MAX_MIME_BYTES ||
		  !g_utf8_validate(offer->mime_type, -1, NULL)))
		why = "Its MIME type is longer than 256 bytes, or not UTF-8";
	else if (offer->timeout_s > TRANSFER_TIMEOUT_MAX_S)
		why = "Its timeout is longer than 3600 seconds";
	if (why)
		g_set_error_literal(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
				    why);
	return !why;
}

struct sending {
	Room *room;
	const RoomTransferOffer *offer;
	gboolean is_private;
	TransferShared *source;
	JsonObject *ids;
	GError *error;		/* the first one */
};

static void emit_failure(struct sending *s, const char *peer_id, const char *id,
			 const GError *why)
{
	JsonObject *params = json_object_new(), *error = json_object_new();

	json_object_set_string_member(params, "state", "error");
	json_object_set_string_member(params, "transferId", id);
	json_object_set_string_member(params, "peerId", peer_id);
	json_object_set_object_member(params, "transferInfo",
				      json_object_new());
	json_object_set_string_member(error, "message", why->message);
	json_object_set_string_member(error, "transferType", "upload");
	json_object_set_object_member(params, "error", error);
	room_emit(s->room, "dataTransferState", params);
}

/* @targets: with an MCU, for whom it is */
static void offer_to(struct sending *s, RoomPeer *peer, const char *id,
		     const char *const *targets)
{
	const char *one[] = {room_peer_get_id(peer), NULL};
	const char *const *told = targets ? targets : one;
	g_autoptr(GError) error = NULL;
	g_autofree char *made = peer_transfers_offer(
		room_peer_get_transfers(peer), s->offer, s->is_private, id,
		s->source, targets, &error);

	for (guint i = 0; told[i]; i++) {
		if (made)
			json_object_set_string_member(s->ids, told[i], made);
		else
			emit_failure(s, told[i], id, error);
	}
	if (!made && !s->error)
		s->error = g_steal_pointer(&error);
}

/* An MCU passes on what it gets: one transfer for all. */
static void offer_by_mcu(struct sending *s, RoomPeer *mcu, const char *id,
			 const char *const *targets)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	GHashTableIter iter;
	gpointer peer;

	for (guint i = 0; targets && targets[i]; i++)
		g_ptr_array_add(list, (gpointer) targets[i]);
	g_hash_table_iter_init(&iter, s->room->peers);
	while (!targets && g_hash_table_iter_next(&iter, NULL, &peer))
		if (!room_peer_is_mcu(peer))
			g_ptr_array_add(list,
					(gpointer) room_peer_get_id(peer));
	if (!list->len)
		return;
	g_ptr_array_add(list, NULL);
	offer_to(s, mcu, id, (const char *const *) list->pdata);
}

static void offer_to_each(struct sending *s, const char *id,
			  const char *const *targets)
{
	GHashTableIter iter;
	gpointer peer;

	g_hash_table_iter_init(&iter, s->room->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		if (!targets ||
		    g_strv_contains(targets, room_peer_get_id(peer)))
			offer_to(s, peer, id, NULL);
}

gboolean room_send_data(Room *r, const RoomTransferOffer *offer,
			TransferSource source, const char *const *targets,
			JsonObject **ret_ids, GError **error)
{
	struct sending s = {
		.room = r,
		.offer = offer,
		.is_private = targets != NULL,
		.source = transfer_shared_new(source),
	};
	RoomPeer *mcu = room_peers_find(r, "MCU");
	g_autofree char *id = NULL;
	guint n = 0;

	if (room_need_joined(r, error) && room_need_peers(r, targets, error) &&
	    check_offer(offer, error)) {
		id = make_id(r);
		s.ids = json_object_new();
		if (mcu)
			offer_by_mcu(&s, mcu, id, targets);
		else
			offer_to_each(&s, id, targets);
		n = json_object_get_size(s.ids);
		if (!n && s.error)
			g_propagate_error(error, g_steal_pointer(&s.error));
		else if (!n)
			g_set_error_literal(error, ROOM_ERROR,
					    ROOM_ERROR_NO_PEER,
					    "There is no peer to send it to");
	}
	transfer_shared_unref(s.source);
	g_clear_error(&s.error);
	if (n && ret_ids)
		*ret_ids = g_steal_pointer(&s.ids);
	g_clear_pointer(&s.ids, json_object_unref);
	return n > 0;
}

/* --- answering ----------------------------------------------------------- */
/* With an MCU events name whom the data comes from or goes to; the transfer is
 * the MCU's. */
static PeerTransfers *find(Room *r, const char *peer_id,
			   const char *transfer_id, GError **error)
{
	RoomPeer *peer = room_peers_find_any(r, peer_id);
	RoomPeer *mcu = room_peers_find(r, "MCU");

	if (mcu && (!peer ||
		    !peer_transfers_has(room_peer_get_transfers(peer),
					transfer_id)))
		peer = mcu;
	if (peer)
		return room_peer_get_transfers(peer);
	g_set_error(error, ROOM_ERROR, ROOM_ERROR_NO_PEER,
		    "There is no peer '%s' in the room", peer_id);
	return NULL;
}

gboolean room_accept_transfer(Room *r, const char *peer_id,
			      const char *transfer_id, TransferSink sink,
			      GError **error)
{
	PeerTransfers *transfers = find(r, peer_id, transfer_id, error);

	if (transfers)
		return peer_transfers_accept(transfers, transfer_id, sink,
					     error);
	if (sink.free)
		sink.free(sink.user);
	return FALSE;
}

gboolean room_reject_transfer(Room *r, const char *peer_id,
			      const char *transfer_id, GError **error)
{
	PeerTransfers *transfers = find(r, peer_id, transfer_id, error);

	return transfers &&
	       peer_transfers_reject(transfers, transfer_id, error);
}

gboolean room_cancel_transfer(Room *r, const char *peer_id,
			      const char *transfer_id, GError **error)
{
	PeerTransfers *transfers = find(r, peer_id, transfer_id, error);

	return transfers &&
	       peer_transfers_cancel(transfers, transfer_id, error);
}

JsonNode *room_describe_transfers(Room *r)
{
	g_autoptr(GPtrArray) peers = list_peers(r);
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *list = json_array_new();

	for (guint i = 0; i < peers->len; i++)
		peer_transfers_describe(
			room_peer_get_transfers(peers->pdata[i]), list);
	json_node_take_array(node, list);
	return node;
}
