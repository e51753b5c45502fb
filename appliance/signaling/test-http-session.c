// SPDX-License-Identifier: Apache-2.0
/* A real TLS server and a real, small proxy in this process. */
#include "appliance/signaling/http-session.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/signaling/room-api-client.h"
#include "appliance/signaling/socket-client.h"
#include "appliance/signaling/tls-test.h"

#define GOOD                                                                   \
	"{\"success\":true,\"cid\":\"c\",\"apiOwner\":\"o\",\"username\":"     \
	"\"u\","                                                               \
	"\"userCred\":\"uc\",\"timeStamp\":\"t\",\"room_key\":\"r\","          \
	"\"roomCred\":\"rc\",\"start\":\"s\",\"len\":1,"                       \
	"\"ipSigserver\":\"127.0.0.1\"}"
#define OPEN                                                                   \
	"0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,"              \
	"\"pingTimeout\":60000}"

/* --- the proxy ----------------------------------------------------------- */
struct proxy {
	GSocketService *service;
	guint16 port;
	GPtrArray *asked; /* first lines */
	guint open;
};

struct tunnel {
	gint refs;
	struct proxy *proxy;
	GSocketConnection *client, *server;
};

static void tunnel_unref(struct tunnel *t)
{
	if (--t->refs)
		return;
	t->proxy->open--;
	g_object_unref(t->client);
	g_clear_object(&t->server);
	g_free(t);
}

static void on_spliced(GObject *source, GAsyncResult *result, gpointer data)
{
	struct tunnel *t = data;

	g_output_stream_splice_finish(G_OUTPUT_STREAM(source), result, NULL);
	g_io_stream_close(G_IO_STREAM(t->client), NULL, NULL);
	if (t->server)
		g_io_stream_close(G_IO_STREAM(t->server), NULL, NULL);
	tunnel_unref(t);
}

static void splice(struct tunnel *t, GSocketConnection *from,
		   GSocketConnection *to)
{
	t->refs++;
	g_output_stream_splice_async(
		g_io_stream_get_output_stream(G_IO_STREAM(to)),
		g_io_stream_get_input_stream(G_IO_STREAM(from)),
		G_OUTPUT_STREAM_SPLICE_NONE, G_PRIORITY_DEFAULT, NULL,
		on_spliced, t);
}

/* "CONNECT host:port .." tunnels; "GET http://host:port/.." (or ws://..) is
 * passed on with the path alone, and what follows with it. */
static void take_head(struct tunnel *t, char *head)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	gboolean connect = g_str_has_prefix(head, "CONNECT ");
	char *host = connect ? head + 8 : strstr(head, "://") + 3;
	g_autofree char *address = g_strndup(host, strcspn(host, " /"));
	g_autofree char *line = g_strndup(head, strcspn(head, "\r"));
	g_autoptr(GString) first = g_string_new(NULL);

	g_ptr_array_add(t->proxy->asked, g_steal_pointer(&line));
	g_socket_client_set_enable_proxy(client, FALSE);
	t->server =
		g_socket_client_connect_to_host(client, address, 0, NULL, NULL);
	g_assert_nonnull(t->server);
	if (connect) {
		g_string_assign(first, "HTTP/1.1 200 OK\r\n\r\n");
	} else {
		g_string_append_len(first, head, strcspn(head, " ") + 1);
		g_string_append(first, host + strlen(address));
	}
	g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(
					  connect ? t->client : t->server)),
				  first->str, first->len, NULL, NULL, NULL);
	splice(t, t->client, t->server);
	splice(t, t->server, t->client);
}

static void on_head(GObject *source, GAsyncResult *result, gpointer data)
{
	struct tunnel *t = data;
	g_autoptr(GBytes) bytes = g_input_stream_read_bytes_finish(
		G_INPUT_STREAM(source), result, NULL);
	gsize len;
	const char *text = bytes ? g_bytes_get_data(bytes, &len) : NULL;
	g_autofree char *head = text ? g_strndup(text, len) : NULL;

	/* a loopback client's head comes in one piece */
	if (head && strstr(head, "\r\n\r\n"))
		take_head(t, head);
	tunnel_unref(t);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *client,
			    GObject *source, gpointer data)
{
	struct tunnel *t = g_new0(struct tunnel, 1);

	t->refs = 1;
	t->proxy = data;
	t->proxy->open++;
	t->client = g_object_ref(client);
	g_input_stream_read_bytes_async(
		g_io_stream_get_input_stream(G_IO_STREAM(client)), 8192,
		G_PRIORITY_DEFAULT, NULL, on_head, t);
	return TRUE;
}

