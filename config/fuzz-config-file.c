// SPDX-License-Identifier: Apache-2.0
#include "config/config-file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A value that was taken, written as its canonical text, is taken again and
 * means the same. */
static void check_round_trip(const struct config_entry *e)
{
	const struct option_row *row = option_table_get(e->id);
	struct option_value again = {0};
	char *why = NULL;

	if (!option_value_parse(row, e->value.text, &again, &why))
		g_error("%s.%s: '%s': %s", row->section, row->key,
			e->value.text, why);
	g_assert_cmpstr(again.text, ==, e->value.text);
	g_assert_cmpint(again.number, ==, e->value.number);
	option_value_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GArray *entries = config_file_entries_new();
	GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
	bool ok = config_file_parse("fuzz", (const char *) data, size, entries,
				    problems);

	g_assert(ok == (problems->len == 0));
	g_assert_cmpuint(problems->len, <=, CONFIG_FILE_MAX_PROBLEMS + 1);
	g_assert_cmpuint(entries->len, <=, N_OPTIONS);
	for (unsigned int i = 0; i < problems->len; i++)
		g_assert_true(g_utf8_validate(problems->pdata[i], -1, NULL));
	for (unsigned int i = 0; i < entries->len; i++)
		check_round_trip(&g_array_index(entries, struct config_entry,
						i));
	g_array_unref(entries);
	g_ptr_array_unref(problems);
	return 0;
}
