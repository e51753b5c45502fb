// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-config.h"

#include <string.h>

void control_config_set_value(JsonObject *o, const char *member,
			      const Config *config, enum option_id id)
{
	switch (option_table_get(id)->type) {
	case OPTION_BOOL:
		json_object_set_boolean_member(o, member,
					       config_get_bool(config, id));
		return;
	case OPTION_INT:
	case OPTION_BITRATE:
		json_object_set_int_member(o, member,
					   config_get_int(config, id));
		return;
	case OPTION_LIST:
	case OPTION_SCHEDULE:
	case OPTION_ADDRESSES: {
		const char *const *list = config_get_list(config, id);
		JsonArray *array = json_array_new();

		for (; *list; list++)
			json_array_add_string_element(array, *list);
		json_object_set_array_member(o, member, array);
		return;
	}
	case OPTION_CHOICE:
	case OPTION_STRING:
	case OPTION_NAME:
	case OPTION_JSON:
	case OPTION_PATH:
	case OPTION_SECRET:	/* the path, never what stands there */
	case OPTION_LISTEN:
	case OPTION_ENDPOINT:
	case OPTION_URL:
	case OPTION_ZONE:
		json_object_set_string_member(o, member,
					      config_get_string(config, id));
		return;
	}
	g_assert_not_reached();
}

char *control_config_name(enum option_id id)
{
	const struct option_row *row = option_table_get(id);

	return g_strdup_printf("%s.%s", row->section, row->key);
}

static JsonObject *describe(const Config *config, enum option_id id)
{
	const struct option_row *row = option_table_get(id);
	JsonObject *o = json_object_new();
	g_autofree char *name = control_config_name(id);
	g_autofree char *allowed = option_describe_allowed(row);

	json_object_set_string_member(o, "name", name);
	control_config_set_value(o, "value", config, id);
	json_object_set_string_member(o, "default", row->def);
	json_object_set_string_member(o, "origin",
				      config_get_origin(config, id));
	json_object_set_string_member(o, "allowed", allowed);
	json_object_set_string_member(o, "change",
				      option_change_name(row->change));
	json_object_set_string_member(o, "help", row->help);
	return o;
}

static bool is_meant(const struct option_row *row, const char *name)
{
	const char *dot = strchr(name, '.');
	size_t n = dot ? (size_t) (dot - name) : strlen(name);

	return strlen(row->section) == n && !memcmp(row->section, name, n) &&
	       (!dot || !strcmp(dot + 1, row->key));
}

static char *explain_unknown(const char *name)
{
	g_autofree char *given = control_text_shorten(name);
	const char *dot = strchr(name, '.');
	g_autofree char *section = g_strndup(name, dot ? (gsize) (dot - name)
						       : strlen(name));
	const struct option_row *near =
		dot ? option_table_nearest(section, dot + 1) : NULL;
	const char *near_section = option_table_nearest_section(section);

	if (near)
		return g_strdup_printf("There is no option \"%s\". Did you "
				       "mean \"%s.%s\"?", given, near->section,
				       near->key);
	if (!dot && near_section)
		return g_strdup_printf("There is no section \"%s\". Did you "
				       "mean \"%s\"?", given, near_section);
	return g_strdup_printf("There is no option or section \"%s\"", given);
}

bool control_config_find(JsonArray *names, bool ret_wanted[N_OPTIONS],
			 char **ret_why)
{
	unsigned int n = json_array_get_length(names);

	memset(ret_wanted, 0, N_OPTIONS * sizeof(*ret_wanted));
	for (unsigned int k = 0; k < n; k++) {
		const char *name = json_array_get_string_element(names, k);
		bool found = false;

		for (int i = 0; i < N_OPTIONS; i++)
			if (is_meant(option_table_get(i), name))
				found = ret_wanted[i] = true;
		/* A section without keys is one all the same. */
		if (!found && !option_table_section_help(name)) {
			*ret_why = explain_unknown(name);
			return false;
		}
	}
	return true;
}

JsonNode *control_config_describe(const Config *config, JsonArray *names,
				  char **ret_why)
{
	JsonNode *node;
	JsonArray *array;
	bool wanted[N_OPTIONS];

	if (names && !control_config_find(names, wanted, ret_why))
		return NULL;
	if (names && !json_array_get_length(names))
		names = NULL;
	node = json_node_new(JSON_NODE_ARRAY);
	array = json_array_new();
	json_node_take_array(node, array);
	for (int i = 0; i < N_OPTIONS; i++)
		if (!names || wanted[i])
			json_array_add_object_element(array,
						      describe(config, i));
	return node;
}

JsonArray *control_config_list_set(const Config *config)
{
	g_autoptr(Config) defaults = config_new();
	g_autoptr(GArray) ids = config_diff(config, defaults);
	JsonArray *array = json_array_new();

	for (unsigned int i = 0; i < ids->len; i++) {
		enum option_id id = g_array_index(ids, enum option_id, i);
		g_autofree char *name = control_config_name(id);
		JsonObject *o = json_object_new();

		json_object_set_string_member(o, "name", name);
		control_config_set_value(o, "value", config, id);
		control_config_set_value(o, "default", defaults, id);
		json_object_set_string_member(o, "origin",
					      config_get_origin(config, id));
		json_array_add_object_element(array, o);
	}
	return array;
}

/* --- config.set ------------------------------------------------------------ */
/* As it would stand in a file; NULL for what cannot. */
static char *text_of(JsonNode *n)
{
	char *text = NULL;

	if (!JSON_NODE_HOLDS_VALUE(n))
		return NULL;
	if (json_node_get_value_type(n) == G_TYPE_STRING)
		text = json_node_dup_string(n);
	else if (json_node_get_value_type(n) == G_TYPE_BOOLEAN)
		text = g_strdup(json_node_get_boolean(n) ? "yes" : "no");
	else if (json_node_get_value_type(n) == G_TYPE_INT64)
		text = g_strdup_printf("%" G_GINT64_FORMAT,
				       json_node_get_int(n));
	return text ? g_strstrip(text) : NULL;
}

static bool take_value(struct set_file *file, const char *name, JsonNode *n,
		       GPtrArray *problems)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = text_of(n), *why = NULL;
	int id = config_find_option(name, &error);
	struct option_value value;

	if (id < 0) {
		g_ptr_array_add(problems, g_strdup(error->message));
		return false;
	}
	if (!text)
		why = g_strdup("is a string, a whole number, true or false");
	if (why || !option_value_parse(option_table_get(id), text, &value,
				       &why)) {
		g_ptr_array_add(problems, g_strdup_printf("%s: %s", name, why));
		return false;
	}
	set_file_set(file, id, value.text);
	option_value_clear(&value);
	return true;
}

bool control_config_take_values(JsonObject *values, struct set_file *file,
				GPtrArray *problems)
{
	g_autoptr(GList) names = json_object_get_members(values);
	bool ok = true;

	for (GList *l = names; l; l = l->next)
		ok &= take_value(file, l->data,
				 json_object_get_member(values, l->data),
				 problems);
	return ok;
}

void control_config_get(ControlCall *call, const Config *config)
{
	JsonObject *params = control_call_get_params(call);
	JsonArray *names = json_object_has_member(params, "names")
		? json_object_get_array_member(params, "names") : NULL;
	g_autofree char *why = NULL;
	JsonNode *result = control_config_describe(config, names, &why);

	if (result)
		control_call_reply(call, result);
	else
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s", why);
}