/* --- the server and what asks it ------------------------------------------ */
struct fixture {
	SoupServer *server;
	guint16 port;
	char *folder, *ca_file;
	struct proxy proxy;
	GPtrArray *sockets;

	guint done, opened, closed;
	RoomApiAnswer *answer;
	GError *error;
	SocketClient *client;
};

static void on_api(SoupServer *server, SoupServerMessage *m, const char *path,
		   GHashTable *query, gpointer data)
{
	soup_server_message_set_status(m, 200, NULL);
	soup_server_message_set_response(
		m, "application/json", SOUP_MEMORY_STATIC, GOOD, strlen(GOOD));
}

static void on_socket(SoupServer *server, SoupServerMessage *m,
		      const char *path, SoupWebsocketConnection *c,
		      gpointer data)
{
	struct fixture *f = data;

	g_ptr_array_add(f->sockets, g_object_ref(c));
	soup_websocket_connection_send_text(c, OPEN);
	soup_websocket_connection_send_text(c, "40");
}

/* @san: NULL: no TLS */
static void serve(struct fixture *f, const char *san, int hours)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	f->server = soup_server_new(NULL, NULL);
	if (san) {
		g_autofree char *certificate = NULL;
		g_autofree char *all = tls_test_make(san, hours, &certificate);
		g_autoptr(GTlsCertificate) c =
			g_tls_certificate_new_from_pem(all, -1, &error);

		g_assert_no_error(error);
		soup_server_set_tls_certificate(f->server, c);
		f->ca_file = g_build_filename(f->folder, "ca.pem", NULL);
		g_assert_true(
			g_file_set_contents(f->ca_file, certificate, -1, NULL));
	}
	soup_server_add_handler(f->server, "/api", on_api, f, NULL);
	soup_server_add_websocket_handler(f->server, "/socket.io/", NULL, NULL,
					  on_socket, f, NULL);
	soup_server_listen_local(f->server, 0,
				 SOUP_SERVER_LISTEN_IPV4_ONLY |
					 (san ? SOUP_SERVER_LISTEN_HTTPS : 0),
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(f->server);
	f->port = (guint16) g_uri_get_port(uris->data);
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->folder = g_dir_make_tmp("skylink-test-XXXXXX", NULL);
	f->sockets = g_ptr_array_new_with_free_func(g_object_unref);
	f->proxy.asked = g_ptr_array_new_with_free_func(g_free);
	f->proxy.service = g_socket_service_new();
	f->proxy.port = g_socket_listener_add_any_inet_port(
		G_SOCKET_LISTENER(f->proxy.service), NULL, NULL);
	g_signal_connect(f->proxy.service, "incoming", G_CALLBACK(on_incoming),
			 &f->proxy);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	f->client = socket_client_free(f->client);
	for (guint i = 0; i < f->sockets->len; i++)
		while (soup_websocket_connection_get_state(
			       f->sockets->pdata[i]) !=
		       SOUP_WEBSOCKET_STATE_CLOSED)
			g_main_context_iteration(NULL, TRUE);
	soup_server_disconnect(f->server);
	g_object_unref(f->server);
	g_socket_service_stop(f->proxy.service);
	g_socket_listener_close(G_SOCKET_LISTENER(f->proxy.service));
	g_object_unref(f->proxy.service);
	while (f->proxy.open)
		g_main_context_iteration(NULL, TRUE);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_ptr_array_unref(f->proxy.asked);
	g_ptr_array_unref(f->sockets);
	room_api_answer_free(f->answer);
	g_clear_error(&f->error);
	if (f->ca_file)
		g_unlink(f->ca_file);
	g_rmdir(f->folder);
	g_free(f->ca_file);
	g_free(f->folder);
}

static void on_done(void *user, RoomApiAnswer *answer, gint code, guint status,
		    const GError *error)
{
	struct fixture *f = user;

	f->done++;
	f->answer = answer;
	f->error = error ? g_error_copy(error) : NULL;
}

#define WAIT(condition)                                                        \
	while (!(condition))                                                   \
	g_main_context_iteration(NULL, TRUE)

