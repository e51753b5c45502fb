// SPDX-License-Identifier: Apache-2.0
/* Our DTLS against the openssl program, over UDP on the loopback: both roles,
 * an RSA certificate, each SRTP profile, and none. */
#include "webrtc/dtls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib.h>
#include <glib/gstdio.h>

#define DEADLINE_US (60 * G_USEC_PER_SEC)

struct peer {
	char *openssl;			/* NULL: not installed */
	char *dir, *cert, *key, *fingerprint;
};

struct run {
	int fd;
	struct sockaddr_in remote;
	GSubprocess *process;
	int out, in;			/* its standard output and input */
	GString *printed;
	struct dtls_identity *identity;
	struct dtls *dtls;
	bool connected, closed;
	enum dtls_reason reason;
	GString *got;
};

static uint64_t now(void)
{
	return (uint64_t) g_get_monotonic_time();
}

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct run *r = user;

	g_assert_cmpuint(len, <=, DTLS_MTU_BYTES);
	g_assert_cmpint(sendto(r->fd, data, len, 0,
			       (struct sockaddr *) &r->remote,
			       sizeof(r->remote)),
			==, len);
}

static void on_connected(void *user)
{
	((struct run *) user)->connected = true;
}

static void on_data(void *user, const uint8_t *data, size_t len)
{
	g_string_append_len(((struct run *) user)->got, (const char *) data,
			    (gssize) len);
}

static void on_closed(void *user, enum dtls_reason reason, const char *detail)
{
	struct run *r = user;

	g_test_message("closed: %s", detail);
	r->closed = true;
	r->reason = reason;
}

static const struct dtls_ops ops = {on_send, on_connected, on_data, on_closed};

/* Handles what comes within 50 ms. */
static void turn(struct run *r)
{
	struct pollfd fds[] = {{r->fd, POLLIN, 0}, {r->out, POLLIN, 0}};
	uint8_t data[2048];
	ssize_t n;

	g_assert_cmpint(poll(fds, 2, 50), >=, 0);
	if (fds[0].revents & POLLIN) {
		socklen_t len = sizeof(r->remote);

		n = recvfrom(r->fd, data, sizeof(data), 0,
			     (struct sockaddr *) &r->remote, &len);
		if (n > 0)
			dtls_input(r->dtls, data, (size_t) n, now());
	}
	if (fds[1].revents & POLLIN) {
		n = read(r->out, data, sizeof(data));
		if (n > 0)
			g_string_append_len(r->printed, (char *) data, n);
	}
	dtls_timer(r->dtls, now());
}

#define run_until(r, condition)                                    \
	do {                                                       \
		uint64_t end_ = now() + DEADLINE_US;               \
		while (!(condition) && now() < end_)               \
			turn(r);                                   \
		if (!(condition))                                  \
			g_test_message("it printed: %s",           \
				       (r)->printed->str);         \
		g_assert_true(condition);                          \
	} while (0)

static void run_program(const char *const *argv, char **ret_printed)
{
	g_autoptr(GError) error = NULL;
	int status;

	g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL,
		     NULL, NULL, ret_printed, NULL, &status, &error);
	g_assert_no_error(error);
	g_assert_cmpint(status, ==, 0);
}

static void peer_init(struct peer *p)
{
	g_autofree char *text = NULL;
	char *equals;

	p->openssl = g_find_program_in_path("openssl");
	if (!p->openssl)
		return;
	p->dir = g_dir_make_tmp("dtls-XXXXXX", NULL);
	p->cert = g_build_filename(p->dir, "cert", NULL);
	p->key = g_build_filename(p->dir, "key", NULL);
	{
		const char *req[] = {p->openssl, "req", "-x509", "-newkey",
				     "rsa:2048", "-nodes", "-subj", "/CN=x",
				     "-keyout", p->key, "-out", p->cert, NULL};
		const char *show[] = {p->openssl, "x509", "-in", p->cert,
				      "-noout", "-fingerprint", "-sha512",
				      NULL};

		run_program(req, NULL);
		run_program(show, &text);
	}
	equals = strchr(text, '=');
	g_assert_nonnull(equals);
	p->fingerprint = g_strstrip(g_strdup(equals + 1));
}

static void peer_done(struct peer *p)
{
	if (p->openssl) {
		g_unlink(p->cert);
		g_unlink(p->key);
		g_rmdir(p->dir);
	}
	g_free(p->openssl);
	g_free(p->dir);
	g_free(p->cert);
	g_free(p->key);
	g_free(p->fingerprint);
}

/* A socket of our own; its port, in text, becomes the peer's target. */
static int udp_socket(struct sockaddr_in *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_in) {.sin_family = AF_INET};
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g_assert_cmpint(bind(fd, (struct sockaddr *) ret, sizeof(*ret)), ==,
			0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *) ret, &len), ==,
			0);
	return fd;
}

static void spawn(struct run *r, const char *const *argv)
{
	g_autoptr(GError) error = NULL;

	r->process = g_subprocess_newv(argv,
				       G_SUBPROCESS_FLAGS_STDIN_PIPE |
					       G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					       G_SUBPROCESS_FLAGS_STDERR_MERGE,
				       &error);
	g_assert_no_error(error);
	r->out = g_unix_input_stream_get_fd(G_UNIX_INPUT_STREAM(
		g_subprocess_get_stdout_pipe(r->process)));
	r->in = g_unix_output_stream_get_fd(G_UNIX_OUTPUT_STREAM(
		g_subprocess_get_stdin_pipe(r->process)));
}

