// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-core.h"

#include "appliance/roomserver/room-core-test.h"

/* Two ordinary peers in rooms of their own, and a privileged one in a third. */
struct desk {
	struct world w;
	struct end a, b, p;
};

static void desk_init(struct desk *d)
{
	world_init(&d->w);
	end_init(&d->a, &d->w);
	end_init(&d->b, &d->w);
	end_init(&d->p, &d->w);
	join_as(&d->a, &(struct join_as){.key = "quiet", .rid = "ra"});
	join_as(&d->b, &(struct join_as){.key = "quiet", .rid = "rb"});
	join_as(&d->p, &(struct join_as){.key = "desk", .rid = "rp"});
}

static void desk_done(struct desk *d)
{
	end_done(&d->a);
	end_done(&d->b);
	end_done(&d->p);
	world_done(&d->w);
}

static void introduce(struct end *asker, const char *sending,
		      const char *receiving)
{
	g_autofree char *text = g_strdup_printf(
		"{\"type\":\"introduce\",\"sendingPeerId\":\"%s\","
		"\"receivingPeerId\":\"%s\"}",
		sending, receiving);

	say(asker, text);
}

static void assert_refused(struct end *asker, const char *rid,
			   const char *sending, const char *receiving,
			   const char *reason)
{
	g_autofree char *expected = g_strdup_printf(
		"{\"type\":\"introduceError\",\"sendingPeerId\":\"%s\","
		"\"receivingPeerId\":\"%s\",\"reason\":\"%s\",\"rid\":\"%s\"}",
		sending, receiving, reason, rid);

	introduce(asker, sending, receiving);
	assert_got(asker, expected);
}

static char *targeted(struct end *from, const char *rid, const char *type,
		      const struct end *to)
{
	g_autofree char *rest = g_strdup_printf(
		"\"type\":\"%s\",\"target\":\"%s\"", type, to->sid);

	return message(from, rid, rest);
}

static void assert_heard(struct end *from, struct end *to, const char *text,
			 bool heard)
{
	say(from, text);
	assert_got(to, heard ? text : "");
}

static void test_peers_across_rooms(void)
{
	struct desk d;
	g_autofree char *approach = NULL, *enter = NULL, *welcome = NULL;
	g_autofree char *open = NULL, *bye = NULL, *offer = NULL;
	g_autofree char *lock = NULL;

	desk_init(&d);
	enter = targeted(&d.a, "ra", "enter", &d.b);
	welcome = targeted(&d.b, "rb", "welcome", &d.a);
	offer = targeted(&d.a, "ra", "offer", &d.b);
	open = message(&d.a, "ra", "\"type\":\"muteAudioEvent\"");
	assert_heard(&d.a, &d.b, enter, false);	/* not introduced yet */

	introduce(&d.p, d.a.sid, d.b.sid);
	approach = g_strdup_printf("{\"type\":\"approach\",\"rid\":\"ra\","
				   "\"target\":\"%s\"}", d.b.sid);
	assert_got(&d.a, approach);
	assert_got(&d.b, "");
	assert_got(&d.p, "");
	assert_heard(&d.a, &d.b, enter, true);
	assert_heard(&d.b, &d.a, welcome, true);
	assert_heard(&d.a, &d.b, offer, true);
	assert_heard(&d.a, &d.b, open, true);
	lock = message(&d.a, "ra", "\"type\":\"roomLockEvent\",\"lock\":true");
	assert_heard(&d.a, &d.b, lock, false);	/* another room's */
	assert_got(&d.p, "");

	/* Asked for again nothing changes; and who goes is gone for both. */
	introduce(&d.p, d.b.sid, d.a.sid);
	g_assert_cmpuint(d.b.got->len, ==, 1);
	g_ptr_array_set_size(d.b.got, 0);
	bye = g_strdup_printf("{\"type\":\"bye\",\"mid\":\"%s\","
			      "\"rid\":\"rb\"}", d.a.sid);
	room_client_free(g_steal_pointer(&d.a.client));
	assert_got(&d.b, bye);
	assert_got(&d.p, "");
	welcome[0] = '{';
	say(&d.b, welcome);
	desk_done(&d);
}

