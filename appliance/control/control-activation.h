/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-activation.h - the socket systemd listens at for us
 *
 *   skylinkd.socket listens --LISTEN_FDS--> skylinkd accepts
 *
 * The socket is there before the daemon and stays while it is started again:
 * who connects meanwhile waits, and is not refused. A daemon that cannot start
 * says why to those who wait; left in the queue they would have it started
 * again at once, and again.
 *
 * Source:  sd_listen_fds(3)
 * Thread:  control; control_activation_take() before there are others
 * Memory:  a descriptor, the caller's
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* More are not looked at. */
#define CONTROL_ACTIVATION_MAX 16

/**
 * control_activation_count() - how many descriptors are meant for us
 * @pid:  $LISTEN_PID, or NULL
 * @fds:  $LISTEN_FDS, or NULL
 * @self: this process
 *
 * Return: 0 when it is not ours or no number, else at most
 * CONTROL_ACTIVATION_MAX. Pure.
 */
unsigned int control_activation_count(const char *pid, const char *fds,
				      pid_t self);

/* Is it a Unix stream socket with a path, and does it listen? */
bool control_activation_is_ours(int fd);

/* Takes what was handed over, and the variables that say so. Return: the first
 * that is ours, non-blocking and closed on exec, or -1; the others are
 * closed. */
int control_activation_take(void);

/* Whoever waits at @fd is told @why and let go; waits for them half a second
 * each, CONTROL_ACTIVATION_REFUSED_MAX of them at most. @fd may be -1. */
#define CONTROL_ACTIVATION_REFUSED_MAX 64
void control_activation_refuse(int fd, const char *why);
