// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/wall-alarm.h"

struct fixture {
	WallAlarm *alarm;
	unsigned int calls, steps;
	int64_t again_at_s;	/* 0: not again */
};

static void on_alarm(void *user, gboolean stepped)
{
	struct fixture *f = user;

	f->calls++;
	f->steps += stepped;
	if (f->again_at_s)
		wall_alarm_set(f->alarm, f->again_at_s);
}

static void test_the_past_is_now(void)
{
	struct fixture f = {0};

	f.alarm = wall_alarm_new(on_alarm, &f);
	g_assert_nonnull(f.alarm);
	wall_alarm_set(f.alarm, 1);
	while (!f.calls)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f.steps, ==, 0);
	/* Once: nothing is left to do. */
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(f.calls, ==, 1);
	/* From within. */
	f.again_at_s = 1;
	wall_alarm_set(f.alarm, 1);
	while (f.calls < 4)
		g_main_context_iteration(NULL, TRUE);
	f.alarm = wall_alarm_free(f.alarm);
}

static void test_the_future_waits(void)
{
	struct fixture f = {0};

	f.alarm = wall_alarm_new(on_alarm, &f);
	wall_alarm_set(f.alarm, g_get_real_time() / G_USEC_PER_SEC + 3600);
	while (g_main_context_iteration(NULL, FALSE))
		;
	wall_alarm_set(f.alarm, 0);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(f.calls, ==, 0);
	f.alarm = wall_alarm_free(f.alarm);
	g_assert_null(wall_alarm_free(NULL));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wall-alarm/past", test_the_past_is_now);
	g_test_add_func("/wall-alarm/future", test_the_future_waits);
	return g_test_run();
}
