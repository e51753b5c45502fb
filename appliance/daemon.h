/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon.h - skylinkd from its options to its end
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  everything it starts ends with daemon_run()
 */
#pragma once

#include <stdbool.h>

#include "config/config.h"

struct log_filter;
struct daemon_landlock;

/* The command line. --demo, --source, --audio-source, --listen, --socket and
 * --set are already in @config (origin: the option's name); the flags below
 * are what no configuration key can say. */
struct daemon_options {
	Config *config;		/* borrowed; checked */
	const char *config_path; /* --config, or NULL: read again on reload */
	const char *set_path;	/* the set-file; NULL: there is none */
	/* Reads the configuration once more, as at the start: the command line
	 * prevails. @set_text: instead of what the set-file holds, or NULL.
	 * (transfer full), whatever @problems it takes. NULL: there are no
	 * files. */
	Config *(*load)(const void *user, const char *set_text,
			GPtrArray *problems);
	const void *load_user;
	bool demo;		/* print the viewer page's address when it
				 * answers; a busy port: the next free one */
	bool listen_given;	/* --listen: print the LAN address */
	bool room_server_only;	/* --room-server: no media, no room */
	bool quiet;		/* nothing on stdout but what was asked for */
	const char *instance;	/* -i NAME, or NULL */
	int listen_fd;		/* systemd's control socket; -1: none */
	struct log_filter *log;	/* borrowed; setLogLevel changes it */
	/* borrowed; NULL: every file is open to us */
	const struct daemon_landlock *landlock;
};

/* The files that the configuration names, beyond its own: are they right?
 * FALSE with all that is wrong, one line each. */
gboolean daemon_check_files(Config *config, GError **error);

/* It does not start: systemd, and whoever waits at the control socket, are told
 * @why. */
void daemon_refuse_clients(const struct daemon_options *options,
			   const char *why);

/* Runs until SIGINT, SIGTERM or a failure at start. Return: exit status. */
int daemon_run(const struct daemon_options *options);
