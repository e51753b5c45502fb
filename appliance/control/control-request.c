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

/* Takes @params. */
static GBytes *event_line(const char *name, JsonObject *params)
{
	JsonObject *o = new_message();

	json_object_set_string_member(o, "method", name);
	json_object_set_object_member(o, "params", params);
	return to_line(o);
}

/* Return: the member that is longest as JSON; NULL: there is none. */
static const char *find_longest(JsonObject *o)
{
	const char *name, *longest = NULL;
	JsonObjectIter iter;
	JsonNode *node;
	size_t most = 0;

	json_object_iter_init(&iter, o);
	while (json_object_iter_next(&iter, &name, &node)) {
		g_autofree char *text = json_to_string(node, FALSE);
		size_t len = strlen(text);

		if (longest && len <= most)
			continue;
		longest = name;
		most = len;
	}
	return longest;
}

/* (transfer full): @o, which others have as well, with @value (taken) in place
 * of that member. */
static JsonObject *with_member(JsonObject *o, const char *name, JsonNode *value)
{
	JsonObject *copy = json_object_new();
	JsonObjectIter iter;
	const char *other;
	JsonNode *node;

	json_object_iter_init(&iter, o);
	while (json_object_iter_next(&iter, &other, &node))
		json_object_set_member(copy, other, json_node_copy(node));
	json_object_set_member(copy, name, value);
	return copy;
}

/* Takes @params, returns them with null for what is longest: a member, or a
 * member's member. @omitted: gets its name. */
static JsonObject *omit_longest(JsonObject *params, JsonArray *omitted)
{
	g_autoptr(JsonObject) old = params;
	const char *name = find_longest(old), *within = NULL;
	JsonNode *node = name ? json_object_get_member(old, name) : NULL;
	JsonNode *value = json_node_new(JSON_NODE_NULL);
	g_autofree char *path = NULL;

	if (node && JSON_NODE_HOLDS_OBJECT(node))
		within = find_longest(json_node_get_object(node));
	path = within ? g_strconcat(name, ".", within, NULL) : g_strdup(name);
	if (within) {
		JsonObject *inner = with_member(json_node_get_object(node),
						within, value);

		value = json_node_new(JSON_NODE_OBJECT);
		json_node_take_object(value, inner);
	}
	json_array_add_string_element(omitted, path);
	return with_member(old, name, value);
}

GBytes *control_message_event(const char *name, JsonObject *params)
{
	GBytes *line = event_line(name, params ? json_object_ref(params)
					       : json_object_new());
	g_autoptr(JsonObject) left = NULL;
	g_autoptr(JsonArray) omitted = NULL;

	/* What a stranger said may be longer as JSON of ours. */
	for (unsigned int i = 0;
	     params && g_bytes_get_size(line) > CONTROL_LINE_MAX_BYTES; i++) {
		if (!omitted) {
			omitted = json_array_new();
			left = json_object_ref(params);
		}
		if (i < CONTROL_OMIT_MAX)
			left = omit_longest(left, omitted);
		else
			g_clear_pointer(&left, json_object_unref);
		if (!left)
			left = json_object_new();
		json_object_set_array_member(left, "omitted",
					     json_array_ref(omitted));
		g_bytes_unref(line);
		line = event_line(name, json_object_ref(left));
	}
	return line;
}
