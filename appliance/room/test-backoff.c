// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/backoff.h"

static void test_doubles_up_to_the_limit(void)
{
	g_assert_cmpuint(backoff_ms(0, 500, 30000, 0), ==, 250);
	g_assert_cmpuint(backoff_ms(1, 500, 30000, 0), ==, 500);
	g_assert_cmpuint(backoff_ms(5, 500, 30000, 0), ==, 8000);
	g_assert_cmpuint(backoff_ms(6, 500, 30000, 0), ==, 15000);
	g_assert_cmpuint(backoff_ms(7, 500, 30000, 0), ==, 15000);
	g_assert_cmpuint(backoff_ms(G_MAXUINT, 500, 30000, 0), ==, 15000);
}

static void test_upper_half_is_random(void)
{
	g_assert_cmpuint(backoff_ms(0, 500, 30000, 0.5), ==, 375);
	g_assert_cmpuint(backoff_ms(0, 500, 30000, 0.999999), <, 500);
	g_assert_cmpuint(backoff_ms(9, 500, 30000, 0.999999), <, 30000);
	g_assert_cmpuint(backoff_ms(9, 500, 30000, 0.5), ==, 22500);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/backoff/doubles", test_doubles_up_to_the_limit);
	g_test_add_func("/backoff/random", test_upper_half_is_random);
	return g_test_run();
}
