/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/ice-test.h - two agents against each other, for the tests of ICE
 *
 * Thread:  the test's; callbacks run where ice.h says and take the lock
 * Memory:  the test's
 */
#pragma once

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/ice.h"

#define DEADLINE_US  (60 * G_TIME_SPAN_SECOND)
#define PACKETS	     10000u
#define WINDOW	     64u /* sent before waiting for their arrival */
#define PACKET_BYTES 200u

/* --- two agents --------------------------------------------------------- */
struct bench;

struct end {
	struct bench *bench;
	struct end *other;
	struct ice_agent *agent;

	/* under bench->lock */
	enum rtc_ice_state state;
	unsigned int n_states, n_candidates, n_paths, n_pairs;
	bool done, closed, path_up, kernel_pair, deaf;
	enum ice_path_kind kind;
	char pair[ICE_PAIR_BYTES], last_candidate[CANDIDATE_MAX_BYTES];
	gint64 candidate_us, connected_us;
	unsigned int received, misplaced, out_of_order;

	/* network thread */
	struct net_path path;
	unsigned int next_in, next_out;
};

struct bench {
	struct net_loop *loop;
	struct ice_thread *thread;
	GMutex lock;
	GCond cond;
	struct end a, b;
	gint64 start_us;
};

static inline void lock(struct end *e)
{
	g_mutex_lock(&e->bench->lock);
}

static inline void unlock(struct end *e)
{
	g_cond_broadcast(&e->bench->cond);
	g_mutex_unlock(&e->bench->lock);
}

static inline void on_candidate(void *user, const char *line)
{
	struct end *e = user;
	struct candidate c;

	g_assert_cmpint(candidate_parse(line, strlen(line), &c), ==, 0);
	lock(e);
	if (e->n_candidates++ == 0)
		e->candidate_us = g_get_monotonic_time();
	g_strlcpy(e->last_candidate, line, sizeof(e->last_candidate));
	if (!e->deaf && e->other->agent)
		ice_agent_add_remote_candidates(e->other->agent, &c, 1);
	unlock(e);
}

static inline void on_done(void *user)
{
	struct end *e = user;

	lock(e);
	e->done = true;
	unlock(e);
}

static inline void on_state(void *user, enum rtc_ice_state state)
{
	struct end *e = user;

	lock(e);
	e->state = state;
	e->n_states++;
	if ((state == RTC_ICE_CONNECTED || state == RTC_ICE_COMPLETED) &&
	    !e->connected_us)
		e->connected_us = g_get_monotonic_time();
	unlock(e);
}

static inline void on_pair(void *user, const char *pair, bool kernel_demux)
{
	struct end *e = user;

	lock(e);
	g_strlcpy(e->pair, pair, sizeof(e->pair));
	e->kernel_pair = kernel_demux;
	e->n_pairs++;
	unlock(e);
}

static inline void on_path(void *user, const struct ice_path *path)
{
	struct end *e = user;

	net_path_forget(e->bench->loop, &e->path);
	e->path = (struct net_path){
		.socket = path->socket,
		.addr = path->addr,
		.addr_len = path->addr_len,
		.relay = path->relay,
		.relay_user = path->relay_user,
	};
	lock(e);
	e->kind = path->kind;
	e->path_up = path->kind != ICE_PATH_NONE;
	e->n_paths++;
	unlock(e);
}

/* Packets carry their number behind a byte of DTLS or RTP. */
static inline void on_packet(void *user, uint8_t *data, size_t len,
			     const struct sockaddr_storage *from,
			     uint64_t now_us)
{
	struct end *e = user;
	uint32_t number;

	lock(e);
	if (len != PACKET_BYTES) {
		e->misplaced++;
	} else {
		memcpy(&number, data + 4, sizeof(number));
		if (number != e->next_in)
			e->out_of_order++;
		e->next_in = number + 1;
		e->received++;
	}
	unlock(e);
}

static inline void on_closed(void *user)
{
	struct end *e = user;

	net_path_forget(e->bench->loop, &e->path);
	lock(e);
	e->closed = true;
	unlock(e);
}

static const struct ice_agent_ops ops = {
	.local_candidate = on_candidate,
	.gathering_done = on_done,
	.state = on_state,
	.selected_pair = on_pair,
	.path = on_path,
	.packet = on_packet,
	.closed = on_closed,
};

static inline void open_bench(struct bench *b)
{
	const struct net_loop_config net = {.backend = NET_BACKEND_AUTO};

	memset(b, 0, sizeof(*b));
	g_mutex_init(&b->lock);
	g_cond_init(&b->cond);
	b->a.bench = b->b.bench = b;
	b->a.other = &b->b;
	b->b.other = &b->a;
	g_assert_cmpint(net_loop_new(&b->loop, &net), ==, 0);
	g_assert_cmpint(
		ice_thread_new(&b->thread,
			       &(struct ice_thread_config){.loop = b->loop}),
		==, 0);
}

