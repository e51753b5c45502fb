// SPDX-License-Identifier: Apache-2.0
/* A peer past authentication sends whatever it likes into a running session:
 * the input is a row of packets, each behind a byte with its length; RTP or
 * RTCP by its own first bytes, as the port tells them apart. */
#include "webrtc/rtp-session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "webrtc/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t space[NET_BUFFER_BYTES];
static struct net_buffer buffer = { .data = space };
static unsigned int n_packets;

static struct net_buffer *get_buffer(void *user)
{
	return &buffer;
}

static void put_buffer(void *user, struct net_buffer *b)
{
}

static void send_chunk(void *user, struct net_buffer *b)
{
	if (!b->len || !b->segment || b->len > NET_BUFFER_BYTES)
		abort();
	n_packets += (b->len + b->segment - 1) / b->segment;
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
}

static void target(void *user, unsigned int bps)
{
	if (bps < 100000 || bps > 4000000)
		abort();
}

static void release(struct coded_unit *u)
{
}

static const struct rtp_session_ops ops = {
	get_buffer, put_buffer, send_chunk, seal_rtp, seal_rtcp, keyframe,
	target,
};

static struct rtp_session *make_session(void)
{
	static const struct rtp_line_config line = {
		.codec = MEDIA_CODEC_VP8, .mid = "1", .ssrc = 0x1111,
		.pt = 96, .rtx_ssrc = 0x2222, .rtx_pt = 97,
		.ext = { .mid = 4, .twcc = 3 },
	};
	static const struct rtp_rx_pt pts[] = {
		{ 111, MEDIA_KIND_AUDIO, 48000, false },
		{ 96, MEDIA_KIND_VIDEO, 90000, false },
	};
	struct rtp_session_config config = {
		.cname = "box", .start_bps = 1000000, .min_bps = 100000,
		.max_bps = 4000000, .reduced_size = true, .ops = &ops,
	};
	struct rtp_session *s;

	if (rtp_session_new(&s, &config) < 0 ||
	    rtp_session_set_line(s, 0, &line) < 0 ||
	    rtp_session_set_rx(s, pts, 2, 3) < 0)
		abort();
	return s;
}

/* Forty packets of two frames, so that there is something to ask for again:
 * sequence and transport-wide numbers begin at 0. */
static void push_frames(struct rtp_session *s, struct rtp_planner *planner)
{
	static const uint8_t frame[20000];
	static struct coded_unit units[2];

	for (unsigned int i = 0; i < 2; i++) {
		struct rtp_plan *plan;

		units[i] = (struct coded_unit){
			.codec = MEDIA_CODEC_VP8, .keyframe = i == 0,
			.number = i, .data = frame, .size = sizeof(frame),
			.release = release,
		};
		atomic_init(&units[i].refs, 1);
		if (rtp_plan_new(planner, &units[i], &plan) < 0)
			abort();
		rtp_session_push(s, plan, 1000000 + i * 33333);
		rtp_plan_unref(plan);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_planner *planner;
	struct rtp_session *s = make_session();
	uint64_t now = 1100000, due, end;
	unsigned int inputs = 1, fires = 0;

	if (rtp_planner_new(&planner, 4, 0) < 0)
		abort();
	n_packets = 0;
	rtp_session_start(s, 1000000);
	push_frames(s, planner);
	while (size) {
		size_t n = data[0];

		data++;
		size--;
		if (n > size)
			n = size;
		if (rtp_demux(data, n) == RTP_DEMUX_RTCP)
			rtp_session_on_rtcp(s, data, n, now);
		else
			rtp_session_on_rtp(s, data, n, now);
		data += n;
		size -= n;
		inputs++;
		now += 7000;
	}
	end = now + 1000000;
	while ((due = rtp_session_get_due_us(s)) < end &&
	       fires++ <= 1000 + 10 * inputs) {
		if (due > now)
			now = due;
		rtp_session_on_timer(s, now);
	}
	/* Little in must not become much out: the retransmission budget and
	 * one report or feedback at a time bound it. */
	if (n_packets > 400 + 20 * inputs || fires > 1000 + 10 * inputs)
		abort();
	rtp_session_free(s);
	if (rtp_planner_get_used(planner))
		abort();
	rtp_planner_free(planner);
	return 0;
}
