// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon's options, and folders below one of its own. */
typedef struct {
	struct daemon_options options;
	Config *config;
	struct daemon_landlock landlock;
	char *top, *config_path;
} Fixture;

static char *in(const Fixture *f, const char *name)
{
	return g_build_filename(f->top, name, NULL);
}

static void set(Fixture *f, enum option_id id, const char *text)
{
	g_assert_true(config_set(f->config, id, text, "test:1", NULL));
}

static void set_path(Fixture *f, enum option_id id, const char *before,
		     const char *name)
{
	g_autofree char *path = in(f, name);
	g_autofree char *text = g_strconcat(before, path, NULL);

	set(f, id, text);
}

static void setup(Fixture *f, gconstpointer data)
{
	g_autofree char *state = NULL, *runtime = NULL, *etc = NULL;

	f->top = g_dir_make_tmp("skylink-landlock-XXXXXX", NULL);
	f->config = config_new();
	f->config_path = in(f, "etc/skylink.conf");
	f->options = (struct daemon_options){
		.config = f->config,
		.config_path = f->config_path,
		.listen_fd = -1,
	};
	etc = in(f, "etc");
	g_assert_cmpint(g_mkdir(etc, 0700), ==, 0);
	state = in(f, "state");
	runtime = in(f, "run");
	g_setenv("STATE_DIRECTORY", state, TRUE);
	g_setenv("RUNTIME_DIRECTORY", runtime, TRUE);
	/* Its files are no desktop's. */
	g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
}

static void teardown(Fixture *f, gconstpointer data)
{
	static const char *const folders[] = {"state/received", "state", "run",
					      "etc", "new/deep", "new"};

	for (unsigned int i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = in(f, folders[i]);

		g_rmdir(path);
	}
	g_assert_cmpint(g_rmdir(f->top), ==, 0);
	config_free(f->config);
	g_free(f->config_path);
	g_free(f->top);
}

