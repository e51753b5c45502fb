// SPDX-License-Identifier: Apache-2.0
/* A room and guests that speak as other client versions do, or nonsense, over
 * the real room server; the transport is a mock (fake-rtc.c says why). */
#include "appliance/room/fake-rtc.c"
#include "appliance/room/room-test.h"

#include "appliance/room/room-guest.h"

/* The last peerUpdated told user data with this member. */
static gboolean user_data_has(struct box *box, const char *peer_id,
			      const char *member)
{
	JsonObject *o = find(box, "peerUpdated", "peerId", peer_id);
	JsonNode *told = o ? json_object_get_member(
				     json_object_get_object_member(o,
								   "peerInfo"),
				     "userData")
			   : NULL;

	return told && JSON_NODE_HOLDS_OBJECT(told) &&
	       json_object_has_member(json_node_get_object(told), member);
}

static void test_2x_joins(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0);
	g_autofree char *a_id = NULL, *enter = NULL;
	g_autoptr(JsonNode) data_node = NULL;
	struct guest g;
	JsonObject *o;
	JsonArray *media;

	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	enter = with_weight("enter", HELLO_2X, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"," HELLO_2X "}");
	WAIT(heard(&g, "answer"));
	o = heard(&g, "answer");
	media = json_object_get_array_member(o, "mediaInfoList");
	g_assert_cmpuint(json_array_get_length(media), ==, 2);
	g_assert_cmpstr(json_object_get_string_member(
				json_array_get_object_element(media, 1),
				"transceiverMid"), ==, "1");
	g_assert_true(json_object_has_member(o, "userInfo"));
	say(&g, a_id, "{\"type\":\"answerAck\",\"success\":true}");
	/* its settings were keyed by stream */
	o = find(a, "peerJoined", "peerId", g.id);
	o = json_object_get_object_member(
		json_object_get_object_member(o, "peerInfo"), "settings");
	g_assert_true(json_object_has_member(
		json_object_get_object_member(o, "audio"), "stereo"));
	/* both ways of muting */
	room_set_muted(a->room, TRUE, FALSE);
	WAIT(heard(&g, "mediaInfoEvent") && heard(&g, "muteAudioEvent"));
	o = heard(&g, "mediaInfoEvent");
	g_assert_cmpstr(json_object_get_string_member(o, "mediaState"), ==,
			"muted");
	g_assert_cmpstr(json_object_get_string_member(o, "target"), ==, g.id);
	say(&g, a_id, "{\"type\":\"mediaInfoEvent\",\"publisherId\":\"x\","
		      "\"mediaId\":\"AUDIO_s\",\"mediaType\":\"audioMic\","
		      "\"mediaState\":\"muted\"}");
	WAIT(find(a, "streamMuted", "peerId", g.id));
	/* its plain text message */
	say(&g, NULL, "{\"type\":\"message\",\"data\":\"hi\",\"msgId\":\"1\"}");
	WAIT(find(a, "incomingMessage", "peerId", g.id));
	g_assert_cmpuint(n_heard(&g, "welcome"), ==, 1);
	/* user data is a text on the way, an object at both ends */
	data_node = json_from_string("{\"a\":1}", NULL);
	room_set_user_data(a->room, data_node);
	WAIT(heard(&g, "updateUserEvent"));
	g_assert_cmpstr(json_object_get_string_member(
				heard(&g, "updateUserEvent"), "userData"),
			==, "{\"a\":1}");
	say(&g, NULL, "{\"type\":\"updateUserEvent\","
		      "\"userData\":\"{\\\"b\\\":2}\"}");
	WAIT(user_data_has(a, g.id, "b"));
	/* an offer on what stands is its refresh, told once each */
	g_assert_null(find(a, "peerRestart", NULL, NULL));
	for (guint i = 1; i <= 2; i++) {
		say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\","
			      HELLO_2X "}");
		WAIT(n_heard(&g, "answer") == 1 + i);
		WAIT(count(a, "peerRestart") == i);
	}
	guest_done(&g);
	WAIT(find(a, "peerLeft", NULL, NULL));
}

