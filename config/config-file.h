/* SPDX-License-Identifier: Apache-2.0 */
/* config/config-file.h - the pure reader of one configuration text
 *
 *   # a comment, only at the start of a line
 *   [section]
 *   key = value
 *
 * Source:  docs/configuration.md
 * Thread:  any
 * Memory:  results are owned by the caller
 */
#pragma once

#include "config/option-table.h"

#define CONFIG_FILE_MAX_BYTES	 (256u << 10)
#define CONFIG_FILE_MAX_LINE	 OPTION_VALUE_MAX_BYTES
#define CONFIG_FILE_MAX_PROBLEMS 50

struct config_entry {
	enum option_id id;
	unsigned int line;		/* 1-based */
	struct option_value value;
};

/**
 * config_file_parse() - read one text
 * @name:     of the file, for messages
 * @entries:  takes a struct config_entry per good line, in the file's order,
 *            each option at most once; made by config_file_entries_new()
 * @problems: takes "NAME:LINE: ..." strings, g_free()d by its owner; after
 *            CONFIG_FILE_MAX_PROBLEMS one last string says that there are more
 *
 * Return: true when there was no problem.
 */
bool config_file_parse(const char *name, const char *text, size_t len,
		       GArray *entries, GPtrArray *problems);

/* An array that clears its entries. */
GArray *config_file_entries_new(void);
