/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/packetize-opus.h - Opus packets as RTP payloads
 *
 * One packet is one payload, without any framing. The marker bit would open a
 * talk spurt after silence that was not sent (DTX); we send all the time, so
 * it is never set.
 *
 * Source:  RFC 7587 §4
 * Thread:  any; pure
 * Memory:  writes into the plan
 */
#pragma once

#include "webrtc/rtp-plan.h"

/* Return: 0, -EBADMSG (empty), -E2BIG (does not fit one packet). */
int packetize_opus_split(struct rtp_plan *plan, const struct coded_unit *unit,
			 size_t max_payload);
void packetize_opus_fragment(const struct rtp_plan *plan,
			     const struct rtp_plan_part *part,
			     unsigned int index, struct rtp_fragment *ret);
