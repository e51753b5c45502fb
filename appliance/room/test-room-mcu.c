// SPDX-License-Identifier: Apache-2.0
/* A room with an MCU in it, and what privileged peers may do. The service is a
 * mock (mock-service.h says why), and so is the transport (fake-rtc.c). What
 * the MCU of the tests says is what mcu_0.6.37's says. */
#include "appliance/room/fake-rtc.c"
#include "appliance/room/room-test.h"

#include "appliance/room/mock-service.h"

#define SDP_LF                                                                 \
	"v=0\\no=- 1 2 IN IP4 127.0.0.1\\ns=-\\nt=0 0\\n"                      \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\\na=mid:0\\na=recvonly\\n"            \
	"m=video 9 UDP/TLS/RTP/SAVPF 96\\na=mid:1\\na=recvonly\\n"
#define MCU_SAYS(type, target)                                                 \
	"{\"type\":\"" type "\",\"mid\":\"MCU\",\"rid\":\"r\"," target         \
	"\"agent\":\"MCU\",\"version\":\"1\",\"os\":\"\",\"userInfo\":{"       \
	"\"userData\":\"\",\"settings\":{\"audio\":false,\"video\":false},"    \
	"\"mediaStatus\":{\"audioMuted\":true,\"videoMuted\":true}},"          \
	"\"weight\":-1,\"receiveOnly\":false,\"enableIceTrickle\":true,"       \
	"\"enableDataChannel\":true}"
#define B_SAYS(type, target)                                                   \
	"{\"type\":\"" type "\",\"mid\":\"b\",\"rid\":\"r\"," target           \
	"\"agent\":\"chrome\",\"version\":\"156\",\"os\":\"Linux\","           \
	"\"userInfo\":{\"userData\":\"bee\",\"settings\":{\"audio\":true,"     \
	"\"video\":true},\"mediaStatus\":{\"audioMuted\":false,"               \
	"\"videoMuted\":false}},\"weight\":9e15,\"receiveOnly\":false,"        \
	"\"enableIceTrickle\":true,\"enableDataChannel\":true,"                \
	"\"SMProtocolVersion\":\"0.1.2.4\",\"DTProtocolVersion\":\"0.1.3\"}"
#define TO_ME "\"target\":\"me1\","

struct world {
	struct fixture f;
	struct mock mock;
	struct box *a;
};

static void enter(struct world *w, gconstpointer data)
{
	const gboolean *privileged = data;

	*w = (struct world){.mock.weight = 1000};
	w->mock.privileged = privileged && *privileged;
	mock_start(&w->mock);
	w->f.url = g_strdup(w->mock.url);
	for (int i = 0; i < N_BOXES; i++)
		w->f.boxes[i].events =
			g_ptr_array_new_with_free_func(free_event);
	w->a = join(&w->f, 0);
	WAIT(mock_heard(&w->mock, "enter", NULL));
}

static void leave(struct world *w, gconstpointer data)
{
	room_free(w->a->room);
	g_assert_cmpint(w->a->taken, ==, 0);
	rtc_engine_free(w->a->engine);
	for (int i = 0; i < N_BOXES; i++)
		g_ptr_array_unref(w->f.boxes[i].events);
	mock_stop(&w->mock);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_free(w->f.url);
}

/* As recorded: enter, our welcome, welcome, our offer. */
static void mcu_comes(struct world *w)
{
	mock_tell(&w->mock, MCU_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "MCU"));
	mock_tell(&w->mock, MCU_SAYS("welcome", TO_ME));
	WAIT(mock_heard(&w->mock, "offer", "MCU"));
	mock_tell(&w->mock, "{\"type\":\"answer\",\"mid\":\"MCU\",\"rid\":"
			    "\"r\"," TO_ME "\"sdp\":\"" SDP_LF "\"}");
	WAIT(progress(w->a, "answer") == 1);
}

static const char *sdp_to(struct world *w, const char *type, const char *id)
{
	return json_object_get_string_member(mock_heard(&w->mock, type, id),
					     "sdp");
}

