// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/transfer-request.h"

#include <string.h>

#include "appliance/room/room.h"
#include "appliance/signaling/json-check.h"

static DtMessage *parse(const char *text)
{
	return dt_message_parse(text, strlen(text));
}

static const char *text_of(JsonObject *o, const char *name)
{
	return json_object_get_string_member_with_default(o, name, NULL);
}

/* --- golden: ours beside what the real clients sent ------------------------ */
static TransferPeer peer_of(JsonObject *o)
{
	TransferPeer peer = {.agent = "chrome", .dt_version = "0.1.3"};

	if (!json_object_has_member(o, "originalSize"))
		peer.dt_version = NULL;
	peer.is_2x = !g_strcmp0(text_of(o, "chunkType"), "binaryString");
	return peer;
}

/* Everything but who we are, which is ours to say. */
static void compare(JsonObject *theirs, JsonObject *ours)
{
	g_autoptr(GList) names = json_object_get_members(theirs);

	for (GList *l = names; l; l = l->next) {
		JsonNode *a = json_object_get_member(theirs, l->data);
		JsonNode *b = json_object_get_member(ours, l->data);

		if (!b)
			g_error("we have no \"%s\"", (char *) l->data);
		if (!strcmp(l->data, "agent") || !strcmp(l->data, "version"))
			continue;
		if (!json_node_equal(a, b))
			g_error("\"%s\": %s, and ours: %s", (char *) l->data,
				json_to_string(a, FALSE),
				json_to_string(b, FALSE));
	}
	names = (g_list_free(names), json_object_get_members(ours));
	for (GList *l = names; l; l = l->next)
		if (!json_object_has_member(theirs, l->data) &&
		    strcmp(l->data, "window"))
			g_error("they have no \"%s\"", (char *) l->data);
}

/* The same data to the same kind of peer, in our words. */
static void check_golden(DtMessage *m)
{
	JsonObject *o = m->object;
	TransferPeer peer = peer_of(o);
	gboolean string = g_strcmp0(text_of(o, "chunkType"), "binary") != 0;
	TransferAddress address = {
		.sender = m->sender,
		.agent = "skylinkd",
		.version = "1.0",
		.target = json_node_get_string(m->target),
	};
	TransferRequest theirs = {0}, ours;
	g_autoptr(GError) error = NULL;
	g_autoptr(DtMessage) made = NULL;
	g_autofree char *text = NULL;

	transfer_request_parse(m, &theirs, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(theirs.timeout_s, ==,
			 theirs.kind >= TRANSFER_STREAM_START ? 1 : 60);
	if (theirs.kind >= TRANSFER_STREAM_START) {
		transfer_request_clear(&theirs);
		return;
	}
	ours = (TransferRequest){
		.kind = theirs.kind,
		.is_private = theirs.is_private,
		.id = theirs.id,
		.name = theirs.name,
		.mime_type = theirs.mime_type,
		.size = theirs.size,
		.timeout_s = 60,
	};
	transfer_request_plan(&ours, &peer, string);
	g_assert_cmpint(ours.binary, ==, theirs.binary);
	g_assert_cmpuint(ours.wire_size, ==, theirs.wire_size);
	text = transfer_request_build(&ours, &address);
	made = parse(text);
	g_assert_nonnull(made);
	compare(o, made->object);
	transfer_request_clear(&theirs);
}

static guint check_recording(const char *path)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	guint n = 0;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l; l++) {
		g_autoptr(JsonObject) o =
			json_checked_parse_object(*l, -1, 1 << 20, NULL);
		g_autoptr(DtMessage) m = NULL;

		if (!o || !json_object_has_member(o, "dc"))
			continue;
		m = parse(text_of(o, "data"));
		if (!m || m->type != DT_WRQ)
			continue;
		check_golden(m);
		n++;
	}
	return n;
}

static void test_golden(void)
{
	static const struct {
		const char *name;
		guint n;
	} recordings[] = {
		{"session_0.6.12.jsonl", 8},	   {"session_0.6.37.jsonl", 13},
		{"session_0.9.3.jsonl", 13},	   {"session_2.6.2.jsonl", 1},
		{"cross_0.6.12_0.6.37.jsonl", 1},  {"cross_0.6.37_0.6.12.jsonl", 1},
		{"cross_0.6.37_0.9.3.jsonl", 1},   {"cross_0.6.37_2.6.2.jsonl", 1},
		{"cross_2.6.2_0.6.37.jsonl", 1},
	};

	for (guint i = 0; i < G_N_ELEMENTS(recordings); i++) {
		g_autofree char *path = g_test_build_filename(
			G_TEST_DIST, "recordings", recordings[i].name, NULL);
		guint n = check_recording(path);

		g_test_message("%s: %u requests", recordings[i].name, n);
		g_assert_cmpuint(n, >=, recordings[i].n);
	}
}

