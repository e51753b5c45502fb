/* SPDX-License-Identifier: Apache-2.0 */
/* media/test-viewer.h - a receiver of a video pipeline, and things to show it
 *
 * Thread:  the test's
 */
#pragma once

#include "media/barcode.h"
#include "media/test-util.h"
#include "media/video-pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  640
#define HEIGHT 360
#define FPS    30

/* What a receiver sees, and the clock it drives: each decoded unit of the
 * watched codec lets time go on by one frame. */
struct viewer {
	struct test_clock clock;
	struct test_decoder decoder;
	enum media_codec watched;
	bool decode, every_unit_decodes;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int n_units[N_MEDIA_CODECS], n_keyframes[N_MEDIA_CODECS];
	unsigned int n_pictures, n_barcodes, n_disorder;
	int last_barcode;
	uint64_t next_number, last_capture_us, last_keyframe_us;
	unsigned int mean_luma, last_width, last_height;
	bool expects_keyframe; /* the source has changed */
	enum video_source_state state;
	unsigned int n_live, n_placeholder, n_idle;
	char *detail;
};

static inline void look(struct viewer *v, const AVFrame *f)
{
	struct barcode b;
	uint64_t sum = 0;

	for (int y = 0; y < f->height; y++)
		for (int x = 0; x < f->width; x++)
			sum += f->data[0][y * f->linesize[0] + x];
	v->mean_luma = (unsigned int) (sum / (uint64_t) f->width /
				       (uint64_t) f->height);
	v->last_width = (unsigned int) f->width;
	v->last_height = (unsigned int) f->height;
	v->n_pictures++;
	if (barcode_read(f->data[0], f->linesize[0], (unsigned int) f->width,
			 (unsigned int) f->height, &b) < 0)
		return;
	v->n_barcodes++;
	if (b.number <= v->last_barcode)
		v->n_disorder++;
	v->last_barcode = b.number;
}

