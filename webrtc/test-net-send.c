// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-backend.h"

#include <net/if.h>
#include <netinet/udp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <poll.h>
#include <stdalign.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "webrtc/net-test.h"

/* --- a backend that answers what it is told ------------------------------ */

#define SENT_MAX 128

struct fake {
	struct net_loop loop;
	struct net_socket socket;
	struct net_path path;
	int gso_result; /* 0: sent */
	int single_result;
	bool hold; /* completes only when told */
	struct net_chunk *held;
	struct {
		size_t len;
		uint16_t segment; /* 0: no cmsg */
		uint8_t first;	  /* byte */
	} sent[SENT_MAX];
	unsigned int n_sent;
};

static struct fake *get_fake(struct net_loop *loop)
{
	return (struct fake *) ((char *) loop - offsetof(struct fake, loop));
}

static void complete(struct net_loop *loop, struct net_chunk *chunk)
{
	struct fake *f = get_fake(loop);
	unsigned int n = chunk->n_messages;
	bool gso = chunk->gso;

	for (unsigned int i = 0; i < n; i++) {
		int res = gso ? f->gso_result : f->single_result;

		net_chunk_done(loop, chunk,
			       res ? res : (int) chunk->iov[i].iov_len);
	}
}

static void fake_send(struct net_loop *loop, struct net_chunk *chunk)
{
	struct fake *f = get_fake(loop);

	for (unsigned int i = 0; i < chunk->n_messages; i++) {
		struct msghdr *msg = &chunk->messages[i].msg_hdr;
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
		uint16_t segment = 0;

		g_assert_cmpuint(f->n_sent, <, SENT_MAX);
		g_assert_cmpint(msg->msg_iovlen, ==, 1);
		g_assert_cmpuint(msg->msg_namelen, ==, f->path.addr_len);
		g_assert_cmpint(
			memcmp(msg->msg_name, &f->path.addr, msg->msg_namelen),
			==, 0);
		if (cmsg) {
			g_assert_cmpint(cmsg->cmsg_level, ==, IPPROTO_UDP);
			g_assert_cmpint(cmsg->cmsg_type, ==, UDP_SEGMENT);
			memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
		}
		f->sent[f->n_sent].len = msg->msg_iov->iov_len;
		f->sent[f->n_sent].segment = segment;
		f->sent[f->n_sent].first = *(uint8_t *) msg->msg_iov->iov_base;
		f->n_sent++;
	}
	if (f->hold)
		f->held = chunk;
	else
		complete(loop, chunk);
}

static const struct net_backend_ops fake_ops = {
	.name = "fake",
	.send = fake_send,
};

static void fake_init(struct fake *f, unsigned int n_buffers)
{
	struct sockaddr_in *addr = (struct sockaddr_in *) &f->path.addr;

	memset(f, 0, sizeof(*f));
	f->loop.ops = &fake_ops;
	f->loop.config.n_buffers = n_buffers;
	f->socket.loop = &f->loop;
	f->path.socket = &f->socket;
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr->sin_port = htons(9);
	f->path.addr_len = sizeof(*addr);
	g_assert_cmpint(net_send_init(&f->loop), ==, 0);
}

static void fake_done(struct fake *f)
{
	g_assert_cmpuint(f->loop.n_chunks_in_use, ==, 0);
	g_assert_cmpuint(f->socket.n_refs, ==, 0);
	g_assert_cmpuint(f->path.in_flight, ==, 0);
	net_send_done(&f->loop);
}

/* Datagram i starts with byte i. */
static struct net_buffer *fill(struct net_loop *loop, uint32_t len,
			       uint16_t segment)
{
	struct net_buffer *buffer = net_buffer_get(loop);

	g_assert_nonnull(buffer);
	buffer->len = len;
	buffer->segment = segment;
	for (uint32_t at = 0; at < len; at += segment ? segment : len)
		buffer->data[at] = segment ? at / segment : 0;
	return buffer;
}

static void send_chunk(struct fake *f, uint32_t len, uint16_t segment)
{
	net_send(&f->loop, &f->path, fill(&f->loop, len, segment));
}

