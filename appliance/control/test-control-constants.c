// SPDX-License-Identifier: Apache-2.0
/* The tables against the list of what SkylinkJS has. */
#include "appliance/control/control-constants.h"

#include <string.h>

#include "appliance/control/control-table.h"

static JsonNode *read_surface(void)
{
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "surface.json", NULL);
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	g_autoptr(GError) error = NULL;

	json_parser_load_from_file(parser, path, &error);
	g_assert_no_error(error);
	return json_node_ref(json_parser_get_root(parser));
}

static JsonObject *part(JsonNode *surface, const char *name)
{
	return json_object_get_object_member(json_node_get_object(surface),
					     name);
}

static void test_all_as_they_are(void)
{
	g_autoptr(JsonNode) surface = read_surface();
	JsonNode *want = json_object_get_member(json_node_get_object(surface),
						"constants");
	g_autofree char *why = NULL;
	g_autoptr(JsonNode) got = control_constants_describe(NULL, &why);

	g_assert_null(why);
	g_assert_cmpuint(json_object_get_size(json_node_get_object(got)), ==,
			 34);
	g_assert_true(json_node_equal(got, want));
}

static void test_by_name(void)
{
	g_autoptr(JsonNode) names =
		json_from_string("[\"SERVER_PEER_TYPE\",\"CHUNK_FILE_SIZE\","
				 "\"INTEROP_MULTI_TRANSFERS\"]",
				 NULL);
	g_autoptr(JsonNode) want = json_from_string(
		"{\"SERVER_PEER_TYPE\":{\"MCU\":\"mcu\"},"
		"\"CHUNK_FILE_SIZE\":49152,"
		"\"INTEROP_MULTI_TRANSFERS\":[\"Android\",\"iOS\"]}",
		NULL);
	g_autofree char *why = NULL;
	g_autoptr(JsonNode) got =
		control_constants_describe(json_node_get_array(names), &why);
	g_autoptr(JsonNode) unknown =
		json_from_string("[\"LOG_LEVELS\"]", NULL);

	g_assert_true(json_node_equal(got, want));
	g_assert_null(
		control_constants_describe(json_node_get_array(unknown), &why));
	g_assert_cmpstr(why, ==,
			"No constant is called \"LOG_LEVELS\". Did "
			"you mean \"LOG_LEVEL\"?");
}

/* Callbacks are what the answer is here. */
static void assert_params(const char *name, JsonArray *want,
			  const ControlParam *p)
{
	for (unsigned int i = 0; i < json_array_get_length(want); i++) {
		JsonObject *o = json_array_get_object_element(want, i);
		const char *param = json_object_get_string_member(o, "name");

		if (!strcmp(param, "callback"))
			continue;
		if (!p || !p->name)
			g_error("%s has no parameter %s", name, param);
		g_assert_cmpstr(p->name, ==, param);
		g_assert_cmpint(p->optional, ==,
				json_object_get_boolean_member_with_default(
					o, "optional", FALSE));
		p++;
	}
}

static void assert_methods(JsonObject *want)
{
	g_autoptr(GList) names = json_object_get_members(want);

	for (GList *l = names; l; l = l->next) {
		const ControlMethod *m =
			control_table_find(control_methods, l->data);

		if (!m)
			m = control_table_find(control_builtin_methods,
					       l->data);
		if (!m)
			g_error("There is no method %s", (char *) l->data);
		assert_params(l->data,
			      json_object_get_array_member(want, l->data),
			      m->params);
	}
}

static void test_methods(void)
{
	g_autoptr(JsonNode) surface = read_surface();

	g_assert_cmpuint(json_object_get_size(part(surface, "methods")), ==,
			 35);
	g_assert_cmpuint(json_object_get_size(part(surface, "SkylinkLogs")), ==,
			 3);
	assert_methods(part(surface, "methods"));
	assert_methods(part(surface, "SkylinkLogs"));
}

static char *join_names(JsonArray *params)
{
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; i < json_array_get_length(params); i++)
		g_string_append_printf(
			s, "%s%s", i ? ", " : "",
			json_object_get_string_member(
				json_array_get_object_element(params, i),
				"name"));
	return g_string_free(s, FALSE);
}

static void test_events(void)
{
	g_autoptr(JsonNode) surface = read_surface();
	JsonObject *events = part(surface, "events");
	g_autoptr(GList) names = json_object_get_members(events);
	unsigned int n = 0;

	for (GList *l = names; l; l = l->next, n++) {
		g_autofree char *want = join_names(
			json_object_get_array_member(events, l->data));
		const ControlEvent *e = control_events;

		while (e->name && strcmp(e->name, l->data))
			e++;
		if (!e->name)
			g_error("There is no event %s", (char *) l->data);
		g_assert_cmpstr(e->params, ==, want);
	}
	g_assert_cmpuint(n, ==, 36);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-constants/all", test_all_as_they_are);
	g_test_add_func("/control-constants/names", test_by_name);
	g_test_add_func("/control-constants/methods", test_methods);
	g_test_add_func("/control-constants/events", test_events);
	return g_test_run();
}
