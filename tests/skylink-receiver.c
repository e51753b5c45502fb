// SPDX-License-Identifier: Apache-2.0
/* tests/skylink-receiver.c - a peer that looks and listens, and says what it
 * saw and heard
 *
 *   skylink-receiver [OPTIONS] SERVER APP_KEY ROOM SECONDS [h264|vp8]
 *
 *   --daemon SOCKET   ask the sender's control socket at the first picture and
 *                     at the end: "captured" is what it captured in between,
 *                     "decoded" what was decoded, "status" its last answer
 *   --at N:COMMAND    run COMMAND with sh when N pictures were decoded; several
 *
 * Joins the room as a second appliance, decodes every picture and every sound
 * of every peer that sends, reads the test picture's barcode, and after SECONDS
 * of received video, or SIGTERM, prints one line of JSON: frames and units seen,
 * barcodes in order or not, the most of them left out at once, latency, sequence
 * gaps (in each sender's own packets), mean luma, pictures with eight bars of
 * falling brightness, how often barcodes came and went, and the strongest tone.
 * Exit status 0 when pictures were decoded.
 *
 * Thread:  control for the room, network for what arrives (decoded there:
 *          a test receiver may)
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib-unix.h>
#include <libavcodec/avcodec.h>

#include "appliance/ctl/ctl-client.h"
#include "appliance/room/room.h"
#include "media/barcode.h"
#include "webrtc/depacketize.h"
#include "webrtc/rtp.h"

#define UNIT_MAX_BYTES (2u << 20)
#define LATENCIES_MAX  65536
#define GIVE_UP_S      60	/* beyond the seconds asked for */
#define TONE_SAMPLES   9600	/* 200 ms at 48 kHz */
#define ASK_MS	       10000
#define ORDERS_MAX     8
#define COMPLAINTS_MAX 20
#define SENDERS_MAX    8	/* connections in one run */
#define N_BARS	       8
#define BAR_STEP       4	/* each darker than the one before, by more */

struct decoder {
	AVCodecContext *ctx;
	AVPacket *packet;
	AVFrame *frame;
};

/* Something to do when so many pictures were decoded. */
struct order {
	unsigned int frames;
	const char *command;
	bool given;
};

/* Of the sound's packets. */
struct rtp_order {
	uint32_t timestamp;
	uint16_t next_seq;
	bool known;
	unsigned int gaps, times_back;
};

/* One connection: a box that joins anew comes by another name, and both may
 * bring pictures for a moment. Each has its own numbers and its own decoder. */
struct sender {
	char *name;
	struct rtp_order sound;
	struct decoder video;
	enum media_codec codec;
	uint8_t *unit;
	struct depacketizer depacketizer;
	bool in_unit, broken;
	uint32_t timestamp;
	uint16_t next_seq;
	bool seq_known;
	uint64_t unit_us;		/* when the last one came */
	unsigned int units, damaged, gaps;
	unsigned int times_back;	/* units whose RTP time did not rise */
};

struct receiver {
	GMainLoop *loop;
	Room *room;
	struct rtc_engine *engine;
	unsigned int seconds;

	/* control */
	const char *socket;		/* the sender's; NULL: nobody is asked */
	struct ctl_client *control;
	JsonNode *status;		/* the last answer */
	struct order orders[ORDERS_MAX];
	unsigned int n_orders;
	bool asked;
	gint64 captured_first, captured_last;
	int decoded_first, decoded_last;

	/* network */
	struct sender senders[SENDERS_MAX];
	unsigned int n_senders;
	struct decoder audio;
	const char *codec;		/* of the first picture; "": none */
	uint64_t longest_us;		/* between two units of one sender */
	uint64_t first_us, last_us;
	unsigned int frames, barcodes, not_increasing;
	unsigned int hole;		/* the most numbers left out at once */
	unsigned int audio_packets, width, height;
	struct barcode last, first;
	unsigned int barred;		/* pictures with the bars in them */
	unsigned int barcode_runs;	/* of pictures that had one */
	unsigned int without_barcode;	/* pictures between such runs */
	unsigned int missing;		/* since the last one */
	unsigned int repeated;		/* the same number once more: a sender
					 * gives who joins what there is */
	gint n_seen;			/* frames; atomic */
	double luma;			/* mean of the last picture */
	double luma_min, luma_max;	/* over pictures */
	uint32_t *latency_100us;
	unsigned int n_latencies;
	float tone[TONE_SAMPLES];
	unsigned int n_tone;
	double tone_hz, tone_level;
	gint done;			/* atomic */
};

