// SPDX-License-Identifier: Apache-2.0
#include "appliance/stage-watch.h"

#include <glib.h>

#define S UINT64_C(1000000)

static void test_what_moves_is_healthy(void)
{
	struct stage_watch w = { 0 };

	for (uint64_t i = 1; i < 100; i++) {
		stage_watch_note(&w, "encode", true, i, 2 * S, i * S);
		g_assert_null(stage_watch_find_stuck(&w, i * S + S));
	}
}

static void test_what_stands_still_is_stuck_after_its_deadline(void)
{
	struct stage_watch w = { 0 };

	stage_watch_note(&w, "network", true, 7, 60 * S, 10 * S);
	stage_watch_note(&w, "encode", true, 7, 2 * S, 10 * S);
	stage_watch_note(&w, "encode", true, 7, 2 * S, 11 * S);
	g_assert_null(stage_watch_find_stuck(&w, 12 * S));
	g_assert_cmpstr(stage_watch_find_stuck(&w, 12 * S + 1), ==, "encode");
	/* it moves again: forgiven */
	stage_watch_note(&w, "encode", true, 8, 2 * S, 13 * S);
	g_assert_null(stage_watch_find_stuck(&w, 13 * S));
}

static void test_what_nobody_wants_is_healthy(void)
{
	struct stage_watch w = { 0 };

	stage_watch_note(&w, "encode", true, 7, 2 * S, 10 * S);
	stage_watch_note(&w, "encode", false, 7, 2 * S, 11 * S);
	g_assert_null(stage_watch_find_stuck(&w, 1000 * S));
	/* wanted again, it has its whole time */
	stage_watch_note(&w, "encode", true, 7, 2 * S, 1000 * S);
	g_assert_null(stage_watch_find_stuck(&w, 1001 * S));
	g_assert_cmpstr(stage_watch_find_stuck(&w, 1003 * S), ==, "encode");
}

static void test_the_number_is_bounded(void)
{
	static const char *const names[] = {
		"0", "1", "2",	"3",  "4",  "5",  "6",	"7",  "8",
		"9", "10", "11", "12", "13", "14", "15", "16",
	};
	struct stage_watch w = { 0 };

	G_STATIC_ASSERT(G_N_ELEMENTS(names) == STAGE_WATCH_MAX + 1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++)
		stage_watch_note(&w, names[i], true, 0, (i + 1) * S, S);
	g_assert_cmpuint(w.n, ==, STAGE_WATCH_MAX);
	g_assert_cmpstr(stage_watch_find_stuck(&w, 100 * S), ==, "0");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stage-watch/what-moves-is-healthy",
			test_what_moves_is_healthy);
	g_test_add_func("/stage-watch/what-stands-still-is-stuck",
			test_what_stands_still_is_stuck_after_its_deadline);
	g_test_add_func("/stage-watch/what-nobody-wants-is-healthy",
			test_what_nobody_wants_is_healthy);
	g_test_add_func("/stage-watch/the-number-is-bounded",
			test_the_number_is_bounded);
	return g_test_run();
}