static void test_media_goes_to_the_mcu(struct world *w, gconstpointer data)
{
	JsonObject *params;

	mcu_comes(w);
	params = find(w->a, "serverPeerJoined", "peerId", "MCU");
	g_assert_cmpstr(json_object_get_string_member(params,
						      "serverPeerType"),
			==, "mcu");
	g_assert_null(find(w->a, "peerJoined", "peerId", "MCU"));
	/* the MCU gets and sends nothing back on this one */
	g_assert_nonnull(strstr(sdp_to(w, "offer", "MCU"), "a=sendonly"));
	g_assert_null(strstr(sdp_to(w, "offer", "MCU"), "a=sendrecv"));
	/* a heavier peer: we offer all the same, and only to receive */
	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "b"));
	mock_tell(&w->mock, B_SAYS("welcome", TO_ME));
	WAIT(mock_heard(&w->mock, "offer", "b"));
	g_assert_nonnull(strstr(sdp_to(w, "offer", "b"), "a=recvonly"));
	g_assert_null(strstr(sdp_to(w, "offer", "b"), "a=sendrecv"));
	g_assert_nonnull(find(w->a, "peerJoined", "peerId", "b"));
	/* its restarts are announcements */
	mock_tell(&w->mock, B_SAYS("restart", TO_ME));
	WAIT(find(w->a, "peerRestart", "peerId", "b"));
	g_assert_null(mock_heard(&w->mock, "restart", NULL));
	/* and without the MCU everything is as ever */
	mock_tell(&w->mock, "{\"type\":\"bye\",\"mid\":\"MCU\",\"rid\":\"r\"}");
	WAIT(find(w->a, "serverPeerLeft", "peerId", "MCU"));
	mock_tell(&w->mock, "{\"type\":\"answer\",\"mid\":\"b\",\"rid\":\"r\","
			    TO_ME "\"sdp\":\"" SDP_LF "\"}");
	WAIT(mock_heard(&w->mock, "restart", "b"));
}

static void test_refresh_is_a_new_join(struct world *w, gconstpointer data)
{
	mcu_comes(w);
	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "b"));
	g_assert_true(room_refresh(w->a->room, NULL, FALSE, NULL));
	/* told to everybody, then gone, then back */
	g_assert_nonnull(find(w->a, "peerJoined", "peerId", "b"));
	WAIT(w->mock.joined == 2 && mock_count(&w->mock, "enter", NULL) == 2);
	g_assert_cmpuint(mock_count(&w->mock, "restart", "b"), ==, 1);
	g_assert_cmpuint(mock_count(&w->mock, "restart", "MCU"), ==, 1);
	g_assert_true(json_object_get_boolean_member(
		find(w->a, "peerRestart", "peerId", "b"),
		"isSelfInitiateRestart"));
	g_assert_nonnull(find(w->a, "serverPeerRestart", "peerId", "MCU"));
	g_assert_nonnull(find(w->a, "peerLeft", "peerId", "b"));
	g_assert_nonnull(find(w->a, "peerLeft", "peerId", "me1"));
	g_assert_nonnull(find(w->a, "serverPeerLeft", "peerId", "MCU"));
	WAIT(find(w->a, "peerJoined", "peerId", "me2"));
	g_assert_cmpuint(count(w->a, "sessionDisconnect"), ==, 0);
	/* another stream goes the same way */
	room_set_stream(w->a->room, &(RoomStream){.send_audio = TRUE});
	g_assert_cmpuint(w->mock.joined, ==, 2);	/* no MCU here yet */
	mock_tell(&w->mock, MCU_SAYS("enter", ""));
	WAIT(count(w->a, "serverPeerJoined") == 2);
	room_set_stream(w->a->room, &(RoomStream){.send_video = TRUE});
	WAIT(w->mock.joined == 3);
}

