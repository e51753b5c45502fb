// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-queue.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define QUEUE_MAX (SIZE_MAX / 2 / sizeof(struct net_queue_cell))

int net_queue_init(struct net_queue *q, size_t n)
{
	size_t size = 2;

	if (n > QUEUE_MAX / 2)
		return -EINVAL;
	while (size < n)
		size *= 2;

	q->cells = calloc(size, sizeof(*q->cells));
	if (!q->cells)
		return -ENOMEM;
	q->mask = size - 1;
	q->head = 0;
	atomic_init(&q->tail, 0);
	for (size_t i = 0; i < size; i++)
		atomic_init(&q->cells[i].turn, i);
	return 0;
}

void net_queue_done(struct net_queue *q)
{
	free(q->cells);
	q->cells = NULL;
}

bool net_queue_push(struct net_queue *q, struct net_post post)
{
	size_t ticket = atomic_load_explicit(&q->tail, memory_order_relaxed);
	struct net_queue_cell *cell;

	for (;;) {
		size_t turn;
		ptrdiff_t ahead;

		cell = &q->cells[ticket & q->mask];
		turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
		ahead = (ptrdiff_t) (turn - ticket);
		if (ahead < 0)
			return false; /* last lap's call is still in there */
		if (ahead > 0) {
			ticket = atomic_load_explicit(&q->tail,
						      memory_order_relaxed);
			continue;
		}
		if (atomic_compare_exchange_weak_explicit(
			    &q->tail, &ticket, ticket + 1, memory_order_relaxed,
			    memory_order_relaxed))
			break;
	}

	cell->post = post;
	/* Sequentially consistent, not only release: the writer next asks
	 * whether the reader sleeps, and that must not be seen earlier. */
	atomic_store(&cell->turn, ticket + 1);
	return true;
}

bool net_queue_is_ready(struct net_queue *q)
{
	return atomic_load(&q->cells[q->head & q->mask].turn) == q->head + 1;
}

size_t net_queue_get_length(struct net_queue *q)
{
	return atomic_load_explicit(&q->tail, memory_order_relaxed) - q->head;
}

bool net_queue_pop(struct net_queue *q, struct net_post *ret)
{
	struct net_queue_cell *cell = &q->cells[q->head & q->mask];

	if (atomic_load_explicit(&cell->turn, memory_order_acquire) !=
	    q->head + 1)
		return false;
	*ret = cell->post;
	atomic_store_explicit(&cell->turn, q->head + q->mask + 1,
			      memory_order_release);
	q->head++;
	return true;
}
