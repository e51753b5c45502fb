// SPDX-License-Identifier: Apache-2.0
#include "media/video-source.h"

#include <string.h>

static const struct video_source_ops *const sources[] = {
	&source_auto_ops, &source_test_ops, &source_v4l2_ops,
	&source_file_ops, &source_h264_ops,
};

const struct video_source_ops *video_source_find(const char *spec,
						 const char **ret_path)
{
	const char *colon = strchr(spec, ':');
	size_t len = colon ? (size_t) (colon - spec) : strlen(spec);
	const char *path = colon && colon[1] ? colon + 1 : NULL;

	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]);
	     i++) {
		const struct video_source_ops *ops = sources[i];

		if (strlen(ops->name) != len || strncmp(ops->name, spec, len))
			continue;
		if (ops->wants_path != (colon != NULL) ||
		    ops->wants_path != (path != NULL))
			return NULL;
		*ret_path = path;
		return ops;
	}
	return NULL;
}
