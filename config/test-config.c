// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

struct fixture {
	char *dir;
	Config *config;
	GPtrArray *problems;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("skylink-config-XXXXXX", NULL);
	g_assert_nonnull(f->dir);
	f->config = config_new();
	f->problems = g_ptr_array_new_with_free_func(g_free);
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
	g_unsetenv("CREDENTIALS_DIRECTORY");
	remove_tree(f->dir);
	g_free(f->dir);
	config_free(f->config);
	g_ptr_array_unref(f->problems);
}

static char *write_file(struct fixture *f, const char *name, const char *text,
			int mode)
{
	char *path = g_build_filename(f->dir, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_assert_cmpint(chmod(path, (mode_t) mode), ==, 0);
	return path;
}

static void put_file(struct fixture *f, const char *name, const char *text)
{
	g_free(write_file(f, name, text, 0644));
}

static void test_defaults(struct fixture *f, gconstpointer data)
{
	g_assert_cmpstr(config_get_string(f->config, OPT_ROOM_NAME), ==,
			"lobby");
	g_assert_cmpint(config_get_int(f->config, OPT_VIDEO_BITRATE), ==,
			2500000);
	g_assert_false(config_get_bool(f->config, OPT_ROOMSERVER_ENABLED));
	g_assert_null(config_get_list(f->config, OPT_NETWORK_ADDRESSES)[0]);
	g_assert_cmpstr(config_get_origin(f->config, OPT_VIDEO_FPS), ==,
			"default");
	g_assert_true(config_check(f->config, f->problems));
}

static void test_load_order(struct fixture *f, gconstpointer data)
{
	g_autofree char *main_path = write_file(
		f, "main.conf",
		"[room]\nname = main\napp_key = main\nserver = //main\n"
		"[video]\nfps = 10\n[network]\naddresses = 10.0.0.1;10.0.0.2\n",
		0644);
	/* Byte order: "10-" before "9-", upper case before lower. */
	g_autofree char *b = write_file(f, "main.conf.d/9-b.conf",
					"[room]\nname = nine\n", 0644);
	g_autofree char *set = write_file(f, "set.conf", "[video]\nfps = 20\n",
					  0644);
	g_autofree char *origin = g_strdup_printf("%s:2", b);

	/* Byte order: "10-" before "9-". */
	put_file(f, "main.conf.d/10-a.conf",
		 "[room]\nname = ten\napp_key = ten\n"
		 "[network]\naddresses = 10.0.0.3\n");
	put_file(f, "main.conf.d/z.txt", "[room]\nname = not read\n");
	put_file(f, "main.conf.d/.x.conf", "[room]\nname = not read\n");
	g_assert_true(config_load(f->config, main_path, set, f->problems));
	g_assert_cmpstr(config_get_string(f->config, OPT_ROOM_NAME), ==,
			"nine");
	g_assert_cmpstr(config_get_string(f->config, OPT_ROOM_APP_KEY), ==,
			"ten");
	g_assert_cmpstr(config_get_string(f->config, OPT_ROOM_SERVER), ==,
			"//main");
	g_assert_cmpint(config_get_int(f->config, OPT_VIDEO_FPS), ==, 20);
	/* The whole value is replaced, lists too. */
	g_assert_cmpstr(config_get_list(f->config, OPT_NETWORK_ADDRESSES)[0],
			==, "10.0.0.3");
	g_assert_null(config_get_list(f->config, OPT_NETWORK_ADDRESSES)[1]);
	g_assert_cmpstr(config_get_origin(f->config, OPT_ROOM_NAME), ==,
			origin);
}

static void test_missing_files(struct fixture *f, gconstpointer data)
{
	g_autofree char *none = g_build_filename(f->dir, "none.conf", NULL);

	/* A file that was named must exist; the set-file need not. */
	g_assert_false(config_load(f->config, none, none, f->problems));
	g_assert_cmpuint(f->problems->len, ==, 1);
	g_assert_nonnull(strstr(f->problems->pdata[0], "no such file"));
	/* A directory is no file. */
	g_assert_false(config_load(f->config, f->dir, NULL, f->problems));
	g_assert_nonnull(strstr(f->problems->pdata[1], "not a regular file"));
}

static void test_promises_between_options(struct fixture *f,
					  gconstpointer data)
{
	static const char text[] = "[video]\nbitrate = 1M\nmin_bitrate = 2M\n"
				   "width = 641\n[network]\nport_min = 5000\n";

	g_assert_true(config_load_text(f->config, "t", text, strlen(text),
				       f->problems));
	g_assert_false(config_check(f->config, f->problems));
	g_assert_cmpuint(f->problems->len, ==, 3);
	g_assert_nonnull(strstr(f->problems->pdata[0], "t:2: video.min_bitrate "
				"(2000000, t:3) is above video.bitrate"));
	g_assert_nonnull(strstr(f->problems->pdata[1], "t:4: video.width"));
	g_assert_nonnull(strstr(f->problems->pdata[2], "t:6: network.port"));
}

static void test_set(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(config_set_assignment(f->config, "video.fps=12", "--set",
					    &error));
	g_assert_cmpint(config_get_int(f->config, OPT_VIDEO_FPS), ==, 12);
	g_assert_cmpstr(config_get_origin(f->config, OPT_VIDEO_FPS), ==,
			"--set");

	/* A refused value changes nothing. */
	g_assert_false(config_set_assignment(f->config, "video.fps=900",
					     "--set", &error));
	g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE);
	g_assert_cmpint(config_get_int(f->config, OPT_VIDEO_FPS), ==, 12);
	g_clear_error(&error);

	g_assert_false(config_set_assignment(f->config, "vidoe.fsp=9", "--set",
					     &error));
	g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_KEY);
	g_assert_nonnull(strstr(error->message, "video.fps"));
	g_clear_error(&error);
	g_assert_false(config_set_assignment(f->config, "fps=9", "--set",
					     &error));
	g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_KEY);
}

