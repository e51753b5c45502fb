/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/log-filter.h - log.level, applied to everything GLib logs
 *
 * Source:  GLib, "Structured logging"; log.level in skylink.conf(5)
 * Thread:  any may log; installed once, from main()
 * Memory:  the caller's; must live as long as the process
 */
#pragma once

#include <glib.h>

struct log_filter {
	GLogLevelFlags least;	/* the least important kind that is written */
};

/* @level: "error", "warning", "info" or "debug" */
void log_filter_init(struct log_filter *filter, const char *level);
gboolean log_filter_passes(const struct log_filter *filter,
			   GLogLevelFlags level);
/* From now on all messages of this process go through @filter. */
void log_filter_install(struct log_filter *filter);