/* A peer over there that stands in for the MCU's end of the data channel. */
static void test_messages_by_the_mcu(struct world *w, gconstpointer data)
{
	static const char incoming[] =
		"{\"type\":\"MESSAGE\",\"isPrivate\":false,\"sender\":\"b\","
		"\"target\":[\"me1\"],\"data\":\"from b\"}";
	const char *const to[] = {"b", NULL};
	g_autoptr(JsonNode) text = json_node_init_string(json_node_alloc(),
							 "hi");
	struct rtc_peer *mcu, *far;
	struct rtc_engine *engine;
	JsonObject *params, *message;
	g_autofree char *answer = NULL, *json = NULL;
	g_autoptr(GString) sdp = g_string_new(NULL);

	mock_tell(&w->mock, MCU_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "MCU"));
	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "b"));
	mock_tell(&w->mock, MCU_SAYS("welcome", TO_ME));
	WAIT(mock_heard(&w->mock, "offer", "MCU"));
	far = fake_rtc_stranger(&w->a->engine->config, &engine);
	answer = rtc_peer_accept_offer(far, sdp_to(w, "offer", "MCU"), NULL);
	json_quote(sdp, answer, strlen(answer));
	json = g_strdup_printf("{\"type\":\"answer\",\"mid\":\"MCU\",\"rid\":"
			       "\"r\"," TO_ME "\"sdp\":%s}", sdp->str);
	mock_tell(&w->mock, json);
	WAIT(find(w->a, "dataChannelState", "state", "open"));
	/* for one, and for all: through the MCU, with an array of targets */
	mcu = fake_rtc_get(w->a->engine, "MCU");
	g_assert_true(room_send_p2p_message(w->a->room, text, to, NULL));
	g_assert_nonnull(strstr(mcu->last_sent, "\"target\":[\"b\"]"));
	g_assert_nonnull(strstr(mcu->last_sent, "\"isPrivate\":true"));
	g_assert_true(room_send_p2p_message(w->a->room, text, NULL, NULL));
	g_assert_nonnull(strstr(mcu->last_sent, "\"target\":[\"b\"]"));
	g_assert_nonnull(strstr(mcu->last_sent, "\"isPrivate\":false"));
	/* and back: it is from whom it says */
	rtc_peer_send(far, (uint16_t) (2 * mcu->id + 100), true,
		      (const uint8_t *) incoming, strlen(incoming));
	WAIT(find(w->a, "incomingMessage", "peerId", "b"));
	params = find(w->a, "incomingMessage", "peerId", "b");
	message = json_object_get_object_member(params, "message");
	g_assert_cmpstr(json_object_get_string_member(message,
						      "senderPeerId"), ==, "b");
	g_assert_cmpstr(json_object_get_string_member(
				json_object_get_object_member(params,
							      "peerInfo"),
				"userData"), ==, "bee");
	rtc_peer_free(far);
	rtc_engine_free(engine);
}

/* Of several: each was here when it was asked for. */
static void test_refresh_of_several(struct world *w, gconstpointer data)
{
	static const char *const ids[] = {"MCU", "nobody", "b", NULL};
	g_autoptr(JsonObject) errors = json_object_new();

	mcu_comes(w);
	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "b"));
	room_refresh_each(w->a->room, ids, FALSE, errors);
	g_assert_cmpuint(json_object_get_size(errors), ==, 1);
	g_assert_true(json_object_has_member(errors, "nobody"));
	WAIT(w->mock.joined == 2 && mock_count(&w->mock, "enter", NULL) == 2);
	g_assert_cmpuint(mock_count(&w->mock, "restart", "b"), ==, 1);
}

/* Signaling came back before the MCU's old connection went. */
static void test_old_mcu_connection(struct world *w, gconstpointer data)
{
	struct rtc_peer *old;

	mcu_comes(w);
	old = fake_rtc_get(w->a->engine, "MCU");
	fake_connect_one(old, old);
	WAIT(find(w->a, "iceConnectionState", "state", "connected"));
	soup_websocket_connection_close(w->mock.connection, 1000, NULL);
	WAIT(described(w->a, "keptPeers") == 1);
	WAIT(mock_count(&w->mock, "enter", NULL) == 2);
	mock_tell(&w->mock, MCU_SAYS("enter", ""));
	WAIT(count(w->a, "serverPeerJoined") == 2);
	fake_rtc_fail(old);
	WAIT(described(w->a, "keptPeers") == 0);
	/* there is an MCU all the same: another stream needs a new join */
	room_set_stream(w->a->room, &(RoomStream){.send_audio = TRUE});
	WAIT(w->mock.joined == 3);
}

/* It was our signaling alone that went: who is here again has not left. */
static void test_same_peer_again(struct world *w, gconstpointer data)
{
	static const char offer[] =
		"{\"type\":\"offer\",\"mid\":\"b\",\"rid\":\"r\"," TO_ME
		"\"sdp\":\"" SDP_LF "\"}";
	struct rtc_peer *old;

	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(mock_heard(&w->mock, "welcome", "b"));
	mock_tell(&w->mock, offer);
	WAIT(mock_heard(&w->mock, "answer", "b"));
	old = fake_rtc_get(w->a->engine, "b");
	fake_connect_one(old, old);
	WAIT(find(w->a, "iceConnectionState", "state", "connected"));
	soup_websocket_connection_close(w->mock.connection, 1000, NULL);
	WAIT(described(w->a, "keptPeers") == 1);
	WAIT(mock_count(&w->mock, "enter", NULL) == 2);
	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(described(w->a, "peers") == 1);
	fake_rtc_fail(old);
	WAIT(described(w->a, "keptPeers") == 0);
	room_leave(w->a->room);
	WAIT(find(w->a, "peerLeft", "peerId", "b"));
	/* it was told once, of the one that was here */
	WAIT(find(w->a, "peerLeft", "peerId", "me2"));
	g_assert_cmpuint(count(w->a, "peerLeft"), ==, 2);
}

