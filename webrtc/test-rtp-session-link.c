// SPDX-License-Identifier: Apache-2.0
/* A whole session over a simulated link to a simulated receiver, by a virtual
 * clock: an encoder that follows the target, a bottleneck with a tail-drop
 * queue, a receiver that reorders nothing, asks for what is missing (NACK,
 * PLI) and reports (TWCC). What is judged is what a viewer would see: frames
 * delivered whole and in order, how old they are, how long none came. */
#include "webrtc/rtp-session.h"

#include "webrtc/be.h"
#include "webrtc/rtcp.h"
#include "webrtc/rtp.h"
#include "webrtc/test-rtp-util.h"
#include "webrtc/twcc.h"

#define STEP_US	   UINT64_C(1000)
#define FRAME_US   UINT64_C(33333)
#define FLIGHT_MAX 4096
#define WINDOW	   4096			/* packets the receiver remembers */
#define FRAMES_MAX 8192
#define TWCC_ID	   3
#define VIDEO_SSRC 0x1111
#define RTX_SSRC   0x2222

struct packet {
	uint64_t arrives_us;
	uint32_t timestamp;
	uint16_t seq, twcc;
	bool marker, keyframe, media;
};

struct slot {
	bool received, marker, keyframe;
	uint32_t timestamp;
	uint64_t missing_us;		/* since when; 0: not known */
	uint64_t nacked_us;
};

struct sim {
	struct rtp_session *session;
	struct rtp_planner *planner;
	uint64_t now_us;
	GRand *rand;
	/* encoder */
	double target, encoder_bps;
	bool key_wanted;
	uint64_t next_frame_us, last_key_us, n_units;
	uint32_t timestamps[FRAMES_MAX];	/* by unit */
	uint64_t captured_us[FRAMES_MAX];
	/* link */
	double link_bps, loss, backlog_bytes;
	uint64_t queue_max_us, delay_us;
	bool down;
	struct packet flight[FLIGHT_MAX];
	unsigned int head, tail;
	/* receiver */
	struct twcc_recorder recorder;
	bool synced;
	uint64_t next;			/* unwrapped number to deliver next */
	uint64_t highest;
	struct slot slots[WINDOW];
	uint64_t next_feedback_us, last_pli_us;
	uint64_t last_unit;		/* delivered */
	bool chain;			/* last_unit is valid */
	/* judged */
	uint64_t delivered_us, worst_gap_us, bytes;
	unsigned int frames, plis, keyframes;
	uint32_t delays_ms[FRAMES_MAX];
};

/* --- sender's side ---------------------------------------------------- */

static struct net_buffer *get_buffer(void *user)
{
	struct net_buffer *b = g_new0(struct net_buffer, 1);

	b->data = g_malloc(NET_BUFFER_BYTES);
	return b;
}

static void put_buffer(void *user, struct net_buffer *b)
{
	g_free(b->data);
	g_free(b);
}

static void enqueue(struct sim *s, const uint8_t *data, size_t len)
{
	struct packet p = { .media = true };
	struct rtp_header h;
	const uint8_t *e;
	uint64_t queue = (uint64_t) (s->backlog_bytes * 8e6 / s->link_bps);
	size_t n;

	if (rtp_demux(data, len) != RTP_DEMUX_RTP)
		return;			/* our reports: not modelled */
	g_assert_cmpint(rtp_parse(data, len, &h), ==, 0);
	if (s->down || g_rand_double(s->rand) < s->loss ||
	    queue > s->queue_max_us)
		return;
	e = rtp_ext_find(&h, TWCC_ID, &n);
	g_assert_nonnull(e);
	p.twcc = be16_get(e);
	p.seq = h.seq;
	if (h.ssrc == RTX_SSRC) {
		p.seq = be16_get(h.payload);
		h.payload += 2;
	}
	p.marker = h.marker;
	p.timestamp = h.timestamp;
	p.keyframe = (h.payload[0] & 0x1f) == 24;	/* STAP-A: SPS, PPS */
	s->backlog_bytes += (double) len;
	s->bytes += len;
	p.arrives_us = s->now_us + s->delay_us +
		       (uint64_t) (s->backlog_bytes * 8e6 / s->link_bps);
	s->flight[s->tail++ % FLIGHT_MAX] = p;
	g_assert_cmpuint(s->tail - s->head, <=, FLIGHT_MAX);
}

static void send_chunk(void *user, struct net_buffer *b)
{
	for (uint32_t at = 0; at < b->len; at += b->segment)
		enqueue(user, b->data + at, MIN(b->segment, b->len - at));
	put_buffer(user, b);
}

