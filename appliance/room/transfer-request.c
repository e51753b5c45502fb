// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/transfer-request.h"

#include <math.h>
#include <string.h>

#include "appliance/room/room.h"
#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"

/* --- what a peer understands --------------------------------------------- */
/* "0.1.3" and the like; anything else counts as the oldest. */
static gboolean is_at_least(const char *version, guint minor, guint patch)
{
	g_auto(GStrv) parts = NULL;
	guint64 n[3] = {0};

	if (!version)
		return FALSE;
	parts = g_strsplit(version, ".", 4);
	for (guint i = 0; i < 3; i++)
		if (!parts[i] ||
		    !g_ascii_string_to_unsigned(parts[i], 10, 0, G_MAXUINT16,
						&n[i], NULL))
			return FALSE;
	if (n[0] > 0 || n[1] > minor)
		return TRUE;
	return n[1] == minor && n[2] >= patch;
}

static gboolean is_mobile(const char *agent)
{
	return agent && (!strcmp(agent, "Android") || !strcmp(agent, "iOS"));
}

static guint64 base64_length(guint64 bytes)
{
	return (bytes + 2) / 3 * 4;
}

static guint64 wire_size(const TransferRequest *q)
{
	if (q->kind != TRANSFER_BLOB || q->binary)
		return q->size;
	if (q->generation == TRANSFER_GENERATION_1)
		return (q->size * 4 + 1) / 3;	/* round(bytes * 4 / 3) */
	return base64_length(q->size);
}

void transfer_request_set_slice(TransferRequest *q, guint slice)
{
	q->slice = slice;
	q->chunk_size = slice;
	if (q->kind == TRANSFER_BLOB && !q->binary &&
	    q->generation != TRANSFER_GENERATION_2X)
		q->chunk_size = (guint) base64_length(slice);
}

static guint choose_slice(const TransferRequest *q, const char *agent)
{
	gboolean moz = !g_strcmp0(agent, "firefox");

	if (q->kind == TRANSFER_DATA_URL)
		return TRANSFER_TEXT_SLICE;
	if (q->binary)
		return moz ? TRANSFER_BINARY_SLICE_MOZ : TRANSFER_BINARY_SLICE;
	return moz ? TRANSFER_BASE64_SLICE_MOZ : TRANSFER_BASE64_SLICE;
}

void transfer_request_plan(TransferRequest *q, const TransferPeer *peer,
			   gboolean string_chunks)
{
	gboolean knows_channels = is_at_least(peer->dt_version, 1, 2);

	q->generation = peer->is_2x	 ? TRANSFER_GENERATION_2X
			: knows_channels ? TRANSFER_GENERATION_2
					 : TRANSFER_GENERATION_1;
	/* 0.6.12 hears of a transfer on any channel; the old mobile SDKs on
	 * the messaging channel alone. 2.x answers there, come what may. */
	q->main_channel = peer->is_2x || peer->is_mcu ||
			  (!knows_channels && is_mobile(peer->agent));
	q->binary = q->kind == TRANSFER_BLOB && !string_chunks &&
		    !peer->is_mcu && !peer->is_2x &&
		    is_at_least(peer->dt_version, 1, 3);
	q->window = q->generation == TRANSFER_GENERATION_2 && !peer->is_mcu
			    ? TRANSFER_WINDOW
			    : 0;
	transfer_request_set_slice(q, choose_slice(q, peer->agent));
	q->wire_size = wire_size(q);
}

guint64 transfer_request_count_chunks(const TransferRequest *q)
{
	return q->size ? (q->size + q->slice - 1) / q->slice : 1;
}

