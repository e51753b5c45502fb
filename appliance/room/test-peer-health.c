// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-health.h"

#define S G_USEC_PER_SEC

/* The seconds at which advice is given, as "R10 R30 G60 ", until @end. */
static char *advice_until(struct peer_health *h, gint64 from, gint64 end)
{
	GString *s = g_string_new(NULL);

	for (gint64 now = from; now <= end; now += S / 10) {
		switch (peer_health_tick(h, now)) {
		case PEER_HEALTH_WAIT:
			break;
		case PEER_HEALTH_RESTART:
			g_string_append_printf(s, "R%d ", (int) (now / S));
			break;
		case PEER_HEALTH_GIVE_UP:
			g_string_append_printf(s, "G%d ", (int) (now / S));
			break;
		}
	}
	return g_string_free(s, FALSE);
}

static void test_never_up(void)
{
	struct peer_health h;
	g_autofree char *silent = NULL, *failed = NULL;

	peer_health_init(&h, 0, 1, 0);
	silent = advice_until(&h, 0, 1000 * S);
	/* 10 s, then 10 s more each time; nobody said it failed: it stays */
	g_assert_cmpstr(silent, ==, "R10 R30 R60 ");
	peer_health_down(&h, 2000 * S);
	failed = advice_until(&h, 2000 * S, 2001 * S);
	g_assert_cmpstr(failed, ==, "G2000 ");
}

static void test_failed_while_connecting(void)
{
	struct peer_health h;
	g_autofree char *early = NULL, *late = NULL;

	peer_health_init(&h, 0, 1, 0);
	peer_health_down(&h, 5 * S);
	early = advice_until(&h, 5 * S, 59 * S);
	g_assert_cmpstr(early, ==, "R10 R30 ");
	late = advice_until(&h, 59 * S, 80 * S);
	g_assert_cmpstr(late, ==, "R60 ");
	peer_health_down(&h, 81 * S);
	g_assert_cmpint(peer_health_tick(&h, 81 * S), ==, PEER_HEALTH_GIVE_UP);
}

static void test_lost(void)
{
	struct peer_health h;
	g_autofree char *first = NULL, *none = NULL, *second = NULL;

	peer_health_init(&h, 0, 1, 0);
	peer_health_up(&h);
	none = advice_until(&h, 0, 100 * S);
	g_assert_cmpstr(none, ==, "");
	peer_health_down(&h, 100 * S);
	first = advice_until(&h, 100 * S, 113 * S);
	g_assert_cmpstr(first, ==, "R100 R104 R112 ");
	/* it came back, and all begins anew */
	peer_health_up(&h);
	peer_health_down(&h, 200 * S);
	peer_health_down(&h, 205 * S);
	second = advice_until(&h, 200 * S, 300 * S);
	g_assert_cmpstr(second, ==, "R200 R204 R212 G218 ");
}

/* A box that stood still for long gives its peers the chances of any. */
static void test_stood_still(void)
{
	struct peer_health h;
	g_autofree char *text = NULL;

	peer_health_init(&h, 0, 1, 0);
	peer_health_up(&h);
	peer_health_down(&h, 100 * S);
	text = advice_until(&h, 1100 * S, 1200 * S);
	g_assert_cmpstr(text, ==, "R1100 R1104 R1112 G1118 ");
}

static void test_postponed(void)
{
	struct peer_health h;
	g_autofree char *text = NULL;

	peer_health_init(&h, 100, 5, 0);
	g_assert_cmpint(peer_health_tick(&h, S / 2), ==, PEER_HEALTH_RESTART);
	peer_health_postpone(&h, S / 2);
	g_assert_cmpuint(h.restarts, ==, 0);
	text = advice_until(&h, S / 2, 2 * S);
	g_assert_cmpstr(text, ==, "R1 R1 ");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/peer-health/never-up", test_never_up);
	g_test_add_func("/peer-health/failed-while-connecting",
			test_failed_while_connecting);
	g_test_add_func("/peer-health/lost", test_lost);
	g_test_add_func("/peer-health/stood-still", test_stood_still);
	g_test_add_func("/peer-health/postponed", test_postponed);
	return g_test_run();
}
