// SPDX-License-Identifier: Apache-2.0
/* Rooms with everything real: room server, sockets, ICE, DTLS, SRTP, SCTP, over
 * the loopback. What needs failures on demand is in test-room.c. */
#include "appliance/room/room-test.h"

#include "media/coded-unit.h"

static gboolean is_connected(struct box *b)
{
	g_autoptr(JsonNode) node = room_describe_peers(b->room);
	JsonArray *list = json_node_get_array(node);
	guint n = 0;

	for (guint i = 0; i < json_array_get_length(list); i++)
		n += json_object_get_boolean_member(
			json_array_get_object_element(list, i), "connected");
	return n > 0;
}

static gint64 received_video(struct box *b)
{
	g_autoptr(JsonNode) node = room_describe_peers(b->room);
	JsonArray *list = json_node_get_array(node);
	gint64 n = 0;

	for (guint i = 0; i < json_array_get_length(list); i++)
		n += json_object_get_int_member(
			json_object_get_object_member(
				json_array_get_object_element(list, i), "rtc"),
			"receivedVideoPackets");
	return n;
}

/* --- a picture that nobody looks at -------------------------------------- */
struct test_unit {
	struct coded_unit unit;
	uint8_t data[400];
};

static void release_unit(struct coded_unit *unit)
{
	g_free(unit);
}

static guint64 unit_number;

static gboolean push_unit(gpointer data)
{
	struct fixture *f = data;
	struct test_unit *u = g_new0(struct test_unit, 1);

	u->data[0] = 0x10;	/* VP8: a shown key frame, 16x16 */
	memcpy(u->data + 3, "\x9d\x01\x2a\x10\x00\x10\x00", 7);
	u->unit = (struct coded_unit){
		.codec = MEDIA_CODEC_VP8,
		.keyframe = true,
		.number = unit_number++,
		.capture_us = (guint64) g_get_monotonic_time(),
		.encoded_us = (guint64) g_get_monotonic_time(),
		.data = u->data,
		.size = sizeof(u->data),
		.release = release_unit,
	};
	atomic_init(&u->unit.refs, 1);
	rtc_engine_push(f->boxes[0].engine, &u->unit);
	coded_unit_unref(&u->unit);
	return G_SOURCE_CONTINUE;
}

/* --- tests --------------------------------------------------------------- */
static void test_meet(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b;
	guint camera = g_timeout_add(30, push_unit, f);
	g_autofree char *a_id = NULL, *b_id = NULL;
	g_autoptr(JsonNode) text = json_node_new(JSON_NODE_VALUE);
	gint64 start;

	json_node_set_string(text, "hello");
	WAIT(in_room(a));
	start = g_get_monotonic_time();
	b = join(f, 1);
	WAIT(in_room(b));
	g_test_message("in the room after %" G_GINT64_FORMAT " ms",
		       (g_get_monotonic_time() - start) / 1000);
	WAIT(is_connected(a) && is_connected(b));
	g_test_message("connected after %" G_GINT64_FORMAT " ms",
		       (g_get_monotonic_time() - start) / 1000);
	WAIT(received_video(a) > 0 && received_video(b) > 0);
	g_test_message("first video packet after %" G_GINT64_FORMAT " ms",
		       (g_get_monotonic_time() - start) / 1000);
	meet(a, b);
	a_id = sid(a);
	b_id = sid(b);
	g_assert_nonnull(find(a, "incomingStream", "peerId", b_id));
	g_assert_true(room_send_p2p_message(a->room, text, NULL, NULL));
	WAIT(find(b, "incomingMessage", "peerId", a_id));
	g_assert_cmpint(a->taken, ==, 1);
	g_assert_cmpint(b->taken, ==, 1);
	/* renegotiated, and the picture goes on */
	g_assert_true(room_refresh(a->room, NULL, FALSE, NULL));
	WAIT(progress(b, "answer") == 2);
	{
		gint64 before = received_video(b);

		WAIT(received_video(b) > before + 5);
	}
	g_assert_cmpint(a->takes, ==, 1);
	room_leave(b->room);
	start = g_get_monotonic_time();
	WAIT(find(a, "peerLeft", "peerId", b_id));
	g_test_message("gone %" G_GINT64_FORMAT " ms after leaving",
		       (g_get_monotonic_time() - start) / 1000);
	g_assert_cmpint(a->taken, ==, 0);
	g_source_remove(camera);
}

static void test_server_restart(struct fixture *f, gconstpointer data)
{
	struct box *a = join(f, 0), *b = join(f, 1);
	guint camera = g_timeout_add(30, push_unit, f);
	g_autofree char *a_old = NULL, *b_old = NULL;
	gint64 packets;

	meet(a, b);
	a_old = sid(a);
	b_old = sid(b);
	WAIT(received_video(a) > 0 && received_video(b) > 0);
	f->server = room_server_free(f->server);
	WAIT(described(a, "keptPeers") == 1 && described(b, "keptPeers") == 1);
	packets = received_video(b);
	WAIT(received_video(b) > packets + 10);		/* it goes on */
	start_server(f);
	WAIT(find(a, "peerLeft", "peerId", b_old) &&
	     find(b, "peerLeft", "peerId", a_old));
	WAIT(described(a, "peers") == 1 && described(a, "keptPeers") == 0);
	packets = received_video(b);
	WAIT(received_video(b) > packets + 10);
	g_assert_cmpint(a->taken, ==, 1);
	g_source_remove(camera);
}

static void set_up_real(struct fixture *f, gconstpointer data)
{
	set_up(f, data);
	f->one_engine = TRUE;
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room-rtc/" name, struct fixture, NULL, set_up_real, fn,   \
		   tear_down)
	CASE("meet", test_meet);
	CASE("server-restart", test_server_restart);
	return g_test_run();
}
