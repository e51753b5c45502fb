// SPDX-License-Identifier: Apache-2.0
#include "appliance/log-filter.h"

#include <stdio.h>
#include <string.h>

void log_filter_init(struct log_filter *filter, const char *level)
{
	static const struct {
		const char *name;
		GLogLevelFlags least;
	} levels[] = {
		{"error", G_LOG_LEVEL_CRITICAL},
		{"warning", G_LOG_LEVEL_WARNING},
		{"info", G_LOG_LEVEL_INFO},
		{"debug", G_LOG_LEVEL_DEBUG},
	};

	filter->least = G_LOG_LEVEL_INFO;
	for (unsigned int i = 0; i < G_N_ELEMENTS(levels); i++)
		if (!strcmp(levels[i].name, level))
			filter->least = levels[i].least;
}

gboolean log_filter_passes(const struct log_filter *filter,
			   GLogLevelFlags level)
{
	/* GLib's levels are bits; a higher one is less important. */
	return (level & G_LOG_LEVEL_MASK) <= filter->least;
}

static GLogWriterOutput write_log(GLogLevelFlags level,
				  const GLogField *fields, gsize n_fields,
				  gpointer user)
{
	/* Whoever sets $G_MESSAGES_DEBUG asks for GLib's own rules. */
	if (!log_filter_passes(user, level) && !g_getenv("G_MESSAGES_DEBUG"))
		return G_LOG_WRITER_HANDLED;
	/* GLib's writer hides these two kinds, and ends the process for fatal
	 * ones, so it gets all the others. */
	if (!(level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG)) ||
	    g_getenv("G_MESSAGES_DEBUG"))
		return g_log_writer_default(level, fields, n_fields, NULL);
	if (g_log_writer_is_journald(fileno(stderr)) &&
	    g_log_writer_journald(level, fields, n_fields, NULL) ==
		    G_LOG_WRITER_HANDLED)
		return G_LOG_WRITER_HANDLED;
	return g_log_writer_standard_streams(level, fields, n_fields, NULL);
}

void log_filter_install(struct log_filter *filter)
{
	g_log_set_writer_func(write_log, filter, NULL);
}
