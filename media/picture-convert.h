/* SPDX-License-Identifier: Apache-2.0 */
/* media/picture-convert.h - one pass from what a source gives to I420
 *
 * libyuv where it has the pass; our own where the quantization range changes
 * too (JPEG pictures use 0 to 255, encoders are told 16 to 235): doing both at
 * once saves the second walk through memory.
 *
 * Source:  V4L2 pixel formats, libavutil's planar formats; ITU-R BT.601 ranges
 * Thread:  any
 * Memory:  the caller's; never allocates. Every call counts as one copy
 */
#pragma once

#include "media/picture.h"

enum pixel_layout {
	PIXELS_I420,
	PIXELS_I422,
	PIXELS_I444,
	PIXELS_GREY,
	PIXELS_NV12,
	PIXELS_YUYV,
	PIXELS_RGB24, /* R, G, B in memory */
	PIXELS_BGRA,  /* B, G, R, A in memory */
};

/* Pixels that belong to somebody else. */
struct picture_view {
	enum pixel_layout layout;
	bool full_range; /* planar layouts only */
	unsigned int width, height;
	const uint8_t *data[3];
	int stride[3]; /* bytes */
};

/**
 * picture_convert() - fill a picture of ours from foreign pixels
 * @dst: I420; as large as @src, an odd last row or column is cut off
 */
void picture_convert(struct picture *dst, const struct picture_view *src,
		     struct media_count *count);

/* A picture, seen as foreign pixels. */
struct picture_view picture_view_of(const struct picture *p);
