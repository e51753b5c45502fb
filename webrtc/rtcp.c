// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtcp.h"

#include <errno.h>
#include <string.h>

#include "webrtc/be.h"

#define PT_SR	 200
#define PT_RR	 201
#define PT_SDES	 202
#define PT_BYE	 203
#define PT_RTPFB 205
#define PT_PSFB	 206

#define FMT_NACK 1
#define FMT_TWCC 15
#define FMT_PLI	 1
#define FMT_FIR	 4
#define FMT_AFB	 15

#define HEADER_BYTES 4
#define BLOCK_BYTES  24
#define INFO_BYTES   20
#define FB_BYTES     8		/* sender and media SSRC */
#define NACK_BYTES   4
#define FIR_BYTES    8
#define SDES_CNAME   1

void rtcp_iter_init(struct rtcp_iter *it, const uint8_t *data, size_t len)
{
	it->p = data;
	it->left = len;
}

/* SR and RR: @p stands behind the header. */
static int parse_report(struct rtcp_packet *ret, const uint8_t *p, size_t left,
			unsigned int count, bool sr)
{
	size_t head = 4u + (sr ? INFO_BYTES : 0);

	if (left < head || (left - head) / BLOCK_BYTES < count)
		return -EBADMSG;
	ret->sender = be32_get(p);
	if (sr) {
		ret->info.ntp = (uint64_t) be32_get(p + 4) << 32 |
				be32_get(p + 8);
		ret->info.rtp_timestamp = be32_get(p + 12);
		ret->info.packets = be32_get(p + 16);
		ret->info.bytes = be32_get(p + 20);
	}
	ret->type = sr ? RTCP_SR : RTCP_RR;
	ret->n = count;
	ret->items = p + head;
	ret->items_len = count * BLOCK_BYTES;
	return 0;
}

static int parse_bye(struct rtcp_packet *ret, const uint8_t *p, size_t left,
		     unsigned int count)
{
	if (left / 4 < count)
		return -EBADMSG;
	ret->type = RTCP_BYE;
	ret->sender = count ? be32_get(p) : 0;
	ret->n = count;
	ret->items = p;
	ret->items_len = 4u * count;
	return 0;
}

static void parse_rtpfb(struct rtcp_packet *ret, unsigned int fmt)
{
	switch (fmt) {
	case FMT_NACK:
		ret->type = RTCP_NACK;
		ret->n = (unsigned int) (ret->items_len / NACK_BYTES);
		break;
	case FMT_TWCC:
		ret->type = RTCP_TWCC;
		break;
	default:
		break;
	}
}

/* "REMB", count, exponent and mantissa, SSRCs; else some other application's
 * feedback, which is none of ours and no error. */
static int parse_remb(struct rtcp_packet *ret)
{
	const uint8_t *p = ret->items;
	unsigned int exponent;

	if (ret->items_len < 8 || memcmp(p, "REMB", 4))
		return 0;
	if ((ret->items_len - 8) / 4 < p[4])
		return -EBADMSG;
	exponent = p[5] >> 2;
	ret->bps = be24_get(p + 5) & 0x3ffff;
	/* 18 + 46 bits fill the word; above that it is infinity to us. */
	ret->bps = exponent > 45 ? UINT64_MAX : ret->bps << exponent;
	ret->type = RTCP_REMB;
	ret->n = p[4];
	ret->items = p + 8;
	ret->items_len = 4u * ret->n;
	return 0;
}

static int parse_psfb(struct rtcp_packet *ret, unsigned int fmt)
{
	switch (fmt) {
	case FMT_PLI:
		ret->type = RTCP_PLI;
		break;
	case FMT_FIR:
		ret->type = RTCP_FIR;
		ret->n = (unsigned int) (ret->items_len / FIR_BYTES);
		break;
	case FMT_AFB:
		return parse_remb(ret);
	default:
		break;
	}
	return 0;
}

static int parse_feedback(struct rtcp_packet *ret, const uint8_t *p,
			  size_t left, unsigned int fmt, bool payload_specific)
{
	if (left < FB_BYTES)
		return -EBADMSG;
	ret->sender = be32_get(p);
	ret->media = be32_get(p + 4);
	ret->items = p + FB_BYTES;
	ret->items_len = left - FB_BYTES;
	if (payload_specific)
		return parse_psfb(ret, fmt);
	parse_rtpfb(ret, fmt);
	return 0;
}