static void open_decoder(struct decoder *d, enum AVCodecID id)
{
	const AVCodec *codec = avcodec_find_decoder(id);

	d->ctx = avcodec_alloc_context3(codec);
	d->ctx->flags |= AV_CODEC_FLAG_LOW_DELAY;
	d->ctx->thread_count = 1;
	if (id == AV_CODEC_ID_OPUS) {
		d->ctx->sample_rate = 48000;
		av_channel_layout_default(&d->ctx->ch_layout, 1);
	}
	d->packet = av_packet_alloc();
	d->frame = av_frame_alloc();
	if (!codec || avcodec_open2(d->ctx, codec, NULL) < 0) {
		fprintf(stderr, "no decoder\n");
		exit(2);
	}
}

static void close_decoder(struct decoder *d)
{
	avcodec_free_context(&d->ctx);
	av_packet_free(&d->packet);
	av_frame_free(&d->frame);
}

static uint32_t wall_100us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint32_t) ((uint64_t) t.tv_sec * 10000 +
			   (uint64_t) t.tv_nsec / 100000);
}

/* The classical bars: each darker than the one on its left. */
static bool has_bars(const AVFrame *f)
{
	double last = 1000;

	for (int bar = 0; bar < N_BARS; bar++) {
		int x0 = (4 * bar + 1) * f->width / (4 * N_BARS);
		int x1 = (4 * bar + 3) * f->width / (4 * N_BARS);
		unsigned int n = 0;
		double sum = 0;

		for (int y = f->height / 4; y < f->height * 3 / 4; y += 2) {
			for (int x = x0; x < x1; x += 2, n++)
				sum += f->data[0][y * f->linesize[0] + x];
		}
		if (!n || sum / n > last - BAR_STEP)
			return false;
		last = sum / n;
	}
	return true;
}

static void note_disorder(struct receiver *r, uint16_t number)
{
	if (r->not_increasing++ < COMPLAINTS_MAX)
		fprintf(stderr, "picture %u has number %u, after %u; %u had "
			"none in between\n", r->frames, number, r->last.number,
			r->missing);
}

static void look_at(struct receiver *r, const AVFrame *f)
{
	uint64_t sum = 0, n = 0;
	struct barcode b;

	r->frames++;
	r->width = (unsigned int) f->width;
	r->height = (unsigned int) f->height;
	for (int y = 32; y < f->height; y += 4) {
		for (int x = 0; x < f->width; x += 4, n++)
			sum += f->data[0][y * f->linesize[0] + x];
	}
	r->luma = n ? (double) sum / (double) n : 0;
	if (r->frames == 1 || r->luma < r->luma_min)
		r->luma_min = r->luma;
	if (r->frames == 1 || r->luma > r->luma_max)
		r->luma_max = r->luma;

	r->barred += has_bars(f);
	g_atomic_int_inc(&r->n_seen);

	if (barcode_read(f->data[0], f->linesize[0], r->width, r->height, &b) <
	    0) {
		r->missing++;
		return;
	}
	if (!r->barcodes || r->missing)
		r->barcode_runs++;
	if (r->barcodes)
		r->without_barcode += r->missing;
	if (!r->barcodes)
		r->first = b;
	else if (b.number == r->last.number)
		r->repeated++;
	else if (!rtp_seq_newer(b.number, r->last.number))
		note_disorder(r, b.number);
	else
		r->hole = MAX(r->hole, (uint16_t) (b.number - r->last.number) -
				       1u);
	r->missing = 0;
	r->barcodes++;
	r->last = b;
	if (r->n_latencies < LATENCIES_MAX)
		r->latency_100us[r->n_latencies++] =
			wall_100us() - b.wall_100us;
}

