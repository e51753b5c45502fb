// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-activation.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/control/control-server.h"

#define DEADLINE_US (60 * G_USEC_PER_SEC)
#define DISCOVER "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"rpc.discover\"}\n"

/* What systemd does: it listens, and keeps the socket. */
struct manager {
	char *dir, *path;
	int fd;
};

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address,
			     sizeof(address)), ==, 0);
	g_assert_cmpint(listen(fd, 8), ==, 0);
	return fd;
}

static void set_up(struct manager *m, gconstpointer data)
{
	m->dir = g_dir_make_tmp("skylink-act-XXXXXX", NULL);
	g_assert_nonnull(m->dir);
	m->path = g_build_filename(m->dir, "control.sock", NULL);
	m->fd = listen_at(m->path);
	g_assert_cmpint(fcntl(m->fd, F_SETFL, O_NONBLOCK), ==, 0);
}

static void tear_down(struct manager *m, gconstpointer data)
{
	close(m->fd);
	/* The file is the manager's: still there for it to remove. */
	g_assert_cmpint(g_unlink(m->path), ==, 0);
	g_assert_cmpint(g_rmdir(m->dir), ==, 0);
	g_free(m->path);
	g_free(m->dir);
}

static int dial(const struct manager *m)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, m->path, sizeof(address.sun_path));
	g_assert_cmpint(connect(fd, (struct sockaddr *) &address,
				sizeof(address)), ==, 0);
	return fd;
}

static void ask(int fd)
{
	g_assert_cmpint(send(fd, DISCOVER, strlen(DISCOVER), MSG_NOSIGNAL), ==,
			(int) strlen(DISCOVER));
}

static void hear(int fd, GMainContext *context, const char *wanted)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
	g_autoptr(GString) heard = g_string_new(NULL);

	while (!strstr(heard->str, wanted)) {
		char text[4096];
		ssize_t n;

		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		if (context)
			g_main_context_iteration(context, FALSE);
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
		g_assert_cmpint(n, !=, 0);
		if (n > 0)
			g_string_append_len(heard, text, n);
		else
			g_assert_cmpint(errno, ==, EAGAIN);
	}
}

static void test_count(void)
{
	static const struct {
		const char *pid, *fds;
		unsigned int n;
	} cases[] = {
		{"100", "1", 1},
		{"100", "3", 3},
		{"100", "999", CONTROL_ACTIVATION_MAX},
		{"101", "1", 0},
		{"100", "0", 0},
		{"100", "-1", 0},
		{"100", "1x", 0},
		{"", "1", 0},
		{"100", "99999999999999999999", 0},
		{NULL, "1", 0},
		{"100", NULL, 0},
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpuint(control_activation_count(cases[i].pid,
							  cases[i].fds, 100),
				 ==, cases[i].n);
}

static void test_what_is_ours(struct manager *m, gconstpointer data)
{
	int pair[2], udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int client = dial(m);

	g_assert_true(control_activation_is_ours(m->fd));
	g_assert_false(control_activation_is_ours(client));
	g_assert_false(control_activation_is_ours(udp));
	g_assert_false(control_activation_is_ours(-1));
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				   pair), ==, 0);
	g_assert_false(control_activation_is_ours(pair[0]));
	close(pair[0]);
	close(pair[1]);
	close(client);
	close(udp);
}

/* Two daemons, one after the other, on one socket: who connects in between
 * waits and is served. */
static void test_survives_a_restart(struct manager *m, gconstpointer data)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	ControlServerConfig config = {.context = context,
				      .listen_fd = m->fd};

	for (unsigned int i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;
		int before = dial(m);
		ControlServer *server;

		ask(before);
		server = control_server_new(&config, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(control_server_get_path(server), ==, m->path);
		hear(before, context, "\"id\":7");
		control_server_free(server);
		close(before);
	}
}

static void test_a_reason_for_who_waits(struct manager *m, gconstpointer data)
{
	int asked = dial(m), silent = dial(m);
	char rest;

	ask(asked);
	control_activation_refuse(m->fd, "skylink.conf:3: no \"such\" key");
	hear(asked, NULL, "skylink.conf:3: no \\\"such\\\" key");
	hear(silent, NULL, "skylink.conf:3");
	/* And nobody is left who would have it started again. */
	g_assert_cmpint(recv(asked, &rest, 1, 0), <=, 0);
	g_assert_cmpint(recv(silent, &rest, 1, 0), <=, 0);
	g_assert_cmpint(accept4(m->fd, NULL, NULL, SOCK_CLOEXEC), <, 0);
	g_assert_cmpint(errno, ==, EAGAIN);
	control_activation_refuse(-1, "nobody is there");
	close(asked);
	close(silent);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-activation/count", test_count);
	g_test_add("/control-activation/what-is-ours", struct manager, NULL,
		   set_up, test_what_is_ours, tear_down);
	g_test_add("/control-activation/restart", struct manager, NULL, set_up,
		   test_survives_a_restart, tear_down);
	g_test_add("/control-activation/reason", struct manager, NULL, set_up,
		   test_a_reason_for_who_waits, tear_down);
	return g_test_run();
}
