/* SPDX-License-Identifier: Apache-2.0 */
/* media/source-spec.h - "KIND" or "KIND:PATH", the name of a source
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  none kept
 */
#pragma once

#include <stdbool.h>

#define SOURCE_SPEC_MAX_BYTES 1024

/* Does @spec name the source @kind? @wants_path: it needs a path, else it may
 * have none. @ret_path: what follows the colon, in @spec; NULL if nothing
 * does. */
bool source_spec_is(const char *spec, const char *kind, bool wants_path,
		    const char **ret_path);

/* A sentence for a person; free(). NULL without memory. */
char *source_sentence(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
