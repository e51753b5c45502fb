// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-fds.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one more than allowed: what is too much is seen, and not only
 * dropped by the kernel. */
#define ROOM_FOR (CONTROL_FDS_MAX + 1)

union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * ROOM_FOR)];
};

void control_fds_clear(struct control_fds *fds)
{
	for (unsigned int i = 0; i < fds->n; i++)
		if (fds->fd[i] >= 0)
			close(fds->fd[i]);
	*fds = (struct control_fds){0};
}

int control_fds_take(struct control_fds *fds, unsigned int index)
{
	int fd;

	if (index >= fds->n)
		return -1;
	fd = fds->fd[index];
	fds->fd[index] = -1;
	return fd;
}

static void add(struct control_fds *fds, int fd)
{
	if (fds->n < CONTROL_FDS_MAX) {
		fds->fd[fds->n++] = fd;
	} else {
		fds->truncated = true;
		close(fd);
	}
}

static void add_all(struct control_fds *fds, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
	     c = CMSG_NXTHDR(message, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			/* CMSG_DATA() promises no alignment. */
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			add(fds, fd);
		}
	}
}

/* Both belong to one line. */
static void merge(struct control_fds *into, struct control_fds *from)
{
	for (unsigned int i = 0; i < from->n; i++)
		add(into, from->fd[i]);
	into->truncated |= from->truncated;
	if (from->n || from->truncated)
		into->mark = from->mark;
	*from = (struct control_fds){0};
}

void control_fd_queue_clear(struct control_fd_queue *queue)
{
	control_fds_clear(&queue->waiting);
	control_fds_clear(&queue->fresh);
}

ssize_t control_fd_queue_read(struct control_fd_queue *queue,
			      struct control_line *line, int sock, int flags)
{
	union ancillary control;
	struct iovec piece;
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	merge(&queue->waiting, &queue->fresh);
	/* Of a line that was too long, and nobody was told its end. */
	if (queue->waiting.mark <= control_line_position(line))
		control_fds_clear(&queue->waiting);
	piece.iov_base = control_line_reserve(line, &piece.iov_len);
	n = recvmsg(sock, &message, flags | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return n;
	control_line_commit(line, (size_t) n);
	add_all(&queue->fresh, &message);
	/* Also without a free descriptor for what came. */
	if (message.msg_flags & MSG_CTRUNC)
		queue->fresh.truncated = true;
	queue->fresh.mark = line->received;
	return n;
}

void control_fd_queue_claim(struct control_fd_queue *queue, uint64_t end,
			    struct control_fds *ret)
{
	if (queue->waiting.mark <= end)
		merge(ret, &queue->waiting);
	if (queue->fresh.mark <= end)
		merge(ret, &queue->fresh);
}

ssize_t control_fds_send(int sock, const void *data, size_t len, int flags,
			 const int *fds, unsigned int n_fds)
{
	union ancillary control;
	struct iovec piece = {.iov_base = (void *) data, .iov_len = len};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (n_fds) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	return sendmsg(sock, &message, flags | MSG_NOSIGNAL);
}
