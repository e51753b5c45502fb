// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-core.h"

#include "appliance/roomserver/room-core-test.h"
#include "appliance/signaling/json-check.h"

static void test_in_room(void)
{
	struct world w;
	struct end a;
	g_autofree char *text = NULL;

	world_init(&w);
	end_init(&a, &w);
	text = join_text(&w, "r1", START, NULL);
	say(&a, text);
	assert_got(&a, "{\"type\":\"inRoom\",\"sid\":\"AAAAAAAAAAAAAAAAAAAA\","
		       "\"rid\":\"r1\",\"tieBreaker\":1795337635413,"
		       "\"pc_config\":{\"iceServers\":[{\"url\":\"turn:u@h\","
		       "\"credential\":\"c\"}]}}");
	g_assert_true(room_client_has_joined(a.client));
	g_assert_cmpuint(room_count_get(w.counters.rooms), ==, 1);
	end_done(&a);
	g_assert_cmpuint(room_count_get(w.counters.rooms), ==, 0);
	world_done(&w);
}

static void test_tie_breakers_grow_whatever_the_clock_does(void)
{
	struct world w;
	struct end ends[4];

	world_init(&w);
	for (int i = 0; i < 4; i++) {
		end_init(&ends[i], &w);
		join(&ends[i], i == 2 ? "other" : "r");
		if (i == 1)
			w.wall_ms -= 3600 * 1000; /* set back */
	}
	g_assert_cmpint(ends[0].weight, ==, NOW);
	for (int i = 1; i < 4; i++)
		g_assert_cmpint(ends[i].weight, >, ends[i - 1].weight);
	for (int i = 0; i < 4; i++)
		end_done(&ends[i]);
	world_done(&w);
}

static void test_refused_joins(void)
{
	static const struct {
		const char *spoil, *reason;
	} cases[] = {
		{"user", "credentialError"},
		{"room", "credentialError"},
		{"key", "keyFailed"},
	};
	struct world w;
	struct end a;
	g_autofree char *late = NULL;

	world_init(&w);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			join_text(&w, "r", START, cases[i].spoil);
		g_autofree char *got = NULL;

		end_init(&a, &w);
		say(&a, text);
		got = take(&a);
		g_assert_nonnull(strstr(got, "\"action\":\"reject\""));
		g_assert_nonnull(strstr(got, cases[i].reason));
		g_assert_true(a.finished);
		g_assert_false(room_client_has_joined(a.client));
		end_done(&a);
	}

	late = join_text(&w, "r", START, NULL);
	w.wall_ms = NOW + INT64_C(201) * 3600 * 1000;
	end_init(&a, &w);
	say(&a, late);
	g_assert_nonnull(strstr(a.got->pdata[0], "expired"));
	g_assert_cmpuint(room_count_get(w.counters.refused), ==, 4);
	end_done(&a);
	world_done(&w);
}

/* Two rooms; what one end says must arrive there and nowhere else. */
static void test_routing(void)
{
	struct world w;
	struct end a, b, c, other;
	g_autofree char *open = NULL, *to_b = NULL, *to_other = NULL;
	g_autofree char *rest = NULL, *rest_other = NULL, *null_target = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&c, &w);
	end_init(&other, &w);
	join(&a, "r");
	join(&b, "r");
	join(&c, "r");
	join(&other, "q");

	/* Odd spacing and escapes: byte for byte all the same. */
	open = message(&a, "r",
		       " \"type\" : \"enter\", \"x\":\"\\u00e9\303\251\\/\" ");
	say(&a, open);
	assert_got(&a, "");
	assert_got(&b, open);
	assert_got(&c, open);
	assert_got(&other, "");

	rest = g_strdup_printf("\"type\":\"offer\",\"target\":\"%s\"", b.sid);
	to_b = message(&a, "r", rest);
	say(&a, to_b);
	assert_got(&b, to_b);
	assert_got(&c, "");

	rest_other = g_strdup_printf("\"type\":\"offer\",\"target\":\"%s\"",
				     other.sid);
	to_other = message(&a, "r", rest_other);
	say(&a, to_other);
	assert_got(&other, "");
	assert_got(&b, "");

	null_target = message(&a, "r", "\"type\":\"public\",\"target\":null");
	say(&a, null_target);
	assert_got(&b, null_target);
	assert_got(&c, null_target);
	g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==, 0);

	end_done(&a);
	end_done(&b);
	end_done(&c);
	end_done(&other);
	world_done(&w);
}

