/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/help-text.h - the rows of --help, wrapped for a terminal
 *
 * Source:  none (our own)
 * Thread:  any; pure
 * Memory:  appends to its caller's GString
 */
#pragma once

#include <glib.h>

#define HELP_TEXT_COLUMN 26	/* where explanations start */

/* @text, wrapped, each further line indented by @indent; and a line end. The
 * first word goes where the string ends, at column @indent. */
void help_text_wrap(GString *s, unsigned int indent, const char *text);

/* @left, and beside it (or below, if it is too long) @help. */
void help_text_row(GString *s, const char *left, const char *help);

/* The row of an option. @letter: 0 if it has none; @argument: or NULL */
void help_text_option(GString *s, char letter, const char *name,
		      const char *argument, const char *help);
