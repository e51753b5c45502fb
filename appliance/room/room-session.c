// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-session.h"

#include <string.h>

#include "appliance/room/backoff.h"
#include "appliance/signaling/message-build.h"
#include "appliance/signaling/room-api-client.h"
#include "appliance/signaling/signaling-throttle.h"
#include "appliance/signaling/socket-client.h"

/* Numbers that the API gives its events. */
#define READY_STATE_LOADING	 1
#define READY_STATE_COMPLETED	 2
#define READY_STATE_ERROR	 (-1)
#define XML_HTTP_REQUEST_ERROR	 (-1)
#define SOCKET_CONNECTION_FAILED 0
#define SOCKET_CONNECTION_ABORTED (-2)

struct RoomSession {
	RoomSessionConfig config;
	char *room_server, *app_key, *secret;
	SoupSession *http;
	char *room;			/* NULL: nobody wants in */
	enum room_session_state state;

	RoomApiCall *call;
	RoomApiAnswer *answer;
	SocketClient *socket;
	SignalingThrottle *throttle;
	GSource *timer;			/* backoff, or the wait for inRoom */
	GSource *throttle_timer;
	char *sid;
	gboolean tls;
	gboolean channel_open;	/* as told by events */

	guint attempt;			/* failures in a row */
	guint64 joins, losses, bad_messages, foreign_messages, not_sent;
	gint64 in_room_us, retry_us;	/* monotonic */
	char *last_error;
};

static void begin(RoomSession *s);
static void fail(RoomSession *s, const char *what);

const char *room_session_state_name(enum room_session_state state)
{
	switch (state) {
	case ROOM_SESSION_IDLE:
		return "idle";
	case ROOM_SESSION_ASKING:
		return "asking";
	case ROOM_SESSION_CONNECTING:
		return "connecting";
	case ROOM_SESSION_JOINING:
		return "joining";
	case ROOM_SESSION_IN_ROOM:
		return "inRoom";
	case ROOM_SESSION_BACKOFF:
		return "waiting";
	}
	return "idle";
}

/* --- timers -------------------------------------------------------------- */
static void stop_timer(GSource **timer)
{
	if (!*timer)
		return;
	g_source_destroy(*timer);
	g_clear_pointer(timer, g_source_unref);
}

static void set_timer(RoomSession *s, GSource **timer, guint ms, GSourceFunc fn)
{
	stop_timer(timer);
	*timer = g_timeout_source_new(ms);
	g_source_set_callback(*timer, fn, s, NULL);
	g_source_attach(*timer, g_main_context_get_thread_default());
}

/* --- events -------------------------------------------------------------- */
static void emit(RoomSession *s, const char *name, JsonObject *params)
{
	s->config.event(s->config.user, name, params);
}

/* @error: (transfer full), or NULL */
static void emit_ready_state(RoomSession *s, gint state, JsonObject *error)
{
	JsonObject *params = json_object_new();

	json_object_set_int_member(params, "readyState", state);
	if (error)
		json_object_set_object_member(params, "error", error);
	else
		json_object_set_null_member(params, "error");
	json_object_set_string_member(params, "room", s->room);
	emit(s, "readyStateChange", params);
}

static void emit_channel_error(RoomSession *s, const char *text)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "error", text);
	emit(s, "channelError", params);
}

static void emit_socket_error(RoomSession *s, gint code, const GError *error)
{
	JsonObject *params = json_object_new();

	json_object_set_int_member(params, "errorCode", code);
	json_object_set_string_member(params, "error", error->message);
	json_object_set_string_member(params, "type",
				      s->tls ? "fallbackPortSSL"
					     : "fallbackPortNonSSL");
	emit(s, "socketError", params);
}

/* --- leaving and failing ------------------------------------------------- */
static void drop_connection(RoomSession *s)
{
	stop_timer(&s->timer);
	stop_timer(&s->throttle_timer);
	signaling_throttle_clear(s->throttle);
	s->call = room_api_call_free(s->call);
	s->socket = socket_client_free(s->socket);
	if (s->channel_open) {
		s->channel_open = FALSE;
		emit(s, "channelClose", json_object_new());
	}
	s->answer = room_api_answer_free(s->answer);
	g_clear_pointer(&s->sid, g_free);
}