static inline void open_end(struct end *e, bool controlling,
			    enum rtc_demux demux,
			    const struct rtc_ice_server *servers,
			    unsigned int n, bool relay_only)
{
	static const char *const addresses[] = {"127.0.0.1", NULL};

	e->agent = ice_agent_new(e->bench->thread,
				 &(struct ice_agent_config){
					 .controlling = controlling,
					 .servers = servers,
					 .n_servers = n,
					 .relay_only = relay_only,
					 .addresses = addresses,
					 .demux = demux,
					 .ops = &ops,
					 .user = e,
				 });
	g_assert_cmpuint(strlen(ice_agent_get_ufrag(e->agent)), ==, 8);
	g_assert_cmpuint(strlen(ice_agent_get_pwd(e->agent)), ==, 24);
}

/* Until the condition holds, seen under the lock. */
#define await(b, condition)                                                    \
	do {                                                                   \
		gint64 await_deadline = g_get_monotonic_time() + DEADLINE_US;  \
		g_mutex_lock(&(b)->lock);                                      \
		while (!(condition)) {                                         \
			if (!g_cond_wait_until(&(b)->cond, &(b)->lock,         \
					       await_deadline))                \
				g_error("waited in vain: %s", #condition);     \
		}                                                              \
		g_mutex_unlock(&(b)->lock);                                    \
	} while (0)

static inline void exchange_credentials(struct bench *b)
{
	ice_agent_set_remote_credentials(b->b.agent,
					 ice_agent_get_ufrag(b->a.agent),
					 ice_agent_get_pwd(b->a.agent));
	ice_agent_set_remote_credentials(b->a.agent,
					 ice_agent_get_ufrag(b->b.agent),
					 ice_agent_get_pwd(b->b.agent));
}

static inline void connect_ends(struct bench *b)
{
	b->start_us = g_get_monotonic_time();
	ice_agent_gather(b->a.agent);
	ice_agent_gather(b->b.agent);
	exchange_credentials(b);
	await(b, b->a.path_up && b->b.path_up &&
			 b->a.state == RTC_ICE_COMPLETED &&
			 b->b.state == RTC_ICE_COMPLETED);
	g_test_message("first candidate after %.1f ms, connected after %.1f "
		       "ms, %s",
		       (double) (b->a.candidate_us - b->start_us) / 1000,
		       (double) (MAX(b->a.connected_us, b->b.connected_us) -
				 b->start_us) /
			       1000,
		       b->a.pair);
}

static inline void free_end(struct end *e)
{
	struct ice_agent *agent;

	lock(e);
	agent = e->agent;
	e->agent = NULL;
	unlock(e);
	g_assert_null(ice_agent_free(agent));
}

static inline void close_bench(struct bench *b)
{
	bool a = b->a.agent, c = b->b.agent;

	if (a)
		free_end(&b->a);
	if (c)
		free_end(&b->b);
	await(b, (!a || b->a.closed) && (!c || b->b.closed));
	b->thread = ice_thread_free(b->thread);
	b->loop = net_loop_free(b->loop);
	g_mutex_clear(&b->lock);
	g_cond_clear(&b->cond);
}

/* --- packets ------------------------------------------------------------ */
static inline void send_window(void *data)
{
	struct end *e = data;

	for (unsigned int i = 0; i < WINDOW && e->next_out < PACKETS; i++) {
		uint8_t packet[PACKET_BYTES] = {e->next_out & 1 ? 22 : 0x80};
		struct net_buffer *buffer;
		uint32_t number = e->next_out++;

		memcpy(packet + 4, &number, sizeof(number));
		if (!e->path.socket) {
			e->path.relay(e->path.relay_user, packet,
				      sizeof(packet));
			continue;
		}
		buffer = net_buffer_get(e->bench->loop);
		g_assert_nonnull(buffer);
		memcpy(buffer->data, packet, sizeof(packet));
		buffer->len = sizeof(packet);
		buffer->segment = sizeof(packet);
		net_send(e->bench->loop, &e->path, buffer);
	}
}

/* A window each way, then the next when all of it has arrived: what is lost
 * is lost by us and not by a full socket buffer. @n: of both, ever. */
static inline void exchange_packets(struct bench *b, unsigned int n)
{
	for (unsigned int sent = b->a.received; sent < n;) {
		g_assert_cmpint(net_loop_post(b->loop, send_window, &b->a), ==,
				0);
		g_assert_cmpint(net_loop_post(b->loop, send_window, &b->b), ==,
				0);
		sent = MIN(sent + WINDOW, PACKETS);
		await(b, b->a.received >= sent && b->b.received >= sent);
	}
	g_assert_cmpuint(b->a.misplaced + b->b.misplaced, ==, 0);
	g_assert_cmpuint(b->a.out_of_order + b->b.out_of_order, ==, 0);
}