static ssize_t seal_rtp(void *user, uint8_t *packet, size_t header_len,
			const struct iovec *payload, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		memcpy(packet + header_len, payload[i].iov_base,
		       payload[i].iov_len);
		header_len += payload[i].iov_len;
	}
	return (ssize_t) header_len + 16;
}

static ssize_t seal_rtcp(void *user, uint8_t *packet, size_t len, size_t room)
{
	return (ssize_t) len + 20;
}

static void keyframe(void *user, enum media_codec codec, bool first)
{
	((struct sim *) user)->key_wanted = true;
}

static void target(void *user, unsigned int bps)
{
	((struct sim *) user)->target = bps;
}

static const struct rtp_session_ops ops = {
	get_buffer, put_buffer, send_chunk, seal_rtp, seal_rtcp, keyframe,
	target,
};

/* Follows the target in a few frames, as rate control does; a keyframe costs
 * six frames; one every 300 ms at most. */
static void encode(struct sim *s)
{
	struct coded_unit *u;
	struct rtp_plan *plan;
	bool key = s->key_wanted && s->now_us - s->last_key_us >= 300000;
	double bytes;

	s->encoder_bps += (s->target - s->encoder_bps) / 3;
	bytes = s->encoder_bps / 8 / 30 *
		g_rand_double_range(s->rand, 0.7, 1.3) * (key ? 6 : 1);
	u = test_unit_h264((size_t) bytes + 60, key, s->n_units);
	u->capture_us = s->now_us;
	if (key) {
		s->key_wanted = false;
		s->last_key_us = s->now_us;
		s->keyframes++;
	}
	g_assert_cmpuint(s->n_units, <, FRAMES_MAX);
	s->captured_us[s->n_units] = s->now_us;
	s->timestamps[s->n_units++] = (uint32_t) (s->now_us / 100 * 9 +
						  s->now_us % 100 * 9 / 100);
	g_assert_cmpint(rtp_plan_new(s->planner, u, &plan), ==, 0);
	rtp_session_push(s->session, plan, s->now_us);
	rtp_plan_unref(plan);
	coded_unit_unref(u);
}

/* --- receiver --------------------------------------------------------- */

static void send_back(struct sim *s, const struct rtcp_writer *w)
{
	/* The way back is short of nothing: it arrives in the same step, the
	 * round trip is on the way there. */
	if (w->len && !s->down)
		rtp_session_on_rtcp(s->session, w->data, w->len, s->now_us);
}

/* A frame is whole: which unit was it, is the chain of references unbroken? */
static void deliver(struct sim *s, uint32_t timestamp, bool key)
{
	uint32_t base = timestamp - s->timestamps[0];
	uint64_t unit = 0;
	static const uint32_t slack = 4;

	while (unit < s->n_units &&
	       s->timestamps[unit] - s->timestamps[0] + slack < base)
		unit++;
	g_assert_cmpuint(unit, <, s->n_units);
	if (!key) {
		g_assert_true(s->chain);
		g_assert_cmpuint(unit, ==, s->last_unit + 1);
	}
	s->chain = true;
	s->last_unit = unit;
	if (s->delivered_us && s->now_us - s->delivered_us > s->worst_gap_us)
		s->worst_gap_us = s->now_us - s->delivered_us;
	s->delivered_us = s->now_us;
	s->delays_ms[s->frames++] =
		(uint32_t) ((s->now_us - s->captured_us[unit]) / 1000);
}

static void deliver_whole_frames(struct sim *s)
{
	uint64_t end = s->next;

	while (end <= s->highest && s->slots[end % WINDOW].received) {
		struct slot *last = &s->slots[end % WINDOW];
		struct slot *first = &s->slots[s->next % WINDOW];

		/* A frame cut off by the sender for a newer keyframe. */
		if (last->timestamp != first->timestamp) {
			s->next = end;
			continue;
		}
		end++;
		if (!last->marker)
			continue;
		deliver(s, last->timestamp, first->keyframe);
		s->next = end;
	}
}

static void receive(struct sim *s, const struct packet *p)
{
	uint64_t number;
	struct slot *slot;

	twcc_recorder_add(&s->recorder, p->twcc, p->arrives_us);
	if (!s->synced) {
		if (!p->keyframe)
			return;
		s->synced = true;
		s->next = s->highest = (UINT64_C(1) << 20) + p->seq;
	}
	number = s->highest + (uint64_t) (int64_t) (int16_t)
		 (p->seq - (uint16_t) s->highest);
	if (number < s->next)
		return;
	for (; s->highest < number; s->highest++)
		s->slots[(s->highest + 1) % WINDOW] = (struct slot){
			.missing_us = s->now_us };
	slot = &s->slots[number % WINDOW];
	slot->received = true;
	slot->marker = p->marker;
	slot->keyframe = p->keyframe;
	slot->timestamp = p->timestamp;
	deliver_whole_frames(s);
}

