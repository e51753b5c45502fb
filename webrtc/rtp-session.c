// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/rtp.h"

#define CHUNK_BYTES_MAX	    64000	/* UDP super-packets stay below 64 KiB */
#define RTX_RATE_SHARE	    2		/* at most 1/2 of the target is RTX */
#define RTX_BURST_US	    UINT64_C(400000) /* of that rate at once */
#define RESEND_MIN_US	    UINT64_C(20000)
#define CONGESTION_WATCH_US UINT64_C(100000)
#define VIDEO_CLOCK	    90000
#define OPUS_CLOCK	    48000

/* One run of equal datagrams on its way into a buffer. */
struct chunk {
	struct net_buffer *buffer;
	size_t plain;			/* header + payload of the first */
	unsigned int segments;
	bool closed;			/* a shorter one ended the run */
	enum net_mark mark;
};

/* --- chunks ----------------------------------------------------------- */

static void chunk_send(struct rtp_session *s, struct chunk *c)
{
	if (!c->buffer)
		return;
	if (c->segments) {
		s->stats.chunks++;
		s->stats.chunk_segments += c->segments;
		s->ops->send(s->user, c->buffer);
	} else {
		s->ops->put_buffer(s->user, c->buffer);
	}
	*c = (struct chunk){ .mark = c->mark };
}

/* Makes sure that @plain bytes (and what sealing adds) can be appended. */
static bool chunk_open(struct rtp_session *s, struct chunk *c, size_t plain)
{
	if (c->segments &&
	    (c->closed || plain > c->plain || c->segments >= NET_SEGMENTS_MAX ||
	     c->buffer->len + plain + RTP_PACKET_RESERVED > CHUNK_BYTES_MAX))
		chunk_send(s, c);
	if (c->buffer)
		return true;
	c->buffer = s->ops->get_buffer(s->user);
	if (!c->buffer) {
		s->stats.no_buffer++;
		return false;
	}
	c->buffer->len = 0;
	c->buffer->segment = 0;
	c->buffer->mark = c->mark;
	return true;
}

/* @len: the sealed packet's bytes, which stand behind the chunk's end */
static void chunk_append(struct chunk *c, size_t plain, size_t len)
{
	if (!c->segments) {
		c->plain = plain;
		c->buffer->segment = (uint16_t) len;
	} else if (len != c->buffer->segment) {
		c->closed = true;
	}
	c->buffer->len += (uint32_t) len;
	c->segments++;
}

/* --- packets ---------------------------------------------------------- */

enum emitted {
	EMIT_NO_BUFFER,
	EMIT_FAILED,		/* could not be sealed: passed over */
	EMIT_SENT,
};

static void fill_values(const struct rtp_session *s,
			const struct rtp_plan *plan, uint64_t now_us,
			struct rtp_ext_values *v)
{
	*v = (struct rtp_ext_values){
		.twcc_seq = s->sent.next,
		.send_us = now_us,
		.audio_level = plan->unit->audio_level,
		.audio_voice = plan->unit->audio_voice,
	};
}

static void account_sent(struct rtp_session *s, const struct rtp_line *line,
			 size_t len, uint64_t now_us)
{
	if (!line->sender.ext.at_twcc)
		return;
	twcc_history_add(&s->sent, now_us, len);
	congestion_on_sent(&s->congestion, (uint32_t) len, now_us);
}

static enum emitted emit_media(struct rtp_session *s, struct rtp_line *line,
			       struct rtp_plan *plan, unsigned int index,
			       struct chunk *c, uint64_t now_us,
			       uint32_t *bytes)
{
	struct rtp_sender *sender = &line->sender;
	struct rtp_ext_values values;
	struct rtp_fragment f;
	uint8_t *packet;
	size_t head;
	ssize_t len;

	rtp_plan_fragment(plan, index, &f);
	head = RTP_FIXED_BYTES + sender->ext.len;
	if (!chunk_open(s, c, head + f.len))
		return EMIT_NO_BUFFER;
	packet = c->buffer->data + c->buffer->len;
	fill_values(s, plan, now_us, &values);
	rtp_sender_header(sender, plan, f.marker, &values, packet);
	len = s->ops->seal_rtp(s->user, packet, head, f.iov, f.n_iov);
	if (len < 0) {
		s->stats.seal_failed++;
		return EMIT_FAILED;
	}
	chunk_append(c, head + f.len, (size_t) len);
	rtp_sender_commit(sender, plan, index, f.len, now_us);
	account_sent(s, line, (size_t) len, now_us);
	*bytes += (uint32_t) len;
	if (line->codec == MEDIA_CODEC_OPUS) {
		s->stats.audio_packets++;
		s->stats.audio_bytes += f.len;
	} else {
		s->stats.video_packets++;
		s->stats.video_bytes += f.len;
		s->stats.video_frames += f.marker;
	}
	return EMIT_SENT;
}

