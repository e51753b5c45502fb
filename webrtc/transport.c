// SPDX-License-Identifier: Apache-2.0
#include "webrtc/transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "webrtc/rtp.h"
#include "webrtc/sctp.h"
#include "webrtc/srtp-in.h"
#include "webrtc/srtp-out.h"
#include "webrtc/token-bucket.h"

#define TRANSPORT_DETAIL_MAX 160
#define SNAPSHOT_US	   100000
#define DTLS_REST_US	   1000000	/* without DTLS traffic */
#define CLOCK_CHECK_US	   10000000	/* look for NTP steps */

struct pending {
	struct pending *next;
	uint16_t id;
	uint32_t heard;
	bool text;
	uint8_t *data;
	size_t len;
};

/* A DTLS record that came before it could be answered. */
struct early {
	size_t len;
	uint8_t data[TRANSPORT_EARLY_BYTES_MAX];
};

struct transport {
	struct rtc_engine *engine;
	const struct transport_ops *ops;
	void *user;
	char *name;

	struct net_path path;
	enum ice_path_kind kind;
	struct dtls *dtls;
	bool goodbye;
	atomic_bool leaving;		/* goodbye is wanted */
	struct srtp_out *srtp_out;
	struct srtp_in *srtp_in;
	struct rtp_session *rtp;
	bool rtp_running;
	/* What a received payload type is, plus one; 0: not ours, or RTX. */
	uint8_t rx_codec[128];
	enum media_codec video_codec;
	unsigned int target_bps;
	struct sctp_assoc *sctp;

	struct net_timer dtls_timer, rtp_timer, data_timer;
	struct net_buffer *batch;	/* DTLS records that leave together */
	struct early *early[TRANSPORT_EARLY_MAX];
	unsigned int n_early;

	char *labels[TRANSPORT_LABELS_MAX];
	unsigned int n_labels;

	/* Messages SCTP would not take yet, oldest first. */
	struct pending *pending, **pending_tail;
	atomic_size_t reserved;		/* bytes; against the send budget */
	atomic_size_t budget;		/* ... of so many */
	struct token_bucket data;	/* what may leave */
	atomic_bool starved;		/* somebody was told -EAGAIN */

	struct dtls_identity *identity;
	uint64_t snapshot_us, clock_us;
	uint64_t dtls_used_us;
	uint64_t rx_bad;
	/* A sequence lock: odd while the network thread writes. */
	atomic_uint snapshot_seq;
	struct transport_snapshot snapshot;
};

static uint64_t now_us(struct transport *t)
{
	return net_loop_now_us(t->engine->loop);
}

static int64_t realtime_offset_us(void)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	return ((int64_t) real.tv_sec - mono.tv_sec) * 1000000 +
		(real.tv_nsec - mono.tv_nsec) / 1000;
}

/* --- counters for others to read ----------------------------------------- */
static void take_snapshot(struct transport *t)
{
	struct transport_snapshot s = {
		.profile = SRTP_PROFILE_NONE,
		.has_dtls = t->dtls,
		.path = t->kind,
		.gso = t->path.socket && !t->path.no_gso &&
			!t->engine->config.no_gso,
		.tx_datagrams = t->path.datagrams,
		.tx_bytes = t->path.bytes,
		.tx_errors = t->path.errors,
		.rx_bad = t->rx_bad,
	};

	if (t->rtp)
		rtp_session_get_stats(t->rtp, &s.rtp);
	if (t->dtls) {
		s.dtls_role = dtls_get_role(t->dtls);
		s.connected = dtls_is_connected(t->dtls);
		s.profile = dtls_get_profile(t->dtls);
	}
	if (t->srtp_in) {
		struct srtp_in_stats in;

		srtp_in_get_stats(t->srtp_in, &in);
		s.rx_bad += in.bad + in.refused;
	}

	atomic_fetch_add(&t->snapshot_seq, 1);
	atomic_thread_fence(memory_order_release);
	t->snapshot = s;
	atomic_thread_fence(memory_order_release);
	atomic_fetch_add(&t->snapshot_seq, 1);
	t->snapshot_us = now_us(t);
}

