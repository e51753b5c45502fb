// SPDX-License-Identifier: Apache-2.0
/* The whole session with a seal that encrypts nothing: it copies the payload
 * and appends a tag of 16 bytes, as GCM would. What leaves is kept as the
 * datagrams a network would see. */
#include "webrtc/rtp-session.h"

#include <errno.h>

#include "webrtc/be.h"
#include "webrtc/depacketize.h"
#include "webrtc/rtcp.h"
#include "webrtc/rtp.h"
#include "webrtc/test-rtp-util.h"
#include "webrtc/twcc.h"

#define TAG	      16
#define DATAGRAMS_MAX 4096
#define VIDEO_SSRC    0x1111
#define RTX_SSRC      0x2222
#define AUDIO_SSRC    0x3333
#define TWCC_ID	      3

struct datagram {
	uint8_t data[1500];
	size_t len;
	uint64_t at_us;
};

struct peer {
	struct rtp_session *session;
	struct rtp_planner *planner;
	uint64_t now_us;
	uint64_t number;		/* of the next video unit */
	bool no_buffers, seal_fails;
	unsigned int buffers;		/* taken and not returned */
	unsigned int keyframes, first_keyframes, targets, last_target;
	unsigned int chunks;
	unsigned int n;
	struct datagram *sent;
};

static struct net_buffer *get_buffer(void *user)
{
	struct peer *p = user;
	struct net_buffer *b;

	if (p->no_buffers)
		return NULL;
	b = g_new0(struct net_buffer, 1);
	b->data = g_malloc(NET_BUFFER_BYTES);
	b->len = 77;			/* left over from another user */
	p->buffers++;
	return b;
}

static void put_buffer(void *user, struct net_buffer *b)
{
	struct peer *p = user;

	p->buffers--;
	g_free(b->data);
	g_free(b);
}

static void send_chunk(void *user, struct net_buffer *b)
{
	struct peer *p = user;
	unsigned int segments = 0;

	g_assert_cmpuint(b->len, >, 0);
	g_assert_cmpuint(b->segment, >, 0);
	for (uint32_t at = 0; at < b->len; at += b->segment) {
		struct datagram *d = &p->sent[p->n++ % DATAGRAMS_MAX];

		d->len = MIN(b->segment, b->len - at);
		d->at_us = p->now_us;
		g_assert_cmpuint(d->len, <=, RTP_PACKET_BYTES);
		memcpy(d->data, b->data + at, d->len);
		segments++;
	}
	g_assert_cmpuint(segments, <=, NET_SEGMENTS_MAX);
	p->chunks++;
	put_buffer(p, b);
}

static ssize_t seal_rtp(void *user, uint8_t *packet, size_t header_len,
			const struct iovec *payload, unsigned int n)
{
	struct peer *p = user;
	size_t len = header_len;

	if (p->seal_fails)
		return -EIO;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(packet + len, payload[i].iov_base, payload[i].iov_len);
		len += payload[i].iov_len;
	}
	memset(packet + len, 0xee, TAG);
	return (ssize_t) (len + TAG);
}

static ssize_t seal_rtcp(void *user, uint8_t *packet, size_t len, size_t room)
{
	g_assert_cmpuint(len + TAG + 4, <=, room);
	memset(packet + len, 0xee, TAG + 4);
	return (ssize_t) (len + TAG + 4);
}

static void keyframe(void *user, enum media_codec codec, bool first)
{
	struct peer *p = user;

	p->keyframes++;
	p->first_keyframes += first;
}

static void target(void *user, unsigned int bps)
{
	struct peer *p = user;

	p->targets++;
	p->last_target = bps;
}

static const struct rtp_session_ops ops = {
	get_buffer, put_buffer, send_chunk, seal_rtp, seal_rtcp, keyframe,
	target,
};

static const struct rtp_line_config video_line = {
	.codec = MEDIA_CODEC_H264, .mid = "1", .ssrc = VIDEO_SSRC, .pt = 96,
	.rtx_ssrc = RTX_SSRC, .rtx_pt = 97,
	.ext = { .mid = 4, .twcc = TWCC_ID, .abs_send_time = 2,
		 .playout_delay = 5 },
};

