// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MB	    G_GUINT64_CONSTANT(1000000)
#define DEADLINE_US (60 * G_USEC_PER_SEC)

struct fixture {
	char *top, *path;
	GMainContext *context;
	Spool *spool;
	SpoolConfig config;
	unsigned int answers;
	JsonObject *info;		/* of the last */
	char *error;
};

static gint64 now_s = 1700000000;

static gint64 get_now(void)
{
	return now_s;
}

static void start(struct fixture *f)
{
	g_autoptr(GError) error = NULL;

	f->spool = spool_new(&f->config, &error);
	g_assert_no_error(error);
}

static void restart(struct fixture *f)
{
	spool_free(f->spool);
	start(f);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	now_s = 1700000000;
	f->top = g_dir_make_tmp("skylink-spool-XXXXXX", &error);
	g_assert_no_error(error);
	f->path = g_build_filename(f->top, "state", "received", NULL);
	f->context = g_main_context_new();
	f->config = (SpoolConfig){
		.directory = f->path,
		.quota_bytes = 4 * MB,
		.max_file_bytes = 2 * MB,
		.max_files = 5,
		.context = f->context,
		.now_s = get_now,
	};
	start(f);
}

static void remove_tree(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *child = g_build_filename(path, name, NULL);

		remove_tree(child);
	}
	if (dir)
		g_dir_close(dir);
	g_remove(path);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	spool_free(f->spool);
	g_main_context_unref(f->context);
	g_clear_pointer(&f->info, json_object_unref);
	g_free(f->error);
	remove_tree(f->top);
	g_free(f->path);
	g_free(f->top);
}

static void on_done(void *user, JsonObject *info, const GError *error)
{
	struct fixture *f = user;

	g_assert_true(!info == !!error);
	f->answers++;
	g_clear_pointer(&f->info, json_object_unref);
	g_free(f->error);
	f->info = info;
	f->error = error ? g_strdup(error->message) : NULL;
}

static void wait_answers(struct fixture *f, unsigned int n)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;

	while (f->answers < n) {
		g_main_context_iteration(f->context, FALSE);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	}
	g_assert_cmpuint(f->answers, ==, n);
}

static TransferSink begin(struct fixture *f, const char *name, guint64 size)
{
	SpoolOffer offer = {.name = name, .size = size, .peer_id = "peer",
			    .mime_type = "text/plain"};
	g_autoptr(GError) error = NULL;
	TransferSink sink = {0};

	g_assert_true(spool_receive(f->spool, &offer, &sink, &error));
	g_assert_no_error(error);
	return sink;
}

static void expect_refused(struct fixture *f, guint64 size, const char *part)
{
	SpoolOffer offer = {.name = "a", .size = size};
	g_autoptr(GError) error = NULL;
	TransferSink sink;

	g_assert_false(spool_receive(f->spool, &offer, &sink, &error));
	if (!strstr(error->message, part))
		g_error("'%s' is not in '%s'", part, error->message);
}

static void put(const TransferSink *sink, const char *text)
{
	g_assert_cmpint(sink->write(sink->user, (const guint8 *) text,
				    strlen(text)), ==, 0);
}

static int put_many(const TransferSink *sink, guint64 bytes)
{
	static guint8 zeros[50000];
	int r = 0;

	while (bytes && r == 0) {
		gsize n = (gsize) MIN(bytes, sizeof(zeros));

		r = sink->write(sink->user, zeros, n);
		bytes -= n;
	}
	return r;
}

static void receive_text(struct fixture *f, const char *name, const char *text)
{
	TransferSink sink = begin(f, name, strlen(text));
	unsigned int before = f->answers;

	put(&sink, text);
	sink.finish(sink.user, on_done, f);
	wait_answers(f, before + 1);
	sink.free(sink.user);
	g_assert_cmpstr(f->error, ==, NULL);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The names in the directory, sorted; the hidden ones too. */
static char *list_dir(const char *path)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			g_ptr_array_add(names, g_strdup(e->d_name));
	if (dir)
		closedir(dir);
	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	return g_strjoinv("|", (char **) names->pdata);
}

static void expect_files(struct fixture *f, const char *files,
			 const char *infos)
{
	g_autofree char *got = list_dir(f->path);
	g_autofree char *info_path = g_build_filename(f->path, ".info", NULL);
	g_autofree char *got_infos = list_dir(info_path);

	g_assert_cmpstr(got, ==, files);
	g_assert_cmpstr(got_infos, ==, infos);
}

static unsigned int count_described(struct fixture *f)
{
	g_autoptr(JsonNode) node = spool_describe(f->spool);

	return json_array_get_length(json_node_get_array(node));
}

