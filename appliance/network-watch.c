// SPDX-License-Identifier: Apache-2.0
#include "appliance/network-watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of addresses and links the state is read anew, whatever a message says: a
 * wireless one tells its signal's strength in the same way. */
#define READ_BYTES 16384
#define READS_MAX  64		/* in one go: the others in the next */

struct NetworkWatch {
	NetworkWatchFunc changed;
	void *user;
	int fd;
	GSource *source, *timer;
	gint64 first_us;		/* of the burst */
	gboolean routes;		/* one came */
	char **addresses;		/* sorted, of what is up, ... */
	char **reachable;		/* ... and of what has a link, too */
};

/* The loopback counts by its name alone. */
static gboolean is_wanted(const struct ifaddrs *i,
			  const char *const *interfaces)
{
	return interfaces ? g_strv_contains(interfaces, i->ifa_name) :
			    !(i->ifa_flags & IFF_LOOPBACK);
}

static gboolean text_of(const struct ifaddrs *i, unsigned int flags,
			char ret[INET6_ADDRSTRLEN])
{
	const struct sockaddr *a = i->ifa_addr;
	const struct in6_addr *v6;

	if (!a || (i->ifa_flags & flags) != flags)
		return FALSE;
	if (a->sa_family == AF_INET)
		return inet_ntop(AF_INET,
				 &((const struct sockaddr_in *) a)->sin_addr,
				 ret, INET6_ADDRSTRLEN) != NULL;
	if (a->sa_family != AF_INET6)
		return FALSE;
	v6 = &((const struct sockaddr_in6 *) a)->sin6_addr;
	return !IN6_IS_ADDR_LINKLOCAL(v6) &&
		inet_ntop(AF_INET6, v6, ret, INET6_ADDRSTRLEN) != NULL;
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Of interfaces with these flags. */
static char **read_addresses(unsigned int flags, const char *const *interfaces)
{
	GPtrArray *all = g_ptr_array_new();
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		list = NULL;
	for (struct ifaddrs *i = list;
	     i && all->len < NETWORK_WATCH_ADDRESSES; i = i->ifa_next)
		if (is_wanted(i, interfaces) && text_of(i, flags, text))
			g_ptr_array_add(all, g_strdup(text));
	if (list)
		freeifaddrs(list);
	g_ptr_array_sort(all, compare);
	g_ptr_array_add(all, NULL);
	return (char **) g_ptr_array_free(all, FALSE);
}

char **network_watch_list(const char *const *interfaces)
{
	return read_addresses(IFF_UP, interfaces);
}

char **network_watch_missing(const char *const *before, const char *const *now)
{
	GPtrArray *missing = g_ptr_array_new();

	for (; *before; before++) {
		while (*now && strcmp(*now, *before) < 0)
			now++;
		if (!*now || strcmp(*now, *before) > 0)
			g_ptr_array_add(missing, g_strdup(*before));
	}
	g_ptr_array_add(missing, NULL);
	return (char **) g_ptr_array_free(missing, FALSE);
}

static void stop(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void take(char ***where, char **addresses)
{
	g_strfreev(*where);
	*where = addresses;
}

static gboolean on_quiet(gpointer data)
{
	NetworkWatch *w = data;
	char **now = read_addresses(IFF_UP, NULL);
	char **reachable = read_addresses(IFF_UP | IFF_RUNNING, NULL);
	g_auto(GStrv) lost = network_watch_missing(
		(const char *const *) w->addresses, (const char *const *) now);
	g_auto(GStrv) found = network_watch_missing(
		(const char *const *) reachable,
		(const char *const *) w->reachable);
	gboolean gained = *found || w->routes;

	stop(&w->timer);
	w->first_us = 0;
	w->routes = FALSE;
	take(&w->addresses, now);
	take(&w->reachable, reachable);
	if (gained || *lost)
		w->changed(w->user, gained, (const char *const *) lost);
	return G_SOURCE_REMOVE;
}

static gboolean has_new_route(const struct nlmsghdr *m, size_t len)
{
	for (; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len))
		if (m->nlmsg_type == RTM_NEWROUTE)
			return TRUE;
	return FALSE;
}

/* Return: whether there was any; more than fitted counts. */
static gboolean drain(NetworkWatch *w)
{
	union {
		struct nlmsghdr header;	/* aligns it */
		char bytes[READ_BYTES];
	} buffer;
	gboolean any = FALSE;

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(w->fd, &buffer, sizeof(buffer), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ENOBUFS)
			break;
		any = TRUE;
		w->routes |= n < 0 || has_new_route(&buffer.header, (size_t) n);
	}
	return any;
}

static gboolean on_netlink(gint fd, GIOCondition condition, gpointer data)
{
	NetworkWatch *w = data;
	gint64 now = g_get_monotonic_time(), left;

	if (!drain(w))
		return G_SOURCE_CONTINUE;
	if (!w->first_us)
		w->first_us = now;
	left = w->first_us / 1000 + NETWORK_WATCH_MAX_MS - now / 1000;
	stop(&w->timer);
	w->timer = g_timeout_source_new(
		(guint) CLAMP(left, 0, NETWORK_WATCH_QUIET_MS));
	g_source_set_callback(w->timer, on_quiet, w, NULL);
	g_source_attach(w->timer, g_main_context_get_thread_default());
	return G_SOURCE_CONTINUE;
}

static int open_netlink(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
			     RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			     RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *) &address, sizeof(address)))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

NetworkWatch *network_watch_new(NetworkWatchFunc changed, void *user,
				GError **error)
{
	NetworkWatch *w;
	int fd = open_netlink();

	if (fd < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-fd),
			    "Cannot watch the network for changes: %s",
			    g_strerror(-fd));
		return NULL;
	}
	w = g_new0(NetworkWatch, 1);
	w->changed = changed;
	w->user = user;
	w->fd = fd;
	w->addresses = read_addresses(IFF_UP, NULL);
	w->reachable = read_addresses(IFF_UP | IFF_RUNNING, NULL);
	w->source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_ERR);
	g_source_set_callback(w->source, G_SOURCE_FUNC(on_netlink), w, NULL);
	g_source_attach(w->source, g_main_context_get_thread_default());
	return w;
}

NetworkWatch *network_watch_free(NetworkWatch *w)
{
	if (!w)
		return NULL;
	stop(&w->timer);
	stop(&w->source);
	close(w->fd);
	g_strfreev(w->addresses);
	g_strfreev(w->reachable);
	g_free(w);
	return NULL;
}
