// SPDX-License-Identifier: Apache-2.0
#include "config/set-file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config-file.h"

#define FILE_MODE 0600
#define DIR_MODE  0700

/* --- its values ------------------------------------------------------------ */
void set_file_clear(struct set_file *file)
{
	for (int i = 0; i < N_OPTIONS; i++)
		g_clear_pointer(&file->values[i], g_free);
}

void set_file_set(struct set_file *file, enum option_id id, const char *value)
{
	char *copy = g_strdup(value);

	g_free(file->values[id]);
	file->values[id] = copy;
}

bool set_file_read(const char *path, struct set_file *ret, GPtrArray *problems)
{
	g_autoptr(Config) config = config_new();
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct set_file file = {.values = {NULL}};
	gsize len = 0;

	if (!g_file_get_contents(path, &text, &len, &error)) {
		if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
			g_ptr_array_add(problems, g_strdup(error->message));
			return false;
		}
	} else if (!config_load_text(config, path, text, len, problems)) {
		return false;
	}
	for (int i = 0; i < N_OPTIONS; i++)
		if (!config_is_default(config, i))
			set_file_set(&file, i, config_get_text(config, i));
	*ret = file;
	return true;
}

bool set_file_is_empty(const struct set_file *file)
{
	for (int i = 0; i < N_OPTIONS; i++)
		if (file->values[i])
			return false;
	return true;
}

char *set_file_print(const struct set_file *file)
{
	GString *s = g_string_new("# Written by 'skylinkctl config set'; read "
				  "last, so that it prevails.\n"
				  "# 'skylinkctl config reset NAME' takes an "
				  "entry out.\n");
	const char *section = "";

	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);

		if (!file->values[i])
			continue;
		if (strcmp(section, row->section)) {
			section = row->section;
			g_string_append_printf(s, "\n[%s]\n", section);
		}
		g_string_append_printf(s, "%s =%s%s\n", row->key,
				       *file->values[i] ? " " : "",
				       file->values[i]);
	}
	return g_string_free(s, FALSE);
}

/* --- writing --------------------------------------------------------------- */
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

static const struct set_file_ops kernel_ops = {
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

static bool write_all(const struct set_file_ops *ops, int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = ops->write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : ENOSPC;
			return false;
		}
		text += n;
		left -= (size_t) n;
	}
	return true;
}

/* The new file beside the old one: whole, and on the disk. */
static bool write_beside(const struct set_file_ops *ops, int dir,
			 const char *name, const char *text)
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
	ok = write_all(ops, fd, text) && ops->sync(fd) == 0;
	e = errno;
	close(fd);
	errno = e;
	return ok;
}

static bool replace(const struct set_file_ops *ops, int dir, const char *path,
		    const char *text, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *temporary = g_strdup_printf(".%s.new", name);
	int e;

	if (!text) {
		if (ops->unlink(dir, name) < 0 && errno != ENOENT)
			return fail(error, "remove", path);
	} else if (!write_beside(ops, dir, temporary, text) ||
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
static bool make_dir(const struct set_file_ops *ops, const char *dir_path,
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

bool set_file_write(const char *path, const char *text,
		    const struct set_file_ops *ops, GError **error)
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
	if (flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			errno = EBUSY;	/* another daemon writes there */
		ok = fail(error, "lock", dir_path);
	} else {
		ok = replace(ops, dir, path, text, error);
	}
	close(dir);
	return ok;
}
