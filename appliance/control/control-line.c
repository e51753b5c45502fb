// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-line.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define READ_BYTES 16384

void control_line_init(struct control_line *line, size_t max_bytes)
{
	*line = (struct control_line){.max = max_bytes};
}

void control_line_done(struct control_line *line)
{
	g_clear_pointer(&line->buffer, g_free);
	line->start = line->len = line->capacity = line->scanned = 0;
}

char *control_line_reserve(struct control_line *line, size_t *ret_bytes)
{
	if (line->start) {
		memmove(line->buffer, line->buffer + line->start,
			line->len - line->start);
		line->len -= line->start;
		line->scanned -= line->start;
		line->start = 0;
	}
	/* What is kept unread is one unfinished line of at most max bytes
	 * (longer ones are skipped), so this grows to max + READ_BYTES. */
	if (line->capacity - line->len < READ_BYTES) {
		size_t capacity = line->capacity ? line->capacity * 2
						 : READ_BYTES;

		capacity = MIN(capacity, line->max + READ_BYTES);
		capacity = MAX(capacity, line->len + READ_BYTES);
		line->buffer = g_realloc(line->buffer, capacity);
		line->capacity = capacity;
	}
	*ret_bytes = line->capacity - line->len;
	return line->buffer + line->len;
}

void control_line_commit(struct control_line *line, size_t n)
{
	g_assert(n <= line->capacity - line->len);
	line->len += n;
	line->received += n;
}

uint64_t control_line_position(const struct control_line *line)
{
	return line->received - (line->len - line->start);
}

static void consume(struct control_line *line, size_t to)
{
	line->start = line->scanned = to;
	/* All read: a client that was loud once does not keep a megabyte. */
	if (line->start == line->len) {
		line->start = line->scanned = line->len = 0;
		if (line->capacity > READ_BYTES) {
			g_clear_pointer(&line->buffer, g_free);
			line->capacity = 0;
		}
	}
}

int control_line_next(struct control_line *line, const char **ret_text,
		      size_t *ret_len)
{
	while (line->scanned < line->len) {
		const char *from = line->buffer + line->scanned;
		const char *newline = memchr(from, '\n',
					     line->len - line->scanned);
		size_t end = newline ? (size_t) (newline - line->buffer)
				     : line->len;
		size_t len = end - line->start;

		if (line->skipping) {
			line->skipping = !newline;
			consume(line, newline ? end + 1 : end);
			continue;
		}
		if (len > line->max) {
			line->skipping = !newline;
			consume(line, newline ? end + 1 : end);
			return -EMSGSIZE;
		}
		line->scanned = end;
		if (!newline)
			return 0;
		*ret_text = line->buffer + line->start;
		*ret_len = len;
		/* The text must stay: freeing waits for the next call. */
		line->start = line->scanned = end + 1;
		return 1;
	}
	if (line->start == line->len)
		consume(line, line->len);
	return 0;
}
