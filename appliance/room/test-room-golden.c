// SPDX-License-Identifier: Apache-2.0
/* Our messages beside those of the real clients: the room takes the part of
 * one client of a recording, hears what that one heard and does what its user
 * did, and each of its messages is compared with the recorded one, field by
 * field, in the recorded order. The service is a mock that repeats the
 * recording (mock-service.h), and so is the transport (fake-rtc.c). */
#include "appliance/room/fake-rtc.c"
#include "appliance/room/room-test.h"

#include "appliance/room/mock-service.h"
#include "appliance/signaling/message.h"

struct row {
	const char *file;
	const char *label; /* whose part we take */
	gboolean receives_only, no_trickle;
};

struct replay {
	const struct row *row;
	struct fixture f;
	struct mock mock;
	struct box *a;
	const char *self;
	guint n_heard; /* of ours, taken so far */
	guint compared, fields;
	gboolean negotiated;
	gboolean asked; /* a welcome or restart came, not acted on */
	gboolean is_2x, audio_muted, video_muted;
	GHashTable *statuses; /* types sent by our API, to compare later */
	GPtrArray *recorded;  /* JsonObject of those */
};

static gboolean is_in(const char *word, const char *const *list)
{
	return g_strv_contains(list, word);
}

/* The messages whose order counts. */
static gboolean is_handshake(const char *type)
{
	static const char *const types[] = {"enter",  "welcome", "offer",
					    "answer", "restart", "answerAck",
					    NULL};

	return is_in(type, types);
}

/* --- comparing ----------------------------------------------------------- */
/* What is told with these is what it is; of all others the kind counts. */
static const char *const equal_fields[] = {
	"type",
	"mid",
	"rid",
	"target",
	"weight",
	"receiveOnly",
	"enableIceTrickle",
	"enableDataChannel",
	"enableIceRestart",
	"doIceRestart",
	"isRestartResend",
	"sessionType",
	"muted",
	"lock",
	"status",
	"data",
	"cid",
	"success",
	"publisherId",
	"mediaType",
	"mediaState",
	"transceiverMid",
	"mediaMetaData",
	"simulcast",
	NULL,
};

/* Where we differ, and why. */
static const struct {
	const char *field, *why;
} other_kinds[] = {
	{"version", "0.6.12 sends a number, which 0.6.37 reads as 0"},
	{"audio",
	 "false or an object, by what is sent; keyed by stream in 2.x"},
	{"video", "the same"},
	{"userData", "any JSON"},
	{"connected", "null or a boolean"},
	{"init", "null or a boolean"},
};

static const char *kind_of(JsonNode *node)
{
	switch (json_node_get_node_type(node)) {
	case JSON_NODE_OBJECT:
		return "object";
	case JSON_NODE_ARRAY:
		return "array";
	case JSON_NODE_NULL:
		return "null";
	case JSON_NODE_VALUE:
		break;
	}
	if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
		return "boolean";
	return json_node_get_value_type(node) == G_TYPE_STRING ? "string"
							       : "number";
}

static gboolean may_differ(const char *field)
{
	for (guint i = 0; i < G_N_ELEMENTS(other_kinds); i++)
		if (!strcmp(field, other_kinds[i].field))
			return TRUE;
	return FALSE;
}

/* We introduce ourselves as 0.6.37 does: what 2.x keys by stream, and adds, in
 * userInfo is not ours; and its first messages know of no ICE restart. */
static gboolean is_of_2x(struct replay *r, const char *field)
{
	return r->is_2x && (!strcmp(field, "userInfo") ||
			    !strcmp(field, "enableIceRestart"));
}

static void compare(struct replay *r, const char *path, JsonObject *ours,
		    JsonObject *theirs);

/* mediaInfoList: one for each m-line we send on, as many as theirs. */
static void compare_lists(struct replay *r, const char *path, JsonArray *ours,
			  JsonArray *theirs)
{
	guint n = json_array_get_length(theirs);

	g_assert_cmpuint(json_array_get_length(ours), ==, n);
	for (guint i = 0; i < n; i++)
		compare(r, path, json_array_get_object_element(ours, i),
			json_array_get_object_element(theirs, i));
}

