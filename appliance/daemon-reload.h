/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-reload.h - another configuration, while peers are connected
 *
 *                 live:    taken, applied now
 *   next ─▶ diff  rejoin:  taken; holds from the next join on
 *                 restart: told, and left as it is
 *
 * All or nothing: when one part cannot be applied, those before it go back to
 * what they were.
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  one, of the Daemon
 */
#pragma once

#include "appliance/daemon-private.h"

/**
 * daemon_reload_preview() - what applying @next would do; nothing is done
 * @rejoin: as if rejoining
 *
 * Return: (transfer full): [{name, old, new, effect, origin}] in the table's
 * order; effect: "applied", "rejoin", "restart"
 */
JsonArray *daemon_reload_preview(Daemon *d, const Config *next,
				 gboolean rejoin);

/**
 * daemon_reload_apply() - the same, done
 * @next:         checked
 * @rejoin:       when something waits for a join: leave the room and join it
 * @ret_rejoined: whether that was needed; may be NULL
 *
 * Return: NULL with @error, and then nothing has changed.
 */
JsonArray *daemon_reload_apply(Daemon *d, const Config *next, gboolean rejoin,
			       gboolean *ret_rejoined, GError **error);

/* Does the code above do something about this option? */
gboolean daemon_reload_handles(enum option_id id);
