// SPDX-License-Identifier: Apache-2.0
/* Two associations back to back through a pipe that delays, loses and
 * reorders. usrsctp measures round trips by gettimeofday(): the test defines
 * its own, so that time passes only when the test says so. */
#include "webrtc/sctp.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include <glib.h>

#define STEP_US		(SCTP_STACK_TICK_MS * 1000u)
#define DELAY_US	10000

static uint64_t now_us = 1000000;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	tv->tv_sec = (time_t) (now_us / 1000000);
	tv->tv_usec = (suseconds_t) (now_us % 1000000);
	return 0;
}

struct packet {
	uint64_t due_us;
	GBytes *bytes;
};

struct event {
	enum { OPEN, CLOSED, WRITABLE, FAILED } what;
	uint16_t id;
	bool remote;
	char label[SCTP_LABEL_MAX_BYTES + 1];
	enum sctp_reason reason;
};

struct world;

struct side {
	struct world *world;
	struct side *peer;
	struct sctp_assoc *assoc;
	GQueue wire;
	size_t largest;
	GArray *events;			/* struct event */
	GPtrArray *messages;		/* GBytes: id, text, data */
	uint64_t bytes_got;
	bool count_only;		/* do not keep messages */
	bool echo, free_on_message, close_on_message;
	bool held;			/* reads nothing */
};

struct world {
	struct sctp_stack *stack;
	GRand *rand;
	double loss, reorder;
	struct side a, b;		/* a is the DTLS client */
};

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct side *s = user;
	struct world *w = s->world;
	struct packet *p;

	g_assert_nonnull(s->assoc);
	s->largest = MAX(s->largest, len);
	if (w->loss > 0 && g_rand_double(w->rand) < w->loss)
		return;
	p = g_new(struct packet, 1);
	p->due_us = now_us + DELAY_US;
	if (w->reorder > 0 && g_rand_double(w->rand) < w->reorder)
		p->due_us += 3 * DELAY_US;
	p->bytes = g_bytes_new(data, len);
	g_queue_push_tail(&s->wire, p);
}

static void note(struct side *s, struct event e)
{
	g_array_append_val(s->events, e);
}

static void on_open(void *user, uint16_t id, const char *label, bool remote)
{
	struct event e = {.what = OPEN, .id = id, .remote = remote};

	g_strlcpy(e.label, label, sizeof(e.label));
	note(user, e);
}

static void on_message(void *user, uint16_t id, bool text, const uint8_t *data,
		       size_t len)
{
	struct side *s = user;

	s->bytes_got += len;
	if (!s->count_only) {
		GByteArray *m = g_byte_array_new();
		uint8_t head[3] = {(uint8_t) (id >> 8), (uint8_t) id, text};

		g_byte_array_append(m, head, 3);
		g_byte_array_append(m, data, (guint) len);
		g_ptr_array_add(s->messages, g_byte_array_free_to_bytes(m));
	}
	if (s->echo)
		g_assert_cmpint(sctp_assoc_send(s->assoc, id, text, data, len),
				==, 0);
	if (s->close_on_message)
		g_assert_cmpint(sctp_assoc_close_channel(s->assoc, id), ==, 0);
	if (s->free_on_message)
		s->assoc = sctp_assoc_free(s->assoc);
}

static void on_closed(void *user, uint16_t id)
{
	note(user, (struct event) {.what = CLOSED, .id = id});
}

static void on_writable(void *user, uint16_t id)
{
	note(user, (struct event) {.what = WRITABLE, .id = id});
}

static void on_failed(void *user, enum sctp_reason reason)
{
	note(user, (struct event) {.what = FAILED, .reason = reason});
}

static bool on_may_read(void *user)
{
	return !((struct side *) user)->held;
}

static const struct sctp_ops ops = {
	.send = on_send,
	.channel_open = on_open,
	.message = on_message,
	.may_read = on_may_read,
	.channel_closed = on_closed,
	.writable = on_writable,
	.failed = on_failed,
};

