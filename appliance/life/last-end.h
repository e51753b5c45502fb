/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/life/last-end.h - how the daemon ended, as systemd saw it
 *
 * Who is killed cannot say by what. The unit's ExecStopPost= runs
 * 'skylinkd --note-end', which gets it as $SERVICE_RESULT, $EXIT_CODE and
 * $EXIT_STATUS and writes one line, "signal KILL", beside the state; the next
 * daemon reads it and removes it.
 *
 * Source:  systemd.exec(5) $SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS
 * Thread:  any; reads and writes a small file
 * Memory:  results are owned by the caller
 */
#pragma once

#include <glib.h>

#define LAST_END_MAX_BYTES 64

/* "signal KILL", "the watchdog (signal ABRT)", "exit status 3"; NULL: it ended
 * well, or nothing is known. Any of them may be NULL. g_free() */
char *last_end_text(const char *service_result, const char *exit_code,
		    const char *exit_status);
/* From the environment, into @dir; a good end removes what stands there.
 * Return: FALSE with @error. */
gboolean last_end_note(const char *dir, GError **error);
/* What stands in @dir, which is removed; NULL: nothing of use. g_free() */
char *last_end_take(const char *dir);
