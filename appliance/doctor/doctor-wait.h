/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/doctor/doctor-wait.h - waits for one GIO operation, so long and no
 * longer
 *
 * Source:  none (our own)
 * Thread:  one whose thread-default context nobody else runs
 * Memory:  the caller's
 */
#pragma once

#include <gio/gio.h>

struct doctor_wait {
	GCancellable *cancellable;	/* give it to the operation */
	gboolean timed_out;
	GMainLoop *loop;
	GSource *timer;
	GAsyncResult *result;
};

void doctor_wait_begin(struct doctor_wait *wait, guint timeout_ms);
/* The operation's callback, @wait its data. */
void doctor_wait_done(GObject *source, GAsyncResult *result, gpointer wait);
/* Runs until there is one. Borrowed. */
GAsyncResult *doctor_wait_result(struct doctor_wait *wait);
void doctor_wait_end(struct doctor_wait *wait);
