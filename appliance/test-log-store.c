// SPDX-License-Identifier: Apache-2.0
#include "appliance/log-store.h"

#include <string.h>

static void assert_described(LogStore *store, enum log_store_level level,
			     const char *want)
{
	g_autoptr(JsonNode) node = log_store_describe(store, level);
	g_autofree char *got = json_to_string(node, FALSE);

	g_assert_cmpstr(got, ==, want);
}

static void test_levels(void)
{
	LogStore *store = log_store_new();

	log_store_add(store, 0, LOG_STORE_WARN, "not kept", NULL);
	assert_described(store, LOG_STORE_ALL, "[]");
	log_store_set_enabled(store, TRUE);
	log_store_add(store, 1500000, LOG_STORE_WARN, "one", NULL);
	log_store_add(store, 2000999, LOG_STORE_DEBUG, "two\n\033[1m",
		      "a.c:7 f");
	log_store_add(store, 3000000, LOG_STORE_WARN, "three", NULL);
	log_store_set_enabled(store, FALSE);
	log_store_add(store, 4000000, LOG_STORE_WARN, "not kept", NULL);
	assert_described(store, LOG_STORE_ALL,
			 "[[\"1970-01-01T00:00:01.500Z\",\"warn\",\"one\"],"
			 "[\"1970-01-01T00:00:02.000Z\",\"debug\",\"two  [1m\","
			 "{\"place\":\"a.c:7 f\"}],"
			 "[\"1970-01-01T00:00:03.000Z\",\"warn\",\"three\"]]");
	assert_described(
		store, LOG_STORE_DEBUG,
		"[[\"1970-01-01T00:00:02.000Z\",\"debug\",\"two  [1m\","
		"{\"place\":\"a.c:7 f\"}]]");
	log_store_clear(store, LOG_STORE_WARN);
	assert_described(store, LOG_STORE_WARN, "[]");
	assert_described(
		store, LOG_STORE_DEBUG,
		"[[\"1970-01-01T00:00:02.000Z\",\"debug\",\"two  [1m\","
		"{\"place\":\"a.c:7 f\"}]]");
	log_store_clear(store, LOG_STORE_ALL);
	assert_described(store, LOG_STORE_ALL, "[]");
	log_store_free(store);
}

static const char *text_of(JsonArray *lines, unsigned int i)
{
	return json_array_get_string_element(
		json_array_get_array_element(lines, i), 2);
}

static void test_the_oldest_goes(void)
{
	LogStore *store = log_store_new();
	g_autoptr(JsonNode) node = NULL;
	JsonArray *lines;

	log_store_set_enabled(store, TRUE);
	for (int i = 0; i < LOG_STORE_MAX + 10; i++) {
		g_autofree char *text = g_strdup_printf("%d", i);

		log_store_add(store, i, i % 2 ? LOG_STORE_INFO : LOG_STORE_LOG,
			      text, NULL);
	}
	node = log_store_describe(store, LOG_STORE_ALL);
	lines = json_node_get_array(node);
	g_assert_cmpuint(json_array_get_length(lines), ==, LOG_STORE_MAX);
	g_assert_cmpstr(text_of(lines, 0), ==, "10");
	g_assert_cmpstr(text_of(lines, LOG_STORE_MAX - 1), ==, "4105");

	/* Half of them go; what is added next comes behind the rest. */
	log_store_clear(store, LOG_STORE_INFO);
	log_store_add(store, 0, LOG_STORE_LOG, "new", NULL);
	g_clear_pointer(&node, json_node_unref);
	node = log_store_describe(store, LOG_STORE_ALL);
	lines = json_node_get_array(node);
	g_assert_cmpuint(json_array_get_length(lines), ==,
			 LOG_STORE_MAX / 2 + 1);
	g_assert_cmpstr(text_of(lines, 1), ==, "12");
	g_assert_cmpstr(text_of(lines, LOG_STORE_MAX / 2), ==, "new");
	log_store_free(store);
}

static void test_an_answer_fits_into_a_line(void)
{
	LogStore *store = log_store_new();
	g_autofree char *long_text = g_strnfill(5000, '"');
	g_autoptr(JsonNode) node = NULL;
	g_autofree char *text = NULL;

	log_store_set_enabled(store, TRUE);
	for (int i = 0; i < LOG_STORE_MAX; i++)
		log_store_add(store, i, LOG_STORE_LOG, long_text, NULL);
	log_store_add(store, 0, LOG_STORE_LOG, "last", NULL);
	node = log_store_describe(store, LOG_STORE_ALL);
	text = json_to_string(node, FALSE);
	g_assert_cmpuint(strlen(text), <, LOG_STORE_ANSWER_MAX_BYTES);
	g_assert_cmpuint(strlen(text), >, LOG_STORE_ANSWER_MAX_BYTES / 2);
	g_assert_true(g_str_has_suffix(text, "\"last\"]]"));
	log_store_free(store);
}

static void test_print(void)
{
	LogStore *store = log_store_new();
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	g_assert_nonnull(to);
	g_assert_cmpuint(log_store_print(store, to), ==, 0);
	log_store_set_enabled(store, TRUE);
	log_store_add(store, 0, LOG_STORE_ERROR, "one", "a.c:1 f");
	log_store_add(store, 0, LOG_STORE_LOG, "two", NULL);
	g_assert_cmpuint(log_store_print(store, to), ==, 2);
	fclose(to);
	g_assert_cmpstr(text, ==,
			"1970-01-01T00:00:00.000Z error: one @ a.c:1 f\n"
			"1970-01-01T00:00:00.000Z log: two\n");
	free(text);
	log_store_free(store);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log-store/levels", test_levels);
	g_test_add_func("/log-store/ring", test_the_oldest_goes);
	g_test_add_func("/log-store/answer", test_an_answer_fits_into_a_line);
	g_test_add_func("/log-store/print", test_print);
	return g_test_run();
}