/* --- the words for each peer ---------------------------------------------- */
static void test_plan(void)
{
	static const struct {
		TransferPeer peer;
		gboolean data_url, string;
		guint64 size, wire_size;
		enum transfer_generation generation;
		gboolean binary, main_channel;
		guint slice, chunk_size, window;
	} rows[] = {
		{{"chrome", NULL}, FALSE, FALSE, 100000, 133333,
		 TRANSFER_GENERATION_1, FALSE, FALSE, 49152, 65536, 0},
		{{"firefox", NULL}, FALSE, FALSE, 5000, 6667,
		 TRANSFER_GENERATION_1, FALSE, FALSE, 12288, 16384, 0},
		{{"Android", NULL}, FALSE, FALSE, 1, 1,
		 TRANSFER_GENERATION_1, FALSE, TRUE, 49152, 65536, 0},
		{{"iOS", "0.1.0"}, FALSE, FALSE, 2, 3,
		 TRANSFER_GENERATION_1, FALSE, TRUE, 49152, 65536, 0},
		{{"iOS", "0.1.3"}, FALSE, FALSE, 2, 2,
		 TRANSFER_GENERATION_2, TRUE, FALSE, 65456, 65456, TRANSFER_WINDOW},
		{{"chrome", "0.1.2"}, FALSE, FALSE, 1000, 1336,
		 TRANSFER_GENERATION_2, FALSE, FALSE, 49152, 65536, TRANSFER_WINDOW},
		{{"chrome", "0.1.3"}, FALSE, FALSE, 1000, 1000,
		 TRANSFER_GENERATION_2, TRUE, FALSE, 65456, 65456, TRANSFER_WINDOW},
		{{"firefox", "0.1.3"}, FALSE, FALSE, 1000, 1000,
		 TRANSFER_GENERATION_2, TRUE, FALSE, 16384, 16384, TRANSFER_WINDOW},
		{{"chrome", "0.1.3"}, FALSE, TRUE, 1000, 1336,
		 TRANSFER_GENERATION_2, FALSE, FALSE, 49152, 65536, TRANSFER_WINDOW},
		{{"chrome", "0.1.3", TRUE}, FALSE, FALSE, 100000, 133336,
		 TRANSFER_GENERATION_2X, FALSE, TRUE, 49152, 49152, 0},
		{{"MCU", "0.1.3", FALSE, TRUE}, FALSE, FALSE, 3, 4,
		 TRANSFER_GENERATION_2, FALSE, TRUE, 49152, 65536, 0},
		{{"chrome", NULL}, TRUE, FALSE, 4000, 4000,
		 TRANSFER_GENERATION_1, FALSE, FALSE, 1212, 1212, 0},
		{{"chrome", "1.0.0"}, TRUE, FALSE, 4000, 4000,
		 TRANSFER_GENERATION_2, FALSE, FALSE, 1212, 1212, TRANSFER_WINDOW},
		{{"chrome", "nonsense"}, FALSE, FALSE, 3, 4,
		 TRANSFER_GENERATION_1, FALSE, FALSE, 49152, 65536, 0},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		TransferRequest q = {
			.kind = rows[i].data_url ? TRANSFER_DATA_URL
						 : TRANSFER_BLOB,
			.size = rows[i].size,
		};

		g_test_message("row %u", i);
		transfer_request_plan(&q, &rows[i].peer, rows[i].string);
		g_assert_cmpuint(q.wire_size, ==, rows[i].wire_size);
		g_assert_cmpint(q.generation, ==, rows[i].generation);
		g_assert_cmpint(q.binary, ==, rows[i].binary);
		g_assert_cmpint(q.main_channel, ==, rows[i].main_channel);
		g_assert_cmpuint(q.slice, ==, rows[i].slice);
		g_assert_cmpuint(q.chunk_size, ==, rows[i].chunk_size);
		g_assert_cmpuint(q.window, ==, rows[i].window);
	}
}

/* --- what is refused ------------------------------------------------------ */
#define WRQ "{\"type\":\"WRQ\",\"sender\":\"a\","

