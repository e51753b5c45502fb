// SPDX-License-Identifier: Apache-2.0
#include "webrtc/ice.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "webrtc/packet-ring.h"

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

static void lock(struct end *e)
{
	g_mutex_lock(&e->bench->lock);
}

static void unlock(struct end *e)
{
	g_cond_broadcast(&e->bench->cond);
	g_mutex_unlock(&e->bench->lock);
}

static void on_candidate(void *user, const char *line)
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

static void on_done(void *user)
{
	struct end *e = user;

	lock(e);
	e->done = true;
	unlock(e);
}

static void on_state(void *user, enum rtc_ice_state state)
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

static void on_pair(void *user, const char *pair, bool kernel_demux)
{
	struct end *e = user;

	lock(e);
	g_strlcpy(e->pair, pair, sizeof(e->pair));
	e->kernel_pair = kernel_demux;
	e->n_pairs++;
	unlock(e);
}

static void on_path(void *user, const struct ice_path *path)
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
static void on_packet(void *user, uint8_t *data, size_t len,
		      const struct sockaddr_storage *from, uint64_t now_us)
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

static void on_closed(void *user)
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

static void open_bench(struct bench *b)
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

static void open_end(struct end *e, bool controlling, enum rtc_demux demux,
		     const struct rtc_ice_server *servers, unsigned int n,
		     bool relay_only)
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

static void exchange_credentials(struct bench *b)
{
	ice_agent_set_remote_credentials(b->b.agent,
					 ice_agent_get_ufrag(b->a.agent),
					 ice_agent_get_pwd(b->a.agent));
	ice_agent_set_remote_credentials(b->a.agent,
					 ice_agent_get_ufrag(b->b.agent),
					 ice_agent_get_pwd(b->b.agent));
}

static void connect_ends(struct bench *b)
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

static void free_end(struct end *e)
{
	struct ice_agent *agent;

	lock(e);
	agent = e->agent;
	e->agent = NULL;
	unlock(e);
	g_assert_null(ice_agent_free(agent));
}

static void close_bench(struct bench *b)
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
static void send_window(void *data)
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
static void exchange_packets(struct bench *b, unsigned int n)
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

static void test_kernel(void)
{
	struct ice_agent_stats stats;
	struct bench b;

	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_AUTO, NULL, 0, false);
	open_end(&b.b, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	connect_ends(&b);
	g_assert_cmpint(b.a.kind, ==, ICE_PATH_KERNEL);
	g_assert_cmpint(b.b.kind, ==, ICE_PATH_KERNEL);
	g_assert_true(b.a.kernel_pair);

	exchange_packets(&b, PACKETS);
	ice_agent_get_stats(b.a.agent, &stats);
	g_assert_true(stats.kernel_demux);
	g_assert_cmpint(stats.demux_error, ==, 0);
	g_assert_cmpuint(stats.sockets, ==, 1);
	g_assert_cmpuint(stats.rx_sibling, ==, PACKETS);
	g_assert_cmpuint(stats.rx_callback, ==, 0);
	g_assert_cmpuint(stats.rx_unknown_source, ==, 0);
	g_assert_cmpuint(stats.rx_stun_dropped, ==, 0);
	close_bench(&b);
}

static void test_callback(void)
{
	struct ice_agent_stats stats;
	struct bench b;

	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_CALLBACK, NULL, 0, false);
	open_end(&b.b, false, RTC_DEMUX_CALLBACK, NULL, 0, false);
	connect_ends(&b);
	g_assert_cmpint(b.a.kind, ==, ICE_PATH_CALLBACK);
	g_assert_false(b.a.kernel_pair);

	exchange_packets(&b, PACKETS);
	ice_agent_get_stats(b.b.agent, &stats);
	g_assert_false(stats.kernel_demux);
	g_assert_cmpuint(stats.rx_callback, ==, PACKETS);
	g_assert_cmpuint(stats.rx_sibling, ==, 0);
	g_assert_cmpuint(stats.rx_pool_full, ==, 0);
	close_bench(&b);
}

/* --- candidates --------------------------------------------------------- */
/* B's candidates never reach A: A learns of B from its checks alone, as with
 * a browser that hides its addresses. */
static void test_peer_reflexive(void)
{
	struct bench b;

	open_bench(&b);
	open_end(&b.a, false, RTC_DEMUX_AUTO, NULL, 0, false);
	open_end(&b.b, true, RTC_DEMUX_AUTO, NULL, 0, false);
	b.b.deaf = true;
	connect_ends(&b);
	g_assert_nonnull(strstr(b.a.pair, "prflx"));
	exchange_packets(&b, 1000);
	close_bench(&b);
}