static void packet_free(gpointer data)
{
	struct packet *p = data;

	g_bytes_unref(p->bytes);
	g_free(p);
}

static void side_init(struct world *w, struct side *s, struct side *peer)
{
	s->world = w;
	s->peer = peer;
	g_queue_init(&s->wire);
	s->events = g_array_new(FALSE, TRUE, sizeof(struct event));
	s->messages =
		g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
	g_assert_cmpint(sctp_assoc_new(w->stack, s == &w->a, &ops, s,
				       &s->assoc),
			==, 0);
}

static void side_done(struct side *s)
{
	s->assoc = sctp_assoc_free(s->assoc);
	g_queue_clear_full(&s->wire, packet_free);
	g_array_unref(s->events);
	g_ptr_array_unref(s->messages);
}

static void world_init(struct world *w)
{
	*w = (struct world) {.rand = g_rand_new_with_seed(5)};
	g_assert_cmpint(sctp_stack_ref(&w->stack), ==, 0);
	g_assert_false(sctp_stack_is_busy(w->stack));
	side_init(w, &w->a, &w->b);
	side_init(w, &w->b, &w->a);
	g_assert_true(sctp_stack_is_busy(w->stack));
}

static void world_done(struct world *w)
{
	/* Freeing sends an ABORT, into a wire nobody reads any more. */
	side_done(&w->a);
	side_done(&w->b);
	g_assert_false(sctp_stack_is_busy(w->stack));
	w->stack = sctp_stack_unref(w->stack);
	g_rand_free(w->rand);
}

static void deliver(struct side *from)
{
	GList *l = from->wire.head;

	while (l) {
		struct packet *p = l->data;
		GList *next = l->next;
		gsize len;
		const uint8_t *data = g_bytes_get_data(p->bytes, &len);

		if (p->due_us <= now_us) {
			g_queue_delete_link(&from->wire, l);
			if (from->peer->assoc)
				sctp_assoc_input(from->peer->assoc, data, len);
			packet_free(p);
		}
		l = next;
	}
}

static void step(struct world *w)
{
	now_us += STEP_US;
	deliver(&w->a);
	deliver(&w->b);
	sctp_stack_tick(w->stack, now_us);
}

/* Steps until the condition holds; fails after @ms of the test's time. */
#define run_until(w, ms, condition)                             \
	do {                                                    \
		unsigned int left_ = (ms) / SCTP_STACK_TICK_MS; \
		while (!(condition) && left_--)                 \
			step(w);                                \
		g_assert_true(condition);                       \
	} while (0)

static unsigned int count(struct side *s, int what, uint16_t id)
{
	unsigned int n = 0;

	for (guint i = 0; i < s->events->len; i++) {
		struct event *e = &g_array_index(s->events, struct event, i);

		n += (int) e->what == what &&
		     (what == FAILED || e->id == id);
	}
	return n;
}

static const struct event *last(struct side *s, int what)
{
	for (guint i = s->events->len; i-- > 0;) {
		struct event *e = &g_array_index(s->events, struct event, i);

		if ((int) e->what == what)
			return e;
	}
	return NULL;
}

static void start(struct world *w)
{
	g_assert_cmpint(sctp_assoc_start(w->a.assoc), ==, 0);
	g_assert_cmpint(sctp_assoc_start(w->b.assoc), ==, 0);
	run_until(w, 20000, sctp_assoc_is_up(w->a.assoc) &&
				    sctp_assoc_is_up(w->b.assoc));
}

