/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/peer-setup.h - what a negotiation means for the network half
 *
 * Source:  RFC 8829 §5.11 (applying an answer)
 * Thread:  any; pure
 * Memory:  the caller's
 */
#pragma once

#include "webrtc/jsep.h"
#include "webrtc/transport.h"

/* Our sources, the same for the life of a peer. */
struct peer_setup {
	uint32_t audio_ssrc, video_ssrc, rtx_ssrc;
	bool playout_delay_zero;
};

/* @s: all zero before */
void peer_setup_fill(const struct peer_setup *ours,
		     const struct jsep_negotiated *n,
		     struct transport_setup *s);
