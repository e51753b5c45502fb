// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-service.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "appliance/roomserver/room-answer.h"
#include "appliance/console/console-link.h"
#include "appliance/roomserver/room-connection.h"
#include "appliance/roomserver/room-console.h"
#include "appliance/roomserver/room-login.h"
#include "appliance/roomserver/room-pages.h"
#include "appliance/roomserver/room-polling.h"
#include "appliance/roomserver/room-websocket.h"

#define TICK_US		 LWS_US_PER_SEC
#define STOPPING_TICK_US (50 * LWS_US_PER_MS)
#define ACCEPTS_PER_TURN 64

static gint64 get_monotonic_us(void *data)
{
	return g_get_monotonic_time();
}

static gint64 get_wall_ms(void *data)
{
	return g_get_real_time() / 1000;
}

void room_service_random(void *data, uint8_t *bytes, size_t n)
{
	/* Up to 256 bytes come at once and uninterrupted (getrandom(2)). */
	if (getrandom(bytes, n, 0) != (ssize_t) n)
		g_error("The system gives no random numbers: %s",
			g_strerror(errno));
}

static void on_wake(void *data, struct engine_session *session)
{
	struct room_service *service = data;

	if (!session->carrier)
		return;
	if (session->polling) {
		room_polling_wake(service, session->carrier);
	} else if (!session->pending) {
		session->pending = true;
		g_ptr_array_add(service->pending, session);
	}
}

/* When no callback is on the stack: sessions may be written to and end. */
static void settle(struct room_service *service)
{
	do {
		for (guint i = 0; i < service->pending->len; i++) {
			struct engine_session *session =
				service->pending->pdata[i];

			session->pending = false;
			if (session->carrier && !session->dead)
				room_websocket_flush(session);
		}
		g_ptr_array_set_size(service->pending, 0);
		engine_reap(service->engine);
	} while (service->pending->len); /* goodbyes */
}

static void on_message(void *data, struct engine_session *session,
		       const char *json, size_t len)
{
	struct room_client *client = session->user;

	room_client_receive(client, json, len);
	session->joined = session->joined || room_client_has_joined(client);
}

static void on_closed(void *data, struct engine_session *session)
{
	struct room_service *service = data;
	struct connection *connection;

	if (session->pending)
		g_ptr_array_remove_fast(service->pending, session);
	session->user = room_client_free(session->user);
	room_limits_close(service->limits, session->address);
	if (session->poster) {
		connection = lws_wsi_user(session->poster);
		connection->session = NULL;
	}
	if (!session->carrier)
		return;
	connection = lws_wsi_user(session->carrier);
	connection->session = NULL;
	if (connection->purpose == PURPOSE_WEBSOCKET)
		/* It may never be writable again: no waiting for that. */
		lws_set_timeout(session->carrier, PENDING_TIMEOUT_USER_OK,
				LWS_TO_KILL_ASYNC);
	else
		room_polling_wake(data, session->carrier);
	session->carrier = NULL;
}

static void on_deliver(void *data, void *const *tags, unsigned int n,
		       const char *json, size_t len)
{
	struct room_service *service = data;
	/* Encoded once at most, however many get it. */
	struct engine_packet *packet =
		engine_packet_for(service->engine, json, len);

	for (unsigned int i = 0; i < n; i++)
		engine_session_send(tags[i], packet);
	engine_packet_unref(packet);
}

static void on_finish(void *data, void *tag)
{
	engine_session_finish(tag);
}

static const struct engine_ops engine_ops = {
	.wake = on_wake,
	.message = on_message,
	.closed = on_closed,
	.monotonic_us = get_monotonic_us,
	.random = room_service_random,
};

static const struct room_core_ops core_ops = {
	.deliver = on_deliver,
	.finish = on_finish,
	.monotonic_us = get_monotonic_us,
	.wall_ms = get_wall_ms,
	.random = room_service_random,
};

