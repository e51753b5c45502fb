/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-text.h - numbers and tables for people
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  results are freed with g_free()
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum ctl_color {
	CTL_PLAIN,
	CTL_GOOD,
	CTL_WARN,
	CTL_BAD,
	CTL_DIM,
	CTL_BOLD,
};

/* What peers say about themselves goes to a terminal: controls become '?'. */
char *ctl_text_safe(const char *text);
/* "2.5 Mb/s" */
char *ctl_text_rate(double bps);
/* "4.3 MB": of 1000 kB, as files' sizes are told */
char *ctl_text_size(double bytes);
/* "3 min 12 s" */
char *ctl_text_duration(double seconds);
/* "12", "3.4 k", "5.6 M" */
char *ctl_text_count(double n);
/* "48 MB" from kilobytes of 1024 bytes */
char *ctl_text_memory(double kb);

/* Appends @text in @color, or plainly when @on is false. */
void ctl_text_paint(GString *s, bool on, enum ctl_color color,
		    const char *text);

/* --- a table: aligned by what a terminal shows ----------------------------- */
struct ctl_columns;
struct ctl_columns *ctl_columns_new(unsigned int n_columns);
void ctl_columns_free(struct ctl_columns *table);
/* Cells go row by row, from the left. @right: a number. Takes @text. */
void ctl_columns_take(struct ctl_columns *table, enum ctl_color color, bool right,
		    char *text);
void ctl_columns_print(const struct ctl_columns *table, GString *s,
		     const char *indent, bool color);
