// SPDX-License-Identifier: Apache-2.0
/* Against a mock polling server in this process: it has to answer with the
 * wrong things, and in the form that ours never chooses. */
#include "appliance/signaling/socket-client.h"

#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/http-session.h"

#define OPEN                                                                   \
	"0{\"sid\":\"s/1\",\"upgrades\":[\"websocket\"],\"pingInterval\":"     \
	"1000,\"pingTimeout\":1000}"

enum fault { NONE, NOT_FOUND, REFUSE, GARBAGE, EMPTY, HUGE, NO_OPEN };

struct fixture {
	SoupServer *server;
	char *url;
	SoupSession *session;
	enum eio_form form;
	enum fault fault;	    /* of answers to polls with a sid */
	GString *queue;		    /* what the next poll brings */
	SoupServerMessage *held;    /* a poll */
	GPtrArray *bodies;	    /* of POSTs */
	GPtrArray *packets;	    /* in them */
	SoupServerMessage *posting; /* its answer waits */
	gboolean hold_posts;
	guint overlaps, opens, polls, pings;

	GPtrArray *messages;
	guint opened, failed, closed;
	GError *error;
	SocketClient *client;
};

static void answer(struct fixture *f, SoupServerMessage *m, const char *body,
		   gsize len)
{
	soup_server_message_set_status(m, 200, NULL);
	soup_server_message_set_response(m,
					 f->form == EIO_FORM_BINARY
						 ? "application/octet-stream"
						 : "text/plain; charset=UTF-8",
					 SOUP_MEMORY_COPY, body, len);
}

static void queue(struct fixture *f, const char *packet)
{
	eio_payload_append(f->queue, packet, strlen(packet), f->form);
	if (!f->held)
		return;
	answer(f, f->held, f->queue->str, f->queue->len);
	g_string_truncate(f->queue, 0);
	soup_server_message_unpause(f->held);
	g_clear_object(&f->held);
}

static void answer_wrongly(struct fixture *f, SoupServerMessage *m)
{
	static const char refusal[] =
		"{\"code\":1,\"message\":\"Session ID unknown\"}";
	g_autofree char *huge = NULL;

	switch (f->fault) {
	case NONE:
	case NOT_FOUND:
	case NO_OPEN:
		break;
	case REFUSE:
		soup_server_message_set_status(m, 400, NULL);
		soup_server_message_set_response(m, "application/json",
						 SOUP_MEMORY_STATIC, refusal,
						 strlen(refusal));
		break;
	case GARBAGE:
		answer(f, m, "9:4", 3);
		break;
	case EMPTY:
		answer(f, m, "", 0);
		break;
	case HUGE:
		huge = g_strnfill(4 * EIO_MAX_PACKET, '4');
		answer(f, m, huge, 4 * EIO_MAX_PACKET);
		break;
	}
}

static void on_get(struct fixture *f, SoupServerMessage *m, gboolean has_sid)
{
	if (!has_sid) {
		g_autoptr(GString) body = g_string_new(NULL);
		const char *first = f->fault == NO_OPEN ? "40" : OPEN;

		f->opens++;
		eio_payload_append(body, first, strlen(first), f->form);
		answer(f, m, body->str, body->len);
		return;
	}
	f->polls++;
	f->overlaps += f->held != NULL;
	if (f->queue->len) {
		answer(f, m, f->queue->str, f->queue->len);
		g_string_truncate(f->queue, 0);
	} else if (f->fault != NONE) {
		answer_wrongly(f, m);
	} else {
		soup_server_message_pause(m);
		g_set_object(&f->held, m);
	}
}

static void end_post(struct fixture *f)
{
	soup_server_message_set_status(f->posting, 200, NULL);
	soup_server_message_set_response(f->posting, "text/html",
					 SOUP_MEMORY_STATIC, "ok", 2);
	soup_server_message_unpause(f->posting);
	g_clear_object(&f->posting);
}

static void on_post(struct fixture *f, SoupServerMessage *m)
{
	SoupMessageBody *body = soup_server_message_get_request_body(m);
	g_autofree char *copy = g_strndup(body->data, (gsize) body->length);
	struct eio_payload payload;
	const char *text;
	size_t len;

	f->overlaps += f->posting != NULL;
	g_ptr_array_add(f->bodies, g_strdup(copy));
	g_assert_cmpint(
		eio_payload_init(&payload, copy, strlen(copy), EIO_FORM_TEXT),
		==, 0);
	while (eio_payload_next(&payload, &text, &len) == 1) {
		char *packet = g_strndup(text, len);

		g_ptr_array_add(f->packets, packet);
		if (!strcmp(packet, "2")) {
			f->pings++;
			queue(f, "3");
		}
	}
	soup_server_message_pause(m);
	g_set_object(&f->posting, m);
	if (!f->hold_posts)
		end_post(f);
}

