// SPDX-License-Identifier: Apache-2.0
/* What real SkylinkJS clients said to a server is said to ours again, as
 * frames or polling bodies, through sessions and rooms; what each of them is
 * told must be what was recorded. Peer ids come out the same because they are
 * made from random bytes, and these are given. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "appliance/roomserver/engine.h"
#include "appliance/roomserver/room-core.h"
#include "appliance/signaling/engineio.h"

#define MAX_CLIENTS 4

struct client {
	const char *name;
	struct engine_session *session;
	GPtrArray *expected, *got; /* JSON texts */
	bool modern;		   /* 2.x: no groups */
};

struct replay {
	struct engine *engine;
	struct room_core *core;
	struct room_core_config config;
	struct room_keys *keys;
	struct room_counters counters;
	struct client clients[MAX_CLIENTS];
	unsigned int n_clients;
	GPtrArray *said;      /* the texts of the "in" lines */
	const char *next_sid; /* what the next random bytes are to spell */
	gint64 wall_ms;
	guint8 counter;
	bool polling;
};

static void on_wake(void *data, struct engine_session *session)
{
}

static void on_message(void *data, struct engine_session *session,
		       const char *json, size_t len)
{
	room_client_receive(session->user, json, len);
	session->joined = true;
}

static void on_closed(void *data, struct engine_session *session)
{
	session->user = room_client_free(session->user);
}

static gint64 monotonic_us(void *data)
{
	return 1000;
}

static gint64 wall_ms(void *data)
{
	return ((struct replay *) data)->wall_ms;
}

static void fill_engine_random(void *data, uint8_t *bytes, size_t n)
{
	memset(bytes, ++((struct replay *) data)->counter, n);
}

static void fill_peer_random(void *data, uint8_t *bytes, size_t n)
{
	struct replay *r = data;
	g_autofree char *standard = g_strdup(r->next_sid);
	g_autofree guchar *decoded = NULL;
	gsize len;

	g_strdelimit(standard, "-", '+');
	g_strdelimit(standard, "_", '/');
	decoded = g_base64_decode(standard, &len);
	g_assert_cmpuint(len, ==, n);
	memcpy(bytes, decoded, n);
}

static void deliver(void *data, void *const *tags, unsigned int n,
		    const char *json, size_t len)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct engine_packet *packet;

	sio_event_format(text, json, len);
	packet = engine_packet_new(text->str, text->len);
	for (unsigned int i = 0; i < n; i++)
		engine_session_send(tags[i], packet);
	engine_packet_unref(packet);
}

static void finish(void *data, void *tag)
{
	engine_session_finish(tag);
}

static const struct engine_ops engine_ops = {
	.wake = on_wake,
	.message = on_message,
	.closed = on_closed,
	.monotonic_us = monotonic_us,
	.random = fill_engine_random,
};

static const struct room_core_ops core_ops = {
	.deliver = deliver,
	.finish = finish,
	.monotonic_us = monotonic_us,
	.wall_ms = wall_ms,
	.random = fill_peer_random,
};

static void replay_init(struct replay *r)
{
	static const struct engine_config config = {
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 60000,
		.max_sessions = MAX_CLIENTS,
	};
	/* In the recordings the pages say what they are; here the key does. */
	static const char file[] = "[labkey]\n[credkey]\n"
				   "[quiet]\nauto_introduce = no\n"
				   "[desk]\nparent = quiet\nprivileged = yes\n"
				   "auto_introduce = no\n";
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

	r->keys = room_keys_parse("keys", file, strlen(file), problems);
	g_assert_nonnull(r->keys);
	r->config = (struct room_core_config){
		.keys = r->keys,
		.turn = {
			.host = "127.0.0.1",
			.user = "labuser",
			.secret = "labpw",
		},
	};
	r->engine = engine_new(&config, &engine_ops, r, &r->counters);
	r->core = room_core_new(&r->config, &core_ops, r, &r->counters);
	r->said = g_ptr_array_new_with_free_func(g_free);
}

static void replay_done(struct replay *r)
{
	engine_free(r->engine);
	room_core_free(r->core);
	room_keys_free(r->keys);
	g_ptr_array_unref(r->said);
	for (unsigned int i = 0; i < r->n_clients; i++) {
		g_ptr_array_unref(r->clients[i].expected);
		g_ptr_array_unref(r->clients[i].got);
	}
}