static void test_diff(struct fixture *f, gconstpointer data)
{
	Config *other = config_new();
	GArray *ids = config_diff(f->config, other);

	g_assert_cmpuint(ids->len, ==, 0);
	g_array_unref(ids);
	g_assert_true(config_set(other, OPT_VIDEO_FPS, "7", "test", NULL));
	/* Set to what it was already: no difference. */
	g_assert_true(config_set(other, OPT_VIDEO_BITRATE, "2500k", "test",
				 NULL));
	ids = config_diff(f->config, other);
	g_assert_cmpuint(ids->len, ==, 1);
	g_assert_cmpint(g_array_index(ids, enum option_id, 0), ==,
			OPT_VIDEO_FPS);
	g_array_unref(ids);
	config_free(other);
}

static void test_default_file_is_the_default(struct fixture *f,
					     gconstpointer data)
{
	g_autofree char *text = config_print_default();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *live = g_string_new(NULL);
	unsigned int n = 0;

	/* As it stands it sets nothing ... */
	g_assert_true(config_load_text(f->config, "d", text, strlen(text),
				       f->problems));
	for (int i = 0; i < N_OPTIONS; i++)
		g_assert_true(config_is_default(f->config, i));

	/* ... and with its keys' comment signs away, each to its default. */
	for (unsigned int i = 0; lines[i]; i++) {
		bool key = lines[i][0] == '#' && g_ascii_islower(lines[i][1]);

		n += key;
		g_string_append_printf(live, "%s\n", lines[i] + key);
		g_assert_cmpuint(strlen(lines[i]), <, 80);
	}
	g_assert_cmpuint(n, ==, N_OPTIONS);
	g_assert_true(config_load_text(f->config, "d", live->str, live->len,
				       f->problems));
	{
		Config *fresh = config_new();
		GArray *ids = config_diff(f->config, fresh);

		g_assert_cmpuint(ids->len, ==, 0);
		g_array_unref(ids);
		config_free(fresh);
	}
	for (int i = 0; i < N_OPTIONS; i++)
		g_assert_false(config_is_default(f->config, i));
	g_string_free(live, TRUE);
}

static void test_secrets(struct fixture *f, gconstpointer data)
{
	g_autofree char *good = write_file(f, "good", "s3cret\n", 0600);
	g_autofree char *open = write_file(f, "open", "s3cret\n", 0644);
	g_autofree char *lines = write_file(f, "lines", "a\nb\n", 0600);
	g_autofree char *none = g_build_filename(f->dir, "none", NULL);
	g_autofree char *cred = write_file(f, "creds/room.secret", "from-cred",
					   0400);
	g_autofree char *creds = g_path_get_dirname(cred);
	const char *const bad[] = {open, lines, none};
	g_autoptr(GError) error = NULL;
	char *secret = NULL;

	/* None configured is no failure. */
	g_assert_true(config_read_secret(f->config, OPT_ROOM_SECRET_FILE,
					 &secret, &error));
	g_assert_null(secret);

	config_set(f->config, OPT_ROOM_SECRET_FILE, good, "t", NULL);
	g_assert_true(config_read_secret(f->config, OPT_ROOM_SECRET_FILE,
					 &secret, &error));
	g_assert_cmpstr(secret, ==, "s3cret");
	config_secret_free(secret);

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		secret = NULL;
		config_set(f->config, OPT_ROOM_SECRET_FILE, bad[i], "t", NULL);
		g_assert_false(config_read_secret(
			f->config, OPT_ROOM_SECRET_FILE, &secret, &error));
		g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET);
		g_assert_nonnull(strstr(error->message, bad[i]));
		g_assert_null(strstr(error->message, "s3cret"));
		g_assert_null(secret);
		g_clear_error(&error);
	}

	/* The credential goes first. */
	g_setenv("CREDENTIALS_DIRECTORY", creds, TRUE);
	g_assert_true(config_read_secret(f->config, OPT_ROOM_SECRET_FILE,
					 &secret, &error));
	g_assert_cmpstr(secret, ==, "from-cred");
	config_secret_free(secret);
}

#define ADD(path, fn) \
	g_test_add("/config/" path, struct fixture, NULL, set_up, fn, tear_down)

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	ADD("defaults", test_defaults);
	ADD("load-order", test_load_order);
	ADD("missing", test_missing_files);
	ADD("promises", test_promises_between_options);
	ADD("set", test_set);
	ADD("diff", test_diff);
	ADD("default-file", test_default_file_is_the_default);
	ADD("secrets", test_secrets);
	return g_test_run();
}
