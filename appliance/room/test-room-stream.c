// SPDX-License-Identifier: Apache-2.0
/* What self sends changes: what others are told, in which order, and how it is
 * negotiated. The real room server; between the peers a mock (fake-rtc.c). */
#include "appliance/room/fake-rtc.c"
#include "appliance/room/room-test.h"

#include "appliance/room/room-guest.h"

static const RoomStream camera = {
	.send_audio = TRUE,
	.send_video = TRUE,
	.width = 1280,
	.height = 720,
	.fps = 30,
};
static const RoomStream screen = {
	.send_video = TRUE,
	.screenshare = TRUE,
	.width = 1920,
	.height = 1080,
	.fps = 10,
	.max_video_kbps = 900,
};
static const RoomStream nothing;

static gboolean of_self(struct event *e)
{
	return json_object_get_boolean_member_with_default(e->params, "isSelf",
							   FALSE);
}

/* The names of self's events since @from, in order. */
static char *own_events(struct box *b, guint from)
{
	GString *s = g_string_new(NULL);

	for (guint i = from; i < b->events->len; i++) {
		struct event *e = b->events->pdata[i];

		if (of_self(e))
			g_string_append_printf(s, "%s ", e->name);
	}
	return g_string_free(s, FALSE);
}

static JsonObject *settings_of(struct box *b, const char *id)
{
	g_autoptr(JsonObject) info = room_get_peer_info(b->room, id);

	return json_object_ref(json_object_get_object_member(info, "settings"));
}

static gboolean shares_screen(struct box *b, const char *id)
{
	g_autoptr(JsonObject) settings = settings_of(b, id);
	JsonNode *video = json_object_get_member(settings, "video");

	return JSON_NODE_HOLDS_OBJECT(video) &&
	       json_object_get_boolean_member(json_node_get_object(video),
					      "screenshare");
}

static gint negotiated(struct box *b, const char *state)
{
	return (gint) progress(b, state);
}

static void test_replaced(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	g_autofree char *a_id = NULL, *events = NULL, *old = NULL;
	JsonObject *params;
	gint before;
	guint from;

	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	a_id = sid(a);
	WAIT(find(b, "incomingStream", "peerId", a_id));
	old = g_strdup(json_object_get_string_member(
		json_object_get_object_member(
			find(b, "incomingStream", "peerId", a_id), "stream"),
		"id"));
	/* the lighter one asks, the heavier offers */
	before = negotiated(a, "offer");
	from = a->events->len;
	room_set_stream(a->room, &screen);
	WAIT(shares_screen(b, a_id));
	WAIT(negotiated(a, "offer") == before + 1);
	WAIT(count(b, "streamEnded") == 1);
	params = find(b, "streamEnded", "peerId", a_id);
	g_assert_false(json_object_get_boolean_member(params, "isSelf"));
	WAIT(strcmp(json_object_get_string_member(
			    json_object_get_object_member(
				    find(b, "incomingStream", "peerId", a_id),
				    "stream"),
			    "id"),
		    old));
	events = own_events(a, from);
	g_assert_cmpstr(events, ==,
			"streamEnded peerUpdated incomingStream "
			"peerUpdated ");
	g_assert_cmpuint(count(a, "peerRestart"), >=, 1);
	g_assert_cmpint(a->taken, ==, 1);
	/* and back: of a screen */
	from = a->events->len;
	room_set_stream(a->room, &camera);
	WAIT(!shares_screen(b, a_id));
	params = find(a, "streamEnded", "peerId", a_id);
	g_assert_true(
		json_object_get_boolean_member(params, "isScreensharing"));
}

static void test_stopped(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *a_id = NULL, *events = NULL;
	g_autoptr(JsonObject) info = NULL;
	guint from;

	meet(a, b);
	a_id = sid(a);
	WAIT(a->taken == 1 && b->taken == 1);
	from = a->events->len;
	room_set_stream(a->room, &nothing);
	WAIT(a->taken == 0);
	WAIT(find(b, "streamEnded", "peerId", a_id));
	events = own_events(a, from);
	g_assert_cmpstr(events, ==, "streamEnded peerUpdated ");
	g_assert_cmpint(b->taken, ==, 1);
	info = room_get_peer_info(b->room, a_id);
	g_assert_true(json_object_get_boolean_member(
		json_object_get_object_member(info, "mediaStatus"),
		"videoMuted"));
	g_assert_false(json_object_get_boolean_member(
		json_object_get_object_member(info, "settings"), "video"));
	/* twice is once */
	from = a->events->len;
	room_set_stream(a->room, &nothing);
	g_assert_cmpuint(a->events->len, ==, from);
	room_set_stream(a->room, &camera);
	WAIT(a->taken == 1);
	g_assert_cmpuint(a->engine->n_made, ==, 1);
}