/* --- text ---------------------------------------------------------------- */
static void set_text(JsonObject *o, const char *name, const char *text)
{
	if (text)
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

static void add_target(JsonObject *o, const TransferAddress *address)
{
	JsonArray *list;

	if (!address->targets) {
		json_object_set_string_member(o, "target", address->target);
		return;
	}
	list = json_array_new();
	for (guint i = 0; address->targets[i]; i++)
		json_array_add_string_element(list, address->targets[i]);
	json_object_set_array_member(o, "target", list);
}

static const char *data_type_name(const TransferRequest *q)
{
	switch (q->kind) {
	case TRANSFER_BLOB:
		return "blob";
	case TRANSFER_DATA_URL:
		return q->generation == TRANSFER_GENERATION_1 ? "dataURL"
							      : "data";
	case TRANSFER_STREAM_START:
		return "fastBinaryStart";
	case TRANSFER_STREAM_STOP:
		return "fastBinaryStop";
	}
	return "blob";
}

static const char *chunk_type_name(const TransferRequest *q)
{
	if (q->binary)
		return "binary";
	return q->generation == TRANSFER_GENERATION_2X &&
			       q->kind == TRANSFER_BLOB
		       ? "binaryString"
		       : "string";
}

char *transfer_request_build(const TransferRequest *q,
			     const TransferAddress *address)
{
	g_autoptr(JsonObject) o = json_object_new();
	gboolean old = q->generation == TRANSFER_GENERATION_1;

	json_object_set_string_member(o, "type", "WRQ");
	if (!old)
		set_text(o, "transferId", q->id);
	/* The old ones show this name; there must be one. */
	set_text(o, "name", q->name || !old ? q->name : q->id);
	json_object_set_int_member(o, "size", (gint64) q->wire_size);
	if (!old)
		json_object_set_int_member(o, "originalSize",
					   (gint64) q->size);
	json_object_set_string_member(o, "dataType", data_type_name(q));
	if (!old) {
		set_text(o, "mimeType", q->mime_type);
		json_object_set_string_member(o, "chunkType",
					      chunk_type_name(q));
	}
	json_object_set_int_member(o, "chunkSize", q->chunk_size);
	json_object_set_int_member(o, "timeout", q->timeout_s);
	json_object_set_boolean_member(o, "isPrivate", q->is_private);
	json_object_set_string_member(o, "sender", address->sender);
	json_object_set_string_member(o, "agent", address->agent);
	json_object_set_string_member(o, "version", address->version);
	add_target(o, address);
	if (q->window)
		json_object_set_int_member(o, "window", q->window);
	return message_to_text(o);
}

static JsonNode *get_value(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

static const char *get_text(JsonObject *o, const char *name)
{
	JsonNode *node = get_value(o, name);

	return node && json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node)
		       : NULL;
}

/* A whole number from 0 to @max; texts of digits are taken too (the API calls
 * a timeout a String). Return: 1, 0 when absent or null, -1 for nonsense. */
static int get_number(JsonObject *o, const char *name, guint64 max,
		      guint64 *ret)
{
	JsonNode *node = json_object_get_member(o, name);
	const char *text = get_text(o, name);
	gdouble n;

	if (!node || JSON_NODE_HOLDS_NULL(node))
		return 0;
	if (text)
		return g_ascii_string_to_unsigned(text, 10, 0, max, ret, NULL)
			       ? 1
			       : -1;
	if (!JSON_NODE_HOLDS_VALUE(node) ||
	    (json_node_get_value_type(node) != G_TYPE_INT64 &&
	     json_node_get_value_type(node) != G_TYPE_DOUBLE))
		return -1;
	n = json_node_get_double(node);
	if (!(n >= 0) || n > (gdouble) max || n != floor(n))
		return -1;
	*ret = (guint64) n;
	return 1;
}

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const char *format, ...)
{
	va_list args;
	g_autofree char *text = NULL;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT, text);
	return FALSE;
}

static gboolean read_kind(JsonObject *o, TransferRequest *q, GError **error)
{
	static const struct {
		const char *name;
		enum transfer_kind kind;
	} kinds[] = {
		{"blob", TRANSFER_BLOB},
		{"dataURL", TRANSFER_DATA_URL},
		{"data", TRANSFER_DATA_URL},
		{"fastBinaryStart", TRANSFER_STREAM_START},
		{"fastBinaryStop", TRANSFER_STREAM_STOP},
	};
	const char *type = get_text(o, "dataType");
	const char *chunks = get_text(o, "chunkType");

	q->binary = !g_strcmp0(chunks, "binary");
	if (chunks && !q->binary && strcmp(chunks, "string") &&
	    strcmp(chunks, "binaryString"))
		return refuse(error, "Its chunkType is neither \"string\" nor "
				     "\"binary\"");
	if (!type)
		return TRUE;	/* a blob, as 0.6.37 has it */
	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!strcmp(kinds[i].name, type)) {
			q->kind = kinds[i].kind;
			return TRUE;
		}
	return refuse(error, "Its dataType is none of blob, data, dataURL, "
			     "fastBinaryStart and fastBinaryStop");
}

