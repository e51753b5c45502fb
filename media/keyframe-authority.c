// SPDX-License-Identifier: Apache-2.0
#include "media/keyframe-authority.h"

void keyframe_authority_init(struct keyframe_authority *a)
{
	*a = (struct keyframe_authority){0};
}

void keyframe_authority_request(struct keyframe_authority *a, bool first)
{
	a->pending = true;
	a->pending_first |= first;
}

bool keyframe_authority_is_due(const struct keyframe_authority *a,
			       uint64_t now_us)
{
	if (!a->any || a->pending_first)
		return true;
	return a->pending && now_us - a->last_us >= KEYFRAME_MIN_GAP_US;
}

void keyframe_authority_made(struct keyframe_authority *a, uint64_t now_us)
{
	a->any = true;
	a->last_us = now_us;
	a->pending = false;
	a->pending_first = false;
}
