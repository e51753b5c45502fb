// SPDX-License-Identifier: Apache-2.0
/* tests/join-churn.c - joins a room and leaves it again, many times
 *
 *   join-churn SERVER APP_KEY ROOM [TIMES]
 *
 * Each time a new room with a new identity joins, waits for a picture's and a
 * sound's packets of the first peer that sends, and goes: by turns it says so
 * (leaveRoom) or just drops everything. One line of JSON at the end: how often
 * media came, and how long it took. Exit status 0 when it came every time.
 * Without TIMES each line of standard input is a number of times, answered
 * with a line: what one process has after many of them can be seen then.
 *
 * Thread:  control for the room, network for what arrives
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "appliance/room/room.h"

#define GIVE_UP_MS 60000	/* for one turn; slow is no failure */
#define TIMES_MAX  1000000

struct churn {
	GMainContext *context;
	char line[32];		/* of standard input, as far as it has come */
	size_t len;
	gboolean ended;		/* no more of it */
	gint audio, video;	/* atomic: packets of this turn */
};

static void on_media(void *user, const char *peer_name,
		     const struct rtc_media_packet *p)
{
	struct churn *c = user;

	g_atomic_int_inc(p->codec == MEDIA_CODEC_OPUS ? &c->audio : &c->video);
	g_main_context_wakeup(c->context);
}

static void on_event(void *user, const char *name, JsonObject *params)
{
}

static void no_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void no_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
}

static gboolean wake(gpointer user)
{
	return G_SOURCE_CONTINUE;
}

/* Return: milliseconds to the first picture and sound, or -1. */
static gint64 turn(struct churn *c, const RoomConfig *config,
		   const char *name, gboolean polite)
{
	gint64 start = g_get_monotonic_time();
	gint64 deadline = start + GIVE_UP_MS * G_TIME_SPAN_MILLISECOND;
	gint64 took = -1;
	GError *error = NULL;
	Room *room = room_new(config, &error);

	g_atomic_int_set(&c->audio, 0);
	g_atomic_int_set(&c->video, 0);
	if (!room || !room_join(room, name, &error)) {
		fprintf(stderr, "join-churn: %s\n", error->message);
		exit(2);
	}
	while (took < 0 && g_get_monotonic_time() < deadline) {
		g_main_context_iteration(c->context, TRUE);
		if (g_atomic_int_get(&c->audio) && g_atomic_int_get(&c->video))
			took = (g_get_monotonic_time() - start) /
				G_TIME_SPAN_MILLISECOND;
	}
	if (polite)
		room_leave(room);
	room_free(room);
	return took;
}

static int by_value(const void *a, const void *b)
{
	gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

	return (x > y) - (x < y);
}

/* Return: whether media came each time. */
static gboolean times(struct churn *c, RoomConfig *room, const char *name,
		      unsigned int n)
{
	static const enum media_codec codecs[] = { MEDIA_CODEC_H264,
						   MEDIA_CODEC_VP8 };
	g_autofree gint64 *took = g_new0(gint64, n);
	unsigned int n_took = 0;

	for (unsigned int i = 0; i < n; i++) {
		gint64 ms;

		/* By turns the two codecs, each with both ways to go. */
		room->video_codecs = codecs + i / 2 % 2;
		room->n_video_codecs = 1;
		ms = turn(c, room, name, i % 2 == 0);
		if (ms >= 0)
			took[n_took++] = ms;
	}
	qsort(took, n_took, sizeof(*took), by_value);
	printf("{\"times\":%u,\"media\":%u,\"ms_median\":%d,\"ms_p95\":%d}\n",
	       n, n_took, n_took ? (int) took[n_took / 2] : 0,
	       n_took ? (int) took[n_took * 95 / 100] : 0);
	fflush(stdout);
	return n_took == n;
}

/* 0: no number of times that can be meant. */
static unsigned int read_times(const char *text)
{
	return (unsigned int) CLAMP(atoi(text), 0, TIMES_MAX);
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer user)
{
	struct churn *c = user;
	ssize_t n = read(fd, c->line + c->len, sizeof(c->line) - 1 - c->len);

	c->len += (size_t) MAX(n, 0);
	c->line[c->len] = '\0';
	/* a line that does not fit is none */
	c->ended = n <= 0 || c->len == sizeof(c->line) - 1;
	return !c->ended;
}

/* The loop goes on meanwhile: the last room's connections have to end.
 * Return: 0 at the end of input. */
static unsigned int next_times(struct churn *c)
{
	unsigned int n = 0;

	while (!c->ended && !strchr(c->line, '\n'))
		g_main_context_iteration(c->context, TRUE);
	if (!c->ended)
		n = read_times(c->line);
	c->line[0] = '\0';
	c->len = 0;
	return n;
}

int main(int argc, char *argv[])
{
	struct churn c = { .context = g_main_context_default() };
	struct rtc_engine_config engine = {
		.network.loopback = true,
		.start_bps = 1000000,
		.min_bps = 100000,
		.max_bps = 5000000,
		.request_keyframe = no_keyframe,
		.rung_bitrate = no_bitrate,
		.media_packet = on_media,
		.user = &c,
	};
	RoomConfig room = {
		.event = on_event,
		.user = &c,
	};
	unsigned int n = argc == 5 ? read_times(argv[4]) : 0;
	gboolean ok = TRUE;
	GError *error = NULL;
	GSource *clock;

	if (argc != 4 && !n) {
		fprintf(stderr,
			"usage: join-churn SERVER APP_KEY ROOM [TIMES]\n");
		return 2;
	}
	room.engine = rtc_engine_new(&engine, &error);
	if (!room.engine) {
		fprintf(stderr, "join-churn: %s\n", error->message);
		return 2;
	}
	room.room_server = argv[1];
	room.app_key = argv[2];
	/* So that a turn without any event ends, too. */
	clock = g_timeout_source_new(100);
	g_source_set_callback(clock, wake, NULL, NULL);
	g_source_attach(clock, c.context);

	if (n)
		ok = times(&c, &room, argv[3], n);
	else
		g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, &c);
	while (argc == 4 && ok && (n = next_times(&c)))
		ok = times(&c, &room, argv[3], n);
	g_source_destroy(clock);
	g_source_unref(clock);
	rtc_engine_free(room.engine);
	return ok ? 0 : 1;
}
