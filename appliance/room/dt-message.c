// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/dt-message.h"

#include <math.h>
#include <string.h>

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"

static const char *const type_names[N_DT_TYPES] = {
	[DT_MESSAGE] = "MESSAGE", [DT_WRQ] = "WRQ",	[DT_ACK] = "ACK",
	[DT_CANCEL] = "CANCEL",	  [DT_ERROR] = "ERROR",
};

static const char *get_string(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

static gboolean find_type(const char *name, DtType *ret)
{
	for (DtType t = 0; t < N_DT_TYPES; t++)
		if (name && !strcmp(name, type_names[t])) {
			*ret = t;
			return TRUE;
		}
	return FALSE;
}

static gboolean is_text_array(JsonNode *node)
{
	JsonArray *array;

	if (!JSON_NODE_HOLDS_ARRAY(node))
		return FALSE;
	array = json_node_get_array(node);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *e = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(e) ||
		    json_node_get_value_type(e) != G_TYPE_STRING)
			return FALSE;
	}
	return TRUE;
}

static gboolean get_boolean(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) &&
	       json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
	       json_node_get_boolean(node);
}

/* What is no number in range is none: nobody but an appliance says it. */
static guint read_window(JsonObject *o)
{
	JsonNode *node = json_object_get_member(o, "window");
	gint64 n;

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_INT64)
		return 0;
	n = json_node_get_int(node);
	return n > 0 && n <= DT_WINDOW_MAX ? (guint) n : 0;
}

static gboolean read_ack(JsonObject *o, gint64 *ret)
{
	JsonNode *node = json_object_get_member(o, "ackN");
	gdouble n;

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    (json_node_get_value_type(node) != G_TYPE_INT64 &&
	     json_node_get_value_type(node) != G_TYPE_DOUBLE))
		return FALSE;
	n = json_node_get_double(node);
	if (n < -1 || n > 1e12 || n != floor(n))
		return FALSE;
	*ret = (gint64) n;
	return TRUE;
}

DtMessage *dt_message_parse(const char *text, gsize len)
{
	g_autoptr(JsonObject) o = NULL;
	g_autoptr(DtMessage) m = NULL;
	JsonNode *node;
	DtType type;

	if (!len || text[0] != '{')
		return NULL;
	o = json_checked_parse_object(text, (gssize) len, DT_MESSAGE_MAX_BYTES,
				      NULL);
	if (!o || !find_type(get_string(o, "type"), &type))
		return NULL;
	m = g_new0(DtMessage, 1);
	m->type = type;
	m->object = json_object_ref(o);
	m->sender = get_string(o, "sender");
	if (!m->sender)
		m->sender = "";
	m->is_private = get_boolean(o, "isPrivate");
	m->is_upload_error = get_boolean(o, "isUploadError");
	m->content = get_string(o, "content");
	m->window = read_window(o);
	if (get_string(o, "target") ||
	    ((node = json_object_get_member(o, "target")) &&
	     is_text_array(node)))
		m->target = json_object_get_member(o, "target");
	m->data = json_object_get_member(o, "data");
	if ((type == DT_MESSAGE && !m->data) ||
	    (type == DT_ACK && !read_ack(o, &m->ack_n)))
		return NULL;
	return g_steal_pointer(&m);
}

DtMessage *dt_message_free(DtMessage *m)
{
	if (!m)
		return NULL;
	json_object_unref(m->object);
	g_free(m);
	return NULL;
}

static JsonArray *list_of(const char *const *strings)
{
	JsonArray *list = json_array_new();

	for (; *strings; strings++)
		json_array_add_string_element(list, *strings);
	return list;
}

char *dt_message_build_message(const char *sender, const char *target,
			       const char *const *targets, gboolean is_private,
			       JsonNode *data)
{
	g_autoptr(JsonObject) o = json_object_new();

	json_object_set_string_member(o, "type", type_names[DT_MESSAGE]);
	json_object_set_boolean_member(o, "isPrivate", is_private);
	json_object_set_string_member(o, "sender", sender);
	if (targets)
		json_object_set_array_member(o, "target", list_of(targets));
	else
		json_object_set_string_member(o, "target", target);
	json_object_set_member(o, "data", json_node_copy(data));
	return message_to_text(o);
}

static JsonObject *new_message(DtType type, const char *sender)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "type", type_names[type]);
	json_object_set_string_member(o, "sender", sender);
	return o;
}

char *dt_message_build_ack(const char *sender, gint64 n, guint window)
{
	g_autoptr(JsonObject) o = new_message(DT_ACK, sender);

	json_object_set_int_member(o, "ackN", n);
	if (window)
		json_object_set_int_member(o, "window", window);
	return message_to_text(o);
}

char *dt_message_build_cancel(const char *sender, const char *name,
			      const char *content)
{
	g_autoptr(JsonObject) o = new_message(DT_CANCEL, sender);

	json_object_set_string_member(o, "content", content);
	json_object_set_string_member(o, "name", name);
	json_object_set_int_member(o, "ackN", 0);
	return message_to_text(o);
}

char *dt_message_build_error(const char *sender, const char *name,
			     const char *content, gboolean is_upload_error)
{
	g_autoptr(JsonObject) o = new_message(DT_ERROR, sender);

	json_object_set_string_member(o, "content", content);
	json_object_set_boolean_member(o, "isUploadError", is_upload_error);
	json_object_set_string_member(o, "name", name);
	return message_to_text(o);
}
