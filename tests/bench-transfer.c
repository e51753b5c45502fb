// SPDX-License-Identifier: Apache-2.0
/* tests/bench-transfer.c - an appliance in a room that sends and takes data, to
 * be measured
 *
 *   bench-transfer SERVER APP_KEY ROOM
 *
 * Accepts whatever is offered and forgets it. In lines:
 *
 *   out: peer ID			a peer's messaging channel is open
 *   in:  send BYTES [string]	to all
 *   out: STATE BYTES SECONDS CPU_SECONDS PEAK_KB	a transfer has ended:
 *	  uploadCompleted, downloadCompleted, rejected, cancel, error; since it
 *	  began
 *   in:  (end)			good-bye
 *
 * What is sent is checked by nobody here; tests do that.
 *
 * Thread:  control
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <gio/gio.h>
#include <gio/gunixinputstream.h>

#include "appliance/room/room.h"

struct bench {
	GMainLoop *loop;
	GDataInputStream *in;
	struct rtc_engine *engine;
	Room *room;
	gint64 start_us;
	double start_cpu;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* --- data that is nobody's ------------------------------------------------ */
static gssize read_nothing(void *user, guint64 offset, guint8 *buf, gsize len)
{
	memset(buf, (int) (offset >> 16), len);
	return (gssize) len;
}

static int write_nothing(void *user, const guint8 *data, gsize len)
{
	return 0;
}

static void finish_nothing(void *user,
			   void (*done)(void *done_user, JsonObject *info,
					const GError *error),
			   void *done_user)
{
	done(done_user, NULL, NULL);
}

/* --- events ---------------------------------------------------------------- */
static void accept_request(struct bench *b, JsonObject *params)
{
	TransferSink sink = {write_nothing, finish_nothing, NULL, NULL};
	g_autoptr(GError) error = NULL;

	if (json_object_get_boolean_member(params, "isSelf"))
		return;
	room_accept_transfer(
		b->room, json_object_get_string_member(params, "peerId"),
		json_object_get_string_member(params, "transferId"), sink,
		&error);
	if (error)
		g_error("%s", error->message);
}

static void take_state(struct bench *b, JsonObject *params)
{
	static const char *const ends[] = {"uploadCompleted",
					   "downloadCompleted", "rejected",
					   "cancel", "error", NULL};
	const char *state = json_object_get_string_member(params, "state");
	JsonObject *info =
		json_object_get_object_member(params, "transferInfo");
	struct rusage usage;

	if (g_str_has_suffix(state, "Started")) {
		b->start_us = g_get_monotonic_time();
		b->start_cpu = cpu_seconds();
	}
	if (!g_strv_contains(ends, state))
		return;
	getrusage(RUSAGE_SELF, &usage);
	printf("%s %lld %.6f %.6f %ld\n", state,
	       (long long) json_object_get_int_member_with_default(info, "size",
								   0),
	       (double) (g_get_monotonic_time() - b->start_us) / 1e6,
	       cpu_seconds() - b->start_cpu, usage.ru_maxrss);
	fflush(stdout);
}

static void on_event(void *user, const char *name, JsonObject *params)
{
	struct bench *b = user;

	if (!strcmp(name, "incomingDataRequest")) {
		accept_request(b, params);
	} else if (!strcmp(name, "dataTransferState")) {
		take_state(b, params);
	} else if (!strcmp(name, "dataChannelState") &&
		   !strcmp(json_object_get_string_member(params, "channelType"),
			   "messaging") &&
		   !strcmp(json_object_get_string_member(params, "state"),
			   "open")) {
		printf("peer %s\n",
		       json_object_get_string_member(params, "peerId"));
		fflush(stdout);
	}
}

/* --- commands --------------------------------------------------------------- */
static void take_line(struct bench *b, const char *line)
{
	TransferSource source = {read_nothing, NULL, NULL};
	RoomTransferOffer offer = {.name = "bench.bin"};
	g_autoptr(GError) error = NULL;

	if (!g_str_has_prefix(line, "send "))
		g_error("what is \"%s\"?", line);
	offer.size = strtoull(line + 5, NULL, 10);
	offer.string_chunks = g_str_has_suffix(line, " string");
	if (!room_send_data(b->room, &offer, source, NULL, NULL, &error))
		g_error("%s", error->message);
}

static void read_line(struct bench *b);

static void on_line(GObject *source, GAsyncResult *result, gpointer user)
{
	struct bench *b = user;
	g_autofree char *line = g_data_input_stream_read_line_finish(
		G_DATA_INPUT_STREAM(source), result, NULL, NULL);

	if (!line) {
		g_main_loop_quit(b->loop);
		return;
	}
	take_line(b, line);
	read_line(b);
}

static void read_line(struct bench *b)
{
	g_data_input_stream_read_line_async(b->in, G_PRIORITY_DEFAULT, NULL,
					    on_line, b);
}

static void on_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void on_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
}

static void start(struct bench *b, char **argv)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8};
	struct rtc_engine_config engine = {
		.network.loopback = true, .start_bps = 1000000, .min_bps = 100000,
		.max_bps = 4000000, .request_keyframe = on_keyframe,
		.rung_bitrate = on_bitrate,
	};
	RoomConfig config = {
		.room_server = argv[1], .app_key = argv[2],
		.video_codecs = codecs, .n_video_codecs = 1,
		.event = on_event, .user = b,
	};
	g_autoptr(GError) error = NULL;

	b->engine = rtc_engine_new(&engine, &error);
	config.engine = b->engine;
	if (b->engine)
		b->room = room_new(&config, &error);
	if (b->room)
		room_join(b->room, argv[3], &error);
	if (error)
		g_error("%s", error->message);
}

int main(int argc, char **argv)
{
	g_autoptr(GInputStream) in = g_unix_input_stream_new(0, FALSE);
	struct bench b = {0};

	if (argc != 4) {
		fprintf(stderr, "usage: bench-transfer SERVER APP_KEY ROOM\n");
		return 2;
	}
	b.loop = g_main_loop_new(NULL, FALSE);
	b.in = g_data_input_stream_new(in);
	start(&b, argv);
	read_line(&b);
	g_main_loop_run(b.loop);
	room_free(b.room);
	rtc_engine_free(b.engine);
	g_object_unref(b.in);
	g_main_loop_unref(b.loop);
	return 0;
}
