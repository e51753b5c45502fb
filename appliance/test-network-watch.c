// SPDX-License-Identifier: Apache-2.0
#include "appliance/network-watch.h"

#include <stdlib.h>
#include <unistd.h>

#define DEADLINE_S 60

static void test_missing(void)
{
	static const char *const before[] = {"10.0.0.1", "10.0.0.3", "fd00::1",
					     NULL};
	static const char *const now[] = {"10.0.0.2", "10.0.0.3", NULL};
	static const char *const none[] = {NULL};
	g_auto(GStrv) a = network_watch_missing(before, now);
	g_auto(GStrv) b = network_watch_missing(now, before);
	g_auto(GStrv) c = network_watch_missing(before, none);
	g_auto(GStrv) d = network_watch_missing(none, before);

	g_assert_cmpuint(g_strv_length(a), ==, 2);
	g_assert_cmpstr(a[0], ==, "10.0.0.1");
	g_assert_cmpstr(a[1], ==, "fd00::1");
	g_assert_cmpuint(g_strv_length(b), ==, 1);
	g_assert_cmpstr(b[0], ==, "10.0.0.2");
	g_assert_cmpuint(g_strv_length(c), ==, 3);
	g_assert_cmpuint(g_strv_length(d), ==, 0);
}

/* --- a real kernel, in a network namespace of our own --------------------- */
struct seen {
	unsigned int gained, lost;
	char *last_lost;
};

static void on_changed(void *user, gboolean gained, const char *const *lost)
{
	struct seen *s = user;

	s->gained += gained;
	for (; *lost; lost++) {
		s->lost++;
		g_free(s->last_lost);
		s->last_lost = g_strdup(*lost);
	}
}

static gboolean on_deadline(gpointer data)
{
	g_error("nothing was told within %d s", DEADLINE_S);
	return G_SOURCE_REMOVE;
}

static void wait_for(const unsigned int *counter, unsigned int count)
{
	guint deadline = g_timeout_add_seconds(DEADLINE_S, on_deadline, NULL);

	while (*counter < count)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(deadline);
}

static void check_list(const char *interface, const char *expected)
{
	const char *const names[] = {interface, NULL};
	g_auto(GStrv) list = network_watch_list(interface ? names : NULL);

	g_assert_cmpstr(*list ? *list : "", ==, expected);
	g_assert_true(!*list || !list[1]);
}

static void run(const char *command)
{
	g_assert_cmpint(system(command), ==, 0);
}

static void test_kernel(void)
{
	g_autoptr(GError) error = NULL;
	struct seen seen = {0};
	NetworkWatch *w;
	unsigned int gained;

	if (!g_getenv("NETWORK_WATCH_INSIDE")) {
		g_test_skip("no network namespace can be made here");
		return;
	}
	w = network_watch_new(on_changed, &seen, &error);
	g_assert_no_error(error);
	run("ip link add a0 type veth peer name b0 && ip link set b0 up && "
	    "ip addr add 10.9.0.2/24 dev a0 && ip link set a0 up");
	wait_for(&seen.gained, 1);
	g_assert_cmpuint(seen.lost, ==, 0);

	run("ip addr del 10.9.0.2/24 dev a0 && "
	    "ip addr add 10.9.0.7/24 dev a0");
	wait_for(&seen.lost, 1);
	g_assert_cmpstr(seen.last_lost, ==, "10.9.0.2");
	check_list("a0", "10.9.0.7");
	check_list("b0", "");
	check_list("lo", "");	/* it is down here */
	check_list(NULL, "10.9.0.7");

	/* The cable: out, nothing is lost yet; in, somebody may try again. */
	gained = seen.gained;
	run("ip link set b0 down && ip link set b0 up");
	wait_for(&seen.gained, gained + 1);
	g_assert_cmpuint(seen.lost, ==, 1);

	gained = seen.gained;
	run("ip route add default via 10.9.0.1");
	wait_for(&seen.gained, gained + 1);
	network_watch_free(w);
	g_free(seen.last_lost);
}

int main(int argc, char *argv[])
{
	/* Of its own, where the kernel lets us; it must not be this machine's
	 * network that is changed. */
	if (!g_getenv("NETWORK_WATCH_INSIDE") &&
	    !system("unshare -rn ip link set lo up 2>/dev/null")) {
		const char *const inside[] = {"unshare", "-rn",
						    argv[0], NULL};

		g_setenv("NETWORK_WATCH_INSIDE", "1", TRUE);
		execvp(inside[0], (char *const *) inside);
		g_unsetenv("NETWORK_WATCH_INSIDE");
	}
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/network-watch/missing", test_missing);
	g_test_add_func("/network-watch/kernel", test_kernel);
	return g_test_run();
}
