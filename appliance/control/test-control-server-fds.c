// SPDX-License-Identifier: Apache-2.0
/* appliance/control/test-control-server-fds.c - files over the control socket
 */
#include "appliance/control/control-server.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_US (60 * G_USEC_PER_SEC)

struct fixture {
	char *dir, *path;
	GMainContext *context;
	ControlServer *server;
	unsigned int open_before;
	int client;
	struct control_line line;
	struct control_fd_queue queue;
	ControlCall *kept;
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

/* --- the methods ----------------------------------------------------------- */
static const ControlParam read_params[] = {
	{.name = "fd", .type = CONTROL_INT, .min = 0, .max = 9, .help = "File."},
	{.name = NULL},
};

static const ControlMethod methods[] = {
	{"test.read", CONTROL_ROLE_READ, read_params, "text", "Reads a file."},
	{"test.give", CONTROL_ROLE_READ, NULL, "fd", "Gives two files."},
	{"test.keep", CONTROL_ROLE_READ, NULL, "-", "Answers later."},
	{.name = NULL},
};

static const ControlEvent events[] = {{NULL, NULL, NULL}};

static void run_read(ControlCall *call, gpointer user)
{
	gint64 index = json_object_get_int_member(
		control_call_get_params(call), "fd");
	int fd = control_call_take_fd(call, (unsigned int) index);
	char text[64] = "";

	if (fd < 0) {
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "no file");
		return;
	}
	g_assert_cmpint(pread(fd, text, sizeof(text) - 1, 0), >=, 0);
	g_assert_cmpint(control_call_take_fd(call, (unsigned int) index), ==,
			-1);
	close(fd);
	control_call_reply(call, json_node_init_string(json_node_alloc(),
						       text));
}

static int make_file(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, text, strlen(text)), ==,
			(gssize) strlen(text));
	return fd;
}

static void run_give(ControlCall *call, gpointer user)
{
	int fds[] = {make_file("one"), make_file("two")};

	control_call_reply_fds(call, json_node_init_int(json_node_alloc(), 0),
			       fds, 2);
}

static void run_keep(ControlCall *call, gpointer user)
{
	struct fixture *f = user;

	f->kept = control_call_ref(call);
}

static const ControlHandler handlers[] = {
	{"test.read", run_read},
	{"test.give", run_give},
	{"test.keep", run_keep},
	{NULL, NULL},
};

/* --- the fixture ----------------------------------------------------------- */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(connect(fd, (const struct sockaddr *) &address,
				sizeof(address)), ==, 0);
	return fd;
}

static void turn_until(struct fixture *f, unsigned int clients)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
	ControlServerStats stats;

	for (;;) {
		while (g_main_context_iteration(f->context, FALSE))
			;
		control_server_get_stats(f->server, &stats);
		if (stats.clients == clients)
			return;
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	}
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ControlServerConfig config = {
		.methods = methods,
		.events = events,
		.handlers = handlers,
		.user = f,
	};

	f->dir = g_dir_make_tmp("skylink-fds-XXXXXX", &error);
	g_assert_no_error(error);
	f->path = g_build_filename(f->dir, "control.sock", NULL);
	f->context = g_main_context_new();
	config.context = f->context;
	config.path = f->path;
	f->server = control_server_new(&config, &error);
	g_assert_no_error(error);
	f->client = connect_to(f->path);
	control_line_init(&f->line, 100000);
	turn_until(f, 1);
	f->open_before = count_open();
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	if (f->client >= 0)
		close(f->client);
	control_fd_queue_clear(&f->queue);
	control_line_done(&f->line);
	control_server_free(f->server);
	g_main_context_unref(f->context);
	g_unlink(f->path);
	g_rmdir(f->dir);
	g_free(f->path);
	g_free(f->dir);
}

/* @texts: files that go along; NULL ends them. */
static void ask(struct fixture *f, const char *line, const char *const *texts)
{
	int fds[CONTROL_FDS_MAX] = {0};
	unsigned int n = 0;

	for (; texts && texts[n]; n++)
		fds[n] = make_file(texts[n]);
	g_assert_cmpint(control_fds_send(f->client, line, strlen(line), 0, fds,
					 n), ==, (gssize) strlen(line));
	while (n)
		close(fds[--n]);
}

/* The next answer. @fds: what came with it, or NULL: nothing may. */
static char *answer(struct fixture *f, struct control_fds *fds)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
	struct control_fds none = {0};
	const char *text;
	size_t len;
	int r;

	while (!(r = control_line_next(&f->line, &text, &len))) {
		while (g_main_context_iteration(f->context, FALSE))
			;
		control_fd_queue_read(&f->queue, &f->line, f->client,
				      MSG_DONTWAIT);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	}
	g_assert_cmpint(r, ==, 1);
	control_fd_queue_claim(&f->queue, control_line_position(&f->line),
			       fds ? fds : &none);
	g_assert_cmpuint(none.n, ==, 0);
	return g_strndup(text, len);
}

