// SPDX-License-Identifier: Apache-2.0
#include "drivers/v4l2-format.h"

#include <errno.h>
#include <string.h>

/* The fields that both kinds of answer have. */
struct fields {
	uint32_t fourcc, width, height, stride, field;
	uint32_t colorspace, encoding, quantization;
};

static struct fields fields_of(const struct v4l2_format *f)
{
	if (V4L2_TYPE_IS_MULTIPLANAR(f->type)) {
		const struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;

		return (struct fields){
			p->pixelformat, p->width, p->height,
			p->plane_fmt[0].bytesperline, p->field,
			p->colorspace, p->ycbcr_enc, p->quantization,
		};
	}
	return (struct fields){
		f->fmt.pix.pixelformat, f->fmt.pix.width, f->fmt.pix.height,
		f->fmt.pix.bytesperline, f->fmt.pix.field,
		f->fmt.pix.colorspace, f->fmt.pix.ycbcr_enc,
		f->fmt.pix.quantization,
	};
}

void v4l2_format_ask(const struct v4l2_format_wish *wish, uint32_t type,
		     struct v4l2_format *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->type = type;
	if (V4L2_TYPE_IS_MULTIPLANAR(type)) {
		ret->fmt.pix_mp.pixelformat = wish->fourcc;
		ret->fmt.pix_mp.width = wish->width;
		ret->fmt.pix_mp.height = wish->height;
		ret->fmt.pix_mp.field = V4L2_FIELD_NONE;
	} else {
		ret->fmt.pix.pixelformat = wish->fourcc;
		ret->fmt.pix.width = wish->width;
		ret->fmt.pix.height = wish->height;
		ret->fmt.pix.field = V4L2_FIELD_NONE;
	}
}

/* "Default" has a meaning of its own for every colour space. */
static void read_colour(const struct fields *f, struct v4l2_format_info *ret)
{
	uint32_t encoding = f->encoding, quantization = f->quantization;

	if (encoding == V4L2_YCBCR_ENC_DEFAULT)
		encoding = V4L2_MAP_YCBCR_ENC_DEFAULT(f->colorspace);
	if (quantization == V4L2_QUANTIZATION_DEFAULT)
		quantization = V4L2_MAP_QUANTIZATION_DEFAULT(
			false, f->colorspace, encoding);
	ret->full_range = quantization == V4L2_QUANTIZATION_FULL_RANGE;
	ret->bt709 = encoding == V4L2_YCBCR_ENC_709 ||
		encoding == V4L2_YCBCR_ENC_XV709;
}

void v4l2_format_read(const struct v4l2_format *format,
		      struct v4l2_format_info *ret)
{
	struct fields f = fields_of(format);

	ret->fourcc = f.fourcc;
	ret->width = f.width;
	ret->height = f.height;
	ret->stride = f.stride;
	read_colour(&f, ret);
}

uint64_t v4l2_format_distance(const struct v4l2_format_wish *wish,
			      const struct v4l2_format *answer)
{
	struct fields f = fields_of(answer);
	uint64_t have = (uint64_t) f.width * f.height;
	uint64_t want = (uint64_t) wish->width * wish->height;
	uint64_t off;

	if (f.fourcc != wish->fourcc || f.field == V4L2_FIELD_TOP ||
	    f.field == V4L2_FIELD_BOTTOM || f.field == V4L2_FIELD_ALTERNATE)
		return UINT64_MAX;
	if (f.width == wish->width && f.height == wish->height)
		return 0;
	off = have > want ? have - want : want - have;
	return off + 1;		/* another shape of equal area is no match */
}

int v4l2_format_locate(const struct v4l2_buffer *b, unsigned int n,
		       const size_t *mapped, size_t *ret_at, size_t *ret_len)
{
	size_t at[V4L2_CAPTURE_PLANES_MAX], len[V4L2_CAPTURE_PLANES_MAX];
	bool multiplanar = V4L2_TYPE_IS_MULTIPLANAR(b->type);

	for (unsigned int i = 0; i < n; i++) {
		size_t offset = multiplanar ? b->m.planes[i].data_offset : 0;
		size_t used = multiplanar ? b->m.planes[i].bytesused :
					    b->bytesused;

		if (used > mapped[i] || offset > used)
			return -EBADMSG;
		at[i] = offset;
		len[i] = used - offset;
	}
	memcpy(ret_at, at, n * sizeof(*at));
	memcpy(ret_len, len, n * sizeof(*len));
	return 0;
}
