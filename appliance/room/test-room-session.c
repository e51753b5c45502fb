// SPDX-License-Identifier: Apache-2.0
/* Against a mock room service in this process: it has to fall silent, turn
 * away and drop at chosen moments, which the real one does not on demand. */
#include "appliance/room/room-session.h"
#include "appliance/room/room.h"

#include <libsoup/soup.h>
#include <string.h>

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"

#define SPREAD_MS 100000

struct fixture {
	SoupServer *server;
	char *base;
	guint16 port;
	guint asked, joined;
	enum { LET_IN, SAY_NOTHING, TURN_AWAY } manner;
	const char *reason;
	GPtrArray *connections;
	GPtrArray *heard;		/* texts after joinRoom */
	char *last_user_cred;
	char *path, *query;		/* of the last request for tokens */
	gboolean dead_ports;
	int api_error;

	RoomSession *session;
	GString *events;		/* "name name " */
	guint in_room, lost;
	GPtrArray *messages;		/* "type:mid" */
	gdouble random;
};

/* --- the service --------------------------------------------------------- */
static void on_api(SoupServer *server, SoupServerMessage *message,
		   const char *path, GHashTable *query, gpointer data)
{
	struct fixture *f = data;
	char *text;

	g_free(f->path);
	g_free(f->query);
	f->path = g_strdup(path);
	f->query = g_strdup(
		g_uri_get_query(soup_server_message_get_uri(message)));
	if (f->api_error) {
		text = g_strdup_printf("{\"success\":false,\"error\":%d}",
				       f->api_error);
		soup_server_message_set_status(message, 404, NULL);
		soup_server_message_set_response(message, "application/json",
						 SOUP_MEMORY_TAKE, text,
						 strlen(text));
		return;
	}
	text = g_strdup_printf(
		"{\"success\":true,\"cid\":\"c\",\"apiOwner\":\"o\","
		"\"username\":\"u\",\"userCred\":\"token %u\",\"timeStamp\":"
		"\"t\",\"room_key\":\"r\",\"roomCred\":\"rc\",\"start\":\"s\","
		"\"len\":\"24\",\"ipSigserver\":\"127.0.0.1\","
		"\"httpPortList\":[%u,%u]}", ++f->asked,
		f->dead_ports ? 1 : f->port, f->dead_ports ? 2 : f->port);

	soup_server_message_set_status(message, 200, NULL);
	soup_server_message_set_response(message, "application/json",
					 SOUP_MEMORY_TAKE, text, strlen(text));
}

static void tell(SoupWebsocketConnection *c, const char *json)
{
	g_autoptr(GString) out = g_string_new("42[\"message\",");

	json_quote(out, json, strlen(json));
	g_string_append_c(out, ']');
	soup_websocket_connection_send_text(c, out->str);
}

static SoupWebsocketConnection *latest(struct fixture *f)
{
	return f->connections->pdata[f->connections->len - 1];
}

static void say_no(struct fixture *f)
{
	g_autofree char *json = g_strdup_printf(
		"{\"type\":\"redirect\",\"action\":\"reject\",\"reason\":"
		"\"%s\",\"info\":\"sorry\"}", f->reason);

	tell(latest(f), json);
}

static void take_join(struct fixture *f, const char *text)
{
	g_autoptr(JsonObject) o =
		json_checked_parse_object(text, -1, 65536, NULL);

	g_free(f->last_user_cred);
	f->last_user_cred =
		g_strdup(json_object_get_string_member(o, "userCred"));
	g_assert_cmpstr(json_object_get_string_member(o, "len"), ==, "24");
	g_assert_cmpstr(json_object_get_string_member(o, "rid"), ==, "r");
	f->joined++;
	if (f->manner == LET_IN)
		tell(latest(f), "{\"type\":\"inRoom\",\"sid\":\"me\",\"rid\":"
				"\"r\",\"tieBreaker\":5,\"pc_config\":{}}");
	else if (f->manner == TURN_AWAY)
		say_no(f);
}

