// SPDX-License-Identifier: Apache-2.0
#include "bench-net.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "webrtc/net-test.h"
#include "webrtc/rtp-session.h"
#include "webrtc/srtp-out.h"

/* Our own way, with the modules that the daemon runs: a unit is planned once,
 * every peer's RTP session paces it, writes headers and ciphertext into the
 * segment buffer, and the network loop sends all peers' chunks of a tick in
 * one submission. Only the clock is ours: the pacer's 5 ms pass at once. */

#define FRAME_US    33333
#define TICK_US	    5000
#define TICKS_MAX   8 /* of one frame; the pacer needs three */
#define BITRATE_BPS 2000000 /* so that these frames are paced */
/* Annex B start code, NAL header, and what 15 FU-A packets can hold. */
#define UNIT_BYTES (4 + 1 + BENCH_PACKETS * (RTP_PLAN_PAYLOAD_MAX - 2))

struct sender;

struct session_peer {
	struct sender *sender;
	struct rtp_session *session;
	struct srtp_out *srtp;
	struct net_path path;
};

struct sender {
	struct net_loop *loop;
	const struct bench_world *world;
	struct session_peer peers[BENCH_PEERS_MAX];
	struct rtp_planner *planner;
	struct coded_unit unit;
	uint8_t data[UNIT_BYTES];
	struct net_timer timer;
	uint64_t now_us; /* the sessions' clock */
	unsigned int tick, n_frames;
	uint64_t start_ns, cpu_ns, packets;
	struct net_test_latch done;
};

/* --- what a session asks of its transport ----------------------------------
 */

static struct net_buffer *get_buffer(void *user)
{
	return net_buffer_get(((struct session_peer *) user)->sender->loop);
}

static void put_buffer(void *user, struct net_buffer *buffer)
{
	net_buffer_put(((struct session_peer *) user)->sender->loop, buffer);
}

static void send_chunk(void *user, struct net_buffer *buffer)
{
	struct session_peer *p = user;

	net_send(p->sender->loop, &p->path, buffer);
}

static ssize_t seal_rtp(void *user, uint8_t *packet, size_t header_len,
			const struct iovec *payload, unsigned int n)
{
	struct session_peer *p = user;
	size_t room = header_len + SRTP_OVERHEAD_MAX;

	for (unsigned int i = 0; i < n; i++)
		room += payload[i].iov_len;
	return srtp_out_rtp(p->srtp, packet, header_len, payload, n, packet,
			    room);
}

static ssize_t seal_rtcp(void *user, uint8_t *packet, size_t len, size_t room)
{
	struct session_peer *p = user;

	return srtp_out_rtcp(p->srtp, packet, len, packet, room);
}

static void ignore_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void ignore_target(void *user, unsigned int bps)
{
}

static const struct rtp_session_ops ops = {
	.get_buffer = get_buffer,
	.put_buffer = put_buffer,
	.send = send_chunk,
	.seal_rtp = seal_rtp,
	.seal_rtcp = seal_rtcp,
	.keyframe = ignore_keyframe,
	.target = ignore_target,
};

/* --- the network thread ----------------------------------------------------
 */

static void push_frame(struct sender *s)
{
	struct rtp_plan *plan;

	s->unit.number++;
	s->unit.capture_us = s->now_us;
	if (rtp_plan_new(s->planner, &s->unit, &plan) < 0)
		g_error("no plan");
	for (unsigned int i = 0; i < s->world->n_peers; i++)
		rtp_session_push(s->peers[i].session, plan, s->now_us);
	rtp_plan_unref(plan);
	s->unit.keyframe = false;
}

/* One tick: every peer's next chunk, as its timer would let it out. */
static void fire_tick(struct net_timer *timer, uint64_t now_us)
{
	struct sender *s = (struct sender *) ((char *) timer -
					      offsetof(struct sender, timer));

	if (s->n_frames == 0) {
		s->cpu_ns = bench_cpu_ns() - s->start_ns;
		net_test_count(&s->done, 1);
		return;
	}
	if (s->tick == 0) {
		push_frame(s);
	} else {
		for (unsigned int i = 0; i < s->world->n_peers; i++) {
			struct rtp_session *p = s->peers[i].session;

			if (rtp_session_get_due_us(p) <= s->now_us)
				rtp_session_on_timer(p, s->now_us);
		}
	}
	s->now_us += TICK_US;
	/* The frame is gone: what is left of its time passes without us, as
	 * the loop would sleep. */
	if (++s->tick * BENCH_CHUNK >= BENCH_PACKETS) {
		s->now_us += FRAME_US - s->tick * TICK_US;
		s->tick = 0;
		s->n_frames--;
	}
	net_timer_set(s->loop, timer, now_us);
}

static void start_ticks(void *data)
{
	struct sender *s = data;

	s->tick = 0;
	s->done.count = 0;
	s->start_ns = bench_cpu_ns();
	net_timer_set(s->loop, &s->timer, 0);
}

