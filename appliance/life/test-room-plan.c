// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/room-plan.h"

#define DAY_S  INT64_C(86400)
#define HOUR_S INT64_C(3600)
/* 2026-01-05, a Monday, 00:00 UTC */
#define MONDAY INT64_C(1767571200)

static const char *const work[] = {"Mon-Fri 08:00-18:00 = work", NULL};
static const char *const nothing[] = {NULL};

static void expect(struct room_plan *p, int64_t now_s, const char *room,
		   enum room_plan_source source, int64_t until_s)
{
	struct room_plan_state state;

	room_plan_get(p, now_s, &state);
	g_assert_cmpstr(state.room, ==, room);
	g_assert_cmpint(state.source, ==, source);
	g_assert_cmpint(state.until_s, ==, until_s);
}

static void test_without_a_schedule(void)
{
	struct room_plan p = {0};

	room_plan_configure(&p, nothing, "UTC", "lobby", MONDAY);
	expect(&p, MONDAY, "lobby", ROOM_PLAN_CONFIGURED, 0);
	room_plan_by_hand(&p, "hall", MONDAY);
	expect(&p, MONDAY + 999 * DAY_S, "hall", ROOM_PLAN_HAND, 0);
	room_plan_by_hand(&p, NULL, MONDAY);
	expect(&p, MONDAY + 999 * DAY_S, NULL, ROOM_PLAN_HAND, 0);
	room_plan_follow(&p);
	expect(&p, MONDAY, "lobby", ROOM_PLAN_CONFIGURED, 0);
	room_plan_configure(&p, nothing, "UTC", "", MONDAY);
	expect(&p, MONDAY, NULL, ROOM_PLAN_CONFIGURED, 0);
	room_plan_clear(&p);
}

static void test_a_hand_holds_until_the_next_change(void)
{
	struct room_plan p = {0};
	int64_t nine = MONDAY + 9 * HOUR_S, six = MONDAY + 18 * HOUR_S;
	int64_t tuesday = MONDAY + DAY_S + 8 * HOUR_S;

	room_plan_configure(&p, work, "UTC", "lobby", MONDAY);
	expect(&p, nine, "work", ROOM_PLAN_SCHEDULE, six);
	room_plan_by_hand(&p, NULL, nine);
	expect(&p, six - 1, NULL, ROOM_PLAN_HAND, six);
	expect(&p, six, "lobby", ROOM_PLAN_CONFIGURED, tuesday);
	room_plan_by_hand(&p, "hall", six);
	expect(&p, tuesday - 1, "hall", ROOM_PLAN_HAND, tuesday);
	expect(&p, tuesday, "work", ROOM_PLAN_SCHEDULE, tuesday + 10 * HOUR_S);
	room_plan_clear(&p);
}

/* At a boot without a battery, and by somebody who set the wrong year. */
static void test_the_clock_is_set(void)
{
	struct room_plan p = {0};
	int64_t nine = MONDAY + 9 * HOUR_S;

	room_plan_configure(&p, work, "UTC", "lobby", HOUR_S);
	expect(&p, HOUR_S, "lobby", ROOM_PLAN_CONFIGURED, 8 * HOUR_S);
	/* 1970-01-01 was a Thursday. */
	expect(&p, nine, "work", ROOM_PLAN_SCHEDULE, MONDAY + 18 * HOUR_S);
	/* A year ahead, touched there, and set right again: not obeyed for a
	 * year. */
	room_plan_by_hand(&p, "hall", nine + 364 * DAY_S);
	expect(&p, nine, "hall", ROOM_PLAN_HAND, MONDAY + 18 * HOUR_S);
	expect(&p, MONDAY + 18 * HOUR_S, "lobby", ROOM_PLAN_CONFIGURED,
	       MONDAY + DAY_S + 8 * HOUR_S);
	room_plan_clear(&p);
}

static void test_it_is_configured_anew(void)
{
	static const char *const noon[] = {"daily 12:00-13:00 = lunch", NULL};
	struct room_plan p = {0};
	int64_t nine = MONDAY + 9 * HOUR_S;

	room_plan_configure(&p, work, "UTC", "lobby", nine);
	room_plan_by_hand(&p, "hall", nine);
	room_plan_configure(&p, noon, "UTC", "lobby", nine);
	expect(&p, nine, "hall", ROOM_PLAN_HAND, MONDAY + 12 * HOUR_S);
	expect(&p, MONDAY + 12 * HOUR_S, "lunch", ROOM_PLAN_SCHEDULE,
	       MONDAY + 13 * HOUR_S);
	/* Without a schedule a hand holds for ever. */
	room_plan_by_hand(&p, "hall", nine);
	room_plan_configure(&p, nothing, "UTC", "lobby", nine);
	expect(&p, nine + 99 * DAY_S, "hall", ROOM_PLAN_HAND, 0);
	room_plan_clear(&p);
}

/* A year, from change to change, and once a week somebody leaves by hand: each
 * time it is obeyed until the next change and no longer. */
static void test_a_year(void)
{
	struct room_plan p = {0};
	struct room_plan_state state;
	int64_t now = MONDAY, left_s = 0, joined_s = 0;
	unsigned int changes = 0, by_hand = 0;

	room_plan_configure(&p, work, "UTC", "", MONDAY);
	while (now < MONDAY + 364 * DAY_S) {
		int64_t until;

		room_plan_get(&p, now, &state);
		until = state.until_s;
		g_assert_cmpint(until, >, now);
		g_assert_cmpint(state.source, !=, ROOM_PLAN_HAND);
		if (state.room && changes % 10 == 5) {
			/* half past the hour of its beginning */
			room_plan_by_hand(&p, NULL, now + HOUR_S / 2);
			joined_s += HOUR_S / 2;
			left_s += until - now - HOUR_S / 2;
			by_hand++;
		} else if (state.room) {
			joined_s += until - now;
		}
		now = until;
		changes++;
	}
	g_assert_cmpuint(changes, ==, 1 + 52 * 10);
	g_assert_cmpuint(by_hand, ==, 52);
	g_assert_cmpint(joined_s + left_s, ==, 52 * 50 * HOUR_S);
	room_plan_clear(&p);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-plan/plain", test_without_a_schedule);
	g_test_add_func("/room-plan/hand",
			test_a_hand_holds_until_the_next_change);
	g_test_add_func("/room-plan/clock-set", test_the_clock_is_set);
	g_test_add_func("/room-plan/configured", test_it_is_configured_anew);
	g_test_add_func("/room-plan/year", test_a_year);
	return g_test_run();
}
