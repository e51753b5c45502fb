/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-format.h - the daemon's answers as pages for people
 *
 * Whatever is missing or of another type than docs/control.md says is left
 * out: an older or newer daemon still makes a page.
 *
 * Source:  docs/control.md
 * Thread:  any
 * Memory:  results are freed with g_free(); they end with a newline
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

char *ctl_format_status(JsonNode *status, bool color);
/* Rates between two statuses. @before: NULL: there is none yet; @seconds: between
 * them */
char *ctl_format_top(JsonNode *before, JsonNode *status, double seconds,
		     bool color);
char *ctl_format_peers(JsonNode *peers, bool color);
/* What device.list answered. */
char *ctl_format_devices(JsonNode *devices, bool color);
/* What stats.doctor answered, with what to do below each finding. */
char *ctl_format_doctor(JsonNode *rows, bool color);
/* What schedule.get and selftest.show answered. */
char *ctl_format_schedule(JsonNode *result, bool color);
char *ctl_format_selftest(JsonNode *result, bool color);
char *ctl_format_config(JsonNode *options, bool color);
/* What config.reload, .set, .reset and .diff answer. */
char *ctl_format_changes(JsonNode *result, bool color);
char *ctl_format_config_diff(JsonNode *result, bool color);
/* @discover: what rpc.discover answered; @name: one method, or NULL. Return:
 * NULL when there is no such method. */
char *ctl_format_methods(JsonNode *discover, const char *name, bool color);
char *ctl_format_event_list(JsonNode *discover, bool color);
/* One line. @time: "14:02:11.123" */
char *ctl_format_event(JsonNode *event, const char *time, bool color);
/* Anything, as indented JSON. */
char *ctl_format_json(JsonNode *node);
