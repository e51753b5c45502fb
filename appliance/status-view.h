/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/status-view.h - the room's descriptions in docs/control.md's words
 *
 * The room describes itself with SkylinkJS's names, nested as it is built;
 * operators and their scripts get the flat rows that the page promises.
 *
 * Source:  docs/control.md
 * Thread:  any
 * Memory:  results are owned by the caller
 */
#pragma once

#include <json-glib/json-glib.h>

/* @room: as room_describe() makes it; taken. */
JsonNode *status_view_room(JsonNode *room);

/* @peers: as room_describe_peers() makes it; taken.
 * @now_s: of the wall clock, seconds since 1970 */
JsonNode *status_view_peers(JsonNode *peers, gint64 now_s);
