// SPDX-License-Identifier: Apache-2.0
/* Against a mock signaling server in this process: it has to break the
 * protocol and fall silent on demand, which the real one never does. */
#include "appliance/signaling/socket-client.h"

#include <string.h>

#include "appliance/signaling/http-session.h"

#define OPEN                                                                   \
	"0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":1000,"              \
	"\"pingTimeout\":1000}"

struct fixture {
	SoupServer *server;
	char *url, *dead_url;
	SoupSession *session;
	const char *greeting[3];	/* sent to a new connection */
	gboolean answer_pings;
	GPtrArray *connections;
	GPtrArray *received;		/* texts at the server */
	guint pings;
	char *query;

	GPtrArray *messages;		/* at the client */
	guint opened, retries, gave_up, closed;
	GError *error;
	SocketClient *client;
	enum socket_transport_choice choice;
	gboolean free_when_closed, free_on_message;
};

static void on_frame(SoupWebsocketConnection *c, gint type, GBytes *bytes,
		     gpointer data)
{
	struct fixture *f = data;
	gsize len;
	const char *text = g_bytes_get_data(bytes, &len);

	if (len == 1 && text[0] == '2') {
		f->pings++;
		if (f->answer_pings)
			soup_websocket_connection_send_text(c, "3");
		return;
	}
	g_ptr_array_add(f->received, g_strndup(text, len));
}