void transport_get_snapshot(struct transport *t,
			    struct transport_snapshot *ret)
{
	unsigned int before, after;

	do {
		before = atomic_load(&t->snapshot_seq);
		atomic_thread_fence(memory_order_acquire);
		memcpy(ret, &t->snapshot, sizeof(*ret));
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load(&t->snapshot_seq);
	} while (before != after || before & 1);
}

/* --- sending -------------------------------------------------------------- */
static void flush_batch(struct transport *t)
{
	struct net_buffer *b = t->batch;

	if (!b)
		return;
	t->batch = NULL;
	if (t->kind == ICE_PATH_NONE)
		net_buffer_put(t->engine->loop, b);
	else
		net_send(t->engine->loop, &t->path, b);
}

/* Records of one size in a row become one GSO run; a shorter one ends it. */
static void send_record(void *user, const uint8_t *data, size_t len)
{
	struct transport *t = user;
	struct net_buffer *b = t->batch;

	if (t->kind == ICE_PATH_NONE)
		return;
	if (b && (len > b->segment || b->len + len > NET_BUFFER_BYTES ||
		  b->len / b->segment >= NET_SEGMENTS_MAX)) {
		flush_batch(t);
		b = NULL;
	}
	if (!b) {
		b = net_buffer_get(t->engine->loop);
		if (!b)
			return;	/* counted there; DTLS and SCTP repeat */
		b->len = 0;
		b->segment = (uint16_t) len;
		t->batch = b;
	}
	memcpy(b->data + b->len, data, len);
	b->len += (uint32_t) len;
	if (len < b->segment)
		flush_batch(t);
}

static void rearm(struct transport *t)
{
	struct net_loop *loop = t->engine->loop;
	uint64_t due = t->dtls ? dtls_next_timeout(t->dtls) : UINT64_MAX;

	if (due == UINT64_MAX)
		net_timer_cancel(loop, &t->dtls_timer);
	else if (!t->dtls_timer.heap_index || t->dtls_timer.due_us != due)
		net_timer_set(loop, &t->dtls_timer, due);

	due = t->rtp && t->rtp_running ? rtp_session_get_due_us(t->rtp) :
					 UINT64_MAX;
	if (due == UINT64_MAX)
		net_timer_cancel(loop, &t->rtp_timer);
	else if (!t->rtp_timer.heap_index || t->rtp_timer.due_us != due)
		net_timer_set(loop, &t->rtp_timer, due);
}

/* Every way into the transport ends here. */
static void finish(struct transport *t)
{
	uint64_t now = now_us(t);

	flush_batch(t);
	rearm(t);
	if (now - t->snapshot_us >= SNAPSHOT_US) {
		if (t->dtls && now - t->dtls_used_us >= DTLS_REST_US)
			dtls_rest(t->dtls);
		if (t->rtp && now - t->clock_us >= CLOCK_CHECK_US) {
			t->clock_us = now;
			rtp_session_set_realtime_offset(t->rtp,
							realtime_offset_us());
		}
		take_snapshot(t);
	}
}

void transport_flush(struct transport *t)
{
	finish(t);
}

/* --- RTP ------------------------------------------------------------------ */
static struct net_buffer *rtp_get_buffer(void *user)
{
	struct transport *t = user;

	return t->kind == ICE_PATH_NONE ? NULL :
					  net_buffer_get(t->engine->loop);
}

static void rtp_put_buffer(void *user, struct net_buffer *buffer)
{
	struct transport *t = user;

	net_buffer_put(t->engine->loop, buffer);
}

