// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-transfers-test.h"

#include "appliance/room/transfer-request.h"

/* --- looking ---------------------------------------------------------------- */
static guint told(struct paper *p, const char *name, const char *state)
{
	guint n = 0;

	for (guint i = 0; i < p->told->len; i++) {
		struct told *t = p->told->pdata[i];

		n += !strcmp(t->name, name) &&
		     (!state ||
		      !g_strcmp0(json_object_get_string_member_with_default(
					 t->params, "state", NULL),
				 state));
	}
	return n;
}

static guint state(struct paper *p, const char *name)
{
	return told(p, "dataTransferState", name);
}

static JsonObject *last_told(struct paper *p, const char *name)
{
	for (guint i = p->told->len; i-- > 0;) {
		struct told *t = p->told->pdata[i];

		if (!strcmp(t->name, name))
			return t->params;
	}
	g_error("nobody told %s", name);
}

static const char *last_error(struct paper *p)
{
	return json_object_get_string_member(
		json_object_get_object_member(last_told(p, "dataTransferState"),
					      "error"),
		"message");
}

static struct said *last_said(struct paper *p)
{
	g_assert_cmpuint(p->said->len, >, 0);
	return p->said->pdata[p->said->len - 1];
}

/* The last thing said, as a control message of this type. */
static JsonObject *said(struct paper *p, DtType type)
{
	struct said *s = last_said(p);
	g_autoptr(DtMessage) m = dt_message_parse(s->data, s->len);

	g_assert_true(s->text);
	g_assert_nonnull(m);
	g_assert_cmpint(m->type, ==, type);
	return json_object_ref(m->object);
}

static gint64 said_ack(struct paper *p)
{
	g_autoptr(JsonObject) o = said(p, DT_ACK);

	g_assert_cmpstr(json_object_get_string_member(o, "sender"), ==,
			SELF_ID);
	return json_object_get_int_member(o, "ackN");
}

static gboolean was_closed(struct paper *p, guint16 channel)
{
	for (guint i = 0; i < p->closed->len; i++)
		if (g_array_index(p->closed, guint16, i) == channel)
			return TRUE;
	return FALSE;
}

/* --- acting ----------------------------------------------------------------- */
static void ack_window(struct paper *p, guint16 channel, gint64 n, guint window)
{
	g_autofree char *text = dt_message_build_ack(PEER_ID, n, window);

	paper_hear(p, channel, "x", text, strlen(text));
}

static void ack(struct paper *p, guint16 channel, gint64 n)
{
	ack_window(p, channel, n, 0);
}

static void hear(struct paper *p, guint16 channel, const char *label,
		 const char *text)
{
	paper_hear(p, channel, label, text, strlen(text));
}

static char *offer(struct paper *p, struct test_source *source,
		   const RoomTransferOffer *like, const char *const *targets)
{
	TransferShared *shared = transfer_shared_new(test_source(source));
	RoomTransferOffer o = *like;
	static guint next;
	g_autofree char *id = g_strdup_printf(SELF_ID "_%u", ++next);
	g_autoptr(GError) error = NULL;
	char *made;

	o.size = source->size;
	made = peer_transfers_offer(p->transfers, &o, TRUE, id, shared, targets,
				    &error);
	transfer_shared_unref(shared);
	return made;
}

/* Offers, opens the channel @channel for it and returns the id. */
static char *offer_on(struct paper *p, struct test_source *source,
		      const RoomTransferOffer *like, guint16 channel)
{
	char *id = offer(p, source, like, NULL);

	g_assert_nonnull(id);
	g_assert_cmpuint(p->opened->len, >, 0);
	peer_transfers_opened(p->transfers, channel,
			      p->opened->pdata[p->opened->len - 1], FALSE,
			      FALSE);
	return id;
}

static void later(struct paper *p, guint s)
{
	p->now_us += s * G_USEC_PER_SEC;
	peer_transfers_tick(p->transfers);
}

