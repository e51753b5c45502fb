// SPDX-License-Identifier: Apache-2.0
/* media/source-test.c - the moving test picture
 *
 *   +--------------------------------------------------+
 *   | barcode (960x16)                                 |
 *   |   +------------------+                           |
 *   |   | 12:34:56.789     |   colour bars             |
 *   |   | FRAME 001234     |            (ball, moving) |
 *   |   +------------------+               +-------+   |
 *   |                                      | grain |   |
 *   |                                      +-------+   |
 *   | strip, moving sideways                           |
 *   +--------------------------------------------------+
 *
 * Drawing must be cheap beside encoding: each buffer of the pool gets its
 * background once, later only what moved is drawn. A buffer's note says where
 * its ball is, so that the bars are put back there.
 *
 * The grain is new in each frame, so that no encoder predicts it: it makes the
 * stream reach its target rate, as a camera's noise does.
 *
 * Frames are due at start + n / fps on the monotonic clock, never "a while
 * after the last one": errors do not add up.
 */
#include "media/barcode.h"
#include "media/canvas.h"
#include "media/video-source.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One drawn, two rungs with one encoding, one kept and two waiting each, which
 * are mostly the same ones. */
#define N_BUFFERS     8
#define N_BARS	      8
#define GRAIN_BYTES   8192 /* a power of two */
#define STRIP_SPEED   6	   /* pixels a frame */
#define STRIP_PERIOD  256  /* pixels */
#define MIN_WIDTH     120u /* pixels: two for each cell of the barcode */
#define MIN_HEIGHT    64u
#define MAX_LATE      4 /* frames: beyond it the missing ones are skipped */
#define NOTE_PREPARED (UINT64_C(1) << 63)

struct source_test {
	struct video_source base;
	const struct media_clock *clock;
	struct picture_pool *pool;
	uint64_t start_us;
	uint64_t number;       /* of the next frame */
	unsigned int n_missed; /* since the last sample */
	/* Local time of day, looked up once a second */
	time_t second;
	struct tm tm;
	/* Geometry, pixels, all even */
	unsigned int ball_size, text_x, text_y, text_w, text_h, dot;
	unsigned int strip_y, strip_h;
	unsigned int grain_x, grain_y, grain_w, grain_h;
	uint32_t random;
	uint8_t grain[GRAIN_BYTES];
	uint8_t *bars[3];  /* one row of each plane */
	uint8_t *strip[3]; /* one row, STRIP_PERIOD longer than the picture */
	uint8_t *ball;	   /* luma, ball_size squared */
	unsigned int *ball_edge; /* first pixel inside, of each row */
};

static const struct canvas_colour bar_colours[N_BARS] = {
	{180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58},
	{84, 184, 198},	 {65, 100, 212}, {35, 212, 114}, {60, 128, 128},
};

/* A desktop's blues and greys: nobody takes it for a camera's test picture. */
static const struct canvas_colour screen_colours[N_BARS] = {
	{52, 170, 110},	 {60, 168, 112}, {68, 165, 114}, {76, 160, 116},
	{200, 128, 128}, {76, 160, 116}, {68, 165, 114}, {60, 168, 112},
};

static struct source_test *to_test(struct video_source *s)
{
	return (struct source_test *) s;
}

static struct video_source *test_close(struct video_source *s)
{
	struct source_test *t = to_test(s);

	if (!t)
		return NULL;
	picture_pool_close(t->pool);
	for (unsigned int i = 0; i < 3; i++) {
		free(t->bars[i]);
		free(t->strip[i]);
	}
	free(t->ball);
	free(t->ball_edge);
	free(t);
	return NULL;
}

