// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-backend.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define N_POSTS	  4096
#define N_SOCKETS 1024
#define N_BUFFERS 256
#define LATE_US	  5000
#define TRIM_US	  UINT64_C(10000000)
/* Falling asleep and waking up costs more than this: go round instead. */
#define SPIN_US 5
/* Stopping waits this many times this long for the kernel to give back what
 * it still holds. */
#define STOP_ROUNDS  200
#define STOP_WAIT_US 10000

#define SOCKETS_BYTES(loop)                                                    \
	((size_t) (loop)->config.n_sockets * sizeof(struct net_socket))

void *net_reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* One touched byte must not become two megabytes. */
	madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

void *net_unreserve(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
	return NULL;
}

static uint64_t read_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* --- sockets ------------------------------------------------------------- */

int net_socket_new(struct net_loop *loop, int fd, net_packet_fn fn, void *user,
		   struct net_socket **ret)
{
	struct net_socket *socket = loop->idle_sockets;
	unsigned int index;
	int r;

	if (socket) {
		loop->idle_sockets = socket->next;
		index = socket->index;
	} else if (loop->n_sockets_touched < loop->config.n_sockets) {
		index = loop->n_sockets_touched++;
		socket = &loop->sockets[index];
	} else {
		close(fd);
		return -ENOSPC;
	}

	*socket = (struct net_socket){
		.loop = loop,
		.fd = fd,
		.index = index,
		.fn = fn,
		.user = user,
	};
	r = loop->ops->add(loop, socket);
	if (r < 0) {
		close(fd);
		socket->fd = -1;
		socket->closing = true;
		socket->next = loop->idle_sockets;
		loop->idle_sockets = socket;
		return r;
	}
	loop->stats.sockets++;
	*ret = socket;
	return 0;
}

/* Nobody knows it any more. Its place is used again only after this tick:
 * the backend may still hold events that name it. */
static void release_socket(struct net_socket *socket)
{
	struct net_loop *loop = socket->loop;

	close(socket->fd);
	socket->fd = -1;
	socket->next = loop->closed_sockets;
	loop->closed_sockets = socket;
	loop->stats.sockets--;
}

void net_socket_ref(struct net_socket *socket)
{
	socket->n_refs++;
}

void net_socket_unref(struct net_socket *socket)
{
	if (--socket->n_refs == 0 && socket->closing)
		release_socket(socket);
}

struct net_socket *net_socket_free(struct net_socket *socket)
{
	if (!socket)
		return NULL;
	socket->closing = true;
	socket->n_refs++;
	socket->loop->ops->remove(socket->loop, socket);
	net_socket_unref(socket);
	return NULL;
}

int net_socket_get_fd(const struct net_socket *socket)
{
	return socket->fd;
}

void net_socket_deliver(struct net_socket *socket, uint8_t *data, size_t len,
			const struct sockaddr_storage *from)
{
	struct net_loop *loop = socket->loop;

	loop->stats.rx_datagrams++;
	loop->stats.rx_bytes += len;
	if (len > 0)
		socket->fn(socket->user, data, len, from, loop->now_us);
}

static void recycle_sockets(struct net_loop *loop)
{
	while (loop->closed_sockets) {
		struct net_socket *socket = loop->closed_sockets;

		loop->closed_sockets = socket->next;
		socket->next = loop->idle_sockets;
		loop->idle_sockets = socket;
	}
}

/* --- posts --------------------------------------------------------------- */

