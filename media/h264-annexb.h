/* SPDX-License-Identifier: Apache-2.0 */
/* media/h264-annexb.h - NAL units and access units in a byte stream
 *
 * Source:  ITU-T H.264 Annex B (start codes), §7.4.1.2.3 and §7.4.1.2.4 (where
 *          an access unit begins)
 * Thread:  any
 * Memory:  points into the caller's bytes; never allocates
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	H264_NAL_SLICE = 1,
	H264_NAL_IDR = 5,
	H264_NAL_SEI = 6,
	H264_NAL_SPS = 7,
	H264_NAL_PPS = 8,
	H264_NAL_AUD = 9,
};

struct h264_nal {
	const uint8_t *data; /* its header byte */
	size_t size;	     /* without start code and trailing zeros; >= 1 */
	size_t start;	     /* of the start code, in the stream */
	unsigned int type;
};

/**
 * h264_next_nal() - walk a byte stream
 * @pos: where to go on; 0 at first; moved behind the NAL unit
 *
 * Return: false when there is none left.
 */
bool h264_next_nal(const uint8_t *data, size_t size, size_t *pos,
		   struct h264_nal *ret);

/**
 * h264_find_unit() - length of the first access unit
 * @at_end: nothing follows @data, so what is there is whole
 *
 * Slices of one picture may come in any number; an access unit begins with the
 * slice whose first macroblock is 0, or with what may only stand in front of
 * one.
 *
 * Return: bytes from the start of @data to the next access unit; 0 if that is
 *         not in @data yet.
 */
size_t h264_find_unit(const uint8_t *data, size_t size, bool at_end);

struct h264_unit_info {
	bool has_picture; /* a slice is in it */
	bool has_idr;
	bool has_sps, has_pps;
};

void h264_inspect_unit(const uint8_t *data, size_t size,
		       struct h264_unit_info *ret);
