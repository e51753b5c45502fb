// SPDX-License-Identifier: Apache-2.0
/* Other ways into rooms of the real room server; the transport between the
 * peers is a mock (fake-rtc.c says why). */
#include "appliance/room/fake-rtc.c"
#include "appliance/room/room-test.h"

static const char *transport(struct box *b, JsonNode **node)
{
	*node = room_describe(b->room);
	return json_object_get_string_member(json_node_get_object(*node),
					     "transport");
}

static void assert_transport(struct box *b, const char *wanted)
{
	g_autoptr(JsonNode) node = NULL;

	g_assert_cmpstr(transport(b, &node), ==, wanted);
}

static gboolean heard_text(struct box *b, const char *text)
{
	for (guint i = 0; i < b->events->len; i++) {
		struct event *e = b->events->pdata[i];
		JsonObject *message;

		if (strcmp(e->name, "incomingMessage") ||
		    json_object_get_boolean_member(e->params, "isSelf"))
			continue;
		message = json_object_get_object_member(e->params, "message");
		if (!g_strcmp0(
			    json_object_get_string_member(message, "content"),
			    text))
			return TRUE;
	}
	return FALSE;
}

static void say(struct box *b, const char *text)
{
	g_autoptr(JsonNode) node =
		json_node_init_string(json_node_alloc(), text);

	g_assert_true(room_send_message(b->room, node, NULL, NULL));
}

/* Both ends by polling, and one beside a WebSocket. */
static void test_polling(struct fixture *f, gconstpointer data)
{
	static const char text[] = "\xe2\x82\xac \xf0\x9f\x8e\xa5 \"\\\n";
	struct box *a, *b, *c;
	g_autofree char *b_id = NULL;

	f->boxes[0].access.transport = SOCKET_TRANSPORT_POLLING;
	f->boxes[1].access.transport = SOCKET_TRANSPORT_POLLING;
	a = join(f, 0);
	b = join(f, 1);
	c = join(f, 2);
	meet(a, b);
	meet(a, c);
	meet(b, c);
	assert_transport(a, "polling");
	assert_transport(c, "websocket");
	say(a, text);
	WAIT(heard_text(b, text) && heard_text(c, text));
	say(c, "back");
	WAIT(heard_text(a, "back") && heard_text(b, "back"));
	room_set_muted(a->room, TRUE, TRUE);
	WAIT(find(b, "streamMuted", NULL, NULL));
	/* the goodbye is heard at once, not by silence */
	b_id = sid(b);
	room_leave(b->room);
	WAIT(find(a, "peerLeft", "peerId", b_id) &&
	     find(c, "peerLeft", "peerId", b_id));
	g_assert_cmpuint(count(a, "sessionDisconnect"), ==, 0);
	/* and it comes back */
	g_assert_true(room_join(b->room, "lobby", NULL));
	meet(a, b);
}

static void test_polling_survives_the_server(struct fixture *f,
					     gconstpointer data)
{
	struct box *a;

	f->boxes[0].access.transport = SOCKET_TRANSPORT_POLLING;
	a = join(f, 0);
	WAIT(in_room(a));
	room_server_free(f->server);
	WAIT(count(a, "sessionDisconnect") == 1);
	start_server(f);
	WAIT(in_room(a));
}

static void test_no_data_channel(struct fixture *f, gconstpointer data)
{
	struct box *a, *b;

	f->boxes[1].access.no_data_channel = TRUE;
	a = join(f, 0);
	WAIT(in_room(a));
	b = join(f, 1); /* the newcomer offers */
	WAIT(progress(a, "answer") && progress(b, "answer"));
	WAIT(find(a, "incomingStream", NULL, NULL));
	for (int i = 0; i < 200; i++)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(count(a, "dataChannelState"), ==, 0);
	g_assert_cmpuint(count(b, "dataChannelState"), ==, 0);
}

static void test_relay_only(struct fixture *f, gconstpointer data)
{
	struct box *a, *b;

	f->boxes[0].access.force_turn = TRUE;
	a = join(f, 0);
	b = join(f, 1);
	meet(a, b);
	g_assert_cmpuint(a->engine->n_relay_only, ==, 1);
	g_assert_cmpuint(b->engine->n_relay_only, ==, 0);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8};
	struct box *a = open_box(f, 0, "demo", 0);
	RoomConfig config = {
		.engine = a->engine,
		.room_server = f->url,
		.app_key = "k",
		.video_codecs = codecs,
		.n_video_codecs = 1,
		.access = {.start = "2026-01-31T09:00:00Z", .duration_h = 1},
		.event = on_event,
		.codec_use = on_codec_use,
		.user = a,
	};
	const RoomAccess both = {.force_turn = TRUE, .no_turn = TRUE};
	g_autoptr(GError) error = NULL;

	g_assert_null(room_new(&config, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	g_clear_error(&error);
	config.app_key = "";
	g_assert_null(room_new(&config, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(
		room_set_access(a->room, NULL, NULL, NULL, &both, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	g_clear_error(&error);
	/* a key that is not the server's: said, and tried on */
	g_assert_true(
		room_set_access(a->room, NULL, "other", NULL, NULL, &error));
	g_assert_true(room_join(a->room, "lobby", &error));
	WAIT(count(a, "readyStateChange") >= 3);
	g_assert_cmpint(json_object_get_int_member(
				json_object_get_object_member(
					find(a, "readyStateChange", NULL, NULL),
					"error"),
				"errorCode"),
			==, 4001);
	g_assert_true(
		room_set_access(a->room, NULL, "demo", NULL, NULL, &error));
	g_assert_true(room_join(a->room, "lobby", &error));
	WAIT(in_room(a));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room-access/" name, struct fixture, NULL, set_up, fn,     \
		   tear_down)
	CASE("polling", test_polling);
	CASE("polling-restart", test_polling_survives_the_server);
	CASE("no-data-channel", test_no_data_channel);
	CASE("relay-only", test_relay_only);
	CASE("refused", test_refused);
	return g_test_run();
}