static void rtp_send(void *user, struct net_buffer *buffer)
{
	struct transport *t = user;

	/* Relayed, libnice copies once more on its way out. */
	if (!t->path.socket)
		atomic_fetch_add(&t->engine->bitstream_copies, 1);
	net_send(t->engine->loop, &t->path, buffer);
}

static ssize_t rtp_seal(void *user, uint8_t *packet, size_t header_len,
			const struct iovec *payload, unsigned int n)
{
	struct transport *t = user;
	size_t room = header_len + SRTP_OVERHEAD_MAX;

	if (!t->srtp_out)
		return -ENOTCONN;
	for (unsigned int i = 0; i < n; i++)
		room += payload[i].iov_len;
	return srtp_out_rtp(t->srtp_out, packet, header_len, payload, n, packet,
			    room);
}

static ssize_t rtp_seal_rtcp(void *user, uint8_t *packet, size_t len,
			     size_t room)
{
	struct transport *t = user;

	return t->srtp_out ?
		srtp_out_rtcp(t->srtp_out, packet, len, packet, room) :
		-ENOTCONN;
}

static void rtp_keyframe(void *user, enum media_codec codec, bool first)
{
	struct rtc_engine *engine = ((struct transport *) user)->engine;

	engine->config.request_keyframe(engine->config.user, codec, first);
}

static void rtp_target(void *user, unsigned int bps)
{
	struct transport *t = user;

	t->target_bps = bps;
	engine_rates_changed(t->engine);
}

static void rtp_unit_sent(void *user, const struct coded_unit *unit)
{
	struct rtc_engine *engine = ((struct transport *) user)->engine;

	if (unit->codec != MEDIA_CODEC_OPUS)
		engine_unit_sent(engine, unit->capture_us);
}

static const struct rtp_session_ops rtp_ops = {
	.get_buffer = rtp_get_buffer,
	.put_buffer = rtp_put_buffer,
	.send = rtp_send,
	.seal_rtp = rtp_seal,
	.seal_rtcp = rtp_seal_rtcp,
	.keyframe = rtp_keyframe,
	.target = rtp_target,
	.unit_sent = rtp_unit_sent,
};

/* Media flows while there are keys and a path, and only then. */
static void run_or_stop_rtp(struct transport *t)
{
	bool run = t->rtp && t->srtp_out && t->kind != ICE_PATH_NONE &&
		!t->goodbye;

	if (run == t->rtp_running)
		return;
	t->rtp_running = run;
	if (run)
		rtp_session_start(t->rtp, now_us(t));
	else if (t->rtp)
		rtp_session_stop(t->rtp);
	engine_rates_changed(t->engine);
}

static void rtp_timer_fired(struct net_timer *timer, uint64_t now)
{
	struct transport *t = (struct transport *)
		((char *) timer - offsetof(struct transport, rtp_timer));

	rtp_session_on_timer(t->rtp, now);
	finish(t);
}

void transport_push(struct transport *t, struct rtp_plan *plan)
{
	if (!t->rtp_running)
		return;
	rtp_session_push(t->rtp, plan, now_us(t));
	finish(t);
}

enum media_codec transport_get_video_codec(const struct transport *t)
{
	return t->rtp_running ? t->video_codec : N_MEDIA_CODECS;
}

bool transport_is_running(const struct transport *t)
{
	return t->rtp_running;
}

unsigned int transport_get_target(const struct transport *t)
{
	return t->target_bps;
}

/* --- SCTP ------------------------------------------------------------------ */
static void sctp_send_packet(void *user, const uint8_t *data, size_t len)
{
	struct transport *t = user;

	if (!t->dtls)
		return;
	t->dtls_used_us = now_us(t);
	dtls_write(t->dtls, data, len);
}

static void sctp_channel_open(void *user, uint16_t id, const char *label,
			      bool remote)
{
	struct transport *t = user;

	t->ops->channel_open(t->user, id, label, remote);
}

