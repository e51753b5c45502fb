// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/life-state.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken is written, and read again says the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct life_state s = {0}, again = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL, *twice = NULL;

	if (!life_state_parse((const char *) data, size, &s, &error)) {
		g_assert_nonnull(error);
		g_assert_null(s.boot_id);
		return 0;
	}
	text = life_state_print(&s);
	if (text) {
		g_assert_true(life_state_parse(text, strlen(text), &again,
					       NULL));
		twice = life_state_print(&again);
		g_assert_cmpstr(text, ==, twice);
		life_state_clear(&again);
	}
	life_state_judge(&s, "now", 1);
	g_assert_true(s.running && !s.settled);
	life_state_clear(&s);
	return 0;
}
