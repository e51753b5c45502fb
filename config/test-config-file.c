// SPDX-License-Identifier: Apache-2.0
#include "config/config-file.h"

#include <string.h>

struct result {
	GArray *entries;
	GPtrArray *problems;
	bool ok;
};

static struct result parse(const char *text)
{
	struct result r = {
		.entries = config_file_entries_new(),
		.problems = g_ptr_array_new_with_free_func(g_free),
	};

	r.ok = config_file_parse("t.conf", text, strlen(text), r.entries,
				 r.problems);
	return r;
}

static void result_clear(struct result *r)
{
	g_array_unref(r->entries);
	g_ptr_array_unref(r->problems);
}

static void assert_problem(const struct result *r, unsigned int i,
			   const char *start, const char *words)
{
	g_auto(GStrv) list = g_strsplit(words, ";", -1);
	const char *text;

	g_assert_cmpuint(i, <, r->problems->len);
	text = g_ptr_array_index(r->problems, i);
	if (!g_str_has_prefix(text, start))
		g_error("'%s' does not start with '%s'", text, start);
	for (unsigned int k = 0; list[k]; k++)
		if (!strstr(text, list[k]))
			g_error("'%s' lacks '%s'", text, list[k]);
}

static void test_good_file(void)
{
	struct result r = parse("# comment\r\n\n [room] \nname = a # b = c\n"
				"\t# another\n[video]\nfps=15\n[room]\n"
				"app_key =   key   ");
	struct config_entry *e = &g_array_index(r.entries, struct config_entry,
						0);

	g_assert_true(r.ok);
	g_assert_cmpuint(r.entries->len, ==, 3);
	g_assert_cmpint(e[0].id, ==, OPT_ROOM_NAME);
	g_assert_cmpuint(e[0].line, ==, 4);
	/* A '#' within a line is no comment, the first '=' divides. */
	g_assert_cmpstr(e[0].value.text, ==, "a # b = c");
	g_assert_cmpint(e[1].value.number, ==, 15);
	g_assert_cmpstr(e[2].value.text, ==, "key");
	result_clear(&r);
}

static void test_all_problems_are_told(void)
{
	struct result r = parse("name = x\n"
				"[vidoe]\n"
				"width = 1\n"
				"[video]\n"
				"widht = 1280\n"
				"fps = 200\n"
				"width = 640\n"
				"width = 320\n"
				"; old comment\n"
				"height\n"
				"[audio\n"
				"[room]\n"
				"secret = hunter2\n"
				"listen = x\n");

	g_assert_false(r.ok);
	g_assert_cmpuint(r.problems->len, ==, 10);
	assert_problem(&r, 0, "t.conf:1: ", "name;before the first");
	assert_problem(&r, 1, "t.conf:2: ", "Did you mean [video];[roomserver]");
	assert_problem(&r, 2, "t.conf:5: ", "Did you mean 'width';bitrate");
	assert_problem(&r, 3, "t.conf:6: ", "video.fps;'200';1 to 60");
	assert_problem(&r, 4, "t.conf:8: ", "second time;line 7");
	assert_problem(&r, 5, "t.conf:9: ", "starts with '#'");
	assert_problem(&r, 6, "t.conf:10: ", "key = value");
	assert_problem(&r, 7, "t.conf:11: ", "[name]");
	assert_problem(&r, 8, "t.conf:13: ", "0600;secret_file");
	assert_problem(&r, 9, "t.conf:14: ", "'listen' in [roomserver]");
	/* The secret itself is not repeated. */
	g_assert_null(strstr(g_ptr_array_index(r.problems, 8), "hunter2"));
	/* What was good is there all the same: width = 640. */
	g_assert_cmpuint(r.entries->len, ==, 1);
	result_clear(&r);
}

static void test_limits(void)
{
	g_autofree char *big = g_malloc(CONFIG_FILE_MAX_BYTES + 1);
	GString *many = g_string_new("[video]\n");
	GArray *entries = config_file_entries_new();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct result r;

	memset(big, '\n', CONFIG_FILE_MAX_BYTES + 1);
	g_assert_true(config_file_parse("b", big, CONFIG_FILE_MAX_BYTES,
					entries, problems));
	g_assert_false(config_file_parse("b", big, CONFIG_FILE_MAX_BYTES + 1,
					 entries, problems));
	g_array_unref(entries);

	for (int i = 0; i < 1000; i++)
		g_string_append(many, "zzz = 1\n");
	r = parse(many->str);
	g_assert_cmpuint(r.problems->len, ==, CONFIG_FILE_MAX_PROBLEMS + 1);
	result_clear(&r);

	g_string_assign(many, "[room]\nname = ");
	for (int i = 0; i < 5000; i++)
		g_string_append_c(many, 'x');
	r = parse(many->str);
	assert_problem(&r, 0, "t.conf:2: ", "longer than");
	result_clear(&r);
	g_string_free(many, TRUE);
}

static void test_messages_are_fit_for_a_terminal(void)
{
	struct result r = parse("[room]\nna\033[2Jme = x\n[\033]\nn\xff = 1\n");

	g_assert_cmpuint(r.problems->len, ==, 3);
	for (unsigned int i = 0; i < r.problems->len; i++) {
		const char *text = g_ptr_array_index(r.problems, i);

		g_assert_null(strchr(text, '\033'));
		g_assert_true(g_utf8_validate(text, -1, NULL));
	}
	result_clear(&r);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config-file/good", test_good_file);
	g_test_add_func("/config-file/problems", test_all_problems_are_told);
	g_test_add_func("/config-file/limits", test_limits);
	g_test_add_func("/config-file/terminal",
			test_messages_are_fit_for_a_terminal);
	return g_test_run();
}