static const struct rtp_line_config audio_line = {
	.codec = MEDIA_CODEC_OPUS, .mid = "0", .ssrc = AUDIO_SSRC, .pt = 111,
	.ext = { .mid = 4, .twcc = TWCC_ID, .audio_level = 1 },
};

static const struct rtp_rx_pt rx_pts[] = {
	{ 111, MEDIA_KIND_AUDIO, 48000, false },
	{ 96, MEDIA_KIND_VIDEO, 90000, false },
	{ 97, MEDIA_KIND_VIDEO, 90000, true },
};

static struct peer *peer_new(void)
{
	struct rtp_session_config config = {
		.cname = "box", .rtcp_ssrc = 0x9999, .start_bps = 2000000,
		.min_bps = 100000, .max_bps = 4000000, .reduced_size = true,
		.realtime_offset_us = INT64_C(1700000000000000),
		.ops = &ops,
	};
	struct peer *p = g_new0(struct peer, 1);

	for (unsigned int i = 0; i < 16; i++)
		config.random[i] = (uint8_t) (0xf1 - i);
	p->sent = g_new0(struct datagram, DATAGRAMS_MAX);
	p->now_us = 5000000;
	config.user = p;
	g_assert_cmpint(rtp_planner_new(&p->planner, 0, 0), ==, 0);
	g_assert_cmpint(rtp_session_new(&p->session, &config), ==, 0);
	g_assert_cmpint(rtp_session_set_line(p->session, 0, &audio_line), ==,
			0);
	g_assert_cmpint(rtp_session_set_line(p->session, 1, &video_line), ==,
			0);
	g_assert_cmpint(rtp_session_set_rx(p->session, rx_pts,
					   G_N_ELEMENTS(rx_pts), TWCC_ID),
			==, 0);
	rtp_session_start(p->session, p->now_us);
	return p;
}

static void peer_free(struct peer *p)
{
	rtp_session_free(p->session);
	g_assert_cmpuint(rtp_planner_get_used(p->planner), ==, 0);
	g_assert_cmpuint(test_units, ==, 0);
	g_assert_cmpuint(p->buffers, ==, 0);
	rtp_planner_free(p->planner);
	g_free(p->sent);
	g_free(p);
}

static void push(struct peer *p, struct coded_unit *u)
{
	struct rtp_plan *plan;

	u->capture_us = p->now_us - 10000;
	g_assert_cmpint(rtp_plan_new(p->planner, u, &plan), ==, 0);
	rtp_session_push(p->session, plan, p->now_us);
	rtp_plan_unref(plan);
	coded_unit_unref(u);
}

static void push_video(struct peer *p, size_t size, bool key)
{
	push(p, test_unit_h264(size, key, p->number++));
}

/* Runs the timer as its owner would. */
static void advance(struct peer *p, uint64_t us)
{
	uint64_t end = p->now_us + us;
	uint64_t due;

	while ((due = rtp_session_get_due_us(p->session)) <= end) {
		if (due > p->now_us)
			p->now_us = due;
		rtp_session_on_timer(p->session, p->now_us);
		/* A timer that does not move on would spin. */
		g_assert_cmpuint(rtp_session_get_due_us(p->session), >,
				 p->now_us);
	}
	p->now_us = end;
}

static struct rtp_header header_of(const struct datagram *d)
{
	struct rtp_header h;

	g_assert_cmpint(rtp_demux(d->data, d->len), ==, RTP_DEMUX_RTP);
	g_assert_cmpint(rtp_parse(d->data, d->len - TAG, &h), ==, 0);
	return h;
}

static struct rtp_session_stats stats_of(const struct peer *p)
{
	struct rtp_session_stats s;

	rtp_session_get_stats(p->session, &s);
	return s;
}

/* The RTP packets of one source among what was sent from @from on. */
static unsigned int count_ssrc(const struct peer *p, unsigned int from,
			       uint32_t ssrc)
{
	unsigned int n = 0;

	for (unsigned int i = from; i < p->n; i++)
		if (rtp_demux(p->sent[i].data, p->sent[i].len) ==
			    RTP_DEMUX_RTP &&
		    header_of(&p->sent[i]).ssrc == ssrc)
			n++;
	return n;
}

