// SPDX-License-Identifier: Apache-2.0
#include "webrtc/keyframe-requests.h"

enum keyframe_verdict keyframe_requests_add(struct keyframe_requests *k,
					    uint64_t now_us)
{
	k->pending = true;
	return keyframe_requests_poll(k, now_us);
}

enum keyframe_verdict keyframe_requests_poll(struct keyframe_requests *k,
					     uint64_t now_us)
{
	bool first = !k->had_first;

	if (!k->pending ||
	    (!first && now_us - k->last_us < KEYFRAME_REQUEST_INTERVAL_US))
		return KEYFRAME_KEEP;
	k->pending = false;
	k->had_first = true;
	k->last_us = now_us;
	return first ? KEYFRAME_ASK_FIRST : KEYFRAME_ASK;
}

void keyframe_requests_answered(struct keyframe_requests *k)
{
	k->pending = false;
}

uint64_t keyframe_requests_due_us(const struct keyframe_requests *k)
{
	return k->pending ? k->last_us + KEYFRAME_REQUEST_INTERVAL_US
			  : UINT64_MAX;
}
