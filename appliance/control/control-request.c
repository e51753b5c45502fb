// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-request.h"

#include <string.h>

#include "appliance/control/control-server.h"
#include "appliance/signaling/json-check.h"

static bool fail(enum control_code code, enum control_code *ret_code,
		 const char *why, char **ret_why)
{
	*ret_code = code;
	*ret_why = g_strdup(why);
	return false;
}

static bool id_is_valid(JsonNode *id)
{
	GType type;

	if (JSON_NODE_HOLDS_NULL(id))
		return true;
	if (!JSON_NODE_HOLDS_VALUE(id))
		return false;
	type = json_node_get_value_type(id);
	if (type == G_TYPE_STRING)
		return strlen(json_node_get_string(id)) <=
		       CONTROL_ID_MAX_BYTES;
	return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static bool take_apart(struct control_request *r, enum control_code *ret_code,
		       char **ret_why)
{
	JsonObject *o = json_node_get_object(r->root);
	JsonNode *version = json_object_get_member(o, "jsonrpc");
	JsonNode *id = json_object_get_member(o, "id");
	JsonNode *method = json_object_get_member(o, "method");
	JsonNode *params = json_object_get_member(o, "params");

	if (id && !id_is_valid(id))
		return fail(CONTROL_CODE_REQUEST, ret_code,
			    "\"id\" must be a string of at most 128 bytes, a "
			    "number or null", ret_why);
	r->id = id;
	if (!version || json_node_get_value_type(version) != G_TYPE_STRING ||
	    strcmp(json_node_get_string(version), "2.0"))
		return fail(CONTROL_CODE_REQUEST, ret_code,
			    "\"jsonrpc\" must be \"2.0\"", ret_why);
	if (!method || json_node_get_value_type(method) != G_TYPE_STRING ||
	    strlen(json_node_get_string(method)) > CONTROL_METHOD_MAX_BYTES)
		return fail(CONTROL_CODE_REQUEST, ret_code,
			    "\"method\" must be a string, such as "
			    "\"rpc.discover\"", ret_why);
	r->method = json_node_get_string(method);
	if (params && !JSON_NODE_HOLDS_OBJECT(params) &&
	    !JSON_NODE_HOLDS_ARRAY(params))
		return fail(CONTROL_CODE_REQUEST, ret_code,
			    "\"params\" must be an object, or an array in the "
			    "order of the parameters", ret_why);
	r->params = params;
	return true;
}

bool control_request_parse(const char *text, size_t len,
			   struct control_request *ret,
			   enum control_code *ret_code, char **ret_why)
{
	g_autoptr(GError) error = NULL;

	*ret = (struct control_request){0};
	ret->root = json_checked_parse(text, (gssize) len,
				       CONTROL_LINE_MAX_BYTES, &error);
	if (!ret->root)
		return fail(CONTROL_CODE_PARSE, ret_code, error->message,
			    ret_why);
	if (JSON_NODE_HOLDS_ARRAY(ret->root))
		return fail(CONTROL_CODE_REQUEST, ret_code,
			    "Batches are not served: send one request per line",
			    ret_why);
	if (!JSON_NODE_HOLDS_OBJECT(ret->root))
		return fail(CONTROL_CODE_REQUEST, ret_code,
			    "A request is an object", ret_why);
	return take_apart(ret, ret_code, ret_why);
}

void control_request_clear(struct control_request *request)
{
	g_clear_pointer(&request->root, json_node_unref);
	*request = (struct control_request){0};
}

/* Takes @object. */
static GBytes *to_line(JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	char *text;
	size_t len;

	json_node_take_object(root, object);
	text = json_to_string(root, FALSE);
	len = strlen(text);
	/* The NUL's place is the newline's. */
	text[len] = '\n';
	return g_bytes_new_take(text, len + 1);
}

static JsonObject *new_message(void)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "jsonrpc", "2.0");
	return o;
}

static void set_id(JsonObject *o, JsonNode *id)
{
	json_object_set_member(o, "id", id ? json_node_copy(id)
					   : json_node_new(JSON_NODE_NULL));
}

GBytes *control_message_result(JsonNode *id, JsonNode *result)
{
	JsonObject *o = new_message();

	set_id(o, id);
	json_object_set_member(o, "result",
			       result ? result : json_node_new(JSON_NODE_NULL));
	return to_line(o);
}

GBytes *control_message_error(JsonNode *id, int code, const char *message,
			      JsonNode *data)
{
	JsonObject *o = new_message(), *error = json_object_new();

	json_object_set_int_member(error, "code", code);
	json_object_set_string_member(error, "message", message);
	if (data)
		json_object_set_member(error, "data", data);
	set_id(o, id);
	json_object_set_object_member(o, "error", error);
	return to_line(o);
}

GBytes *control_message_event(const char *name, JsonObject *params)
{
	JsonObject *o = new_message();

	json_object_set_string_member(o, "method", name);
	json_object_set_object_member(o, "params",
				      params ? json_object_ref(params)
					     : json_object_new());
	return to_line(o);
}
