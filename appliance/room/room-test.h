/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-test.h - what the tests of rooms share: boxes in a room
 * of the real room server, their events, and waiting for them
 *
 * To be included by test-room*.c alone, as a whole.
 *
 * Thread:  the test's
 */
#pragma once

#include "appliance/room/room.h"

#include <string.h>

#include "appliance/roomserver/room-server.h"

#define N_BOXES 3

struct event {
	const char *name;
	JsonObject *params;
};

struct box {
	struct rtc_engine *engine;
	Room *room;
	GPtrArray *events;	/* struct event */
	gint taken, takes;
	gboolean free_on_join;
	gboolean no_trickle, channel_messages;	/* for open_box() */
	guint health_ms;
	RoomAccess access;
	void (*engine_made)(struct rtc_engine *engine);
};

struct fixture {
	struct room_server *server;
	guint16 port;
	char *url;
	gboolean one_engine;	/* a process has one usrsctp: real ones share */
	struct box boxes[N_BOXES];
};

/* --- setting up ---------------------------------------------------------- */
static inline void start_server(struct fixture *f)
{
	g_autofree char *listen = g_strdup_printf("127.0.0.1:%u", f->port);
	struct room_server_config config = {
		.listen = listen, .app_key = "demo",
	};
	g_autoptr(GError) error = NULL;

	f->server = room_server_new(&config, &error);
	g_assert_no_error(error);
	f->port = room_server_get_port(f->server);
	g_free(f->url);
	f->url = g_strdup_printf("http://127.0.0.1:%u", f->port);
}

static inline void free_event(gpointer data)
{
	struct event *e = data;

	json_object_unref(e->params);
	g_free(e);
}

static inline void set_up(struct fixture *f, gconstpointer data)
{
	start_server(f);
	for (int i = 0; i < N_BOXES; i++)
		f->boxes[i].events = g_ptr_array_new_with_free_func(free_event);
}

static inline void on_event(void *user, const char *name, JsonObject *params)
{
	struct box *b = user;
	struct event *e = g_new0(struct event, 1);

	e->name = name;
	e->params = json_object_ref(params);
	g_ptr_array_add(b->events, e);
	if (b->free_on_join && !strcmp(name, "peerJoined")) {
		room_free(b->room);
		b->room = NULL;
	}
}

static inline void on_codec_use(void *user, enum media_codec codec,
				gboolean took)
{
	struct box *b = user;

	g_assert_cmpint(codec, ==, MEDIA_CODEC_VP8);
	b->taken += took ? 1 : -1;
	b->takes += took;
	g_assert_cmpint(b->taken, >=, 0);
}

/* Every unit of these tests is a keyframe, of one size. */
static inline void on_keyframe(void *user, enum media_codec codec, bool first)
{
}

static inline void on_bitrate(void *user, enum media_codec codec,
			      unsigned int bps)
{
}

static inline gdouble no_jitter(void *user)
{
	return 0;
}

static inline struct box *open_box(struct fixture *f, int i, const char *key,
			    guint max_peers)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8};
	struct box *b = &f->boxes[i];
	struct rtc_engine_config engine = {
		.network.loopback = true, .start_bps = 1000000, .min_bps = 100000,
		.max_bps = 4000000, .request_keyframe = on_keyframe,
		.rung_bitrate = on_bitrate,
	};
	RoomConfig config = {
		.room_server = f->url, .app_key = key, .send_audio = TRUE,
		.send_video = TRUE, .width = 1280, .height = 720, .fps = 30,
		.video_codecs = codecs, .n_video_codecs = 1,
		.max_peers = max_peers, .backoff_ms = 20,
		.backoff_max_ms = 100, .random = no_jitter, .event = on_event,
		.codec_use = on_codec_use, .user = b,
		.no_trickle = b->no_trickle,
		.channel_messages = b->channel_messages,
		.health_ms = b->health_ms,
		.access = b->access,
	};
	g_autoptr(GError) error = NULL;

	for (int k = 0; f->one_engine && k < N_BOXES && !b->engine; k++)
		b->engine = f->boxes[k].engine;
	if (!b->engine)
		b->engine = rtc_engine_new(&engine, &error);
	g_assert_no_error(error);
	if (b->engine_made)
		b->engine_made(b->engine);
	config.engine = b->engine;
	b->room = room_new(&config, &error);
	g_assert_no_error(error);
	return b;
}

