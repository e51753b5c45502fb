// SPDX-License-Identifier: Apache-2.0
/* config/config-default.c - the commented default file, from the table */
#include "config/config.h"

#include <string.h>

#define COLUMNS 78

/* Breaks prose into comment lines. */
static void append_comment(GString *s, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (!column) {
			g_string_append(s, "# ");
			column = 2;
		} else if (column + 1 + n > COLUMNS) {
			g_string_append(s, "\n# ");
			column = 2;
		} else {
			g_string_append_c(s, ' ');
			column++;
		}
		g_string_append_len(s, text, (gssize) n);
		column += n;
		text += n;
		while (*text == ' ')
			text++;
	}
	g_string_append_c(s, '\n');
}

static void append_option(GString *s, const struct option_row *row)
{
	g_autofree char *allowed = option_describe_allowed(row);
	g_autofree char *line = g_strdup_printf(
		"Allowed: %s. %s", allowed, option_change_help(row->change));

	g_string_append_c(s, '\n');
	append_comment(s, row->help);
	append_comment(s, line);
	g_string_append_printf(s, "#%s =%s%s\n", row->key,
			       row->def[0] ? " " : "", row->def);
}

char *config_print_default(void)
{
	GString *s = g_string_new(
		"# Configuration of the Skylink appliance, skylink.conf(5)\n"
		"#\n"
		"# Every key stands here with its default value, commented "
		"out.\n"
		"# A '#' is a comment only at the start of a line. Lists are "
		"separated by ';'.\n"
		"# Files in " CONFIG_MAIN_FILE ".d/ that end in .conf\n"
		"# are read after this one, in the order of their names; the "
		"last value holds.\n"
		"# 'skylinkd --check-config' tells what is wrong, and where.\n");

	for (unsigned int i = 0; option_table_section(i); i++) {
		const char *section = option_table_section(i);
		bool empty = true;

		g_string_append_c(s, '\n');
		append_comment(s, option_table_section_help(section));
		g_string_append_printf(s, "[%s]\n", section);
		for (int id = 0; id < N_OPTIONS; id++) {
			const struct option_row *row = option_table_get(id);

			if (strcmp(row->section, section))
				continue;
			append_option(s, row);
			empty = false;
		}
		if (empty)
			g_string_append(s, "# (no keys yet)\n");
	}
	return g_string_free(s, FALSE);
}
