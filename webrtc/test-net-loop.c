// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "webrtc/net-test.h"

/* --- posts --------------------------------------------------------------- */

struct gate {
	struct net_test_latch entered, open;
};

static void pass_gate(void *data)
{
	struct gate *gate = data;

	net_test_count(&gate->entered, 1);
	net_test_await(&gate->open, 1);
}

/* Holds the network thread until gate->open is counted. */
static void hold(struct net_loop *loop, struct gate *gate)
{
	g_assert_cmpint(net_loop_post(loop, pass_gate, gate), ==, 0);
	net_test_await(&gate->entered, 1);
}

static void count_post(void *data)
{
	net_test_count(data, 1);
}

static void append(void *data)
{
	GArray **slot = data;
	guint i = (*slot)->len;

	g_array_append_val(*slot, i);
}

struct numbered {
	GArray *seen;
	guint number;
};

static void append_number(void *data)
{
	struct numbered *n = data;

	g_array_append_val(n->seen, n->number);
}

static void test_posts_run_in_order(gconstpointer backend)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(guint));
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct numbered posts[1000];

	if (!loop)
		return;
	for (guint i = 0; i < 1000; i++) {
		posts[i] = (struct numbered){seen, i};
		g_assert_cmpint(net_loop_post(loop, append_number, &posts[i]),
				==, 0);
	}
	/* What was posted before stopping still runs. */
	net_loop_free(loop);
	g_assert_cmpuint(seen->len, ==, 1000);
	for (guint i = 0; i < 1000; i++)
		g_assert_cmpuint(g_array_index(seen, guint, i), ==, i);
}

static void test_full_queue_refuses(gconstpointer backend)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(guint));
	struct net_loop_config config = {.n_posts = 16};
	struct net_loop *loop = net_test_loop(backend, &config);
	struct net_loop_stats stats;
	struct net_test_latch last = {0};
	struct gate gate = {0};

	if (!loop)
		return;
	hold(loop, &gate);
	for (int i = 0; i < 15; i++)
		g_assert_cmpint(net_loop_post(loop, append, &seen), ==, 0);
	g_assert_cmpint(net_loop_post(loop, count_post, &last), ==, 0);
	g_assert_cmpint(net_loop_post(loop, append, &seen), ==, -ENOBUFS);
	net_test_count(&gate.open, 1);
	net_test_await(&last, 1);
	net_test_settle(loop);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.posts_refused, ==, 1);
	g_assert_cmpint(net_loop_post(loop, append, &seen), ==, 0);
	net_loop_free(loop);
	g_assert_cmpuint(seen->len, ==, 16);
}

static void test_batch_of_posts_is_one_tick(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct net_loop_stats before, after;
	struct gate gate = {0};

	if (!loop)
		return;
	net_test_settle(loop);
	hold(loop, &gate);
	net_loop_get_stats(loop, &before);
	for (int i = 0; i < 1000; i++)
		g_assert_cmpint(net_loop_post(loop, net_test_nothing, NULL), ==,
				0);
	net_test_count(&gate.open, 1);
	net_test_call(loop, net_test_nothing, NULL);
	net_loop_get_stats(loop, &after);
	/* The gate's own, the batch, and a wake that came late. */
	g_assert_cmpuint(after.ticks - before.ticks, <=, 3);
	g_assert_cmpuint(after.syscalls - before.syscalls, <=, 6);
	net_loop_free(loop);
}

struct poster {
	struct net_loop *loop;
	struct net_test_latch *ran;
};

static gpointer post_many(gpointer data)
{
	struct poster *p = data;

	for (int i = 0; i < 5000; i++) {
		struct net_loop_stats stats;

		while (net_loop_post(p->loop, count_post, p->ran) == -ENOBUFS)
			g_thread_yield();
		net_loop_get_stats(p->loop, &stats);
		g_assert_cmpuint(stats.posts, <=, 3 * 5000);
	}
	return NULL;
}

static void test_posts_from_many_threads(gconstpointer backend)
{
	struct net_loop_config config = {.n_posts = 32};
	struct net_loop *loop = net_test_loop(backend, &config);
	struct net_test_latch ran = {0};
	struct poster poster = {loop, &ran};
	GThread *threads[3];

	if (!loop)
		return;
	for (int i = 0; i < 3; i++)
		threads[i] = g_thread_new("poster", post_many, &poster);
	net_test_await(&ran, 3 * 5000);
	for (int i = 0; i < 3; i++)
		g_thread_join(threads[i]);
	net_loop_free(loop);
	g_assert_cmpuint(ran.count, ==, 3 * 5000);
}

