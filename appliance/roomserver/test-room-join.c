// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-core.h"

#include "appliance/roomserver/room-core-test.h"

#define HOUR_MS (INT64_C(3600) * 1000)
/* Of "2026-11-22T12:00:00Z", when the meetings here begin. */
#define NOON	   "2026-11-22T12:00:00.000Z"
#define NOON_MS	   INT64_C(1795348800000)
#define MADE	   "2026-11-22T11:00:00.000Z"

static void assert_redirect(struct end *end, const char *action,
			    const char *reason, const char *rid)
{
	g_autofree char *got = take(end);
	g_autoptr(JsonNode) node = json_from_string(got, NULL);
	JsonObject *o;

	g_assert_nonnull(node);
	o = json_node_get_object(node);
	g_assert_cmpstr(json_object_get_string_member(o, "type"), ==,
			"redirect");
	g_assert_cmpstr(json_object_get_string_member(o, "action"), ==, action);
	g_assert_cmpstr(json_object_get_string_member(o, "reason"), ==, reason);
	g_assert_cmpstr(json_object_get_string_member(o, "rid"), ==, rid);
	g_assert_cmpstr(json_object_get_string_member(o, "info"), !=, "");
}

static void assert_refused(struct world *w, const struct join_as *as,
			   const char *reason)
{
	g_autofree char *text = join_text_as(w, as);
	struct end a;

	end_init(&a, w);
	say(&a, text);
	assert_redirect(&a, "reject", reason, as->rid);
	g_assert_true(a.finished);
	g_assert_false(room_client_has_joined(a.client));
	end_done(&a);
}

static void test_meeting(void)
{
	const struct join_as meeting = {
		.rid = "m",
		.start = NOON,
		.made = MADE,
		.len = "1.5",
	};
	struct world w;
	struct end a, b, open;

	world_init(&w);
	w.wall_ms = NOON_MS - ROOM_START_TOLERANCE_MS - 1;
	assert_refused(&w, &meeting, "notStart");
	w.wall_ms += 1;
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&open, &w);
	join_as(&a, &meeting);
	join(&open, "o");

	w.wall_ms = NOON_MS + HOUR_MS * 3 / 2 - ROOM_CLOSE_WARNING_MS - 1;
	room_core_tick(w.core);
	assert_got(&a, "");
	w.wall_ms += 1;
	room_core_tick(w.core);
	assert_redirect(&a, "warning", "toClose", "m");
	room_core_tick(w.core);
	assert_got(&a, "");

	/* Who comes late is told at once. */
	join_as(&b, &meeting);
	room_core_tick(w.core);
	assert_redirect(&b, "warning", "toClose", "m");
	g_assert_false(a.finished);

	w.wall_ms = NOON_MS + HOUR_MS * 3 / 2;
	room_core_tick(w.core);
	g_assert_true(a.finished && b.finished);
	g_assert_false(room_client_has_joined(a.client));
	/* The first to go is said goodbye of to the other, which hears of its
	 * own end next. */
	g_assert_cmpuint(a.got->len + b.got->len, ==, 3);
	g_assert_nonnull(strstr(a.got->pdata[a.got->len - 1], "roomclose"));
	g_assert_nonnull(strstr(b.got->pdata[b.got->len - 1], "roomclose"));
	g_assert_cmpuint(room_count_get(w.counters.rooms), ==, 1);
	assert_got(&open, "");
	g_assert_false(open.finished);
	assert_refused(&w, &meeting, "expired");

	end_done(&a);
	end_done(&b);
	end_done(&open);
	world_done(&w);
}

/* One of two rooms closes: the connection stays for the other. */
static void test_meeting_beside_a_room(void)
{
	struct world w;
	struct end a;

	world_init(&w);
	w.wall_ms = NOON_MS;
	end_init(&a, &w);
	join(&a, "o");
	join_as(&a, &(struct join_as){
			    .rid = "m",
			    .start = NOON,
			    .made = MADE,
			    .len = "1",
		    });
	w.wall_ms += HOUR_MS;
	room_core_tick(w.core);
	assert_redirect(&a, "reject", "roomclose", "m");
	g_assert_false(a.finished);
	g_assert_true(room_client_has_joined(a.client));
	end_done(&a);
	world_done(&w);
}

