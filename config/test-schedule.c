// SPDX-License-Identifier: Apache-2.0
#include "config/schedule.h"

#include <string.h>

#define HOUR_S 3600

static struct schedule *make(const char *const *lines)
{
	struct schedule *s = g_new0(struct schedule, 1);

	for (; *lines; lines++) {
		g_autofree char *why = NULL;

		if (!schedule_add(s, *lines, &why))
			g_error("%s", why);
	}
	return s;
}

static void drop(struct schedule *s)
{
	schedule_clear(s);
	g_free(s);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The zone must be known to the machine; else there is nothing to see. */
static GTimeZone *zone_or_skip(const char *name)
{
	GTimeZone *zone = schedule_zone_new(name);

	if (!zone)
		g_test_skip("no time zones here (package tzdata)");
	return zone;
}

/* "2026-03-29T01:00:00Z" */
static int64_t at(const char *iso)
{
	g_autoptr(GDateTime) t = g_date_time_new_from_iso8601(iso, NULL);

	g_assert_nonnull(t);
	return g_date_time_to_unix(t);
}

static void expect(const struct schedule *s, GTimeZone *zone, const char *now,
		   const char *room, const char *until, const char *next)
{
	struct schedule_state state;

	schedule_get(s, zone, at(now), &state);
	g_assert_cmpstr(state.room, ==, room);
	g_assert_cmpint(state.until_s, ==, until ? at(until) : 0);
	g_assert_cmpstr(state.next_room, ==, next);
}

/* --- reading --------------------------------------------------------------- */
static void test_lines(void)
{
	static const char *const lines[][2] = {
		{"Mon-Fri 08:00-18:00 = lobby", NULL},
		{"daily 00:00-24:00 = a room", NULL},
		{"Mon-Sun 00:00-24:00 =x", "daily 00:00-24:00 = x"},
		{"fri-MON  22:00-02:00=x ", "Mon,Fri-Sun 22:00-02:00 = x"},
		{"Sat, Sun\t00:01-00:00 = x", "Sat-Sun 00:01-24:00 = x"},
		{"Wed 23:59-00:01 = a=b", NULL},
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct schedule *s = make(LINES(lines[i][0]));
		g_autofree char *text = schedule_entry_print(&s->entries[0]);

		g_assert_cmpstr(text, ==, lines[i][1] ? lines[i][1]
						      : lines[i][0]);
		drop(s);
	}
}

static void test_what_is_wrong_is_said(void)
{
	static const char *const bad[][2] = {
		{"", "names no days"},
		{"Mo 08:00-09:00 = x", "names no days"},
		{"Mon-Fri08:00-09:00 = x", "blank after the days"},
		{"Mon- 08:00-09:00 = x", "names no days"},
		{"Mon, 08:00-09:00 = x", "names no days"},
		{"Mon 8:00-09:00 = x", "no time HH:MM after the days"},
		{"Mon 08:60-09:00 = x", "no time HH:MM after the days"},
		{"Mon 24:00-09:00 = x", "00:00 of the next day"},
		{"Mon 08:00 09:00 = x", "'-' between"},
		{"Mon 08:00-24:01 = x", "no time HH:MM after the '-'"},
		{"Mon 08:00-08:00 = x", "ends when it begins"},
		{"Mon 08:00-09:00 x", "'=' before the room"},
		{"Mon 08:00-09:00 = ", "names no room"},
		{"Mon 08:00-09:00 = a/b", "with '/'"},
		{"Mon 08:00-09:00 = \xff", "not UTF-8"},
		{"Mon 08:00-09:00 = a\x01", "control character"},
	};
	struct schedule *s = g_new0(struct schedule, 1);

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *why = NULL;

		g_assert_false(schedule_add(s, bad[i][0], &why));
		if (!strstr(why, bad[i][1]))
			g_error("'%s': %s", bad[i][0], why);
		g_assert_nonnull(strstr(why, "allowed: DAYS FROM-TO = ROOM"));
	}
	g_assert_cmpuint(s->n, ==, 0);
	drop(s);
}

static void test_entries_are_limited(void)
{
	struct schedule *s = g_new0(struct schedule, 1);
	g_autofree char *why = NULL;

	for (unsigned int i = 0; i < SCHEDULE_MAX_ENTRIES; i++)
		g_assert_true(schedule_add(s, "Mon 01:00-02:00 = x", &why));
	g_assert_false(schedule_add(s, "Mon 01:00-02:00 = x", &why));
	g_assert_nonnull(strstr(why, "more than 64"));
	drop(s);
}

/* --- what holds ------------------------------------------------------------- */
static void test_a_week(void)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	struct schedule *s = make(LINES("Wed 12:00-13:00 = lunch",
					"Mon-Fri 08:00-18:00 = work",
					"Fri 22:00-02:00 = party"));

	/* 2026-01-05 is a Monday. */
	expect(s, utc, "2026-01-05T07:59:59Z", NULL, "2026-01-05T08:00:00Z",
	       "work");
	expect(s, utc, "2026-01-05T08:00:00Z", "work", "2026-01-05T18:00:00Z",
	       NULL);
	/* the first line that fits */
	expect(s, utc, "2026-01-07T11:00:00Z", "work", "2026-01-07T12:00:00Z",
	       "lunch");
	expect(s, utc, "2026-01-07T12:59:59Z", "lunch", "2026-01-07T13:00:00Z",
	       "work");
	/* past midnight, into a day that is not named */
	expect(s, utc, "2026-01-10T01:59:59Z", "party", "2026-01-10T02:00:00Z",
	       NULL);
	expect(s, utc, "2026-01-10T02:00:00Z", NULL, "2026-01-12T08:00:00Z",
	       "work");
	drop(s);
}

