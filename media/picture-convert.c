// SPDX-License-Identifier: Apache-2.0
#include "media/picture-convert.h"

#include <assert.h>
#include <libyuv/convert.h>
#include <libyuv/planar_functions.h>
#include <string.h>

#define BLOCK 64 /* bytes: a constant, so that compilers use vectors */

static uint8_t limit_luma(unsigned int y)
{
	return (uint8_t) ((y * 220 >> 8) + 16);
}

static uint8_t limit_chroma(unsigned int c)
{
	return (uint8_t) ((c * 225 + 4096) >> 8);
}

static void limit_luma_row(uint8_t *restrict dst, const uint8_t *restrict src,
			   unsigned int n)
{
	unsigned int i = 0;

	for (; i + BLOCK <= n; i += BLOCK)
		for (unsigned int j = 0; j < BLOCK; j++)
			dst[i + j] = limit_luma(src[i + j]);
	for (; i < n; i++)
		dst[i] = limit_luma(src[i]);
}

/* The mean of two rows; @a and @b may be the same. */
static void limit_chroma_row(uint8_t *restrict dst, const uint8_t *a,
			     const uint8_t *b, unsigned int n)
{
	unsigned int i = 0;

	for (; i + BLOCK <= n; i += BLOCK)
		for (unsigned int j = 0; j < BLOCK; j++)
			dst[i + j] =
				limit_chroma((a[i + j] + b[i + j] + 1u) >> 1);
	for (; i < n; i++)
		dst[i] = limit_chroma((a[i] + b[i] + 1u) >> 1);
}

/* The mean of two by two. */
static void limit_chroma_quads(uint8_t *restrict dst, const uint8_t *a,
			       const uint8_t *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		dst[i] = limit_chroma((a[2 * i] + a[2 * i + 1] + b[2 * i] +
				       b[2 * i + 1] + 2u) >>
				      2);
}

static void convert_full_range(struct picture *dst,
			       const struct picture_view *src)
{
	unsigned int rows_per = src->layout == PIXELS_I420 ? 1 : 2;

	for (unsigned int y = 0; y < dst->height; y++)
		limit_luma_row(dst->data[0] + (ptrdiff_t) y * dst->stride[0],
			       src->data[0] + (ptrdiff_t) y * src->stride[0],
			       dst->width);

	for (unsigned int plane = 1; plane < 3; plane++) {
		for (unsigned int y = 0; y < dst->height / 2; y++) {
			uint8_t *out = dst->data[plane] +
				       (ptrdiff_t) y * dst->stride[plane];
			const uint8_t *a =
				src->data[plane] +
				(ptrdiff_t) (y * rows_per) * src->stride[plane];
			const uint8_t *b = a;

			if (rows_per == 2)
				b = a + src->stride[plane];
			if (src->layout == PIXELS_I444)
				limit_chroma_quads(out, a, b, dst->width / 2);
			else
				limit_chroma_row(out, a, b, dst->width / 2);
		}
	}
}

static void grey_to_i420(struct picture *dst, const struct picture_view *src)
{
	for (unsigned int y = 0; y < dst->height; y++) {
		uint8_t *out = dst->data[0] + (ptrdiff_t) y * dst->stride[0];
		const uint8_t *in =
			src->data[0] + (ptrdiff_t) y * src->stride[0];

		if (src->full_range)
			limit_luma_row(out, in, dst->width);
		else
			memcpy(out, in, dst->width);
	}
	for (unsigned int plane = 1; plane < 3; plane++)
		SetPlane(dst->data[plane], dst->stride[plane],
			 (int) dst->width / 2, (int) dst->height / 2, 128);
}

/* libyuv's argument lists, once. */
#define TO_I420(d)                                                             \
	(d)->data[0], (d)->stride[0], (d)->data[1], (d)->stride[1],            \
		(d)->data[2], (d)->stride[2], (int) (d)->width,                \
		(int) (d)->height
#define FROM_PLANE(s, i) (s)->data[i], (s)->stride[i]

static void convert_limited(struct picture *dst, const struct picture_view *src)
{
	switch (src->layout) {
	case PIXELS_I420:
		I420Copy(FROM_PLANE(src, 0), FROM_PLANE(src, 1),
			 FROM_PLANE(src, 2), TO_I420(dst));
		break;
	case PIXELS_I422:
		I422ToI420(FROM_PLANE(src, 0), FROM_PLANE(src, 1),
			   FROM_PLANE(src, 2), TO_I420(dst));
		break;
	case PIXELS_I444:
		I444ToI420(FROM_PLANE(src, 0), FROM_PLANE(src, 1),
			   FROM_PLANE(src, 2), TO_I420(dst));
		break;
	case PIXELS_GREY:
		grey_to_i420(dst, src);
		break;
	case PIXELS_NV12:
		NV12ToI420(FROM_PLANE(src, 0), FROM_PLANE(src, 1),
			   TO_I420(dst));
		break;
	case PIXELS_YUYV:
		YUY2ToI420(FROM_PLANE(src, 0), TO_I420(dst));
		break;
	case PIXELS_RGB24:
		RAWToI420(FROM_PLANE(src, 0), TO_I420(dst));
		break;
	case PIXELS_BGRA: /* libyuv names words, not bytes: its ARGB */
		ARGBToI420(FROM_PLANE(src, 0), TO_I420(dst));
		break;
	}
}

static bool is_planar_colour(enum pixel_layout layout)
{
	return layout == PIXELS_I420 || layout == PIXELS_I422 ||
	       layout == PIXELS_I444;
}

void picture_convert(struct picture *dst, const struct picture_view *src,
		     struct media_count *count)
{
	assert(dst->format == PICTURE_I420 &&
	       dst->width == (src->width & ~1u) &&
	       dst->height == (src->height & ~1u));

	if (src->full_range && is_planar_colour(src->layout))
		convert_full_range(dst, src);
	else
		convert_limited(dst, src);
	media_count_add(&count->frame_copies);
}

struct picture_view picture_view_of(const struct picture *p)
{
	struct picture_view v = {
		.layout = p->format == PICTURE_NV12 ? PIXELS_NV12 : PIXELS_I420,
		.width = p->width,
		.height = p->height,
	};

	for (unsigned int i = 0; i < 3; i++) {
		v.data[i] = p->data[i];
		v.stride[i] = p->stride[i];
	}
	return v;
}
