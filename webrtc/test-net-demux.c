// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-demux.h"

#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <string.h>
#include <sys/prctl.h>

#include "webrtc/net-test.h"

struct siblings {
	int nice, sibling, peer;
	struct sockaddr_storage addr;
	socklen_t len;
};

static bool open_group(struct siblings *g, int family)
{
	struct sockaddr_storage peer_addr;
	socklen_t len;

	g->nice = net_test_udp(family, &g->addr, &g->len);
	if (g->nice < 0) {
		g_test_skip("address family not available");
		return false;
	}
	g->sibling = -1;
	g->peer = net_test_udp(family, &peer_addr, &len);
	return true;
}

static void join_group(struct siblings *g)
{
	g_assert_cmpint(net_demux_sibling(g->nice, &g->sibling), ==, 0);
}

static void close_group(struct siblings *g)
{
	close(g->nice);
	if (g->sibling >= 0)
		close(g->sibling);
	close(g->peer);
}

static bool is_media(unsigned int byte)
{
	return (byte >= 20 && byte <= 63) || (byte >= 128 && byte <= 191);
}

static bool is_empty(int fd)
{
	uint8_t byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* One datagram for each first byte, from @fd, and where it went. */
static void check_all_bytes(struct siblings *g, int fd)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint8_t data[20] = {i}, got[20] = {~i};
		int at = is_media(i) ? g->sibling : g->nice;

		net_test_send_to(fd, data, sizeof(data), &g->addr, g->len);
		g_assert_cmpint(net_test_receive(at, got, sizeof(got)), ==,
				sizeof(got));
		g_assert_cmpuint(got[0], ==, i);
	}
	g_assert_true(is_empty(g->nice));
	g_assert_true(is_empty(g->sibling));

	/* Nothing in it: libnice's. */
	net_test_send_to(fd, "", 0, &g->addr, g->len);
	g_assert_cmpint(net_test_receive(g->nice, &(char){0}, 1), ==, 0);
}

static void check_demux(int family)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct siblings g;

	if (!open_group(&g, family))
		return;
	join_group(&g);
	g_assert_cmpint(getsockname(g.sibling, (struct sockaddr *) &addr, &len),
			==, 0);
	g_assert_cmpint(memcmp(&addr, &g.addr, len), ==, 0);
	g_assert_cmpint(fcntl(g.sibling, F_GETFL) & O_NONBLOCK, !=, 0);
	g_assert_cmpint(fcntl(g.sibling, F_GETFD), ==, FD_CLOEXEC);

	/* By content, not by sender: from many ports. */
	for (int i = 0; i < 20; i++) {
		struct sockaddr_storage peer_addr;
		int fd = net_test_udp(family, &peer_addr, &len);

		check_all_bytes(&g, fd);
		close(fd);
	}
	close_group(&g);
}

static void test_demux_ipv4(void)
{
	check_demux(AF_INET);
}

static void test_demux_ipv6(void)
{
	check_demux(AF_INET6);
}

/* Also for a socket that stands for all addresses. */
static void test_demux_wildcard(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_storage peer_addr;
	struct siblings g = {.sibling = -1};
	int off = 0, v6only = -1;
	socklen_t len;

	g.nice = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (g.nice < 0) {
		g_test_skip("no IPv6 here");
		return;
	}
	setsockopt(g.nice, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	g_assert_cmpint(bind(g.nice, (struct sockaddr *) &any, sizeof(any)), ==,
			0);
	join_group(&g);
	len = sizeof(v6only);
	getsockopt(g.sibling, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len);
	g_assert_cmpint(v6only, ==, 0);

	/* IPv4 reaches it too. */
	g.len = sizeof(any);
	getsockname(g.nice, (struct sockaddr *) &any, &g.len);
	((struct sockaddr_in *) &g.addr)->sin_family = AF_INET;
	((struct sockaddr_in *) &g.addr)->sin_port = any.sin6_port;
	((struct sockaddr_in *) &g.addr)->sin_addr.s_addr =
		htonl(INADDR_LOOPBACK);
	g.len = sizeof(struct sockaddr_in);
	g.peer = net_test_udp(AF_INET, &peer_addr, &len);
	check_all_bytes(&g, g.peer);
	close_group(&g);
}

static void test_options_are_mirrored(void)
{
	unsigned int index = htonl(if_nametoindex("lo")), got = 0;
	int tos = 0x88, got_tos = 0;
	socklen_t len = sizeof(got);
	struct siblings g;

	g_assert_true(open_group(&g, AF_INET));
	g_assert_cmpint(setsockopt(g.nice, IPPROTO_IP, IP_UNICAST_IF, &index,
				   sizeof(index)),
			==, 0);
	g_assert_cmpint(
		setsockopt(g.nice, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)), ==,
		0);
	join_group(&g);
	getsockopt(g.sibling, IPPROTO_IP, IP_UNICAST_IF, &got, &len);
	g_assert_cmpuint(got, ==, index);
	getsockopt(g.sibling, IPPROTO_IP, IP_TOS, &got_tos, &len);
	g_assert_cmpint(got_tos, ==, tos);
	close_group(&g);

	if (!open_group(&g, AF_INET6))
		return;
	g_assert_cmpint(setsockopt(g.nice, IPPROTO_IPV6, IPV6_UNICAST_IF,
				   &index, sizeof(index)),
			==, 0);
	join_group(&g);
	got = 0;
	getsockopt(g.sibling, IPPROTO_IPV6, IPV6_UNICAST_IF, &got, &len);
	g_assert_cmpuint(got, ==, index);
	close_group(&g);
}

