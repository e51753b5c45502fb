/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/net-loop.h - one thread, one io_uring: all media sockets of all peers
 *
 *   any thread --net_loop_post()--> [bounded queue + eventfd] --> tasks
 *   UDP sockets --multishot recvmsg--> packet functions
 *   timers --> fire functions
 *        ... which call net_send(): chunks are collected, and the whole
 *        tick's output of all peers leaves with one io_uring submission.
 *
 * Backends, chosen at run time and forced by configuration: io_uring
 * (multishot receive into a provided buffer ring, sendmsg with UDP_SEGMENT),
 * or epoll + recvmmsg + sendmsg. GSO is a property of each path: refused
 * (EIO, EMSGSIZE, EINVAL) it falls back to one datagram per send, and the
 * batch that failed is sent again.
 *
 * Source:  io_uring(7), udp(7) UDP_SEGMENT; docs/architecture.md, "Transport
 *          I/O"
 * Thread:  network, save where a function says otherwise
 * Memory:  everything acquired by net_loop_new(); none per packet
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct net_loop;
struct net_socket;

enum net_backend {
	NET_BACKEND_AUTO, /* io_uring if it works, else epoll */
	NET_BACKEND_URING,
	NET_BACKEND_EPOLL,
};

struct net_loop_config {
	enum net_backend backend;
	bool no_gso;		/* never use UDP_SEGMENT */
	unsigned int n_posts;	/* capacity of the post queue, rounded
				 * up to a power of two; 0: 4096 */
	unsigned int n_sockets; /* most sockets at once; 0: 1024 */
	unsigned int n_buffers; /* send buffers; 0: 256. Only those in
				 * use at once are ever touched. */
};

/* Starts the thread. Return: 0 or negative errno; -EOPNOTSUPP when a forced
 * backend is not to be had. Control. */
int net_loop_new(struct net_loop **ret, const struct net_loop_config *config);
/* Stops the thread after the posts already queued; sockets left are closed.
 * Takes NULL. */
struct net_loop *net_loop_free(struct net_loop *loop);

enum net_backend net_loop_get_backend(const struct net_loop *loop);
/* Why AUTO did not take io_uring, or NULL. Any thread. */
const char *net_loop_get_fallback_reason(const struct net_loop *loop);

/* Runs fn(data) on the network thread, in order of posting. Any thread.
 * Return: 0, or -ENOBUFS when the queue is full (then fn never runs). */
int net_loop_post(struct net_loop *loop, void (*fn)(void *data), void *data);

/* CLOCK_MONOTONIC, microseconds, read once per tick. */
uint64_t net_loop_now_us(const struct net_loop *loop);

/* --- timers: intrusive, in a heap --------------------------------------- */
struct net_timer {
	uint64_t due_us;
	void (*fire)(struct net_timer *timer, uint64_t now_us);
	size_t heap_index; /* 1-based; 0: not armed */
};
/* Arms or moves. Return: 0 or -ENOMEM (the heap has grown to its limit). */
int net_timer_set(struct net_loop *loop, struct net_timer *timer,
		  uint64_t due_us);
void net_timer_cancel(struct net_loop *loop, struct net_timer *timer);

/* --- sockets ------------------------------------------------------------- */
/* One datagram, never empty. @data may be changed in place and is valid for the
 * call only. The function may free its own socket. */
typedef void (*net_packet_fn)(void *user, uint8_t *data, size_t len,
			      const struct sockaddr_storage *from,
			      uint64_t now_us);

/**
 * net_socket_new() - put a UDP socket into the loop
 * @fd: non-blocking, bound, not connected; taken, even on failure
 * @fn: receives; NULL for a socket that only sends (a duplicate of libnice's)
 *
 * Return: 0, -ENOSPC (n_sockets), -ENOMEM.
 */
int net_socket_new(struct net_loop *loop, int fd, net_packet_fn fn, void *user,
		   struct net_socket **ret);
/* @fn is not called any more. Chunks under way still leave, then the socket
 * closes, at the latest with the next tick; until then it counts as one of
 * n_sockets. Paths must not point at it any longer. Takes NULL. */
struct net_socket *net_socket_free(struct net_socket *socket);
int net_socket_get_fd(const struct net_socket *socket);

/* --- sending ------------------------------------------------------------- */
#define NET_BUFFER_BYTES 65536
#define NET_SEGMENTS_MAX 64

/* What routers on the way are told of a datagram. */
enum net_mark {
	NET_MARK_NONE,
	NET_MARK_AUDIO,
	NET_MARK_VIDEO,
	N_NET_MARKS,
};
/* The code point of a mark (0 to 63; 0: none), for what is sent from now on.
 * Any thread. Source: RFC 2474; RFC 8837 says which for what. */
void net_loop_set_dscp(struct net_loop *loop, enum net_mark mark, uint8_t dscp);

/* One contiguous run of datagrams to one destination: all of @segment bytes,
 * the last one may be shorter. */
struct net_buffer {
	uint8_t *data;	  /* NET_BUFFER_BYTES of space */
	uint32_t len;	  /* bytes filled */
	uint16_t segment; /* bytes per datagram; >= len: just one */
	enum net_mark mark;
};

/* Where chunks go. Belongs to its user; zeroed, then net_path_set(). */
struct net_path {
	struct net_socket *socket; /* NULL: relayed, see @relay */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	bool no_gso; /* learnt: this destination refuses GSO */
	/* With @socket NULL every datagram is handed over here (ICE-TCP and
	 * TURN: libnice sends it from the ice thread). */
	void (*relay)(void *user, const uint8_t *data, size_t len);
	void *relay_user;
	unsigned int in_flight; /* chunks not completed yet, as far as was
				 * noticed: with the next event, 50 ms later
				 * at most. The path must not be freed before
				 * it is 0 or net_path_forget() was called */
	uint64_t datagrams, bytes, chunks, errors;
	int last_error; /* negative errno of the last failure */
};
/* Points the path at a socket (NULL: @relay) and an address; asks GSO anew if
 * either changes. Counters stay. */
void net_path_set(struct net_path *path, struct net_socket *socket,
		  const struct sockaddr_storage *addr, socklen_t addr_len);
/* A path that is about to be freed: completions no longer touch it. */
void net_path_forget(struct net_loop *loop, struct net_path *path);

/* An empty buffer, or NULL when all are in flight (drop, and count). */
struct net_buffer *net_buffer_get(struct net_loop *loop);
/* Gives back a buffer that was not sent. */
void net_buffer_put(struct net_loop *loop, struct net_buffer *buffer);
/* Queues a filled buffer for this tick's submission; takes the buffer. More
 * than NET_SEGMENTS_MAX datagrams are refused: an error on the path. */
void net_send(struct net_loop *loop, struct net_path *path,
	      struct net_buffer *buffer);

/* --- counters ------------------------------------------------------------ */
struct net_loop_stats {
	uint64_t ticks;
	uint64_t syscalls; /* io_uring_enter, or all of epoll's */
	uint64_t rx_datagrams, rx_bytes, rx_no_buffer, rx_truncated;
	uint64_t tx_chunks, tx_datagrams, tx_bytes, tx_errors, tx_gso_refused;
	uint64_t tx_no_buffer;
	uint64_t posts, posts_refused;
	uint64_t wakeups_late_5ms; /* timers that fired > 5 ms late */
	unsigned int sockets, timers;
	uint64_t cpu_ns; /* CLOCK_THREAD_CPUTIME_ID */
};
/* A copy taken at the end of the last tick. Any thread. */
void net_loop_get_stats(struct net_loop *loop, struct net_loop_stats *ret);
