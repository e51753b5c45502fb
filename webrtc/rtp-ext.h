/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp-ext.h - one m-line's header extension block, built once and
 * patched per packet
 *
 * mid and playout-delay never change: they stand in the template. The
 * transport-wide sequence number, the send time and the audio level are
 * patched into the copy that goes out. Every packet of a line carries the
 * same elements, so that all packets have headers of one size (UDP GSO wants
 * equal datagrams).
 *
 * Source:  RFC 8285 §4.2 (one-byte form), RFC 9143 §15 (mid), RFC 6464
 *          (audio level), draft-holmer-rmcat-transport-wide-cc-extensions-01
 *          §2, and the abs-send-time and playout-delay extensions as WebRTC
 *          registers them
 * Thread:  any; pure
 * Memory:  embedded in its owner; nothing to release
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_EXT_MID_MAX	  16	/* bytes: the one-byte form ends there */
#define RTP_EXT_BLOCK_MAX 40	/* bytes: 4 + all elements at their longest */

#define RTP_EXT_URI_MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define RTP_EXT_URI_ABS_SEND_TIME                                              \
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define RTP_EXT_URI_TWCC                                                       \
	"http://www.ietf.org/id/"                                              \
	"draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define RTP_EXT_URI_PLAYOUT_DELAY                                              \
	"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
#define RTP_EXT_URI_AUDIO_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

/* Negotiated numbers, 1..14; 0: not negotiated. */
struct rtp_ext_ids {
	uint8_t mid;
	uint8_t abs_send_time;
	uint8_t twcc;
	uint8_t playout_delay;
	uint8_t audio_level;
};

struct rtp_ext_block {
	uint8_t bytes[RTP_EXT_BLOCK_MAX];
	uint8_t len;			/* whole block, multiple of 4; or 0 */
	uint8_t at_twcc;		/* offset of the value; 0: absent */
	uint8_t at_abs_send_time;
	uint8_t at_audio_level;
};

/**
 * rtp_ext_block_init() - build the template
 * @mid:          the m-line's identification tag; NULL or too long: left out
 * @playout_min_ms, @playout_max_ms: 0..40950, in steps of 10 ms
 *
 * Return: 0, or -EINVAL for a number outside 0..14 or used twice.
 */
int rtp_ext_block_init(struct rtp_ext_block *b, const struct rtp_ext_ids *ids,
		       const char *mid, unsigned int playout_min_ms,
		       unsigned int playout_max_ms);

/* What differs from packet to packet. */
struct rtp_ext_values {
	uint16_t twcc_seq;
	uint64_t send_us;		/* CLOCK_MONOTONIC, microseconds */
	uint8_t audio_level;		/* -dBov, 0..127 */
	bool audio_voice;
};

/* Copies the patched block to @out (b->len bytes). Return: b->len. */
size_t rtp_ext_block_write(const struct rtp_ext_block *b,
			   const struct rtp_ext_values *v, uint8_t *out);

/* 24 bits of seconds in 6.18 fixed point, wrapping every 64 s */
uint32_t rtp_ext_abs_send_time(uint64_t us);