static void on_request(SoupServer *server, SoupServerMessage *m,
		       const char *path, GHashTable *query, gpointer data)
{
	struct fixture *f = data;
	const char *sid = query ? g_hash_table_lookup(query, "sid") : NULL;

	g_assert_cmpstr(g_hash_table_lookup(query, "EIO"), ==, "3");
	g_assert_cmpstr(g_hash_table_lookup(query, "transport"), ==, "polling");
	g_assert_cmpstr(g_hash_table_lookup(query, "b64"), ==, "1");
	g_assert_nonnull(g_hash_table_lookup(query, "t"));
	if (sid)
		g_assert_cmpstr(sid, ==, "s/1");
	if (f->fault == NOT_FOUND)
		soup_server_message_set_status(m, 404, NULL);
	else if (!strcmp(soup_server_message_get_method(m), "GET"))
		on_get(f, m, sid != NULL);
	else
		on_post(f, m);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	f->form = GPOINTER_TO_INT(data);
	f->server = soup_server_new(NULL, NULL);
	soup_server_add_handler(f->server, "/socket.io/", on_request, f, NULL);
	soup_server_listen_local(f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(f->server);
	f->url = g_strdup_printf("ws://127.0.0.1:%d/socket.io/",
				 g_uri_get_port(uris->data));
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	f->session = http_session_new(NULL, NULL);
	f->queue = g_string_new(NULL);
	f->bodies = g_ptr_array_new_with_free_func(g_free);
	f->packets = g_ptr_array_new_with_free_func(g_free);
	f->messages = g_ptr_array_new_with_free_func(g_free);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	f->client = socket_client_free(f->client);
	soup_session_abort(f->session);
	g_object_unref(f->session);
	g_clear_object(&f->held);
	g_clear_object(&f->posting);
	soup_server_disconnect(f->server);
	g_object_unref(f->server);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_string_free(f->queue, TRUE);
	g_ptr_array_unref(f->bodies);
	g_ptr_array_unref(f->packets);
	g_ptr_array_unref(f->messages);
	g_free(f->url);
	g_clear_error(&f->error);
}

static void on_opened(void *user, const char *url)
{
	((struct fixture *) user)->opened++;
}

static void on_message(void *user, const char *text, gsize len)
{
	g_ptr_array_add(((struct fixture *) user)->messages, g_strdup(text));
}

static void on_failed(void *user, const struct socket_plan_step *failed,
		      const struct socket_plan_step *next, const GError *error)
{
	struct fixture *f = user;

	f->failed++;
	g_clear_error(&f->error);
	f->error = g_error_copy(error);
}

static void on_closed(void *user, const GError *error)
{
	struct fixture *f = user;

	f->closed++;
	g_clear_error(&f->error);
	f->error = g_error_copy(error);
}

static void start(struct fixture *f, enum socket_transport_choice choice)
{
	const char *urls[] = {f->url, NULL};
	SocketClientConfig config = {
		.session = f->session,
		.urls = urls,
		.choice = choice,
		.connect_timeout_ms = 3000,
		.retry_delay_ms = 1,
		.opened = on_opened,
		.message = on_message,
		.failed = on_failed,
		.closed = on_closed,
		.user = f,
	};

	f->client = socket_client_new(&config);
}

#define WAIT(condition)                                                        \
	while (!(condition))                                                   \
	g_main_context_iteration(NULL, TRUE)

static void open_it(struct fixture *f)
{
	queue(f, "40");
	start(f, SOCKET_TRANSPORT_POLLING);
	WAIT(f->opened);
	g_assert_cmpstr(socket_client_get_transport(f->client), ==, "polling");
}

static void test_talk(struct fixture *f, gconstpointer data)
{
	open_it(f);
	g_assert_true(socket_client_send(f->client, "{\"t\":\"\xc3\xa9\"}"));
	WAIT(f->bodies->len);
	/* é counts two, and is encoded twice */
	g_assert_cmpstr(f->bodies->pdata[0], ==,
			"30:42[\"message\",\"{\\\"t\\\":\\\"\xc3\x83\xc2\xa9"
			"\\\"}\"]");
	queue(f, "42[\"message\",\"{\\\"a\\\":\\\"\xe2\x82\xac\\\"}\"]");
	WAIT(f->messages->len == 1);
	queue(f, "6");
	queue(f, "42[\"message\",{\"b\":2}]");
	WAIT(f->messages->len == 2);
	g_assert_cmpstr(f->messages->pdata[0], ==, "{\"a\":\"\xe2\x82\xac\"}");
	g_assert_cmpstr(f->messages->pdata[1], ==, "{\"b\":2}");
	WAIT(f->pings == 2);
	g_assert_cmpuint(f->closed, ==, 0);
	g_assert_cmpuint(f->opens, ==, 1);
	g_assert_cmpuint(f->overlaps, ==, 0);
}

/* What gathers behind a POST leaves together, in order. */
static void test_one_post_at_a_time(struct fixture *f, gconstpointer data)
{
	open_it(f);
	f->hold_posts = TRUE;
	for (int i = 0; i < 5; i++)
		socket_client_send(f->client, i % 2 ? "{\"n\":1}" : "{}");
	WAIT(f->posting);
	for (int i = 0; i < 20; i++)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(f->packets->len, ==, 1);
	f->hold_posts = FALSE;
	end_post(f);
	WAIT(f->packets->len == 5);
	g_assert_cmpuint(f->bodies->len, ==, 2);
	g_assert_cmpstr(f->packets->pdata[3], ==,
			"42[\"message\",\"{\\\"n\\\":1}\"]");
	g_assert_cmpuint(f->overlaps, ==, 0);
}

static void test_goodbye(struct fixture *f, gconstpointer data)
{
	open_it(f);
	WAIT(f->held);
	socket_client_send(f->client, "{}");
	f->client = socket_client_free(f->client);
	WAIT(f->packets->len == 3);
	g_assert_cmpstr(f->packets->pdata[1], ==, "41");
	g_assert_cmpstr(f->packets->pdata[2], ==, "1");
	g_assert_cmpuint(f->closed + f->overlaps, ==, 0);
}

static void ends_with(struct fixture *f, enum fault fault, int code,
		      const char *says)
{
	open_it(f);
	WAIT(f->held);
	f->fault = fault;
	queue(f, "6");
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR, code);
	if (!strstr(f->error->message, says))
		g_error("'%s' lacks '%s'", f->error->message, says);
	f->client = socket_client_free(f->client);
	f->closed = f->opened = 0;
	f->fault = NONE;
	g_clear_object(&f->held);
}