/* --- sending ---------------------------------------------------------------- */
/* To 0.6.12: every chunk but the last is full, one for each ACK. */
static void test_send_to_0612(void)
{
	struct test_source source = {.size = 150000};
	RoomTransferOffer like = {.name = "f.bin"};
	struct paper p;
	g_autofree char *id = NULL;
	g_autofree char *label = NULL;
	g_autoptr(JsonObject) wrq = NULL;

	paper_init(&p, NULL);
	id = offer_on(&p, &source, &like, 7);
	label = g_strdup_printf(PEER_ID "-%s", id);
	g_assert_cmpstr(p.opened->pdata[0], ==, label);
	wrq = said(&p, DT_WRQ);
	g_assert_cmpint(json_object_get_int_member(wrq, "size"), ==, 200000);
	g_assert_false(json_object_has_member(wrq, "transferId"));
	g_assert_false(json_object_has_member(wrq, "window"));
	g_assert_cmpuint(told(&p, "incomingDataRequest", NULL), ==, 1);
	for (gint64 n = 0; n < 4; n++) {
		guint before = p.said->len;

		ack(&p, 7, n);
		g_assert_cmpuint(p.said->len, ==, before + 1);
		g_assert_cmpuint(last_said(&p)->channel, ==, 7);
		g_assert_true(last_said(&p)->text);
		g_assert_cmpuint(last_said(&p)->len, ==,
				 n < 3 ? 65536 : 3392);
		ack(&p, 7, n);	/* repeated: nothing follows */
		g_assert_cmpuint(p.said->len, ==, before + 1);
	}
	ack(&p, 7, 4);
	g_assert_cmpuint(state(&p, "uploadStarted"), ==, 1);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 1);
	g_assert_cmpuint(told(&p, "incomingData", NULL), ==, 1);
	g_assert_true(was_closed(&p, 7));
	g_assert_cmpuint(source.freed, ==, 1);
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==, 0);
	paper_done(&p);
}

static void check_sent(guint64 size, const char *dt_version, guint64 n_chunks,
		       gsize last)
{
	struct test_source source = {.size = size};
	RoomTransferOffer like = {.name = "f"};
	g_autofree char *id = NULL;
	struct paper p;

	paper_init(&p, dt_version);
	id = offer_on(&p, &source, &like, 7);
	for (guint64 n = 0; n < n_chunks; n++)
		ack(&p, 7, (gint64) n);
	g_assert_cmpuint(p.said->len, ==, 1 + n_chunks);
	g_assert_cmpuint(last_said(&p)->len, ==, last);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 0);
	ack(&p, 7, (gint64) n_chunks);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 1);
	paper_done(&p);
}

static void test_send_sizes(void)
{
	check_sent(0, NULL, 1, 0);
	check_sent(0, "0.1.3", 1, 0);
	check_sent(1, NULL, 1, 4);
	check_sent(49152, NULL, 1, 65536);
	check_sent(49153, NULL, 2, 4);	/* the byte that SkylinkJS forgets */
	check_sent(65456, "0.1.3", 1, 65456);
	check_sent(65457, "0.1.3", 2, 1);
	check_sent(98304, "0.1.2", 2, 65536);
}

/* Between appliances: as many as the receiver grants. */
static void test_window(void)
{
	struct test_source source = {.size = 65456 * 100};
	RoomTransferOffer like = {.name = "f"};
	g_autofree char *id = NULL;
	struct paper p;

	paper_init(&p, "0.1.3");
	id = offer_on(&p, &source, &like, 7);
	ack_window(&p, 7, 0, 8);
	g_assert_cmpuint(p.said->len, ==, 1 + 8);
	ack_window(&p, 7, 2, 8);
	g_assert_cmpuint(p.said->len, ==, 1 + 10);
	/* Room ends, and comes back. */
	p.full = TRUE;
	ack_window(&p, 7, 10, 8);
	g_assert_cmpuint(p.said->len, ==, 1 + 10);
	p.full = FALSE;
	peer_transfers_writable(p.transfers, 7);
	g_assert_cmpuint(p.said->len, ==, 1 + 18);
	/* More than we offered is not taken. */
	ack_window(&p, 7, 18, 1000);
	g_assert_cmpuint(p.said->len, ==, 1 + 18 + TRANSFER_WINDOW);
	ack_window(&p, 7, 99, 8);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	paper_done(&p);
}

/* 2.x answers on the messaging channel: ours go there, one after the other. */
static void test_2x_in_line(void)
{
	struct test_source one = {.size = 100000}, two = {.size = 10};
	RoomTransferOffer like = {.name = "f"};
	g_autofree char *first = NULL, *second = NULL;
	struct paper p;
	g_autoptr(JsonObject) wrq = NULL;

	paper_init(&p, "0.1.3");
	p.context.peer.is_2x = TRUE;
	first = offer(&p, &one, &like, NULL);
	second = offer(&p, &two, &like, NULL);
	g_assert_cmpuint(p.opened->len, ==, 0);
	g_assert_cmpuint(p.said->len, ==, 1);
	wrq = said(&p, DT_WRQ);
	g_assert_cmpstr(json_object_get_string_member(wrq, "transferId"), ==,
			first);
	g_assert_cmpstr(json_object_get_string_member(wrq, "chunkType"), ==,
			"binaryString");
	/* The one in line does not time out there. */
	later(&p, 59);
	for (gint64 n = 0; n <= 3; n++)
		ack(&p, MAIN, n);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 1);
	g_clear_pointer(&wrq, json_object_unref);
	wrq = said(&p, DT_WRQ);
	g_assert_cmpstr(json_object_get_string_member(wrq, "transferId"), ==,
			second);
	ack(&p, MAIN, -1);
	g_assert_cmpuint(state(&p, "rejected"), ==, 1);
	g_assert_cmpuint(p.closed->len, ==, 0);
	paper_done(&p);
}

