// SPDX-License-Identifier: Apache-2.0
#include "webrtc/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <gio/gio.h>

#include "webrtc/transport.h"

#define SCTP_ACTIVE_US	   500000	/* tick fast for this long after traffic */
#define SCTP_IDLE_TICK_MS  100
#define SENT_PUBLISH_FRAMES 32	/* reckon the quantiles this often */
#define RATE_REPORT_US	   100000	/* ten times a second at most */
/* Headers and seals of 50 packets a second; a video packet's are 1/16 of it. */
#define AUDIO_HEADERS_BPS 30000
#define VIDEO_HEADERS(bps) ((bps) / 16)
#define VIDEO_LEAST_BPS	  30000
#define DATA_SHARE	  4	/* data gets so much of a peer's total */
/* So long after the last message video has it all again. */
#define DATA_QUIET_US	  UINT64_C(2000000)

/* --- units: any -> network -------------------------------------------------- */
static void fan_out(struct rtc_engine *engine, struct coded_unit *unit)
{
	struct rtp_plan *plan;

	if (!engine->n_transports)
		return;
	if (rtp_plan_new(engine->planner, unit, &plan) < 0) {
		atomic_fetch_add(&engine->units_dropped, 1);
		return;
	}
	for (unsigned int i = 0; i < engine->n_transports; i++)
		transport_push(engine->transports[i], plan);
	rtp_plan_unref(plan);
}

static void run_unit(void *data)
{
	struct engine_unit_slot *slot = data;
	struct coded_unit *unit = atomic_exchange(&slot->unit, NULL);

	fan_out(slot->engine, unit);
	coded_unit_unref(unit);
}

void rtc_engine_push(struct rtc_engine *engine, struct coded_unit *unit)
{
	unsigned int at = atomic_fetch_add(&engine->unit_head, 1);
	struct engine_unit_slot *slot = &engine->units[at % ENGINE_UNITS_MAX];
	struct coded_unit *empty = NULL;

	atomic_fetch_add(&engine->units_in, 1);
	if (atomic_compare_exchange_strong(&slot->unit, &empty,
					   coded_unit_ref(unit))) {
		if (net_loop_post(engine->loop, run_unit, slot) == 0)
			return;
		atomic_store(&slot->unit, NULL);
	}
	coded_unit_unref(unit);
	atomic_fetch_add(&engine->units_dropped, 1);
	if (unit->codec != MEDIA_CODEC_OPUS)
		engine->config.request_keyframe(engine->config.user,
						unit->codec, false);
}

/* --- transports: network ---------------------------------------------------- */
void engine_add_transport(struct rtc_engine *engine, struct transport *t)
{
	g_assert(engine->n_transports < ENGINE_PEERS_MAX);
	engine->transports[engine->n_transports++] = t;
}

void engine_remove_transport(struct rtc_engine *engine, struct transport *t)
{
	for (unsigned int i = 0; i < engine->n_transports; i++) {
		if (engine->transports[i] != t)
			continue;
		engine->transports[i] =
			engine->transports[--engine->n_transports];
		break;
	}
	atomic_fetch_sub(&engine->n_alive, 1);
	engine_rates_changed(engine);
}

static void tick_sctp(struct net_timer *timer, uint64_t now_us)
{
	struct rtc_engine *engine = (struct rtc_engine *)
		((char *) timer - offsetof(struct rtc_engine, sctp_timer));
	bool active;

	sctp_stack_tick(engine->sctp, now_us);
	active = now_us - engine->sctp_active_us < SCTP_ACTIVE_US;
	for (unsigned int i = 0; i < engine->n_transports; i++)
		transport_flush(engine->transports[i]);
	if (sctp_stack_is_busy(engine->sctp))
		net_timer_set(engine->loop, timer, now_us + 1000 *
			      (active ? SCTP_STACK_TICK_MS : SCTP_IDLE_TICK_MS));
}

void engine_wake_sctp(struct rtc_engine *engine)
{
	uint64_t now = net_loop_now_us(engine->loop);
	uint64_t soon = now + 1000 * SCTP_STACK_TICK_MS;

	engine->sctp_active_us = now;
	if (!engine->sctp_timer.heap_index || engine->sctp_timer.due_us > soon)
		net_timer_set(engine->loop, &engine->sctp_timer, soon);
}

/* What is left of @share for video, when sound and data have theirs. */
static unsigned int left_for_video(unsigned int share, unsigned int used)
{
	unsigned int left = share > used ? share - used : 0;

	left -= VIDEO_HEADERS(left);
	return MAX(left, VIDEO_LEAST_BPS);
}

