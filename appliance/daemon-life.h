/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-life.h - the room of the hour, and the one before a crash
 *
 *   configuration ─┐
 *   schedule ──────┼─▶ room plan ─▶ daemon_join(), daemon_leave()
 *   by hand ───────┘        ▲
 *                           │ after a crash
 *   what is in force ─▶ state.json (of the state directory)
 *
 * The state is kept where systemd gives a state directory ($STATE_DIRECTORY):
 * a daemon that somebody starts by hand leaves nothing behind.
 *
 * Source:  systemd.exec(5) StateDirectory=
 * Thread:  control
 * Memory:  hangs off the Daemon
 */
#pragma once

#include "appliance/daemon-private.h"

/* Changes are written together, this much later. */
#define DAEMON_LIFE_WRITE_MS 200

/* With the room made, before one is joined: reads what the one before left. */
gboolean daemon_life_start(Daemon *d, GError **error);
/* Goes where the plan says. */
gboolean daemon_life_begin(Daemon *d, GError **error);
/* It ends as it should. */
void daemon_life_stop(Daemon *d);

/* joinRoom, or leaveRoom (NULL), at the control socket or the console. */
void daemon_life_by_hand(Daemon *d, const char *room);
/* The room to be in now, for whoever has to join anew; borrowed; NULL: none.
 * @follow: forget what was chosen by hand. */
const char *daemon_life_wanted(Daemon *d, gboolean follow);
/* The room to be in if nobody had chosen another; borrowed; NULL: none. */
const char *daemon_life_planned(Daemon *d);
/* room.schedule or room.time_zone changed. */
void daemon_life_reload(Daemon *d);
/* Something of the state may have changed: it is looked at soon. Cheap. */
void daemon_life_changed(Daemon *d);
void daemon_life_event(Daemon *d, const char *name, JsonObject *params);

/* {room, source, until, next_room, time_zone, entries}, times as Unix seconds
 * and local text. (transfer full) */
JsonObject *daemon_life_describe_schedule(Daemon *d);
/* {cause, detail, ago_s, room, recovered, aside, storage} (transfer full) */
JsonObject *daemon_life_describe(Daemon *d);

/* schedule.get; ended by a NULL method. */
extern const ControlHandler daemon_life_handlers[];
