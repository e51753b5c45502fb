/* SPDX-License-Identifier: Apache-2.0 */
/* media/capture-threads.h - threads that own devices, and may hang in them
 *
 * A call into a driver may never return: a camera's firmware that stopped, a
 * hub that lost its power. Nobody may wait for such a thread without an end, so
 * it runs detached: it is told to end, and says when it did. One that stays
 * inside a call for CAPTURE_STUCK_US is left behind, and whoever owns it begins
 * with another; the memory both look at goes with the last of them.
 *
 * Source:  none (our own)
 * Thread:  control, save where a function says otherwise
 * Memory:  embedded in their owner
 */
#pragma once

#include "media/media-clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Inside one call for so long: it hangs. The slowest that works is a USB camera
 * whose control transfers time out one by one, after 5 s each. */
#define CAPTURE_STUCK_US (10 * MEDIA_US_PER_SEC)
#define CAPTURE_LEFT_MAX 4    /* left behind by one owner at a time */
#define CAPTURE_END_MS	 2000 /* waited for threads when the owner ends */

/* The threads of one owner. */
struct capture_threads {
	pthread_mutex_t lock; /* the owner's too */
	pthread_cond_t ended;
	unsigned int n; /* that run, those left behind included */
	bool is_orphaned;
};

struct capture_thread {
	const struct media_clock *clock;
	int wake_fd; /* readable: there is something new; -1 */
	atomic_uint_fast64_t inside_us; /* since when in a call that may hang */
};

void capture_threads_init(struct capture_threads *t);

/**
 * capture_threads_leave() - the owner ends; all threads were told
 *
 * Waits CAPTURE_END_MS at most. Return: true: they are gone and the owner frees
 * what they share; false: the last of them does (capture_threads_end()).
 */
bool capture_threads_leave(struct capture_threads *t);
/* Of the memory, by whoever frees it. */
void capture_threads_done(struct capture_threads *t);

/* The last act of a thread. Return: true: it frees what they share. Capture. */
bool capture_threads_end(struct capture_threads *t);

/* Return: 0 or a negative errno. */
int capture_thread_init(struct capture_thread *c,
			const struct media_clock *clock);
void capture_thread_done(struct capture_thread *c);
/* Starts @run(@user), counted in @t. Return: 0 or a negative errno. */
int capture_thread_start(struct capture_threads *t, void *(*run)(void *user),
			 void *user);
/* Any thread. */
void capture_thread_wake(struct capture_thread *c);

/* Around each call that may hang. Capture. */
void capture_thread_enter(struct capture_thread *c);
void capture_thread_leave(struct capture_thread *c);
/* Has it been inside for CAPTURE_STUCK_US? Any thread. */
bool capture_thread_is_stuck(const struct capture_thread *c);
