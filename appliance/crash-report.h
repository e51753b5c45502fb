/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/crash-report.h - a last line in the journal before a crash
 *
 * A signal that ends the process because the program is wrong (SIGSEGV,
 * SIGABRT, GLib's g_error() with its SIGTRAP, the watchdog's SIGABRT, ...) is
 * told before it does what it does: two records with DAEMON_MESSAGE_CRASHED's
 * id, the first with signal, address and thread, the second with the build id
 * and where the thread was, as FILE+OFFSET for addr2line(1). Where standard
 * error is not the journal, the same as lines there.
 *
 * Everything the handler calls is safe in a handler. Whatever goes wrong inside
 * ends the process by the signal's default action: at once when it crashes
 * again, after CRASH_REPORT_SECONDS when it hangs.
 *
 * Source:  signal-safety(7); systemd's "Native Journal Protocol";
 *          backtrace(3) with _dl_find_object(3), which takes no lock
 * Thread:  any thread may crash; installed once, from main()
 * Memory:  what the handler needs is static: it may not ask for any
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CRASH_REPORT_SECONDS 5
#define CRASH_REPORT_FRAMES  32
#define CRASH_REPORT_MAX     4096 /* bytes of a record */

/* From now on. A signal that somebody handles already (a sanitizer, a
 * debugger's agent) stays with them. */
void crash_report_install(void);

/* What a record holds, in the handler's own words; for the handler and its
 * test. All text is borrowed. */
struct crash_report {
	int signal;
	bool sent;	     /* by a process, not by a fault */
	int sender;	     /* its pid, when @sent */
	const void *address; /* of the fault, unless @sent */
	const char *thread;  /* its name */
};

/**
 * crash_report_text() - the line for people
 * @ret: NUL-terminated, whatever its size
 *
 * Return: its length without the NUL.
 */
size_t crash_report_text(const struct crash_report *r, char *ret, size_t size);
