/* SPDX-License-Identifier: Apache-2.0 */
/* tests/bench-net.h - what the sending benchmark measures
 *
 * A row is a way to send and a way to fill the datagrams, each without
 * knowledge of the other: the same sealing can be put on sendto and on the
 * network loop. Add rows to the table in bench-net.c.
 *
 * Thread:  a row's functions run on the thread whose CPU time is taken
 * Memory:  each row's own, acquired by open
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BENCH_PEERS_MAX 64
#define BENCH_PACKETS	15   /* of one frame, to one peer */
#define BENCH_BYTES	1200 /* one datagram, its tag included */
#define BENCH_CHUNK	5    /* packets that leave together when paced */

/* Where the datagrams go: one socket per peer, as with ICE. */
struct bench_world {
	unsigned int n_peers;
	unsigned int n_chunk; /* packets that leave together; 15: one burst */
	int fd[BENCH_PEERS_MAX];
	struct sockaddr_storage addr[BENCH_PEERS_MAX];
	socklen_t addr_len;
};

/* Writes datagrams. */
struct bench_fill {
	const char *name;
	void *(*open)(unsigned int n_peers);
	void (*close)(void *state);
	/* Makes the next datagram for @peer: exactly @len bytes. */
	void (*fill)(void *state, unsigned int peer, uint8_t *data, size_t len);
};

/* Sends frames. */
struct bench_send {
	const char *name;
	/* Return: NULL when it cannot be had here. */
	void *(*open)(const struct bench_world *world,
		      const struct bench_fill *fill, void *fill_state);
	void (*close)(void *state);
	/* Sends @n_frames to every peer. Return: CPU nanoseconds of the
	 * sending thread; @ret_syscalls what it asked of the kernel. */
	uint64_t (*run)(void *state, unsigned int n_frames,
			uint64_t *ret_syscalls);
};

/* bench-nice.c: the usual way, packet by packet */
extern const struct bench_fill bench_fill_libsrtp_cm, bench_fill_libsrtp_gcm;
extern const struct bench_send bench_send_nice;
/* bench-session.c: ours, whole; it seals by itself, in chunks of BENCH_CHUNK */
extern const struct bench_send bench_send_session;

/* CLOCK_THREAD_CPUTIME_ID of the caller, nanoseconds. */
uint64_t bench_cpu_ns(void);
