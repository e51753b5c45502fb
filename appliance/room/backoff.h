/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/backoff.h - how long to wait before the next attempt
 *
 * Doubles from @base_ms to @max_ms; the upper half of each step is random, so
 * that boxes which lost the same server do not all come back at once.
 *
 * Thread:  any; pure
 */
#pragma once

#include <glib.h>

/* @attempt: from 0; @random: 0 <= x < 1. Return: milliseconds. */
static inline guint backoff_ms(guint attempt, guint base_ms, guint max_ms,
			       gdouble random)
{
	guint64 step = (guint64) base_ms << MIN(attempt, 20);

	step = MIN(step, max_ms);
	return (guint) (step / 2 + (guint64) ((gdouble) (step - step / 2) *
					      random));
}