static void test_refused(void)
{
	static const char *const bad[] = {
		WRQ "\"dataType\":\"blob\"}",
		WRQ "\"size\":-1}",
		WRQ "\"size\":1.5}",
		WRQ "\"size\":\"many\"}",
		WRQ "\"size\":1e300}",
		WRQ "\"size\":true}",
		WRQ "\"size\":[1]}",
		WRQ "\"size\":10,\"originalSize\":-1}",
		WRQ "\"size\":10,\"originalSize\":100}",
		WRQ "\"size\":10,\"originalSize\":10,\"chunkType\":\"string\"}",
		WRQ "\"size\":10,\"dataType\":\"other\"}",
		WRQ "\"size\":10,\"chunkType\":\"other\"}",
		WRQ "\"size\":10,\"chunkSize\":-5}",
		WRQ "\"size\":10,\"chunkSize\":1e9}",
		WRQ "\"size\":10,\"timeout\":-1}",
		WRQ "\"size\":10,\"timeout\":\"soon\"}",
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(DtMessage) m = parse(bad[i]);
		TransferRequest q = {.size = 77};
		g_autoptr(GError) error = NULL;

		g_assert_nonnull(m);
		g_test_message("%s", bad[i]);
		g_assert_false(transfer_request_parse(m, &q, &error));
		g_assert_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT);
		g_assert_cmpuint(q.size, ==, 77);
	}
}

static void test_lenient(void)
{
	g_autoptr(DtMessage) m = parse(
		WRQ "\"size\":8,\"timeout\":\"20\",\"name\":7,\"transferId\":"
		    "null,\"mimeType\":[],\"window\":\"x\"}");
	g_autofree char *long_name = g_strnfill(TRANSFER_MAX_NAME_BYTES + 1,
						'x');
	g_autofree char *text =
		g_strdup_printf(WRQ "\"size\":8,\"name\":\"%s\"}", long_name);
	g_autoptr(DtMessage) longer = parse(text);
	TransferRequest q = {0};

	g_assert_true(transfer_request_parse(m, &q, NULL));
	g_assert_cmpuint(q.timeout_s, ==, 20);
	g_assert_null(q.name);
	g_assert_null(q.id);
	g_assert_cmpuint(q.window, ==, 0);
	g_assert_cmpuint(q.size, ==, 6);
	transfer_request_clear(&q);
	g_assert_false(transfer_request_parse(longer, &q, NULL));
}

/* round(n * 4 / 3) has one n. */
static void test_old_sizes(void)
{
	for (guint64 n = 0; n < 5000; n++) {
		TransferPeer old = {.agent = "chrome"};
		TransferRequest q = {.size = n}, back = {0};
		TransferAddress address = {.sender = "a", .agent = "b",
					   .version = "1", .target = "c"};
		g_autofree char *text = NULL;
		g_autoptr(DtMessage) m = NULL;

		q.id = (char *) "x";
		transfer_request_plan(&q, &old, FALSE);
		text = transfer_request_build(&q, &address);
		m = parse(text);
		g_assert_true(transfer_request_parse(m, &back, NULL));
		g_assert_cmpuint(back.size, ==, n);
		transfer_request_clear(&back);
	}
}

static void test_lost_texts(void)
{
	g_assert_true(transfer_text_is_lost("1234", 4, TRANSFER_GENERATION_1));
	g_assert_true(transfer_text_is_lost("true", 4, TRANSFER_GENERATION_2));
	g_assert_true(transfer_text_is_lost("1e12", 4, TRANSFER_GENERATION_2));
	g_assert_false(transfer_text_is_lost("", 0, TRANSFER_GENERATION_2));
	g_assert_false(transfer_text_is_lost("abcd", 4, TRANSFER_GENERATION_1));
	g_assert_false(transfer_text_is_lost("x{y}", 4, TRANSFER_GENERATION_1));
	g_assert_true(transfer_text_is_lost("x{y}", 4, TRANSFER_GENERATION_2));
	g_assert_false(transfer_text_is_lost("}x{y", 4, TRANSFER_GENERATION_2));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transfer-request/golden", test_golden);
	g_test_add_func("/transfer-request/plan", test_plan);
	g_test_add_func("/transfer-request/refused", test_refused);
	g_test_add_func("/transfer-request/lenient", test_lenient);
	g_test_add_func("/transfer-request/old-sizes", test_old_sizes);
	g_test_add_func("/transfer-request/lost-texts", test_lost_texts);
	return g_test_run();
}
