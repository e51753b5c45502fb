// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/last-end.h"

#include <string.h>
#include <unistd.h>

#include "config/whole-file.h"

#define LAST_END_FILE "last-end"

/* Of systemd's own making, but the file could be anybody's who may write
 * there. */
static gboolean is_plain(const char *text)
{
	if (!*text || strlen(text) > LAST_END_MAX_BYTES)
		return FALSE;
	for (; *text; text++)
		if (!g_ascii_isalnum(*text) && !strchr(" ()+-", *text))
			return FALSE;
	return TRUE;
}

char *last_end_text(const char *service_result, const char *exit_code,
		    const char *exit_status)
{
	g_autofree char *text = NULL;

	if (!exit_code || !exit_status ||
	    !g_strcmp0(service_result, "success"))
		return NULL;
	if (!strcmp(exit_code, "exited"))
		text = g_strdup_printf("exit status %s", exit_status);
	else if (!g_strcmp0(service_result, "watchdog"))
		text = g_strdup_printf("the watchdog (signal %s)", exit_status);
	else if (!g_strcmp0(service_result, "oom-kill"))
		text = g_strdup("lack of memory");
	else
		text = g_strdup_printf("signal %s", exit_status);
	return is_plain(text) ? g_steal_pointer(&text) : NULL;
}

gboolean last_end_note(const char *dir, GError **error)
{
	g_autofree char *path = g_build_filename(dir, LAST_END_FILE, NULL);
	g_autofree char *text = last_end_text(g_getenv("SERVICE_RESULT"),
					      g_getenv("EXIT_CODE"),
					      g_getenv("EXIT_STATUS"));

	return whole_file_write(path, text, text ? strlen(text) : 0, 0, NULL,
				error);
}

char *last_end_take(const char *dir)
{
	g_autofree char *path = g_build_filename(dir, LAST_END_FILE, NULL);
	g_autofree char *text = NULL;
	gsize len;

	if (whole_file_read(path, LAST_END_MAX_BYTES, &text, &len) < 0)
		return NULL;
	unlink(path);
	return strlen(text) == len && is_plain(text) ? g_steal_pointer(&text)
						     : NULL;
}
