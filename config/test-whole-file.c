// SPDX-License-Identifier: Apache-2.0
#include "config/whole-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* --- a disk that forgets what was not synced ---------------------------------
 *
 * Beside the real files: what of them would be there after a power cut now. A
 * name that is not synced may be the old one or the new one, and content that
 * is not synced may be anything: so a cut is right when neither can be seen.
 */
#define TORN "(torn)"
#define FD_MAX 1024

static struct {
	char *old_text;			/* on the disk under the name */
	GString *beside;		/* written to the new file */
	gboolean beside_synced;
	gboolean renamed, removed;	/* and the directory not synced since */
	gboolean is_dir[FD_MAX];
	unsigned int n_calls, cut_at;	/* the power goes before this call */
} disk;

static gboolean is_cut(void)
{
	if (++disk.n_calls < disk.cut_at || !disk.cut_at)
		return FALSE;
	errno = EIO;
	return TRUE;
}

static int disk_open(int dir, const char *name, int flags, mode_t mode)
{
	int fd;

	if (is_cut())
		return -1;
	fd = openat(dir, name, flags, mode);
	g_assert_cmpint(fd, <, FD_MAX);
	if (fd >= 0) {
		disk.is_dir[fd] = (flags & O_DIRECTORY) != 0;
		if (flags & O_CREAT) {
			g_string_truncate(disk.beside, 0);
			disk.beside_synced = FALSE;
		}
	}
	return fd;
}

static ssize_t disk_write(int fd, const void *data, size_t len)
{
	if (is_cut())
		return -1;
	/* In two parts: what is between them can be torn. */
	len = len > 4 ? len / 2 : len;
	g_string_append_len(disk.beside, data, (gssize) len);
	disk.beside_synced = FALSE;
	return write(fd, data, len);
}

static int disk_sync(int fd)
{
	if (is_cut())
		return -1;
	if (!disk.is_dir[fd]) {
		disk.beside_synced = TRUE;
	} else if (disk.renamed || disk.removed) {
		g_free(disk.old_text);
		disk.old_text = disk.removed ? NULL
					     : g_strdup(disk.beside->str);
		disk.renamed = disk.removed = FALSE;
	}
	return fsync(fd);
}

static int disk_rename(int dir, const char *from, const char *to)
{
	if (is_cut())
		return -1;
	disk.renamed = TRUE;
	return renameat(dir, from, dir, to);
}

static int disk_unlink(int dir, const char *name)
{
	if (is_cut())
		return -1;
	disk.removed |= name[0] != '.';
	return unlinkat(dir, name, 0);
}

static const struct whole_file_ops forgetful = {
	disk_open, disk_write, disk_sync, disk_rename, disk_unlink,
};

/* What may be under the name when the power is back: [0] and [1]. */
static void after_the_cut(const char *ret[2])
{
	ret[0] = ret[1] = disk.old_text;
	if (disk.renamed)
		ret[1] = disk.beside_synced ? disk.beside->str : TORN;
	if (disk.removed)
		ret[1] = NULL;
}

/* Return: how many calls a whole run takes. */
static unsigned int cut_everywhere(const char *dir, const char *new_text)
{
	g_autofree char *path = g_build_filename(dir, "state.json", NULL);
	unsigned int cut = 1;
	gboolean done;

	do {
		const char *may_be[2];

		disk.old_text = g_strdup("the old one");
		disk.beside = g_string_new(NULL);
		disk.renamed = disk.removed = FALSE;
		g_assert_true(g_file_set_contents(path, disk.old_text, -1,
						  NULL));
		disk.n_calls = 0;
		disk.cut_at = cut++;
		done = whole_file_write(path, new_text,
					new_text ? strlen(new_text) : 0, 0,
					&forgetful, NULL);
		after_the_cut(may_be);
		for (unsigned int i = 0; i < 2; i++)
			if (g_strcmp0(may_be[i], new_text))
				g_assert_cmpstr(may_be[i], ==, "the old one");
		/* Said to be written, it is there for good. */
		if (done) {
			g_assert_cmpstr(may_be[0], ==, new_text);
			g_assert_cmpstr(may_be[1], ==, new_text);
		}
		g_free(disk.old_text);
		g_string_free(disk.beside, TRUE);
	} while (!done);
	return disk.n_calls;
}

static void test_power_cut_at_every_step(void)
{
	g_autofree char *dir = g_dir_make_tmp("whole-file-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "state.json", NULL);
	g_autofree char *beside = g_build_filename(dir, ".state.json.new",
						   NULL);

	/* directory, unlink, open, 3 writes, sync, rename, sync */
	g_assert_cmpuint(cut_everywhere(dir, "twelve bytes"), ==, 9);
	/* directory, unlink, sync */
	g_assert_cmpuint(cut_everywhere(dir, NULL), ==, 3);
	g_unlink(path);
	g_unlink(beside);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void test_reading(void)
{
	g_autofree char *dir = g_dir_make_tmp("whole-file-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x", NULL);
	char *text = NULL;
	size_t len = 0;

	g_assert_cmpint(whole_file_read(path, 4, &text, &len), ==, -ENOENT);
	g_assert_true(whole_file_write(path, "a\0bc", 4, 0, NULL, NULL));
	g_assert_cmpint(whole_file_read(path, 4, &text, &len), ==, 0);
	g_assert_cmpmem(text, len, "a\0bc", 4);
	g_clear_pointer(&text, g_free);
	g_assert_cmpint(whole_file_read(path, 3, &text, &len), ==, -EFBIG);
	g_assert_cmpint(whole_file_read(dir, 3, &text, &len), ==, -EINVAL);
	g_assert_null(text);
	g_assert_true(whole_file_write(path, NULL, 0, 0, NULL, NULL));
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/whole-file/power-cut", test_power_cut_at_every_step);
	g_test_add_func("/whole-file/reading", test_reading);
	return g_test_run();
}
