// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/control/control-path.h"

#define BACKLOG	   128
#define LOCK_TRIES 8

static gboolean fail(GError **error, int code, const char *what,
		     const char *path)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
		    "Cannot %s control socket '%s': %s", what, path,
		    g_strerror(code));
	return FALSE;
}

static gboolean fill_address(const char *path, struct sockaddr_un *ret,
			     GError **error)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
			    "Control socket path '%s' is longer than the %zu "
			    "bytes that a socket may have", path,
			    sizeof(ret->sun_path) - 1);
		return FALSE;
	}
	memcpy(ret->sun_path, path, strlen(path));
	return TRUE;
}

static gboolean in_use(GError **error, const char *path)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
		    "Another skylinkd has control socket '%s'; stop it, or "
		    "choose another path with --socket", path);
	return FALSE;
}

/* The holder removes the lock file when it ends: a lock on a file that is no
 * longer at its path is worth nothing, and is tried again. */
static gboolean take_lock(const char *path, int *ret_fd, GError **error)
{
	g_autofree char *lock_path = g_strconcat(path, ".lock", NULL);

	for (unsigned int i = 0; i < LOCK_TRIES; i++) {
		struct stat held, there;
		int fd = open(lock_path,
			      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return fail(error, errno, "lock", path);
		if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) < 0) {
			int code = errno;

			close(fd);
			return code == EWOULDBLOCK
				       ? in_use(error, path)
				       : fail(error, code, "lock", path);
		}
		if (fstat(fd, &held) == 0 && stat(lock_path, &there) == 0 &&
		    held.st_ino == there.st_ino &&
		    held.st_dev == there.st_dev) {
			*ret_fd = fd;
			return TRUE;
		}
		close(fd);
	}
	return in_use(error, path);
}

static void drop_lock(const char *path, int fd)
{
	g_autofree char *lock_path = g_strconcat(path, ".lock", NULL);

	if (fd < 0)
		return;
	unlink(lock_path);
	close(fd);
}

/* Return: 1 the way is free, 0 somebody answers, negative errno. */
static int clear_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 1 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *) address, sizeof(*address));
	r = r < 0 ? -errno : 0;
	close(fd);
	/* EAGAIN: its backlog is full, so it lives. */
	if (r == 0 || r == -EAGAIN)
		return 0;
	if (r != -ECONNREFUSED)
		return r;
	return unlink(address->sun_path) == 0 || errno == ENOENT ? 1 : -errno;
}

static gboolean bind_and_listen(struct control_socket *s, mode_t mode,
				const struct sockaddr_un *address,
				GError **error)
{
	struct stat st;
	int r = clear_stale(address);

	if (r == 0)
		return in_use(error, s->path);
	if (r < 0)
		return fail(error, -r, "replace", s->path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return fail(error, errno, "make", s->path);
	/* The mode a socket has before bind() is the mode of its file: there
	 * is no moment at which others could connect. */
	if (fchmod(s->fd, 0600) < 0 ||
	    bind(s->fd, (const struct sockaddr *) address,
		 sizeof(*address)) < 0)
		return fail(error, errno, "make", s->path);
	if (chmod(s->path, mode) < 0 || lstat(s->path, &st) < 0 ||
	    listen(s->fd, BACKLOG) < 0) {
		fail(error, errno, "open", s->path);
		unlink(s->path);
		return FALSE;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return TRUE;
}

gboolean control_socket_listen(const char *path, mode_t mode,
			       struct control_socket *ret, GError **error)
{
	struct control_socket s = {.fd = -1, .lock_fd = -1};
	struct sockaddr_un address;

	if (!fill_address(path, &address, error) ||
	    !control_path_prepare(path, error) ||
	    !take_lock(path, &s.lock_fd, error))
		return FALSE;
	s.path = g_strdup(path);
	if (!bind_and_listen(&s, mode, &address, error)) {
		if (s.fd >= 0)
			close(s.fd);
		drop_lock(path, s.lock_fd);
		g_free(s.path);
		return FALSE;
	}
	*ret = s;
	return TRUE;
}

gboolean control_socket_adopt(int fd, struct control_socket *ret,
			      GError **error)
{
	struct control_socket s = {.lock_fd = -1};
	struct sockaddr_un address = {.sun_family = AF_UNSPEC};
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *) &address, &len) < 0 ||
	    (s.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			    "Cannot take over control socket %d: %s", fd,
			    g_strerror(errno));
		return FALSE;
	}
	s.path = g_strndup(address.sun_path, sizeof(address.sun_path));
	*ret = s;
	return TRUE;
}

void control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->fd >= 0) {
		if (s->ino && lstat(s->path, &st) == 0 && st.st_dev == s->dev &&
		    st.st_ino == s->ino)
			unlink(s->path);
		close(s->fd);
		drop_lock(s->path, s->lock_fd);
	}
	g_clear_pointer(&s->path, g_free);
	s->fd = s->lock_fd = -1;
}
