// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-progress.h"

#include <string.h>

static void test_line(void)
{
	static const struct {
		guint64 bytes, total;
		double seconds;
		const char *starts;
	} rows[] = {
		{0, 1000, 0, "a.bin   0 % .................... "},
		{500, 1000, 1, "a.bin  50 % ##########.......... "},
		{999, 1000, 1, "a.bin  99 % ###################. "},
		{1000, 1000, 2, "a.bin 100 % #################### "},
		{0, 0, 2, "a.bin 100 % #################### "},
		{2000, 1000, 2, "a.bin 100 % #################### "},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *line = ctl_progress_line(
			"a.bin", rows[i].bytes, rows[i].total, rows[i].seconds,
			200);

		if (!g_str_has_prefix(line, rows[i].starts))
			g_error("'%s' is not '%s'", line, rows[i].starts);
	}
}

static void test_narrow(void)
{
	g_autofree char *much = g_strnfill(300, 'n');

	for (unsigned int columns = 1; columns < 120; columns++) {
		g_autofree char *line = ctl_progress_line(
			"\303\274ber.txt", 1, 3, 1, columns);
		g_autofree char *named = ctl_progress_line(much, 1, 3, 1,
							   columns);

		g_assert_cmpint(g_utf8_strlen(line, -1), <=, (glong) columns);
		g_assert_cmpint(g_utf8_strlen(named, -1), <=, (glong) columns);
		g_assert_true(g_utf8_validate(line, -1, NULL));
	}
}

static void tell(struct ctl_progress *p, const char *peer, const char *state,
		 int percentage, const char *why)
{
	g_autofree char *error = why ?
		g_strdup_printf("{\"message\":\"%s\"}", why) :
		g_strdup("null");
	g_autofree char *text = g_strdup_printf(
		"{\"peerId\":\"%s\",\"state\":\"%s\",\"error\":%s,"
		"\"transferInfo\":{\"size\":1000,\"percentage\":%d}}",
		peer, state, error, percentage);
	g_autoptr(JsonNode) node = json_from_string(text, NULL);

	ctl_progress_event(p, json_node_get_object(node), 2000000);
}

static char *finish(FILE *f, char **buffer)
{
	fclose(f);
	return g_strdup(*buffer);
}

static void test_steps(void)
{
	char *buffer = NULL;
	size_t size;
	FILE *f = open_memstream(&buffer, &size);
	struct ctl_progress *p = ctl_progress_new("a\033.bin", f, false, 0);
	g_autofree char *got = NULL;

	tell(p, "one", "uploadStarted", 0, NULL);
	tell(p, "two", "rejected", 0, "no \\u001b thanks");
	tell(p, "one", "uploading", 10, NULL);
	tell(p, "one", "uploading", 20, NULL);
	tell(p, "one", "uploadCompleted", 100, NULL);
	ctl_progress_free(p);
	got = finish(f, &buffer);
	g_assert_cmpstr(got, ==,
			"a?.bin: peer one: uploadStarted\n"
			"a?.bin: peer two: rejected: no ? thanks\n"
			"a?.bin: peer one: uploading\n"
			"a?.bin: peer one: uploadCompleted\n");
	free(buffer);
}

static void test_bar(void)
{
	char *buffer = NULL;
	size_t size;
	FILE *f = open_memstream(&buffer, &size);
	struct ctl_progress *p = ctl_progress_new("a", f, true, 1000000);
	g_autofree char *got = NULL;

	tell(p, "one", "uploading", 50, NULL);
	tell(p, "two", "uploading", 10, NULL);
	ctl_progress_free(p);
	got = finish(f, &buffer);
	/* The slowest counts, and nothing is left of it in the end. */
	g_assert_nonnull(strstr(got, "\ra  50 % ##########"));
	g_assert_nonnull(strstr(got, "\ra  10 % ##....."));
	g_assert_true(g_str_has_suffix(got, "\r\033[K"));
	free(buffer);
}

static void test_ends(void)
{
	bool well;

	g_assert_true(ctl_progress_is_end("uploadCompleted", &well) && well);
	g_assert_true(ctl_progress_is_end("downloadCompleted", &well) && well);
	g_assert_true(ctl_progress_is_end("rejected", &well) && !well);
	g_assert_true(ctl_progress_is_end("cancel", &well) && !well);
	g_assert_true(ctl_progress_is_end("error", &well) && !well);
	g_assert_false(ctl_progress_is_end("uploading", &well));
	g_assert_false(ctl_progress_is_end("request", &well));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-progress/line", test_line);
	g_test_add_func("/ctl-progress/narrow", test_narrow);
	g_test_add_func("/ctl-progress/steps", test_steps);
	g_test_add_func("/ctl-progress/bar", test_bar);
	g_test_add_func("/ctl-progress/ends", test_ends);
	return g_test_run();
}
