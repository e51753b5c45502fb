// SPDX-License-Identifier: Apache-2.0
#include "webrtc/control-queue.h"

#include <errno.h>

static unsigned int next_expected;

static void expect_in_order(void *data)
{
	g_assert_cmpuint(GPOINTER_TO_UINT(data), ==, next_expected);
	next_expected++;
}

static gpointer post_many(gpointer data)
{
	for (unsigned int i = 0; i < 10000;) {
		if (control_queue_post(data, expect_in_order,
				       GUINT_TO_POINTER(i)) == 0)
			i++;
		else
			g_thread_yield();
	}
	return NULL;
}

static void test_order_across_threads(void)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	struct control_queue *q;
	GThread *thread;

	next_expected = 0;
	g_assert_cmpint(control_queue_new(&q, context, 16), ==, 0);
	thread = g_thread_new("poster", post_many, q);
	while (next_expected < 10000)
		g_main_context_iteration(context, TRUE);
	g_thread_join(thread);
	q = control_queue_free(q);
}

static void test_full_is_refused_and_nothing_is_lost(void)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	struct control_queue *q;

	next_expected = 0;
	g_assert_cmpint(control_queue_new(&q, context, 4), ==, 0);
	for (unsigned int i = 0; i < 4; i++)
		g_assert_cmpint(control_queue_post(q, expect_in_order,
						   GUINT_TO_POINTER(i)), ==, 0);
	g_assert_cmpint(control_queue_post(q, expect_in_order, NULL), ==,
			-ENOBUFS);
	q = control_queue_free(q);
	g_assert_cmpuint(next_expected, ==, 4);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-queue/order", test_order_across_threads);
	g_test_add_func("/control-queue/full",
			test_full_is_refused_and_nothing_is_lost);
	return g_test_run();
}
