/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/packetize-h264.h - H.264 access units as RTP payloads, packetization
 * mode 1
 *
 *   up to three neighbouring NAL units that fit together  one STAP-A
 *   a NAL unit that fits                                  as it is
 *   a longer one                                          equal FU-A fragments
 *
 * So an IDR unit is one STAP-A (SPS, PPS, SEI) and one run of FU-A packets of
 * one size; a delta unit of one slice is one run. Access unit delimiters, end
 * marks and filler data are left out: RTP marks the unit's end itself.
 *
 * Source:  RFC 6184 §5.6 to §5.8, ITU-T H.264 Annex B (start codes)
 * Thread:  any; pure
 * Memory:  writes into the plan
 */
#pragma once

#include "webrtc/rtp-plan.h"

#define H264_NAL_IDR	 5
#define H264_NAL_SEI	 6
#define H264_NAL_SPS	 7
#define H264_NAL_PPS	 8
#define H264_NAL_AUD	 9
#define H264_NAL_END_SEQ 10
#define H264_NAL_END_STR 11
#define H264_NAL_FILLER	 12
#define H264_NAL_STAP_A	 24
#define H264_NAL_FU_A	 28

/* A walk over a byte stream's NAL units; start codes of 3 and 4 bytes. */
struct h264_nal_iter {
	const uint8_t *next;		/* behind the last start code */
	const uint8_t *end;
};

void h264_nal_iter_init(struct h264_nal_iter *it, const uint8_t *data,
			size_t len);
/* The next NAL unit without start code and trailing zeros; empty ones are
 * passed over. Return: false at the end. */
bool h264_nal_iter_next(struct h264_nal_iter *it, const uint8_t **ret,
			size_t *ret_len);

/* Return: 0, -EBADMSG (no NAL unit in Annex B format), -E2BIG. */
int packetize_h264_split(struct rtp_plan *plan, const struct coded_unit *unit,
			 size_t max_payload);
void packetize_h264_fragment(const struct rtp_plan *plan,
			     const struct rtp_plan_part *part,
			     unsigned int index, struct rtp_fragment *ret);