static void layout(struct source_test *t)
{
	unsigned int w = t->base.width, h = t->base.height;

	t->ball_size = ((h < w ? h : w) / 3) & ~1u;
	t->strip_h = (h / 10) & ~1u;
	t->strip_y = h - t->strip_h;
	/* "12:34:56.789" fills half the width. */
	t->dot = w / (2 * 12 * CANVAS_GLYPH_WIDTH);
	if (t->dot < 1)
		t->dot = 1;
	t->text_w = (12 * CANVAS_GLYPH_WIDTH * t->dot + 4 * t->dot) & ~1u;
	t->text_h = (2 * CANVAS_GLYPH_HEIGHT * t->dot + 6 * t->dot) & ~1u;
	t->text_x = (w / 16) & ~1u;
	t->text_y = (BARCODE_CELL_HEIGHT + h / 16) & ~1u;
	t->grain_w = (w / 6) & ~1u;
	t->grain_h = (h / 6) & ~1u;
	t->grain_x = (w - w / 16 - t->grain_w) & ~1u;
	t->grain_y = (t->strip_y - h / 16 - t->grain_h) & ~1u;
}

static int prepare_rows(struct source_test *t,
			const struct canvas_colour colours[N_BARS])
{
	unsigned int w = t->base.width;

	for (unsigned int i = 0; i < 3; i++) {
		t->bars[i] = malloc(w);
		t->strip[i] = malloc(w + STRIP_PERIOD);
		if (!t->bars[i] || !t->strip[i])
			return -ENOMEM;
	}
	for (unsigned int x = 0; x < w; x++)
		t->bars[0][x] = colours[x * N_BARS / w].y;
	for (unsigned int x = 0; x < w / 2; x++) {
		t->bars[1][x] = colours[x * 2 * N_BARS / w].u;
		t->bars[2][x] = colours[x * 2 * N_BARS / w].v;
	}
	for (unsigned int x = 0; x < w + STRIP_PERIOD; x++) {
		unsigned int phase = x % STRIP_PERIOD;

		t->strip[0][x] =
			(uint8_t) (phase < STRIP_PERIOD / 2 ? 40 + phase
							    : 210 - phase / 2);
		t->strip[1][x] =
			(uint8_t) (phase < STRIP_PERIOD / 4 ? 90 : 150);
		t->strip[2][x] =
			(uint8_t) (phase < STRIP_PERIOD / 4 ? 160 : 110);
	}
	return 0;
}

/* Marsaglia's xorshift: cheap, and the same in every run. */
static uint32_t next_random(struct source_test *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 17;
	t->random ^= t->random << 5;
	return t->random;
}

static void prepare_grain(struct source_test *t)
{
	t->random = 2463534242;
	for (unsigned int i = 0; i < GRAIN_BYTES; i++)
		t->grain[i] = (uint8_t) (114 + next_random(t) % 28);
}

/* Rings and spokes: detail that moves, so that the encoders have work. */
static int prepare_ball(struct source_test *t)
{
	unsigned int size = t->ball_size;
	double r = size / 2.0;

	t->ball = malloc((size_t) size * size);
	t->ball_edge = malloc(size * sizeof(*t->ball_edge));
	if (!t->ball || !t->ball_edge)
		return -ENOMEM;

	for (unsigned int y = 0; y < size; y++) {
		double dy = y + 0.5 - r;

		/* Even edges: chroma shares them. Two rows share chroma. */
		t->ball_edge[y] =
			(unsigned int) (r - sqrt(r * r -
						 (fabs(dy) - 0.5) *
							 (fabs(dy) - 0.5))) &
			~1u;
		for (unsigned int x = 0; x < size; x++) {
			double dx = x + 0.5 - r, d = hypot(dx, dy) / r;
			double wave = sin(d * 24) * cos(atan2(dy, dx) * 12);

			t->ball[(size_t) y * size + x] =
				(uint8_t) (126 + 90 * wave);
		}
	}
	return 0;
}

