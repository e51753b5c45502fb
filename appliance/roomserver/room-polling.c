// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-polling.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "appliance/roomserver/room-answer.h"

#define HANGUPS_PER_TURN 64

/*
 * While a request is unanswered, libwebsockets does not read from its
 * connection, and poll() would report the unread end of it for ever: one
 * client that went while polling would keep the server thread at 100 %. So it
 * is told to look away, and the end is watched for beside it. (While it looks
 * away it does not call back for writing either: see room_polling_wake().)
 */
static int hold_poll(struct room_service *service, struct lws *wsi)
{
	struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = wsi};

	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	lws_rx_flow_control(wsi, 0);
	return epoll_ctl(service->hangup_epoll, EPOLL_CTL_ADD,
			 lws_get_socket_fd(wsi), &event) < 0 &&
			       errno != EEXIST
		       ? -1
		       : 0;
}

/* Ends what hold_poll() began. */
static void release_poll(struct room_service *service, struct lws *wsi)
{
	epoll_ctl(service->hangup_epoll, EPOLL_CTL_DEL, lws_get_socket_fd(wsi),
		  NULL);
	lws_rx_flow_control(wsi, 1);
}

void room_polling_wake(struct room_service *service, struct lws *wsi)
{
	release_poll(service, wsi);
	lws_callback_on_writable(wsi);
}

void room_polling_watch_output(struct room_service *service, struct lws *wsi)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP,
		.data.ptr = wsi,
	};

	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT,
			ROOM_SERVICE_ANSWER_TIMEOUT_S);
	/* Already there is as good. */
	epoll_ctl(service->hangup_epoll, EPOLL_CTL_ADD, lws_get_socket_fd(wsi),
		  &event);
}

void room_polling_on_hangup(struct room_service *service)
{
	struct epoll_event events[HANGUPS_PER_TURN];
	int n = epoll_wait(service->hangup_epoll, events, HANGUPS_PER_TURN, 0);

	for (int i = 0; i < n; i++) {
		struct lws *wsi = events[i].data.ptr;
		struct connection *connection = lws_wsi_user(wsi);

		release_poll(service, wsi);
		if (connection->purpose != PURPOSE_POLL &&
		    !lws_partial_buffered(wsi))
			continue;
		/* Its end wakes us until it is closed, and a loop that is
		 * woken all the time has no time for timeouts; looking away
		 * again would leave it writable, and nobody writing. So the
		 * next writing is its end: what is left of an answer fails,
		 * and without one we say so. */
		connection->gone = true;
		shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);
		lws_callback_on_writable(wsi);
	}
}

static int answer_payload(struct lws *wsi, enum eio_form form,
			  const GString *payload)
{
	return room_answer_send(
		wsi,
		&(struct room_answer){
			.status = HTTP_STATUS_OK,
			.content_type = form == EIO_FORM_BINARY
						? "application/octet-stream"
						: "text/plain; charset=UTF-8",
			.body = payload->str,
			.len = payload->len,
		});
}

/* All that is queued as one answer; the session dies with its last word. */
static int answer_queue(struct lws *wsi, struct engine_session *session,
			enum eio_form form)
{
	g_autoptr(GString) payload = g_string_new(NULL);
	struct engine_packet *packet;

	while ((packet = engine_session_take(session))) {
		eio_payload_append(payload, packet->text, packet->len, form);
		engine_packet_unref(packet);
	}
	if (session->finishing)
		engine_session_kill(session);
	return answer_payload(wsi, form, payload);
}

/* Releases a held poll that has nothing to bring (any more). */
static int answer_noop(struct lws *wsi, enum eio_form form)
{
	g_autoptr(GString) payload = g_string_new(NULL);

	eio_payload_append(payload, "6", 1, form);
	return answer_payload(wsi, form, payload);
}

static int refuse_full(struct lws *wsi)
{
	return room_answer_json(wsi, HTTP_STATUS_SERVICE_UNAVAILABLE,
				"{\"message\":\"Too many clients\"}");
}

static int open_polling(struct room_service *service, struct lws *wsi,
			const struct engine_query *query, enum eio_form form)
{
	struct engine_session *session =
		room_service_open_session(service, wsi, query);
	g_autoptr(GString) payload = g_string_new(NULL);
	struct engine_packet *packet;

	if (!session)
		return refuse_full(wsi);
	/* The open packet comes alone, as clients are used to. */
	packet = engine_session_take(session);
	eio_payload_append(payload, packet->text, packet->len, form);
	engine_packet_unref(packet);
	return answer_payload(wsi, form, payload);
}

static int serve_poll(struct room_service *service, struct lws *wsi,
		      struct connection *connection,
		      const struct engine_query *query)
{
	enum eio_form form = query->base64 ? EIO_FORM_TEXT : EIO_FORM_BINARY;
	struct engine_session *session;

	if (!*query->sid)
		return open_polling(service, wsi, query, form);
	session = engine_find(service->engine, query->sid);
	if (!session)
		return room_answer_json(wsi, HTTP_STATUS_BAD_REQUEST,
					engine_query_error(1));
	if (!session->polling)
		return room_answer_json(wsi, HTTP_STATUS_BAD_REQUEST,
					engine_query_error(3));
	if (engine_session_has_output(session))
		return answer_queue(wsi, session, form);

	if (session->carrier) {
		/* A client has one poll at a time: the older one's end has
		 * not been noticed yet. */
		struct connection *older = lws_wsi_user(session->carrier);

		older->session = NULL;
		room_polling_wake(service, session->carrier);
	}
	connection->purpose = PURPOSE_POLL;
	connection->session = session;
	connection->form = form;
	session->carrier = wsi;
	return hold_poll(service, wsi);
}

