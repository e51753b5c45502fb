// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-table.h"

#include <math.h>
#include <string.h>

#include "config/nearest.h"

#define STRING_MAX_BYTES 4096
#define STRINGS_MAX	 128

const ControlMethod *control_table_find(const ControlMethod *methods,
					const char *name)
{
	for (; methods && methods->name; methods++)
		if (!strcmp(methods->name, name))
			return methods;
	return NULL;
}

const char *control_role_name(ControlRole role)
{
	switch (role) {
	case CONTROL_ROLE_NONE:
		return "none";
	case CONTROL_ROLE_READ:
		return "read";
	case CONTROL_ROLE_OPERATE:
		return "operate";
	case CONTROL_ROLE_ADMIN:
		return "administer";
	}
	g_assert_not_reached();
}

/* --- what is right, and what was given ----------------------------------- */
static char *join_values(const char *values)
{
	g_auto(GStrv) list = g_strsplit(values, "|", -1);
	g_autofree char *inner = g_strjoinv("\", \"", list);

	return g_strconcat("\"", inner, "\"", NULL);
}

char *control_param_describe(const ControlParam *p)
{
	g_autofree char *values = p->values ? join_values(p->values) : NULL;

	switch (p->type) {
	case CONTROL_BOOL:
		return g_strdup("true or false");
	case CONTROL_INT:
		return g_strdup_printf("a whole number from %" G_GINT64_FORMAT
				       " to %" G_GINT64_FORMAT, p->min,
				       p->max);
	case CONTROL_NUMBER:
		return g_strdup_printf("a number from %" G_GINT64_FORMAT
				       " to %" G_GINT64_FORMAT, p->min,
				       p->max);
	case CONTROL_STRING:
		if (values)
			return g_strconcat("one of ", values, NULL);
		return g_strdup_printf("a string of at most %" G_GINT64_FORMAT
				       " bytes",
				       p->max ? p->max : STRING_MAX_BYTES);
	case CONTROL_OBJECT:
		return g_strdup(p->or_bool ? "true, false or an object" :
				p->or_string ? "a string or an object" :
					       "an object");
	case CONTROL_STRINGS:
		if (values)
			return g_strconcat("strings, each one of ", values,
					   NULL);
		return g_strdup("a string or an array of strings");
	case CONTROL_ANY:
		return g_strdup("any value");
	}
	g_assert_not_reached();
}

#define GIVEN_MAX_BYTES 60

char *control_text_shorten(const char *text)
{
	const char *end;

	if (strlen(text) <= GIVEN_MAX_BYTES)
		return g_strdup(text);
	end = g_utf8_find_prev_char(text, text + GIVEN_MAX_BYTES);
	return g_strdup_printf("%.*s...", (int) (end - text), text);
}

static char *describe_given(JsonNode *node)
{
	g_autofree char *text = NULL;

	if (JSON_NODE_HOLDS_OBJECT(node))
		return g_strdup("an object");
	if (JSON_NODE_HOLDS_ARRAY(node))
		return g_strdup("an array");
	text = json_to_string(node, FALSE);
	return control_text_shorten(text);
}

static bool refuse(const char *path, const ControlParam *p, JsonNode *node,
		   char **ret_why)
{
	g_autofree char *right = control_param_describe(p);
	g_autofree char *given = describe_given(node);

	*ret_why = g_strdup_printf("Parameter \"%s\" is %s; it must be %s",
				   path, given, right);
	return false;
}

/* --- checks --------------------------------------------------------------- */
static bool check_members(const ControlParam *params, const char *prefix,
			  JsonObject *given, JsonObject *out, char **ret_why);

static bool value_is_allowed(const ControlParam *p, const char *text)
{
	g_auto(GStrv) list = NULL;

	if (!p->values)
		return strlen(text) <=
		       (size_t) (p->max ? p->max : STRING_MAX_BYTES);
	list = g_strsplit(p->values, "|", -1);
	return g_strv_contains((const char *const *) list, text);
}

static bool holds(JsonNode *node, GType type)
{
	return JSON_NODE_HOLDS_VALUE(node) &&
	       json_node_get_value_type(node) == type;
}