static void run_init(struct run *r, enum dtls_role role, const char *promise)
{
	*r = (struct run) {.printed = g_string_new(NULL),
			   .got = g_string_new(NULL)};
	g_assert_cmpint(dtls_identity_new(&r->identity), ==, 0);
	g_assert_cmpint(dtls_new(r->identity, role, &ops, r, &r->dtls), ==, 0);
	g_assert_cmpint(dtls_set_remote_fingerprint(r->dtls, "sha-512",
						    promise, now()),
			==, 0);
}

static void run_done(struct run *r)
{
	r->dtls = dtls_free(r->dtls);
	dtls_identity_unref(r->identity);
	if (r->process) {
		g_subprocess_force_exit(r->process);
		g_subprocess_wait(r->process, NULL, NULL);
		g_object_unref(r->process);
	}
	close(r->fd);
	g_string_free(r->printed, TRUE);
	g_string_free(r->got, TRUE);
}

static void check_talk(struct run *r, enum srtp_profile want)
{
	struct srtp_master send, receive;
	enum srtp_profile profile;

	run_until(r, r->connected);
	g_assert_cmpint(dtls_get_srtp(r->dtls, &profile, &send, &receive), ==,
			0);
	g_assert_cmpint(profile, ==, want);
	g_assert_cmpint(write(r->in, "from openssl\n", 13), ==, 13);
	run_until(r, strstr(r->got->str, "from openssl"));
	g_assert_cmpint(dtls_write(r->dtls, (const uint8_t *) "from us\n", 8),
			==, 0);
	run_until(r, strstr(r->printed->str, "from us"));
}

static const char *profiles_of(enum srtp_profile want)
{
	return want == SRTP_PROFILE_AEAD_AES_128_GCM ?
		       /* its preference is not ours */
		       "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM" :
		       "SRTP_AES128_CM_SHA1_80";
}

static void test_s_client(gconstpointer data)
{
	enum srtp_profile want = GPOINTER_TO_UINT(data);
	g_autofree char *target = NULL;
	struct sockaddr_in local;
	struct peer p = {0};
	struct run r;

	peer_init(&p);
	if (!p.openssl) {
		g_test_skip("the openssl program is not installed");
		return;
	}
	run_init(&r, DTLS_SERVER, p.fingerprint);
	r.fd = udp_socket(&local);
	target = g_strdup_printf("127.0.0.1:%u", ntohs(local.sin_port));
	{
		const char *argv[] = {p.openssl, "s_client", "-dtls1_2",
				      "-connect", target, "-cert", p.cert,
				      "-key", p.key, "-mtu", "1200",
				      want ? "-use_srtp" : NULL,
				      profiles_of(want), NULL};

		spawn(&r, argv);
	}
	if (want) {
		check_talk(&r, want);
		g_assert_true(g_str_has_prefix(dtls_get_cipher(r.dtls),
					       "ECDHE-ECDSA-"));
		/* End of input makes it close. */
		g_output_stream_close(
			g_subprocess_get_stdin_pipe(r.process), NULL, NULL);
		run_until(&r, r.closed);
		g_assert_cmpint(r.reason, ==, DTLS_REASON_REMOTE);
	} else {
		run_until(&r, r.closed);
		g_assert_cmpint(r.reason, ==, DTLS_REASON_SRTP);
		g_assert_false(r.connected);
	}
	run_done(&r);
	peer_done(&p);
}

static void test_s_server(gconstpointer data)
{
	enum srtp_profile want = GPOINTER_TO_UINT(data);
	g_autofree char *port = NULL;
	struct sockaddr_in unused;
	struct peer p = {0};
	struct run r;

	peer_init(&p);
	if (!p.openssl) {
		g_test_skip("the openssl program is not installed");
		return;
	}
	run_init(&r, DTLS_CLIENT, p.fingerprint);
	r.fd = udp_socket(&unused);
	/* A port that was free a moment ago. */
	close(udp_socket(&r.remote));
	port = g_strdup_printf("%u", ntohs(r.remote.sin_port));
	{
		const char *argv[] = {p.openssl, "s_server", "-4", "-dtls1_2",
				      "-accept", port, "-cert", p.cert, "-key",
				      p.key, "-Verify", "1", "-mtu", "1200",
				      "-use_srtp", profiles_of(want), NULL};

		spawn(&r, argv);
	}
	run_until(&r, strstr(r.printed->str, "ACCEPT"));
	dtls_start(r.dtls, now());
	/* As the client we take the server's choice, and it has RSA. */
	check_talk(&r, SRTP_PROFILE_AES128_CM_SHA1_80);
	g_assert_true(g_str_has_prefix(dtls_get_cipher(r.dtls),
				       "ECDHE-RSA-"));
	dtls_close(r.dtls);
	run_done(&r);
	peer_done(&p);
}

int main(int argc, char *argv[])
{
	gpointer gcm = GUINT_TO_POINTER(SRTP_PROFILE_AEAD_AES_128_GCM);
	gpointer cm = GUINT_TO_POINTER(SRTP_PROFILE_AES128_CM_SHA1_80);

	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/dtls-interop/s_client/gcm", gcm, test_s_client);
	g_test_add_data_func("/dtls-interop/s_client/cm", cm, test_s_client);
	g_test_add_data_func("/dtls-interop/s_client/no-srtp", NULL,
			     test_s_client);
	g_test_add_data_func("/dtls-interop/s_server/both", gcm,
			     test_s_server);
	g_test_add_data_func("/dtls-interop/s_server/cm", cm, test_s_server);
	return g_test_run();
}
