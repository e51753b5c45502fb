/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/packet-ring.h - datagrams from one thread to one other
 *
 *   writer: packet_ring_reserve() .. fill .. packet_ring_push()
 *   reader: packet_ring_peek()    .. use  .. packet_ring_pop()
 *
 * push says when the reader has to be woken: once per batch, not per packet.
 *
 * Source:  none (our own)
 * Thread:  one writer, one reader; both named by the owner
 * Memory:  slots acquired by packet_ring_init(); pages are touched as the
 *          ring first comes round
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_RING_BYTES 2048 /* largest datagram */

struct packet {
	void *owner;
	size_t len;
	uint8_t data[PACKET_RING_BYTES];
};

struct packet_ring {
	struct packet *slots;
	unsigned int mask;
	alignas(64) atomic_uint head;  /* next to write */
	alignas(64) atomic_uint tail;  /* next to read */
	alignas(64) atomic_bool woken; /* the reader knows there is work */
};

/* Capacity is @n rounded up to a power of two. Return: 0 or -ENOMEM. */
int packet_ring_init(struct packet_ring *ring, unsigned int n);
void packet_ring_done(struct packet_ring *ring);

/* Writer. A slot to fill, or NULL when all are taken. */
struct packet *packet_ring_reserve(struct packet_ring *ring);
/* Writer. Publishes it. Return: true when the reader must be woken. */
bool packet_ring_push(struct packet_ring *ring);
/* Writer, when waking failed: the next push will ask again. */
void packet_ring_not_woken(struct packet_ring *ring);

/* Reader, first when woken: pushes from now on ask for another wake-up. */
void packet_ring_begin(struct packet_ring *ring);
/* Reader. The oldest packet, or NULL. */
struct packet *packet_ring_peek(struct packet_ring *ring);
void packet_ring_pop(struct packet_ring *ring);