static void test_one_datagram_has_no_cmsg(void)
{
	struct fake f;

	fake_init(&f, 4);
	send_chunk(&f, 1200, 0);
	send_chunk(&f, 1200, 1200);
	send_chunk(&f, 1000, 1200);
	g_assert_cmpuint(f.n_sent, ==, 3);
	for (int i = 0; i < 3; i++)
		g_assert_cmpuint(f.sent[i].segment, ==, 0);
	g_assert_cmpuint(f.path.datagrams, ==, 3);
	g_assert_cmpuint(f.path.chunks, ==, 3);
	g_assert_cmpuint(f.path.bytes, ==, 3400);
	fake_done(&f);
}

static void test_many_are_one_message(void)
{
	struct fake f;

	fake_init(&f, 4);
	send_chunk(&f, 14 * 1200 + 7, 1200);
	g_assert_cmpuint(f.n_sent, ==, 1);
	g_assert_cmpuint(f.sent[0].segment, ==, 1200);
	g_assert_cmpuint(f.sent[0].len, ==, 14 * 1200 + 7);
	g_assert_cmpuint(f.path.datagrams, ==, 15);
	g_assert_cmpuint(f.path.chunks, ==, 1);
	g_assert_cmpuint(f.loop.stats.tx_datagrams, ==, 15);
	fake_done(&f);
}

static void check_refusal(int error)
{
	struct sockaddr_storage other;
	struct fake f;

	fake_init(&f, 4);
	f.gso_result = error;
	send_chunk(&f, 2 * 1000 + 300, 1000);

	/* The refused one, then each by itself and in order. */
	g_assert_cmpuint(f.n_sent, ==, 4);
	g_assert_cmpuint(f.sent[0].segment, ==, 1000);
	for (int i = 0; i < 3; i++) {
		g_assert_cmpuint(f.sent[1 + i].segment, ==, 0);
		g_assert_cmpuint(f.sent[1 + i].first, ==, i);
		g_assert_cmpuint(f.sent[1 + i].len, ==, i < 2 ? 1000 : 300);
	}
	g_assert_true(f.path.no_gso);
	g_assert_cmpuint(f.path.datagrams, ==, 3);
	g_assert_cmpuint(f.path.bytes, ==, 2300);
	g_assert_cmpuint(f.path.chunks, ==, 1);
	g_assert_cmpuint(f.path.errors, ==, 0);
	g_assert_cmpuint(f.loop.stats.tx_gso_refused, ==, 1);

	/* Learnt: not asked again ... */
	send_chunk(&f, 2000, 1000);
	g_assert_cmpuint(f.n_sent, ==, 6);
	g_assert_cmpuint(f.loop.stats.tx_gso_refused, ==, 1);

	/* ... until the pair changes. */
	net_path_set(&f.path, f.path.socket, &f.path.addr, f.path.addr_len);
	g_assert_true(f.path.no_gso);
	other = f.path.addr;
	((struct sockaddr_in *) &other)->sin_port = htons(10);
	net_path_set(&f.path, f.path.socket, &other, f.path.addr_len);
	g_assert_false(f.path.no_gso);
	f.gso_result = 0;
	send_chunk(&f, 2000, 1000);
	g_assert_cmpuint(f.n_sent, ==, 7);
	fake_done(&f);
}

static void test_refused_gso_is_sent_again(void)
{
	check_refusal(-EIO);
	check_refusal(-EMSGSIZE);
	check_refusal(-EINVAL);
}

static void test_full_buffer_is_an_error(void)
{
	struct fake f;

	fake_init(&f, 4);
	f.gso_result = -EAGAIN;
	send_chunk(&f, 3000, 1000);
	g_assert_cmpuint(f.n_sent, ==, 1);
	g_assert_false(f.path.no_gso);
	g_assert_cmpuint(f.path.errors, ==, 1);
	g_assert_cmpint(f.path.last_error, ==, -EAGAIN);
	g_assert_cmpuint(f.path.chunks, ==, 0);

	/* Even single datagrams refused: an end must come. */
	f.gso_result = f.single_result = -EINVAL;
	send_chunk(&f, 3000, 1000);
	g_assert_cmpuint(f.n_sent, ==, 5);
	g_assert_cmpuint(f.path.errors, ==, 4);
	fake_done(&f);
}