static void on_frame(SoupWebsocketConnection *c, gint type, GBytes *bytes,
		     gpointer data)
{
	struct fixture *f = data;
	gsize len;
	const char *text = g_bytes_get_data(bytes, &len);
	g_autofree char *copy = g_strndup(text, len);
	g_autofree char *inner = NULL;
	gsize inner_len;

	if (!g_str_has_prefix(copy, "42[\"message\","))
		return;
	copy[len - 1] = '\0';
	inner = json_unquote(copy + 13, len - 14, &inner_len);
	if (strstr(inner, "joinRoom"))
		take_join(f, inner);
	else
		g_ptr_array_add(f->heard, g_strdup(inner));
}

static void on_socket(SoupServer *server, SoupServerMessage *message,
		      const char *path, SoupWebsocketConnection *c,
		      gpointer data)
{
	struct fixture *f = data;

	g_ptr_array_add(f->connections, g_object_ref(c));
	g_signal_connect(c, "message", G_CALLBACK(on_frame), f);
	soup_websocket_connection_send_text(
		c, "0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,"
		   "\"pingTimeout\":60000}");
	soup_websocket_connection_send_text(c, "40");
}

/* --- the session --------------------------------------------------------- */
/* "name ", with what tells it apart from others of that name. */
static void on_event(void *user, const char *name, JsonObject *params)
{
	struct fixture *f = user;
	const char *type = json_object_get_string_member_with_default(
		params, strcmp(name, "channelRetry") ? "type" : "fallbackType",
		NULL);
	int number = (int) json_object_get_int_member_with_default(
		params, "readyState",
		json_object_get_int_member_with_default(
			params, "errorCode",
			json_object_get_int_member_with_default(
				params, "currentAttempt", 99)));

	g_string_append(f->events, name);
	if (number != 99)
		g_string_append_printf(f->events, "%d", number);
	if (type)
		g_string_append_printf(f->events, ":%s", type);
	if (number == -1 && json_object_has_member(params, "readyState")) {
		JsonObject *e = json_object_get_object_member(params, "error");

		g_string_append_printf(
			f->events, ":%d:%d",
			(int) json_object_get_int_member(e, "errorCode"),
			(int) json_object_get_int_member(e, "status"));
		g_assert_nonnull(json_object_get_string_member(e, "content"));
	}
	g_string_append_c(f->events, ' ');
	json_object_unref(params);
}

static void on_in_room(void *user, const Message *m)
{
	((struct fixture *) user)->in_room++;
}

static void on_message(void *user, const Message *m)
{
	struct fixture *f = user;

	g_ptr_array_add(f->messages,
			g_strdup_printf("%s:%s", m->type_name, m->mid));
}

static void on_lost(void *user)
{
	struct fixture *f = user;

	f->lost++;
	/* who we were is still known here */
	g_assert_cmpstr(room_session_get_sid(f->session), ==, "me");
}

static gdouble on_random(void *user)
{
	return ((struct fixture *) user)->random;
}

static void new_session(struct fixture *f, guint backoff_ms, guint max_ms)
{
	const RoomSessionConfig config = {
		.room_server = f->base,
		.app_key = "k", .backoff_ms = backoff_ms,
		.backoff_max_ms = max_ms, .join_ms = 50, .retry_delay_ms = 1,
		.probe_ms = 1, .spread_ms = SPREAD_MS,
		.random = on_random, .event = on_event, .in_room = on_in_room,
		.message = on_message, .lost = on_lost, .user = f,
	};

	f->session = room_session_new(&config);
}

