// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/socket-transport.h"

#include "appliance/signaling/http-session.h"

struct SocketTransport {
	gint refs;		/* owner, and the connecting under way */
	const struct socket_transport_events *events;
	void *user;
	gsize max_bytes;
	GCancellable *cancellable;
	SoupMessage *request;
	SoupWebsocketConnection *connection;
	GError *error;		/* the first one seen */
	gboolean freed, over;
};

static void unref(SocketTransport *t)
{
	if (--t->refs)
		return;
	g_clear_object(&t->cancellable);
	g_clear_object(&t->request);
	g_clear_object(&t->connection);
	g_clear_error(&t->error);
	g_free(t);
}

static void report_closed(SocketTransport *t, const GError *error)
{
	if (t->freed || t->over)
		return;
	t->over = TRUE;
	t->events->closed(t->user, error);
}

static void on_message(SoupWebsocketConnection *connection, gint type,
		       GBytes *message, gpointer data)
{
	SocketTransport *t = data;
	gsize len;
	const char *text = g_bytes_get_data(message, &len);

	/* Binary frames hold nothing that we know. */
	if (type == SOUP_WEBSOCKET_DATA_TEXT && !t->freed && !t->over)
		t->events->packet(t->user, text ? text : "", len);
}

static void on_error(SoupWebsocketConnection *connection, GError *error,
		     gpointer data)
{
	SocketTransport *t = data;

	if (!t->error)
		t->error = g_error_copy(error);
}

static void on_closed(SoupWebsocketConnection *connection, gpointer data)
{
	SocketTransport *t = data;
	gushort code = soup_websocket_connection_get_close_code(connection);

	t->refs++;
	if (!t->error && code != SOUP_WEBSOCKET_CLOSE_NORMAL &&
	    code != SOUP_WEBSOCKET_CLOSE_GOING_AWAY)
		g_set_error(&t->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
			    code ? "Connection closed (WebSocket code %u)"
				 : "Connection lost", code);
	report_closed(t, t->error);
	unref(t);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
	SocketTransport *t = data;
	g_autoptr(GError) error = NULL;

	t->connection = soup_session_websocket_connect_finish(
		SOUP_SESSION(source), result, &error);
	if (!t->connection) {
		http_session_explain(t->request, &error);
		report_closed(t, error);
	} else if (t->freed) {
		soup_websocket_connection_close(
			t->connection, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
	} else {
		soup_websocket_connection_set_max_incoming_payload_size(
			t->connection, t->max_bytes);
		g_signal_connect(t->connection, "message",
				 G_CALLBACK(on_message), t);
		g_signal_connect(t->connection, "error", G_CALLBACK(on_error),
				 t);
		g_signal_connect(t->connection, "closed",
				 G_CALLBACK(on_closed), t);
	}
	unref(t);
}

static SocketTransport *
websocket_open(SoupSession *session, const char *url, gsize max_bytes,
	       const struct socket_transport_events *events, void *user)
{
	SocketTransport *t = g_new0(SocketTransport, 1);
	g_autofree char *full =
		g_strdup_printf("%s?rand=%" G_GINT64_FORMAT
				"&EIO=3&transport=websocket",
				url, g_get_real_time() / 1000);

	t->refs = 2;
	t->events = events;
	t->user = user;
	t->max_bytes = max_bytes;
	t->cancellable = g_cancellable_new();
	t->request = soup_message_new("GET", full);
	http_session_watch(t->request);
	soup_session_websocket_connect_async(session, t->request, NULL, NULL,
					     G_PRIORITY_DEFAULT,
					     t->cancellable, on_connected, t);
	return t;
}

static void websocket_send(SocketTransport *t, const char *packet)
{
	SoupWebsocketConnection *c = t->connection;

	if (c && soup_websocket_connection_get_state(c) ==
			 SOUP_WEBSOCKET_STATE_OPEN)
		soup_websocket_connection_send_text(c, packet);
}

/* The connection lives on until what is queued and the close are out: it
 * gives up by itself when the other side never answers. */
static void linger(SoupWebsocketConnection *connection)
{
	if (soup_websocket_connection_get_state(connection) ==
	    SOUP_WEBSOCKET_STATE_CLOSED)
		return;
	g_signal_connect(g_object_ref(connection), "closed",
			 G_CALLBACK(g_object_unref), NULL);
	if (soup_websocket_connection_get_state(connection) ==
	    SOUP_WEBSOCKET_STATE_OPEN)
		soup_websocket_connection_close(
			connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
}

static void websocket_free(SocketTransport *t)
{
	if (!t)
		return;
	t->freed = TRUE;
	g_cancellable_cancel(t->cancellable);
	if (t->connection) {
		g_signal_handlers_disconnect_by_data(t->connection, t);
		linger(t->connection);
	}
	unref(t);
}

const struct socket_transport_ops socket_websocket_ops = {
	.name = "websocket",
	.open = websocket_open,
	.send = websocket_send,
	.free = websocket_free,
};