/* Each peer's share of what may be sent. */
static void share_limits(struct rtc_engine *engine, uint64_t now_us)
{
	const struct rtc_limits *l = &engine->limits;
	unsigned int n = 0, share, used, quarter;

	engine->video_cap_bps = 0;
	engine->data_cap_bps = l->data_bps;
	for (unsigned int i = 0; i < engine->n_transports; i++)
		n += transport_is_running(engine->transports[i]);
	if (!l->total_bps || !n)
		return;
	share = l->total_bps / n;
	quarter = MAX(share / DATA_SHARE, 1);
	if (!l->data_bps || l->data_bps > quarter)
		engine->data_cap_bps = quarter;
	used = l->audio_bps ? l->audio_bps + AUDIO_HEADERS_BPS : 0;
	if (engine->data_used_us &&
	    now_us - engine->data_used_us < DATA_QUIET_US) {
		used += engine->data_cap_bps;
		net_timer_set(engine->loop, &engine->rate_timer,
			      engine->data_used_us + DATA_QUIET_US);
	} else {
		engine->data_used_us = 0;
	}
	engine->video_cap_bps = left_for_video(share, used);
}

static void apply_limits(struct rtc_engine *engine)
{
	for (unsigned int i = 0; i < engine->n_transports; i++)
		transport_limits_changed(engine->transports[i]);
}

void engine_get_range(struct rtc_engine *engine, unsigned int *ret_start,
		      unsigned int *ret_min, unsigned int *ret_max)
{
	unsigned int cap = engine->video_cap_bps;

	*ret_start = atomic_load(&engine->start_bps);
	*ret_min = atomic_load(&engine->min_bps);
	*ret_max = atomic_load(&engine->max_bps);
	if (!cap)
		return;
	*ret_start = MIN(*ret_start, cap);
	*ret_min = MIN(*ret_min, cap);
	*ret_max = MIN(*ret_max, cap);
}

/* One rung feeds all peers of a codec, so the slowest sets the rate. */
static void report_rates(struct net_timer *timer, uint64_t now_us)
{
	struct rtc_engine *engine = (struct rtc_engine *)
		((char *) timer - offsetof(struct rtc_engine, rate_timer));
	unsigned int slowest[N_MEDIA_CODECS] = { 0 };

	engine->rate_reported_us = now_us;
	share_limits(engine, now_us);
	apply_limits(engine);
	for (unsigned int i = 0; i < engine->n_transports; i++) {
		struct transport *t = engine->transports[i];
		enum media_codec codec = transport_get_video_codec(t);
		unsigned int bps = transport_get_target(t);

		if (codec == N_MEDIA_CODECS)
			continue;
		if (!slowest[codec] || bps < slowest[codec])
			slowest[codec] = bps;
	}
	for (int codec = 0; codec < N_MEDIA_CODECS; codec++) {
		if (!slowest[codec] ||
		    slowest[codec] == engine->rung_bps[codec])
			continue;
		engine->rung_bps[codec] = slowest[codec];
		engine->config.rung_bitrate(engine->config.user,
					    (enum media_codec) codec,
					    slowest[codec]);
	}
}

void engine_rates_changed(struct rtc_engine *engine)
{
	uint64_t now = net_loop_now_us(engine->loop);
	uint64_t due = engine->rate_reported_us + RATE_REPORT_US;

	if (due < now)
		due = now;
	if (!engine->rate_timer.heap_index || engine->rate_timer.due_us > due)
		net_timer_set(engine->loop, &engine->rate_timer, due);
}

void engine_data_used(struct rtc_engine *engine)
{
	if (!engine->limits.total_bps)
		return;
	if (!engine->data_used_us)
		engine_rates_changed(engine);
	engine->data_used_us = net_loop_now_us(engine->loop);
}

struct rates {
	struct rtc_engine *engine;
	unsigned int start_bps, min_bps, max_bps;
};

static void set_rates(struct rtc_engine *engine, unsigned int start_bps,
		      unsigned int min_bps, unsigned int max_bps)
{
	atomic_store(&engine->start_bps, start_bps);
	atomic_store(&engine->min_bps, min_bps);
	atomic_store(&engine->max_bps, max_bps);
}

static void set_rates_on_network(void *data)
{
	struct rates *r = data;
	struct rtc_engine *engine = r->engine;

	set_rates(engine, r->start_bps, r->min_bps, r->max_bps);
	apply_limits(engine);
	g_free(r);
}

struct limits {
	struct rtc_engine *engine;
	struct rtc_limits limits;
};