static uint16_t open_channel(struct world *w, struct side *s,
			     const char *label)
{
	uint16_t id = 0xffff;
	unsigned int before;

	g_assert_cmpint(sctp_assoc_open_channel(s->assoc, label, &id), ==, 0);
	g_assert_cmpuint(id % 2, ==, s == &w->a ? 0 : 1);
	before = count(s->peer, OPEN, id);
	run_until(w, 60000, count(s->peer, OPEN, id) == before + 1 &&
				    count(s, OPEN, id) == before + 1);
	g_assert_true(last(s->peer, OPEN)->remote);
	g_assert_false(last(s, OPEN)->remote);
	g_assert_cmpstr(last(s->peer, OPEN)->label, ==, label);
	g_assert_cmpstr(last(s, OPEN)->label, ==, label);
	return id;
}

static void fill(uint8_t *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t) ('a' + (i * 7 + i / 251 + seed) % 26);
}

static void check_message(struct side *s, guint i, uint16_t id, bool text,
			  const uint8_t *want, size_t len)
{
	gsize got_len;
	const uint8_t *got = g_bytes_get_data(
		g_ptr_array_index(s->messages, i), &got_len);

	g_assert_cmpuint(got[0] << 8 | got[1], ==, id);
	g_assert_cmpint(got[2], ==, text);
	g_assert_cmpuint(got_len - 3, ==, len);
	g_assert_true(!len || memcmp(got + 3, want, len) == 0);
}

/* --- the tests --- */
static void test_open_and_sizes(void)
{
	static const size_t sizes[] = {1,     0,     2,	    1000,  1130,  1140,
				       1160,  4000,  16384, 65456, 65536, 65537,
				       131072, 262143, 262144};
	g_autofree uint8_t *data = g_malloc(SCTP_MESSAGE_MAX_BYTES + 1);
	struct world w;
	uint16_t from_a, from_b;
	guint n = 0;

	world_init(&w);
	start(&w);
	from_a = open_channel(&w, &w.a, "kZ3bQ0aXcYhP1AAAC");
	from_b = open_channel(&w, &w.b, "gr\xc3\xbc\xc3\x9f" "e");
	g_assert_cmpuint(from_a, ==, 0);
	g_assert_cmpuint(from_b, ==, 1);

	w.b.echo = true;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		uint16_t id = i % 2 ? from_a : from_b;

		fill(data, sizes[i], (unsigned int) i);
		g_assert_cmpint(sctp_assoc_send(w.a.assoc, id, i % 3, data,
						sizes[i]),
				==, 0);
		n++;
		run_until(&w, 60000, w.a.messages->len == n);
		check_message(&w.b, n - 1, id, i % 3, data, sizes[i]);
		check_message(&w.a, n - 1, id, i % 3, data, sizes[i]);
	}
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, from_a, false, data,
					SCTP_MESSAGE_MAX_BYTES + 1),
			==, -EMSGSIZE);
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, 40, false, data, 1), ==,
			-ENOENT);
	g_assert_cmpuint(w.a.largest, <=, SCTP_MTU_BYTES);
	g_assert_cmpuint(w.b.largest, <=, SCTP_MTU_BYTES);
	g_assert_cmpuint(w.a.largest, >, SCTP_MTU_BYTES - 16);
	world_done(&w);
}

/* Everything at once, before the association is up, under loss. */
static void test_queued_before_up(void)
{
	uint8_t data[100];
	uint16_t id;
	struct world w;

	world_init(&w);
	w.loss = 0.05;
	g_assert_cmpint(sctp_assoc_open_channel(w.b.assoc, "early", &id), ==,
			0);
	for (unsigned int i = 0; i < 1000; i++) {
		fill(data, sizeof(data), i);
		g_assert_cmpint(sctp_assoc_send(w.b.assoc, id, true, data,
						sizeof(data)),
				==, 0);
	}
	g_assert_cmpuint(sctp_assoc_queued(w.b.assoc, id), ==, 100000);
	start(&w);
	run_until(&w, 120000, w.a.messages->len == 1000);
	for (unsigned int i = 0; i < 1000; i++) {
		fill(data, sizeof(data), i);
		check_message(&w.a, i, id, true, data, sizeof(data));
	}
	g_assert_cmpuint(sctp_assoc_queued(w.b.assoc, id), ==, 0);
	world_done(&w);
}

