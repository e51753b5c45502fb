/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/net-queue.h - a bounded queue of calls, many writers and one reader
 *
 * A ring of cells, each with a turn counter (after D. Vyukov's bounded queue):
 *
 *   turn == ticket          free, the writer holding this ticket fills it
 *   turn == ticket + 1      filled, the reader takes it
 *   turn == ticket + size   free again, one lap later
 *
 * A writer takes its ticket with one compare-and-swap and never waits for
 * another writer. The reader sees calls in the order of the tickets.
 *
 * Thread:  push any; everything else the one reader
 * Memory:  the ring, acquired by net_queue_init()
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct net_post {
	void (*fn)(void *data);
	void *data;
};

struct net_queue_cell {
	_Atomic size_t turn;
	struct net_post post;
};

struct net_queue {
	struct net_queue_cell *cells;
	size_t mask;
	alignas(64) _Atomic size_t tail; /* next ticket */
	alignas(64) size_t head;	 /* next to take, reader's */
};

/* Capacity is @n rounded up to a power of two, at least 2. Return: 0, -ENOMEM
 * or -EINVAL. */
int net_queue_init(struct net_queue *q, size_t n);
void net_queue_done(struct net_queue *q);

/* False when the queue is full. */
bool net_queue_push(struct net_queue *q, struct net_post post);
/* False when nothing is ready: empty, or the next writer is not done yet. */
bool net_queue_pop(struct net_queue *q, struct net_post *ret);
/* Something can be taken. */
bool net_queue_is_ready(struct net_queue *q);
/* Tickets given out and not taken yet: what a reader should run in one go. */
size_t net_queue_get_length(struct net_queue *q);
