// SPDX-License-Identifier: Apache-2.0
/* appliance/ctl/ctl-format-lists.c - pages that are lists: options, methods,
 * events, the doctor's findings */
#include "appliance/ctl/ctl-format.h"

#include <string.h>

#include "appliance/ctl/ctl-format-private.h"

/* --- configuration, methods, events --------------------------------------- */
char *ctl_format_json(JsonNode *node)
{
	g_autofree char *text = json_to_string(node, TRUE);

	return g_strconcat(text, "\n", NULL);
}

static char *plain_value(JsonNode *node)
{
	g_autofree char *text = NULL;

	if (!node || JSON_NODE_HOLDS_NULL(node))
		return g_strdup("");
	if (JSON_NODE_HOLDS_VALUE(node) &&
	    json_node_get_value_type(node) == G_TYPE_STRING)
		return ctl_text_safe(json_node_get_string(node));
	text = json_to_string(node, FALSE);
	return ctl_text_safe(text);
}

char *ctl_format_config(JsonNode *options, bool color)
{
	GString *s = g_string_new(NULL);
	struct ctl_columns *t = ctl_columns_new(3);
	JsonArray *array = options && JSON_NODE_HOLDS_ARRAY(options)
				   ? json_node_get_array(options) : NULL;

	for (unsigned int i = 0; array && i < json_array_get_length(array);
	     i++) {
		JsonObject *o = as_object(json_array_get_element(array, i));
		const char *origin = get_string(o, "origin");
		bool set = origin && strcmp(origin, "default");

		ctl_columns_take(t, set ? CTL_BOLD : CTL_PLAIN, false,
				 safe(o, "name"));
		ctl_columns_take(t, CTL_PLAIN, false,
				 plain_value(o ? json_object_get_member(
							 o, "value") : NULL));
		ctl_columns_take(t, CTL_DIM, false, safe(o, "origin"));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	return g_string_free(s, FALSE);
}

static void take_member(struct ctl_columns *t, enum ctl_color color,
			JsonObject *o, const char *name)
{
	ctl_columns_take(t, color, false,
			 plain_value(o ? json_object_get_member(o, name)
				       : NULL));
}

static void take_heads(struct ctl_columns *t, const char *const *heads)
{
	for (; *heads; heads++)
		ctl_columns_take(t, CTL_DIM, false, g_strdup(*heads));
}

static unsigned int length(JsonArray *array)
{
	return array ? json_array_get_length(array) : 0;
}

static double get_area(JsonObject *format)
{
	double width = 0, height = 0;

	get_number(format, "width", &width);
	get_number(format, "height", &height);
	return width * height;
}

/* No other of its kind in @all is larger, or as large and before it. */
static bool is_largest(JsonArray *all, unsigned int i)
{
	JsonObject *o = as_object(json_array_get_element(all, i));

	for (unsigned int k = 0; k < length(all); k++) {
		JsonObject *other = as_object(json_array_get_element(all, k));
		double more = get_area(other) - get_area(o);

		if (k != i && !g_strcmp0(get_string(other, "fourcc"),
					 get_string(o, "fourcc")) &&
		    (more > 0 || (more >= 0 && k < i)))
			return false;
	}
	return true;
}

/* "MJPG 1920x1080, YUYV 640x480" */
static char *format_formats(JsonObject *device)
{
	JsonArray *all = get_array(device, "formats");
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; i < length(all); i++) {
		JsonObject *o = as_object(json_array_get_element(all, i));
		g_autofree char *code = safe(o, "fourcc");
		double width = 0, height = 0;

		if (!get_number(o, "width", &width) ||
		    !get_number(o, "height", &height) || !is_largest(all, i))
			continue;
		g_string_append_printf(s, "%s%s %.0fx%.0f", s->len ? ", " : "",
				       code, width, height);
	}
	return g_string_free(s, FALSE);
}

