/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/rtc-describe.h - a connection's states and counters for people
 *
 * Source:  SkylinkJS 0.6.12 API (ICE_CONNECTION_STATE) for the states' names
 * Thread:  control
 */
#pragma once

#include <json-glib/json-glib.h>

#include "webrtc/rtc.h"

/* "starting", "checking", ... as the API's events say */
const char *rtc_describe_ice_state(enum rtc_ice_state state);
/* Return: (transfer full) */
JsonObject *rtc_describe_stats(const struct rtc_peer_stats *stats);
/* null for NULL */
void rtc_describe_text(JsonObject *object, const char *name, const char *text);