static int on_room_request(struct room_service *service, struct lws *wsi,
			   struct connection *connection,
			   const struct room_visit *visit, const char *path,
			   bool post)
{
	if (strcmp(path, ROOM_SOCKET_PATH) == 0 ||
	    strcmp(path, "/socket.io") == 0)
		return room_polling_serve(service, wsi, connection, post);
	if (post && g_str_has_prefix(path, "/rest/stats/"))
		return room_polling_expect_body(
			wsi, connection, PURPOSE_SWALLOW,
			ROOM_SERVICE_MAX_UNJOINED_POST_BYTES);
	if (post) {
		room_answer_text(wsi, HTTP_STATUS_NOT_FOUND,
				 "text/plain; charset=utf-8",
				 "There is nothing here\n");
		return -1;
	}
	return room_pages_serve(service, wsi, visit, path);
}

static int on_request(struct room_service *service, struct lws *wsi,
		      struct connection *connection, const char *path)
{
	bool post = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
	bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
	enum room_area area = room_visit_area(service, path);
	struct room_visit visit;
	enum room_verdict verdict;

	/* Other origins have no business with our own pages. */
	if (area == ROOM_AREA_ROOMS && !service->no_rooms &&
	    lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0)
		return room_answer_preflight(wsi);
	if (!post && !get) {
		room_answer_text(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED,
				 "text/plain; charset=utf-8",
				 "GET, POST or OPTIONS\n");
		return -1;
	}
	room_visit_read(service, wsi, true, &visit);
	verdict = room_gate_check(&service->gate, area, &visit.visitor);
	if (verdict != ROOM_ALLOWED)
		return room_visit_refuse(wsi, verdict, area, &visit, path,
					 false);
	if (area == ROOM_AREA_LOGIN)
		return room_login_serve(service, wsi, connection, &visit, path,
					post);
	if (area == ROOM_AREA_ROOMS && !service->no_rooms)
		return on_room_request(service, wsi, connection, &visit, path,
				       post);
	if (post) {
		room_answer_text(wsi, HTTP_STATUS_NOT_FOUND,
				 "text/plain; charset=utf-8",
				 "There is nothing here\n");
		return -1;
	}
	return room_pages_serve(service, wsi, &visit, path);
}

/* The other end of a WebSocket or of a held poll is gone: so is the client. */
static void on_connection_end(struct room_service *service,
			      struct connection *connection)
{
	struct engine_session *session = connection->session;

	room_console_on_end(service, connection);
	if (session) {
		if (connection->purpose == PURPOSE_POST)
			session->poster = NULL;
		else
			session->carrier = NULL;
		engine_session_kill(session);
	}
	connection_clear(connection);
}

static void on_incoming(struct room_service *service)
{
	for (unsigned int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage from = {0};
		int fd = room_listener_accept(service->listener, &from);
		struct room_address *address = NULL;
		struct lws *wsi;

		if (fd == -EAGAIN)
			return;
		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS ||
		    fd == -ENOMEM) {
			/* It stays in the backlog, and would wake us for
			 * ever: look again in a second. */
			service->accept_paused = true;
			lws_rx_flow_control(service->listen_wsi, 0);
			return;
		}
		if (fd < 0)
			continue; /* that one was gone already */
		if (service->n_connections < service->max_connections)
			address = room_limits_connect(
				service->limits,
				(const struct sockaddr *) &from);
		if (!address) {
			room_count(service->counters->refused, 1);
			close(fd);
			continue;
		}
		/* Closes the descriptor itself when it fails. */
		wsi = lws_adopt_socket_vhost(service->vhost, fd);
		if (!wsi) {
			room_limits_disconnect(service->limits, address);
			continue;
		}
		lws_set_opaque_user_data(wsi, address);
		service->n_connections++;
	}
}

static void on_tick(lws_sorted_usec_list_t *entry)
{
	struct room_service *service =
		lws_container_of(entry, struct room_service, tick);

	if (service->accept_paused) {
		service->accept_paused = false;
		lws_rx_flow_control(service->listen_wsi, 1);
	}
	engine_tick(service->engine);
	room_console_tick(service);
	room_core_tick(service->core);
	if (!service->nested)
		settle(service);
	lws_sul_schedule(service->context, 0, &service->tick, on_tick,
			 service->stopping ? STOPPING_TICK_US : TICK_US);
}

