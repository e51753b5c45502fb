/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp-plan.h - how one coded unit is cut into RTP payloads, worked out
 * once and shared by every peer that sends it
 *
 * A plan holds no payload bytes and no list of fragments: it is a short table
 * of the unit's parts (one for VP8 and Opus, the NAL units for H.264), from
 * which the nth fragment follows by arithmetic. So a plan is small and of
 * fixed size, and "fragment 7 of this plan" is all that a peer's
 * retransmission history has to remember.
 *
 * Fragments are equal: a part of N bytes that needs n packets is cut into
 * pieces of ceil(N / n) bytes, the last one possibly shorter. Packets of one
 * part therefore form one GSO run:
 *
 *   VP8, Opus           one run
 *   H.264 delta         one run (one slice) or one run per slice
 *   H.264 IDR           [STAP-A: SPS PPS (SEI)] [FU-A run]
 *
 * Source:  RFC 6184, RFC 7741, RFC 7587 for what the payloads look like
 * Thread:  network; counts are not atomic
 * Memory:  a pool acquired by rtp_planner_new(); a plan holds one reference
 *          to its unit until its own last reference goes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "media/coded-unit.h"

/* Bytes of one datagram's UDP payload, and what is set aside in it: fixed
 * header, extension block (mid of up to 5 characters), RTX's original sequence
 * number, SRTP tag. */
#define RTP_PACKET_BYTES	1200
#define RTP_PACKET_RESERVED	(12 + 24 + 2 + 16)
#define RTP_PLAN_PAYLOAD_MAX	(RTP_PACKET_BYTES - RTP_PACKET_RESERVED)
#define RTP_PLAN_PAYLOAD_MIN	64	/* sane lower end of configuration */
#define RTP_PLAN_PARTS_MAX	32	/* NAL units of one access unit */
#define RTP_PLAN_FRAGMENTS_MAX	1024	/* of one unit: 1.1 MB */
#define RTP_FRAGMENT_NALS_MAX	3	/* NAL units in one STAP-A */
#define RTP_FRAGMENT_PREFIX_MAX 8
#define RTP_FRAGMENT_IOV_MAX	(2 * RTP_FRAGMENT_NALS_MAX)

/* One RTP payload: bytes of our own, and slices of the unit's data. */
struct rtp_fragment {
	uint8_t prefix[RTP_FRAGMENT_PREFIX_MAX];
	struct iovec iov[RTP_FRAGMENT_IOV_MAX]; /* point into prefix and unit */
	unsigned int n_iov;
	size_t len;			/* bytes of the whole payload */
	bool marker;			/* last packet of the unit */
};

/* A run of fragments: one NAL unit, or a few in one aggregate. */
struct rtp_plan_part {
	uint32_t offset, len;		/* of the bytes that are cut */
	uint32_t fragment_bytes;	/* of each but the last */
	uint16_t first, n;		/* fragments; n 0: shares the packet
					 * of a part before it */
	uint8_t n_nals;			/* H.264: NAL units in the packet: this
					 * part and those that follow; 0: cut
					 * into FU-A fragments */
	uint8_t nal_header;		/* H.264: F, NRI, type */
};

struct rtp_planner;

struct rtp_plan {
	struct rtp_planner *planner;
	struct rtp_plan *next_free;
	struct coded_unit *unit;
	unsigned int refs;
	uint16_t n_fragments;
	uint16_t n_parts;
	uint32_t bytes;			/* all payloads together */
	struct rtp_plan_part parts[RTP_PLAN_PARTS_MAX];
};

/**
 * rtp_planner_new() - acquire a pool
 * @n_plans: most plans alive at once; 0: 512
 * @max_payload: bytes of an RTP payload; 0: RTP_PLAN_PAYLOAD_MAX
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int rtp_planner_new(struct rtp_planner **ret, unsigned int n_plans,
		    size_t max_payload);
/* Every plan must have been let go. Takes NULL, returns NULL. */
struct rtp_planner *rtp_planner_free(struct rtp_planner *planner);

/**
 * rtp_plan_new() - plan a unit; takes a reference to it on success
 *
 * Return: 0, -EBADMSG when the bytes are no unit of its codec, -E2BIG when it
 * needs more parts or packets than a plan may have, -ENOBUFS when the pool is
 * empty.
 */
int rtp_plan_new(struct rtp_planner *planner, struct coded_unit *unit,
		 struct rtp_plan **ret);
struct rtp_plan *rtp_plan_ref(struct rtp_plan *plan);
/* Takes NULL, returns NULL. */
struct rtp_plan *rtp_plan_unref(struct rtp_plan *plan);

/* Describes fragment @index (< n_fragments). @ret is valid while the plan
 * lives and @ret itself stays where it is (the slices point into it). */
void rtp_plan_fragment(const struct rtp_plan *plan, unsigned int index,
		       struct rtp_fragment *ret);
/* Plans alive now: for tests and counters. */
unsigned int rtp_planner_get_used(const struct rtp_planner *planner);

/* --- for the packetizers -------------------------------------------------- */
/**
 * rtp_plan_cut() - append a part of @len bytes, cut into equal fragments
 * @max:    most bytes of the unit in one fragment
 * @prefix: bytes of our own in front of each, counted in plan->bytes
 *
 * Return: 0, -E2BIG.
 */
int rtp_plan_cut(struct rtp_plan *plan, size_t offset, size_t len, size_t max,
		 size_t prefix);
/* Appends the slice of @part that is its fragment @index. */
void rtp_plan_add_slice(const struct rtp_plan *plan,
			const struct rtp_plan_part *part, unsigned int index,
			struct rtp_fragment *ret);

static inline void rtp_fragment_add(struct rtp_fragment *f, const uint8_t *data,
				    size_t len)
{
	f->iov[f->n_iov++] = (struct iovec){ (void *) data, len };
	f->len += len;
}
