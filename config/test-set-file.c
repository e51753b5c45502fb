// SPDX-License-Identifier: Apache-2.0
#include "config/set-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_TEXT "[video]\nfps = 10\n"

/* --- a kernel that fails at the nth call ------------------------------------ */
static struct {
	unsigned int n_calls, fail_at;	/* 1: the first; 0: none */
	gboolean for_good;		/* as after a power cut: all that follow */
	gboolean short_writes;
	int error;
} kernel;

static gboolean fails(void)
{
	unsigned int n = ++kernel.n_calls;

	if (!kernel.fail_at || n < kernel.fail_at ||
	    (n > kernel.fail_at && !kernel.for_good))
		return FALSE;
	errno = kernel.error;
	return TRUE;
}

static int test_open(int dir, const char *name, int flags, mode_t mode)
{
	return fails() ? -1 : openat(dir, name, flags, mode);
}

static ssize_t test_write(int fd, const void *data, size_t len)
{
	if (fails()) {
		/* Some of it may be there. */
		g_assert_cmpint(write(fd, data, len / 2), >=, 0);
		return -1;
	}
	return write(fd, data, kernel.short_writes ? MIN(len, 7) : len);
}

static int test_sync(int fd)
{
	return fails() ? -1 : fsync(fd);
}

static int test_rename(int dir, const char *from, const char *to)
{
	return fails() ? -1 : renameat(dir, from, dir, to);
}

static int test_unlink(int dir, const char *name)
{
	return fails() ? -1 : unlinkat(dir, name, 0);
}

static const struct whole_file_ops failing = {
	test_open, test_write, test_sync, test_rename, test_unlink,
};

/* --- a place ------------------------------------------------------------------ */
typedef struct {
	char *state, *dir, *path;
} Place;

static Place place_new(void)
{
	Place p = {.state = g_dir_make_tmp("set-file-XXXXXX", NULL)};

	g_assert_nonnull(p.state);
	p.dir = g_build_filename(p.state, "conf.d", NULL);
	p.path = g_build_filename(p.dir, "90-set.conf", NULL);
	return p;
}

static unsigned int count_files(const Place *p)
{
	GDir *dir = g_dir_open(p->dir, 0, NULL);
	unsigned int n = 0;

	if (!dir)
		return 0;
	while (g_dir_read_name(dir))
		n++;
	g_dir_close(dir);
	return n;
}

static void place_free(Place *p)
{
	g_autofree char *left = g_build_filename(p->dir, ".90-set.conf.new",
						 NULL);

	g_unlink(left);
	g_unlink(p->path);
	g_rmdir(p->dir);
	g_assert_cmpint(g_rmdir(p->state), ==, 0);
	g_free(p->state);
	g_free(p->dir);
	g_free(p->path);
}

/* NULL: none. */
static char *contents(const Place *p)
{
	char *text = NULL;

	g_file_get_contents(p->path, &text, NULL, NULL);
	return text;
}

static char *make_text(void)
{
	struct set_file f = {.values = {NULL}};
	char *text;

	set_file_set(&f, OPT_VIDEO_FPS, "20");
	set_file_set(&f, OPT_ROOM_USER_DATA, "{\"a\": \"# no comment\"}");
	set_file_set(&f, OPT_NETWORK_ADDRESSES, "");
	text = set_file_print(&f);
	set_file_clear(&f);
	return text;
}