/* --- receiving ----------------------------------------------------------- */

struct receiver {
	struct net_loop *loop;
	struct net_socket *socket;
	int fd;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	struct net_test_latch received;
	guint32 next;		      /* expected sequence number */
	struct sockaddr_storage from; /* of the last datagram */
	size_t len;
	int result; /* of net_socket_new() */
};

static void receive(void *user, uint8_t *data, size_t len,
		    const struct sockaddr_storage *from, uint64_t now_us)
{
	struct receiver *r = user;
	guint32 number;

	g_assert_cmpuint(len, >=, sizeof(number));
	g_assert_cmpuint(now_us, ==, net_loop_now_us(r->loop));
	memcpy(&number, data, sizeof(number));
	g_assert_cmpuint(number, ==, r->next);
	r->next++;
	r->from = *from;
	r->len = len;
	memset(data, 0, len);
	net_test_count(&r->received, 1);
}

static void add_receiver(void *data)
{
	struct receiver *r = data;

	r->result = net_socket_new(r->loop, r->fd, receive, r, &r->socket);
}

static void remove_receiver(void *data)
{
	struct receiver *r = data;

	r->socket = net_socket_free(r->socket);
}

static void start_receiver(struct receiver *r, struct net_loop *loop,
			   int family)
{
	r->loop = loop;
	r->fd = net_test_udp(family, &r->addr, &r->addr_len);
	g_assert_cmpint(r->fd, >=, 0);
	net_test_call(loop, add_receiver, r);
	g_assert_cmpint(r->result, ==, 0);
	g_assert_cmpint(net_socket_get_fd(r->socket), ==, r->fd);
}

static void send_number(int fd, guint32 number, size_t len,
			const struct receiver *to)
{
	guint8 data[4096] = {0};

	memcpy(data, &number, sizeof(number));
	net_test_send_to(fd, data, len, &to->addr, to->addr_len);
}

static void check_receive(gconstpointer backend, int family)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct sockaddr_storage addr;
	struct net_loop_stats stats;
	struct receiver r = {0};
	socklen_t len;
	int fd = net_test_udp(family, &addr, &len);

	if (!loop)
		return;
	if (fd < 0) {
		g_test_skip("address family not available");
		net_loop_free(loop);
		return;
	}
	start_receiver(&r, loop, family);
	for (guint32 i = 0; i < 3000; i++) {
		send_number(fd, i, 4 + i % 1400, &r);
		/* The kernel's queue is bounded; do not outrun it. */
		if (i % 100 == 99)
			net_test_await(&r.received, i + 1);
	}
	net_test_await(&r.received, 3000);
	g_assert_cmpint(memcmp(&r.from, &addr, len), ==, 0);
	g_assert_cmpuint(r.len, ==, 4 + 2999 % 1400);

	net_test_settle(loop);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.rx_datagrams, ==, 3000);
	g_assert_cmpuint(stats.sockets, ==, 1);
	g_assert_cmpuint(stats.cpu_ns, >, 0);
	close(fd);
	net_loop_free(loop);
}

static void test_receive_ipv4(gconstpointer backend)
{
	check_receive(backend, AF_INET);
}

static void test_receive_ipv6(gconstpointer backend)
{
	check_receive(backend, AF_INET6);
}

static void test_long_datagram_is_dropped(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct net_loop_stats stats;
	struct receiver r = {0};

	if (!loop)
		return;
	start_receiver(&r, loop, AF_INET);
	send_number(r.fd, 77, 3000, &r);
	net_test_send_to(r.fd, "", 0, &r.addr, r.addr_len);
	send_number(r.fd, 0, 1500, &r);
	net_test_await(&r.received, 1);
	net_test_settle(loop);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.rx_truncated, ==, 1);
	g_assert_cmpuint(r.received.count, ==, 1);
	net_loop_free(loop);
}

#define N_RECEIVERS 30
#define N_EACH	    50

/* More than all receive buffers wait while the thread is busy elsewhere; for
 * many sockets, since the kernel takes turns after some datagrams of one. */
