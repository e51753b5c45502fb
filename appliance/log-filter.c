// SPDX-License-Identifier: Apache-2.0
#include "appliance/log-filter.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void log_filter_set_configured(struct log_filter *filter, const char *level)
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

	for (unsigned int i = 0; i < G_N_ELEMENTS(levels); i++)
		if (!strcmp(levels[i].name, level))
			atomic_store(&filter->least, levels[i].least);
}

void log_filter_init(struct log_filter *filter, const char *level)
{
	filter->store = NULL;
	atomic_init(&filter->trace, false);
	atomic_init(&filter->least, G_LOG_LEVEL_INFO);
	log_filter_set_configured(filter, level);
}

void log_filter_set_level(struct log_filter *filter,
			  enum log_store_level level)
{
	static const GLogLevelFlags least[] = {
		[LOG_STORE_ERROR] = G_LOG_LEVEL_CRITICAL,
		[LOG_STORE_WARN] = G_LOG_LEVEL_WARNING,
		[LOG_STORE_INFO] = G_LOG_LEVEL_MESSAGE,
		[LOG_STORE_LOG] = G_LOG_LEVEL_INFO,
		[LOG_STORE_DEBUG] = G_LOG_LEVEL_DEBUG,
	};

	atomic_store(&filter->least, least[level]);
}

gboolean log_filter_passes(const struct log_filter *filter,
			   GLogLevelFlags level)
{
	/* GLib's levels are bits; a higher one is less important. */
	return (int) (level & G_LOG_LEVEL_MASK) <= atomic_load(&filter->least);
}

static enum log_store_level level_of(GLogLevelFlags level)
{
	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return LOG_STORE_ERROR;
	if (level & G_LOG_LEVEL_WARNING)
		return LOG_STORE_WARN;
	if (level & G_LOG_LEVEL_MESSAGE)
		return LOG_STORE_INFO;
	return level & G_LOG_LEVEL_INFO ? LOG_STORE_LOG : LOG_STORE_DEBUG;
}

/* A field's text; NULL when it has none, or is not text. */
static const char *field_text(const GLogField *fields, gsize n_fields,
			      const char *key)
{
	for (gsize i = 0; i < n_fields; i++)
		if (!strcmp(fields[i].key, key) && fields[i].length < 0)
			return fields[i].value;
	return NULL;
}

/* "file:line function" (g_free), or NULL */
static char *place_of(const GLogField *fields, gsize n_fields)
{
	const char *file = field_text(fields, n_fields, "CODE_FILE");
	const char *line = field_text(fields, n_fields, "CODE_LINE");
	const char *func = field_text(fields, n_fields, "CODE_FUNC");

	if (!file || !line)
		return NULL;
	while (g_str_has_prefix(file, "../"))
		file += 3;
	return g_strdup_printf("%s:%s %s", file, line, func ? func : "");
}

static void store_line(const struct log_filter *filter, GLogLevelFlags level,
		       const GLogField *fields, gsize n_fields)
{
	const char *text = field_text(fields, n_fields, "MESSAGE");
	g_autofree char *place = NULL;

	if (!text || !log_store_is_enabled(filter->store))
		return;
	if (atomic_load(&filter->trace))
		place = place_of(fields, n_fields);
	log_store_add(filter->store, g_get_real_time(), level_of(level), text,
		      place);
}

static GLogWriterOutput write_line(GLogLevelFlags level,
				   const GLogField *fields, gsize n_fields)
{
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

#define FIELDS_MAX 16	/* GLib's macros give five */

static GLogWriterOutput write_log(GLogLevelFlags level,
				  const GLogField *fields, gsize n_fields,
				  gpointer user)
{
	const struct log_filter *filter = user;
	GLogField own[FIELDS_MAX];
	g_autofree char *place = NULL, *text = NULL;

	if (filter->store)
		store_line(filter, level, fields, n_fields);
	/* Whoever sets $G_MESSAGES_DEBUG asks for GLib's own rules. */
	if (!log_filter_passes(filter, level) && !g_getenv("G_MESSAGES_DEBUG"))
		return G_LOG_WRITER_HANDLED;
	if (atomic_load(&filter->trace) && n_fields <= FIELDS_MAX)
		place = place_of(fields, n_fields);
	if (!place)
		return write_line(level, fields, n_fields);
	memcpy(own, fields, n_fields * sizeof(*own));
	for (gsize i = 0; i < n_fields; i++) {
		if (text || strcmp(own[i].key, "MESSAGE") || own[i].length >= 0)
			continue;
		text = g_strdup_printf("%s @ %s",
				       (const char *) own[i].value, place);
		own[i].value = text;
	}
	return write_line(level, own, n_fields);
}

void log_filter_install(struct log_filter *filter)
{
	/* What a program prints for others stands alone on standard output. */
	g_log_writer_default_set_use_stderr(TRUE);
	g_log_set_writer_func(write_log, filter, NULL);
}
