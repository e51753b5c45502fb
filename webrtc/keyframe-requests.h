/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/keyframe-requests.h - one peer's requests for a keyframe, merged
 *
 * A new peer's first request passes at once and is flagged: the rung's
 * keyframe authority exempts it from waiting. After that at most one passes a
 * second. One that comes earlier is kept and passes when the second is over,
 * unless a keyframe has left meanwhile, which answers it.
 *
 * Source:  docs/architecture.md, "Keyframes"; RFC 4585 §6.3.1 (PLI), RFC 5104
 *          §4.3.1 (FIR)
 * Thread:  network
 * Memory:  embedded in its owner
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEYFRAME_REQUEST_INTERVAL_US UINT64_C(1000000)

struct keyframe_requests {
	bool had_first;
	bool pending;
	uint64_t last_us;		/* the last that passed */
};

enum keyframe_verdict {
	KEYFRAME_KEEP,			/* not now */
	KEYFRAME_ASK,
	KEYFRAME_ASK_FIRST,
};

/* The peer asks. */
enum keyframe_verdict keyframe_requests_add(struct keyframe_requests *k,
					    uint64_t now_us);
/* A kept request whose time has come? */
enum keyframe_verdict keyframe_requests_poll(struct keyframe_requests *k,
					     uint64_t now_us);
/* A keyframe leaves: what was asked before is answered. */
void keyframe_requests_answered(struct keyframe_requests *k);
/* When to poll; UINT64_MAX: no need. */
uint64_t keyframe_requests_due_us(const struct keyframe_requests *k);
