/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-format-private.h - members that may be missing
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  borrowed, but for safe()
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "appliance/ctl/ctl-text.h"

/* The lines of a status about schedule and self-test, as far as there is
 * something to say. */
void ctl_format_life_lines(GString *s, JsonObject *status, bool color);

static inline JsonObject *as_object(JsonNode *node)
{
	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
						    : NULL;
}

static inline JsonObject *get_object(JsonObject *o, const char *name)
{
	return o ? as_object(json_object_get_member(o, name)) : NULL;
}

static inline JsonArray *get_array(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node)
						   : NULL;
}

static inline const char *get_string(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node) : NULL;
}

static inline bool get_number(JsonObject *o, const char *name, double *ret)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;
	GType type = node && JSON_NODE_HOLDS_VALUE(node)
			     ? json_node_get_value_type(node) : G_TYPE_INVALID;

	if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
		return false;
	*ret = json_node_get_double(node);
	return true;
}

static inline bool is_true(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) &&
	       json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
	       json_node_get_boolean(node);
}

/* "", or what it says, fit for a terminal. */
static inline char *safe(JsonObject *o, const char *name)
{
	const char *text = get_string(o, name);

	return ctl_text_safe(text ? text : "");
}

static inline void append_text(GString *s, const char *before, JsonObject *o,
			const char *name)
{
	g_autofree char *text = safe(o, name);

	if (text[0])
		g_string_append_printf(s, "%s%s", before, text);
}
