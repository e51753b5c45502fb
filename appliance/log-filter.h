/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/log-filter.h - log.level, applied to everything GLib logs
 *
 * Source:  GLib, "Structured logging"; log.level in skylink.conf(5)
 * Thread:  any may log; installed once, from main()
 * Memory:  the caller's; must live as long as the process
 */
#pragma once

#include <stdatomic.h>

#include "appliance/log-store.h"

struct log_filter {
	atomic_int least;	/* GLogLevelFlags: the least important kind
				 * that is written */
	atomic_bool trace;	/* lines tell their place */
	LogStore *store;	/* gets every line; or NULL */
};

/* @level: "error", "warning", "info" or "debug". Nothing is stored. */
void log_filter_init(struct log_filter *filter, const char *level);
/* The same of a filter that is in use: only the level changes. */
void log_filter_set_configured(struct log_filter *filter, const char *level);
/* setLogLevel: from now on. @level: not LOG_STORE_ALL. */
void log_filter_set_level(struct log_filter *filter,
			  enum log_store_level level);
gboolean log_filter_passes(const struct log_filter *filter,
			   GLogLevelFlags level);
/* From now on all messages of this process go through @filter. */
void log_filter_install(struct log_filter *filter);
