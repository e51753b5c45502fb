// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-console.h"

#include <string.h>

#include "appliance/console/console-link.h"
#include "appliance/roomserver/room-answer.h"
#include "appliance/roomserver/room-visitor.h"

/* Texts written to one browser before the others have their turn. */
#define WRITES_PER_TURN 8

struct console_stream {
	struct lws *wsi;
	char session[CONSOLE_SESSION_CHARS + 1];
	guint64 generation, cursor;	/* its place in the link */
	char *refusal;		/* of the last command that was; or NULL */
	bool wants, over;	/* to write; the session is over */
	gint64 wants_since_us;
	unsigned int commands;	/* allowed now */
	gint64 commands_since_us;
};

/* --- coming and going ------------------------------------------------------- */
static void count_readers(struct room_service *service)
{
	console_link_set_readers(service->link, service->streams->len);
}

static int refuse(struct lws *wsi, unsigned int status, const char *text)
{
	return room_answer_refuse_upgrade(
		wsi, &(struct room_answer){
			     .status = status,
			     .content_type = "text/plain; charset=utf-8",
			     .body = text,
			     .len = strlen(text),
			     .for_us = true,
		     });
}

int room_console_on_upgrade(struct room_service *service, struct lws *wsi)
{
	struct room_visit visit;
	enum room_verdict verdict;

	room_visit_read(service, wsi, true, &visit);
	verdict = room_gate_check(&service->gate, ROOM_AREA_CONSOLE,
				  &visit.visitor);
	if (verdict != ROOM_ALLOWED)
		return room_visit_refuse(wsi, verdict, ROOM_AREA_CONSOLE,
					 &visit, ROOM_CONSOLE_PATH, true);
	if (!room_visit_is_own_page(wsi, &visit))
		return refuse(wsi, HTTP_STATUS_FORBIDDEN,
			      "Not a page of this box\n");
	if (!service->link ||
	    service->streams->len >= ROOM_CONSOLE_MAX_STREAMS)
		return refuse(wsi, HTTP_STATUS_SERVICE_UNAVAILABLE,
			      "Too many consoles are open\n");
	return 0;
}

static void want(struct console_stream *stream)
{
	if (!stream->wants) {
		stream->wants = true;
		stream->wants_since_us = g_get_monotonic_time();
	}
	lws_callback_on_writable(stream->wsi);
}

int room_console_on_open(struct room_service *service, struct lws *wsi,
			 struct connection *connection)
{
	struct console_stream *stream;
	struct room_visit visit;

	connection_clear(connection);
	if (service->streams->len >= ROOM_CONSOLE_MAX_STREAMS)
		return -1;
	room_visit_read(service, wsi, true, &visit);
	stream = g_new0(struct console_stream, 1);
	stream->wsi = wsi;
	stream->commands = ROOM_CONSOLE_COMMANDS;
	memcpy(stream->session, visit.session, sizeof(stream->session));
	connection->purpose = PURPOSE_CONSOLE;
	connection->stream = stream;
	g_ptr_array_add(service->streams, stream);
	count_readers(service);
	want(stream);
	return 0;
}

void room_console_on_end(struct room_service *service,
			 struct connection *connection)
{
	struct console_stream *stream = connection->stream;

	if (!stream)
		return;
	connection->stream = NULL;
	g_ptr_array_remove_fast(service->streams, stream);
	count_readers(service);
	g_free(stream->refusal);
	g_free(stream);
}

/* --- commands --------------------------------------------------------------- */
static bool may_command(struct console_stream *stream)
{
	gint64 now_us = g_get_monotonic_time();
	gint64 n = (now_us - stream->commands_since_us) /
		   ROOM_CONSOLE_COMMAND_US;

	stream->commands = (unsigned int) MIN(stream->commands + n,
					      ROOM_CONSOLE_COMMANDS);
	if (n)
		stream->commands_since_us = now_us;
	if (!stream->commands)
		return false;
	stream->commands--;
	return true;
}

static void refuse_command(struct console_stream *stream, guint32 id)
{
	g_free(stream->refusal);
	stream->refusal = g_strdup_printf(
		"{\"result\":{\"id\":%u,\"ok\":false,\"error\":\"The box has "
		"too much to do; try again\"}}",
		id);
	want(stream);
}