/* --- privileged ---------------------------------------------------------- */
static void test_privileged(struct world *w, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	JsonObject *params;

	g_assert_true(room_get_peers(w->a->room, TRUE, &error));
	WAIT(mock_heard(&w->mock, "getPeers", NULL));
	g_assert_true(json_object_get_boolean_member(
		mock_heard(&w->mock, "getPeers", NULL), "showAll"));
	g_assert_false(json_object_has_member(
		mock_heard(&w->mock, "getPeers", NULL), "mid"));
	WAIT(find(w->a, "getPeersStateChange", "state", "enquired"));
	mock_tell(&w->mock, "{\"type\":\"peerList\",\"rid\":\"r\",\"result\":{"
			    "\"one\":[\"x\",\"y\"]}}");
	WAIT(find(w->a, "getPeersStateChange", "state", "received"));
	params = find(w->a, "getPeersStateChange", "state", "received");
	g_assert_cmpstr(json_object_get_string_member(params,
						      "privilegedPeerId"),
			==, "me1");
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(
				 json_object_get_object_member(params,
							       "peerList"),
				 "one")), ==, 2);

	g_assert_true(room_introduce(w->a->room, "x", "y", &error));
	WAIT(mock_heard(&w->mock, "introduce", NULL));
	params = mock_heard(&w->mock, "introduce", NULL);
	g_assert_cmpstr(json_object_get_string_member(params, "sendingPeerId"),
			==, "x");
	g_assert_cmpstr(json_object_get_string_member(params,
						      "receivingPeerId"),
			==, "y");
	WAIT(find(w->a, "introduceStateChange", "state", "introducing"));
	mock_tell(&w->mock, "{\"type\":\"introduceError\",\"sendingPeerId\":"
			    "\"x\",\"receivingPeerId\":\"y\",\"reason\":"
			    "\"peer not found\"}");
	WAIT(find(w->a, "introduceStateChange", "state", "error"));
	params = find(w->a, "introduceStateChange", "state", "error");
	g_assert_cmpstr(json_object_get_string_member(params, "reason"), ==,
			"peer not found");
	g_assert_false(room_introduce(w->a->room, "", "y", &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
}

static void test_not_privileged(struct world *w, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(room_get_peers(w->a->room, TRUE, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(room_introduce(w->a->room, "x", "y", &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	/* but it is introduced */
	mock_tell(&w->mock, "{\"type\":\"approach\",\"rid\":\"r\",\"target\":"
			    "\"b\"}");
	WAIT(mock_heard(&w->mock, "enter", "b"));
}

/* --- other rooms --------------------------------------------------------- */
#define SAYS(id, type, rid, more)                                              \
	"{\"type\":\"" type "\",\"mid\":\"" id "\",\"rid\":\"" rid "\"" more "}"
#define HELLO                                                                  \
	",\"agent\":\"chrome\",\"version\":\"156\",\"os\":\"Linux\","          \
	"\"weight\":9e15"
#define TARGET_ME ",\"target\":\"me1\""

static gboolean is_locked(struct box *b)
{
	g_autoptr(JsonNode) node = room_describe(b->room);

	return json_object_get_boolean_member(json_node_get_object(node),
					      "locked");
}

/* Everything of this list is dropped, and the one after it is not. */
static void test_of_another_room(struct world *w, gconstpointer data)
{
	static const char *const dropped[] = {
		SAYS("b", "roomLockEvent", "q", ",\"lock\":true"),
		SAYS("nobody", "roomLockEvent", "q", ",\"lock\":true"),
		SAYS("b", "muteAudioEvent", "q", ",\"muted\":true"),
		SAYS("b", "updateUserEvent", "q", ",\"userData\":\"x\""),
		SAYS("b", "public", "q", ",\"cid\":\"c\",\"data\":1"),
		SAYS("b", "private", "q", TARGET_ME
		     ",\"cid\":\"c\",\"data\":1"),
		SAYS("b", "bye", "q", ""),
		SAYS("d", "enter", "q", HELLO),
		"{\"type\":\"approach\",\"rid\":\"q\",\"target\":\"d\"}",
		"{\"type\":\"peerList\",\"rid\":\"q\",\"result\":{}}",
	};
	gint64 before;

	mock_tell(&w->mock, B_SAYS("enter", ""));
	WAIT(find(w->a, "peerJoined", "peerId", "b"));
	before = described(w->a, "unexpectedMessages");
	for (guint i = 0; i < G_N_ELEMENTS(dropped); i++)
		mock_tell(&w->mock, dropped[i]);
	WAIT(described(w->a, "unexpectedMessages") ==
	     before + (gint64) G_N_ELEMENTS(dropped));
	mock_tell(&w->mock, SAYS("b", "public", "r",
				 ",\"cid\":\"c\",\"data\":2"));
	WAIT(count(w->a, "incomingMessage") == 1);
	g_assert_false(is_locked(w->a));
	g_assert_cmpint(described(w->a, "peers"), ==, 1);
	g_assert_cmpuint(count(w->a, "roomLock"), ==, 0);
	g_assert_cmpuint(count(w->a, "streamMuted"), ==, 0);
	g_assert_cmpuint(count(w->a, "peerUpdated"), ==, 0);
	g_assert_cmpuint(count(w->a, "getPeersStateChange"), ==, 0);
	g_assert_null(mock_heard(&w->mock, "enter", "d"));
	mock_tell(&w->mock, SAYS("b", "roomLockEvent", "r",
				 ",\"lock\":true"));
	WAIT(is_locked(w->a));
	/* old native clients name none */
	mock_tell(&w->mock, "{\"type\":\"roomLockEvent\",\"mid\":\"b\","
			    "\"lock\":false}");
	WAIT(!is_locked(w->a));
	mock_tell(&w->mock, SAYS("b", "bye", "r", ""));
	WAIT(find(w->a, "peerLeft", "peerId", "b"));
}

/* It speaks to us, and of itself; but not of our room, nor as of a third. */
static void test_introduced_from_another(struct world *w, gconstpointer data)
{
	gint64 before;

	mock_tell(&w->mock, SAYS("e", "enter", "q", TARGET_ME HELLO));
	WAIT(mock_heard(&w->mock, "welcome", "e"));
	mock_tell(&w->mock, SAYS("e", "offer", "q", TARGET_ME
				 ",\"sdp\":\"" SDP_LF "\""));
	WAIT(mock_heard(&w->mock, "answer", "e"));
	mock_tell(&w->mock, SAYS("e", "muteAudioEvent", "q",
				 ",\"muted\":false"));
	WAIT(find(w->a, "streamMuted", "peerId", "e"));
	mock_tell(&w->mock, SAYS("e", "public", "q",
				 ",\"cid\":\"c\",\"data\":1"));
	mock_tell(&w->mock, SAYS("e", "private", "q", TARGET_ME
				 ",\"cid\":\"c\",\"data\":1"));
	WAIT(count(w->a, "incomingMessage") == 2);
	before = described(w->a, "unexpectedMessages");
	mock_tell(&w->mock, SAYS("e", "roomLockEvent", "q",
				 ",\"lock\":true"));
	mock_tell(&w->mock, SAYS("e", "public", "z",
				 ",\"cid\":\"c\",\"data\":1"));
	WAIT(described(w->a, "unexpectedMessages") == before + 2);
	g_assert_false(is_locked(w->a));
	g_assert_cmpuint(count(w->a, "incomingMessage"), ==, 2);
	mock_tell(&w->mock, SAYS("e", "bye", "q", ""));
	WAIT(find(w->a, "peerLeft", "peerId", "e"));
	/* as our own server says it */
	mock_tell(&w->mock, SAYS("e", "enter", "q", TARGET_ME HELLO));
	WAIT(mock_count(&w->mock, "welcome", "e") == 2);
	mock_tell(&w->mock, SAYS("e", "bye", "r", ""));
	WAIT(count(w->a, "peerLeft") == 2);
}

int main(int argc, char *argv[])
{
	static const gboolean privileged = TRUE;

	g_test_init(&argc, &argv, NULL);
	g_test_add("/room-mcu/media", struct world, NULL, enter,
		   test_media_goes_to_the_mcu, leave);
	g_test_add("/room-mcu/refresh", struct world, NULL, enter,
		   test_refresh_is_a_new_join, leave);
	g_test_add("/room-mcu/messages", struct world, NULL, enter,
		   test_messages_by_the_mcu, leave);
	g_test_add("/room-mcu/refresh-several", struct world, NULL, enter,
		   test_refresh_of_several, leave);
	g_test_add("/room-mcu/old-connection", struct world, NULL, enter,
		   test_old_mcu_connection, leave);
	g_test_add("/room-mcu/same-peer-again", struct world, NULL, enter,
		   test_same_peer_again, leave);
	g_test_add("/room-mcu/privileged", struct world, &privileged, enter,
		   test_privileged, leave);
	g_test_add("/room-mcu/not-privileged", struct world, NULL, enter,
		   test_not_privileged, leave);
	g_test_add("/room-mcu/of-another-room", struct world, NULL, enter,
		   test_of_another_room, leave);
	g_test_add("/room-mcu/introduced-from-another", struct world, NULL,
		   enter, test_introduced_from_another, leave);
	return g_test_run();
}