static void decode_video(struct receiver *r, struct sender *s)
{
	struct decoder *d = &s->video;

	s->units++;
	d->packet->data = s->unit;
	d->packet->size = (int) s->depacketizer.len;
	memset(s->unit + s->depacketizer.len, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	if (avcodec_send_packet(d->ctx, d->packet) < 0)
		s->damaged++;
	while (avcodec_receive_frame(d->ctx, d->frame) == 0)
		look_at(r, d->frame);
}

/* The strongest of the frequencies 100, 110, ... 2000 Hz in 200 ms of sound. */
static void find_tone(struct receiver *r)
{
	double best = 0, best_hz = 0;

	for (double hz = 100; hz <= 2000; hz += 10) {
		double w = 2 * G_PI * hz / 48000, c = 2 * cos(w);
		double s0, s1 = 0, s2 = 0, power;

		for (unsigned int i = 0; i < TONE_SAMPLES; i++) {
			s0 = r->tone[i] + c * s1 - s2;
			s2 = s1;
			s1 = s0;
		}
		power = s1 * s1 + s2 * s2 - c * s1 * s2;
		if (power > best) {
			best = power;
			best_hz = hz;
		}
	}
	best = 2 * sqrt(best) / TONE_SAMPLES;
	if (best > r->tone_level) {
		r->tone_level = best;
		r->tone_hz = best_hz;
	}
	r->n_tone = 0;
}

static void decode_audio(struct receiver *r, struct rtp_order *sound,
			 const struct rtc_media_packet *p)
{
	AVFrame *f = r->audio.frame;

	r->audio_packets++;
	sound->gaps += sound->known && p->seq != sound->next_seq;
	sound->times_back += sound->known &&
		(int32_t) (p->timestamp - sound->timestamp) <= 0;
	sound->known = true;
	sound->next_seq = (uint16_t) (p->seq + 1);
	sound->timestamp = p->timestamp;
	r->audio.packet->data = (uint8_t *) p->payload;
	r->audio.packet->size = (int) p->len;
	if (avcodec_send_packet(r->audio.ctx, r->audio.packet) < 0)
		return;
	while (avcodec_receive_frame(r->audio.ctx, f) == 0) {
		for (int i = 0; i < f->nb_samples; i++) {
			r->tone[r->n_tone++] =
				f->format == AV_SAMPLE_FMT_FLTP ||
				f->format == AV_SAMPLE_FMT_FLT ?
				((float *) f->data[0])[i] :
				((int16_t *) f->data[0])[i] / 32768.0f;
			if (r->n_tone == TONE_SAMPLES)
				find_tone(r);
		}
	}
}

static void begin_unit(struct receiver *r, struct sender *s,
		       const struct rtc_media_packet *p)
{
	depacketizer_init(&s->depacketizer, s->unit,
			  UNIT_MAX_BYTES - AV_INPUT_BUFFER_PADDING_SIZE);
	if (s->unit_us) {
		s->times_back += (int32_t) (p->timestamp - s->timestamp) <= 0;
		r->longest_us = MAX(r->longest_us, p->received_us - s->unit_us);
	}
	s->unit_us = p->received_us;
	s->in_unit = true;
	s->broken = false;
	s->timestamp = p->timestamp;
}

static void take_video(struct receiver *r, struct sender *s,
		       const struct rtc_media_packet *p)
{
	int e;

	if (!s->video.ctx) {
		s->codec = p->codec;
		s->unit = g_malloc(UNIT_MAX_BYTES);
		open_decoder(&s->video, p->codec == MEDIA_CODEC_H264 ?
			     AV_CODEC_ID_H264 : AV_CODEC_ID_VP8);
		if (!*r->codec)
			r->codec = media_codec_name(p->codec);
	}
	if (p->codec != s->codec)
		return;
	if (s->seq_known && p->seq != s->next_seq) {
		s->gaps++;
		s->broken = true;
	}
	s->seq_known = true;
	s->next_seq = (uint16_t) (p->seq + 1);
	if (!s->in_unit || p->timestamp != s->timestamp)
		begin_unit(r, s, p);
	e = p->codec == MEDIA_CODEC_H264 ?
		depacketize_h264(&s->depacketizer, p->payload, p->len) :
		depacketize_vp8(&s->depacketizer, p->payload, p->len);
	s->broken |= e < 0;
	if (!p->marker)
		return;
	if (s->broken)
		s->damaged++;
	else
		decode_video(r, s);
	s->in_unit = false;
}

/* Return: NULL when there were SENDERS_MAX others. */
static struct sender *find_sender(struct receiver *r, const char *name)
{
	for (unsigned int i = 0; i < r->n_senders; i++) {
		if (!strcmp(r->senders[i].name, name))
			return &r->senders[i];
	}
	if (r->n_senders == SENDERS_MAX)
		return NULL;
	r->senders[r->n_senders].name = g_strdup(name);
	return &r->senders[r->n_senders++];
}

static void on_media(void *user, const char *peer_name,
		     const struct rtc_media_packet *p)
{
	struct receiver *r = user;
	struct sender *s = find_sender(r, peer_name);

	if (!s)
		return;
	if (p->codec == MEDIA_CODEC_OPUS) {
		decode_audio(r, &s->sound, p);
		return;
	}
	if (!r->first_us)
		r->first_us = p->received_us;
	r->last_us = p->received_us;
	take_video(r, s, p);
	if (r->last_us - r->first_us >= (uint64_t) r->seconds * 1000000)
		g_atomic_int_set(&r->done, 1);
}

/* Asks the sender how many frames it captured so far; -1: no answer. */
static gint64 ask_sender(struct receiver *r)
{
	const char *paths[] = { r->socket, NULL };
	g_autoptr(GError) error = NULL;
	JsonNode *answer = NULL;
	JsonObject *o = NULL;

	if (!r->control)
		r->control = ctl_client_new(paths, &error);
	if (r->control)
		answer = ctl_client_call(r->control, "stats.status", NULL,
					 ASK_MS, NULL, &error);
	if (!answer) {
		fprintf(stderr, "skylink-receiver: %s\n", error->message);
		return -1;
	}
	g_clear_pointer(&r->status, json_node_unref);
	r->status = answer;
	if (JSON_NODE_HOLDS_OBJECT(answer))
		o = json_node_get_object(answer);
	if (!o || !json_object_has_member(o, "video") ||
	    !JSON_NODE_HOLDS_OBJECT(json_object_get_member(o, "video")))
		return -1;
	return json_object_get_int_member_with_default(
		json_object_get_object_member(o, "video"), "frames_captured",
		-1);
}

static void give_orders(struct receiver *r, int seen)
{
	for (unsigned int i = 0; i < r->n_orders; i++) {
		struct order *o = &r->orders[i];
		char *argv[] = { (char *) "sh", (char *) "-c",
				 (char *) o->command, NULL };
		g_autoptr(GError) error = NULL;

		if (o->given || seen < (int) o->frames)
			continue;
		o->given = true;
		fprintf(stderr, "after %d pictures: %s\n", seen, o->command);
		if (!g_spawn_async(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
				   NULL, NULL, &error))
			fprintf(stderr, "skylink-receiver: %s\n",
				error->message);
	}
}

static gboolean check_done(gpointer data)
{
	struct receiver *r = data;
	int seen = g_atomic_int_get(&r->n_seen);

	if (r->socket && seen && !r->asked) {
		r->asked = true;
		r->captured_first = ask_sender(r);
		r->decoded_first = g_atomic_int_get(&r->n_seen);
	}
	give_orders(r, seen);
	if (!g_atomic_int_get(&r->done))
		return G_SOURCE_CONTINUE;
	if (r->socket) {
		r->captured_last = ask_sender(r);
		r->decoded_last = g_atomic_int_get(&r->n_seen);
	}
	g_main_loop_quit(r->loop);
	return G_SOURCE_REMOVE;
}

static gboolean stop_now(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_CONTINUE;
}

static void on_event(void *user, const char *name, JsonObject *params)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_set_object(node, params);
	text = json_to_string(node, FALSE);
	fprintf(stderr, "%s %.300s\n", name, text);
}

