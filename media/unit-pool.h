/* SPDX-License-Identifier: Apache-2.0 */
/* media/unit-pool.h - coded units without an allocation for each frame
 *
 * The unit that came back last goes out first, with the buffer it grew: after
 * the first seconds nothing is allocated. Buffers larger than an ordinary
 * frame (keyframes) are given back, or every unit would end with one.
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  the pool lives until it is closed and its last unit is back
 */
#pragma once

#include "media/coded-unit.h"
#include "media/media-count.h"

#define UNIT_MAX_BYTES (4u << 20)

struct AVPacket;
struct unit_pool;

/* @count is used by units only until unit_pool_close(). Return: 0, -ENOMEM */
int unit_pool_new(struct unit_pool **ret, struct media_count *count,
		  enum media_codec codec, unsigned int n);

/* Takes NULL, returns NULL. Units that are out stay valid. */
struct unit_pool *unit_pool_close(struct unit_pool *pool);

/* One unit, one reference, no data yet; NULL if all are out. */
struct coded_unit *unit_pool_get(struct unit_pool *pool);

/* Copies @size bytes into the unit. Return: 0, -EMSGSIZE, -ENOMEM */
int unit_copy_data(struct coded_unit *u, const uint8_t *data, size_t size);

/* The same, of two pieces. */
int unit_copy_parts(struct coded_unit *u, const uint8_t *head, size_t head_size,
		    const uint8_t *data, size_t size);

/* Takes the packet's reference (it is left blank) without copying its bytes.
 * Return: 0, -ENOMEM */
int unit_take_packet(struct coded_unit *u, struct AVPacket *packet);
