// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-queue.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>

#define N_WRITERS 4
#define N_POSTS	  20000

static void nothing(void *data)
{
}

static void test_bounded_and_in_order(void)
{
	struct net_queue q;
	struct net_post post;

	g_assert_cmpint(net_queue_init(&q, 5), ==, 0);
	for (size_t lap = 0; lap < 3; lap++) {
		for (size_t i = 0; i < 8; i++)
			g_assert_true(net_queue_push(
				&q, (struct net_post){nothing,
						      GSIZE_TO_POINTER(i)}));
		g_assert_false(
			net_queue_push(&q, (struct net_post){nothing, NULL}));
		g_assert_cmpuint(net_queue_get_length(&q), ==, 8);
		for (size_t i = 0; i < 8; i++) {
			g_assert_true(net_queue_is_ready(&q));
			g_assert_true(net_queue_pop(&q, &post));
			g_assert_cmpuint(GPOINTER_TO_SIZE(post.data), ==, i);
		}
		g_assert_false(net_queue_is_ready(&q));
		g_assert_false(net_queue_pop(&q, &post));
	}
	net_queue_done(&q);
}

static void test_absurd_size_is_refused(void)
{
	struct net_queue q;

	g_assert_cmpint(net_queue_init(&q, SIZE_MAX), ==, -EINVAL);
}

struct writer {
	struct net_queue *q;
	size_t id;
	GThread *thread;
};

static gpointer write_all(gpointer data)
{
	struct writer *w = data;

	for (size_t i = 0; i < N_POSTS; i++) {
		void *value = GSIZE_TO_POINTER(w->id * N_POSTS + i);

		while (!net_queue_push(w->q, (struct net_post){nothing, value}))
			g_thread_yield();
	}
	return NULL;
}

/* Small, so that writers meet a full queue and each other. */
static void test_many_writers(void)
{
	struct writer writers[N_WRITERS];
	size_t next[N_WRITERS] = {0};
	struct net_queue q;
	struct net_post post;

	g_assert_cmpint(net_queue_init(&q, 64), ==, 0);
	for (size_t i = 0; i < N_WRITERS; i++) {
		writers[i] = (struct writer){&q, i, NULL};
		writers[i].thread =
			g_thread_new("writer", write_all, &writers[i]);
	}
	for (size_t n = 0; n < (size_t) N_WRITERS * N_POSTS;) {
		size_t value;

		if (!net_queue_pop(&q, &post)) {
			g_thread_yield();
			continue;
		}
		value = GPOINTER_TO_SIZE(post.data);
		g_assert_cmpuint(value % N_POSTS, ==, next[value / N_POSTS]);
		next[value / N_POSTS]++;
		n++;
	}
	for (size_t i = 0; i < N_WRITERS; i++) {
		g_thread_join(writers[i].thread);
		g_assert_cmpuint(next[i], ==, N_POSTS);
	}
	g_assert_false(net_queue_pop(&q, &post));
	net_queue_done(&q);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/net-queue/bounded", test_bounded_and_in_order);
	g_test_add_func("/net-queue/absurd", test_absurd_size_is_refused);
	g_test_add_func("/net-queue/many-writers", test_many_writers);
	return g_test_run();
}
