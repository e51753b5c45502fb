// SPDX-License-Identifier: Apache-2.0
/* media/source-placeholder.c - what is shown while the camera is missing
 *
 * A sentence and the time of day on dark grey, a few times a second: enough to
 * see that the connection lives, nearly free to encode.
 */
#include "media/canvas.h"
#include "media/video-source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_BUFFERS 6
#define MAX_FPS	  10
#define MAX_TEXT  40 /* letters */

static const struct canvas_colour ground = {40, 128, 128};

struct source_placeholder {
	struct video_source base;
	const struct media_clock *clock;
	struct picture_pool *pool;
	uint64_t due_us;
	char text[MAX_TEXT + 1];
	unsigned int dot;
};

static struct source_placeholder *to_placeholder(struct video_source *s)
{
	return (struct source_placeholder *) s;
}

static struct video_source *placeholder_close(struct video_source *s)
{
	struct source_placeholder *h = to_placeholder(s);

	if (!h)
		return NULL;
	picture_pool_close(h->pool);
	free(h);
	return NULL;
}

static int placeholder_open(struct video_source **ret,
			    const struct video_source_config *config, char *why,
			    size_t why_size)
{
	struct source_placeholder *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->base.ops = &source_placeholder_ops;
	h->base.width = config->width & ~1u;
	h->base.height = config->height & ~1u;
	h->base.fps = config->fps < MAX_FPS ? config->fps : MAX_FPS;
	h->clock = config->clock;
	snprintf(h->text, sizeof(h->text), "%s",
		 config->message ? config->message : "NO PICTURE");
	r = picture_pool_new(&h->pool, config->count, N_BUFFERS, PICTURE_I420,
			     h->base.width, h->base.height);
	if (r < 0) {
		snprintf(why, why_size, "a picture of %ux%u: %s", config->width,
			 config->height, strerror(-r));
		free(h);
		return r;
	}
	/* The text fills two thirds of the width, at most. */
	h->dot = h->base.width * 2 / 3 / canvas_text_width(h->text, 1);
	if (h->dot > h->base.height / 40)
		h->dot = h->base.height / 40;
	if (h->dot < 1)
		h->dot = 1;
	snprintf(h->base.detail, sizeof(h->base.detail), "placeholder %ux%u@%u",
		 h->base.width, h->base.height, h->base.fps);
	h->due_us = media_clock_now_us(h->clock);
	*ret = &h->base;
	return 0;
}

static void placeholder_wait(struct video_source *s,
			     struct video_source_wait *ret)
{
	*ret = (struct video_source_wait){
		.fd = -1,
		.deadline_us = to_placeholder(s)->due_us,
	};
}

static void draw_centred(struct picture *p, unsigned int y, unsigned int dot,
			 uint8_t luma, const char *text)
{
	unsigned int w = canvas_text_width(text, dot);

	canvas_text(p, w < p->width ? (p->width - w) / 2 : 0, y, dot, luma,
		    text);
}

static void draw(struct source_placeholder *h, struct picture *p)
{
	time_t now =
		(time_t) (media_clock_wall_us(h->clock) / MEDIA_US_PER_SEC);
	unsigned int line = CANVAS_GLYPH_HEIGHT * h->dot;
	unsigned int y = (h->base.height - 3 * line) / 2;
	char text[16];
	struct tm tm;

	if (p->note == (uint64_t) now)
		return; /* this buffer says it already */
	p->note = (uint64_t) now;
	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);

	picture_fill(p, ground.y, ground.u, ground.v);
	draw_centred(p, y, h->dot, 200, h->text);
	draw_centred(p, y + 2 * line, h->dot, 120, text);
}

static int placeholder_take(struct video_source *s, struct video_sample *ret)
{
	struct source_placeholder *h = to_placeholder(s);
	uint64_t now = media_clock_now_us(h->clock);
	struct picture *p;

	if (now < h->due_us)
		return VIDEO_SOURCE_NOTHING;
	h->due_us += MEDIA_US_PER_SEC / h->base.fps;
	if (h->due_us < now)
		h->due_us = now;

	p = picture_pool_get(h->pool);
	if (!p)
		return VIDEO_SOURCE_NOTHING;
	draw(h, p);
	*ret = (struct video_sample){.picture = p, .capture_us = now};
	return VIDEO_SOURCE_SAMPLE;
}

const struct video_source_ops source_placeholder_ops = {
	.name = "placeholder",
	.open = placeholder_open,
	.wait = placeholder_wait,
	.take = placeholder_take,
	.close = placeholder_close,
};
