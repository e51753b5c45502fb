// SPDX-License-Identifier: Apache-2.0
#include "appliance/metrics/metrics-server.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#include "appliance/metrics/metrics-text.h"

#define DEADLINE_S 60
#define PAGE	   "# HELP up x\n# TYPE up gauge\nup 1\n"

struct fixture {
	char *dir, *path;
	MetricsServer *server;
	unsigned int asked;
};

static char *make(void *user)
{
	struct fixture *f = user;

	f->asked++;
	return g_strdup(PAGE);
}

static MetricsServer *start(struct fixture *f, const char *listen,
			    GError **error)
{
	MetricsServerConfig config = {.listen = listen, .make = make,
				      .user = f};

	return metrics_server_new(&config, error);
}

static void set_up(struct fixture *f, gconstpointer listen)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *unix_path = NULL;

	f->dir = g_dir_make_tmp("metrics-XXXXXX", NULL);
	f->path = g_build_filename(f->dir, "metrics.sock", NULL);
	unix_path = g_strconcat("unix:", f->path, NULL);
	f->server = start(f, listen ? listen : unix_path, &error);
	g_assert_no_error(error);
}

static void tear_down(struct fixture *f, gconstpointer listen)
{
	metrics_server_free(f->server);
	g_assert_cmpint(g_access(f->path, F_OK), !=, 0);
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_free(f->dir);
	g_free(f->path);
}

/* --- a client that says what it likes ----------------------------------------- */
struct client {
	GSocketConnection *connection;
	GString *got;
	char buffer[4096];
	gboolean ended;
};

static void read_on(struct client *c);

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
	struct client *c = data;
	gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result,
					      NULL);

	if (n <= 0) {
		c->ended = TRUE;
		return;
	}
	g_string_append_len(c->got, c->buffer, n);
	read_on(c);
}

static void read_on(struct client *c)
{
	g_input_stream_read_async(
		g_io_stream_get_input_stream(G_IO_STREAM(c->connection)),
		c->buffer, sizeof(c->buffer), G_PRIORITY_DEFAULT, NULL,
		on_read, c);
}

static void say(struct fixture *f, struct client *c, const char *text,
		gsize len)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = NULL;
	guint16 port = metrics_server_get_port(f->server);
	g_autoptr(GError) error = NULL;

	*c = (struct client){.got = g_string_new(NULL)};
	address = port ? g_inet_socket_address_new_from_string("127.0.0.1",
							       port)
		       : g_unix_socket_address_new(f->path);
	c->connection = g_socket_client_connect(
		client, G_SOCKET_CONNECTABLE(address), NULL, &error);
	g_assert_no_error(error);
	/* It may hang up in the middle: that is its answer. */
	g_output_stream_write(
		g_io_stream_get_output_stream(G_IO_STREAM(c->connection)),
		text, len, NULL, NULL);
	read_on(c);
}

static gboolean on_late(gpointer data)
{
	g_error("nothing happens");
	return G_SOURCE_REMOVE;
}

static void wait_end(struct client *c)
{
	guint late = g_timeout_add_seconds(DEADLINE_S, on_late, NULL);

	while (!c->ended)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(late);
}

static void client_done(struct client *c)
{
	g_io_stream_close(G_IO_STREAM(c->connection), NULL, NULL);
	while (!c->ended)
		g_main_context_iteration(NULL, TRUE);
	g_object_unref(c->connection);
	g_string_free(c->got, TRUE);
}

/* Asks, and is told with the connection's end. g_free() */
static char *ask(struct fixture *f, const char *text)
{
	struct client c;
	char *got;

	say(f, &c, text, strlen(text));
	wait_end(&c);
	got = g_strdup(c.got->str);
	client_done(&c);
	return got;
}

#define END "Host: x\r\nConnection: close\r\n\r\n"

static void assert_status(struct fixture *f, const char *request, int status)
{
	g_autofree char *text = ask(f, request);
	g_autofree char *wanted = g_strdup_printf(" %d ", status);

	if (!g_str_has_prefix(text, "HTTP/1.") ||
	    !g_str_has_prefix(text + strlen("HTTP/1.1"), wanted))
		g_error("'%s': not %d but '%s'", request, status, text);
}

