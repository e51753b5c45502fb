// SPDX-License-Identifier: Apache-2.0
#include "bench-net.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench-world.h"
#include "webrtc/net-test.h"

/* CPU time of sending one packet, in several ways side by side: methods take
 * turns in every round, and the median of the rounds is printed, since on a
 * shared machine only ratios within one run mean anything. */

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define FRAME_BYTES (BENCH_PACKETS * BENCH_BYTES)

uint64_t bench_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- ways to fill --------------------------------------------------------- */

static const struct bench_fill fill_nothing = {.name = "nothing"};

static void *open_copy(unsigned int n_peers)
{
	return g_malloc0(BENCH_BYTES);
}

static void copy(void *state, unsigned int peer, uint8_t *data, size_t len)
{
	memcpy(data, state, len);
}

static const struct bench_fill fill_copy = {
	.name = "copy",
	.open = open_copy,
	.close = g_free,
	.fill = copy,
};

/* --- ways to send: plain system calls --------------------------------------
 */

struct plain {
	const struct bench_world *world;
	const struct bench_fill *fill;
	void *fill_state;
	uint64_t n_syscalls;
	uint8_t data[FRAME_BYTES];
};

static void *open_plain(const struct bench_world *world,
			const struct bench_fill *fill, void *fill_state)
{
	struct plain *p = g_new0(struct plain, 1);

	p->world = world;
	p->fill = fill;
	p->fill_state = fill_state;
	return p;
}

static void fill_datagrams(const struct bench_fill *fill, void *state,
			   unsigned int peer, uint8_t *data, unsigned int n)
{
	for (unsigned int i = 0; fill->fill && i < n; i++)
		fill->fill(state, peer, data + i * BENCH_BYTES, BENCH_BYTES);
}

static void plain_sendto(struct plain *p, unsigned int peer, unsigned int n)
{
	const struct bench_world *w = p->world;

	for (unsigned int i = 0; i < n; i++) {
		sendto(w->fd[peer], p->data + i * BENCH_BYTES, BENCH_BYTES, 0,
		       (const struct sockaddr *) &w->addr[peer], w->addr_len);
		p->n_syscalls++;
	}
}

