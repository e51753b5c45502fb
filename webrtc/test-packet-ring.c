// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packet-ring.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <glib.h>

#define COUNT 200000u

static void test_full(void)
{
	struct packet_ring ring;

	g_assert_cmpint(packet_ring_init(&ring, 3), ==, 0);
	g_assert_null(packet_ring_peek(&ring));
	for (unsigned int i = 0; i < 4; i++) {
		struct packet *p = packet_ring_reserve(&ring);

		g_assert_nonnull(p);
		p->len = i;
		g_assert_cmpint(packet_ring_push(&ring), ==, i == 0);
	}
	g_assert_null(packet_ring_reserve(&ring));

	packet_ring_begin(&ring);
	for (unsigned int i = 0; i < 4; i++) {
		g_assert_cmpuint(packet_ring_peek(&ring)->len, ==, i);
		packet_ring_pop(&ring);
	}
	g_assert_null(packet_ring_peek(&ring));
	g_assert_nonnull(packet_ring_reserve(&ring));
	g_assert_true(packet_ring_push(&ring));
	packet_ring_not_woken(&ring);
	g_assert_nonnull(packet_ring_reserve(&ring));
	g_assert_true(packet_ring_push(&ring));
	packet_ring_done(&ring);
}

struct crossing {
	struct packet_ring ring;
	int fd;
};

static gpointer write_all(gpointer data)
{
	struct crossing *c = data;
	uint64_t one = 1;

	for (unsigned int i = 0; i < COUNT;) {
		struct packet *p = packet_ring_reserve(&c->ring);

		if (!p) {
			g_thread_yield();
			continue;
		}
		memcpy(p->data, &i, sizeof(i));
		p->len = sizeof(i);
		if (packet_ring_push(&c->ring))
			g_assert_cmpint(write(c->fd, &one, sizeof(one)), ==,
					sizeof(one));
		i++;
	}
	return NULL;
}

/* The reader sleeps until it is woken: a lost wake-up would hang here. */
static void test_crossing(void)
{
	struct crossing c = {.fd = eventfd(0, EFD_CLOEXEC)};
	unsigned int next = 0;
	GThread *thread;

	g_assert_cmpint(packet_ring_init(&c.ring, 64), ==, 0);
	thread = g_thread_new("writer", write_all, &c);
	while (next < COUNT) {
		struct packet *p;
		uint64_t n;

		g_assert_cmpint(read(c.fd, &n, sizeof(n)), ==, sizeof(n));
		packet_ring_begin(&c.ring);
		while ((p = packet_ring_peek(&c.ring))) {
			unsigned int got;

			memcpy(&got, p->data, sizeof(got));
			g_assert_cmpuint(got, ==, next);
			next++;
			packet_ring_pop(&c.ring);
		}
	}
	g_thread_join(thread);
	packet_ring_done(&c.ring);
	close(c.fd);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packet-ring/full", test_full);
	g_test_add_func("/packet-ring/crossing", test_crossing);
	return g_test_run();
}
