// SPDX-License-Identifier: Apache-2.0
/* appliance/skylinkd.c - the daemon's command line */
#include <stdio.h>
#include <sys/prctl.h>

#include "appliance/control/control-activation.h"
#include "appliance/crash-report.h"
#include "appliance/daemon-landlock.h"
#include "appliance/life/last-end.h"
#include "appliance/log-filter.h"
#include "appliance/skylinkd-options.h"

static void print_problems(const struct skylinkd_arguments *a)
{
	for (unsigned int i = 0; i < a->problems->len; i++)
		fprintf(stderr, "%s\n",
			(const char *) g_ptr_array_index(a->problems, i));
}

/* All at once: whoever asks is told what stands in the journal. */
static void refuse_clients(const struct skylinkd_arguments *a)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (unsigned int i = 0; i < a->problems->len; i++)
		g_string_append_printf(
			text, "%s%s", i ? "\n" : "",
			(const char *) g_ptr_array_index(a->problems, i));
	daemon_refuse_clients(&a->daemon, text->str);
}

static int check_config(const struct skylinkd_arguments *a)
{
	g_autoptr(GError) error = NULL;

	print_problems(a);
	if (!daemon_check_files(a->daemon.config, &error))
		fprintf(stderr, "%s\n", error->message);
	if (a->problems->len || error)
		return SKYLINKD_EXIT_FAILED;
	if (!a->daemon.quiet)
		printf("%s: no problems\n",
		       a->config_path ? a->config_path : "configuration");
	return SKYLINKD_EXIT_OK;
}

/* It stays until the process is gone: threads of libraries (GIO's, dconf's) go
 * on logging while exit() takes the libraries apart. */
static struct log_filter *install_log(const Config *config)
{
	struct log_filter *filter = g_new0(struct log_filter, 1);

	log_filter_init(filter, config_get_string(config, OPT_LOG_LEVEL));
	filter->store = log_store_new();
	log_filter_install(filter);
	return filter;
}

static int note_end(void)
{
	const char *state = g_getenv("STATE_DIRECTORY");
	g_autofree char *dir = g_build_filename(state ? state : "", "life",
						NULL);
	g_autoptr(GError) error = NULL;

	/* Run by hand, it has nothing to note. */
	if (!state || last_end_note(dir, &error))
		return SKYLINKD_EXIT_OK;
	fprintf(stderr, "skylinkd: %s\n", error->message);
	return SKYLINKD_EXIT_FAILED;
}

/* Whoever reads another process's memory needs more than its user: neither
 * gdb nor a core file nor /proc shows the secrets in it. Who must look starts
 * the daemon with SKYLINK_DUMPABLE=1. */
static void hide_memory(void)
{
	if (!g_getenv("SKYLINK_DUMPABLE"))
		prctl(PR_SET_DUMPABLE, 0);
}

static int run_daemon(struct skylinkd_arguments *a)
{
	struct daemon_landlock landlock;
	int status;

	/* The log begins threads: GLib's, and those of what it loads. */
	daemon_landlock_start(&a->daemon, &landlock);
	a->daemon.landlock = &landlock;
	a->daemon.log = install_log(a->daemon.config);
	daemon_landlock_tell(&landlock);
	status = daemon_run(&a->daemon);
	a->daemon.landlock = NULL;
	daemon_landlock_done(&landlock);
	return status;
}

static int run(struct skylinkd_arguments *a)
{
	switch (a->action) {
	case SKYLINKD_RUN:
		if (a->problems->len) {
			print_problems(a);
			refuse_clients(a);
			return SKYLINKD_EXIT_CONFIG;
		}
		hide_memory();
		return run_daemon(a);
	case SKYLINKD_HELP: {
		g_autofree char *text = skylinkd_options_help();

		fputs(text, stdout);
		return SKYLINKD_EXIT_OK;
	}
	case SKYLINKD_VERSION:
		printf("skylinkd %s\n", PACKAGE_VERSION);
		return SKYLINKD_EXIT_OK;
	case SKYLINKD_CHECK_CONFIG:
		return check_config(a);
	case SKYLINKD_NOTE_END:
		return note_end();
	case SKYLINKD_PRINT_DEFAULT_CONFIG: {
		g_autofree char *text = config_print_default();

		fputs(text, stdout);
		return SKYLINKD_EXIT_OK;
	}
	}
	return SKYLINKD_EXIT_FAILED;
}

int main(int argc, char *argv[])
{
	struct skylinkd_arguments arguments;
	g_autofree char *why = NULL;
	int listen_fd = control_activation_take();
	int status = SKYLINKD_EXIT_USAGE;

	crash_report_install();
	if (skylinkd_arguments_parse(argc, argv, &arguments, &why)) {
		arguments.daemon.listen_fd = listen_fd;
		status = run(&arguments);
	} else {
		control_activation_refuse(listen_fd, why);
		fprintf(stderr, "skylinkd: %s\n"
			"'skylinkd --help' shows the options.\n", why);
	}
	skylinkd_arguments_clear(&arguments);
	/* What was printed must have arrived: "... > /dev/full". */
	if (fflush(stdout) != 0 && status == SKYLINKD_EXIT_OK)
		status = SKYLINKD_EXIT_FAILED;
	return status;
}
