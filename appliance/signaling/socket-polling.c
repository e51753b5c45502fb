// SPDX-License-Identifier: Apache-2.0
/*
 * One GET is always held by the server; what we say goes out by POST, one at
 * a time, with all that has gathered since the last.
 *
 *   GET  --> 0{"sid":..}	 GET &sid= --> packets, and again
 *				 POST &sid= <-- packets
 *   free: POST 41, 1; the held GET ends when that is out
 */
#include "appliance/signaling/socket-transport.h"

#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/http-fetch.h"

/* A goodbye that takes longer is not waited for. */
#define LINGER_MS 2000
/* One packet of the greatest length, encoded twice, in company. */
#define MAX_ANSWER(max) (3 * (max))
#define MAX_REFUSAL	4096
/* More than one POST's worth waits for the next. */
#define POST_BYTES (128 * 1024)

struct SocketTransport {
	gint refs; /* owner, or the goodbye; callbacks under way */
	const struct socket_transport_events *events;
	void *user;
	SoupSession *session;
	char *url; /* "http://host:port/socket.io/" */
	gsize max_bytes;
	char *sid; /* NULL: not opened yet */
	HttpFetch *get, *post;
	SoupMessage *get_message;
	GQueue out; /* packets */
	GSource *linger;
	guint n_requests;
	gboolean freed, over;
};

static void unref(SocketTransport *t)
{
	if (--t->refs)
		return;
	http_fetch_free(t->get);
	http_fetch_free(t->post);
	g_clear_object(&t->get_message);
	g_queue_clear_full(&t->out, g_free);
	g_object_unref(t->session);
	g_free(t->url);
	g_free(t->sid);
	g_free(t);
}

/* The goodbye is out, or not to be had. */
static void end_linger(SocketTransport *t)
{
	if (!t->linger)
		return;
	g_source_destroy(t->linger);
	g_clear_pointer(&t->linger, g_source_unref);
	unref(t);
}

static gboolean on_linger_timeout(gpointer data)
{
	end_linger(data);
	return G_SOURCE_REMOVE;
}

static void report_closed(SocketTransport *t, const GError *error)
{
	if (t->over)
		return;
	t->over = TRUE;
	if (t->freed)
		end_linger(t);
	else
		t->events->closed(t->user, error);
}

/* Whatever is not 200 ends the session. Return: whether it went on. */
static gboolean check_status(SocketTransport *t, guint status, const char *body,
			     gsize len, const GError *error)
{
	g_autoptr(GError) refusal = NULL;
	g_autofree char *text = NULL;

	if (!error && status == SOUP_STATUS_OK)
		return TRUE;
	if (!error) {
		text = eio_refusal_describe(status, body, len);
		refusal = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_FAILED,
					      text);
	}
	report_closed(t, error ? error : refusal);
	return FALSE;
}

static SoupMessage *new_request(SocketTransport *t, const char *method)
{
	/* base64 instead of bytes, where a server has a choice; t: no cache
	 * may answer in its place */
	g_autofree char *sid =
		t->sid ? g_uri_escape_string(t->sid, NULL, FALSE) : NULL;
	g_autofree char *url = g_strdup_printf(
		"%s?EIO=3&transport=polling&b64=1&t=%" G_GINT64_FORMAT
		"-%u%s%s",
		t->url, g_get_real_time() / 1000, t->n_requests++,
		sid ? "&sid=" : "", sid ? sid : "");

	return soup_message_new(method, url);
}

/* --- from the server ------------------------------------------------------ */
static void poll_again(SocketTransport *t);

static void take_packet(SocketTransport *t, const char *text, gsize len)
{
	struct eio_packet packet;
	struct eio_open open;

	if (!t->sid && !eio_packet_parse(text, len, &packet) &&
	    packet.type == EIO_OPEN &&
	    !eio_open_parse(packet.data, packet.len, &open))
		t->sid = g_strdup(open.sid);
	t->events->packet(t->user, text, len);
}

static int take_payload(SocketTransport *t, char *body, gsize len)
{
	SoupMessageHeaders *headers =
		soup_message_get_response_headers(t->get_message);
	const char *type = soup_message_headers_get_content_type(headers, NULL);
	struct eio_payload payload;
	const char *text;
	size_t n;
	guint packets = 0;
	int r = eio_payload_init(&payload, body, len,
				 eio_form_from_content_type(type));

	if (r < 0)
		return r;
	while (!t->over && !t->freed &&
	       (r = eio_payload_next(&payload, &text, &n)) > 0) {
		packets++;
		take_packet(t, text, n);
	}
	/* Nothing at all would make us ask again at once, for ever. */
	return r < 0 || packets ? r : -EBADMSG;
}

