/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-path.h - where the control socket is
 *
 * Source:  XDG Base Directory Specification; systemd.exec(5) RUNTIME_DIRECTORY
 * Thread:  any
 * Memory:  results are owned by the caller
 */
#pragma once

#include <gio/gio.h>

/* What the choice depends on, handed in so that tests can choose. */
typedef struct {
	const char *explicit_path;	/* --socket, or control.socket */
	const char *environment;	/* $SKYLINK_SOCKET */
	const char *runtime_dir;	/* $XDG_RUNTIME_DIR */
	const char *service_dir;	/* $RUNTIME_DIRECTORY (daemon only) */
	const char *instance;		/* -i NAME, or NULL */
	const char *run_dir;		/* "/run" */
	const char *tmp_dir;		/* "/tmp" */
	uid_t uid;
} ControlPathInput;

/* From the environment of this process. */
void control_path_input_init(ControlPathInput *input);

/* Where the daemon listens: the explicit path, else the service's runtime
 * directory, else /run/skylink for root, else $XDG_RUNTIME_DIR/skylink, else
 * /tmp/skylink-UID. */
char *control_path_for_daemon(const ControlPathInput *input);

/* Where a client looks, in this order; NULL terminated; g_strfreev(). */
char **control_path_for_client(const ControlPathInput *input);

/* "a-z A-Z 0-9 _ . -", not starting with a dot or dash, at most 64. */
gboolean control_path_instance_is_valid(const char *instance);

/* Makes the socket's directory if it is missing (0700 below /tmp, else 0755)
 * and refuses one in /tmp that is not ours alone. */
gboolean control_path_prepare(const char *path, GError **error);

/* A client must not talk to a stranger's socket: below /tmp/skylink-UID the
 * directory has to be ours. */
gboolean control_path_is_trusted(const char *path, GError **error);
