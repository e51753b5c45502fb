// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-table.h"

#include <string.h>

static void check_params(const ControlParam *p)
{
	bool optional = false;

	for (; p && p->name; p++) {
		g_assert_nonnull(p->help);
		g_assert_true(g_str_has_suffix(p->help, "."));
		/* By position, nothing needed can follow what may miss. */
		g_assert_false(optional && !p->optional);
		optional |= p->optional;
		if (p->type == CONTROL_INT)
			g_assert_cmpint(p->min, <, p->max);
		check_params(p->fields);
	}
}

static void test_rows_are_whole(void)
{
	const ControlMethod *const tables[] = {control_methods,
					       control_builtin_methods};

	for (unsigned int i = 0; i < 2; i++)
		for (const ControlMethod *m = tables[i]; m->name; m++) {
			g_assert_cmpint(m->role, >, CONTROL_ROLE_NONE);
			g_assert_nonnull(m->result);
			g_assert_true(g_str_has_suffix(m->help, "."));
			g_assert_true(control_table_find(tables[i], m->name) ==
				      m);
			g_assert_null(control_table_find(tables[1 - i],
							 m->name));
			check_params(m->params);
		}
	for (const ControlEvent *e = control_events; e->name; e++) {
		g_assert_nonnull(e->params);
		g_assert_true(g_str_has_suffix(e->help, "."));
		for (const ControlEvent *o = control_events; o < e; o++)
			g_assert_cmpstr(o->name, !=, e->name);
	}
}

static char *check(const char *method, const char *params)
{
	const ControlMethod *m = control_table_find(control_methods, method);
	g_autoptr(JsonNode) node = params ? json_from_string(params, NULL)
					  : NULL;
	char *why = NULL;
	JsonObject *o = control_table_check(m, node, &why);
	g_autoptr(JsonNode) result = NULL;

	if (!o) {
		g_assert_nonnull(why);
		return why;
	}
	g_assert_null(why);
	result = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(result, o);
	return json_to_string(result, FALSE);
}

static void assert_check(const char *method, const char *params,
			 const char *want)
{
	g_autofree char *got = check(method, params);

	g_assert_cmpstr(got, ==, want);
}

static void test_arguments(void)
{
	assert_check("joinRoom", NULL, "{}");
	assert_check("joinRoom", "{}", "{}");
	assert_check("joinRoom", "[\"x\"]", "{\"room\":\"x\"}");
	assert_check("joinRoom", "[null,{\"userData\":null}]",
		     "{\"options\":{\"userData\":null}}");
	assert_check("config.get", "{\"names\":\"video\"}",
		     "{\"names\":[\"video\"]}");
	assert_check("muteStream", "{\"options\":{\"audioMuted\":true}}",
		     "{\"options\":{\"audioMuted\":true}}");

	assert_check("muteStream", NULL,
		     "Parameter \"options\" is missing; it must be an object");
	assert_check("muteStream", "{\"options\":{\"audioMuted\":\"yes\"}}",
		     "Parameter \"options.audioMuted\" is \"yes\"; it must be "
		     "true or false");
	assert_check("muteStream", "{\"options\":{\"audoMuted\":true}}",
		     "There is no parameter \"options.audoMuted\". Did you "
		     "mean \"options.audioMuted\"?");
	assert_check("lockRoom", "[1]",
		     "1 parameters are given; there are at most 0");
	assert_check("joinRoom", "{\"room\":[]}",
		     "Parameter \"room\" is an array; it must be a string of "
		     "at most 256 bytes");
}

static void test_other_forms(void)
{
	assert_check("init", "[\"key\"]", "{\"options\":\"key\"}");
	assert_check("init", "{\"options\":{\"appKey\":\"key\"}}",
		     "{\"options\":{\"appKey\":\"key\"}}");
	assert_check("leaveRoom", "[false]", "{\"stopMediaOptions\":false}");
	assert_check("joinRoom", "{\"options\":{\"audio\":true,\"video\":"
				 "{\"frameRate\":30}}}",
		     "{\"options\":{\"audio\":true,\"video\":"
		     "{\"frameRate\":30}}}");
	assert_check("init",
		     "{\"options\":{\"credentials\":{\"startDateTime\":"
		     "\"2026-01-01T00:00:00Z\",\"duration\":0.5}}}",
		     "{\"options\":{\"credentials\":{\"startDateTime\":"
		     "\"2026-01-01T00:00:00Z\",\"duration\":0.5}}}");
	assert_check("sendMessage", "[\"hi\",\"x\"]",
		     "{\"message\":\"hi\",\"targetPeerId\":[\"x\"]}");

	assert_check("leaveRoom", "[\"x\"]",
		     "Parameter \"stopMediaOptions\" is \"x\"; it must be "
		     "true, false or an object");
	assert_check("init", "[true]",
		     "Parameter \"options\" is true; it must be a string or an "
		     "object");
	assert_check("init",
		     "{\"options\":{\"credentials\":{\"startDateTime\":"
		     "\"x\",\"duration\":-1}}}",
		     "Parameter \"options.credentials.duration\" is -1; it "
		     "must be a number from 0 to 8784");
}

static void test_long_text_is_cut_between_characters(void)
{
	GString *s = g_string_new("{\"");
	g_autofree char *why = NULL;

	for (int i = 0; i < 100; i++)
		g_string_append(s, "\xe2\x82\xac");
	g_string_append(s, "\":1}");
	why = check("joinRoom", s->str);
	g_assert_true(g_utf8_validate(why, -1, NULL));
	g_assert_cmpuint(strlen(why), <, 120);
	g_string_free(s, TRUE);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-table/rows", test_rows_are_whole);
	g_test_add_func("/control-table/arguments", test_arguments);
	g_test_add_func("/control-table/forms", test_other_forms);
	g_test_add_func("/control-table/cut",
			test_long_text_is_cut_between_characters);
	return g_test_run();
}
