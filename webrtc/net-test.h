/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/net-test.h - what the tests of the network loop share
 *
 * Thread:  any; a latch is how the network thread tells the test
 * Memory:  the test's
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "webrtc/net-loop.h"

#define NET_TEST_DEADLINE_S 60

/* All zero to begin with. POSIX's locks rather than GLib's, because the thread
 * sanitizer does not see into those. */
struct net_test_latch {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	guint count;
};

static inline void net_test_count(struct net_test_latch *latch, guint n)
{
	pthread_mutex_lock(&latch->mutex);
	latch->count += n;
	pthread_cond_broadcast(&latch->cond);
	pthread_mutex_unlock(&latch->mutex);
}

/* Until the latch has counted to @n; aborts when that takes too long. */
static inline void net_test_await(struct net_test_latch *latch, guint n)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += NET_TEST_DEADLINE_S;
	pthread_mutex_lock(&latch->mutex);
	while (latch->count < n) {
		if (pthread_cond_clockwait(&latch->cond, &latch->mutex,
					   CLOCK_MONOTONIC, &deadline) != 0)
			g_error("counted to %u of %u", latch->count, n);
	}
	pthread_mutex_unlock(&latch->mutex);
}

struct net_test_call {
	void (*fn)(void *data);
	void *data;
	struct net_test_latch done;
};

static inline void net_test_run_call(void *data)
{
	struct net_test_call *call = (struct net_test_call *) data;

	call->fn(call->data);
	net_test_count(&call->done, 1);
}

/* Runs fn(data) on the network thread and waits for it. */
static inline void net_test_call(struct net_loop *loop, void (*fn)(void *),
				 void *data)
{
	struct net_test_call call = {.fn = fn, .data = data};

	while (net_loop_post(loop, net_test_run_call, &call) == -ENOBUFS)
		g_thread_yield();
	net_test_await(&call.done, 1);
}

static inline void net_test_nothing(void *data)
{
}

/* Until the network thread has seen two more ticks: what was under way when
 * called has been given to the kernel and looked at. */
static inline void net_test_settle(struct net_loop *loop)
{
	for (int i = 0; i < 3; i++)
		net_test_call(loop, net_test_nothing, NULL);
}

/* A UDP socket on a free port of the loopback address. */
static inline int net_test_udp(int family, struct sockaddr_storage *ret_addr,
			       socklen_t *ret_len)
{
	struct sockaddr_storage addr = {.ss_family = family};
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);
	int size = 4 * 1024 * 1024;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (family == AF_INET)
		((struct sockaddr_in *) &addr)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *) &addr)->sin6_addr = in6addr_loopback;
	if (bind(fd, (struct sockaddr *) &addr, len) < 0) {
		close(fd);
		return -1;
	}
	/* The second needs a capability, the first is cut to the limit. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));

	*ret_len = sizeof(*ret_addr);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *) ret_addr, ret_len),
			==, 0);
	return fd;
}

static inline void net_test_send_to(int fd, const void *data, size_t len,
				    const struct sockaddr_storage *addr,
				    socklen_t addr_len)
{
	g_assert_cmpint(sendto(fd, data, len, 0, (const struct sockaddr *) addr,
			       addr_len),
			==, len);
}

/* Waits for one datagram at @fd. */
static inline ssize_t net_test_receive(int fd, void *data, size_t size)
{
	GPollFD poll = {.fd = fd, .events = G_IO_IN};

	if (g_poll(&poll, 1, NET_TEST_DEADLINE_S * 1000) <= 0)
		g_error("nothing came");
	return recv(fd, data, size, MSG_DONTWAIT);
}

/* Adds @fn once for each backend; io_uring is skipped where there is none. */
static inline void net_test_add(const char *name, void (*fn)(gconstpointer))
{
	g_autofree char *uring = g_strdup_printf("/net/uring/%s", name);
	g_autofree char *epoll = g_strdup_printf("/net/epoll/%s", name);

	g_test_add_data_func(uring, GINT_TO_POINTER(NET_BACKEND_URING), fn);
	g_test_add_data_func(epoll, GINT_TO_POINTER(NET_BACKEND_EPOLL), fn);
}

/* Return: NULL, and the test is skipped, when there is no such backend. */
static inline struct net_loop *net_test_loop(
	gconstpointer backend, const struct net_loop_config *config)
{
	struct net_loop_config c =
		config ? *config : (struct net_loop_config){0};
	struct net_loop *loop = NULL;
	int r;

	c.backend = (enum net_backend) GPOINTER_TO_INT(backend);
	r = net_loop_new(&loop, &c);
	if (r == -EOPNOTSUPP) {
		g_test_skip("no io_uring here");
		return NULL;
	}
	g_assert_cmpint(r, ==, 0);
	g_assert_cmpint(net_loop_get_backend(loop), ==, c.backend);
	return loop;
}