static void test_page(struct fixture *f, gconstpointer data)
{
	g_autofree char *text = ask(f, "GET /metrics HTTP/1.1\r\n" END);

	g_assert_true(g_str_has_prefix(text, "HTTP/1.1 200 "));
	g_assert_nonnull(strstr(text, "Content-Type: " METRICS_CONTENT_TYPE
				      "\r\n"));
	g_assert_true(g_str_has_suffix(text, "\r\n\r\n" PAGE));
	g_assert_cmpuint(f->asked, ==, 1);
}

static void test_bad_requests(struct fixture *f, gconstpointer data)
{
	g_autofree char *body = g_strnfill(200000, 'x');
	g_autofree char *post = g_strdup_printf(
		"POST /metrics HTTP/1.1\r\nContent-Length: 200000\r\n" END "%s",
		body);
	g_autofree char *with_body = g_strdup_printf(
		"GET /metrics HTTP/1.1\r\nContent-Length: 200000\r\n" END "%s",
		body);
	g_autofree char *long_head = g_strdup_printf(
		"GET /metrics HTTP/1.1\r\nX: %s\r\n" END, body);
	g_autofree char *got = NULL, *nothing = NULL;

	assert_status(f, "GET / HTTP/1.1\r\n" END, 404);
	assert_status(f, "GET /metrics/../etc/passwd HTTP/1.1\r\n" END, 404);
	assert_status(f, post, 405);
	assert_status(f, "DELETE /metrics HTTP/1.1\r\n" END, 405);
	assert_status(f, "nonsense\r\n\r\n", 400);
	g_assert_cmpuint(f->asked, ==, 0);
	/* The body is read past, and not kept. */
	assert_status(f, with_body, 200);
	assert_status(f, "GET /metrics?x=%00&y HTTP/1.1\r\n" END, 200);
	/* Whatever it says to a head that has no end, it lives. */
	got = ask(f, long_head);
	g_assert_false(g_str_has_prefix(got, "HTTP/1.1 200 "));
	nothing = ask(f, "\x16\x03\x01\x02\r\n\r\n");
	assert_status(f, "GET /metrics HTTP/1.1\r\n" END, 200);
}

/* Those who sit there keep others out, and only so many can. */
static void test_too_many(struct fixture *f, gconstpointer data)
{
	struct client sitting[METRICS_MAX_CLIENTS], one_more;

	for (int i = 0; i < METRICS_MAX_CLIENTS; i++)
		say(f, &sitting[i], "GET", 3);
	say(f, &one_more, "GET", 3);
	wait_end(&one_more);
	g_assert_cmpuint(one_more.got->len, ==, 0);
	g_assert_cmpuint(metrics_server_get_clients(f->server), ==,
			 METRICS_MAX_CLIENTS);
	client_done(&one_more);
	for (int i = 0; i < METRICS_MAX_CLIENTS; i++)
		client_done(&sitting[i]);
	while (metrics_server_get_clients(f->server))
		g_main_context_iteration(NULL, TRUE);
	assert_status(f, "GET /metrics HTTP/1.1\r\n" END, 200);
}

static void test_socket_file(struct fixture *f, gconstpointer data)
{
	g_autofree char *listen = g_strconcat("unix:", f->path, NULL);
	g_autoptr(GError) error = NULL;
	MetricsServer *second = start(f, listen, &error);
	GStatBuf st;

	g_assert_null(second);
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
	g_assert_nonnull(strstr(error->message, "control.metrics"));
	g_assert_cmpint(g_stat(f->path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0660);
}

static void test_a_file_stays(void)
{
	g_autofree char *dir = g_dir_make_tmp("metrics-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "precious", NULL);
	g_autofree char *listen = g_strconcat("unix:", path, NULL);
	g_autoptr(GError) error = NULL;
	struct fixture f = {0};

	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
	g_assert_null(start(&f, listen, &error));
	g_assert_nonnull(error);
	g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
	g_unlink(path);
	g_rmdir(dir);
}

#define TCP "127.0.0.1:0"

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/metrics-server/tcp", struct fixture, TCP, set_up,
		   test_page, tear_down);
	g_test_add("/metrics-server/unix", struct fixture, NULL, set_up,
		   test_page, tear_down);
	g_test_add("/metrics-server/bad", struct fixture, TCP, set_up,
		   test_bad_requests, tear_down);
	g_test_add("/metrics-server/too-many", struct fixture, NULL, set_up,
		   test_too_many, tear_down);
	g_test_add("/metrics-server/socket-file", struct fixture, NULL, set_up,
		   test_socket_file, tear_down);
	g_test_add_func("/metrics-server/file", test_a_file_stays);
	return g_test_run();
}
