/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/skylinkd-options.h - the command line of skylinkd
 *
 * One table makes --help, the manual page and the parser. What an option says
 * that a configuration key can say too ends up in the configuration.
 *
 *   defaults < --demo's presets < files < options < --set
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  see each function
 */
#pragma once

#include "appliance/daemon.h"

/* Exit statuses, in the manual page too. */
enum skylinkd_exit {
	SKYLINKD_EXIT_OK = 0,
	SKYLINKD_EXIT_FAILED = 1,	/* did not start; --check-config found
					 * problems */
	SKYLINKD_EXIT_USAGE = 2,
	SKYLINKD_EXIT_CONFIG = 78,	/* sysexits' EX_CONFIG: starting again
					 * will not help */
};

struct skylinkd_option {
	const char *name;	/* without dashes; NULL ends the table */
	char letter;		/* 0: none */
	const char *argument;	/* "FILE", or NULL */
	const char *help;
};
extern const struct skylinkd_option skylinkd_options[];

enum skylinkd_action {
	SKYLINKD_RUN,
	SKYLINKD_HELP,
	SKYLINKD_VERSION,
	SKYLINKD_CHECK_CONFIG,
	SKYLINKD_PRINT_DEFAULT_CONFIG,
	SKYLINKD_NOTE_END,
};

struct skylinkd_arguments {
	enum skylinkd_action action;
	struct daemon_options daemon;	/* .config is ours */
	int argc;			/* borrowed: main()'s */
	char *const *argv;
	char *config_path;		/* what was, or would be, read; NULL:
					 * none (--demo) */
	char *set_path;			/* likewise, the set-file; NULL: none */
	GPtrArray *problems;		/* what is wrong with the files */
};

/**
 * skylinkd_arguments_parse() - read the command line, then the configuration
 * @ret:     skylinkd_arguments_clear() it, also after a failure; stays where
 *           it is while the daemon runs, and @argv too: a reload works from
 *           them
 * @ret_why: on failure (the command line itself is wrong) a sentence
 */
bool skylinkd_arguments_parse(int argc, char *const argv[],
			      struct skylinkd_arguments *ret, char **ret_why);
void skylinkd_arguments_clear(struct skylinkd_arguments *arguments);

/* The text of --help; g_free() it. */
char *skylinkd_options_help(void);