/* An ACK on main is for the transfer that waits for one. */
static void test_ack_on_main(void)
{
	struct test_source source = {.size = 10};
	RoomTransferOffer like = {.name = "f"};
	g_autofree char *id = NULL;
	struct paper p;

	paper_init(&p, "0.1.3");
	id = offer_on(&p, &source, &like, 7);
	ack(&p, MAIN, 0);
	g_assert_cmpuint(last_said(&p)->channel, ==, 7);
	ack(&p, MAIN, 1);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 1);
	paper_done(&p);
}

static void test_mcu(void)
{
	static const char *const targets[] = {"p1", "p2", NULL};
	struct test_source source = {.size = 10};
	RoomTransferOffer like = {.name = "f"};
	g_autofree char *id = NULL;
	struct paper p;
	g_autoptr(JsonObject) wrq = NULL;

	paper_init(&p, "0.1.3");
	p.context.peer.is_mcu = TRUE;
	id = offer(&p, &source, &like, targets);
	wrq = said(&p, DT_WRQ);
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(
				 wrq, "target")),
			 ==, 2);
	g_assert_cmpstr(json_object_get_string_member(wrq, "chunkType"), ==,
			"string");
	g_assert_cmpuint(told(&p, "incomingDataRequest", NULL), ==, 2);
	ack(&p, MAIN, 0);
	ack(&p, MAIN, 1);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 2);
	g_assert_cmpstr(json_object_get_string_member(
				last_told(&p, "dataTransferState"), "peerId"),
			==, "p2");
	/* What comes through it names its sender. */
	hear(&p, MAIN, "main",
	     "{\"type\":\"WRQ\",\"sender\":\"p2\",\"size\":4}");
	g_assert_cmpstr(json_object_get_string_member(
				last_told(&p, "incomingDataRequest"), "peerId"),
			==, "p2");
	paper_done(&p);
}

static void test_send_ends(void)
{
	struct test_source gone = {.size = 300000, .fails_with = 0,
				   .fails_at = 100000};
	struct test_source bad = {.size = 300000, .fails_with = -EIO,
				  .fails_at = 100000};
	struct test_source text = {.size = 3000};	/* is none */
	RoomTransferOffer like = {.name = "f"}, url = {.data_url = TRUE};
	g_autofree char *a = NULL, *b = NULL, *c = NULL, *d = NULL;
	struct paper p;
	g_autoptr(JsonObject) error = NULL;

	paper_init(&p, "0.1.3");
	a = offer_on(&p, &gone, &like, 7);
	gone.size = 100000;	/* shrank meanwhile */
	ack(&p, 7, 0);
	ack(&p, 7, 1);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	g_assert_nonnull(strstr(last_error(&p), "shorter"));
	error = said(&p, DT_ERROR);
	g_assert_true(json_object_get_boolean_member(error, "isUploadError"));
	b = offer_on(&p, &bad, &like, 9);
	ack(&p, 9, 0);
	ack(&p, 9, 1);
	g_assert_cmpuint(state(&p, "error"), ==, 2);
	c = offer_on(&p, &text, &url, 11);
	g_assert_cmpuint(state(&p, "error"), ==, 3);
	g_assert_nonnull(strstr(last_error(&p), "ASCII"));

	bad.fails_with = 0;
	d = offer_on(&p, &bad, &like, 13);
	ack(&p, 13, 0);
	later(&p, 59);
	g_assert_cmpuint(state(&p, "error"), ==, 3);
	later(&p, 1);
	g_assert_cmpuint(state(&p, "error"), ==, 4);
	g_assert_nonnull(strstr(last_error(&p), "Timeout"));
	g_assert_cmpuint(bad.freed, ==, 2);
	paper_done(&p);
}

static void test_never_opens(void)
{
	struct test_source source = {.size = 10};
	RoomTransferOffer like = {.name = "f", .timeout_s = 5};
	g_autofree char *a = NULL, *b = NULL;
	struct paper p;

	paper_init(&p, "0.1.3");
	a = offer(&p, &source, &like, NULL);
	later(&p, 5);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	g_assert_cmpuint(p.said->len, ==, 0);
	/* Its channel comes too late, and goes. */
	peer_transfers_opened(p.transfers, 7, a, FALSE, FALSE);
	g_assert_true(was_closed(&p, 7));
	/* The peer never answers. */
	b = offer_on(&p, &source, &like, 9);
	later(&p, 5);
	g_assert_cmpuint(state(&p, "error"), ==, 2);
	paper_done(&p);
}

