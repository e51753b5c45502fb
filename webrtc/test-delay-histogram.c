// SPDX-License-Identifier: Apache-2.0
#include "webrtc/delay-histogram.h"

#include <glib.h>

static void test_empty(void)
{
	struct delay_histogram h = {0};

	g_assert_cmpuint(delay_histogram_get(&h, 0.5), ==, 0);
}

/* Whatever the value, what comes out is it, or up to an eighth more. */
static void test_resolution(void)
{
	for (uint64_t us = 64; us < 60000000; us = us * 21 / 20 + 1) {
		struct delay_histogram h = {0};
		uint32_t got;

		delay_histogram_add(&h, us);
		got = delay_histogram_get(&h, 0.95);
		g_assert_cmpuint(got, >, us);
		g_assert_cmpuint(got, <=, us + us / 8 + 1);
	}
}

static void test_ends(void)
{
	struct delay_histogram h = {0};

	delay_histogram_add(&h, 0);
	g_assert_cmpuint(delay_histogram_get(&h, 1), ==, 72);
	delay_histogram_add(&h, UINT64_MAX);
	g_assert_cmpuint(delay_histogram_get(&h, 1), ==, 1u << 26);
}

static void test_quantiles(void)
{
	struct delay_histogram h = {0};

	for (unsigned int i = 0; i < 100; i++)
		delay_histogram_add(&h, i < 90 ? 1000 : 8000);
	g_assert_cmpuint(delay_histogram_get(&h, 0.5), <=, 1125);
	g_assert_cmpuint(delay_histogram_get(&h, 0.9), <=, 1125);
	g_assert_cmpuint(delay_histogram_get(&h, 0.91), >=, 8000);
}

/* After a long time only what was lately counts. */
static void test_fading(void)
{
	struct delay_histogram h = {0};

	for (unsigned int i = 0; i < 1000000; i++)
		delay_histogram_add(&h, 100000);
	g_assert_cmpuint(h.n, <=, DELAY_HISTOGRAM_KEEP);
	for (unsigned int i = 0; i < 10 * DELAY_HISTOGRAM_KEEP; i++)
		delay_histogram_add(&h, 1000);
	g_assert_cmpuint(delay_histogram_get(&h, 0.95), <=, 1125);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/delay-histogram/empty", test_empty);
	g_test_add_func("/delay-histogram/resolution", test_resolution);
	g_test_add_func("/delay-histogram/ends", test_ends);
	g_test_add_func("/delay-histogram/quantiles", test_quantiles);
	g_test_add_func("/delay-histogram/fading", test_fading);
	return g_test_run();
}