static void test_forgeries_are_dropped(void)
{
	struct world w;
	struct end a, b, stranger;
	unsigned int bad = 0;
	g_autofree char *forged_mid = NULL, *forged_rid = NULL;
	static const char *const rests[] = {
		"\"type\":\"redirect\",\"action\":\"reject\"",
		"\"type\":\"inRoom\"",
		"\"type\":\"approach\"",
		"\"type\":\"introduceError\"",
		"\"type\":\"peerList\"",
		"\"type\":\"recordingEvent\"",
		"\"type\":\"enter\",\"target\":7",
		"\"type\":\"enter\",\"target\":[\"x\"]",
		"\"type\":5",
		"\"x\":1",
	};
	static const char *const texts[] = {
		"",
		"[]",
		"3",
		"{\"type\":\"enter\"}",
		"{\"type\":\"enter\"",
		"{\"type\":\"group\",\"lists\":3}",
		"{\"type\":\"getPeers\",\"showAll\":true}",
	};

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&stranger, &w);
	join(&a, "r");
	join(&b, "r");

	forged_mid = g_strdup_printf(
		"{\"type\":\"enter\",\"rid\":\"r\",\"mid\":\"%s\"}", b.sid);
	say(&a, forged_mid);
	forged_rid = g_strdup_printf(
		"{\"type\":\"enter\",\"rid\":\"q\",\"mid\":\"%s\"}", a.sid);
	say(&a, forged_rid);
	say(&stranger, forged_mid);
	bad += 3;
	for (gsize i = 0; i < G_N_ELEMENTS(rests); i++) {
		g_autofree char *text = message(&a, "r", rests[i]);

		say(&a, text);
		bad++;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		say(&a, texts[i]);
		bad++;
	}
	assert_got(&b, "");
	assert_got(&stranger, "");
	g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==, bad);

	end_done(&a);
	end_done(&b);
	end_done(&stranger);
	world_done(&w);
}

static void test_bye_when_a_client_goes(void)
{
	struct world w;
	struct end a, b, other;
	g_autofree char *bye = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&other, &w);
	join(&a, "r");
	join(&b, "r");
	join(&other, "q");
	bye = g_strdup_printf("{\"type\":\"bye\",\"mid\":\"%s\",\"rid\":\"r\"}",
			      a.sid);
	end_done(&a);
	assert_got(&b, bye);
	assert_got(&other, "");
	end_done(&b);
	end_done(&other);
	world_done(&w);
}

static void test_lock(void)
{
	struct world w;
	struct end a, b, c;
	g_autofree char *lock = NULL, *unlock = NULL, *text = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&c, &w);
	join(&a, "r");
	join(&b, "r");
	lock = message(&a, "r", "\"type\":\"roomLockEvent\",\"lock\":true");
	unlock = message(&b, "r", "\"type\":\"roomLockEvent\",\"lock\":false");
	text = join_text(&w, "r", START, NULL);

	say(&a, lock);
	assert_got(&b, lock);
	say(&c, text);
	assert_got(&c, "{\"type\":\"redirect\",\"action\":\"reject\","
		       "\"reason\":\"locked\",\"info\":\"The room is locked\","
		       "\"rid\":\"r\"}");
	g_assert_true(c.finished);
	end_done(&c);

	/* Those inside may come in again; the others once it is unlocked. */
	join(&b, "r");
	g_free(g_steal_pointer(&unlock));
	unlock = message(&b, "r", "\"type\":\"roomLockEvent\",\"lock\":false");
	say(&b, unlock);
	end_init(&c, &w);
	join(&c, "r");

	/* The lock goes with the last peer. */
	say(&a, lock);
	end_done(&a);
	end_done(&b);
	end_done(&c);
	end_init(&c, &w);
	join(&c, "r");
	end_done(&c);
	world_done(&w);
}