static gboolean on_backoff_over(gpointer data)
{
	RoomSession *s = data;

	stop_timer(&s->timer);
	begin(s);
	return G_SOURCE_REMOVE;
}

static void fail(RoomSession *s, const char *what)
{
	gboolean was_in = s->state == ROOM_SESSION_IN_ROOM;
	gdouble random = s->config.random ? s->config.random(s->config.user)
					  : g_random_double();
	guint ms;

	g_free(s->last_error);
	s->last_error = g_strdup(what);
	if (was_in && g_get_monotonic_time() - s->in_room_us >=
			      ROOM_SESSION_STABLE_US)
		s->attempt = 0;
	ms = backoff_ms(s->attempt, s->config.backoff_ms,
			s->config.backoff_max_ms, random);
	s->attempt++;
	s->state = ROOM_SESSION_BACKOFF;
	/* the id is still known while others are told */
	if (was_in) {
		s->losses++;
		s->config.lost(s->config.user);
	}
	drop_connection(s);
	s->retry_us = g_get_monotonic_time() + (gint64) ms * 1000;
	set_timer(s, &s->timer, ms, on_backoff_over);
}

/* --- in the room --------------------------------------------------------- */
static void take_in_room(RoomSession *s, const Message *m)
{
	if (s->state != ROOM_SESSION_JOINING)
		return;
	stop_timer(&s->timer);
	s->state = ROOM_SESSION_IN_ROOM;
	s->sid = g_strdup(m->in_room.sid);
	s->in_room_us = g_get_monotonic_time();
	s->joins++;
	g_clear_pointer(&s->last_error, g_free);
	s->config.in_room(s->config.user, m);
}

static void take_redirect(RoomSession *s, const Message *m)
{
	JsonObject *params = json_object_new();
	const char *reason = m->redirect.reason ? m->redirect.reason : "";
	const char *info = m->redirect.info ? m->redirect.info : "";
	g_autofree char *what = NULL;

	json_object_set_string_member(params, "action", m->redirect.action);
	json_object_set_string_member(params, "message", info);
	json_object_set_string_member(params, "reason", reason);
	emit(s, "systemAction", params);
	if (strcmp(m->redirect.action, "reject"))
		return;
	what = g_strdup_printf("The signaling server turned us away: %s (%s)",
			       info, reason);
	fail(s, what);
}

static void take_message(RoomSession *s, const Message *m)
{
	switch (m->type) {
	case MESSAGE_IN_ROOM:
		take_in_room(s, m);
		return;
	case MESSAGE_REDIRECT:
		take_redirect(s, m);
		return;
	default:
		break;
	}
	if (s->state != ROOM_SESSION_IN_ROOM)
		return;
	if (!g_strcmp0(m->mid, s->sid) ||
	    (m->target && m->type != MESSAGE_APPROACH &&
	     strcmp(m->target, s->sid))) {
		s->foreign_messages++;
		return;
	}
	s->config.message(s->config.user, m);
}

static void on_message(void *user, const char *text, gsize len)
{
	RoomSession *s = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) m = message_parse_text(text, (gssize) len, &error);
	g_autoptr(GPtrArray) list = NULL;
	guint bad;

	if (!m) {
		s->bad_messages++;
		g_debug("Ignoring a message: %s", error->message);
		return;
	}
	if (m->type != MESSAGE_GROUP) {
		take_message(s, m);
		return;
	}
	list = message_unbundle(m, &bad);
	s->bad_messages += bad;
	for (guint i = 0; i < list->len && s->socket; i++)
		take_message(s, list->pdata[i]);
}

/* --- the connection ------------------------------------------------------ */
static gboolean on_join_timeout(gpointer data)
{
	RoomSession *s = data;

	stop_timer(&s->timer);
	emit_channel_error(s, "The signaling server does not let us in: no "
			      "answer to joinRoom");
	fail(s, "The signaling server does not answer joinRoom");
	return G_SOURCE_REMOVE;
}

static void on_opened(void *user, const char *url)
{
	RoomSession *s = user;
	g_autoptr(JsonObject) join =
		message_build_join_room(s->answer, s->app_key);
	g_autofree char *text = message_to_text(join);

	s->state = ROOM_SESSION_JOINING;
	s->channel_open = TRUE;
	emit(s, "channelOpen", json_object_new());
	set_timer(s, &s->timer, s->config.join_ms, on_join_timeout);
	socket_client_send(s->socket, text);
}