/* What the server sent, out of the queue the way a client reads it. */
static void collect(struct replay *r, struct client *c)
{
	g_autoptr(GString) body = g_string_new(NULL);
	struct engine_packet *packet;
	struct eio_payload payload;
	const char *text;
	size_t len;

	while ((packet = engine_session_take(c->session))) {
		eio_payload_append(body, packet->text, packet->len,
				   EIO_FORM_BINARY);
		engine_packet_unref(packet);
	}
	g_assert_cmpint(eio_payload_init(&payload, body->str, body->len,
					 EIO_FORM_BINARY),
			==, 0);
	while (eio_payload_next(&payload, &text, &len) > 0) {
		struct eio_packet outer;
		struct sio_packet inner;
		char *json;

		g_assert_cmpint(eio_packet_parse(text, len, &outer), ==, 0);
		if (outer.type != EIO_MESSAGE)
			continue;
		g_assert_cmpint(sio_packet_parse(outer.data, outer.len, &inner),
				==, 0);
		if (inner.type != SIO_EVENT)
			continue;
		g_assert_cmpint(sio_event_parse(inner.data, inner.len,
						EIO_MAX_PACKET, &json, &len),
				==, 0);
		g_ptr_array_add(c->got, json);
	}
}

static struct client *get_client(struct replay *r, const char *name)
{
	struct client *c;

	for (unsigned int i = 0; i < r->n_clients; i++)
		if (strcmp(r->clients[i].name, name) == 0)
			return &r->clients[i];
	g_assert_cmpuint(r->n_clients, <, MAX_CLIENTS);
	c = &r->clients[r->n_clients++];
	c->name = g_intern_string(name);
	c->expected = g_ptr_array_new_with_free_func(g_free);
	c->got = g_ptr_array_new_with_free_func(g_free);
	c->session = engine_open(r->engine, r->polling);
	c->session->user = room_client_new(r->core, c->session);
	return c;
}

/* The recorded tokens are another server's: ours in their place. */
static char *sign(struct replay *r, const char *text)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	JsonObject *o = json_node_get_object(node);
	g_autofree char *len = g_strdup_printf(
		"%" G_GINT64_FORMAT, json_object_get_int_member(o, "len"));
	const char *key = json_object_get_string_member(o, "key");
	g_autoptr(GDateTime) start = NULL;
	char token[ROOM_TOKEN_SIZE];

	/* Refused ones leave no other trace of the time. */
	start = g_date_time_new_from_iso8601(
		json_object_get_string_member(o, "start"), NULL);
	r->wall_ms = MAX(r->wall_ms, 1000 * g_date_time_to_unix(start));
	if (!json_object_get_boolean_member(o, "autoIntroduce"))
		key = json_object_get_boolean_member(o, "isPrivileged")
			      ? "desk" : "quiet";
	key = g_intern_string(key);
	json_object_set_string_member(o, "key", key);
	room_token_make_user(
		r->config.secret,
		&(struct room_token_user){
			.key = key,
			.uid = json_object_get_string_member(o, "uid"),
			.time_stamp =
				json_object_get_string_member(o, "timeStamp"),
			.cid = json_object_get_string_member(o, "cid"),
		},
		token);
	json_object_set_string_member(o, "userCred", token);
	room_token_make_room(
		r->config.secret,
		&(struct room_token_room){
			.key = key,
			.rid = json_object_get_string_member(o, "rid"),
			.start = json_object_get_string_member(o, "start"),
			.len = len,
			.api_owner =
				json_object_get_string_member(o, "apiOwner"),
		},
		token);
	json_object_set_string_member(o, "roomCred", token);
	return json_to_string(node, FALSE);
}

static void say(struct replay *r, struct client *c, const GString *frame)
{
	g_autoptr(GString) body = g_string_new(NULL);
	struct eio_payload payload;
	const char *text;
	size_t len;

	if (!r->polling) {
		engine_session_receive(c->session, frame->str, frame->len);
		return;
	}
	eio_payload_append(body, frame->str, frame->len, EIO_FORM_TEXT);
	g_assert_cmpint(
		eio_payload_init(&payload, body->str, body->len, EIO_FORM_TEXT),
		==, 0);
	while (eio_payload_next(&payload, &text, &len) > 0)
		engine_session_receive(c->session, text, len);
}

static void take_in(struct replay *r, JsonObject *line)
{
	struct client *c =
		get_client(r, json_object_get_string_member(line, "in"));
	const char *text = json_object_get_string_member(line, "msg");
	g_autoptr(GString) frame = g_string_new(NULL);
	g_autofree char *signed_text = NULL;

	g_ptr_array_add(r->said, g_strdup(text));
	if (strstr(text, "\"SMProtocolVersion\":\"2."))
		c->modern = true;
	/* In one recording the credentials are spoilt on purpose. */
	if (strstr(text, "\"joinRoom\"") && !strstr(text, "Cred\":\"x\"")) {
		signed_text = sign(r, text);
		text = signed_text;
		r->wall_ms = json_object_get_int_member_with_default(
			line, "tieBreaker", r->wall_ms);
		r->next_sid = json_object_get_string_member_with_default(
			line, "sid", NULL);
	}
	if (json_object_has_member(line, "object"))
		g_string_printf(frame, "42[\"message\",%s]", text);
	else
		sio_event_format(frame, text, strlen(text));
	say(r, c, frame);
	for (unsigned int i = 0; i < r->n_clients; i++)
		if (r->clients[i].session)
			collect(r, &r->clients[i]);
}

