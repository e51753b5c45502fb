/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-landlock.h - which files the daemon may open, and no others
 *
 *   read     the system (/usr, /etc, /run, /proc, /sys), its own configuration,
 *            what that names, what the libraries look for at home
 *   written  devices, the state directory, received files, the control socket's
 *            folder
 *
 * It is put in force before the first thread begins. A reload can name what is
 * outside of it: that counts from the next start on, and is told so.
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  see each function
 */
#pragma once

#include "appliance/daemon.h"
#include "appliance/landlock.h"

/* What came of it; {0}: nothing was tried. */
struct daemon_landlock {
	Landlock *rules;	/* NULL: not in force */
	gboolean wanted;
	char *why;		/* it is not */
};

/**
 * daemon_landlock_start() - from now on, if security.landlock says so
 * @options: config, config_path, set_path, instance, demo, listen_fd
 * @ret:     daemon_landlock_done() it
 *
 * The folders that it is to write in are made. What the kernel refuses is no
 * failure: the daemon goes on without, and says why. Logs nothing.
 */
void daemon_landlock_start(const struct daemon_options *options,
			   struct daemon_landlock *ret);
void daemon_landlock_done(struct daemon_landlock *landlock);
/* A line for the log, where it is wanted and not to be had. */
void daemon_landlock_tell(const struct daemon_landlock *landlock);

/* May what @config says for @id be opened? TRUE without Landlock and for
 * options that name no file. @landlock: or NULL */
gboolean daemon_landlock_covers(const struct daemon_landlock *landlock,
				const Config *config, enum option_id id);
/* The ABI in force, or 0, and then why; NULL when it is. @landlock: or NULL */
int daemon_landlock_get_abi(const struct daemon_landlock *landlock);
const char *daemon_landlock_get_reason(const struct daemon_landlock *landlock);