static void sctp_message(void *user, uint16_t id, bool text,
			 const uint8_t *data, size_t len)
{
	struct transport *t = user;

	t->ops->channel_message(t->user, id, text, data, len);
}

static void sctp_channel_closed(void *user, uint16_t id)
{
	struct transport *t = user;

	t->ops->channel_closed(t->user, id);
}

static bool sctp_may_read(void *user)
{
	struct transport *t = user;

	return t->ops->may_read(t->user);
}

void transport_resume(struct transport *t)
{
	if (!t->sctp)
		return;
	sctp_assoc_resume(t->sctp);
	engine_wake_sctp(t->engine);
	finish(t);
}

static void release_budget(struct transport *t, size_t len)
{
	size_t before = atomic_fetch_sub(&t->reserved,
					 len + TRANSPORT_SEND_OVERHEAD);

	if (before - len - TRANSPORT_SEND_OVERHEAD <
		    atomic_load(&t->budget) / 2 &&
	    atomic_exchange(&t->starved, false))
		t->ops->writable(t->user);
}

/* Hands SCTP what it takes. A message for a channel that is gone is dropped
 * with it; channel_closed() has told. */
static void send_pending(struct transport *t)
{
	while (t->pending) {
		struct pending *p = t->pending;
		uint64_t due = token_bucket_get_due_us(&t->data, now_us(t));
		int r = -ENOTCONN;

		if (due > now_us(t)) {
			net_timer_set(t->engine->loop, &t->data_timer, due);
			return;
		}
		if (t->sctp && sctp_assoc_is_meant(t->sctp, p->id, p->heard))
			r = sctp_assoc_send(t->sctp, p->id, p->text, p->data,
					    p->len);

		if (r == -EAGAIN)
			return;
		token_bucket_take(&t->data, p->len);
		engine_data_used(t->engine);
		t->pending = p->next;
		if (!t->pending)
			t->pending_tail = &t->pending;
		release_budget(t, p->len);
		free(p->data);
		free(p);
	}
}

static void data_timer_fired(struct net_timer *timer, uint64_t now)
{
	struct transport *t = (struct transport *)
		((char *) timer - offsetof(struct transport, data_timer));

	send_pending(t);
	engine_wake_sctp(t->engine);
	finish(t);
}

/* No more waits than leaves within a second: what comes behind a file is not
 * to wait for minutes. */
static size_t budget_of(unsigned int bps)
{
	size_t second = bps / 8;

	if (!bps || second > TRANSPORT_SEND_BUDGET_BYTES)
		return TRANSPORT_SEND_BUDGET_BYTES;
	return second > TRANSPORT_SEND_BUDGET_LEAST ?
		second : TRANSPORT_SEND_BUDGET_LEAST;
}

void transport_limits_changed(struct transport *t)
{
	unsigned int cap = t->engine->data_cap_bps, start, min, max;

	if (t->rtp) {
		engine_get_range(t->engine, &start, &min, &max);
		rtp_session_set_range(t->rtp, min, max);
	}
	if (cap == t->data.bps)
		return;
	token_bucket_set_rate(&t->data, cap, now_us(t));
	atomic_store(&t->budget, budget_of(cap));
	if (t->pending)		/* it may have become sooner */
		net_timer_set(t->engine->loop, &t->data_timer, now_us(t));
}

static void sctp_writable(void *user, uint16_t id)
{
	send_pending(user);
}

static void sctp_failed(void *user, enum sctp_reason reason)
{
	struct transport *t = user;

	/* Media goes on without data channels when the remote only closed
	 * these; a peer that is really gone is noticed by ICE and DTLS. */
	t->rx_bad += reason == SCTP_REASON_SETUP;
}

static const struct sctp_ops sctp_ops = {
	.send = sctp_send_packet,
	.channel_open = sctp_channel_open,
	.message = sctp_message,
	.channel_closed = sctp_channel_closed,
	.may_read = sctp_may_read,
	.writable = sctp_writable,
	.failed = sctp_failed,
};

