// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packet-ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int packet_ring_init(struct packet_ring *ring, unsigned int n)
{
	unsigned int size = 2;

	while (size < n)
		size *= 2;

	memset(ring, 0, sizeof(*ring));
	ring->slots = malloc(size * sizeof(ring->slots[0]));
	if (!ring->slots)
		return -ENOMEM;
	ring->mask = size - 1;
	return 0;
}

void packet_ring_done(struct packet_ring *ring)
{
	free(ring->slots);
	ring->slots = NULL;
}

struct packet *packet_ring_reserve(struct packet_ring *ring)
{
	unsigned int head =
		atomic_load_explicit(&ring->head, memory_order_relaxed);
	unsigned int tail =
		atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head - tail > ring->mask)
		return NULL;
	return &ring->slots[head & ring->mask];
}

bool packet_ring_push(struct packet_ring *ring)
{
	unsigned int head =
		atomic_load_explicit(&ring->head, memory_order_relaxed);

	/* Sequentially consistent, as is the reader's begin: either the reader
	 * sees this packet or we see that it has gone to sleep. */
	atomic_store(&ring->head, head + 1);
	return !atomic_exchange(&ring->woken, true);
}

void packet_ring_not_woken(struct packet_ring *ring)
{
	atomic_store(&ring->woken, false);
}

void packet_ring_begin(struct packet_ring *ring)
{
	atomic_store(&ring->woken, false);
}

struct packet *packet_ring_peek(struct packet_ring *ring)
{
	unsigned int tail =
		atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (tail == atomic_load(&ring->head))
		return NULL;
	return &ring->slots[tail & ring->mask];
}

void packet_ring_pop(struct packet_ring *ring)
{
	unsigned int tail =
		atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}
