// SPDX-License-Identifier: Apache-2.0
/* Rooms against the real room server on the loopback, over real sockets; only
 * the transport between the peers is a mock (fake-rtc.c says why). */
#include "appliance/room/fake-rtc.c"
#include "appliance/room/room-test.h"

#include "appliance/room/transfer-test.h"

/* --- tests --------------------------------------------------------------- */
static void test_meet(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	g_autofree char *a_id = NULL, *b_id = NULL;
	JsonObject *params, *info;

	WAIT(find(a, "peerJoined", NULL, NULL));
	b = join(f, 1);
	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);

	/* in the order that SkylinkJS tells */
	g_assert_cmpstr(((struct event *) a->events->pdata[0])->name, ==,
			"readyStateChange");
	g_assert_nonnull(find(a, "channelOpen", NULL, NULL));
	params = find(b, "peerJoined", "peerId", a_id);
	g_assert_false(json_object_get_boolean_member(params, "isSelf"));
	info = json_object_get_object_member(params, "peerInfo");
	g_assert_cmpstr(json_object_get_string_member(
				json_object_get_object_member(info, "agent"),
				"name"), ==, "skylinkd");
	g_assert_cmpstr(json_object_get_string_member(info, "room"), ==,
			"lobby");
	/* the newcomer is the heavier: it offers, once */
	g_assert_cmpuint(progress(a, "welcome"), ==, 1);
	g_assert_cmpuint(progress(b, "welcome"), ==, 1);
	g_assert_cmpuint(progress(a, "offer"), ==, 1);
	g_assert_cmpuint(progress(b, "offer"), ==, 1);
	g_assert_cmpuint(progress(a, "answer"), ==, 1);
	g_assert_cmpuint(progress(b, "answer"), ==, 1);
	g_assert_cmpuint(progress(a, "enter"), ==, 2);	/* own and b's */
	/* the stream is one, and is known */
	params = find(a, "incomingStream", "peerId", b_id);
	g_assert_cmpuint(strlen(json_object_get_string_member(
				 json_object_get_object_member(params,
							       "stream"),
				 "id")), ==, 36);
	g_assert_nonnull(find(a, "incomingStream", "peerId", a_id));
	g_assert_cmpint(a->taken, ==, 1);
	g_assert_cmpint(b->taken, ==, 1);
	/* the messaging channel carries the offerer's label on both sides */
	{
		g_autofree char *label = g_strdup_printf("%s_%s", b_id, a_id);

		params = find(a, "dataChannelState", "peerId", b_id);
		g_assert_cmpstr(json_object_get_string_member(
					params, "channelName"), ==, label);
		g_assert_cmpstr(json_object_get_string_member(
					params, "channelType"), ==,
				"messaging");
	}
	/* the candidate is a message of its own, on its way still */
	WAIT(fake_rtc_get(a->engine, b_id)->n_candidates_in >= 1);
	g_assert_cmpuint(fake_rtc_get(a->engine, b_id)->n_candidates_in, ==, 1);
	/* the server's dummy relay is not tried */
	g_assert_cmpuint(fake_rtc_get(a->engine, b_id)->n_ice_servers, ==, 0);
}

static JsonNode *text_node(const char *text)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_string(node, text);
	return node;
}

static const char *content_of(struct box *b, gboolean p2p, const char *from)
{
	for (guint i = b->events->len; i-- > 0;) {
		struct event *e = b->events->pdata[i];
		JsonObject *m;

		if (strcmp(e->name, "incomingMessage"))
			continue;
		m = json_object_get_object_member(e->params, "message");
		if (!json_object_get_boolean_member(m, "isDataChannel") ==
			    !p2p &&
		    !strcmp(json_object_get_string_member(m, "senderPeerId"),
			    from))
			return json_object_get_string_member(m, "content");
	}
	return "";
}

static void test_messages(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *a_id = NULL, *b_id = NULL;
	g_autoptr(JsonNode) hello = text_node("hello");
	g_autoptr(JsonNode) psst = text_node("psst");
	g_autoptr(GError) error = NULL;
	const char *to[2] = {NULL};

	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);
	to[0] = b_id;
	g_assert_true(room_send_message(a->room, hello, NULL, &error));
	WAIT(!strcmp(content_of(b, FALSE, a_id), "hello"));
	g_assert_true(room_send_message(a->room, psst, to, &error));
	WAIT(!strcmp(content_of(b, FALSE, a_id), "psst"));
	g_assert_true(room_send_p2p_message(a->room, hello, to, &error));
	WAIT(!strcmp(content_of(b, TRUE, a_id), "hello"));
	WAIT(!strcmp(content_of(a, TRUE, a_id), "hello"));	/* its own */
	to[0] = "nobody";
	g_assert_false(room_send_message(a->room, hello, to, &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_NO_PEER);
}