static int on_command(struct room_service *service,
		      struct console_stream *stream, const char *text,
		      size_t len)
{
	struct console_command command;

	/* Also that it is in use. */
	if (console_auth_find(service->auth, stream->session,
			      g_get_monotonic_time(),
			      true) != CONSOLE_ROLE_OPERATE) {
		stream->over = true;
		want(stream);
		return 0;
	}
	if (console_command_parse(text, len, &command) < 0) {
		room_count(service->counters->bad_messages, 1);
		return -1;
	}
	if (!may_command(stream) ||
	    console_link_command(service->link, &command) < 0)
		refuse_command(stream, command.id);
	return 0;
}

int room_console_on_receive(struct room_service *service, struct lws *wsi,
			    struct connection *connection, const char *in,
			    size_t len)
{
	int r;

	if (!connection->stream || lws_frame_is_binary(wsi))
		return -1;
	if (!connection->body)
		connection->body = g_string_sized_new(64);
	if (len > CONSOLE_COMMAND_MAX_BYTES - connection->body->len)
		return -1;
	g_string_append_len(connection->body, in, (gssize) len);
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
		return 0;
	r = on_command(service, connection->stream, connection->body->str,
		       connection->body->len);
	g_string_truncate(connection->body, 0);
	return r;
}

/* --- what goes out ---------------------------------------------------------- */
static int write_text(struct lws *wsi, const char *text, size_t len)
{
	g_autofree unsigned char *copy = g_malloc(LWS_PRE + len);

	memcpy(copy + LWS_PRE, text, len);
	return lws_write(wsi, copy + LWS_PRE, len, LWS_WRITE_TEXT) < 0 ? -1
								       : 0;
}

static int write_bytes(struct lws *wsi, GBytes *bytes)
{
	gsize len;
	const char *text = g_bytes_get_data(bytes, &len);
	int r = write_text(wsi, text, len);

	g_bytes_unref(bytes);
	return r;
}

/* Return: 1 when something was written, 0 when there is nothing, -1. */
static int write_next(struct room_service *service,
		      struct console_stream *stream)
{
	g_autofree char *text = g_steal_pointer(&stream->refusal);
	bool first = !stream->cursor;
	guint64 missed = 0;
	GBytes *bytes;

	if (text)
		return write_text(stream->wsi, text, strlen(text)) < 0 ? -1 : 1;
	bytes = console_link_line(service->link, &stream->cursor, &missed);
	/* A new reader has missed nothing: these were before its time. */
	if (missed && !first) {
		text = g_strdup_printf("{\"missed\":%" G_GUINT64_FORMAT "}",
				       missed);
		if (write_text(stream->wsi, text, strlen(text)) < 0) {
			g_bytes_unref(bytes);
			return -1;
		}
	}
	if (!bytes)
		bytes = console_link_page(service->link, &stream->generation);
	if (!bytes)
		return 0;
	return write_bytes(stream->wsi, bytes) < 0 ? -1 : 1;
}

int room_console_on_writable(struct room_service *service, struct lws *wsi,
			     struct connection *connection)
{
	struct console_stream *stream = connection->stream;
	int r = 1;

	if (!stream)
		return -1;
	if (stream->over) {
		lws_close_reason(wsi, ROOM_CONSOLE_CLOSE_LOGIN, NULL, 0);
		return -1;
	}
	stream->wants = false;
	for (unsigned int i = 0; r > 0 && i < WRITES_PER_TURN; i++) {
		/* It keeps the rest of the last one, and must get no more. */
		if (lws_partial_buffered(wsi))
			break;
		r = write_next(service, stream);
	}
	if (r > 0)
		want(stream);
	return r < 0 ? -1 : 0;
}

void room_console_wake(struct room_service *service)
{
	for (guint i = 0; i < service->streams->len; i++)
		want(service->streams->pdata[i]);
}

void room_console_tick(struct room_service *service)
{
	gint64 now_us = g_get_monotonic_time();

	for (guint i = 0; i < service->streams->len; i++) {
		struct console_stream *stream = service->streams->pdata[i];

		if (stream->wants &&
		    now_us - stream->wants_since_us > ROOM_CONSOLE_SLOW_US) {
			room_count(service->counters->dropped_slow, 1);
			lws_set_timeout(stream->wsi, PENDING_TIMEOUT_USER_OK,
					LWS_TO_KILL_ASYNC);
		} else if (console_auth_find(service->auth, stream->session,
					     now_us, false) !=
			   CONSOLE_ROLE_OPERATE) {
			stream->over = true;
			want(stream);
		}
	}
}