static void start_sctp(struct transport *t)
{
	if (!t->sctp || !t->dtls || !dtls_is_connected(t->dtls) ||
	    sctp_assoc_is_up(t->sctp))
		return;
	sctp_assoc_start(t->sctp);
	engine_wake_sctp(t->engine);
}

void transport_open_channel(struct transport *t, const char *label)
{
	uint16_t id;

	if (t->sctp) {
		sctp_assoc_open_channel(t->sctp, label, &id);
		engine_wake_sctp(t->engine);
		finish(t);
	} else if (t->n_labels < TRANSPORT_LABELS_MAX) {
		t->labels[t->n_labels] = strdup(label);
		t->n_labels += t->labels[t->n_labels] != NULL;
	}
}

void transport_close_channel(struct transport *t, uint16_t id, uint32_t heard)
{
	if (!t->sctp || !sctp_assoc_is_meant(t->sctp, id, heard))
		return;
	sctp_assoc_close_channel(t->sctp, id);
	engine_wake_sctp(t->engine);
	finish(t);
}

int transport_reserve(struct transport *t, size_t len)
{
	size_t want = len + TRANSPORT_SEND_OVERHEAD;
	size_t most = atomic_load(&t->budget);
	size_t budget = len <= TRANSPORT_SEND_SMALL_BYTES ? 2 * most : most;

	for (;;) {
		size_t before = atomic_fetch_add(&t->reserved, want);

		/* One message always fits, whatever its size. */
		if (before == 0 || before + want <= budget)
			return 0;
		atomic_store(&t->starved, true);
		before = atomic_fetch_sub(&t->reserved, want);
		/* Everything may have left since we looked, and nobody would
		 * tell: then take the wish back and look again. */
		if (before - want >= most / 2 ||
		    !atomic_exchange(&t->starved, false))
			return -EAGAIN;
	}
}

void transport_unreserve(struct transport *t, size_t len)
{
	atomic_fetch_sub(&t->reserved, len + TRANSPORT_SEND_OVERHEAD);
}

void *transport_get_user(const struct transport *t)
{
	return t->user;
}

void transport_send(struct transport *t, uint16_t id, uint32_t heard,
		    bool text, uint8_t *data, size_t len)
{
	struct pending *p = malloc(sizeof(*p));

	if (!p) {
		release_budget(t, len);
		free(data);
		return;
	}
	*p = (struct pending){ .id = id, .heard = heard, .text = text,
			       .data = data, .len = len };
	*t->pending_tail = p;
	t->pending_tail = &p->next;
	send_pending(t);
	engine_wake_sctp(t->engine);
	finish(t);
}

/* --- DTLS ------------------------------------------------------------------ */
static void dtls_connected(void *user)
{
	struct transport *t = user;
	struct srtp_master out, in;
	enum srtp_profile profile;

	if (dtls_get_srtp(t->dtls, &profile, &out, &in) < 0 ||
	    srtp_out_new(profile, &out, &t->srtp_out) < 0 ||
	    srtp_in_new(profile, &in, &t->srtp_in) < 0)
		t->srtp_out = srtp_out_free(t->srtp_out);
	explicit_bzero(&out, sizeof(out));
	explicit_bzero(&in, sizeof(in));
	if (!t->srtp_out) {
		t->ops->closed(t->user, true, "SRTP cannot be set up");
		return;
	}
	t->ops->connected(t->user, dtls_get_peer_fingerprint(t->dtls));
	run_or_stop_rtp(t);
	start_sctp(t);
	take_snapshot(t);
}

static void dtls_data(void *user, const uint8_t *data, size_t len)
{
	struct transport *t = user;

	if (!t->sctp)
		return;
	engine_wake_sctp(t->engine);
	sctp_assoc_input(t->sctp, data, len);
}

