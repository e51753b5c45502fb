/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtcp.h - RTCP compounds, read packet by packet and written
 *
 * Reading is an iterator: each packet is checked against its own length and
 * its counts against that, so the accessors below cannot fail for an index
 * within n. A reduced-size packet is a compound that need not begin with a
 * report.
 *
 * Source:  RFC 3550 §6 (SR, RR, SDES, BYE), RFC 4585 §6 (NACK, PLI),
 *          RFC 5104 §4.3.1 (FIR), RFC 5506 (reduced size),
 *          draft-alvestrand-rmcat-remb-03 §2.2 (REMB),
 *          draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1 (TWCC)
 * Thread:  any; pure
 * Memory:  none; results point into the compound they were read from
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_COMPOUND_MAX 1200 /* bytes we write */
#define RTCP_BLOCKS_MAX	  31   /* report blocks in one packet: 5 bits */

enum rtcp_type {
	RTCP_SR,
	RTCP_RR,
	RTCP_SDES,
	RTCP_BYE,
	RTCP_NACK,
	RTCP_TWCC,
	RTCP_PLI,
	RTCP_FIR,
	RTCP_REMB,
	RTCP_OTHER,		/* XR, APP, and all we do not act upon */
};

struct rtcp_sender_info {
	uint64_t ntp;		/* 32.32 fixed point seconds since 1900 */
	uint32_t rtp_timestamp;
	uint32_t packets, bytes;
};

struct rtcp_report_block {
	uint32_t ssrc;
	uint8_t fraction_lost;	/* 1/256 */
	int32_t lost;		/* cumulative, 24 bits signed */
	uint32_t highest_seq;	/* extended */
	uint32_t jitter;	/* RTP clock units */
	uint32_t lsr;		/* middle 32 bits of the last SR's NTP time */
	uint32_t dlsr;		/* 1/65536 s since then */
};

struct rtcp_packet {
	enum rtcp_type type;
	uint32_t sender;	/* SSRC of who sent it; 0 where there is none */
	uint32_t media;		/* NACK, PLI, TWCC: the SSRC it is about */
	struct rtcp_sender_info info; /* SR */
	uint64_t bps;		/* REMB */
	/* SR, RR: report blocks; BYE, REMB: SSRCs; NACK: PID+BLP pairs; FIR:
	 * entries; SDES: chunks */
	unsigned int n;
	const uint8_t *items;
	size_t items_len;	/* bytes; TWCC: the whole FCI */
};

struct rtcp_iter {
	const uint8_t *p;
	size_t left;
};

void rtcp_iter_init(struct rtcp_iter *it, const uint8_t *data, size_t len);
/* Return: 1 with a packet, 0 at the end, -EBADMSG (and the end). */
int rtcp_iter_next(struct rtcp_iter *it, struct rtcp_packet *ret);

/* SR, RR */
struct rtcp_report_block rtcp_get_block(const struct rtcp_packet *p,
					unsigned int i);
/* BYE, REMB, FIR: the ith SSRC */
uint32_t rtcp_get_ssrc(const struct rtcp_packet *p, unsigned int i);
/* FIR: the command's sequence number */
uint8_t rtcp_get_fir_seq(const struct rtcp_packet *p, unsigned int i);
/* NACK: the first lost sequence number and a mask of the 16 after it */
uint16_t rtcp_get_nack(const struct rtcp_packet *p, unsigned int i,
		       uint16_t *ret_mask);
/* SDES: the first chunk's CNAME, not terminated. NULL: none. */
const char *rtcp_get_cname(const struct rtcp_packet *p, size_t *ret_len);

/* --- writing -------------------------------------------------------------- */
struct rtcp_writer {
	uint8_t *data;
	size_t room;
	size_t len;
};

/* All return 0, or -ENOSPC with nothing written. */
int rtcp_write_sr(struct rtcp_writer *w, uint32_t ssrc,
		  const struct rtcp_sender_info *info,
		  const struct rtcp_report_block *blocks, unsigned int n);
int rtcp_write_rr(struct rtcp_writer *w, uint32_t ssrc,
		  const struct rtcp_report_block *blocks, unsigned int n);
int rtcp_write_sdes(struct rtcp_writer *w, const uint32_t *ssrcs,
		    unsigned int n, const char *cname);
int rtcp_write_bye(struct rtcp_writer *w, const uint32_t *ssrcs,
		   unsigned int n);
/* @seqs in ascending order (modulo 2^16) */
int rtcp_write_nack(struct rtcp_writer *w, uint32_t sender, uint32_t media,
		    const uint16_t *seqs, unsigned int n);
int rtcp_write_pli(struct rtcp_writer *w, uint32_t sender, uint32_t media);
int rtcp_write_fir(struct rtcp_writer *w, uint32_t sender, uint32_t media,
		   uint8_t seq);
/* @fci: made by twcc.h; its length is a multiple of 4 */
int rtcp_write_twcc(struct rtcp_writer *w, uint32_t sender, uint32_t media,
		    const uint8_t *fci, size_t len);