static void on_retry(void *user, const char *next_url, guint attempt,
		     const GError *error)
{
	RoomSession *s = user;
	JsonObject *params = json_object_new();

	emit_socket_error(s, SOCKET_CONNECTION_FAILED, error);
	json_object_set_string_member(params, "fallbackType",
				      s->tls ? "fallbackPortSSL"
					     : "fallbackPortNonSSL");
	json_object_set_int_member(params, "currentAttempt", attempt);
	emit(s, "channelRetry", params);
}

static void on_closed(void *user, const GError *error)
{
	RoomSession *s = user;

	if (s->state == ROOM_SESSION_CONNECTING)
		emit_socket_error(s, SOCKET_CONNECTION_ABORTED, error);
	else
		emit_channel_error(s, error->message);
	fail(s, error->message);
}

static void connect_socket(RoomSession *s)
{
	g_autoptr(GPtrArray) urls = room_api_answer_urls(s->answer, s->tls);
	SocketClientConfig config = {
		.session = s->http,
		.opened = on_opened,
		.message = on_message,
		.retry = on_retry,
		.closed = on_closed,
		.user = s,
	};

	g_ptr_array_add(urls, NULL);
	config.urls = (const char *const *) urls->pdata;
	s->state = ROOM_SESSION_CONNECTING;
	s->socket = socket_client_new(&config);
}

/* --- the tokens ---------------------------------------------------------- */
static void on_api_retry(void *user, guint attempt, const GError *error)
{
	g_debug("Asking the room server again: %s", error->message);
}

static void on_api_done(void *user, RoomApiAnswer *answer, gint server_error,
			guint status, const GError *error)
{
	RoomSession *s = user;
	JsonObject *details;

	s->call = room_api_call_free(s->call);
	if (answer) {
		s->answer = answer;
		emit_ready_state(s, READY_STATE_COMPLETED, NULL);
		connect_socket(s);
		return;
	}
	details = json_object_new();
	json_object_set_int_member(details, "status", status);
	json_object_set_int_member(details, "errorCode",
				   server_error ? server_error
						: XML_HTTP_REQUEST_ERROR);
	json_object_set_string_member(details, "content", error->message);
	emit_ready_state(s, READY_STATE_ERROR, details);
	fail(s, error->message);
}

/* One attempt, from the tokens on. */
static void begin(RoomSession *s)
{
	RoomApiConfig config = {
		.session = s->http,
		.base = s->room_server,
		.app_key = s->app_key,
		.room = s->room,
		.secret = s->secret,
		.done = on_api_done,
		.retry = on_api_retry,
		.user = s,
	};

	s->state = ROOM_SESSION_ASKING;
	emit_ready_state(s, READY_STATE_LOADING, NULL);
	s->call = room_api_call_new(&config);
}

/* --- for the room -------------------------------------------------------- */
RoomSession *room_session_new(const RoomSessionConfig *config)
{
	RoomSession *s = g_new0(RoomSession, 1);

	s->config = *config;
	if (!s->config.backoff_ms)
		s->config.backoff_ms = ROOM_SESSION_BACKOFF_MS;
	if (!s->config.backoff_max_ms)
		s->config.backoff_max_ms = ROOM_SESSION_BACKOFF_MAX_MS;
	if (!s->config.join_ms)
		s->config.join_ms = ROOM_SESSION_JOIN_MS;
	s->room_server = g_strdup(config->room_server);
	s->app_key = g_strdup(config->app_key);
	s->secret = g_strdup(config->secret);
	s->tls = room_api_base_is_tls(config->room_server);
	s->http = signaling_http_session_new();
	s->throttle = signaling_throttle_new();
	return s;
}

RoomSession *room_session_free(RoomSession *s)
{
	if (!s)
		return NULL;
	drop_connection(s);
	signaling_throttle_free(s->throttle);
	g_object_unref(s->http);
	g_free(s->room_server);
	g_free(s->app_key);
	g_free(s->secret);
	g_free(s->room);
	g_free(s->last_error);
	g_free(s);
	return NULL;
}