static void test_configured_without_gso(void)
{
	struct fake f;

	fake_init(&f, 4);
	f.loop.config.no_gso = true;
	send_chunk(&f, 3000, 1000);
	g_assert_cmpuint(f.n_sent, ==, 3);
	g_assert_false(f.path.no_gso);
	fake_done(&f);
}

static void test_limits(void)
{
	struct net_buffer *a, *b;
	struct fake f;

	fake_init(&f, 2);
	send_chunk(&f, 0, 0);
	g_assert_cmpuint(f.n_sent, ==, 0);
	send_chunk(&f, 64 * 100, 100);
	g_assert_cmpuint(f.n_sent, ==, 1);
	send_chunk(&f, 64 * 100 + 1, 100);
	g_assert_cmpuint(f.n_sent, ==, 1);
	g_assert_cmpint(f.path.last_error, ==, -E2BIG);

	/* More than one sendmsg carries: in pieces, and nothing is learnt. */
	send_chunk(&f, NET_BUFFER_BYTES, 1200);
	g_assert_cmpuint(f.n_sent, ==, 1 + 55);
	g_assert_false(f.path.no_gso);

	a = net_buffer_get(&f.loop);
	b = net_buffer_get(&f.loop);
	g_assert_nonnull(a);
	g_assert_nonnull(b);
	g_assert_null(net_buffer_get(&f.loop));
	g_assert_cmpuint(f.loop.stats.tx_no_buffer, ==, 1);
	net_buffer_put(&f.loop, a);
	/* The last one used is the next one given. */
	g_assert_true(net_buffer_get(&f.loop) == a);
	net_buffer_put(&f.loop, a);
	net_buffer_put(&f.loop, b);
	fake_done(&f);
}

static void test_forgotten_in_flight(void)
{
	struct net_path *path = g_new0(struct net_path, 1);
	struct fake f;

	fake_init(&f, 2);
	*path = f.path;
	f.hold = true;
	net_send(&f.loop, path, fill(&f.loop, 3000, 1000));
	g_assert_cmpuint(path->in_flight, ==, 1);
	g_assert_cmpuint(f.socket.n_refs, ==, 1);
	net_path_forget(&f.loop, path);
	g_assert_cmpuint(path->in_flight, ==, 0);
	memset(path, 0xff, sizeof(*path));
	g_free(path);

	/* Refused and sent again, without the path. */
	f.hold = false;
	f.gso_result = -EIO;
	complete(&f.loop, f.held);
	g_assert_cmpuint(f.n_sent, ==, 4);
	g_assert_cmpuint(f.loop.stats.tx_datagrams, ==, 3);
	fake_done(&f);
}

static void test_closing_socket_takes_nothing(void)
{
	struct fake f;

	fake_init(&f, 2);
	f.socket.closing = true;
	send_chunk(&f, 3000, 1000);
	g_assert_cmpuint(f.n_sent, ==, 0);
	g_assert_cmpint(f.path.last_error, ==, -EBADF);
	fake_done(&f);
}

static void take_relayed(void *user, const uint8_t *data, size_t len)
{
	struct fake *f = user;

	f->sent[f->n_sent].first = data[0];
	f->sent[f->n_sent++].len = len;
}

static void test_relay(void)
{
	struct fake f;

	fake_init(&f, 2);
	f.path.socket = NULL;
	send_chunk(&f, 2500, 1000);
	g_assert_cmpint(f.path.last_error, ==, -ENOTCONN);

	f.path.relay = take_relayed;
	f.path.relay_user = &f;
	send_chunk(&f, 2500, 1000);
	g_assert_cmpuint(f.n_sent, ==, 3);
	for (int i = 0; i < 3; i++) {
		g_assert_cmpuint(f.sent[i].first, ==, i);
		g_assert_cmpuint(f.sent[i].len, ==, i < 2 ? 1000 : 500);
	}
	g_assert_cmpuint(f.path.datagrams, ==, 3);
	g_assert_cmpuint(f.path.chunks, ==, 1);
	fake_done(&f);
}

/* --- over the real loopback ---------------------------------------------- */

struct sender {
	struct net_loop *loop;
	struct net_socket *socket;
	struct net_path path;
	int fd; /* the other end */
	int family;
	enum net_mark mark;
	uint32_t len;
	uint16_t segment;
	unsigned int n_chunks;
	bool forget;
};