static void ask(struct fixture *f, const char *scheme, const char *host,
		const char *ca_file)
{
	g_autofree char *base =
		g_strdup_printf("%s://%s:%u", scheme, host, f->port);
	g_autoptr(GError) error = NULL;
	g_autoptr(SoupSession) session = http_session_new(ca_file, &error);
	const RoomApiConfig config = {
		.session = session,
		.request = {.base = base, .app_key = "k", .room = "r"},
		.done = on_done,
		.user = f,
	};
	RoomApiCall *call;

	g_assert_no_error(error);
	f->done = 0;
	f->answer = room_api_answer_free(f->answer);
	g_clear_error(&f->error);
	call = room_api_call_new(&config);
	WAIT(f->done);
	room_api_call_free(call);
	soup_session_abort(session);
}

static void refuses(struct fixture *f, const char *ca_file, const char *says)
{
	ask(f, "https", "127.0.0.1", ca_file);
	g_assert_error(f->error, ROOM_API_ERROR, ROOM_API_ERROR_TLS);
	if (!strstr(f->error->message, says))
		g_error("'%s' lacks '%s'", f->error->message, says);
}

static void on_opened(void *user, const char *url)
{
	((struct fixture *) user)->opened++;
}

static void on_closed(void *user, const GError *error)
{
	struct fixture *f = user;

	f->closed++;
	g_clear_error(&f->error);
	f->error = g_error_copy(error);
}

static void connect_to(struct fixture *f, const char *scheme,
		       const char *ca_file)
{
	g_autofree char *url = g_strdup_printf("%s://127.0.0.1:%u/socket.io/",
					       scheme, f->port);
	g_autoptr(SoupSession) session = http_session_new(ca_file, NULL);
	const char *urls[] = {url, NULL};
	const SocketClientConfig config = {
		.session = session,
		.urls = urls,
		.retry_delay_ms = 1,
		.choice = SOCKET_TRANSPORT_WEBSOCKET,
		.opened = on_opened,
		.closed = on_closed,
		.user = f,
	};

	f->client = socket_client_new(&config);
	WAIT(f->opened || f->closed);
}

/* --- certificates ----------------------------------------------------------
 */
static void test_trusted(struct fixture *f, gconstpointer data)
{
	serve(f, "IP:127.0.0.1", 24);
	ask(f, "https", "127.0.0.1", f->ca_file);
	g_assert_no_error(f->error);
	g_assert_nonnull(f->answer);
	connect_to(f, "wss", f->ca_file);
	g_assert_cmpuint(f->opened, ==, 1);
}

static void test_unknown_authority(struct fixture *f, gconstpointer data)
{
	serve(f, "IP:127.0.0.1", 24);
	refuses(f, NULL,
		"The certificate of '127.0.0.1' is not acceptable: "
		"nobody trusted here has signed it (room.ca_file");
	connect_to(f, "wss", NULL);
	g_assert_cmpuint(f->closed, ==, 1);
	g_assert_nonnull(strstr(f->error->message,
				"The certificate of '127.0.0.1' is not "
				"acceptable"));
}

static void test_another_host(struct fixture *f, gconstpointer data)
{
	serve(f, "DNS:other.example", 24);
	refuses(f, f->ca_file, "it is another host's");
}

static void test_expired(struct fixture *f, gconstpointer data)
{
	serve(f, "IP:127.0.0.1", -1);
	refuses(f, f->ca_file, "it has expired");
}

static void test_no_tls_there(struct fixture *f, gconstpointer data)
{
	serve(f, NULL, 0);
	/* what understands no word of it, and hangs up */
	f->port = f->proxy.port;
	refuses(f, NULL, "TLS with '127.0.0.1' failed");
}

static void test_ca_file(struct fixture *f, gconstpointer data)
{
	g_autofree char *bad = g_build_filename(f->folder, "bad.pem", NULL);
	g_autoptr(GError) error = NULL;

	serve(f, NULL, 0);
	g_assert_null(http_session_new("/not/here.pem", &error));
	g_assert_true(g_str_has_prefix(error->message,
				       "Cannot use the certificates in "
				       "'/not/here.pem'"));
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(bad,
					  "-----BEGIN CERTIFICATE-----\nAAAA\n"
					  "-----END CERTIFICATE-----\n",
					  -1, NULL));
	g_assert_null(http_session_new(bad, &error));
	g_assert_nonnull(strstr(error->message, bad));
	g_unlink(bad);
}

/* --- the proxy --------------------------------------------------------------
 */
