// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

G_DEFINE_QUARK(room - listener - error - quark, room_listener_error)

/* A vanished machine is noticed without waiting for pings to run out. */
#define KEEPALIVE_IDLE_S     15
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES     3

int room_listener_split(const char *address, char ret_host[64],
			uint16_t *ret_port)
{
	const char *colon = strrchr(address, ':');
	const char *host = address;
	guint64 port;
	size_t n;

	if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16,
						  &port, NULL))
		return -EINVAL;
	n = (size_t) (colon - address);
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	} else if (memchr(host, ':', n)) {
		return -EINVAL; /* an IPv6 address needs its brackets */
	}
	if (!n || n >= 64)
		return -EINVAL;
	if (n == 1 && *host == '*')
		n = 0;
	memcpy(ret_host, host, n);
	ret_host[n] = '\0';
	*ret_port = (uint16_t) port;
	return 0;
}

/* Where to bind, for one family. */
struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

static bool make_endpoint(const char *host, bool v6, uint16_t port,
			  struct endpoint *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (v6) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(port);
		ret->v6.sin6_addr = in6addr_any;
		ret->len = sizeof(ret->v6);
		return !*host ||
		       inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons(port);
	ret->v4.sin_addr.s_addr = htonl(INADDR_ANY);
	ret->len = sizeof(ret->v4);
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return !*host || inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

/* Return: a listening descriptor or a negative errno. */
static int try_listen(const struct endpoint *at, bool dual)
{
	int fd = socket(at->any.sa_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, v6only = !dual, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
			   sizeof(v6only));
	if (bind(fd, &at->any, at->len) < 0 || listen(fd, SOMAXCONN) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static bool is_any(const char *host)
{
	return !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
}

static int open_port(const char *host, uint16_t port)
{
	struct endpoint at;
	int fd;

	if (make_endpoint(host, true, port, &at)) {
		fd = try_listen(&at, is_any(host));
		if (*host || fd >= 0 || fd == -EADDRINUSE || fd == -EACCES)
			return fd;
	}
	/* A name, an IPv4 address, or all addresses without IPv6. */
	if (!make_endpoint(host, false, port, &at))
		return -EINVAL;
	return try_listen(&at, false);
}

/* Return: 0, negative errno. */
static int find_bound_port(int fd, uint16_t *ret)
{
	struct endpoint at = {.len = sizeof(at.v6)};

	if (getsockname(fd, &at.any, &at.len) < 0)
		return -errno;
	*ret = ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port
						  : at.v4.sin_port);
	return 0;
}

/* The first address of this machine that others can reach. */
static void find_public_host(char ret[64])
{
	struct ifaddrs *all = NULL;

	g_strlcpy(ret, "127.0.0.1", 64);
	if (getifaddrs(&all) < 0)
		return;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_in *v4 =
			(const struct sockaddr_in *) i->ifa_addr;

		if (!v4 || v4->sin_family != AF_INET ||
		    (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
			continue;
		inet_ntop(AF_INET, &v4->sin_addr, ret, 64);
		break;
	}
	freeifaddrs(all);
}

gboolean room_listener_open(struct room_listener *ret, const char *address,
			    bool next_free_port, GError **error)
{
	struct room_listener listener = {.fd = -1};
	unsigned int more = next_free_port ? ROOM_LISTENER_MORE_PORTS : 0;
	char host[64];
	uint16_t port;
	int r;

	if (room_listener_split(address, host, &port) < 0) {
		g_set_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_ADDRESS,
			    "Cannot listen on '%s': not of the form "
			    "ADDRESS:PORT, [ADDRESS]:PORT or *:PORT",
			    address);
		return FALSE;
	}

	for (unsigned int i = 0;; i++) {
		listener.fd = open_port(host, (uint16_t) (port + i));
		if (listener.fd >= 0)
			break;
		if (listener.fd != -EADDRINUSE || i == more ||
		    port + i == G_MAXUINT16) {
			g_set_error(error, ROOM_LISTENER_ERROR,
				    ROOM_LISTENER_BIND,
				    "Cannot listen on %s: %s%s", address,
				    g_strerror(-listener.fd),
				    more && i == more
					    ? ", as are the ports above it"
					    : "");
			return FALSE;
		}
	}

	r = find_bound_port(listener.fd, &listener.port);
	if (r < 0) {
		close(listener.fd);
		g_set_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_BIND,
			    "Cannot tell on which port of %s it listens: %s",
			    address, g_strerror(-r));
		return FALSE;
	}
	if (is_any(host)) {
		find_public_host(listener.host);
		g_strlcpy(listener.local_host, "127.0.0.1",
			  sizeof(listener.local_host));
	} else {
		g_snprintf(listener.host, sizeof(listener.host),
			   strchr(host, ':') ? "[%s]" : "%s", host);
		memcpy(listener.local_host, listener.host,
		       sizeof(listener.host));
	}
	*ret = listener;
	return TRUE;
}

void room_listener_close(struct room_listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}

int room_listener_accept(const struct room_listener *listener,
			 struct sockaddr_storage *ret_from)
{
	socklen_t len = sizeof(*ret_from);
	int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S,
	    probes = KEEPALIVE_PROBES;
	int fd = accept4(listener->fd, (struct sockaddr *) ret_from, &len,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	return fd;
}
