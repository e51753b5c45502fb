// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/state-writer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* --- a disk that is full, until it is not ------------------------------------ */
static gint full;	/* atomic: the thread looks */

static int disk_open(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

static ssize_t disk_write(int fd, const void *data, size_t len)
{
	if (g_atomic_int_get(&full)) {
		errno = ENOSPC;
		return -1;
	}
	return write(fd, data, len);
}

static int disk_rename(int dir, const char *from, const char *to)
{
	return renameat(dir, from, dir, to);
}

static int disk_unlink(int dir, const char *name)
{
	return unlinkat(dir, name, 0);
}

static const struct whole_file_ops ops = {
	disk_open, disk_write, fsync, disk_rename, disk_unlink,
};

struct fixture {
	char *dir, *path;
	StateWriter *writer;
	GPtrArray *told;
};

static void on_told(void *user, const char *why)
{
	struct fixture *f = user;

	g_ptr_array_add(f->told, g_strdup(why ? why : "well"));
}

static void begin(struct fixture *f)
{
	f->dir = g_dir_make_tmp("state-writer-XXXXXX", NULL);
	f->path = g_build_filename(f->dir, "state.json", NULL);
	f->told = g_ptr_array_new_with_free_func(g_free);
	f->writer = state_writer_new(f->path, &ops, 1, on_told, f);
}

static void end(struct fixture *f)
{
	f->writer = state_writer_free(f->writer);
	g_unlink(f->path);
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_ptr_array_unref(f->told);
	g_free(f->dir);
	g_free(f->path);
}

static char *contents(struct fixture *f)
{
	char *text = NULL;

	g_file_get_contents(f->path, &text, NULL, NULL);
	return text;
}

static void test_the_last_one_counts(void)
{
	struct fixture f;
	g_autofree char *is = NULL;

	begin(&f);
	for (int i = 0; i < 1000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		state_writer_put(f.writer, text);
	}
	/* The first, and the last of those that came meanwhile. */
	while (state_writer_get_writes(f.writer) < 2)
		g_main_context_iteration(NULL, TRUE);
	is = contents(&f);
	g_assert_cmpstr(is, ==, "999");
	state_writer_put(f.writer, "999");
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(state_writer_get_writes(f.writer), ==, 2);
	g_assert_cmpuint(f.told->len, ==, 0);
	end(&f);
}

static void test_a_full_disk_is_told_once(void)
{
	struct fixture f;
	g_autofree char *is = NULL;

	begin(&f);
	g_atomic_int_set(&full, 1);
	state_writer_put(f.writer, "a");
	while (!f.told->len)
		g_main_context_iteration(NULL, TRUE);
	g_assert_nonnull(state_writer_get_error(f.writer));
	/* Tried again and again, and told no more. */
	for (int i = 0; i < 20; i++)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f.told->len, ==, 1);
	g_atomic_int_set(&full, 0);
	while (f.told->len < 2)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(f.told->pdata[1], ==, "well");
	g_assert_null(state_writer_get_error(f.writer));
	is = contents(&f);
	g_assert_cmpstr(is, ==, "a");
	end(&f);
}

static void test_the_end_writes(void)
{
	struct fixture f;
	g_autofree char *is = NULL;

	begin(&f);
	state_writer_put(f.writer, "a");
	state_writer_put(f.writer, "b");
	f.writer = state_writer_free(f.writer);
	is = contents(&f);
	g_assert_cmpstr(is, ==, "b");
	end(&f);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/state-writer/last", test_the_last_one_counts);
	g_test_add_func("/state-writer/full", test_a_full_disk_is_told_once);
	g_test_add_func("/state-writer/end", test_the_end_writes);
	return g_test_run();
}