static void test_a_keyframe_crosses_whole(void)
{
	struct coded_unit *u = test_unit_h264(30000, true, 0);
	g_autofree uint8_t *want = g_memdup2(u->data, u->size);
	g_autofree uint8_t *out = g_malloc(40000);
	struct peer *p = peer_new();
	struct depacketizer d;
	uint16_t seq = 0, twcc = 0;
	uint32_t timestamp = 0;

	g_assert_cmpuint(p->first_keyframes, ==, 1);
	p->number = 1;
	push(p, u);
	/* A joiner's first keyframe leaves at once: the aggregate and the run
	 * of fragments, a chunk each. */
	g_assert_cmpuint(p->n, ==, 28);
	g_assert_cmpuint(p->chunks, ==, 2);
	depacketizer_init(&d, out, 40000);
	for (unsigned int i = 0; i < p->n; i++) {
		struct rtp_header h = header_of(&p->sent[i]);
		const uint8_t *e;
		size_t n;

		g_assert_cmpint(depacketize_h264(&d, h.payload,
						 h.payload_len), ==, 0);
		g_assert_true(h.marker == (i + 1 == p->n));
		g_assert_cmpuint(h.pt, ==, 96);
		g_assert_cmphex(h.ssrc, ==, VIDEO_SSRC);
		e = rtp_ext_find(&h, TWCC_ID, &n);
		g_assert_cmpuint(n, ==, 2);
		if (i) {
			g_assert_cmphex(h.seq, ==, (uint16_t) (seq + 1));
			g_assert_cmphex(be16_get(e), ==,
					(uint16_t) (twcc + 1));
			g_assert_cmphex(h.timestamp, ==, timestamp);
		}
		if (i > 1 && i + 1 < p->n)
			g_assert_cmpuint(p->sent[i].len, ==, p->sent[1].len);
		e = rtp_ext_find(&h, 4, &n);
		g_assert_cmpmem(e, n, "1", 1);
		seq = h.seq;
		twcc = be16_get(rtp_ext_find(&h, TWCC_ID, &n));
		timestamp = h.timestamp;
	}
	g_assert_cmpmem(out, d.len, want, 30000);
	g_assert_cmpuint(stats_of(p).video_frames, ==, 1);
	peer_free(p);
}

static void test_delta_before_a_keyframe_is_useless(void)
{
	struct peer *p = peer_new();

	push_video(p, 3000, false);
	push_video(p, 3000, false);
	g_assert_cmpuint(p->n, ==, 0);
	g_assert_cmpuint(p->keyframes, ==, 1);	/* asked once a second */
	advance(p, 1100000);
	push_video(p, 3000, false);
	g_assert_cmpuint(p->keyframes, ==, 2);
	push_video(p, 3000, true);
	g_assert_cmpuint(p->n, >, 0);

	/* A gap in the unit numbers: the same. */
	p->n = 0;
	p->number += 1;
	push_video(p, 3000, false);
	g_assert_cmpuint(p->n, ==, 0);
	g_assert_cmpuint(stats_of(p).video_frames_dropped, ==, 4);
	peer_free(p);
}

static void test_audio_passes_a_big_frame(void)
{
	struct peer *p = peer_new();
	struct coded_unit *u;
	struct rtp_header h;
	const uint8_t *e;
	size_t n;

	push_video(p, 20000, true);
	push_video(p, 100000, true);		/* the second does not burst */
	p->n = 0;
	u = test_unit_new(MEDIA_CODEC_OPUS, "opus", 4);
	u->audio_level = 30;
	u->audio_voice = true;
	push(p, u);
	g_assert_cmpuint(p->n, ==, 1);
	h = header_of(&p->sent[0]);
	g_assert_cmphex(h.ssrc, ==, AUDIO_SSRC);
	g_assert_cmpmem(h.payload, h.payload_len, "opus", 4);
	e = rtp_ext_find(&h, 1, &n);
	g_assert_cmpmem(e, n, "\x9e", 1);
	advance(p, 150000);
	g_assert_cmpuint(count_ssrc(p, 0, VIDEO_SSRC), >, 70);
	g_assert_cmpuint(stats_of(p).video_frames, ==, 2);
	peer_free(p);
}