/* --- tests ----------------------------------------------------------------- */
static void test_whole(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->path, "a.txt", NULL);
	g_autoptr(JsonNode) list = NULL;
	g_autoptr(JsonObject) info = NULL;
	g_autoptr(GError) error = NULL;
	JsonObject *row;
	char text[16] = "";
	struct stat st;
	int fd;

	/* Nothing is made for nothing. */
	g_assert_cmpint(g_access(f->path, F_OK), ==, -1);
	receive_text(f, "../a.txt", "hello");
	g_assert_cmpstr(json_object_get_string_member(f->info, "path"), ==,
			path);
	g_assert_cmpstr(json_object_get_string_member(f->info, "sha256"), ==,
			"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e730433"
			"62938b9824");
	expect_files(f, ".info|a.txt", "a.txt.json");
	g_assert_cmpint(g_lstat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);

	list = spool_describe(f->spool);
	row = json_array_get_object_element(json_node_get_array(list), 0);
	g_assert_cmpstr(json_object_get_string_member(row, "name"), ==,
			"a.txt");
	g_assert_cmpstr(json_object_get_string_member(row, "originalName"), ==,
			"../a.txt");
	g_assert_cmpint(json_object_get_int_member(row, "size"), ==, 5);
	g_assert_cmpstr(json_object_get_string_member(row, "time"), ==,
			"2023-11-14T22:13:20Z");
	fd = spool_open(f->spool, "a.txt", &info, &error);
	g_assert_no_error(error);
	g_assert_cmpint(read(fd, text, sizeof(text)), ==, 5);
	g_assert_cmpstr(text, ==, "hello");
	g_assert_cmpint(write(fd, "x", 1), ==, -1);
	close(fd);
}

static void test_empty(struct fixture *f, gconstpointer data)
{
	receive_text(f, "", "");
	expect_files(f, ".info|file", "file.json");
	g_assert_cmpstr(json_object_get_string_member(f->info, "sha256"), ==,
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca49599"
			"1b7852b855");
}

static void test_never_overwrites(struct fixture *f, gconstpointer data)
{
	g_autofree char *third = g_build_filename(f->path, "a (3).txt", NULL);
	g_autofree char *outside = g_build_filename(f->top, "outside", NULL);
	g_autofree char *link = g_build_filename(f->path, "b.txt", NULL);
	g_autofree char *text = NULL;

	receive_text(f, "a.txt", "one");
	receive_text(f, "a.txt", "two");
	/* Somebody else's. */
	g_assert_true(g_file_set_contents(third, "mine", -1, NULL));
	receive_text(f, "x/a.txt", "four");
	expect_files(f, ".info|a (2).txt|a (3).txt|a (4).txt|a.txt",
		     "a (2).txt.json|a (4).txt.json|a.txt.json");
	g_assert_true(g_file_get_contents(third, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "mine");
	/* A link is a name that is taken, and not followed. */
	g_assert_cmpint(symlink(outside, link), ==, 0);
	receive_text(f, "b.txt", "two");
	g_assert_cmpint(g_access(outside, F_OK), ==, -1);
	g_assert_cmpstr(json_object_get_string_member(
				json_object_get_object_member(f->info, "data"),
				"name"), ==, "b (2).txt");
}

static void test_broken(struct fixture *f, gconstpointer data)
{
	TransferSink sink = begin(f, "a", MB);

	put(&sink, "half");
	/* Not to be seen before it is whole. */
	expect_files(f, ".info", "");
	sink.free(sink.user);
	expect_files(f, ".info", "");
	g_assert_cmpuint(count_described(f), ==, 0);
	g_assert_cmpuint(f->answers, ==, 0);
}

/* Called off while the disk is busy with it. */
static void test_freed_while_finishing(struct fixture *f, gconstpointer data)
{
	TransferSink sink = begin(f, "a", 4);

	put(&sink, "text");
	sink.finish(sink.user, on_done, f);
	sink.free(sink.user);
	restart(f);
	g_assert_cmpuint(f->answers, ==, 0);
	g_assert_cmpuint(count_described(f), ==, 0);
	expect_files(f, ".info", "");
}

/* Not called off, though everything ends: it is told and kept. */
static void test_end_while_finishing(struct fixture *f, gconstpointer data)
{
	TransferSink sink = begin(f, "a", 4);

	put(&sink, "text");
	sink.finish(sink.user, on_done, f);
	restart(f);
	sink.free(sink.user);
	g_assert_cmpuint(f->answers, ==, 1);
	g_assert_cmpstr(f->error, ==, NULL);
	g_assert_cmpuint(count_described(f), ==, 1);
}

static void test_limits(struct fixture *f, gconstpointer data)
{
	TransferSink a, b, c;

	expect_refused(f, 2 * MB + 1, "transfer.max_file");
	a = begin(f, "a", 2 * MB);
	b = begin(f, "b", 0);
	/* What is announced has its place, what is not has none. */
	g_assert_cmpint(put_many(&b, 2 * MB), ==, 0);
	expect_refused(f, 1, "transfer.quota");
	c = begin(f, "c", 0);
	put(&c, "");
	g_assert_cmpint(put_many(&c, 1), ==, -EDQUOT);
	g_assert_cmpint(put_many(&b, 1), ==, -EFBIG);
	g_assert_cmpint(put_many(&a, 2 * MB), ==, 0);
	b.free(b.user);
	g_assert_cmpint(put_many(&c, 1), ==, 0);
	a.finish(a.user, on_done, f);
	wait_answers(f, 1);
	a.free(a.user);
	c.free(c.user);
	g_assert_cmpuint(count_described(f), ==, 1);
	/* The file that is there still counts, also after a restart. */
	expect_refused(f, 2 * MB + 1, "transfer.max_file");
	restart(f);
	a = begin(f, "d", 2 * MB);
	expect_refused(f, 1, "transfer.quota");
	a.free(a.user);
}

static void test_number_of_files(struct fixture *f, gconstpointer data)
{
	TransferSink sink;

	for (unsigned int i = 0; i < 4; i++)
		receive_text(f, "a", "x");
	sink = begin(f, "a", 1);
	expect_refused(f, 1, "transfer.max_files");
	sink.free(sink.user);
	receive_text(f, "a", "x");
	expect_refused(f, 1, "transfer.max_files");
	g_assert_true(spool_remove(f->spool, "a (2)", NULL));
	receive_text(f, "b", "x");
}

static void test_remove(struct fixture *f, gconstpointer data)
{
	static const char *const foreign[] = {
		"none", "", ".", "..", "../received/a", ".info/a.json", ".info",
		"a\n",
	};
	g_autofree char *path = g_build_filename(f->path, "b", NULL);

	receive_text(f, "a", "x");
	receive_text(f, "b", "y");
	for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
		g_autoptr(GError) error = NULL;
		JsonObject *info = NULL;

		g_assert_false(spool_remove(f->spool, foreign[i], &error));
		g_assert_error(error, SPOOL_ERROR, SPOOL_ERROR_NO_FILE);
		g_assert_cmpint(spool_open(f->spool, foreign[i], &info, NULL),
				==, -1);
	}
	g_assert_true(spool_remove(f->spool, "a", NULL));
	expect_files(f, ".info|b", "b.json");
	/* By hand: it is no longer told, and does not count. */
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpuint(count_described(f), ==, 0);
	expect_files(f, ".info", "");
}

