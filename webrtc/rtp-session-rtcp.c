// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-session-private.h"

#include <errno.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/rtp.h"

#define REPORT_SPREAD_US 200000		/* reports come each 0.9 to 1.1 s */
#define RTT_MAX_US	 10000000	/* beyond it is a clock's nonsense */
#define FCI_PER_CALL	 4		/* TWCC feedback packets in a row */
/* SRTCP: index and tag, at most */
#define SEAL_ROOM	 64

/* --- what comes ------------------------------------------------------- */

static struct rtp_line *line_by_ssrc(struct rtp_session *s, uint32_t ssrc)
{
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++)
		if (s->lines[i].used && s->lines[i].sender.ssrc == ssrc)
			return &s->lines[i];
	return NULL;
}

/* RFC 3550 §6.4.1: A - LSR - DLSR, in 1/65536 s */
static void take_rtt(struct rtp_session *s, const struct rtcp_report_block *b,
		     uint64_t now_us)
{
	uint32_t now, units;
	uint64_t us;

	if (!b->lsr)
		return;
	now = (uint32_t) (rtp_ntp(now_us +
				  (uint64_t) s->realtime_offset_us) >> 16);
	units = now - b->lsr - b->dlsr;
	/* Rounding may make it a little less than nothing. */
	if (units > UINT32_MAX - 65536)
		units = 0;
	us = (uint64_t) units * 1000000 >> 16;
	if (us > RTT_MAX_US)
		return;
	s->stats.rtt_us = us ? (uint32_t) us : 1;
	congestion_on_rtt(&s->congestion, s->stats.rtt_us);
}

static void on_report(struct rtp_session *s, const struct rtcp_packet *p,
		      uint64_t now_us)
{
	if (p->type == RTCP_SR)
		rtp_receiver_on_sr(&s->receiver, p->sender, p->info.ntp,
				   now_us);
	for (unsigned int i = 0; i < p->n; i++) {
		struct rtcp_report_block b = rtcp_get_block(p, i);
		struct rtp_line *line = line_by_ssrc(s, b.ssrc);

		if (!line)
			continue;
		take_rtt(s, &b, now_us);
		if (!rtp_line_is_video(line))
			continue;
		congestion_on_report(&s->congestion,
				     (float) b.fraction_lost / 256, now_us);
	}
}

static void on_nack(struct rtp_session *s, const struct rtcp_packet *p,
		    uint64_t now_us)
{
	struct rtp_line *line = line_by_ssrc(s, p->media);

	if (!line)
		return;
	s->stats.nacks++;
	for (unsigned int i = 0; i < p->n; i++) {
		uint16_t mask;
		uint16_t seq = rtcp_get_nack(p, i, &mask);

		rtp_session_resend(s, line, seq, now_us);
		for (uint16_t k = 1; mask; k++, mask >>= 1)
			if (mask & 1)
				rtp_session_resend(s, line,
						   (uint16_t) (seq + k),
						   now_us);
	}
}

static void on_fir(struct rtp_session *s, const struct rtcp_packet *p,
		   uint64_t now_us)
{
	s->stats.firs++;
	for (unsigned int i = 0; i < p->n; i++) {
		struct rtp_line *line = line_by_ssrc(s, rtcp_get_ssrc(p, i));

		if (line)
			rtp_session_want_keyframe(s, line, now_us);
	}
}

static void on_twcc_result(void *user, const struct twcc_result *result)
{
	congestion_on_result(user, result);
}

static int on_twcc(struct rtp_session *s, const struct rtcp_packet *p,
		   uint64_t now_us)
{
	bool outage = s->congestion.outage;
	int r = twcc_history_feedback(&s->sent, p->items, p->items_len, now_us,
				      on_twcc_result, &s->congestion);

	if (r < 0)
		return r;
	/* After an outage the peer lacks more than can be resent. It would
	 * ask for a keyframe, but only once it has given up waiting. */
	for (unsigned int i = 0; outage && i < RTP_SESSION_LINES_MAX; i++)
		rtp_session_want_keyframe(s, &s->lines[i], now_us);
	s->stats.twcc_reports++;
	s->stats.twcc = true;
	congestion_on_feedback(&s->congestion, now_us);
	return 0;
}

