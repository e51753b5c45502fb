// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packetize-vp8.h"

#include <errno.h>

#include "webrtc/be.h"

#define FRAME_TAG_BYTES 3 /* RFC 6386 §9.1: the least a frame has */

int packetize_vp8_split(struct rtp_plan *plan, const struct coded_unit *unit,
			size_t max_payload)
{
	size_t cut = max_payload - PACKETIZE_VP8_PREFIX;

	if (unit->size < FRAME_TAG_BYTES)
		return -EBADMSG;
	return rtp_plan_cut(plan, 0, unit->size, cut, PACKETIZE_VP8_PREFIX);
}

void packetize_vp8_fragment(const struct rtp_plan *plan,
			    const struct rtp_plan_part *part,
			    unsigned int index, struct rtp_fragment *ret)
{
	ret->prefix[0] = (uint8_t) (0x80 | (index == 0) << 4);
	ret->prefix[1] = 0x80;
	be16_put(ret->prefix + 2,
		 (uint16_t) (0x8000 | (plan->unit->number & 0x7fff)));
	rtp_fragment_add(ret, ret->prefix, PACKETIZE_VP8_PREFIX);
	rtp_plan_add_slice(plan, part, index, ret);
}