/* A keyframe that is whole needs nothing of what is missing before it. */
static void jump_to_keyframe(struct sim *s)
{
	for (uint64_t i = s->next + 1; i <= s->highest; i++) {
		uint64_t end = i;

		if (!s->slots[i % WINDOW].received ||
		    !s->slots[i % WINDOW].keyframe)
			continue;
		while (end <= s->highest && s->slots[end % WINDOW].received &&
		       !s->slots[end % WINDOW].marker)
			end++;
		if (end > s->highest || !s->slots[end % WINDOW].received)
			continue;
		s->next = i;
		deliver_whole_frames(s);
		return;
	}
}

/* The numbers missing for longer than the path needs; gives up after 400 ms,
 * asks for a keyframe and waits for it. */
static void repair(struct sim *s)
{
	uint16_t seqs[100];
	unsigned int n = 0;
	uint8_t data[RTCP_COMPOUND_MAX];
	struct rtcp_writer w = { data, sizeof(data), 0 };
	bool lost = false;

	for (uint64_t i = s->next; s->synced && i <= s->highest; i++) {
		struct slot *slot = &s->slots[i % WINDOW];

		if (slot->received)
			continue;
		if (s->now_us - slot->missing_us > 400000)
			lost = true;
		if (n < 100 && s->now_us - slot->nacked_us >= 60000) {
			slot->nacked_us = s->now_us;
			seqs[n++] = (uint16_t) i;
		}
	}
	if (n)
		rtcp_write_nack(&w, 1, VIDEO_SSRC, seqs, n);
	if (s->synced && s->next <= s->highest)
		jump_to_keyframe(s);
	if (lost && s->now_us - s->last_pli_us > 250000) {
		s->last_pli_us = s->now_us;
		s->plis++;
		rtcp_write_pli(&w, 1, VIDEO_SSRC);
	}
	send_back(s, &w);
}

static void report(struct sim *s)
{
	uint8_t fci[TWCC_FCI_MAX], data[RTCP_COMPOUND_MAX];
	struct rtcp_writer w = { data, sizeof(data), 0 };
	size_t n = twcc_recorder_build(&s->recorder, fci);

	if (n)
		rtcp_write_twcc(&w, 1, VIDEO_SSRC, fci, n);
	send_back(s, &w);
}

/* --- the run ---------------------------------------------------------- */

static struct sim *sim_new(double link_bps)
{
	static const struct rtp_line_config line = {
		.codec = MEDIA_CODEC_H264, .mid = "1", .ssrc = VIDEO_SSRC,
		.pt = 96, .rtx_ssrc = RTX_SSRC, .rtx_pt = 97,
		.ext = { .mid = 4, .twcc = TWCC_ID },
	};
	struct rtp_session_config config = {
		.cname = "box", .start_bps = 2000000, .min_bps = 150000,
		.max_bps = 2000000, .reduced_size = true, .ops = &ops,
	};
	struct sim *s = g_new0(struct sim, 1);

	s->rand = g_rand_new_with_seed(2026);
	s->now_us = 10000000;
	s->link_bps = link_bps;
	s->queue_max_us = 1000000;
	s->delay_us = 40000;
	s->target = s->encoder_bps = 2000000;
	config.user = s;
	twcc_recorder_init(&s->recorder);
	g_assert_cmpint(rtp_planner_new(&s->planner, 0, 0), ==, 0);
	g_assert_cmpint(rtp_session_new(&s->session, &config), ==, 0);
	g_assert_cmpint(rtp_session_set_line(s->session, 0, &line), ==, 0);
	rtp_session_start(s->session, s->now_us);
	return s;
}

static void sim_free(struct sim *s)
{
	rtp_session_free(s->session);
	g_assert_cmpuint(test_units, ==, 0);
	rtp_planner_free(s->planner);
	g_rand_free(s->rand);
	g_free(s);
}

static void step(struct sim *s)
{
	s->now_us += STEP_US;
	s->backlog_bytes -= s->link_bps / 8 * STEP_US / 1e6;
	if (s->backlog_bytes < 0)
		s->backlog_bytes = 0;
	while (s->head != s->tail &&
	       s->flight[s->head % FLIGHT_MAX].arrives_us <= s->now_us)
		receive(s, &s->flight[s->head++ % FLIGHT_MAX]);
	if (s->now_us % 20000 == 0)
		repair(s);
	if (s->now_us >= s->next_feedback_us) {
		s->next_feedback_us = s->now_us + 100000;
		report(s);
	}
	if (s->now_us >= s->next_frame_us) {
		s->next_frame_us = s->now_us + FRAME_US;
		encode(s);
	}
	while (rtp_session_get_due_us(s->session) <= s->now_us)
		rtp_session_on_timer(s->session, s->now_us);
}