/* --- tests --------------------------------------------------------------------- */
static void test_what_is_written_is_read(void)
{
	Place p = place_new();
	g_autofree char *text = make_text();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	struct set_file f;
	struct stat st;

	g_assert_true(set_file_read(p.path, &f, problems));
	g_assert_true(set_file_is_empty(&f));
	g_assert_true(set_file_write(p.path, text, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpint(stat(p.path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0600);
	g_assert_cmpuint(count_files(&p), ==, 1);

	g_assert_true(set_file_read(p.path, &f, problems));
	g_assert_cmpuint(problems->len, ==, 0);
	for (int i = 0; i < N_OPTIONS; i++)
		g_assert_cmpstr(f.values[i], ==,
				i == OPT_VIDEO_FPS ? "20" :
				i == OPT_ROOM_USER_DATA ?
				"{\"a\": \"# no comment\"}" :
				i == OPT_NETWORK_ADDRESSES ? "" : NULL);
	set_file_set(&f, OPT_VIDEO_FPS, NULL);
	g_assert_false(set_file_is_empty(&f));
	set_file_clear(&f);
	g_assert_true(set_file_is_empty(&f));

	g_assert_true(set_file_write(p.path, NULL, NULL, &error));
	g_assert_true(set_file_write(p.path, NULL, NULL, &error));
	g_assert_cmpuint(count_files(&p), ==, 0);
	place_free(&p);
}

/* Every option's default, and what a value may look like, survives. */
static void test_every_option_survives(void)
{
	struct set_file f = {.values = {NULL}};
	g_autoptr(Config) config = config_new();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;

	for (int i = 0; i < N_OPTIONS; i++)
		set_file_set(&f, i, config_get_text(config, i));
	text = set_file_print(&f);
	g_assert_true(config_load_text(config, "set", text, strlen(text),
				       problems));
	for (int i = 0; i < N_OPTIONS; i++) {
		g_assert_false(config_is_default(config, i));
		g_assert_cmpstr(config_get_text(config, i), ==, f.values[i]);
	}
	set_file_clear(&f);
}

static void test_a_wrong_file_is_told(void)
{
	Place p = place_new();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct set_file f;
	g_autofree char *want = g_strdup_printf("%s:3: ", p.path);

	g_assert_true(set_file_write(p.path, OLD_TEXT "widht = 3\n", NULL,
				     NULL));
	g_assert_false(set_file_read(p.path, &f, problems));
	g_assert_cmpuint(problems->len, ==, 1);
	g_assert_true(g_str_has_prefix(problems->pdata[0], want));
	place_free(&p);
}

/* Return: how many calls a whole run takes. */
static unsigned int fail_each(gboolean for_good, const char *new_text)
{
	unsigned int n = 0;

	for (kernel.fail_at = 1;; kernel.fail_at++) {
		Place p = place_new();
		g_autofree char *is = NULL;
		g_autoptr(GError) error = NULL;
		gboolean done;

		g_assert_true(set_file_write(p.path, OLD_TEXT, NULL, NULL));
		kernel.n_calls = 0;
		kernel.for_good = for_good;
		done = set_file_write(p.path, new_text, &failing, &error);
		is = contents(&p);
		n = kernel.n_calls;
		if (done) {
			/* The call that fails is beyond the last. */
			g_assert_cmpuint(kernel.fail_at, >, n);
			g_assert_cmpstr(is, ==, new_text);
			place_free(&p);
			break;
		}
		g_assert_nonnull(error);
		g_assert_nonnull(strstr(error->message, "conf.d"));
		if (g_strcmp0(is, new_text))
			g_assert_cmpstr(is, ==, OLD_TEXT);
		if (!for_good)
			g_assert_cmpuint(count_files(&p), ==, is ? 1 : 0);
		/* Whatever was left behind is not in the way. */
		g_assert_true(set_file_write(p.path, OLD_TEXT, NULL, NULL));
		g_assert_cmpuint(count_files(&p), ==, 1);
		place_free(&p);
	}
	kernel.fail_at = 0;
	return n;
}

static void test_old_or_new_but_whole(void)
{
	static const int errors[] = {EIO, ENOSPC, EROFS};
	g_autofree char *text = make_text();

	for (unsigned int i = 0; i < G_N_ELEMENTS(errors); i++) {
		kernel.error = errors[i];
		/* directory, unlink, open, write, sync, rename, sync */
		g_assert_cmpuint(fail_each(FALSE, text), ==, 7);
		g_assert_cmpuint(fail_each(TRUE, text), ==, 7);
		/* directory, unlink, sync */
		g_assert_cmpuint(fail_each(FALSE, NULL), ==, 3);
		g_assert_cmpuint(fail_each(TRUE, NULL), ==, 3);
	}
	kernel.short_writes = TRUE;
	g_assert_cmpuint(fail_each(FALSE, text), >, 20);
	kernel.short_writes = FALSE;
	/* Interrupted is not failed. */
	kernel.error = EINTR;
	kernel.fail_at = 4;
	kernel.n_calls = 0;
	kernel.for_good = FALSE;
	{
		Place p = place_new();

		/* Its directory is new: two calls more before it. */
		kernel.fail_at = 6;
		g_assert_true(set_file_write(p.path, "# a", &failing, NULL));
		g_assert_cmpuint(kernel.n_calls, ==, 10);
		place_free(&p);
	}
	kernel.fail_at = 0;
}

static void test_one_writer(void)
{
	Place p = place_new();
	g_autoptr(GError) error = NULL;
	int fd;

	g_assert_true(set_file_write(p.path, OLD_TEXT, NULL, NULL));
	fd = open(p.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
	g_assert_false(set_file_write(p.path, "#", NULL, &error));
	g_assert_nonnull(strstr(error->message, "busy"));
	close(fd);
	g_assert_true(set_file_write(p.path, "#", NULL, NULL));
	place_free(&p);
}

static void test_no_place_for_it(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(set_file_write("/nowhere/at/all/x.conf", "#", NULL,
				      &error));
	g_assert_nonnull(strstr(error->message, "/nowhere/at/all"));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/set-file/what-is-written-is-read",
			test_what_is_written_is_read);
	g_test_add_func("/set-file/every-option-survives",
			test_every_option_survives);
	g_test_add_func("/set-file/a-wrong-file-is-told",
			test_a_wrong_file_is_told);
	g_test_add_func("/set-file/old-or-new-but-whole",
			test_old_or_new_but_whole);
	g_test_add_func("/set-file/one-writer", test_one_writer);
	g_test_add_func("/set-file/no-place-for-it", test_no_place_for_it);
	return g_test_run();
}