static void test_for_ever(void)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	struct schedule *all = make(LINES("Mon-Thu 00:00-24:00 = a",
					  "Fri-Sun 00:00-24:00 = a"));
	struct schedule *none = make(LINES(NULL));

	expect(all, utc, "2026-01-05T07:00:00Z", "a", NULL, NULL);
	expect(none, utc, "2026-01-05T07:00:00Z", NULL, NULL, NULL);
	/* A clock that stands at its birth, as at a boot without battery. */
	expect(all, utc, "1970-01-01T00:00:00Z", "a", NULL, NULL);
	drop(all);
	drop(none);
}

/* Berlin 2026: 02:00 to 03:00 is skipped on 03-29, and comes twice on 10-25. */
static void test_the_clock_is_set(void)
{
	g_autoptr(GTimeZone) berlin = zone_or_skip("Europe/Berlin");
	struct schedule *s;

	if (!berlin)
		return;
	s = make(LINES("daily 01:00-02:30 = a", "daily 02:30-04:00 = b"));
	/* 02:30 is not shown: the moment of the skip, no gap */
	expect(s, berlin, "2026-03-29T00:59:59Z", "a", "2026-03-29T01:00:00Z",
	       "b");
	expect(s, berlin, "2026-03-29T01:00:00Z", "b", "2026-03-29T02:00:00Z",
	       NULL);
	/* 02:30 is shown at 00:30Z and at 01:30Z: the first counts, and b does
	 * not turn to a again */
	expect(s, berlin, "2026-10-25T00:29:59Z", "a", "2026-10-25T00:30:00Z",
	       "b");
	expect(s, berlin, "2026-10-25T01:10:00Z", "b", "2026-10-25T03:00:00Z",
	       NULL);
	drop(s);

	/* Wholly within what is skipped: it is not on that day. */
	s = make(LINES("Sun 02:10-02:50 = x"));
	expect(s, berlin, "2026-03-28T12:00:00Z", NULL, "2026-04-05T00:10:00Z",
	       "x");
	drop(s);
}

static void test_other_zones(void)
{
	g_autoptr(GTimeZone) howe = zone_or_skip("Australia/Lord_Howe");
	g_autoptr(GTimeZone) apia = zone_or_skip("Pacific/Apia");
	g_autoptr(GTimeZone) kathmandu = zone_or_skip("Asia/Kathmandu");
	struct schedule *s;

	if (!howe || !apia || !kathmandu)
		return;
	s = make(LINES("daily 02:15-09:00 = x"));
	/* +05:45 */
	expect(s, kathmandu, "2026-06-01T00:00:00Z", "x",
	       "2026-06-01T03:15:00Z", NULL);
	/* half an hour is skipped: +10:30 to +11 at 02:00 */
	expect(s, howe, "2026-10-03T15:00:00Z", NULL, "2026-10-03T15:30:00Z",
	       "x");
	/* the whole of 2011-12-30 was skipped */
	expect(s, apia, "2011-12-29T20:00:00Z", NULL, "2011-12-30T12:15:00Z",
	       "x");
	drop(s);
}

/* From change to change through a year, as the daemon goes. */
static void count_year(const char *zone_name, const char *line,
		       unsigned int *ret_on, int64_t *ret_s)
{
	g_autoptr(GTimeZone) zone = zone_or_skip(zone_name);
	struct schedule *s;
	int64_t now = at("2025-12-31T00:00:00Z");
	int64_t end = at("2027-01-01T00:00:00Z");

	*ret_on = 0;
	*ret_s = 0;
	if (!zone)
		return;
	s = make(LINES(line));
	for (;;) {
		struct schedule_state state, before;
		int64_t began = now;

		schedule_get(s, zone, now, &state);
		g_assert_cmpint(state.until_s, >, now);
		schedule_get(s, zone, state.until_s - 1, &before);
		g_assert_cmpstr(before.room, ==, state.room);
		g_assert_cmpint(before.until_s, ==, state.until_s);
		now = state.until_s;
		if (began >= at("2026-01-01T00:00:00Z") && state.room) {
			(*ret_on)++;
			*ret_s += now - began;
		}
		if (now >= end)
			break;
	}
	drop(s);
}

static void test_a_year(void)
{
	unsigned int on;
	int64_t s;

	count_year("Europe/Berlin", "Mon-Fri 08:00-18:00 = x", &on, &s);
	if (!on)
		return;
	g_assert_cmpuint(on, ==, 261);
	g_assert_cmpint(s, ==, 261 * 10 * HOUR_S);
	/* an hour less in spring, an hour more in autumn, and once none */
	count_year("Europe/Berlin", "daily 02:00-03:00 = x", &on, &s);
	g_assert_cmpuint(on, ==, 364);
	g_assert_cmpint(s, ==, 365 * HOUR_S);
	count_year("America/New_York", "daily 22:00-06:00 = x", &on, &s);
	g_assert_cmpuint(on, ==, 365);
	g_assert_cmpint(s, ==, 365 * 8 * HOUR_S);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schedule/lines", test_lines);
	g_test_add_func("/schedule/wrong", test_what_is_wrong_is_said);
	g_test_add_func("/schedule/limit", test_entries_are_limited);
	g_test_add_func("/schedule/week", test_a_week);
	g_test_add_func("/schedule/for-ever", test_for_ever);
	g_test_add_func("/schedule/clock-set", test_the_clock_is_set);
	g_test_add_func("/schedule/zones", test_other_zones);
	g_test_add_func("/schedule/year", test_a_year);
	return g_test_run();
}
