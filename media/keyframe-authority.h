/* SPDX-License-Identifier: Apache-2.0 */
/* media/keyframe-authority.h - when one encoder makes its keyframes
 *
 * A keyframe costs ten ordinary frames. Requests of many peers are therefore
 * merged, and 300 ms lie between keyframes, except for a peer that has seen
 * nothing yet. A request that comes too early waits; it is never forgotten.
 *
 *   request ---------x--------------------x-----------x(first)
 *   keyframe  |.......300 ms......|K            |K     |K
 *
 * Source:  none (our own); RFC 4585 §6.3.1, RFC 5104 §4.3.1 for the requests
 * Thread:  any; the caller's, one at a time
 * Memory:  embedded in its owner
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEYFRAME_MIN_GAP_US UINT64_C(300000)

struct keyframe_authority {
	uint64_t last_us; /* CLOCK_MONOTONIC */
	bool any;	  /* one was made */
	bool pending;
	bool pending_first;
};

void keyframe_authority_init(struct keyframe_authority *a);

/* @first: of a peer that had none yet: does not wait. */
void keyframe_authority_request(struct keyframe_authority *a, bool first);

/* Is the frame encoded at @now_us to be a keyframe? The very first one is. */
bool keyframe_authority_is_due(const struct keyframe_authority *a,
			       uint64_t now_us);

/* A keyframe was made, asked for or not: every request is answered by it. */
void keyframe_authority_made(struct keyframe_authority *a, uint64_t now_us);
