// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-timer.h"

#include <errno.h>
#include <glib.h>

#define N_TIMERS 5000

struct probe {
	struct net_timer timer;
	struct net_heap *heap;
	uint64_t *last_due;
	unsigned int *n_fired;
	uint64_t again_us;	/* arm again for this time when fired */
	struct net_timer *kill; /* cancel this one when fired */
};

static void fire(struct net_timer *timer, uint64_t now_us)
{
	struct probe *p = (struct probe *) timer;

	g_assert_cmpuint(timer->heap_index, ==, 0);
	g_assert_cmpuint(timer->due_us, <=, now_us);
	g_assert_cmpuint(timer->due_us, >=, *p->last_due);
	*p->last_due = timer->due_us;
	(*p->n_fired)++;
	if (p->again_us)
		g_assert_cmpint(net_heap_set(p->heap, timer, p->again_us), ==,
				0);
	if (p->kill)
		net_heap_cancel(p->heap, p->kill);
}

static void check_heap(const struct net_heap *heap)
{
	for (size_t i = 1; i <= heap->n; i++) {
		g_assert_cmpuint(heap->entries[i].timer->heap_index, ==, i);
		if (i > 1)
			g_assert_cmpuint(heap->entries[i / 2].due_us, <=,
					 heap->entries[i].due_us);
	}
}

static void test_random_order(void)
{
	g_autofree struct probe *p = g_new0(struct probe, N_TIMERS);
	uint64_t last = 0, expected = 0;
	unsigned int n_fired = 0;
	struct net_heap heap;

	g_assert_cmpint(net_heap_init(&heap), ==, 0);
	for (int i = 0; i < N_TIMERS; i++) {
		p[i].timer.fire = fire;
		p[i].heap = &heap;
		p[i].last_due = &last;
		p[i].n_fired = &n_fired;
	}

	/* Arm, move and cancel at random, times shared by several. */
	for (int round = 0; round < 4 * N_TIMERS; round++) {
		struct probe *one = &p[g_random_int_range(0, N_TIMERS)];

		if (g_random_int_range(0, 4) == 0)
			net_heap_cancel(&heap, &one->timer);
		else
			net_heap_set(&heap, &one->timer,
				     g_random_int_range(1, 100000));
	}
	check_heap(&heap);
	expected = heap.n;
	g_assert_cmpuint(expected, >, N_TIMERS / 4);

	for (uint64_t now = 0; now <= 100000; now += 777) {
		net_heap_run(&heap, now, UINT64_MAX);
		g_assert_cmpuint(net_heap_get_due(&heap), >, now);
	}
	net_heap_run(&heap, 100000, UINT64_MAX);
	check_heap(&heap);
	g_assert_cmpuint(n_fired, ==, expected);
	g_assert_cmpuint(heap.n, ==, 0);
	g_assert_cmpuint(net_heap_get_due(&heap), ==, UINT64_MAX);
	net_heap_done(&heap);
}

static void test_armed_in_the_past_fires_once_a_run(void)
{
	uint64_t last = 0;
	unsigned int n_fired = 0;
	struct net_heap heap;
	struct probe p = {
		.timer.fire = fire,
		.heap = &heap,
		.last_due = &last,
		.n_fired = &n_fired,
		.again_us = 5,
	};

	g_assert_cmpint(net_heap_init(&heap), ==, 0);
	net_heap_set(&heap, &p.timer, 10);
	net_heap_run(&heap, 100, UINT64_MAX);
	g_assert_cmpuint(n_fired, ==, 1);
	net_heap_run(&heap, 101, UINT64_MAX);
	g_assert_cmpuint(n_fired, ==, 2);
	p.again_us = 0;
	net_heap_run(&heap, 102, UINT64_MAX);
	net_heap_run(&heap, 103, UINT64_MAX);
	g_assert_cmpuint(n_fired, ==, 3);
	net_heap_done(&heap);
}

static void test_cancelled_by_another_does_not_fire(void)
{
	uint64_t last = 0;
	unsigned int n_fired = 0;
	struct net_heap heap;
	struct probe b = {
		.timer.fire = fire,
		.heap = &heap,
		.last_due = &last,
		.n_fired = &n_fired,
	};
	struct probe a = b;

	a.kill = &b.timer;
	g_assert_cmpint(net_heap_init(&heap), ==, 0);
	net_heap_set(&heap, &a.timer, 1);
	net_heap_set(&heap, &b.timer, 2);
	net_heap_run(&heap, 10, UINT64_MAX);
	g_assert_cmpuint(n_fired, ==, 1);
	g_assert_cmpuint(b.timer.heap_index, ==, 0);
	net_heap_cancel(&heap, &b.timer);
	net_heap_done(&heap);
}

static void test_late_ones_are_counted(void)
{
	uint64_t last = 0;
	unsigned int n_fired = 0;
	struct net_heap heap;
	struct probe p[3];

	g_assert_cmpint(net_heap_init(&heap), ==, 0);
	for (int i = 0; i < 3; i++) {
		p[i] = (struct probe){
			.timer.fire = fire,
			.heap = &heap,
			.last_due = &last,
			.n_fired = &n_fired,
		};
		net_heap_set(&heap, &p[i].timer, 1000 * (i + 1));
	}
	/* 7000, 6000 and 5000 us late; more than 5000 is late. */
	g_assert_cmpuint(net_heap_run(&heap, 8000, 5000), ==, 2);
	g_assert_cmpuint(n_fired, ==, 3);
	net_heap_done(&heap);
}

static void test_limit(void)
{
	g_autofree struct net_timer *t =
		g_new0(struct net_timer, NET_TIMERS_MAX + 1);
	struct net_heap heap;

	g_assert_cmpint(net_heap_init(&heap), ==, 0);
	for (int i = 0; i < NET_TIMERS_MAX; i++)
		g_assert_cmpint(net_heap_set(&heap, &t[i], NET_TIMERS_MAX - i),
				==, 0);
	g_assert_cmpint(net_heap_set(&heap, &t[NET_TIMERS_MAX], 1), ==,
			-ENOMEM);
	/* Moving one that is armed needs no room. */
	g_assert_cmpint(net_heap_set(&heap, &t[0], 0), ==, 0);
	g_assert_true(heap.entries[1].timer == &t[0]);
	check_heap(&heap);
	net_heap_done(&heap);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/net-timer/random-order", test_random_order);
	g_test_add_func("/net-timer/past",
			test_armed_in_the_past_fires_once_a_run);
	g_test_add_func("/net-timer/cancelled",
			test_cancelled_by_another_does_not_fire);
	g_test_add_func("/net-timer/late", test_late_ones_are_counted);
	g_test_add_func("/net-timer/limit", test_limit);
	return g_test_run();
}
