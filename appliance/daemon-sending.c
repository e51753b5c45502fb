// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-sending.h"

#include <string.h>

#include "appliance/daemon-private.h"

typedef struct {
	ControlCall *call;
	char *transfer_id;		/* of the first peer; mostly of all */
	JsonObject *ids;		/* peerId: transferId */
	GHashTable *running;		/* peerId */
	JsonObject *errors;		/* peerId: why */
	JsonObject *info;		/* transferInfo */
	char *state;			/* the last one that was told */
	gboolean is_private;
} Send;

struct DaemonSending {
	GPtrArray *sends;
};

static void send_free(gpointer data)
{
	Send *s = data;

	control_call_unref(s->call);
	json_object_unref(s->ids);
	g_hash_table_unref(s->running);
	json_object_unref(s->errors);
	json_object_unref(s->info);
	g_free(s->transfer_id);
	g_free(s->state);
	g_free(s);
}

DaemonSending *daemon_sending_new(void)
{
	DaemonSending *d = g_new0(DaemonSending, 1);

	d->sends = g_ptr_array_new_with_free_func(send_free);
	return d;
}

/* --- the answer ------------------------------------------------------------ */
static void set_text(JsonObject *o, const char *name, const char *text)
{
	if (text)
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

static JsonNode *take_object(JsonObject *o)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, o);
	return node;
}

/* Only for a single peer, as the API has it; else NULL. */
static const char *only_peer(const Send *s)
{
	g_autoptr(GList) names = json_object_get_members(s->ids);

	return names && !names->next ? names->data : NULL;
}

static JsonObject *describe(Send *s)
{
	const char *peer = only_peer(s);
	JsonObject *o = json_object_new();
	JsonArray *list = json_array_new();
	g_autoptr(GList) names = json_object_get_members(s->ids);

	for (GList *l = names; l; l = l->next)
		json_array_add_string_element(list, l->data);
	set_text(o, "state", peer ? s->state : NULL);
	set_text(o, "transferId", s->transfer_id);
	set_text(o, "peerId", peer);
	json_object_set_array_member(o, "listOfPeers", list);
	json_object_set_boolean_member(o, "isPrivate", s->is_private);
	json_object_set_object_member(o, "transferInfo",
				      json_object_ref(s->info));
	return o;
}

static void fail(Send *s)
{
	g_autoptr(GList) peers = json_object_get_members(s->errors);
	const char *first = json_object_get_string_member(s->errors,
							  peers->data);
	guint n = json_object_get_size(s->errors);
	guint of = json_object_get_size(s->ids);
	g_autofree char *why = g_strdup(first);
	JsonObject *data = describe(s);

	set_text(data, "error", only_peer(s) ? why : NULL);
	json_object_set_object_member(data, "transferErrors",
				      json_object_ref(s->errors));
	if (of == 1)
		control_call_fail(s->call, CONTROL_CODE_FAILED,
				  take_object(data), "Not sent: %s", why);
	else
		control_call_fail(s->call, CONTROL_CODE_FAILED,
				  take_object(data), "Not sent to %u of %u "
				  "peers; to %s: %s", n, of,
				  (const char *) peers->data, why);
}

static void finish(DaemonSending *d, Send *s)
{
	if (json_object_get_size(s->errors))
		fail(s);
	else
		control_call_reply(s->call, take_object(describe(s)));
	g_ptr_array_remove_fast(d->sends, s);
}

/* --- what happens ---------------------------------------------------------- */
static JsonObject *first_info(const RoomTransferOffer *offer, const char *id,
			      gboolean is_private)
{
	JsonObject *o = json_object_new();

	set_text(o, "name", offer->name ? offer->name : id);
	json_object_set_int_member(o, "size", (gint64) offer->size);
	json_object_set_string_member(o, "transferId", id);
	json_object_set_string_member(o, "dataType",
				      offer->data_url ? "dataURL" : "blob");
	set_text(o, "mimeType", offer->mime_type);
	json_object_set_int_member(o, "timeout",
				   offer->timeout_s ? offer->timeout_s
						    : TRANSFER_TIMEOUT_S);
	json_object_set_boolean_member(o, "isPrivate", is_private);
	return o;
}