static void compare(struct replay *r, const char *path, JsonObject *ours,
		    JsonObject *theirs)
{
	g_autoptr(GList) names = json_object_get_members(theirs);

	for (GList *l = names; l; l = l->next) {
		const char *name = l->data;
		g_autofree char *here = g_strconcat(path, ".", name, NULL);
		JsonNode *want = json_object_get_member(theirs, name);
		JsonNode *have = json_object_get_member(ours, name);

		if (is_of_2x(r, name) && have)
			continue;
		/* always false: 0.6.12 reads it the other way round (§5.4) */
		if (r->row->receives_only && !strcmp(name, "receiveOnly"))
			continue;
		/* 0.6.12 without trickle names its browser in descriptions,
		 * which nobody reads there */
		if (r->row->no_trickle && !have && !strcmp(name, "agent"))
			continue;
		if (!have)
			g_error("%s as %s: we send no %s", r->row->file,
				r->row->label, here);
		r->fields++;
		if (!may_differ(name) && strcmp(kind_of(have), kind_of(want)))
			g_error("%s as %s: %s is %s, not %s", r->row->file,
				r->row->label, here, kind_of(have),
				kind_of(want));
		if (JSON_NODE_HOLDS_OBJECT(want) &&
		    JSON_NODE_HOLDS_OBJECT(have) && !may_differ(name)) {
			compare(r, here, json_node_get_object(have),
				json_node_get_object(want));
			continue;
		}
		if (!strcmp(name, "mediaInfoList"))
			compare_lists(r, here, json_node_get_array(have),
				      json_node_get_array(want));
		if (is_in(name, equal_fields) && !json_node_equal(have, want)) {
			g_autofree char *a = json_to_string(have, FALSE);
			g_autofree char *b = json_to_string(want, FALSE);

			g_error("%s as %s: %s is %s, not %s", r->row->file,
				r->row->label, here, a, b);
		}
	}
	r->compared++;
}

/* --- our part ------------------------------------------------------------ */
static JsonObject *next_heard(struct replay *r)
{
	while (r->n_heard < r->mock.heard->len) {
		JsonObject *o = r->mock.heard->pdata[r->n_heard++];

		if (is_handshake(json_object_get_string_member(o, "type")))
			return o;
	}
	return NULL;
}

/* What made the recorded client speak unasked. */
static void act(struct replay *r, const char *type, gboolean ice)
{
	RoomStream stream = {.send_audio = TRUE, .send_video = TRUE};
	static guint serial;

	if (!strcmp(type, "restart") || !strcmp(type, "offer")) {
		if (strstr(r->row->file, "session") ||
		    strstr(r->row->file, "cross")) {
			g_assert_true(
				room_refresh(r->a->room, NULL, ice, NULL));
			return;
		}
		stream.serial = ++serial;
		room_set_stream(r->a->room, &stream);
	}
}

static void take_recorded_own(struct replay *r, JsonObject *theirs)
{
	const char *type = json_object_get_string_member(theirs, "type");
	JsonObject *ours;

	if (!strcmp(type, "enter") || r->asked)
		r->asked = FALSE;
	else if (r->negotiated &&
		 (!strcmp(type, "restart") || !strcmp(type, "offer")))
		act(r, type,
		    json_object_get_boolean_member_with_default(
			    theirs, "doIceRestart", FALSE));
	g_test_message("%s is next", type);
	WAIT((ours = next_heard(r)) != NULL);
	if (strcmp(json_object_get_string_member(ours, "type"), type)) {
		g_autofree char *text = message_to_text(ours);

		g_error("%s as %s: the client sends %s, and we %s",
			r->row->file, r->row->label, type, text);
	}
	compare(r, type, ours, theirs);
	if (!strcmp(type, "answer"))
		r->negotiated = TRUE;
}

static void say_again(struct replay *r, JsonObject *theirs)
{
	const char *type = json_object_get_string_member(theirs, "type");
	g_autofree char *text = message_to_text(theirs);

	if (!strcmp(type, "inRoom"))
		return; /* said with the join */
	mock_tell(&r->mock, text);
	if (!strcmp(type, "welcome") || !strcmp(type, "restart") ||
	    !strcmp(type, "offer") || !strcmp(type, "enter"))
		r->asked = TRUE;
	if (!strcmp(type, "answer"))
		r->negotiated = TRUE;
}

