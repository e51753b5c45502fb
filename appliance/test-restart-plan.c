// SPDX-License-Identifier: Apache-2.0
#include "appliance/restart-plan.h"

#include <glib.h>

#define S INT64_C(1000000)

static void test_words(void)
{
	g_assert_cmpint(restart_when_from_text("idle"), ==, RESTART_WHEN_IDLE);
	g_assert_cmpint(restart_when_from_text("now"), ==, RESTART_WHEN_NOW);
	g_assert_cmpint(restart_when_from_text("never"), ==,
			RESTART_WHEN_NEVER);
	g_assert_cmpint(restart_when_from_text("soon"), ==, -1);
	g_assert_cmpint(restart_when_from_text(""), ==, -1);
}

static void test_nobody_is_there(void)
{
	struct restart_plan p = {0};

	g_assert_cmpint(restart_plan_tick(&p, false, 100 * S), ==,
			RESTART_NONE);
	g_assert_cmpint(restart_plan_ask(&p, RESTART_WHEN_IDLE, false,
					 100 * S), ==, RESTART_NOW);
}

static void test_a_call_is_waited_for(void)
{
	struct restart_plan p = {0};
	int64_t t = 100 * S;

	g_assert_cmpint(restart_plan_ask(&p, RESTART_WHEN_IDLE, true, t), ==,
			RESTART_WAITING);
	for (int i = 0; i < 100000; i++)
		g_assert_cmpint(restart_plan_tick(&p, true, t += S), ==,
				RESTART_WAITING);
	/* Asked again, it still waits since the first time. */
	g_assert_cmpint(restart_plan_ask(&p, RESTART_WHEN_IDLE, true, t), ==,
			RESTART_WAITING);
	g_assert_cmpint(p.asked_us, ==, 100 * S);
	/* A page that is loaded anew does not count. */
	g_assert_cmpint(restart_plan_tick(&p, false, t += S), ==,
			RESTART_WAITING);
	g_assert_cmpint(restart_plan_tick(&p, false, t += 4 * S), ==,
			RESTART_WAITING);
	g_assert_cmpint(restart_plan_tick(&p, true, t += S), ==,
			RESTART_WAITING);
	g_assert_cmpint(restart_plan_tick(&p, false, t += S), ==,
			RESTART_WAITING);
	g_assert_cmpint(restart_plan_tick(&p, false, t += 5 * S), ==,
			RESTART_NOW);
}

static void test_other_wishes(void)
{
	struct restart_plan p = {0};

	restart_plan_ask(&p, RESTART_WHEN_IDLE, true, 1 * S);
	g_assert_cmpint(restart_plan_ask(&p, RESTART_WHEN_NEVER, true, 2 * S),
			==, RESTART_NONE);
	g_assert_cmpint(restart_plan_tick(&p, false, 60 * S), ==,
			RESTART_NONE);
	restart_plan_ask(&p, RESTART_WHEN_IDLE, true, 61 * S);
	g_assert_cmpint(restart_plan_ask(&p, RESTART_WHEN_NOW, true, 62 * S),
			==, RESTART_NOW);
	/* It has begun. */
	g_assert_cmpint(restart_plan_ask(&p, RESTART_WHEN_NEVER, true, 63 * S),
			==, RESTART_NOW);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/restart-plan/words", test_words);
	g_test_add_func("/restart-plan/nobody", test_nobody_is_there);
	g_test_add_func("/restart-plan/call", test_a_call_is_waited_for);
	g_test_add_func("/restart-plan/wishes", test_other_wishes);
	return g_test_run();
}