void room_session_join(RoomSession *s, const char *room)
{
	room_session_leave(s);
	s->room = g_strdup(room);
	s->attempt = 0;
	begin(s);
}

void room_session_leave(RoomSession *s)
{
	drop_connection(s);
	s->state = ROOM_SESSION_IDLE;
	g_clear_pointer(&s->room, g_free);
	g_clear_pointer(&s->last_error, g_free);
}

void room_session_rejoin(RoomSession *s, const char *why)
{
	if (s->state == ROOM_SESSION_IN_ROOM)
		fail(s, why);
}

void room_session_retry_now(RoomSession *s)
{
	if (s->state == ROOM_SESSION_BACKOFF)
		on_backoff_over(s);
}

enum room_session_state room_session_get_state(RoomSession *s)
{
	return s->state;
}

const char *room_session_get_room(RoomSession *s)
{
	return s->room;
}

const char *room_session_get_sid(RoomSession *s)
{
	return s->sid;
}

const char *room_session_get_rid(RoomSession *s)
{
	return s->sid ? s->answer->room_key : NULL;
}

const char *room_session_get_cid(RoomSession *s)
{
	return s->sid ? s->answer->cid : NULL;
}

/* --- sending ------------------------------------------------------------- */
static gboolean send_now(RoomSession *s, JsonObject *message)
{
	g_autofree char *text = message_to_text(message);

	if (s->socket && socket_client_send(s->socket, text))
		return TRUE;
	s->not_sent++;
	return FALSE;
}

static void arm_throttle(RoomSession *s);

static gboolean on_throttle(gpointer data)
{
	RoomSession *s = data;
	JsonObject *message;

	stop_timer(&s->throttle_timer);
	message = signaling_throttle_pop(s->throttle, g_get_monotonic_time());
	if (message) {
		send_now(s, message);
		json_object_unref(message);
	}
	arm_throttle(s);
	return G_SOURCE_REMOVE;
}

static void arm_throttle(RoomSession *s)
{
	gint64 due = signaling_throttle_due_us(s->throttle);
	gint64 wait = due - g_get_monotonic_time();

	if (due >= 0 && !s->throttle_timer)
		set_timer(s, &s->throttle_timer,
			  (guint) (MAX(wait, 0) / 1000 + 1), on_throttle);
}

gboolean room_session_send(RoomSession *s, JsonObject *message)
{
	g_autoptr(JsonObject) owned = message;

	if (s->state != ROOM_SESSION_IN_ROOM)
		return FALSE;
	switch (signaling_throttle_push(s->throttle, owned,
					g_get_monotonic_time())) {
	case SIGNALING_THROTTLE_SEND:
		return send_now(s, owned);
	case SIGNALING_THROTTLE_QUEUED:
		arm_throttle(s);
		return TRUE;
	case SIGNALING_THROTTLE_FULL:
		s->not_sent++;
		return FALSE;
	}
	return FALSE;
}

JsonObject *room_session_describe(RoomSession *s)
{
	JsonObject *o = json_object_new();
	gint64 left = s->retry_us - g_get_monotonic_time();

	json_object_set_string_member(o, "state",
				      room_session_state_name(s->state));
	if (s->room)
		json_object_set_string_member(o, "room", s->room);
	else
		json_object_set_null_member(o, "room");
	json_object_set_string_member(o, "server", s->room_server);
	if (s->sid)
		json_object_set_string_member(o, "sid", s->sid);
	else
		json_object_set_null_member(o, "sid");
	json_object_set_int_member(
		o, "retries",
		s->state == ROOM_SESSION_IN_ROOM ? 0 : s->attempt);
	if (s->state == ROOM_SESSION_BACKOFF)
		json_object_set_int_member(o, "nextAttemptMs",
					   MAX(left, 0) / 1000);
	else
		json_object_set_null_member(o, "nextAttemptMs");
	if (s->last_error)
		json_object_set_string_member(o, "lastError", s->last_error);
	else
		json_object_set_null_member(o, "lastError");
	json_object_set_int_member(o, "joins", (gint64) s->joins);
	json_object_set_int_member(o, "losses", (gint64) s->losses);
	json_object_set_int_member(o, "badMessages", (gint64) s->bad_messages);
	return o;
}
