// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/engine.h"

#include <string.h>

#include "appliance/signaling/engineio.h"

struct world {
	struct engine *engine;
	struct room_counters counters;
	gint64 now_us;
	unsigned int n_wakes, n_closed;
	uint8_t next_random;
	GString *messages;
	struct engine_session *send_on_close; /* gets one when another goes */
};

static void on_wake(void *data, struct engine_session *session)
{
	((struct world *) data)->n_wakes++;
}

static void on_message(void *data, struct engine_session *session,
		       const char *json, size_t len)
{
	struct world *w = data;

	g_string_append_len(w->messages, json, (gssize) len);
	g_string_append_c(w->messages, '\n');
}

static void send_text(struct engine_session *session, const char *text)
{
	struct engine_packet *packet = engine_packet_new(text, strlen(text));

	engine_session_send(session, packet);
	engine_packet_unref(packet);
}

static void on_closed(void *data, struct engine_session *session)
{
	struct world *w = data;

	w->n_closed++;
	if (w->send_on_close && w->send_on_close != session)
		send_text(w->send_on_close, "4bye");
}

static gint64 monotonic_us(void *data)
{
	return ((struct world *) data)->now_us;
}

static void fill_random(void *data, uint8_t *bytes, size_t n)
{
	memset(bytes, ++((struct world *) data)->next_random, n);
}

static const struct engine_ops ops = {
	.wake = on_wake,
	.message = on_message,
	.closed = on_closed,
	.monotonic_us = monotonic_us,
	.random = fill_random,
};

static void world_init_many(struct world *w, unsigned int max_sessions)
{
	const struct engine_config config = {
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 60000,
		.max_sessions = max_sessions,
	};

	memset(w, 0, sizeof(*w));
	w->now_us = 1000;
	w->messages = g_string_new(NULL);
	w->engine = engine_new(&config, &ops, w, &w->counters);
}

static void world_init(struct world *w)
{
	world_init_many(w, 3);
}

static void world_done(struct world *w)
{
	engine_free(w->engine);
	g_string_free(w->messages, TRUE);
}

#define assert_next(session, expected)                                         \
	G_STMT_START                                                           \
	{                                                                      \
		struct engine_packet *p_ = engine_session_take(session);       \
		g_assert_nonnull(p_);                                          \
		g_assert_cmpmem(p_->text, p_->len, expected,                   \
				strlen(expected));                             \
		engine_packet_unref(p_);                                       \
	}                                                                      \
	G_STMT_END

static void drain(struct engine_session *session)
{
	struct engine_packet *packet;

	while ((packet = engine_session_take(session)))
		engine_packet_unref(packet);
}

static void receive(struct engine_session *session, const char *text)
{
	engine_session_receive(session, text, strlen(text));
}

static void test_opening(void)
{
	struct world w;
	struct engine_session *s;

	world_init(&w);
	s = engine_open(w.engine, false);
	assert_next(s, "0{\"sid\":\"AQEBAQEBAQEBAQEBAQEBAQEB\",\"upgrades\":[],"
		       "\"pingInterval\":25000,\"pingTimeout\":60000}");
	assert_next(s, "40");
	g_assert_null(engine_session_take(s));
	g_assert_true(engine_find(w.engine, s->sid) == s);
	g_assert_null(engine_find(w.engine, "other"));

	g_assert_nonnull(engine_open(w.engine, false));
	g_assert_nonnull(engine_open(w.engine, true));
	g_assert_null(engine_open(w.engine, true));
	g_assert_cmpuint(room_count_get(w.counters.refused), ==, 1);
	g_assert_cmpuint(room_count_get(w.counters.clients), ==, 3);
	world_done(&w);
	g_assert_cmpuint(w.n_closed, ==, 3);
}

static void test_packets(void)
{
	struct world w;
	struct engine_session *s;

	world_init(&w);
	s = engine_open(w.engine, false);
	drain(s);
	receive(s, "2");
	assert_next(s, "3");
	receive(s, "2probe");
	assert_next(s, "3probe");
	receive(s, "42[\"message\",\"{\\\"a\\\":1}\"]");
	receive(s, "42[\"message\",{\"b\":2}]");
	receive(s, "42[\"other\",\"x\"]");
	receive(s, "6");
	receive(s, "40");
	g_assert_cmpstr(w.messages->str, ==, "{\"a\":1}\n{\"b\":2}\n");
	/* A message beyond our limits is lost, its sender is not. */
	receive(s, "42[\"message\",{\"b\":99999999999999999999}]");
	g_assert_cmpuint(room_count_get(w.counters.bad_messages), ==, 1);
	g_assert_false(s->dead);
	world_done(&w);
}

