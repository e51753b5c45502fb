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
#include "config/set-file.h"

/* The handler of config.get: answers @call. */
void control_config_get(ControlCall *call, const Config *config);

/* The options that @names (section.key, or section) mean, as config.get
 * answers them; @names NULL: all. Return: NULL with @ret_why (g_free) for a
 * name that means none. */
JsonNode *control_config_describe(const Config *config, JsonArray *names,
				  char **ret_why);

/* "section.key"; g_free() it. */
char *control_config_name(enum option_id id);
/* The value in its JSON type; of a secret the path. */
void control_config_set_value(JsonObject *o, const char *member,
			      const Config *config, enum option_id id);
/* (transfer full): [{name, value, default, origin}] of what is not as by
 * default. */
JsonArray *control_config_list_set(const Config *config);
/* The options that @names mean. Return: false with @ret_why (g_free). */
bool control_config_find(JsonArray *names, bool ret_wanted[N_OPTIONS],
			 char **ret_why);
/* config.set's values into @file. Return: false with one sentence per problem
 * in @problems. */
bool control_config_take_values(JsonObject *values, struct set_file *file,
				GPtrArray *problems);
