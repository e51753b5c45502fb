/* SPDX-License-Identifier: Apache-2.0 */
/* media/media-count.h - every copy and allocation of pictures, counted
 *
 * The counters move inside the only functions that copy or allocate:
 * picture.c (buffers, copies) and picture-convert.c (conversions). Whoever
 * adds a copy elsewhere hides it, so nobody does. What libraries copy inside
 * is not ours to count: libx264 and libvpx each copy the picture once into
 * their own padded frames.
 *
 * Source:  none (our own)
 * Thread:  any; atomic
 * Memory:  embedded in its owner
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct media_count {
	atomic_uint_fast64_t frame_copies;   /* whole pictures; conversions too */
	atomic_uint_fast64_t frame_allocs;   /* picture buffers */
	atomic_uint_fast64_t unit_allocs;    /* coded unit buffers grown */
	atomic_uint_fast64_t unit_copies;    /* coded units copied */
};

static inline void media_count_add(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline uint64_t media_count_get(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(
		(atomic_uint_fast64_t *) (uintptr_t) counter,
		memory_order_relaxed);
}