int room_polling_expect_body(struct lws *wsi, struct connection *connection,
			     enum purpose purpose, size_t max_body)
{
	char text[24];
	guint64 length;

	if (purpose == PURPOSE_SWALLOW &&
	    lws_hdr_copy(wsi, text, sizeof(text),
			 WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 &&
	    strcmp(text, "0") == 0)
		return room_answer_text(wsi, HTTP_STATUS_OK, "text/html", "ok");
	if (lws_hdr_copy(wsi, text, sizeof(text),
			 WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0 ||
	    !g_ascii_string_to_unsigned(text, 10, 1, max_body, &length, NULL)) {
		/* What may follow is not to be read as a request. */
		room_answer_text(wsi, HTTP_STATUS_REQ_ENTITY_TOO_LARGE,
				 "text/plain; charset=utf-8",
				 "A body of a length we accept is needed\n");
		return -1;
	}
	connection->purpose = purpose;
	connection->max_body = max_body;
	connection->body_due_us = g_get_monotonic_time() +
				  ROOM_SERVICE_BODY_TIMEOUT_S * G_USEC_PER_SEC;
	connection->body = g_string_new(NULL);
	return 0;
}

static int serve_post(struct room_service *service, struct lws *wsi,
		      struct connection *connection,
		      const struct engine_query *query)
{
	struct engine_session *session =
		engine_find(service->engine, query->sid);
	char type[64] = "";
	int r;

	if (!session || !session->polling || session->poster) {
		/* Two POSTs at once have no order: original servers close. */
		if (session && session->polling)
			engine_session_kill(session);
		room_answer_json(wsi, HTTP_STATUS_BAD_REQUEST,
				 engine_query_error(session ? 3 : 1));
		return -1;
	}
	r = room_polling_expect_body(
		wsi, connection, PURPOSE_POST,
		session->joined ? ROOM_SERVICE_MAX_POST_BYTES
				: ROOM_SERVICE_MAX_UNJOINED_POST_BYTES);
	if (r < 0) {
		engine_session_kill(session);
		return r;
	}
	lws_hdr_copy(wsi, type, sizeof(type), WSI_TOKEN_HTTP_CONTENT_TYPE);
	connection->form = eio_form_from_content_type(type);
	connection->session = session;
	session->poster = wsi;
	return 0;
}

int room_polling_serve(struct room_service *service, struct lws *wsi,
		       struct connection *connection, bool post)
{
	struct engine_query query;

	engine_query_read(wsi, &query);
	if (!query.polling)
		return room_answer_json(
			wsi, HTTP_STATUS_BAD_REQUEST,
			engine_query_error(query.websocket ? 3 : 0));
	if (!query.version_3)
		return room_answer_json(wsi, HTTP_STATUS_BAD_REQUEST,
					engine_query_error(3));
	return post ? serve_post(service, wsi, connection, &query)
		    : serve_poll(service, wsi, connection, &query);
}

int room_polling_on_body(struct connection *connection, const void *in,
			 size_t len)
{
	if (!connection->body)
		return -1;
	if (len > connection->max_body - connection->body->len ||
	    g_get_monotonic_time() > connection->body_due_us)
		return -1;
	if (connection->purpose != PURPOSE_SWALLOW)
		g_string_append_len(connection->body, in, (gssize) len);
	return 0;
}

int room_polling_on_body_complete(struct lws *wsi,
				  struct connection *connection)
{
	struct engine_session *session = connection->session;
	enum purpose purpose = connection->purpose;
	struct eio_payload payload;
	const char *text;
	size_t len;
	int r = -EBADMSG;

	if (purpose == PURPOSE_SWALLOW) {
		connection_clear(connection);
		return room_answer_text(wsi, HTTP_STATUS_OK, "text/html", "ok");
	}
	if (purpose != PURPOSE_POST)
		return -1;

	if (session && !session->dead) {
		session->poster = NULL;
		r = eio_payload_init(&payload, connection->body->str,
				     connection->body->len, connection->form);
		while (r >= 0 &&
		       (r = eio_payload_next(&payload, &text, &len)) > 0)
			engine_session_receive(session, text, len);
		if (r < 0)
			engine_session_kill(session);
	}
	connection_clear(connection);
	if (r < 0)
		return room_answer_json(wsi, HTTP_STATUS_BAD_REQUEST,
					engine_query_error(session ? 3 : 1));
	return room_answer_text(wsi, HTTP_STATUS_OK, "text/html", "ok");
}

int room_polling_on_writable(struct lws *wsi, struct connection *connection)
{
	struct engine_session *session = connection->session;
	enum eio_form form = connection->form;

	if (connection->gone)
		return -1;
	if (connection->purpose != PURPOSE_POLL)
		return 0;
	/* Another poll was quicker: it is watched on, as it was before. */
	if (session && !session->dead && !engine_session_has_output(session))
		return hold_poll(lws_context_user(lws_get_context(wsi)), wsi);
	if (session)
		session->carrier = NULL;
	connection_clear(connection);
	if (!session || session->dead)
		return answer_noop(wsi, form);
	return answer_queue(wsi, session, form);
}
