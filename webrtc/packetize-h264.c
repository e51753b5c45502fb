// SPDX-License-Identifier: Apache-2.0
#include "webrtc/packetize-h264.h"

#include <errno.h>

#include "webrtc/be.h"

#define NAL_TYPE(h)	   ((h) & 0x1f)
#define NAL_NRI(h)	   ((h) & 0x60)
#define FU_PREFIX	   2	/* indicator, header */
#define STAP_SIZE_BYTES	   2
#define FU_START	   0x80
#define FU_END		   0x40

/* The byte behind the next 00 00 01, or NULL. @ret_zeros: where the zeros in
 * front of it begin. */
static const uint8_t *find_start_code(const uint8_t *p, const uint8_t *end,
				      const uint8_t **ret_zeros)
{
	const uint8_t *q;

	if (end - p < 3)
		return NULL;
	/* Looks at every third byte while it cannot be part of a code. */
	for (q = p + 2; q < end;) {
		if (*q > 1) {
			q += 3;
		} else if (*q == 1) {
			if (!q[-1] && !q[-2]) {
				const uint8_t *z = q - 2;

				while (z > p && !z[-1])
					z--;
				*ret_zeros = z;
				return q + 1;
			}
			q += 3;
		} else {
			q++;
		}
	}
	return NULL;
}

void h264_nal_iter_init(struct h264_nal_iter *it, const uint8_t *data,
			size_t len)
{
	const uint8_t *zeros;

	it->end = data + len;
	it->next = find_start_code(data, it->end, &zeros);
}

bool h264_nal_iter_next(struct h264_nal_iter *it, const uint8_t **ret,
			size_t *ret_len)
{
	while (it->next && it->next < it->end) {
		const uint8_t *nal = it->next;
		const uint8_t *stop = it->end;

		it->next = find_start_code(nal, it->end, &stop);
		if (!it->next) {
			stop = it->end;
			while (stop > nal && !stop[-1])
				stop--;
		}
		if (stop > nal) {
			*ret = nal;
			*ret_len = (size_t) (stop - nal);
			return true;
		}
	}
	return false;
}

static bool nal_is_sent(uint8_t header)
{
	unsigned int type = NAL_TYPE(header);

	if (type >= H264_NAL_AUD && type <= H264_NAL_FILLER)
		return false;
	/* 24 and above are RTP's own packet types and would be misread. */
	return type && type < H264_NAL_STAP_A;
}

/* May parts [first, n_parts) and one more of @len bytes share a packet? */
static bool fits_aggregate(const struct rtp_plan *plan, unsigned int first,
			   size_t len, size_t max_payload)
{
	size_t sum = 1 + STAP_SIZE_BYTES + len;

	if (plan->n_parts - first >= RTP_FRAGMENT_NALS_MAX)
		return false;
	for (unsigned int i = first; i < plan->n_parts; i++)
		sum += STAP_SIZE_BYTES + plan->parts[i].len;
	return sum <= max_payload && len <= UINT16_MAX;
}

/* Gives the parts [first, n_parts), short ones, their one packet. */
static int close_aggregate(struct rtp_plan *plan, unsigned int first)
{
	struct rtp_plan_part *head = &plan->parts[first];
	unsigned int n_nals = plan->n_parts - first;

	if (!n_nals)
		return 0;
	if (plan->n_fragments >= RTP_PLAN_FRAGMENTS_MAX)
		return -E2BIG;
	for (unsigned int i = first; i < plan->n_parts; i++) {
		plan->bytes += plan->parts[i].len;
		if (n_nals > 1)
			plan->bytes += STAP_SIZE_BYTES;
	}
	plan->bytes += n_nals > 1;
	head->first = plan->n_fragments++;
	head->n = 1;
	head->n_nals = (uint8_t) n_nals;
	return 0;
}

static int split_nal(struct rtp_plan *plan, const uint8_t *nal, size_t offset,
		     size_t len, size_t max_payload, unsigned int *open)
{
	struct rtp_plan_part *part;
	bool fits = len <= max_payload;
	int r;

	if (!fits || (*open < plan->n_parts &&
		      !fits_aggregate(plan, *open, len, max_payload))) {
		r = close_aggregate(plan, *open);
		if (r < 0)
			return r;
		*open = plan->n_parts;
	}
	if (plan->n_parts >= RTP_PLAN_PARTS_MAX)
		return -E2BIG;
	if (fits) {
		part = &plan->parts[plan->n_parts++];
		*part = (struct rtp_plan_part){
			.offset = (uint32_t) offset,
			.len = (uint32_t) len,
			.fragment_bytes = (uint32_t) len,
			.nal_header = nal[0],
		};
		return 0;
	}
	r = rtp_plan_cut(plan, offset + 1, len - 1, max_payload - FU_PREFIX,
			 FU_PREFIX);
	if (r < 0)
		return r;
	plan->parts[plan->n_parts - 1].nal_header = nal[0];
	*open = plan->n_parts;
	return 0;
}

int packetize_h264_split(struct rtp_plan *plan, const struct coded_unit *unit,
			 size_t max_payload)
{
	struct h264_nal_iter it;
	unsigned int open = 0;	/* first part still without a packet */
	const uint8_t *nal;
	size_t len;
	int r;

	h264_nal_iter_init(&it, unit->data, unit->size);
	while (h264_nal_iter_next(&it, &nal, &len)) {
		if (!nal_is_sent(nal[0]))
			continue;
		r = split_nal(plan, nal, (size_t) (nal - unit->data), len,
			      max_payload, &open);
		if (r < 0)
			return r;
	}
	r = close_aggregate(plan, open);
	if (r < 0)
		return r;
	return plan->n_fragments ? 0 : -EBADMSG;
}

static void stap_a_fragment(const struct rtp_plan *plan,
			    const struct rtp_plan_part *part,
			    struct rtp_fragment *ret)
{
	uint8_t *p = ret->prefix;
	uint8_t nri = 0, forbidden = 0;

	/* §5.7.1: F is the OR of all, NRI the highest of all. */
	for (unsigned int i = 0; i < part->n_nals; i++) {
		forbidden |= part[i].nal_header & 0x80;
		if (NAL_NRI(part[i].nal_header) > nri)
			nri = NAL_NRI(part[i].nal_header);
	}
	p[0] = forbidden | nri | H264_NAL_STAP_A;
	be16_put(p + 1, (uint16_t) part->len);
	rtp_fragment_add(ret, p, 3);
	rtp_plan_add_slice(plan, part, 0, ret);
	p += 3;
	for (unsigned int i = 1; i < part->n_nals; i++) {
		be16_put(p, (uint16_t) part[i].len);
		rtp_fragment_add(ret, p, STAP_SIZE_BYTES);
		rtp_plan_add_slice(plan, &part[i], 0, ret);
		p += STAP_SIZE_BYTES;
	}
}

void packetize_h264_fragment(const struct rtp_plan *plan,
			     const struct rtp_plan_part *part,
			     unsigned int index, struct rtp_fragment *ret)
{
	if (part->n_nals > 1) {
		stap_a_fragment(plan, part, ret);
		return;
	}
	if (part->n_nals == 0) {
		ret->prefix[0] = (part->nal_header & 0xe0) | H264_NAL_FU_A;
		ret->prefix[1] = NAL_TYPE(part->nal_header);
		if (index == 0)
			ret->prefix[1] |= FU_START;
		if (index + 1 == part->n)
			ret->prefix[1] |= FU_END;
		rtp_fragment_add(ret, ret->prefix, FU_PREFIX);
	}
	rtp_plan_add_slice(plan, part, index, ret);
}