static void test_endings(void)
{
	static const char *const endings[] = {
		"41", "1", "9", "", "4", "451-[]", "42/x,[\"message\",\"\"]"};

	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		struct world w;
		struct engine_session *s;
		g_autofree char *sid = NULL;

		world_init(&w);
		s = engine_open(w.engine, false);
		sid = g_strdup(s->sid);
		receive(s, endings[i]);
		g_assert_true(s->dead);
		g_assert_null(engine_find(w.engine, sid));
		g_assert_cmpuint(w.n_closed, ==, 0);
		engine_reap(w.engine);
		g_assert_cmpuint(w.n_closed, ==, 1);
		g_assert_cmpuint(engine_n_sessions(w.engine), ==, 0);
		world_done(&w);
	}
}

static void test_silence_ends_a_session(void)
{
	struct world w;
	struct engine_session *quiet, *lively;

	world_init(&w);
	quiet = engine_open(w.engine, false);
	lively = engine_open(w.engine, true);
	lively->joined = quiet->joined = true;
	for (int second = 0; second < 84; second++) {
		w.now_us += G_USEC_PER_SEC;
		if (second % 25 == 0)
			receive(lively, "2");
		engine_tick(w.engine);
	}
	g_assert_false(quiet->dead);
	w.now_us += G_USEC_PER_SEC;
	engine_tick(w.engine);
	g_assert_true(quiet->dead);
	g_assert_false(lively->dead);
	g_assert_cmpuint(room_count_get(w.counters.timeouts), ==, 1);
	world_done(&w);
}

static void test_joining_has_its_time(void)
{
	struct world w;
	struct engine_session *idle, *joined;

	world_init(&w);
	idle = engine_open(w.engine, false);
	joined = engine_open(w.engine, false);
	joined->joined = true;
	for (gint64 t = 0; t < ENGINE_JOIN_TIMEOUT_US;
	     t += 10 * G_USEC_PER_SEC) {
		receive(idle, "2");
		receive(joined, "2");
		engine_tick(w.engine);
		g_assert_false(idle->dead);
		w.now_us += 10 * G_USEC_PER_SEC;
	}
	engine_tick(w.engine);
	g_assert_true(idle->dead);
	g_assert_false(joined->dead);
	world_done(&w);
}

static void test_unjoined_packets_are_small(void)
{
	struct world w;
	struct engine_session *s, *joined;
	g_autofree char *big = g_strnfill(ENGINE_UNJOINED_MAX_BYTES + 1, '4');

	world_init(&w);
	s = engine_open(w.engine, false);
	receive(s, big);
	g_assert_true(s->dead);
	joined = engine_open(w.engine, false);
	joined->joined = true;
	big[0] = '6';
	receive(joined, big);
	g_assert_false(joined->dead);
	world_done(&w);
}

/* One who never reads is dropped at the limit; what is shared is freed once,
 * and the others get it all. */
static void test_slow_readers_are_dropped(void)
{
	struct world w;
	struct engine_session *slow, *quick;
	g_autofree char *text = g_strnfill(256 * 1024, 'x');
	unsigned int n = 0;

	world_init(&w);
	slow = engine_open(w.engine, false);
	quick = engine_open(w.engine, false);
	drain(slow);
	drain(quick);
	while (!slow->dead) {
		struct engine_packet *packet =
			engine_packet_new(text, 256 * 1024);

		engine_session_send(slow, packet);
		engine_session_send(quick, packet);
		engine_packet_unref(packet);
		drain(quick);
		n++;
	}
	g_assert_cmpuint(n, ==, ENGINE_QUEUE_MAX_BYTES / (256 * 1024) + 1);
	g_assert_false(quick->dead);
	g_assert_cmpuint(room_count_get(w.counters.dropped_slow), ==, 1);
	g_assert_null(engine_session_take(slow));
	world_done(&w);
}

