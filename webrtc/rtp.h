/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp.h - the RTP header, read and written
 *
 *  0                   1                   2                   3
 *  |V=2|P|X|  CC   |M|     PT      |        sequence number        |
 *  |                           timestamp                           |
 *  |                             SSRC                              |
 *  |                       CC times a CSRC                         |
 *  |  0xBEDE or 0x100x (X set)     |     length in words           |
 *  |                 header extension elements                     |
 *
 * Source:  RFC 3550 §5.1, RFC 8285 (extensions), RFC 7983 and RFC 5761 §4
 *          (telling apart what shares one port)
 * Thread:  any; pure
 * Memory:  none; results point into the packet they were read from
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_FIXED_BYTES	    12	/* header without CSRCs and extension */
#define RTP_EXT_ONE_BYTE    0xbede
#define RTP_EXT_TWO_BYTE    0x1000	/* the low four bits are "appbits" */
#define RTP_EXT_ID_ONE_MAX  14	/* 15 is reserved in the one-byte form */

struct rtp_header {
	bool marker;
	uint8_t pt;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
	uint8_t n_csrc;
	uint16_t ext_profile;		/* 0: no extension */
	const uint8_t *ext;		/* elements; NULL without */
	size_t ext_len;			/* bytes */
	const uint8_t *payload;
	size_t payload_len;		/* bytes, padding taken off */
	uint8_t padding;		/* bytes */
};

/**
 * rtp_parse() - read a packet's header
 *
 * Return: 0, or -EBADMSG when it is no RTP packet or contradicts its own
 * length; @ret is then untouched.
 */
int rtp_parse(const uint8_t *packet, size_t len, struct rtp_header *ret);

/* The first element with @id (1..14, two-byte form up to 255), or NULL.
 * @ret_len is set only with a result; it may be 0 in the two-byte form. */
const uint8_t *rtp_ext_find(const struct rtp_header *h, uint8_t id,
			    size_t *ret_len);

/* Writes the fixed header. @ext: an extension block follows. */
void rtp_write_fixed(uint8_t out[RTP_FIXED_BYTES], bool ext, bool marker,
		     uint8_t pt, uint16_t seq, uint32_t timestamp,
		     uint32_t ssrc);

enum rtp_demux {
	RTP_DEMUX_STUN,
	RTP_DEMUX_DTLS,
	RTP_DEMUX_RTP,
	RTP_DEMUX_RTCP,
	RTP_DEMUX_OTHER,		/* ZRTP, TURN channel, noise */
};

/* What a datagram of the shared port is, by its first two bytes. */
enum rtp_demux rtp_demux(const uint8_t *packet, size_t len);

/* 0 < (a - b) modulo 2^16 < 2^15: @a is newer than @b */
static inline bool rtp_seq_newer(uint16_t a, uint16_t b)
{
	return a != b && (uint16_t) (a - b) < 0x8000;
}