static int open_any(struct video_source **ret,
		    const struct video_source_config *config,
		    const struct video_source_ops *ops, char *why,
		    size_t why_size)
{
	struct source_test *t;
	int r;

	if (config->width < MIN_WIDTH || config->height < MIN_HEIGHT ||
	    config->fps == 0) {
		snprintf(why, why_size,
			 "the test picture needs %ux%u pixels or more",
			 MIN_WIDTH, MIN_HEIGHT);
		return -EINVAL;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->base.ops = ops;
	t->base.width = config->width & ~1u;
	t->base.height = config->height & ~1u;
	t->base.fps = config->fps;
	t->clock = config->clock;
	t->second = (time_t) -1;

	r = picture_pool_new(&t->pool, config->count, N_BUFFERS, PICTURE_I420,
			     t->base.width, t->base.height);
	if (r == 0) {
		layout(t);
		prepare_grain(t);
		r = prepare_rows(t, ops == &source_test_ops ? bar_colours
							    : screen_colours);
	}
	if (r == 0)
		r = prepare_ball(t);
	if (r < 0) {
		snprintf(why, why_size, "a test picture of %ux%u: %s",
			 config->width, config->height, strerror(-r));
		test_close(&t->base);
		return r;
	}
	snprintf(t->base.detail, sizeof(t->base.detail), "%s %ux%u@%u",
		 ops->name, t->base.width, t->base.height, t->base.fps);
	t->start_us = media_clock_now_us(t->clock);
	*ret = &t->base;
	return 0;
}

static int test_open(struct video_source **ret,
		     const struct video_source_config *config, char *why,
		     size_t why_size)
{
	return open_any(ret, config, &source_test_ops, why, why_size);
}

static int screen_open(struct video_source **ret,
		       const struct video_source_config *config, char *why,
		       size_t why_size)
{
	return open_any(ret, config, &source_test_screen_ops, why, why_size);
}

static uint64_t due_us(const struct source_test *t, uint64_t number)
{
	return t->start_us + number * MEDIA_US_PER_SEC / t->base.fps;
}

static void test_wait(struct video_source *s, struct video_source_wait *ret)
{
	struct source_test *t = to_test(s);

	ret->fd = -1;
	ret->events = 0;
	ret->deadline_us = due_us(t, t->number);
}

/* Puts the bars back into a rectangle; all edges even. */
static void draw_bars(const struct source_test *t, struct picture *p,
		      unsigned int x, unsigned int y, unsigned int w,
		      unsigned int h)
{
	for (unsigned int i = y; i < y + h; i++)
		memcpy(p->data[0] + (size_t) i * p->stride[0] + x,
		       t->bars[0] + x, w);
	for (unsigned int plane = 1; plane < 3; plane++)
		for (unsigned int i = y / 2; i < (y + h) / 2; i++)
			memcpy(p->data[plane] + (size_t) i * p->stride[plane] +
				       x / 2,
			       t->bars[plane] + x / 2, w / 2);
}

static void draw_background(const struct source_test *t, struct picture *p)
{
	draw_bars(t, p, 0, 0, p->width, p->height);
	canvas_fill(p, 0, 0, p->width, BARCODE_CELL_HEIGHT, CANVAS_BLACK);
}

static void draw_strip(const struct source_test *t, struct picture *p)
{
	unsigned int shift =
		(unsigned int) (t->number * STRIP_SPEED) % STRIP_PERIOD & ~1u;

	for (unsigned int i = t->strip_y; i < t->strip_y + t->strip_h; i++)
		memcpy(p->data[0] + (size_t) i * p->stride[0],
		       t->strip[0] + shift, p->width);
	for (unsigned int plane = 1; plane < 3; plane++)
		for (unsigned int i = t->strip_y / 2;
		     i < (t->strip_y + t->strip_h) / 2; i++)
			memcpy(p->data[plane] + (size_t) i * p->stride[plane],
			       t->strip[plane] + shift, p->width / 2);
}

/* A slow Lissajous path through what strip and barcode leave. */
static void ball_place(const struct source_test *t, unsigned int *ret_x,
		       unsigned int *ret_y)
{
	double s = (double) t->number / t->base.fps;
	double free_x = t->base.width - t->ball_size;
	double free_y = t->strip_y - BARCODE_CELL_HEIGHT - t->ball_size;

	*ret_x = (unsigned int) (free_x * (0.5 + 0.5 * sin(s * 1.3))) & ~1u;
	*ret_y = (BARCODE_CELL_HEIGHT +
		  (unsigned int) (free_y * (0.5 + 0.5 * sin(s * 1.7)))) &
		 ~1u;
}

static void draw_ball(const struct source_test *t, struct picture *p,
		      unsigned int x, unsigned int y)
{
	for (unsigned int i = 0; i < t->ball_size; i++) {
		unsigned int e = t->ball_edge[i];
		size_t w = t->ball_size - 2 * e;

		memcpy(p->data[0] + (size_t) (y + i) * p->stride[0] + x + e,
		       t->ball + (size_t) i * t->ball_size + e, w);
		if (i % 2)
			continue;
		memset(p->data[1] + (size_t) (y + i) / 2 * p->stride[1] +
			       (x + e) / 2,
		       100, w / 2);
		memset(p->data[2] + (size_t) (y + i) / 2 * p->stride[2] +
			       (x + e) / 2,
		       170, w / 2);
	}
}

/* Luma alone, over the bars' colour. */
static void draw_grain(struct source_test *t, struct picture *p)
{
	for (unsigned int i = t->grain_y; i < t->grain_y + t->grain_h; i++)
		memcpy(p->data[0] + (size_t) i * p->stride[0] + t->grain_x,
		       t->grain + next_random(t) % (GRAIN_BYTES - t->grain_w),
		       t->grain_w);
}

static void draw_text(struct source_test *t, struct picture *p,
		      uint64_t wall_us)
{
	time_t second = (time_t) (wall_us / MEDIA_US_PER_SEC);
	char text[32];

	if (second != t->second) {
		localtime_r(&second, &t->tm);
		t->second = second;
	}
	canvas_fill(p, t->text_x, t->text_y, t->text_w, t->text_h,
		    CANVAS_BLACK);
	snprintf(text, sizeof(text), "%02d:%02d:%02d.%03u", t->tm.tm_hour,
		 t->tm.tm_min, t->tm.tm_sec,
		 (unsigned int) (wall_us / 1000 % 1000));
	canvas_text(p, t->text_x + 2 * t->dot, t->text_y + 2 * t->dot, t->dot,
		    235, text);
	snprintf(text, sizeof(text), "FRAME %06u",
		 (unsigned int) (t->number % 1000000));
	canvas_text(p, t->text_x + 2 * t->dot,
		    t->text_y + (CANVAS_GLYPH_HEIGHT + 4) * t->dot, t->dot, 235,
		    text);
}

static void draw(struct source_test *t, struct picture *p)
{
	uint64_t wall_us = media_clock_wall_us(t->clock);
	struct barcode code = {
		.wall_100us = (uint32_t) (wall_us / 100),
		.number = (uint16_t) t->number,
	};
	unsigned int x, y;

	if (p->note & NOTE_PREPARED)
		draw_bars(t, p, (unsigned int) (p->note & 0xffff),
			  (unsigned int) (p->note >> 16 & 0xffff), t->ball_size,
			  t->ball_size);
	else
		draw_background(t, p);

	ball_place(t, &x, &y);
	draw_ball(t, p, x, y);
	p->note = NOTE_PREPARED | (uint64_t) y << 16 | x;
	draw_strip(t, p);
	draw_grain(t, p);
	draw_text(t, p, wall_us);
	barcode_write(p, &code);
}

static int test_take(struct video_source *s, struct video_sample *ret)
{
	struct source_test *t = to_test(s);
	uint64_t now = media_clock_now_us(t->clock);
	struct picture *p;

	if (now < due_us(t, t->number))
		return VIDEO_SOURCE_NOTHING;

	/* After a stall, go on at the present instead of in a hurry. */
	if (now >= due_us(t, t->number + MAX_LATE)) {
		uint64_t n =
			(now - t->start_us) * t->base.fps / MEDIA_US_PER_SEC;

		t->n_missed += (unsigned int) (n - t->number);
		t->number = n;
	}

	p = picture_pool_get(t->pool);
	if (!p) {
		/* The readers hold all: this frame is lost, not late. */
		t->number++;
		t->n_missed++;
		return VIDEO_SOURCE_NOTHING;
	}
	draw(t, p);
	*ret = (struct video_sample){
		.picture = p,
		.capture_us = due_us(t, t->number),
		.n_missed = t->n_missed,
	};
	t->n_missed = 0;
	t->number++;
	return VIDEO_SOURCE_SAMPLE;
}

const struct video_source_ops source_test_ops = {
	.name = "test",
	.open = test_open,
	.wait = test_wait,
	.take = test_take,
	.close = test_close,
};

const struct video_source_ops source_test_screen_ops = {
	.name = "test-screen",
	.open = screen_open,
	.wait = test_wait,
	.take = test_take,
	.close = test_close,
};