static enum emitted emit_rtx(struct rtp_session *s, struct rtp_line *line,
			     struct rtp_sent *sent, struct chunk *c,
			     uint64_t now_us, uint32_t *bytes)
{
	struct rtp_sender *sender = &line->sender;
	struct iovec iov[RTP_FRAGMENT_IOV_MAX + 1];
	struct rtp_ext_values values;
	struct rtp_fragment f;
	uint8_t original[2];
	uint8_t *packet;
	size_t head, payload;
	ssize_t len;

	rtp_plan_fragment(sent->plan, sent->fragment, &f);
	be16_put(original, sent->seq);
	iov[0] = (struct iovec){ original, sizeof(original) };
	memcpy(iov + 1, f.iov, f.n_iov * sizeof(f.iov[0]));
	head = RTP_FIXED_BYTES + sender->ext.len;
	payload = sizeof(original) + f.len;
	if (!chunk_open(s, c, head + payload))
		return EMIT_NO_BUFFER;
	packet = c->buffer->data + c->buffer->len;
	fill_values(s, sent->plan, now_us, &values);
	rtp_sender_rtx_header(sender, sent, f.marker, &values, packet);
	len = s->ops->seal_rtp(s->user, packet, head, iov, f.n_iov + 1);
	if (len < 0) {
		s->stats.seal_failed++;
		return EMIT_FAILED;
	}
	chunk_append(c, head + payload, (size_t) len);
	rtp_sender_rtx_commit(sender, sent, payload, now_us);
	account_sent(s, line, (size_t) len, now_us);
	s->stats.rtx_packets++;
	s->stats.rtx_bytes += payload;
	*bytes += (uint32_t) len;
	return EMIT_SENT;
}

/* --- letting out ------------------------------------------------------ */

/* A retransmission in the queue is a line and a number, no reference: the
 * history may forget it before its turn. */
static void *rtx_opaque(unsigned int line, uint16_t seq)
{
	return (void *) ((uintptr_t) line << 16 | seq);
}

static struct rtp_line *line_of(struct rtp_session *s, enum media_codec codec)
{
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++)
		if (s->lines[i].used && s->lines[i].codec == codec)
			return &s->lines[i];
	return NULL;
}

static bool run_media(struct rtp_session *s, const struct pacer_grant *grant,
		      struct chunk *c, uint64_t now_us)
{
	struct rtp_plan *plan = grant->opaque;
	struct rtp_line *line = line_of(s, plan->unit->codec);
	struct pacer_grant done = *grant;
	uint32_t bytes = 0;
	bool stuck = false;

	for (done.packets = 0; done.packets < grant->packets; done.packets++) {
		unsigned int i = grant->first + done.packets;
		enum emitted e = EMIT_FAILED;

		if (line)
			e = emit_media(s, line, plan, i, c, now_us, &bytes);
		if (e == EMIT_NO_BUFFER) {
			stuck = true;
			break;
		}
		/* No number was used, so the receiver cannot see the hole. */
		if (e == EMIT_FAILED && line)
			line->need_keyframe = true;
	}
	if (done.packets && pacer_sent(&s->pacer, &done, bytes, now_us)) {
		if (bytes && s->ops->unit_sent)
			s->ops->unit_sent(s->user, plan->unit);
		rtp_plan_unref(plan);
	}
	return !stuck;
}

static bool run_rtx(struct rtp_session *s, const struct pacer_grant *grant,
		    struct chunk *c, uint64_t now_us)
{
	uintptr_t key = (uintptr_t) grant->opaque;
	struct rtp_line *line = &s->lines[key >> 16];
	struct rtp_sent *sent = NULL;
	enum emitted e = EMIT_FAILED;
	uint32_t bytes = 0;

	if (line->used)
		sent = rtp_sender_find(&line->sender, (uint16_t) key);
	if (sent)
		e = emit_rtx(s, line, sent, c, now_us, &bytes);
	else
		s->stats.rtx_missed++;
	if (e == EMIT_NO_BUFFER)
		return false;
	pacer_sent(&s->pacer, grant, bytes, now_us);
	return true;
}

