/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-refusal.h - what a "no" means for the next attempt
 *
 * Every refusal is tried again, for ever: most pass by themselves (a lock, a
 * start that is still to come), and those that do not are mended by somebody
 * at the server or in the configuration, who should not have to come here too.
 * The latter wait the longest from the first time on.
 *
 * Source:  docs/skylink-protocol.md §2.3, §13
 * Thread:  any; pure
 * Memory:  static
 */
#pragma once

#include <glib.h>

struct room_refusal {
	const char *reason;	/* SYSTEM_ACTION_REASON */
	const char *text;	/* "the room is locked" */
	gboolean slow;		/* no earlier than the longest wait */
};

/* Of a redirect with action "reject"; never NULL, unknown ones too. */
const struct room_refusal *room_refusal_get(const char *reason);

/* Of the room API's own number. */
gboolean room_refusal_api_is_slow(gint code);