void daemon_sending_add(DaemonSending *d, ControlCall *call,
			const RoomTransferOffer *offer, gboolean is_private,
			JsonObject *ids)
{
	Send *s = g_new0(Send, 1);
	g_autoptr(GList) peers = json_object_get_members(ids);

	s->call = control_call_ref(call);
	s->ids = json_object_ref(ids);
	s->running = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					   NULL);
	for (GList *l = peers; l; l = l->next)
		g_hash_table_add(s->running, g_strdup(l->data));
	s->transfer_id = g_strdup(json_object_get_string_member(ids,
								peers->data));
	s->errors = json_object_new();
	s->info = first_info(offer, s->transfer_id, is_private);
	s->is_private = is_private;
	g_ptr_array_add(d->sends, s);
}

static gboolean has_id(Send *s, const char *id)
{
	g_autoptr(GList) values = json_object_get_values(s->ids);

	for (GList *l = values; l; l = l->next)
		if (!strcmp(json_node_get_string(l->data), id))
			return TRUE;
	return FALSE;
}

static Send *find(DaemonSending *d, const char *id)
{
	for (guint i = 0; i < d->sends->len; i++)
		if (has_id(d->sends->pdata[i], id))
			return d->sends->pdata[i];
	return NULL;
}

/* Return: NULL while it goes on or when all went well. */
static const char *explain(const char *state, JsonObject *params)
{
	JsonNode *n = json_object_get_member(params, "error");
	const char *why = n && JSON_NODE_HOLDS_OBJECT(n) ?
		text_member(json_node_get_object(n), "message") : NULL;

	if (!strcmp(state, "rejected"))
		return why ? why : "The peer does not want it";
	if (!strcmp(state, "cancel"))
		return why ? why : "It was cancelled";
	if (!strcmp(state, "error"))
		return why ? why : "The transfer failed";
	return NULL;
}

void daemon_sending_event(DaemonSending *d, JsonObject *params)
{
	const char *id = text_member(params, "transferId");
	const char *peer = text_member(params, "peerId");
	const char *state = text_member(params, "state");
	Send *s = id && peer && state ? find(d, id) : NULL;
	const char *why;

	if (!s)
		return;
	why = explain(state, params);
	if (!why && strcmp(state, "uploadCompleted"))
		return;
	/* Also one that could not even be asked. */
	if (!json_object_has_member(s->ids, peer))
		json_object_set_string_member(s->ids, peer, id);
	else if (!g_hash_table_remove(s->running, peer))
		return;
	g_free(s->state);
	s->state = g_strdup(state);
	if (why)
		json_object_set_string_member(s->errors, peer, why);
	if (!g_hash_table_size(s->running))
		finish(d, s);
}

static gboolean is_listed(JsonNode *transfers, const char *peer, const char *id)
{
	JsonArray *list = transfers ? json_node_get_array(transfers) : NULL;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *o = json_array_get_object_element(list, i);
		const char *of = text_member(o, "peerId");

		/* An MCU has those of all. */
		if (!g_strcmp0(text_member(o, "transferId"), id) &&
		    (!g_strcmp0(of, peer) || !g_strcmp0(of, "MCU")))
			return TRUE;
	}
	return FALSE;
}

static void end_unlisted(Send *s, JsonNode *transfers)
{
	GHashTableIter iter;
	gpointer peer;

	g_hash_table_iter_init(&iter, s->running);
	while (g_hash_table_iter_next(&iter, &peer, NULL)) {
		if (is_listed(transfers, peer,
			      json_object_get_string_member(s->ids, peer)))
			continue;
		json_object_set_string_member(s->errors, peer,
					      "The peer is gone");
		g_free(s->state);
		s->state = g_strdup("error");
		g_hash_table_iter_remove(&iter);
	}
}

void daemon_sending_check(DaemonSending *d, JsonNode *transfers)
{
	/* Backwards: one that is over leaves its place to the last. */
	for (guint i = d->sends->len; i-- > 0;) {
		Send *s = d->sends->pdata[i];

		end_unlisted(s, transfers);
		if (!g_hash_table_size(s->running))
			finish(d, s);
	}
}

void daemon_sending_free(DaemonSending *d)
{
	if (!d)
		return;
	for (guint i = 0; i < d->sends->len; i++) {
		Send *s = d->sends->pdata[i];

		control_call_fail(s->call, CONTROL_CODE_STATE, NULL,
				  "The daemon is stopping");
	}
	g_ptr_array_unref(d->sends);
	g_free(d);
}
