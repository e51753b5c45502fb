// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-limits.h"

#include <glib.h>
#include <netinet/in.h>
#include <string.h>

struct room_address {
	guint64 prefix;
	unsigned int n_connections, n_clients;
};

struct room_limits {
	GHashTable *addresses; /* prefix -> struct room_address, owned */
	unsigned int max_clients, max_connections;
};

struct room_limits *room_limits_new(unsigned int max_clients_per_address)
{
	struct room_limits *limits = g_new0(struct room_limits, 1);

	limits->addresses = g_hash_table_new_full(g_int64_hash, g_int64_equal,
						  NULL, g_free);
	limits->max_clients = max_clients_per_address;
	limits->max_connections =
		max_clients_per_address * ROOM_CONNECTIONS_PER_CLIENT +
		ROOM_MORE_CONNECTIONS;
	return limits;
}

struct room_limits *room_limits_free(struct room_limits *limits)
{
	if (!limits)
		return NULL;
	g_assert(!g_hash_table_size(limits->addresses));
	g_hash_table_unref(limits->addresses);
	g_free(limits);
	return NULL;
}

/* IPv4 addresses stand where IPv6 has multicast: nobody connects from there. */
static guint64 prefix_of(const struct sockaddr *from)
{
	const guint64 v4 = G_GUINT64_CONSTANT(0xff) << 56;
	const struct in6_addr *v6;
	guint64 prefix = 0;

	if (from->sa_family == AF_INET)
		return v4 |
		       ((const struct sockaddr_in *) from)->sin_addr.s_addr;
	if (from->sa_family != AF_INET6)
		return v4 - 1;
	v6 = &((const struct sockaddr_in6 *) from)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(v6)) {
		guint32 address;

		memcpy(&address, v6->s6_addr + 12, sizeof(address));
		return v4 | address;
	}
	for (unsigned int i = 0; i < 8; i++)
		prefix = prefix << 8 | v6->s6_addr[i];
	return prefix;
}

static void forget_if_unused(struct room_limits *limits,
			     struct room_address *address)
{
	if (!address->n_connections && !address->n_clients)
		g_hash_table_remove(limits->addresses, &address->prefix);
}

struct room_address *room_limits_connect(struct room_limits *limits,
					 const struct sockaddr *from)
{
	guint64 prefix = prefix_of(from);
	struct room_address *address =
		g_hash_table_lookup(limits->addresses, &prefix);

	if (!address) {
		address = g_new0(struct room_address, 1);
		address->prefix = prefix;
		g_hash_table_insert(limits->addresses, &address->prefix,
				    address);
	}
	if (address->n_connections >= limits->max_connections)
		return NULL;
	address->n_connections++;
	return address;
}

void room_limits_disconnect(struct room_limits *limits,
			    struct room_address *address)
{
	address->n_connections--;
	forget_if_unused(limits, address);
}

guint64 room_limits_number(const struct room_address *address)
{
	return address->prefix;
}

bool room_limits_open(struct room_limits *limits, struct room_address *address)
{
	if (address->n_clients >= limits->max_clients)
		return false;
	address->n_clients++;
	return true;
}

void room_limits_close(struct room_limits *limits, struct room_address *address)
{
	address->n_clients--;
	forget_if_unused(limits, address);
}