void rtp_session_run(struct rtp_session *s, uint64_t now_us)
{
	struct chunk chunk = { 0 };
	struct pacer_grant grant;
	bool go = s->running;

	s->buffer_wait_us = 0;
	while (go && pacer_next(&s->pacer, now_us, &grant)) {
		enum net_mark mark = grant.class == PACER_AUDIO ?
			NET_MARK_AUDIO : NET_MARK_VIDEO;

		if (chunk.mark != mark)
			chunk_send(s, &chunk);
		chunk.mark = mark;
		if (grant.class == PACER_RTX)
			go = run_rtx(s, &grant, &chunk, now_us);
		else
			go = run_media(s, &grant, &chunk, now_us);
		if (!go)
			s->buffer_wait_us = now_us + PACER_TICK_US;
	}
	chunk_send(s, &chunk);
}

static void on_pacer_drop(void *user, enum pacer_class class, void *opaque)
{
	struct rtp_session *s = user;

	if (class == PACER_RTX) {
		s->stats.rtx_missed++;
		return;
	}
	if (class == PACER_VIDEO)
		s->stats.video_frames_dropped++;
	rtp_plan_unref(opaque);
}

void rtp_session_apply_target(struct rtp_session *s)
{
	unsigned int bps = congestion_get_target(&s->congestion);
	unsigned int step = s->told_bps / 100;
	enum pacer_path path = PACER_PATH_FAST;

	if (congestion_is_draining(&s->congestion))
		path = PACER_PATH_FULL;
	else if (congestion_is_limited(&s->congestion))
		path = PACER_PATH_SLOW;
	else if (congestion_was_seen(&s->congestion))
		path = PACER_PATH_BRIM;
	pacer_set_target(&s->pacer, bps, path);
	/* Small steps are not worth telling; the ends of the range are. */
	if (bps == s->told_bps ||
	    (bps > s->told_bps && bps - s->told_bps < step &&
	     bps != s->congestion.max_bps) ||
	    (bps < s->told_bps && s->told_bps - bps < step &&
	     bps != s->congestion.min_bps))
		return;
	s->told_bps = bps;
	s->ops->target(s->user, bps);
}

/* --- keyframes and retransmissions ---------------------------------------- */

static void ask_keyframe(struct rtp_session *s, struct rtp_line *line,
			 enum keyframe_verdict verdict)
{
	if (verdict != KEYFRAME_KEEP)
		s->ops->keyframe(s->user, line->codec,
				 verdict == KEYFRAME_ASK_FIRST);
}

void rtp_session_want_keyframe(struct rtp_session *s, struct rtp_line *line,
			       uint64_t now_us)
{
	if (s->running && rtp_line_is_video(line))
		ask_keyframe(s, line,
			     keyframe_requests_add(&line->keyframes, now_us));
}

/* At most a share of the target goes into retransmissions: a peer whose link
 * is narrow would otherwise lose ever more to them. */
static bool rtx_is_paid(struct rtp_session *s, uint32_t bytes, uint64_t now_us)
{
	uint64_t rate = congestion_get_target(&s->congestion) / RTX_RATE_SHARE;

	if (s->rtx_free_us < now_us)
		s->rtx_free_us = now_us;
	if (s->rtx_free_us - now_us > RTX_BURST_US)
		return false;
	s->rtx_free_us += bytes * UINT64_C(8000000) / (rate ? rate : 1);
	return true;
}

void rtp_session_resend(struct rtp_session *s, struct rtp_line *line,
			uint16_t seq, uint64_t now_us)
{
	uint64_t interval = s->stats.rtt_us > RESEND_MIN_US ? s->stats.rtt_us :
							      RESEND_MIN_US;
	struct rtp_sent *sent;
	uint32_t bytes;

	switch (rtp_sender_may_resend(&line->sender, seq, interval, now_us)) {
	case RTP_RESEND_SOON:
		return;
	case RTP_RESEND_GONE:
		s->stats.rtx_missed++;
		return;
	case RTP_RESEND_OK:
		break;
	}
	sent = rtp_sender_find(&line->sender, seq);
	bytes = sent->plan->bytes / sent->plan->n_fragments;
	if (!rtx_is_paid(s, bytes, now_us) ||
	    pacer_push(&s->pacer, PACER_RTX,
		       rtx_opaque((unsigned int) (line - s->lines), seq),
		       bytes, 1, false, false, now_us) < 0) {
		s->stats.rtx_missed++;
		return;
	}
	/* Queued counts as resent: the next NACK may come before it leaves. */
	sent->resent = true;
	sent->resent_ms = (uint32_t) (now_us / 1000);
}

