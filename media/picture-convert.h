/* SPDX-License-Identifier: Apache-2.0 */
/* media/picture-convert.h - one pass from what a source gives to I420
 *
 * Source:  V4L2 pixel formats YUYV, NV12; libavutil's planar formats
 * Thread:  any
 * Memory:  the caller's; never allocates. Every call counts as one copy
 */
#pragma once

#include "media/picture.h"

/* @dst is I420, both have the same size. */
void picture_convert(struct picture *dst, const struct picture *src,
		     struct media_count *count);
