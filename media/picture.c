// SPDX-License-Identifier: Apache-2.0
#include "media/picture.h"

#include <assert.h>
#include <errno.h>
#include <libavutil/buffer.h>
#include <libyuv/planar_functions.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STRIDE_ALIGN 64 /* bytes: a cache line, and any vector unit */
#define POOL_MAX     32
#define TRIM_GETS    256 /* pictures: some seconds */

struct picture_pool {
	pthread_mutex_t lock;
	unsigned int n;
	unsigned int n_free;
	unsigned int least_free; /* since the last trim */
	unsigned int n_gets;
	uint32_t touched; /* bits: pictures that have been out */
	bool closed;
	uint8_t *memory;
	size_t memory_bytes;
	struct picture *free[POOL_MAX];
	struct picture pictures[];
};

static void pool_destroy(struct picture_pool *pool)
{
	for (unsigned int i = 0; i < pool->n; i++)
		av_buffer_unref(&pool->pictures[i].lav);
	if (pool->memory)
		munmap(pool->memory, pool->memory_bytes);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void pool_take_back(struct picture *p)
{
	struct picture_pool *pool = p->owner;
	bool last;

	pthread_mutex_lock(&pool->lock);
	pool->free[pool->n_free++] = p;
	last = pool->closed && pool->n_free == pool->n;
	pthread_mutex_unlock(&pool->lock);

	if (last)
		pool_destroy(pool);
}

/* The pool owns the pixels; libavcodec's last unref must not free them. */
static void keep_pixels(void *opaque, uint8_t *data)
{
}

static int place_picture(struct picture_pool *pool, unsigned int i,
			 enum picture_format format, unsigned int width,
			 unsigned int height, uint8_t *pixels, size_t bytes)
{
	struct picture *p = &pool->pictures[i];
	unsigned int y_stride =
		(width + STRIDE_ALIGN - 1) / STRIDE_ALIGN * STRIDE_ALIGN;
	size_t y_bytes = (size_t) y_stride * height;

	p->format = format;
	p->width = width;
	p->height = height;
	p->index = i;
	p->owner = pool;
	p->release = pool_take_back;
	p->data[0] = pixels;
	p->stride[0] = (int) y_stride;
	p->data[1] = pixels + y_bytes;
	switch (format) {
	case PICTURE_I420:
		p->stride[1] = p->stride[2] = (int) (y_stride / 2);
		p->data[2] = p->data[1] + y_bytes / 4;
		break;
	case PICTURE_NV12:
		p->stride[1] = (int) y_stride;
		break;
	}
	p->lav = av_buffer_create(pixels, bytes, keep_pixels, NULL,
				  AV_BUFFER_FLAG_READONLY);
	return p->lav ? 0 : -ENOMEM;
}

int picture_pool_new(struct picture_pool **ret, struct media_count *count,
		     unsigned int n, enum picture_format format,
		     unsigned int width, unsigned int height)
{
	struct picture_pool *pool;
	size_t bytes;
	int r = 0;

	if (n < 1 || n > POOL_MAX || width % 2 || height % 2 ||
	    width < PICTURE_MIN_SIDE || width > PICTURE_MAX_SIDE ||
	    height < PICTURE_MIN_SIDE || height > PICTURE_MAX_SIDE)
		return -EINVAL;

	pool = calloc(1, sizeof(*pool) + n * sizeof(pool->pictures[0]));
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);

	bytes = ((size_t) width + STRIDE_ALIGN) * height * 3 / 2 + 4096;
	bytes = bytes / 4096 * 4096;
	pool->n = n;
	pool->memory_bytes = bytes * n;
	/* Pages, not heap: untouched pictures stay without memory. */
	pool->memory = mmap(NULL, pool->memory_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool->memory == MAP_FAILED) {
		pool->memory = NULL;
		r = -ENOMEM;
	}
	for (unsigned int i = 0; i < n && r == 0; i++) {
		r = place_picture(pool, i, format, width, height,
				  pool->memory + bytes * i, bytes);
		media_count_add(&count->frame_allocs);
		pool->free[n - 1 - i] = &pool->pictures[i];
	}
	if (r < 0) {
		pool_destroy(pool);
		return r;
	}
	pool->n_free = pool->least_free = n;
	*ret = pool;
	return 0;
}

struct picture_pool *picture_pool_close(struct picture_pool *pool)
{
	bool last;

	if (!pool)
		return NULL;

	pthread_mutex_lock(&pool->lock);
	assert(!pool->closed);
	pool->closed = true;
	last = pool->n_free == pool->n;
	pthread_mutex_unlock(&pool->lock);

	if (last)
		pool_destroy(pool);
	return NULL;
}

/* The lowest of the stack were not needed since the last time: a moment when
 * an encoder lagged (its first frames) must not cost memory for ever. */
static void trim(struct picture_pool *pool)
{
	size_t bytes = pool->memory_bytes / pool->n;

	for (unsigned int i = 0; i < pool->least_free; i++) {
		struct picture *p = pool->free[i];

		if (!(pool->touched >> p->index & 1))
			continue;
		if (madvise(p->data[0], bytes, MADV_DONTNEED) < 0)
			continue; /* keeps its memory and contents */
		pool->touched &= ~(UINT32_C(1) << p->index);
		p->note = 0;
	}
	pool->least_free = pool->n_free;
	pool->n_gets = 0;
}

struct picture *picture_pool_get(struct picture_pool *pool)
{
	struct picture *p = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->n_free > 0) {
		p = pool->free[--pool->n_free];
		pool->touched |= UINT32_C(1) << p->index;
	}
	if (pool->n_free < pool->least_free)
		pool->least_free = pool->n_free;
	if (++pool->n_gets >= TRIM_GETS)
		trim(pool);
	pthread_mutex_unlock(&pool->lock);

	if (p)
		atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void picture_fill(struct picture *p, uint8_t y, uint8_t u, uint8_t v)
{
	for (unsigned int i = 0; i < p->height; i++)
		memset(p->data[0] + (size_t) i * p->stride[0], y, p->width);

	for (unsigned int i = 0; i < p->height / 2; i++) {
		uint8_t *row1 = p->data[1] + (size_t) i * p->stride[1];

		switch (p->format) {
		case PICTURE_I420:
			memset(row1, u, p->width / 2);
			memset(p->data[2] + (size_t) i * p->stride[2], v,
			       p->width / 2);
			break;
		case PICTURE_NV12:
			for (unsigned int j = 0; j < p->width; j += 2) {
				row1[j] = u;
				row1[j + 1] = v;
			}
			break;
		}
	}
}

void picture_copy(struct picture *dst, const struct picture *src,
		  struct media_count *count)
{
	int w = (int) src->width, h = (int) src->height;

	assert(dst->format == src->format && dst->width == src->width &&
	       dst->height == src->height);

	CopyPlane(src->data[0], src->stride[0], dst->data[0], dst->stride[0], w,
		  h);
	switch (src->format) {
	case PICTURE_I420:
		CopyPlane(src->data[1], src->stride[1], dst->data[1],
			  dst->stride[1], w / 2, h / 2);
		CopyPlane(src->data[2], src->stride[2], dst->data[2],
			  dst->stride[2], w / 2, h / 2);
		break;
	case PICTURE_NV12:
		CopyPlane(src->data[1], src->stride[1], dst->data[1],
			  dst->stride[1], w, h / 2);
		break;
	}
	media_count_add(&count->frame_copies);
}