static void take_out(struct replay *r, JsonObject *line)
{
	struct client *c =
		get_client(r, json_object_get_string_member(line, "out"));
	const char *text;
	g_autoptr(JsonNode) group = NULL;
	JsonArray *lists;

	if (json_object_has_member(line, "msg")) {
		g_ptr_array_add(
			c->expected,
			json_to_string(json_object_get_member(line, "msg"),
				       FALSE));
		return;
	}
	text = r->said->pdata[json_object_get_int_member(line, "of")];
	if (!json_object_has_member(line, "part")) {
		g_ptr_array_add(c->expected, g_strdup(text));
		return;
	}
	if (!c->modern) {
		/* The recording server took every group apart. */
		if (!json_object_get_int_member(line, "part"))
			g_ptr_array_add(c->expected, g_strdup(text));
		return;
	}
	group = json_from_string(text, NULL);
	lists = json_object_get_array_member(json_node_get_object(group),
					     "lists");
	g_ptr_array_add(c->expected,
			g_strdup(json_array_get_string_element(
				lists, (guint) json_object_get_int_member(
					       line, "part"))));
}

static void take_gone(struct replay *r, JsonObject *line)
{
	struct client *c =
		get_client(r, json_object_get_string_member(line, "gone"));

	if (c->session) {
		engine_session_kill(c->session);
		c->session = NULL;
		engine_reap(r->engine);
	}
	for (unsigned int i = 0; i < r->n_clients; i++)
		if (r->clients[i].session)
			collect(r, &r->clients[i]);
}

/* Relayed texts are equal to the byte; of the server's own messages the
 * wording of "info" is ours. */
static void compare(const struct client *c)
{
	g_assert_cmpuint(c->got->len, ==, c->expected->len);
	for (guint i = 0; i < c->got->len; i++) {
		const char *got = c->got->pdata[i];
		const char *expected = c->expected->pdata[i];
		g_autoptr(JsonNode) a = NULL, b = NULL;

		if (strcmp(got, expected) == 0)
			continue;
		g_test_message("%s #%u: %s / %s", c->name, i, got, expected);
		a = json_from_string(got, NULL);
		b = json_from_string(expected, NULL);
		json_object_remove_member(json_node_get_object(a), "info");
		json_object_remove_member(json_node_get_object(b), "info");
		/* Ours carry the room always, for 2.x. */
		if (!json_object_has_member(json_node_get_object(b), "rid"))
			json_object_remove_member(json_node_get_object(a),
						  "rid");
		g_assert_true(strstr(expected, "\"redirect\"") ||
			      strstr(expected, "\"inRoom\"") ||
			      strstr(expected, "\"bye\"") ||
			      strstr(expected, "\"peerList\"") ||
			      strstr(expected, "\"approach\"") ||
			      strstr(expected, "\"introduceError\""));
		g_assert_true(json_node_equal(a, b));
	}
}

static void test_recording(gconstpointer data)
{
	const char *name = data;
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "recordings",
						      "routing", name, NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GError) error = NULL;
	struct replay r = {.polling = g_str_has_prefix(name, "polling")};
	unsigned int n = 0;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	lines = g_strsplit(text, "\n", -1);
	replay_init(&r);
	for (char **l = lines; *l; l++) {
		g_autoptr(JsonNode) node = json_from_string(*l, NULL);
		JsonObject *line = node ? json_node_get_object(node) : NULL;

		if (!line)
			continue;
		if (json_object_has_member(line, "in"))
			take_in(&r, line);
		else if (json_object_has_member(line, "out"))
			take_out(&r, line);
		else if (json_object_has_member(line, "gone"))
			take_gone(&r, line);
	}
	for (unsigned int i = 0; i < r.n_clients; i++) {
		compare(&r.clients[i]);
		n += r.clients[i].got->len;
	}
	g_test_message("%u messages delivered as recorded", n);
	g_assert_cmpuint(n, >=, g_str_has_prefix(name, "errors") ? 1 : 10);
	g_assert_cmpuint(room_count_get(r.counters.bad_messages), ==, 0);
	replay_done(&r);
}

int main(int argc, char *argv[])
{
	static const char *const recordings[] = {
		"session_0.6.12.jsonl",	    "session_0.6.37.jsonl",
		"session_0.9.3.jsonl",	    "session_2.6.2.jsonl",
		"frames_0.6.12.jsonl",	    "frames_0.6.37.jsonl",
		"polling_0.6.37.jsonl",	    "cross_0.6.12_0.6.37.jsonl",
		"cross_0.6.37_2.6.2.jsonl", "receive_only_0.6.12.jsonl",
		"privileged_0.6.37.jsonl",  "errors_0.6.37.jsonl",
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(recordings); i++) {
		g_autofree char *path =
			g_strconcat("/room-replay/", recordings[i], NULL);

		g_test_add_data_func(path, recordings[i], test_recording);
	}
	return g_test_run();
}
