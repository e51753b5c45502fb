/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp-receiver.h - reception statistics of the sources of one session
 *
 * Counting only: what is received is not yet decoded, so nothing is asked for
 * again and no keyframe is requested.
 *
 * Source:  RFC 3550 §A.1 (sequence numbers), §A.3 (loss), §A.8 (jitter),
 *          §6.4.1 (report blocks)
 * Thread:  network
 * Memory:  embedded in its owner; RTP_SOURCES_MAX sources
 */
#pragma once

#include "webrtc/rtcp.h"
#include "webrtc/rtp.h"

#define RTP_SOURCES_MAX	      16
/* A source silent for so long gives its place to a new one. */
#define RTP_SOURCE_SILENCE_US UINT64_C(5000000)

struct rtp_source {
	bool used;
	uint32_t ssrc;
	uint32_t clock_rate;		/* Hz */
	uint64_t last_us;		/* newest packet's arrival */
	uint32_t base_seq, max_seq;	/* extended: cycles << 16 | number */
	uint32_t bad_seq;		/* expected after a restart; > 2^16:
					 * none */
	uint32_t received;
	uint32_t expected_prior, received_prior; /* at the last report */
	uint32_t transit;		/* RTP units, modulo 2^32 */
	uint64_t jitter16;		/* 16 x jitter, RTP units */
	uint32_t lsr;			/* 0: no SR yet */
	uint64_t sr_us;			/* its arrival */
};

struct rtp_receiver {
	struct rtp_source sources[RTP_SOURCES_MAX];
	uint64_t untracked;		/* packets of sources without a place */
	uint64_t lost_gone;		/* lost by sources that are gone */
};

void rtp_receiver_init(struct rtp_receiver *r);
/* Accounts for one packet. @clock_rate: of its payload type, Hz. */
void rtp_receiver_add(struct rtp_receiver *r, const struct rtp_header *h,
		      uint32_t clock_rate, uint64_t now_us);
void rtp_receiver_on_sr(struct rtp_receiver *r, uint32_t ssrc, uint64_t ntp,
			uint64_t now_us);
void rtp_receiver_on_bye(struct rtp_receiver *r, uint32_t ssrc);
/* Blocks of the sources heard since their last report, which this is.
 * Return: how many, <= @max. */
unsigned int rtp_receiver_report(struct rtp_receiver *r,
				 struct rtcp_report_block *blocks,
				 unsigned int max, uint64_t now_us);
/* Packets lost so far, all sources together. */
uint64_t rtp_receiver_get_lost(const struct rtp_receiver *r);
