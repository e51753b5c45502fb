// SPDX-License-Identifier: Apache-2.0
#include "media/picture-convert.h"

#include <assert.h>
#include <libyuv/convert.h>

void picture_convert(struct picture *dst, const struct picture *src,
		     struct media_count *count)
{
	assert(dst->format == PICTURE_I420 && dst->width == src->width &&
	       dst->height == src->height);

	switch (src->format) {
	case PICTURE_I420:
		picture_copy(dst, src, count);
		return;
	case PICTURE_NV12:
		NV12ToI420(src->data[0], src->stride[0], src->data[1],
			   src->stride[1], dst->data[0], dst->stride[0],
			   dst->data[1], dst->stride[1], dst->data[2],
			   dst->stride[2], (int) src->width,
			   (int) src->height);
		media_count_add(&count->frame_copies);
		return;
	}
}
