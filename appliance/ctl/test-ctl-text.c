// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-text.h"

#include <locale.h>

#define ASSERT_TEXT(call, want) \
	do { \
		g_autofree char *got = call; \
		g_assert_cmpstr(got, ==, want); \
	} while (0)

static void test_numbers(void)
{
	ASSERT_TEXT(ctl_text_rate(0), "0 b/s");
	ASSERT_TEXT(ctl_text_rate(999), "999 b/s");
	ASSERT_TEXT(ctl_text_rate(2500000), "2.50 Mb/s");
	ASSERT_TEXT(ctl_text_rate(12345678), "12.3 Mb/s");
	ASSERT_TEXT(ctl_text_rate(200000), "200 kb/s");
	ASSERT_TEXT(ctl_text_rate(999960), "1.00 Mb/s");
	ASSERT_TEXT(ctl_text_size(0), "0 B");
	ASSERT_TEXT(ctl_text_size(65457), "65.5 kB");
	ASSERT_TEXT(ctl_text_size(200e6), "200 MB");
	ASSERT_TEXT(ctl_text_count(7), "7");
	ASSERT_TEXT(ctl_text_count(12345), "12.3 k");
	ASSERT_TEXT(ctl_text_count(1e12), "1000 G");
	ASSERT_TEXT(ctl_text_memory(48 * 1024), "48 MB");
	ASSERT_TEXT(ctl_text_duration(-1), "0 s");
	ASSERT_TEXT(ctl_text_duration(59.9), "59 s");
	ASSERT_TEXT(ctl_text_duration(192), "3 min 12 s");
	ASSERT_TEXT(ctl_text_duration(7260), "2 h 1 min");
	ASSERT_TEXT(ctl_text_duration(200000), "2 d 7 h");
}

/* A peer's name must not move the cursor, nor turn the line around. */
static void test_safe(void)
{
	ASSERT_TEXT(ctl_text_safe("caf\xc3\xa9 \xe2\x82\xac"),
		    "caf\xc3\xa9 \xe2\x82\xac");
	ASSERT_TEXT(ctl_text_safe("a\033[2J\nb\x7f"), "a?[2J?b?");
	ASSERT_TEXT(ctl_text_safe("a\xc2\x9b" "b\xe2\x80\xae" "c"), "a?b?c");
	ASSERT_TEXT(ctl_text_safe("a\xff"), "a\xef\xbf\xbd");
}

static void test_columns(void)
{
	struct ctl_columns *t = ctl_columns_new(3);
	GString *s = g_string_new(NULL);

	ctl_columns_take(t, CTL_BOLD, false, g_strdup("NAME"));
	ctl_columns_take(t, CTL_PLAIN, true, g_strdup("N"));
	ctl_columns_take(t, CTL_PLAIN, false, g_strdup("END"));
	/* Two wide characters: two columns each. */
	ctl_columns_take(t, CTL_PLAIN, false,
			 g_strdup("\xe6\x97\xa5\xe6\x9c\xac" "x"));
	ctl_columns_take(t, CTL_PLAIN, true, g_strdup("100"));
	ctl_columns_take(t, CTL_PLAIN, false, g_strdup(""));
	ctl_columns_print(t, s, "> ", false);
	g_assert_cmpstr(s->str, ==, "> NAME     N  END\n"
				    "> \xe6\x97\xa5\xe6\x9c\xac" "x  100  \n");
	g_string_truncate(s, 0);
	ctl_columns_print(t, s, "", true);
	g_assert_true(g_str_has_prefix(s->str, "\033[1mNAME\033[0m   "));
	g_string_free(s, TRUE);
	ctl_columns_free(t);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-text/numbers", test_numbers);
	g_test_add_func("/ctl-text/safe", test_safe);
	g_test_add_func("/ctl-text/columns", test_columns);
	return g_test_run();
}
