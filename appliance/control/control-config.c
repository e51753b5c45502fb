// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-config.h"

#include <string.h>

static void set_value(JsonObject *o, const Config *config, enum option_id id)
{
	switch (option_table_get(id)->type) {
	case OPTION_BOOL:
		json_object_set_boolean_member(o, "value",
					       config_get_bool(config, id));
		return;
	case OPTION_INT:
	case OPTION_BITRATE:
		json_object_set_int_member(o, "value",
					   config_get_int(config, id));
		return;
	case OPTION_LIST:
	case OPTION_ADDRESSES: {
		const char *const *list = config_get_list(config, id);
		JsonArray *array = json_array_new();

		for (; *list; list++)
			json_array_add_string_element(array, *list);
		json_object_set_array_member(o, "value", array);
		return;
	}
	case OPTION_CHOICE:
	case OPTION_STRING:
	case OPTION_NAME:
	case OPTION_JSON:
	case OPTION_PATH:
	case OPTION_SECRET:	/* the path, never what stands there */
	case OPTION_LISTEN:
	case OPTION_URL:
		json_object_set_string_member(o, "value",
					      config_get_string(config, id));
		return;
	}
	g_assert_not_reached();
}

static JsonObject *describe(const Config *config, enum option_id id)
{
	const struct option_row *row = option_table_get(id);
	JsonObject *o = json_object_new();
	g_autofree char *name = g_strdup_printf("%s.%s", row->section,
						row->key);
	g_autofree char *allowed = option_describe_allowed(row);

	json_object_set_string_member(o, "name", name);
	set_value(o, config, id);
	json_object_set_string_member(o, "default", row->def);
	json_object_set_string_member(o, "origin",
				      config_get_origin(config, id));
	json_object_set_string_member(o, "allowed", allowed);
	json_object_set_boolean_member(o, "reload", row->reload);
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

JsonNode *control_config_describe(const Config *config, JsonArray *names,
				  char **ret_why)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *array = json_array_new();
	unsigned int n = names ? json_array_get_length(names) : 0;
	bool wanted[N_OPTIONS] = {false};

	json_node_take_array(node, array);
	for (unsigned int k = 0; k < n; k++) {
		const char *name = json_array_get_string_element(names, k);
		bool found = false;

		for (int i = 0; i < N_OPTIONS; i++)
			if (is_meant(option_table_get(i), name))
				found = wanted[i] = true;
		/* A section without keys is one all the same. */
		if (!found && !option_table_section_help(name)) {
			*ret_why = explain_unknown(name);
			json_node_unref(node);
			return NULL;
		}
	}
	for (int i = 0; i < N_OPTIONS; i++)
		if (!n || wanted[i])
			json_array_add_object_element(array,
						      describe(config, i));
	return node;
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