static void test_burst_larger_than_the_buffers(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	g_autofree struct receiver *r = g_new0(struct receiver, N_RECEIVERS);
	struct net_loop_stats stats;
	struct gate gate = {0};

	if (!loop)
		return;
	for (int i = 0; i < N_RECEIVERS; i++)
		start_receiver(&r[i], loop, AF_INET);
	hold(loop, &gate);
	for (guint32 n = 0; n < N_EACH; n++) {
		for (int i = 0; i < N_RECEIVERS; i++)
			send_number(r[i].fd, n, 100, &r[i]);
	}
	net_test_count(&gate.open, 1);
	for (int i = 0; i < N_RECEIVERS; i++)
		net_test_await(&r[i].received, N_EACH);
	net_test_settle(loop);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.rx_datagrams, ==, N_RECEIVERS * N_EACH);
	if (net_loop_get_backend(loop) == NET_BACKEND_URING)
		g_assert_cmpuint(stats.rx_no_buffer, >, 0);
	net_loop_free(loop);
}

/* --- sockets that come and go -------------------------------------------- */

static bool can_bind(const struct receiver *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can =
		bind(fd, (const struct sockaddr *) &r->addr, r->addr_len) == 0;

	close(fd);
	return can;
}

static void receive_and_free(void *user, uint8_t *data, size_t len,
			     const struct sockaddr_storage *from,
			     uint64_t now_us)
{
	struct receiver *r = user;

	g_assert_nonnull(r->socket);
	r->socket = net_socket_free(r->socket);
	memset(data, 0, len);
	net_test_count(&r->received, 1);
}

static void add_once(void *data)
{
	struct receiver *r = data;

	r->result =
		net_socket_new(r->loop, r->fd, receive_and_free, r, &r->socket);
}

static void await_no_sockets(struct net_loop *loop, unsigned int n)
{
	gint64 deadline = g_get_monotonic_time() +
			  NET_TEST_DEADLINE_S * G_TIME_SPAN_SECOND;
	struct net_loop_stats stats;

	do {
		net_test_call(loop, net_test_nothing, NULL);
		net_loop_get_stats(loop, &stats);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	} while (stats.sockets > n);
}

static void test_socket_frees_itself(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct receiver r = {.loop = loop};
	struct gate gate = {0};

	if (!loop)
		return;
	r.fd = net_test_udp(AF_INET, &r.addr, &r.addr_len);
	net_test_call(loop, add_once, &r);
	hold(loop, &gate);
	for (int i = 0; i < 50; i++)
		net_test_send_to(r.fd, "packet", 6, &r.addr, r.addr_len);
	net_test_count(&gate.open, 1);
	net_test_await(&r.received, 1);
	await_no_sockets(loop, 0);
	g_assert_cmpuint(r.received.count, ==, 1);

	/* Closed in earnest: the port is free. */
	g_assert_true(can_bind(&r));
	net_loop_free(loop);
}

struct pair {
	struct receiver a, b, c;
};

static void receive_never(void *user, uint8_t *data, size_t len,
			  const struct sockaddr_storage *from, uint64_t now_us)
{
	g_error("a packet for somebody else");
}

/* Whichever of a and b is first frees both, and puts c into the loop. */
static void receive_and_replace(void *user, uint8_t *data, size_t len,
				const struct sockaddr_storage *from,
				uint64_t now_us)
{
	struct pair *p = user;

	p->a.socket = net_socket_free(p->a.socket);
	p->b.socket = net_socket_free(p->b.socket);
	g_assert_cmpint(net_socket_new(p->a.loop, p->c.fd, receive_never, p,
				       &p->c.socket),
			==, 0);
	net_test_count(&p->a.received, 1);
}

static void add_pair(void *data)
{
	struct pair *p = data;

	g_assert_cmpint(net_socket_new(p->a.loop, p->a.fd, receive_and_replace,
				       p, &p->a.socket),
			==, 0);
	g_assert_cmpint(net_socket_new(p->a.loop, p->b.fd, receive_and_replace,
				       p, &p->b.socket),
			==, 0);
}

