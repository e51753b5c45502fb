// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/last-end.h"

#include <glib/gstdio.h>

static void test_words(void)
{
	static const char *const rows[][4] = {
		{"signal", "killed", "KILL", "signal KILL"},
		{"core-dump", "dumped", "SEGV", "signal SEGV"},
		{"watchdog", "killed", "ABRT", "the watchdog (signal ABRT)"},
		{"oom-kill", "killed", "KILL", "lack of memory"},
		{"exit-code", "exited", "3", "exit status 3"},
		{"success", "exited", "0", NULL},
		{"success", "killed", "TERM", NULL},
		{NULL, NULL, NULL, NULL},
		{"signal", "killed", "a\nb", NULL},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text =
			last_end_text(rows[i][0], rows[i][1], rows[i][2]);

		g_assert_cmpstr(text, ==, rows[i][3]);
	}
}

static void note(const char *dir, const char *result, const char *code,
		 const char *status)
{
	g_setenv("SERVICE_RESULT", result, TRUE);
	g_setenv("EXIT_CODE", code, TRUE);
	g_setenv("EXIT_STATUS", status, TRUE);
	g_assert_true(last_end_note(dir, NULL));
}

static void expect(const char *dir, const char *text)
{
	g_autofree char *is = last_end_take(dir);

	g_assert_cmpstr(is, ==, text);
}

static void test_noted_once(void)
{
	g_autofree char *dir = g_dir_make_tmp("last-end-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "last-end", NULL);

	expect(dir, NULL);
	note(dir, "signal", "killed", "KILL");
	expect(dir, "signal KILL");
	expect(dir, NULL);
	/* A good end is the last one. */
	note(dir, "signal", "killed", "KILL");
	note(dir, "success", "exited", "0");
	expect(dir, NULL);
	/* Whatever stands there. */
	g_assert_true(g_file_set_contents(path, "\033[31m", -1, NULL));
	expect(dir, NULL);
	g_assert_true(g_file_set_contents(path, "a\0b", 3, NULL));
	expect(dir, NULL);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/last-end/words", test_words);
	g_test_add_func("/last-end/once", test_noted_once);
	return g_test_run();
}
