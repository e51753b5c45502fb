// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-session.h"

#include <string.h>

#include "appliance/room/room-refusal.h"
#include "appliance/room/room.h"
#include "appliance/signaling/http-session.h"
#include "appliance/signaling/message-build.h"
#include "appliance/signaling/room-api-client.h"
#include "appliance/signaling/signaling-throttle.h"
#include "appliance/signaling/socket-client.h"

/* Numbers that the API gives its events. */
#define READY_STATE_INIT	 0
#define READY_STATE_LOADING	 1
#define READY_STATE_COMPLETED	 2
#define READY_STATE_ERROR	 (-1)
#define XML_HTTP_REQUEST_ERROR	 (-1)
#define SOCKET_CONNECTION_FAILED    0
#define SOCKET_RECONNECTION_FAILED  (-1)
#define SOCKET_RECONNECTION_ABORTED (-3)
#define SOCKET_RECONNECTION_ATTEMPT (-4)

/* A way into rooms. */
#define ROOM_SESSION_NO_MEETING 4010	/* the room API: its time is over */

struct way {
	char *room_server, *app_key, *secret;
	RoomAccess access;
	SoupSession *http;
};

struct RoomSession {
	RoomSessionConfig config;
	struct way way, next;		/* next.http NULL: the same */
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
	gboolean refused;	/* the wait is the long one of a refusal */
	gboolean stale;		/* what the network was, it is no more */

	guint attempt;			/* failures in a row */
	enum room_wait wait;		/* of the last one's kind ... */
	guint in_row;			/* ... so many in a row */
	const char *cause;		/* "name", "tls", ...; NULL: none */
	gint64 retried_us;		/* by room_session_retry_now() */
	guint64 joins, losses, bad_messages, foreign_messages, not_sent;
	gint64 in_room_us, retry_us;	/* monotonic */
	char *last_error;
	const struct room_refusal *refusal;	/* or NULL */
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

/* SOCKET_FALLBACK */
static const char *fallback_type(RoomSession *s,
				 const struct socket_plan_step *step)
{
	if (!step->fallback)
		return "nonfallback";
	if (step->polling)
		return s->tls ? "fallbackLongPollingSSL"
			      : "fallbackLongPollingNonSSL";
	return s->tls ? "fallbackPortSSL" : "fallbackPortNonSSL";
}

static void emit_socket_error(RoomSession *s, gint code,
			      const struct socket_plan_step *step,
			      const GError *error)
{
	JsonObject *params = json_object_new();

	json_object_set_int_member(params, "errorCode", code);
	json_object_set_string_member(params, "error", error->message);
	json_object_set_string_member(params, "type", fallback_type(s, step));
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

/* No earlier than the start, where the room has one and it lies ahead. */
static guint64 ms_to_start(RoomSession *s)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) start = NULL;
	gint64 ms = 0;

	if (s->way.access.start)
		start = g_date_time_new_from_iso8601(s->way.access.start, utc);
	if (start)
		ms = g_date_time_to_unix(start) * 1000 -
		     g_get_real_time() / 1000;
	return ms > 0 ? (guint64) ms : 0;
}

static gdouble random_of(RoomSession *s)
{
	return s->config.random ? s->config.random(s->config.user)
				: g_random_double();
}

static guint next_wait(RoomSession *s, enum room_wait wait)
{
	guint64 start = s->refusal ? ms_to_start(s) : 0;
	guint ms;

	if (wait != s->wait)
		s->in_row = 0;
	s->wait = wait;
	ms = room_wait_ms(wait, s->in_row++, s->config.backoff_ms,
			  s->config.backoff_max_ms, random_of(s));
	/* Waiting for the start: not past it by most of a long wait. */
	if (start && ms > start)
		ms = (guint) start + 1;
	return ms;
}

static void wait_to_begin(RoomSession *s, guint ms)
{
	s->retry_us = g_get_monotonic_time() + (gint64) ms * 1000;
	set_timer(s, &s->timer, ms, on_backoff_over);
}

static guint ms_left(RoomSession *s)
{
	gint64 left = s->retry_us - g_get_monotonic_time();

	return (guint) (MAX(left, 0) / 1000);
}

/* Not all boxes on one switch come at one moment. */
static guint spread_ms(RoomSession *s)
{
	return (guint) (random_of(s) * s->config.spread_ms);
}

