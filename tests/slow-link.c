// SPDX-License-Identifier: Apache-2.0
/* tests/slow-link.c - a long link for UDP, where the kernel has none
 *
 *   slow-link MILLISECONDS ADDRESS
 *
 * Two sockets at ADDRESS: what comes to one leaves by the other, so much later,
 * in order and without loss, to whoever spoke to that one first; others are not
 * heard. Prints both ports; ends with its standard input. Each end is told the
 * port of the one it is to send to as the other end's. (netem does this better,
 * where it may be used.)
 *
 * At most PACKETS packets are on their way in a direction; more are dropped, as
 * by a router, and counted on standard error at the end.
 *
 * Thread:  one
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define PACKETS	     16384
#define PACKET_BYTES 1536
#define AT_ONCE	     64
#define TURNS	     8	/* then what is due may leave */
#define SOCKET_BYTES (16 << 20)

struct packet {
	uint64_t due_ns;
	uint32_t len;
	uint8_t bytes[PACKET_BYTES];
};

/* What came in at a side waits for the other. */
struct side {
	int fd;
	struct sockaddr_in peer;	/* who spoke first; port 0: nobody */
	struct packet *ring;
	uint64_t head, tail, dropped;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static void open_side(struct side *s, struct in_addr address)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = address};
	socklen_t len = sizeof(here);
	int bytes = SOCKET_BYTES;

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *) &here, len) < 0 ||
	    getsockname(s->fd, (struct sockaddr *) &here, &len) < 0) {
		perror("slow-link");
		exit(1);
	}
	/* As root; else as much as others get. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) < 0)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	s->ring = g_new(struct packet, PACKETS);
	printf("%d\n", ntohs(here.sin_port));
}

static bool is_peer(const struct side *s, const struct sockaddr_in *from)
{
	return from->sin_port == s->peer.sin_port &&
	       from->sin_addr.s_addr == s->peer.sin_addr.s_addr;
}

/* Return: whether there may be more. */
static bool take(struct side *s, uint64_t delay_ns)
{
	struct sockaddr_in from[AT_ONCE];
	struct mmsghdr m[AT_ONCE];
	struct iovec v[AT_ONCE];
	static uint8_t spare[PACKET_BYTES];
	uint64_t now;
	int n;

	for (unsigned int i = 0; i < AT_ONCE; i++) {
		bool full = s->tail + i - s->head >= PACKETS;

		v[i] = (struct iovec){
			full ? spare : s->ring[(s->tail + i) % PACKETS].bytes,
			PACKET_BYTES};
		m[i] = (struct mmsghdr){.msg_hdr = {
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]),
			.msg_iov = &v[i], .msg_iovlen = 1}};
	}
	n = recvmmsg(s->fd, m, AT_ONCE, MSG_DONTWAIT, NULL);
	now = now_ns();
	for (int i = 0; i < n; i++) {
		struct packet *p = &s->ring[s->tail % PACKETS];

		if (!s->peer.sin_port)
			s->peer = from[i];
		if (s->tail - s->head >= PACKETS) {
			s->dropped++;
			continue;
		}
		/* A stranger's is empty, and not sent. */
		p->len = is_peer(s, &from[i]) ? m[i].msg_len : 0;
		p->due_ns = now + delay_ns;
		s->tail++;
	}
	return n == AT_ONCE;
}

/* What is due in @s leaves by @out. */
static void give(struct side *s, struct side *out, uint64_t now)
{
	while (s->head < s->tail && s->ring[s->head % PACKETS].due_ns <= now) {
		struct mmsghdr m[AT_ONCE];
		struct iovec v[AT_ONCE];
		unsigned int n = 0;
		int sent = 0;

		for (; n < AT_ONCE && s->head + n < s->tail; n++) {
			struct packet *p = &s->ring[(s->head + n) % PACKETS];

			if (p->due_ns > now || (n && !p->len))
				break;
			v[n] = (struct iovec){p->bytes, p->len};
			m[n] = (struct mmsghdr){.msg_hdr = {
				.msg_name = &out->peer,
				.msg_namelen = sizeof(out->peer),
				.msg_iov = &v[n], .msg_iovlen = 1}};
		}
		if (out->peer.sin_port && m[0].msg_hdr.msg_iov->iov_len)
			sent = sendmmsg(out->fd, m, n, 0);
		if (sent < 0 && errno == EAGAIN)
			return;
		/* Nobody there, or an ICMP error of the one before. */
		s->head += sent > 0 ? (unsigned int) sent : 1;
	}
}

static int wait_ms(const struct side *s, uint64_t now)
{
	uint64_t due;

	if (s->head == s->tail)
		return -1;
	due = s->ring[s->head % PACKETS].due_ns;
	return due > now ? (int) ((due - now) / 1000000) : 0;
}

int main(int argc, char *argv[])
{
	struct side a = {.fd = -1}, b = {.fd = -1};
	uint64_t delay_ns;
	int ms = argc == 3 ? atoi(argv[1]) : -1;
	struct in_addr address;

	if (ms < 0 || ms > 1000 || inet_pton(AF_INET, argv[2], &address) != 1) {
		fprintf(stderr, "usage: slow-link MILLISECONDS ADDRESS\n"
				"       (0 to 1000; of IPv4)\n");
		return 2;
	}
	delay_ns = (uint64_t) ms * 1000000u;
	open_side(&a, address);
	open_side(&b, address);
	fflush(stdout);
	for (;;) {
		struct pollfd p[] = {{STDIN_FILENO, POLLIN, 0},
				     {a.fd, POLLIN, 0}, {b.fd, POLLIN, 0}};
		uint64_t now = now_ns();
		int wa = wait_ms(&a, now), wb = wait_ms(&b, now);
		/* -1, for ever, is the largest there is. */
		int wait = (int) MIN((unsigned int) wa, (unsigned int) wb);

		poll(p, G_N_ELEMENTS(p), wait);
		if (p[0].revents)
			break;
		for (int i = 0; i < TURNS && take(&a, delay_ns); i++)
			;
		for (int i = 0; i < TURNS && take(&b, delay_ns); i++)
			;
		now = now_ns();
		give(&a, &b, now);
		give(&b, &a, now);
	}
	if (a.dropped || b.dropped)
		fprintf(stderr, "slow-link: %llu and %llu packets dropped\n",
			(unsigned long long) a.dropped,
			(unsigned long long) b.dropped);
	g_free(a.ring);
	g_free(b.ring);
	return 0;
}
