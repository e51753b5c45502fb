/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-socket.h - one listening socket file, for one
 *
 * A lock file beside it decides which of two daemons that start together has
 * it; a socket file without anybody behind it is replaced.
 *
 * Source:  unix(7), flock(2)
 * Thread:  control
 * Memory:  embedded in its owner
 */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

struct control_socket {
	char *path;
	int fd, lock_fd;	/* -1: none */
	dev_t dev;		/* of the socket file, so that only ours is */
	ino_t ino;		/* removed; 0: not ours */
};

/* @mode: of the socket file. Non-blocking. On failure @ret is untouched. */
gboolean control_socket_listen(const char *path, mode_t mode,
			       struct control_socket *ret, GError **error);
/* One that somebody else made, listens at and keeps: @fd is borrowed, its file
 * is not ours to remove. Non-blocking already. On failure @ret is untouched. */
gboolean control_socket_adopt(int fd, struct control_socket *ret,
			      GError **error);
/* Closes, and removes the file if it is still ours. Works on zeroes with the
 * descriptors -1. */
void control_socket_close(struct control_socket *socket);