static void wake(struct net_loop *loop)
{
	uint64_t one = 1;
	ssize_t n;

	/* Fails only with a counter near 2^64, and then it is awake anyway. */
	do
		n = write(loop->wake_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

int net_loop_post(struct net_loop *loop, void (*fn)(void *data), void *data)
{
	if (!net_queue_push(&loop->queue, (struct net_post){fn, data})) {
		atomic_fetch_add_explicit(&loop->n_posts_refused, 1,
					  memory_order_relaxed);
		return -ENOBUFS;
	}
	/* The first writer of a sleep wakes; those after it see it done. */
	if (atomic_load(&loop->sleeping) &&
	    atomic_exchange(&loop->sleeping, false))
		wake(loop);
	return 0;
}

/* What was posted so far; posts may post, but that is for the next tick. */
static void run_posts(struct net_loop *loop)
{
	size_t n = net_queue_get_length(&loop->queue);
	struct net_post post;

	while (n-- && net_queue_pop(&loop->queue, &post)) {
		loop->stats.posts++;
		post.fn(post.data);
	}
}

/* --- counters ------------------------------------------------------------ */

/* A turn counter lets readers notice that they read while we wrote. Release
 * and acquire on every word order them against the counter. */
static void publish_stats(struct net_loop *loop)
{
	uint64_t turn =
		atomic_load_explicit(&loop->stats_turn, memory_order_relaxed);
	uint64_t words[NET_STATS_WORDS];

	loop->stats.posts_refused = atomic_load_explicit(&loop->n_posts_refused,
							 memory_order_relaxed);
	loop->stats.timers = loop->heap.n;
	memcpy(words, &loop->stats, sizeof(words));

	atomic_store_explicit(&loop->stats_turn, turn + 1,
			      memory_order_relaxed);
	for (size_t i = 0; i < NET_STATS_WORDS; i++)
		atomic_store_explicit(&loop->stats_copy[i], words[i],
				      memory_order_release);
	atomic_store_explicit(&loop->stats_turn, turn + 2,
			      memory_order_release);
}

void net_loop_get_stats(struct net_loop *loop, struct net_loop_stats *ret)
{
	uint64_t words[NET_STATS_WORDS];
	uint64_t before, after;
	struct timespec ts;
	clockid_t clock;

	do {
		before = atomic_load_explicit(&loop->stats_turn,
					      memory_order_acquire);
		for (size_t i = 0; i < NET_STATS_WORDS; i++)
			words[i] = atomic_load_explicit(&loop->stats_copy[i],
							memory_order_acquire);
		after = atomic_load_explicit(&loop->stats_turn,
					     memory_order_relaxed);
	} while (before != after || before % 2);
	memcpy(ret, words, sizeof(words));

	/* Asked here, because it is a system call the ticks can do without. */
	if (pthread_getcpuclockid(loop->thread, &clock) == 0 &&
	    clock_gettime(clock, &ts) == 0)
		ret->cpu_ns = (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- the thread ---------------------------------------------------------- */

static uint64_t get_timeout_us(struct net_loop *loop)
{
	uint64_t due_us = net_heap_get_due(&loop->heap);
	uint64_t now_us;

	if (due_us == UINT64_MAX)
		return UINT64_MAX;
	/* Afresh: this tick may have taken a while. */
	now_us = read_clock_us();
	return due_us > now_us + SPIN_US ? due_us - now_us : 0;
}

static void sleep_and_dispatch(struct net_loop *loop, uint64_t timeout_us)
{
	atomic_store(&loop->sleeping, true);
	/* Whoever posted before this store did not wake us. */
	if (net_queue_is_ready(&loop->queue) || atomic_load(&loop->stopping))
		timeout_us = 0;
	loop->ops->wait(loop, timeout_us);
	atomic_store(&loop->sleeping, false);

	loop->now_us = read_clock_us();
	loop->ops->dispatch(loop);
}

static void end_tick(struct net_loop *loop)
{
	recycle_sockets(loop);
	if (loop->now_us - loop->trimmed_us >= TRIM_US) {
		loop->trimmed_us = loop->now_us;
		net_send_trim(loop);
	}
	loop->stats.ticks++;
	publish_stats(loop);
}

static void tick(struct net_loop *loop)
{
	sleep_and_dispatch(loop, get_timeout_us(loop));
	run_posts(loop);
	loop->stats.wakeups_late_5ms +=
		net_heap_run(&loop->heap, loop->now_us, LATE_US);
	end_tick(loop);
}

/* Lets the last chunks leave, then closes what is left. */
static void stop(struct net_loop *loop)
{
	run_posts(loop);
	for (unsigned int i = 0; i < loop->n_sockets_touched; i++) {
		if (!loop->sockets[i].closing)
			net_socket_free(&loop->sockets[i]);
	}
	for (int i = 0; i < STOP_ROUNDS && loop->stats.sockets > 0; i++) {
		loop->ops->wait(loop, STOP_WAIT_US);
		loop->ops->dispatch(loop);
	}
	loop->ops->close(loop);

	/* A kernel that held on to requests for all that time keeps its own
	 * references; ours end here. */
	for (unsigned int i = 0; i < loop->n_sockets_touched; i++) {
		if (loop->sockets[i].fd >= 0)
			close(loop->sockets[i].fd);
	}
}

static int open_backend(struct net_loop *loop)
{
	int r;

	if (loop->config.backend != NET_BACKEND_EPOLL) {
		loop->ops = &net_uring_ops;
		r = loop->ops->open(loop);
		if (r == 0)
			return 0;
		if (loop->config.backend == NET_BACKEND_URING)
			return r == -ENOMEM ? r : -EOPNOTSUPP;
	}
	loop->ops = &net_epoll_ops;
	return loop->ops->open(loop);
}

static void *run(void *data)
{
	struct net_loop *loop = data;
	int r;

	pthread_setname_np(pthread_self(), "network");
	loop->now_us = read_clock_us();
	r = open_backend(loop);
	loop->start_result = r;
	sem_post(&loop->started);
	if (r < 0)
		return NULL;

	while (!atomic_load_explicit(&loop->stopping, memory_order_acquire))
		tick(loop);
	stop(loop);
	return NULL;
}

/* Signals are for the control thread, save for those that a thread brings on
 * itself: blocked, they would end the process without whoever reports it. */
static int start_thread(struct net_loop *loop)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
				  SIGABRT, SIGSYS};
	sigset_t all, old;
	int r;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&loop->thread, NULL, run, loop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0)
		return -r;

	while (sem_wait(&loop->started) < 0)
		continue;
	if (loop->start_result < 0)
		pthread_join(loop->thread, NULL);
	return loop->start_result;
}

static struct net_loop *release(struct net_loop *loop)
{
	net_send_done(loop);
	net_unreserve(loop->sockets, SOCKETS_BYTES(loop));
	net_heap_done(&loop->heap);
	net_queue_done(&loop->queue);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	sem_destroy(&loop->started);
	free(loop);
	return NULL;
}

static int acquire(struct net_loop *loop)
{
	int r;

	loop->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (loop->wake_fd < 0)
		return -errno;
	r = net_queue_init(&loop->queue, loop->config.n_posts);
	if (r < 0)
		return r;
	r = net_heap_init(&loop->heap);
	if (r < 0)
		return r;
	loop->sockets = net_reserve(SOCKETS_BYTES(loop));
	if (!loop->sockets)
		return -ENOMEM;
	return net_send_init(loop);
}

int net_loop_new(struct net_loop **ret, const struct net_loop_config *config)
{
	struct net_loop *loop;
	int r;

	/* Cache lines of its queue are kept apart. */
	loop = aligned_alloc(alignof(struct net_loop), sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	memset(loop, 0, sizeof(*loop));
	loop->config = *config;
	if (!loop->config.n_posts)
		loop->config.n_posts = N_POSTS;
	if (!loop->config.n_sockets)
		loop->config.n_sockets = N_SOCKETS;
	if (!loop->config.n_buffers)
		loop->config.n_buffers = N_BUFFERS;
	loop->wake_fd = -1;
	sem_init(&loop->started, 0, 0);

	r = acquire(loop);
	if (r == 0)
		r = start_thread(loop);
	if (r < 0) {
		release(loop);
		return r;
	}
	*ret = loop;
	return 0;
}

struct net_loop *net_loop_free(struct net_loop *loop)
{
	if (!loop)
		return NULL;
	atomic_store(&loop->stopping, true);
	wake(loop);
	pthread_join(loop->thread, NULL);
	return release(loop);
}

enum net_backend net_loop_get_backend(const struct net_loop *loop)
{
	return loop->ops->backend;
}

const char *net_loop_get_fallback_reason(const struct net_loop *loop)
{
	return loop->config.backend == NET_BACKEND_AUTO && loop->reason[0]
		       ? loop->reason
		       : NULL;
}

uint64_t net_loop_now_us(const struct net_loop *loop)
{
	return loop->now_us;
}

int net_timer_set(struct net_loop *loop, struct net_timer *timer,
		  uint64_t due_us)
{
	return net_heap_set(&loop->heap, timer, due_us);
}

void net_timer_cancel(struct net_loop *loop, struct net_timer *timer)
{
	net_heap_cancel(&loop->heap, timer);
}
