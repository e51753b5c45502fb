// SPDX-License-Identifier: Apache-2.0
/* The scanner must see what a parser of trees sees. */
#include "appliance/roomserver/room-message.h"

#include <json-glib/json-glib.h>
#include <stdint.h>
#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/json-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(JsonObject *object, const char *name,
		    const struct room_field *field)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node) {
		g_assert_cmpint(field->kind, ==, ROOM_FIELD_NONE);
	} else if (JSON_NODE_HOLDS_NULL(node)) {
		g_assert_cmpint(field->kind, ==, ROOM_FIELD_NULL);
	} else if (json_node_get_value_type(node) == G_TYPE_STRING) {
		const char *text = json_node_get_string(node);

		if (strlen(text) > ROOM_MESSAGE_MAX_FIELD)
			g_assert_cmpint(field->kind, ==, ROOM_FIELD_OTHER);
		else
			g_assert_true(room_field_is(field, text));
	} else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
		g_assert_cmpint(field->kind, ==,
				json_node_get_boolean(node)
					? ROOM_FIELD_TRUE
					: ROOM_FIELD_OTHER);
	} else {
		g_assert_cmpint(field->kind, ==, ROOM_FIELD_OTHER);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as long as it is: one byte more would be noticed. */
	g_autofree char *text = g_memdup2(data, size);
	g_autoptr(JsonObject) object = json_checked_parse_object(
		text ? text : "", (gssize) size, EIO_MAX_PACKET, NULL);
	struct room_message m;
	int r = room_message_scan(&m, text ? text : "", size);

	if (r < 0) {
		JsonNode *type = object ? json_object_get_member(object, "type")
					: NULL;

		g_assert_true(!type ||
			      json_node_get_value_type(type) != G_TYPE_STRING ||
			      strlen(json_node_get_string(type)) >
				      ROOM_MESSAGE_MAX_FIELD);
		return 0;
	}
	g_assert_nonnull(object);
	compare(object, "type", &m.type);
	compare(object, "mid", &m.mid);
	compare(object, "rid", &m.rid);
	compare(object, "target", &m.target);
	compare(object, "lock", &m.lock);
	compare(object, "SMProtocolVersion", &m.sm_version);
	return 0;
}