static void test_we_join_2x(struct fixture *f, gconstpointer data)
{
	struct guest g;
	struct box *a;
	g_autofree char *a_id = NULL, *welcome = NULL;

	guest_join(&g, f);
	a = join(f, 0);
	WAIT(heard(&g, "enter"));
	a_id = sid(a);
	/* heavier than we are, and waiting for our offer all the same */
	welcome = with_weight("welcome", HELLO_2X, 8e15);
	say(&g, a_id, welcome);
	WAIT(heard(&g, "offer"));
	g_assert_null(heard(&g, "welcome"));
	g_assert_true(json_object_has_member(heard(&g, "offer"), "weight"));
	say(&g, a_id, "{\"type\":\"answer\",\"sdp\":\"" SDP "\"}");
	WAIT(heard(&g, "answerAck"));
	g_assert_true(json_object_get_boolean_member(heard(&g, "answerAck"),
						     "success"));
	/* renegotiation goes without a restart message */
	g_assert_true(room_refresh(a->room, g.id, TRUE, NULL));
	WAIT(n_heard(&g, "offer") == 2);
	g_assert_true(json_object_get_boolean_member(heard(&g, "offer"),
						     "doIceRestart"));
	g_assert_null(heard(&g, "restart"));
	guest_done(&g);
}

static void test_0612_joins(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0);
	g_autofree char *a_id = NULL, *enter = NULL, *restart = NULL;
	struct guest g;
	JsonObject *o;

	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	enter = with_weight("enter", HELLO_0612, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	o = heard(&g, "welcome");
	g_assert_false(json_object_get_boolean_member(o, "receiveOnly"));
	g_assert_true(json_object_has_member(o, "sessionType"));
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(heard(&g, "answer"));
	/* lighter than it: our restart asks it to offer */
	restart = g_strdup_printf("{\"type\":\"restart\"," HELLO_0612
				  ",\"weight\":%.0f,\"explicit\":true,"
				  "\"lastRestart\":1795337668101,"
				  "\"isConnectionRestart\":true}", g.weight);
	say(&g, a_id, restart);
	WAIT(heard(&g, "restart"));
	o = heard(&g, "restart");
	g_assert_true(json_object_get_boolean_member(o, "isRestartResend"));
	g_assert_true(json_object_get_boolean_member(o, "isConnectionRestart"));
	g_assert_cmpint(json_object_get_int_member(o, "lastRestart"), ==,
			G_GINT64_CONSTANT(1795337668101));
	WAIT(find(a, "peerRestart", "peerId", g.id));
	/* no stamps */
	say(&g, NULL, "{\"type\":\"muteVideoEvent\",\"muted\":true}");
	WAIT(find(a, "streamMuted", "peerId", g.id));
	g_assert_null(heard(&g, "mediaInfoEvent"));
	guest_done(&g);
}