static void test_socket_frees_another(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct pair p = {.a.loop = loop};
	struct gate gate = {0};

	if (!loop)
		return;
	p.a.fd = net_test_udp(AF_INET, &p.a.addr, &p.a.addr_len);
	p.b.fd = net_test_udp(AF_INET, &p.b.addr, &p.b.addr_len);
	p.c.fd = net_test_udp(AF_INET, &p.c.addr, &p.c.addr_len);
	net_test_call(loop, add_pair, &p);
	hold(loop, &gate);
	for (int i = 0; i < 20; i++) {
		net_test_send_to(p.c.fd, "a", 1, &p.a.addr, p.a.addr_len);
		net_test_send_to(p.c.fd, "b", 1, &p.b.addr, p.b.addr_len);
	}
	net_test_count(&gate.open, 1);
	net_test_await(&p.a.received, 1);
	await_no_sockets(loop, 1);
	net_test_settle(loop);
	g_assert_cmpuint(p.a.received.count, ==, 1);
	net_loop_free(loop);
}

/* A peer that stays must not keep the sockets of those that leave: Linux 6.1
 * does so with registered files. */
static void test_socket_closes_while_others_live(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct receiver staying = {0};

	if (!loop)
		return;
	start_receiver(&staying, loop, AF_INET);
	for (guint32 i = 0; i < 20; i++) {
		struct receiver r = {0};

		start_receiver(&r, loop, AF_INET);
		send_number(r.fd, 0, 100, &r);
		net_test_await(&r.received, 1);
		g_assert_false(can_bind(&r));
		net_test_call(loop, remove_receiver, &r);
		await_no_sockets(loop, 1);
		g_assert_true(can_bind(&r));
		send_number(staying.fd, i, 100, &staying);
		net_test_await(&staying.received, i + 1);
	}
	net_loop_free(loop);
}

static guint count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	guint n = 0;

	g_assert_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void test_churn(gconstpointer backend)
{
	struct net_loop_config config = {.n_sockets = 8};
	struct net_loop *loop = net_test_loop(backend, &config);
	struct net_loop_stats stats;
	guint before;

	if (!loop)
		return;
	before = count_fds();
	for (int i = 0; i < 1000; i++) {
		struct receiver r = {0};

		start_receiver(&r, loop, AF_INET);
		send_number(r.fd, 0, 100, &r);
		if (i % 2)
			net_test_await(&r.received, 1);
		net_test_call(loop, remove_receiver, &r);
		await_no_sockets(loop, 4);
	}
	await_no_sockets(loop, 0);
	g_assert_cmpuint(count_fds(), ==, before);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.rx_datagrams, >=, 500);
	net_loop_free(loop);
}

static void test_too_many_sockets(gconstpointer backend)
{
	struct net_loop_config config = {.n_sockets = 2};
	struct net_loop *loop = net_test_loop(backend, &config);
	struct receiver a = {0}, b = {0}, c = {.loop = loop};

	if (!loop)
		return;
	start_receiver(&a, loop, AF_INET);
	start_receiver(&b, loop, AF_INET);
	c.fd = net_test_udp(AF_INET, &c.addr, &c.addr_len);
	net_test_call(loop, add_receiver, &c);
	g_assert_cmpint(c.result, ==, -ENOSPC);
	g_assert_null(c.socket);
	g_assert_cmpint(fcntl(c.fd, F_GETFD), ==, -1); /* taken: closed */

	net_test_call(loop, remove_receiver, &a);
	await_no_sockets(loop, 1);
	start_receiver(&c, loop, AF_INET);
	net_loop_free(loop);
}

/* --- timers -------------------------------------------------------------- */

#define N_TIMERS 2000

struct alarms {
	struct net_loop *loop;
	struct alarm {
		struct net_timer timer;
		struct alarms *all;
	} alarm[N_TIMERS];
	uint64_t last_due;
	struct net_test_latch fired;
};

static void ring_alarm(struct net_timer *timer, uint64_t now_us)
{
	struct alarm *alarm = (struct alarm *) timer;

	g_assert_cmpuint(timer->due_us, <=, now_us);
	g_assert_cmpuint(timer->due_us, >=, alarm->all->last_due);
	alarm->all->last_due = timer->due_us;
	net_test_count(&alarm->all->fired, 1);
}

static void set_alarms(void *data)
{
	struct alarms *all = data;
	uint64_t now = net_loop_now_us(all->loop);

	for (int i = 0; i < N_TIMERS; i++) {
		struct alarm *alarm = &all->alarm[i];

		alarm->all = all;
		alarm->timer.fire = ring_alarm;
		net_timer_set(all->loop, &alarm->timer,
			      now + g_random_int_range(1, 60000));
	}
	/* Every tenth is taken back. */
	for (int i = 0; i < N_TIMERS; i += 10)
		net_timer_cancel(all->loop, &all->alarm[i].timer);
}