/* Candidates that came before the credentials wait for them; those of another
 * generation and those of no use are left out. */
static void test_early_candidates(void)
{
	struct candidate c;
	struct bench b;

	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_AUTO, NULL, 0, false);
	open_end(&b.b, false, RTC_DEMUX_AUTO, NULL, 0, false);
	ice_agent_gather(b.a.agent);
	ice_agent_gather(b.b.agent);
	await(&b, b.a.done && b.b.done);

	g_assert_cmpint(candidate_parse(b.a.last_candidate,
					strlen(b.a.last_candidate), &c),
			==, 0);
	g_strlcpy(c.ufrag, "someoneelse", sizeof(c.ufrag));
	for (unsigned int i = 0; i < 2 * ICE_REMOTE_CANDIDATES_MAX; i++)
		ice_agent_add_remote_candidates(b.b.agent, &c, 1);
	ice_agent_remote_gathering_done(b.b.agent);
	connect_ends(&b);
	close_bench(&b);
}

static void test_port_range(void)
{
	static const char *const addresses[] = {"127.0.0.1", NULL};
	struct candidate c;
	struct bench b;

	open_bench(&b);
	b.a.deaf = true;
	b.a.agent = ice_agent_new(
		b.thread, &(struct ice_agent_config){.addresses = addresses,
						     .port_min = 21050,
						     .port_max = 21099,
						     .ops = &ops,
						     .user = &b.a});
	ice_agent_gather(b.a.agent);
	await(&b, b.a.done);
	g_assert_cmpint(candidate_parse(b.a.last_candidate,
					strlen(b.a.last_candidate), &c),
			==, 0);
	g_assert_cmpuint(c.port, >=, 21050);
	g_assert_cmpuint(c.port, <=, 21099);
	g_assert_cmpstr(c.address, ==, "127.0.0.1");
	g_assert_cmpint(c.type, ==, CANDIDATE_HOST);
	close_bench(&b);
}

/* Nothing said about addresses: whatever the machine has, at least one. */
static void test_default_addresses(void)
{
	struct bench b;

	open_bench(&b);
	b.a.deaf = true;
	b.a.agent = ice_agent_new(
		b.thread, &(struct ice_agent_config){
				  .loopback = true, .ops = &ops, .user = &b.a});
	ice_agent_gather(b.a.agent);
	await(&b, b.a.done);
	g_assert_cmpuint(b.a.n_candidates, >, 0);
	close_bench(&b);
}

/* A server nobody answers at must not hold up host candidates, and not the
 * end of gathering for long. */
static void test_dead_servers(void)
{
	static const struct rtc_ice_server servers[] = {
		{.url = "stun:127.0.0.1:21001"},
		{.url = "turn:nobody@127.0.0.1:21002", .credential = "x"},
		{.url = "turns:nobody@127.0.0.1", .credential = "x"},
		{.url = "nonsense"},
	};
	gint64 start;
	struct bench b;

	open_bench(&b);
	b.a.deaf = true;
	open_end(&b.a, true, RTC_DEMUX_AUTO, servers, G_N_ELEMENTS(servers),
		 false);
	start = g_get_monotonic_time();
	ice_agent_gather(b.a.agent);
	await(&b, b.a.n_candidates > 0);
	g_assert_false(b.a.done);
	await(&b, b.a.done);
	g_test_message("host candidate after %.1f ms, done after %.1f ms",
		       (double) (b.a.candidate_us - start) / 1000,
		       (double) (g_get_monotonic_time() - start) / 1000);
	close_bench(&b);
}

/* --- safety ------------------------------------------------------------- */
static unsigned short get_port(struct end *e)
{
	struct candidate c;

	g_assert_cmpint(candidate_parse(e->last_candidate,
					strlen(e->last_candidate), &c),
			==, 0);
	return c.port;
}

/* Media from somebody who is not the peer. */
static void test_unknown_source(void)
{
	static const uint8_t firsts[] = {22, 0x80, 22, 0x80, 22};
	struct ice_agent_stats stats = {0};
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct bench b;
	int fd;

	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_KERNEL, NULL, 0, false);
	open_end(&b.b, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	connect_ends(&b);

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sin_port = htons(get_port(&b.a));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < sizeof(firsts); i++) {
		uint8_t data[PACKET_BYTES] = {firsts[i]};

		g_assert_cmpint(sendto(fd, data, sizeof(data), 0,
				       (struct sockaddr *) &to, sizeof(to)),
				==, sizeof(data));
	}
	/* Two DTLS records wait for their address, as they may. */
	while (stats.rx_unknown_source < 3) {
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		ice_agent_get_stats(b.a.agent, &stats);
		g_thread_yield();
	}
	exchange_packets(&b, 640);
	ice_agent_get_stats(b.a.agent, &stats);
	g_assert_cmpuint(stats.rx_unknown_source, ==, 3);
	g_assert_cmpuint(b.a.received, ==, 640);
	close(fd);
	close_bench(&b);
}

