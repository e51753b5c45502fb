// SPDX-License-Identifier: Apache-2.0
/* tests/bench-channel.c - one end of a data channel, to be measured
 *
 *   bench-channel offer|answer
 *
 * Speaks to whoever started it in lines; descriptions are base64:
 *
 *   out: sdp TEXT		ours, with all candidates
 *   in:  sdp TEXT		theirs
 *   out: open			the channel is
 *   in:  expect BYTES
 *   out: ready			and when they have come:
 *   out: received BYTES SECONDS CPU_SECONDS PEAK_KB
 *   in:  send BYTES SIZE	messages of SIZE bytes; when all were taken:
 *   out: sent BYTES SECONDS CPU_SECONDS PEAK_KB
 *   in:  cpu			the same once more, as
 *   out: cpu BYTES SECONDS CPU_SECONDS PEAK_KB
 *   in:  (end)			good-bye
 *
 * CPU is the whole process's, user and system, between the first byte and the
 * last. What was taken has not arrived yet: `cpu` asks a sender again, when the
 * other end has said that all is there.
 *
 * Thread:  control
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <gio/gio.h>
#include <gio/gunixinputstream.h>

#include "webrtc/rtc.h"

struct end {
	GMainLoop *loop;
	GDataInputStream *in;
	struct rtc_engine *engine;
	struct rtc_peer *peer;
	bool offers, described, gathered, told;
	int channel;			/* -1: none yet */

	uint64_t expected, received;
	uint64_t to_send, sent;
	size_t size;
	uint8_t *data;
	gint64 start_us;
	double start_cpu;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void begin(struct end *e)
{
	e->start_us = g_get_monotonic_time();
	e->start_cpu = cpu_seconds();
}

static void report(struct end *e, const char *what, uint64_t bytes)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%s %llu %.6f %.6f %ld\n", what, (unsigned long long) bytes,
	       (double) (g_get_monotonic_time() - e->start_us) / 1e6,
	       cpu_seconds() - e->start_cpu, usage.ru_maxrss);
	fflush(stdout);
}

static void tell_sdp(struct end *e)
{
	g_autofree char *sdp = NULL, *text = NULL;

	if (!e->gathered || !e->described || e->told)
		return;
	e->told = true;
	sdp = rtc_peer_get_local_sdp(e->peer);
	text = g_base64_encode((const guchar *) sdp, strlen(sdp));
	printf("sdp %s\n", text);
	fflush(stdout);
}

/* --- what the peer tells -------------------------------------------------- */
static void on_candidate(void *user, const char *mid, unsigned int mline,
			 const char *candidate)
{
}

static void on_gathered(void *user)
{
	struct end *e = user;

	e->gathered = true;
	tell_sdp(e);
}

static void on_ice_state(void *user, enum rtc_ice_state state)
{
}

static void on_state(void *user, enum rtc_state state, const char *detail)
{
	struct end *e = user;

	if (state < RTC_STATE_FAILED)
		return;
	fprintf(stderr, "bench-channel: %s\n", detail ? detail : "closed");
	g_main_loop_quit(e->loop);
}

static void on_open(void *user, uint16_t channel, const char *label,
		    bool remote)
{
	struct end *e = user;

	e->channel = channel;
	printf("open\n");
	fflush(stdout);
}

static void on_message(void *user, uint16_t channel, bool text,
		       const uint8_t *data, size_t len)
{
	struct end *e = user;

	if (!e->expected)
		return;
	if (!e->received)
		begin(e);
	e->received += len;
	if (e->received < e->expected)
		return;
	report(e, "received", e->received);
	e->expected = e->received = 0;
}

static void on_closed(void *user, uint16_t channel)
{
}

static void send_more(struct end *e)
{
	while (e->sent < e->to_send) {
		size_t len = MIN(e->size, e->to_send - e->sent);

		if (rtc_peer_send(e->peer, (uint16_t) e->channel, false,
				  e->data, len) < 0)
			return;
		e->sent += len;
	}
	if (!e->to_send)
		return;
	report(e, "sent", e->sent);
	e->to_send = 0;
}

static void on_writable(void *user, uint16_t channel)
{
	send_more(user);
}

static void on_media(void *user, const char *audio, const char *video)
{
}

