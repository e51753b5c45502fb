// SPDX-License-Identifier: Apache-2.0
#include "media/video-choice.h"

#include "media/source-spec.h"
#include "media/unit-pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FPS	   120
#define MIN_WIDTH  128
#define MIN_HEIGHT 64
#define WHY_BYTES  256
#define N_UNITS	   2 /* nothing is read */

char *video_choice_find_fault(const struct video_choice *c)
{
	const char *path;

	if (!c->source)
		return NULL;
	if (!video_source_find(c->source, &path))
		return source_sentence(
			"'%.200s' is not a video source; use auto, test, "
			"test-screen, v4l2:DEVICE, file:PATH or h264:PATH",
			c->source);
	if (c->width < MIN_WIDTH || c->width > PICTURE_MAX_SIDE ||
	    c->height < MIN_HEIGHT || c->height > PICTURE_MAX_SIDE ||
	    c->width % 2 || c->height % 2)
		return source_sentence(
			"a picture of %ux%u pixels is not possible; use even "
			"numbers from %ux%u to %ux%u",
			c->width, c->height, MIN_WIDTH, MIN_HEIGHT,
			PICTURE_MAX_SIDE, PICTURE_MAX_SIDE);
	if (c->fps < 1 || c->fps > MAX_FPS)
		return source_sentence("%u frames per second are not possible; "
				       "use 1 to %u",
				       c->fps, MAX_FPS);
	return NULL;
}

bool video_choice_is_fifo(const struct video_choice *c)
{
	const char *path = NULL;
	const struct video_source_ops *ops =
		c->source ? video_source_find(c->source, &path) : NULL;
	struct stat st;

	return ops && path && !ops->is_device && stat(path, &st) == 0 &&
	       S_ISFIFO(st.st_mode);
}

int video_choice_try(const struct video_choice *choice, char **ret_error)
{
	char *fault = video_choice_find_fault(choice);
	struct media_count count = {0};
	struct video_source_config config = {
		.width = choice->width,
		.height = choice->height,
		.fps = choice->fps,
		.coded_wanted = true,
		.clock = media_clock_system(),
		.count = &count,
		.wake_fd = -1,
	};
	const struct video_source_ops *ops;
	struct video_source *source = NULL;
	char why[WHY_BYTES] = "";
	int r;

	if (fault) {
		*ret_error = fault;
		return -EINVAL;
	}
	if (!choice->source || video_choice_is_fifo(choice))
		return 0;
	ops = video_source_find(choice->source, &config.path);
	r = unit_pool_new(&config.units, &count, MEDIA_CODEC_H264, N_UNITS);
	if (r == 0)
		r = ops->open(&source, &config, why, sizeof(why));
	if (source)
		source->ops->close(source);
	unit_pool_close(config.units);
	if (r < 0)
		*ret_error = source_sentence("%s", *why ? why : strerror(-r));
	return r;
}

bool video_choice_is_equal(const struct video_choice *a,
			   const struct video_choice *b)
{
	if (!a->source || !b->source)
		return a->source == b->source;
	return !strcmp(a->source, b->source) && a->width == b->width &&
	       a->height == b->height && a->fps == b->fps;
}

int video_choice_copy(struct video_choice_copy *ret,
		      const struct video_choice *choice)
{
	struct video_choice_copy c = {.choice = *choice};

	if (choice->source) {
		c.spec = strdup(choice->source);
		if (!c.spec)
			return -ENOMEM;
		c.choice.source = c.spec;
		c.ops = video_source_find(c.spec, &c.path);
	}
	*ret = c;
	return 0;
}

void video_choice_copy_done(struct video_choice_copy *c)
{
	free(c->spec);
	*c = (struct video_choice_copy){0};
}
