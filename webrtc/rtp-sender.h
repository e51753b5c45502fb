/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp-sender.h - one m-line's outgoing source and its RTX twin
 *
 * RTP time is a function of the capture time alone, so it neither drifts nor
 * depends on when a packet leaves; sender reports pair the same function of
 * "now" with the wall clock. What was sent is remembered as (plan, fragment):
 * retransmissions are built again from the unit itself.
 *
 * An RTX packet is a new packet of its own source. The original is never sent
 * twice under its number: its send time and transport-wide number would
 * differ, and sealing two texts under one SRTP index breaks AES-GCM.
 *
 * Source:  RFC 3550 §5.1, §6.4.1, RFC 4588 §4 (RTX payload format)
 * Thread:  network
 * Memory:  the history is acquired by rtp_sender_set() when RTX is on; it
 *          holds plan references for at most RTP_HISTORY_US
 */
#pragma once

#include "webrtc/rtcp.h"
#include "webrtc/rtp-ext.h"
#include "webrtc/rtp-plan.h"

#define RTP_HISTORY_PACKETS 1024
#define RTP_HISTORY_US	    UINT64_C(1500000)
#define RTP_HEADER_MAX	    (12 + RTP_EXT_BLOCK_MAX)

struct rtp_sent {
	struct rtp_plan *plan;		/* NULL: empty */
	uint32_t sent_ms;		/* modulo 2^32 */
	uint32_t resent_ms;
	uint16_t seq;
	uint16_t fragment;
	bool resent;
};

struct rtp_sender {
	uint32_t ssrc, rtx_ssrc;
	uint8_t pt, rtx_pt;		/* rtx_pt 0: no RTX */
	uint32_t clock_rate;		/* Hz */
	struct rtp_ext_block ext;
	uint16_t seq, rtx_seq;		/* of the next packet */
	uint32_t timestamp_offset;
	uint32_t packets, bytes;	/* as SR counts: without headers */
	uint64_t rtx_packets, rtx_bytes;
	struct rtp_sent *history;	/* RTP_HISTORY_PACKETS, or NULL */
	uint16_t oldest;		/* sequence number; valid with n_held */
	uint16_t n_held;
};

struct rtp_sender_config {
	uint32_t ssrc, rtx_ssrc;
	uint8_t pt, rtx_pt;
	uint32_t clock_rate;
	struct rtp_ext_ids ext;
	const char *mid;
	unsigned int playout_min_ms, playout_max_ms;
};

/**
 * rtp_sender_set() - (re)configure; zeroed memory before the first time
 * @random: 8 bytes; used only when @config->ssrc is a new one
 *
 * Return: 0, -EINVAL, -ENOMEM; on failure nothing has changed.
 */
int rtp_sender_set(struct rtp_sender *s, const struct rtp_sender_config *config,
		   const uint8_t random[8]);
/* Lets go of the history; the memory may be set again or forgotten. */
void rtp_sender_done(struct rtp_sender *s);

/* RTP time of a moment, CLOCK_MONOTONIC microseconds */
uint32_t rtp_sender_timestamp(const struct rtp_sender *s, uint64_t us);

/* Writes the next packet's header. Return: bytes (<= RTP_HEADER_MAX). */
size_t rtp_sender_header(const struct rtp_sender *s,
			 const struct rtp_plan *plan, bool marker,
			 const struct rtp_ext_values *values, uint8_t *out);
/* It was sealed: it is counted, its number used, and it is remembered. */
void rtp_sender_commit(struct rtp_sender *s, struct rtp_plan *plan,
		       unsigned int fragment, size_t payload_len,
		       uint64_t now_us);

enum rtp_resend {
	RTP_RESEND_OK,
	RTP_RESEND_GONE,	/* not held (any more) */
	RTP_RESEND_SOON,	/* it is on its way: asked again too early */
};
/* May packet @seq be resent? Not twice within @min_interval_us. */
enum rtp_resend rtp_sender_may_resend(struct rtp_sender *s, uint16_t seq,
				      uint64_t min_interval_us,
				      uint64_t now_us);
/* The packet remembered under @seq, or NULL. */
struct rtp_sent *rtp_sender_find(struct rtp_sender *s, uint16_t seq);
/* Header of the RTX packet that carries @sent. The payload is @sent's
 * sequence number (two bytes) and its fragment. */
size_t rtp_sender_rtx_header(const struct rtp_sender *s,
			     const struct rtp_sent *sent, bool marker,
			     const struct rtp_ext_values *values,
			     uint8_t *out);
void rtp_sender_rtx_commit(struct rtp_sender *s, struct rtp_sent *sent,
			   size_t payload_len, uint64_t now_us);

/* Forgets what is older than RTP_HISTORY_US. */
void rtp_sender_expire(struct rtp_sender *s, uint64_t now_us);

/* What a sender report at @now_us says. */
struct rtcp_sender_info rtp_sender_info(const struct rtp_sender *s,
					uint64_t now_us,
					int64_t realtime_offset_us);
/* Wall clock (CLOCK_REALTIME, microseconds) as 32.32 seconds since 1900 */
uint64_t rtp_ntp(uint64_t realtime_us);
