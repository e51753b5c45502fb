// SPDX-License-Identifier: Apache-2.0
#include "media/source-spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool source_spec_is(const char *spec, const char *kind, bool wants_path,
		    const char **ret_path)
{
	const char *colon = strchr(spec, ':');
	size_t len = colon ? (size_t) (colon - spec) : strlen(spec);

	if (strlen(kind) != len || strncmp(kind, spec, len) ||
	    strlen(spec) > SOURCE_SPEC_MAX_BYTES)
		return false;
	if (wants_path != (colon && colon[1]) || wants_path != (colon != NULL))
		return false;
	*ret_path = colon ? colon + 1 : NULL;
	return true;
}

char *source_sentence(const char *format, ...)
{
	va_list args;
	char *text;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	return r < 0 ? NULL : text;
}
