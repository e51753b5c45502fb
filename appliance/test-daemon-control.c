// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"

#include <string.h>

/* Nothing is served twice, and nothing that the table does not know. */
static void test_every_handler_has_its_row(void)
{
	g_autofree ControlHandler *handlers = daemon_handlers_new();
	unsigned int n = 0;

	for (const ControlHandler *h = handlers; h->method; h++, n++) {
		g_assert_nonnull(h->run);
		g_assert_nonnull(control_table_find(control_methods,
						    h->method));
		for (const ControlHandler *o = handlers; o < h; o++)
			g_assert_cmpstr(o->method, !=, h->method);
	}
	g_assert_cmpuint(n, >, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon-control/rows", test_every_handler_has_its_row);
	return g_test_run();
}
