// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packetize-opus.h"

#include <errno.h>

int packetize_opus_split(struct rtp_plan *plan, const struct coded_unit *unit,
			 size_t max_payload)
{
	if (!unit->size)
		return -EBADMSG;
	if (unit->size > max_payload)
		return -E2BIG;
	return rtp_plan_cut(plan, 0, unit->size, max_payload, 0);
}

void packetize_opus_fragment(const struct rtp_plan *plan,
			     const struct rtp_plan_part *part,
			     unsigned int index, struct rtp_fragment *ret)
{
	rtp_plan_add_slice(plan, part, index, ret);
	ret->marker = false;
}
