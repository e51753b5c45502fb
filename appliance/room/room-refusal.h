/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-refusal.h - what a "no" means for the next attempt
 *
 * Every refusal is tried again, for ever: most pass by themselves (a lock, a
 * start that is still to come), and those that do not are mended by somebody
 * at the server or in the configuration, who should not have to come here too.
 * How long each waits stands in docs/life.md, from this table.
 *
 * Source:  docs/skylink-protocol.md §2.3, §13
 * Thread:  any; pure
 * Memory:  static
 */
#pragma once

#include <glib.h>

/* A wait doubles with each failure of its kind in a row, and half of it is
 * random (backoff.h). As multiples of the session's shortest and longest, which
 * are 0.5 s and 30 s: */
enum room_wait {
	ROOM_WAIT_QUICK,	/* 0.5 s to 30 s: it may pass at any time */
	ROOM_WAIT_PATIENT,	/* 5 s to 60 s: others have to do something */
	ROOM_WAIT_SLOW,		/* 30 s to 10 min: somebody has to mend it */
};

struct room_refusal {
	const char *reason;	/* SYSTEM_ACTION_REASON */
	const char *text;	/* "the room is locked" */
	enum room_wait wait;
};

/* Of a redirect with action "reject"; never NULL, unknown ones too. */
const struct room_refusal *room_refusal_get(const char *reason);

/* Of the room API's own number. */
enum room_wait room_refusal_api_wait(gint code);

/* @in_row: failures of this kind before, from 0; @min_ms, @max_ms: the
 * session's; @random: 0 <= x < 1. Return: milliseconds. */
guint room_wait_ms(enum room_wait wait, guint in_row, guint min_ms,
		   guint max_ms, gdouble random);
