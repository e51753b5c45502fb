// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-text.h"

#include <math.h>
#include <string.h>

char *ctl_text_safe(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *s = g_string_new(NULL);

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		/* Bidirectional marks can make a line read as another one. */
		if (g_unichar_iscntrl(c) ||
		    g_unichar_type(c) == G_UNICODE_FORMAT)
			g_string_append_c(s, '?');
		else
			g_string_append_unichar(s, c);
	}
	return g_string_free(s, FALSE);
}

/* Three figures are what a person reads: 1.25, 12.5, 125. */
static char *scale(double n, double base, const char *const *units)
{
	while (units[1] && fabs(n) >= base * 0.9995) {
		n /= base;
		units++;
	}
	if (n == floor(n) || fabs(n) >= 99.95)
		return g_strdup_printf("%.0f%s", n, *units);
	return g_strdup_printf(fabs(n) >= 9.995 ? "%.1f%s" : "%.2f%s", n,
			       *units);
}

char *ctl_text_rate(double bps)
{
	static const char *const units[] = {" b/s", " kb/s", " Mb/s", " Gb/s",
					    NULL};

	return scale(bps, 1000, units);
}

char *ctl_text_size(double bytes)
{
	static const char *const units[] = {" B",  " kB", " MB",
					    " GB", " TB", NULL};

	return scale(bytes, 1000, units);
}

char *ctl_text_count(double n)
{
	static const char *const units[] = {"", " k", " M", " G", NULL};

	return scale(n, 1000, units);
}

char *ctl_text_memory(double kb)
{
	static const char *const units[] = {" kB", " MB", " GB", NULL};

	return scale(kb, 1024, units);
}

char *ctl_text_duration(double seconds)
{
	guint64 s = seconds > 0 ? (guint64) seconds : 0;

	if (s < 60)
		return g_strdup_printf("%u s", (unsigned int) s);
	if (s < 3600)
		return g_strdup_printf("%u min %u s", (unsigned int) (s / 60),
				       (unsigned int) (s % 60));
	if (s < 86400)
		return g_strdup_printf("%u h %u min", (unsigned int) (s / 3600),
				       (unsigned int) (s / 60 % 60));
	return g_strdup_printf("%" G_GUINT64_FORMAT " d %u h", s / 86400,
			       (unsigned int) (s / 3600 % 24));
}

void ctl_text_paint(GString *s, bool on, enum ctl_color color,
		    const char *text)
{
	static const char *const codes[] = {
		[CTL_PLAIN] = "", [CTL_GOOD] = "32", [CTL_WARN] = "33",
		[CTL_BAD] = "31", [CTL_DIM] = "2",   [CTL_BOLD] = "1",
	};

	if (on && color != CTL_PLAIN)
		g_string_append_printf(s, "\033[%sm%s\033[0m", codes[color],
				       text);
	else
		g_string_append(s, text);
}

struct cell {
	char *text;
	enum ctl_color color;
	bool right;
};

struct ctl_columns {
	unsigned int n_columns;
	GArray *cells;
};

static void clear_cell(gpointer data)
{
	g_free(((struct cell *) data)->text);
}

struct ctl_columns *ctl_columns_new(unsigned int n_columns)
{
	struct ctl_columns *t = g_new0(struct ctl_columns, 1);

	t->n_columns = n_columns;
	t->cells = g_array_new(FALSE, FALSE, sizeof(struct cell));
	g_array_set_clear_func(t->cells, clear_cell);
	return t;
}

void ctl_columns_free(struct ctl_columns *table)
{
	if (!table)
		return;
	g_array_unref(table->cells);
	g_free(table);
}

void ctl_columns_take(struct ctl_columns *table, enum ctl_color color, bool right,
		    char *text)
{
	struct cell cell = {text, color, right};

	g_array_append_val(table->cells, cell);
}

static unsigned int display_width(const char *text)
{
	unsigned int n = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (!g_unichar_iszerowidth(c))
			n += g_unichar_iswide(c) ? 2 : 1;
	}
	return n;
}

void ctl_columns_print(const struct ctl_columns *table, GString *s,
		     const char *indent, bool color)
{
	g_autofree unsigned int *widths = g_new0(unsigned int,
						 table->n_columns);

	for (unsigned int i = 0; i < table->cells->len; i++) {
		unsigned int *w = &widths[i % table->n_columns];
		unsigned int n = display_width(
			g_array_index(table->cells, struct cell, i).text);

		*w = MAX(*w, n);
	}
	for (unsigned int i = 0; i < table->cells->len; i++) {
		const struct cell *c = &g_array_index(table->cells,
						      struct cell, i);
		unsigned int column = i % table->n_columns;
		bool last = column + 1 == table->n_columns ||
			    i + 1 == table->cells->len;
		int pad = (int) (widths[column] - display_width(c->text));

		g_string_append(s, column ? "  " : indent);
		if (c->right)
			g_string_append_printf(s, "%*s", pad, "");
		ctl_text_paint(s, color, c->color, c->text);
		/* No blanks at the end of a line. */
		if (!c->right && !last)
			g_string_append_printf(s, "%*s", pad, "");
		if (last)
			g_string_append_c(s, '\n');
	}
}