/* The remote is gone without a word: the path goes before the peer does. */
static void test_consent_lost(void)
{
	gint64 start;
	struct bench b;

	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_KERNEL, NULL, 0, false);
	open_end(&b.b, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	connect_ends(&b);
	start = g_get_monotonic_time();
	free_end(&b.b);
	await(&b, b.b.closed);
	g_assert_false(b.b.path_up); /* withdrawn before closed */
	await(&b, !b.a.path_up && (b.a.state == RTC_ICE_FAILED ||
				   b.a.state == RTC_ICE_DISCONNECTED));
	g_test_message("path withdrawn after %.1f s",
		       (double) (g_get_monotonic_time() - start) / 1e6);
	close_bench(&b);
}

static void test_restart(void)
{
	char old[ICE_UFRAG_BYTES];
	unsigned int pairs, candidates;
	struct bench b;

	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_KERNEL, NULL, 0, false);
	open_end(&b.b, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	connect_ends(&b);
	exchange_packets(&b, 640);
	g_strlcpy(old, ice_agent_get_ufrag(b.a.agent), sizeof(old));
	g_mutex_lock(&b.lock);
	pairs = b.a.n_pairs;
	candidates = b.a.n_candidates;
	g_mutex_unlock(&b.lock);

	ice_agent_restart(b.a.agent);
	ice_agent_restart(b.b.agent);
	g_assert_cmpstr(ice_agent_get_ufrag(b.a.agent), !=, old);
	exchange_credentials(&b);
	await(&b, b.a.n_pairs > pairs && b.a.n_candidates > candidates &&
			  b.a.state == RTC_ICE_COMPLETED &&
			  b.b.state == RTC_ICE_COMPLETED);
	g_assert_cmpint(b.a.kind, ==, ICE_PATH_KERNEL);
	g_assert_true(b.a.path_up && b.b.path_up);
	exchange_packets(&b, PACKETS);
	close_bench(&b);
}

/* --- ends --------------------------------------------------------------- */
enum stage {
	STAGE_NEW,
	STAGE_GATHER,
	STAGE_GATHERED,
	STAGE_CREDENTIALS,
	STAGE_CONNECTED,
	STAGE_RESTARTED,
	STAGE_RESOLVING,
	N_STAGES,
};

static void free_in(enum stage stage)
{
	static const struct rtc_ice_server names[] = {
		{.url = "stun:localhost:21001"},
		{.url = "turn:u@localhost:21002", .credential = "x"},
	};
	struct bench b;

	g_test_message("stage %d", stage);
	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_AUTO, names,
		 stage == STAGE_RESOLVING ? 2 : 0, false);
	open_end(&b.b, false, RTC_DEMUX_AUTO, NULL, 0, false);

	if (stage >= STAGE_GATHER) {
		ice_agent_gather(b.a.agent);
		ice_agent_gather(b.b.agent);
	}
	if (stage == STAGE_GATHERED)
		await(&b, b.a.done);
	if (stage >= STAGE_CREDENTIALS)
		exchange_credentials(&b);
	if (stage == STAGE_CONNECTED || stage == STAGE_RESTARTED)
		await(&b, b.a.path_up && b.b.path_up);
	if (stage == STAGE_RESTARTED)
		ice_agent_restart(b.a.agent);
	close_bench(&b);
	g_assert_false(b.a.path_up || b.b.path_up);
}