static void set_backoff(struct fixture *f, guint ms, guint max_ms)
{
	room_session_free(f->session);
	new_session(f, ms, max_ms);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	f->server = soup_server_new(NULL, NULL);
	soup_server_add_handler(f->server, "/api", on_api, f, NULL);
	soup_server_add_websocket_handler(f->server, "/socket.io/", NULL, NULL,
					  on_socket, f, NULL);
	soup_server_listen_local(f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(f->server);
	f->port = (guint16) g_uri_get_port(uris->data);
	f->base = g_strdup_printf("http://127.0.0.1:%u", f->port);
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	f->connections = g_ptr_array_new_with_free_func(g_object_unref);
	f->heard = g_ptr_array_new_with_free_func(g_free);
	f->messages = g_ptr_array_new_with_free_func(g_free);
	f->events = g_string_new(NULL);
	f->reason = "locked";
	new_session(f, 10, 40);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	room_session_free(f->session);
	for (guint i = 0; i < f->connections->len; i++) {
		SoupWebsocketConnection *c = f->connections->pdata[i];

		while (soup_websocket_connection_get_state(c) !=
		       SOUP_WEBSOCKET_STATE_CLOSED)
			g_main_context_iteration(NULL, TRUE);
	}
	soup_server_disconnect(f->server);
	g_object_unref(f->server);
	g_ptr_array_unref(f->connections);
	g_ptr_array_unref(f->heard);
	g_ptr_array_unref(f->messages);
	g_string_free(f->events, TRUE);
	g_free(f->last_user_cred);
	g_free(f->base);
	g_free(f->path);
	g_free(f->query);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

#define WAIT(condition)                                                        \
	while (!(condition))                                                   \
		g_main_context_iteration(NULL, TRUE)

static void test_joins(struct fixture *f, gconstpointer data)
{
	g_autoptr(JsonObject) o = NULL;

	room_session_join(f->session, "lobby");
	g_assert_cmpint(room_session_get_state(f->session), ==,
			ROOM_SESSION_ASKING);
	WAIT(f->in_room);
	g_assert_cmpstr(f->events->str, ==,
			"readyStateChange0 readyStateChange1 readyStateChange2 "
			"channelOpen ");
	g_assert_cmpstr(f->last_user_cred, ==, "token 1");
	g_assert_cmpstr(room_session_get_sid(f->session), ==, "me");
	g_assert_cmpstr(room_session_get_cid(f->session), ==, "c");
	o = room_session_describe(f->session);
	g_assert_cmpstr(json_object_get_string_member(o, "state"), ==,
			"inRoom");
	g_assert_true(json_object_get_null_member(o, "nextAttemptMs"));
	room_session_leave(f->session);
	g_assert_null(room_session_get_sid(f->session));
	g_assert_true(g_str_has_suffix(f->events->str, "channelClose "));
	g_assert_cmpuint(f->lost, ==, 0);	/* it was our own wish */
}

static void test_no_answer_to_join(struct fixture *f, gconstpointer data)
{
	f->manner = SAY_NOTHING;
	room_session_join(f->session, "lobby");
	WAIT(f->joined == 3);
	/* each attempt with fresh tokens */
	g_assert_cmpstr(f->last_user_cred, ==, "token 3");
	g_assert_nonnull(strstr(f->events->str,
				"channelOpen channelError channelClose "
				"readyStateChange1"));
	g_assert_cmpuint(f->in_room, ==, 0);
	f->manner = LET_IN;
	WAIT(f->in_room);
	g_assert_cmpuint(f->lost, ==, 0);
}

static void test_turned_away(struct fixture *f, gconstpointer data)
{
	g_autoptr(JsonObject) o = NULL;

	f->manner = TURN_AWAY;
	f->random = 0.9;
	room_session_join(f->session, "lobby");
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_BACKOFF);
	g_assert_nonnull(strstr(f->events->str,
				"channelOpen systemAction channelClose "));
	o = room_session_describe(f->session);
	g_assert_cmpstr(json_object_get_string_member(o, "lastError"), ==,
			"The room turned us away: the room is locked "
			"(locked: sorry)");
	g_assert_cmpstr(json_object_get_string_member(o, "refusal"), ==,
			"locked");
	g_assert_cmpint(json_object_get_int_member(o, "retries"), ==, 1);
	/* for ever, and at once when asked to */
	room_session_retry_now(f->session);
	g_assert_cmpint(room_session_get_state(f->session), ==,
			ROOM_SESSION_ASKING);
	WAIT(f->joined == 5);
}

static void test_waits_grow(struct fixture *f, gconstpointer data)
{
	gint64 waited = 0;

	f->manner = TURN_AWAY;
	f->random = 0.999;
	room_session_join(f->session, "lobby");
	for (guint i = 0; i < 5; i++) {
		static const gint64 most[] = {10, 20, 40, 40, 40};
		g_autoptr(JsonObject) o = NULL;

		WAIT(room_session_get_state(f->session) ==
		     ROOM_SESSION_BACKOFF);
		o = room_session_describe(f->session);
		waited = json_object_get_int_member(o, "nextAttemptMs");
		g_assert_cmpint(waited, <=, most[i]);
		room_session_retry_now(f->session);
	}
}

static gint64 wait_after(struct fixture *f, const char *reason)
{
	g_autoptr(JsonObject) o = NULL;

	f->reason = reason;
	room_session_join(f->session, "lobby");
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_BACKOFF);
	o = room_session_describe(f->session);
	g_assert_cmpstr(json_object_get_string_member(o, "refusal"), ==,
			reason);
	return json_object_get_int_member(o, "nextAttemptMs");
}

