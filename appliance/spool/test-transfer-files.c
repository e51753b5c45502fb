// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/transfer-files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static JsonObject *told;
static char *failure;

static void on_done(void *user, JsonObject *info, const GError *error)
{
	g_assert_true(user == &told);
	told = info;
	failure = error ? g_strdup(error->message) : NULL;
}

static int make_file(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, text, strlen(text)), ==,
			(gssize) strlen(text));
	return fd;
}

static void expect_closed(int fd)
{
	g_assert_cmpint(fcntl(fd, F_GETFD), ==, -1);
}

/* --- to send --------------------------------------------------------------- */
static void test_source(void)
{
	int fd = make_file("0123456789");
	TransferSource s;
	guint64 size = 0;
	guint8 got[20];

	g_assert_true(file_source_new(fd, &s, &size, NULL));
	g_assert_cmpuint(size, ==, 10);
	g_assert_cmpint(s.read(s.user, 0, got, 4), ==, 4);
	g_assert_cmpmem(got, 4, "0123", 4);
	/* Another peer is elsewhere; the client's own position does not
	 * matter. */
	g_assert_cmpint(lseek(fd, 7, SEEK_SET), ==, 7);
	g_assert_cmpint(s.read(s.user, 8, got, 20), ==, 2);
	g_assert_cmpmem(got, 2, "89", 2);
	g_assert_cmpint(s.read(s.user, 10, got, 20), ==, 0);
	g_assert_cmpint(s.read(s.user, G_MAXUINT64, got, 20), ==, 0);
	/* What is added later was not promised; what was taken away ends it. */
	g_assert_cmpint(pwrite(fd, "more", 4, 10), ==, 4);
	g_assert_cmpint(s.read(s.user, 8, got, 20), ==, 2);
	g_assert_cmpint(ftruncate(fd, 5), ==, 0);
	g_assert_cmpint(s.read(s.user, 4, got, 20), ==, 1);
	g_assert_cmpint(s.read(s.user, 5, got, 20), ==, 0);
	s.free(s.user);
	expect_closed(fd);
}

static void expect_no_source(int fd, const char *part)
{
	g_autoptr(GError) error = NULL;
	TransferSource s;
	guint64 size;

	g_assert_cmpint(fd, >=, 0);
	g_assert_false(file_source_new(fd, &s, &size, &error));
	if (!strstr(error->message, part))
		g_error("'%s' is not in '%s'", part, error->message);
	expect_closed(fd);
}

static void test_no_source(void)
{
	int pair[2];

	g_assert_cmpint(pipe2(pair, O_CLOEXEC), ==, 0);
	expect_no_source(pair[0], "is a pipe");
	close(pair[1]);
	expect_no_source(open("/", O_RDONLY | O_CLOEXEC), "a directory");
	expect_no_source(open("/dev/zero", O_RDONLY | O_CLOEXEC), "a device");
	expect_no_source(open("/proc/self/exe", O_PATH | O_CLOEXEC),
			 "not open for reading");
	expect_no_source(open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600),
			 "not open for reading");
}

/* --- to fill --------------------------------------------------------------- */
static void test_sink(void)
{
	int fd = make_file("something longer that was there");
	int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	char text[20] = "";
	TransferSink s;

	g_assert_true(file_sink_new(fd, 10, &s, NULL));
	g_assert_cmpint(lseek(mine, 3, SEEK_SET), ==, 3);
	g_assert_cmpint(s.write(s.user, (const guint8 *) "hel", 3), ==, 0);
	g_assert_cmpint(s.write(s.user, (const guint8 *) "lo", 2), ==, 0);
	g_assert_cmpint(s.write(s.user, (const guint8 *) "toomuch", 7), ==,
			-EFBIG);
	s.finish(s.user, on_done, &told);
	g_assert_null(failure);
	g_assert_cmpstr(json_object_get_string_member(told, "sha256"), ==,
			"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e730433"
			"62938b9824");
	g_assert_false(json_object_has_member(told, "path"));
	json_object_unref(told);
	s.free(s.user);
	expect_closed(fd);
	g_assert_cmpint(pread(mine, text, sizeof(text), 0), ==, 5);
	g_assert_cmpstr(text, ==, "hello");

	g_assert_true(file_sink_new(mine, 10, &s, NULL));
	fd = fcntl(mine, F_DUPFD_CLOEXEC, 0);
	g_assert_cmpint(s.write(s.user, (const guint8 *) "half", 4), ==, 0);
	s.free(s.user);
	g_assert_cmpint(lseek(fd, 0, SEEK_END), ==, 0);
	close(fd);
}

static void expect_no_sink(int fd, const char *part)
{
	g_autoptr(GError) error = NULL;
	TransferSink s;

	g_assert_cmpint(fd, >=, 0);
	g_assert_false(file_sink_new(fd, 10, &s, &error));
	if (!strstr(error->message, part))
		g_error("'%s' is not in '%s'", part, error->message);
	expect_closed(fd);
}

static void test_no_sink(void)
{
	int pair[2];

	g_assert_cmpint(pipe2(pair, O_CLOEXEC), ==, 0);
	expect_no_sink(pair[1], "is a pipe");
	close(pair[0]);
	expect_no_sink(open("/etc/passwd", O_RDONLY | O_CLOEXEC),
		       "not open for writing");
	expect_no_sink(open("/tmp", O_TMPFILE | O_WRONLY | O_APPEND |
					    O_CLOEXEC, 0600), "appending");
	expect_no_sink(open("/dev/full", O_WRONLY | O_CLOEXEC), "a device");
}

/* --- data URLs ------------------------------------------------------------- */
static void test_text(void)
{
	TransferSource from = text_source_new("data:,hello");
	TransferSink to = text_sink_new();
	guint8 buf[4];
	guint64 offset = 0;
	gssize n;

	while ((n = from.read(from.user, offset, buf, sizeof(buf))) > 0) {
		g_assert_cmpint(to.write(to.user, buf, (gsize) n), ==, 0);
		offset += (guint64) n;
	}
	g_assert_cmpint(n, ==, 0);
	to.finish(to.user, on_done, &told);
	g_assert_cmpstr(json_object_get_string_member(told, "data"), ==,
			"data:,hello");
	json_object_unref(told);
	to.free(to.user);
	from.free(from.user);
}

static void test_bad_text(void)
{
	static const char *const bad[] = {"\377", "\303", "a\0b"};
	static guint8 much[DATA_URL_MAX_BYTES];
	TransferSink to;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		to = text_sink_new();
		g_assert_cmpint(to.write(to.user, (const guint8 *) bad[i],
					 i == 2 ? 3 : strlen(bad[i])), ==, 0);
		to.finish(to.user, on_done, &told);
		g_assert_null(told);
		g_assert_nonnull(strstr(failure, "UTF-8"));
		g_clear_pointer(&failure, g_free);
		to.free(to.user);
	}
	to = text_sink_new();
	g_assert_cmpint(to.write(to.user, much, sizeof(much)), ==, 0);
	g_assert_cmpint(to.write(to.user, much, 1), ==, -EFBIG);
	to.free(to.user);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transfer-files/source", test_source);
	g_test_add_func("/transfer-files/no-source", test_no_source);
	g_test_add_func("/transfer-files/sink", test_sink);
	g_test_add_func("/transfer-files/no-sink", test_no_sink);
	g_test_add_func("/transfer-files/text", test_text);
	g_test_add_func("/transfer-files/bad-text", test_bad_text);
	return g_test_run();
}