char *ctl_format_devices(JsonNode *devices, bool color)
{
	static const char *const heads[] = {"KIND", "SOURCE", "NAME", "NODE",
					    "FORMATS", NULL};
	JsonArray *array = devices && JSON_NODE_HOLDS_ARRAY(devices)
				   ? json_node_get_array(devices) : NULL;
	struct ctl_columns *t = ctl_columns_new(5);
	GString *s = g_string_new(NULL);

	take_heads(t, heads);
	for (unsigned int i = 0; i < length(array); i++) {
		JsonObject *o = as_object(json_array_get_element(array, i));

		take_member(t, CTL_PLAIN, o, "kind");
		take_member(t, CTL_BOLD, o, "source");
		take_member(t, CTL_PLAIN, o, "name");
		take_member(t, CTL_DIM, o, "node");
		ctl_columns_take(t, CTL_PLAIN, false, format_formats(o));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	return g_string_free(s, FALSE);
}

/* What is still to be done stands below. */
static void append_changes(GString *s, JsonArray *changed, bool color)
{
	static const char *const heads[] = {"NAME", "OLD", "NEW", "EFFECT",
					    NULL};
	struct ctl_columns *t = ctl_columns_new(4);
	bool rejoin = false, restart = false;

	take_heads(t, heads);
	for (unsigned int i = 0; i < length(changed); i++) {
		JsonObject *o = as_object(json_array_get_element(changed, i));
		const char *effect = get_string(o, "effect");
		bool applied = effect && !strcmp(effect, "applied");

		rejoin |= effect && !strcmp(effect, "rejoin");
		restart |= effect && !strcmp(effect, "restart");
		take_member(t, CTL_BOLD, o, "name");
		take_member(t, CTL_PLAIN, o, "old");
		take_member(t, CTL_PLAIN, o, "new");
		take_member(t, applied ? CTL_GOOD : CTL_WARN, o, "effect");
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	if (rejoin)
		g_string_append(s, "rejoin: with the next join; 'skylinkctl "
				   "config reload --rejoin' does it now.\n");
	if (restart)
		g_string_append(s, "restart: with the daemon's next start.\n");
}

char *ctl_format_changes(JsonNode *result, bool color)
{
	JsonObject *o = as_object(result);
	JsonArray *changed = get_array(o, "changed");
	JsonArray *overridden = get_array(o, "overridden");
	GString *s = g_string_new(NULL);

	if (length(changed))
		append_changes(s, changed, color);
	else
		g_string_append(s, "Nothing changes.\n");
	for (unsigned int i = 0; i < length(overridden); i++) {
		JsonObject *e = as_object(json_array_get_element(overridden,
								 i));
		g_autofree char *name = safe(e, "name"), *by = safe(e, "by");

		g_string_append_printf(s, "%s stays as the command line's %s "
					  "says.\n", name, by);
	}
	if (o && json_object_get_boolean_member_with_default(o, "rejoined",
							     FALSE))
		g_string_append(s, "The room is joined again.\n");
	if (o && json_object_get_boolean_member_with_default(o, "dryRun",
							     FALSE))
		g_string_append(s, "Nothing was done: --dry-run.\n");
	return g_string_free(s, FALSE);
}

char *ctl_format_config_diff(JsonNode *result, bool color)
{
	static const char *const heads[] = {"NAME", "DEFAULT", "VALUE", "FROM",
					    NULL};
	JsonObject *o = as_object(result);
	JsonArray *set = get_array(o, "set");
	JsonArray *pending = get_array(o, "pending");
	JsonArray *problems = get_array(o, "problems");
	struct ctl_columns *t = ctl_columns_new(4);
	GString *s = g_string_new(NULL);

	take_heads(t, heads);
	for (unsigned int i = 0; i < length(set); i++) {
		JsonObject *e = as_object(json_array_get_element(set, i));

		take_member(t, CTL_BOLD, e, "name");
		take_member(t, CTL_DIM, e, "default");
		take_member(t, CTL_PLAIN, e, "value");
		take_member(t, CTL_DIM, e, "origin");
	}
	if (length(set))
		ctl_columns_print(t, s, "", color);
	else
		g_string_append(s, "All is as by default.\n");
	ctl_columns_free(t);
	if (length(pending)) {
		g_string_append(s, "\nNot in force:\n");
		append_changes(s, pending, color);
	}
	if (length(problems))
		g_string_append(s, "\nWrong, so that nothing is reloaded:\n");
	for (unsigned int i = 0; i < length(problems); i++) {
		g_autofree char *text =
			plain_value(json_array_get_element(problems, i));

		g_string_append_printf(s, "%s\n", text);
	}
	return g_string_free(s, FALSE);
}

/* "joinRoom [room] [options]" */
static char *method_synopsis(JsonObject *m)
{
	g_autofree char *name = safe(m, "name");
	GString *s = g_string_new(name);
	JsonArray *params = get_array(m, "params");

	for (unsigned int i = 0; params && i < json_array_get_length(params);
	     i++) {
		JsonObject *p = as_object(json_array_get_element(params, i));
		g_autofree char *param = safe(p, "name");

		g_string_append_printf(s, is_true(p, "required") ? " %s"
								 : " [%s]",
				       param);
	}
	return g_string_free(s, FALSE);
}

/* "string", or of several "boolean|object". */
static char *schema_type(JsonObject *schema)
{
	JsonArray *types = get_array(schema, "type");
	GString *s;

	if (!types)
		return safe(schema, "type");
	s = g_string_new(NULL);
	for (unsigned int i = 0; i < json_array_get_length(types); i++) {
		JsonNode *n = json_array_get_element(types, i);
		g_autofree char *type = NULL;

		if (!JSON_NODE_HOLDS_VALUE(n) ||
		    json_node_get_value_type(n) != G_TYPE_STRING)
			continue;
		type = ctl_text_safe(json_node_get_string(n));
		g_string_append_printf(s, "%s%s", s->len ? "|" : "", type);
	}
	return g_string_free(s, FALSE);
}

static char *explain_method(JsonObject *m, bool color)
{
	GString *s = g_string_new(NULL);
	g_autofree char *synopsis = method_synopsis(m);
	g_autofree char *help = safe(m, "description");
	JsonArray *params = get_array(m, "params");
	struct ctl_columns *t = ctl_columns_new(3);

	ctl_text_paint(s, color, CTL_BOLD, synopsis);
	g_string_append_printf(s, "\n  %s\n", help);
	for (unsigned int i = 0; params && i < json_array_get_length(params);
	     i++) {
		JsonObject *p = as_object(json_array_get_element(params, i));
		JsonObject *schema = get_object(p, "schema");

		ctl_columns_take(t, CTL_PLAIN, false, safe(p, "name"));
		ctl_columns_take(t, CTL_DIM, false, schema_type(schema));
		ctl_columns_take(t, CTL_PLAIN, false, safe(p, "description"));
	}
	ctl_columns_print(t, s, "    ", color);
	ctl_columns_free(t);
	append_text(s, "  Result: ", get_object(m, "result"), "description");
	append_text(s, "\n  Needs the right to ", m, "x-role");
	g_string_append(s, ".\n");
	return g_string_free(s, FALSE);
}

char *ctl_format_methods(JsonNode *discover, const char *name, bool color)
{
	JsonArray *methods = get_array(as_object(discover), "methods");
	struct ctl_columns *t = ctl_columns_new(2);
	char *found = NULL;
	GString *s;

	for (unsigned int i = 0; methods && i < json_array_get_length(methods);
	     i++) {
		JsonObject *m = as_object(json_array_get_element(methods, i));
		const char *this = get_string(m, "name");

		if (name && !found && this && !strcmp(this, name))
			found = explain_method(m, color);
		ctl_columns_take(t, CTL_BOLD, false, method_synopsis(m));
		ctl_columns_take(t, CTL_PLAIN, false, safe(m, "description"));
	}
	s = g_string_new(NULL);
	if (!name)
		ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	if (!name)
		return g_string_free(s, FALSE);
	g_string_free(s, TRUE);
	return found;
}

char *ctl_format_event_list(JsonNode *discover, bool color)
{
	JsonArray *events = get_array(as_object(discover), "x-events");
	struct ctl_columns *t = ctl_columns_new(2);
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; events && i < json_array_get_length(events);
	     i++) {
		JsonObject *e = as_object(json_array_get_element(events, i));

		ctl_columns_take(t, CTL_BOLD, false, safe(e, "name"));
		ctl_columns_take(t, CTL_PLAIN, false, safe(e, "description"));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	return g_string_free(s, FALSE);
}

char *ctl_format_event(JsonNode *event, const char *time, bool color)
{
	JsonObject *o = as_object(event);
	JsonObject *params = get_object(o, "params");
	g_autofree char *name = safe(o, "method");
	g_autoptr(GList) members = params ? json_object_get_members(params)
					  : NULL;
	GString *s = g_string_new(NULL);

	ctl_text_paint(s, color, CTL_DIM, time);
	g_string_append_c(s, ' ');
	ctl_text_paint(s, color, CTL_BOLD, name);
	for (GList *l = members; l; l = l->next) {
		g_autofree char *key = ctl_text_safe(l->data);
		g_autofree char *value = plain_value(
			json_object_get_member(params, l->data));

		g_string_append_printf(s, " %s=%s", key, value);
	}
	g_string_append_c(s, '\n');
	return g_string_free(s, FALSE);
}

/* --- the doctor -------------------------------------------------------------- */
static void doctor_row(GString *s, JsonObject *o, bool color)
{
	static const struct {
		const char *state;
		enum ctl_color color;
	} states[] = {{"ok", CTL_GOOD}, {"warning", CTL_WARN},
		      {"failed", CTL_BAD}, {"skipped", CTL_DIM}};
	g_autofree char *state = safe(o, "state"), *check = safe(o, "check");
	g_autofree char *what = safe(o, "what"), *advice = safe(o, "advice");
	enum ctl_color paint = CTL_PLAIN;

	for (unsigned int i = 0; i < G_N_ELEMENTS(states); i++)
		if (!strcmp(states[i].state, state))
			paint = states[i].color;
	ctl_text_paint(s, color, paint, state);
	g_string_append_printf(s, "%*s", (int) MAX(9 - (int) strlen(state), 1),
			       "");
	ctl_text_paint(s, color, CTL_BOLD, check);
	g_string_append_printf(s, "%*s%s\n",
			       (int) MAX(18 - (int) strlen(check), 1), "",
			       what);
	if (advice[0] && strcmp(state, "ok"))
		g_string_append_printf(s, "%*s-> %s\n", 9, "", advice);
}

char *ctl_format_doctor(JsonNode *rows, bool color)
{
	JsonArray *array = rows && JSON_NODE_HOLDS_ARRAY(rows) ?
		json_node_get_array(rows) : NULL;
	unsigned int n = array ? json_array_get_length(array) : 0;
	unsigned int failed = 0, warnings = 0;
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; i < n; i++) {
		JsonObject *o = as_object(json_array_get_element(array, i));
		const char *state = get_string(o, "state");

		if (!o || !state)
			continue;
		failed += !strcmp(state, "failed");
		warnings += !strcmp(state, "warning");
		doctor_row(s, o, color);
	}
	g_string_append_printf(s, "%u failed, %u warnings\n", failed,
			       warnings);
	return g_string_free(s, FALSE);
}
