// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"

#include <string.h>

/* What the manual page and completion promise, the daemon serves. */
static void test_every_method_is_served(void)
{
	g_autofree ControlHandler *handlers = daemon_handlers_new();

	for (const ControlMethod *m = control_methods; m->name; m++) {
		unsigned int n = 0;

		for (const ControlHandler *h = handlers; h->method; h++)
			n += !strcmp(h->method, m->name);
		if (n != 1)
			g_error("%s has %u handlers", m->name, n);
	}
	for (const ControlHandler *h = handlers; h->method; h++) {
		g_assert_nonnull(h->run);
		g_assert_nonnull(control_table_find(control_methods,
						    h->method));
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon-control/served", test_every_method_is_served);
	return g_test_run();
}
