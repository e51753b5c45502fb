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

/* User data of all peers in one answer, as JSON; a line is at most 1 MiB. */
#define STATUS_VIEW_USER_DATA_MAX (256u << 10)

/* @peers: as room_describe_peers() makes it; taken. User data that goes beyond
 * the limit is null, and "userDataOmitted" its length.
 * @now_s: of the wall clock, seconds since 1970 */
JsonNode *status_view_peers(JsonNode *peers, gint64 now_s);
