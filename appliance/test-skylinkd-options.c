// SPDX-License-Identifier: Apache-2.0
#include "appliance/skylinkd-options.h"

#include <glib/gstdio.h>
#include <string.h>

struct parsed {
	struct skylinkd_arguments a;
	char *why;
	bool ok;
};

/* @line: words with one blank between. */
static struct parsed parse(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	struct parsed p = {0};

	p.ok = skylinkd_arguments_parse((int) g_strv_length(words), words,
					&p.a, &p.why);
	g_assert_true(p.ok == !p.why);
	return p;
}

static void done(struct parsed *p)
{
	skylinkd_arguments_clear(&p->a);
	g_free(p->why);
}

static void assert_refused(const char *line, const char *words)
{
	struct parsed p = parse(line);
	g_auto(GStrv) list = g_strsplit(words, ";", -1);

	g_assert_false(p.ok);
	for (unsigned int i = 0; list[i]; i++)
		if (!strstr(p.why, list[i]))
			g_error("'%s' lacks '%s'", p.why, list[i]);
	done(&p);
}

static void test_demo(void)
{
	struct parsed p = parse("skylinkd --demo --source test --listen * -q");
	Config *c = p.a.daemon.config;

	g_assert_true(p.ok);
	g_assert_cmpint(p.a.action, ==, SKYLINKD_RUN);
	g_assert_cmpuint(p.a.problems->len, ==, 0);
	g_assert_true(p.a.daemon.demo && p.a.daemon.listen_given &&
		      p.a.daemon.quiet);
	g_assert_true(config_get_bool(c, OPT_ROOMSERVER_ENABLED));
	g_assert_cmpstr(config_get_string(c, OPT_ROOMSERVER_LISTEN), ==,
			"*:8080");
	/* The picture's test source brings the tone. */
	g_assert_cmpstr(config_get_string(c, OPT_AUDIO_SOURCE), ==, "test");
	g_assert_cmpstr(config_get_origin(c, OPT_AUDIO_SOURCE), ==,
			"--source");
	g_assert_null(p.a.config_path);
	done(&p);

	p = parse("skylinkd --demo --source test --audio-source none");
	g_assert_cmpstr(config_get_string(p.a.daemon.config, OPT_AUDIO_SOURCE),
			==, "none");
	done(&p);
}

static void test_files_and_options(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-options-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.conf", NULL);
	g_autofree char *line = g_strdup_printf(
		"skylinkd --demo -c %s --set video.fps=5 --set=video.fps=6 "
		"--socket=/x.sock", path);
	g_autofree char *check = g_strdup_printf(
		"skylinkd --config=%s --check-config", path);
	struct parsed p;

	g_assert_true(g_file_set_contents(
		path, "[video]\nfps = 9\nheight = 480\n"
		      "[roomserver]\nenabled = no\n", -1, NULL));
	p = parse(line);
	g_assert_true(p.ok);
	g_assert_cmpint(config_get_int(p.a.daemon.config, OPT_VIDEO_FPS), ==,
			6);
	g_assert_cmpint(config_get_int(p.a.daemon.config, OPT_VIDEO_HEIGHT),
			==, 480);
	/* A file that was named prevails over the presets of --demo. */
	g_assert_false(config_get_bool(p.a.daemon.config,
				       OPT_ROOMSERVER_ENABLED));
	g_assert_cmpstr(config_get_string(p.a.daemon.config,
					  OPT_CONTROL_SOCKET), ==, "/x.sock");
	g_assert_cmpstr(p.a.daemon.config_path, ==, path);
	done(&p);

	g_assert_true(g_file_set_contents(
		path, "[video]\nfps = 900\n[room]\nsecret_file = /no/such\n",
		-1, NULL));
	p = parse(check);
	g_assert_true(p.ok);
	g_assert_cmpint(p.a.action, ==, SKYLINKD_CHECK_CONFIG);
	g_assert_cmpuint(p.a.problems->len, ==, 2);
	g_assert_nonnull(strstr(p.a.problems->pdata[0], "x.conf:2: "));
	g_assert_nonnull(strstr(p.a.problems->pdata[1], "x.conf:4: "));
	done(&p);
	g_remove(path);
	p = parse(check);
	g_assert_true(p.ok);
	g_assert_cmpuint(p.a.problems->len, ==, 1);
	done(&p);
	g_rmdir(dir);
}