/* Return: FALSE when it begins sooner anyway */
static gboolean hasten(RoomSession *s, guint ms)
{
	if (ms_left(s) < ms)
		return FALSE;
	wait_to_begin(s, ms);
	return TRUE;
}

/* @cause: static, for status */
static void fail_by(RoomSession *s, const char *what, const char *cause,
		    enum room_wait wait)
{
	gboolean was_in = s->state == ROOM_SESSION_IN_ROOM;
	guint ms;

	g_free(s->last_error);
	s->last_error = g_strdup(what);
	s->cause = cause;
	if (was_in && g_get_monotonic_time() - s->in_room_us >=
			      ROOM_SESSION_STABLE_US)
		s->attempt = s->in_row = 0;
	ms = next_wait(s, wait);
	s->refused = wait == ROOM_WAIT_SLOW;
	s->attempt++;
	s->state = ROOM_SESSION_BACKOFF;
	/* the id is still known while others are told */
	if (was_in) {
		s->losses++;
		s->config.lost(s->config.user);
	}
	drop_connection(s);
	wait_to_begin(s, ms);
}

static void fail(RoomSession *s, const char *what)
{
	s->refusal = NULL;
	fail_by(s, what, "signaling", ROOM_WAIT_QUICK);
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
	s->cause = NULL;
	s->refusal = NULL;
	s->config.in_room(s->config.user, m);
}

/* With a secret and no meeting's time we ask for the hours from now on. Who
 * hears that these are over, or not yet begun, has another clock than we.
 * Return: " (...)", or "" */
static char *clock_hint(RoomSession *s, gboolean of_time)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *text = g_date_time_format(now, "%Y-%m-%d %H:%M");

	if (!of_time || !s->way.secret || s->way.access.start)
		return g_strdup("");
	return g_strdup_printf(" (this box's clock says %s UTC: is it right?)",
			       text);
}

static void take_redirect(RoomSession *s, const Message *m)
{
	JsonObject *params = json_object_new();
	const char *reason = m->redirect.reason ? m->redirect.reason : "";
	const char *info = m->redirect.info ? m->redirect.info : "";
	g_autofree char *what = NULL, *hint = NULL;

	json_object_set_string_member(params, "action", m->redirect.action);
	json_object_set_string_member(params, "message", info);
	json_object_set_string_member(params, "reason", reason);
	emit(s, "systemAction", params);
	if (strcmp(m->redirect.action, "reject"))
		return;
	s->refusal = room_refusal_get(reason);
	hint = clock_hint(s, !strcmp(reason, "notStart") ||
				     !strcmp(reason, "expired"));
	what = g_strdup_printf("The room turned us away: %s (%s%s%s)%s",
			       s->refusal->text, reason, *info ? ": " : "",
			       info, hint);
	fail_by(s, what, "refused", s->refusal->wait);
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
		message_build_join_room(s->answer, s->way.app_key);
	g_autofree char *text = message_to_text(join);

	s->state = ROOM_SESSION_JOINING;
	s->channel_open = TRUE;
	emit(s, "channelOpen", json_object_new());
	set_timer(s, &s->timer, s->config.join_ms, on_join_timeout);
	socket_client_send(s->socket, text);
}

static void on_failed(void *user, const struct socket_plan_step *failed,
		      const struct socket_plan_step *next, const GError *error)
{
	RoomSession *s = user;
	JsonObject *params;

	emit_socket_error(s,
			  failed->last_here ? SOCKET_RECONNECTION_FAILED
			  : failed->repeat  ? SOCKET_RECONNECTION_ATTEMPT
					    : SOCKET_CONNECTION_FAILED,
			  failed, error);
	if (!next) {
		emit_socket_error(s, SOCKET_RECONNECTION_ABORTED, failed,
				  error);
		return;
	}
	params = json_object_new();
	json_object_set_string_member(params, "fallbackType",
				      fallback_type(s, next));
	json_object_set_int_member(params, "currentAttempt", next->attempt);
	emit(s, "channelRetry", params);
}

static void on_closed(void *user, const GError *error)
{
	RoomSession *s = user;
	/* All boxes of the network that changed find it out together. */
	gboolean spread = s->stale &&
		g_error_matches(error, SOCKET_CLIENT_ERROR,
				SOCKET_CLIENT_ERROR_SILENT);

	if (s->state != ROOM_SESSION_CONNECTING)
		emit_channel_error(s, error->message);
	fail(s, error->message);
	if (spread)
		wait_to_begin(s, ms_left(s) + spread_ms(s));
}