static void test_lossy_both_ways(void)
{
	g_autofree uint8_t *data = g_malloc(65536);
	uint16_t id[2];
	struct world w;

	world_init(&w);
	w.loss = 0.05;
	w.reorder = 0.05;
	start(&w);
	id[0] = open_channel(&w, &w.a, "a");
	id[1] = open_channel(&w, &w.b, "b");
	for (unsigned int i = 0; i < 30; i++) {
		fill(data, 65536, i);
		g_assert_cmpint(sctp_assoc_send(w.a.assoc, id[i % 2], false,
						data, 65536 - i),
				==, 0);
		g_assert_cmpint(sctp_assoc_send(w.b.assoc, id[i % 2], false,
						data, 65536 - i),
				==, 0);
	}
	run_until(&w, 600000,
		  w.a.messages->len == 30 && w.b.messages->len == 30);
	/* In order within each channel. */
	for (int k = 0; k < 2; k++) {
		struct side *s = k ? &w.a : &w.b;
		unsigned int next[2] = {0, 1};

		for (guint i = 0; i < 30; i++) {
			const uint8_t *p = g_bytes_get_data(
				g_ptr_array_index(s->messages, i), NULL);
			unsigned int c = p[1] == id[1];

			fill(data, 65536, next[c]);
			check_message(s, i, id[c], false, data,
				      65536 - next[c]);
			next[c] += 2;
		}
	}
	world_done(&w);
}

static void test_close_and_reopen(void)
{
	struct world w;
	uint16_t id, other;

	world_init(&w);
	w.loss = 0.05;
	start(&w);
	other = open_channel(&w, &w.b, "stays");
	for (unsigned int i = 0; i < 20; i++) {
		struct side *closer = i % 2 ? &w.a : &w.b;

		id = open_channel(&w, &w.a, "again");
		g_assert_cmpuint(id, ==, 0);
		/* Who has not heard of the last closing yet means the channel
		 * that was. */
		g_assert_true(sctp_assoc_is_meant(w.a.assoc, id, i));
		g_assert_true(sctp_assoc_is_meant(w.b.assoc, id, i));
		g_assert_true(sctp_assoc_is_meant(w.a.assoc, other, 0));
		g_assert_false(i && sctp_assoc_is_meant(w.a.assoc, id, i - 1));
		g_assert_false(i && sctp_assoc_is_meant(w.b.assoc, id, i - 1));
		/* What was sent before the close arrives. */
		g_assert_cmpint(sctp_assoc_send(closer->assoc, id, true,
						(const uint8_t *) "bye", 3),
				==, 0);
		g_assert_cmpint(sctp_assoc_close_channel(closer->assoc, id),
				==, 0);
		g_assert_cmpint(sctp_assoc_send(closer->assoc, id, true,
						(const uint8_t *) "no", 2),
				==, -ENOENT);
		g_assert_cmpint(sctp_assoc_close_channel(closer->assoc, id),
				==, -ENOENT);
		run_until(&w, 60000, count(&w.a, CLOSED, id) == i + 1 &&
					     count(&w.b, CLOSED, id) == i + 1);
		g_assert_cmpuint(closer->peer->messages->len, ==, i / 2 + 1);
	}
	/* Both at the same time. */
	id = open_channel(&w, &w.a, "both");
	sctp_assoc_close_channel(w.a.assoc, id);
	sctp_assoc_close_channel(w.b.assoc, id);
	run_until(&w, 60000, count(&w.a, CLOSED, id) == 21 &&
				     count(&w.b, CLOSED, id) == 21);
	g_assert_cmpuint(count(&w.a, CLOSED, other), ==, 0);
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, other, true,
					(const uint8_t *) "still", 5),
			==, 0);
	run_until(&w, 60000, w.b.messages->len == 11);
	world_done(&w);
}