/* The last three bytes are "1234" in base64: a control message, there. */
static gssize read_digits(void *user, guint64 offset, guint8 *buf, gsize len)
{
	static const guint8 tail[] = {0xd7, 0x6d, 0xf8};
	guint64 size = *(guint64 *) user;
	gsize n = (gsize) MIN(len, size - offset);

	for (gsize i = 0; i < n; i++)
		buf[i] = offset + i + 3 >= size ? tail[offset + i + 3 - size]
						: 0xff;
	return (gssize) n;
}

static void test_lost_tail(void)
{
	guint64 size = 49152 + 3;
	TransferShared *shared = transfer_shared_new(
		(TransferSource){read_digits, NULL, &size});
	RoomTransferOffer like = {.name = "f", .size = size};
	g_autofree char *id = NULL;
	struct paper p;
	g_autoptr(JsonObject) wrq = NULL;

	paper_init(&p, NULL);
	id = peer_transfers_offer(p.transfers, &like, TRUE, "id", shared, NULL,
				  NULL);
	peer_transfers_opened(p.transfers, 7, p.opened->pdata[0], FALSE, FALSE);
	wrq = said(&p, DT_WRQ);
	g_assert_cmpint(json_object_get_int_member(wrq, "chunkSize"), ==,
			65532);
	ack(&p, 7, 0);
	g_assert_cmpuint(last_said(&p)->len, ==, 65532);
	ack(&p, 7, 1);
	g_assert_cmpstr(last_said(&p)->data, ==, "////1234");
	ack(&p, 7, 2);
	g_assert_cmpuint(state(&p, "uploadCompleted"), ==, 1);

	/* Alone it cannot be helped, and is not left to the timeout. */
	size = 3;
	like.size = 3;
	g_free(id);
	id = peer_transfers_offer(p.transfers, &like, TRUE, "id2", shared, NULL,
				  NULL);
	peer_transfers_opened(p.transfers, 9, p.opened->pdata[1], FALSE, FALSE);
	ack(&p, 9, 0);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	transfer_shared_unref(shared);
	paper_done(&p);
}

/* --- receiving -------------------------------------------------------------- */
#define WRQ_OLD                                                                \
	"{\"type\":\"WRQ\",\"sender\":\"peer-id\",\"agent\":\"blink\","        \
	"\"version\":156,\"name\":\"f.bin\",\"size\":%u,\"dataType\":"         \
	"\"blob\",\"chunkSize\":65536,\"timeout\":60,\"target\":\"self-id\","  \
	"\"isPrivate\":true}"
#define WRQ_NEW                                                                \
	"{\"type\":\"WRQ\",\"transferId\":\"peer-id_1\",\"name\":\"f.bin\","   \
	"\"size\":%u,\"originalSize\":%u,\"dataType\":\"%s\",\"mimeType\":"    \
	"null,\"chunkType\":\"%s\",\"chunkSize\":65536,\"timeout\":60,"        \
	"\"isPrivate\":false,\"sender\":\"peer-id\",\"agent\":\"chrome\","     \
	"\"version\":156,\"target\":\"self-id\"}"

static const char *request_id(struct paper *p)
{
	return json_object_get_string_member(
		last_told(p, "incomingDataRequest"), "transferId");
}

static void accept_last(struct paper *p, struct test_sink *sink)
{
	g_autoptr(GError) error = NULL;

	peer_transfers_accept(p->transfers, request_id(p), test_sink(sink),
			      &error);
	g_assert_no_error(error);
	g_assert_cmpint(said_ack(p), ==, 0);
}

/* Data of the test's pattern, in base64 slices. */
static void hear_slice(struct paper *p, guint16 channel, guint64 from, gsize n)
{
	g_autofree guint8 *raw = g_malloc(n + 1);
	g_autofree char *text = NULL;

	for (gsize i = 0; i < n; i++)
		raw[i] = test_byte(from + i, FALSE);
	text = g_base64_encode(raw, n);
	hear(p, channel, "x", text);
}

static void check_received(const char *wrq, guint size)
{
	struct test_sink sink = {0};
	struct paper p;
	gint64 acks = 0;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "label", wrq);
	g_assert_cmpuint(state(&p, "request"), ==, 1);
	g_assert_cmpuint(p.said->len, ==, 0);
	accept_last(&p, &sink);
	for (guint at = 0; at < size || (!size && !acks); at += 49152) {
		hear_slice(&p, 7, at, MIN(49152, size - at));
		g_assert_cmpint(said_ack(&p), ==, ++acks);
	}
	g_assert_cmpuint(sink.n, ==, size);
	g_assert_false(sink.wrong);
	g_assert_cmpuint(sink.finished, ==, 1);
	g_assert_cmpuint(sink.freed, ==, 1);
	g_assert_cmpuint(state(&p, "downloadStarted"), ==, 1);
	g_assert_cmpuint(state(&p, "downloadCompleted"), ==, 1);
	g_assert_cmpuint(told(&p, "incomingData", NULL), ==, 1);
	g_assert_true(was_closed(&p, 7));
	paper_done(&p);
}