static void open_session(struct session_peer *p, unsigned int i)
{
	static const struct srtp_master master = {{1}, {2}};
	struct sender *s = p->sender;
	struct net_socket *socket;
	struct rtp_session_config config = {
		.cname = "bench",
		.random = {(uint8_t) i},
		.rtcp_ssrc = i + 1,
		.start_bps = BITRATE_BPS,
		.min_bps = BITRATE_BPS,
		.max_bps = BITRATE_BPS,
		.ops = &ops,
		.user = p,
	};
	struct rtp_line_config line = {
		.codec = MEDIA_CODEC_H264,
		.mid = "0",
		.ssrc = 100 + i,
		.pt = 96,
		.rtx_ssrc = 200 + i,
		.rtx_pt = 97,
		.ext = {.mid = 1, .abs_send_time = 2, .twcc = 3,
			.playout_delay = 4},
	};

	if (net_socket_new(s->loop, dup(s->world->fd[i]), NULL, NULL,
			   &socket) < 0)
		g_error("no socket");
	net_path_set(&p->path, socket, &s->world->addr[i], s->world->addr_len);
	if (srtp_out_new(SRTP_PROFILE_AEAD_AES_128_GCM, &master, &p->srtp) <
		    0 ||
	    rtp_session_new(&p->session, &config) < 0 ||
	    rtp_session_set_line(p->session, 0, &line) < 0)
		g_error("no session");
	rtp_session_start(p->session, s->now_us);
}

static void open_peers(void *data)
{
	struct sender *s = data;

	if (rtp_planner_new(&s->planner, 0, 0) < 0)
		g_error("no planner");
	for (unsigned int i = 0; i < s->world->n_peers; i++) {
		s->peers[i].sender = s;
		open_session(&s->peers[i], i);
	}
}

static void close_peers(void *data)
{
	struct sender *s = data;

	for (unsigned int i = 0; i < s->world->n_peers; i++) {
		struct session_peer *p = &s->peers[i];

		if (p->path.errors || p->path.no_gso)
			printf("# peer %u: %u errors (%s)%s\n", i,
			       (unsigned int) p->path.errors,
			       strerror(-p->path.last_error),
			       p->path.no_gso ? ", GSO refused" : "");
		rtp_session_free(p->session);
		srtp_out_free(p->srtp);
		net_path_forget(s->loop, &p->path);
	}
	rtp_planner_free(s->planner);
}

static void count_packets(void *data)
{
	struct sender *s = data;
	struct rtp_session_stats stats;

	s->packets = 0;
	for (unsigned int i = 0; i < s->world->n_peers; i++) {
		rtp_session_get_stats(s->peers[i].session, &stats);
		s->packets += stats.video_packets;
	}
}

/* --- the row ---------------------------------------------------------------
 */

static void ignore_release(struct coded_unit *u)
{
}

static void *open_sender(const struct bench_world *world,
			 const struct bench_fill *fill, void *fill_state)
{
	struct net_loop_config config = {.backend = NET_BACKEND_AUTO};
	struct sender *s = g_new0(struct sender, 1);

	if (net_loop_new(&s->loop, &config) < 0) {
		g_free(s);
		return NULL;
	}
	s->world = world;
	s->now_us = 1000000;
	s->timer.fire = fire_tick;
	/* One slice that fills its packets; nothing in it looks like a start
	 * code. */
	memset(s->data, 0x5a, sizeof(s->data));
	memcpy(s->data, (const uint8_t[]) {0, 0, 0, 1, 0x65}, 5);
	s->unit = (struct coded_unit){
		.refs = 1,
		.codec = MEDIA_CODEC_H264,
		.keyframe = true,
		.data = s->data,
		.size = sizeof(s->data),
		.release = ignore_release,
	};
	net_test_call(s->loop, open_peers, s);
	return s;
}

static void close_sender(void *state)
{
	struct sender *s = state;

	net_test_call(s->loop, close_peers, s);
	net_loop_free(s->loop);
	g_free(s);
}

static uint64_t run_sender(void *state, unsigned int n_frames,
			   uint64_t *ret_syscalls)
{
	struct net_loop_stats before, after;
	struct sender *s = state;
	uint64_t packets;

	net_test_settle(s->loop);
	net_test_call(s->loop, count_packets, s);
	packets = s->packets;
	net_loop_get_stats(s->loop, &before);
	s->n_frames = n_frames;
	net_test_call(s->loop, start_ticks, s);
	net_test_await(&s->done, 1);
	net_test_settle(s->loop);
	net_loop_get_stats(s->loop, &after);
	*ret_syscalls = after.syscalls - before.syscalls;
	net_test_call(s->loop, count_packets, s);
	packets = s->packets - packets;
	/* Otherwise the figure is of something else. */
	if (packets != (uint64_t) n_frames * s->world->n_peers * BENCH_PACKETS)
		g_error("%u packets of %u frames", (unsigned int) packets,
			n_frames);
	return s->cpu_ns;
}

const struct bench_send bench_send_session = {"rtp-session", open_sender,
					      close_sender, run_sender};
