/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-events.h - events leave when nothing is half done
 *
 * What happens deep inside a handshake is told from the main loop, so that
 * whoever listens may call the room, leave it and free it.
 *
 * Thread:  control
 * Memory:  at most ROOM_EVENTS_MAX wait; beyond that messages of peers are
 *	    dropped as they come, and with ROOM_EVENTS_KEPT more the oldest:
 *	    calls wait for what becomes of peers and transfers
 */
#pragma once

#include <json-glib/json-glib.h>

#define ROOM_EVENTS_MAX	 4096
#define ROOM_EVENTS_KEPT 4096

typedef struct RoomEvents RoomEvents;
typedef void (*RoomEventFn)(void *user, const char *name, JsonObject *params);

RoomEvents *room_events_new(GMainContext *context, RoomEventFn fn, void *user);
/* What waits is forgotten. Also from within the function. Takes NULL. */
RoomEvents *room_events_free(RoomEvents *events);
/* @name: a static string; @params: (transfer full) */
void room_events_push(RoomEvents *events, const char *name, JsonObject *params);
guint64 room_events_get_dropped(RoomEvents *events);
