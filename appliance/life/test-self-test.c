// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/self-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/schedule.h"

#define NOW_S INT64_C(1767571200)	/* 2026-01-05 00:00 UTC */
#define DAY_S 86400

/* The only row, as "STATE WHAT". */
static char *row(DoctorReport *report, guint n)
{
	g_autoptr(JsonNode) node = doctor_report_take(report);
	JsonArray *rows = json_node_get_array(node);
	JsonObject *o;

	g_assert_cmpuint(json_array_get_length(rows), >, n);
	o = json_array_get_object_element(rows, n);
	return g_strdup_printf("%s %s",
			       json_object_get_string_member(o, "state"),
			       json_object_get_string_member(o, "what"));
}

static void expect_look(const char *source, const char *says)
{
	const struct video_choice video = {source, 320, 180, 30};
	g_autoptr(DoctorReport) report = doctor_report_new();
	g_autofree char *is = NULL;

	self_test_look(&video, report);
	is = row(report, 0);
	if (!strstr(is, says))
		g_error("%s: '%s' lacks '%s'", source, is, says);
}

static void test_the_camera(void)
{
	expect_look("test", "ok test 320x180@30: 8 pictures");
	expect_look("v4l2:/dev/none", "failed v4l2:/dev/none: ");
	expect_look(NULL, "skipped no picture is sent");
}

/* Nobody reads of a FIFO: whoever writes there would see it, and without one it
 * would not end. */
static void test_a_fifo(void)
{
	g_autofree char *dir = g_dir_make_tmp("self-test-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "pictures", NULL);
	g_autofree char *source = g_strconcat("file:", path, NULL);

	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	expect_look(source, "skipped file:");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* Whoever sends a picture of a sign means it. */
static void test_a_still_picture(void)
{
	g_autofree char *dir = g_dir_make_tmp("self-test-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "sign.y4m", NULL);
	g_autofree char *source = g_strconcat("file:", path, NULL);
	g_autoptr(GString) file = g_string_new(
		"YUV4MPEG2 W128 H64 F30:1 Ip A1:1 C420jpeg\n");

	for (guint i = 0; i < 2 * SELF_TEST_PICTURES; i++) {
		g_string_append(file, "FRAME\n");
		for (guint k = 0; k < 128 * 64 * 3 / 2; k++)
			g_string_append_c(file, (char) 128);
	}
	g_assert_true(g_file_set_contents(path, file->str, (gssize) file->len,
					  NULL));
	expect_look(source, "ok ");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* Somebody comes and wants the camera: nothing is said of it any more. */
static void test_cancelled(void)
{
	const struct video_choice video = {"test", 320, 180, 30};
	g_autoptr(DoctorReport) report = doctor_report_new();
	g_autofree char *is = NULL;

	doctor_report_cancel(report, 0);
	self_test_look(&video, report);
	is = row(report, 0);
	g_assert_true(g_str_has_prefix(is, "failed This check did not come"));
}

static void put(const char *dir, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
	g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

#define ZONE "class/thermal/thermal_zone"
#define THROTTLE \
	"devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"

static void test_the_machine(void)
{
	g_autofree char *dir = g_dir_make_tmp("self-test-XXXXXX", NULL);
	g_autofree char *command = g_strdup_printf("rm -r '%s'", dir);
	static const char *const rows[][2] = {
		{"ok 47 degrees", "47123\n"},
		{"warning 85 degrees", "85000\n"},
		{"skipped the kernel tells none", "hot\n"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(DoctorReport) report = doctor_report_new();
		g_autofree char *is = NULL;

		put(dir, ZONE "0/temp", rows[i][1]);
		self_test_temperature(dir, report);
		is = row(report, 0);
		g_assert_true(g_str_has_prefix(is, rows[i][0]));
	}
	{
		g_autoptr(DoctorReport) report = doctor_report_new();
		g_autofree char *is = NULL;

		put(dir, THROTTLE, "3\n");
		self_test_temperature(dir, report);
		is = row(report, 1);
		g_assert_nonnull(strstr(is, "slowed down 3 times"));
	}
	g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL,
						NULL));
}

static void test_results(void)
{
	static const char *const rows[][2] = {
		{"[]", "ok"},
		{"[{\"state\":\"ok\"},{\"state\":\"skipped\"}]", "ok"},
		{"[{\"state\":\"warning\"},{\"state\":\"ok\"}]", "warning"},
		{"[{\"state\":\"warning\"},{\"state\":\"failed\"}]", "failed"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(JsonNode) node = json_from_string(rows[i][0], NULL);

		g_assert_cmpstr(self_test_result(json_node_get_array(node)), ==,
				rows[i][1]);
	}
}

/* A year of nights: one run a night, whatever minute comes up, and the clock's
 * being set (in Berlin within that very hour) makes it neither two nor none. */
static void test_a_year_of_nights(void)
{
	g_autoptr(GTimeZone) zone = schedule_zone_new("Europe/Berlin");
	GRand *rand = g_rand_new_with_seed(7);
	int64_t now = NOW_S;
	guint nights = 0;

	if (!zone) {
		g_rand_free(rand);
		g_test_skip("no time zones here (package tzdata)");
		return;
	}
	while (now < NOW_S + 365 * DAY_S) {
		guint minute = (guint) g_rand_int_range(rand, 0, 60);
		int64_t next = self_test_next(zone, 2, minute, now);

		g_assert_cmpint(next, >, now);
		g_assert_cmpint(next, <, now + 26 * 3600);
		/* The next one is planned when this hour is over. */
		now = self_test_next(zone, 5, 0, next);
		nights++;
	}
	/* The first and the last are of the same day. */
	g_assert_cmpuint(nights, ==, 366);
	g_rand_free(rand);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/self-test/camera", test_the_camera);
	g_test_add_func("/self-test/fifo", test_a_fifo);
	g_test_add_func("/self-test/still", test_a_still_picture);
	g_test_add_func("/self-test/cancelled", test_cancelled);
	g_test_add_func("/self-test/machine", test_the_machine);
	g_test_add_func("/self-test/results", test_results);
	g_test_add_func("/self-test/nights", test_a_year_of_nights);
	return g_test_run();
}
