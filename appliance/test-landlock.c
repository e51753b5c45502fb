// SPDX-License-Identifier: Apache-2.0
#include "appliance/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/*   top/read/file      top/read/link -> ../else/file
 *   top/write/         top/else/file      top/sockets/
 */
typedef struct {
	char *top, *read, *write, *other, *sockets;
	char *read_file, *other_file, *link;
} Tree;

static char *make_file(const char *folder)
{
	char *path = g_build_filename(folder, "file", NULL);

	g_assert_true(g_file_set_contents(path, "text", -1, NULL));
	return path;
}

static char *make_folder(const char *top, const char *name)
{
	char *path = g_build_filename(top, name, NULL);

	g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
	return path;
}

static void tree_init(Tree *t)
{
	t->top = g_dir_make_tmp("skylink-landlock-XXXXXX", NULL);
	g_assert_nonnull(t->top);
	t->read = make_folder(t->top, "read");
	t->write = make_folder(t->top, "write");
	t->other = make_folder(t->top, "else");
	t->sockets = make_folder(t->top, "sockets");
	t->read_file = make_file(t->read);
	t->other_file = make_file(t->other);
	t->link = g_build_filename(t->read, "link", NULL);
	g_assert_cmpint(symlink("../else/file", t->link), ==, 0);
}

static void tree_done(Tree *t)
{
	char *const paths[] = {
		t->link, t->read_file, t->other_file, t->read, t->write,
		t->other, t->sockets, t->top,
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_assert_cmpint(g_remove(paths[i]), ==, 0);
		g_free(paths[i]);
	}
}

static gboolean can_restrict(void)
{
	int abi = landlock_probe();

#ifdef __SANITIZE_THREAD__
	g_test_skip("the thread sanitizer has a thread of its own");
	return FALSE;
#endif
	if (abi > 0)
		return TRUE;
	g_test_skip(landlock_explain(-abi));
	return FALSE;
}

/* --- in a child, for it is for good ------------------------------------------ */
/* Complaints of a child that cannot count for glib's: its status says it. */
#define CHECK(is, wanted) check(__LINE__, (is), (wanted))

static void check(int line, int is, int wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "line %d: %d, not %d\n", line, is, wanted);
	_exit(1);
}

/* 0 or errno */
static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_bind(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "socket", NULL);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	if (bind(fd, (struct sockaddr *) &a, sizeof(a)) < 0)
		r = errno;
	else if (unlink(path) < 0)
		r = errno;
	close(fd);
	return r;
}

static int try_write(const char *folder)
{
	g_autofree char *a = g_build_filename(folder, "a", NULL);
	g_autofree char *dir = g_build_filename(folder, "dir", NULL);
	g_autofree char *b = g_build_filename(dir, "b", NULL);
	g_autofree char *self = NULL;
	int fd, r = 0;

	if (mkdir(dir, 0700) < 0 || try_open(a, O_WRONLY | O_CREAT) ||
	    rename(a, b) < 0 || try_open(b, O_WRONLY | O_TRUNC) ||
	    unlink(b) < 0)
		return errno;
	/* As received files come: without a name at first. */
	fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	self = g_strdup_printf("/proc/self/fd/%d", fd);
	if (fd >= 0 && (linkat(AT_FDCWD, self, AT_FDCWD, a,
			       AT_SYMLINK_FOLLOW) < 0 || unlink(a) < 0))
		r = errno;
	if (fd >= 0)
		close(fd);
	return rmdir(dir) < 0 ? errno : r;
}

static void check_files(const Tree *t)
{
	CHECK(try_open(t->read_file, O_RDONLY), 0);
	CHECK(try_open(t->read, O_RDONLY | O_DIRECTORY), 0);
	CHECK(try_open(t->read_file, O_WRONLY), EACCES);
	CHECK(try_write(t->read), EACCES);
	CHECK(try_write(t->write), 0);
	CHECK(try_bind(t->write), 0);
	CHECK(try_bind(t->sockets), 0);
	CHECK(try_write(t->sockets), EACCES);
	CHECK(try_bind(t->read), EACCES);
	CHECK(try_open(t->other_file, O_RDONLY), EACCES);
	CHECK(try_open(t->other_file, O_WRONLY), EACCES);
	CHECK(try_open(t->other, O_RDONLY | O_DIRECTORY), EACCES);
	CHECK(try_open(t->link, O_RDONLY), EACCES);
	CHECK(try_open("/", O_RDONLY | O_DIRECTORY), EACCES);
	CHECK(try_open("/dev/null", O_RDWR), 0);
	CHECK(access(t->other_file, R_OK), 0);	/* looking is free */
}