static void test_channel_limit(void)
{
	struct sctp_stats stats;
	struct world w;
	uint16_t id;

	world_init(&w);
	/* Each side opens all it may: the other half is refused. */
	for (int i = 0; i < SCTP_CHANNELS_MAX; i++) {
		g_assert_cmpint(sctp_assoc_open_channel(w.a.assoc, "x", &id),
				==, 0);
		g_assert_cmpuint(id, ==, 2 * i);
		g_assert_cmpint(sctp_assoc_open_channel(w.b.assoc, "y", &id),
				==, 0);
	}
	g_assert_cmpint(sctp_assoc_open_channel(w.a.assoc, "z", &id), ==,
			-ENOSPC);
	start(&w);
	run_until(&w, 60000, w.a.events->len == SCTP_CHANNELS_MAX &&
				     w.b.events->len == SCTP_CHANNELS_MAX);
	for (int i = 0; i < SCTP_CHANNELS_MAX; i++) {
		g_assert_cmpuint(count(&w.a, CLOSED, (uint16_t) (2 * i)), ==,
				 1);
		g_assert_cmpuint(count(&w.b, CLOSED, (uint16_t) (2 * i + 1)),
				 ==, 1);
	}
	sctp_assoc_get_stats(w.a.assoc, &stats);
	g_assert_cmpuint(stats.refused_channels, ==, SCTP_CHANNELS_MAX);
	g_assert_cmpuint(stats.channels, ==, 0);
	/* And after that the ids work. */
	open_channel(&w, &w.a, "fine");
	open_channel(&w, &w.b, "fine too");
	world_done(&w);
}

static void test_label_limits(void)
{
	char label[SCTP_LABEL_MAX_BYTES + 2];
	struct world w;
	uint16_t id;

	world_init(&w);
	memset(label, 'l', sizeof(label));
	label[SCTP_LABEL_MAX_BYTES + 1] = 0;
	g_assert_cmpint(sctp_assoc_open_channel(w.a.assoc, label, &id), ==,
			-EINVAL);
	g_assert_cmpint(sctp_assoc_open_channel(w.a.assoc, "\xff", &id), ==,
			-EINVAL);
	start(&w);
	label[SCTP_LABEL_MAX_BYTES] = 0;
	open_channel(&w, &w.a, label);
	open_channel(&w, &w.a, "");
	world_done(&w);
}

static void test_queue_limit(void)
{
	g_autofree uint8_t *data = g_malloc(SCTP_MESSAGE_MAX_BYTES);
	unsigned int sent = 0;
	struct world w;
	uint16_t id;

	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "full");
	w.b.count_only = true;
	memset(data, 'x', SCTP_MESSAGE_MAX_BYTES);
	while (sctp_assoc_send(w.a.assoc, id, true, data,
			       SCTP_MESSAGE_MAX_BYTES) == 0)
		sent++;
	/* Our queue and what usrsctp took. */
	g_assert_cmpuint(sent, >=,
			 SCTP_QUEUE_MAX_BYTES / SCTP_MESSAGE_MAX_BYTES);
	g_assert_cmpuint(sent, <=,
			 (SCTP_QUEUE_MAX_BYTES + SCTP_BUFFER_BYTES) /
				 SCTP_MESSAGE_MAX_BYTES);
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, id, true, data,
					SCTP_MESSAGE_MAX_BYTES),
			==, -EAGAIN);
	g_assert_cmpuint(count(&w.a, WRITABLE, id), ==, 0);
	run_until(&w, 60000, count(&w.a, WRITABLE, id) == 1);
	g_assert_cmpuint(sctp_assoc_queued(w.a.assoc, id), <=,
			 SCTP_QUEUE_LOW_BYTES);
	g_assert_cmpuint(sctp_assoc_queued(w.a.assoc, id), >, 0);
	run_until(&w, 60000,
		  w.b.bytes_got == (uint64_t) sent * SCTP_MESSAGE_MAX_BYTES);
	g_assert_cmpuint(count(&w.a, WRITABLE, id), ==, 1);

	/* Many small ones have a limit as well. */
	sent = 0;
	w.loss = 1;
	while (sctp_assoc_send(w.a.assoc, id, true, data, 1) == 0)
		g_assert_cmpuint(++sent, <, 20000);
	w.loss = 0;
	run_until(&w, 60000, count(&w.a, WRITABLE, id) == 2);
	world_done(&w);
}

