// SPDX-License-Identifier: Apache-2.0
#include "appliance/help-text.h"

#include <string.h>

#define COLUMNS 79

void help_text_wrap(GString *s, unsigned int indent, const char *text)
{
	size_t column = indent;
	gboolean first = TRUE;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (!first && column + 1 + n > COLUMNS) {
			g_string_append_printf(s, "\n%*s", (int) indent, "");
			column = indent;
		} else if (!first) {
			g_string_append_c(s, ' ');
			column++;
		}
		g_string_append_len(s, text, (gssize) n);
		column += n;
		text += n;
		text += strspn(text, " ");
		first = FALSE;
	}
	g_string_append_c(s, '\n');
}

void help_text_row(GString *s, const char *left, const char *help)
{
	size_t n = strlen(left);

	g_string_append(s, left);
	if (n + 2 > HELP_TEXT_COLUMN)
		g_string_append_printf(s, "\n%*s", HELP_TEXT_COLUMN, "");
	else
		g_string_append_printf(s, "%*s", (int) (HELP_TEXT_COLUMN - n),
				       "");
	help_text_wrap(s, HELP_TEXT_COLUMN, help);
}

void help_text_option(GString *s, char letter, const char *name,
		      const char *argument, const char *help)
{
	g_autofree char *short_form = letter ? g_strdup_printf("-%c, ", letter)
					     : g_strdup("    ");
	g_autofree char *left = g_strdup_printf(
		"  %s--%s%s%s", short_form, name, argument ? " " : "",
		argument ? argument : "");

	help_text_row(s, left, help);
}
