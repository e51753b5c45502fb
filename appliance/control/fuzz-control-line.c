// SPDX-License-Identifier: Apache-2.0
/* The first byte says how the rest is cut into reads; whatever the cut, the
 * lines must be the same, and each goes through the checks of a request. */
#include "appliance/control/control-line.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "appliance/control/control-request.h"

#define LINE_MAX_BYTES 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(GString *got, const uint8_t *data, size_t size,
		    size_t chunk)
{
	struct control_line l;
	const char *line;
	size_t len;
	int r;

	control_line_init(&l, LINE_MAX_BYTES);
	while (size) {
		size_t room, n;
		char *p = control_line_reserve(&l, &room);

		n = MIN(MIN(room, chunk), size);
		memcpy(p, data, n);
		control_line_commit(&l, n);
		data += n;
		size -= n;
		while ((r = control_line_next(&l, &line, &len)) != 0) {
			if (r < 0) {
				g_assert_cmpint(r, ==, -EMSGSIZE);
				g_string_append(got, "<long>");
				continue;
			}
			g_assert_cmpuint(len, <=, LINE_MAX_BYTES);
			g_string_append_len(got, line, (gssize) len);
			g_string_append_c(got, '\n');
		}
	}
	control_line_done(&l);
}

static void check_requests(const GString *lines)
{
	const char *p = lines->str, *end = p + lines->len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t) (end - p));
		struct control_request request;
		enum control_code code;
		char *why = NULL;

		if (!newline)
			break;
		if (control_request_parse(p, (size_t) (newline - p), &request,
					  &code, &why)) {
			const ControlMethod *m = control_table_find(
				control_methods, request.method);
			JsonObject *o = m ? control_table_check(
				m, request.params, &why) : NULL;

			g_clear_pointer(&o, json_object_unref);
		} else {
			g_assert_nonnull(why);
		}
		control_request_clear(&request);
		g_free(why);
		p = newline + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GString *whole = g_string_new(NULL), *cut = g_string_new(NULL);

	if (size) {
		collect(whole, data + 1, size - 1, SIZE_MAX);
		collect(cut, data + 1, size - 1, (size_t) data[0] + 1);
		g_assert_true(g_string_equal(whole, cut));
		check_requests(whole);
	}
	g_string_free(whole, TRUE);
	g_string_free(cut, TRUE);
	return 0;
}
