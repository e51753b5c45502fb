// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-plan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "webrtc/packetize-h264.h"
#include "webrtc/packetize-opus.h"
#include "webrtc/packetize-vp8.h"

#define DEFAULT_PLANS	512
#define PLANS_MAX	65536
#define UNIT_BYTES_MAX	(RTP_PLAN_FRAGMENTS_MAX * RTP_PACKET_BYTES)

struct rtp_planner {
	struct rtp_plan *free;
	size_t max_payload;
	unsigned int n_used;
	struct rtp_plan plans[];
};

struct packetizer {
	int (*split)(struct rtp_plan *plan, const struct coded_unit *unit,
		     size_t max_payload);
	/* @index counts within @part */
	void (*fragment)(const struct rtp_plan *plan,
			 const struct rtp_plan_part *part, unsigned int index,
			 struct rtp_fragment *ret);
};

static const struct packetizer packetizers[N_MEDIA_CODECS] = {
	[MEDIA_CODEC_VP8] = { packetize_vp8_split, packetize_vp8_fragment },
	[MEDIA_CODEC_H264] = { packetize_h264_split, packetize_h264_fragment },
	[MEDIA_CODEC_OPUS] = { packetize_opus_split, packetize_opus_fragment },
};

int rtp_planner_new(struct rtp_planner **ret, unsigned int n_plans,
		    size_t max_payload)
{
	struct rtp_planner *p;

	if (!n_plans)
		n_plans = DEFAULT_PLANS;
	if (!max_payload)
		max_payload = RTP_PLAN_PAYLOAD_MAX;
	if (n_plans > PLANS_MAX || max_payload < RTP_PLAN_PAYLOAD_MIN ||
	    max_payload > RTP_PLAN_PAYLOAD_MAX)
		return -EINVAL;
	p = calloc(1, sizeof(*p) + n_plans * sizeof(p->plans[0]));
	if (!p)
		return -ENOMEM;
	p->max_payload = max_payload;
	for (unsigned int i = n_plans; i-- > 0;) {
		p->plans[i].planner = p;
		p->plans[i].next_free = p->free;
		p->free = &p->plans[i];
	}
	*ret = p;
	return 0;
}

struct rtp_planner *rtp_planner_free(struct rtp_planner *planner)
{
	if (planner)
		assert(!planner->n_used);
	free(planner);
	return NULL;
}

unsigned int rtp_planner_get_used(const struct rtp_planner *planner)
{
	return planner->n_used;
}

int rtp_plan_new(struct rtp_planner *planner, struct coded_unit *unit,
		 struct rtp_plan **ret)
{
	struct rtp_plan *plan = planner->free;
	int r;

	if (!plan)
		return -ENOBUFS;
	if (unit->size > UNIT_BYTES_MAX)
		return -E2BIG;
	plan->n_fragments = 0;
	plan->n_parts = 0;
	plan->bytes = 0;
	r = packetizers[unit->codec].split(plan, unit, planner->max_payload);
	if (r < 0)
		return r;
	planner->free = plan->next_free;
	planner->n_used++;
	plan->refs = 1;
	plan->unit = coded_unit_ref(unit);
	*ret = plan;
	return 0;
}

struct rtp_plan *rtp_plan_ref(struct rtp_plan *plan)
{
	plan->refs++;
	return plan;
}

struct rtp_plan *rtp_plan_unref(struct rtp_plan *plan)
{
	struct rtp_planner *planner;

	if (!plan || --plan->refs)
		return NULL;
	planner = plan->planner;
	plan->unit = coded_unit_unref(plan->unit);
	plan->next_free = planner->free;
	planner->free = plan;
	planner->n_used--;
	return NULL;
}

int rtp_plan_cut(struct rtp_plan *plan, size_t offset, size_t len, size_t max,
		 size_t prefix)
{
	size_t n = (len + max - 1) / max;
	size_t each = (len + n - 1) / n;

	/* Rounding up may leave less than a packet's worth for the last ones:
	 * 10 bytes in 4 pieces of 3 are 4, but 9 in 4 of 3 are only 3. */
	n = (len + each - 1) / each;
	if (plan->n_parts >= RTP_PLAN_PARTS_MAX ||
	    n > (size_t) RTP_PLAN_FRAGMENTS_MAX - plan->n_fragments)
		return -E2BIG;
	plan->parts[plan->n_parts++] = (struct rtp_plan_part){
		.offset = (uint32_t) offset,
		.len = (uint32_t) len,
		.fragment_bytes = (uint32_t) each,
		.first = plan->n_fragments,
		.n = (uint16_t) n,
	};
	plan->n_fragments += (uint16_t) n;
	plan->bytes += (uint32_t) (len + n * prefix);
	return 0;
}

void rtp_plan_add_slice(const struct rtp_plan *plan,
			const struct rtp_plan_part *part, unsigned int index,
			struct rtp_fragment *ret)
{
	uint32_t at = index * part->fragment_bytes;
	uint32_t len = part->len - at;

	if (len > part->fragment_bytes)
		len = part->fragment_bytes;
	rtp_fragment_add(ret, plan->unit->data + part->offset + at, len);
}

void rtp_plan_fragment(const struct rtp_plan *plan, unsigned int index,
		       struct rtp_fragment *ret)
{
	const struct rtp_plan_part *part = plan->parts;

	assert(index < plan->n_fragments);
	while (index - part->first >= part->n)
		part++;
	ret->n_iov = 0;
	ret->len = 0;
	ret->marker = index + 1u == plan->n_fragments;
	packetizers[plan->unit->codec].fragment(plan, part, index - part->first,
						ret);
}
