// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-core.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

#define KEY  "demo"
#define CID  "cid"
#define USER "u1"
#define NOW  INT64_C(1795337635413)

/* A connection as the core sees it: a tag, and what arrives there. */
struct end {
	struct world *world;
	struct room_client *client;
	GPtrArray *got; /* JSON texts */
	bool finished;
	char sid[ROOM_SID_CHARS + 1];
	gint64 weight;
};

struct world {
	struct room_core *core;
	struct room_core_config config;
	struct room_counters counters;
	gint64 monotonic_us, wall_ms;
	uint8_t next_random;
};

static void deliver(void *data, void *const *tags, unsigned int n,
		    const char *json, size_t len)
{
	for (unsigned int i = 0; i < n; i++) {
		struct end *end = tags[i];

		g_ptr_array_add(end->got, g_strndup(json, len));
	}
}

static void finish(void *data, void *tag)
{
	((struct end *) tag)->finished = true;
}

static gint64 monotonic_us(void *data)
{
	return ((struct world *) data)->monotonic_us;
}

static gint64 wall_ms(void *data)
{
	return ((struct world *) data)->wall_ms;
}

static void fill_random(void *data, uint8_t *bytes, size_t n)
{
	memset(bytes, ((struct world *) data)->next_random++, n);
}

static const struct room_core_ops ops = {
	.deliver = deliver,
	.finish = finish,
	.monotonic_us = monotonic_us,
	.wall_ms = wall_ms,
	.random = fill_random,
};

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->config = (struct room_core_config){
		.app_key = KEY,
		.turn_url = "turn:u@h",
		.turn_credential = "c",
		.secret = {1, 2, 3},
	};
	w->wall_ms = NOW;
	w->monotonic_us = 1000;
	w->core = room_core_new(&w->config, &ops, w, &w->counters);
}

static void end_init(struct end *end, struct world *w)
{
	*end = (struct end){.world = w};
	end->got = g_ptr_array_new_with_free_func(g_free);
	end->client = room_client_new(w->core, end);
}

static void end_done(struct end *end)
{
	end->client = room_client_free(end->client);
	g_clear_pointer(&end->got, g_ptr_array_unref);
}

static void say(struct end *end, const char *json)
{
	room_client_receive(end->client, json, strlen(json));
}

/* What has come since the last look, one text a line. */
static char *take(struct end *end)
{
	GString *all = g_string_new(NULL);

	for (guint i = 0; i < end->got->len; i++) {
		if (i)
			g_string_append_c(all, '\n');
		g_string_append(all, end->got->pdata[i]);
	}
	g_ptr_array_set_size(end->got, 0);
	return g_string_free(all, FALSE);
}

#define assert_got(end, text)                                                  \
	G_STMT_START                                                           \
	{                                                                      \
		g_autofree char *got_ = take(end);                             \
		g_assert_cmpstr(got_, ==, text);                               \
	}                                                                      \
	G_STMT_END

static char *join_text(struct world *w, const char *rid, const char *start,
		       const char *spoil)
{
	char user_cred[ROOM_TOKEN_SIZE], room_cred[ROOM_TOKEN_SIZE];

	room_token_make_user(w->config.secret,
			     &(struct room_token_user){
				     .key = KEY,
				     .uid = USER,
				     .time_stamp = start,
				     .cid = CID,
			     },
			     user_cred);
	room_token_make_room(w->config.secret,
			     &(struct room_token_room){
				     .key = KEY,
				     .rid = rid,
				     .start = start,
				     .len = "200",
				     .api_owner = "o",
			     },
			     room_cred);
	if (spoil && strcmp(spoil, "user") == 0)
		user_cred[3] = user_cred[3] == 'x' ? 'y' : 'x';
	if (spoil && strcmp(spoil, "room") == 0)
		room_cred[42] = room_cred[42] == 'x' ? 'y' : 'x';
	return g_strdup_printf(
		"{\"type\":\"joinRoom\",\"uid\":\"" USER "\",\"cid\":\"" CID
		"\",\"rid\":\"%s\",\"userCred\":\"%s\",\"timeStamp\":\"%s\","
		"\"apiOwner\":\"o\",\"roomCred\":\"%s\",\"start\":\"%s\","
		"\"len\":200,\"isPrivileged\":false,\"autoIntroduce\":true,"
		"\"key\":\"%s\"}",
		rid, user_cred, start, room_cred, start,
		spoil && strcmp(spoil, "key") == 0 ? "other" : KEY);
}

#define START "2026-11-22T08:53:55.148Z"

static void join(struct end *end, const char *rid)
{
	g_autofree char *text = join_text(end->world, rid, START, NULL);
	g_autofree char *answer = NULL;
	g_autoptr(JsonNode) node = NULL;
	JsonObject *object;

	say(end, text);
	answer = take(end);
	node = json_from_string(answer, NULL);
	g_assert_nonnull(node);
	object = json_node_get_object(node);
	g_assert_cmpstr(json_object_get_string_member(object, "type"), ==,
			"inRoom");
	g_assert_cmpstr(json_object_get_string_member(object, "rid"), ==, rid);
	g_strlcpy(end->sid, json_object_get_string_member(object, "sid"),
		  sizeof(end->sid));
	end->weight = json_object_get_int_member(object, "tieBreaker");
	g_assert_cmpuint(strlen(end->sid), ==, ROOM_SID_CHARS);
}

/* One message of a peer, with its own mid and rid. */
static char *message(struct end *end, const char *rid, const char *rest)
{
	return g_strdup_printf("{\"mid\":\"%s\",\"rid\":\"%s\",%s}", end->sid,
			       rid, rest);
}

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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
}

static void test_groups_are_taken_apart(void)
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	for (int i = 0; i < ROOM_RATE_BURST + 49; i++)
		say(&a, text);
	g_assert_cmpuint(b.got->len, ==, ROOM_RATE_BURST - 1);
	g_assert_cmpuint(a.got->len, ==, 1);
	g_assert_nonnull(strstr(a.got->pdata[0], "\"reason\":\"fastmsg\""));
	g_assert_nonnull(strstr(a.got->pdata[0], "\"action\":\"warning\""));
	g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==, 50);

	w.monotonic_us += G_USEC_PER_SEC;
	for (int i = 0; i < 1000; i++)
		say(&a, text);
	g_assert_cmpuint(b.got->len, ==,
			 ROOM_RATE_BURST - 1 + ROOM_RATE_PER_SECOND);
	g_assert_cmpuint(a.got->len, ==, 1);
	w.monotonic_us += ROOM_RATE_WARN_US;
	for (int i = 0; i < ROOM_RATE_BURST + 1; i++)
		say(&a, text);
	g_assert_cmpuint(a.got->len, ==, 2);

	end_done(&a);
	end_done(&b);
	room_core_free(w.core);
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
	room_core_free(w.core);
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
	g_test_add_func("/room-core/groups", test_groups_are_taken_apart);
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