/* What no waiting mends is asked for rarely from the first time on. */
static void test_what_waits_longer(struct fixture *f, gconstpointer data)
{
	f->manner = TURN_AWAY;
	f->random = 0.999;
	set_backoff(f, 100000, 10000000);
	g_assert_cmpint(wait_after(f, "notStart"), <=, 100000);
	g_assert_cmpint(wait_after(f, "locked"), <=, 100000);
	g_assert_cmpint(wait_after(f, "duplicatedLogin"), <=, 100000);
	g_assert_cmpint(wait_after(f, "credentialError"), >, 5000000);
	g_assert_cmpint(wait_after(f, "keyFailed"), >, 5000000);
	g_assert_cmpint(wait_after(f, "expired"), >, 5000000);
}

static gint64 next_attempt_ms(struct fixture *f)
{
	g_autoptr(JsonObject) o = room_session_describe(f->session);

	return json_object_get_int_member(o, "nextAttemptMs");
}

/* A cable that comes back: nobody waits as long as before, but whom the server
 * itself has told to; and not all come at one moment. */
static void test_network_changes(struct fixture *f, gconstpointer data)
{
	f->manner = TURN_AWAY;
	f->random = 0.999;
	set_backoff(f, 1000000, 10000000);
	room_session_network_changed(f->session);
	g_assert_cmpint(room_session_get_state(f->session), ==,
			ROOM_SESSION_IDLE);
	g_assert_cmpint(wait_after(f, "credentialError"), >, 5000000);
	room_session_network_changed(f->session);
	g_assert_cmpint(next_attempt_ms(f), >, 5000000);
	g_assert_cmpint(wait_after(f, "locked"), >, 400000);
	f->random = 0.9;
	room_session_network_changed(f->session);
	g_assert_cmpint(next_attempt_ms(f), <=, SPREAD_MS);
	g_assert_cmpint(next_attempt_ms(f), >, SPREAD_MS / 2);
	/* Changes that follow each other put nothing off. */
	f->random = 0.3;
	room_session_network_changed(f->session);
	f->random = 0.9;
	room_session_network_changed(f->session);
	g_assert_cmpint(next_attempt_ms(f), <=, SPREAD_MS / 2);
	g_assert_cmpuint(f->joined, ==, 2);
	f->manner = LET_IN;
	f->random = 0;
	room_session_network_changed(f->session);
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_ASKING);
	/* That attempt may hang in what the network was: another one. */
	f->random = 0.9;
	room_session_network_changed(f->session);
	g_assert_cmpint(next_attempt_ms(f), >, SPREAD_MS / 2);
	f->random = 0;
	room_session_network_changed(f->session);
	WAIT(f->in_room == 1);
	g_assert_cmpuint(f->lost, ==, 0);
}

/* The server of this test answers no ping: a connection that leads nowhere, as
 * those of all others do that were in the same network. */
