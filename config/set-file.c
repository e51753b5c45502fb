// SPDX-License-Identifier: Apache-2.0
#include "config/set-file.h"

#include <string.h>

#include "config/config-file.h"

/* --- its values ------------------------------------------------------------ */
void set_file_clear(struct set_file *file)
{
	for (int i = 0; i < N_OPTIONS; i++)
		g_clear_pointer(&file->values[i], g_free);
}

void set_file_set(struct set_file *file, enum option_id id, const char *value)
{
	char *copy = g_strdup(value);

	g_free(file->values[id]);
	file->values[id] = copy;
}

bool set_file_read(const char *path, struct set_file *ret, GPtrArray *problems)
{
	g_autoptr(Config) config = config_new();
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct set_file file = {.values = {NULL}};
	gsize len = 0;

	if (!g_file_get_contents(path, &text, &len, &error)) {
		if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
			g_ptr_array_add(problems, g_strdup(error->message));
			return false;
		}
	} else if (!config_load_text(config, path, text, len, problems)) {
		return false;
	}
	for (int i = 0; i < N_OPTIONS; i++)
		if (!config_is_default(config, i))
			set_file_set(&file, i, config_get_text(config, i));
	*ret = file;
	return true;
}

bool set_file_is_empty(const struct set_file *file)
{
	for (int i = 0; i < N_OPTIONS; i++)
		if (file->values[i])
			return false;
	return true;
}

char *set_file_print(const struct set_file *file)
{
	GString *s = g_string_new("# Written by 'skylinkctl config set'; read "
				  "last, so that it prevails.\n"
				  "# 'skylinkctl config reset NAME' takes an "
				  "entry out.\n");
	const char *section = "";

	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);

		if (!file->values[i])
			continue;
		if (strcmp(section, row->section)) {
			section = row->section;
			g_string_append_printf(s, "\n[%s]\n", section);
		}
		g_string_append_printf(s, "%s =%s%s\n", row->key,
				       *file->values[i] ? " " : "",
				       file->values[i]);
	}
	return g_string_free(s, FALSE);
}

bool set_file_write(const char *path, const char *text,
		    const struct whole_file_ops *ops, GError **error)
{
	return whole_file_write(path, text, text ? strlen(text) : 0,
				WHOLE_FILE_ALONE, ops, error);
}
