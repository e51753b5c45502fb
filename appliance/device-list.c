// SPDX-License-Identifier: Apache-2.0
#include "appliance/device-list.h"

#include <string.h>

#include "drivers/alsa-capture.h"
#include "drivers/v4l2-capture.h"

static JsonObject *add(JsonArray *list, const char *kind, const char *source,
		       const char *name)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "kind", kind);
	json_object_set_string_member(o, "source", source);
	json_object_set_string_member(o, "name", name);
	json_array_add_object_element(list, o);
	return o;
}

static void set_identity(JsonObject *o, const struct device *d)
{
	g_autofree char *id = g_utf8_make_valid(d->id, -1);

	json_object_set_string_member(o, "id", id);
	json_object_set_string_member(o, "port", d->port);
	json_object_set_string_member(o, "node", d->node);
}

static void add_camera(void *user, const struct v4l2_camera *c)
{
	g_autofree char *source = g_strdup_printf("v4l2:%s", c->name);
	/* A driver's word. */
	g_autofree char *name = g_utf8_make_valid(c->card, -1);
	JsonArray *formats = json_array_new();
	JsonObject *o = add(user, "video", source, name);

	set_identity(o, &c->device);
	for (unsigned int i = 0; i < c->n_formats; i++) {
		uint32_t code = c->formats[i].fourcc;
		const char raw[5] = {(char) (code & 0x7f),
				     (char) (code >> 8 & 0x7f),
				     (char) (code >> 16 & 0x7f),
				     (char) (code >> 24 & 0x7f), '\0'};
		g_autofree char *text = g_strchomp(g_strdup(raw));
		JsonObject *f = json_object_new();

		json_object_set_string_member(f, "fourcc", text);
		json_object_set_int_member(f, "width", c->formats[i].width);
		json_object_set_int_member(f, "height", c->formats[i].height);
		json_array_add_object_element(formats, f);
	}
	json_object_set_array_member(o, "formats", formats);
}

static void add_microphones(JsonArray *list)
{
	g_autofree struct alsa_microphone *all =
		g_new(struct alsa_microphone, DEVICES_MAX);
	size_t n = alsa_list_captures(all, DEVICES_MAX);

	for (size_t i = 0; i < n; i++) {
		/* A card's second PCM has no name of its own that lasts. */
		gboolean is_first = i == 0 ||
			strcmp(all[i].device.node, all[i - 1].device.node) != 0;
		g_autofree char *source = g_strdup_printf(
			"alsa:%s", is_first ? all[i].name : all[i].pcm);
		g_autofree char *name =
			g_utf8_make_valid(all[i].device.name, -1);
		JsonObject *o = add(list, "audio", source, name);

		set_identity(o, &all[i].device);
		json_object_set_string_member(o, "pcm", all[i].pcm);
	}
}

JsonNode *device_list_describe(void)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *list = json_array_new();

	v4l2_list_cameras(add_camera, list);
	add_microphones(list);
	add(list, "video", "test", "Moving test picture");
	add(list, "video", "test-screen", "Test picture in a screen's colours");
	add(list, "audio", "test", "Test tone of 440 Hz");
	json_node_take_array(node, list);
	return node;
}
