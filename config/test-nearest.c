// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.h"

#include <glib.h>
#include <string.h>

static void test_distance(void)
{
	g_assert_cmpuint(nearest_distance("", ""), ==, 0);
	g_assert_cmpuint(nearest_distance("", "abc"), ==, 3);
	g_assert_cmpuint(nearest_distance("width", "width"), ==, 0);
	g_assert_cmpuint(nearest_distance("widht", "width"), ==, 1);
	g_assert_cmpuint(nearest_distance("wdth", "width"), ==, 1);
	g_assert_cmpuint(nearest_distance("Width", "wIDTH"), ==, 0);
	g_assert_cmpuint(nearest_distance("kitten", "sitting"), ==, 3);
}

static void test_long_words_stay_in_bounds(void)
{
	char a[200], b[200];

	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	g_assert_cmpuint(nearest_distance(a, b), ==, NEAREST_MAX_BYTES);
}

static void test_suggests_only_what_is_near(void)
{
	static const char *const names[] = {"join", "leave", "mute", "unmute",
					    "status", NULL};

	g_assert_cmpstr(nearest_of("jion", names), ==, "join");
	g_assert_cmpstr(nearest_of("statsu", names), ==, "status");
	g_assert_cmpstr(nearest_of("stat", names), ==, "status");
	g_assert_cmpstr(nearest_of("umute", names), ==, "unmute");
	g_assert_null(nearest_of("frobnicate", names));
	g_assert_null(nearest_of("", names));
	g_assert_null(nearest_of("x", names));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nearest/distance", test_distance);
	g_test_add_func("/nearest/long", test_long_words_stay_in_bounds);
	g_test_add_func("/nearest/near", test_suggests_only_what_is_near);
	return g_test_run();
}
