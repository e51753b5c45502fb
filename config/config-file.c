// SPDX-License-Identifier: Apache-2.0
#include "config/config-file.h"

#include <string.h>

struct reader {
	const char *name;
	unsigned int line;
	const char *section;		/* NULL: none yet */
	bool skipping;			/* unknown section: told once */
	unsigned int seen[N_OPTIONS];	/* the line, or 0 */
	unsigned int n_problems;
	GArray *entries;
	GPtrArray *problems;
};

/* What stands in a file goes to terminals: no controls, no broken UTF-8. */
static char *make_printable(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);

	for (char *p = valid; *p; p = g_utf8_next_char(p)) {
		size_t n = (size_t) (g_utf8_next_char(p) - p);

		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			memset(p, '?', n);
	}
	return valid;
}

static void G_GNUC_PRINTF(2, 3) problem(struct reader *r, const char *format,
					...)
{
	g_autofree char *text = NULL, *printable = NULL;
	va_list args;

	r->n_problems++;
	if (r->n_problems > CONFIG_FILE_MAX_PROBLEMS)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	printable = make_printable(text);
	g_ptr_array_add(r->problems, g_strdup_printf("%s:%u: %s", r->name,
						     r->line, printable));
	if (r->n_problems == CONFIG_FILE_MAX_PROBLEMS)
		g_ptr_array_add(r->problems,
				g_strdup_printf("%s: more problems follow; "
						"these come first", r->name));
}

static char *list_sections(void)
{
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; option_table_section(i); i++)
		g_string_append_printf(s, "%s[%s]", i ? " " : "",
				       option_table_section(i));
	return g_string_free(s, FALSE);
}

static char *list_keys(const char *section)
{
	GString *s = g_string_new(NULL);

	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);

		if (!strcmp(row->section, section))
			g_string_append_printf(s, "%s%s", s->len ? ", " : "",
					       row->key);
	}
	return g_string_free(s, FALSE);
}

static void read_section(struct reader *r, char *line)
{
	size_t len = strlen(line);
	g_autofree char *known = NULL;
	const char *near;

	if (line[len - 1] != ']') {
		problem(r, "a section is written [name], with nothing after "
			"the bracket");
		r->skipping = true;
		return;
	}
	line[len - 1] = '\0';
	line = g_strstrip(line + 1);
	for (unsigned int i = 0; option_table_section(i); i++) {
		if (!strcmp(option_table_section(i), line)) {
			r->section = option_table_section(i);
			r->skipping = false;
			return;
		}
	}
	known = list_sections();
	near = option_table_nearest_section(line);
	problem(r, "no section is called [%.40s]%s%s%s; sections are: %s",
		line, near ? ". Did you mean [" : "", near ? near : "",
		near ? "]?" : "", known);
	r->skipping = true;
}

static void unknown_key(struct reader *r, const char *key)
{
	g_autofree char *known = list_keys(r->section);
	g_autofree char *file_key = g_strconcat(key, "_file", NULL);
	const struct option_row *near;
	int secret = option_table_find(r->section, file_key);

	if (secret >= 0 && option_table_get(secret)->type == OPTION_SECRET) {
		problem(r, "[%s] %s: secrets do not stand in this file; put "
			"it into a file of its own with mode 0600 and write "
			"'%s = /PATH'", r->section, key, file_key);
		return;
	}
	if (!known[0]) {
		problem(r, "[%s] has no keys yet", r->section);
		return;
	}
	near = option_table_nearest(r->section, key);
	if (!near)
		problem(r, "[%s] has no key '%.40s'; its keys are: %s",
			r->section, key, known);
	else if (strcmp(near->section, r->section))
		problem(r, "[%s] has no key '%.40s'. Did you mean '%s' in "
			"[%s]? Keys of [%s] are: %s", r->section, key,
			near->key, near->section, r->section, known);
	else
		problem(r, "[%s] has no key '%.40s'. Did you mean '%s'? Its "
			"keys are: %s", r->section, key, near->key, known);
}

static void read_assignment(struct reader *r, char *line)
{
	char *equals = strchr(line, '=');
	char *key, *value;
	g_autofree char *why = NULL;
	struct config_entry entry = {.line = r->line};
	int id;

	if (line[0] == ';') {
		problem(r, "a comment starts with '#'");
		return;
	}
	if (!equals || equals == line) {
		problem(r, "a line is 'key = value', [section], or a comment "
			"that starts with '#'");
		return;
	}
	*equals = '\0';
	key = g_strstrip(line);
	value = g_strstrip(equals + 1);
	if (!r->section) {
		if (!r->skipping)
			problem(r, "'%.40s' stands before the first [section]",
				key);
		return;
	}
	if (r->skipping)
		return;
	id = option_table_find(r->section, key);
	if (id < 0) {
		unknown_key(r, key);
		return;
	}
	if (r->seen[id]) {
		problem(r, "%s.%s is set for the second time; line %u was the "
			"first. Keep one of them", r->section, key,
			r->seen[id]);
		return;
	}
	r->seen[id] = r->line;
	if (!option_value_parse(option_table_get(id), value, &entry.value,
				&why)) {
		problem(r, "%s.%s: %s", r->section, key, why);
		return;
	}
	entry.id = id;
	g_array_append_val(r->entries, entry);
}

static void read_line(struct reader *r, const char *start, size_t len)
{
	g_autofree char *copy = NULL;
	char *line;

	if (len > CONFIG_FILE_MAX_LINE) {
		problem(r, "the line is longer than %u bytes",
			CONFIG_FILE_MAX_LINE);
		return;
	}
	if (memchr(start, '\0', len) ||
	    !g_utf8_validate(start, (gssize) len, NULL)) {
		problem(r, "the line is not UTF-8 text");
		return;
	}
	copy = g_strndup(start, len);
	line = g_strstrip(copy);
	if (!line[0] || line[0] == '#')
		return;
	if (line[0] == '[')
		read_section(r, line);
	else
		read_assignment(r, line);
}

bool config_file_parse(const char *name, const char *text, size_t len,
		       GArray *entries, GPtrArray *problems)
{
	struct reader r = {
		.name = name,
		.entries = entries,
		.problems = problems,
	};
	const char *end = text + len;

	if (len > CONFIG_FILE_MAX_BYTES) {
		g_ptr_array_add(problems,
				g_strdup_printf("%s: the file is larger than "
						"%u KiB", name,
						CONFIG_FILE_MAX_BYTES >> 10));
		return false;
	}
	/* Some editors leave a byte order mark. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t) (end - text));
		const char *stop = newline ? newline : end;

		r.line++;
		read_line(&r, text, (size_t) (stop - text));
		text = newline ? newline + 1 : end;
	}
	return r.n_problems == 0;
}

static void clear_entry(gpointer data)
{
	struct config_entry *entry = data;

	option_value_clear(&entry->value);
}

GArray *config_file_entries_new(void)
{
	GArray *entries = g_array_new(FALSE, FALSE,
				      sizeof(struct config_entry));

	g_array_set_clear_func(entries, clear_entry);
	return entries;
}
