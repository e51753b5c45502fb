// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/socket-client.h"

#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/message.h"
#include "appliance/signaling/socket-transport.h"

G_DEFINE_QUARK(socket - client - error - quark, socket_client_error)

struct SocketClient {
	gint refs; /* owner, and callbacks under way */
	SocketClientConfig config;
	char **urls;
	guint n_urls;
	struct socket_plan_step step;
	const struct socket_transport_ops *ops;
	SocketTransport *transport;
	gboolean got_open; /* "0{..}" */
	gboolean open;	   /* "40" */
	gboolean over;
	guint ping_interval_ms, ping_timeout_ms;
	GSource *timer; /* connecting: timeout; open: next ping */
	GSource *pong_timer;
	gsize unconfirmed; /* bytes sent since the last pong */
	SocketClientStats stats;
};

static void schedule(SocketClient *c);

static void unref(SocketClient *c)
{
	if (--c->refs)
		return;
	g_object_unref(c->config.session);
	g_strfreev(c->urls);
	g_free(c);
}

static void stop_timer(GSource **timer)
{
	if (!*timer)
		return;
	g_source_destroy(*timer);
	g_clear_pointer(timer, g_source_unref);
}

static void set_timer(SocketClient *c, GSource **timer, guint ms,
		      GSourceFunc fn)
{
	stop_timer(timer);
	*timer = g_timeout_source_new(ms);
	g_source_set_callback(*timer, fn, c, NULL);
	g_source_attach(*timer, g_main_context_get_thread_default());
}

static void drop_transport(SocketClient *c)
{
	stop_timer(&c->timer);
	stop_timer(&c->pong_timer);
	if (c->transport)
		c->ops->free(g_steal_pointer(&c->transport));
}

static const char *current_url(SocketClient *c)
{
	return c->urls[c->step.address];
}

/* On to the next step, or to the end. */
static void fail_try(SocketClient *c, const char *what)
{
	struct socket_plan_step failed = c->step, next;
	gboolean more = socket_plan_get(c->config.choice, c->n_urls,
					c->config.retry_delay_ms,
					failed.attempt + 1, &next);
	g_autoptr(GError) error = g_error_new(
		SOCKET_CLIENT_ERROR, SOCKET_CLIENT_ERROR_CONNECT,
		"Cannot connect to the signaling server at %s by %s: %s",
		current_url(c), c->ops->name, what);

	if (c->config.failed)
		c->config.failed(c->config.user, &failed, more ? &next : NULL,
				 error);
	if (c->over)
		return;
	if (more) {
		c->step = next;
		schedule(c);
	} else {
		c->over = TRUE;
		c->config.closed(c->config.user, error);
	}
}

/* The end of a connection, or of one attempt to get it. */
static void fail(SocketClient *c, enum socket_client_error_code code,
		 const char *what)
{
	g_autoptr(GError) error = NULL;

	if (c->over)
		return;
	drop_transport(c);
	c->refs++;
	if (c->open) {
		c->open = FALSE;
		c->over = TRUE;
		g_set_error(&error, SOCKET_CLIENT_ERROR, code,
			    "The signaling connection to %s ended: %s",
			    current_url(c), what);
		c->config.closed(c->config.user, error);
	} else {
		fail_try(c, what);
	}
	unref(c);
}

/* --- heartbeat: in Engine.IO 3 the client asks --------------------------- */
static gboolean on_pong_timeout(gpointer data)
{
	fail(data, SOCKET_CLIENT_ERROR_SILENT, "the server fell silent");
	return G_SOURCE_REMOVE;
}

static gboolean on_ping(gpointer data)
{
	SocketClient *c = data;

	c->ops->send(c->transport, "2");
	if (!c->pong_timer)
		set_timer(c, &c->pong_timer, c->ping_timeout_ms,
			  on_pong_timeout);
	return G_SOURCE_CONTINUE;
}

void socket_client_probe(SocketClient *c, guint timeout_ms)
{
	if (!c->open)
		return;
	c->ops->send(c->transport, "2");
	set_timer(c, &c->pong_timer, MIN(timeout_ms, c->ping_timeout_ms),
		  on_pong_timeout);
}

/* --- packets ------------------------------------------------------------- */
static void take_open(SocketClient *c, const struct eio_packet *packet)
{
	struct eio_open open;

	if (c->got_open || eio_open_parse(packet->data, packet->len, &open)) {
		fail(c, SOCKET_CLIENT_ERROR_PROTOCOL,
		     "its handshake is no Engine.IO 3");
		return;
	}
	c->got_open = TRUE;
	c->ping_interval_ms = open.ping_interval_ms;
	c->ping_timeout_ms = open.ping_timeout_ms;
}

static void take_connect(SocketClient *c)
{
	if (!c->got_open || c->open)
		return;
	c->open = TRUE;
	set_timer(c, &c->timer, c->ping_interval_ms, on_ping);
	c->config.opened(c->config.user, current_url(c));
}

static void take_event(SocketClient *c, const struct sio_packet *packet)
{
	g_autofree char *text = NULL;
	gsize len;
	int r = c->open ? sio_event_parse(packet->data, packet->len,
					  EIO_MAX_PACKET, &text, &len)
			: -EBADMSG;

	if (r == 0) {
		c->stats.messages_in++;
		c->config.message(c->config.user, text, len);
	} else if (r < 0) {
		c->stats.bad++;
	}
}

