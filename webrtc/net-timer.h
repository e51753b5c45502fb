/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/net-timer.h - the heap behind net_timer_set()
 *
 * A binary heap of (due, timer); each timer knows its place, so moving and
 * cancelling cost O(log n). The address space for NET_TIMERS_MAX timers is
 * reserved at start and touched only as far as it is used.
 *
 * Thread:  any one; the clock is passed in
 * Memory:  acquired by net_heap_init(); timers belong to their users
 */
#pragma once

#include "webrtc/net-loop.h"

#define NET_TIMERS_MAX 65536

struct net_heap_entry {
	uint64_t due_us;
	struct net_timer *timer;
};

struct net_heap {
	struct net_heap_entry *entries; /* [1..n]; [0] is not used */
	size_t n;
	uint64_t floor_us; /* while running: nothing is due before */
};

/* Return: 0 or negative errno. */
int net_heap_init(struct net_heap *heap);
void net_heap_done(struct net_heap *heap);

/* Arms or moves. Return: 0 or -ENOMEM: NET_TIMERS_MAX are armed. */
int net_heap_set(struct net_heap *heap, struct net_timer *timer,
		 uint64_t due_us);
void net_heap_cancel(struct net_heap *heap, struct net_timer *timer);

/* When the next timer is due, UINT64_MAX when none is armed. */
uint64_t net_heap_get_due(const struct net_heap *heap);

/**
 * net_heap_run() - fire what is due at @now_us, earliest first
 *
 * A timer is disarmed before it fires; its function may arm, move, cancel and
 * free any timer. What it arms for a time that has passed already fires in the
 * next run, so a run always ends.
 *
 * Return: how many of them fired more than @late_us after they were due.
 */
unsigned int net_heap_run(struct net_heap *heap, uint64_t now_us,
			  uint64_t late_us);