/* The sizes of the recordings, and those around a slice. */
static void test_receive(void)
{
	static const guint sizes[] = {0,     1,	    2,	   3,	   1000,
				      49151, 49152, 98304, 100000, 150000};

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint n = sizes[i];
		g_autofree char *old =
			g_strdup_printf(WRQ_OLD, (n * 4 + 1) / 3);
		g_autofree char *new = g_strdup_printf(
			WRQ_NEW, (n + 2) / 3 * 4, n, "blob", "string");
		g_autofree char *two = g_strdup_printf(
			WRQ_NEW, (n + 2) / 3 * 4, n, "blob", "binaryString");

		check_received(old, n);
		check_received(new, n);
		check_received(two, n);
	}
}

static void test_receive_binary(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 70000, 70000, "blob", "binary");
	g_autofree guint8 *data = g_malloc(70000);
	struct test_sink sink = {.finish_later = TRUE};
	struct paper p;

	paper_init(&p, "0.1.3");
	for (gsize i = 0; i < 70000; i++)
		data[i] = test_byte(i, FALSE);
	hear(&p, 7, "peer-id_1", wrq);
	g_assert_cmpstr(request_id(&p), ==, "peer-id_1");
	accept_last(&p, &sink);
	peer_transfers_data(p.transfers, 7, FALSE, data, 65456);
	g_assert_cmpint(said_ack(&p), ==, 1);
	peer_transfers_data(p.transfers, 7, FALSE, data + 65456, 4544);
	/* The last ACK waits for the sink. */
	g_assert_cmpint(said_ack(&p), ==, 1);
	g_assert_cmpuint(state(&p, "downloadCompleted"), ==, 0);
	test_sink_answer(&sink);
	g_assert_cmpint(said_ack(&p), ==, 2);
	g_assert_cmpuint(state(&p, "downloadCompleted"), ==, 1);
	g_assert_cmpuint(sink.freed, ==, 1);
	g_assert_false(sink.wrong);
	paper_done(&p);
}

/* Both generations' words for a data URL; characters are UTF-16 units. */
static void test_receive_text(void)
{
	static const char *const wrqs[] = {
		"{\"type\":\"WRQ\",\"sender\":\"a\",\"name\":\"n\",\"size\":5,"
		"\"dataType\":\"dataURL\",\"chunkSize\":1212,\"timeout\":60}",
		"{\"type\":\"WRQ\",\"sender\":\"a\",\"name\":null,\"size\":5,"
		"\"originalSize\":5,\"dataType\":\"data\",\"chunkType\":"
		"\"string\",\"chunkSize\":1212,\"timeout\":60}",
	};

	for (guint i = 0; i < G_N_ELEMENTS(wrqs); i++) {
		struct test_sink sink = {0};
		struct paper p;

		paper_init(&p, "0.1.3");
		hear(&p, 7, "label", wrqs[i]);
		accept_last(&p, &sink);
		hear(&p, 7, "label", "a\xc3\xa9");
		g_assert_cmpint(said_ack(&p), ==, 1);
		hear(&p, 7, "label", "\xf0\x9f\x98\x80z");
		g_assert_cmpint(said_ack(&p), ==, 2);
		g_assert_cmpuint(sink.n, ==, 8);
		g_assert_cmpuint(state(&p, "downloadCompleted"), ==, 1);
		paper_done(&p);
	}
}

/* SkylinkJS never sends the byte behind the last full slice (§10.5). */
static void test_forgotten_byte(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 65540, 49153, "blob", "string");
	struct test_sink sink = {0}, sink2 = {0};
	struct paper p;
	g_autoptr(JsonObject) error = NULL;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "x", wrq);
	accept_last(&p, &sink);
	hear_slice(&p, 7, 0, 49152);
	g_assert_cmpint(said_ack(&p), ==, 1);
	later(&p, 60);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	g_assert_nonnull(strstr(last_error(&p), "never sends the last byte"));
	error = said(&p, DT_ERROR);
	g_assert_false(json_object_get_boolean_member(error, "isUploadError"));
	g_assert_cmpuint(sink.freed, ==, 1);
	g_assert_cmpuint(sink.finished, ==, 0);
	/* The same when it believes to be done and closes. */
	hear(&p, 9, "x", wrq);
	accept_last(&p, &sink2);
	hear_slice(&p, 9, 0, 49152);
	peer_transfers_closed(p.transfers, 9);
	g_assert_nonnull(strstr(last_error(&p), "never sends the last byte"));
	g_assert_cmpuint(sink2.freed, ==, 1);
	paper_done(&p);
}

