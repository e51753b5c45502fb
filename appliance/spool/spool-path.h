/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/spool/spool-path.h - where received files are kept
 *
 * Source:  systemd.exec(5) STATE_DIRECTORY; XDG Base Directory Specification
 * Thread:  any
 * Memory:  results are owned by the caller
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* What the choice depends on, handed in so that tests can choose. */
typedef struct {
	const char *configured;		/* transfer.directory, or "" */
	const char *service_dir;	/* $STATE_DIRECTORY, or NULL */
	const char *state_dir;		/* "/var/lib" */
	const char *user_dir;		/* $XDG_STATE_HOME or ~/.local/state */
	const char *instance;		/* -i NAME, or NULL */
	gboolean demo;			/* leaves the machine as it is */
	uid_t uid;
} SpoolPathInput;

/* From the environment of this process; the caller adds the rest. */
void spool_path_input_init(SpoolPathInput *input);

/* The configured one, else .../received of the service's state directory, of
 * /var/lib/skylink for root, of the user's state directory for others. */
char *spool_path_choose(const SpoolPathInput *input);
/* The state directory itself, for what is kept beside them. */
char *spool_path_state_dir(const SpoolPathInput *input);