static void send_nack(struct peer *p, const uint16_t *seqs, unsigned int n)
{
	uint8_t data[200];
	struct rtcp_writer w = { data, sizeof(data), 0 };

	g_assert_cmpint(rtcp_write_nack(&w, 1, VIDEO_SSRC, seqs, n), ==, 0);
	g_assert_cmpint(rtp_session_on_rtcp(p->session, data, w.len,
					    p->now_us), ==, 0);
}

static void test_nack_is_answered_by_rtx(void)
{
	struct peer *p = peer_new();
	struct rtp_header lost[2], h;
	uint16_t seqs[3];
	size_t lens[2];

	push_video(p, 10000, true);
	lost[0] = header_of(&p->sent[0]);	/* the STAP-A, five slices */
	lost[1] = header_of(&p->sent[3]);
	lens[0] = lost[0].payload_len;
	lens[1] = lost[1].payload_len;
	seqs[0] = lost[0].seq;
	seqs[1] = lost[1].seq;
	seqs[2] = (uint16_t) (lost[1].seq + 999); /* never sent */
	advance(p, 30000);
	p->n = 20;				/* keep the first ones */
	send_nack(p, seqs, 3);
	g_assert_cmpuint(p->n, ==, 22);
	for (unsigned int i = 0; i < 2; i++) {
		h = header_of(&p->sent[20 + i]);
		g_assert_cmphex(h.ssrc, ==, RTX_SSRC);
		g_assert_cmpuint(h.pt, ==, 97);
		g_assert_cmphex(h.timestamp, ==, lost[i].timestamp);
		g_assert_true(h.marker == lost[i].marker);
		g_assert_cmpuint(h.payload_len, ==, lens[i] + 2);
		g_assert_cmphex(be16_get(h.payload), ==, seqs[i]);
		g_assert_cmpmem(h.payload + 2, lens[i], lost[i].payload,
				lens[i]);
	}
	/* Asked again at once: it is on its way. */
	send_nack(p, seqs, 2);
	g_assert_cmpuint(p->n, ==, 22);
	g_assert_cmpuint(stats_of(p).rtx_packets, ==, 2);
	g_assert_cmpuint(stats_of(p).rtx_missed, ==, 1);
	g_assert_cmpuint(stats_of(p).nacks, ==, 2);
	/* Later: yes. Much later: gone. */
	advance(p, 100000);
	p->n = 30;
	send_nack(p, seqs, 2);
	g_assert_cmpuint(count_ssrc(p, 30, RTX_SSRC), ==, 2);
	advance(p, 2000000);
	p->n = 30;
	send_nack(p, seqs, 2);
	g_assert_cmpuint(count_ssrc(p, 30, RTX_SSRC), ==, 0);
	g_assert_cmpuint(stats_of(p).rtx_missed, ==, 3);
	peer_free(p);
}

/* A peer that asks for everything again and again gets a share, no more. */
static void test_retransmission_rate_is_limited(void)
{
	struct peer *p = peer_new();
	uint64_t bytes;

	push_video(p, 60000, true);
	for (unsigned int t = 0; t < 100; t++) {
		advance(p, 30000);
		push_video(p, 3000, false);
		for (unsigned int k = 0; k < 17; k++) {
			uint16_t seqs[17], base = 0;

			for (unsigned int i = 0; i < p->n; i++)
				if (rtp_demux(p->sent[i].data,
					      p->sent[i].len) ==
				    RTP_DEMUX_RTP) {
					base = header_of(&p->sent[i]).seq;
					break;
				}
			for (unsigned int i = 0; i < 17; i++)
				seqs[i] = (uint16_t) (base + 17 * k + i);
			send_nack(p, seqs, 17);
		}
	}
	bytes = stats_of(p).rtx_bytes;
	/* 3 s at half of 2..4 Mb/s, and the burst */
	g_assert_cmpuint(bytes, >, 50000);
	g_assert_cmpuint(bytes * 8, <, 3 * 2000000 + 800000);
	peer_free(p);
}

