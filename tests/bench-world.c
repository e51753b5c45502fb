// SPDX-License-Identifier: Apache-2.0
#include "bench-world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEAR_ADDR    "10.99.0.1"
#define FAR_ADDR     "10.99.0.2"
#define FAR_PORT     9
#define STRANGER     "02:00:00:00:00:99"
#define FEATURE	     "tx-udp-segmentation"
#define SNDBUF_BYTES (4 * 1024 * 1024)

static int run(const char *command)
{
	return system(command) == 0 ? 0 : -EIO;
}

/* The child only keeps its namespace alive, and brings its end up. */
static void live_far_away(int ready, int go)
{
	char byte = 0;

	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	if (run("ip link set lan1 up") < 0)
		_exit(1);
	if (write(ready, &byte, 1) != 1)
		_exit(1);
	/* Until the parent closes its end. */
	while (read(go, &byte, 1) > 0)
		continue;
	_exit(0);
}

static int lay_wire(pid_t far)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "ip link add lan0 type veth peer name lan1 netns %d",
		 (int) far);
	if (run(command) < 0)
		return -EIO;
	return run("ip addr add " NEAR_ADDR "/24 dev lan0 && "
		   "ip link set lan0 up && "
		   "ip neigh replace " FAR_ADDR " lladdr " STRANGER
		   " dev lan0 nud permanent");
}

static int open_veth(struct bench_wire *wire)
{
	int ready[2], go[2];
	char byte = 0;
	int r = -EPERM;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	if (pipe(ready) < 0 || pipe(go) < 0)
		return -errno;
	wire->far = fork();
	if (wire->far < 0)
		return -errno;
	if (wire->far == 0) {
		close(go[1]);
		close(ready[0]);
		live_far_away(ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);

	/* go[1] stays open for as long as this process lives. */
	if (read(ready[0], &byte, 1) == 1)
		r = lay_wire(wire->far);
	if (r == 0 &&
	    (write(go[1], &byte, 1) != 1 || read(ready[0], &byte, 1) != 1))
		r = -EIO;
	close(ready[0]);
	return r;
}

static int open_loopback(struct bench_wire *wire)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1;

	wire->is_loopback = true;
	wire->sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (wire->sink < 0)
		return -errno;
	setsockopt(wire->sink, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one));
	if (bind(wire->sink, (struct sockaddr *) &addr, sizeof(addr)) < 0)
		return -errno;
	return 0;
}

int bench_wire_open(struct bench_wire *wire)
{
	*wire = (struct bench_wire){.sink = -1};
	if (geteuid() == 0 && open_veth(wire) == 0)
		return 0;
	return open_loopback(wire);
}

void bench_wire_close(struct bench_wire *wire)
{
	if (wire->far > 0) {
		kill(wire->far, SIGTERM);
		waitpid(wire->far, NULL, 0);
	}
	if (wire->sink >= 0)
		close(wire->sink);
}

/* --- the device's features ------------------------------------------------ */

static int ethtool(int fd, const char *device, void *command)
{
	struct ifreq ifr = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	ifr.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

/* Return: how many features this kernel names, 0 when it does not say. */
static uint32_t count_features(int fd, const char *device)
{
	struct ethtool_sset_info *info =
		calloc(1, sizeof(*info) + sizeof(info->data[0]));
	uint32_t n = 0;

	if (!info)
		return 0;
	info->cmd = ETHTOOL_GSSET_INFO;
	info->sset_mask = UINT64_C(1) << ETH_SS_FEATURES;
	if (ethtool(fd, device, info) == 0 && info->sset_mask)
		n = info->data[0];
	free(info);
	return n;
}

/* Return: the feature's bit, or negative errno. */
static int find_feature(int fd, const char *device)
{
	uint32_t n = count_features(fd, device);
	struct ethtool_gstrings *names;
	int r;

	names = calloc(1, sizeof(*names) + n * ETH_GSTRING_LEN);
	if (!names)
		return -ENOMEM;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = n;
	r = ethtool(fd, device, names);
	for (uint32_t i = 0; r == 0 && i < n; i++) {
		if (strncmp((char *) names->data + i * ETH_GSTRING_LEN, FEATURE,
			    ETH_GSTRING_LEN) == 0) {
			free(names);
			return i;
		}
	}
	free(names);
	return r < 0 ? r : -EOPNOTSUPP;
}

static int set_feature(int fd, const char *device, int bit, bool on)
{
	size_t n = bit / 32 + 1;
	struct ethtool_sfeatures *set =
		calloc(1, sizeof(*set) + n * sizeof(set->features[0]));
	int r;

	if (!set)
		return -ENOMEM;
	set->cmd = ETHTOOL_SFEATURES;
	set->size = n;
	set->features[n - 1].valid = UINT32_C(1) << bit % 32;
	set->features[n - 1].requested = on ? set->features[n - 1].valid : 0;
	r = ethtool(fd, device, set);
	free(set);
	return r;
}

int bench_wire_set_segmentation(struct bench_wire *wire, bool by_device)
{
	int fd, bit, r;

	/* The loopback device is everybody's: leave it alone. */
	if (wire->is_loopback)
		return by_device ? 0 : -EPERM;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	bit = find_feature(fd, "lan0");
	r = bit < 0 ? bit : set_feature(fd, "lan0", bit, by_device);
	close(fd);
	return r;
}

/* --- sockets ------------------------------------------------------------- */

int bench_wire_connect(struct bench_wire *wire, struct bench_world *world,
		       unsigned int n_peers)
{
	struct sockaddr_in to = {.sin_family = AF_INET}, from = to;
	socklen_t len = sizeof(to);
	int size = SNDBUF_BYTES;

	if (wire->is_loopback) {
		getsockname(wire->sink, (struct sockaddr *) &to, &len);
		from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		to.sin_addr.s_addr = inet_addr(FAR_ADDR);
		to.sin_port = htons(FAR_PORT);
		from.sin_addr.s_addr = inet_addr(NEAR_ADDR);
	}
	world->n_peers = n_peers;
	world->addr_len = sizeof(to);
	for (unsigned int i = 0; i < n_peers; i++) {
		int fd = socket(AF_INET,
				SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		world->fd[i] = fd;
		if (fd < 0 ||
		    bind(fd, (struct sockaddr *) &from, sizeof(from)) < 0)
			return -errno;
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		memcpy(&world->addr[i], &to, sizeof(to));
	}
	return 0;
}

void bench_wire_disconnect(struct bench_world *world)
{
	for (unsigned int i = 0; i < world->n_peers; i++)
		close(world->fd[i]);
	world->n_peers = 0;
}