static void set_limits_on_network(void *data)
{
	struct limits *l = data;
	struct rtc_engine *engine = l->engine;

	engine->limits = l->limits;
	share_limits(engine, net_loop_now_us(engine->loop));
	apply_limits(engine);
	g_free(l);
}

/* The clock itself: with many peers the tick's has grown old. */
void engine_unit_sent(struct rtc_engine *engine, uint64_t capture_us)
{
	struct timespec now;
	uint64_t now_us;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_us = (uint64_t) now.tv_sec * 1000000 +
		(uint64_t) now.tv_nsec / 1000;
	delay_histogram_add(&engine->sent,
			    now_us > capture_us ? now_us - capture_us : 0);
	if (engine->sent.n % SENT_PUBLISH_FRAMES)
		return;
	atomic_store(&engine->sent_us_median,
		     delay_histogram_get(&engine->sent, 0.5));
	atomic_store(&engine->sent_us_p95,
		     delay_histogram_get(&engine->sent, 0.95));
}

/* --- life: control ------------------------------------------------------------ */
struct start {
	struct rtc_engine *engine;
	int result;
	GMutex lock;
	GCond done_cond;
	bool done;
};

/* usrsctp and the planner belong to the network thread: made and ended there. */
static void start_on_network(void *data)
{
	struct start *s = data;
	struct rtc_engine *engine = s->engine;
	int r = rtp_planner_new(&engine->planner, 0, 0);

	if (r >= 0)
		r = sctp_stack_ref(&engine->sctp);
	g_mutex_lock(&s->lock);
	s->result = r;
	s->done = true;
	g_cond_signal(&s->done_cond);
	g_mutex_unlock(&s->lock);
}

static void stop_on_network(void *data)
{
	struct rtc_engine *engine = data;

	net_timer_cancel(engine->loop, &engine->sctp_timer);
	net_timer_cancel(engine->loop, &engine->rate_timer);
	if (engine->sctp)
		engine->sctp = sctp_stack_unref(engine->sctp);
	engine->planner = rtp_planner_free(engine->planner);
}

static int run_start(struct rtc_engine *engine)
{
	struct start s = { .engine = engine };
	int r;

	g_mutex_init(&s.lock);
	g_cond_init(&s.done_cond);
	r = net_loop_post(engine->loop, start_on_network, &s);
	if (r >= 0) {
		g_mutex_lock(&s.lock);
		while (!s.done)
			g_cond_wait(&s.done_cond, &s.lock);
		g_mutex_unlock(&s.lock);
		r = s.result;
	}
	g_mutex_clear(&s.lock);
	g_cond_clear(&s.done_cond);
	return r;
}

static bool fail(GError **error, int r, const char *what)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
		    "Cannot %s: %s", what, g_strerror(-r));
	return false;
}

static bool start_engine(struct rtc_engine *engine, GError **error)
{
	const struct rtc_engine_config *c = &engine->config;
	struct net_loop_config net = {
		.backend = c->backend,
		.no_gso = c->no_gso,
	};
	struct ice_thread_config ice = { 0 };
	uint8_t random[ENGINE_CNAME_BYTES];
	int r;

	/* At boot it may wait, and a signal come. */
	if (TEMP_FAILURE_RETRY(getrandom(random, sizeof(random), 0)) !=
	    sizeof(random))
		return fail(error, -errno, "read random bytes");
	for (unsigned int i = 0; i < sizeof(engine->cname) - 1; i++)
		engine->cname[i] = "abcdefghijklmnopqrstuvwxyz012345"
			[random[i] & 31];

	r = control_queue_new(&engine->events, c->context, ENGINE_EVENTS_MAX);
	if (r < 0)
		return fail(error, r, "make the event queue");
	r = dtls_identity_new(&engine->identity);
	if (r < 0)
		return fail(error, r, "make a DTLS certificate");
	r = net_loop_new(&engine->loop, &net);
	if (r < 0)
		return fail(error, r, c->backend == NET_BACKEND_URING ?
			    "start the network loop with io_uring" :
			    "start the network loop");
	r = run_start(engine);
	if (r < 0)
		return fail(error, r, "start SCTP");
	ice.loop = engine->loop;
	r = ice_thread_new(&engine->ice, &ice);
	if (r < 0)
		return fail(error, r, "start the ICE thread");
	return true;
}

void rtc_engine_set_max_peers(struct rtc_engine *engine,
			      unsigned int max_peers)
{
	engine->config.max_peers = MIN(max_peers ? max_peers :
						   ENGINE_PEERS_DEFAULT,
				       ENGINE_PEERS_MAX / 2);
}

