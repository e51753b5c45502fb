/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-constants.h - the API's constants, by name
 *
 * Source:  SkylinkJS 0.6.12 API (tests/surface.json has them as they are there)
 * Thread:  any
 * Memory:  the table is constant
 */
#pragma once

#include <json-glib/json-glib.h>

/**
 * control_constants_describe() - the tables as one object
 * @names:   which, strings; NULL: all
 * @ret_why: (g_free) when there is none of a name, and which is likely meant
 *
 * Return: (transfer full): {DATA_CHANNEL_STATE: {CONNECTING: "connecting", ...},
 *	   ...}; or NULL
 */
JsonNode *control_constants_describe(JsonArray *names, char **ret_why);
