// SPDX-License-Identifier: Apache-2.0
/* media/source-h264.c - an H.264 elementary stream, passed through
 *
 * The way encoding cameras take, from a file: read into one buffer, cut at
 * access units, paced at the frame rate of the configuration. A file loops and
 * begins again at its first IDR; a FIFO is read as its writer writes.
 */
#include "media/h264-annexb.h"
#include "media/h264-units.h"
#include "media/video-source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES UNIT_MAX_BYTES
#define READ_BYTES   65536u
#define MAX_LATE_US  UINT64_C(200000) /* after it pacing starts over */
#define MAX_SKIPPED  1000 /* units without a picture to send, in one go */

struct source_h264 {
	struct video_source base;
	const struct media_clock *clock;
	struct unit_pool *units;
	struct h264_units h264;
	int fd;
	bool is_fifo, is_end, is_waiting, delivered;
	uint64_t start_us, n; /* unit n is due at start + n / fps */
	uint8_t *buffer;
	size_t begin, end; /* of what is not delivered yet */
};

static struct source_h264 *to_h264(struct video_source *s)
{
	return (struct source_h264 *) s;
}

static struct video_source *h264_close(struct video_source *s)
{
	struct source_h264 *h = to_h264(s);

	if (!h)
		return NULL;
	if (h->buffer)
		munmap(h->buffer, BUFFER_BYTES);
	if (h->fd >= 0)
		close(h->fd);
	free(h);
	return NULL;
}

static int open_file(struct source_h264 *h, const char *path)
{
	struct stat st;

	h->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (h->fd < 0 || fstat(h->fd, &st) < 0)
		return -errno;
	h->is_fifo = S_ISFIFO(st.st_mode);
	if (!h->is_fifo && !S_ISREG(st.st_mode))
		return -EINVAL;
	if (!h->is_fifo && st.st_size == 0)
		return -ENODATA;
	h->buffer = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->buffer == MAP_FAILED) {
		h->buffer = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int h264_open(struct video_source **ret,
		     const struct video_source_config *config, char *why,
		     size_t why_size)
{
	struct source_h264 *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->fd = -1;
	r = open_file(h, config->path);
	if (r < 0) {
		snprintf(why, why_size, "cannot read '%s': %s", config->path,
			 strerror(-r));
		h264_close(&h->base);
		return r;
	}
	h->base.ops = &source_h264_ops;
	h->base.fps = config->fps;
	h->base.coded = true;
	h->clock = config->clock;
	h->units = config->units;
	h->is_waiting = h->is_fifo;
	h->start_us = media_clock_now_us(h->clock);
	h264_units_init(&h->h264);
	snprintf(h->base.detail, sizeof(h->base.detail), "h264:%.150s @%u",
		 config->path, config->fps);
	*ret = &h->base;
	return 0;
}

static uint64_t due_us(const struct source_h264 *h)
{
	return h->start_us + h->n * MEDIA_US_PER_SEC / h->base.fps;
}

static void h264_wait(struct video_source *s, struct video_source_wait *ret)
{
	struct source_h264 *h = to_h264(s);

	*ret = (struct video_source_wait){
		.fd = h->is_waiting ? h->fd : -1,
		.events = POLLIN,
		.deadline_us = h->is_waiting ? MEDIA_NO_DEADLINE : due_us(h),
	};
}

/* Return: 1 if more is in the buffer or its end was reached, 0 if the writer
 * has not written yet, or a negative errno. */
static int read_more(struct source_h264 *h)
{
	size_t room;
	ssize_t n;

	if (h->begin > 0) {
		memmove(h->buffer, h->buffer + h->begin, h->end - h->begin);
		h->end -= h->begin;
		h->begin = 0;
	}
	room = BUFFER_BYTES - h->end;
	if (room == 0)
		return -EMSGSIZE;
	n = read(h->fd, h->buffer + h->end,
		 room < READ_BYTES ? room : READ_BYTES);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	h->end += (size_t) n;
	h->is_end = n == 0;
	return 1;
}

/* Return: 0 with the next access unit, VIDEO_SOURCE_NOTHING, or an error. */
static int next_unit(struct source_h264 *h, const uint8_t **ret, size_t *size)
{
	for (;;) {
		size_t n = h264_find_unit(h->buffer + h->begin,
					  h->end - h->begin, h->is_end);
		int r;

		if (n > 0) {
			*ret = h->buffer + h->begin;
			*size = n;
			h->begin += n;
			return 0;
		}
		if (h->is_end) {
			/* Nothing to show in a whole round: no video at all. */
			if (h->is_fifo)
				return -EPIPE;
			if (!h->delivered)
				return -EBADMSG;
			if (lseek(h->fd, 0, SEEK_SET) < 0)
				return -errno;
			h->is_end = false;
			h->delivered = false;
			h264_units_break(&h->h264);
		}
		r = read_more(h);
		if (r < 0)
			return r;
		if (r == 0) {
			h->is_waiting = true;
			return VIDEO_SOURCE_NOTHING;
		}
	}
}

static int h264_take(struct video_source *s, struct video_sample *ret)
{
	struct source_h264 *h = to_h264(s);
	uint64_t now = media_clock_now_us(h->clock);

	if (h->is_waiting || now > due_us(h) + MAX_LATE_US) {
		h->is_waiting = false;
		h->start_us = now;
		h->n = 0;
	}
	if (now < due_us(h))
		return VIDEO_SOURCE_NOTHING;

	for (unsigned int i = 0; i < MAX_SKIPPED; i++) {
		struct coded_unit *u;
		const uint8_t *data = NULL;
		size_t size = 0;
		int r = next_unit(h, &data, &size);

		if (r != 0)
			return r;
		r = h264_units_make(&h->h264, h->units, data, size, due_us(h),
				    &u);
		if (r == 1)
			continue;
		if (r == -ENOBUFS) {
			/* The readers hold all units: what follows refers to
			 * the lost one. */
			h264_units_break(&h->h264);
			h->n++;
			return VIDEO_SOURCE_NOTHING;
		}
		if (r < 0)
			return r;
		*ret = (struct video_sample){.unit = u,
					     .capture_us = u->capture_us};
		h->delivered = true;
		h->n++;
		return VIDEO_SOURCE_SAMPLE;
	}
	return VIDEO_SOURCE_NOTHING;
}

const struct video_source_ops source_h264_ops = {
	.name = "h264",
	.wants_path = true,
	.always_coded = true,
	.open = h264_open,
	.wait = h264_wait,
	.take = h264_take,
	.close = h264_close,
};