static void on_socket(SoupServer *server, SoupServerMessage *message,
		      const char *path, SoupWebsocketConnection *connection,
		      gpointer data)
{
	struct fixture *f = data;

	g_free(f->query);
	f->query = g_strdup(
		g_uri_get_query(soup_server_message_get_uri(message)));
	g_ptr_array_add(f->connections, g_object_ref(connection));
	g_signal_connect(connection, "message", G_CALLBACK(on_frame), f);
	for (guint i = 0; f->greeting[i]; i++)
		soup_websocket_connection_send_text(connection,
						    f->greeting[i]);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	f->server = soup_server_new(NULL, NULL);
	soup_server_add_websocket_handler(f->server, "/socket.io/", NULL, NULL,
					  on_socket, f, NULL);
	soup_server_listen_local(f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(f->server);
	f->url = g_strdup_printf("ws://127.0.0.1:%d/socket.io/",
				 g_uri_get_port(uris->data));
	/* the same server, but a path that it refuses */
	f->dead_url = g_strdup_printf("ws://127.0.0.1:%d/nothing/",
				      g_uri_get_port(uris->data));
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	f->session = http_session_new(NULL, NULL);
	f->connections = g_ptr_array_new_with_free_func(g_object_unref);
	f->received = g_ptr_array_new_with_free_func(g_free);
	f->messages = g_ptr_array_new_with_free_func(g_free);
	f->greeting[0] = OPEN;
	f->greeting[1] = "40";
	f->answer_pings = TRUE;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	f->client = socket_client_free(f->client);
	for (guint i = 0; i < f->connections->len; i++) {
		SoupWebsocketConnection *c = f->connections->pdata[i];

		while (soup_websocket_connection_get_state(c) !=
		       SOUP_WEBSOCKET_STATE_CLOSED)
			g_main_context_iteration(NULL, TRUE);
	}
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_ptr_array_unref(f->connections);
	g_ptr_array_unref(f->received);
	g_ptr_array_unref(f->messages);
	soup_session_abort(f->session);
	g_object_unref(f->session);
	soup_server_disconnect(f->server);
	g_object_unref(f->server);
	g_free(f->url);
	g_free(f->dead_url);
	g_free(f->query);
	g_clear_error(&f->error);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void on_opened(void *user, const char *url)
{
	((struct fixture *) user)->opened++;
}

static void on_message(void *user, const char *text, gsize len)
{
	struct fixture *f = user;

	g_assert_cmpuint(strlen(text), ==, len);
	g_ptr_array_add(f->messages, g_strdup(text));
	if (f->free_on_message)
		f->client = socket_client_free(f->client);
}

static void on_failed(void *user, const struct socket_plan_step *failed,
		      const struct socket_plan_step *next, const GError *error)
{
	struct fixture *f = user;

	g_assert_cmpuint(failed->attempt, ==, f->retries + f->gave_up);
	g_assert_cmpuint(f->gave_up, ==, 0);
	if (next)
		f->retries++;
	else
		f->gave_up++;
	g_assert_error(error, SOCKET_CLIENT_ERROR, SOCKET_CLIENT_ERROR_CONNECT);
}

static void on_closed(void *user, const GError *error)
{
	struct fixture *f = user;

	f->closed++;
	f->error = g_error_copy(error);
	if (f->free_when_closed)
		f->client = socket_client_free(f->client);
}

static void start(struct fixture *f, const char *first, const char *second)
{
	const char *urls[] = {first, second, NULL};
	SocketClientConfig config = {
		.session = f->session, .urls = urls, .connect_timeout_ms = 300,
		.choice = f->choice, .retry_delay_ms = 1,
		.opened = on_opened, .message = on_message, .failed = on_failed,
		.closed = on_closed, .user = f,
	};

	f->client = socket_client_new(&config);
}

#define WAIT(condition)                                                        \
	while (!(condition))                                                   \
		g_main_context_iteration(NULL, TRUE)

static SoupWebsocketConnection *connection(struct fixture *f)
{
	return f->connections->pdata[f->connections->len - 1];
}

static void test_talk(struct fixture *f, gconstpointer data)
{
	start(f, f->url, NULL);
	g_assert_false(socket_client_send(f->client, "{}"));
	WAIT(f->opened);
	g_assert_true(g_regex_match_simple(
		"^rand=\\d+&EIO=3&transport=websocket$", f->query, 0, 0));
	g_assert_true(socket_client_send(
		f->client, "{\"type\":\"x\",\"t\":\"\xc3\xa9\\n\"}"));
	WAIT(f->received->len);
	g_assert_cmpstr(f->received->pdata[0], ==,
			"42[\"message\",\"{\\\"type\\\":\\\"x\\\",\\\"t\\\":\\\""
			"\xc3\xa9\\\\n\\\"}\"]");
	soup_websocket_connection_send_text(
		connection(f), "42[\"message\",\"{\\\"a\\\":1}\"]");
	soup_websocket_connection_send_text(connection(f),
					    "42[\"other\",\"{}\"]");
	soup_websocket_connection_send_text(connection(f),
					    "42[\"message\",{\"b\":2}]");
	WAIT(f->messages->len == 2);
	g_assert_cmpstr(f->messages->pdata[0], ==, "{\"a\":1}");
	g_assert_cmpstr(f->messages->pdata[1], ==, "{\"b\":2}");
	/* leaving says so */
	f->client = socket_client_free(f->client);
	WAIT(f->received->len == 2);
	g_assert_cmpstr(f->received->pdata[1], ==, "41");
	g_assert_cmpuint(f->closed, ==, 0);
}

static void test_heartbeat(struct fixture *f, gconstpointer data)
{
	start(f, f->url, NULL);
	WAIT(f->pings == 1);
	g_assert_true(socket_client_is_open(f->client));
	f->answer_pings = FALSE;
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR,
		       SOCKET_CLIENT_ERROR_SILENT);
	g_assert_cmpuint(f->pings, >=, 2);
	g_assert_false(socket_client_is_open(f->client));
}

static void test_next_address(struct fixture *f, gconstpointer data)
{
	start(f, f->dead_url, f->url);
	WAIT(f->opened);
	/* three tries at the first */
	g_assert_cmpuint(f->retries, ==, 3);
	g_assert_cmpuint(f->closed, ==, 0);
}

static void test_no_address_answers(struct fixture *f, gconstpointer data)
{
	f->free_when_closed = TRUE;
	start(f, f->dead_url, f->dead_url);
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR,
		       SOCKET_CLIENT_ERROR_CONNECT);
	/* 2 x 3 by WebSocket, 2 x 5 by polling, 2 rounds of 2 */
	g_assert_cmpuint(f->retries, ==, 19);
	g_assert_cmpuint(f->gave_up, ==, 1);
	g_assert_cmpuint(f->opened, ==, 0);
}