static void no_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void no_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

static void print_result(struct receiver *r)
{
	unsigned int n = r->n_latencies;
	double seconds = (double) (r->last_us - r->first_us) / 1e6;
	struct sender all = { 0 };

	for (unsigned int i = 0; i < r->n_senders; i++) {
		const struct sender *s = &r->senders[i];

		all.units += s->units;
		all.damaged += s->damaged;
		all.gaps += s->gaps;
		all.times_back += s->times_back;
		all.sound.gaps += s->sound.gaps;
		all.sound.times_back += s->sound.times_back;
	}
	qsort(r->latency_100us, n, sizeof(*r->latency_100us), by_value);
	printf("{\"codec\":\"%s\",\"width\":%u,\"height\":%u,"
	       "\"seconds\":%.2f,\"units\":%u,\"frames\":%u,\"damaged\":%u,"
	       "\"gaps\":%u,\"barcodes\":%u,\"not_increasing\":%u,"
	       "\"numbers\":%u,\"latency_ms_median\":%.1f,"
	       "\"latency_ms_p95\":%.1f,\"luma_min\":%.1f,\"luma_max\":%.1f,"
	       "\"audio_packets\":%u,\"tone_hz\":%.0f,\"tone_level\":%.3f,"
	       "\"barred\":%u,\"barcode_runs\":%u,\"without_barcode\":%u,"
	       "\"repeated\":%u,\"times_back\":%u,\"longest_ms\":%u,"
	       "\"audio_gaps\":%u,\"audio_times_back\":%u,\"senders\":%u,"
	       "\"hole\":%u",
	       r->codec, r->width, r->height, seconds, all.units, r->frames,
	       all.damaged, all.gaps, r->barcodes, r->not_increasing,
	       r->barcodes ? (uint16_t) (r->last.number - r->first.number) +
			     1u : 0u,
	       n ? r->latency_100us[n / 2] / 10.0 : 0.0,
	       n ? r->latency_100us[n * 95 / 100] / 10.0 : 0.0,
	       r->luma_min, r->luma_max, r->audio_packets, r->tone_hz,
	       r->tone_level, r->barred, r->barcode_runs, r->without_barcode,
	       r->repeated, all.times_back,
	       (unsigned int) (r->longest_us / 1000), all.sound.gaps,
	       all.sound.times_back, r->n_senders, r->hole);
	if (r->status) {
		g_autofree char *status = json_to_string(r->status, FALSE);

		printf(",\"captured\":%lld,\"decoded\":%d,\"status\":%s",
		       (long long) (r->captured_last - r->captured_first),
		       r->decoded_last - r->decoded_first, status);
	}
	printf("}\n");
	fflush(stdout);
}