static inline struct box *join(struct fixture *f, int i)
{
	struct box *b = open_box(f, i, "demo", 0);
	g_autoptr(GError) error = NULL;

	g_assert_true(room_join(b->room, "lobby", &error));
	g_assert_no_error(error);
	return b;
}

static inline void tear_down(struct fixture *f, gconstpointer data)
{
	for (int i = 0; i < N_BOXES; i++) {
		struct box *b = &f->boxes[i];

		room_free(b->room);
		g_assert_cmpint(b->taken, ==, 0);
		g_ptr_array_unref(b->events);
	}
	for (int i = 0; i < N_BOXES; i++) {
		struct rtc_engine *engine = f->boxes[i].engine;

		for (int k = i; k < N_BOXES; k++)
			if (f->boxes[k].engine == engine)
				f->boxes[k].engine = NULL;
		rtc_engine_free(engine);
	}
	/* goodbyes leave while the server is there to answer them */
	for (int i = 0; i < 50; i++)
		g_main_context_iteration(NULL, FALSE);
	room_server_free(f->server);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_free(f->url);
}

/* --- waiting ------------------------------------------------------------- */
static inline gboolean on_deadline(gpointer data)
{
	g_error("waited in vain");
	return G_SOURCE_REMOVE;
}

#define WAIT(condition)                                                        \
	do {                                                                   \
		guint deadline = g_timeout_add_seconds(60, on_deadline, NULL); \
									       \
		while (!(condition))                                           \
			g_main_context_iteration(NULL, TRUE);                  \
		g_source_remove(deadline);                                     \
	} while (0)

static inline guint count(struct box *b, const char *name)
{
	guint n = 0;

	for (guint i = 0; i < b->events->len; i++)
		n += !strcmp(((struct event *) b->events->pdata[i])->name,
			     name);
	return n;
}

/* The last event of this name whose member has this text. */
static inline JsonObject *find(struct box *b, const char *name, const char *member,
			const char *text)
{
	for (guint i = b->events->len; i-- > 0;) {
		struct event *e = b->events->pdata[i];

		if (!strcmp(e->name, name) &&
		    (!member ||
		     !g_strcmp0(json_object_get_string_member_with_default(
					e->params, member, NULL), text)))
			return e->params;
	}
	return NULL;
}

static inline char *sid(struct box *b)
{
	g_autoptr(JsonNode) node = room_describe(b->room);

	return g_strdup(json_object_get_string_member_with_default(
		json_node_get_object(node), "sid", ""));
}

static inline gint64 described(struct box *b, const char *member)
{
	g_autoptr(JsonNode) node = room_describe(b->room);

	return json_object_get_int_member(json_node_get_object(node), member);
}

static inline gboolean in_room(struct box *b)
{
	g_autoptr(JsonNode) node = room_describe(b->room);

	return !strcmp(json_object_get_string_member(
			       json_node_get_object(node), "state"), "inRoom");
}

static inline gboolean is_open_event(const struct event *e, const char *id)
{
	return !strcmp(e->name, "dataChannelState") &&
	       !strcmp(json_object_get_string_member(e->params, "peerId"),
		       id) &&
	       !strcmp(json_object_get_string_member(e->params, "state"),
		       "open");
}

static inline gboolean open_to(struct box *b, struct box *other)
{
	g_autofree char *id = sid(other);

	for (guint i = 0; *id && i < b->events->len; i++)
		if (is_open_event(b->events->pdata[i], id))
			return TRUE;
	return FALSE;
}

static inline void meet(struct box *a, struct box *b)
{
	WAIT(open_to(a, b) && open_to(b, a));
}

static inline guint progress(struct box *b, const char *state)
{
	guint n = 0;

	for (guint i = 0; i < b->events->len; i++) {
		struct event *e = b->events->pdata[i];

		n += !strcmp(e->name, "handshakeProgress") &&
		     !strcmp(json_object_get_string_member(e->params, "state"),
			     state);
	}
	return n;
}