/* From what is on the wire to bytes: round(n * 4 / 3) has one n. */
static guint64 bytes_of_old_size(guint64 size)
{
	return (size * 3 + 2) / 4;
}

static gboolean read_size(JsonObject *o, TransferRequest *q, GError **error)
{
	gboolean base64 = q->kind == TRANSFER_BLOB && !q->binary;
	guint64 original = 0;
	int has_size = get_number(o, "size", TRANSFER_MAX_BYTES, &q->wire_size);
	int has_original = get_number(o, "originalSize", TRANSFER_MAX_BYTES,
				      &original);

	if (has_size <= 0 || has_original < 0)
		return refuse(error, "Its size is no whole number from 0 to "
				     "2^53");
	if (has_original) {
		q->size = original;
		if (q->wire_size != (base64 ? base64_length(original)
					    : original))
			return refuse(error, "Its size and its originalSize "
					     "contradict each other");
	} else {
		q->size = base64 ? bytes_of_old_size(q->wire_size)
				 : q->wire_size;
	}
	return TRUE;
}

static char *take_text(JsonObject *o, const char *name, gsize max)
{
	const char *text = get_text(o, name);

	return text && *text && strlen(text) <= max ? g_strdup(text) : NULL;
}

gboolean transfer_request_parse(const DtMessage *m, TransferRequest *ret,
				GError **error)
{
	JsonObject *o = m->object;
	const char *name = get_text(o, "name");
	guint64 chunk = 0, timeout = TRANSFER_TIMEOUT_S, window = 0;
	TransferRequest q = {.is_private = m->is_private};

	if (!read_kind(o, &q, error))
		return FALSE;
	q.generation = json_object_has_member(o, "originalSize") ||
				       q.kind >= TRANSFER_STREAM_START
			       ? TRANSFER_GENERATION_2
			       : TRANSFER_GENERATION_1;
	if (q.kind < TRANSFER_STREAM_START && !read_size(o, &q, error))
		return FALSE;
	if (get_number(o, "chunkSize", TRANSFER_CHUNK_MAX_RECEIVED, &chunk) < 0)
		return refuse(error, "Its chunkSize is no whole number from 0 "
				     "to %d",
			      TRANSFER_CHUNK_MAX_RECEIVED);
	if (get_number(o, "timeout", TRANSFER_MAX_BYTES, &timeout) < 0)
		return refuse(error,
			      "Its timeout is no whole number of seconds");
	if (name && strlen(name) > TRANSFER_MAX_NAME_BYTES)
		return refuse(error, "Its name is longer than %d bytes",
			      TRANSFER_MAX_NAME_BYTES);
	if (get_number(o, "window", TRANSFER_WINDOW, &window) > 0)
		q.window = (guint) window;
	q.chunk_size = (guint) chunk;
	q.timeout_s = (guint) CLAMP(timeout, 1, TRANSFER_TIMEOUT_MAX_S);
	q.name = take_text(o, "name", TRANSFER_MAX_NAME_BYTES);
	q.id = take_text(o, "transferId", TRANSFER_MAX_ID_BYTES);
	q.mime_type = take_text(o, "mimeType", TRANSFER_MAX_MIME_BYTES);
	*ret = q;
	return TRUE;
}

void transfer_request_clear(TransferRequest *q)
{
	g_clear_pointer(&q->id, g_free);
	g_clear_pointer(&q->name, g_free);
	g_clear_pointer(&q->mime_type, g_free);
}

/* --- texts that get lost ------------------------------------------------- */
gboolean transfer_text_is_lost(const char *text, gsize len,
			       enum transfer_generation generation)
{
	if (json_check(text, len, TRANSFER_CHUNK_MAX, NULL) == 0)
		return TRUE;
	/* 0.6.16 and later throw at what looks like JSON and is none. */
	return generation != TRANSFER_GENERATION_1 && len > 1 &&
	       memchr(text, '{', len) && memchr(text + 1, '}', len - 1);
}