static bool is_for_console(struct lws *wsi)
{
	char path[sizeof(ROOM_CONSOLE_PATH) + 1] = "";

	return lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) > 0 &&
	       strcmp(path, ROOM_CONSOLE_PATH) == 0;
}

static int on_upgrade(struct room_service *service, struct lws *wsi)
{
	struct room_visit visit;
	enum room_verdict verdict;

	if (is_for_console(wsi))
		return room_console_on_upgrade(service, wsi);
	room_visit_read(service, wsi, false, &visit);
	verdict = room_gate_check(&service->gate, ROOM_AREA_ROOMS,
				  &visit.visitor);
	if (verdict == ROOM_ALLOWED && service->no_rooms)
		verdict = ROOM_CLOSED;
	if (verdict != ROOM_ALLOWED)
		return room_visit_refuse(wsi, verdict, ROOM_AREA_ROOMS, &visit,
					 ROOM_SOCKET_PATH, true);
	return room_websocket_on_upgrade(service, wsi);
}

static void take_tls(struct room_service *service)
{
	struct room_tls *next = atomic_exchange(&service->next_tls, NULL);

	if (!next)
		return;
	room_tls_unref(service->tls);
	service->tls = next;
}

/* A context cannot forget a certificate of another kind of key; a connection
 * can. Return: 1, or 0 when there is none to show. */
static int on_handshake(SSL *connection, void *user)
{
	struct room_service *service = user;

	return service->tls == service->context_tls ||
	       room_tls_use(service->tls, connection);
}

