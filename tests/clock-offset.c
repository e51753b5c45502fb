// SPDX-License-Identifier: Apache-2.0
/* tests/clock-offset.c - another time of day for a program
 *
 *   LD_PRELOAD=libclock-offset.so CLOCK_OFFSET=FILE program
 *
 * FILE holds a 64-bit number of nanoseconds, added to every reading of
 * CLOCK_REALTIME; another process may change it at any time, so that a week
 * passes in minutes. CLOCK_MONOTONIC and what sleeps on it stay as they are: a
 * jump of the time of day must not touch them.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC INT64_C(1000000000)

static atomic_int_fast64_t none, *offset = &none;

__attribute__((constructor)) static void open_offset(void)
{
	const char *path = getenv("CLOCK_OFFSET");
	void *shared;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		abort();
	shared = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		abort();
	offset = shared;
}

static int64_t now_ns(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec + atomic_load(offset);
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int64_t ns;

	if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
		return (int) syscall(SYS_clock_gettime, id, ret);
	ns = now_ns();
	ret->tv_sec = ns / NS_PER_SEC;
	ret->tv_nsec = ns % NS_PER_SEC;
	return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	int64_t ns = now_ns();

	ret->tv_sec = ns / NS_PER_SEC;
	ret->tv_usec = ns % NS_PER_SEC / 1000;
	return 0;
}

time_t time(time_t *ret)
{
	time_t now = now_ns() / NS_PER_SEC;

	if (ret)
		*ret = now;
	return now;
}
