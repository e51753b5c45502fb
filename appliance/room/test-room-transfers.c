// SPDX-License-Identifier: Apache-2.0
/* Transfers between two appliances with everything real: room server, ICE, DTLS
 * and SCTP over the loopback. What is said is in test-peer-transfers.c. */
#include "appliance/room/room-test.h"

#include "appliance/room/transfer-test.h"

static guint states(struct box *b, const char *id, const char *state)
{
	guint n = 0;

	for (guint i = 0; i < b->events->len; i++) {
		struct event *e = b->events->pdata[i];

		n += !strcmp(e->name, "dataTransferState") &&
		     !strcmp(json_object_get_string_member(e->params,
							   "transferId"),
			     id) &&
		     !strcmp(json_object_get_string_member(e->params, "state"),
			     state);
	}
	return n;
}

static char *send_to(struct box *from, struct box *to,
		     const RoomTransferOffer *offer, struct test_source *source)
{
	g_autofree char *to_id = sid(to);
	const char *targets[] = {to_id, NULL};
	g_autoptr(JsonObject) ids = NULL;
	g_autoptr(GError) error = NULL;

	room_send_data(from->room, offer, test_source(source), targets, &ids,
		       &error);
	g_assert_no_error(error);
	return g_strdup(json_object_get_string_member(ids, to_id));
}

static void set_up_real(struct fixture *f, gconstpointer data)
{
	f->one_engine = TRUE;
	set_up(f, data);
}

static void two_boxes(struct fixture *f, struct box **a, struct box **b)
{
	*a = join(f, 0);
	*b = join(f, 1);
	WAIT(in_room(*a) && in_room(*b));
	meet(*a, *b);
}

static void accept_it(struct box *from, struct box *to, const char *id,
		      struct test_sink *sink)
{
	g_autofree char *from_id = sid(from);
	g_autoptr(GError) error = NULL;

	WAIT(states(to, id, "request"));
	room_accept_transfer(to->room, from_id, id, test_sink(sink), &error);
	g_assert_no_error(error);
}

static void check_whole(struct box *a, struct box *b, guint64 size,
			gboolean string_chunks)
{
	struct test_source source = {.size = size};
	struct test_sink sink = {0};
	RoomTransferOffer offer = {.name = "f.bin", .mime_type = "x/y",
				   .size = size,
				   .string_chunks = string_chunks};
	g_autofree char *id = send_to(a, b, &offer, &source);
	g_autofree char *a_id = sid(a);
	JsonObject *o, *info;

	accept_it(a, b, id, &sink);
	WAIT(states(a, id, "uploadCompleted"));
	WAIT(states(b, id, "downloadCompleted"));
	g_assert_cmpuint(sink.n, ==, size);
	g_assert_false(sink.wrong);
	g_assert_cmpuint(sink.finished, ==, 1);
	g_assert_cmpuint(sink.freed, ==, 1);
	g_assert_cmpuint(source.freed, ==, 1);
	g_assert_cmpuint(states(a, id, "uploadStarted"), ==, 1);
	g_assert_cmpuint(states(b, id, "downloadStarted"), ==, 1);
	o = find(b, "incomingData", "transferId", id);
	g_assert_nonnull(o);
	g_assert_cmpstr(json_object_get_string_member(o, "peerId"), ==, a_id);
	info = json_object_get_object_member(o, "transferInfo");
	g_assert_cmpstr(json_object_get_string_member(info, "path"), ==,
			"/kept/here");
	g_assert_cmpstr(json_object_get_string_member(info, "name"), ==,
			"f.bin");
	g_assert_cmpint(json_object_get_int_member(info, "size"), ==,
			(gint64) size);
	g_assert_cmpfloat(json_object_get_double_member(info, "percentage"),
			  ==, 100);
}

static void test_sizes(struct fixture *f, gconstpointer data)
{
	static const guint64 sizes[] = {
		0, 1, 3, 49152, 49153, 65456, 65457, 131072, 3000001,
	};
	struct box *a, *b;

	two_boxes(f, &a, &b);
	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		check_whole(a, b, sizes[i], FALSE);
		check_whole(b, a, sizes[i], TRUE);
	}
}

/* The connection outlives its signaling, and transfers go on; self's id is
 * gone for others, but part of what is said to those that stayed. */
static void test_signaling_is_lost(struct fixture *f, gconstpointer data)
{
	struct test_source source = {.size = 200000};
	struct test_sink sink = {0};
	RoomTransferOffer offer = {.name = "f.bin", .size = source.size};
	struct box *a, *b;
	g_autofree char *id = NULL, *a_id = NULL;
	g_autoptr(JsonObject) info = NULL;
	g_autoptr(GError) error = NULL;

	two_boxes(f, &a, &b);
	id = send_to(a, b, &offer, &source);
	a_id = sid(a);
	WAIT(states(b, id, "request"));
	f->server = room_server_free(f->server);
	WAIT(described(a, "keptPeers") == 1 && described(b, "keptPeers") == 1);
	info = room_get_peer_info(b->room, NULL);
	g_assert_nonnull(info);
	room_accept_transfer(b->room, a_id, id, test_sink(&sink), &error);
	g_assert_no_error(error);
	WAIT(states(b, id, "downloadCompleted"));
	WAIT(states(a, id, "uploadCompleted"));
	g_assert_cmpuint(sink.n, ==, source.size);
	g_assert_false(sink.wrong);
}