static bool is_string(JsonNode *node)
{
	return holds(node, G_TYPE_STRING);
}

static bool get_whole_number(JsonNode *node, gint64 *ret)
{
	GType type;
	double d;

	if (!JSON_NODE_HOLDS_VALUE(node))
		return false;
	type = json_node_get_value_type(node);
	if (type == G_TYPE_INT64) {
		*ret = json_node_get_int(node);
		return true;
	}
	if (type != G_TYPE_DOUBLE)
		return false;
	/* JavaScript knows one kind of number: 5.0 is 5. */
	d = json_node_get_double(node);
	if (fabs(d) > 9007199254740992.0 || d != floor(d))
		return false;
	*ret = (gint64) d;
	return true;
}

static JsonNode *check_strings(const ControlParam *p, const char *path,
			       JsonNode *node, char **ret_why)
{
	JsonNode *result = json_node_new(JSON_NODE_ARRAY);
	JsonArray *array = json_array_new();
	JsonArray *from = NULL;
	unsigned int n = 1;

	json_node_take_array(result, array);
	if (JSON_NODE_HOLDS_ARRAY(node)) {
		from = json_node_get_array(node);
		n = json_array_get_length(from);
	}
	for (unsigned int i = 0; i < n; i++) {
		JsonNode *e = from ? json_array_get_element(from, i) : node;

		if (n > STRINGS_MAX || !is_string(e) ||
		    !value_is_allowed(p, json_node_get_string(e))) {
			refuse(path, p, n > STRINGS_MAX ? node : e, ret_why);
			json_node_unref(result);
			return NULL;
		}
		json_array_add_string_element(array, json_node_get_string(e));
	}
	return result;
}

static JsonNode *check_object(const ControlParam *p, const char *path,
			      JsonNode *node, char **ret_why)
{
	JsonObject *out;
	JsonNode *result;

	if (!p->fields)
		return json_node_copy(node);
	out = json_object_new();
	if (!check_members(p->fields, path, json_node_get_object(node), out,
			   ret_why)) {
		json_object_unref(out);
		return NULL;
	}
	result = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(result, out);
	return result;
}

static bool is_number_within(const ControlParam *p, JsonNode *node)
{
	gdouble d;

	if (!holds(node, G_TYPE_INT64) && !holds(node, G_TYPE_DOUBLE))
		return false;
	d = json_node_get_double(node);
	return d >= (gdouble) p->min && d <= (gdouble) p->max;
}

static bool is_other_form(const ControlParam *p, JsonNode *node)
{
	if (p->or_bool && holds(node, G_TYPE_BOOLEAN))
		return true;
	return p->or_string && is_string(node) &&
	       value_is_allowed(p, json_node_get_string(node));
}

/* Return: the value to hand on, or NULL with *ret_why. */
static JsonNode *check_value(const ControlParam *p, const char *path,
			     JsonNode *node, char **ret_why)
{
	gint64 number;

	switch (p->type) {
	case CONTROL_BOOL:
		if (holds(node, G_TYPE_BOOLEAN))
			return json_node_copy(node);
		break;
	case CONTROL_NUMBER:
		if (is_number_within(p, node))
			return json_node_init_double(json_node_alloc(),
						     json_node_get_double(
							     node));
		break;
	case CONTROL_INT:
		if (get_whole_number(node, &number) && number >= p->min &&
		    number <= p->max)
			return json_node_init_int(json_node_alloc(), number);
		break;
	case CONTROL_STRING:
		if (is_string(node) &&
		    value_is_allowed(p, json_node_get_string(node)))
			return json_node_copy(node);
		break;
	case CONTROL_OBJECT:
		if (JSON_NODE_HOLDS_OBJECT(node))
			return check_object(p, path, node, ret_why);
		if (is_other_form(p, node))
			return json_node_copy(node);
		break;
	case CONTROL_STRINGS:
		if (is_string(node) || JSON_NODE_HOLDS_ARRAY(node))
			return check_strings(p, path, node, ret_why);
		break;
	case CONTROL_ANY:
		return json_node_copy(node);
	}
	refuse(path, p, node, ret_why);
	return NULL;
}