static void expect(struct fixture *f, const char *part)
{
	g_autofree char *line = answer(f, NULL);

	if (!strstr(line, part))
		g_error("'%s' is not in %s", part, line);
	g_assert_cmpuint(count_open(), ==, f->open_before);
}

#define READ(id, fd)                                                         \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"test.read\","      \
	"\"params\":{\"fd\":" #fd "}}\n"

/* --- tests ----------------------------------------------------------------- */
static void test_taken(struct fixture *f, gconstpointer data)
{
	const char *const texts[] = {"first", "second", NULL};

	ask(f, READ(1, 0), texts);
	expect(f, "\"result\":\"first\"");
	ask(f, READ(2, 1), texts);
	expect(f, "\"result\":\"second\"");
	ask(f, READ(3, 2), texts);
	expect(f, "no file");
	/* Not those of the line before. */
	ask(f, READ(4, 0), NULL);
	expect(f, "no file");
}

static void test_lines_queued_up(struct fixture *f, gconstpointer data)
{
	const char *const a[] = {"a", NULL}, *const b[] = {"b", NULL};

	ask(f, READ(1, 0), NULL);
	ask(f, READ(2, 0), a);
	ask(f, READ(3, 0), b);
	ask(f, READ(4, 0), NULL);
	g_autofree char *one = answer(f, NULL);
	g_autofree char *two = answer(f, NULL);
	g_autofree char *three = answer(f, NULL);

	g_assert_nonnull(strstr(one, "no file"));
	g_assert_nonnull(strstr(two, "\"a\""));
	g_assert_nonnull(strstr(three, "\"b\""));
	expect(f, "no file");
}

/* Whatever becomes of the line, its files are closed. */
static void test_never_taken(struct fixture *f, gconstpointer data)
{
	const char *const four[] = {"a", "b", "c", "d", NULL};

	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}\n",
	    four);
	expect(f, "result");
	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.none\"}\n",
	    four);
	expect(f, "-32601");
	ask(f, "no JSON\n", four);
	expect(f, "-32700");
	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.read\"}\n",
	    four);
	expect(f, "-32602");
	/* A notification: nobody answers. */
	ask(f, "{\"jsonrpc\":\"2.0\",\"method\":\"test.give\"}\n", four);
	ask(f, READ(2, 3), four);
	expect(f, "\"d\"");
}

static void test_too_many(struct fixture *f, gconstpointer data)
{
	const char *const four[] = {"a", "b", "c", "d", NULL};

	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":5,", four);
	ask(f, "\"method\":\"test.read\",\"params\":{\"fd\":0}}\n", four);
	expect(f, "-32002");
	ask(f, READ(6, 0), four);
	expect(f, "\"a\"");
}

static void test_handed_back(struct fixture *f, gconstpointer data)
{
	struct control_fds fds = {0};
	char text[8] = "";

	ask(f, READ(1, 0), NULL);
	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"test.give\"}\n",
	    NULL);
	ask(f, READ(3, 0), NULL);
	g_free(answer(f, NULL));
	g_free(answer(f, &fds));
	g_assert_cmpuint(fds.n, ==, 2);
	for (unsigned int i = 0; i < 2; i++) {
		int fd = control_fds_take(&fds, i);

		g_assert_cmpint(pread(fd, text, 3, 0), ==, 3);
		g_assert_cmpstr(text, ==, i ? "two" : "one");
		close(fd);
	}
	control_fds_clear(&fds);
	expect(f, "no file");
}

/* Gone before the answer was written, or given: nothing stays open. */
static void test_gone(struct fixture *f, gconstpointer data)
{
	const char *const a[] = {"a", NULL};
	int fd = make_file("late");

	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"test.keep\"}\n", a);
	while (!f->kept)
		g_main_context_iteration(f->context, TRUE);
	g_assert_cmpint(control_call_take_fd(f->kept, 0), ==, -1);
	ask(f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"test.give\"}\n", a);
	ask(f, "half a line", a);
	close(f->client);
	f->client = -1;
	turn_until(f, 0);
	control_call_reply_fds(f->kept, NULL, &fd, 1);
	g_clear_pointer(&f->kept, control_call_unref);
	/* Both ends of the connection are closed, too. */
	g_assert_cmpuint(count_open(), ==, f->open_before - 2);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *path;
		void (*run)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{"/control-server-fds/taken", test_taken},
		{"/control-server-fds/queued-up", test_lines_queued_up},
		{"/control-server-fds/never-taken", test_never_taken},
		{"/control-server-fds/too-many", test_too_many},
		{"/control-server-fds/handed-back", test_handed_back},
		{"/control-server-fds/gone", test_gone},
	};

	g_test_init(&argc, &argv, NULL);
	for (unsigned int i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, struct fixture, NULL, set_up,
			   tests[i].run, tear_down);
	return g_test_run();
}