static void test_network_gone(struct fixture *f, gconstpointer data)
{
	room_session_join(f->session, "lobby");
	WAIT(f->in_room == 1);
	f->random = 0.9;
	room_session_network_changed(f->session);
	WAIT(f->lost == 1);
	g_assert_cmpint(next_attempt_ms(f), >, SPREAD_MS / 2);
	room_session_retry_now(f->session);
	WAIT(f->in_room == 2);
}

static gboolean names_the_clock(struct fixture *f)
{
	g_autoptr(JsonObject) o = room_session_describe(f->session);

	return strstr(json_object_get_string_member(o, "lastError"),
		      "clock says") != NULL;
}

/* The hours asked for begin now: over or not begun, they say that a clock is
 * wrong. A meeting's own time may well be over. */
static void test_wrong_clock(struct fixture *f, gconstpointer data)
{
	const RoomAccess meeting = {.start = "2026-01-31T09:00:00.000Z",
				    .duration_h = 2};

	f->manner = TURN_AWAY;
	f->random = 0.999;
	set_backoff(f, 100000, 10000000);
	wait_after(f, "expired");
	g_assert_false(names_the_clock(f));
	g_assert_true(room_session_set_access(f->session, NULL, NULL, "secret",
					      NULL, NULL));
	wait_after(f, "locked");
	g_assert_false(names_the_clock(f));
	wait_after(f, "expired");
	g_assert_true(names_the_clock(f));
	wait_after(f, "notStart");
	g_assert_true(names_the_clock(f));
	f->api_error = 4010;
	room_session_join(f->session, "lobby");
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_BACKOFF);
	g_assert_true(names_the_clock(f));
	g_assert_true(room_session_set_access(f->session, NULL, NULL, "secret",
					      &meeting, NULL));
	room_session_join(f->session, "lobby");
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_BACKOFF);
	g_assert_false(names_the_clock(f));
}

static void test_waits_for_the_start(struct fixture *f, gconstpointer data)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) soon = g_date_time_add_seconds(now, 60);
	g_autofree char *start =
		g_date_time_format(soon, "%Y-%m-%dT%H:%M:%S.000Z");
	const RoomAccess access = {.start = start, .duration_h = 2};

	f->manner = TURN_AWAY;
	f->random = 0.999;
	set_backoff(f, 1000000, 10000000);
	g_assert_true(room_session_set_access(f->session, NULL, NULL, "secret",
					      &access, NULL));
	g_assert_cmpint(wait_after(f, "notStart"), <=, 60001);
	g_assert_true(g_regex_match_simple("^/api/k/lobby/.*Z/2$", f->path, 0,
					   0));
}

