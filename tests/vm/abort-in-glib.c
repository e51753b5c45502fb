// SPDX-License-Identifier: Apache-2.0
/* tests/vm/abort-in-glib.c - a library that has GLib abort when SIGUSR2 comes
 *
 * Loaded in front of the daemon (LD_PRELOAD) in a test machine: g_error() from
 * the main loop's own dispatch, as a broken invariant in there would end it.
 *
 * Thread:  the one that runs the default main context
 */
#include <glib-unix.h>
#include <signal.h>

static gboolean on_signal(gpointer data)
{
	g_error("an invariant of the test is broken");
	return G_SOURCE_REMOVE;
}

__attribute__((constructor)) static void begin(void)
{
	g_unix_signal_add(SIGUSR2, on_signal, NULL);
}