static void open_sender(void *data)
{
	struct sender *s = data;
	struct sockaddr_storage addr;
	socklen_t len;
	int fd = net_test_udp(s->family, &addr, &len);

	g_assert_cmpint(net_socket_new(s->loop, fd, NULL, NULL, &s->socket), ==,
			0);
	s->path.socket = s->socket;
}

static void send_chunks(void *data)
{
	struct sender *s = data;

	for (unsigned int i = 0; i < s->n_chunks; i++) {
		struct net_buffer *buffer = fill(s->loop, s->len, s->segment);

		/* The chunk's number, in the second byte of each datagram. */
		for (uint32_t at = 1; at < s->len; at += s->segment)
			buffer->data[at] = i;
		buffer->mark = s->mark;
		net_send(s->loop, &s->path, buffer);
	}
}

static bool start_sender_of(int family, struct sender *s, gconstpointer backend,
			    const struct net_loop_config *config)
{
	memset(s, 0, sizeof(*s));
	s->loop = net_test_loop(backend, config);
	if (!s->loop)
		return false;
	s->family = family;
	s->fd = net_test_udp(family, &s->path.addr, &s->path.addr_len);
	g_assert_cmpint(s->fd, >=, 0);
	net_test_call(s->loop, open_sender, s);
	return true;
}

static bool start_sender(struct sender *s, gconstpointer backend,
			 const struct net_loop_config *config)
{
	return start_sender_of(AF_INET, s, backend, config);
}

static void stop_sender(struct sender *s)
{
	close(s->fd);
	net_loop_free(s->loop);
	g_assert_cmpuint(s->path.in_flight, ==, 0);
}

static void expect_chunks(struct sender *s)
{
	unsigned int n = (s->len + s->segment - 1) / s->segment;
	uint8_t data[4096];

	for (unsigned int i = 0; i < s->n_chunks * n; i++) {
		uint32_t left = s->len - i % n * s->segment;

		g_assert_cmpint(net_test_receive(s->fd, data, sizeof(data)), ==,
				MIN(left, s->segment));
		g_assert_cmpuint(data[0], ==, i % n);
		g_assert_cmpuint(data[1], ==, i / n);
	}
}

static void check_sending(gconstpointer backend, bool no_gso)
{
	struct net_loop_config config = {.no_gso = no_gso};
	struct net_loop_stats before, after;
	struct sender s;

	if (!start_sender(&s, backend, &config))
		return;
	s.len = 14 * 1200 + 100;
	s.segment = 1200;
	s.n_chunks = 5;
	for (int round = 0; round < 20; round++) {
		net_loop_get_stats(s.loop, &before);
		net_test_call(s.loop, send_chunks, &s);
		expect_chunks(&s);
		net_test_settle(s.loop);
		net_loop_get_stats(s.loop, &after);
		g_assert_cmpuint(after.tx_datagrams - before.tx_datagrams, ==,
				 75);
		g_assert_cmpuint(after.tx_chunks - before.tx_chunks, ==, 5);
		g_assert_cmpuint(after.tx_errors, ==, 0);
		/* The batch is one submission, whatever it holds: it goes
		 * with the waits that the settling makes anyway. */
		if (net_loop_get_backend(s.loop) == NET_BACKEND_URING)
			g_assert_cmpuint(after.syscalls - before.syscalls, <=,
					 after.ticks - before.ticks + 1);
	}
	g_assert_cmpuint(after.tx_gso_refused, ==, 0);
	g_assert_cmpuint(s.path.datagrams, ==, 20 * 75);
	g_assert_cmpuint(s.path.bytes, ==, 20 * 5 * s.len);
	stop_sender(&s);
}

static void test_send_gso(gconstpointer backend)
{
	check_sending(backend, false);
}

static void test_send_without_gso(gconstpointer backend)
{
	check_sending(backend, true);
}