static bool unknown_member(const ControlParam *params, const char *prefix,
			   const char *name, char **ret_why)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *given = control_text_shorten(name);
	const char *near;

	for (const ControlParam *p = params; p && p->name; p++)
		g_ptr_array_add(names, (gpointer) p->name);
	g_ptr_array_add(names, NULL);
	near = nearest_of(name, (const char *const *) names->pdata);
	if (near)
		*ret_why = g_strdup_printf("There is no parameter \"%s%s\". "
					   "Did you mean \"%s%s\"?", prefix,
					   given, prefix, near);
	else
		*ret_why = g_strdup_printf("There is no parameter \"%s%s\"",
					   prefix, given);
	return false;
}

static bool take_member(const ControlParam *p, const char *prefix,
			JsonNode *node, JsonObject *out, char **ret_why)
{
	g_autofree char *path = g_strconcat(prefix, p->name, NULL);
	JsonNode *value;

	if (!node || (JSON_NODE_HOLDS_NULL(node) && p->type != CONTROL_ANY)) {
		g_autofree char *right = NULL;

		if (p->optional)
			return true;
		right = control_param_describe(p);
		*ret_why = g_strdup_printf("Parameter \"%s\" is missing; it "
					   "must be %s", path, right);
		return false;
	}
	value = check_value(p, path, node, ret_why);
	if (!value)
		return false;
	json_object_set_member(out, p->name, value);
	return true;
}

static bool check_members(const ControlParam *params, const char *path,
			  JsonObject *given, JsonObject *out, char **ret_why)
{
	g_autofree char *prefix = path[0] ? g_strconcat(path, ".", NULL)
					  : g_strdup("");
	g_autoptr(GList) names = given ? json_object_get_members(given) : NULL;

	for (GList *l = names; l; l = l->next) {
		const ControlParam *p = params;

		while (p && p->name && strcmp(p->name, l->data))
			p++;
		if (!p || !p->name)
			return unknown_member(params, prefix, l->data, ret_why);
	}
	for (const ControlParam *p = params; p && p->name; p++) {
		JsonNode *node = given ? json_object_get_member(given, p->name)
				       : NULL;

		if (!take_member(p, prefix, node, out, ret_why))
			return false;
	}
	return true;
}

static bool check_positions(const ControlParam *params, JsonArray *given,
			    JsonObject *out, char **ret_why)
{
	unsigned int n = json_array_get_length(given), i = 0;

	for (const ControlParam *p = params; p && p->name; p++, i++) {
		JsonNode *node = i < n ? json_array_get_element(given, i)
				       : NULL;

		if (!take_member(p, "", node, out, ret_why))
			return false;
	}
	if (i < n) {
		*ret_why = g_strdup_printf("%u parameters are given; there are "
					   "at most %u", n, i);
		return false;
	}
	return true;
}

JsonObject *control_table_check(const ControlMethod *method, JsonNode *params,
				char **ret_why)
{
	g_autoptr(JsonObject) out = json_object_new();
	bool ok;

	if (params && JSON_NODE_HOLDS_ARRAY(params))
		ok = check_positions(method->params,
				     json_node_get_array(params), out,
				     ret_why);
	else
		ok = check_members(method->params, "",
				   params ? json_node_get_object(params) : NULL,
				   out, ret_why);
	return ok ? g_steal_pointer(&out) : NULL;
}

/* --- rpc.discover --------------------------------------------------------- */
static JsonObject *make_schema(const ControlParam *p);

static void add_enum(JsonObject *schema, const char *values)
{
	g_auto(GStrv) list = g_strsplit(values, "|", -1);
	JsonArray *array = json_array_new();

	for (unsigned int i = 0; list[i]; i++)
		json_array_add_string_element(array, list[i]);
	json_object_set_array_member(schema, "enum", array);
}

static JsonObject *make_properties(const ControlParam *fields)
{
	JsonObject *o = json_object_new();

	for (; fields->name; fields++) {
		JsonObject *schema = make_schema(fields);

		json_object_set_string_member(schema, "description",
					      fields->help);
		json_object_set_object_member(o, fields->name, schema);
	}
	return o;
}

