// SPDX-License-Identifier: Apache-2.0
#include "appliance/log-filter.h"

#include <gio/gio.h>
#include <string.h>

static void assert_passes(const char *level, const char *want)
{
	static const GLogLevelFlags kinds[] = {
		G_LOG_LEVEL_ERROR,   G_LOG_LEVEL_CRITICAL,
		G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE,
		G_LOG_LEVEL_INFO,    G_LOG_LEVEL_DEBUG,
	};
	struct log_filter filter;
	GString *got = g_string_new(NULL);

	log_filter_init(&filter, level);
	for (unsigned int i = 0; i < G_N_ELEMENTS(kinds); i++)
		g_string_append_c(got, log_filter_passes(&filter, kinds[i])
					       ? "ECWMID"[i] : '-');
	g_assert_cmpstr(got->str, ==, want);
	g_string_free(got, TRUE);
}

static void test_levels(void)
{
	assert_passes("error", "EC----");
	assert_passes("warning", "ECW---");
	assert_passes("info", "ECWMI-");
	assert_passes("debug", "ECWMID");
}

/* In a process of its own, for the writer cannot be taken back. */
static void assert_written(const char *level, const char *want)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *out = NULL, *err = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE |
		G_SUBPROCESS_FLAGS_STDERR_PIPE);
	g_autoptr(GSubprocess) p = NULL;
	GString *got = g_string_new(NULL);
	static const char *const words[] = {"WARN", "MESS", "INFO", "DEBU"};

	g_subprocess_launcher_unsetenv(launcher, "G_MESSAGES_DEBUG");
	p = g_subprocess_launcher_spawn(launcher, &error, self, "--log", level,
					NULL);
	g_assert_no_error(error);
	g_assert_true(g_subprocess_communicate_utf8(p, NULL, NULL, &out, &err,
						    &error));
	g_assert_true(g_subprocess_get_successful(p));
	for (unsigned int i = 0; i < G_N_ELEMENTS(words); i++)
		g_string_append_c(got, strstr(out, words[i]) ||
				       strstr(err, words[i])
					       ? words[i][0] : '-');
	g_assert_cmpstr(got->str, ==, want);
	g_string_free(got, TRUE);
}

static void test_written(void)
{
	assert_written("error", "----");
	assert_written("warning", "W---");
	assert_written("info", "WMI-");
	assert_written("debug", "WMID");
}

static int log_all(const char *level)
{
	struct log_filter filter;

	log_filter_init(&filter, level);
	log_filter_install(&filter);
	g_warning("WARN");
	g_message("MESS");
	g_info("INFO");
	g_debug("DEBU");
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 3 && !strcmp(argv[1], "--log"))
		return log_all(argv[2]);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log-filter/levels", test_levels);
	g_test_add_func("/log-filter/written", test_written);
	return g_test_run();
}
