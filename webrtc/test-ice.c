// SPDX-License-Identifier: Apache-2.0
#include "webrtc/ice-agent.h"
#include "webrtc/ice-test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <nice/debug.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 50

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

/* A sibling per socket, in both families. */
static void test_two_addresses(void)
{
	static const char *const addresses[] = {"127.0.0.1", "::1", NULL};
	struct ice_agent_stats stats;
	struct bench b;
	GSocket *probe;
	GSocketAddress *v6;
	bool has_v6;

	v6 = g_inet_socket_address_new_from_string("::1", 0);
	probe = g_socket_new(G_SOCKET_FAMILY_IPV6, G_SOCKET_TYPE_DATAGRAM,
			     G_SOCKET_PROTOCOL_UDP, NULL);
	has_v6 = probe && g_socket_bind(probe, v6, FALSE, NULL);
	g_clear_object(&probe);
	g_object_unref(v6);
	if (!has_v6) {
		g_test_skip("no IPv6 loopback here");
		return;
	}

	open_bench(&b);
	for (unsigned int i = 0; i < 2; i++) {
		struct end *e = i ? &b.b : &b.a;

		e->agent = ice_agent_new(b.thread,
					 &(struct ice_agent_config){
						 .controlling = i == 0,
						 .addresses = addresses,
						 .demux = RTC_DEMUX_KERNEL,
						 .ops = &ops,
						 .user = e,
					 });
	}
	connect_ends(&b);
	exchange_packets(&b, 1000);
	ice_agent_get_stats(b.a.agent, &stats);
	g_assert_cmpuint(stats.sockets, ==, 2);
	g_assert_true(stats.kernel_demux);
	g_assert_cmpuint(stats.rx_callback, ==, 0);
	g_assert_cmpuint(b.a.n_candidates, ==, 2);
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

/* --- roles -------------------------------------------------------------- */
/* libnice says so in its debug messages alone. */
static void count_conflicts(const char *domain, GLogLevelFlags level,
			    const char *text, gpointer user)
{
	gint *n = user;

	if (strstr(text, "Role conflict"))
		g_atomic_int_inc(n);
}

/* Return: whether the role came in time. */
static bool begin_as(struct end *e, bool controlling)
{
	gint64 start_us;

	open_end(e, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	start_us = g_get_monotonic_time();
	ice_agent_gather_soon(e->agent);
	if (controlling)
		ice_agent_set_controlling(e->agent, true);
	return g_get_monotonic_time() - start_us < ICE_ROLE_WAIT_MS * 1000;
}

/* Return: conflicts until both were connected; negative: this thread was too
 * slow. */
static gint try_as(bool a_controls, bool b_controls)
{
	struct bench b;
	bool in_time;
	gint conflicts = 0;
	guint handler = g_log_set_handler("libnice", G_LOG_LEVEL_DEBUG,
					  count_conflicts, &conflicts);

	open_bench(&b);
	in_time = begin_as(&b.a, a_controls);
	in_time &= begin_as(&b.b, b_controls);
	connect_ends(&b);
	exchange_packets(&b, 10);
	close_bench(&b);
	g_log_remove_handler("libnice", handler);
	return in_time ? g_atomic_int_get(&conflicts) : -1;
}

static gint connect_as(bool a_controls, bool b_controls)
{
	gint conflicts = -1;

	for (int i = 0; i < TRIES && conflicts < 0; i++)
		conflicts = try_as(a_controls, b_controls);
	return conflicts;
}

/* Who offers knows it a moment after gathering was asked for, and has the role
 * of an offerer all the same. */
static void test_role_known_late(void)
{
	nice_debug_enable(FALSE);
	g_assert_cmpint(connect_as(true, false), ==, 0);
	g_assert_cmpint(connect_as(false, true), ==, 0);
	/* The messages counted are the right ones. */
	g_assert_cmpint(connect_as(true, true), >, 0);
	g_assert_cmpint(connect_as(false, false), >, 0);
	nice_debug_disable(FALSE);
}

struct lite {
	GMainContext *context;
	NiceAgent *nice;
	guint stream;
	gint ready;			/* atomic */
};

static void lite_state(NiceAgent *nice, guint stream, guint component,
		       guint state, gpointer user)
{
	struct lite *l = user;

	if (state == NICE_COMPONENT_STATE_READY)
		g_atomic_int_set(&l->ready, 1);
}

static void lite_receive(NiceAgent *nice, guint stream, guint component,
			 guint len, gchar *data, gpointer user)
{
}

/* One that answers checks, and makes none: what a media server may be. */
static void open_lite(struct lite *l, struct end *remote)
{
	NiceAddress loopback;
	struct candidate c;
	gchar *ufrag, *pwd, *line;
	GSList *list;

	*l = (struct lite){.context = g_main_context_new()};
	l->nice = nice_agent_new_full(l->context, NICE_COMPATIBILITY_RFC5245,
				      NICE_AGENT_OPTION_LITE_MODE);
	g_object_set(l->nice, "upnp", FALSE, "ice-tcp", FALSE, NULL);
	nice_address_init(&loopback);
	g_assert_true(nice_address_set_from_string(&loopback, "127.0.0.1"));
	nice_agent_add_local_address(l->nice, &loopback);
	l->stream = nice_agent_add_stream(l->nice, 1);
	g_signal_connect(l->nice, "component-state-changed",
			 G_CALLBACK(lite_state), l);
	nice_agent_attach_recv(l->nice, l->stream, 1, l->context, lite_receive,
			       NULL);
	g_assert_true(nice_agent_gather_candidates(l->nice, l->stream));
	g_assert_true(nice_agent_set_remote_credentials(
		l->nice, l->stream, ice_agent_get_ufrag(remote->agent),
		ice_agent_get_pwd(remote->agent)));
	g_assert_true(nice_agent_get_local_credentials(l->nice, l->stream,
						       &ufrag, &pwd));
	ice_agent_set_remote_credentials(remote->agent, ufrag, pwd);
	list = nice_agent_get_local_candidates(l->nice, l->stream, 1);
	line = nice_agent_generate_local_candidate_sdp(l->nice, list->data);
	/* ours begin without the "a=" */
	g_assert_cmpint(candidate_parse(line + 2, strlen(line + 2), &c), ==, 0);
	ice_agent_add_remote_candidates(remote->agent, &c, 1);
	g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);
	g_free(line);
	g_free(ufrag);
	g_free(pwd);
}

/* Only who controls ends this: nobody else nominates. */
static void test_lite_remote(void)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
	struct bench b;
	struct lite l;

	open_bench(&b);
	b.a.deaf = true;
	open_end(&b.a, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	ice_agent_set_controlling(b.a.agent, true);
	ice_agent_gather_soon(b.a.agent);
	open_lite(&l, &b.a);
	while (!g_atomic_int_get(&l.ready)) {
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		g_main_context_iteration(l.context, FALSE);
		g_usleep(1000);
	}
	await(&b, b.a.path_up && b.a.state == RTC_ICE_COMPLETED);
	g_object_unref(l.nice);
	g_main_context_unref(l.context);
	close_bench(&b);
}

/* Nobody says when: it begins by itself. */
static void test_gather_soon(void)
{
	struct bench b;

	open_bench(&b);
	b.a.deaf = true;
	open_end(&b.a, false, RTC_DEMUX_KERNEL, NULL, 0, false);
	ice_agent_gather_soon(b.a.agent);
	await(&b, b.a.done);
	g_assert_cmpuint(b.a.n_candidates, ==, 1);
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

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice/kernel", test_kernel);
	g_test_add_func("/ice/callback", test_callback);
	g_test_add_func("/ice/peer-reflexive", test_peer_reflexive);
	g_test_add_func("/ice/early-candidates", test_early_candidates);
	g_test_add_func("/ice/port-range", test_port_range);
	g_test_add_func("/ice/two-addresses", test_two_addresses);
	g_test_add_func("/ice/default-addresses", test_default_addresses);
	g_test_add_func("/ice/role-known-late", test_role_known_late);
	g_test_add_func("/ice/gather-soon", test_gather_soon);
	g_test_add_func("/ice/lite", test_lite_remote);
	g_test_add_func("/ice/unknown-source", test_unknown_source);
	g_test_add_func("/ice/consent-lost", test_consent_lost);
	g_test_add_func("/ice/restart", test_restart);
	g_test_add_func("/ice/free-anywhere", test_free_anywhere);
	g_test_add_func("/ice/many", test_many);
	return g_test_run();
}