static gboolean peer_info_bool(struct box *b, const char *id,
			       const char *member)
{
	g_autoptr(JsonObject) info = room_get_peer_info(b->room, id);

	return json_object_get_boolean_member(
		json_object_get_object_member(info, "mediaStatus"), member);
}

static void test_mute_and_user_data(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *a_id = NULL;
	g_autoptr(JsonNode) name = text_node("camera 1");

	meet(a, b);
	a_id = sid(a);
	g_assert_false(peer_info_bool(b, a_id, "audioMuted"));
	room_set_muted(a->room, TRUE, TRUE);
	WAIT(peer_info_bool(b, a_id, "videoMuted"));
	/* throttled: a second later */
	WAIT(peer_info_bool(b, a_id, "audioMuted"));
	WAIT(count(b, "peerUpdated") == 2);
	g_assert_cmpuint(count(b, "streamMuted"), ==, 2);
	g_assert_true(peer_info_bool(a, NULL, "audioMuted"));

	room_set_user_data(a->room, name);
	WAIT(count(b, "peerUpdated") == 3);
	{
		g_autoptr(JsonObject) info = room_get_peer_info(b->room, a_id);

		g_assert_cmpstr(json_object_get_string_member(info, "userData"),
				==, "camera 1");
	}
	/* a third one learns it from the handshake */
	{
		struct box *c = join(f, 2);

		meet(a, c);
		g_assert_true(peer_info_bool(c, a_id, "videoMuted"));
	}
}

static void test_lock(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1), *c;
	JsonObject *params;

	meet(a, b);
	g_assert_true(room_lock(a->room, TRUE, NULL));
	WAIT(count(b, "roomLock") == 1);
	params = find(b, "roomLock", NULL, NULL);
	g_assert_true(json_object_get_boolean_member(params, "isLocked"));
	g_assert_true(room_is_locked(b->room));
	/* refused, and refused again, until it opens */
	c = join(f, 2);
	WAIT(count(c, "systemAction") >= 2);
	params = find(c, "systemAction", NULL, NULL);
	g_assert_cmpstr(json_object_get_string_member(params, "action"), ==,
			"reject");
	g_assert_cmpstr(json_object_get_string_member(params, "reason"), ==,
			"locked");
	g_assert_true(room_lock(b->room, FALSE, NULL));
	meet(a, c);
}

static void test_leave(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *a_id = NULL;

	meet(a, b);
	a_id = sid(a);
	room_leave(a->room);
	WAIT(find(b, "peerLeft", "peerId", a_id));
	g_assert_cmpint(a->taken, ==, 0);
	g_assert_cmpint(b->taken, ==, 0);
	g_assert_cmpuint(b->engine->n_peers, ==, 0);
	WAIT(count(a, "peerLeft") == 2);	/* of b, and its own */
	/* and back */
	g_assert_true(room_join(a->room, "lobby", NULL));
	meet(a, b);
	g_assert_cmpint(b->taken, ==, 1);
}

static void test_refresh(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	guint before;

	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	/* from the lighter, then from the heavier: it is b who offers */
	before = progress(a, "offer");
	g_assert_true(room_refresh(a->room, NULL, FALSE, NULL));
	WAIT(progress(a, "offer") == before + 1);
	WAIT(count(b, "peerRestart") == 1);
	WAIT(progress(b, "answer") == 2);
	g_assert_true(room_refresh(b->room, NULL, TRUE, NULL));
	WAIT(progress(a, "offer") == before + 2);
	WAIT(progress(b, "answer") == 3);
	g_assert_false(json_object_get_boolean_member(
		find(a, "peerRestart", NULL, NULL), "isSelfInitiateRestart"));
	/* the media was never given up */
	g_assert_cmpint(a->takes, ==, 1);
	g_assert_cmpuint(a->engine->n_made, ==, 1);
}

