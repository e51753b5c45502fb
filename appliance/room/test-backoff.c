// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/backoff.h"

#include "appliance/room/room-refusal.h"

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

static void test_kinds_of_waits(void)
{
	g_assert_cmpuint(room_wait_ms(ROOM_WAIT_QUICK, 0, 500, 30000, 0), ==,
			 250);
	g_assert_cmpuint(room_wait_ms(ROOM_WAIT_QUICK, 99, 500, 30000, 0), ==,
			 15000);
	g_assert_cmpuint(room_wait_ms(ROOM_WAIT_PATIENT, 0, 500, 30000, 0), ==,
			 2500);
	g_assert_cmpuint(room_wait_ms(ROOM_WAIT_PATIENT, 99, 500, 30000, 0),
			 ==, 30000);
	g_assert_cmpuint(room_wait_ms(ROOM_WAIT_SLOW, 0, 500, 30000, 0), ==,
			 15000);
	g_assert_cmpuint(room_wait_ms(ROOM_WAIT_SLOW, 99, 500, 30000, 0), ==,
			 300000);
	g_assert_cmpint(room_refusal_get("locked")->wait, ==, ROOM_WAIT_QUICK);
	g_assert_cmpint(room_refusal_get("roomfull")->wait, ==,
			ROOM_WAIT_PATIENT);
	g_assert_cmpint(room_refusal_get("expired")->wait, ==, ROOM_WAIT_SLOW);
	g_assert_cmpint(room_refusal_get("what?")->wait, ==, ROOM_WAIT_QUICK);
	g_assert_cmpint(room_refusal_api_wait(4006), ==, ROOM_WAIT_SLOW);
	g_assert_cmpint(room_refusal_api_wait(4020), ==, ROOM_WAIT_QUICK);
}

/* A thousand boxes lose one server at one moment, for so long. Return: the
 * most that come back within one second; @ret_last_ms: when the last is in. */
static guint herd(GRand *rand, gint64 outage_ms, gint64 *ret_last_ms)
{
	guint come[120] = {0}, most = 0;

	*ret_last_ms = 0;
	for (guint box = 0; box < 1000; box++) {
		gint64 at_ms = 0;

		for (guint i = 0; at_ms < outage_ms || !i; i++)
			at_ms += room_wait_ms(ROOM_WAIT_QUICK, i, 500, 30000,
					      g_rand_double(rand));
		come[MIN((at_ms - outage_ms) / 1000, 119)]++;
		*ret_last_ms = MAX(*ret_last_ms, at_ms - outage_ms);
	}
	for (guint i = 0; i < G_N_ELEMENTS(come); i++)
		most = MAX(most, come[i]);
	return most;
}

static void test_a_thousand_do_not_come_at_once(void)
{
	static const struct {
		gint64 outage_ms;
		guint most;
		gint64 last_ms;
	} rows[] = {
		{10000, 300, 16000},
		{60000, 100, 31000},
		{3600000, 100, 31000},
	};
	GRand *rand = g_rand_new_with_seed(1);

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		gint64 last;
		guint most = herd(rand, rows[i].outage_ms, &last);

		g_test_message("away for %d s: at most %u of 1000 within a "
			       "second, the last after %.1f s",
			       (int) (rows[i].outage_ms / 1000), most,
			       (double) last / 1000);
		g_assert_cmpuint(most, <=, rows[i].most);
		g_assert_cmpint(last, <=, rows[i].last_ms);
	}
	g_rand_free(rand);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/backoff/doubles", test_doubles_up_to_the_limit);
	g_test_add_func("/backoff/random", test_upper_half_is_random);
	g_test_add_func("/backoff/kinds", test_kinds_of_waits);
	g_test_add_func("/backoff/thousand",
			test_a_thousand_do_not_come_at_once);
	return g_test_run();
}