static void test_free_anywhere(void)
{
	for (int stage = 0; stage < N_STAGES; stage++)
		free_in(stage);
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	g_assert_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void test_many(void)
{
	unsigned int before = 0;
	struct bench b;

	open_bench(&b);
	for (unsigned int i = 0; i < 51; i++) {
		b.a.closed = b.b.closed = false;
		b.a.path_up = b.b.path_up = false;
		open_end(&b.a, true,
			 i % 2 ? RTC_DEMUX_AUTO : RTC_DEMUX_CALLBACK, NULL, 0,
			 false);
		open_end(&b.b, false, RTC_DEMUX_AUTO, NULL, 0, false);
		ice_agent_gather(b.a.agent);
		ice_agent_gather(b.b.agent);
		if (i % 10 == 0) {
			exchange_credentials(&b);
			await(&b, b.a.path_up && b.b.path_up);
		}
		free_end(&b.a);
		free_end(&b.b);
		await(&b, b.a.closed && b.b.closed);
		if (i == 0)
			before = count_fds();
	}
	/* libnice closes its sockets a little later than we do. */
	b.thread = ice_thread_free(b.thread);
	g_test_message("%u descriptors after the first pair, %u after 51",
		       before, count_fds());
	g_assert_cmpuint(count_fds(), <=, before);
	close_bench(&b);
}

/* --- relay -------------------------------------------------------------- */
/* Whether somebody answers STUN there: a binding request, repeated. */
static bool await_stun(uint16_t port)
{
	static const uint8_t request[20] = {0,	  1,	0,   0,	  0x21, 0x12,
					    0xa4, 0x42, 't', 'e', 's',	't'};
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct pollfd p = {.events = POLLIN};
	bool answered = false;

	p.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (unsigned int i = 0; i < 200 && !answered; i++) {
		uint8_t answer[256];

		sendto(p.fd, request, sizeof(request), 0,
		       (struct sockaddr *) &to, sizeof(to));
		answered =
			poll(&p, 1, 100) > 0 &&
			recv(p.fd, answer, sizeof(answer), MSG_DONTWAIT) > 20;
	}
	close(p.fd);
	return answered;
}

static GSubprocess *start_turn(uint16_t port)
{
	char *listen = g_strdup_printf("%u", port);
	GSubprocess *p;

	p = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
				     G_SUBPROCESS_FLAGS_STDERR_SILENCE,
			     NULL, "turnserver", "-n", "-L", "127.0.0.1", "-E",
			     "127.0.0.1", "-p", listen, "--min-port", "21200",
			     "--max-port", "21299", "--lt-cred-mech", "-u",
			     "bob:secret", "-r", "test", "--no-cli", "--no-tls",
			     "--no-dtls", "--allow-loopback-peers",
			     "--log-file", "stdout", "--pidfile", "/dev/null",
			     "--userdb", "/dev/null", NULL);
	g_free(listen);
	if (!p || await_stun(port))
		return p;
	g_subprocess_force_exit(p);
	g_object_unref(p);
	return NULL;
}

static void check_relay(const char *url, bool both)
{
	const struct rtc_ice_server server = {.url = url,
					      .credential = "secret"};
	struct ice_agent_stats stats;
	struct bench b;

	g_test_message("%s", url);
	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_AUTO, &server, 1, true);
	open_end(&b.b, false, RTC_DEMUX_AUTO, &server, both ? 1 : 0, both);
	connect_ends(&b);
	g_assert_cmpint(b.a.kind, ==, ICE_PATH_RELAYED);
	g_assert_nonnull(strstr(b.a.pair, "relay 127.0.0.1:212"));
	g_assert_cmpint(b.b.kind, ==,
			both ? ICE_PATH_RELAYED : ICE_PATH_KERNEL);
	exchange_packets(&b, 2000);
	ice_agent_get_stats(b.a.agent, &stats);
	g_assert_cmpuint(stats.tx_relayed, ==, b.b.received);
	g_assert_cmpuint(stats.rx_callback, ==, b.a.received);
	g_assert_cmpuint(stats.tx_relay_full, ==, 0);
	close_bench(&b);
}

static void test_relay(void)
{
	char *path = g_find_program_in_path("turnserver");
	GSubprocess *turn;

	if (!path) {
		g_test_skip("turnserver (package coturn) is not installed");
		return;
	}
	g_free(path);
	turn = start_turn(21100);
	if (!turn) {
		g_test_skip("turnserver does not start here");
		return;
	}
	check_relay("turn:bob@127.0.0.1:21100", true);
	check_relay("turn:bob@localhost:21100?transport=udp", false);
	check_relay("turn:bob@127.0.0.1:21100?transport=tcp", false);
	g_subprocess_send_signal(turn, SIGTERM);
	g_subprocess_wait(turn, NULL, NULL);
	g_object_unref(turn);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice/kernel", test_kernel);
	g_test_add_func("/ice/callback", test_callback);
	g_test_add_func("/ice/peer-reflexive", test_peer_reflexive);
	g_test_add_func("/ice/early-candidates", test_early_candidates);
	g_test_add_func("/ice/port-range", test_port_range);
	g_test_add_func("/ice/default-addresses", test_default_addresses);
	g_test_add_func("/ice/dead-servers", test_dead_servers);
	g_test_add_func("/ice/unknown-source", test_unknown_source);
	g_test_add_func("/ice/consent-lost", test_consent_lost);
	g_test_add_func("/ice/restart", test_restart);
	g_test_add_func("/ice/free-anywhere", test_free_anywhere);
	g_test_add_func("/ice/many", test_many);
	g_test_add_func("/ice/relay", test_relay);
	return g_test_run();
}