/* Where 'config set' writes, and that a reload reads what the start read. */
static void test_again(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-options-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.conf", NULL);
	g_autofree char *set = g_build_filename(dir, CONFIG_SET_NAME, NULL);
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Config) first = NULL, second = NULL, third = NULL;
	g_autoptr(GArray) same = NULL;
	g_autofree char *line = g_strdup_printf(
		"skylinkd --config %s --set video.fps=5", path);
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);
	int argc = (int) g_strv_length(argv);
	struct skylinkd_arguments a;
	char *why = NULL;

	g_assert_true(g_file_set_contents(
		path, "[video]\nfps = 9\nwidth = 640\n", -1, NULL));
	g_setenv("STATE_DIRECTORY", dir, TRUE);
	g_assert_true(skylinkd_arguments_parse(argc, argv, &a, &why));
	g_unsetenv("STATE_DIRECTORY");
	g_assert_cmpstr(a.daemon.set_path, ==, set);

	first = a.daemon.load(a.daemon.load_user, NULL, problems);
	same = config_diff(first, a.daemon.config);
	g_assert_cmpuint(same->len, ==, 0);
	second = a.daemon.load(a.daemon.load_user,
			       "[video]\nfps = 7\nheight = 480\n", problems);
	g_assert_cmpuint(problems->len, ==, 0);
	g_assert_cmpint(config_get_int(second, OPT_VIDEO_FPS), ==, 5);
	g_assert_cmpint(config_get_int(second, OPT_VIDEO_WIDTH), ==, 640);
	g_assert_cmpint(config_get_int(second, OPT_VIDEO_HEIGHT), ==, 480);
	third = a.daemon.load(a.daemon.load_user, "[video]\nhight = 480\n",
			      problems);
	g_assert_cmpuint(problems->len, ==, 1);
	g_assert_nonnull(strstr(problems->pdata[0], "90-set.conf:2: "));
	skylinkd_arguments_clear(&a);

	/* Not of the whole machine, for a file of its own. */
	g_assert_true(skylinkd_arguments_parse(argc, argv, &a, &why));
	g_assert_null(a.daemon.set_path);
	skylinkd_arguments_clear(&a);
	g_remove(path);
	g_rmdir(dir);
}

static void test_wrong_usage(void)
{
	assert_refused("skylinkd --dmo", "--dmo;--demo");
	assert_refused("skylinkd --zzzzzz", "no option '--zzzzzz'");
	assert_refused("skylinkd -x", "-x");
	assert_refused("skylinkd start", "'start' is no option");
	assert_refused("skylinkd --config", "--config needs FILE");
	assert_refused("skylinkd --config=", "--config needs FILE");
	assert_refused("skylinkd --demo=yes", "takes no value");
	assert_refused("skylinkd --source a --source b", "twice");
	assert_refused("skylinkd --demo --room-server", "exclude");
	assert_refused("skylinkd --demo --source nonsense",
		       "--source: video.source;v4l2:PATH");
	assert_refused("skylinkd --demo --set vido.fps=1",
		       "--set;'video.fps'");
	assert_refused("skylinkd --demo -i ../x", "instance");
}

static void test_help_has_every_option(void)
{
	g_autofree char *help = skylinkd_options_help();
	g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

	for (const struct skylinkd_option *o = skylinkd_options; o->name;
	     o++) {
		g_autofree char *name = g_strconcat("--", o->name, NULL);

		g_assert_nonnull(strstr(help, name));
		g_assert_true(g_str_has_suffix(o->help, "."));
	}
	for (unsigned int i = 0; lines[i]; i++)
		g_assert_cmpuint(strlen(lines[i]), <, 80);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/skylinkd-options/again", test_again);
	g_test_add_func("/skylinkd-options/demo", test_demo);
	g_test_add_func("/skylinkd-options/files", test_files_and_options);
	g_test_add_func("/skylinkd-options/usage", test_wrong_usage);
	g_test_add_func("/skylinkd-options/help", test_help_has_every_option);
	return g_test_run();
}