static int usage(void)
{
	fprintf(stderr, "usage: skylink-receiver [--daemon SOCKET] "
		"[--at N:COMMAND]... SERVER APP_KEY ROOM SECONDS "
		"[h264|vp8]\n");
	return 2;
}

static bool take_order(struct receiver *r, const char *text)
{
	const char *colon = strchr(text, ':');

	if (!colon || r->n_orders == ORDERS_MAX)
		return false;
	r->orders[r->n_orders++] = (struct order){
		.frames = (unsigned int) atoi(text),
		.command = colon + 1,
	};
	return true;
}

/* Return: the arguments that are not options, or NULL. */
static char **take_options(struct receiver *r, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "daemon", required_argument, NULL, 'd' },
		{ "at", required_argument, NULL, 'a' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'd')
			r->socket = optarg;
		else if (c != 'a' || !take_order(r, optarg))
			return NULL;
	}
	return argc - optind == 4 || argc - optind == 5 ? argv + optind : NULL;
}

int main(int argc, char *argv[])
{
	enum media_codec codecs[2] = { MEDIA_CODEC_H264, MEDIA_CODEC_VP8 };
	struct receiver r = { 0 };
	struct rtc_engine_config engine = {
		.network.loopback = true,
		.start_bps = 1000000,
		.min_bps = 100000,
		.max_bps = 5000000,
		.request_keyframe = no_keyframe,
		.rung_bitrate = no_bitrate,
		.media_packet = on_media,
		.user = &r,
	};
	RoomConfig room = {
		.video_codecs = codecs,
		.n_video_codecs = 2,
		.event = on_event,
		.user = &r,
	};
	GError *error = NULL;
	char **args;

	args = take_options(&r, argc, argv);
	if (!args)
		return usage();
	r.seconds = (unsigned int) atoi(args[3]);
	if (args[4]) {
		codecs[0] = strcmp(args[4], "vp8") ? MEDIA_CODEC_H264 :
						     MEDIA_CODEC_VP8;
		room.n_video_codecs = 1;
	}
	r.loop = g_main_loop_new(NULL, FALSE);
	r.codec = "";
	r.latency_100us = g_new0(uint32_t, LATENCIES_MAX);
	open_decoder(&r.audio, AV_CODEC_ID_OPUS);
	r.engine = rtc_engine_new(&engine, &error);
	room.engine = r.engine;
	room.room_server = args[0];
	room.app_key = args[1];
	if (r.engine)
		r.room = room_new(&room, &error);
	if (!r.room || !room_join(r.room, args[2], &error)) {
		fprintf(stderr, "skylink-receiver: %s\n", error->message);
		return 2;
	}
	g_timeout_add(50, check_done, &r);
	g_timeout_add_seconds(r.seconds + GIVE_UP_S, stop_now, r.loop);
	g_unix_signal_add(SIGTERM, stop_now, r.loop);
	g_main_loop_run(r.loop);

	room_free(r.room);
	rtc_engine_free(r.engine);
	print_result(&r);
	ctl_client_free(r.control);
	g_clear_pointer(&r.status, json_node_unref);
	for (unsigned int i = 0; i < r.n_senders; i++) {
		if (r.senders[i].video.ctx)
			close_decoder(&r.senders[i].video);
		g_free(r.senders[i].unit);
		g_free(r.senders[i].name);
	}
	close_decoder(&r.audio);
	g_free(r.latency_100us);
	return r.frames ? 0 : 1;
}
