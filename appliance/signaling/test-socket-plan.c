// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/socket-plan.h"

/* "w0 w0+100 ..": transport, address, the wait if there is one; "!" where a
 * place is given up */
static char *list(enum socket_transport_choice choice, guint n)
{
	GString *out = g_string_new(NULL);
	struct socket_plan_step s;

	for (guint i = 0; socket_plan_get(choice, n, 100, i, &s); i++) {
		g_assert_cmpuint(s.attempt, ==, i);
		g_string_append_printf(out, "%s%c%u", i ? " " : "",
				       s.polling ? 'p' : 'w', s.address);
		if (s.wait_ms)
			g_string_append_printf(out, "+%u", s.wait_ms);
		if (s.last_here)
			g_string_append_c(out, '!');
		g_assert_cmpint(s.fallback, ==,
				s.address || (s.polling &&
					      choice == SOCKET_TRANSPORT_AUTO));
		g_assert_cmpuint(i, <, 1000);
	}
	return g_string_free(out, FALSE);
}

static void test_order(void)
{
	g_autofree char *automatic = list(SOCKET_TRANSPORT_AUTO, 2);
	g_autofree char *websocket = list(SOCKET_TRANSPORT_WEBSOCKET, 1);
	g_autofree char *polling = list(SOCKET_TRANSPORT_POLLING, 2);

	g_assert_cmpstr(automatic, ==,
			"w0 w0+100 w0+200! w1 w1+100 w1+200! "
			"p0 p0+100 p0+100 p0+100 p0+100! "
			"p1 p1+100 p1+100 p1+100 p1+100! "
			"p0+100! p1! p0+100! p1!");
	g_assert_cmpstr(websocket, ==, "w0 w0+100 w0+200! w0+100! w0+100!");
	g_assert_cmpstr(polling, ==,
			"p0 p0+100 p0+100 p0+100 p0+100! "
			"p1 p1+100 p1+100 p1+100 p1+100! "
			"p0+100! p1! p0+100! p1!");
}

static void test_end_leaves_the_step(void)
{
	struct socket_plan_step s = {.attempt = 77};

	g_assert_false(socket_plan_get(SOCKET_TRANSPORT_AUTO, 1, 1, 10, &s));
	g_assert_cmpuint(s.attempt, ==, 77);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/socket-plan/order", test_order);
	g_test_add_func("/socket-plan/end", test_end_leaves_the_step);
	return g_test_run();
}