static void plain_sendmmsg(struct plain *p, unsigned int peer, unsigned int n)
{
	const struct bench_world *w = p->world;
	struct mmsghdr m[BENCH_PACKETS] = {0};
	struct iovec iov[BENCH_PACKETS];

	for (unsigned int i = 0; i < n; i++) {
		iov[i].iov_base = p->data + i * BENCH_BYTES;
		iov[i].iov_len = BENCH_BYTES;
		m[i].msg_hdr.msg_name = (void *) &w->addr[peer];
		m[i].msg_hdr.msg_namelen = w->addr_len;
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	sendmmsg(w->fd[peer], m, n, 0);
	p->n_syscalls++;
}

static void plain_gso(struct plain *p, unsigned int peer, unsigned int n)
{
	const struct bench_world *w = p->world;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
	struct iovec iov = {p->data, n * BENCH_BYTES};
	struct msghdr msg = {
		.msg_name = (void *) &w->addr[peer],
		.msg_namelen = w->addr_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	uint16_t segment = BENCH_BYTES;

	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
	sendmsg(w->fd[peer], &msg, 0);
	p->n_syscalls++;
}

static uint64_t run_plain(struct plain *p, unsigned int n_frames,
			  uint64_t *ret_syscalls,
			  void (*send)(struct plain *, unsigned int,
				       unsigned int))
{
	unsigned int n_chunk = p->world->n_chunk;
	uint64_t start = bench_cpu_ns();

	p->n_syscalls = 0;
	for (unsigned int f = 0; f < n_frames; f++) {
		for (unsigned int at = 0; at < BENCH_PACKETS; at += n_chunk) {
			unsigned int n = MIN(n_chunk, BENCH_PACKETS - at);

			for (unsigned int i = 0; i < p->world->n_peers; i++) {
				fill_datagrams(p->fill, p->fill_state, i,
					       p->data, n);
				send(p, i, n);
			}
		}
	}
	*ret_syscalls = p->n_syscalls;
	return bench_cpu_ns() - start;
}

static uint64_t run_sendto(void *state, unsigned int n_frames, uint64_t *ret)
{
	return run_plain(state, n_frames, ret, plain_sendto);
}

static uint64_t run_sendmmsg(void *state, unsigned int n_frames, uint64_t *ret)
{
	return run_plain(state, n_frames, ret, plain_sendmmsg);
}

static uint64_t run_gso(void *state, unsigned int n_frames, uint64_t *ret)
{
	return run_plain(state, n_frames, ret, plain_gso);
}

static const struct bench_send send_sendto = {"sendto", open_plain, g_free,
					      run_sendto};
static const struct bench_send send_sendmmsg = {"sendmmsg", open_plain, g_free,
						run_sendmmsg};
static const struct bench_send send_gso = {"sendmsg+GSO", open_plain, g_free,
					   run_gso};

/* --- ways to send: the network loop itself ---------------------------------
 */

/* A timer that is always due: each tick sends one chunk to every peer, and
 * the tick's submission and bookkeeping are in the figure. */
struct looped {
	struct net_loop *loop;
	const struct bench_world *world;
	const struct bench_fill *fill;
	void *fill_state;
	struct net_path path[BENCH_PEERS_MAX];
	struct net_timer timer;
	unsigned int at;       /* packets of this frame sent */
	unsigned int n_frames; /* to go */
	uint64_t start_ns, cpu_ns;
	struct net_test_latch done;
};

static void send_tick(struct looped *l)
{
	unsigned int n = MIN(l->world->n_chunk, BENCH_PACKETS - l->at);

	for (unsigned int i = 0; i < l->world->n_peers; i++) {
		struct net_buffer *buffer = net_buffer_get(l->loop);

		if (!buffer)
			break;
		buffer->len = n * BENCH_BYTES;
		buffer->segment = BENCH_BYTES;
		fill_datagrams(l->fill, l->fill_state, i, buffer->data, n);
		net_send(l->loop, &l->path[i], buffer);
	}
	l->at += n;
	if (l->at == BENCH_PACKETS) {
		l->at = 0;
		l->n_frames--;
	}
}

static void fire_tick(struct net_timer *timer, uint64_t now_us)
{
	struct looped *l = (struct looped *) ((char *) timer -
					      offsetof(struct looped, timer));

	/* One tick more than there are frames: it sees the last one off. */
	if (l->n_frames == 0) {
		l->cpu_ns = bench_cpu_ns() - l->start_ns;
		net_test_count(&l->done, 1);
		return;
	}
	send_tick(l);
	net_timer_set(l->loop, timer, now_us);
}

static void start_ticks(void *data)
{
	struct looped *l = data;

	l->at = 0;
	l->done.count = 0;
	l->start_ns = bench_cpu_ns();
	net_timer_set(l->loop, &l->timer, 0);
}

static void add_sockets(void *data)
{
	struct looped *l = data;

	for (unsigned int i = 0; i < l->world->n_peers; i++) {
		struct net_socket *socket;

		if (net_socket_new(l->loop, dup(l->world->fd[i]), NULL, NULL,
				   &socket) < 0)
			g_error("no socket");
		net_path_set(&l->path[i], socket, &l->world->addr[i],
			     l->world->addr_len);
	}
}

static void *open_looped(const struct bench_world *world,
			 const struct bench_fill *fill, void *fill_state,
			 const struct net_loop_config *config)
{
	struct looped *l = g_new0(struct looped, 1);

	if (net_loop_new(&l->loop, config) < 0) {
		g_free(l);
		return NULL;
	}
	l->world = world;
	l->fill = fill;
	l->fill_state = fill_state;
	l->timer.fire = fire_tick;
	net_test_call(l->loop, add_sockets, l);
	return l;
}

static void *open_uring(const struct bench_world *world,
			const struct bench_fill *fill, void *fill_state)
{
	struct net_loop_config config = {.backend = NET_BACKEND_URING};

	return open_looped(world, fill, fill_state, &config);
}

static void *open_uring_no_gso(const struct bench_world *world,
			       const struct bench_fill *fill, void *fill_state)
{
	struct net_loop_config config = {.backend = NET_BACKEND_URING,
					 .no_gso = true};

	return open_looped(world, fill, fill_state, &config);
}

static void *open_epoll(const struct bench_world *world,
			const struct bench_fill *fill, void *fill_state)
{
	struct net_loop_config config = {.backend = NET_BACKEND_EPOLL};

	return open_looped(world, fill, fill_state, &config);
}

static void close_looped(void *state)
{
	struct looped *l = state;

	for (unsigned int i = 0; i < l->world->n_peers; i++) {
		if (l->path[i].errors || l->path[i].no_gso)
			printf("# peer %u: %u errors (%s)%s\n", i,
			       (unsigned int) l->path[i].errors,
			       strerror(-l->path[i].last_error),
			       l->path[i].no_gso ? ", GSO refused" : "");
	}
	net_loop_free(l->loop);
	g_free(l);
}

static uint64_t run_looped(void *state, unsigned int n_frames,
			   uint64_t *ret_syscalls)
{
	struct net_loop_stats before, after;
	struct looped *l = state;

	net_test_settle(l->loop);
	net_loop_get_stats(l->loop, &before);
	l->n_frames = n_frames;
	net_test_call(l->loop, start_ticks, l);
	net_test_await(&l->done, 1);
	net_test_settle(l->loop);
	net_loop_get_stats(l->loop, &after);
	*ret_syscalls = after.syscalls - before.syscalls;
	return l->cpu_ns;
}

static const struct bench_send send_uring = {"loop io_uring+GSO", open_uring,
					     close_looped, run_looped};
static const struct bench_send send_uring_no_gso = {
	"loop io_uring", open_uring_no_gso, close_looped, run_looped};
static const struct bench_send send_epoll = {"loop epoll+GSO", open_epoll,
					     close_looped, run_looped};

/* --- the table ------------------------------------------------------------ */

static const struct bench_fill fill_own = {.name = "own GCM"};

/* The first row is what the others are compared with. */
struct row {
	const struct bench_send *send;
	const struct bench_fill *fill;
};

struct table {
	const struct row *rows;
	size_t n_rows;
};

static const struct row io_rows[] = {
	{&send_sendto, &fill_nothing}, {&send_sendmmsg, &fill_nothing},
	{&send_gso, &fill_nothing},    {&send_uring, &fill_nothing},
	{&send_epoll, &fill_nothing},  {&send_uring_no_gso, &fill_nothing},
	{&send_uring, &fill_copy},
};

/* Whole: packetize, seal, send. */
static const struct row seal_rows[] = {
	{&bench_send_nice, &bench_fill_libsrtp_cm},
	{&bench_send_nice, &bench_fill_libsrtp_gcm},
	{&bench_send_session, &fill_own},
};

#define ROWS_MAX G_N_ELEMENTS(io_rows)

static const struct table io_table = {io_rows, G_N_ELEMENTS(io_rows)};
static const struct table seal_table = {seal_rows, G_N_ELEMENTS(seal_rows)};

struct result {
	void *fill_state, *state;
	double *ns;	 /* per packet, one for each round */
	double syscalls; /* per packet, the last round's */
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static double get_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void open_row(struct result *r, const struct row *row,
		     const struct bench_world *world, unsigned int n_rounds)
{
	*r = (struct result){.ns = g_new0(double, n_rounds)};
	if (row->fill->open)
		r->fill_state = row->fill->open(world->n_peers);
	r->state = row->send->open(world, row->fill, r->fill_state);
}

static void close_row(struct result *r, const struct row *row)
{
	if (r->state)
		row->send->close(r->state);
	if (row->fill->close)
		row->fill->close(r->fill_state);
	g_free(r->ns);
}

static void measure(const struct table *table, const struct bench_world *world,
		    const char *wire, unsigned int n_rounds,
		    unsigned int n_frames)
{
	const struct row *rows = table->rows;
	double n_packets = (double) n_frames * world->n_peers * BENCH_PACKETS;
	struct result results[ROWS_MAX];
	uint64_t syscalls;
	double first = 0;

	for (size_t i = 0; i < table->n_rows; i++) {
		open_row(&results[i], &rows[i], world, n_rounds);
		if (results[i].state) /* warm */
			rows[i].send->run(results[i].state, n_frames / 4 + 1,
					  &syscalls);
	}
	for (unsigned int round = 0; round < n_rounds; round++) {
		for (size_t i = 0; i < table->n_rows; i++) {
			if (!results[i].state)
				continue;
			results[i].ns[round] =
				rows[i].send->run(results[i].state, n_frames,
						  &syscalls) /
				n_packets;
			results[i].syscalls = syscalls / n_packets;
		}
	}
	for (size_t i = 0; i < table->n_rows; i++) {
		double ns = get_median(results[i].ns, n_rounds);

		first = i == 0 ? ns : first;
		if (results[i].state)
			printf("%-16s %5u %5u  %-18s %-12s %7.0f %6.2f %9.4f\n",
			       wire, world->n_peers, world->n_chunk,
			       rows[i].send->name, rows[i].fill->name, ns,
			       ns / first, results[i].syscalls);
		close_row(&results[i], &rows[i]);
	}
	fflush(stdout);
}

static void measure_all(const struct table *table, struct bench_wire *wire,
			const char *name, int n_chunk, int n_rounds,
			int n_frames)
{
	static const unsigned int n_peers[] = {1, 4, 16};

	for (size_t i = 0; i < G_N_ELEMENTS(n_peers); i++) {
		struct bench_world world = {.n_chunk = n_chunk};

		if (bench_wire_connect(wire, &world, n_peers[i]) < 0)
			g_error("no sockets");
		measure(table, &world, name, n_rounds,
			MAX(1, n_frames / n_peers[i]));
		bench_wire_disconnect(&world);
	}
}

int main(int argc, char **argv)
{
	int n_rounds = 9, n_frames = 400, n_chunk = BENCH_PACKETS;
	gboolean seal = FALSE;
	const GOptionEntry entries[] = {
		{"rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds,
		 "Rounds; the median is printed", "N"},
		{"frames", 0, 0, G_OPTION_ARG_INT, &n_frames,
		 "Frames of 15 packets a round, shared by the peers", "N"},
		{"chunk", 0, 0, G_OPTION_ARG_INT, &n_chunk,
		 "Packets that leave together (5: paced)", "N"},
		{"seal", 0, 0, G_OPTION_ARG_NONE, &seal,
		 "Packetize, seal and send, beside libsrtp2 and libnice", NULL},
		{NULL},
	};
	const struct table *table;
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	struct bench_wire wire;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	n_rounds = CLAMP(n_rounds, 1, 1000);
	table = seal ? &seal_table : &io_table;
	n_chunk = seal ? BENCH_CHUNK : CLAMP(n_chunk, 1, BENCH_PACKETS);
	if (bench_wire_open(&wire) < 0) {
		fprintf(stderr, "Cannot make a network to send into\n");
		return 1;
	}

	printf("# CPU of the sending thread, medians of %d rounds\n", n_rounds);
	printf("%-16s %5s %5s  %-18s %-12s %7s %6s %9s\n", "segmented by",
	       "peers", "chunk", "method", "fill", "ns/pkt", "ratio",
	       "calls/pkt");
	if (wire.is_loopback) {
		printf("# no right to make namespaces: loopback\n");
		measure_all(table, &wire, "receiver", n_chunk, n_rounds, n_frames);
	} else {
		if (bench_wire_set_segmentation(&wire, false) == 0)
			measure_all(table, &wire, "kernel", n_chunk, n_rounds,
				    n_frames);
		else
			printf("# cannot switch the device's segmentation\n");
		if (bench_wire_set_segmentation(&wire, true) == 0)
			measure_all(table, &wire, "device", n_chunk, n_rounds,
				    n_frames);
	}
	bench_wire_close(&wire);
	return 0;
}
