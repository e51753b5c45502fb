// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-websocket.h"

#include <string.h>

#include "appliance/roomserver/room-answer.h"

G_STATIC_ASSERT(ENGINE_HEADROOM >= LWS_PRE);

/* Packets written to one client before the others have their turn. */
#define WRITES_PER_TURN 16

int room_websocket_on_upgrade(struct room_service *service, struct lws *wsi)
{
	struct engine_query query;
	char path[sizeof(ROOM_SOCKET_PATH) + 1] = "";
	const char *error = NULL;

	lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI);
	engine_query_read(wsi, &query);
	if (strcmp(path, ROOM_SOCKET_PATH) != 0 || !query.version_3 ||
	    *query.sid)
		error = engine_query_error(3);
	else if (!query.websocket)
		error = engine_query_error(0);
	if (!error)
		return 0;
	return room_answer_refuse_upgrade(
		wsi, &(struct room_answer){
			     .status = HTTP_STATUS_BAD_REQUEST,
			     .content_type = "application/json; charset=utf-8",
			     .body = error,
			     .len = strlen(error),
		     });
}

int room_websocket_on_open(struct room_service *service, struct lws *wsi,
			   struct connection *connection)
{
	struct engine_session *session;
	struct engine_query query;

	connection_clear(connection);
	engine_query_read(wsi, &query);
	query.polling = false;
	session = room_service_open_session(service, wsi, &query);
	if (!session) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
				 (unsigned char *) "full", 4);
		return -1;
	}
	connection->purpose = PURPOSE_WEBSOCKET;
	connection->session = session;
	session->carrier = wsi;
	lws_callback_on_writable(wsi);
	return 0;
}

static bool is_utf8(const char *text, size_t len)
{
	size_t i = 0;

	/* Mostly it is ASCII: eight bytes at a time. */
	for (uint64_t w; len - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, text + i, sizeof(w));
		if (w & UINT64_C(0x8080808080808080))
			break;
	}
	return g_utf8_validate_len(text + i, len - i, NULL);
}

/* RFC 6455 §8.1; libwebsockets can do it, too, byte by byte. */
static int receive_whole(struct lws *wsi, struct engine_session *session,
			 const char *text, size_t len)
{
	if (!is_utf8(text, len)) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, NULL,
				 0);
		return -1;
	}
	engine_session_receive(session, text, len);
	return 0;
}

int room_websocket_on_receive(struct lws *wsi, struct connection *connection,
			      const char *in, size_t len)
{
	struct engine_session *session = connection->session;
	bool whole = lws_is_final_fragment(wsi) &&
		     !lws_remaining_packet_payload(wsi);

	if (!session || lws_frame_is_binary(wsi))
		return -1;
	if (whole && !connection->body)
		return receive_whole(wsi, session, in, len);
	if (!connection->body)
		connection->body = g_string_sized_new(16 * 1024);
	if (len > engine_session_max_bytes(session) - connection->body->len) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL,
				 0);
		return -1;
	}
	g_string_append_len(connection->body, in, (gssize) len);
	if (whole) {
		g_autoptr(GString) body = g_steal_pointer(&connection->body);

		return receive_whole(wsi, session, body->str, body->len);
	}
	return 0;
}

/* Until the system takes no more: libwebsockets keeps the rest of that packet,
 * and must be given none while it does. */
static int write_queue(struct lws *wsi, struct engine_session *session)
{
	for (unsigned int i = 0; i < WRITES_PER_TURN; i++) {
		struct engine_packet *packet;
		int r;

		if (lws_partial_buffered(wsi))
			break;
		packet = engine_session_take(session);
		if (!packet)
			break;
		r = lws_write(wsi, (unsigned char *) packet->text, packet->len,
			      LWS_WRITE_TEXT);
		engine_packet_unref(packet);
		if (r < 0)
			return -1;
	}
	return 0;
}

void room_websocket_flush(struct engine_session *session)
{
	struct lws *wsi = session->carrier;

	if (write_queue(wsi, session) < 0)
		engine_session_kill(session);
	else if (session->finishing || engine_session_has_output(session))
		lws_callback_on_writable(wsi);
}

int room_websocket_on_writable(struct lws *wsi, struct connection *connection)
{
	struct engine_session *session = connection->session;

	if (!session || session->dead)
		return -1;
	if (write_queue(wsi, session) < 0)
		return -1;
	if (engine_session_has_output(session)) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	if (session->finishing) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
		return -1;
	}
	return 0;
}
