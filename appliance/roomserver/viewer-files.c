// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/viewer-files.h"

#include <gio/gio.h>
#include <string.h>

#include "viewer-resources.h"

#define PREFIX "/viewer"

static const struct {
	const char *extension, *content_type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".svg", "image/svg+xml"},
};

bool viewer_file_find(const char *path, struct viewer_file *ret)
{
	g_autofree char *name = g_strconcat(
		PREFIX, path, g_str_has_suffix(path, "/") ? "index.html" : "",
		NULL);
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *checksum = NULL;
	gsize len;

	bytes = g_resource_lookup_data(viewer_get_resource(), name, 0, NULL);
	if (!bytes)
		return false;
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (!g_str_has_suffix(name, types[i].extension))
			continue;
		/* Uncompressed resources point into the program itself. */
		ret->bytes = g_bytes_get_data(bytes, &len);
		ret->len = len;
		ret->content_type = types[i].content_type;
		checksum =
			g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
		g_snprintf(ret->etag, sizeof(ret->etag), "\"%.16s\"", checksum);
		return true;
	}
	return false;
}
