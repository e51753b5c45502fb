// SPDX-License-Identifier: Apache-2.0
#include "config/whole-file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600
#define DIR_MODE  0700

static int kernel_open(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

static int kernel_rename(int dir, const char *from, const char *to)
{
	return renameat(dir, from, dir, to);
}

static int kernel_unlink(int dir, const char *name)
{
	return unlinkat(dir, name, 0);
}

static const struct whole_file_ops kernel_ops = {
	.open = kernel_open,
	.write = write,
	.sync = fsync,
	.rename = kernel_rename,
	.unlink = kernel_unlink,
};

static bool fail(GError **error, const char *what, const char *path)
{
	int e = errno;

	g_set_error(error, G_FILE_ERROR, (int) g_file_error_from_errno(e),
		    "Cannot %s '%s': %s", what, path, g_strerror(e));
	return false;
}

static bool write_all(const struct whole_file_ops *ops, int fd,
		      const char *data, size_t left)
{
	while (left) {
		ssize_t n = ops->write(fd, data, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : ENOSPC;
			return false;
		}
		data += n;
		left -= (size_t) n;
	}
	return true;
}

/* The new file beside the old one: whole, and on the disk. */
static bool write_beside(const struct whole_file_ops *ops, int dir,
			 const char *name, const char *data, size_t len)
{
	int fd, e;
	bool ok;

	/* What a crash left is in the way, and nobody else's: we have the
	 * lock. */
	if (ops->unlink(dir, name) < 0 && errno != ENOENT)
		return false;
	fd = ops->open(dir, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       FILE_MODE);
	if (fd < 0)
		return false;
	ok = write_all(ops, fd, data, len) && ops->sync(fd) == 0;
	e = errno;
	close(fd);
	errno = e;
	return ok;
}

static bool replace(const struct whole_file_ops *ops, int dir, const char *path,
		    const char *data, size_t len, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *temporary = g_strdup_printf(".%s.new", name);
	int e;

	if (!data) {
		if (ops->unlink(dir, name) < 0 && errno != ENOENT)
			return fail(error, "remove", path);
	} else if (!write_beside(ops, dir, temporary, data, len) ||
		   ops->rename(dir, temporary, name) < 0) {
		e = errno;
		ops->unlink(dir, temporary);
		errno = e;
		return fail(error, "write", path);
	}
	if (ops->sync(dir) < 0)
		return fail(error, "sync the directory of", path);
	return true;
}

/* The directory, and its name on the disk if it is new. */
static bool make_dir(const struct whole_file_ops *ops, const char *dir_path,
		     GError **error)
{
	g_autofree char *parent = g_path_get_dirname(dir_path);
	bool ok;
	int dir;

	if (mkdir(dir_path, DIR_MODE) < 0)
		return errno == EEXIST || fail(error, "make", dir_path);
	dir = ops->open(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
			0);
	ok = (dir >= 0 && ops->sync(dir) == 0) || fail(error, "sync", parent);
	if (dir >= 0)
		close(dir);
	return ok;
}

bool whole_file_write(const char *path, const void *data, size_t len,
		      unsigned int flags, const struct whole_file_ops *ops,
		      GError **error)
{
	g_autofree char *dir_path = g_path_get_dirname(path);
	int dir;
	bool ok;

	if (!ops)
		ops = &kernel_ops;
	if (!make_dir(ops, dir_path, error))
		return false;
	dir = ops->open(AT_FDCWD, dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
			0);
	if (dir < 0)
		return fail(error, "open", dir_path);
	if (flags & WHOLE_FILE_ALONE && flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			errno = EBUSY;	/* another daemon writes there */
		ok = fail(error, "lock", dir_path);
	} else {
		ok = replace(ops, dir, path, data, len, error);
	}
	close(dir);
	return ok;
}

int whole_file_read(const char *path, size_t max_bytes, char **ret,
		    size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autofree char *text = NULL;
	struct stat st;
	size_t len = 0;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else
		text = g_malloc(max_bytes + 1);
	while (r == 0 && len <= max_bytes) {
		ssize_t n = read(fd, text + len, max_bytes + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		len += (size_t) n;
	}
	close(fd);
	if (r < 0)
		return r;
	if (len > max_bytes)
		return -EFBIG;
	text[len] = '\0';
	*ret = g_steal_pointer(&text);
	*ret_len = len;
	return 0;
}
