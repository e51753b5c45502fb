// SPDX-License-Identifier: Apache-2.0
/* tests/bench-receivers.c - many cheap peers that only count
 *
 *   bench-receivers SERVER APP_KEY ROOM N [h264|vp8]
 *
 * N peers in one process join one after the other, each with one connection
 * (max_peers 1: they refuse one another, so there is no mesh), and receive
 * without decoding. "ready N" is printed when all are connected; then, until
 * the end of input, every line read is answered with a line of JSON: packets
 * and bytes received in all.
 *
 * Thread:  control for the rooms, network for what arrives
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib-unix.h>

#include "appliance/room/room.h"

#define RECEIVERS_MAX 128
#define JOIN_MAX_S    60 /* for each */

struct receivers {
	GMainLoop *loop;
	struct rtc_engine *engine;
	RoomConfig config;
	const char *room_name;
	Room *rooms[RECEIVERS_MAX];
	unsigned int n, n_wanted;
	guint watchdog;
	int status;
	atomic_ullong packets, bytes; /* network counts */
};

static void join_next(struct receivers *r);

static void on_media(void *user, const char *peer_name,
		     const struct rtc_media_packet *p)
{
	struct receivers *r = user;

	atomic_fetch_add_explicit(&r->packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&r->bytes, p->len, memory_order_relaxed);
}

static void no_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void no_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
}

static void on_event(void *user, const char *name, JsonObject *params)
{
	struct receivers *r = user;

	if (strcmp(name, "peerJoined") ||
	    json_object_get_boolean_member(params, "isSelf"))
		return;
	if (r->n < r->n_wanted) {
		join_next(r);
		return;
	}
	g_clear_handle_id(&r->watchdog, g_source_remove);
	printf("ready %u\n", r->n);
	fflush(stdout);
}

static gboolean give_up(gpointer data)
{
	struct receivers *r = data;

	fprintf(stderr, "bench-receivers: %u of %u joined\n", r->n - 1,
		r->n_wanted);
	r->status = 1;
	r->watchdog = 0;
	g_main_loop_quit(r->loop);
	return G_SOURCE_REMOVE;
}

static void join_next(struct receivers *r)
{
	g_autoptr(GError) error = NULL;
	Room *room = room_new(&r->config, &error);

	g_clear_handle_id(&r->watchdog, g_source_remove);
	r->watchdog = g_timeout_add_seconds(JOIN_MAX_S, give_up, r);
	if (room)
		r->rooms[r->n++] = room;
	if (!room || !room_join(room, r->room_name, &error)) {
		fprintf(stderr, "bench-receivers: %s\n", error->message);
		r->status = 1;
		g_main_loop_quit(r->loop);
	}
}

static gboolean on_input(int fd, GIOCondition condition, gpointer data)
{
	struct receivers *r = data;
	char text[256];

	if (read(fd, text, sizeof(text)) <= 0) {
		g_main_loop_quit(r->loop);
		return G_SOURCE_REMOVE;
	}
	printf("{\"packets\":%llu,\"bytes\":%llu}\n",
	       (unsigned long long) atomic_load(&r->packets),
	       (unsigned long long) atomic_load(&r->bytes));
	fflush(stdout);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char *argv[])
{
	enum media_codec codec = MEDIA_CODEC_H264;
	struct receivers r = {0};
	struct rtc_engine_config engine = {
		.network.loopback = true,
		.max_peers = RECEIVERS_MAX,
		.start_bps = 1000000,
		.min_bps = 100000,
		.max_bps = 5000000,
		.request_keyframe = no_keyframe,
		.rung_bitrate = no_bitrate,
		.media_packet = on_media,
		.user = &r,
	};
	g_autoptr(GError) error = NULL;

	if (argc < 5 || atoi(argv[4]) < 1 || atoi(argv[4]) > RECEIVERS_MAX) {
		fprintf(stderr,
			"usage: bench-receivers SERVER APP_KEY ROOM N "
			"[h264|vp8]\n");
		return 2;
	}
	if (argc > 5 && !strcmp(argv[5], "vp8"))
		codec = MEDIA_CODEC_VP8;
	r.n_wanted = (unsigned int) atoi(argv[4]);
	r.room_name = argv[3];
	r.loop = g_main_loop_new(NULL, FALSE);
	r.engine = rtc_engine_new(&engine, &error);
	if (!r.engine) {
		fprintf(stderr, "bench-receivers: %s\n", error->message);
		return 1;
	}
	r.config = (RoomConfig){
		.engine = r.engine,
		.room_server = argv[1],
		.app_key = argv[2],
		.video_codecs = &codec,
		.n_video_codecs = 1,
		.max_peers = 1,
		.event = on_event,
		.user = &r,
	};
	g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, &r);
	join_next(&r);
	g_main_loop_run(r.loop);
	for (unsigned int i = 0; i < r.n; i++)
		room_free(r.rooms[i]);
	rtc_engine_free(r.engine);
	return r.status;
}