static void test_who_may_not(void)
{
	struct desk d;
	struct end foreign;

	desk_init(&d);
	end_init(&foreign, &d.w);
	join_as(&foreign, &(struct join_as){.key = "other", .rid = "rf"});
	assert_refused(&d.a, "ra", d.a.sid, d.b.sid, "not a privileged peer");
	assert_refused(&d.p, "rp", d.a.sid, "nobody", "peer not found");
	assert_refused(&d.p, "rp", "nobody", d.a.sid, "peer not found");
	assert_refused(&d.p, "rp", d.a.sid, d.a.sid,
		       "a peer cannot be introduced to itself");
	/* Rooms of another key are nobody else's. */
	assert_refused(&d.p, "rp", d.a.sid, foreign.sid, "peer not found");
	assert_refused(&foreign, "rf", d.a.sid, d.b.sid, "peer not found");
	say(&d.p, "{\"type\":\"introduce\",\"sendingPeerId\":5}");
	g_assert_cmpuint(room_count_get(d.w.counters.bad_messages), ==, 2);
	assert_got(&d.a, "");
	assert_got(&d.b, "");
	end_done(&foreign);
	desk_done(&d);
}

static void test_introductions_are_limited(void)
{
	struct desk d;
	struct end more[ROOM_MAX_LINKS];

	desk_init(&d);
	for (int i = 0; i < ROOM_MAX_LINKS; i++) {
		g_autofree char *rid = g_strdup_printf("m%d", i);

		end_init(&more[i], &d.w);
		join_as(&more[i],
			&(struct join_as){.key = "quiet", .rid = rid});
		introduce(&d.p, d.a.sid, more[i].sid);
		g_assert_cmpuint(d.a.got->len, ==, i + 1);
	}
	assert_refused(&d.p, "rp", d.b.sid, d.a.sid, "too many introductions");
	end_done(&more[0]);
	introduce(&d.p, d.b.sid, d.a.sid);
	g_assert_cmpuint(d.b.got->len, ==, 1);
	for (int i = 1; i < ROOM_MAX_LINKS; i++)
		end_done(&more[i]);
	desk_done(&d);
}

static void test_lists(void)
{
	struct desk d;
	struct end foreign;
	g_autofree char *all = NULL, *ordinary = NULL;

	desk_init(&d);
	end_init(&foreign, &d.w);
	join_as(&foreign, &(struct join_as){.key = "other", .rid = "rf"});
	say(&d.a, "{\"type\":\"getPeers\",\"showAll\":true}");
	assert_got(&d.a, "");
	g_assert_cmpuint(room_count_get(d.w.counters.bad_messages), ==, 1);

	say(&d.p, "{\"type\":\"getPeers\",\"showAll\":true}");
	all = take(&d.p);
	g_assert_nonnull(strstr(all, "\"type\":\"peerList\",\"rid\":\"rp\""));
	g_assert_nonnull(strstr(all, d.a.sid));
	g_assert_nonnull(strstr(all, d.b.sid));
	g_assert_nonnull(strstr(all, d.p.sid));
	g_assert_null(strstr(all, foreign.sid));

	say(&d.p, "{\"type\":\"getPeers\",\"showAll\":false}");
	ordinary = take(&d.p);
	g_assert_nonnull(strstr(ordinary, d.b.sid));
	g_assert_null(strstr(ordinary, d.p.sid));
	end_done(&foreign);
	desk_done(&d);
}

/* Without automatic introduction only privileged peers hear of newcomers. */
static void test_no_introduction(void)
{
	struct world w;
	struct end a, b, p;
	g_autofree char *enter = NULL, *mine = NULL, *to_b = NULL;

	world_init(&w);
	end_init(&a, &w);
	end_init(&b, &w);
	end_init(&p, &w);
	join_as(&a, &(struct join_as){.key = "quiet", .rid = "r"});
	join_as(&b, &(struct join_as){.key = "quiet", .rid = "r"});
	join_as(&p, &(struct join_as){.key = "desk", .rid = "r"});
	enter = message(&a, "r", "\"type\":\"enter\"");
	say(&a, enter);
	assert_got(&b, "");
	assert_got(&p, enter);
	to_b = targeted(&a, "r", "enter", &b);
	say(&a, to_b);
	assert_got(&b, to_b);
	mine = message(&p, "r", "\"type\":\"enter\"");
	say(&p, mine);
	assert_got(&a, "");
	end_done(&a);
	end_done(&b);
	end_done(&p);
	world_done(&w);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-introduce/across-rooms",
			test_peers_across_rooms);
	g_test_add_func("/room-introduce/refused", test_who_may_not);
	g_test_add_func("/room-introduce/limit",
			test_introductions_are_limited);
	g_test_add_func("/room-introduce/lists", test_lists);
	g_test_add_func("/room-introduce/no-introduction",
			test_no_introduction);
	return g_test_run();
}