static void test_faults(struct fixture *f, gconstpointer data)
{
	ends_with(f, REFUSE, SOCKET_CLIENT_ERROR_LOST,
		  "HTTP 400: Session ID unknown (code 1)");
	ends_with(f, GARBAGE, SOCKET_CLIENT_ERROR_LOST, "holds no packets");
	ends_with(f, EMPTY, SOCKET_CLIENT_ERROR_LOST, "holds no packets");
	ends_with(f, HUGE, SOCKET_CLIENT_ERROR_LOST,
		  "the answer is longer than");
}

static void test_server_closes(struct fixture *f, gconstpointer data)
{
	open_it(f);
	queue(f, "1");
	WAIT(f->closed);
	g_assert_error(f->error, SOCKET_CLIENT_ERROR,
		       SOCKET_CLIENT_ERROR_CLOSED);
}

static void test_opens_nothing(struct fixture *f, gconstpointer data)
{
	f->fault = NO_OPEN;
	start(f, SOCKET_TRANSPORT_POLLING);
	WAIT(f->closed);
	/* five tries and two rounds more */
	g_assert_cmpuint(f->failed, ==, 7);
	g_assert_cmpuint(f->polls, ==, 0);
}

/* The server takes no WebSocket: the fourth try is by polling. */
static void test_falls_back(struct fixture *f, gconstpointer data)
{
	queue(f, "40");
	start(f, SOCKET_TRANSPORT_AUTO);
	soup_server_remove_handler(f->server, "/socket.io/");
	WAIT(f->failed == 3);
	g_assert_nonnull(strstr(f->error->message, "by websocket"));
	soup_server_add_handler(f->server, "/socket.io/", on_request, f, NULL);
	WAIT(f->opened);
	g_assert_cmpuint(f->failed, ==, 3);
	g_assert_cmpstr(socket_client_get_transport(f->client), ==, "polling");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, form, fn)                                                   \
	g_test_add("/socket-polling/" name, struct fixture,                    \
		   GINT_TO_POINTER(form), set_up, fn, tear_down)
	CASE("talk/text", EIO_FORM_TEXT, test_talk);
	CASE("talk/binary", EIO_FORM_BINARY, test_talk);
	CASE("one-post", EIO_FORM_TEXT, test_one_post_at_a_time);
	CASE("goodbye", EIO_FORM_TEXT, test_goodbye);
	CASE("faults", EIO_FORM_TEXT, test_faults);
	CASE("server-closes", EIO_FORM_TEXT, test_server_closes);
	CASE("opens-nothing", EIO_FORM_TEXT, test_opens_nothing);
	CASE("falls-back", EIO_FORM_TEXT, test_falls_back);
	return g_test_run();
}
