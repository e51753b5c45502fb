// SPDX-License-Identifier: Apache-2.0
/* Against a mock room service in this process: it has to fall silent, turn
 * away and drop at chosen moments, which the real one does not on demand. */
#include "appliance/room/room-session.h"

#include <libsoup/soup.h>
#include <string.h>

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"

struct fixture {
	SoupServer *server;
	char *base;
	guint16 port;
	guint asked, joined;
	enum { LET_IN, SAY_NOTHING, TURN_AWAY } manner;
	GPtrArray *connections;
	GPtrArray *heard;		/* texts after joinRoom */
	char *last_user_cred;

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
	char *text = g_strdup_printf(
		"{\"success\":true,\"cid\":\"c\",\"apiOwner\":\"o\","
		"\"username\":\"u\",\"userCred\":\"token %u\",\"timeStamp\":"
		"\"t\",\"room_key\":\"r\",\"roomCred\":\"rc\",\"start\":\"s\","
		"\"len\":\"24\",\"ipSigserver\":\"127.0.0.1\","
		"\"httpPortList\":[%u]}", ++f->asked, f->port);

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
		tell(latest(f), "{\"type\":\"redirect\",\"action\":\"reject\","
				"\"reason\":\"expired\",\"info\":\"over\"}");
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
static void on_event(void *user, const char *name, JsonObject *params)
{
	struct fixture *f = user;

	g_string_append_printf(f->events, "%s", name);
	if (!strcmp(name, "readyStateChange"))
		g_string_append_printf(f->events, "%d",
				       (int) json_object_get_int_member(
					       params, "readyState"));
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

static void set_up(struct fixture *f, gconstpointer data)
{
	RoomSessionConfig config = {
		.app_key = "k", .backoff_ms = 10, .backoff_max_ms = 40,
		.join_ms = 50, .random = on_random, .event = on_event,
		.in_room = on_in_room, .message = on_message, .lost = on_lost,
		.user = f,
	};
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
	config.room_server = f->base;
	f->session = room_session_new(&config);
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
			"readyStateChange1 readyStateChange2 channelOpen ");
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
			"The signaling server turned us away: over (expired)");
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

static void test_connection_cut(struct fixture *f, gconstpointer data)
{
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
	CASE("thrown-out", test_thrown_out);
	CASE("cut", test_connection_cut);
	CASE("messages", test_messages);
	CASE("throttle", test_throttle);
	CASE("leaves", test_leaves_at_any_moment);
	return g_test_run();
}
