// SPDX-License-Identifier: Apache-2.0
#include "drivers/sample-clock.h"

#include <glib.h>

static void test_the_oldest_sample(void)
{
	struct sample_clock c;
	uint64_t lost = 1;

	sample_clock_init(&c, 48000);
	/* 960 waited at 1.000 s; the first of them is 20 ms old. */
	g_assert_cmpuint(sample_clock_take(&c, 1000000, 960, 480, &lost), ==,
			 980000);
	g_assert_cmpuint(lost, ==, 0);
	g_assert_cmpuint(sample_clock_take(&c, 1000000, 480, 480, &lost), ==,
			 990000);
	g_assert_cmpuint(lost, ==, 0);
}

static void test_time_never_goes_back(void)
{
	struct sample_clock c;
	uint64_t lost, last = 0;

	sample_clock_init(&c, 48000);
	/* A stamp that jitters by 5 ms, and one sample a read. */
	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t jitter = i % 7 * 800;
		uint64_t t = sample_clock_take(
			&c, 2000000 + i * 21 + 5000 - jitter, 1, 1, &lost);

		g_assert_cmpuint(t, >=, last);
		g_assert_cmpuint(lost, ==, 0);
		last = t;
	}
	/* More waiting than time has passed since the machine started. */
	sample_clock_init(&c, 48000);
	g_assert_cmpuint(sample_clock_take(&c, 1000, 48000, 1, &lost), ==, 0);
}

static void test_an_overrun_is_counted_in_samples(void)
{
	struct sample_clock c;
	uint64_t lost;

	sample_clock_init(&c, 48000);
	/* Before the first samples there is nothing to lose. */
	sample_clock_restart(&c);
	sample_clock_take(&c, 1000000, 480, 480, &lost);
	g_assert_cmpuint(lost, ==, 0);

	sample_clock_restart(&c);
	/* Ended at 1.000 s; goes on at 1.500 s. */
	g_assert_cmpuint(sample_clock_take(&c, 1510000, 480, 480, &lost), ==,
			 1500000);
	g_assert_cmpuint(lost, ==, 24000);
	sample_clock_take(&c, 1520000, 480, 480, &lost);
	g_assert_cmpuint(lost, ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sample-clock/oldest", test_the_oldest_sample);
	g_test_add_func("/sample-clock/monotonic", test_time_never_goes_back);
	g_test_add_func("/sample-clock/overrun",
			test_an_overrun_is_counted_in_samples);
	return g_test_run();
}