/* It is for good: in a child, whose status says it. */
static void in_child(Fixture *f, void (*run)(Fixture *f))
{
	pid_t child;
	int status;

#ifdef __SANITIZE_THREAD__
	g_test_skip("the thread sanitizer has a thread of its own");
	return;
#endif
	if (landlock_probe() < 0) {
		g_test_skip(landlock_explain(-landlock_probe()));
		return;
	}
	child = fork();
	g_assert_cmpint(child, >=, 0);
	if (!child) {
		daemon_landlock_start(&f->options, &f->landlock);
		run(f);
		daemon_landlock_done(&f->landlock);
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

#define CHECK(is) check(__LINE__, (is))

static void check(int line, bool is)
{
	if (is)
		return;
	fprintf(stderr, "line %d: it is not so\n", line);
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

static int try_make(Fixture *f, const char *name)
{
	g_autofree char *path = in(f, name);
	int r = try_open(path, O_WRONLY | O_CREAT | O_EXCL);

	return r == 0 && unlink(path) < 0 ? errno : r;
}

/* --- by default --------------------------------------------------------------- */
static void run_defaults(Fixture *f)
{
	static const char *const readable[] = {
		"/etc/passwd", "/usr/lib", "/proc/self/status", "/proc/self/exe",
		"/sys/class", "/dev/null", "/dev/urandom",
	};
	g_autofree char *received = in(f, "state/received");

	CHECK(daemon_landlock_get_abi(&f->landlock) == landlock_probe());
	CHECK(!daemon_landlock_get_reason(&f->landlock));
	for (unsigned int i = 0; i < G_N_ELEMENTS(readable); i++)
		CHECK(try_open(readable[i], O_RDONLY) == 0);
	CHECK(try_open("/dev/null", O_RDWR) == 0);
	CHECK(try_open("/", O_RDONLY) == EACCES);
	CHECK(try_open("/etc/passwd", O_WRONLY) == EACCES);
	CHECK(try_open("/var", O_RDONLY) == EACCES);
	/* They were made for it, and what is in them it makes. */
	CHECK(try_make(f, "state/file") == 0);
	CHECK(g_mkdir(received, 0700) == 0);
	CHECK(try_make(f, "state/received/file") == 0);
	CHECK(try_make(f, "run/control.sock.lock") == 0);
	CHECK(try_make(f, "file") == EACCES);
	CHECK(try_make(f, "etc/skylink.conf") == EACCES);
}

static void test_defaults(Fixture *f, gconstpointer data)
{
	in_child(f, run_defaults);
}

/* --- what the configuration names ---------------------------------------------- */
static void run_named(Fixture *f)
{
	for (enum option_id i = 0; i < N_OPTIONS; i++)
		CHECK(daemon_landlock_covers(&f->landlock, f->config, i));
	CHECK(try_make(f, "new/deep/file") == EACCES);

	/* Beneath it, elsewhere, and no file at all. */
	set_path(f, OPT_VIDEO_SOURCE, "file:", "new/other");
	CHECK(daemon_landlock_covers(&f->landlock, f->config,
				     OPT_VIDEO_SOURCE));
	set_path(f, OPT_VIDEO_SOURCE, "file:", "elsewhere/file");
	CHECK(!daemon_landlock_covers(&f->landlock, f->config,
				      OPT_VIDEO_SOURCE));
	set(f, OPT_VIDEO_SOURCE, "v4l2:some camera");
	CHECK(daemon_landlock_covers(&f->landlock, f->config,
				     OPT_VIDEO_SOURCE));
	set(f, OPT_VIDEO_SOURCE, "v4l2:/dev/video0");
	CHECK(daemon_landlock_covers(&f->landlock, f->config,
				     OPT_VIDEO_SOURCE));
	set_path(f, OPT_CONTROL_SOURCE_FOLDERS, "/usr;", "elsewhere");
	CHECK(!daemon_landlock_covers(&f->landlock, f->config,
				      OPT_CONTROL_SOURCE_FOLDERS));
	set(f, OPT_CONTROL_METRICS, "unix:/var/metrics");
	CHECK(!daemon_landlock_covers(&f->landlock, f->config,
				      OPT_CONTROL_METRICS));
	set(f, OPT_CONTROL_METRICS, "127.0.0.1:1");
	CHECK(daemon_landlock_covers(&f->landlock, f->config,
				     OPT_CONTROL_METRICS));
	/* A file that must be there and is not has another fault. */
	set_path(f, OPT_ROOM_CA_FILE, "", "elsewhere/none");
	CHECK(daemon_landlock_covers(&f->landlock, f->config,
				     OPT_ROOM_CA_FILE));
	set(f, OPT_ROOM_CA_FILE, f->top);
	CHECK(!daemon_landlock_covers(&f->landlock, f->config,
				      OPT_ROOM_CA_FILE));
	/* Everybody may, without it. */
	CHECK(daemon_landlock_covers(NULL, f->config, OPT_ROOM_CA_FILE));
}

static void test_named(Fixture *f, gconstpointer data)
{
	g_autofree char *new = in(f, "new"), *deep = in(f, "new/deep");

	g_assert_cmpint(g_mkdir(new, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(deep, 0700), ==, 0);
	set_path(f, OPT_VIDEO_SOURCE, "h264:", "new/pictures");
	set_path(f, OPT_AUDIO_SOURCE, "file:", "new/deep/not/yet");
	set_path(f, OPT_CONTROL_SOURCE_FOLDERS, "/usr/share;", "new/deep");
	set_path(f, OPT_CONTROL_METRICS, "unix:", "new/metrics");
	in_child(f, run_named);
}

/* --- not at all ------------------------------------------------------------------- */
static void run_off(Fixture *f)
{
	CHECK(daemon_landlock_get_abi(&f->landlock) == 0);
	CHECK(!strcmp(daemon_landlock_get_reason(&f->landlock),
		      "security.landlock says so"));
	CHECK(try_open("/", O_RDONLY) == 0);
	CHECK(try_make(f, "file") == 0);
}

static void test_off(Fixture *f, gconstpointer data)
{
	set(f, OPT_SECURITY_LANDLOCK, "off");
	in_child(f, run_off);
}

/* Where everything may be read nothing is left to refuse. */
static void run_root(Fixture *f)
{
	CHECK(daemon_landlock_get_abi(&f->landlock) == 0);
	CHECK(strstr(daemon_landlock_get_reason(&f->landlock), "root"));
	CHECK(try_open("/", O_RDONLY) == 0);
}

static void test_root(Fixture *f, gconstpointer data)
{
	set(f, OPT_CONTROL_SOURCE_FOLDERS, "/");
	in_child(f, run_root);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
	g_test_add("/daemon-landlock/" name, Fixture, NULL, setup, function, \
		   teardown)
	ADD("defaults", test_defaults);
	ADD("named", test_named);
	ADD("off", test_off);
	ADD("root", test_root);
	return g_test_run();
}