static void test_groups_with_a_target_are_taken_apart(void)
{
	struct world w;
	struct end a, b, c;
	g_autofree char *group = NULL, *expect_b = NULL, *expect_c = NULL;
	g_autofree char *again = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&c, &w);
	join(&a, "r");
	join(&b, "r");
	join(&c, "r");
#define INNER                                                                  \
	"{\\\"type\\\":\\\"%s\\\",\\\"mid\\\":\\\"%s\\\",\\\"rid\\\":"         \
	"\\\"r\\\"%s}"
#define PLAIN "{\"type\":\"%s\",\"mid\":\"%s\",\"rid\":\"r\"%s}"
	{
		g_autofree char *target =
			g_strdup_printf(",\\\"target\\\":\\\"%s\\\"", c.sid);
		g_autofree char *plain_target =
			g_strdup_printf(",\"target\":\"%s\"", c.sid);

		group = g_strdup_printf(
			"{\"type\":\"group\",\"lists\":[\"" INNER "\",\"" INNER
			"\",7,\"{\",\"" INNER "\",\"" INNER
			"\"],\"mid\":\"%s\",\"rid\":\"r\"}",
			"public", a.sid, "", "private", a.sid, target,
			"redirect", a.sid, "", "roomLockEvent", a.sid,
			",\\\"lock\\\":true", a.sid);
		expect_b = g_strdup_printf(PLAIN "\n" PLAIN, "public", a.sid,
					   "", "roomLockEvent", a.sid,
					   ",\"lock\":true");
		expect_c = g_strdup_printf(PLAIN "\n" PLAIN "\n" PLAIN,
					   "public", a.sid, "", "private",
					   a.sid, plain_target, "roomLockEvent",
					   a.sid, ",\"lock\":true");
	}
	say(&a, group);
	assert_got(&b, expect_b);
	assert_got(&c, expect_c);
	g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==, 3);

	/* The lock inside the group holds. */
	end_done(&b);
	end_init(&b, &w);
	again = join_text(&w, "r", START, NULL);
	say(&b, again);
	g_assert_nonnull(strstr(b.got->pdata[0], "locked"));
	end_done(&a);
	end_done(&b);
	end_done(&c);
	world_done(&w);
}

/* Two parts as one string each, in a group of @end. */
static char *group_of(struct end *end, const char *one, const char *two)
{
	g_autoptr(GString) lists =
		g_string_new("\"type\":\"group\",\"lists\":[");

	json_quote(lists, one, strlen(one));
	g_string_append_c(lists, ',');
	json_quote(lists, two, strlen(two));
	g_string_append_c(lists, ']');
	return message(end, "r", lists->str);
}

static void test_groups_are_whole_but_for_2x(void)
{
	struct world w;
	struct end a, old, modern, late;
	g_autofree char *mute = NULL, *lock = NULL, *group = NULL, *both = NULL;
	g_autofree char *enter = NULL, *text = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&old, &w);
	end_init(&modern, &w);
	join(&a, "r");
	join(&old, "r");
	join(&modern, "r");
	enter = message(&modern, "r",
			"\"type\":\"enter\",\"SMProtocolVersion\":\"2.1.0\"");
	say(&modern, enter);
	assert_got(&a, enter);
	assert_got(&old, enter);

	mute = message(&a, "r", "\"type\":\"muteAudioEvent\",\"x\" : [1]");
	lock = message(&a, "r", "\"type\":\"roomLockEvent\",\"lock\":true");
	group = group_of(&a, mute, lock);
	both = g_strdup_printf("%s\n%s", mute, lock);
	say(&a, group);
	assert_got(&old, group);
	assert_got(&modern, both);
	assert_got(&a, "");

	/* The lock inside holds. */
	end_init(&late, &w);
	text = join_text(&w, "r", START, NULL);
	say(&late, text);
	g_assert_nonnull(strstr(late.got->pdata[0], "locked"));
	end_done(&late);
	end_done(&a);
	end_done(&old);
	end_done(&modern);
	world_done(&w);
}