/* Opened where it was said to be, and not where somebody's link points. */
static void test_exchanged_for_a_link(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->path, "a", NULL);
	g_autoptr(GError) error = NULL;
	JsonObject *info = NULL;

	receive_text(f, "a", "x");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(symlink("/etc/passwd", path), ==, 0);
	g_assert_cmpint(spool_open(f->spool, "a", &info, &error), ==, -1);
	g_assert_error(error, SPOOL_ERROR, SPOOL_ERROR_IO);
	g_assert_cmpuint(count_described(f), ==, 0);
}

static void test_what_a_crash_leaves(struct fixture *f, gconstpointer data)
{
	g_autofree char *part = NULL, *orphan = NULL, *foreign = NULL;
	g_autofree char *changed = NULL;
	pid_t child;
	int status;

	receive_text(f, "kept", "x");
	receive_text(f, "changed", "x");
	spool_free(f->spool);
	f->spool = NULL;

	child = fork();
	if (child == 0) {
		TransferSink sink;

		start(f);
		sink = begin(f, "lost", MB);
		put_many(&sink, MB / 2);
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
	part = g_build_filename(f->path, ".part-abcdef", NULL);
	orphan = g_build_filename(f->path, ".info", "lost.json", NULL);
	foreign = g_build_filename(f->path, ".info", "..json", NULL);
	changed = g_build_filename(f->path, "changed", NULL);
	g_assert_true(g_file_set_contents(part, "half", -1, NULL));
	g_assert_true(g_file_set_contents(orphan, "{}", -1, NULL));
	g_assert_true(g_file_set_contents(foreign, "{}", -1, NULL));
	g_assert_true(g_file_set_contents(changed, "longer", -1, NULL));
	start(f);
	expect_files(f, ".info|changed|kept", "kept.json");
	g_assert_cmpuint(count_described(f), ==, 1);
}

static void test_age(struct fixture *f, gconstpointer data)
{
	spool_free(f->spool);
	f->config.keep_s = 3600;
	start(f);
	receive_text(f, "old", "x");
	now_s += 3000;
	receive_text(f, "young", "x");
	now_s += 600;
	spool_expire(f->spool);
	g_assert_cmpuint(count_described(f), ==, 2);
	now_s += 1;
	spool_expire(f->spool);
	expect_files(f, ".info|young", "young.json");
	now_s += 3600;
	restart(f);
	expect_files(f, ".info", "");
}

static void put_file(const char *directory, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	FILE *file = fopen(path, "we");

	g_assert_nonnull(file);
	fputs(text, file);
	g_assert_cmpint(fclose(file), ==, 0);
}

/* More than an answer can hold: the newest are told of. */
static void test_many(struct fixture *f, gconstpointer data)
{
	g_autofree char *info_path = g_build_filename(f->path, ".info", NULL);
	g_autofree char *much = g_strnfill(600, '/');
	g_autoptr(JsonNode) node = NULL;
	g_autofree char *text = NULL;
	JsonArray *list;
	guint n;

	receive_text(f, "first", "");
	spool_free(f->spool);
	for (unsigned int i = 0; i < 1500; i++) {
		g_autofree char *name = g_strdup_printf("%u", i);
		g_autofree char *info_name = g_strconcat(name, ".json", NULL);
		g_autofree char *info = g_strdup_printf(
			"{\"size\":0,\"sha256\":\"\",\"originalName\":\"%s\","
			"\"time\":\"2024-01-01T00:%02u:%02uZ\"}",
			much, i / 60, i % 60);

		put_file(f->path, name, "");
		put_file(info_path, info_name, info);
	}
	start(f);
	expect_refused(f, 1, "transfer.max_files");
	node = spool_describe(f->spool);
	text = json_to_string(node, FALSE);
	list = json_node_get_array(node);
	n = json_array_get_length(list);
	g_assert_cmpuint(strlen(text), <=, SPOOL_DESCRIBE_MAX_BYTES + 2);
	g_assert_cmpuint(n, >, 1000);
	g_assert_cmpuint(n, <, 1500);
	g_assert_cmpstr(json_object_get_string_member(
				json_array_get_object_element(list, n - 1),
				"name"), ==, "1499");
}

/* A peer's name may have 4 kB; what is kept of it has an end. */
static void test_long_name(struct fixture *f, gconstpointer data)
{
	g_autofree char *much = g_strnfill(4000, '"');
	g_autoptr(JsonNode) node = NULL;
	JsonObject *row;

	receive_text(f, much, "x");
	node = spool_describe(f->spool);
	row = json_array_get_object_element(json_node_get_array(node), 0);
	g_assert_cmpuint(strlen(json_object_get_string_member(
				 row, "originalName")), ==, 255);
}

static void test_one_owner(struct fixture *f, gconstpointer data)
{
	Spool *first = f->spool;

	receive_text(f, "a", "x");
	/* It warns, which ends tests otherwise. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	start(f);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_WARNING);
	g_assert_cmpuint(count_described(f), ==, 0);
	expect_refused(f, 1, "another skylinkd has it");
	spool_free(first);
	receive_text(f, "b", "x");
	g_assert_cmpuint(count_described(f), ==, 2);
}

static void test_unusable(struct fixture *f, gconstpointer data)
{
	g_autofree char *parent = g_path_get_dirname(f->path);

	g_assert_cmpint(g_mkdir(parent, 0755), ==, 0);
	g_assert_cmpint(g_mkdir(f->path, 0755), ==, 0);
	g_assert_cmpint(g_chmod(f->path, 0777), ==, 0);
	expect_refused(f, 1, "others may write there");
	g_assert_cmpint(g_rmdir(f->path), ==, 0);
	g_assert_true(g_file_set_contents(f->path, "a file", -1, NULL));
	expect_refused(f, 1, g_strerror(ENOTDIR));
	g_assert_cmpint(g_unlink(f->path), ==, 0);
	receive_text(f, "a", "x");
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *path;
		void (*run)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{"/spool/whole", test_whole},
		{"/spool/empty", test_empty},
		{"/spool/never-overwrites", test_never_overwrites},
		{"/spool/broken", test_broken},
		{"/spool/freed-while-finishing", test_freed_while_finishing},
		{"/spool/end-while-finishing", test_end_while_finishing},
		{"/spool/limits", test_limits},
		{"/spool/number-of-files", test_number_of_files},
		{"/spool/remove", test_remove},
		{"/spool/link", test_exchanged_for_a_link},
		{"/spool/crash", test_what_a_crash_leaves},
		{"/spool/age", test_age},
		{"/spool/many", test_many},
		{"/spool/long-name", test_long_name},
		{"/spool/one-owner", test_one_owner},
		{"/spool/unusable", test_unusable},
	};

	g_test_init(&argc, &argv, NULL);
	for (unsigned int i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, struct fixture, NULL, set_up,
			   tests[i].run, tear_down);
	return g_test_run();
}