static void test_connect_timeout(struct fixture *f, gconstpointer data)
{
	f->greeting[1] = NULL;	/* never gets to "40" */
	f->choice = SOCKET_TRANSPORT_WEBSOCKET;
	start(f, f->url, NULL);
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR,
		       SOCKET_CLIENT_ERROR_CONNECT);
	g_assert_nonnull(strstr(f->error->message, "no answer in time"));
}

static void test_not_engine_io(struct fixture *f, gconstpointer data)
{
	f->greeting[0] = "hello";
	f->greeting[1] = NULL;
	f->choice = SOCKET_TRANSPORT_WEBSOCKET;
	start(f, f->url, NULL);
	WAIT(f->closed);
	g_assert_nonnull(strstr(f->error->message, "no Engine.IO 3"));
}

static void closes_with(struct fixture *f, const char *packet)
{
	start(f, f->url, NULL);
	WAIT(f->opened);
	soup_websocket_connection_send_text(connection(f), packet);
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR,
		       SOCKET_CLIENT_ERROR_CLOSED);
}

static void test_disconnect_packet(struct fixture *f, gconstpointer data)
{
	closes_with(f, "41");
}

static void test_close_packet(struct fixture *f, gconstpointer data)
{
	f->free_when_closed = TRUE;
	closes_with(f, "1");
}

static void test_socket_closed(struct fixture *f, gconstpointer data)
{
	start(f, f->url, NULL);
	WAIT(f->opened);
	soup_websocket_connection_close(connection(f), 1001, NULL);
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR,
		       SOCKET_CLIENT_ERROR_CLOSED);
}

static void test_connection_cut(struct fixture *f, gconstpointer data)
{
	start(f, f->url, NULL);
	WAIT(f->opened);
	g_io_stream_close(soup_websocket_connection_get_io_stream(
				  connection(f)), NULL, NULL);
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR, SOCKET_CLIENT_ERROR_LOST);
}

static void test_freed_in_callback(struct fixture *f, gconstpointer data)
{
	f->free_on_message = TRUE;
	start(f, f->url, NULL);
	WAIT(f->opened);
	soup_websocket_connection_send_text(connection(f),
					    "42[\"message\",\"{}\"]");
	soup_websocket_connection_send_text(connection(f),
					    "42[\"message\",\"{}\"]");
	WAIT(f->received->len);		/* its "41" */
	g_assert_cmpuint(f->messages->len, ==, 1);
}

static void test_freed_while_connecting(struct fixture *f, gconstpointer data)
{
	start(f, f->url, NULL);
	f->client = socket_client_free(f->client);
	for (int i = 0; i < 20; i++)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(f->opened + f->closed, ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/socket-client/" name, struct fixture, NULL, set_up, fn,   \
		   tear_down)
	CASE("talk", test_talk);
	CASE("heartbeat", test_heartbeat);
	CASE("next-address", test_next_address);
	CASE("no-address", test_no_address_answers);
	CASE("connect-timeout", test_connect_timeout);
	CASE("not-engine-io", test_not_engine_io);
	CASE("disconnect-packet", test_disconnect_packet);
	CASE("close-packet", test_close_packet);
	CASE("socket-closed", test_socket_closed);
	CASE("cut", test_connection_cut);
	CASE("freed-in-callback", test_freed_in_callback);
	CASE("freed-while-connecting", test_freed_while_connecting);
	return g_test_run();
}