static void test_receive_ends(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 133336, 100000, "blob", "string");
	struct test_sink sinks[7] = {0};
	g_autoptr(GError) error = NULL;
	struct paper p;

	paper_init(&p, "0.1.3");
	/* nobody answers */
	hear(&p, 7, "x", wrq);
	later(&p, 60);
	g_assert_cmpint(said_ack(&p), ==, -1);
	g_assert_cmpuint(state(&p, "rejected"), ==, 1);
	/* rejected, and only once */
	hear(&p, 7, "x", wrq);
	g_assert_true(peer_transfers_reject(p.transfers, "peer-id_1", NULL));
	g_assert_cmpint(said_ack(&p), ==, -1);
	g_assert_false(peer_transfers_accept(p.transfers, "peer-id_1",
					     test_sink(&sinks[0]), &error));
	g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
	g_assert_cmpuint(sinks[0].freed, ==, 1);
	/* data before it is accepted */
	hear(&p, 9, "x", wrq);
	hear_slice(&p, 9, 0, 10);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	/* no base64 */
	hear(&p, 9, "x", wrq);
	accept_last(&p, &sinks[1]);
	hear(&p, 9, "x", "not base64!");
	g_assert_cmpuint(state(&p, "error"), ==, 2);
	/* too much */
	hear(&p, 9, "x", wrq);
	accept_last(&p, &sinks[2]);
	hear_slice(&p, 9, 0, 90000);
	hear_slice(&p, 9, 90000, 10001);
	g_assert_cmpuint(state(&p, "error"), ==, 3);
	/* the sink is full; cannot keep it */
	hear(&p, 9, "x", wrq);
	sinks[3].write_fails = -ENOSPC;
	accept_last(&p, &sinks[3]);
	hear_slice(&p, 9, 0, 10);
	g_assert_cmpuint(state(&p, "error"), ==, 4);
	hear(&p, 9, "x", wrq);
	sinks[4].finish_fails = TRUE;
	accept_last(&p, &sinks[4]);
	hear_slice(&p, 9, 0, 100000);
	g_assert_cmpuint(state(&p, "error"), ==, 5);
	g_assert_nonnull(strstr(last_error(&p), "no space"));
	/* cancelled there, and here */
	hear(&p, 9, "x", wrq);
	accept_last(&p, &sinks[5]);
	hear(&p, 9, "x", "{\"type\":\"CANCEL\",\"sender\":\"a\",\"content\":"
			 "\"enough\"}");
	g_assert_cmpstr(last_error(&p), ==, "enough");
	hear(&p, 9, "x", wrq);
	accept_last(&p, &sinks[6]);
	g_assert_true(peer_transfers_cancel(p.transfers, "peer-id_1", NULL));
	json_object_unref(said(&p, DT_CANCEL));
	g_assert_cmpuint(state(&p, "cancel"), ==, 2);
	for (guint i = 0; i < G_N_ELEMENTS(sinks); i++)
		g_assert_cmpuint(sinks[i].freed, ==, 1);
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==, 0);
	paper_done(&p);
}

/* --- refused ---------------------------------------------------------------- */
static void test_refused(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 133336, 100000, "blob", "string");
	struct paper p;
	guint n;

	paper_init(&p, "0.1.3");
	/* absurd sizes: at once, and nobody is asked */
	hear(&p, 7, "x", "{\"type\":\"WRQ\",\"sender\":\"a\",\"size\":1e300}");
	g_assert_cmpint(said_ack(&p), ==, -1);
	g_assert_cmpuint(p.told->len, ==, 0);
	/* one for each channel */
	hear(&p, 7, "x", wrq);
	hear(&p, 7, "x", wrq);
	g_assert_cmpint(said_ack(&p), ==, -1);
	g_assert_cmpuint(state(&p, "request"), ==, 1);
	/* on others, up to the limit; a known id gets a companion */
	for (guint16 c = 9; c < 9 + 2 * TRANSFER_MAX_PER_PEER; c += 2)
		hear(&p, c, "label", wrq);
	g_assert_true(g_str_has_prefix(request_id(&p), "label_skylink__"));
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==,
			 TRANSFER_MAX_PER_PEER);
	g_assert_cmpint(said_ack(&p), ==, -1);
	peer_transfers_lost(p.transfers, "gone");
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==, 0);
	g_assert_cmpuint(state(&p, "error"), ==, TRANSFER_MAX_PER_PEER);
	/* nobody wants anything; no room in the house */
	p.unwanted = TRUE;
	hear(&p, 7, "x", wrq);
	g_assert_cmpint(said_ack(&p), ==, -1);
	g_assert_cmpuint(state(&p, "rejected"), ==, 1);
	p.unwanted = FALSE;
	p.crowded = TRUE;
	n = p.told->len;
	hear(&p, 7, "x", wrq);
	g_assert_cmpint(said_ack(&p), ==, -1);
	g_assert_cmpuint(p.told->len, ==, n);
	paper_done(&p);
}

