// SPDX-License-Identifier: Apache-2.0
/* What a camera's YUYV costs on its way to an encoder, beside a copy of the
 * same picture: both walk through fresh memory, as a running camera's do.
 * Methods take turns in every round; medians. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "media/picture-convert.h"

#define ROUNDS	 31
#define PICTURES 4 /* each with its own memory: a camera has as many */

struct bench {
	unsigned int width, height;
	struct media_count count;
	struct picture_pool *pool;
	struct picture *to[PICTURES];
	uint8_t *from[PICTURES], *copy[PICTURES];
	size_t bytes; /* of one YUYV picture */
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void convert(struct bench *b, unsigned int i)
{
	const struct picture_view view = {
		.layout = PIXELS_YUYV,
		.width = b->width,
		.height = b->height,
		.data = {b->from[i]},
		.stride = {(int) (2 * b->width)},
	};

	picture_convert(b->to[i], &view, &b->count);
}

static void copy(struct bench *b, unsigned int i)
{
	memcpy(b->copy[i], b->from[i], b->bytes);
	__asm__ volatile("" : : "r"(b->copy[i]) : "memory");
}

static double measure(struct bench *b, void (*fn)(struct bench *, unsigned int))
{
	uint64_t begin = cpu_ns();

	for (unsigned int i = 0; i < PICTURES; i++)
		fn(b, i);
	return (double) (cpu_ns() - begin) / PICTURES / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static void run(unsigned int width, unsigned int height)
{
	struct bench b = {.width = width, .height = height,
			  .bytes = (size_t) width * height * 2};
	double converted[ROUNDS], copied[ROUNDS];

	if (picture_pool_new(&b.pool, &b.count, PICTURES, PICTURE_I420, width,
			     height) < 0)
		g_error("no memory");
	for (unsigned int i = 0; i < PICTURES; i++) {
		b.to[i] = picture_pool_get(b.pool);
		b.from[i] = g_malloc(b.bytes);
		b.copy[i] = g_malloc(b.bytes);
		for (size_t at = 0; at < b.bytes; at++)
			b.from[i][at] = (uint8_t) (at * 7 + i);
		convert(&b, i);
		copy(&b, i);
	}
	for (unsigned int round = 0; round < ROUNDS; round++) {
		copied[round] = measure(&b, copy);
		converted[round] = measure(&b, convert);
	}
	qsort(copied, ROUNDS, sizeof(double), compare);
	qsort(converted, ROUNDS, sizeof(double), compare);
	printf("%ux%u  YUYV to I420 %.3f ms  memcpy %.3f ms  ratio %.2f\n",
	       width, height, converted[ROUNDS / 2], copied[ROUNDS / 2],
	       converted[ROUNDS / 2] / copied[ROUNDS / 2]);
	for (unsigned int i = 0; i < PICTURES; i++) {
		picture_unref(b.to[i]);
		g_free(b.from[i]);
		g_free(b.copy[i]);
	}
	picture_pool_close(b.pool);
}

int main(void)
{
	run(1280, 720);
	run(1920, 1080);
	return 0;
}
