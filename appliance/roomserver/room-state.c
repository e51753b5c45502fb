// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/whole-file.h"

G_DEFINE_QUARK(room - state - error - quark, room_state_error)

static const char *find_fault(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return g_strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != geteuid())
		return "it belongs to somebody else";
	if (st.st_mode & 077)
		return "others can read it; remove it, and it is made anew";
	if (st.st_size > ROOM_STATE_MAX_BYTES)
		return "it is too long";
	return NULL;
}

gboolean room_state_read(const char *dir, const char *name, GBytes **ret,
			 GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *text = g_malloc(ROOM_STATE_MAX_BYTES);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const char *fault;
	ssize_t n = 0;

	if (fd < 0 && errno == ENOENT) {
		*ret = NULL;
		return TRUE;
	}
	fault = fd < 0 ? g_strerror(errno) : find_fault(fd);
	if (!fault) {
		n = read(fd, text, ROOM_STATE_MAX_BYTES);
		if (n < 0)
			fault = g_strerror(errno);
	}
	if (fd >= 0)
		close(fd);
	if (fault) {
		g_set_error(error, ROOM_STATE_ERROR, ROOM_STATE_ERROR_READ,
			    "Cannot use '%s': %s", path, fault);
		return FALSE;
	}
	*ret = g_bytes_new(text, (gsize) n);
	explicit_bzero(text, (size_t) n);
	return TRUE;
}

gboolean room_state_write(const char *dir, const char *name, const void *bytes,
			  gsize len, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) local = NULL;

	if (g_mkdir_with_parents(dir, 0700) < 0) {
		g_set_error(error, ROOM_STATE_ERROR, ROOM_STATE_ERROR_WRITE,
			    "Cannot make '%s': %s", dir, g_strerror(errno));
		return FALSE;
	}
	if (whole_file_write(path, bytes, len, 0, NULL, &local))
		return TRUE;
	g_set_error(error, ROOM_STATE_ERROR, ROOM_STATE_ERROR_WRITE,
		    "Cannot keep '%s': %s", path, local->message);
	return FALSE;
}
