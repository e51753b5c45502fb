// SPDX-License-Identifier: Apache-2.0
#include "appliance/device-list.h"

#include <string.h>

#include "media/audio-source.h"
#include "media/video-source.h"

/* Whatever this machine has, each source is one that the pipelines know. */
static void test_sources_are_known(void)
{
	g_autoptr(JsonNode) node = device_list_describe();
	JsonArray *list = json_node_get_array(node);
	guint n = json_array_get_length(list), n_test = 0;

	g_test_message("%u devices and test sources", n);
	g_assert_cmpuint(n, >=, 3);
	for (guint i = 0; i < n; i++) {
		JsonObject *o = json_array_get_object_element(list, i);
		const char *kind = json_object_get_string_member(o, "kind");
		const char *source = json_object_get_string_member(o, "source");
		const char *path;

		g_assert_cmpstr(json_object_get_string_member(o, "name"), !=,
				"");
		if (!strcmp(kind, "video"))
			g_assert_nonnull(video_source_find(source, &path));
		else
			g_assert_nonnull(audio_source_find(source, &path));
		n_test += g_str_has_prefix(source, "test");
	}
	g_assert_cmpuint(n_test, ==, 3);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/device-list/known", test_sources_are_known);
	return g_test_run();
}
