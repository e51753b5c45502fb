// SPDX-License-Identifier: Apache-2.0
/* STUN and TURN servers: dead ones, and a real coturn. */
#include "webrtc/ice-test.h"
#include "webrtc/port-test.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

/* It must not outlive a test that fails. */
static void die_with_us(gpointer unused)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static GSubprocess *start_turn(uint16_t port)
{
	g_autofree char *listen = g_strdup_printf("%u", port);
	GSubprocessLauncher *launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
					  G_SUBPROCESS_FLAGS_STDERR_SILENCE);
	GSubprocess *p;

	g_subprocess_launcher_set_child_setup(launcher, die_with_us, NULL,
					      NULL);
	p = g_subprocess_launcher_spawn(
		launcher, NULL, "turnserver", "-n", "-L", "127.0.0.1", "-E",
		"127.0.0.1", "-p", listen, "--lt-cred-mech", "-u", "bob:secret",
		"-r", "test", "--no-cli", "--no-tls", "--no-dtls",
		"--allow-loopback-peers", "--log-file", "stdout", "--pidfile",
		"/dev/null", "--userdb", "/dev/null", NULL);
	g_object_unref(launcher);
	if (!p || await_stun(port))
		return p;
	g_subprocess_force_exit(p);
	g_object_unref(p);
	return NULL;
}

static void check_relay(uint16_t port, const char *query, const char *host,
			bool both)
{
	g_autofree char *url =
		g_strdup_printf("turn:bob@%s:%u%s", host, port, query);
	const struct rtc_ice_server server = {.url = url,
					      .credential = "secret"};
	struct ice_agent_stats stats;
	clock_t before;
	struct bench b;

	g_test_message("%s", url);
	open_bench(&b);
	open_end(&b.a, true, RTC_DEMUX_AUTO, &server, 1, true);
	open_end(&b.b, false, RTC_DEMUX_AUTO, &server, both ? 1 : 0, both);
	connect_ends(&b);
	g_assert_cmpint(b.a.kind, ==, ICE_PATH_RELAYED);
	g_assert_nonnull(strstr(b.a.pair, "relay 127.0.0.1:"));
	g_assert_cmpint(b.b.kind, ==,
			both ? ICE_PATH_RELAYED : ICE_PATH_KERNEL);
	exchange_packets(&b, 2000);
	ice_agent_get_stats(b.a.agent, &stats);
	g_assert_cmpuint(stats.tx_relayed, ==, b.b.received);
	g_assert_cmpuint(stats.rx_callback, ==, b.a.received);
	g_assert_cmpuint(stats.tx_relay_full, ==, 0);
	/* The server's goodbye once made the ice thread spin for seconds. */
	before = clock();
	close_bench(&b);
	g_assert_cmpint(clock() - before, <, CLOCKS_PER_SEC / 2);
}

static void test_relay(void)
{
	char *path = g_find_program_in_path("turnserver");
	uint16_t port = find_free_port();
	GSubprocess *turn;

	if (!path) {
		g_test_skip("turnserver (package coturn) is not installed");
		return;
	}
	g_free(path);
	turn = start_turn(port);
	if (!turn) {
		g_test_skip("turnserver does not start here");
		return;
	}
	check_relay(port, "", "127.0.0.1", true);
	check_relay(port, "?transport=udp", "localhost", false);
	check_relay(port, "?transport=tcp", "127.0.0.1", false);
	g_subprocess_send_signal(turn, SIGTERM);
	g_subprocess_wait(turn, NULL, NULL);
	g_object_unref(turn);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice-server/dead-servers", test_dead_servers);
	g_test_add_func("/ice-server/relay", test_relay);
	return g_test_run();
}