static int handle(struct room_service *service, struct lws *wsi,
		  enum lws_callback_reasons reason,
		  struct connection *connection, void *in, size_t len)
{
	switch ((int) reason) {
	case LWS_CALLBACK_HTTP:
		connection_clear(connection);
		return on_request(service, wsi, connection, in);
	case LWS_CALLBACK_HTTP_BODY:
		return room_polling_on_body(connection, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		if (connection->purpose == PURPOSE_LOGIN)
			return room_login_on_body(service, wsi, connection);
		return room_polling_on_body_complete(wsi, connection);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return room_polling_on_writable(wsi, connection);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return on_upgrade(service, wsi);
	case LWS_CALLBACK_ESTABLISHED:
		return is_for_console(wsi)
			       ? room_console_on_open(service, wsi, connection)
			       : room_websocket_on_open(service, wsi,
							connection);
	case LWS_CALLBACK_RECEIVE:
		if (connection->purpose == PURPOSE_CONSOLE)
			return room_console_on_receive(service, wsi, connection,
						       in, len);
		return room_websocket_on_receive(wsi, connection, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (connection->purpose == PURPOSE_CONSOLE)
			return room_console_on_writable(service, wsi,
							connection);
		return room_websocket_on_writable(wsi, connection);
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLOSED_HTTP:
		if (connection)
			on_connection_end(service, connection);
		return 0;
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		/* "user" is the context of all connections to come. */
		SSL_CTX_set_cert_cb((void *) connection, on_handshake, service);
		return room_tls_apply(service->tls, (void *) connection) ? 0
									 : 1;
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		take_tls(service);
		room_console_wake(service);
		return 0;
	case LWS_CALLBACK_RAW_RX_FILE:
		if (wsi == service->hangup_wsi)
			room_polling_on_hangup(service);
		else
			on_incoming(service);
		return 0;
	default:
		return 0; /* the many libwebsockets has besides */
	}
}

/* The callbacks in which answers are written. */
static bool is_http(enum lws_callback_reasons reason)
{
	return reason == LWS_CALLBACK_HTTP ||
		reason == LWS_CALLBACK_HTTP_BODY_COMPLETION ||
		reason == LWS_CALLBACK_HTTP_WRITEABLE;
}

static void on_destroy(struct room_service *service, struct lws *wsi)
{
	struct room_address *address = lws_get_opaque_user_data(wsi);

	if (!address)
		return; /* not one that we have accepted */
	room_limits_disconnect(service->limits, address);
	lws_set_opaque_user_data(wsi, NULL);
	service->n_connections--;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
		    void *user, void *in, size_t len)
{
	struct room_service *service =
		wsi ? lws_context_user(lws_get_context(wsi)) : NULL;
	int r;

	/* libwebsockets speaks before and after our time, too. */
	if (!service)
		return 0;
	if (reason == LWS_CALLBACK_WSI_DESTROY)
		on_destroy(service, wsi);
	if (!service->engine) {
		/* Connections that outlived the sessions end with the context. */
		if (user && (reason == LWS_CALLBACK_CLOSED ||
			     reason == LWS_CALLBACK_CLOSED_HTTP)) {
			room_console_on_end(service, user);
			connection_clear(user);
		}
		return 0;
	}
	service->nested++;
	r = handle(service, wsi, reason, user, in, len);
	if (r == 0 && is_http(reason) && lws_partial_buffered(wsi))
		room_polling_watch_output(service, wsi);
	/* Its own connection may not be told of its end in here: -1 does. */
	if (--service->nested == 0)
		settle(service);
	return r;
}

static const struct lws_protocols protocols[] = {
	{
		.name = "room",
		.callback = on_event,
		.per_session_data_size = sizeof(struct connection),
		.rx_buffer_size = 16 * 1024,
	},
	{0},
};

/*
 * libwebsockets' own loop asks poll() about every connection whenever one has
 * something: with a thousand clients that is four fifths of all it does. Its
 * libev plugin, a package of its own, has epoll.
 */
static bool create_on_epoll(struct room_service *service,
			    const struct lws_context_creation_info *plain)
{
	struct lws_context_creation_info info = *plain;
	void *loops[1];

	service->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!service->loop)
		return false;
	loops[0] = service->loop;
	info.foreign_loops = loops;
	info.options |= LWS_SERVER_OPTION_LIBEV;
	service->context = lws_create_context(&info);
	if (service->context)
		return true;
	ev_loop_destroy(service->loop);
	service->loop = NULL;
	return false;
}

/* Waits for events, and handles them. */
static void turn(struct room_service *service)
{
	if (service->loop)
		ev_run(service->loop, EVRUN_ONCE);
	else
		lws_service(service->context, 0);
}

static bool create_context(struct room_service *service)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.gid = (gid_t) -1,
		.uid = (uid_t) -1,
		.user = service,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.timeout_secs = ROOM_SERVICE_HEADER_TIMEOUT_S,
		.keepalive_timeout = ROOM_SERVICE_KEEPALIVE_S,
		.max_http_header_data2 = ROOM_SERVICE_MAX_HEADER_BYTES,
		.max_http_header_pool2 = service->max_connections,
		.vhost_name = "room",
		/* Nobody here speaks HTTP/2: it has no Host and no upgrades. */
		.alpn = "http/1.1",
	};

	/* One port for both: a TLS client's first byte tells it apart. */
	if (service->tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
				LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT |
				LWS_SERVER_OPTION_ALLOW_HTTP_ON_HTTPS_LISTENER;
	lws_set_log_level(0, NULL);
	if (!create_on_epoll(service, &info)) {
		g_message("libwebsockets-evlib-ev is missing: with many "
			  "clients the room server costs more");
		service->context = lws_create_context(&info);
	}
	if (!service->context)
		return false;
	service->vhost = lws_create_vhost(service->context, &info);
	return service->vhost != NULL;
}

/* libwebsockets closes what it adopts, the owner his own: hence the copy. */
static struct lws *adopt(struct room_service *service, int fd)
{
	lws_sock_file_fd_type copy = {
		.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};

	if (copy.filefd < 0)
		return NULL;
	return lws_adopt_descriptor_vhost(
		service->vhost, LWS_ADOPT_RAW_FILE_DESC, copy, "room", NULL);
}

static bool adopt_descriptors(struct room_service *service)
{
	service->hangup_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (service->hangup_epoll < 0)
		return false;
	service->hangup_wsi = adopt(service, service->hangup_epoll);
	service->listen_wsi = adopt(service, service->listener->fd);
	return service->hangup_wsi && service->listen_wsi;
}

