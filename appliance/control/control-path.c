// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-path.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_NAME "control.sock"
#define OUR_DIR	    "skylink"
#define INSTANCE_MAX 64

void control_path_input_init(ControlPathInput *input)
{
	*input = (ControlPathInput){
		.environment = g_getenv("SKYLINK_SOCKET"),
		.runtime_dir = g_getenv("XDG_RUNTIME_DIR"),
		.service_dir = g_getenv("RUNTIME_DIRECTORY"),
		.run_dir = "/run",
		.tmp_dir = "/tmp",
		.uid = geteuid(),
	};
}

static gboolean is_set(const char *text)
{
	return text && text[0];
}

static char *make_path(const char *base, const char *dir, const char *instance)
{
	return g_build_filename(base, dir, instance ? instance : SOCKET_NAME,
				instance ? SOCKET_NAME : NULL, NULL);
}

static char *private_dir_name(uid_t uid)
{
	return g_strdup_printf(OUR_DIR "-%u", (unsigned int) uid);
}

static char *path_in_tmp(const ControlPathInput *input)
{
	g_autofree char *dir = private_dir_name(input->uid);

	return make_path(input->tmp_dir, dir, input->instance);
}

char *control_path_for_daemon(const ControlPathInput *input)
{
	if (is_set(input->explicit_path))
		return g_strdup(input->explicit_path);
	/* systemd has made it for this very instance; of several the first. */
	if (is_set(input->service_dir)) {
		g_auto(GStrv) dirs = g_strsplit(input->service_dir, ":", 2);

		return g_build_filename(dirs[0], SOCKET_NAME, NULL);
	}
	if (input->uid == 0)
		return make_path(input->run_dir, OUR_DIR, input->instance);
	if (is_set(input->runtime_dir))
		return make_path(input->runtime_dir, OUR_DIR, input->instance);
	return path_in_tmp(input);
}

static gboolean exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

char **control_path_for_client(const ControlPathInput *input)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();

	if (is_set(input->explicit_path)) {
		g_ptr_array_add(list, g_strdup(input->explicit_path));
	} else if (is_set(input->environment) && !input->instance) {
		g_ptr_array_add(list, g_strdup(input->environment));
	} else {
		g_autofree char *session = NULL;

		if (is_set(input->runtime_dir))
			session = make_path(input->runtime_dir, OUR_DIR,
					    input->instance);
		if (session && exists(session))
			g_ptr_array_add(list, g_steal_pointer(&session));
		g_ptr_array_add(list, make_path(input->run_dir, OUR_DIR,
						input->instance));
		if (!is_set(input->runtime_dir) && input->uid != 0)
			g_ptr_array_add(list, path_in_tmp(input));
	}
	g_ptr_array_add(list, NULL);
	return (char **) g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

gboolean control_path_instance_is_valid(const char *instance)
{
	size_t n = strlen(instance);

	return n && n <= INSTANCE_MAX && instance[0] != '.' &&
	       instance[0] != '-' &&
	       strspn(instance, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

/* Whether a directory on the way to @path is the one below /tmp, by name:
 * everybody may make it there before us. */
static char *find_private_dir(const char *path)
{
	g_autofree char *name = private_dir_name(geteuid());
	g_autofree char *dir = g_path_get_dirname(path);

	while (strlen(dir) > 1) {
		g_autofree char *base = g_path_get_basename(dir);
		char *up;

		if (!strcmp(base, name))
			return g_steal_pointer(&dir);
		up = g_path_get_dirname(dir);
		if (!strcmp(up, dir)) {
			g_free(up);
			break;
		}
		g_free(dir);
		dir = up;
	}
	return NULL;
}

static gboolean check_private(const char *dir, GError **error)
{
	struct stat st;

	if (lstat(dir, &st) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			    "Cannot examine '%s': %s", dir, g_strerror(errno));
		return FALSE;
	}
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & 077))
		return TRUE;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
		    "Will not use '%s': it must be a directory of this user "
		    "alone (mode 0700)", dir);
	return FALSE;
}

gboolean control_path_prepare(const char *path, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *private = find_private_dir(path);

	if (g_mkdir_with_parents(dir, private ? 0700 : 0755) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			    "Cannot make directory '%s': %s", dir,
			    g_strerror(errno));
		return FALSE;
	}
	return !private || check_private(private, error);
}

gboolean control_path_is_trusted(const char *path, GError **error)
{
	g_autofree char *private = find_private_dir(path);

	return !private || check_private(private, error);
}
