// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-transfers-private.h"

#include <math.h>

gboolean transfer_is_over(const struct transfer *t)
{
	switch (t->direction) {
	case TRANSFER_UP:
		return transfer_send_is_over(&t->up);
	case TRANSFER_DOWN:
		return transfer_receive_is_over(&t->down);
	case TRANSFER_STREAM:
		return t->stream_over;
	}
	return TRUE;
}

static const TransferRequest *get_request(const struct transfer *t)
{
	return t->direction == TRANSFER_UP ? &t->up.request : &t->down.request;
}

static guint64 get_bytes(const struct transfer *t)
{
	switch (t->direction) {
	case TRANSFER_UP:
		return transfer_send_get_bytes(&t->up);
	case TRANSFER_DOWN:
		return t->down.n_bytes;
	case TRANSFER_STREAM:
		return t->stream_bytes;
	}
	return 0;
}

static int get_state(const struct transfer *t)
{
	switch (t->direction) {
	case TRANSFER_UP:
		return (int) t->up.state;
	case TRANSFER_DOWN:
		return (int) t->down.state;
	case TRANSFER_STREAM:
		return t->stream_over ? 1 : 0;
	}
	return 0;
}

/* DATA_TRANSFER_STATE of the API; NULL: none of them yet. */
static const char *up_state_name(const struct transfer *t)
{
	switch (t->up.state) {
	case TRANSFER_SEND_WAITING:
	case TRANSFER_SEND_ASKED:
		return NULL;
	case TRANSFER_SEND_RUNNING:
		return t->told == (int) TRANSFER_SEND_RUNNING ? "uploading"
							: "uploadStarted";
	case TRANSFER_SEND_DONE:
		return "uploadCompleted";
	case TRANSFER_SEND_REJECTED:
		return "rejected";
	case TRANSFER_SEND_CANCELLED:
		return "cancel";
	case TRANSFER_SEND_FAILED:
		return "error";
	}
	return NULL;
}

static const char *down_state_name(const struct transfer *t)
{
	switch (t->down.state) {
	case TRANSFER_RECEIVE_ASKED:
		return "request";
	case TRANSFER_RECEIVE_RUNNING:
	case TRANSFER_RECEIVE_FINISHING:
		return t->told >= (int) TRANSFER_RECEIVE_RUNNING ? "downloading"
							   : "downloadStarted";
	case TRANSFER_RECEIVE_DONE:
		return "downloadCompleted";
	case TRANSFER_RECEIVE_REJECTED:
		return "rejected";
	case TRANSFER_RECEIVE_CANCELLED:
		return "cancel";
	case TRANSFER_RECEIVE_FAILED:
		return "error";
	}
	return NULL;
}

static const char *state_name(const struct transfer *t)
{
	return t->direction == TRANSFER_UP ? up_state_name(t)
					   : down_state_name(t);
}

static void set_text(JsonObject *o, const char *name, const char *text)
{
	if (text)
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

/* Two digits, as the API's toFixed(2). */
static gdouble percentage(const struct transfer *t)
{
	const TransferRequest *q = get_request(t);

	if (transfer_is_over(t) && get_bytes(t) >= q->size)
		return 100;
	if (!q->size)
		return 0;
	return round((gdouble) get_bytes(t) / (gdouble) q->size * 1e4) / 1e2;
}

JsonObject *transfer_info(const struct transfer *t)
{
	const TransferRequest *q = get_request(t);
	JsonObject *o = json_object_new();

	json_object_set_null_member(o, "data");
	json_object_set_string_member(o, "name", q->name ? q->name : t->id);
	json_object_set_int_member(o, "size", (gint64) q->size);
	json_object_set_string_member(
		o, "dataType",
		q->kind == TRANSFER_DATA_URL ? "dataURL" : "blob");
	json_object_set_int_member(o, "timeout", q->timeout_s);
	json_object_set_boolean_member(o, "isPrivate", q->is_private);
	set_text(o, "mimeType", q->mime_type);
	json_object_set_string_member(o, "chunkType",
				      q->binary ? "binary" : "string");
	json_object_set_int_member(o, "chunkSize", q->chunk_size);
	json_object_set_string_member(o, "direction",
				      t->direction == TRANSFER_UP ? "upload"
								  : "download");
	json_object_set_double_member(o, "percentage", percentage(t));
	return o;
}

/* What the sink says about a file goes along: where it is, its sum. */
static JsonObject *full_info(const struct transfer *t)
{
	JsonObject *o = transfer_info(t);
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	if (t->direction != TRANSFER_DOWN || !t->down.info)
		return o;
	json_object_iter_init(&iter, t->down.info);
	while (json_object_iter_next(&iter, &name, &node))
		json_object_set_member(o, name, json_node_copy(node));
	return o;
}

static JsonObject *new_params(const struct transfer *t, const char *peer_id)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "transferId", t->id);
	json_object_set_string_member(params, "peerId", peer_id);
	return params;
}

static void tell_one(const struct transfer *t, const char *event,
		     const char *peer_id, JsonObject *params)
{
	t->owner->ops->event(t->owner->user, event, params);
}

/* With an MCU a transfer is for several. */
static void for_each_peer(const struct transfer *t,
			  void (*tell)(const struct transfer *t,
				       const char *peer_id))
{
	if (!t->targets || t->direction != TRANSFER_UP) {
		tell(t, t->peer_id);
		return;
	}
	for (guint i = 0; t->targets[i]; i++)
		tell(t, t->targets[i]);
}