/* Readers that stay below their own limit fill what all share: one of them
 * goes, and neither who is written to then nor who comes. */
static void test_shared_memory_is_freed_by_who_has_most(void)
{
	enum { SIZE = 256 * 1024,
	       EACH = ENGINE_QUEUE_MAX_BYTES / SIZE,
	       N = ENGINE_TOTAL_MAX_BYTES / ENGINE_QUEUE_MAX_BYTES };
	struct world w;
	struct engine_session *slow, *quick, *late;
	g_autofree char *text = g_strnfill(SIZE, 'x');
	struct engine_packet *packet = engine_packet_new(text, SIZE);

	world_init_many(&w, N + 2);
	quick = engine_open(w.engine, false);
	drain(quick);
	for (unsigned int i = 0; i < N; i++) {
		slow = engine_open(w.engine, false);
		drain(slow);
		for (unsigned int n = 0; n < EACH; n++)
			engine_session_send(slow, packet);
		g_assert_false(slow->dead);
	}
	late = engine_open(w.engine, true);
	engine_session_send(quick, packet);
	g_assert_false(late->dead);
	g_assert_false(quick->dead);
	g_assert_true(engine_session_has_output(late));
	g_assert_cmpuint(room_count_get(w.counters.dropped_slow), ==, 1);
	engine_reap(w.engine);
	g_assert_cmpuint(engine_n_sessions(w.engine), ==, N + 1);
	engine_packet_unref(packet);
	world_done(&w);
}

static void test_packets_in_a_queue_are_limited(void)
{
	struct world w;
	struct engine_session *s;

	world_init(&w);
	s = engine_open(w.engine, false);
	drain(s);
	for (unsigned int i = 0; i < ENGINE_QUEUE_MAX_PACKETS; i++)
		send_text(s, "4");
	g_assert_false(s->dead);
	send_text(s, "4");
	g_assert_true(s->dead);
	world_done(&w);
}

static void test_goodbye(void)
{
	struct world w;
	struct engine_session *s, *stuck;

	world_init(&w);
	s = engine_open(w.engine, false);
	stuck = engine_open(w.engine, false);
	drain(s);
	drain(stuck);
	send_text(s, "4last");
	engine_session_finish(s);
	send_text(s, "4too late");
	receive(s, "42[\"message\",{\"ignored\":1}]");
	assert_next(s, "4last");
	assert_next(s, "41");
	g_assert_null(engine_session_take(s));
	g_assert_cmpstr(w.messages->str, ==, "");
	g_assert_false(s->dead);

	engine_session_finish(stuck);
	w.now_us += ENGINE_FINISH_TIMEOUT_US;
	engine_tick(w.engine);
	g_assert_true(stuck->dead);
	world_done(&w);
}

/* The "bye" of one that goes may kill another, while the list is reaped. */
static void test_reaping_may_kill_more(void)
{
	struct world w;
	struct engine_session *first, *full;

	world_init(&w);
	first = engine_open(w.engine, false);
	full = engine_open(w.engine, false);
	drain(full);
	for (unsigned int i = 0; i < ENGINE_QUEUE_MAX_PACKETS; i++)
		send_text(full, "4");
	w.send_on_close = full;
	engine_session_kill(first);
	engine_reap(w.engine);
	g_assert_cmpuint(w.n_closed, ==, 2);
	g_assert_cmpuint(engine_n_sessions(w.engine), ==, 0);
	world_done(&w);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/engine/opening", test_opening);
	g_test_add_func("/engine/packets", test_packets);
	g_test_add_func("/engine/endings", test_endings);
	g_test_add_func("/engine/silence", test_silence_ends_a_session);
	g_test_add_func("/engine/joining", test_joining_has_its_time);
	g_test_add_func("/engine/unjoined", test_unjoined_packets_are_small);
	g_test_add_func("/engine/slow", test_slow_readers_are_dropped);
	g_test_add_func("/engine/shared",
			test_shared_memory_is_freed_by_who_has_most);
	g_test_add_func("/engine/many", test_packets_in_a_queue_are_limited);
	g_test_add_func("/engine/goodbye", test_goodbye);
	g_test_add_func("/engine/reaping", test_reaping_may_kill_more);
	return g_test_run();
}
