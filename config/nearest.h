/* SPDX-License-Identifier: Apache-2.0 */
/* config/nearest.h - the word somebody most likely meant
 *
 * Source:  optimal string alignment distance (insert, delete, replace, swap)
 * Thread:  any
 * Memory:  never allocates
 */
#pragma once

#define NEAREST_MAX_BYTES 48	/* longer words are compared by their start */

/* Edits from @a to @b, case ignored; at most NEAREST_MAX_BYTES. */
unsigned int nearest_distance(const char *a, const char *b);

/* The distance if @name is near enough to be what @given meant (a third of
 * its letters changed at most, or one begins with the other), else -1. */
int nearest_score(const char *given, const char *name);

/* The best of a NULL terminated list, or NULL when none is near. */
const char *nearest_of(const char *given, const char *const *names);