static void test_pli_and_fir(void)
{
	uint8_t data[64];
	struct rtcp_writer w = { data, sizeof(data), 0 };
	struct peer *p = peer_new();

	push_video(p, 3000, true);
	g_assert_cmpuint(p->keyframes, ==, 1);
	g_assert_cmpint(rtcp_write_pli(&w, 1, VIDEO_SSRC), ==, 0);
	g_assert_cmpint(rtcp_write_fir(&w, 1, VIDEO_SSRC, 1), ==, 0);
	g_assert_cmpint(rtcp_write_pli(&w, 1, 0xbad), ==, 0);
	g_assert_cmpint(rtp_session_on_rtcp(p->session, data, w.len,
					    p->now_us), ==, 0);
	g_assert_cmpuint(p->keyframes, ==, 1);	/* kept: within the second */
	advance(p, 1000000);
	g_assert_cmpuint(p->keyframes, ==, 2);
	g_assert_cmpuint(p->first_keyframes, ==, 1);
	g_assert_cmpuint(stats_of(p).plis, ==, 1);
	g_assert_cmpuint(stats_of(p).firs, ==, 1);
	peer_free(p);
}

/* Finds the next RTCP compound. Return: false when there is none. */
static bool next_rtcp(const struct peer *p, unsigned int *at,
		      struct rtcp_iter *it)
{
	for (; *at < p->n; (*at)++) {
		const struct datagram *d = &p->sent[*at];

		if (rtp_demux(d->data, d->len) == RTP_DEMUX_RTCP) {
			rtcp_iter_init(it, d->data, d->len - TAG - 4);
			(*at)++;
			return true;
		}
	}
	return false;
}

static void test_sender_reports_and_round_trip(void)
{
	struct peer *p = peer_new();
	struct rtcp_packet sr, packet;
	struct rtcp_iter it;
	struct rtp_header h;
	unsigned int at = 0;
	uint8_t data[100];
	struct rtcp_writer w = { data, sizeof(data), 0 };
	struct rtcp_report_block b = { .ssrc = VIDEO_SSRC,
				       .fraction_lost = 13 };
	const char *cname;
	size_t n;

	push_video(p, 5000, true);
	h = header_of(&p->sent[0]);
	advance(p, 0);
	g_assert_true(next_rtcp(p, &at, &it));	/* right behind the frame */
	g_assert_cmpint(rtcp_iter_next(&it, &sr), ==, 1);
	g_assert_cmpint(sr.type, ==, RTCP_SR);
	g_assert_cmphex(sr.sender, ==, VIDEO_SSRC);
	g_assert_cmpuint(sr.info.packets, ==, stats_of(p).video_packets);
	g_assert_cmpuint(sr.info.bytes, ==, stats_of(p).video_bytes);
	/* The frame was captured 10 ms before this report. */
	g_assert_cmpuint(sr.info.rtp_timestamp - h.timestamp, ==, 900);
	g_assert_cmpuint(sr.info.ntp >> 32, ==,
			 UINT64_C(1700000005) + UINT64_C(2208988800));
	g_assert_cmpint(rtcp_iter_next(&it, &packet), ==, 1);
	g_assert_cmpint(packet.type, ==, RTCP_SDES);
	cname = rtcp_get_cname(&packet, &n);
	g_assert_cmpmem(cname, n, "box", 3);
	g_assert_cmpint(rtcp_iter_next(&it, &packet), ==, 0);

	/* 10 s: about one a second */
	for (unsigned int i = 0; i < 300; i++) {
		push_video(p, 1000, false);
		advance(p, 33333);
	}
	for (n = 0; next_rtcp(p, &at, &it); n++)
		;
	g_assert_cmpuint(n, >=, 9);
	g_assert_cmpuint(n, <=, 11);

	/* The peer held it for 100 ms; 40 ms were on the wire. */
	p->now_us = 5000000 + 140000;
	b.lsr = (uint32_t) (sr.info.ntp >> 16);
	b.dlsr = 6554;
	g_assert_cmpint(rtcp_write_rr(&w, 1, &b, 1), ==, 0);
	g_assert_cmpint(rtp_session_on_rtcp(p->session, data, w.len,
					    p->now_us), ==, 0);
	g_assert_cmpuint(stats_of(p).rtt_us, >, 39900);
	g_assert_cmpuint(stats_of(p).rtt_us, <, 40100);
	g_assert_cmpfloat(stats_of(p).loss, >, 0.05);
	peer_free(p);
}