/* Who does not read closes its window: the sender's queue fills, and not a
 * message is lost. */
static void test_held(void)
{
	g_autofree uint8_t *data = g_malloc0(65536);
	uint64_t sent = 0, got;
	struct world w;
	uint16_t id;

	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "held");
	w.b.count_only = true;
	w.b.held = true;
	for (int i = 0; i < 3000; i++) {
		while (sctp_assoc_send(w.a.assoc, id, false, data, 65536) == 0)
			sent += 65536;
		step(&w);
	}
	g_assert_cmpuint(w.b.bytes_got, ==, 0);
	g_assert_cmpuint(sent, <=, SCTP_QUEUE_MAX_BYTES +
					   2 * SCTP_BUFFER_BYTES + 65536);
	/* Nor is the closing behind them, for which a full buffer has room. */
	g_assert_cmpint(sctp_assoc_close_channel(w.a.assoc, id), ==, 0);
	for (int i = 0; i < 1000; i++)
		step(&w);
	w.b.held = false;
	sctp_assoc_resume(w.b.assoc);
	got = w.b.bytes_got;
	g_assert_cmpuint(got, >, 0);
	run_until(&w, 60000, w.b.bytes_got == sent);
	run_until(&w, 60000, count(&w.a, CLOSED, id) == 1 &&
				     count(&w.b, CLOSED, id) == 1);
	world_done(&w);
}

/* The closing comes while its receiver does not read: it waits behind what
 * came before, however full that makes the buffer. */
static void test_held_close(void)
{
	static const size_t sizes[] = {100, 1000, 20000, 65536};
	g_autofree uint8_t *data = g_malloc0(65536);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t sent = 0;
		struct world w;
		uint16_t id;

		world_init(&w);
		start(&w);
		id = open_channel(&w, &w.a, "held");
		w.b.count_only = true;
		w.b.held = true;
		for (int k = 0; k < 1000; k++) {
			if (sctp_assoc_queued(w.a.assoc, id) == 0 &&
			    sctp_assoc_send(w.a.assoc, id, false, data,
					    sizes[i]) == 0)
				sent += sizes[i];
			step(&w);
		}
		g_assert_cmpint(sctp_assoc_close_channel(w.a.assoc, id), ==, 0);
		for (int k = 0; k < 500; k++)
			step(&w);
		g_assert_cmpuint(w.b.bytes_got, ==, 0);
		w.b.held = false;
		run_until(&w, 60000, w.b.bytes_got == sent);
		run_until(&w, 60000, count(&w.a, CLOSED, id) == 1 &&
					     count(&w.b, CLOSED, id) == 1);
		world_done(&w);
	}
}

static void test_bad_text(void)
{
	struct sctp_stats stats;
	struct world w;
	uint16_t id;

	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "text");
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, id, true,
					(const uint8_t *) "\xc3\x28", 2),
			==, 0);
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, id, false,
					(const uint8_t *) "\xc3\x28", 2),
			==, 0);
	run_until(&w, 10000, w.b.messages->len == 1);
	check_message(&w.b, 0, id, false, (const uint8_t *) "\xc3\x28", 2);
	sctp_assoc_get_stats(w.b.assoc, &stats);
	g_assert_cmpuint(stats.dropped_text, ==, 1);
	world_done(&w);
}