static int parse_packet(struct rtcp_packet *ret, const uint8_t *p, size_t len)
{
	unsigned int count = p[0] & 0x1f, pt = p[1];
	size_t left = len - HEADER_BYTES;

	/* The padding bit belongs to the last packet; its last byte counts. */
	if (p[0] & 0x20) {
		uint8_t padding = p[len - 1];

		if (!padding || padding > left)
			return -EBADMSG;
		left -= padding;
	}
	p += HEADER_BYTES;
	ret->items = p;
	ret->items_len = left;
	switch (pt) {
	case PT_SR:
	case PT_RR:
		return parse_report(ret, p, left, count, pt == PT_SR);
	case PT_SDES:
		ret->type = RTCP_SDES;
		ret->n = count;
		return 0;
	case PT_BYE:
		return parse_bye(ret, p, left, count);
	case PT_RTPFB:
	case PT_PSFB:
		return parse_feedback(ret, p, left, count, pt == PT_PSFB);
	default:
		return 0;
	}
}

int rtcp_iter_next(struct rtcp_iter *it, struct rtcp_packet *ret)
{
	struct rtcp_packet packet = { .type = RTCP_OTHER };
	size_t len;

	if (!it->left)
		return 0;
	if (it->left < HEADER_BYTES || it->p[0] >> 6 != 2)
		goto bad;
	len = 4u * (be16_get(it->p + 2) + 1u);
	if (len > it->left)
		goto bad;
	if (parse_packet(&packet, it->p, len) < 0)
		goto bad;
	it->p += len;
	it->left -= len;
	*ret = packet;
	return 1;
bad:
	it->left = 0;
	return -EBADMSG;
}

struct rtcp_report_block rtcp_get_block(const struct rtcp_packet *p,
					unsigned int i)
{
	const uint8_t *b = p->items + (size_t) i * BLOCK_BYTES;
	uint32_t lost = be24_get(b + 5);

	return (struct rtcp_report_block){
		.ssrc = be32_get(b),
		.fraction_lost = b[4],
		.lost = (int32_t) (lost ^ 0x800000) - 0x800000,
		.highest_seq = be32_get(b + 8),
		.jitter = be32_get(b + 12),
		.lsr = be32_get(b + 16),
		.dlsr = be32_get(b + 20),
	};
}

uint32_t rtcp_get_ssrc(const struct rtcp_packet *p, unsigned int i)
{
	size_t step = p->type == RTCP_FIR ? FIR_BYTES : 4;

	return be32_get(p->items + i * step);
}

uint8_t rtcp_get_fir_seq(const struct rtcp_packet *p, unsigned int i)
{
	return p->items[(size_t) i * FIR_BYTES + 4];
}

uint16_t rtcp_get_nack(const struct rtcp_packet *p, unsigned int i,
		       uint16_t *ret_mask)
{
	const uint8_t *b = p->items + (size_t) i * NACK_BYTES;

	*ret_mask = be16_get(b + 2);
	return be16_get(b);
}

const char *rtcp_get_cname(const struct rtcp_packet *p, size_t *ret_len)
{
	const uint8_t *b = p->items;
	size_t left = p->items_len;

	if (!p->n || left < 4)
		return NULL;
	b += 4;
	left -= 4;
	while (left >= 2 && b[0]) {
		size_t n = b[1];

		if (n > left - 2)
			return NULL;
		if (b[0] == SDES_CNAME) {
			*ret_len = n;
			return (const char *) b + 2;
		}
		b += 2 + n;
		left -= 2 + n;
	}
	return NULL;
}

/* --- writing -------------------------------------------------------------- */

/* Makes room for a packet of @len bytes, header included and written. */
static uint8_t *begin(struct rtcp_writer *w, unsigned int count,
		      unsigned int pt, size_t len)
{
	uint8_t *p = w->data + w->len;

	if (len > w->room - w->len)
		return NULL;
	p[0] = (uint8_t) (2 << 6 | count);
	p[1] = (uint8_t) pt;
	be16_put(p + 2, (uint16_t) (len / 4 - 1));
	w->len += len;
	return p + HEADER_BYTES;
}

static void put_blocks(uint8_t *p, const struct rtcp_report_block *blocks,
		       unsigned int n)
{
	for (unsigned int i = 0; i < n; i++, p += BLOCK_BYTES) {
		const struct rtcp_report_block *b = &blocks[i];

		be32_put(p, b->ssrc);
		p[4] = b->fraction_lost;
		be24_put(p + 5, (uint32_t) b->lost & 0xffffff);
		be32_put(p + 8, b->highest_seq);
		be32_put(p + 12, b->jitter);
		be32_put(p + 16, b->lsr);
		be32_put(p + 20, b->dlsr);
	}
}

int rtcp_write_sr(struct rtcp_writer *w, uint32_t ssrc,
		  const struct rtcp_sender_info *info,
		  const struct rtcp_report_block *blocks, unsigned int n)
{
	uint8_t *p;

	if (n > RTCP_BLOCKS_MAX)
		return -ENOSPC;
	p = begin(w, n, PT_SR,
		  HEADER_BYTES + 4 + INFO_BYTES + (size_t) n * BLOCK_BYTES);
	if (!p)
		return -ENOSPC;
	be32_put(p, ssrc);
	be32_put(p + 4, (uint32_t) (info->ntp >> 32));
	be32_put(p + 8, (uint32_t) info->ntp);
	be32_put(p + 12, info->rtp_timestamp);
	be32_put(p + 16, info->packets);
	be32_put(p + 20, info->bytes);
	put_blocks(p + 4 + INFO_BYTES, blocks, n);
	return 0;
}

