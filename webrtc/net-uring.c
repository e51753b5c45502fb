// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-backend.h"

#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One ring, created by the thread that uses it, so the kernel may run
 * completions only inside our own waits (DEFER_TASKRUN).
 *
 * No registered files. They would save the kernel a reference count a chunk,
 * too little to be measured, and on Linux 6.1 a file taken out of the table is
 * put a second later, and not before every older request on any of them has
 * ended. A multishot receive lives as long as its peer: sockets of others,
 * long closed, would keep their ports and their places beside libnice's. */

#define SQ_ENTRIES 512
#define CQ_ENTRIES 4096
#define RX_GROUP   0
#define RX_BUFFERS 256 /* a power of two */
/* Successes that may wait for the next event; below CQ_ENTRIES, which is the
 * most a wait can ask for. */
#define QUIET_MAX 1024
/* With sends outstanding, look at them again after this at the latest. */
#define QUIET_WAIT_US 50000
/* A receive that fails at once is armed again this often, then slowly. */
#define FAILURES_MAX	16
#define FAILURE_WAIT_US 100000

/* user_data: a pointer, and in its low bits what it points to. */
enum {
	TAG_RECEIVE, /* struct net_socket */
	TAG_SEND,    /* struct net_chunk */
	TAG_WAKE,
	TAG_CANCEL,
	TAG_MASK = 7,
};

struct uring_backend {
	struct io_uring ring;
	bool has_ring, has_buffers;
	struct io_uring_buf_ring *rx_ring;
	uint8_t *rx_data;
	unsigned int n_returned; /* buffers to give back */
	struct msghdr rx_msg;	 /* the same for all receives */
	struct sockaddr_storage from;
	uint64_t wake_count;
	bool wake_armed;
	unsigned int n_quiet; /* messages in flight, success awaited
			       * by nobody */
	struct net_socket *rearm;
	struct net_timer rearm_timer;
	bool rearm_slowly;
};

#define RX_RING_BYTES (RX_BUFFERS * sizeof(struct io_uring_buf))
#define RX_DATA_BYTES ((size_t) RX_BUFFERS * NET_RX_BUFFER_BYTES)

/* --- opening ------------------------------------------------------------- */

static int refuse(struct net_loop *loop, int r, const char *what)
{
	const char *why = strerrordesc_np(-r);

	snprintf(loop->reason, sizeof(loop->reason), "%s: %s", what,
		 why ? why : "unknown error");
	return r;
}

static int check_opcodes(struct io_uring *ring)
{
	static const int needed[] = {
		IORING_OP_SENDMSG,
		IORING_OP_RECVMSG,
		IORING_OP_READ,
		IORING_OP_ASYNC_CANCEL,
	};
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	int r = 0;

	if (!probe)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!io_uring_opcode_supported(probe, needed[i]))
			r = -EOPNOTSUPP;
	}
	io_uring_free_probe(probe);
	return r;
}

static void return_buffer(struct uring_backend *u, unsigned int id)
{
	io_uring_buf_ring_add(
		u->rx_ring, u->rx_data + (size_t) id * NET_RX_BUFFER_BYTES,
		NET_RX_BUFFER_BYTES, id, io_uring_buf_ring_mask(RX_BUFFERS),
		u->n_returned++);
}

static void return_buffers(struct uring_backend *u)
{
	if (u->n_returned)
		io_uring_buf_ring_advance(u->rx_ring, u->n_returned);
	u->n_returned = 0;
}

/* By hand: liburing 2.3 registers a buffer ring but does not make one. */
static int register_buffers(struct uring_backend *u)
{
	struct io_uring_buf_reg reg = {
		.ring_entries = RX_BUFFERS,
		.bgid = RX_GROUP,
	};
	int r;

	u->rx_ring = net_reserve(RX_RING_BYTES);
	u->rx_data = net_reserve(RX_DATA_BYTES);
	if (!u->rx_ring || !u->rx_data)
		return -ENOMEM;

	reg.ring_addr = (uintptr_t) u->rx_ring;
	r = io_uring_register_buf_ring(&u->ring, &reg, 0);
	if (r < 0)
		return r;
	u->has_buffers = true;

	io_uring_buf_ring_init(u->rx_ring);
	for (unsigned int i = 0; i < RX_BUFFERS; i++)
		return_buffer(u, i);
	return_buffers(u);
	return 0;
}

static void uring_close(struct net_loop *loop)
{
	struct uring_backend *u = loop->backend;

	if (!u)
		return;
	if (u->has_buffers)
		io_uring_unregister_buf_ring(&u->ring, RX_GROUP);
	if (u->has_ring)
		io_uring_queue_exit(&u->ring);
	net_unreserve(u->rx_ring, RX_RING_BYTES);
	net_unreserve(u->rx_data, RX_DATA_BYTES);
	free(u);
	loop->backend = NULL;
}

static void fire_rearm(struct net_timer *timer, uint64_t now_us)
{
	/* The wait that follows arms what is on the list. */
	struct uring_backend *u =
		(void *) ((char *) timer -
			  offsetof(struct uring_backend, rearm_timer));

	u->rearm_slowly = false;
}