static size_t make_rtp(uint8_t *out, uint8_t pt, uint16_t seq, uint32_t ssrc,
		       uint16_t twcc)
{
	const struct rtp_ext_ids ids = { .twcc = TWCC_ID };
	struct rtp_ext_values v = { .twcc_seq = twcc };
	struct rtp_ext_block block;
	size_t n;

	g_assert_cmpint(rtp_ext_block_init(&block, &ids, NULL, 0, 0), ==, 0);
	rtp_write_fixed(out, true, false, pt, seq, seq * 960u, ssrc);
	n = RTP_FIXED_BYTES + rtp_ext_block_write(&block, &v, out + 12);
	memset(out + n, 1, 50);
	return n + 50;
}

static void test_what_we_receive_is_reported(void)
{
	struct peer *p = peer_new();
	unsigned int at = 0, told = 0, feedback = 0, blocks = 0;
	struct rtcp_packet packet;
	struct rtcp_iter it;
	uint8_t data[200];

	for (unsigned int i = 0; i < 100; i++) {
		size_t n = make_rtp(data, 111, (uint16_t) (65500 + i), 0x77,
				    (uint16_t) (65450 + i));

		if (i % 10 != 5)
			g_assert_cmpint(rtp_session_on_rtp(p->session, data, n,
							   p->now_us), ==, 0);
		advance(p, 20000);
	}
	/* unknown payload type, no RTP at all */
	g_assert_cmpint(rtp_session_on_rtp(p->session, data,
					   make_rtp(data, 50, 1, 1, 1),
					   p->now_us), ==, -EBADMSG);
	g_assert_cmpint(rtp_session_on_rtp(p->session, data, 5, p->now_us),
			==, -EBADMSG);

	while (next_rtcp(p, &at, &it)) {
		while (rtcp_iter_next(&it, &packet) > 0) {
			struct twcc_status s;
			struct twcc_iter t;

			if (packet.type == RTCP_RR && packet.n) {
				blocks++;
				g_assert_cmphex(rtcp_get_block(&packet, 0).ssrc,
						==, 0x77);
			}
			/* nothing is decoded: nothing is asked for */
			g_assert_cmpint(packet.type, !=, RTCP_PLI);
			g_assert_cmpint(packet.type, !=, RTCP_NACK);
			if (packet.type != RTCP_TWCC)
				continue;
			feedback++;
			g_assert_cmphex(packet.media, ==, 0x77);
			g_assert_cmpint(twcc_iter_init(&t, packet.items,
						       packet.items_len),
					==, 0);
			while (twcc_iter_next(&t, &s) > 0)
				told += s.received;
		}
	}
	g_assert_cmpuint(told, >=, 80);
	g_assert_cmpuint(feedback, >=, 15);
	g_assert_cmpuint(feedback, <=, 21);	/* ten a second */
	g_assert_cmpuint(blocks, >=, 1);
	g_assert_cmpuint(stats_of(p).rx_audio_packets, ==, 90);
	g_assert_cmpuint(stats_of(p).rx_audio_bytes, ==, 90 * 50);
	g_assert_cmpuint(stats_of(p).rx_lost, ==, 10);
	g_assert_cmpuint(stats_of(p).rx_bad, ==, 2);
	peer_free(p);
}

/* The peer reports what it got; the target grows to the limit. Then most is
 * lost, and it falls. */
