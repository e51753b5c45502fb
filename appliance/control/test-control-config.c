// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-config.h"

#include <string.h>

static void test_describe(void)
{
	Config *config = config_new();
	g_autoptr(JsonArray) names = json_array_new();
	g_autoptr(JsonNode) all = NULL, some = NULL;
	g_autofree char *why = NULL;
	JsonArray *list;
	JsonObject *o;

	all = control_config_describe(config, NULL, &why);
	g_assert_cmpuint(json_array_get_length(json_node_get_array(all)), ==,
			 N_OPTIONS);

	g_assert_true(config_set(config, OPT_VIDEO_FPS, "12", "x.conf:3",
				 NULL));
	json_array_add_string_element(names, "video.fps");
	json_array_add_string_element(names, "log");
	some = control_config_describe(config, names, &why);
	list = json_node_get_array(some);
	/* of [log] its level */
	g_assert_cmpuint(json_array_get_length(list), ==, 2);
	o = json_array_get_object_element(list, 0);
	g_assert_cmpstr(json_object_get_string_member(o, "name"), ==,
			"video.fps");
	g_assert_cmpint(json_object_get_int_member(o, "value"), ==, 12);
	g_assert_cmpstr(json_object_get_string_member(o, "default"), ==, "30");
	g_assert_cmpstr(json_object_get_string_member(o, "origin"), ==,
			"x.conf:3");
	config_free(config);
}

static bool take(const char *json, struct set_file *file, GPtrArray *problems)
{
	g_autoptr(JsonNode) node = json_from_string(json, NULL);

	return control_config_take_values(json_node_get_object(node), file,
					  problems);
}

static void test_values(void)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct set_file file = {.values = {NULL}};

	g_assert_true(take("{\"video.fps\": 12, \"video.muted\": true, "
			   "\"video.bitrate\": \" 300k \"}",
			   &file, problems));
	g_assert_cmpstr(file.values[OPT_VIDEO_FPS], ==, "12");
	g_assert_cmpstr(file.values[OPT_VIDEO_MUTED], ==, "yes");
	g_assert_cmpstr(file.values[OPT_VIDEO_BITRATE], ==, "300000");
	/* All that is wrong, at once. */
	g_assert_false(take("{\"video.fsp\": 12, \"video.fps\": 1.5, "
			    "\"video.muted\": \"perhaps\", "
			    "\"room.name\": \"a\\nb\"}", &file, problems));
	g_assert_cmpuint(problems->len, ==, 4);
	g_assert_nonnull(strstr(problems->pdata[0], "'video.fps'"));
	set_file_clear(&file);
}

static void test_list_set(void)
{
	g_autoptr(Config) config = config_new();
	g_autoptr(JsonArray) none = control_config_list_set(config);
	g_autoptr(JsonArray) one = NULL;
	JsonObject *o;

	g_assert_cmpuint(json_array_get_length(none), ==, 0);
	g_assert_true(config_set(config, OPT_VIDEO_FPS, "12", "a:1", NULL));
	/* Set, and yet as by default. */
	g_assert_true(config_set(config, OPT_VIDEO_WIDTH, "1280", "a:2", NULL));
	one = control_config_list_set(config);
	g_assert_cmpuint(json_array_get_length(one), ==, 1);
	o = json_array_get_object_element(one, 0);
	g_assert_cmpint(json_object_get_int_member(o, "value"), ==, 12);
	g_assert_cmpint(json_object_get_int_member(o, "default"), ==, 30);
	g_assert_cmpstr(json_object_get_string_member(o, "origin"), ==, "a:1");
}

static void assert_unknown(const char *name, const char *words)
{
	Config *config = config_new();
	g_autoptr(JsonArray) names = json_array_new();
	g_autofree char *why = NULL;

	json_array_add_string_element(names, name);
	g_assert_null(control_config_describe(config, names, &why));
	if (!strstr(why, words))
		g_error("'%s' lacks '%s'", why, words);
	config_free(config);
}

static void test_unknown_names(void)
{
	assert_unknown("video.fsp", "\"video.fps\"");
	assert_unknown("vidoe", "\"video\"");
	assert_unknown("", "no option or section");
	assert_unknown("zzz.qqq", "no option or section");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-config/describe", test_describe);
	g_test_add_func("/control-config/unknown", test_unknown_names);
	g_test_add_func("/control-config/values", test_values);
	g_test_add_func("/control-config/list-set", test_list_set);
	return g_test_run();
}