static void test_server_restart(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *a_old = NULL, *b_old = NULL, *a_new = NULL;

	meet(a, b);
	a_old = sid(a);
	b_old = sid(b);
	f->server = room_server_free(f->server);
	WAIT(count(a, "sessionDisconnect") == 1 &&
	     count(b, "sessionDisconnect") == 1);
	/* the media goes on */
	g_assert_cmpint(described(a, "keptPeers"), ==, 1);
	g_assert_cmpint(described(b, "keptPeers"), ==, 1);
	g_assert_cmpuint(a->engine->n_connected, ==, 1);
	g_assert_cmpint(a->taken, ==, 1);
	/* tried again and again */
	WAIT(described(a, "retries") >= 3);
	start_server(f);
	WAIT(in_room(a) && in_room(b));
	a_new = sid(a);
	g_assert_cmpstr(a_new, !=, a_old);
	WAIT(find(b, "peerJoined", "peerId", a_new));
	/* never without a connection until the new one stands */
	while (!find(b, "peerLeft", "peerId", a_old)) {
		g_assert_cmpuint(b->engine->n_connected, >=, 1);
		g_assert_cmpint(b->taken, >=, 1);
		g_main_context_iteration(NULL, TRUE);
	}
	meet(a, b);
	WAIT(find(a, "peerLeft", "peerId", b_old));
	g_assert_cmpint(described(a, "keptPeers"), ==, 0);
	g_assert_cmpint(described(a, "peers"), ==, 1);
	g_assert_cmpuint(a->engine->n_peers, ==, 1);
	g_assert_cmpint(a->taken, ==, 1);
	g_assert_cmpuint(count(a, "sessionDisconnect"), ==, 1);
}

/* Signaling is gone, and then the other side too. */
static void test_kept_until_media_ends(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *b_id = NULL;
	g_autoptr(JsonObject) self = NULL;

	meet(a, b);
	b_id = sid(b);
	f->server = room_server_free(f->server);
	WAIT(described(a, "keptPeers") == 1);
	/* self has no id any more, and is asked about all the same */
	self = room_get_peer_info(a->room, NULL);
	g_assert_nonnull(self);
	fake_rtc_fail(fake_rtc_get(a->engine, b_id));
	WAIT(find(a, "peerLeft", "peerId", b_id));
	g_assert_cmpint(described(a, "keptPeers"), ==, 0);
	g_assert_cmpint(a->taken, ==, 0);
	g_assert_cmpuint(a->engine->n_peers, ==, 0);
}

/* The connections that are kept know us by the id we had. */
static void test_kept_know_our_id(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	struct test_source source = {.size = 10};
	struct test_sink sink = {0};
	RoomTransferOffer offer = {.name = "f", .size = source.size,
				   .string_chunks = TRUE};
	g_autofree char *a_id = NULL, *b_id = NULL, *sender = NULL;
	g_autoptr(JsonObject) info = NULL;
	g_autoptr(GError) error = NULL;
	const char *id;

	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);
	room_send_data(a->room, &offer, test_source(&source), NULL, NULL,
		       &error);
	g_assert_no_error(error);
	WAIT(find(b, "dataTransferState", "state", "request"));
	id = json_object_get_string_member(
		find(b, "dataTransferState", "state", "request"), "transferId");
	f->server = room_server_free(f->server);
	WAIT(described(a, "keptPeers") == 1 && described(b, "keptPeers") == 1);
	/* where the freed id was there is something else now */
	info = room_get_peer_info(b->room, NULL);
	g_assert_true(room_accept_transfer(b->room, a_id, id, test_sink(&sink),
					   &error));
	g_assert_no_error(error);
	sender = g_strdup_printf("\"sender\":\"%s\"", b_id);
	g_assert_nonnull(strstr(fake_rtc_get(b->engine, a_id)->last_sent,
				sender));
	WAIT(find(a, "dataTransferState", "state", "uploadCompleted"));
	g_assert_cmpuint(sink.n, ==, source.size);
	g_assert_false(sink.wrong);
}

static void test_consent_lost(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	g_autofree char *b_id = NULL;

	meet(a, b);
	b_id = sid(b);
	b->engine->unreachable = true;
	fake_rtc_fail(fake_rtc_get(a->engine, b_id));
	WAIT(described(a, "lostPeers") == 1);
	g_assert_true(in_room(a));
	/* b is in the room still: it must have been our network. A new join
	 * under a new id is the way back. */
	WAIT(count(a, "sessionDisconnect") == 1);
	g_assert_nonnull(find(a, "peerLeft", "peerId", b_id));
	g_assert_nonnull(find(a, "peerConnectionState", "state", "closed"));
	g_assert_cmpint(a->taken, ==, 0);
	b->engine->unreachable = false;
	WAIT(in_room(a));
	meet(a, b);
	WAIT(described(b, "peers") == 1);
	g_assert_cmpint(described(a, "lostPeers"), ==, 0);
	g_assert_cmpint(b->taken, ==, 1);
}