int rtc_engine_set_rates(struct rtc_engine *engine, unsigned int start_bps,
			 unsigned int min_bps, unsigned int max_bps)
{
	struct rates *r = g_new(struct rates, 1);
	int ret;

	*r = (struct rates){engine, start_bps, min_bps, max_bps};
	ret = net_loop_post(engine->loop, set_rates_on_network, r);
	if (ret < 0)
		g_free(r);
	return ret;
}

int rtc_engine_set_limits(struct rtc_engine *engine,
			  const struct rtc_limits *limits)
{
	struct limits *l = g_new(struct limits, 1);
	int ret;

	*l = (struct limits){engine, *limits};
	ret = net_loop_post(engine->loop, set_limits_on_network, l);
	if (ret < 0)
		g_free(l);
	return ret;
}

void rtc_engine_set_dscp(struct rtc_engine *engine, uint8_t audio,
			 uint8_t video)
{
	net_loop_set_dscp(engine->loop, NET_MARK_AUDIO, audio);
	net_loop_set_dscp(engine->loop, NET_MARK_VIDEO, video);
}

static void copy_network(struct rtc_engine *engine,
			 const struct rtc_network *network)
{
	char **copy = g_strdupv((char **) network->addresses);

	g_strfreev(engine->addresses);
	engine->addresses = copy;
	engine->config.network = *network;
	engine->config.network.addresses = (const char *const *) copy;
}

void rtc_engine_set_network(struct rtc_engine *engine,
			    const struct rtc_network *network)
{
	copy_network(engine, network);
	for (unsigned int i = 0; i < engine->peers->len; i++)
		peer_set_network(g_ptr_array_index(engine->peers, i));
}

struct rtc_engine *rtc_engine_new(const struct rtc_engine_config *config,
				  GError **error)
{
	struct rtc_engine *engine = g_new0(struct rtc_engine, 1);

	engine->config = *config;
	engine->config.context = config->context ?
		g_main_context_ref(config->context) :
		g_main_context_ref_thread_default();
	engine->peers = g_ptr_array_new();
	copy_network(engine, &config->network);
	engine->limits = config->limits;
	engine->data_cap_bps = config->limits.data_bps;
	rtc_engine_set_max_peers(engine, config->max_peers);
	set_rates(engine, config->start_bps, config->min_bps, config->max_bps);
	engine->sctp_timer.fire = tick_sctp;
	engine->rate_timer.fire = report_rates;
	for (unsigned int i = 0; i < ENGINE_UNITS_MAX; i++)
		engine->units[i].engine = engine;

	if (!start_engine(engine, error))
		return rtc_engine_free(engine);
	rtc_engine_set_dscp(engine, config->dscp_audio, config->dscp_video);
	return engine;
}

struct rtc_engine *rtc_engine_free(struct rtc_engine *engine)
{
	if (!engine)
		return NULL;
	g_assert(engine->peers->len == 0);
	engine->ice = ice_thread_free(engine->ice);
	if (engine->loop) {
		while (net_loop_post(engine->loop, stop_on_network, engine) < 0)
			g_thread_yield();
		engine->loop = net_loop_free(engine->loop);
	}
	engine->events = control_queue_free(engine->events);
	engine->identity = dtls_identity_unref(engine->identity);
	g_main_context_unref(engine->config.context);
	g_strfreev(engine->addresses);
	g_ptr_array_unref(engine->peers);
	g_free(engine);
	return NULL;
}

void rtc_engine_get_stats(struct rtc_engine *engine,
			  struct rtc_engine_stats *ret)
{
	*ret = (struct rtc_engine_stats){
		.backend = net_loop_get_backend(engine->loop) ==
			NET_BACKEND_URING ? "io_uring" : "epoll",
		.backend_reason = net_loop_get_fallback_reason(engine->loop),
		.gso = !engine->config.no_gso,
		.demux = engine->config.demux == RTC_DEMUX_CALLBACK ||
			engine->demux_error ? "callback" : "kernel",
		.demux_reason = engine->demux_error ?
			g_strerror(-engine->demux_error) : NULL,
		.peers = engine->peers->len,
		.units_in = atomic_load(&engine->units_in),
		.units_dropped = atomic_load(&engine->units_dropped),
		.bitstream_copies = atomic_load(&engine->bitstream_copies),
		.sent_us_median = atomic_load(&engine->sent_us_median),
		.sent_us_p95 = atomic_load(&engine->sent_us_p95),
		.ice_cpu_ns = ice_thread_get_cpu_ns(engine->ice),
	};
	net_loop_get_stats(engine->loop, &ret->net);
}
