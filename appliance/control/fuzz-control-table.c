// SPDX-License-Identifier: Apache-2.0
/* Parameters of a call: a method's name, a line's end, JSON. What the table's
 * check lets through passes it again, and a stream's options make a stream or
 * a sentence. */
#include "appliance/control/control-table.h"

#include <stdint.h>
#include <string.h>

#include "appliance/media-options.h"
#include "appliance/signaling/json-check.h"

#define TEXT_MAX_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_stream(JsonObject *params)
{
	static const MediaDefaults defaults = {
		.audio_source = "test",
		.video_source = "none",
		.channels = 1,
		.width = 640,
		.height = 360,
		.fps = 30,
	};
	JsonNode *options = json_object_get_member(params, "options");
	g_autoptr(GError) error = NULL;
	MediaStream *stream =
		media_options_parse(options && JSON_NODE_HOLDS_OBJECT(options)
					    ? json_node_get_object(options)
					    : NULL,
				    &defaults, &error);

	g_assert_true(!stream == (error != NULL));
	if (stream)
		json_object_unref(media_stream_to_json(stream));
	media_stream_free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = memchr(data, '\n', size);
	g_autofree char *name = end ? g_strndup((const char *) data,
						(gsize) (end - (char *) data))
				    : NULL;
	const ControlMethod *method =
		name ? control_table_find(control_methods, name) : NULL;
	g_autoptr(JsonNode) params = NULL, again = NULL;
	g_autofree char *why = NULL, *why_not = NULL;
	JsonObject *checked, *twice;

	if (!method)
		return 0;
	size -= (size_t) (end + 1 -
			  (const char *) data); /* a name may hold a NUL */
	params = json_checked_parse(end + 1, (gssize) size, TEXT_MAX_BYTES,
				    NULL);
	if (!params ||
	    (!JSON_NODE_HOLDS_OBJECT(params) && !JSON_NODE_HOLDS_ARRAY(params)))
		return 0;
	checked = control_table_check(method, params, &why);
	g_assert_true(!checked == (why != NULL));
	if (!checked)
		return 0;
	again = json_node_init_object(json_node_alloc(), checked);
	twice = control_table_check(method, again, &why_not);
	g_assert_nonnull(twice);
	json_object_unref(twice);
	if (!strcmp(name, "getUserMedia"))
		open_stream(checked);
	json_object_unref(checked);
	return 0;
}
