/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-table.h - the verbs, options and exit codes of skylinkctl
 *
 * The parser, --help, shell completion and the manual page are made from
 * these rows.
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  constant
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum ctl_exit {
	CTL_EXIT_OK,
	CTL_EXIT_FAILED,	/* the daemon said no */
	CTL_EXIT_USAGE,
	CTL_EXIT_NO_DAEMON,	/* no socket answered */
	CTL_EXIT_TIMEOUT,	/* connected, but no answer in time */
	CTL_EXIT_FORBIDDEN,	/* this user may not */
	CTL_EXIT_LOST,		/* the connection ended before the answer */
	CTL_EXIT_INTERRUPTED,	/* Ctrl-C while something ran */
	N_CTL_EXITS,
};
/* What each exit status means, for people. */
extern const char *const ctl_exit_help[N_CTL_EXITS];

enum ctl_option_id {
	CTL_SOCKET,
	CTL_INSTANCE,
	CTL_JSON,
	CTL_TIMEOUT,
	CTL_COLOR,
	CTL_HELP,
	CTL_VERSION,
	/* of single verbs: */
	CTL_FOLLOW,
	CTL_PEER,
	CTL_COUNT,
	CTL_USER_DATA,
	CTL_P2P,
	CTL_ICE,
	CTL_OUTPUT,
	CTL_MIME_TYPE,
	CTL_WAIT,
	CTL_FD,
	CTL_AUDIO,
	CTL_VIDEO,
	CTL_DRY_RUN,
	CTL_REJOIN,
	CTL_INTERVAL,
	N_CTL_OPTIONS,
};
#define CTL_FIRST_OWN_OPTION CTL_FOLLOW

struct ctl_option {
	const char *name;	/* without dashes */
	char letter;		/* 0: none */
	const char *argument;	/* "PATH", or NULL */
	const char *values;	/* what can be said: "auto|always|never" */
	bool is_path;		/* completes to files */
	const char *help;
};
extern const struct ctl_option ctl_options[N_CTL_OPTIONS];

enum ctl_verb_id {
	CTL_STATUS,
	CTL_PEERS,
	CTL_DEVICES,
	CTL_DOCTOR,
	CTL_SELFTEST,
	CTL_SCHEDULE,
	CTL_TOP,
	CTL_INFO,
	CTL_JOIN,
	CTL_LEAVE,
	CTL_MSG,
	CTL_SEND,
	CTL_SEND_URL,
	CTL_ACCEPT,
	CTL_REJECT,
	CTL_CANCEL,
	CTL_TRANSFERS,
	CTL_RECEIVED,
	CTL_USERDATA,
	CTL_LOCK,
	CTL_UNLOCK,
	CTL_MUTE,
	CTL_UNMUTE,
	CTL_STREAM,
	CTL_SHARE,
	CTL_UNSHARE,
	CTL_REFRESH,
	CTL_INTRODUCE,
	CTL_LIST_ALL_PEERS,
	CTL_LOGS,
	CTL_LOGLEVEL,
	CTL_EVENTS,
	CTL_WATCH,
	CTL_CALL,
	CTL_METHODS,
	CTL_CONFIG,
	CTL_RESTART,
	CTL_COMPLETION,
	CTL_HELP_VERB,
	N_CTL_VERBS,
};

struct ctl_verb {
	const char *name;
	const char *arguments;	/* "ROOM", "[NAME...]", or "" */
	const char *values;	/* what the arguments can be, or NULL */
	unsigned int min_arguments, max_arguments;
	unsigned int options;	/* a bit per own option: 1 << CTL_FOLLOW */
	const char *help;	/* one sentence */
	const char *details;	/* more, or NULL */
	bool takes_files;	/* arguments complete to files */
	const char *words;	/* they complete to these, "get|set", or NULL */
	bool takes_keys;	/* and to the configuration's options, ... */
	bool takes_methods, takes_events;	/* ... to the socket's names */
};
extern const struct ctl_verb ctl_verbs[N_CTL_VERBS];

/* Return: the verb, or -1. */
int ctl_table_find_verb(const char *name);
bool ctl_table_verb_has(const struct ctl_verb *verb, enum ctl_option_id id);

/* The text of --help: of all (@verb -1), or of one verb; g_free() it. */
char *ctl_table_help(int verb);