static void take_message(SocketClient *c, const struct eio_packet *packet)
{
	struct sio_packet inner;

	if (sio_packet_parse(packet->data, packet->len, &inner)) {
		c->stats.bad++;
		return;
	}
	switch (inner.type) {
	case SIO_CONNECT:
		take_connect(c);
		break;
	case SIO_DISCONNECT:
		fail(c, SOCKET_CLIENT_ERROR_CLOSED, "the server ended it");
		break;
	case SIO_EVENT:
		take_event(c, &inner);
		break;
	case SIO_ERROR:
		fail(c, SOCKET_CLIENT_ERROR_CLOSED,
		     "the server answered with an error");
		break;
	case SIO_ACK:
	case SIO_BINARY_EVENT:
	case SIO_BINARY_ACK:
		c->stats.bad++;
		break;
	}
}

static void on_packet(void *user, const char *text, gsize len)
{
	SocketClient *c = user;
	struct eio_packet packet;

	c->stats.bytes_in += len;
	stop_timer(&c->pong_timer); /* any sign of life will do */
	if (eio_packet_parse(text, len, &packet)) {
		c->stats.bad++;
		if (!c->got_open)
			fail(c, SOCKET_CLIENT_ERROR_PROTOCOL,
			     "its handshake is no Engine.IO 3");
		return;
	}
	c->refs++;
	switch (packet.type) {
	case EIO_OPEN:
		take_open(c, &packet);
		break;
	case EIO_CLOSE:
		fail(c, SOCKET_CLIENT_ERROR_CLOSED, "the server closed it");
		break;
	case EIO_PONG:
		c->unconfirmed = 0;
		break;
	case EIO_MESSAGE:
		take_message(c, &packet);
		break;
	case EIO_PING: /* not the server's business in EIO 3 */
	case EIO_UPGRADE:
	case EIO_NOOP:
		break;
	}
	unref(c);
}

static void on_transport_closed(void *user, const GError *error)
{
	fail(user,
	     error ? SOCKET_CLIENT_ERROR_LOST : SOCKET_CLIENT_ERROR_CLOSED,
	     error ? error->message : "the server closed it");
}

static const struct socket_transport_events transport_events = {
	.packet = on_packet,
	.closed = on_transport_closed,
};

/* --- connecting ---------------------------------------------------------- */
static gboolean on_connect_timeout(gpointer data)
{
	fail(data, SOCKET_CLIENT_ERROR_CONNECT, "no answer in time");
	return G_SOURCE_REMOVE;
}

static void connect_now(SocketClient *c)
{
	c->ops = c->step.polling ? &socket_polling_ops : &socket_websocket_ops;
	c->got_open = FALSE;
	set_timer(c, &c->timer, c->config.connect_timeout_ms,
		  on_connect_timeout);
	c->transport = c->ops->open(c->config.session, current_url(c),
				    EIO_MAX_PACKET, &transport_events, c);
}

static gboolean on_wait_over(gpointer data)
{
	SocketClient *c = data;

	stop_timer(&c->timer);
	connect_now(c);
	return G_SOURCE_REMOVE;
}

/* Half to one and a half of the wait, so that those who lost the same server
 * do not all come back at once. */
static void schedule(SocketClient *c)
{
	guint ms = c->step.wait_ms;

	if (!ms)
		connect_now(c);
	else
		set_timer(c, &c->timer,
			  ms / 2 + (guint) g_random_int_range(0, (gint) ms + 1),
			  on_wait_over);
}

SocketClient *socket_client_new(const SocketClientConfig *config)
{
	SocketClient *c = g_new0(SocketClient, 1);

	c->refs = 1;
	c->config = *config;
	g_object_ref(c->config.session);
	if (!c->config.connect_timeout_ms)
		c->config.connect_timeout_ms = SOCKET_CLIENT_CONNECT_TIMEOUT_MS;
	if (!c->config.retry_delay_ms)
		c->config.retry_delay_ms = SOCKET_PLAN_DELAY_MS;
	c->urls = g_strdupv((char **) config->urls);
	c->n_urls = g_strv_length(c->urls);
	g_assert(c->n_urls);
	socket_plan_get(c->config.choice, c->n_urls, c->config.retry_delay_ms,
			0, &c->step);
	connect_now(c);
	return c;
}

SocketClient *socket_client_free(SocketClient *c)
{
	if (!c)
		return NULL;
	if (c->open)
		c->ops->send(c->transport, "41");
	c->open = FALSE;
	c->over = TRUE;
	drop_transport(c);
	unref(c);
	return NULL;
}

gboolean socket_client_is_open(SocketClient *c)
{
	return c->open;
}

const char *socket_client_get_transport(SocketClient *c)
{
	return c->ops->name;
}

gboolean socket_client_send(SocketClient *c, const char *text)
{
	g_autoptr(GString) packet = NULL;
	gsize len = strlen(text);

	if (!c->open || len > MESSAGE_MAX_BYTES / 2)
		return FALSE;
	packet = g_string_sized_new(len + len / 8 + 32);
	sio_event_format(packet, text, len);
	if (c->unconfirmed + packet->len > SOCKET_CLIENT_MAX_UNCONFIRMED)
		return FALSE;
	c->unconfirmed += packet->len;
	c->stats.messages_out++;
	c->stats.bytes_out += packet->len;
	c->ops->send(c->transport, packet->str);
	return TRUE;
}

void socket_client_get_stats(SocketClient *c, SocketClientStats *ret)
{
	*ret = c->stats;
}
