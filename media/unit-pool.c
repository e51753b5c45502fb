// SPDX-License-Identifier: Apache-2.0
#include "media/unit-pool.h"

#include <assert.h>
#include <errno.h>
#include <libavcodec/packet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_GRAIN 4096u  /* bytes */
#define BUFFER_KEEP  32768u /* bytes; larger ones go when the unit is back */

struct pooled_unit {
	struct coded_unit unit; /* first: release() gets its address */
	struct unit_pool *pool;
	uint8_t *buffer;
	size_t capacity;
	AVPacket *packet;
};

struct unit_pool {
	pthread_mutex_t lock;
	struct media_count *count;
	enum media_codec codec;
	unsigned int n, n_free;
	bool closed;
	struct pooled_unit **free;
	struct pooled_unit units[];
};

static void pool_destroy(struct unit_pool *pool)
{
	for (unsigned int i = 0; i < pool->n; i++) {
		free(pool->units[i].buffer);
		av_packet_free(&pool->units[i].packet);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool->free);
	free(pool);
}

static void take_back(struct coded_unit *u)
{
	struct pooled_unit *pu = (struct pooled_unit *) u;
	struct unit_pool *pool = pu->pool;
	bool last;

	if (pu->packet)
		av_packet_unref(pu->packet);
	if (pu->capacity > BUFFER_KEEP) {
		free(pu->buffer);
		pu->buffer = NULL;
		pu->capacity = 0;
	}

	pthread_mutex_lock(&pool->lock);
	pool->free[pool->n_free++] = pu;
	last = pool->closed && pool->n_free == pool->n;
	pthread_mutex_unlock(&pool->lock);

	if (last)
		pool_destroy(pool);
}

int unit_pool_new(struct unit_pool **ret, struct media_count *count,
		  enum media_codec codec, unsigned int n)
{
	struct unit_pool *pool;

	pool = calloc(1, sizeof(*pool) + n * sizeof(pool->units[0]));
	if (!pool)
		return -ENOMEM;
	pool->free = calloc(n, sizeof(pool->free[0]));
	if (!pool->free) {
		free(pool);
		return -ENOMEM;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pool->count = count;
	pool->codec = codec;
	pool->n = pool->n_free = n;
	for (unsigned int i = 0; i < n; i++) {
		pool->units[i].pool = pool;
		pool->free[n - 1 - i] = &pool->units[i];
	}
	*ret = pool;
	return 0;
}

struct unit_pool *unit_pool_close(struct unit_pool *pool)
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

struct coded_unit *unit_pool_get(struct unit_pool *pool)
{
	struct pooled_unit *pu = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->n_free > 0)
		pu = pool->free[--pool->n_free];
	pthread_mutex_unlock(&pool->lock);

	if (!pu)
		return NULL;
	pu->unit = (struct coded_unit){
		.codec = pool->codec,
		.release = take_back,
	};
	atomic_init(&pu->unit.refs, 1);
	return &pu->unit;
}

static int reserve(struct pooled_unit *pu, size_t size)
{
	size_t capacity =
		(size + BUFFER_GRAIN - 1) / BUFFER_GRAIN * BUFFER_GRAIN;
	uint8_t *buffer;

	if (size <= pu->capacity)
		return 0;
	buffer = realloc(pu->buffer, capacity);
	if (!buffer)
		return -ENOMEM;
	media_count_add(&pu->pool->count->unit_allocs);
	pu->buffer = buffer;
	pu->capacity = capacity;
	return 0;
}

int unit_copy_parts(struct coded_unit *u, const uint8_t *head, size_t head_size,
		    const uint8_t *data, size_t size)
{
	struct pooled_unit *pu = (struct pooled_unit *) u;
	int r;

	if (size > UNIT_MAX_BYTES || head_size > UNIT_MAX_BYTES - size)
		return -EMSGSIZE;
	r = reserve(pu, head_size + size);
	if (r < 0)
		return r;
	if (head_size)
		memcpy(pu->buffer, head, head_size);
	if (size)
		memcpy(pu->buffer + head_size, data, size);
	media_count_add(&pu->pool->count->unit_copies);
	u->data = pu->buffer;
	u->size = head_size + size;
	return 0;
}

int unit_copy_data(struct coded_unit *u, const uint8_t *data, size_t size)
{
	return unit_copy_parts(u, NULL, 0, data, size);
}

int unit_take_packet(struct coded_unit *u, struct AVPacket *packet)
{
	struct pooled_unit *pu = (struct pooled_unit *) u;

	if (!pu->packet) {
		pu->packet = av_packet_alloc();
		if (!pu->packet)
			return -ENOMEM;
	}
	av_packet_move_ref(pu->packet, packet);
	u->data = pu->packet->data;
	u->size = (size_t) pu->packet->size;
	return 0;
}