static void dtls_closed(void *user, enum dtls_reason reason,
			const char *detail)
{
	struct transport *t = user;
	char text[TRANSPORT_DETAIL_MAX];

	snprintf(text, sizeof(text), "DTLS: %s", detail);
	t->goodbye = true;
	run_or_stop_rtp(t);
	t->ops->closed(t->user, reason != DTLS_REASON_REMOTE, text);
}

static const struct dtls_ops dtls_ops = {
	.send = send_record,
	.connected = dtls_connected,
	.data = dtls_data,
	.closed = dtls_closed,
};

static void dtls_timer_fired(struct net_timer *timer, uint64_t now)
{
	struct transport *t = (struct transport *)
		((char *) timer - offsetof(struct transport, dtls_timer));

	dtls_timer(t->dtls, now);
	finish(t);
}

/* The remote's pair may be ready before ours: its ClientHello then finds no
 * way back, and the answer would be lost until somebody's timer. */
static void hold_early(struct transport *t, const uint8_t *data, size_t len)
{
	struct early *e;

	if (t->n_early == TRANSPORT_EARLY_MAX ||
	    len > TRANSPORT_EARLY_BYTES_MAX)
		return;		/* it is repeated */
	e = malloc(sizeof(*e));
	if (!e)
		return;
	e->len = len;
	memcpy(e->data, data, len);
	t->early[t->n_early++] = e;
}

static void drop_early(struct transport *t)
{
	while (t->n_early)
		free(t->early[--t->n_early]);
}

static bool dtls_can_answer(const struct transport *t)
{
	return t->dtls && (t->kind != ICE_PATH_NONE ||
			   dtls_is_connected(t->dtls));
}

static void start_dtls(struct transport *t)
{
	if (!t->dtls || t->kind == ICE_PATH_NONE)
		return;
	dtls_start(t->dtls, now_us(t));
	for (unsigned int i = 0; i < t->n_early; i++)
		dtls_input(t->dtls, t->early[i]->data, t->early[i]->len,
			   now_us(t));
	drop_early(t);
}

/* --- ICE ------------------------------------------------------------------- */
void transport_on_path(void *user, const struct ice_path *path)
{
	struct transport *t = user;
	struct net_path old;

	if (path->kind == ICE_PATH_NONE && atomic_load(&t->leaving) &&
	    !t->goodbye)
		transport_say_goodbye(t);
	flush_batch(t);
	old = t->path;
	/* Chunks in flight on the old path finish without us. */
	net_path_forget(t->engine->loop, &t->path);
	t->path = (struct net_path){
		.socket = path->socket,
		.addr = path->addr,
		.addr_len = path->addr_len,
		.relay = path->relay,
		.relay_user = path->relay_user,
		.datagrams = old.datagrams,
		.bytes = old.bytes,
		.chunks = old.chunks,
		.errors = old.errors,
	};
	t->kind = path->kind;
	start_dtls(t);
	run_or_stop_rtp(t);
	take_snapshot(t);
	finish(t);
}

static void pass_media_on(struct transport *t, const uint8_t *packet,
			  size_t len, uint64_t now)
{
	const struct rtc_engine_config *c = &t->engine->config;
	struct rtp_header h;

	if (!c->media_packet || rtp_parse(packet, len, &h) < 0 ||
	    !t->rx_codec[h.pt & 127] || !h.payload_len)
		return;
	c->media_packet(c->user, t->name, &(struct rtc_media_packet){
		.codec = (enum media_codec) (t->rx_codec[h.pt & 127] - 1),
		.ssrc = h.ssrc,
		.timestamp = h.timestamp,
		.seq = h.seq,
		.marker = h.marker,
		.payload = h.payload,
		.len = h.payload_len,
		.received_us = now,
	});
}

