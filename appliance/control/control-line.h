/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-line.h - lines out of a byte stream, bounded
 *
 *   reserve() -> read() -> commit() -> next() until it says 0
 *
 * A line that is too long is told once, skipped to its end, and the lines
 * after it are read as if nothing had been.
 *
 * Source:  none (our own): one message per line
 * Thread:  any
 * Memory:  embedded in its owner; one buffer that grows to the limit and goes
 *          back to nothing when it is empty
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_line {
	char *buffer;
	size_t start, len, capacity;	/* the bytes at start..len are unread */
	size_t scanned;			/* no newline before this one */
	size_t max;
	uint64_t received;		/* bytes, ever */
	bool skipping;			/* in a line that was too long */
};

/* @max_bytes: the longest line, without its newline */
void control_line_init(struct control_line *line, size_t max_bytes);
void control_line_done(struct control_line *line);

/* Room for at least one byte; *@ret_bytes says for how many. Valid until the
 * next call. Aborts without memory, as GLib does. */
char *control_line_reserve(struct control_line *line, size_t *ret_bytes);
/* @n bytes were written there. */
void control_line_commit(struct control_line *line, size_t n);

/**
 * control_line_next() - the next whole line
 * @ret_text: without its newline, not NUL-terminated; valid until the next
 *            call of control_line_reserve()
 *
 * Return: 1, 0 when more bytes are needed, -EMSGSIZE for a line that is too
 *         long, once each; go on calling.
 */
int control_line_next(struct control_line *line, const char **ret_text,
		      size_t *ret_len);

/* Where in the stream the last line ended that was told of, its newline
 * included; bytes since the beginning. */
uint64_t control_line_position(const struct control_line *line);