static int on_packet(struct rtp_session *s, const struct rtcp_packet *p,
		     uint64_t now_us)
{
	struct rtp_line *line;

	switch (p->type) {
	case RTCP_SR:
	case RTCP_RR:
		on_report(s, p, now_us);
		break;
	case RTCP_BYE:
		for (unsigned int i = 0; i < p->n; i++)
			rtp_receiver_on_bye(&s->receiver, rtcp_get_ssrc(p, i));
		break;
	case RTCP_NACK:
		on_nack(s, p, now_us);
		break;
	case RTCP_TWCC:
		return on_twcc(s, p, now_us);
	case RTCP_PLI:
		line = line_by_ssrc(s, p->media);
		if (line) {
			s->stats.plis++;
			rtp_session_want_keyframe(s, line, now_us);
		}
		break;
	case RTCP_FIR:
		on_fir(s, p, now_us);
		break;
	case RTCP_REMB:
		s->stats.remb_reports++;
		congestion_on_remb(&s->congestion, p->bps, now_us);
		break;
	case RTCP_SDES:
	case RTCP_OTHER:
		break;
	}
	return 0;
}

int rtp_session_on_rtcp(struct rtp_session *s, const uint8_t *packet,
			size_t len, uint64_t now_us)
{
	struct rtcp_packet p;
	struct rtcp_iter it;
	int r;

	if (!s->running)
		return 0;
	rtcp_iter_init(&it, packet, len);
	while ((r = rtcp_iter_next(&it, &p)) > 0) {
		r = on_packet(s, &p, now_us);
		if (r < 0)
			break;
	}
	rtp_session_apply_target(s);
	rtp_session_run(s, now_us);
	if (r < 0)
		s->stats.rx_bad++;
	return r;
}

int rtp_session_on_rtp(struct rtp_session *s, const uint8_t *packet,
		       size_t len, uint64_t now_us)
{
	const struct rtp_rx_kind *kind;
	struct rtp_header h;
	const uint8_t *e;
	size_t n;

	if (rtp_parse(packet, len, &h) < 0 || !s->rx[h.pt].clock_rate) {
		s->stats.rx_bad++;
		return -EBADMSG;
	}
	kind = &s->rx[h.pt];
	rtp_receiver_add(&s->receiver, &h, kind->clock_rate, now_us);
	s->rx_media_ssrc = h.ssrc;
	if (kind->video) {
		s->stats.rx_video_packets++;
		s->stats.rx_video_bytes += h.payload_len;
	} else {
		s->stats.rx_audio_packets++;
		s->stats.rx_audio_bytes += h.payload_len;
	}
	if (s->rx_twcc_id) {
		e = rtp_ext_find(&h, s->rx_twcc_id, &n);
		if (e && n >= 2) {
			twcc_recorder_add(&s->recorder, be16_get(e), now_us);
			if (s->running && s->feedback_due_us == UINT64_MAX)
				s->feedback_due_us = now_us + RTP_FEEDBACK_US;
		}
	}
	if (s->running && s->report_due_us == UINT64_MAX)
		s->report_due_us = now_us + RTP_REPORT_US;
	return 0;
}

/* --- what goes -------------------------------------------------------- */

/* A compound under construction in a buffer of its own. */
struct compound {
	struct net_buffer *buffer;
	struct rtcp_writer w;
};

static bool compound_begin(struct rtp_session *s, struct compound *c)
{
	c->buffer = s->ops->get_buffer(s->user);
	if (!c->buffer) {
		s->stats.no_buffer++;
		return false;
	}
	c->w = (struct rtcp_writer){ c->buffer->data, RTCP_COMPOUND_MAX, 0 };
	return true;
}

static void compound_send(struct rtp_session *s, struct compound *c)
{
	ssize_t n = -ENODATA;

	if (c->w.len) {
		n = s->ops->seal_rtcp(s->user, c->buffer->data, c->w.len,
				      c->w.len + SEAL_ROOM);
		if (n < 0)
			s->stats.seal_failed++;
	}
	if (n < 0) {
		s->ops->put_buffer(s->user, c->buffer);
		return;
	}
	c->buffer->len = (uint32_t) n;
	c->buffer->segment = (uint16_t) n;
	/* What it reports on is not better off (RFC 8837 §5). */
	c->buffer->mark = NET_MARK_VIDEO;
	s->ops->send(s->user, c->buffer);
}

