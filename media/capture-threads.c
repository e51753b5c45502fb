// SPDX-License-Identifier: Apache-2.0
#include "media/capture-threads.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS  1000000L
#define NS_PER_SEC 1000000000L

void capture_threads_init(struct capture_threads *t)
{
	pthread_condattr_t monotonic;

	*t = (struct capture_threads){0};
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&t->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void capture_threads_done(struct capture_threads *t)
{
	pthread_cond_destroy(&t->ended);
	pthread_mutex_destroy(&t->lock);
}

static struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * NS_PER_MS;
	if (t.tv_nsec >= NS_PER_SEC) {
		t.tv_nsec -= NS_PER_SEC;
		t.tv_sec++;
	}
	return t;
}

bool capture_threads_leave(struct capture_threads *t)
{
	struct timespec until = in_ms(CAPTURE_END_MS);
	bool all_gone;
	int r = 0;

	pthread_mutex_lock(&t->lock);
	while (t->n > 0 && r == 0)
		r = pthread_cond_timedwait(&t->ended, &t->lock, &until);
	all_gone = t->n == 0;
	t->is_orphaned = !all_gone;
	pthread_mutex_unlock(&t->lock);
	return all_gone;
}

bool capture_threads_end(struct capture_threads *t)
{
	bool is_last;

	pthread_mutex_lock(&t->lock);
	t->n--;
	is_last = t->n == 0 && t->is_orphaned;
	pthread_cond_broadcast(&t->ended);
	pthread_mutex_unlock(&t->lock);
	return is_last;
}

int capture_thread_init(struct capture_thread *c,
			const struct media_clock *clock)
{
	*c = (struct capture_thread){.clock = clock};
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return c->wake_fd < 0 ? -errno : 0;
}

void capture_thread_done(struct capture_thread *c)
{
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	c->wake_fd = -1;
}

int capture_thread_start(struct capture_threads *t, void *(*run)(void *user),
			 void *user)
{
	pthread_attr_t detached;
	pthread_t thread;
	int r;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&t->lock);
	t->n++;
	pthread_mutex_unlock(&t->lock);
	r = pthread_create(&thread, &detached, run, user);
	pthread_attr_destroy(&detached);
	if (r) {
		pthread_mutex_lock(&t->lock);
		t->n--;
		pthread_mutex_unlock(&t->lock);
	}
	return -r;
}

void capture_thread_wake(struct capture_thread *c)
{
	eventfd_write(c->wake_fd, 1);
}

void capture_thread_enter(struct capture_thread *c)
{
	atomic_store(&c->inside_us, media_clock_now_us(c->clock));
}

void capture_thread_leave(struct capture_thread *c)
{
	atomic_store(&c->inside_us, 0);
}

bool capture_thread_is_stuck(const struct capture_thread *c)
{
	uint64_t since = atomic_load(&c->inside_us);
	uint64_t now = media_clock_now_us(c->clock);

	return since && now > since && now - since >= CAPTURE_STUCK_US;
}