static int set_up(struct net_loop *loop, struct uring_backend *u)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
			 IORING_SETUP_CQSIZE,
		.cq_entries = CQ_ENTRIES,
	};
	unsigned int features = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP;
	int r;

	r = io_uring_queue_init_params(SQ_ENTRIES, &u->ring, &params);
	if (r < 0)
		return refuse(loop, r, "io_uring_setup");
	u->has_ring = true;
	if ((params.features & features) != features)
		return refuse(loop, -EOPNOTSUPP, "io_uring features");
	r = check_opcodes(&u->ring);
	if (r < 0)
		return refuse(loop, r, "io_uring opcodes");
	r = register_buffers(u);
	if (r < 0)
		return refuse(loop, r, "io_uring buffer ring");

	/* Saves looking the ring up at each call; nothing is lost without. */
	io_uring_register_ring_fd(&u->ring);
	return 0;
}

static int uring_open(struct net_loop *loop)
{
	struct uring_backend *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return refuse(loop, -ENOMEM, "io_uring");
	loop->backend = u;
	u->rx_msg.msg_namelen = sizeof(struct sockaddr_in6);
	u->rearm_timer.fire = fire_rearm;

	r = set_up(loop, u);
	if (r < 0)
		uring_close(loop);
	return r;
}

/* --- preparing ----------------------------------------------------------- */

static uint64_t tagged(const void *p, unsigned int tag)
{
	return (uintptr_t) p | tag;
}

/* Return: NULL when the kernel takes nothing at the moment. */
static struct io_uring_sqe *get_sqe(struct net_loop *loop)
{
	struct uring_backend *u = loop->backend;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (sqe)
		return sqe;
	loop->stats.syscalls++;
	io_uring_submit(&u->ring);
	return io_uring_get_sqe(&u->ring);
}

/* Arms what ended by itself, holding the list's reference. */
static void add_rearm(struct uring_backend *u, struct net_socket *socket)
{
	if (socket->rearm)
		return;
	net_socket_ref(socket);
	socket->rearm = true;
	socket->next_rearm = u->rearm;
	u->rearm = socket;
}

static void arm(struct net_loop *loop, struct net_socket *socket)
{
	struct uring_backend *u = loop->backend;
	struct io_uring_sqe *sqe = get_sqe(loop);

	if (!sqe) {
		add_rearm(u, socket);
		return;
	}
	io_uring_prep_recvmsg_multishot(sqe, socket->fd, &u->rx_msg, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = RX_GROUP;
	io_uring_sqe_set_data64(sqe, tagged(socket, TAG_RECEIVE));
	socket->armed = true;
	net_socket_ref(socket);
}

static void arm_again(struct net_loop *loop)
{
	struct uring_backend *u = loop->backend;
	struct net_socket *list = u->rearm;

	u->rearm = NULL;
	while (list) {
		struct net_socket *socket = list;

		list = socket->next_rearm;
		socket->rearm = false;
		if (!socket->closing && u->rearm_slowly)
			add_rearm(u, socket);
		else if (!socket->closing)
			arm(loop, socket);
		net_socket_unref(socket);
	}
}

static void arm_wake(struct net_loop *loop)
{
	struct uring_backend *u = loop->backend;
	struct io_uring_sqe *sqe;

	if (u->wake_armed)
		return;
	sqe = get_sqe(loop);
	if (!sqe)
		return; /* the next tick tries again */
	io_uring_prep_read(sqe, loop->wake_fd, &u->wake_count,
			   sizeof(u->wake_count), 0);
	io_uring_sqe_set_data64(sqe, tagged(NULL, TAG_WAKE));
	u->wake_armed = true;
}

static int uring_add(struct net_loop *loop, struct net_socket *socket)
{
	if (socket->fn)
		arm(loop, socket);
	return 0;
}

static void uring_remove(struct net_loop *loop, struct net_socket *socket)
{
	struct io_uring_sqe *sqe;

	if (!socket->armed)
		return;
	sqe = get_sqe(loop);
	if (!sqe) {
		/* Shut down the receive ends by itself. */
		shutdown(socket->fd, SHUT_RDWR);
		return;
	}
	io_uring_prep_cancel64(sqe, tagged(socket, TAG_RECEIVE), 0);
	io_uring_sqe_set_data64(sqe, tagged(NULL, TAG_CANCEL));
}

static void uring_send(struct net_loop *loop, struct net_chunk *chunk)
{
	struct uring_backend *u = loop->backend;
	unsigned int n = chunk->n_messages;

	if (u->n_quiet + n > QUIET_MAX)
		chunk->quiet = false;
	if (chunk->quiet)
		u->n_quiet += n;

	for (unsigned int i = 0; i < n; i++) {
		struct io_uring_sqe *sqe = get_sqe(loop);

		if (!sqe) {
			if (chunk->quiet)
				u->n_quiet--;
			net_chunk_done(loop, chunk, -ENOBUFS);
			continue;
		}
		io_uring_prep_sendmsg(sqe, chunk->socket->fd,
				      &chunk->messages[i].msg_hdr,
				      MSG_DONTWAIT | MSG_NOSIGNAL);
		io_uring_sqe_set_data64(sqe, tagged(chunk, TAG_SEND));
	}
}

/* --- waiting ------------------------------------------------------------- */

static void uring_wait(struct net_loop *loop, uint64_t timeout_us)
{
	struct uring_backend *u = loop->backend;
	struct __kernel_timespec ts;
	struct io_uring_cqe *cqe;

	arm_wake(loop);
	arm_again(loop);

	/* Sends complete while they are submitted. Waiting for one event more
	 * than those that nobody needs to know of makes submitting and
	 * sleeping one call. */
	if (u->n_quiet && timeout_us > QUIET_WAIT_US)
		timeout_us = QUIET_WAIT_US;
	loop->stats.syscalls++;
	if (timeout_us == 0) {
		/* Not a wait for no time at all, which would set up a timer
		 * and sleep until it fires. */
		io_uring_submit_and_get_events(&u->ring);
		return;
	}
	ts.tv_sec = timeout_us / 1000000;
	ts.tv_nsec = timeout_us % 1000000 * 1000;
	io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1 + u->n_quiet,
					 timeout_us == UINT64_MAX ? NULL : &ts,
					 NULL);
}

