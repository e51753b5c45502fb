// SPDX-License-Identifier: Apache-2.0
#include "media/h264-annexb.h"

#include <string.h>

/* The next 00 00 01 from @pos on, or @size. */
static size_t find_start_code(const uint8_t *data, size_t size, size_t pos)
{
	while (size - pos >= 3) {
		/* memchr is quicker than any loop of ours, and ones are rare */
		const uint8_t *one = memchr(data + pos + 2, 1, size - pos - 2);

		if (!one)
			return size;
		if (one[-1] == 0 && one[-2] == 0)
			return (size_t) (one - data) - 2;
		pos = (size_t) (one - data) - 1;
	}
	return size;
}

bool h264_next_nal(const uint8_t *data, size_t size, size_t *pos,
		   struct h264_nal *ret)
{
	while (*pos < size) {
		size_t start = find_start_code(data, size, *pos);
		size_t begin, end;

		if (start == size)
			break;
		begin = start + 3;
		end = find_start_code(data, size, begin);
		*pos = end;
		/* A fourth byte of the start code is its leading zero. */
		if (start > 0 && data[start - 1] == 0)
			start--;
		while (end > begin && data[end - 1] == 0)
			end--;
		if (end == begin)
			continue; /* empty: damage */
		*ret = (struct h264_nal){
			.data = data + begin,
			.size = end - begin,
			.start = start,
			.type = data[begin] & 0x1f,
		};
		return true;
	}
	*pos = size;
	return false;
}

static bool is_slice(const struct h264_nal *n)
{
	return n->type == H264_NAL_SLICE || n->type == H264_NAL_IDR ||
	       n->type == 2; /* data partition A */
}

/* first_mb_in_slice is the first Exp-Golomb number: 0 is a single 1 bit. */
static bool is_first_slice(const struct h264_nal *n)
{
	return is_slice(n) && n->size > 1 && n->data[1] & 0x80;
}

static bool stands_in_front(const struct h264_nal *n)
{
	return n->type == H264_NAL_SEI || n->type == H264_NAL_SPS ||
	       n->type == H264_NAL_PPS || n->type == H264_NAL_AUD ||
	       (n->type >= 14 && n->type <= 18);
}

size_t h264_find_unit(const uint8_t *data, size_t size, bool at_end)
{
	bool has_slice = false;
	struct h264_nal nal;
	size_t pos = 0;

	while (h264_next_nal(data, size, &pos, &nal)) {
		/* A NAL unit that touches the end may still grow: its type and
		 * its first bits do not. */
		if (has_slice &&
		    (stands_in_front(&nal) || is_first_slice(&nal)))
			return nal.start;
		if (is_slice(&nal))
			has_slice = true;
	}
	return at_end ? size : 0;
}

void h264_inspect_unit(const uint8_t *data, size_t size,
		       struct h264_unit_info *ret)
{
	struct h264_unit_info info = {0};
	struct h264_nal nal;
	size_t pos = 0;

	while (h264_next_nal(data, size, &pos, &nal)) {
		info.has_picture |= is_slice(&nal);
		info.has_idr |= nal.type == H264_NAL_IDR;
		info.has_sps |= nal.type == H264_NAL_SPS;
		info.has_pps |= nal.type == H264_NAL_PPS;
	}
	*ret = info;
}
