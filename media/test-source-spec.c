// SPDX-License-Identifier: Apache-2.0
#include "media/source-spec.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

static void test_kinds(void)
{
	g_autofree char *big = g_strnfill(SOURCE_SPEC_MAX_BYTES + 1, 'x');
	const char *path = "untouched";

	g_assert_false(source_spec_is("tests", "test", false, &path));
	g_assert_false(source_spec_is("tes", "test", false, &path));
	g_assert_false(source_spec_is("", "test", false, &path));
	g_assert_false(source_spec_is("test:", "test", false, &path));
	g_assert_false(source_spec_is("test:a", "test", false, &path));
	g_assert_false(source_spec_is("file", "file", true, &path));
	g_assert_false(source_spec_is("file:", "file", true, &path));
	memcpy(big, "file:", 5);
	g_assert_false(source_spec_is(big, "file", true, &path));
	g_assert_cmpstr(path, ==, "untouched");

	g_assert_true(source_spec_is("file:/a:b", "file", true, &path));
	g_assert_cmpstr(path, ==, "/a:b");
	g_assert_true(source_spec_is("test", "test", false, &path));
	g_assert_null(path);
}

static void test_sentence(void)
{
	char *text = source_sentence("%u of '%s'", 7, "a");

	g_assert_cmpstr(text, ==, "7 of 'a'");
	free(text);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source-spec/kinds", test_kinds);
	g_test_add_func("/source-spec/sentence", test_sentence);
	return g_test_run();
}
