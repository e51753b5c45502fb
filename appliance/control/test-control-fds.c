// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-fds.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/control/control-line.h"

struct fixture {
	int ours, theirs;
	struct control_line line;
	struct control_fd_queue queue;
	unsigned int open_before;
};

static unsigned int count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	g_assert_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				   pair), ==, 0);
	f->ours = pair[0];
	f->theirs = pair[1];
	control_line_init(&f->line, 1000);
	f->open_before = count_open();
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	control_fd_queue_clear(&f->queue);
	g_assert_cmpuint(count_open(), ==, f->open_before);
	control_line_done(&f->line);
	close(f->ours);
	close(f->theirs);
}

/* @n descriptors of /dev/null with @text. */
static void send_with(struct fixture *f, const char *text, unsigned int n)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fds[CONTROL_FDS_MAX];

	g_assert_cmpint(fd, >=, 0);
	for (unsigned int i = 0; i < n; i++)
		fds[i] = fd;
	g_assert_cmpint(control_fds_send(f->theirs, text, strlen(text), 0, fds,
					 n), ==, (gssize) strlen(text));
	close(fd);
}

/* One read, then all lines that are whole: "text:descriptors:truncated ". */
static char *receive(struct fixture *f)
{
	GString *s = g_string_new(NULL);
	const char *text;
	size_t len;
	int r;

	g_assert_cmpint(control_fd_queue_read(&f->queue, &f->line, f->ours,
					      MSG_DONTWAIT), >, 0);
	while ((r = control_line_next(&f->line, &text, &len))) {
		struct control_fds fds = {0};

		control_fd_queue_claim(&f->queue,
				       control_line_position(&f->line), &fds);
		for (unsigned int i = 0; i < fds.n; i++)
			g_assert_cmpint(fcntl(fds.fd[i], F_GETFD) & FD_CLOEXEC,
					==, FD_CLOEXEC);
		g_string_append_printf(s, "%.*s:%u:%d ",
				       r < 0 ? 4 : (int) len,
				       r < 0 ? "long" : text, fds.n,
				       fds.truncated);
		control_fds_clear(&fds);
	}
	return g_string_free(s, FALSE);
}

static void expect(struct fixture *f, const char *right)
{
	g_autofree char *got = receive(f);

	g_assert_cmpstr(got, ==, right);
}

static void test_one_line(struct fixture *f, gconstpointer data)
{
	send_with(f, "a\n", 2);
	expect(f, "a:2:0 ");
	send_with(f, "b\n", 0);
	expect(f, "b:0:0 ");
}

/* What was read together is told apart again. */
static void test_the_line_they_were_sent_with(struct fixture *f,
					      gconstpointer data)
{
	send_with(f, "a\nb\n", 0);
	send_with(f, "c\n", 1);
	send_with(f, "d\n", 2);
	expect(f, "a:0:0 b:0:0 c:1:0 ");
	expect(f, "d:2:0 ");
}

static void test_a_line_in_pieces(struct fixture *f, gconstpointer data)
{
	send_with(f, "a", 1);
	expect(f, "");
	send_with(f, "b", 0);
	expect(f, "");
	send_with(f, "c", 1);
	expect(f, "");
	send_with(f, "\nx", 1);
	/* The last byte is of the next line, and so is the descriptor. */
	expect(f, "abc:2:0 ");
	send_with(f, "y\n", 0);
	expect(f, "xy:1:0 ");
}

static void test_too_many(struct fixture *f, gconstpointer data)
{
	for (unsigned int i = 0; i < 100; i++) {
		send_with(f, "a", CONTROL_FDS_MAX);
		expect(f, "");
		g_assert_cmpuint(count_open(), <=,
				 f->open_before + 2 * CONTROL_FDS_MAX);
	}
	send_with(f, "\n", 0);
	g_autofree char *got = receive(f);

	g_assert_true(g_str_has_suffix(got, ":4:1 "));
	send_with(f, "b\n", 1);
	expect(f, "b:1:0 ");
}

static void test_skipped_line(struct fixture *f, gconstpointer data)
{
	g_autofree char *much = g_strnfill(2000, 'x');

	send_with(f, much, 1);
	expect(f, "long:1:0 ");
	send_with(f, much, 3);
	expect(f, "");
	send_with(f, "\n", 0);
	expect(f, "");
	send_with(f, "a\n", 1);
	expect(f, "a:1:0 ");
}

/* The kernel has nowhere to put them: said, and nothing else is lost. */
static void test_none_free(struct fixture *f, gconstpointer data)
{
	struct rlimit before, tight;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	send_with(f, "a\n", 2);
	tight = before;
	tight.rlim_cur = 3;
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &tight), ==, 0);
	g_autofree char *got = receive(f);

	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_cmpstr(got, ==, "a:0:1 ");
	send_with(f, "b\n", 1);
	expect(f, "b:1:0 ");
}

static void test_take(struct fixture *f, gconstpointer data)
{
	struct control_fds fds = {
		.fd = {open("/dev/null", O_RDONLY | O_CLOEXEC), -1}, .n = 2};
	int fd = control_fds_take(&fds, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(control_fds_take(&fds, 0), ==, -1);
	g_assert_cmpint(control_fds_take(&fds, 1), ==, -1);
	g_assert_cmpint(control_fds_take(&fds, 2), ==, -1);
	g_assert_cmpint(control_fds_take(&fds, 4000000000u), ==, -1);
	control_fds_clear(&fds);
	g_assert_cmpint(fcntl(fd, F_GETFD), >=, 0);
	close(fd);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *path;
		void (*run)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{"/control-fds/one-line", test_one_line},
		{"/control-fds/which-line", test_the_line_they_were_sent_with},
		{"/control-fds/pieces", test_a_line_in_pieces},
		{"/control-fds/too-many", test_too_many},
		{"/control-fds/skipped", test_skipped_line},
		{"/control-fds/none-free", test_none_free},
		{"/control-fds/take", test_take},
	};

	g_test_init(&argc, &argv, NULL);
	for (unsigned int i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, struct fixture, NULL, set_up,
			   tests[i].run, tear_down);
	return g_test_run();
}