/* One, in a quarter of a second. */
static void set_alarm(void *data)
{
	struct alarms *all = data;

	all->alarm[0].all = all;
	all->alarm[0].timer.fire = ring_alarm;
	net_timer_set(all->loop, &all->alarm[0].timer,
		      net_loop_now_us(all->loop) + 250000);
}

static void test_timers(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	g_autofree struct alarms *all = g_new0(struct alarms, 1);
	struct net_loop_stats stats;

	if (!loop)
		return;
	all->loop = loop;
	net_test_call(loop, set_alarms, all);
	net_test_await(&all->fired, N_TIMERS * 9 / 10);
	net_test_settle(loop);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.timers, ==, 0);
	g_assert_cmpuint(all->fired.count, ==, N_TIMERS * 9 / 10);
	g_test_message("%u late by 5 ms", (guint) stats.wakeups_late_5ms);
	net_loop_free(loop);
}

/* A descriptor that cannot be received from: neither the others nor the
 * processor may suffer. */
static void test_broken_socket(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	g_autofree struct alarms *all = g_new0(struct alarms, 1);
	struct receiver good = {0}, broken = {.loop = loop};
	struct net_loop_stats stats;
	int ends[2];

	if (!loop)
		return;
	g_assert_cmpint(pipe(ends), ==, 0);
	broken.fd = ends[0];
	net_test_call(loop, add_receiver, &broken);
	g_assert_cmpint(broken.result, ==, 0);
	start_receiver(&good, loop, AF_INET);
	all->loop = loop;
	net_test_call(loop, set_alarm, all);
	net_test_await(&all->fired, 1);
	net_loop_get_stats(loop, &stats);
	g_assert_cmpuint(stats.ticks, <, 200);
	send_number(good.fd, 0, 100, &good);
	net_test_await(&good.received, 1);

	net_test_call(loop, remove_receiver, &broken);
	await_no_sockets(loop, 1);
	g_assert_cmpint(fcntl(ends[0], F_GETFD), ==, -1);
	close(ends[1]);
	net_loop_free(loop);
}

/* --- where io_uring is forbidden ----------------------------------------- */

static bool forbid_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {G_N_ELEMENTS(code), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void test_fallback(void)
{
	struct net_loop_config config = {.backend = NET_BACKEND_AUTO};
	struct net_loop *loop = NULL;

	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return;
	}
	if (!forbid_uring())
		return;
	g_assert_cmpint(net_loop_new(&loop, &config), ==, 0);
	g_assert_cmpint(net_loop_get_backend(loop), ==, NET_BACKEND_EPOLL);
	g_assert_cmpstr(net_loop_get_fallback_reason(loop), ==,
			"io_uring_setup: Operation not permitted");
	net_test_settle(loop);
	loop = net_loop_free(loop);

	config.backend = NET_BACKEND_URING;
	g_assert_cmpint(net_loop_new(&loop, &config), ==, -EOPNOTSUPP);
	g_assert_null(loop);
}

static void test_forced_epoll_has_no_reason(void)
{
	struct net_loop *loop =
		net_test_loop(GINT_TO_POINTER(NET_BACKEND_EPOLL), NULL);

	g_assert_null(net_loop_get_fallback_reason(loop));
	net_loop_free(loop);
	net_loop_free(NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	net_test_add("posts", test_posts_run_in_order);
	net_test_add("posts-full", test_full_queue_refuses);
	net_test_add("posts-batch", test_batch_of_posts_is_one_tick);
	net_test_add("posts-threads", test_posts_from_many_threads);
	net_test_add("receive-ipv4", test_receive_ipv4);
	net_test_add("receive-ipv6", test_receive_ipv6);
	net_test_add("receive-long", test_long_datagram_is_dropped);
	net_test_add("receive-burst", test_burst_larger_than_the_buffers);
	net_test_add("socket-self", test_socket_frees_itself);
	net_test_add("socket-other", test_socket_frees_another);
	net_test_add("socket-port", test_socket_closes_while_others_live);
	net_test_add("socket-churn", test_churn);
	net_test_add("socket-limit", test_too_many_sockets);
	net_test_add("timers", test_timers);
	net_test_add("socket-broken", test_broken_socket);
	g_test_add_func("/net/fallback", test_fallback);
	g_test_add_func("/net/forced-epoll", test_forced_epoll_has_no_reason);
	return g_test_run();
}