static void test_another_way_in(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	RoomAccess access = {.region = "sg",
			     .transport = SOCKET_TRANSPORT_WEBSOCKET};

	room_session_join(f->session, "lobby");
	WAIT(f->in_room);
	g_assert_true(room_session_set_access(f->session, NULL, "other", NULL,
					      &access, &error));
	/* what stands goes on, and comes back as it was */
	g_io_stream_close(soup_websocket_connection_get_io_stream(latest(f)),
			  NULL, NULL);
	WAIT(f->in_room == 2);
	g_assert_cmpstr(f->path, ==, "/api/k/lobby");
	room_session_join(f->session, "lobby");
	WAIT(f->in_room == 3);
	g_assert_cmpstr(f->path, ==, "/api/other/lobby");
	g_assert_true(g_str_has_suffix(f->query, "&rg=sg"));
	g_assert_cmpstr(room_session_get_access(f->session)->region, ==, "sg");

	access.force_turn_ssl = TRUE;
	g_assert_false(room_session_set_access(f->session, NULL, NULL, NULL,
					       &access, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_UNAVAILABLE);
	g_clear_error(&error);
	access = (RoomAccess){.ca_file = "/nothing/here.pem"};
	g_assert_false(room_session_set_access(f->session, NULL, NULL, NULL,
					       &access, &error));
	g_assert_nonnull(strstr(error->message, "'/nothing/here.pem'"));
	g_clear_error(&error);
	g_assert_false(room_session_set_access(f->session, "ftp://h", NULL,
					       NULL, NULL, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	g_clear_error(&error);
	access = (RoomAccess){.socket_timeout_ms = 100};
	g_assert_false(room_session_set_access(f->session, NULL, NULL, NULL,
					       &access, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	/* and nothing of it was taken */
	room_session_join(f->session, "lobby");
	WAIT(f->in_room == 4);
	g_assert_cmpstr(f->path, ==, "/api/other/lobby");
}

/* No socket at all: every step is told, under the API's names and numbers. */
static void test_no_socket(struct fixture *f, gconstpointer data)
{
	g_autoptr(GString) wanted = g_string_new(
		"readyStateChange0 readyStateChange1 readyStateChange2 ");

	f->dead_ports = TRUE;
	room_session_join(f->session, "lobby");
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_BACKOFF);
	/* two ports by WebSocket, the same by polling, two rounds more */
	for (guint i = 0; i < 20; i++) {
		static const char *const types[] = {
			"nonfallback", "fallbackPortNonSSL",
			"fallbackLongPollingNonSSL",
		};
		guint here = i < 6 ? i % 3 : i < 16 ? (i - 6) % 5 : 9;
		guint type = i < 3 ? 0 : i < 6 ? 1 : 2;
		guint next = i + 1 < 3 ? 0 : i + 1 < 6 ? 1 : 2;
		gboolean last = (i < 6 && here == 2) || here >= 4;

		g_string_append_printf(wanted, "socketError%d:%s ",
				       last ? -1 : here ? -4 : 0, types[type]);
		if (i + 1 < 20)
			g_string_append_printf(wanted, "channelRetry%u:%s ",
					       i + 1, types[next]);
	}
	g_string_append(wanted, "socketError-3:fallbackLongPollingNonSSL ");
	g_assert_cmpstr(f->events->str, ==, wanted->str);
}

static void test_api_refuses(struct fixture *f, gconstpointer data)
{
	f->api_error = 4001;
	set_backoff(f, 100000, 10000000);
	f->random = 0.999;
	room_session_join(f->session, "lobby");
	WAIT(room_session_get_state(f->session) == ROOM_SESSION_BACKOFF);
	g_assert_cmpstr(f->events->str, ==,
			"readyStateChange0 readyStateChange1 "
			"readyStateChange-1:4001:404 ");
}

static void test_thrown_out(struct fixture *f, gconstpointer data)
{
	room_session_join(f->session, "lobby");
	WAIT(f->in_room);
	tell(latest(f), "{\"type\":\"redirect\",\"action\":\"warning\","
			"\"reason\":\"fastmsg\",\"info\":\"slow down\"}");
	WAIT(strstr(f->events->str, "systemAction"));
	g_assert_cmpuint(f->lost, ==, 0);
	tell(latest(f), "{\"type\":\"redirect\",\"action\":\"reject\","
			"\"reason\":\"roomclose\",\"info\":\"bye\"}");
	WAIT(f->lost == 1);
	WAIT(f->in_room == 2);
	g_assert_cmpstr(f->last_user_cred, ==, "token 2");
}

/* Not by a change of the network: by the backoff alone. */
static void test_connection_cut(struct fixture *f, gconstpointer data)
{
	f->random = 0.9;
	room_session_join(f->session, "lobby");
	WAIT(f->in_room);
	g_io_stream_close(soup_websocket_connection_get_io_stream(latest(f)),
			  NULL, NULL);
	WAIT(f->lost == 1);
	WAIT(f->in_room == 2);
}

static void test_messages(struct fixture *f, gconstpointer data)
{
	room_session_join(f->session, "lobby");
	WAIT(f->in_room);
	tell(latest(f), "{\"type\":\"bye\",\"mid\":\"me\"}");
	tell(latest(f), "{\"type\":\"private\",\"mid\":\"a\",\"target\":"
			"\"somebody\",\"data\":1}");
	tell(latest(f), "{\"type\":\"inRoom\",\"sid\":\"other\",\"pc_config\":"
			"{}}");
	tell(latest(f), "nonsense");
	tell(latest(f), "{\"type\":\"group\",\"mid\":\"a\",\"lists\":["
			"\"{\\\"type\\\":\\\"public\\\",\\\"mid\\\":\\\"a\\\","
			"\\\"data\\\":1}\",\"{\\\"type\\\":\\\"bye\\\","
			"\\\"mid\\\":\\\"b\\\"}\",\"{}\"]}");
	tell(latest(f), "{\"type\":\"approach\",\"target\":\"c\"}");
	WAIT(f->messages->len == 3);
	g_assert_cmpstr(f->messages->pdata[0], ==, "public:a");
	g_assert_cmpstr(f->messages->pdata[1], ==, "bye:b");
	g_assert_cmpstr(f->messages->pdata[2], ==, "approach:(null)");
	g_assert_cmpstr(room_session_get_sid(f->session), ==, "me");
	g_assert_cmpuint(f->in_room, ==, 1);
}

static void say(struct fixture *f, const char *type, int n)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "type", type);
	json_object_set_string_member(o, "mid", "me");
	json_object_set_int_member(o, "n", n);
	g_assert_true(room_session_send(f->session, o));
}

static void test_throttle(struct fixture *f, gconstpointer data)
{
	g_assert_false(room_session_send(f->session, json_object_new()));
	room_session_join(f->session, "lobby");
	WAIT(f->in_room);
	for (int i = 0; i < 4; i++)
		say(f, "public", i);
	say(f, "candidate", 9);
	WAIT(f->heard->len == 3);
	g_assert_nonnull(strstr(f->heard->pdata[0], "\"n\":0"));
	g_assert_nonnull(strstr(f->heard->pdata[1], "\"n\":9"));
	g_assert_nonnull(strstr(f->heard->pdata[2], "\"group\""));
	g_assert_nonnull(strstr(f->heard->pdata[2], "\\\"n\\\":3"));
}

static void test_leaves_at_any_moment(struct fixture *f, gconstpointer data)
{
	static const enum room_session_state states[] = {
		ROOM_SESSION_ASKING, ROOM_SESSION_CONNECTING,
		ROOM_SESSION_JOINING, ROOM_SESSION_BACKOFF,
	};

	for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
		guint length;

		f->manner = states[i] == ROOM_SESSION_BACKOFF ? TURN_AWAY
							      : SAY_NOTHING;
		room_session_join(f->session, "lobby");
		WAIT(room_session_get_state(f->session) == states[i]);
		room_session_leave(f->session);
		length = (guint) f->events->len;
		for (int n = 0; n < 20; n++)
			g_main_context_iteration(NULL, FALSE);
		g_assert_cmpuint(f->events->len, ==, length);
		g_assert_cmpint(room_session_get_state(f->session), ==,
				ROOM_SESSION_IDLE);
	}
	g_assert_cmpuint(f->in_room + f->lost, ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room-session/" name, struct fixture, NULL, set_up, fn,    \
		   tear_down)
	CASE("joins", test_joins);
	CASE("no-answer", test_no_answer_to_join);
	CASE("turned-away", test_turned_away);
	CASE("waits-grow", test_waits_grow);
	CASE("waits-longer", test_what_waits_longer);
	CASE("waits-for-start", test_waits_for_the_start);
	CASE("wrong-clock", test_wrong_clock);
	CASE("network-changes", test_network_changes);
	CASE("network-gone", test_network_gone);
	CASE("another-way", test_another_way_in);
	CASE("no-socket", test_no_socket);
	CASE("api-refuses", test_api_refuses);
	CASE("thrown-out", test_thrown_out);
	CASE("cut", test_connection_cut);
	CASE("messages", test_messages);
	CASE("throttle", test_throttle);
	CASE("leaves", test_leaves_at_any_moment);
	return g_test_run();
}