/* What must not be said alone must not come through in a group. */
static void test_forgeries_in_groups(void)
{
	static const char *const forged[] = {
		"{\"type\":\"redirect\",\"action\":\"reject\"}",
		"{\"type\":\"public\",\"rid\":\"r\",\"mid\":\"B\"}",
		"{\"t\\u0079pe\":\"redir\\u0065ct\"}",
		"[]",
		"{\"type\":\"group\",\"lists\":[]}",
	};
	struct world w;
	struct end a, b;
	g_autofree char *fine = NULL, *outer = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	join(&a, "r");
	join(&b, "r");
	fine = message(&a, "r", "\"type\":\"public\"");
	for (gsize i = 0; i < G_N_ELEMENTS(forged); i++) {
		g_autofree char *group = group_of(&a, forged[i], fine);

		say(&a, group);
		assert_got(&b, fine);
		g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==,
				 i + 1);
	}
	outer = group_of(&b, fine, fine);
	say(&a, outer);
	assert_got(&b, "");
	end_done(&a);
	end_done(&b);
	world_done(&w);
}

/* SkylinkJS 2.x: one connection, several rooms, leaving with its own byes. */
static void test_several_rooms_on_one_connection(void)
{
	struct world w;
	struct end a, b, c;
	char first[ROOM_SID_CHARS + 1];
	g_autofree char *in_r = NULL, *bye = NULL, *bye_said = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&c, &w);
	join(&b, "r");
	join(&c, "q");
	join(&a, "r");
	g_strlcpy(first, a.sid, sizeof(first));
	join(&a, "q");
	g_assert_cmpstr(first, !=, a.sid);

	in_r = g_strdup_printf(
		"{\"type\":\"message\",\"mid\":\"%s\",\"rid\":\"r\"}", first);
	say(&a, in_r);
	assert_got(&b, in_r);
	assert_got(&c, "");

	bye_said = g_strdup_printf("{\"type\":\"bye\",\"mid\":\"%s\","
				   "\"rid\":\"r\",\"target\":\"%s\"}",
				   first, b.sid);
	bye = g_strdup_printf("{\"type\":\"bye\",\"mid\":\"%s\",\"rid\":\"r\"}",
			      first);
	say(&a, bye_said);
	say(&a, bye_said);
	assert_got(&b, bye);
	assert_got(&c, "");
	end_done(&a);
	assert_got(&b, "");
	g_assert_cmpuint(c.got->len, ==, 1);

	end_done(&b);
	end_done(&c);
	world_done(&w);
}

static void test_rooms_per_client_are_limited(void)
{
	struct world w;
	struct end a;
	g_autofree char *text = NULL;

	world_init(&w);
	end_init(&a, &w);
	for (int i = 0; i < ROOM_MAX_ROOMS_PER_CLIENT; i++) {
		g_autofree char *rid = g_strdup_printf("r%d", i);

		join(&a, rid);
	}
	text = join_text(&w, "one-more", START, NULL);
	say(&a, text);
	g_assert_nonnull(strstr(a.got->pdata[0], "serverError"));
	g_assert_false(a.finished);
	end_done(&a);
	world_done(&w);
}

static void test_joining_twice_is_joining_anew(void)
{
	struct world w;
	struct end a, b;
	char first[ROOM_SID_CHARS + 1];
	g_autofree char *bye = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	join(&a, "r");
	join(&b, "r");
	g_strlcpy(first, a.sid, sizeof(first));
	join(&a, "r");
	bye = g_strdup_printf("{\"type\":\"bye\",\"mid\":\"%s\",\"rid\":\"r\"}",
			      first);
	assert_got(&b, bye);
	end_done(&a);
	end_done(&b);
	world_done(&w);
}