/* --- what is said to everybody ------------------------------------------- */
static void do_the_same(struct replay *r, JsonObject *theirs)
{
	const char *type = json_object_get_string_member(theirs, "type");
	const char *const *to = NULL;
	const char *one[2] = {json_object_get_string_member_with_default(
				      theirs, "target", NULL),
			      NULL};

	if (one[0])
		to = one;
	/* 0.6.12 tells what has not changed, too */
	if (g_str_has_prefix(type, "mute") &&
	    !json_object_get_boolean_member(theirs, "muted"))
		return;
	if (!g_hash_table_add(r->statuses, g_strdup(type)))
		return; /* once is enough */
	if (!strcmp(type, "public") || !strcmp(type, "private")) {
		g_assert_true(room_send_message(
			r->a->room, json_object_get_member(theirs, "data"), to,
			NULL));
	} else if (g_str_has_prefix(type, "mute")) {
		r->audio_muted |= !strcmp(type, "muteAudioEvent");
		r->video_muted |= !strcmp(type, "muteVideoEvent");
		room_set_muted(r->a->room, r->audio_muted, r->video_muted);
	} else if (!strcmp(type, "updateUserEvent")) {
		room_set_user_data(r->a->room,
				   json_object_get_member(theirs, "userData"));
	} else if (!strcmp(type, "roomLockEvent")) {
		room_lock(r->a->room,
			  json_object_get_boolean_member(theirs, "lock"), NULL);
	} else {
		return;
	}
	g_ptr_array_add(r->recorded, json_object_ref(theirs));
}

/* Alone or in a group, a second later. */
static JsonObject *find_said(struct replay *r, const char *type)
{
	JsonObject *o = mock_heard(&r->mock, type, NULL);

	for (guint i = 0; !o && i < r->mock.heard->len; i++) {
		g_autoptr(Message) m =
			message_parse(r->mock.heard->pdata[i], NULL);
		g_autoptr(GPtrArray) list = NULL;
		guint bad;

		if (!m || m->type != MESSAGE_GROUP)
			continue;
		list = message_unbundle(m, &bad);
		for (guint k = 0; k < list->len; k++) {
			Message *inner = list->pdata[k];

			if (strcmp(inner->type_name, type))
				continue;
			/* found once, it stands alone */
			o = json_object_ref(inner->object);
			g_ptr_array_add(r->mock.heard, o);
			break;
		}
	}
	return o;
}

static void compare_said(struct replay *r)
{
	for (guint i = 0; i < r->recorded->len; i++) {
		JsonObject *theirs = r->recorded->pdata[i], *ours;
		const char *type =
			json_object_get_string_member(theirs, "type");

		WAIT((ours = find_said(r, type)) != NULL);
		compare(r, type, ours, theirs);
	}
}

/* --- a recording --------------------------------------------------------- */
static void begin(struct replay *r, JsonObject *in_room, JsonObject *join)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8};
	struct box *b = &r->f.boxes[0];
	struct rtc_engine_config engine = {
		.request_keyframe = on_keyframe,
		.rung_bitrate = on_bitrate,
	};
	RoomConfig config = {
		.app_key = "key",
		.send_audio = !r->row->receives_only,
		.send_video = !r->row->receives_only,
		.width = 640,
		.height = 480,
		.video_codecs = codecs,
		.n_video_codecs = 1,
		.random = no_jitter,
		.event = on_event,
		.codec_use = on_codec_use,
		.user = b,
		.no_trickle = r->row->no_trickle,
	};

	r->mock.sid = json_object_get_string_member(in_room, "sid");
	r->mock.rid = json_object_get_string_member(in_room, "rid");
	r->mock.cid = json_object_get_string_member(join, "cid");
	r->mock.weight = json_object_get_double_member(in_room, "tieBreaker");
	mock_start(&r->mock);
	config.room_server = r->mock.url;
	for (int i = 0; i < N_BOXES; i++)
		r->f.boxes[i].events =
			g_ptr_array_new_with_free_func(free_event);
	b->engine = config.engine = rtc_engine_new(&engine, NULL);
	b->room = room_new(&config, NULL);
	r->a = b;
	g_assert_true(room_join(b->room, "lab", NULL));
}