static void test_abort(void)
{
	struct world w;
	uint16_t id;

	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "gone");
	/* From outside a callback the last packet leaves at once. */
	w.a.assoc = (sctp_assoc_free(w.a.assoc), NULL);
	run_until(&w, 1000, count(&w.b, FAILED, 0) == 1);
	g_assert_cmpint(last(&w.b, FAILED)->reason, ==, SCTP_REASON_REMOTE);
	g_assert_cmpuint(count(&w.b, CLOSED, id), ==, 1);
	g_assert_cmpint(sctp_assoc_send(w.b.assoc, id, true,
					(const uint8_t *) "x", 1),
			==, -ENOTCONN);
	g_assert_cmpint(sctp_assoc_open_channel(w.b.assoc, "x", &id), ==,
			-ENOTCONN);
	world_done(&w);
}

static void test_silence(void)
{
	struct world w;
	uint16_t id;

	/* Never answered. */
	world_init(&w);
	w.loss = 1;
	g_assert_cmpint(sctp_assoc_open_channel(w.a.assoc, "x", &id), ==, 0);
	g_assert_cmpint(sctp_assoc_start(w.a.assoc), ==, 0);
	run_until(&w, 200000, count(&w.a, FAILED, 0) == 1);
	g_assert_cmpint(last(&w.a, FAILED)->reason, ==, SCTP_REASON_SETUP);
	g_assert_cmpuint(count(&w.a, CLOSED, id), ==, 1);
	world_done(&w);

	/* Answered once, and no more. */
	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "x");
	w.loss = 1;
	g_assert_cmpint(sctp_assoc_send(w.a.assoc, id, true,
					(const uint8_t *) "x", 1),
			==, 0);
	run_until(&w, 200000, count(&w.a, FAILED, 0) == 1);
	g_assert_cmpint(last(&w.a, FAILED)->reason, ==, SCTP_REASON_TIMEOUT);
	world_done(&w);
}

/* Lost for good, not repeated: the rest arrives, nothing stalls, and a
 * reliable channel beside it loses nothing. */
static void test_partial_reliability(void)
{
	static const struct {
		bool unordered;
		enum dcep_reliability reliability;
		uint32_t parameter;
	} kinds[] = {
		{false, DCEP_MAX_RETRANSMITS, 0},
		{true, DCEP_MAX_RETRANSMITS, 0},
		{true, DCEP_MAX_LIFETIME, 50},
		{true, DCEP_RELIABLE, 0},
	};
	const unsigned int n = 20000;

	for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
		unsigned int sent = 0;
		uint16_t id, sure;
		uint8_t data[50];
		struct world w;

		world_init(&w);
		start(&w);
		g_assert_cmpint(sctp_assoc_open_channel_as(
					w.a.assoc, "loose", kinds[k].unordered,
					kinds[k].reliability,
					kinds[k].parameter, &id),
				==, 0);
		sure = open_channel(&w, &w.a, "sure");
		w.b.count_only = true;
		w.loss = 0.1;
		fill(data, sizeof(data), 0);
		for (unsigned int i = 0; i < 200000 / SCTP_STACK_TICK_MS &&
					 sent < n;
		     i++) {
			for (int burst = 0; burst < 50; burst++)
				sent += sctp_assoc_send(w.a.assoc, id, false,
							data, sizeof(data)) ==
					0;
			step(&w);
		}
		g_assert_cmpuint(sent, >=, n);
		run_until(&w, 60000, sctp_assoc_queued(w.a.assoc, id) == 0);
		w.loss = 0;
		for (int i = 0; i < 1000; i++)
			step(&w);
		if (kinds[k].reliability == DCEP_RELIABLE)
			g_assert_cmpuint(w.b.bytes_got, ==, sent * 50u);
		else
			g_assert_cmpuint(w.b.bytes_got, <, sent * 50u);
		g_assert_cmpuint(w.b.bytes_got, >, sent * 20u);
		w.b.count_only = false;
		g_assert_cmpint(sctp_assoc_send(w.a.assoc, sure, true, data,
						10),
				==, 0);
		run_until(&w, 60000, w.b.messages->len == 1);
		world_done(&w);
	}
}

