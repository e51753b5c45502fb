// SPDX-License-Identifier: Apache-2.0
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "appliance/spool/spool-name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name)
{
	char again[SPOOL_NAME_MAX_BYTES + 1];

	g_assert_cmpuint(strlen(name), >, 0);
	g_assert_cmpuint(strlen(name), <=, SPOOL_NAME_MAX_BYTES);
	g_assert_true(g_utf8_validate(name, -1, NULL));
	g_assert_null(strpbrk(name, "/\\<>:\"|?*`$"));
	g_assert_null(strchr(".-~ ", name[0]));
	g_assert_null(strchr(". ", name[strlen(name) - 1]));
	for (const char *p = name; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_assert_false(g_unichar_iscntrl(c));
		g_assert_true(c < 0x202a || c > 0x202e);
	}
	spool_name_clean(name, strlen(name), again);
	g_assert_cmpstr(name, ==, again);
	g_assert_true(spool_name_is_clean(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[SPOOL_NAME_MAX_BYTES + 1];
	char second[SPOOL_NAME_MAX_BYTES + 1];

	spool_name_clean((const char *) data, size, name);
	check(name);
	for (unsigned int n = 1; n <= 10000; n *= 10) {
		spool_name_number(name, n + 1, second);
		check(second);
	}
	spool_name_number(name, 1, second);
	g_assert_cmpstr(name, ==, second);
	return 0;
}
