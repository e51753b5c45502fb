/* SPDX-License-Identifier: Apache-2.0 */
/* media/media-clock.h - the time that paces media, so that tests can own it
 *
 * Source:  clock_gettime(2), ppoll(2)
 * Thread:  any
 * Memory:  a table of functions; nothing to release
 */
#pragma once

#include <poll.h>
#include <stdint.h>

#define MEDIA_US_PER_SEC   UINT64_C(1000000)
#define MEDIA_NO_DEADLINE  UINT64_MAX

struct media_clock {
	/* CLOCK_MONOTONIC, microseconds */
	uint64_t (*now_us)(void *user);
	/* CLOCK_REALTIME, microseconds since 1970 */
	uint64_t (*wall_us)(void *user);
	/* Waits for one of @n_fds descriptors or for the absolute @deadline_us
	 * of now_us(). Return: how many are ready, 0 at the deadline, or a
	 * negative errno; never -EINTR. */
	int (*wait)(void *user, struct pollfd *fds, unsigned int n_fds,
		    uint64_t deadline_us);
	void *user;
};

/* The kernel's clocks. */
const struct media_clock *media_clock_system(void);

static inline uint64_t media_clock_now_us(const struct media_clock *c)
{
	return c->now_us(c->user);
}

static inline uint64_t media_clock_wall_us(const struct media_clock *c)
{
	return c->wall_us(c->user);
}

static inline int media_clock_wait(const struct media_clock *c,
				   struct pollfd *fds, unsigned int n_fds,
				   uint64_t deadline_us)
{
	return c->wait(c->user, fds, n_fds, deadline_us);
}