/* The way to one of two was lost and is found again: nobody has left. */
static void test_way_back(struct fixture *f, gconstpointer data)
{
	const int *heavy = data;
	struct box *a = join(f, 0), *b, *c, *self, *other;
	g_autofree char *id = NULL;
	struct rtc_peer *rtc;
	guint restarts;

	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	c = join(f, 2);
	meet(a, c);
	meet(b, c);
	/* whether the lighter or the heavier one loses it */
	self = *heavy ? b : a;
	other = *heavy ? a : b;
	id = sid(other);
	rtc = fake_rtc_get(self->engine, id);
	restarts = count(self, "peerRestart");
	fake_rtc_fail(rtc);
	WAIT(described(self, "lostPeers") == 1);
	WAIT(described(self, "lostPeers") == 0);
	g_assert_cmpuint(count(self, "peerRestart"), >, restarts);
	g_assert_true(rtc->connected);
	g_assert_true(fake_rtc_get(self->engine, id) == rtc);
	g_assert_cmpuint(count(self, "peerLeft"), ==, 0);
	g_assert_cmpuint(count(other, "peerLeft"), ==, 0);
	g_assert_cmpuint(count(self, "sessionDisconnect"), ==, 0);
	/* it was ICE that was restarted, by whoever offered */
	g_assert_cmpuint(rtc->n_ice_restarts +
			 ((struct rtc_peer *) fake_find(rtc->other))
				 ->n_ice_restarts, ==, 1);
}

/* The other one's connection is another one now, under the same id. */
static void test_replaced_connection(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	g_autofree char *a_id = NULL, *b_id = NULL;
	guint made;

	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);
	made = a->engine->n_made;
	/* as after a crash of the page's process, with signaling elsewhere */
	fake_rtc_become_another(fake_rtc_get(b->engine, a_id));
	g_assert_true(room_refresh(b->room, NULL, FALSE, NULL));
	WAIT(a->engine->n_made == made + 1);
	WAIT(fake_rtc_get(a->engine, b_id)->connected &&
	     fake_rtc_get(b->engine, a_id)->connected);
	g_assert_cmpuint(count(a, "peerLeft"), ==, 0);
	/* own, its first, its second */
	WAIT(a->taken == 1 && count(a, "incomingStream") == 3);
	g_assert_cmpuint(count(a, "streamEnded"), ==, 1);
}

/* One of two failed: that is its own trouble, as long as the other stands. */
static void test_one_of_two_lost(struct fixture *f, gconstpointer data)
{
	struct box *a = &f->boxes[0], *b, *c;
	g_autofree char *b_id = NULL, *c_id = NULL;

	/* Its last answer has six tenths of that to come in; later, it would
	 * bring the other one back. */
	a->health_ms = 1000;
	join(f, 0);
	b = join(f, 1);
	c = join(f, 2);
	meet(a, b);
	meet(a, c);
	meet(b, c);
	b_id = sid(b);
	c_id = sid(c);
	/* gone for good: it never answers again */
	b->engine->unreachable = true;
	fake_rtc_fail(fake_rtc_get(a->engine, b_id));
	WAIT(find(a, "peerLeft", "peerId", b_id));
	g_assert_cmpuint(count(a, "peerRestart"), >=, 1);
	g_assert_cmpint(described(a, "lostPeers"), ==, 1);
	/* and when that one says goodbye, there is nobody to get back */
	room_leave(b->room);
	WAIT(described(a, "lostPeers") == 0);
	room_leave(c->room);
	WAIT(find(a, "peerLeft", "peerId", c_id));
	g_assert_cmpuint(count(a, "sessionDisconnect"), ==, 0);
	g_assert_true(in_room(a));
}

static void test_wrong_key(struct fixture *f, gconstpointer data)
{
	struct box *a = open_box(f, 0, "nonsense", 0);
	JsonObject *params, *error;

	g_assert_true(room_join(a->room, "lobby", NULL));
	/* kept trying: the key may be put right over there */
	WAIT(described(a, "retries") >= 3);
	params = find(a, "readyStateChange", NULL, NULL);
	for (guint i = 0; i < a->events->len; i++) {
		struct event *e = a->events->pdata[i];

		if (!strcmp(e->name, "readyStateChange") &&
		    json_object_get_int_member(e->params, "readyState") == -1)
			params = e->params;
	}
	error = json_object_get_object_member(params, "error");
	g_assert_cmpint(json_object_get_int_member(error, "errorCode"), ==,
			4001);
	g_assert_cmpstr(json_object_get_string_member(params, "room"), ==,
			"lobby");
}

