/* SPDX-License-Identifier: Apache-2.0 */
/* config/whole-file.h - a file that is old or new after a power cut, never half
 *
 *   .NAME.new written ─▶ synced ─▶ renamed to NAME ─▶ directory synced
 *
 * Every file of the daemon's own is written by this one function (received
 * files, which are made under no name at all, have spool-dir.h).
 *
 * Source:  rename(2), fsync(2)
 * Thread:  any; it blocks for as long as the disk takes
 * Memory:  none
 */
#pragma once

#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the writer asks of the kernel, with its signatures; tests fail them. */
struct whole_file_ops {
	int (*open)(int dir, const char *name, int flags, mode_t mode);
	ssize_t (*write)(int fd, const void *data, size_t len);
	int (*sync)(int fd);
	int (*rename)(int dir, const char *from, const char *to);
	int (*unlink)(int dir, const char *name);
};

enum {
	/* Whoever else writes with this flag in the directory is told so
	 * (EBUSY), instead of the later one winning. */
	WHOLE_FILE_ALONE = 1,
};

/**
 * whole_file_write() - replace a file, or remove it
 * @path:  its directory is made (0700) if that one's parent exists; mode 0600
 * @data:  NULL: the file goes away
 * @len:   bytes
 * @flags: WHOLE_FILE_*
 * @ops:   NULL: the kernel
 *
 * Return: false with @error; there is the old file then, or, when only the
 * directory could not be synced, the new one; never a part of either.
 */
bool whole_file_write(const char *path, const void *data, size_t len,
		      unsigned int flags, const struct whole_file_ops *ops,
		      GError **error);

/* Reads at most @max_bytes, with a NUL behind them; g_free() it. Return: 0,
 * -ENOENT, -EFBIG for a longer one, or what the kernel said; only regular
 * files. */
int whole_file_read(const char *path, size_t max_bytes, char **ret,
		    size_t *ret_len);
