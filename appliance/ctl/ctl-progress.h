/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-progress.h - transfers as they go on, for people
 *
 * On a terminal one line that is drawn over, elsewhere a line for every step.
 *
 * Source:  dataTransferState of the SkylinkJS 0.6.12 API
 * Thread:  any, one at a time
 * Memory:  owned by its creator; one entry per peer that is told of
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>

struct ctl_progress;

/* @name: what is transferred. @bar: draw on @out, which is a terminal; else
 * lines, or nothing when @out is NULL. */
struct ctl_progress *ctl_progress_new(const char *name, FILE *out, bool bar,
				      gint64 now_us);
struct ctl_progress *ctl_progress_free(struct ctl_progress *p);

/* A dataTransferState; those of other transfers are left out by the caller. */
void ctl_progress_event(struct ctl_progress *p, JsonObject *params,
			gint64 now_us);
/* The bar's line is left empty: something else is printed. */
void ctl_progress_clear(struct ctl_progress *p);

/* "report.pdf  43 % ########............  4.3 MB of 10 MB  2.1 MB/s  3 s"; at
 * most @columns wide; g_free(). */
char *ctl_progress_line(const char *name, guint64 bytes, guint64 total,
			double seconds, unsigned int columns);

/* Does this state end a transfer? *@ret_well: and did it go well? */
bool ctl_progress_is_end(const char *state, bool *ret_well);
/* Why, of a dataTransferState; NULL: nothing is wrong. g_free(), safe. */
char *ctl_progress_why(JsonObject *params);
