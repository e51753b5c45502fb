/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-fds.h - descriptors that go with a line
 *
 * A line and its descriptors are given to one sendmsg(). The kernel ends a
 * read with the piece that descriptors were sent with, so they belong to the
 * line that holds the last byte of that read: marks count bytes of the stream.
 *
 *   sendmsg "…\n" ──── read ────┐ mark = bytes read so far
 *   sendmsg "{…}\n" + [fd fd] ──┘ first line that ends at or behind the mark
 *
 * Source:  unix(7) SCM_RIGHTS
 * Thread:  any
 * Memory:  embedded in its owner; what is in it is closed by it
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/control/control-line.h"

#define CONTROL_FDS_MAX 4	/* with one line */

struct control_fds {
	int fd[CONTROL_FDS_MAX];
	unsigned int n;
	bool truncated;		/* there were more, or none were free */
	uint64_t mark;		/* the stream's bytes when they had come */
};

/* Closes what is left. */
void control_fds_clear(struct control_fds *fds);
/* Return: the descriptor, which is the caller's now, or -1. */
int control_fds_take(struct control_fds *fds, unsigned int index);

/* --- a connection's, until their line is whole ---------------------------- */
struct control_fd_queue {
	struct control_fds waiting;	/* of the line that is unfinished */
	struct control_fds fresh;	/* of the last read */
};

void control_fd_queue_clear(struct control_fd_queue *queue);

/**
 * control_fd_queue_read() - recv() into @line, with descriptors that come along
 *
 * Only to be called when all whole lines before were claimed. Descriptors are
 * born close-on-exec; those beyond CONTROL_FDS_MAX of a line are closed.
 *
 * Return: as recv(); what was read is committed to @line.
 */
ssize_t control_fd_queue_read(struct control_fd_queue *queue,
			      struct control_line *line, int sock, int flags);
/* Those of the line that ends at @end of the stream, its newline included;
 * @ret must be empty. */
void control_fd_queue_claim(struct control_fd_queue *queue, uint64_t end,
			    struct control_fds *ret);

/* As send() with MSG_NOSIGNAL, and with descriptors, which stay open and the
 * caller's. @n_fds: at most CONTROL_FDS_MAX. */
ssize_t control_fds_send(int sock, const void *data, size_t len, int flags,
			 const int *fds, unsigned int n_fds);