/* The code point that the next datagram came with. */
static int receive_dscp(struct sender *s)
{
	uint8_t data[4096];
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct pollfd fd = {s->fd, POLLIN, 0};
	struct cmsghdr *cmsg;
	int tclass;

	g_assert_cmpint(poll(&fd, 1, 10000), ==, 1);
	g_assert_cmpint(recvmsg(s->fd, &msg, 0), >, 0);
	cmsg = CMSG_FIRSTHDR(&msg);
	g_assert_nonnull(cmsg);
	/* One byte of IPv4, an int of IPv6. */
	if (cmsg->cmsg_level == IPPROTO_IP)
		return *CMSG_DATA(cmsg) >> 2;
	g_assert_cmpint(cmsg->cmsg_type, ==, IPV6_TCLASS);
	memcpy(&tclass, CMSG_DATA(cmsg), sizeof(tclass));
	return tclass >> 2;
}

static void check_marks(int family, gconstpointer backend, bool no_gso)
{
	struct net_loop_config config = {.no_gso = no_gso};
	static const uint8_t expected[] = {0, 46, 34, 34, 0};
	static const enum net_mark marks[] = {NET_MARK_NONE, NET_MARK_AUDIO,
					      NET_MARK_VIDEO, NET_MARK_VIDEO,
					      NET_MARK_NONE};
	struct sender s;
	int on = 1;

	if (!start_sender_of(family, &s, backend, &config))
		return;
	g_assert_cmpint(family == AF_INET
				? setsockopt(s.fd, IPPROTO_IP, IP_RECVTOS, &on,
					     sizeof(on))
				: setsockopt(s.fd, IPPROTO_IPV6,
					     IPV6_RECVTCLASS, &on, sizeof(on)),
			==, 0);
	net_loop_set_dscp(s.loop, NET_MARK_AUDIO, 46);
	net_loop_set_dscp(s.loop, NET_MARK_VIDEO, 34);
	s.n_chunks = 1;
	s.segment = 1000;
	for (unsigned int i = 0; i < G_N_ELEMENTS(marks); i++) {
		s.mark = marks[i];
		s.len = i % 2 ? 200 : 2500;
		net_test_call(s.loop, send_chunks, &s);
		for (unsigned int at = 0; at < s.len; at += s.segment)
			g_assert_cmpint(receive_dscp(&s), ==, expected[i]);
	}
	/* Changed, and taken back, while it runs. */
	s.mark = NET_MARK_AUDIO;
	net_loop_set_dscp(s.loop, NET_MARK_AUDIO, 10);
	net_test_call(s.loop, send_chunks, &s);
	g_assert_cmpint(receive_dscp(&s), ==, 10);
	stop_sender(&s);
}

static void test_marks(gconstpointer backend)
{
	check_marks(AF_INET, backend, false);
	check_marks(AF_INET, backend, true);
	check_marks(AF_INET6, backend, false);
	check_marks(AF_INET6, backend, true);
}

/* More messages than the submission queue holds; the receiver's queue decides
 * how many arrive, so only what was sent is counted. */
static void test_send_more_than_fits(gconstpointer backend)
{
	struct net_loop_config config = {.no_gso = true};
	struct net_loop_stats stats;
	struct sender s;

	if (!start_sender(&s, backend, &config))
		return;
	s.len = 64 * 20;
	s.segment = 20;
	s.n_chunks = 100;
	net_test_call(s.loop, send_chunks, &s);
	net_test_settle(s.loop);
	net_loop_get_stats(s.loop, &stats);
	g_assert_cmpuint(stats.tx_datagrams, ==, 6400);
	g_assert_cmpuint(stats.tx_chunks, ==, 100);
	g_assert_cmpuint(stats.tx_errors, ==, 0);
	stop_sender(&s);
}

static void send_and_leave(void *data)
{
	struct sender *s = data;
	struct net_path *path = g_new(struct net_path, 1);
	struct net_buffer *buffer = fill(s->loop, s->len, s->segment);

	for (uint32_t at = 1; at < s->len; at += s->segment)
		buffer->data[at] = 0;
	*path = s->path;
	net_send(s->loop, path, buffer);
	net_path_forget(s->loop, path);
	memset(path, 0xff, sizeof(*path));
	g_free(path);
	s->socket = net_socket_free(s->socket);
	s->path.socket = NULL;
}

/* What was sent still leaves, though path and socket are gone. */
static void test_send_and_leave(gconstpointer backend)
{
	struct net_loop_stats stats;
	struct sender s;

	if (!start_sender(&s, backend, NULL))
		return;
	s.len = 5000;
	s.segment = 1000;
	s.n_chunks = 1;
	net_test_call(s.loop, send_and_leave, &s);
	expect_chunks(&s);
	net_test_settle(s.loop);
	net_loop_get_stats(s.loop, &stats);
	g_assert_cmpuint(stats.sockets, ==, 0);
	g_assert_cmpuint(stats.tx_datagrams, ==, 5);
	stop_sender(&s);
}

