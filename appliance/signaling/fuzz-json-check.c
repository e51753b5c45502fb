// SPDX-License-Identifier: Apache-2.0
/* Whatever the checker takes, json-glib must read; every string must survive
 * being unquoted and quoted. */
#include "appliance/signaling/json-check.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BYTES (64 * 1024)

static void check_strings(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t end = i + 1, n, again_n;
		g_autofree char *plain = NULL;
		g_autofree char *again = NULL;
		g_autoptr(GString) quoted = NULL;

		if (text[i] != '"') {
			i++;
			continue;
		}
		while (text[end] != '"')
			end += text[end] == '\\' ? 2 : 1;
		plain = json_unquote(text + i, end + 1 - i, &n);
		g_assert_true(strlen(plain) == n);
		quoted = g_string_new(NULL);
		json_quote(quoted, plain, n);
		g_assert_true(json_check(quoted->str, quoted->len, SIZE_MAX,
					 NULL) == 0);
		again = json_unquote(quoted->str, quoted->len, &again_n);
		g_assert_true(n == again_n && memcmp(plain, again, n) == 0);
		i = end + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	struct json_check_fault fault = {0};
	g_autoptr(JsonNode) node = NULL;
	g_autoptr(GError) error = NULL;

	if (json_check(text, size, MAX_BYTES, &fault) < 0) {
		g_assert_true(fault.what && fault.offset <= size);
		return 0;
	}

	node = json_checked_parse(text, (gssize) size, MAX_BYTES, &error);
	g_assert_no_error(error);
	check_strings(text, size);
	return 0;
}