static void test_hostile_guest(struct fixture *f, gconstpointer data)
{
	static const char *const nonsense[] = {
		"{\"type\":\"offer\",\"sdp\":\"v=0\"}",
		"{\"type\":\"answer\",\"sdp\":\"v=0\"}",
		"{\"type\":\"offer\",\"sdp\":[]}",
		"{\"type\":\"candidate\",\"label\":0,\"id\":\"0\","
		"\"candidate\":\"x\"}",
		"{\"type\":\"candidate\",\"label\":-1,\"candidate\":5}",
		"{\"type\":\"restart\",\"weight\":\"heavy\"}",
		"{\"type\":\"restart\"}",
		"{\"type\":\"answerAck\"}",
		"{\"type\":\"nobody knows\",\"x\":{\"y\":[1,2,3]}}",
		"{\"type\":\"private\",\"data\":{}}",
		"{\"type\":\"mediaInfoEvent\",\"mediaId\":\"x\","
		"\"mediaState\":\"y\"}",
		"{\"type\":\"endOfCandidates\",\"noOfExpectedCandidates\":1.5}",
	};
	struct box *a = join(f, 0), *b;
	g_autofree char *a_id = NULL, *enter = NULL;
	struct guest g;

	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	for (guint i = 0; i < G_N_ELEMENTS(nonsense); i++)
		say(&g, a_id, nonsense[i]);
	WAIT(described(a, "unexpectedMessages") >= 6 &&
	     described(a, "badMessages") >= 4);
	g_assert_cmpint(described(a, "peers"), ==, 0);
	/* introduced, and still nonsense */
	enter = with_weight("enter", HELLO_0612, g.weight);
	for (int i = 0; i < 5; i++)
		say(&g, NULL, enter);
	WAIT(n_heard(&g, "welcome") == 5);
	for (int i = 0; i < 300; i++)
		say(&g, a_id, "{\"type\":\"candidate\",\"label\":0,\"id\":"
			      "\"0\",\"candidate\":\"candidate:1\"}");
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"nonsense\"}");
	WAIT(progress(a, "error") == 1);
	g_assert_cmpint(described(a, "peers"), ==, 1);
	g_assert_true(in_room(a));
	b = join(f, 1);
	meet(a, b);
	guest_done(&g);
}

