// SPDX-License-Identifier: Apache-2.0
#include "media/media-clock.h"

#include <errno.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t) ts.tv_sec * MEDIA_US_PER_SEC +
	       (uint64_t) ts.tv_nsec / 1000;
}

static uint64_t system_now_us(void *user)
{
	return read_us(CLOCK_MONOTONIC);
}

static uint64_t system_wall_us(void *user)
{
	return read_us(CLOCK_REALTIME);
}

static int system_wait(void *user, struct pollfd *fds, unsigned int n_fds,
		       uint64_t deadline_us)
{
	for (;;) {
		struct timespec ts, *timeout = NULL;
		int r;

		if (deadline_us != MEDIA_NO_DEADLINE) {
			uint64_t now = read_us(CLOCK_MONOTONIC);
			uint64_t left =
				deadline_us > now ? deadline_us - now : 0;

			ts.tv_sec = (time_t) (left / MEDIA_US_PER_SEC);
			ts.tv_nsec = (long) (left % MEDIA_US_PER_SEC * 1000);
			timeout = &ts;
		}

		r = ppoll(fds, n_fds, timeout, NULL);
		if (r >= 0)
			return r;
		if (errno != EINTR)
			return -errno;
	}
}

const struct media_clock *media_clock_system(void)
{
	static const struct media_clock clock = {
		.now_us = system_now_us,
		.wall_us = system_wall_us,
		.wait = system_wait,
	};

	return &clock;
}