static void test_feedback_moves_the_target(void)
{
	struct twcc_recorder *r = g_new0(struct twcc_recorder, 1);
	struct peer *p = peer_new();
	unsigned int done = 0, packets = 0;

	for (unsigned int i = 0; i < 300; i++) {
		unsigned int bytes = stats_of(p).target_bps / 8 / 30;

		push_video(p, bytes, i == 0);
		advance(p, 33333);
		for (; done < p->n; done++) {
			const struct datagram *d = &p->sent[done];
			struct rtp_header h;
			const uint8_t *e;
			size_t n;

			if (rtp_demux(d->data, d->len) != RTP_DEMUX_RTP)
				continue;
			h = header_of(d);
			e = rtp_ext_find(&h, TWCC_ID, &n);
			if (i < 150 || packets++ % 2)
				twcc_recorder_add(r, be16_get(e),
						  d->at_us + 10000);
		}
		p->n = done = 0;
		if (i % 3 == 2) {
			uint8_t fci[TWCC_FCI_MAX], data[RTCP_COMPOUND_MAX];
			struct rtcp_writer w = { data, sizeof(data), 0 };
			size_t n = twcc_recorder_build(r, fci);

			g_assert_cmpint(rtcp_write_twcc(&w, 1, VIDEO_SSRC, fci,
							n), ==, 0);
			g_assert_cmpint(rtp_session_on_rtcp(p->session, data,
							    w.len, p->now_us),
					==, 0);
		}
		if (i == 149) {
			g_assert_cmpuint(p->last_target, ==, 4000000);
			g_assert_cmpuint(stats_of(p).twcc_reports, ==, 50);
			g_assert_true(stats_of(p).twcc);
			g_assert_cmpfloat(stats_of(p).loss, ==, 0);
		}
	}
	g_assert_cmpuint(p->last_target, <, 1000000);
	/* steps below a hundredth are not told */
	g_assert_cmpuint(ABS((int) (p->last_target - stats_of(p).target_bps)),
			 <=, p->last_target / 100);
	g_assert_cmpuint(stats_of(p).pacer_bps, <, 10000000);
	peer_free(p);
	g_free(r);
}

static void test_no_buffer_waits_and_goes_on(void)
{
	struct peer *p = peer_new();

	p->no_buffers = true;
	push_video(p, 5000, true);
	g_assert_cmpuint(p->n, ==, 0);
	g_assert_cmpuint(rtp_session_get_due_us(p->session), <=,
			 p->now_us + 5000);
	rtp_session_on_timer(p->session, p->now_us + 5000);
	p->no_buffers = false;
	p->now_us += 10000;
	rtp_session_on_timer(p->session, p->now_us);
	g_assert_cmpuint(stats_of(p).video_frames, ==, 1);
	g_assert_cmpuint(stats_of(p).no_buffer, >=, 2);
	peer_free(p);
}

static void test_failing_seal_drops_and_asks_anew(void)
{
	struct peer *p = peer_new();

	push_video(p, 5000, true);
	advance(p, 33000);
	p->seal_fails = true;
	p->n = 0;
	push_video(p, 5000, false);
	p->seal_fails = false;
	push_video(p, 5000, false);
	g_assert_cmpuint(count_ssrc(p, 0, VIDEO_SSRC), ==, 0);
	g_assert_cmpuint(stats_of(p).seal_failed, ==, 5);
	advance(p, 1000000);
	g_assert_cmpuint(p->keyframes, ==, 2);
	peer_free(p);
}

static void test_stopped_is_silent(void)
{
	struct peer *p = peer_new();

	push_video(p, 200000, true);
	rtp_session_stop(p->session);
	p->n = 0;
	g_assert_cmpuint(rtp_session_get_due_us(p->session), ==, UINT64_MAX);
	push_video(p, 5000, true);
	rtp_session_on_timer(p->session, p->now_us + 1000000);
	rtp_session_bye(p->session, p->now_us);
	g_assert_cmpuint(p->n, ==, 0);
	rtp_session_start(p->session, p->now_us);
	g_assert_cmpuint(p->keyframes, ==, 1);	/* within the second: kept */
	advance(p, 1000000);
	g_assert_cmpuint(p->keyframes, ==, 2);
	push_video(p, 5000, true);
	g_assert_cmpuint(p->n, >, 0);
	peer_free(p);
}

static void test_bye_names_all_sources(void)
{
	struct peer *p = peer_new();
	struct rtcp_packet packet;
	struct rtcp_iter it;
	unsigned int at = 0, n = 0;

	push_video(p, 1000, true);
	push(p, test_unit_new(MEDIA_CODEC_OPUS, "o", 1));
	rtp_session_bye(p->session, p->now_us);
	g_assert_true(next_rtcp(p, &at, &it));
	while (rtcp_iter_next(&it, &packet) > 0)
		if (packet.type == RTCP_BYE)
			n = packet.n;
	g_assert_cmpuint(n, ==, 2);
	peer_free(p);
}