static const struct rtc_peer_ops ops = {
	.local_candidate = on_candidate,
	.gathering_done = on_gathered,
	.ice_state = on_ice_state,
	.state = on_state,
	.channel_open = on_open,
	.channel_message = on_message,
	.channel_closed = on_closed,
	.channel_writable = on_writable,
	.remote_media = on_media,
};

/* --- what the script asks for --------------------------------------------- */
static void take_sdp(struct end *e, const char *text)
{
	gsize len;
	g_autofree char *sdp = (char *) g_base64_decode(text, &len);
	g_autofree char *full = g_strndup(sdp, len);
	g_autofree char *answer = NULL;
	g_autoptr(GError) error = NULL;

	if (e->offers)
		rtc_peer_accept_answer(e->peer, full, &error);
	else
		answer = rtc_peer_accept_offer(e->peer, full, &error);
	if (error)
		g_error("%s", error->message);
	e->described = true;
	tell_sdp(e);
}

static void take_send(struct end *e, const char *args)
{
	unsigned long long total, size;

	if (sscanf(args, "%llu %llu", &total, &size) != 2 || !size)
		g_error("send BYTES SIZE");
	g_free(e->data);
	e->data = g_malloc0(size);
	e->size = size;
	e->to_send = total;
	e->sent = 0;
	begin(e);
	send_more(e);
}

static void take_line(struct end *e, const char *line)
{
	if (g_str_has_prefix(line, "sdp ")) {
		take_sdp(e, line + 4);
	} else if (g_str_has_prefix(line, "expect ")) {
		e->expected = strtoull(line + 7, NULL, 10);
		e->received = 0;
		printf("ready\n");
		fflush(stdout);
	} else if (g_str_has_prefix(line, "send ")) {
		take_send(e, line + 5);
	} else if (!strcmp(line, "cpu")) {
		report(e, "cpu", e->sent);
	} else {
		g_error("what is \"%s\"?", line);
	}
}

static void read_line(struct end *e);

static void on_line(GObject *source, GAsyncResult *result, gpointer user)
{
	struct end *e = user;
	g_autofree char *line = g_data_input_stream_read_line_finish(
		G_DATA_INPUT_STREAM(source), result, NULL, NULL);

	if (!line) {
		g_main_loop_quit(e->loop);
		return;
	}
	take_line(e, line);
	read_line(e);
}

static void read_line(struct end *e)
{
	g_data_input_stream_read_line_async(e->in, G_PRIORITY_DEFAULT, NULL,
					    on_line, e);
}

static void on_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void on_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
}

static void start(struct end *e)
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8};
	struct rtc_engine_config engine = {
		.network.loopback = true, .start_bps = 1000000, .min_bps = 100000,
		.max_bps = 4000000, .request_keyframe = on_keyframe,
		.rung_bitrate = on_bitrate,
	};
	struct rtc_peer_config config = {
		.name = "bench", .stream_id = "bench", .video_codecs = codecs,
		.n_video_codecs = 1, .ops = &ops, .user = e,
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *offer = NULL;

	e->engine = rtc_engine_new(&engine, &error);
	if (e->engine)
		e->peer = rtc_peer_new(e->engine, &config, &error);
	if (e->peer && e->offers &&
	    rtc_peer_open_channel(e->peer, "bench", &error))
		offer = rtc_peer_create_offer(e->peer, false, &error);
	if (error)
		g_error("%s", error->message);
	e->described = offer != NULL;
}

int main(int argc, char **argv)
{
	struct end e = {.channel = -1};
	g_autoptr(GInputStream) in = g_unix_input_stream_new(0, FALSE);

	if (argc != 2 || (strcmp(argv[1], "offer") && strcmp(argv[1], "answer"))) {
		fprintf(stderr, "usage: bench-channel offer|answer\n");
		return 2;
	}
	e.offers = !strcmp(argv[1], "offer");
	e.loop = g_main_loop_new(NULL, FALSE);
	e.in = g_data_input_stream_new(in);
	start(&e);
	read_line(&e);
	g_main_loop_run(e.loop);
	rtc_peer_free(e.peer);
	rtc_engine_free(e.engine);
	g_object_unref(e.in);
	g_main_loop_unref(e.loop);
	g_free(e.data);
	return 0;
}