static void on_got(void *user, guint status, char *body, gsize len,
		   const GError *error)
{
	SocketTransport *t = user;
	g_autoptr(GError) bad = NULL;

	t->refs++;
	t->get = http_fetch_free(t->get);
	if (t->freed || !check_status(t, status, body, len, error)) {
		/* the goodbye needs no more of it */
	} else if (take_payload(t, body, len) < 0) {
		bad = g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
				  "an answer to polling that holds no packets");
		report_closed(t, bad);
	} else if (!t->sid) {
		bad = g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
				  "a first answer that opens nothing");
		report_closed(t, bad);
	} else if (!t->over && !t->freed) {
		poll_again(t);
	}
	unref(t);
}

static void poll_again(SocketTransport *t)
{
	HttpFetchConfig config = {
		.session = t->session,
		.max_bytes = MAX_ANSWER(t->max_bytes),
		.done = on_got,
		.user = t,
	};

	g_clear_object(&t->get_message);
	t->get_message = new_request(t, "GET");
	config.message = t->get_message;
	t->get = http_fetch_new(&config);
}

/* --- to the server -------------------------------------------------------- */
static void flush(SocketTransport *t);

static void on_posted(void *user, guint status, char *body, gsize len,
		      const GError *error)
{
	SocketTransport *t = user;

	t->refs++;
	t->post = http_fetch_free(t->post);
	if (check_status(t, status, body, len, error)) {
		if (!g_queue_is_empty(&t->out))
			flush(t);
		else if (t->freed)
			end_linger(t);
	}
	unref(t);
}

static void flush(SocketTransport *t)
{
	g_autoptr(GString) payload = NULL;
	g_autoptr(SoupMessage) message = NULL;
	g_autoptr(GBytes) bytes = NULL;
	HttpFetchConfig config = {
		.session = t->session,
		.max_bytes = MAX_REFUSAL,
		.done = on_posted,
		.user = t,
	};

	if (t->post || t->over || !t->sid || g_queue_is_empty(&t->out))
		return;
	payload = g_string_new(NULL);
	do {
		g_autofree char *packet = g_queue_pop_head(&t->out);

		eio_payload_append(payload, packet, strlen(packet),
				   EIO_FORM_TEXT);
	} while (!g_queue_is_empty(&t->out) && payload->len < POST_BYTES);
	bytes = g_string_free_to_bytes(g_steal_pointer(&payload));
	message = new_request(t, "POST");
	soup_message_set_request_body_from_bytes(
		message, "text/plain;charset=UTF-8", bytes);
	config.message = message;
	t->post = http_fetch_new(&config);
}

static void polling_send(SocketTransport *t, const char *packet)
{
	if (t->over || t->freed)
		return;
	g_queue_push_tail(&t->out, g_strdup(packet));
	flush(t);
}

/* --- life ------------------------------------------------------------------
 */
static SocketTransport *polling_open(
	SoupSession *session, const char *url, gsize max_bytes,
	const struct socket_transport_events *events, void *user)
{
	SocketTransport *t = g_new0(SocketTransport, 1);

	t->refs = 1;
	t->events = events;
	t->user = user;
	t->session = g_object_ref(session);
	/* ws: http:, wss: https: */
	t->url = g_str_has_prefix(url, "ws")
			 ? g_strconcat("http", url + strlen("ws"), NULL)
			 : g_strdup(url);
	t->max_bytes = max_bytes;
	g_queue_init(&t->out);
	poll_again(t);
	return t;
}

static void polling_free(SocketTransport *t)
{
	if (!t)
		return;
	if (t->sid && !t->over && !t->freed) {
		polling_send(t, "1");
		t->freed = TRUE;
		t->linger = g_timeout_source_new(LINGER_MS);
		g_source_set_callback(t->linger, on_linger_timeout, t, NULL);
		g_source_attach(t->linger, g_main_context_get_thread_default());
		return; /* the owner's reference is the goodbye's */
	}
	t->freed = TRUE;
	t->get = http_fetch_free(t->get);
	t->post = http_fetch_free(t->post);
	unref(t);
}

const struct socket_transport_ops socket_polling_ops = {
	.name = "polling",
	.open = polling_open,
	.send = polling_send,
	.free = polling_free,
};
