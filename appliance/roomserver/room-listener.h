/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-listener.h - the listening socket of a server
 *
 * Thread:  any
 * Memory:  embedded in its owner; the descriptor is its only resource
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ROOM_LISTENER_ERROR (room_listener_error_quark())
GQuark room_listener_error_quark(void);

enum room_listener_code {
	ROOM_LISTENER_ADDRESS,	/* not an address of the form HOST:PORT */
	ROOM_LISTENER_BIND,	/* the system refused it */
};

/* Busy ports tried above the wanted one. */
#define ROOM_LISTENER_MORE_PORTS 20

struct room_listener {
	int fd;			/* CLOEXEC, non-blocking; -1 when closed */
	uint16_t port;		/* really taken */
	char host[64];		/* for URLs: "127.0.0.1", "[::1]" */
	char local_host[64];	/* the same, for clients on this machine */
};

/**
 * room_listener_split() - take "127.0.0.1:80", "[::1]:80", "*:80" apart
 * @ret_host: "" for all addresses; without brackets; 64 bytes
 *
 * A port of 0 means any free one. Return: 0 or -EINVAL.
 */
int room_listener_split(const char *address, char ret_host[64],
			uint16_t *ret_port);

/**
 * room_listener_open() - bind and listen
 *
 * "*" and "[::]" listen on all addresses, IPv6 included where the machine has
 * it, and name the first address other machines may use in @ret->host.
 *
 * Return: FALSE with @error: "Cannot listen on 127.0.0.1:8080: Address already
 * in use".
 */
gboolean room_listener_open(struct room_listener *ret, const char *address,
			    bool next_free_port, GError **error);
void room_listener_close(struct room_listener *listener);

/**
 * room_listener_accept() - the next waiting connection
 * @ret_from: where it comes from
 *
 * Return: a descriptor, CLOEXEC, non-blocking, without Nagle's delay and with
 * keep-alive; -EAGAIN when none waits; another negative errno.
 */
struct sockaddr_storage;
int room_listener_accept(const struct room_listener *listener,
			 struct sockaddr_storage *ret_from);
