// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-receiver.h"

#include <string.h>

#define US_PER_SEC   UINT64_C(1000000)
#define SEQ_MOD	     (1u << 16)
#define MAX_DROPOUT  3000	/* RFC 3550 §A.1 */
#define MAX_MISORDER 100
#define LOST_MAX     0x7fffff	/* 24 bits, signed */

void rtp_receiver_init(struct rtp_receiver *r)
{
	memset(r, 0, sizeof(*r));
}

static void restart_source(struct rtp_source *s, uint16_t seq)
{
	s->base_seq = seq;
	s->max_seq = seq;
	s->bad_seq = SEQ_MOD + 1;
	s->received = 0;
	s->expected_prior = 0;
	s->received_prior = 0;
}

static int64_t lost_by(const struct rtp_source *s)
{
	return (int64_t) (s->max_seq - s->base_seq + 1) - s->received;
}

static void drop_source(struct rtp_receiver *r, struct rtp_source *s)
{
	if (lost_by(s) > 0)
		r->lost_gone += (uint64_t) lost_by(s);
	s->used = false;
}

static struct rtp_source *find(struct rtp_receiver *r, uint32_t ssrc)
{
	for (unsigned int i = 0; i < RTP_SOURCES_MAX; i++)
		if (r->sources[i].used && r->sources[i].ssrc == ssrc)
			return &r->sources[i];
	return NULL;
}

static struct rtp_source *make(struct rtp_receiver *r,
			       const struct rtp_header *h, uint32_t clock_rate,
			       uint64_t now_us)
{
	struct rtp_source *s = &r->sources[0];

	for (unsigned int i = 0; i < RTP_SOURCES_MAX; i++) {
		struct rtp_source *t = &r->sources[i];

		if (!t->used) {
			s = t;
			break;
		}
		if (t->last_us < s->last_us)
			s = t;
	}
	if (s->used) {
		if (now_us - s->last_us < RTP_SOURCE_SILENCE_US)
			return NULL;
		drop_source(r, s);
	}
	*s = (struct rtp_source){ .used = true, .ssrc = h->ssrc,
				  .clock_rate = clock_rate };
	restart_source(s, h->seq);
	return s;
}

/* RFC 3550 §A.1 without probation: the packet is authentic. Return: false
 * for a stray one that does not count. */
static bool update_seq(struct rtp_source *s, uint16_t seq)
{
	uint16_t delta = (uint16_t) (seq - (uint16_t) s->max_seq);

	if (!s->received) {
		;				/* the first */
	} else if (delta < MAX_DROPOUT) {
		s->max_seq += delta;
	} else if (delta <= SEQ_MOD - MAX_MISORDER) {
		/* A big jump. Two in a row: the other side has restarted. */
		if (seq != s->bad_seq) {
			s->bad_seq = (seq + 1) & (SEQ_MOD - 1);
			return false;
		}
		restart_source(s, seq);
	}
	s->received++;
	return true;
}

/* RFC 3550 §A.8, integers. */
static void update_jitter(struct rtp_source *s, uint32_t timestamp,
			  uint64_t now_us)
{
	uint64_t arrival = now_us / US_PER_SEC * s->clock_rate +
			   now_us % US_PER_SEC * s->clock_rate / US_PER_SEC;
	uint32_t transit = (uint32_t) arrival - timestamp;
	uint32_t d = transit - s->transit;

	s->transit = transit;
	if (s->received == 1)
		return;
	if (d > INT32_MAX)
		d = 0 - d;
	s->jitter16 += d - ((s->jitter16 + 8) >> 4);
}

void rtp_receiver_add(struct rtp_receiver *r, const struct rtp_header *h,
		      uint32_t clock_rate, uint64_t now_us)
{
	struct rtp_source *s = find(r, h->ssrc);

	if (!s)
		s = make(r, h, clock_rate, now_us);
	if (!s) {
		r->untracked++;
		return;
	}
	s->clock_rate = clock_rate;
	s->last_us = now_us;
	if (update_seq(s, h->seq))
		update_jitter(s, h->timestamp, now_us);
}

void rtp_receiver_on_sr(struct rtp_receiver *r, uint32_t ssrc, uint64_t ntp,
			uint64_t now_us)
{
	struct rtp_source *s = find(r, ssrc);

	if (!s)
		return;
	s->lsr = (uint32_t) (ntp >> 16);
	s->sr_us = now_us;
}

void rtp_receiver_on_bye(struct rtp_receiver *r, uint32_t ssrc)
{
	struct rtp_source *s = find(r, ssrc);

	if (s)
		drop_source(r, s);
}

static void fill_block(struct rtp_source *s, struct rtcp_report_block *b,
		       uint64_t now_us)
{
	uint32_t expected = s->max_seq - s->base_seq + 1;
	uint32_t expected_now = expected - s->expected_prior;
	uint32_t received_now = s->received - s->received_prior;
	int64_t lost = lost_by(s);

	s->expected_prior = expected;
	s->received_prior = s->received;
	*b = (struct rtcp_report_block){
		.ssrc = s->ssrc,
		/* RFC 3550 §A.3: duplicates may make the loss negative */
		.lost = (int32_t) (lost > LOST_MAX    ? LOST_MAX :
				   lost < -LOST_MAX - 1 ? -LOST_MAX - 1
							: lost),
		.highest_seq = s->max_seq,
		.jitter = (uint32_t) (s->jitter16 >> 4),
		.lsr = s->lsr,
	};
	if (expected_now && expected_now > received_now) {
		uint64_t f = ((uint64_t) (expected_now - received_now) << 8) /
			     expected_now;

		b->fraction_lost = f > UINT8_MAX ? UINT8_MAX : (uint8_t) f;
	}
	if (s->lsr) {
		uint64_t d = now_us - s->sr_us;

		b->dlsr = (uint32_t) (d / US_PER_SEC << 16 |
				      (d % US_PER_SEC << 16) / US_PER_SEC);
	}
}

unsigned int rtp_receiver_report(struct rtp_receiver *r,
				 struct rtcp_report_block *blocks,
				 unsigned int max, uint64_t now_us)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < RTP_SOURCES_MAX && n < max; i++) {
		struct rtp_source *s = &r->sources[i];

		if (s->used && s->received != s->received_prior)
			fill_block(s, &blocks[n++], now_us);
	}
	return n;
}

uint64_t rtp_receiver_get_lost(const struct rtp_receiver *r)
{
	uint64_t lost = r->lost_gone;

	for (unsigned int i = 0; i < RTP_SOURCES_MAX; i++) {
		const struct rtp_source *s = &r->sources[i];

		if (s->used && lost_by(s) > 0)
			lost += (uint64_t) lost_by(s);
	}
	return lost;
}
