// SPDX-License-Identifier: Apache-2.0
/* media/source-file.c - the pictures of a file or FIFO, at the file's pace */
#include "media/file-input.h"
#include "media/lav-picture.h"
#include "media/video-source.h"

#include <errno.h>
#include <libavutil/frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LATE_US  UINT64_C(500000)	/* then the pace starts over */
#define MAX_AHEAD_US UINT64_C(10000000) /* a gap in the file this long is cut  \
					 */
#define MAX_FPS 120

struct source_file {
	struct video_source base;
	const struct media_clock *clock;
	struct file_input *input;
	struct lav_pictures *pictures;
	AVFrame *frame; /* decoded, due later; blank if none */
	uint64_t due_us;
	int64_t pts_us; /* of the frame in hand */
	bool has_frame, is_started;
	char path[160];
};

static struct source_file *to_file(struct video_source *s)
{
	return (struct source_file *) s;
}

static struct video_source *source_file_close(struct video_source *s)
{
	struct source_file *f = to_file(s);

	if (!f)
		return NULL;
	av_frame_free(&f->frame);
	lav_pictures_close(f->pictures);
	file_input_close(f->input);
	free(f);
	return NULL;
}

static int source_file_open(struct video_source **ret,
			    const struct video_source_config *config, char *why,
			    size_t why_size)
{
	struct source_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	r = file_input_open(&f->input, config->path, FILE_INPUT_VIDEO,
			    config->wake_fd, why, why_size);
	if (r < 0) {
		free(f);
		return r;
	}
	f->base.ops = &source_file_ops;
	f->base.fps = config->fps;
	f->clock = config->clock;
	snprintf(f->path, sizeof(f->path), "%s", config->path);
	f->frame = av_frame_alloc();
	r = lav_pictures_new(&f->pictures, config->count);
	if (r < 0 || !f->frame) {
		source_file_close(&f->base);
		return -ENOMEM;
	}
	*ret = &f->base;
	return 0;
}

static void source_file_wait(struct video_source *s,
			     struct video_source_wait *ret)
{
	struct source_file *f = to_file(s);
	int fd = file_input_get_fd(f->input);

	*ret = (struct video_source_wait){
		.fd = fd,
		.events = POLLIN,
		.deadline_us = f->has_frame ? f->due_us
			       : fd >= 0    ? MEDIA_NO_DEADLINE
					    : 0,
	};
}

static void describe(struct source_file *f)
{
	unsigned int fps = file_input_get_fps(f->input);

	if (fps > 0 && fps <= MAX_FPS)
		f->base.fps = fps;
	f->base.width = (unsigned int) f->frame->width & ~1u;
	f->base.height = (unsigned int) f->frame->height & ~1u;
	snprintf(f->base.detail, sizeof(f->base.detail), "file:%s %ux%u@%u",
		 f->path, f->base.width, f->base.height, f->base.fps);
}

/* Decodes the next frame and says when it is due. */
static int fetch(struct source_file *f, uint64_t now)
{
	uint64_t step = MEDIA_US_PER_SEC / f->base.fps;
	int64_t before = f->pts_us, pts_us;
	int r = file_input_read(f->input, f->frame, &pts_us);

	if (r < 0)
		return r;
	f->has_frame = true;
	f->pts_us = pts_us;
	if (r == FILE_INPUT_FIRST)
		describe(f);
	else if (pts_us != INT64_MIN && before != INT64_MIN &&
		 pts_us > before && (uint64_t) (pts_us - before) < MAX_AHEAD_US)
		step = (uint64_t) (pts_us - before);

	f->due_us += step;
	if (!f->is_started || now > f->due_us + MAX_LATE_US)
		f->due_us = now;
	f->is_started = true;
	return 0;
}

static int source_file_take(struct video_source *s, struct video_sample *ret)
{
	struct source_file *f = to_file(s);
	uint64_t now = media_clock_now_us(f->clock);
	int r;

	if (!f->has_frame) {
		r = fetch(f, now);
		if (r < 0)
			return r;
	}
	if (now < f->due_us)
		return VIDEO_SOURCE_NOTHING;

	*ret = (struct video_sample){.capture_us = f->due_us};
	f->has_frame = false;
	r = lav_pictures_take(f->pictures, f->frame, &ret->picture);
	if (r == -ENOBUFS)
		return VIDEO_SOURCE_NOTHING; /* the readers hold all: lost */
	return r < 0 ? r : VIDEO_SOURCE_SAMPLE;
}

const struct video_source_ops source_file_ops = {
	.name = "file",
	.wants_path = true,
	.open = source_file_open,
	.wait = source_file_wait,
	.take = source_file_take,
	.close = source_file_close,
};