static void deliver(struct net_loop *loop, struct net_socket *socket,
		    uint8_t *data, unsigned int len)
{
	struct uring_backend *u = loop->backend;
	struct io_uring_recvmsg_out *out =
		io_uring_recvmsg_validate(data, len, &u->rx_msg);

	if (!out || (out->flags & MSG_TRUNC)) {
		loop->stats.rx_truncated++;
		return;
	}
	/* A copy, because this space ends with the longest address while the
	 * receiver is promised a whole sockaddr_storage. */
	memcpy(&u->from, io_uring_recvmsg_name(out), u->rx_msg.msg_namelen);
	net_socket_deliver(
		socket, io_uring_recvmsg_payload(out, &u->rx_msg),
		io_uring_recvmsg_payload_length(out, len, &u->rx_msg),
		&u->from);
}

static void count_failure(struct net_loop *loop, struct net_socket *socket,
			  int res)
{
	struct uring_backend *u = loop->backend;

	if (res == -ENOBUFS) {
		loop->stats.rx_no_buffer++;
		return;
	}
	if (socket->closing || ++socket->n_failures < FAILURES_MAX)
		return;
	/* Nothing is known to fail for ever. Should it, do not spin. */
	socket->n_failures = 0;
	if (net_heap_set(&loop->heap, &u->rearm_timer,
			 loop->now_us + FAILURE_WAIT_US) == 0)
		u->rearm_slowly = true;
}

static void complete_receive(struct net_loop *loop, struct net_socket *socket,
			     int res, unsigned int flags)
{
	struct uring_backend *u = loop->backend;
	bool ended = !(flags & IORING_CQE_F_MORE);

	if (ended)
		socket->armed = false;
	if (res < 0)
		count_failure(loop, socket, res);
	if (flags & IORING_CQE_F_BUFFER) {
		unsigned int id = flags >> IORING_CQE_BUFFER_SHIFT;

		socket->n_failures = 0;
		if (!socket->closing && res > 0)
			deliver(loop, socket,
				u->rx_data + (size_t) id * NET_RX_BUFFER_BYTES,
				res);
		return_buffer(u, id);
	}
	if (!ended)
		return;
	if (!socket->closing)
		add_rearm(u, socket);
	net_socket_unref(socket);
}

static void complete_send(struct net_loop *loop, struct net_chunk *chunk,
			  int res)
{
	struct uring_backend *u = loop->backend;

	if (chunk->quiet)
		u->n_quiet--;
	net_chunk_done(loop, chunk, res);
}

static void uring_dispatch(struct net_loop *loop)
{
	struct uring_backend *u = loop->backend;
	struct io_uring_cqe *cqe;
	/* Only what is there now: the tick has to come to its timers. */
	unsigned int n = io_uring_cq_ready(&u->ring);

	while (n-- && io_uring_peek_cqe(&u->ring, &cqe) == 0) {
		uint64_t data = cqe->user_data;
		void *p = (void *) (uintptr_t) (data & ~(uint64_t) TAG_MASK);
		unsigned int flags = cqe->flags;
		int res = cqe->res;

		io_uring_cqe_seen(&u->ring, cqe);
		switch (data & TAG_MASK) {
		case TAG_RECEIVE:
			complete_receive(loop, p, res, flags);
			break;
		case TAG_SEND:
			complete_send(loop, p, res);
			break;
		case TAG_WAKE:
			u->wake_armed = false;
			break;
		case TAG_CANCEL:
			break; /* the receive itself reports its end */
		}
	}
	return_buffers(u);
}

const struct net_backend_ops net_uring_ops = {
	.name = "io_uring",
	.backend = NET_BACKEND_URING,
	.open = uring_open,
	.close = uring_close,
	.add = uring_add,
	.remove = uring_remove,
	.send = uring_send,
	.wait = uring_wait,
	.dispatch = uring_dispatch,
};
