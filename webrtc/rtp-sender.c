// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/rtp.h"

#define US_PER_SEC	 UINT64_C(1000000)
#define NTP_UNIX_SECONDS UINT64_C(2208988800) /* 1900 to 1970 */
#define SLOT(seq)	 ((seq) % RTP_HISTORY_PACKETS)

int rtp_sender_set(struct rtp_sender *s, const struct rtp_sender_config *config,
		   const uint8_t random[8])
{
	struct rtp_ext_block ext;
	int r;

	if (!config->clock_rate || config->pt > 127 || config->rtx_pt > 127 ||
	    (config->rtx_pt && config->rtx_ssrc == config->ssrc))
		return -EINVAL;
	r = rtp_ext_block_init(&ext, &config->ext, config->mid,
			       config->playout_min_ms, config->playout_max_ms);
	if (r < 0)
		return r;
	if (config->rtx_pt && !s->history) {
		s->history = calloc(RTP_HISTORY_PACKETS, sizeof(*s->history));
		if (!s->history)
			return -ENOMEM;
		s->n_held = 0;
	}
	if (!s->clock_rate || s->ssrc != config->ssrc ||
	    s->clock_rate != config->clock_rate) {
		struct rtp_sent *history = s->history;

		rtp_sender_expire(s, UINT64_MAX);
		*s = (struct rtp_sender){ .history = history };
		/* RFC 3550 §5.1: both start at random. The sequence number
		 * stays away from its wrap: a receiver of SRTP that misses
		 * the first packets would guess the roll-over wrong. */
		s->seq = be16_get(random) & 0x7fff;
		s->rtx_seq = be16_get(random + 2) & 0x7fff;
		s->timestamp_offset = be32_get(random + 4);
	}
	s->ssrc = config->ssrc;
	s->rtx_ssrc = config->rtx_ssrc;
	s->pt = config->pt;
	s->rtx_pt = config->rtx_pt;
	s->clock_rate = config->clock_rate;
	s->ext = ext;
	return 0;
}

void rtp_sender_done(struct rtp_sender *s)
{
	rtp_sender_expire(s, UINT64_MAX);
	free(s->history);
	memset(s, 0, sizeof(*s));
}

uint32_t rtp_sender_timestamp(const struct rtp_sender *s, uint64_t us)
{
	/* Split at the second: exact at each, and within 64 bits for ever. */
	return s->timestamp_offset +
	       (uint32_t) (us / US_PER_SEC * s->clock_rate +
			   us % US_PER_SEC * s->clock_rate / US_PER_SEC);
}

static size_t write_header(const struct rtp_sender *s, uint8_t pt,
			   uint16_t seq, uint32_t ssrc,
			   const struct rtp_plan *plan, bool marker,
			   const struct rtp_ext_values *values, uint8_t *out)
{
	rtp_write_fixed(out, s->ext.len != 0, marker, pt, seq,
			rtp_sender_timestamp(s, plan->unit->capture_us), ssrc);
	return RTP_FIXED_BYTES +
	       rtp_ext_block_write(&s->ext, values, out + RTP_FIXED_BYTES);
}

size_t rtp_sender_header(const struct rtp_sender *s,
			 const struct rtp_plan *plan, bool marker,
			 const struct rtp_ext_values *values, uint8_t *out)
{
	return write_header(s, s->pt, s->seq, s->ssrc, plan, marker, values,
			    out);
}

static void forget_oldest(struct rtp_sender *s)
{
	struct rtp_sent *sent = &s->history[SLOT(s->oldest)];

	sent->plan = rtp_plan_unref(sent->plan);
	s->oldest++;
	s->n_held--;
}

void rtp_sender_expire(struct rtp_sender *s, uint64_t now_us)
{
	uint32_t now_ms = (uint32_t) (now_us / 1000);

	while (s->n_held) {
		uint32_t age = now_ms - s->history[SLOT(s->oldest)].sent_ms;

		if (now_us != UINT64_MAX && age <= RTP_HISTORY_US / 1000)
			break;
		forget_oldest(s);
	}
}

void rtp_sender_commit(struct rtp_sender *s, struct rtp_plan *plan,
		       unsigned int fragment, size_t payload_len,
		       uint64_t now_us)
{
	uint16_t seq = s->seq++;

	s->packets++;
	s->bytes += (uint32_t) payload_len;
	if (!s->history)
		return;
	rtp_sender_expire(s, now_us);
	if (s->n_held == RTP_HISTORY_PACKETS)
		forget_oldest(s);
	if (!s->n_held)
		s->oldest = seq;
	s->n_held++;
	s->history[SLOT(seq)] = (struct rtp_sent){
		.plan = rtp_plan_ref(plan),
		.sent_ms = (uint32_t) (now_us / 1000),
		.seq = seq,
		.fragment = (uint16_t) fragment,
	};
}

struct rtp_sent *rtp_sender_find(struct rtp_sender *s, uint16_t seq)
{
	if (!s->rtx_pt || !s->n_held ||
	    (uint16_t) (seq - s->oldest) >= s->n_held)
		return NULL;
	return &s->history[SLOT(seq)];
}

enum rtp_resend rtp_sender_may_resend(struct rtp_sender *s, uint16_t seq,
				      uint64_t min_interval_us,
				      uint64_t now_us)
{
	struct rtp_sent *sent;
	uint32_t last_ms;

	rtp_sender_expire(s, now_us);
	sent = rtp_sender_find(s, seq);
	if (!sent)
		return RTP_RESEND_GONE;
	if (!sent->resent)
		return RTP_RESEND_OK;
	last_ms = (uint32_t) (now_us / 1000) - sent->resent_ms;
	return last_ms < min_interval_us / 1000 ? RTP_RESEND_SOON
						: RTP_RESEND_OK;
}

size_t rtp_sender_rtx_header(const struct rtp_sender *s,
			     const struct rtp_sent *sent, bool marker,
			     const struct rtp_ext_values *values, uint8_t *out)
{
	return write_header(s, s->rtx_pt, s->rtx_seq, s->rtx_ssrc, sent->plan,
			    marker, values, out);
}

void rtp_sender_rtx_commit(struct rtp_sender *s, struct rtp_sent *sent,
			   size_t payload_len, uint64_t now_us)
{
	s->rtx_seq++;
	s->rtx_packets++;
	s->rtx_bytes += payload_len;
	sent->resent = true;
	sent->resent_ms = (uint32_t) (now_us / 1000);
}

uint64_t rtp_ntp(uint64_t realtime_us)
{
	uint64_t sec = realtime_us / US_PER_SEC + NTP_UNIX_SECONDS;

	return sec << 32 | (realtime_us % US_PER_SEC << 32) / US_PER_SEC;
}

struct rtcp_sender_info rtp_sender_info(const struct rtp_sender *s,
					uint64_t now_us,
					int64_t realtime_offset_us)
{
	return (struct rtcp_sender_info){
		.ntp = rtp_ntp(now_us + (uint64_t) realtime_offset_us),
		.rtp_timestamp = rtp_sender_timestamp(s, now_us),
		.packets = s->packets,
		.bytes = s->bytes,
	};
}
