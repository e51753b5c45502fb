/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/net-backend.h - what the parts of the network loop share
 *
 *   net-loop.c   thread, tick, posts, sockets, counters
 *   net-send.c   buffers, paths, what completions mean (GSO fallback)
 *   net-uring.c  \ one of them moves the datagrams
 *   net-epoll.c  /
 *
 * One tick: wait() submits what was prepared and sleeps; dispatch() hands over
 * packets and completions; then posts, then timers. Whatever these send is
 * prepared by send() and leaves with the next wait().
 *
 * Thread:  network
 * Memory:  arrays reserved by net_loop_new(), touched as far as they are used
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "webrtc/net-loop.h"
#include "webrtc/net-queue.h"
#include "webrtc/net-timer.h"

/* A received datagram with all that stands around it: Ethernet's 1500 bytes
 * and some. Longer ones are truncated, counted and dropped. */
#define NET_RX_BUFFER_BYTES 2048
/* What one sendmsg may carry: 16 bits less IPv6 and UDP headers. */
#define NET_UDP_BYTES_MAX (65535 - 40 - 8)

struct net_socket {
	struct net_loop *loop;
	int fd;
	unsigned int index; /* in loop->sockets */
	net_packet_fn fn;
	void *user;
	/* Requests in the kernel, chunks and calls under way. A closing socket
	 * is closed, and its place used again, when this is 0: nothing that
	 * comes late can meet a stranger. */
	unsigned int n_refs;
	bool closing;
	bool armed;		 /* uring: multishot receive */
	bool rearm;		 /* uring: on the list to arm again */
	unsigned int n_failures; /* of receiving, in a row */
	struct net_socket *next; /* idle, or closed in this tick */
	struct net_socket *next_rearm;
};

struct net_chunk {
	struct net_buffer buffer;  /* first: the user's view */
	struct net_chunk *next;	   /* when idle */
	uint32_t touched;	   /* bytes of data used since the last trim */
	struct net_path *path;	   /* NULL once forgotten */
	struct net_socket *socket; /* referenced while in flight */
	struct sockaddr_storage addr;
	unsigned int n_datagrams;
	unsigned int n_messages; /* 1, or n_datagrams without GSO */
	unsigned int n_left;	 /* messages not completed */
	bool gso;		 /* one message of many datagrams */
	bool quiet;		 /* no need to wake for its success */
	bool any_sent;
	int tos; /* IP_TOS or IPV6_TCLASS of all; 0: the socket's own */
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t)) +
					     CMSG_SPACE(sizeof(int))];
	/* Last: only the first of each is touched with GSO. */
	struct iovec iov[NET_SEGMENTS_MAX];
	struct mmsghdr messages[NET_SEGMENTS_MAX];
};

struct net_backend_ops {
	const char *name;
	enum net_backend backend;

	/* On the network thread. Return: 0 or negative errno, with the reason
	 * in loop->reason. */
	int (*open)(struct net_loop *loop);
	/* No socket is left and no chunk in flight. */
	void (*close)(struct net_loop *loop);

	/* Return: 0 or negative errno. */
	int (*add)(struct net_loop *loop, struct net_socket *socket);
	/* Receives no more; references may remain. */
	void (*remove)(struct net_loop *loop, struct net_socket *socket);

	/* Takes chunk->messages; calls net_chunk_done() once for each, at
	 * once or later. */
	void (*send)(struct net_loop *loop, struct net_chunk *chunk);

	/* Submits and sleeps until something happened; @timeout_us UINT64_MAX:
	 * for as long as it takes. */
	void (*wait)(struct net_loop *loop, uint64_t timeout_us);
	void (*dispatch)(struct net_loop *loop);
};

extern const struct net_backend_ops net_uring_ops;
extern const struct net_backend_ops net_epoll_ops;

#define NET_STATS_WORDS (sizeof(struct net_loop_stats) / sizeof(uint64_t))

struct net_loop {
	const struct net_backend_ops *ops;
	void *backend; /* its own state */
	struct net_loop_config config;
	pthread_t thread;
	int wake_fd; /* eventfd, blocking reads */
	uint64_t now_us;

	struct net_queue queue;
	/* A writer that finds the loop asleep wakes it, and only the first. */
	_Atomic bool sleeping;
	_Atomic bool stopping;
	_Atomic uint64_t n_posts_refused;

	struct net_heap heap;

	struct net_socket *sockets;
	unsigned int n_sockets_touched;
	struct net_socket *idle_sockets;
	struct net_socket *closed_sockets; /* idle after this tick */

	struct net_chunk *chunks;
	uint8_t *chunk_data;
	unsigned int n_chunks_touched;
	unsigned int n_chunks_in_use;
	struct net_chunk *idle_chunks;
	uint64_t trimmed_us;
	_Atomic uint8_t dscp[N_NET_MARKS];

	struct net_loop_stats stats; /* the network thread's own */
	_Atomic uint64_t stats_turn; /* odd: being written */
	_Atomic uint64_t stats_copy[NET_STATS_WORDS];

	char reason[128]; /* why not io_uring */
	sem_t started;
	int start_result;
};

/* Address space that costs nothing until it is touched. Return: NULL when
 * there is none. */
void *net_reserve(size_t bytes);
/* Takes NULL; returns NULL. */
void *net_unreserve(void *p, size_t bytes);

/* One datagram for @socket, which may be gone when this returns; the caller
 * holds a reference. */
void net_socket_deliver(struct net_socket *socket, uint8_t *data, size_t len,
			const struct sockaddr_storage *from);
void net_socket_ref(struct net_socket *socket);
void net_socket_unref(struct net_socket *socket);

/* Acquires and releases the send buffers. Return: 0 or -ENOMEM. */
int net_send_init(struct net_loop *loop);
void net_send_done(struct net_loop *loop);
/* Gives the kernel back what bursts have touched of buffers that are idle
 * now, save for NET_BUFFER_KEEP_BYTES of each. */
#define NET_BUFFER_KEEP_BYTES 16384
void net_send_trim(struct net_loop *loop);
/* One message of @chunk is done: @res is bytes or negative errno. After the
 * last one the chunk is another's. */
void net_chunk_done(struct net_loop *loop, struct net_chunk *chunk, int res);