static inline void on_unit(void *user, struct coded_unit *u)
{
	struct viewer *v = user;

	pthread_mutex_lock(&v->lock);
	v->n_units[u->codec]++;
	v->n_keyframes[u->codec] += u->keyframe;
	if (u->codec == v->watched) {
		g_assert_cmpuint(u->number, ==, v->next_number++);
		g_assert_cmpuint(u->capture_us, >, v->last_capture_us);
		g_assert_cmpuint(u->rung, ==, v->watched);
		g_assert_true(u->keyframe || !v->expects_keyframe);
		v->expects_keyframe = false;
		v->last_capture_us = u->capture_us;
		if (u->keyframe)
			v->last_keyframe_us = u->capture_us;
		if (v->decode && test_decoder_decode(&v->decoder, u))
			look(v, v->decoder.frame);
		else
			g_assert_false(v->every_unit_decodes);
		sem_post(&v->clock.gate);
	}
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static inline void on_state(void *user, enum video_source_state state,
			    const char *detail)
{
	struct viewer *v = user;

	pthread_mutex_lock(&v->lock);
	v->state = state;
	v->expects_keyframe = state != VIDEO_SOURCE_IDLE;
	v->n_idle += state == VIDEO_SOURCE_IDLE;
	v->n_live += state == VIDEO_SOURCE_LIVE;
	v->n_placeholder += state == VIDEO_SOURCE_PLACEHOLDER;
	g_free(v->detail);
	v->detail = g_strdup(detail);
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static inline struct video_pipeline *start(struct viewer *v, const char *source,
					   enum media_codec watched)
{
	struct video_pipeline_config config = {
		.choice.source = source,
		.choice.width = WIDTH,
		.choice.height = HEIGHT,
		.choice.fps = FPS,
		.bitrate_bps = 1000000,
		.min_bitrate_bps = 100000,
		.max_bitrate_bps = 4000000,
		.on_unit = on_unit,
		.on_state = on_state,
		.user = v,
		.clock = &v->clock.clock,
	};
	struct video_pipeline *p = NULL;
	char *error = NULL;

	memset(v, 0, sizeof(*v));
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	test_clock_init(&v->clock, true);
	test_decoder_init(&v->decoder, watched, 0);
	v->watched = watched;
	v->decode = true;
	v->last_barcode = -1;
	g_assert_cmpint(video_pipeline_new(&p, &config, &error), ==, 0);
	return p;
}

static inline void stop(struct viewer *v, struct video_pipeline *p)
{
	test_clock_open(&v->clock);
	g_assert_null(video_pipeline_free(p));
	test_decoder_done(&v->decoder);
	g_free(v->detail);
}

static inline bool enough_units(const struct viewer *v, unsigned int n)
{
	return v->n_units[v->watched] >= n;
}

static inline bool enough_live(const struct viewer *v, unsigned int n)
{
	return v->n_live >= n;
}

static inline bool enough_placeholders(const struct viewer *v, unsigned int n)
{
	return v->n_placeholder >= n;
}

static inline bool enough_idle(const struct viewer *v, unsigned int n)
{
	return v->n_idle >= n;
}

static inline void wait_for(struct viewer *v,
			    bool (*enough)(const struct viewer *v,
					   unsigned int n),
			    unsigned int n)
{
	struct timespec until = test_deadline(60);

	pthread_mutex_lock(&v->lock);
	while (!enough(v, n))
		g_assert_cmpint(
			pthread_cond_timedwait(&v->changed, &v->lock, &until),
			==, 0);
	pthread_mutex_unlock(&v->lock);
}

static inline void wait_more(struct viewer *v, unsigned int n)
{
	unsigned int have;

	pthread_mutex_lock(&v->lock);
	have = v->n_units[v->watched];
	pthread_mutex_unlock(&v->lock);
	wait_for(v, enough_units, have + n);
}

/* A video of moving stripes, in the given chroma format. */
static inline void write_y4m(const char *path, const char *colour,
			     unsigned int n)
{
	size_t chroma = WIDTH * HEIGHT / (strcmp(colour, "422") == 0 ? 2 : 4);
	FILE *f = fopen(path, "wbe");

	g_assert_nonnull(f);
	fprintf(f, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C%s\n", WIDTH, HEIGHT, 25,
		colour);
	for (unsigned int i = 0; i < n; i++) {
		fputs("FRAME\n", f);
		for (size_t j = 0; j < (size_t) WIDTH * HEIGHT; j++)
			fputc((int) (40 + (j + i * 8) % 160), f);
		for (size_t j = 0; j < 2 * chroma; j++)
			fputc(128, f);
	}
	fclose(f);
}

/* Keeps the test picture as an elementary stream with two keyframes. */
static inline void keep_stream(void *user, struct coded_unit *u)
{
	struct viewer *v = user;

	pthread_mutex_lock(&v->lock);
	v->n_units[u->codec]++;
	g_byte_array_append((GByteArray *) (gpointer) v->detail, u->data,
			    (guint) u->size);
	sem_post(&v->clock.gate);
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static inline void make_stream(const char *path)
{
	struct video_pipeline_config config = {
		.choice.source = "test",
		.choice.width = WIDTH,
		.choice.height = HEIGHT,
		.choice.fps = FPS,
		.bitrate_bps = 500000,
		.min_bitrate_bps = 500000,
		.max_bitrate_bps = 500000,
		.on_unit = keep_stream,
	};
	struct video_pipeline *p = NULL;
	struct viewer v = {.watched = MEDIA_CODEC_H264};
	GByteArray *bytes = g_byte_array_new();
	char *error = NULL;
	uint32_t rung;

	pthread_mutex_init(&v.lock, NULL);
	pthread_cond_init(&v.changed, NULL);
	test_clock_init(&v.clock, true);
	config.user = &v;
	config.clock = &v.clock.clock;
	v.detail = (char *) (gpointer) bytes;
	g_assert_cmpint(video_pipeline_new(&p, &config, &error), ==, 0);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_for(&v, enough_units, 15);
	video_pipeline_request_keyframe(p, rung, true);
	wait_for(&v, enough_units, 30);
	test_clock_open(&v.clock);
	video_pipeline_free(p);
	g_assert_true(g_file_set_contents(path, (const char *) bytes->data,
					  bytes->len, NULL));
	g_byte_array_unref(bytes);
}
