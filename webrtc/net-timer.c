// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-timer.h"

#include <errno.h>
#include <sys/mman.h>

#define HEAP_BYTES ((NET_TIMERS_MAX + 1) * sizeof(struct net_heap_entry))

int net_heap_init(struct net_heap *heap)
{
	void *p = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	heap->entries = p;
	heap->n = 0;
	heap->floor_us = 0;
	return 0;
}

void net_heap_done(struct net_heap *heap)
{
	if (heap->entries)
		munmap(heap->entries, HEAP_BYTES);
	heap->entries = NULL;
}

static void place(struct net_heap *heap, size_t i, struct net_heap_entry entry)
{
	heap->entries[i] = entry;
	entry.timer->heap_index = i;
}

/* Moves @entry from the free place @i to where it belongs. */
static void sift(struct net_heap *heap, size_t i, struct net_heap_entry entry)
{
	const struct net_heap_entry *e = heap->entries;

	while (i > 1 && entry.due_us < e[i / 2].due_us) {
		place(heap, i, e[i / 2]);
		i /= 2;
	}
	for (;;) {
		size_t child = 2 * i;

		if (child > heap->n)
			break;
		if (child < heap->n && e[child + 1].due_us < e[child].due_us)
			child++;
		if (entry.due_us <= e[child].due_us)
			break;
		place(heap, i, e[child]);
		i = child;
	}
	place(heap, i, entry);
}

int net_heap_set(struct net_heap *heap, struct net_timer *timer,
		 uint64_t due_us)
{
	struct net_heap_entry entry = {due_us, timer};
	size_t i = timer->heap_index;

	if (i == 0) {
		if (heap->n == NET_TIMERS_MAX)
			return -ENOMEM;
		i = ++heap->n;
	}
	if (due_us < heap->floor_us)
		entry.due_us = heap->floor_us;
	timer->due_us = entry.due_us;
	sift(heap, i, entry);
	return 0;
}

void net_heap_cancel(struct net_heap *heap, struct net_timer *timer)
{
	size_t i = timer->heap_index;
	struct net_heap_entry last;

	if (i == 0)
		return;
	timer->heap_index = 0;
	last = heap->entries[heap->n--];
	if (last.timer != timer)
		sift(heap, i, last);
}

uint64_t net_heap_get_due(const struct net_heap *heap)
{
	return heap->n ? heap->entries[1].due_us : UINT64_MAX;
}

unsigned int net_heap_run(struct net_heap *heap, uint64_t now_us,
			  uint64_t late_us)
{
	unsigned int n_late = 0;

	heap->floor_us = now_us + 1;
	while (net_heap_get_due(heap) <= now_us) {
		struct net_timer *timer = heap->entries[1].timer;

		if (now_us - timer->due_us > late_us)
			n_late++;
		net_heap_cancel(heap, timer);
		timer->fire(timer, now_us);
	}
	heap->floor_us = 0;
	return n_late;
}