/* The same stream with another size is told, and is no other stream. */
static void test_settings(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *a_id = NULL, *events = NULL;
	RoomStream small = camera;
	guint from, before;

	meet(a, b);
	a_id = sid(a);
	small.width = 320;
	small.height = 180;
	small.stereo = TRUE;
	small.max_audio_kbps = 24;
	from = a->events->len;
	before = count(b, "streamEnded");
	room_set_stream(a->room, &small);
	WAIT(count(b, "peerRestart") >= 1);
	{
		g_autoptr(JsonObject) s = settings_of(b, a_id);
		JsonObject *video = json_object_get_object_member(s, "video");

		g_assert_cmpint(json_object_get_int_member(
					json_object_get_object_member(
						video, "resolution"),
					"width"),
				==, 320);
		g_assert_true(json_object_get_boolean_member(
			json_object_get_object_member(s, "audio"), "stereo"));
		g_assert_cmpint(
			json_object_get_int_member(
				json_object_get_object_member(s, "bandwidth"),
				"audio"),
			==, 24);
	}
	events = own_events(a, from);
	g_assert_cmpstr(events, ==, "peerUpdated ");
	g_assert_cmpuint(count(b, "streamEnded"), ==, before);
}

/* Before the room is joined: as it is then, it is told. */
static void test_before_joining(struct fixture *f, gconstpointer data)
{
	struct box *a = open_box(f, 0, "demo", 0), *b = join(f, 1);
	g_autofree char *a_id = NULL;

	room_set_stream(a->room, &screen);
	g_assert_cmpuint(a->events->len, ==, 0);
	g_assert_true(room_join(a->room, "lobby", NULL));
	meet(a, b);
	a_id = sid(a);
	g_assert_true(shares_screen(b, a_id));
	g_assert_cmpuint(count(a, "streamEnded"), ==, 0);
}

/* --- what goes over the wire, to each version ---------------------------- */
static void test_0612_is_told(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0);
	g_autofree char *a_id = NULL, *enter = NULL;
	struct guest g;
	JsonObject *o;

	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	enter = with_weight("enter", HELLO_0612, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(heard(&g, "answer"));
	room_set_stream(a->room, &screen);
	WAIT(heard(&g, "restart") && heard(&g, "stream"));
	o = heard(&g, "restart");
	g_assert_cmpstr(json_object_get_string_member(o, "sessionType"), ==,
			"screensharing");
	g_assert_false(json_object_get_boolean_member(o, "doIceRestart"));
	g_assert_false(json_object_get_boolean_member(o, "isRestartResend"));
	o = heard(&g, "stream");
	g_assert_cmpstr(json_object_get_string_member(o, "status"), ==,
			"ended");
	g_assert_cmpstr(json_object_get_string_member(o, "sessionType"), ==,
			"stream");
	g_assert_true(json_object_has_member(o, "streamId"));
	g_assert_true(json_object_has_member(o, "cid"));
	g_assert_nonnull(json_object_get_object_member(
		json_object_get_object_member(o, "settings"), "video"));
	g_assert_false(json_object_has_member(o, "target"));
	/* it is the heavier one: it offers, and our answer has the change */
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(n_heard(&g, "answer") == 2);
	guest_done(&g);
}

static void test_2x_is_told(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0);
	g_autofree char *a_id = NULL, *enter = NULL;
	struct guest g;
	JsonObject *o;

	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	enter = with_weight("enter", HELLO_2X, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(heard(&g, "answer"));
	room_set_stream(a->room, &screen);
	WAIT(heard(&g, "offer"));
	g_assert_cmpuint(n_heard(&g, "mediaInfoEvent"), ==, 2);
	g_assert_cmpstr(json_object_get_string_member(
				heard(&g, "mediaInfoEvent"), "mediaState"),
			==, "unavailable");
	o = heard(&g, "offer");
	g_assert_false(json_object_get_boolean_member(o, "doIceRestart"));
	o = json_array_get_object_element(
		json_object_get_array_member(o, "mediaInfoList"), 0);
	g_assert_cmpstr(json_object_get_string_member(o, "mediaType"), ==,
			"videoScreen");
	g_assert_null(heard(&g, "restart"));
	/* another one before this one is answered: after it */
	room_set_stream(a->room, &camera);
	g_assert_cmpuint(n_heard(&g, "offer"), ==, 1);
	say(&g, a_id, "{\"type\":\"answer\",\"sdp\":\"" SDP "\"}");
	WAIT(n_heard(&g, "offer") == 2);
	guest_done(&g);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room-stream/" name, struct fixture, NULL, set_up, fn,     \
		   tear_down)
	CASE("replaced", test_replaced);
	CASE("stopped", test_stopped);
	CASE("settings", test_settings);
	CASE("before-joining", test_before_joining);
	CASE("0612-is-told", test_0612_is_told);
	CASE("2x-is-told", test_2x_is_told);
	return g_test_run();
}