void transport_on_packet(void *user, uint8_t *data, size_t len,
			 const struct sockaddr_storage *from, uint64_t now)
{
	struct transport *t = user;
	int r = 0;

	switch (rtp_demux(data, len)) {
	case RTP_DEMUX_DTLS:
		t->dtls_used_us = now;
		if (dtls_can_answer(t))
			dtls_input(t->dtls, data, len, now);
		else if (!t->goodbye)
			hold_early(t, data, len);
		break;
	case RTP_DEMUX_RTP:
		r = t->srtp_in && t->rtp ? srtp_in_rtp(t->srtp_in, data, len) :
					   0;
		if (r > 0 && rtp_session_on_rtp(t->rtp, data, (size_t) r,
						now) == 0)
			pass_media_on(t, data, (size_t) r, now);
		break;
	case RTP_DEMUX_RTCP:
		r = t->srtp_in && t->rtp ? srtp_in_rtcp(t->srtp_in, data, len) :
					   0;
		if (r > 0)
			rtp_session_on_rtcp(t->rtp, data, (size_t) r, now);
		break;
	case RTP_DEMUX_STUN:
	case RTP_DEMUX_OTHER:
		t->rx_bad++;
		break;
	}
	finish(t);
}

/* --- life ------------------------------------------------------------------ */
struct transport *transport_new(const struct transport_config *config)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->engine = config->engine;
	t->ops = config->ops;
	t->user = config->user;
	t->name = strdup(config->name);
	if (!t->name) {
		free(t);
		return NULL;
	}
	t->identity = dtls_identity_ref(config->identity);
	t->kind = ICE_PATH_NONE;
	t->video_codec = N_MEDIA_CODECS;
	t->target_bps = atomic_load(&config->engine->start_bps);
	t->pending_tail = &t->pending;
	t->dtls_timer.fire = dtls_timer_fired;
	t->rtp_timer.fire = rtp_timer_fired;
	t->data_timer.fire = data_timer_fired;
	atomic_init(&t->budget, TRANSPORT_SEND_BUDGET_BYTES);
	return t;
}

void transport_discard(struct transport *t)
{
	dtls_identity_unref(t->identity);
	free(t->name);
	free(t);
}

void transport_attach(struct transport *t)
{
	engine_add_transport(t->engine, t);
	transport_limits_changed(t);
}

static int make_rtp(struct transport *t, const struct transport_setup *setup)
{
	struct rtp_session_config config = {
		.cname = t->engine->cname,
		.reduced_size = setup->reduced_size,
		.realtime_offset_us = realtime_offset_us(),
		.ops = &rtp_ops,
		.user = t,
	};

	if (getrandom(config.random, sizeof(config.random), 0) !=
		    sizeof(config.random) ||
	    getrandom(&config.rtcp_ssrc, sizeof(config.rtcp_ssrc), 0) !=
		    sizeof(config.rtcp_ssrc))
		return -EIO;
	engine_get_range(t->engine, &config.start_bps, &config.min_bps,
			 &config.max_bps);
	t->clock_us = now_us(t);
	return rtp_session_new(&t->rtp, &config);
}

static void apply_rtp(struct transport *t, const struct transport_setup *setup)
{
	t->video_codec = N_MEDIA_CODECS;
	for (unsigned int i = 0; i < RTP_SESSION_LINES_MAX; i++) {
		struct rtp_line_config line = setup->lines[i];

		line.mid = setup->mids[i];
		if (rtp_session_set_line(t->rtp, i, setup->line_used[i] ?
					 &line : NULL) < 0)
			continue;
		if (setup->line_used[i] && line.codec != MEDIA_CODEC_OPUS)
			t->video_codec = line.codec;
	}
	rtp_session_set_rx(t->rtp, setup->rx, setup->n_rx, setup->rx_twcc_id);
	memset(t->rx_codec, 0, sizeof(t->rx_codec));
	for (unsigned int i = 0; i < setup->n_rx; i++) {
		if (!setup->rx[i].rtx)
			t->rx_codec[setup->rx[i].pt & 127] =
				(uint8_t) (setup->rx_codec[i] + 1);
	}
	engine_rates_changed(t->engine);
}