static gpointer check_in_thread(gpointer tree)
{
	check_files(tree);
	return NULL;
}

static Landlock *rules_of(const Tree *t)
{
	Landlock *l = landlock_new();

	landlock_add(l, t->read, LANDLOCK_READ);
	landlock_add_folder(l, t->write, LANDLOCK_WRITE);
	landlock_add(l, t->sockets, LANDLOCK_SOCKET);
	landlock_add(l, "/dev/null", LANDLOCK_DEVICE);
	landlock_add(l, "/proc", LANDLOCK_READ);
	return l;
}

static void put_in_force(const Tree *t)
{
	g_autoptr(GError) error = NULL;
	Landlock *l = rules_of(t);

	CHECK(landlock_get_abi(l), 0);
	if (!landlock_restrict(l, &error)) {
		fprintf(stderr, "%s\n", error->message);
		_exit(1);
	}
	CHECK(landlock_get_abi(l), landlock_probe());
	landlock_free(l);
}

static void in_child(const Tree *t, void (*run)(const Tree *t))
{
	pid_t child = fork();
	int status;

	g_assert_cmpint(child, >=, 0);
	if (!child) {
		run(t);
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

static void run_files(const Tree *t)
{
	CHECK(try_open(t->other_file, O_RDONLY), 0);
	put_in_force(t);
	check_files(t);
	/* Threads inherit it, and theirs. */
	g_thread_join(g_thread_new("one", check_in_thread, (gpointer) t));
}

static void test_files(void)
{
	Tree t;

	if (!can_restrict())
		return;
	tree_init(&t);
	in_child(&t, run_files);
	tree_done(&t);
}

/* --- programs are not run, and descriptors stay -------------------------------- */
static void run_others(const Tree *t)
{
	int fd = open(t->other_file, O_RDWR | O_CLOEXEC);
	char byte;

	put_in_force(t);
	CHECK((int) read(fd, &byte, 1), 1);
	CHECK(ftruncate(fd, 4), 0);
	close(fd);
	execl("/bin/true", "true", NULL);
	CHECK(errno, EACCES);
}

static void test_others(void)
{
	Tree t;

	if (!can_restrict())
		return;
	tree_init(&t);
	in_child(&t, run_others);
	tree_done(&t);
}

/* --- a file that is replaced, one that comes later ------------------------------ */
static void run_replaced(const Tree *t)
{
	g_autofree char *late = g_build_filename(t->write, "none", "late", NULL);
	g_autofree char *folder = g_path_get_dirname(late);
	g_autoptr(Landlock) l = landlock_new();

	landlock_add_file(l, t->link, LANDLOCK_READ);
	landlock_add_file(l, late, LANDLOCK_READ);
	landlock_add(l, "/proc", LANDLOCK_READ);
	CHECK(landlock_restrict(l, NULL), TRUE);
	/* Where the link leads to, and where it stands. */
	CHECK(try_open(t->link, O_RDONLY), 0);
	CHECK(try_open(t->read_file, O_RDONLY), 0);
	CHECK(try_open(t->write, O_RDONLY | O_DIRECTORY), 0);
	CHECK(try_open(folder, O_RDONLY | O_DIRECTORY), ENOENT);
	CHECK(landlock_covers(l, late, LANDLOCK_READ), TRUE);
}

static void test_replaced(void)
{
	Tree t;

	if (!can_restrict())
		return;
	tree_init(&t);
	in_child(&t, run_replaced);
	tree_done(&t);
}

/* --- what is told before ---------------------------------------------------------- */
static void test_covers(void)
{
	g_autofree char *late = NULL, *beside = NULL;
	Landlock *l;
	Tree t;

	tree_init(&t);
	l = rules_of(&t);
	late = g_build_filename(t.write, "a", "b", NULL);
	beside = g_strconcat(t.read, "er", NULL);
	g_assert_true(landlock_covers(l, t.read, LANDLOCK_READ));
	g_assert_true(landlock_covers(l, t.read_file, LANDLOCK_READ));
	g_assert_false(landlock_covers(l, t.read_file, LANDLOCK_WRITE));
	g_assert_true(landlock_covers(l, late, LANDLOCK_WRITE));
	g_assert_true(landlock_covers(l, late, LANDLOCK_READ));
	g_assert_true(landlock_covers(l, t.sockets, LANDLOCK_SOCKET));
	g_assert_false(landlock_covers(l, t.sockets, LANDLOCK_READ));
	g_assert_false(landlock_covers(l, t.other_file, LANDLOCK_READ));
	g_assert_false(landlock_covers(l, t.link, LANDLOCK_READ));
	g_assert_false(landlock_covers(l, t.top, LANDLOCK_READ));
	g_assert_false(landlock_covers(l, beside, LANDLOCK_READ));
	g_assert_true(landlock_covers(l, "/dev/null", LANDLOCK_DEVICE));
	g_assert_false(landlock_covers(l, "/", LANDLOCK_READ));
	landlock_free(l);
	tree_done(&t);
}

/* --- what makes it impossible ------------------------------------------------------ */
static void assert_refused(Landlock *l, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(landlock_restrict(l, &error));
	g_assert_nonnull(strstr(error->message, why));
	g_assert_cmpint(landlock_get_abi(l), ==, 0);
	g_assert_cmpint(try_open("/", O_RDONLY | O_DIRECTORY), ==, 0);
}

static void test_root(void)
{
	g_autoptr(Landlock) l = landlock_new();

	/* Its parent is the root, which would be everything. */
	landlock_add_file(l, "/no-such-file", LANDLOCK_READ);
	g_assert_false(landlock_covers(l, "/no-such-file", LANDLOCK_READ));
	landlock_add_folder(l, "/no-such-folder", LANDLOCK_READ);
	g_assert_false(landlock_covers(l, "/no-such-folder", LANDLOCK_READ));
	landlock_add_folder(l, "/", LANDLOCK_READ);
	assert_refused(l, "/ is the root");
}

static void test_many(void)
{
	g_autoptr(Landlock) l = landlock_new();
	char *top = g_dir_make_tmp("skylink-landlock-XXXXXX", NULL);

	for (unsigned int i = 0; i <= LANDLOCK_RULES_MAX; i++) {
		g_autofree char *path = g_strdup_printf("%s/%u", top, i);

		g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
		landlock_add(l, path, LANDLOCK_READ);
		landlock_add(l, path, LANDLOCK_READ);	/* counts once */
		g_assert_cmpint(g_rmdir(path), ==, 0);
		g_assert_cmpint(landlock_covers(l, path, LANDLOCK_READ), ==,
				i < LANDLOCK_RULES_MAX);
	}
	assert_refused(l, "more than 256");
	g_assert_cmpint(g_rmdir(top), ==, 0);
	g_free(top);
}

static gpointer wait_for_lock(gpointer mutex)
{
	g_mutex_lock(mutex);
	g_mutex_unlock(mutex);
	return NULL;
}

/* A thread that is there would stay as it is. */
static void test_threads(void)
{
	g_autoptr(Landlock) l = landlock_new();
	GMutex mutex;
	GThread *thread;

	g_mutex_init(&mutex);
	g_mutex_lock(&mutex);
	thread = g_thread_new("other", wait_for_lock, &mutex);
	assert_refused(l, "threads");
	g_mutex_unlock(&mutex);
	g_thread_join(thread);
	g_mutex_clear(&mutex);
}

static void test_explain(void)
{
	g_assert_nonnull(strstr(landlock_explain(ENOSYS), "has no Landlock"));
	g_assert_nonnull(strstr(landlock_explain(EOPNOTSUPP), "lsm="));
	g_assert_nonnull(strstr(landlock_explain(EPERM), "SystemCallFilter"));
	g_assert_cmpstr(landlock_explain(ENOMEM), ==, g_strerror(ENOMEM));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/landlock/files", test_files);
	g_test_add_func("/landlock/others", test_others);
	g_test_add_func("/landlock/replaced", test_replaced);
	g_test_add_func("/landlock/covers", test_covers);
	g_test_add_func("/landlock/root", test_root);
	g_test_add_func("/landlock/many", test_many);
	g_test_add_func("/landlock/threads", test_threads);
	g_test_add_func("/landlock/explain", test_explain);
	return g_test_run();
}