static void test_requests_from_callbacks(void)
{
	struct world w;
	uint16_t id;

	/* Freed by its own message, with a packet still on the way. */
	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "x");
	w.b.free_on_message = true;
	for (int i = 0; i < 50; i++)
		sctp_assoc_send(w.a.assoc, id, true, (const uint8_t *) "x", 1);
	run_until(&w, 10000, w.b.messages->len == 1);
	for (int i = 0; i < 100; i++)
		step(&w);
	g_assert_cmpuint(w.b.messages->len, ==, 1);
	g_assert_null(w.b.assoc);
	world_done(&w);

	/* Echoed and closed within the same message. */
	world_init(&w);
	start(&w);
	id = open_channel(&w, &w.a, "x");
	w.b.echo = w.b.close_on_message = true;
	sctp_assoc_send(w.a.assoc, id, true, (const uint8_t *) "y", 1);
	run_until(&w, 10000, count(&w.a, CLOSED, id) == 1 &&
				     count(&w.b, CLOSED, id) == 1);
	check_message(&w.a, 0, id, true, (const uint8_t *) "y", 1);
	world_done(&w);
}

static void test_garbage(void)
{
	uint8_t junk[600];
	struct world w;

	world_init(&w);
	/* Before the start it is swallowed. */
	memset(junk, 1, sizeof(junk));
	sctp_assoc_input(w.a.assoc, junk, sizeof(junk));
	start(&w);
	for (int i = 0; i < 5000; i++) {
		size_t len = g_rand_int(w.rand) % sizeof(junk);

		for (size_t k = 0; k < len; k++)
			junk[k] = (uint8_t) g_rand_int(w.rand);
		if (len > 4) {
			/* the right ports */
			junk[0] = junk[2] = SCTP_PORT >> 8;
			junk[1] = junk[3] = SCTP_PORT & 0xff;
		}
		sctp_assoc_input(w.b.assoc, junk, len);
	}
	open_channel(&w, &w.a, "still works");
	world_done(&w);
}

/* Associations come and go on one stack, until every slot has been used
 * again; nothing of the former is left, or the end would not be reached. */
static void test_many(void)
{
	struct sctp_stack *stack = NULL;

	g_assert_cmpint(sctp_stack_ref(&stack), ==, 0);
	for (int i = 0; i < SCTP_STACK_SLOTS_MAX / 2 + 50; i++) {
		struct world w;

		world_init(&w);
		g_assert_true(w.stack == stack);
		start(&w);
		open_channel(&w, &w.b, "x");
		world_done(&w);
	}
	stack = sctp_stack_unref(stack);
	g_assert_null(sctp_stack_unref(NULL));
	g_assert_null(sctp_assoc_free(NULL));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sctp/sizes", test_open_and_sizes);
	g_test_add_func("/sctp/queued", test_queued_before_up);
	g_test_add_func("/sctp/lossy", test_lossy_both_ways);
	g_test_add_func("/sctp/reopen", test_close_and_reopen);
	g_test_add_func("/sctp/channels", test_channel_limit);
	g_test_add_func("/sctp/labels", test_label_limits);
	g_test_add_func("/sctp/queue-limit", test_queue_limit);
	g_test_add_func("/sctp/bad-text", test_bad_text);
	g_test_add_func("/sctp/abort", test_abort);
	g_test_add_func("/sctp/silence", test_silence);
	g_test_add_func("/sctp/held", test_held);
	g_test_add_func("/sctp/held-close", test_held_close);
	g_test_add_func("/sctp/from-callbacks", test_requests_from_callbacks);
	g_test_add_func("/sctp/partial", test_partial_reliability);
	g_test_add_func("/sctp/garbage", test_garbage);
	g_test_add_func("/sctp/many", test_many);
	return g_test_run();
}