static void send_byte(struct siblings *g, uint8_t byte)
{
	net_test_send_to(g->peer, &byte, 1, &g->addr, g->len);
}

static void test_closing(void)
{
	struct siblings g;
	uint8_t byte;

	g_assert_true(open_group(&g, AF_INET));
	join_group(&g);
	send_byte(&g, 130);
	g_assert_cmpint(net_test_receive(g.sibling, &byte, 1), ==, 1);

	/* Stopped: all to libnice, before and after the sibling closes. */
	g_assert_cmpint(net_demux_stop(g.sibling), ==, 0);
	send_byte(&g, 130);
	g_assert_cmpint(net_test_receive(g.nice, &byte, 1), ==, 1);
	g_assert_true(is_empty(g.sibling));
	close(g.sibling);
	send_byte(&g, 131);
	g_assert_cmpint(net_test_receive(g.nice, &byte, 1), ==, 1);
	g_assert_cmpuint(byte, ==, 131);

	/* And again, for the next one. */
	join_group(&g);
	check_all_bytes(&g, g.peer);

	/* Without the first step: out of range, so libnice's as well. */
	close(g.sibling);
	g.sibling = -1;
	send_byte(&g, 132);
	g_assert_cmpint(net_test_receive(g.nice, &byte, 1), ==, 1);
	close_group(&g);
}

static void test_refusals(void)
{
	struct sockaddr_storage addr;
	int fd, sibling = -7, value = -1;
	socklen_t len = sizeof(value);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(net_demux_sibling(fd, &sibling), ==, -ESOCKTNOSUPPORT);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(net_demux_sibling(fd, &sibling), ==, -EADDRNOTAVAIL);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(net_demux_sibling(fd, &sibling), ==, -EAFNOSUPPORT);
	close(fd);
	g_assert_cmpint(net_demux_sibling(-1, &sibling), ==, -EBADF);
	g_assert_cmpint(sibling, ==, -7);

	/* A program cannot be attached to a lone socket: nothing to stop. */
	fd = net_test_udp(AF_INET, &addr, &len);
	g_assert_cmpint(net_demux_stop(fd), <, 0);
	len = sizeof(value);
	getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &len);
	g_assert_cmpint(value, ==, 0);
	close(fd);
}

/* In the loop: media by the loop, the rest stays. */
struct looped {
	struct net_loop *loop;
	struct net_socket *socket;
	int fd;
	uint8_t first;
	struct net_test_latch received;
};

static void receive(void *user, uint8_t *data, size_t len,
		    const struct sockaddr_storage *from, uint64_t now_us)
{
	struct looped *l = user;

	l->first = data[0];
	net_test_count(&l->received, 1);
}

static void add(void *data)
{
	struct looped *l = data;

	g_assert_cmpint(net_socket_new(l->loop, l->fd, receive, l, &l->socket),
			==, 0);
}

static void stop_and_remove(void *data)
{
	struct looped *l = data;

	g_assert_cmpint(net_demux_stop(net_socket_get_fd(l->socket)), ==, 0);
	l->socket = net_socket_free(l->socket);
}

static void test_in_the_loop(gconstpointer backend)
{
	struct looped l = {.loop = net_test_loop(backend, NULL)};
	struct siblings g;
	uint8_t byte;

	if (!l.loop)
		return;
	g_assert_true(open_group(&g, AF_INET));
	for (int round = 0; round < 50; round++) {
		join_group(&g);
		l.fd = g.sibling;
		l.received.count = 0;
		net_test_call(l.loop, add, &l);
		send_byte(&g, 0);
		send_byte(&g, 140);
		net_test_await(&l.received, 1);
		g_assert_cmpuint(l.first, ==, 140);
		g_assert_cmpint(net_test_receive(g.nice, &byte, 1), ==, 1);
		g_assert_cmpuint(byte, ==, 0);

		net_test_call(l.loop, stop_and_remove, &l);
		send_byte(&g, 141);
		g_assert_cmpint(net_test_receive(g.nice, &byte, 1), ==, 1);
		g_assert_cmpuint(byte, ==, 141);
		/* The next sibling may take its place in the group only when
		 * this one has left it. */
		net_test_settle(l.loop);
	}
	g.sibling = -1;
	close_group(&g);
	net_loop_free(l.loop);
}

static void test_without_privileges(void)
{
	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0,
				       G_TEST_SUBPROCESS_INHERIT_STDERR);
		g_test_trap_assert_passed();
		return;
	}
	if (getuid() == 0) {
		for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
			prctl(PR_CAPBSET_DROP, cap);
		g_assert_cmpint(setgroups(0, NULL), ==, 0);
		g_assert_cmpint(setgid(65534), ==, 0);
		g_assert_cmpint(setuid(65534), ==, 0);
	}
	test_demux_ipv4();
	test_demux_ipv6();
	test_closing();
	test_in_the_loop(GINT_TO_POINTER(NET_BACKEND_EPOLL));
	test_in_the_loop(GINT_TO_POINTER(NET_BACKEND_URING));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/net-demux/ipv4", test_demux_ipv4);
	g_test_add_func("/net-demux/ipv6", test_demux_ipv6);
	g_test_add_func("/net-demux/wildcard", test_demux_wildcard);
	g_test_add_func("/net-demux/mirror", test_options_are_mirrored);
	g_test_add_func("/net-demux/closing", test_closing);
	g_test_add_func("/net-demux/refusals", test_refusals);
	g_test_add_func("/net-demux/unprivileged", test_without_privileges);
	net_test_add("demux", test_in_the_loop);
	return g_test_run();
}