/* --- units ------------------------------------------------------------ */

/* May this unit go, or is it useless without what is missing before it? */
static bool video_admitted(struct rtp_session *s, struct rtp_line *line,
			   const struct coded_unit *unit, uint64_t now_us)
{
	if (line->numbered && unit->number != line->next_number)
		line->need_keyframe = true;	/* dropped on the way here */
	line->numbered = true;
	line->next_number = unit->number + 1;
	if (unit->keyframe) {
		line->need_keyframe = false;
		keyframe_requests_answered(&line->keyframes);
	}
	if (!line->need_keyframe)
		return true;
	s->stats.video_frames_dropped++;
	/* A keyframe on top of a full queue would only lengthen it. */
	if (pacer_get_delay_us(&s->pacer) <= PACER_DELAY_MAX_US / 2)
		rtp_session_want_keyframe(s, line, now_us);
	return false;
}

void rtp_session_push(struct rtp_session *s, struct rtp_plan *plan,
		      uint64_t now_us)
{
	const struct coded_unit *unit = plan->unit;
	struct rtp_line *line = line_of(s, unit->codec);
	bool video = unit->codec != MEDIA_CODEC_OPUS;
	bool burst;

	if (!s->running || !line)
		return;
	congestion_on_tick(&s->congestion, now_us);
	rtp_session_apply_target(s);
	if (video && !video_admitted(s, line, unit, now_us))
		return;
	burst = video && unit->keyframe && !line->had_keyframe;
	if (pacer_push(&s->pacer, video ? PACER_VIDEO : PACER_AUDIO, plan,
		       plan->bytes, plan->n_fragments,
		       video && unit->keyframe, burst, now_us) < 0) {
		/* Too much is waiting. What follows depends on this one. */
		s->stats.video_frames_dropped++;
		line->need_keyframe = true;
		return;
	}
	rtp_plan_ref(plan);
	line->had_keyframe |= burst;
	if (s->congestion_due_us == UINT64_MAX)
		s->congestion_due_us = now_us + CONGESTION_WATCH_US;
	/* The first report right behind the first packet: the receiver cannot
	 * bring picture and sound together without. */
	if (s->report_due_us == UINT64_MAX)
		s->report_due_us = now_us;
	rtp_session_run(s, now_us);
}

/* --- timer ------------------------------------------------------------ */

void rtp_session_on_timer(struct rtp_session *s, uint64_t now_us)
{
	if (!s->running)
		return;
	if (now_us >= s->congestion_due_us) {
		congestion_on_tick(&s->congestion, now_us);
		rtp_session_apply_target(s);
		s->congestion_due_us = s->congestion.sent_since_feedback ?
			now_us + CONGESTION_WATCH_US : UINT64_MAX;
	}
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++) {
		struct rtp_line *line = &s->lines[i];

		if (rtp_line_is_video(line))
			ask_keyframe(s, line,
				     keyframe_requests_poll(&line->keyframes,
							    now_us));
		rtp_sender_expire(&line->sender, now_us);
	}
	rtp_session_run(s, now_us);
	if (now_us >= s->feedback_due_us)
		rtp_session_send_feedback(s, now_us);
	if (now_us >= s->report_due_us)
		rtp_session_send_reports(s, now_us);
}

static void earliest(uint64_t *due, uint64_t t)
{
	if (t < *due)
		*due = t;
}

uint64_t rtp_session_get_due_us(const struct rtp_session *s)
{
	uint64_t due = UINT64_MAX;

	if (!s->running)
		return due;
	earliest(&due, s->buffer_wait_us ? s->buffer_wait_us
					 : pacer_get_due_us(&s->pacer));
	earliest(&due, s->report_due_us);
	earliest(&due, s->feedback_due_us);
	earliest(&due, s->congestion_due_us);
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++)
		earliest(&due,
			 keyframe_requests_due_us(&s->lines[i].keyframes));
	return due;
}

/* --- life ------------------------------------------------------------- */