static void make_sctp(struct transport *t)
{
	bool client = dtls_get_role(t->dtls) == DTLS_CLIENT;

	if (sctp_assoc_new(t->engine->sctp, client, &sctp_ops, t, &t->sctp) < 0)
		return;
	for (unsigned int i = 0; i < t->n_labels; i++) {
		uint16_t id;

		sctp_assoc_open_channel(t->sctp, t->labels[i], &id);
		free(t->labels[i]);
	}
	t->n_labels = 0;
	start_sctp(t);
}

void transport_apply(struct transport *t, const struct transport_setup *setup)
{
	if (t->goodbye)
		return;
	if (!t->dtls &&
	    dtls_new(t->identity, setup->dtls_role, &dtls_ops, t,
		     &t->dtls) < 0) {
		t->ops->closed(t->user, true, "DTLS cannot be set up");
		return;
	}
	/* Another certificate means another association (RFC 8842 §3.1), which
	 * a peer connection of ours does not outlive. */
	if (dtls_is_connected(t->dtls) &&
	    !dtls_is_peer(t->dtls, setup->fingerprint_algorithm,
			  setup->fingerprint)) {
		t->ops->closed(t->user, true,
			       "it has another certificate now: this needs a "
			       "new connection");
		return;
	}
	if (!t->rtp && make_rtp(t, setup) < 0) {
		t->ops->closed(t->user, true, "RTP cannot be set up");
		return;
	}
	apply_rtp(t, setup);
	if (!dtls_is_connected(t->dtls)) {
		/* Nobody could ever match a fingerprint that is refused. */
		if (dtls_set_remote_fingerprint(
			    t->dtls, setup->fingerprint_algorithm,
			    setup->fingerprint, now_us(t)) < 0) {
			t->ops->closed(t->user, true,
				       "its fingerprint is of no use: sha-256, "
				       "sha-384 or sha-512 is needed");
			return;
		}
		start_dtls(t);
	}
	if (setup->data && !t->sctp)
		make_sctp(t);
	run_or_stop_rtp(t);
	take_snapshot(t);
	finish(t);
}

void transport_say_goodbye(struct transport *t)
{
	if (t->rtp_running)
		rtp_session_bye(t->rtp, now_us(t));
	t->goodbye = true;
	run_or_stop_rtp(t);
	t->sctp = sctp_assoc_free(t->sctp);
	if (t->dtls)
		dtls_close(t->dtls);
	finish(t);
}

void transport_leave(struct transport *t)
{
	atomic_store(&t->leaving, true);
}

void transport_on_closed(void *user)
{
	struct transport *t = user;
	struct net_loop *loop = t->engine->loop;

	t->kind = ICE_PATH_NONE;
	t->goodbye = true;
	t->sctp = sctp_assoc_free(t->sctp);
	if (t->batch)
		net_buffer_put(loop, t->batch);
	t->batch = NULL;
	net_timer_cancel(loop, &t->dtls_timer);
	net_timer_cancel(loop, &t->rtp_timer);
	net_timer_cancel(loop, &t->data_timer);
	net_path_forget(loop, &t->path);
	t->rtp = rtp_session_free(t->rtp);
	t->dtls = dtls_free(t->dtls);
	drop_early(t);
	t->srtp_out = srtp_out_free(t->srtp_out);
	t->srtp_in = srtp_in_free(t->srtp_in);
	engine_remove_transport(t->engine, t);
	for (unsigned int i = 0; i < t->n_labels; i++)
		free(t->labels[i]);
	while (t->pending) {
		struct pending *p = t->pending;

		t->pending = p->next;
		free(p->data);
		free(p);
	}
	t->ops->gone(t->user);
	dtls_identity_unref(t->identity);
	free(t->name);
	free(t);
}
