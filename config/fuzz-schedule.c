// SPDX-License-Identifier: Apache-2.0
#include "config/schedule.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S INT64_C(1767600000)
#define DAY_S 86400

/* Lines as the option's value has them. What was taken, written and read again
 * means the same; what holds changes later than now. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *) data, size);
	g_auto(GStrv) lines = g_strsplit(text, ";", 80);
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	struct schedule s = {.n = 0}, again = {.n = 0};
	struct schedule_state state;

	for (unsigned int i = 0; lines[i]; i++) {
		g_autofree char *why = NULL, *printed = NULL, *twice = NULL;

		if (!schedule_add(&s, lines[i], &why)) {
			g_assert_true(g_utf8_validate(why, -1, NULL));
			continue;
		}
		g_assert_null(why);
		printed = schedule_entry_print(&s.entries[s.n - 1]);
		g_assert_true(schedule_add(&again, printed, &why));
		twice = schedule_entry_print(&again.entries[again.n - 1]);
		g_assert_cmpstr(printed, ==, twice);
	}
	schedule_get(&s, utc, NOW_S, &state);
	g_assert(state.until_s == 0 || (state.until_s > NOW_S &&
					state.until_s < NOW_S + 15 * DAY_S));
	schedule_clear(&s);
	schedule_clear(&again);
	return 0;
}