static void test_clock_set_back(void)
{
	struct world w;
	struct end a;

	world_init(&w);
	w.wall_ms = NOON_MS - 24 * HOUR_MS;
	end_init(&a, &w);
	join_as(&a, &(struct join_as){.rid = "o", .start = NOON});
	end_done(&a);
	world_done(&w);
}

static void test_refusals(void)
{
	struct world w;

	world_init(&w);
	w.wall_ms = NOON_MS;
	assert_refused(&w, &(struct join_as){.key = "orphan", .rid = "r"},
		       "keyFailed");
	assert_refused(&w, &(struct join_as){.rid = "r", .len = "x"},
		       "credentialError");
	assert_refused(&w, &(struct join_as){.rid = "r", .len = "-5"},
		       "credentialError");
	assert_refused(&w, &(struct join_as){.rid = "r", .start = "soon"},
		       "credentialError");
	assert_refused(&w,
		       &(struct join_as){
			       .rid = "r",
			       .made = "2025-11-22T11:59:59.000Z",
		       },
		       "oldTimeStamp");
	g_assert_cmpuint(room_count_get(w.counters.refused), ==, 5);
	world_done(&w);
}

static void test_a_token_has_one_user_at_a_time(void)
{
	const struct join_as as = {.rid = "r", .user = "me"};
	const struct join_as elsewhere = {.rid = "q", .user = "me"};
	struct world w;
	struct end a, b;

	world_init(&w);
	end_init(&a, &w);
	join_as(&a, &as);
	assert_refused(&w, &as, "duplicatedLogin");
	assert_refused(&w, &elsewhere, "duplicatedLogin");
	/* The same connection may, in another room as in the same. */
	join_as(&a, &elsewhere);
	join_as(&a, &as);
	assert_refused(&w, &as, "duplicatedLogin");
	end_done(&a);
	/* 0.6.12 comes again with its old token. */
	end_init(&b, &w);
	join_as(&b, &as);
	end_done(&b);
	world_done(&w);
}

static void test_joins_are_limited(void)
{
	struct world w;
	struct end a;
	guint n;

	world_init(&w);
	end_init(&a, &w);
	for (int i = 0; i < 10000; i++) {
		g_autofree char *rid = g_strdup_printf("r%d", i % 4);
		g_autofree char *text = join_text(&w, rid, START, NULL);

		say(&a, text);
	}
	n = a.got->len;
	g_assert_cmpuint(n, <=, ROOM_RATE_BURST / ROOM_JOIN_COST + 1);
	g_assert_nonnull(strstr(a.got->pdata[n - 1], "fastmsg"));
	g_assert_cmpuint(room_count_get(w.counters.rooms), ==, 4);
	end_done(&a);
	world_done(&w);
}

/* user = the second at which it ends, and what coturn makes of it. */
static void test_relay(void)
{
	struct world w;
	struct end a;
	g_autofree char *text = NULL, *credential = NULL, *expected = NULL;
	g_autofree char *user = g_strdup_printf(
		"%" G_GINT64_FORMAT, NOW / 1000 + ROOM_TURN_LIFETIME_S);

	world_init(&w);
	room_core_free(w.core);
	w.config.turn = (struct room_turn){
		.host = "box.example:3478",
		.secret = "north",
	};
	w.core = room_core_new(&w.config, &ops, &w, &w.counters);
	end_init(&a, &w);
	text = join_text(&w, "r", START, NULL);
	say(&a, text);
	credential = room_token_sha1("north", user);
	expected = g_strdup_printf("\"iceServers\":[{\"url\":"
				   "\"turn:%s@box.example:3478\","
				   "\"credential\":\"%s\"}]",
				   user, credential);
	g_assert_nonnull(strstr(a.got->pdata[0], expected));
	end_done(&a);
	world_done(&w);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-join/meeting", test_meeting);
	g_test_add_func("/room-join/meeting-beside",
			test_meeting_beside_a_room);
	g_test_add_func("/room-join/clock", test_clock_set_back);
	g_test_add_func("/room-join/refusals", test_refusals);
	g_test_add_func("/room-join/duplicated",
			test_a_token_has_one_user_at_a_time);
	g_test_add_func("/room-join/limit", test_joins_are_limited);
	g_test_add_func("/room-join/relay", test_relay);
	return g_test_run();
}
