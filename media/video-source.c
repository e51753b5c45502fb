// SPDX-License-Identifier: Apache-2.0
#include "media/video-source.h"

#include "media/source-spec.h"

static const struct video_source_ops *const sources[] = {
	&source_auto_ops, &source_test_ops, &source_test_screen_ops,
	&source_v4l2_ops, &source_file_ops, &source_h264_ops,
};

const struct video_source_ops *video_source_find(const char *spec,
						 const char **ret_path)
{
	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (source_spec_is(spec, sources[i]->name,
				   sources[i]->wants_path, ret_path))
			return sources[i];
	return NULL;
}