int rtcp_write_rr(struct rtcp_writer *w, uint32_t ssrc,
		  const struct rtcp_report_block *blocks, unsigned int n)
{
	uint8_t *p;

	if (n > RTCP_BLOCKS_MAX)
		return -ENOSPC;
	p = begin(w, n, PT_RR, HEADER_BYTES + 4 + (size_t) n * BLOCK_BYTES);
	if (!p)
		return -ENOSPC;
	be32_put(p, ssrc);
	put_blocks(p + 4, blocks, n);
	return 0;
}

int rtcp_write_sdes(struct rtcp_writer *w, const uint32_t *ssrcs,
		    unsigned int n, const char *cname)
{
	size_t len = strlen(cname);
	/* SSRC, type, length, text, and at least one zero to end the list */
	size_t chunk = (4 + 2 + len + 1 + 3) & ~(size_t) 3;
	uint8_t *p;

	if (n > RTCP_BLOCKS_MAX || len > UINT8_MAX)
		return -ENOSPC;
	p = begin(w, n, PT_SDES, HEADER_BYTES + n * chunk);
	if (!p)
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++, p += chunk) {
		memset(p, 0, chunk);
		be32_put(p, ssrcs[i]);
		p[4] = SDES_CNAME;
		p[5] = (uint8_t) len;
		memcpy(p + 6, cname, len);
	}
	return 0;
}

int rtcp_write_bye(struct rtcp_writer *w, const uint32_t *ssrcs,
		   unsigned int n)
{
	uint8_t *p;

	if (n > RTCP_BLOCKS_MAX)
		return -ENOSPC;
	p = begin(w, n, PT_BYE, HEADER_BYTES + 4u * n);
	if (!p)
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++)
		be32_put(p + 4u * i, ssrcs[i]);
	return 0;
}

static uint8_t *begin_feedback(struct rtcp_writer *w, unsigned int fmt,
			       unsigned int pt, uint32_t sender,
			       uint32_t media, size_t fci_len)
{
	uint8_t *p = begin(w, fmt, pt, HEADER_BYTES + FB_BYTES + fci_len);

	if (!p)
		return NULL;
	be32_put(p, sender);
	be32_put(p + 4, media);
	return p + FB_BYTES;
}

int rtcp_write_nack(struct rtcp_writer *w, uint32_t sender, uint32_t media,
		    const uint16_t *seqs, unsigned int n)
{
	unsigned int n_items = 0;
	uint16_t base = 0;
	uint8_t *p;

	for (unsigned int i = 0; i < n; i++) {
		if (!i || (uint16_t) (seqs[i] - base) > 16) {
			base = seqs[i];
			n_items++;
		}
	}
	p = begin_feedback(w, FMT_NACK, PT_RTPFB, sender, media,
			   (size_t) n_items * NACK_BYTES);
	if (!p)
		return -ENOSPC;
	for (unsigned int i = 0; i < n;) {
		uint16_t mask = 0;

		base = seqs[i++];
		while (i < n && (uint16_t) (seqs[i] - base) <= 16) {
			if (seqs[i] != base)
				mask |= (uint16_t) (1u << (uint16_t)
						    (seqs[i] - base - 1));
			i++;
		}
		be16_put(p, base);
		be16_put(p + 2, mask);
		p += NACK_BYTES;
	}
	return 0;
}

int rtcp_write_pli(struct rtcp_writer *w, uint32_t sender, uint32_t media)
{
	return begin_feedback(w, FMT_PLI, PT_PSFB, sender, media, 0) ? 0
								     : -ENOSPC;
}

int rtcp_write_fir(struct rtcp_writer *w, uint32_t sender, uint32_t media,
		   uint8_t seq)
{
	/* RFC 5104 §4.3.1.2: the media SSRC of the header is 0 */
	uint8_t *p = begin_feedback(w, FMT_FIR, PT_PSFB, sender, 0, FIR_BYTES);

	if (!p)
		return -ENOSPC;
	be32_put(p, media);
	be32_put(p + 4, (uint32_t) seq << 24);
	return 0;
}

int rtcp_write_twcc(struct rtcp_writer *w, uint32_t sender, uint32_t media,
		    const uint8_t *fci, size_t len)
{
	uint8_t *p = begin_feedback(w, FMT_TWCC, PT_RTPFB, sender, media, len);

	if (!p)
		return -ENOSPC;
	memcpy(p, fci, len);
	return 0;
}
