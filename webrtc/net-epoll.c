// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* epoll, recvmmsg and sendmsg: for kernels and sandboxes without io_uring.
 * Sends leave at once, so nothing is ever in flight here. */

#define N_EVENTS 64
/* Datagrams of one socket in one go; level-triggered, the rest comes with the
 * next tick, and no socket starves the others. */
#define N_MESSAGES 32

struct epoll_backend {
	int fd;
	bool no_pwait2;
	int n_events;
	struct epoll_event events[N_EVENTS];
	struct mmsghdr messages[N_MESSAGES];
	struct iovec iov[N_MESSAGES];
	struct sockaddr_storage from[N_MESSAGES];
	uint8_t data[N_MESSAGES][NET_RX_BUFFER_BYTES];
};

static void epoll_close(struct net_loop *loop)
{
	struct epoll_backend *e = loop->backend;

	if (!e)
		return;
	if (e->fd >= 0)
		close(e->fd);
	free(e);
	loop->backend = NULL;
}

static int epoll_open(struct net_loop *loop)
{
	struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
	struct epoll_backend *e;
	int r;

	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	loop->backend = e;
	e->fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->fd < 0 ||
	    epoll_ctl(e->fd, EPOLL_CTL_ADD, loop->wake_fd, &wake) < 0) {
		r = -errno;
		epoll_close(loop);
		return r;
	}

	for (int i = 0; i < N_MESSAGES; i++) {
		struct msghdr *msg = &e->messages[i].msg_hdr;

		e->iov[i].iov_base = e->data[i];
		e->iov[i].iov_len = sizeof(e->data[i]);
		msg->msg_iov = &e->iov[i];
		msg->msg_iovlen = 1;
		msg->msg_name = &e->from[i];
	}
	return 0;
}

static int epoll_add(struct net_loop *loop, struct net_socket *socket)
{
	struct epoll_backend *e = loop->backend;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};

	if (!socket->fn)
		return 0;
	if (epoll_ctl(e->fd, EPOLL_CTL_ADD, socket->fd, &event) < 0)
		return -errno;
	socket->armed = true;
	return 0;
}

static void epoll_remove(struct net_loop *loop, struct net_socket *socket)
{
	struct epoll_backend *e = loop->backend;

	/* Said outright: libnice's duplicate of the descriptor would keep the
	 * registration alive after our close. */
	if (socket->armed)
		epoll_ctl(e->fd, EPOLL_CTL_DEL, socket->fd, NULL);
	socket->armed = false;
}

static void epoll_send(struct net_loop *loop, struct net_chunk *chunk)
{
	/* The chunk is another's after its last message. */
	unsigned int n = chunk->n_messages, i = 0;
	struct mmsghdr *messages = chunk->messages;
	int fd = chunk->socket->fd;

	while (i < n) {
		int r = sendmmsg(fd, messages + i, n - i,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		loop->stats.syscalls++;
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			i++;
			net_chunk_done(loop, chunk, r < 0 ? -errno : -EIO);
			continue;
		}
		for (; r > 0; r--) {
			unsigned int len = messages[i++].msg_len;

			net_chunk_done(loop, chunk, len);
		}
	}
}

static void epoll_sleep(struct net_loop *loop, uint64_t timeout_us)
{
	struct epoll_backend *e = loop->backend;
	int timeout_ms = -1;

	loop->stats.syscalls++;
	if (!e->no_pwait2) {
		struct timespec ts = {
			.tv_sec = timeout_us / 1000000,
			.tv_nsec = timeout_us % 1000000 * 1000,
		};

		e->n_events = epoll_pwait2(
			e->fd, e->events, N_EVENTS,
			timeout_us == UINT64_MAX ? NULL : &ts, NULL);
		if (e->n_events >= 0 || errno == EINTR)
			return;
		e->no_pwait2 = true; /* a sandbox that knows only the old one */
	}

	/* Rounded up: a timer that fires early would be no timer. */
	if (timeout_us < INT32_MAX)
		timeout_ms = (timeout_us + 999) / 1000;
	e->n_events = epoll_wait(e->fd, e->events, N_EVENTS, timeout_ms);
}

static void epoll_receive(struct net_loop *loop, struct net_socket *socket)
{
	struct epoll_backend *e = loop->backend;
	int n;

	for (int i = 0; i < N_MESSAGES; i++)
		e->messages[i].msg_hdr.msg_namelen = sizeof(e->from[i]);
	n = recvmmsg(socket->fd, e->messages, N_MESSAGES, MSG_DONTWAIT, NULL);
	loop->stats.syscalls++;

	for (int i = 0; i < n && !socket->closing; i++) {
		if (e->messages[i].msg_hdr.msg_flags & MSG_TRUNC)
			loop->stats.rx_truncated++;
		else
			net_socket_deliver(socket, e->data[i],
					   e->messages[i].msg_len, &e->from[i]);
	}
}

static void epoll_dispatch(struct net_loop *loop)
{
	struct epoll_backend *e = loop->backend;
	uint64_t count;

	for (int i = 0; i < e->n_events; i++) {
		struct net_socket *socket = e->events[i].data.ptr;

		if (!socket) {
			loop->stats.syscalls++;
			if (read(loop->wake_fd, &count, sizeof(count)) < 0)
				continue; /* woken all the same */
		} else if (!socket->closing) {
			net_socket_ref(socket);
			epoll_receive(loop, socket);
			net_socket_unref(socket);
		}
	}
	e->n_events = 0;
}

const struct net_backend_ops net_epoll_ops = {
	.name = "epoll",
	.backend = NET_BACKEND_EPOLL,
	.open = epoll_open,
	.close = epoll_close,
	.add = epoll_add,
	.remove = epoll_remove,
	.send = epoll_send,
	.wait = epoll_sleep,
	.dispatch = epoll_dispatch,
};