static void test_floods_are_warned_of_and_dropped(void)
{
	struct world w;
	struct end a, b;
	g_autofree char *text = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	join(&a, "r");
	join(&b, "r");
	text = message(&a, "r", "\"type\":\"public\"");
	/* The join was one of the burst. */
	for (int i = 0; i < ROOM_RATE_BURST - ROOM_JOIN_COST + 50; i++)
		say(&a, text);
	g_assert_cmpuint(b.got->len, ==, ROOM_RATE_BURST - ROOM_JOIN_COST);
	g_assert_cmpuint(a.got->len, ==, 1);
	g_assert_nonnull(strstr(a.got->pdata[0], "\"reason\":\"fastmsg\""));
	g_assert_nonnull(strstr(a.got->pdata[0], "\"action\":\"warning\""));
	g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==, 50);

	w.monotonic_us += G_USEC_PER_SEC;
	for (int i = 0; i < 1000; i++)
		say(&a, text);
	g_assert_cmpuint(b.got->len, ==,
			 ROOM_RATE_BURST - ROOM_JOIN_COST +
				 ROOM_RATE_PER_SECOND);
	g_assert_cmpuint(a.got->len, ==, 1);
	w.monotonic_us += ROOM_RATE_WARN_US;
	for (int i = 0; i < ROOM_RATE_BURST + 1; i++)
		say(&a, text);
	g_assert_cmpuint(a.got->len, ==, 2);

	end_done(&a);
	end_done(&b);
	world_done(&w);
}

/* What is passed on counts, not how it was wrapped. */
static void test_groups_and_long_messages_count_for_more(void)
{
	struct world w;
	struct end a, b;
	g_autofree char *part = NULL, *text = NULL, *blob = NULL, *rest = NULL;
	g_autofree char *longer = NULL;
	g_autoptr(GString) lists = g_string_new("\"type\":\"group\",\"lists\":[");
	unsigned int n_groups = ROOM_RATE_BURST / ROOM_MAX_GROUP + 2;
	unsigned int cost;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	join(&a, "r");
	join(&b, "r");
	room_client_set_no_groups(b.client);
	part = message(&a, "r", "\"type\":\"public\"");
	for (int i = 0; i < ROOM_MAX_GROUP; i++) {
		g_string_append(lists, i ? "," : "");
		json_quote(lists, part, strlen(part));
	}
	g_string_append_c(lists, ']');
	text = message(&a, "r", lists->str);
	for (unsigned int i = 0; i < n_groups; i++)
		say(&a, text);
	/* A group's text is long, too: some parts less than the burst. */
	g_assert_cmpuint(b.got->len, <, ROOM_RATE_BURST);
	g_assert_cmpuint(b.got->len, >, ROOM_RATE_BURST / 2);
	g_assert_nonnull(strstr(a.got->pdata[0], "\"reason\":\"fastmsg\""));

	w.monotonic_us += 60 * G_USEC_PER_SEC;
	g_ptr_array_set_size(b.got, 0);
	blob = g_strnfill(100 * ROOM_RATE_BYTES, 'x');
	rest = g_strdup_printf("\"type\":\"public\",\"data\":\"%s\"", blob);
	longer = message(&a, "r", rest);
	cost = 1 + (unsigned int) (strlen(longer) / ROOM_RATE_BYTES);
	for (int i = 0; i < 100; i++)
		say(&a, longer);
	g_assert_cmpuint(b.got->len, ==, ROOM_RATE_BURST / cost);

	end_done(&a);
	end_done(&b);
	world_done(&w);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-core/in-room", test_in_room);
	g_test_add_func("/room-core/tie-breakers",
			test_tie_breakers_grow_whatever_the_clock_does);
	g_test_add_func("/room-core/refused", test_refused_joins);
	g_test_add_func("/room-core/routing", test_routing);
	g_test_add_func("/room-core/forgeries", test_forgeries_are_dropped);
	g_test_add_func("/room-core/bye", test_bye_when_a_client_goes);
	g_test_add_func("/room-core/lock", test_lock);
	g_test_add_func("/room-core/groups", test_groups_with_a_target_are_taken_apart);
	g_test_add_func("/room-core/groups-whole",
			test_groups_are_whole_but_for_2x);
	g_test_add_func("/room-core/groups-forged",
			test_forgeries_in_groups);
	g_test_add_func("/room-core/several-rooms",
			test_several_rooms_on_one_connection);
	g_test_add_func("/room-core/max-rooms",
			test_rooms_per_client_are_limited);
	g_test_add_func("/room-core/join-twice",
			test_joining_twice_is_joining_anew);
	g_test_add_func("/room-core/flood",
			test_floods_are_warned_of_and_dropped);
	g_test_add_func("/room-core/flood-in-disguise",
			test_groups_and_long_messages_count_for_more);
	return g_test_run();
}
