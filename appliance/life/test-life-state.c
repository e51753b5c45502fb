// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/life-state.h"

#include <string.h>

#define NOW_S 1767571200

static struct life_state make(void)
{
	struct life_state s = {
		.running = TRUE,
		.boot_id = g_strdup("boot-1"),
		.started_s = NOW_S,
		.by_hand = TRUE,
		.hand_until_s = NOW_S + 60,
		.room = g_strdup("h\303\244ll \"1\""),
		.audio_muted = TRUE,
		.locked = TRUE,
	};

	s.user_data = json_from_string("{\"a\": [1, null]}", NULL);
	s.stream = json_from_string("{\"audio\": false, \"video\": "
				    "{\"source\": \"test\"}}", NULL);
	return s;
}

static void test_what_is_written_is_read(void)
{
	struct life_state s = make(), t = {0};
	g_autofree char *text = life_state_print(&s), *again = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(life_state_parse(text, strlen(text), &t, &error));
	g_assert_no_error(error);
	again = life_state_print(&t);
	g_assert_cmpstr(text, ==, again);
	g_assert_cmpstr(t.room, ==, s.room);
	g_assert_true(t.audio_muted && !t.video_muted && t.locked);
	g_assert_true(json_node_equal(s.user_data, t.user_data));
	life_state_clear(&s);
	life_state_clear(&t);
}

static void test_too_long_is_not_written(void)
{
	struct life_state s = make();
	g_autofree char *long_text = g_strnfill(LIFE_STATE_MAX_BYTES, 'x');
	g_autofree char *text = NULL;

	json_node_unref(s.user_data);
	s.user_data = json_node_init_string(json_node_alloc(), long_text);
	text = life_state_print(&s);
	g_assert_null(text);
	life_state_clear(&s);
}

/* Cut off anywhere, and with any member of another kind. */
static void test_bad_contents_are_refused(void)
{
	struct life_state s = make(), t = {0};
	g_autofree char *text = life_state_print(&s);
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	JsonObject *o = json_node_get_object(node);
	static const char *const names[] = {
		"version", "running", "settled", "deaths", "bootId",
		"startedAt", "byHand", "handUntil", "room", "audioMuted",
		"videoMuted", "locked", "stream",
	};

	for (gsize n = 0; n < strlen(text); n++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(life_state_parse(text, n, &t, &error));
		g_assert_nonnull(error);
	}
	/* All but userData, which may be anything. */
	g_assert_cmpuint(json_object_get_size(o), ==, G_N_ELEMENTS(names) + 1);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(JsonNode) before =
			json_node_copy(json_object_get_member(o, names[i]));
		g_autofree char *bad = NULL;
		g_autoptr(GError) error = NULL;

		json_object_set_array_member(o, names[i], json_array_new());
		bad = json_to_string(node, FALSE);
		g_assert_false(life_state_parse(bad, strlen(bad), &t, &error));
		if (!strstr(error->message, names[i]))
			g_error("%s: %s", names[i], error->message);
		json_object_set_member(o, names[i], g_steal_pointer(&before));
	}
	g_assert_null(t.boot_id);
	life_state_clear(&s);
}

static void test_other_versions_and_rooms(void)
{
	static const char *const bad[][2] = {
		{"\"version\" : 1", "\"version\" : 2"},
		{"\"startedAt\" : 1767571200", "\"startedAt\" : -1"},
		{"\"startedAt\" : 1767571200", "\"startedAt\" : 253402300800"},
		{"\"deaths\" : 0", "\"deaths\" : 3000000000"},
		{"ll \\\"1\\\"\"", "a/b\""},
	};
	struct life_state s = make(), t = {0};
	g_autofree char *text = life_state_print(&s);

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *at = strstr(text, bad[i][0]);
		g_autofree char *other = NULL;
		g_autoptr(GError) error = NULL;

		g_assert_nonnull(at);
		other = g_strdup_printf("%.*s%s%s", (int) (at - text), text,
					bad[i][1], at + strlen(bad[i][0]));
		g_assert_false(life_state_parse(other, strlen(other), &t,
						&error));
		g_assert_nonnull(error);
	}
	life_state_clear(&s);
}

static void test_verdicts(void)
{
	struct life_state s = {0};

	g_assert_cmpint(life_state_judge(&s, "a", 1), ==, LIFE_FIRST);
	g_assert_true(s.running && !s.settled && s.started_s == 1);
	g_assert_cmpint(life_state_judge(&s, "a", 2), ==, LIFE_DIED);
	g_assert_cmpint(life_state_judge(&s, "a", 3), ==, LIFE_DIED);
	/* The power that goes in between neither counts nor forgives. */
	g_assert_cmpint(life_state_judge(&s, "b", 4), ==, LIFE_POWER_CUT);
	g_assert_cmpuint(s.deaths, ==, 2);
	g_assert_cmpint(life_state_judge(&s, "b", 5), ==, LIFE_CRASH_LOOP);
	g_assert_cmpuint(s.deaths, ==, LIFE_STATE_DEATHS_MAX);
	/* One that ran for long begins anew. */
	s.settled = TRUE;
	g_assert_cmpint(life_state_judge(&s, "b", 6), ==, LIFE_DIED);
	g_assert_cmpuint(s.deaths, ==, 1);
	s.running = FALSE;
	g_assert_cmpint(life_state_judge(&s, "b", 7), ==, LIFE_STOPPED);
	g_assert_cmpuint(s.deaths, ==, 0);
	life_state_clear(&s);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/life-state/round-trip", test_what_is_written_is_read);
	g_test_add_func("/life-state/too-long", test_too_long_is_not_written);
	g_test_add_func("/life-state/bad", test_bad_contents_are_refused);
	g_test_add_func("/life-state/other", test_other_versions_and_rooms);
	g_test_add_func("/life-state/verdicts", test_verdicts);
	return g_test_run();
}
