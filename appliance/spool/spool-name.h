/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/spool/spool-name.h - a file name out of what a peer calls it
 *
 * Peers are strangers: what they send may be a path, no UTF-8, four kilobytes,
 * hidden, or made to mislead. What comes out is one path component that every
 * common file system takes and that looks like what it is.
 *
 * Source:  none (our own); Unicode general categories for what is not shown
 * Thread:  any
 * Memory:  the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* NAME_MAX is 255 and a number or ".json" may be added. */
#define SPOOL_NAME_MAX_BYTES 200

/**
 * spool_name_clean() - make any bytes a file name
 * @raw: need not be UTF-8 or NUL-terminated, and may hold NUL
 * @ret: never empty, never "." or "..", valid UTF-8 without '/', '\\',
 *       controls, invisible and reordering characters; does not begin with
 *       '.', '-', '~' or a blank, does not end with '.' or a blank; its
 *       extension survives shortening. Cleaning it again changes nothing.
 */
void spool_name_clean(const char *raw, size_t len,
		      char ret[SPOOL_NAME_MAX_BYTES + 1]);

/* Is it what spool_name_clean() makes? Then it can be used as it is. */
bool spool_name_is_clean(const char *name);

/* "report.pdf", 2: "report (2).pdf"; 1: as it is. @name is clean. Long names
 * lose their end for it. */
void spool_name_number(const char *name, unsigned int n,
		       char ret[SPOOL_NAME_MAX_BYTES + 1]);