/* A namespace of our own, whose loopback takes at most 1100 bytes. */
static bool enter_narrow_namespace(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	int fd, r;

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifr.ifr_mtu = 1100;
	r = ioctl(fd, SIOCSIFMTU, &ifr);
	ifr.ifr_flags = IFF_UP;
	r |= ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return r == 0;
}

static bool may_make_namespace(void)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0)
		_exit(enter_narrow_namespace() ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Segments larger than the link: refused for real, then as fragments. */
static void test_send_over_narrow_link(gconstpointer backend)
{
	struct net_loop_stats stats;
	struct sender s;

	if (!g_test_subprocess()) {
		if (!may_make_namespace()) {
			g_test_skip("may not make a network namespace");
			return;
		}
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return;
	}
	g_assert_true(enter_narrow_namespace());
	if (!start_sender(&s, backend, NULL))
		return;
	s.len = 3 * 1200;
	s.segment = 1200;
	s.n_chunks = 2;
	net_test_call(s.loop, send_chunks, &s);
	expect_chunks(&s);
	net_test_settle(s.loop);
	net_loop_get_stats(s.loop, &stats);
	g_assert_cmpuint(stats.tx_gso_refused, >, 0);
	g_assert_true(s.path.no_gso);
	g_assert_cmpuint(s.path.datagrams, ==, 6);
	g_assert_cmpuint(s.path.errors, ==, 0);
	stop_sender(&s);
}

/* After a burst the memory of idle buffers goes; those in use keep theirs. */
static void test_trim(void)
{
	struct net_buffer *used, *idle;
	unsigned char resident[NET_BUFFER_BYTES / 4096];
	struct fake f;

	if (sysconf(_SC_PAGESIZE) != 4096) {
		g_test_skip("pages of another size");
		return;
	}
	fake_init(&f, 2);
	idle = net_buffer_get(&f.loop);
	used = net_buffer_get(&f.loop);
	memset(idle->data, 1, NET_BUFFER_BYTES);
	memset(used->data, 2, NET_BUFFER_BYTES);
	idle->len = used->len = NET_BUFFER_BYTES;
	net_buffer_put(&f.loop, idle);

	net_send_trim(&f.loop);
	g_assert_cmpint(used->data[NET_BUFFER_BYTES - 1], ==, 2);
	g_assert_cmpint(mincore(idle->data, NET_BUFFER_BYTES, resident), ==,
			0);
	for (size_t i = 0; i < sizeof(resident); i++)
		g_assert_cmpint(resident[i] & 1, ==,
				i * 4096 < NET_BUFFER_KEEP_BYTES);

	/* And it is a buffer as before. */
	g_assert_true(net_buffer_get(&f.loop) == idle);
	memset(idle->data, 3, NET_BUFFER_BYTES);
	net_buffer_put(&f.loop, idle);
	net_buffer_put(&f.loop, used);
	fake_done(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/net-send/one", test_one_datagram_has_no_cmsg);
	g_test_add_func("/net-send/many", test_many_are_one_message);
	g_test_add_func("/net-send/refused", test_refused_gso_is_sent_again);
	g_test_add_func("/net-send/full", test_full_buffer_is_an_error);
	g_test_add_func("/net-send/no-gso", test_configured_without_gso);
	g_test_add_func("/net-send/limits", test_limits);
	g_test_add_func("/net-send/forgotten", test_forgotten_in_flight);
	g_test_add_func("/net-send/closing", test_closing_socket_takes_nothing);
	g_test_add_func("/net-send/relay", test_relay);
	g_test_add_func("/net-send/trim", test_trim);
	net_test_add("send-gso", test_send_gso);
	net_test_add("send-without-gso", test_send_without_gso);
	net_test_add("send-marked", test_marks);
	net_test_add("send-more", test_send_more_than_fits);
	net_test_add("send-and-leave", test_send_and_leave);
	net_test_add("send-narrow", test_send_over_narrow_link);
	return g_test_run();
}