static void use_proxy(struct fixture *f, const char *variable)
{
	g_autofree char *value =
		g_strdup_printf("http://127.0.0.1:%u", f->proxy.port);

	g_setenv(variable, value, TRUE);
}

static void assert_asked(struct fixture *f, guint n, const char *method)
{
	g_autofree char *start = NULL;

	g_assert_cmpuint(f->proxy.asked->len, ==, n);
	start = g_strdup_printf("%s%s127.0.0.1:%u", method,
				strcmp(method, "CONNECT") ? " http://" : " ",
				f->port);
	if (!g_str_has_prefix(f->proxy.asked->pdata[n - 1], start))
		g_error("'%s' does not start with '%s'",
			(char *) f->proxy.asked->pdata[n - 1], start);
}

static void test_tunnel(struct fixture *f, gconstpointer data)
{
	serve(f, "IP:127.0.0.1", 24);
	use_proxy(f, "https_proxy");
	ask(f, "https", "127.0.0.1", f->ca_file);
	g_assert_no_error(f->error);
	assert_asked(f, 1, "CONNECT");
	connect_to(f, "wss", f->ca_file);
	g_assert_cmpuint(f->opened, ==, 1);
	assert_asked(f, 2, "CONNECT");
	f->client = socket_client_free(f->client);
	g_unsetenv("https_proxy");
	/* another session, and no variable: no proxy */
	ask(f, "https", "127.0.0.1", f->ca_file);
	g_assert_no_error(f->error);
	g_assert_cmpuint(f->proxy.asked->len, ==, 2);
}

static void test_plain_through_proxy(struct fixture *f, gconstpointer data)
{
	serve(f, NULL, 0);
	use_proxy(f, "http_proxy");
	ask(f, "http", "127.0.0.1", NULL);
	g_assert_no_error(f->error);
	assert_asked(f, 1, "GET");
	connect_to(f, "ws", NULL);
	g_assert_cmpuint(f->opened, ==, 1);
	g_assert_cmpuint(f->proxy.asked->len, ==, 2);
	f->client = socket_client_free(f->client);
	g_setenv("no_proxy", "example.org, 127.0.0.1", TRUE);
	ask(f, "http", "127.0.0.1", NULL);
	g_assert_no_error(f->error);
	g_assert_cmpuint(f->proxy.asked->len, ==, 2);
	g_unsetenv("http_proxy");
	g_unsetenv("no_proxy");
}

static const char *const *variables;

static const char *get_variable(const char *name)
{
	for (const char *const *v = variables; v && v[0]; v += 2)
		if (!strcmp(v[0], name))
			return v[1];
	return NULL;
}