static int compare(const void *a, const void *b)
{
	return *(const uint32_t *) a < *(const uint32_t *) b ? -1 :
	       *(const uint32_t *) a > *(const uint32_t *) b;
}

struct seen {
	double fps;
	uint32_t median_ms, p95_ms, gap_ms;
	unsigned int target;
};

static struct seen run(struct sim *s, const char *what, double seconds)
{
	uint64_t end = s->now_us + (uint64_t) (seconds * 1e6);
	struct rtp_session_stats stats;
	struct seen seen = { 0 };

	s->frames = s->plis = s->keyframes = 0;
	s->worst_gap_us = s->bytes = 0;
	while (s->now_us < end)
		step(s);
	/* A freeze that has not ended yet counts too. */
	if (s->now_us - s->delivered_us > s->worst_gap_us)
		s->worst_gap_us = s->now_us - s->delivered_us;
	rtp_session_get_stats(s->session, &stats);
	seen.fps = s->frames / seconds;
	seen.gap_ms = (uint32_t) (s->worst_gap_us / 1000);
	seen.target = stats.target_bps;
	if (s->frames) {
		qsort(s->delays_ms, s->frames, sizeof(s->delays_ms[0]),
		      compare);
		seen.median_ms = s->delays_ms[s->frames / 2];
		seen.p95_ms = s->delays_ms[s->frames * 95 / 100];
	}
	g_test_message("%-9s %4.1f fps, %3u/%3u ms, gap %4u ms, target %4u "
		       "kb/s, sent %4.0f, keyframes %u, PLI %u, dropped %u",
		       what, seen.fps, seen.median_ms, seen.p95_ms, seen.gap_ms,
		       seen.target / 1000, (double) s->bytes * 8e-3 / seconds,
		       s->keyframes, s->plis,
		       (unsigned int) stats.video_frames_dropped);
	return seen;
}

static void test_cut_to_a_quarter_and_back(void)
{
	static const double links[] = { 2.2e6, 4e6, 20e6 };
	static const uint64_t queues[] = { 1000000, 300000, 100000 };

	for (unsigned int i = 0; i < 9; i++) {
		struct sim *s = sim_new(links[i % 3]);
		struct seen clean, seen;

		s->queue_max_us = queues[i / 3];
		g_test_message("link %.1f Mb/s, queue %u ms",
			       links[i % 3] / 1e6,
			       (unsigned int) queues[i / 3] / 1000);
		run(s, "start", 5);
		clean = run(s, "clean", 5);
		g_assert_cmpfloat(clean.fps, >, 29);

		s->link_bps = 500000;
		seen = run(s, "cut", 2);
		g_assert_cmpuint(seen.gap_ms, <=, 1500);
		seen = run(s, "narrow", 10);
		g_assert_cmpfloat(seen.fps, >=, 15);
		g_assert_cmpuint(seen.p95_ms, <=, 500);
		g_assert_cmpuint(seen.gap_ms, <=, 1500);

		s->link_bps = links[i % 3];
		run(s, "healing", 3);
		seen = run(s, "healed", 5);
		g_assert_cmpuint(seen.median_ms, <=, clean.median_ms * 3 / 2);
		g_assert_cmpuint(seen.target, >=, 1600000);
		g_assert_cmpfloat(seen.fps, >, 28);
		sim_free(s);
	}
}

static void test_five_percent_loss(void)
{
	struct sim *s = sim_new(20e6);
	struct seen seen;

	run(s, "clean", 5);
	s->loss = 0.05;
	seen = run(s, "5 % loss", 20);
	g_assert_cmpfloat(seen.fps, >=, 29);
	g_assert_cmpuint(seen.gap_ms, <, 500);
	g_assert_cmpuint(seen.target, >=, 1500000);
	sim_free(s);
}

static void test_outage(void)
{
	struct sim *s = sim_new(4e6);
	struct seen seen;

	run(s, "clean", 5);
	s->down = true;
	run(s, "down", 3);
	s->down = false;
	seen = run(s, "back", 1);
	/* A frame, the way there, up to 100 ms until the next report, a frame
	 * until the keyframe, and its own time on the wire. */
	g_assert_cmpuint(seen.gap_ms, <=, 3000 + 400);
	seen = run(s, "after", 3);
	g_assert_cmpfloat(seen.fps, >, 29);
	g_assert_cmpuint(seen.p95_ms, <, 150);
	sim_free(s);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-session-link/cut-to-a-quarter-and-back",
			test_cut_to_a_quarter_and_back);
	g_test_add_func("/rtp-session-link/five-percent-loss",
			test_five_percent_loss);
	g_test_add_func("/rtp-session-link/outage", test_outage);
	return g_test_run();
}