/* Renegotiated: other numbers for the same source, then the line goes and
 * comes back. */
static void test_lines_change(void)
{
	struct rtp_line_config line = video_line;
	struct peer *p = peer_new();
	uint16_t seq;

	push_video(p, 1000, true);
	seq = header_of(&p->sent[0]).seq;
	line.pt = 102;
	line.rtx_pt = 0;
	line.ext = (struct rtp_ext_ids){ .twcc = 9 };
	g_assert_cmpint(rtp_session_set_line(p->session, 1, &line), ==, 0);
	p->n = 0;
	advance(p, 33000);
	push_video(p, 900, false);
	g_assert_cmpuint(count_ssrc(p, 0, VIDEO_SSRC), ==, 1);
	g_assert_cmphex(header_of(&p->sent[p->n - 1]).seq, ==,
			(uint16_t) (seq + 1));
	g_assert_cmpuint(header_of(&p->sent[p->n - 1]).pt, ==, 102);
	/* Without RTX nothing is sent a second time. */
	send_nack(p, &seq, 1);
	g_assert_cmpuint(stats_of(p).rtx_packets, ==, 0);

	g_assert_cmpint(rtp_session_set_line(p->session, 1, NULL), ==, 0);
	p->n = 0;
	push_video(p, 900, true);
	g_assert_cmpuint(p->n, ==, 0);
	g_assert_cmpint(rtp_session_set_line(p->session, 1, &video_line), ==,
			0);
	push_video(p, 900, false);
	g_assert_cmpuint(p->n, ==, 0);
	push_video(p, 900, true);
	g_assert_cmphex(header_of(&p->sent[0]).seq, ==, (uint16_t) (seq + 2));
	g_assert_cmpint(rtp_session_set_line(p->session, 9, NULL), ==,
			-EINVAL);
	peer_free(p);
}

/* A day of a still picture in small steps: all numbers wrap, nothing grows,
 * the timestamps follow the capture clock. */
static void test_long_run(void)
{
	struct peer *p = peer_new();
	uint64_t start = p->now_us;
	uint32_t first = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		push_video(p, 300, i == 0);
		if (i == 0)
			first = header_of(&p->sent[0]).timestamp;
		p->n = 0;
		advance(p, 400000);
	}
	p->n = 0;
	push_video(p, 300, false);
	g_assert_cmphex(header_of(&p->sent[p->n - 1]).timestamp - first, ==,
			(uint32_t) ((p->now_us - start) / 100 * 9));
	g_assert_cmpuint(stats_of(p).video_frames, ==, 200001);
	g_assert_cmpuint(stats_of(p).video_frames_dropped, ==, 0);
	g_assert_cmpuint(rtp_planner_get_used(p->planner), <, 8);
	peer_free(p);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add_func("/rtp-session/" path, fn)
	ADD("a-keyframe-crosses-whole", test_a_keyframe_crosses_whole);
	ADD("delta-before-a-keyframe-is-useless",
	    test_delta_before_a_keyframe_is_useless);
	ADD("audio-passes-a-big-frame", test_audio_passes_a_big_frame);
	ADD("nack-is-answered-by-rtx", test_nack_is_answered_by_rtx);
	ADD("retransmission-rate-is-limited",
	    test_retransmission_rate_is_limited);
	ADD("pli-and-fir", test_pli_and_fir);
	ADD("sender-reports-and-round-trip",
	    test_sender_reports_and_round_trip);
	ADD("what-we-receive-is-reported", test_what_we_receive_is_reported);
	ADD("feedback-moves-the-target", test_feedback_moves_the_target);
	ADD("no-buffer-waits-and-goes-on", test_no_buffer_waits_and_goes_on);
	ADD("failing-seal-drops-and-asks-anew",
	    test_failing_seal_drops_and_asks_anew);
	ADD("stopped-is-silent", test_stopped_is_silent);
	ADD("bye-names-all-sources", test_bye_names_all_sources);
	ADD("lines-change", test_lines_change);
	ADD("long-run", test_long_run);
#undef ADD
	return g_test_run();
}