struct room_service *room_service_new(const struct room_service_config *config,
				      const struct room_listener *listener,
				      struct room_counters *counters,
				      GError **error)
{
	struct room_service *service = g_new0(struct room_service, 1);
	struct engine_config engine_config = {
		.ping_interval_ms = config->ping_interval_ms,
		.ping_timeout_ms = config->ping_timeout_ms,
		.max_sessions = config->max_clients,
	};

	service->hangup_epoll = -1;
	service->pending = g_ptr_array_new();
	service->listener = listener;
	service->counters = counters;
	service->app_key = g_strdup(config->app_key);
	service->keys = config->core->keys;
	if (config->tls) {
		service->tls = room_tls_ref(config->tls);
		service->context_tls = room_tls_ref(config->tls);
	}
	service->limits = room_limits_new(config->max_clients_per_address);
	service->viewer_room = g_strdup(config->viewer_room);
	memcpy(service->secret, config->core->secret, ROOM_SECRET_BYTES);
	service->max_connections =
		config->max_clients * ROOM_CONNECTIONS_PER_CLIENT +
		ROOM_SERVICE_MORE_CONNECTIONS;
	service->core =
		room_core_new(config->core, &core_ops, service, counters);
	service->no_rooms = config->no_rooms;
	service->link = config->console;
	service->streams = g_ptr_array_new();
	service->auth = console_auth_new(&(struct console_auth_config){
		.operate_password = config->operate_password,
		.watch_password = config->watch_password,
		.token = config->token,
		.random = room_service_random,
	});
	service->gate = (struct room_gate){
		.tls = config->tls != NULL,
		.viewer_open = config->viewer_open,
		.can_login = console_auth_has(service->auth,
					      CONSOLE_ROLE_WATCH),
		.can_operate = config->console &&
			       console_auth_has(service->auth,
						CONSOLE_ROLE_OPERATE),
		.names = config->names,
	};
	service->engine =
		engine_new(&engine_config, &engine_ops, service, counters);

	if (!create_context(service) || !adopt_descriptors(service)) {
		g_set_error_literal(error, ROOM_LISTENER_ERROR,
				    ROOM_LISTENER_BIND,
				    "Cannot start the room server: "
				    "libwebsockets refuses to");
		return room_service_free(service);
	}
	lws_sul_schedule(service->context, 0, &service->tick, on_tick, TICK_US);
	return service;
}

struct room_service *room_service_free(struct room_service *service)
{
	if (!service)
		return NULL;
	service->engine = engine_free(service->engine);
	if (service->context)
		lws_context_destroy(service->context);
	if (service->loop)
		ev_loop_destroy(service->loop);
	if (service->pending)
		g_ptr_array_unref(service->pending);
	if (service->hangup_epoll >= 0)
		close(service->hangup_epoll);
	room_core_free(service->core);
	if (service->streams)
		g_ptr_array_unref(service->streams);
	console_auth_free(service->auth);
	room_limits_free(service->limits);
	room_tls_unref(service->tls);
	room_tls_unref(service->context_tls);
	room_tls_unref(atomic_exchange(&service->next_tls, NULL));
	g_free(service->app_key);
	g_free(service->viewer_room);
	g_free(service);
	return NULL;
}

void room_service_run(struct room_service *service)
{
	gint64 deadline_us;

	while (!g_atomic_int_get(&service->stop_requested))
		turn(service);

	service->stopping = true;
	engine_finish_all(service->engine);
	deadline_us = g_get_monotonic_time() + ROOM_SERVICE_STOP_US;
	on_tick(&service->tick);
	while (engine_n_sessions(service->engine) &&
	       g_get_monotonic_time() < deadline_us)
		turn(service);
}

void room_service_set_tls(struct room_service *service, struct room_tls *tls)
{
	room_tls_unref(atomic_exchange(&service->next_tls, room_tls_ref(tls)));
	room_service_wake(service);
}

void room_service_wake(void *service)
{
	lws_cancel_service(((struct room_service *) service)->context);
}

void room_service_stop(struct room_service *service)
{
	g_atomic_int_set(&service->stop_requested, 1);
	lws_cancel_service(service->context);
}