static void test_second_connection_of_ours(struct fixture *f,
					   gconstpointer data)
{
	struct box *a = join(f, 0);
	g_autofree char *a_id = NULL, *child = NULL, *enter = NULL;
	struct guest g;

	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	child = g_strdup_printf("{\"type\":\"enter\",\"parentId\":\"%s\"}",
				a_id);
	say(&g, NULL, child);
	enter = with_weight("enter", HELLO_0612, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	g_assert_cmpuint(progress(a, "enter"), ==, 2);	/* our own, and one */
	guest_done(&g);
}

static void test_without_trickle(struct fixture *f, gconstpointer data)
{
	struct guest g;
	struct box *a = &f->boxes[0];
	g_autofree char *welcome = NULL, *a_id = NULL;

	guest_join(&g, f);
	a->no_trickle = TRUE;
	join(f, 0);
	WAIT(heard(&g, "enter"));
	g_assert_false(json_object_get_boolean_member(heard(&g, "enter"),
						      "enableIceTrickle"));
	a_id = sid(a);
	welcome = with_weight("welcome", HELLO_0612, 1);
	say(&g, a_id, welcome);
	WAIT(heard(&g, "offer"));
	g_assert_nonnull(strstr(json_object_get_string_member(
					heard(&g, "offer"), "sdp"),
				"a=candidate:"));
	g_assert_null(heard(&g, "candidate"));
	g_assert_null(heard(&g, "endOfCandidates"));
	guest_done(&g);
}

static void gather_early(struct rtc_engine *engine)
{
	engine->gathers_early = true;
}

/* Candidates known before the description travel inside it. */
/* What was begun one way goes on that way. */
static void test_trickle_from_the_next_join(struct fixture *f,
					    gconstpointer data)
{
	struct box *a = join(f, 0);
	g_autofree char *enter = NULL;
	struct guest g;

	WAIT(in_room(a));
	guest_join(&g, f);
	room_set_trickle(a->room, FALSE);
	enter = with_weight("enter", HELLO_0612, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	g_assert_true(json_object_get_boolean_member(heard(&g, "welcome"),
						     "enableIceTrickle"));
	g_assert_true(room_join(a->room, "lobby", NULL));
	WAIT(heard(&g, "enter"));
	g_assert_false(json_object_get_boolean_member(heard(&g, "enter"),
						      "enableIceTrickle"));
	guest_done(&g);
}

static void test_early_candidates(struct fixture *f, gconstpointer data)
{
	struct box *a = &f->boxes[0];
	struct guest g;
	g_autofree char *a_id = NULL, *enter = NULL;

	a->engine_made = gather_early;
	join(f, 0);
	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	enter = with_weight("enter", HELLO_0612, g.weight);
	say(&g, NULL, enter);
	WAIT(heard(&g, "welcome"));
	g_assert_null(heard(&g, "endOfCandidates"));
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(heard(&g, "endOfCandidates"));
	g_assert_nonnull(heard(&g, "answer"));
	g_assert_null(heard(&g, "candidate"));
	g_assert_cmpint(json_object_get_int_member(heard(&g, "endOfCandidates"),
						   "noOfExpectedCandidates"),
			==, 0);
	guest_done(&g);
}

/* --- data channels ------------------------------------------------------- */
static void test_messaging_channel_comes_back(struct fixture *f,
					      gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	g_autofree char *a_id = NULL, *b_id = NULL;
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
	const char *to[2] = {NULL};
	g_autoptr(GError) error = NULL;
	struct rtc_peer *to_a;

	json_node_set_string(node, "x");
	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);
	to[0] = a_id;
	to_a = fake_rtc_get(b->engine, a_id);
	/* b offered and made the channel: number as the mock counts */
	rtc_peer_close_channel(to_a, (uint16_t) (2 * to_a->id + 100));
	/* connecting, open, closed */
	WAIT(count(b, "dataChannelState") == 3);
	g_assert_false(room_send_p2p_message(b->room, node, to, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_NO_PEER);
	g_clear_error(&error);
	/* and again connecting, open */
	WAIT(count(b, "dataChannelState") == 5);
	g_assert_true(room_send_p2p_message(b->room, node, to, &error));
	WAIT(find(a, "incomingMessage", "peerId", b_id));
}

/* The connection is replaced while its channel waits to be opened again. */
static void test_replaced_before_reopen(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	g_autofree char *a_id = NULL, *b_id = NULL;
	struct rtc_peer *to_a;
	guint made;

	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);
	to_a = fake_rtc_get(b->engine, a_id);
	made = b->engine->n_made;
	rtc_peer_close_channel(to_a, (uint16_t) (2 * to_a->id + 100));
	WAIT(find(b, "dataChannelState", "state", "closed"));
	fake_rtc_become_another(fake_rtc_get(a->engine, b_id));
	g_assert_true(room_refresh(a->room, NULL, FALSE, NULL));
	WAIT(b->engine->n_made == made + 1);
	to_a = fake_rtc_get(b->engine, a_id);
	WAIT(to_a->connected && count(b, "dataChannelState") >= 5);
	/* one of the new connection, and none besides */
	g_assert_cmpuint(to_a->n_channels, ==, 1);
	g_assert_cmpuint(to_a->wanted_channels->len, ==, 0);
}

/* --- coming back --------------------------------------------------------- */
static struct rtc_peer *stand(struct box *a, struct guest *g, const char *hello)
{
	g_autofree char *a_id = sid(a);
	g_autofree char *enter = with_weight("enter", hello, g->weight);
	struct rtc_peer *rtc;

	say(g, NULL, enter);
	WAIT(heard(g, "welcome"));
	say(g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(heard(g, "answer"));
	rtc = fake_rtc_get(a->engine, g->id);
	fake_connect_one(rtc, rtc);
	WAIT(find(a, "iceConnectionState", "state", "connected"));
	return rtc;
}

/* Silent until it was given up, and then it answers after all. */
static void test_late_return(struct fixture *f, gconstpointer data)
{
	struct box *a = &f->boxes[0];
	g_autofree char *a_id = NULL;
	g_autoptr(JsonObject) info = NULL;
	struct rtc_peer *rtc;
	struct guest g;

	a->health_ms = 40;
	join(f, 0);
	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	rtc = stand(a, &g, HELLO_0612);
	g_assert_false(rtc->config.own_certificate);
	fake_rtc_fail(rtc);
	WAIT(find(a, "peerLeft", "peerId", g.id));
	WAIT(n_heard(&g, "restart") == 3);
	g_assert_cmpint(described(a, "lostPeers"), ==, 1);
	say(&g, a_id, "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}");
	WAIT(n_heard(&g, "answer") == 2);
	g_assert_cmpint(described(a, "lostPeers"), ==, 0);
	/* over there the old DTLS still is: a certificate says that it is not
	 * the same any more */
	rtc = fake_rtc_get(a->engine, g.id);
	g_assert_true(rtc->config.own_certificate);
	/* and who it is was not forgotten */
	info = room_get_peer_info(a->room, g.id);
	g_assert_cmpstr(json_object_get_string_member(info, "userData"), ==,
			"old");
	guest_done(&g);
}

/* 2.x has our offers to answer, all of them, before it hears of another. */
static void test_late_return_2x(struct fixture *f, gconstpointer data)
{
	struct box *a = &f->boxes[0];
	g_autofree char *a_id = NULL;
	struct guest g;
	guint offers;

	a->health_ms = 40;
	join(f, 0);
	WAIT(in_room(a));
	a_id = sid(a);
	guest_join(&g, f);
	fake_rtc_fail(stand(a, &g, HELLO_2X));
	WAIT(find(a, "peerLeft", "peerId", g.id));
	offers = n_heard(&g, "offer");
	g_assert_cmpuint(offers, ==, 1);
	say(&g, a_id, "{\"type\":\"answer\",\"sdp\":\"" SDP "\"}");
	WAIT(n_heard(&g, "answerAck") == 1);
	say(&g, a_id, "{\"type\":\"answer\",\"sdp\":\"" SDP "\"}");
	WAIT(n_heard(&g, "answerAck") == 2);
	g_assert_cmpuint(n_heard(&g, "offer"), ==, offers);
	WAIT(n_heard(&g, "offer") == offers + 1);
	say(&g, a_id, "{\"type\":\"answer\",\"sdp\":\"" SDP "\"}");
	WAIT(n_heard(&g, "answerAck") == 3);
	guest_done(&g);
}

/* --- leaving ------------------------------------------------------------- */
static void test_killed_peer(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *b_id = NULL;
	gint64 start;

	meet(a, b);
	b_id = sid(b);
	fake_rtc_mute(fake_rtc_get(a->engine, b_id));
	start = g_get_monotonic_time();
	room_free(g_steal_pointer(&b->room));
	WAIT(find(a, "peerLeft", "peerId", b_id));
	g_test_message("gone after %" G_GINT64_FORMAT " ms",
		       (g_get_monotonic_time() - start) / 1000);
	g_assert_cmpuint(a->engine->n_peers, ==, 0);
	g_assert_cmpint(described(a, "leavingPeers"), ==, 0);
}

/* The server closes one socket after the other, and says bye between. */
static void test_bye_of_a_dying_server(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *b_id = NULL;

	meet(a, b);
	b_id = sid(b);
	fake_rtc_mute(fake_rtc_get(a->engine, b_id));
	room_free(g_steal_pointer(&b->room));
	WAIT(described(a, "leavingPeers") == 1);
	f->server = room_server_free(f->server);
	WAIT(described(a, "keptPeers") == 1);
	g_assert_cmpint(described(a, "leavingPeers"), ==, 0);
	g_assert_cmpint(a->taken, ==, 1);
	start_server(f);
	WAIT(in_room(a));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room-guests/" name, struct fixture, NULL, set_up, fn,     \
		   tear_down)
	CASE("2x-joins", test_2x_joins);
	CASE("we-join-2x", test_we_join_2x);
	CASE("0612-joins", test_0612_joins);
	CASE("hostile", test_hostile_guest);
	CASE("second-connection", test_second_connection_of_ours);
	CASE("no-trickle", test_without_trickle);
	CASE("trickle-next-join", test_trickle_from_the_next_join);
	CASE("early-candidates", test_early_candidates);
	CASE("messaging-channel", test_messaging_channel_comes_back);
	CASE("replaced-before-reopen", test_replaced_before_reopen);
	CASE("late-return", test_late_return);
	CASE("late-return-2x", test_late_return_2x);
	CASE("killed", test_killed_peer);
	CASE("dying-server", test_bye_of_a_dying_server);
	return g_test_run();
}