static void tell_incoming_request(const struct transfer *t, const char *peer_id)
{
	JsonObject *params = new_params(t, peer_id);

	json_object_set_object_member(params, "transferInfo",
				      transfer_info(t));
	json_object_set_boolean_member(params, "isSelf",
				       t->direction == TRANSFER_UP);
	tell_one(t, "incomingDataRequest", peer_id, params);
}

void transfer_tell_request(struct transfer *t)
{
	for_each_peer(t, tell_incoming_request);
}

static void tell_incoming_data(const struct transfer *t, const char *peer_id)
{
	JsonObject *params = new_params(t, peer_id);
	JsonObject *info = full_info(t);

	json_object_set_member(
		params, "data",
		json_node_copy(json_object_get_member(info, "data")));
	json_object_set_object_member(params, "transferInfo", info);
	json_object_set_boolean_member(params, "isSelf",
				       t->direction == TRANSFER_UP);
	tell_one(t, "incomingData", peer_id, params);
}

static void tell_state(const struct transfer *t, const char *peer_id)
{
	const char *why = t->direction == TRANSFER_UP ? t->up.error
						      : t->down.error;
	JsonObject *params = new_params(t, peer_id), *error;

	json_object_set_string_member(params, "state", state_name(t));
	json_object_set_object_member(params, "transferInfo", full_info(t));
	if (why) {
		error = json_object_new();
		json_object_set_string_member(error, "message", why);
		json_object_set_string_member(
			error, "transferType",
			t->direction == TRANSFER_UP ? "upload" : "download");
		json_object_set_object_member(params, "error", error);
	} else {
		json_object_set_null_member(params, "error");
	}
	tell_one(t, "dataTransferState", peer_id, params);
}

/* --- streams of data, which 0.6.18 and later know ------------------------ */
static JsonObject *stream_params(const struct transfer *t, gsize chunk_size)
{
	JsonObject *params = new_params(t, t->peer_id);
	JsonObject *info = json_object_new();

	json_object_set_int_member(info, "chunkSize", (gint64) chunk_size);
	json_object_set_string_member(info, "chunkType",
				      t->down.request.binary ? "binary"
							     : "string");
	json_object_set_boolean_member(info, "isPrivate",
				       t->down.request.is_private);
	json_object_set_boolean_member(info, "isStringStream",
				       !t->down.request.binary);
	json_object_set_string_member(info, "senderPeerId", t->peer_id);
	json_object_set_int_member(info, "bytes", (gint64) t->stream_bytes);
	json_object_set_int_member(info, "chunks", (gint64) t->stream_chunks);
	json_object_set_object_member(params, "streamInfo", info);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	return params;
}

void transfer_tell_chunk(struct transfer *t, gboolean text, const guint8 *data,
			 gsize len)
{
	JsonObject *params = stream_params(t, len);
	g_autofree char *chunk = NULL;

	if (len <= PEER_TRANSFERS_STREAM_BYTES)
		chunk = text ? g_strndup((const char *) data, len)
			     : g_base64_encode(data, len);
	set_text(params, "chunk", chunk);
	tell_one(t, "incomingDataStream", t->peer_id, params);
}

static void tell_stream(struct transfer *t)
{
	JsonObject *params;

	if (t->told == get_state(t))
		return;
	t->told = get_state(t);
	params = stream_params(t, 0);
	if (t->stream_failed)
		json_object_set_string_member(
			params, "error",
			"Its channel was closed before it was stopped");
	tell_one(t, t->told ? "incomingDataStreamStopped"
			    : "incomingDataStreamStarted",
		 t->peer_id, params);
}

/* --- what has changed ---------------------------------------------------- */
void transfer_tell(struct transfer *t)
{
	gint64 now = t->owner->ops->now_us(t->owner->user);
	gboolean moved = get_bytes(t) != t->told_bytes;
	int state = get_state(t);

	if (t->direction == TRANSFER_STREAM) {
		tell_stream(t);
		return;
	}
	if (state == t->told &&
	    (!moved || now - t->told_us < TRANSFER_PROGRESS_US))
		return;
	if (!state_name(t)) {
		t->told = state;
		return;
	}
	if (t->direction == TRANSFER_UP ? state == (int) TRANSFER_SEND_DONE
					: state == (int) TRANSFER_RECEIVE_DONE)
		for_each_peer(t, tell_incoming_data);
	for_each_peer(t, tell_state);
	t->told = state;
	t->told_us = now;
	t->told_bytes = get_bytes(t);
}

static const char *described_state(const struct transfer *t)
{
	const char *name;

	if (t->direction == TRANSFER_STREAM)
		return "streaming";
	name = state_name(t);
	return name ? name : "waiting";
}

JsonObject *transfer_describe(const struct transfer *t)
{
	gint64 now = t->owner->ops->now_us(t->owner->user);
	gdouble seconds = (gdouble) MAX(now - t->started_us, 1) / 1e6;
	JsonObject *o = new_params(t, t->peer_id);

	json_object_set_string_member(o, "state", described_state(t));
	json_object_set_object_member(o, "transferInfo", transfer_info(t));
	json_object_set_int_member(o, "bytes", (gint64) get_bytes(t));
	json_object_set_int_member(
		o, "bytesPerSecond",
		(gint64) ((gdouble) get_bytes(t) / seconds));
	return o;
}