static uint32_t own_ssrc(const struct rtp_session *s)
{
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++)
		if (s->lines[i].used)
			return s->lines[i].sender.ssrc;
	return s->rtcp_ssrc;
}

static unsigned int own_ssrcs(const struct rtp_session *s,
			      uint32_t ssrcs[RTP_SESSION_LINES_MAX + 1])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++)
		if (s->lines[i].used && s->lines[i].sender.packets)
			ssrcs[n++] = s->lines[i].sender.ssrc;
	if (!n)
		ssrcs[n++] = own_ssrc(s);
	return n;
}

/* RFC 3550 §6.1: a report first, then the name. */
static void write_reports(struct rtp_session *s, struct rtcp_writer *w,
			  uint64_t now_us)
{
	struct rtcp_report_block blocks[RTP_SOURCES_MAX];
	uint32_t ssrcs[RTP_SESSION_LINES_MAX + 1];
	unsigned int n, n_ssrcs = own_ssrcs(s, ssrcs);
	bool reported = false;

	n = rtp_receiver_report(&s->receiver, blocks, RTP_SOURCES_MAX, now_us);
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++) {
		struct rtp_line *line = &s->lines[i];
		struct rtcp_sender_info info;

		if (!line->used || !line->sender.packets)
			continue;
		info = rtp_sender_info(&line->sender, now_us,
				       s->realtime_offset_us);
		rtcp_write_sr(w, line->sender.ssrc, &info, blocks,
			      reported ? 0 : n);
		reported = true;
	}
	if (!reported)
		rtcp_write_rr(w, ssrcs[0], blocks, n);
	rtcp_write_sdes(w, ssrcs, n_ssrcs, s->cname);
}

void rtp_session_send_reports(struct rtp_session *s, uint64_t now_us)
{
	struct compound c;

	s->random = s->random * 1664525 + 1013904223;
	s->report_due_us = now_us + RTP_REPORT_US - REPORT_SPREAD_US / 2 +
			   (s->random >> 8) % REPORT_SPREAD_US;
	if (!compound_begin(s, &c))
		return;
	write_reports(s, &c.w, now_us);
	compound_send(s, &c);
}

void rtp_session_send_feedback(struct rtp_session *s, uint64_t now_us)
{
	uint8_t fci[TWCC_FCI_MAX];

	s->feedback_due_us = UINT64_MAX;
	for (unsigned int i = 0; i < FCI_PER_CALL; i++) {
		struct compound c;
		size_t n;

		if (!twcc_recorder_pending(&s->recorder))
			return;
		if (!compound_begin(s, &c))
			break;
		n = twcc_recorder_build(&s->recorder, fci);
		if (n && !s->reduced_size)
			write_reports(s, &c.w, now_us);
		if (n)
			rtcp_write_twcc(&c.w, own_ssrc(s), s->rx_media_ssrc,
					fci, n);
		compound_send(s, &c);
	}
	/* More than that has come, or there was no buffer: go on later. */
	s->feedback_due_us = now_us + RTP_FEEDBACK_US;
}

void rtp_session_bye(struct rtp_session *s, uint64_t now_us)
{
	uint32_t ssrcs[RTP_SESSION_LINES_MAX + 1];
	struct compound c;

	if (!s->running || !compound_begin(s, &c))
		return;
	write_reports(s, &c.w, now_us);
	rtcp_write_bye(&c.w, ssrcs, own_ssrcs(s, ssrcs));
	compound_send(s, &c);
}

void rtp_session_get_stats(const struct rtp_session *s,
			   struct rtp_session_stats *ret)
{
	*ret = s->stats;
	ret->rx_lost = rtp_receiver_get_lost(&s->receiver);
	ret->target_bps = congestion_get_target(&s->congestion);
	ret->path_limited = congestion_is_limited(&s->congestion);
	ret->at_cap = ret->target_bps >= s->congestion.max_bps;
	ret->acked_bps = congestion_get_acked(&s->congestion, 500000);
	ret->pacer_bps = (uint32_t) (s->pacer.rate_bps < UINT32_MAX ?
				     s->pacer.rate_bps : UINT32_MAX);
	ret->pacer_queue_bytes = s->pacer.video_bytes + s->pacer.rtx_bytes;
	ret->queue_delay_us = congestion_get_queue_us(&s->congestion);
	ret->loss = s->congestion.loss;
}
