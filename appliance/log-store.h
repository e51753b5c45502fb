/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/log-store.h - the latest log lines, for getLogs
 *
 * Keeps nothing before it is told to (setDebugMode's storeLogs). Then every
 * line is kept, whatever is written to the journal, until newer ones take its
 * place.
 *
 * Source:  SkylinkJS 0.6.12 API: SkylinkLogs, setDebugMode, LOG_LEVEL
 * Thread:  any; a lock guards it
 * Memory:  owned by its creator; at most LOG_STORE_MAX lines of
 *          LOG_STORE_TEXT_MAX_BYTES
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdio.h>

#define LOG_STORE_MAX		 4096
#define LOG_STORE_TEXT_MAX_BYTES 1024
/* Of one answer: the newest lines that fit. */
#define LOG_STORE_ANSWER_MAX_BYTES (900u << 10)

/* LOG_LEVEL of the API. */
enum log_store_level {
	LOG_STORE_ALL = -1,
	LOG_STORE_ERROR,
	LOG_STORE_WARN,
	LOG_STORE_INFO,
	LOG_STORE_LOG,
	LOG_STORE_DEBUG,
};

typedef struct LogStore LogStore;

LogStore *log_store_new(void);
/* Takes NULL. */
LogStore *log_store_free(LogStore *store);

/* What is kept stays when it is switched off. */
void log_store_set_enabled(LogStore *store, gboolean enabled);
gboolean log_store_is_enabled(LogStore *store);

/**
 * log_store_add() - a line was logged
 * @time_us: wall clock
 * @text:    cut, and with nothing in it a terminal acts on
 * @place:   "file:line function", or NULL
 *
 * Does nothing while the store is switched off.
 */
void log_store_add(LogStore *store, gint64 time_us, enum log_store_level level,
		   const char *text, const char *place);

/* Return: (transfer full): an array of [timestamp, "error|warn|info|log|debug",
 * text], and {place} where it is known; oldest first; the newest that fit into
 * LOG_STORE_ANSWER_MAX_BYTES */
JsonNode *log_store_describe(LogStore *store, enum log_store_level level);
void log_store_clear(LogStore *store, enum log_store_level level);
/* Return: how many lines were written to @to. */
unsigned int log_store_print(LogStore *store, FILE *to);