static void test_peer_limit(struct fixture *f, gconstpointer data)
{
	struct box *a = open_box(f, 0, "demo", 1), *b, *c;
	GLogLevelFlags before = g_log_set_always_fatal(
		G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);

	/* the warning about it is wanted */
	g_assert_true(room_join(a->room, "lobby", NULL));
	WAIT(in_room(a));
	b = join(f, 1);
	meet(a, b);
	c = join(f, 2);
	meet(b, c);
	WAIT(described(a, "peersRefused") >= 1);
	g_assert_cmpint(described(a, "peers"), ==, 1);
	g_log_set_always_fatal(before);
}

static void test_names(struct fixture *f, gconstpointer data)
{
	struct box *a = open_box(f, 0, "demo", 0);
	g_autofree char *longer = g_strnfill(ROOM_MAX_NAME_BYTES + 1, 'x');
	const char *const bad[] = {"", "a/b", "a\nb", "..", "\xff", longer};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(room_join(a->room, bad[i], &error));
		g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	}
	/* anything else is a name */
	g_assert_true(room_join(a->room, "K\xc3\xbc" "che 2 ?#%&", NULL));
	WAIT(in_room(a));
}

static void test_bad_server(struct fixture *f, gconstpointer data)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8};
	RoomConfig config = {
		.room_server = "localhost:8080", .app_key = "demo",
		.video_codecs = codecs, .n_video_codecs = 1,
		.event = on_event, .user = &f->boxes[0],
	};
	g_autoptr(GError) error = NULL;

	g_assert_null(room_new(&config, &error));
	g_assert_nonnull(strstr(error->message, "localhost:8080"));
}

static void test_freed_by_its_event(struct fixture *f, gconstpointer data)
{
	struct box *a = open_box(f, 0, "demo", 0), *b;

	a->free_on_join = TRUE;
	g_assert_true(room_join(a->room, "lobby", NULL));
	WAIT(!a->room);
	g_assert_cmpuint(a->engine->n_peers, ==, 0);
	/* the other one, in the middle of a handshake */
	b = join(f, 1);
	WAIT(in_room(b));
	g_clear_pointer(&a->engine, rtc_engine_free);
	g_ptr_array_set_size(a->events, 0);
	a->free_on_join = FALSE;
	a = open_box(f, 0, "demo", 0);
	room_join(a->room, "lobby", NULL);
	WAIT(described(a, "peers") == 1);
	room_free(g_steal_pointer(&a->room));
	WAIT(described(b, "peers") == 0);
}

static void test_three(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1), *c = join(f, 2);
	g_autoptr(JsonNode) list = NULL;
	g_autoptr(GPtrArray) ids = NULL;
	JsonObject *one;

	meet(a, b);
	meet(b, c);
	meet(a, c);
	g_assert_cmpint(a->taken, ==, 2);
	ids = room_list_peer_ids(a->room);
	g_assert_cmpuint(ids->len, ==, 2);
	list = room_describe_peers(a->room);
	g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==,
			 2);
	one = json_array_get_object_element(json_node_get_array(list), 0);
	g_assert_cmpstr(json_object_get_string_member(one, "agent"), ==,
			"skylinkd");
	g_assert_cmpstr(json_object_get_string_member(one,
						      "SMProtocolVersion"),
			==, "0.1.2.4");
	g_assert_cmpstr(json_object_get_string_member(one, "signalingState"),
			==, "stable");
	g_assert_cmpstr(json_object_get_string_member(
				json_object_get_object_member(one, "rtc"),
				"videoCodec"), ==, "VP8");
}

int main(int argc, char *argv[])
{
	static const int light = 0, heavy = 1;

	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room/" name, struct fixture, NULL, set_up, fn, tear_down)
	CASE("meet", test_meet);
	CASE("messages", test_messages);
	CASE("mute-and-user-data", test_mute_and_user_data);
	CASE("lock", test_lock);
	CASE("leave", test_leave);
	CASE("refresh", test_refresh);
	CASE("server-restart", test_server_restart);
	CASE("kept-until-media-ends", test_kept_until_media_ends);
	CASE("kept-know-our-id", test_kept_know_our_id);
	CASE("consent-lost", test_consent_lost);
	g_test_add("/room/way-back-light", struct fixture, &light, set_up,
		   test_way_back, tear_down);
	g_test_add("/room/way-back-heavy", struct fixture, &heavy, set_up,
		   test_way_back, tear_down);
	CASE("replaced-connection", test_replaced_connection);
	CASE("one-of-two-lost", test_one_of_two_lost);
	CASE("wrong-key", test_wrong_key);
	CASE("peer-limit", test_peer_limit);
	CASE("names", test_names);
	CASE("bad-server", test_bad_server);
	CASE("freed-by-its-event", test_freed_by_its_event);
	CASE("three", test_three);
	return g_test_run();
}