static void connect_socket(RoomSession *s)
{
	g_autoptr(GPtrArray) urls = room_api_answer_urls(s->answer, s->tls);
	SocketClientConfig config = {
		.session = s->way.http,
		.connect_timeout_ms = s->way.access.socket_timeout_ms,
		.choice = s->way.access.transport,
		.retry_delay_ms = s->config.retry_delay_ms,
		.opened = on_opened,
		.message = on_message,
		.failed = on_failed,
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

static const char *cause_of(const GError *error)
{
	switch ((enum room_api_error_code) error->code) {
	case ROOM_API_ERROR_NETWORK:
		return "network";
	case ROOM_API_ERROR_NAME:
		return "name";
	case ROOM_API_ERROR_TLS:
		return "tls";
	case ROOM_API_ERROR_ANSWER:
		return "answer";
	case ROOM_API_ERROR_REFUSED:
		return "refused";
	case ROOM_API_ERROR_REQUEST:
		return "request";
	}
	return "network";
}

static enum room_wait wait_of(const GError *error, gint server_error)
{
	/* A certificate or a clock; the clock tells when it is set. */
	if (error->code == ROOM_API_ERROR_TLS)
		return ROOM_WAIT_PATIENT;
	if (error->code == ROOM_API_ERROR_REQUEST)
		return ROOM_WAIT_SLOW;
	return room_refusal_api_wait(server_error);
}

static void on_api_done(void *user, RoomApiAnswer *answer, gint server_error,
			guint status, const GError *error)
{
	RoomSession *s = user;
	g_autofree char *what = NULL, *hint = NULL;
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
	s->refusal = NULL;
	hint = clock_hint(s, server_error == ROOM_SESSION_NO_MEETING);
	what = g_strconcat(error->message, hint, NULL);
	fail_by(s, what, cause_of(error), wait_of(error, server_error));
}

/* One attempt, from the tokens on. */
static void begin(RoomSession *s)
{
	RoomApiConfig config = {
		.session = s->way.http,
		.request = room_access_request(
			&s->way.access, s->way.room_server, s->way.app_key,
			s->way.secret, s->room),
		.done = on_api_done,
		.retry = on_api_retry,
		.user = s,
	};

	/* A connection that was kept may lead nowhere by now. */
	if (s->stale)
		soup_session_abort(s->way.http);
	s->stale = FALSE;
	s->tls = room_api_is_tls(&config.request);
	s->state = ROOM_SESSION_ASKING;
	emit_ready_state(s, READY_STATE_LOADING, NULL);
	s->call = room_api_call_new(&config);
}

/* --- the way in ---------------------------------------------------------- */
static void way_done(struct way *w)
{
	g_free(w->room_server);
	g_free(w->app_key);
	g_free(w->secret);
	room_access_done(&w->access);
	g_clear_object(&w->http);
	*w = (struct way){0};
}

gboolean room_session_set_access(RoomSession *s, const char *room_server,
				 const char *app_key, const char *secret,
				 const RoomAccess *access, GError **error)
{
	/* on top of what was set before, though no join has used it yet */
	struct way *base = s->next.http ? &s->next : &s->way;
	struct way w = {
		.room_server = g_strdup(room_server ? room_server
						    : base->room_server),
		.app_key = g_strdup(app_key ? app_key : base->app_key),
		.secret = g_strdup(secret ? secret : base->secret),
	};

	if (w.secret && !*w.secret)
		g_clear_pointer(&w.secret, g_free);
	room_access_copy(&w.access, access ? access : &base->access);
	if (room_access_check(&w.access, w.room_server, w.app_key, w.secret,
			      error))
		w.http = http_session_new(w.access.ca_file, error);
	if (!w.http) {
		way_done(&w);
		return FALSE;
	}
	way_done(&s->next);
	s->next = w;
	return TRUE;
}

const RoomAccess *room_session_get_access(RoomSession *s)
{
	return &s->way.access;
}

const char *room_session_get_host(RoomSession *s)
{
	return s->answer ? s->answer->host : NULL;
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
	if (!s->config.probe_ms)
		s->config.probe_ms = ROOM_SESSION_PROBE_MS;
	if (!s->config.spread_ms)
		s->config.spread_ms = ROOM_SESSION_SPREAD_MS;
	s->way = (struct way){
		.room_server = g_strdup(config->room_server),
		.app_key = g_strdup(config->app_key),
		.secret = g_strdup(config->secret),
		.http = http_session_new(NULL, NULL),
	};
	s->throttle = signaling_throttle_new();
	return s;
}

RoomSession *room_session_free(RoomSession *s)
{
	if (!s)
		return NULL;
	drop_connection(s);
	signaling_throttle_free(s->throttle);
	way_done(&s->way);
	way_done(&s->next);
	g_free(s->room);
	g_free(s->last_error);
	g_free(s);
	return NULL;
}

void room_session_join(RoomSession *s, const char *room)
{
	room_session_leave(s);
	if (s->next.http) {
		way_done(&s->way);
		s->way = s->next;
		s->next = (struct way){0};
	}
	s->room = g_strdup(room);
	s->attempt = s->in_row = 0;
	emit_ready_state(s, READY_STATE_INIT, NULL);
	begin(s);
}

void room_session_leave(RoomSession *s)
{
	drop_connection(s);
	s->state = ROOM_SESSION_IDLE;
	g_clear_pointer(&s->room, g_free);
	g_clear_pointer(&s->last_error, g_free);
	s->cause = NULL;
	s->refusal = NULL;
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

void room_session_network_changed(RoomSession *s)
{
	s->stale = TRUE;
	switch (s->state) {
	case ROOM_SESSION_IDLE:
		return;
	case ROOM_SESSION_BACKOFF:
		if (!s->refused)
			hasten(s, spread_ms(s));
		return;
	case ROOM_SESSION_ASKING:
	case ROOM_SESSION_CONNECTING:
		drop_connection(s);
		s->state = ROOM_SESSION_BACKOFF;
		s->refused = FALSE;
		wait_to_begin(s, spread_ms(s));
		return;
	case ROOM_SESSION_JOINING:
	case ROOM_SESSION_IN_ROOM:
		socket_client_probe(s->socket, s->config.probe_ms);
		return;
	}
}

void room_session_retry_soon(RoomSession *s)
{
	gint64 now = g_get_monotonic_time();

	if (s->state != ROOM_SESSION_BACKOFF)
		return;
	/* A clock that is set again and again is no reason to hammer. */
	if (s->retried_us && now - s->retried_us < ROOM_SESSION_SOON_GAP_US)
		return;
	if (hasten(s, (guint) (random_of(s) * ROOM_SESSION_SOON_MS)))
		s->retried_us = now;
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

gboolean room_session_is_privileged(RoomSession *s)
{
	return s->sid && s->answer->is_privileged;
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

static void set_string(JsonObject *o, const char *name, const char *value)
{
	if (value)
		json_object_set_string_member(o, name, value);
	else
		json_object_set_null_member(o, name);
}

JsonObject *room_session_describe(RoomSession *s)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "state",
				      room_session_state_name(s->state));
	set_string(o, "room", s->room);
	json_object_set_string_member(o, "server", s->way.room_server);
	set_string(o, "transport",
		   s->socket ? socket_client_get_transport(s->socket) : NULL);
	set_string(o, "sid", s->sid);
	json_object_set_int_member(
		o, "retries",
		s->state == ROOM_SESSION_IN_ROOM ? 0 : s->attempt);
	if (s->state == ROOM_SESSION_BACKOFF)
		json_object_set_int_member(o, "nextAttemptMs", ms_left(s));
	else
		json_object_set_null_member(o, "nextAttemptMs");
	set_string(o, "lastError", s->last_error);
	set_string(o, "cause", s->cause);
	set_string(o, "refusal", s->refusal ? s->refusal->reason : NULL);
	json_object_set_int_member(o, "joins", (gint64) s->joins);
	json_object_set_int_member(o, "losses", (gint64) s->losses);
	json_object_set_int_member(o, "badMessages", (gint64) s->bad_messages);
	json_object_set_int_member(o, "foreignMessages",
				   (gint64) s->foreign_messages);
	json_object_set_int_member(o, "messagesNotSent", (gint64) s->not_sent);
	return o;
}