int rtp_session_new(struct rtp_session **ret,
		    const struct rtp_session_config *config)
{
	struct rtp_session *s;

	if (!config->cname || strlen(config->cname) > RTP_SESSION_CNAME_MAX ||
	    !config->min_bps || config->min_bps > config->max_bps)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->ops = config->ops;
	s->user = config->user;
	memcpy(s->cname, config->cname, strlen(config->cname) + 1);
	memcpy(s->seed, config->random, sizeof(s->seed));
	s->random = be32_get(config->random + 12);
	s->rtcp_ssrc = config->rtcp_ssrc;
	s->reduced_size = config->reduced_size;
	s->realtime_offset_us = config->realtime_offset_us;
	s->report_due_us = s->feedback_due_us = UINT64_MAX;
	s->congestion_due_us = UINT64_MAX;
	congestion_init(&s->congestion, config->start_bps, config->min_bps,
			config->max_bps, 0);
	s->told_bps = congestion_get_target(&s->congestion);
	pacer_init(&s->pacer, s->told_bps, on_pacer_drop, s);
	twcc_history_init(&s->sent, be16_get(config->random + 10));
	twcc_recorder_init(&s->recorder);
	rtp_receiver_init(&s->receiver);
	*ret = s;
	return 0;
}

struct rtp_session *rtp_session_free(struct rtp_session *s)
{
	if (!s)
		return NULL;
	pacer_clear(&s->pacer);
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++)
		rtp_sender_done(&s->lines[i].sender);
	free(s);
	return NULL;
}

int rtp_session_set_line(struct rtp_session *s, unsigned int index,
			 const struct rtp_line_config *config)
{
	struct rtp_sender_config sender;
	struct rtp_line *line;
	bool fresh;
	int r;

	if (index >= RTP_SESSION_LINES_MAX)
		return -EINVAL;
	line = &s->lines[index];
	if (!config) {
		/* Numbers and counters stay, for the case that it returns. */
		line->used = false;
		line->keyframes.pending = false;
		rtp_sender_expire(&line->sender, UINT64_MAX);
		return 0;
	}
	sender = (struct rtp_sender_config){
		.ssrc = config->ssrc,
		.rtx_ssrc = config->rtx_ssrc,
		.pt = config->pt,
		.rtx_pt = config->rtx_pt,
		.clock_rate = config->codec == MEDIA_CODEC_OPUS ? OPUS_CLOCK :
								  VIDEO_CLOCK,
		.ext = config->ext,
		.mid = config->mid,
		.playout_min_ms = config->playout_min_ms,
		.playout_max_ms = config->playout_max_ms,
	};
	fresh = !line->used || line->codec != config->codec;
	r = rtp_sender_set(&line->sender, &sender, s->seed + index);
	if (r < 0)
		return r;
	line->used = true;
	line->codec = config->codec;
	if (fresh) {
		line->need_keyframe = true;
		line->had_keyframe = false;
		line->numbered = false;
	}
	return 0;
}

int rtp_session_set_rx(struct rtp_session *s, const struct rtp_rx_pt *pts,
		       unsigned int n, uint8_t twcc_id)
{
	if (n > RTP_SESSION_RX_PT_MAX || twcc_id > RTP_EXT_ID_ONE_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++)
		if (pts[i].pt > 127 || !pts[i].clock_rate)
			return -EINVAL;
	memset(s->rx, 0, sizeof(s->rx));
	for (unsigned int i = 0; i < n; i++)
		s->rx[pts[i].pt] = (struct rtp_rx_kind){
			.clock_rate = pts[i].clock_rate,
			.video = pts[i].kind == MEDIA_KIND_VIDEO,
			.rtx = pts[i].rtx,
		};
	s->rx_twcc_id = twcc_id;
	return 0;
}

void rtp_session_set_range(struct rtp_session *s, unsigned int min_bps,
			   unsigned int max_bps)
{
	congestion_set_range(&s->congestion, min_bps, max_bps);
	rtp_session_apply_target(s);
}

void rtp_session_set_realtime_offset(struct rtp_session *s, int64_t offset_us)
{
	s->realtime_offset_us = offset_us;
}

void rtp_session_start(struct rtp_session *s, uint64_t now_us)
{
	if (s->running)
		return;
	s->running = true;
	congestion_init(&s->congestion, s->told_bps, s->congestion.min_bps,
			s->congestion.max_bps, now_us);
	rtp_session_apply_target(s);
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++) {
		struct rtp_line *line = &s->lines[i];

		line->need_keyframe = true;
		line->numbered = false;
		rtp_session_want_keyframe(s, line, now_us);
	}
}

void rtp_session_stop(struct rtp_session *s)
{
	s->running = false;
	pacer_clear(&s->pacer);
	s->report_due_us = s->feedback_due_us = UINT64_MAX;
	s->congestion_due_us = UINT64_MAX;
}