/* Which proxy a URL gets: NULL: no resolver at all. */
static void assert_proxy(const char *const *set, const char *url,
			 const char *wanted)
{
	g_autoptr(GProxyResolver) resolver = NULL;
	g_auto(GStrv) proxies = NULL;
	g_autoptr(GError) error = NULL;

	variables = set;
	resolver = http_proxy_from_environment(get_variable);
	variables = NULL;
	if (!wanted) {
		g_assert_null(resolver);
		return;
	}
	proxies = g_proxy_resolver_lookup(resolver, url, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(proxies[0], ==, wanted);
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_variables(void)
{
	assert_proxy(NULL, "http://h", NULL);
	assert_proxy(SET("http_proxy", ""), "http://h", NULL);
	assert_proxy(SET("http_proxy", "p:3128"), "http://h", "http://p:3128");
	assert_proxy(SET("http_proxy", "p:3128"), "https://h", "direct://");
	assert_proxy(SET("HTTPS_PROXY", "http://p:1"), "wss://h", "http://p:1");
	assert_proxy(SET("all_proxy", "socks5://p:1"), "https://h",
		     "socks5://p:1");
	assert_proxy(
		SET("all_proxy", "http://p", "no_proxy", ".in.org,10.0.0.0/8"),
		"https://a.in.org", "direct://");
	assert_proxy(
		SET("all_proxy", "http://p", "no_proxy", ".in.org,10.0.0.0/8"),
		"https://10.2.3.4", "direct://");
	assert_proxy(
		SET("all_proxy", "http://p", "no_proxy", ".in.org,10.0.0.0/8"),
		"https://out.org", "http://p");
	assert_proxy(SET("http_proxy", "http://p", "no_proxy", "*"), "http://h",
		     "direct://");
}

/* After a TLS handshake LeakSanitizer dies reading the thread-local storage of
 * GIO's workers: this test is not asked for leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* --- redirections -------------------------------------------------------- */
static void assert_redirect(const char *from, const char *location,
			    guint n_before, gboolean fine)
{
	g_autoptr(GUri) uri = g_uri_parse(from, SOUP_HTTP_URI_FLAGS, NULL);

	g_assert_nonnull(uri);
	g_assert_cmpint(http_redirect_is_fine(uri, location, n_before), ==,
			fine);
}

static void test_redirect_rules(void)
{
	const char *from = "https://a.example/api/x?cred=y";

	assert_redirect(from, "https://b.example/", 0, TRUE);
	assert_redirect(from, "/other", HTTP_REDIRECTS_MAX - 1, TRUE);
	assert_redirect(from, "/other", HTTP_REDIRECTS_MAX, FALSE);
	assert_redirect(from, "http://a.example/", 0, FALSE);
	assert_redirect(from, "//b.example/x", 0, TRUE);
	assert_redirect(from, "file:///etc/passwd", 0, FALSE);
	assert_redirect(from, "https://u:p@b.example/", 0, FALSE);
	assert_redirect(from, "https://", 0, FALSE);
	assert_redirect("http://a.example/", "https://a.example/", 0, TRUE);
	assert_redirect("http://a.example/", "http://b.example/", 0, TRUE);
	assert_redirect("http://a.example/", "ftp://b.example/", 0, FALSE);
	assert_redirect("ws://a.example/", "http://b.example/", 0, FALSE);
	assert_redirect("wss://a.example/", "https://b.example/", 0, FALSE);
}

static void on_redirect_result(GObject *source, GAsyncResult *result,
			       gpointer user)
{
	*(GAsyncResult **) user = g_object_ref(result);
}

static void on_round(SoupServer *server, SoupServerMessage *message,
		     const char *path, GHashTable *query, gpointer user)
{
	soup_server_message_set_redirect(message, SOUP_STATUS_FOUND, "/round");
	++*(guint *) user;
}

/* A server that sends us round and round is left after the last allowed. */
static void test_redirect_round(void)
{
	g_autoptr(SoupServer) server = soup_server_new(NULL, NULL);
	g_autoptr(SoupSession) session = http_session_new(NULL, NULL);
	g_autoptr(SoupMessage) message = NULL;
	g_autoptr(GInputStream) body = NULL;
	g_autoptr(GAsyncResult) result = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *url = NULL;
	GSList *uris;
	guint n = 0;

	soup_server_add_handler(server, NULL, on_round, &n, NULL);
	g_assert_true(soup_server_listen_local(server, 0,
					       SOUP_SERVER_LISTEN_IPV4_ONLY,
					       NULL));
	uris = soup_server_get_uris(server);
	url = g_uri_to_string(uris->data);
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	message = soup_message_new("GET", url);
	http_session_watch(message);
	soup_session_send_async(session, message, G_PRIORITY_DEFAULT, NULL,
				on_redirect_result, &result);
	while (!result)
		g_main_context_iteration(NULL, TRUE);
	body = soup_session_send_finish(session, result, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(soup_message_get_status(message), ==,
			 SOUP_STATUS_FOUND);
	g_assert_cmpuint(n, ==, HTTP_REDIRECTS_MAX + 1);
}

int main(int argc, char *argv[])
{
	/* nobody's real proxy */
	static const char *const unset[] = {
		"http_proxy", "https_proxy", "all_proxy", "no_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	};

	for (guint i = 0; i < G_N_ELEMENTS(unset); i++)
		g_unsetenv(unset[i]);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/http-session/variables", test_variables);
	if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		g_test_message("no TLS here: glib-networking is not installed");
		return g_test_run();
	}
#define CASE(name, fn)                                                         \
	g_test_add("/http-session/" name, struct fixture, NULL, set_up, fn,    \
		   tear_down)
	CASE("trusted", test_trusted);
	CASE("unknown-authority", test_unknown_authority);
	CASE("another-host", test_another_host);
	CASE("expired", test_expired);
	CASE("no-tls", test_no_tls_there);
	CASE("ca-file", test_ca_file);
	CASE("tunnel", test_tunnel);
	CASE("plain-proxy", test_plain_through_proxy);
	g_test_add_func("/http-session/redirect-rules", test_redirect_rules);
	g_test_add_func("/http-session/redirect-round", test_redirect_round);
	return g_test_run();
}
