// SPDX-License-Identifier: Apache-2.0
#include "appliance/metrics/metrics-server.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#include "appliance/metrics/metrics-text.h"

#define MODE 0660

struct MetricsServer {
	MetricsServerConfig config;
	SoupServer *soup;
	GSocketService *service;
	char *path;		/* ours to remove; or NULL */
	guint16 port;
	GSocketAddress *here;
	GHashTable *connections; /* set of GSocketConnection, weak */
};

/* --- requests ----------------------------------------------------------------- */
/* Before a body comes: none is kept. */
static void on_headers(SoupServer *soup, SoupServerMessage *message,
		       const char *path, GHashTable *query, gpointer data)
{
	const char *method = soup_server_message_get_method(message);

	soup_message_body_set_accumulate(
		soup_server_message_get_request_body(message), FALSE);
	if (strcmp(path, "/metrics")) {
		soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND,
					       NULL);
	} else if (strcmp(method, "GET") && strcmp(method, "HEAD")) {
		soup_message_headers_replace(
			soup_server_message_get_response_headers(message),
			"Allow", "GET, HEAD");
		soup_server_message_set_status(
			message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
	}
}

static void on_request(SoupServer *soup, SoupServerMessage *message,
		       const char *path, GHashTable *query, gpointer data)
{
	MetricsServer *m = data;
	char *page;

	if (soup_server_message_get_status(message))
		return;
	page = m->config.make(m->config.user);
	soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
	soup_server_message_set_response(message, METRICS_CONTENT_TYPE,
					 SOUP_MEMORY_TAKE, page, strlen(page));
}

/* --- connections ---------------------------------------------------------------- */
static void on_gone(gpointer data, GObject *connection)
{
	MetricsServer *m = data;

	g_hash_table_remove(m->connections, connection);
}

static gboolean on_incoming(GSocketService *service,
			    GSocketConnection *connection, GObject *source,
			    gpointer data)
{
	MetricsServer *m = data;
	g_autoptr(GError) error = NULL;

	if (g_hash_table_size(m->connections) >= METRICS_MAX_CLIENTS)
		return TRUE;	/* closed with its last reference */
	g_socket_set_timeout(g_socket_connection_get_socket(connection),
			     METRICS_IDLE_S);
	g_hash_table_add(m->connections, connection);
	g_object_weak_ref(G_OBJECT(connection), on_gone, m);
	/* It wants to be told where, and for a path there is no such place. */
	if (!soup_server_accept_iostream(m->soup, G_IO_STREAM(connection),
					 m->here, m->here, &error))
		g_warning("metrics: ignoring a client: %s", error->message);
	return TRUE;
}

/* --- where --------------------------------------------------------------------- */
/* FALSE: somebody answers there, or it is no socket. */
static gboolean clear_path(const char *path, GSocketAddress *address,
			   GError **error)
{
	g_autoptr(GSocketClient) client = NULL;
	g_autoptr(GSocketConnection) answer = NULL;
	GStatBuf st;

	if (g_lstat(path, &st) < 0)
		return TRUE;
	if (!S_ISSOCK(st.st_mode)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
			    "it is there, and no socket");
		return FALSE;
	}
	client = g_socket_client_new();
	answer = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address),
					 NULL, NULL);
	if (answer) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
			    "another program serves it");
		return FALSE;
	}
	g_unlink(path);
	return TRUE;
}

static GSocketAddress *parse(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	g_autofree char *host = NULL;
	gsize bracket = listen[0] == '[';

	if (g_str_has_prefix(listen, "unix:"))
		return g_unix_socket_address_new(listen + strlen("unix:"));
	host = g_strndup(listen + bracket,
			 (gsize) (colon - listen) - 2 * bracket);
	return g_inet_socket_address_new_from_string(
		host, (guint) g_ascii_strtoull(colon + 1, NULL, 10));
}

static gboolean start_listening(MetricsServer *m, GError **error)
{
	g_autoptr(GSocketAddress) address = parse(m->config.listen);
	g_autoptr(GSocketAddress) effective = NULL;
	const char *path = G_IS_UNIX_SOCKET_ADDRESS(address) ?
		g_unix_socket_address_get_path(
			G_UNIX_SOCKET_ADDRESS(address)) : NULL;
	g_autoptr(GError) cause = NULL;

	if ((path && !clear_path(path, address, &cause)) ||
	    !g_socket_listener_add_address(G_SOCKET_LISTENER(m->service),
					   address, G_SOCKET_TYPE_STREAM,
					   G_SOCKET_PROTOCOL_DEFAULT, NULL,
					   &effective, &cause)) {
		g_set_error(error, cause->domain, cause->code,
			    "Cannot tell metrics at %s (control.metrics): %s",
			    m->config.listen, cause->message);
		return FALSE;
	}
	if (path) {
		m->path = g_strdup(path);
		if (g_chmod(path, MODE) < 0)
			g_warning("metrics: %s keeps its mode: %s", path,
				  g_strerror(errno));
	} else {
		m->port = g_inet_socket_address_get_port(
			G_INET_SOCKET_ADDRESS(effective));
	}
	return TRUE;
}

MetricsServer *metrics_server_new(const MetricsServerConfig *config,
				  GError **error)
{
	MetricsServer *m = g_new0(MetricsServer, 1);

	m->config = *config;
	m->connections = g_hash_table_new(NULL, NULL);
	m->service = g_socket_service_new();
	m->here = g_inet_socket_address_new_from_string("127.0.0.1", 0);
	if (!start_listening(m, error)) {
		metrics_server_free(m);
		return NULL;
	}
	m->soup = soup_server_new("server-header", NULL, NULL);
	soup_server_add_early_handler(m->soup, NULL, on_headers, m, NULL);
	soup_server_add_handler(m->soup, NULL, on_request, m, NULL);
	g_signal_connect(m->service, "incoming", G_CALLBACK(on_incoming), m);
	/* What it is called with must outlive it. */
	m->config.listen = NULL;
	return m;
}

void metrics_server_free(MetricsServer *m)
{
	GHashTableIter iter;
	gpointer connection;

	if (!m)
		return;
	g_socket_service_stop(m->service);
	g_signal_handlers_disconnect_by_data(m->service, m);
	g_socket_listener_close(G_SOCKET_LISTENER(m->service));
	g_object_unref(m->service);
	g_hash_table_iter_init(&iter, m->connections);
	while (g_hash_table_iter_next(&iter, &connection, NULL))
		g_object_weak_unref(connection, on_gone, m);
	g_hash_table_unref(m->connections);
	if (m->soup) {
		soup_server_disconnect(m->soup);
		g_object_unref(m->soup);
	}
	g_object_unref(m->here);
	if (m->path)
		g_unlink(m->path);
	g_free(m->path);
	g_free(m);
}

guint16 metrics_server_get_port(MetricsServer *m)
{
	return m->port;
}

unsigned int metrics_server_get_clients(MetricsServer *m)
{
	return g_hash_table_size(m->connections);
}
