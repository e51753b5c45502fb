/* SPDX-License-Identifier: Apache-2.0 */
/* media/picture.h - one uncompressed picture, shared by all who read it
 *
 * A picture has one producer (a pool, a camera's buffer, a decoder's frame)
 * and many readers; it returns to its producer when the last reader lets go.
 * It carries pixels only: what time they were taken travels beside it, so that
 * one black picture can stand for many frames.
 *
 * Source:  none (our own)
 * Thread:  any; the count is atomic, the pixels are immutable once shared
 * Memory:  reference counted; release() runs on the thread of the last unref
 */
#pragma once

#include "media/media-count.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_MAX_SIDE 4096 /* pixels; larger pictures are refused */
#define PICTURE_MIN_SIDE 32

struct AVBufferRef;

enum picture_format {
	PICTURE_I420, /* planes Y, U, V; 4:2:0 (V4L2 YU12) */
	PICTURE_NV12, /* planes Y, interleaved UV; 4:2:0 */
};

struct picture {
	atomic_uint refs;
	enum picture_format format;
	unsigned int width, height; /* pixels, both even */
	uint8_t *data[3];
	int stride[3]; /* bytes */
	/* Stands for the pixels toward libavcodec, which copies every frame
	 * that has no buffer behind it. Lives as long as the picture. */
	struct AVBufferRef *lav;
	uint64_t note;	/* the producer's own, kept while in its pool */
	uint32_t index; /* in its pool */
	void (*release)(struct picture *p);
	void *owner;
};

static inline struct picture *picture_ref(struct picture *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

/* Lets go of one reference. Returns NULL, to be assigned. Takes NULL. */
static inline struct picture *picture_unref(struct picture *p)
{
	if (p && atomic_fetch_sub_explicit(&p->refs, 1,
					   memory_order_acq_rel) == 1)
		p->release(p);
	return NULL;
}

/* A picture, and when it was taken: what travels to the encoders. */
struct picture_frame {
	struct picture *picture;
	uint64_t capture_us; /* CLOCK_MONOTONIC */
	unsigned int fps;    /* of its source, for the encoder's rate */
};

struct picture_pool;

/**
 * picture_pool_new() - acquire the memory of @n pictures of one shape
 * @count: counts the allocations; must outlive the pool
 *
 * The pool hands out the picture that came back last, and memory nobody wrote
 * to costs nothing: a generous @n is free while the readers are quick. What
 * only a slow moment needed goes back to the system after some seconds; such a
 * picture begins anew, with zeros and a note of 0.
 *
 * Return: 0, -EINVAL for a shape out of range, -ENOMEM.
 */
int picture_pool_new(struct picture_pool **ret, struct media_count *count,
		     unsigned int n, enum picture_format format,
		     unsigned int width, unsigned int height);

/* Closes the pool; its memory goes when the last picture is back. Takes NULL,
 * returns NULL. */
struct picture_pool *picture_pool_close(struct picture_pool *pool);

/* One picture with one reference, contents as its last user left them (zeros
 * at first); NULL if all are out. Any thread. */
struct picture *picture_pool_get(struct picture_pool *pool);

/* Paints the whole picture in one colour (limited range). */
void picture_fill(struct picture *p, uint8_t y, uint8_t u, uint8_t v);

/* A whole-picture copy, counted. @dst and @src have the same shape. */
void picture_copy(struct picture *dst, const struct picture *src,
		  struct media_count *count);
