/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/packetize-vp8.h - VP8 frames as RTP payloads
 *
 *  |1|0|0|S| 0 |PID 0|   S: first packet of the frame
 *  |1|0 0 0|  0      |   I: a picture id follows, nothing else
 *  |1|  PictureID, 15 bits       |
 *
 * No TL0PICIDX: without temporal layers a receiver orders frames by sequence
 * number, and gets by with four bytes of descriptor. The picture id counts the
 * rung's units, so that it is the same for every peer and the descriptor
 * belongs to the shared plan. Partitions are not told apart: PID stays 0 and
 * S marks the frame's start alone, as RFC 7741 §4.4 allows.
 *
 * Source:  RFC 7741 §4.2
 * Thread:  any; pure
 * Memory:  writes into the plan
 */
#pragma once

#include "webrtc/rtp-plan.h"

#define PACKETIZE_VP8_PREFIX 4 /* bytes */

/* Return: 0, -EBADMSG (no VP8 frame), -E2BIG. */
int packetize_vp8_split(struct rtp_plan *plan, const struct coded_unit *unit,
			size_t max_payload);
void packetize_vp8_fragment(const struct rtp_plan *plan,
			    const struct rtp_plan_part *part,
			    unsigned int index, struct rtp_fragment *ret);
