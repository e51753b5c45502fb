/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/console/console-link.h - what passes between daemon and console
 *
 *   control ──publish()──▶ [the newest page]    ──▶ server, whoever reads it
 *           ──tell()─────▶ [ring of lines]      ──▶ server, each at his pace
 *   server  ──command()──▶ [bounded queue]      ──▶ control: run()
 *
 * Neither side waits for the other. A page that nobody has read is replaced; a
 * reader that is slower than the ring is told how many lines he missed, and a
 * command that finds the queue full is refused.
 *
 * Source:  none (our own)
 * Thread:  control to create and free; each call says
 * Memory:  one page, CONSOLE_LINES lines of CONSOLE_LINE_MAX_BYTES,
 *          CONSOLE_COMMANDS commands
 */
#pragma once

#include <glib.h>

#include "appliance/console/console-request.h"

#define CONSOLE_LINES	       128
#define CONSOLE_LINE_MAX_BYTES 2048
#define CONSOLE_PAGE_MAX_BYTES (256u << 10)
#define CONSOLE_COMMANDS       64

struct console_link;

struct console_link_ops {
	/* On control. */
	void (*run)(void *user, const struct console_command *command);
	/* On control: so many read now. */
	void (*readers)(void *user, unsigned int n);
	void *user;
};

/* @context: control's; NULL: the default one. Return: 0 or negative errno. */
int console_link_new(struct console_link **ret, GMainContext *context,
		     const struct console_link_ops *ops);
/* The server has ended. Return: NULL */
struct console_link *console_link_free(struct console_link *link);

/* --- control ---------------------------------------------------------------- */
/* Something new is there: wake() is called on control until it is set to NULL;
 * it must only wake the server. */
void console_link_set_wake(struct console_link *link,
			   void (*wake)(void *server), void *server);
/* @json: one object; too long a one is dropped. */
void console_link_publish(struct console_link *link, const char *json);
void console_link_tell(struct console_link *link, const char *json);

/* --- server ----------------------------------------------------------------- */
/* The newest page, to be unreffed, when it is newer than *@generation, which
 * then is its; else NULL. */
GBytes *console_link_page(struct console_link *link, guint64 *generation);
/* The line after *@cursor, to be unreffed; NULL: there is none. @ret_missed: so
 * many before it are gone. A cursor begins at 0. */
GBytes *console_link_line(struct console_link *link, guint64 *cursor,
			  guint64 *ret_missed);
/* Return: 0, or -ENOBUFS: try later. */
int console_link_command(struct console_link *link,
			 const struct console_command *command);
/* It is told when there is room for it: a later number replaces it. */
void console_link_set_readers(struct console_link *link, unsigned int n);
