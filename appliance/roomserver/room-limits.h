/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-limits.h - how much one address may take
 *
 * Connections and clients of each address that has any. An IPv6 network of 64
 * bits is one address: that is what one subscriber has.
 *
 * Thread:  server
 * Memory:  one entry per address with a connection or a client, so never more
 *          than there are of those
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Each client may have two requests and a fetch of the page open. */
#define ROOM_CONNECTIONS_PER_CLIENT 3
#define ROOM_MORE_CONNECTIONS	    8

struct sockaddr;
struct room_limits;
struct room_address;

struct room_limits *room_limits_new(unsigned int max_clients_per_address);
/* Return: NULL. All connections and clients must have gone. */
struct room_limits *room_limits_free(struct room_limits *limits);

/* Count a connection. Return: NULL when the address has too many; else what
 * room_limits_disconnect() takes. */
struct room_address *room_limits_connect(struct room_limits *limits,
					 const struct sockaddr *from);
void room_limits_disconnect(struct room_limits *limits,
			    struct room_address *address);

/* A number of its own for each address. */
guint64 room_limits_number(const struct room_address *address);

/* Count a client, which may outlive the connection. Return: false: too many */
bool room_limits_open(struct room_limits *limits, struct room_address *address);
void room_limits_close(struct room_limits *limits,
		       struct room_address *address);