/* Added only when something is needed: JSON Schema wants no empty list. */
static void add_needed(JsonObject *schema, const ControlParam *fields)
{
	JsonArray *needed = json_array_new();

	for (; fields->name; fields++)
		if (!fields->optional)
			json_array_add_string_element(needed, fields->name);
	if (json_array_get_length(needed))
		json_object_set_array_member(schema, "required",
					     json_array_ref(needed));
	json_array_unref(needed);
}

static JsonObject *make_schema(const ControlParam *p)
{
	static const char *const types[] = {
		[CONTROL_BOOL] = "boolean",  [CONTROL_INT] = "integer",
		[CONTROL_NUMBER] = "number", [CONTROL_STRING] = "string",
		[CONTROL_OBJECT] = "object", [CONTROL_STRINGS] = "array",
		[CONTROL_ANY] = NULL,
	};
	JsonObject *o = json_object_new(), *items = NULL;

	if (p->or_bool || p->or_string) {
		JsonArray *either = json_array_new();

		json_array_add_string_element(either, p->or_bool ? "boolean" :
								   "string");
		json_array_add_string_element(either, types[p->type]);
		json_object_set_array_member(o, "type", either);
	} else if (types[p->type]) {
		json_object_set_string_member(o, "type", types[p->type]);
	}
	if (p->type == CONTROL_INT || p->type == CONTROL_NUMBER) {
		json_object_set_int_member(o, "minimum", p->min);
		json_object_set_int_member(o, "maximum", p->max);
	}
	if (p->type == CONTROL_STRINGS) {
		items = json_object_new();
		json_object_set_string_member(items, "type", "string");
		json_object_set_object_member(o, "items", items);
	}
	if (p->values)
		add_enum(items ? items : o, p->values);
	if (p->fields) {
		json_object_set_object_member(o, "properties",
					      make_properties(p->fields));
		add_needed(o, p->fields);
	}
	return o;
}

static JsonObject *make_param(const ControlParam *p)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "name", p->name);
	json_object_set_string_member(o, "description", p->help);
	json_object_set_boolean_member(o, "required", !p->optional);
	json_object_set_object_member(o, "schema", make_schema(p));
	return o;
}

static JsonObject *make_method(const ControlMethod *m)
{
	JsonObject *o = json_object_new(), *result = json_object_new();
	JsonArray *params = json_array_new();

	for (const ControlParam *p = m->params; p && p->name; p++)
		json_array_add_object_element(params, make_param(p));
	json_object_set_string_member(result, "name", "result");
	json_object_set_string_member(result, "description", m->result);
	json_object_set_object_member(result, "schema", json_object_new());
	json_object_set_string_member(o, "name", m->name);
	json_object_set_string_member(o, "description", m->help);
	json_object_set_array_member(o, "params", params);
	json_object_set_object_member(o, "result", result);
	json_object_set_string_member(o, "x-role", control_role_name(m->role));
	return o;
}

JsonNode *control_table_discover(const ControlMethod *const *tables,
				 unsigned int n_tables,
				 const ControlEvent *events,
				 gboolean (*served)(const char *name,
						    gpointer user),
				 gpointer user)
{
	JsonObject *o = json_object_new(), *info = json_object_new();
	JsonArray *methods = json_array_new(), *list = json_array_new();
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	for (unsigned int i = 0; i < n_tables; i++)
		for (const ControlMethod *m = tables[i]; m && m->name; m++)
			if (!served || served(m->name, user))
				json_array_add_object_element(methods,
							      make_method(m));
	for (; events && events->name; events++) {
		JsonObject *e = json_object_new();

		json_object_set_string_member(e, "name", events->name);
		json_object_set_string_member(e, "params", events->params);
		json_object_set_string_member(e, "description", events->help);
		json_array_add_object_element(list, e);
	}
	json_object_set_string_member(info, "title", "Skylink appliance");
	json_object_set_string_member(info, "version", PACKAGE_VERSION);
	json_object_set_string_member(o, "openrpc", "1.2.6");
	json_object_set_object_member(o, "info", info);
	json_object_set_array_member(o, "methods", methods);
	json_object_set_array_member(o, "x-events", list);
	json_node_take_object(node, o);
	return node;
}