/* Memory stays, whatever the size; the second of two does not wait. */
static void test_several_large(struct fixture *f, gconstpointer data)
{
	enum { N = 3 };
	struct test_source sources[N];
	struct test_sink sinks[N];
	char *ids[N];
	struct box *a, *b;
	gint64 start;
	guint64 bytes = 0;

	two_boxes(f, &a, &b);
	start = g_get_monotonic_time();
	for (guint i = 0; i < N; i++) {
		guint64 size = 12000000 + i * 4000000;
		RoomTransferOffer offer = {.name = "f", .size = size};

		bytes += size;
		sources[i] = (struct test_source){.size = size};
		sinks[i] = (struct test_sink){0};
		ids[i] = send_to(a, b, &offer, &sources[i]);
		accept_it(a, b, ids[i], &sinks[i]);
	}
	for (guint i = 0; i < N; i++) {
		WAIT(states(a, ids[i], "uploadCompleted"));
		g_assert_cmpuint(sinks[i].n, ==, sources[i].size);
		g_assert_false(sinks[i].wrong);
		/* four a second, and the machine is not that slow */
		g_assert_cmpuint(states(b, ids[i], "downloading"), >, 0);
		g_assert_cmpuint(states(b, ids[i], "downloading"), <, 100);
		g_free(ids[i]);
	}
	g_test_message("%.1f MB/s",
		       (double) bytes /
			       (double) (g_get_monotonic_time() - start));
}

static void test_data_url(struct fixture *f, gconstpointer data)
{
	struct test_source source = {.size = 5000, .text = TRUE};
	struct test_sink sink = {.text = TRUE};
	RoomTransferOffer offer = {.size = 5000, .data_url = TRUE};
	g_autofree char *id = NULL;
	struct box *a, *b;

	two_boxes(f, &a, &b);
	id = send_to(a, b, &offer, &source);
	accept_it(a, b, id, &sink);
	WAIT(states(a, id, "uploadCompleted"));
	g_assert_cmpuint(sink.n, ==, 5000);
	g_assert_false(sink.wrong);
	g_assert_cmpstr(
		json_object_get_string_member(
			json_object_get_object_member(
				find(b, "incomingData", "transferId", id),
				"transferInfo"),
			"dataType"),
		==, "dataURL");
}

static void test_reject_and_cancel(struct fixture *f, gconstpointer data)
{
	struct test_source source = {.size = 50000000};
	struct test_sink sink = {0}, sink2 = {0};
	RoomTransferOffer offer = {.name = "f", .size = source.size};
	g_autofree char *one = NULL, *two = NULL, *three = NULL, *four = NULL;
	g_autofree char *a_id = NULL, *b_id = NULL;
	struct box *a, *b;

	two_boxes(f, &a, &b);
	a_id = sid(a);
	b_id = sid(b);
	one = send_to(a, b, &offer, &source);
	WAIT(states(b, one, "request"));
	g_assert_true(room_reject_transfer(b->room, a_id, one, NULL));
	g_assert_false(room_reject_transfer(b->room, a_id, one, NULL));
	WAIT(states(a, one, "rejected"));
	g_assert_cmpuint(states(b, one, "rejected"), ==, 1);

	two = send_to(a, b, &offer, &source);
	accept_it(a, b, two, &sink);
	WAIT(states(b, two, "downloadStarted"));
	g_assert_true(room_cancel_transfer(b->room, a_id, two, NULL));
	WAIT(states(a, two, "cancel"));
	g_assert_cmpuint(sink.freed, ==, 1);
	g_assert_cmpuint(sink.finished, ==, 0);

	three = send_to(a, b, &offer, &source);
	accept_it(a, b, three, &sink2);
	WAIT(states(a, three, "uploadStarted"));
	g_assert_true(room_cancel_transfer(a->room, b_id, three, NULL));
	WAIT(states(b, three, "cancel"));
	g_assert_cmpuint(sink2.freed, ==, 1);

	four = send_to(a, b, &offer, &source);
	WAIT(states(b, four, "request"));
	g_assert_true(room_cancel_transfer(a->room, b_id, four, NULL));
	WAIT(states(b, four, "cancel"));
	g_assert_cmpuint(source.freed, ==, 4);
}

static void test_peer_leaves(struct fixture *f, gconstpointer data)
{
	struct test_source source = {.size = 500000000};
	struct test_sink sink = {0};
	RoomTransferOffer offer = {.name = "f", .size = source.size};
	g_autofree char *id = NULL;
	struct box *a, *b;

	two_boxes(f, &a, &b);
	id = send_to(a, b, &offer, &source);
	accept_it(a, b, id, &sink);
	WAIT(sink.n > 0);
	room_leave(a->room);
	g_assert_cmpuint(source.freed, ==, 1);
	WAIT(states(b, id, "error"));
	g_assert_cmpuint(sink.freed, ==, 1);
	g_assert_cmpuint(sink.finished, ==, 0);
	WAIT(states(a, id, "error"));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{"sizes", test_sizes},
		{"several-large", test_several_large},
		{"data-url", test_data_url},
		{"reject-and-cancel", test_reject_and_cancel},
		{"peer-leaves", test_peer_leaves},
		{"signaling-lost", test_signaling_is_lost},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path = g_strconcat("/room-transfers/",
						    tests[i].name, NULL);

		g_test_add(path, struct fixture, NULL, set_up_real,
			   tests[i].fn, tear_down);
	}
	return g_test_run();
}
