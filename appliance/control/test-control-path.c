// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-path.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_daemon(const ControlPathInput *in, const char *want)
{
	g_autofree char *got = control_path_for_daemon(in);

	g_assert_cmpstr(got, ==, want);
}

static void assert_client(const ControlPathInput *in, const char *want)
{
	g_auto(GStrv) list = control_path_for_client(in);
	g_autofree char *got = g_strjoinv(" ", list);

	g_assert_cmpstr(got, ==, want);
}

static void test_daemon(void)
{
	ControlPathInput in = {.run_dir = "/run", .tmp_dir = "/tmp",
			       .uid = 1000};

	assert_daemon(&in, "/tmp/skylink-1000/control.sock");
	in.runtime_dir = "/run/user/1000";
	assert_daemon(&in, "/run/user/1000/skylink/control.sock");
	in.instance = "hall";
	assert_daemon(&in, "/run/user/1000/skylink/hall/control.sock");
	in.uid = 0;
	assert_daemon(&in, "/run/skylink/hall/control.sock");
	in.instance = NULL;
	assert_daemon(&in, "/run/skylink/control.sock");
	/* The unit's directory has the instance in it already. */
	in.instance = "hall";
	in.service_dir = "/run/skylink/hall";
	assert_daemon(&in, "/run/skylink/hall/control.sock");
	in.service_dir = "/run/a:/run/b";
	assert_daemon(&in, "/run/a/control.sock");
	in.explicit_path = "/x.sock";
	assert_daemon(&in, "/x.sock");
}

static void test_client(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-path-XXXXXX", NULL);
	g_autofree char *sub = g_build_filename(dir, "skylink", NULL);
	g_autofree char *file = g_build_filename(sub, "control.sock", NULL);
	g_autofree char *both = g_strconcat(file, " /run/skylink/control.sock",
					    NULL);
	ControlPathInput in = {.run_dir = "/run", .tmp_dir = "/tmp",
			       .uid = 1000};

	assert_client(&in, "/run/skylink/control.sock "
			   "/tmp/skylink-1000/control.sock");
	/* The session's socket only when it is there. */
	in.runtime_dir = dir;
	assert_client(&in, "/run/skylink/control.sock");
	g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
	g_assert_true(g_file_set_contents(file, "", 0, NULL));
	assert_client(&in, both);
	in.instance = "hall";
	assert_client(&in, "/run/skylink/hall/control.sock");
	in.instance = NULL;
	in.environment = "/env.sock";
	assert_client(&in, "/env.sock");
	in.explicit_path = "/x.sock";
	assert_client(&in, "/x.sock");
	g_remove(file);
	g_rmdir(sub);
	g_rmdir(dir);
}

static void test_instances(void)
{
	g_assert_true(control_path_instance_is_valid("hall-2.left_B"));
	g_assert_false(control_path_instance_is_valid(""));
	g_assert_false(control_path_instance_is_valid("../x"));
	g_assert_false(control_path_instance_is_valid("a/b"));
	g_assert_false(control_path_instance_is_valid(".hidden"));
	g_assert_false(control_path_instance_is_valid("-i"));
}

/* Anybody can make /tmp/skylink-UID first: then we must not use it. */
static void test_a_strangers_directory(void)
{
	g_autofree char *tmp = g_dir_make_tmp("skylink-path-XXXXXX", NULL);
	ControlPathInput in = {.run_dir = "/run", .tmp_dir = tmp,
			       .uid = geteuid()};
	g_autofree char *name = g_strdup_printf("skylink-%u",
						(unsigned int) in.uid);
	g_autofree char *dir = g_build_filename(tmp, name, NULL);
	g_autofree char *path = g_build_filename(dir, "control.sock", NULL);
	g_autoptr(GError) error = NULL;
	GStatBuf st;

	g_assert_true(control_path_prepare(path, &error));
	g_assert_no_error(error);
	g_assert_cmpint(g_stat(dir, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0700);
	g_assert_true(control_path_is_trusted(path, &error));

	/* Open to others, or a link to elsewhere. */
	g_assert_cmpint(chmod(dir, 0777), ==, 0);
	g_assert_false(control_path_prepare(path, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);
	g_assert_false(control_path_is_trusted(path, NULL));
	g_assert_cmpint(g_rmdir(dir), ==, 0);
	g_assert_cmpint(symlink("/", dir), ==, 0);
	g_assert_false(control_path_prepare(path, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);
	g_assert_cmpint(g_unlink(dir), ==, 0);
	if (geteuid() == 0) {
		g_assert_cmpint(g_mkdir(dir, 0700), ==, 0);
		g_assert_cmpint(chown(dir, 65534, 65534), ==, 0);
		g_assert_false(control_path_is_trusted(path, NULL));
		g_assert_cmpint(g_rmdir(dir), ==, 0);
	}
	g_rmdir(tmp);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-path/daemon", test_daemon);
	g_test_add_func("/control-path/client", test_client);
	g_test_add_func("/control-path/instances", test_instances);
	g_test_add_func("/control-path/stranger", test_a_strangers_directory);
	return g_test_run();
}