/* There is no room for words: they leave later, and in order. */
static void test_words_wait(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 4, 3, "blob", "string");
	struct test_sink sink = {0};
	struct paper p;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "x", wrq);
	p.full = TRUE;
	g_assert_true(peer_transfers_accept(p.transfers, "peer-id_1",
					    test_sink(&sink), NULL));
	hear_slice(&p, 7, 0, 3);
	g_assert_cmpuint(state(&p, "downloadCompleted"), ==, 1);
	g_assert_cmpuint(p.said->len, ==, 0);
	g_assert_false(was_closed(&p, 7));
	p.full = FALSE;
	peer_transfers_writable(p.transfers, 7);
	g_assert_cmpuint(p.said->len, ==, 2);
	g_assert_cmpint(said_ack(&p), ==, 1);
	g_assert_true(was_closed(&p, 7));
	paper_done(&p);
}

/* The same, and nobody tells when there is: the clock does. */
static void test_words_are_said_again(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 4, 3, "blob", "string");
	struct test_sink sink = {0};
	struct paper p;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "x", wrq);
	p.no_queue = TRUE;
	g_assert_true(peer_transfers_accept(p.transfers, "peer-id_1",
					    test_sink(&sink), NULL));
	for (guint i = 0; i < 3; i++) {
		gint64 due = peer_transfers_get_due(p.transfers);

		g_assert_cmpint(due, ==,
				p.now_us + PEER_TRANSFERS_RETRY_MS * 1000);
		g_assert_cmpuint(p.said->len, ==, 0);
		p.now_us = due;
		p.no_queue = i < 2;
		peer_transfers_tick(p.transfers);
	}
	g_assert_cmpint(said_ack(&p), ==, 0);
	hear_slice(&p, 7, 0, 3);
	g_assert_cmpint(said_ack(&p), ==, 1);
	g_assert_cmpint(peer_transfers_get_due(p.transfers), ==, -1);
	paper_done(&p);
}

/* Chunks of nothing do not keep a transfer alive, nor a stream. */
static void test_nothing_is_no_life(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 4, 4, "blob", "binary");
	struct test_sink sink = {0};
	struct paper p;
	gint64 due;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "x", wrq);
	accept_last(&p, &sink);
	due = peer_transfers_get_due(p.transfers);
	p.now_us = due - 1;
	peer_transfers_data(p.transfers, 7, FALSE, (const guint8 *) "", 0);
	g_assert_cmpint(peer_transfers_get_due(p.transfers), ==, due);
	p.now_us = due;
	peer_transfers_tick(p.transfers);
	g_assert_cmpuint(state(&p, "error"), ==, 1);
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==, 0);
	paper_done(&p);
}

/* --- progress and streams --------------------------------------------------- */
static void test_progress(void)
{
	g_autofree char *wrq =
		g_strdup_printf(WRQ_NEW, 1000000, 1000000, "blob", "binary");
	g_autofree guint8 *data = g_malloc0(1000);
	struct test_sink sink = {0};
	struct paper p;
	JsonObject *info;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "x", wrq);
	accept_last(&p, &sink);
	for (guint i = 0; i < 500; i++) {
		p.now_us += 10000;
		peer_transfers_data(p.transfers, 7, FALSE, data, 1000);
	}
	/* five seconds, four a second */
	g_assert_cmpuint(state(&p, "downloading"), ==, 20);
	info = json_object_get_object_member(
		last_told(&p, "dataTransferState"), "transferInfo");
	g_assert_cmpfloat(json_object_get_double_member(info, "percentage"), ==,
			  50.0);
	paper_done(&p);
}

#define STREAM(what)                                                           \
	"{\"type\":\"WRQ\",\"transferId\":\"stream_1\",\"name\":\"stream_1\"," \
	"\"size\":0,\"originalSize\":0,\"dataType\":\"fastBinary" what "\","   \
	"\"mimeType\":null,\"chunkType\":\"binary\",\"chunkSize\":0,"          \
	"\"timeout\":0,\"isPrivate\":true,\"sender\":\"a\"}"