static void end(struct replay *r)
{
	room_free(r->a->room);
	rtc_engine_free(r->a->engine);
	for (int i = 0; i < N_BOXES; i++)
		g_ptr_array_unref(r->f.boxes[i].events);
	mock_stop(&r->mock);
	g_hash_table_unref(r->statuses);
	g_ptr_array_unref(r->recorded);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* What others say is relayed: to all, or to whom it is addressed. */
static gboolean is_for_us(struct replay *r, JsonObject *m)
{
	const char *target =
		json_object_get_string_member_with_default(m, "target", NULL);

	return r->a &&
	       !is_in(json_object_get_string_member(m, "type"),
		      (const char *const[]){"joinRoom", NULL}) &&
	       (!target || !strcmp(target, r->mock.sid));
}

static void step(struct replay *r, JsonObject *line, JsonObject **join)
{
	JsonObject *m;
	const char *type;
	gboolean ours, sent;

	if (!json_object_has_member(line, "msg"))
		return;
	ours = !strcmp(json_object_get_string_member(line, "peer"),
		       r->row->label);
	sent = !strcmp(json_object_get_string_member(line, "dir"), "c2s");
	m = json_object_get_object_member(line, "msg");
	type = json_object_get_string_member(m, "type");
	if (!ours && sent && is_for_us(r, m))
		say_again(r, m);
	if (!ours)
		return;
	if (!strcmp(type, "joinRoom"))
		*join = m;
	else if (!strcmp(type, "inRoom"))
		begin(r, m, *join);
	else if (!sent)
		say_again(r, m);
	else if (is_handshake(type))
		take_recorded_own(r, m);
	else
		do_the_same(r, m);
}

static void test_recording(gconstpointer data)
{
	struct replay r = {.row = data};
	g_autofree char *name = g_strconcat(r.row->file, ".jsonl", NULL);
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "recordings", name, NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func(
		(GDestroyNotify) json_object_unref);
	JsonObject *join = NULL;

	r.is_2x = strstr(r.row->file, "2.6.2") != NULL;
	r.statuses =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	r.recorded = g_ptr_array_new_with_free_func(
		(GDestroyNotify) json_object_unref);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l && **l; l++) {
		JsonObject *o =
			json_checked_parse_object(*l, -1, 1 << 22, NULL);

		g_assert_nonnull(o);
		g_ptr_array_add(parsed, o);
		step(&r, o, &join);
	}
	compare_said(&r);
	g_assert_cmpuint(r.compared, >=, 3);
	g_test_message("%s as %s: %u messages, %u fields", r.row->file,
		       r.row->label, r.compared, r.fields);
	end(&r);
}

int main(int argc, char *argv[])
{
	/* The clients whose rules we follow where versions differ (§16): 0.9
	 * and 2.x do without the restart message, and are compared as far as
	 * they speak as we do. */
	static const struct row rows[] = {
		{"session_0.6.12", "A"},
		{"session_0.6.12", "B"},
		{"session_0.6.37", "A"},
		{"session_0.6.37", "B"},
		{"session_2.6.2", "A"},
		{"session_2.6.2", "B"},
		{"cross_0.6.12_0.6.37", "A"},
		{"cross_0.6.12_0.6.37", "B"},
		{"cross_0.6.37_0.6.12", "A"},
		{"cross_0.6.37_0.6.12", "B"},
		{"cross_0.6.37_0.9.3", "A"},
		{"nontrickle_0.6.12", "A", .no_trickle = TRUE},
		{"nontrickle_0.6.12", "B", .no_trickle = TRUE},
		{"nontrickle_0.6.37", "A", .no_trickle = TRUE},
		{"nontrickle_0.6.37", "B", .no_trickle = TRUE},
		{"receive_only_0.6.12", "A"},
		{"receive_only_0.6.12", "B", .receives_only = TRUE},
		{"receive_only_0.6.37", "A"},
		{"receive_only_0.6.37", "B", .receives_only = TRUE},
		{"replace_stream_0.6.12", "A"},
		{"replace_stream_0.6.12", "B"},
		{"replace_stream_0.6.37", "A"},
		{"replace_stream_0.6.37", "B"},
		{"weights_older_heavier_0.6.12", "A"},
		{"weights_older_heavier_0.6.12", "B"},
		{"weights_older_heavier_0.6.37", "A"},
		{"weights_older_heavier_0.6.37", "B"},
	};

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf(
			"/room-golden/%s/%s", rows[i].file, rows[i].label);

		g_test_add_data_func(name, &rows[i], test_recording);
	}
	return g_test_run();
}
