// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-demux.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* Places in the group: in order of joining it. */
enum {
	GROUP_NICE,
	GROUP_SIBLING,
};

static int set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int get_int(int fd, int level, int name, int *ret)
{
	socklen_t len = sizeof(*ret);

	if (getsockopt(fd, level, name, ret, &len) < 0)
		return -errno;
	return 0;
}

/* Copies an option; one the kernel does not know is not worth failing for.
 * The interface options come and go in network order, so they copy as well. */
static int mirror(int from, int to, int level, int name)
{
	int value;

	if (get_int(from, level, name, &value) < 0)
		return 0;
	return set_int(to, level, name, value);
}

static int mirror_options(int from, int to, int family)
{
	int r;

	/* Best effort: too small a buffer loses packets under load only. */
	set_int(from, SOL_SOCKET, SO_RCVBUF, NET_DEMUX_BUFFER_BYTES);
	set_int(to, SOL_SOCKET, SO_RCVBUF, NET_DEMUX_BUFFER_BYTES);
	set_int(to, SOL_SOCKET, SO_SNDBUF, NET_DEMUX_BUFFER_BYTES);

	if (family == AF_INET) {
		r = mirror(from, to, IPPROTO_IP, IP_UNICAST_IF);
		if (r < 0)
			return r;
		return mirror(from, to, IPPROTO_IP, IP_TOS);
	}

	r = mirror(from, to, IPPROTO_IPV6, IPV6_V6ONLY);
	if (r < 0)
		return r;
	r = mirror(from, to, IPPROTO_IPV6, IPV6_UNICAST_IF);
	if (r < 0)
		return r;
	return mirror(from, to, IPPROTO_IPV6, IPV6_TCLASS);
}

static int attach(int fd, struct sock_filter *code, unsigned short n_code)
{
	struct sock_fprog program = {.len = n_code, .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
		       sizeof(program)) < 0)
		return -errno;
	return 0;
}

/* The program sees the UDP payload at offset 0. An empty datagram makes the
 * load fail, which returns 0: libnice. */
static int attach_demux(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 192, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 128, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 64, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 20, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, GROUP_SIBLING),
		BPF_STMT(BPF_RET | BPF_K, GROUP_NICE),
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

static int check(int fd, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	int type, r;

	r = get_int(fd, SOL_SOCKET, SO_TYPE, &type);
	if (r < 0)
		return r;
	if (type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;

	*ret_len = sizeof(*ret_addr);
	if (getsockname(fd, (struct sockaddr *) ret_addr, ret_len) < 0)
		return -errno;

	switch (ret_addr->ss_family) {
	case AF_INET:
		if (((struct sockaddr_in *) ret_addr)->sin_port == 0)
			return -EADDRNOTAVAIL;
		return 0;
	case AF_INET6:
		if (((struct sockaddr_in6 *) ret_addr)->sin6_port == 0)
			return -EADDRNOTAVAIL;
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

/* The program can be attached only to a group that exists, so after bind. */
static int join(int nice_fd, int fd, const struct sockaddr_storage *addr,
		socklen_t len)
{
	int r;

	r = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r < 0)
		return r;
	r = mirror_options(nice_fd, fd, addr->ss_family);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *) addr, len) < 0)
		return -errno;
	return attach_demux(fd);
}

int net_demux_sibling(int nice_fd, int *ret_fd)
{
	struct sockaddr_storage addr = {0};
	socklen_t len;
	int had, fd, r;

	r = check(nice_fd, &addr, &len);
	if (r < 0)
		return r;
	r = get_int(nice_fd, SOL_SOCKET, SO_REUSEPORT, &had);
	if (r < 0)
		return r;

	fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;

	r = set_int(nice_fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = join(nice_fd, fd, &addr, len);
	if (r < 0) {
		close(fd);
		set_int(nice_fd, SOL_SOCKET, SO_REUSEPORT, had);
		return r;
	}

	*ret_fd = fd;
	return 0;
}

int net_demux_stop(int sibling_fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_RET | BPF_K, GROUP_NICE),
	};

	return attach(sibling_fd, code, 1);
}