static void test_stream(void)
{
	g_autofree guint8 *data = g_malloc0(200000);
	struct paper p;
	JsonObject *o;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "stream_1", STREAM("Start"));
	g_assert_cmpuint(p.said->len, ==, 0);
	g_assert_cmpuint(told(&p, "incomingDataStreamStarted", NULL), ==, 1);
	peer_transfers_data(p.transfers, 7, FALSE, (const guint8 *) "abcd", 4);
	o = last_told(&p, "incomingDataStream");
	g_assert_cmpstr(json_object_get_string_member(o, "chunk"), ==,
			"YWJjZA==");
	/* of any size: told, though not shown */
	peer_transfers_data(p.transfers, 7, FALSE, data, 200000);
	o = last_told(&p, "incomingDataStream");
	g_assert_true(json_object_get_null_member(o, "chunk"));
	g_assert_cmpint(json_object_get_int_member(
				json_object_get_object_member(o, "streamInfo"),
				"bytes"),
			==, 200004);
	hear(&p, 7, "stream_1", STREAM("Stop"));
	g_assert_cmpuint(told(&p, "incomingDataStreamStopped", NULL), ==, 1);
	g_assert_true(was_closed(&p, 7));
	hear(&p, 7, "stream_1", STREAM("Stop"));
	g_assert_cmpuint(told(&p, "incomingDataStreamStopped", NULL), ==, 1);
	paper_done(&p);
}

/* A stream that nobody stops ends when nothing comes any more. */
static void test_stream_falls_silent(void)
{
	gint64 due;
	struct paper p;

	paper_init(&p, "0.1.3");
	hear(&p, 7, "stream_1", STREAM("Start"));
	p.now_us += 1000;
	peer_transfers_data(p.transfers, 7, FALSE, (const guint8 *) "abcd", 4);
	due = peer_transfers_get_due(p.transfers);
	g_assert_cmpint(due, ==, p.now_us + PEER_TRANSFERS_STREAM_IDLE_S *
						    G_USEC_PER_SEC);
	p.now_us = due - 1;
	peer_transfers_data(p.transfers, 7, FALSE, (const guint8 *) "", 0);
	peer_transfers_tick(p.transfers);
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==, 1);
	p.now_us = due;
	peer_transfers_tick(p.transfers);
	g_assert_cmpuint(peer_transfers_count(p.transfers), ==, 0);
	g_assert_true(was_closed(&p, 7));
	paper_done(&p);
}

static GLogWriterOutput count_refusals(GLogLevelFlags level,
				       const GLogField *fields, gsize n,
				       gpointer user)
{
	for (gsize i = 0; i < n; i++)
		if (!strcmp(fields[i].key, "MESSAGE"))
			*(guint *) user +=
				strstr(fields[i].value, "refusing") != NULL;
	return g_log_writer_default(level, fields, n, NULL);
}

/* Each nonsense is answered; the log has it once. */
static void test_nonsense_fills_no_log(gconstpointer data)
{
	enum { N = 50 };
	const guint *refusals = data, before = *refusals;
	struct paper p;

	paper_init(&p, "0.1.3");
	for (guint i = 0; i < N; i++) {
		hear(&p, 7, "x", "{\"type\":\"WRQ\",\"size\":-1}");
		g_assert_cmpint(said_ack(&p), ==, -1);
	}
	g_assert_cmpuint(*refusals - before, ==, 1);
	paper_done(&p);
}

int main(int argc, char *argv[])
{
	guint refusals = 0;

	g_test_init(&argc, &argv, NULL);
	g_log_set_writer_func(count_refusals, &refusals, NULL);
	g_test_add_data_func("/peer-transfers/log", &refusals,
			     test_nonsense_fills_no_log);
	g_test_add_func("/peer-transfers/send-0.6.12", test_send_to_0612);
	g_test_add_func("/peer-transfers/send-sizes", test_send_sizes);
	g_test_add_func("/peer-transfers/window", test_window);
	g_test_add_func("/peer-transfers/2.x", test_2x_in_line);
	g_test_add_func("/peer-transfers/ack-on-main", test_ack_on_main);
	g_test_add_func("/peer-transfers/mcu", test_mcu);
	g_test_add_func("/peer-transfers/send-ends", test_send_ends);
	g_test_add_func("/peer-transfers/never-opens", test_never_opens);
	g_test_add_func("/peer-transfers/lost-tail", test_lost_tail);
	g_test_add_func("/peer-transfers/receive", test_receive);
	g_test_add_func("/peer-transfers/receive-binary", test_receive_binary);
	g_test_add_func("/peer-transfers/receive-text", test_receive_text);
	g_test_add_func("/peer-transfers/forgotten-byte", test_forgotten_byte);
	g_test_add_func("/peer-transfers/receive-ends", test_receive_ends);
	g_test_add_func("/peer-transfers/refused", test_refused);
	g_test_add_func("/peer-transfers/words-wait", test_words_wait);
	g_test_add_func("/peer-transfers/words-again",
			test_words_are_said_again);
	g_test_add_func("/peer-transfers/nothing", test_nothing_is_no_life);
	g_test_add_func("/peer-transfers/stream-silent",
			test_stream_falls_silent);
	g_test_add_func("/peer-transfers/progress", test_progress);
	g_test_add_func("/peer-transfers/stream", test_stream);
	return g_test_run();
}
