/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-config.h - the configuration as methods tell it
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  results are owned by the caller
 */
#pragma once

#include "appliance/control/control-server.h"
#include "config/config.h"

/* The handler of config.get: answers @call. */
void control_config_get(ControlCall *call, const Config *config);

/* The options that @names (section.key, or section) mean, as config.get
 * answers them; @names NULL: all. Return: NULL with @ret_why (g_free) for a
 * name that means none. */
JsonNode *control_config_describe(const Config *config, JsonArray *names,
				  char **ret_why);
