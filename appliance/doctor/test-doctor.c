// SPDX-License-Identifier: Apache-2.0
/* Against what is really broken: a dead port, a room server that does not know
 * the key, an expired certificate, a full disk. The clock that is wrong is a
 * mock server's. */
#include "appliance/doctor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/roomserver/room-server.h"
#include "appliance/signaling/tls-test.h"
#include "webrtc/stun-probe.h"
#include "webrtc/port-test.h"

struct fixture {
	char *dir;
	DoctorInput input;
	DoctorReport *report;
	struct room_server *server;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("doctor-XXXXXX", NULL);
	g_assert_nonnull(f->dir);
	f->report = doctor_report_new();
	f->input.app_key = g_strdup("demo");
	f->input.room = g_strdup("lobby");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	static const char *const files[] = {"all.pem", "ca.pem", "secret",
					    "skylink.conf", "full"};

	room_server_free(f->server);
	doctor_input_clear(&f->input);
	doctor_report_unref(f->report);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(f->dir, files[i],
							 NULL);

		g_remove(path);
	}
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_free(f->dir);
}

static char *put(struct fixture *f, const char *name, const char *text)
{
	char *path = g_build_filename(f->dir, name, NULL);

	g_assert_true(g_file_set_contents_full(path, text, -1,
					       G_FILE_SET_CONTENTS_NONE, 0600,
					       NULL));
	return path;
}

static void start_server(struct fixture *f, const char *certificate)
{
	struct room_server_config config = {
		.listen = "127.0.0.1:0", .app_key = "demo",
		.viewer_room = "lobby", .tls = certificate != NULL,
		.certificate = certificate, .certificate_key = certificate,
	};
	g_autoptr(GError) error = NULL;

	f->server = room_server_new(&config, &error);
	g_assert_no_error(error);
	f->input.server = g_strdup_printf("%s://127.0.0.1:%u",
					  certificate ? "https" : "http",
					  room_server_get_port(f->server));
}

/* The row of that check, the @skip-th; all of the report is printed when there
 * is none. Its state must be @state, and what it says match @pattern. */
static void assert_row(struct fixture *f, const char *check, const char *state,
		       const char *pattern)
{
	g_autoptr(JsonNode) node = doctor_report_take(f->report);
	JsonArray *rows = json_node_get_array(node);
	g_autofree char *all = json_to_string(node, TRUE);

	for (guint i = 0; i < json_array_get_length(rows); i++) {
		JsonObject *o = json_array_get_object_element(rows, i);
		const char *advice;

		/* Whoever is told of a finding is told what to do. */
		advice = json_object_get_string_member_with_default(o, "advice",
								    NULL);
		if (!strcmp(json_object_get_string_member(o, "state"),
			    "failed") ||
		    !strcmp(json_object_get_string_member(o, "state"),
			    "warning"))
			g_assert_true(advice && *advice);
		if (strcmp(json_object_get_string_member(o, "check"), check) ||
		    !g_pattern_match_simple(
			    pattern, json_object_get_string_member(o, "what")))
			continue;
		g_assert_cmpstr(json_object_get_string_member(o, "state"), ==,
				state);
		return;
	}
	g_error("no row '%s' is '%s': %s", check, pattern, all);
}

/* --- the room server -------------------------------------------------------- */
static void test_good_server(struct fixture *f, gconstpointer data)
{
	start_server(f, NULL);
	doctor_check_room_server(&f->input, f->report);
	assert_row(f, "name", "ok", "*is an address");
	assert_row(f, "connection", "ok", "127.0.0.1 answers on port *");
	assert_row(f, "certificate", "skipped", "*without TLS");
	assert_row(f, "room-server", "ok", "*key 'demo' into room 'lobby'*");
}

static void test_wrong_key(struct fixture *f, gconstpointer data)
{
	start_server(f, NULL);
	g_free(f->input.app_key);
	f->input.app_key = g_strdup("stranger");
	doctor_check_room_server(&f->input, f->report);
	assert_row(f, "connection", "ok", "*");
	assert_row(f, "room-server", "failed", "*unknown app key*4001*");
}

static void test_dead_port(struct fixture *f, gconstpointer data)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	/* taken, and nobody listens */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(bind(fd, (struct sockaddr *) &at, len), ==, 0);
	getsockname(fd, (struct sockaddr *) &at, &len);
	f->input.server = g_strdup_printf("http://127.0.0.1:%u",
					  ntohs(at.sin_port));
	doctor_check_room_server(&f->input, f->report);
	close(fd);
	assert_row(f, "connection", "failed", "*Connection refused*");
	assert_row(f, "clock", "skipped", "*");
	assert_row(f, "room-server", "skipped", "There is no connection");
}

static void test_no_such_name(struct fixture *f, gconstpointer data)
{
	/* RFC 6761: never resolved */
	f->input.server = g_strdup("http://room.invalid");
	doctor_check_room_server(&f->input, f->report);
	assert_row(f, "name", "failed", "room.invalid cannot be resolved*");
	assert_row(f, "room-server", "skipped", "*");
}

static void check_certificate(struct fixture *f, int hours, gboolean trusted)
{
	g_autofree char *ca = NULL;
	g_autofree char *all = tls_test_make("IP:127.0.0.1", hours, &ca);
	g_autofree char *path = put(f, "all.pem", all);
	g_autofree char *ca_path = put(f, "ca.pem", ca);

	start_server(f, path);
	if (trusted)
		f->input.access.ca_file = g_steal_pointer(&ca_path);
	doctor_check_room_server(&f->input, f->report);
	assert_row(f, "connection", "ok", "*");
}

static void test_good_certificate(struct fixture *f, gconstpointer data)
{
	check_certificate(f, 24 * 400, TRUE);
	assert_row(f, "certificate", "ok", "It is accepted, until *");
	assert_row(f, "room-server", "ok", "*");
}

static void test_certificate_ends_soon(struct fixture *f, gconstpointer data)
{
	check_certificate(f, 48, TRUE);
	assert_row(f, "certificate", "warning", "*only until *");
	assert_row(f, "room-server", "ok", "*");
}

static void test_expired_certificate(struct fixture *f, gconstpointer data)
{
	check_certificate(f, -1, TRUE);
	assert_row(f, "certificate", "failed", "*has expired*");
	assert_row(f, "room-server", "skipped", "*certificate*");
}

static void test_strange_certificate(struct fixture *f, gconstpointer data)
{
	check_certificate(f, 24 * 400, FALSE);
	assert_row(f, "certificate", "failed", "*nobody trusted here*");
}

/* --- a mock, for the clock --------------------------------------------------- */
static void on_request(SoupServer *server, SoupServerMessage *message,
		       const char *path, GHashTable *query, gpointer data)
{
	/* libsoup adds its Date only where there is none. */
	soup_message_headers_replace(
		soup_server_message_get_response_headers(message), "Date",
		"Thu, 01 Jan 2015 00:00:00 GMT");
	soup_server_message_set_status(message, 200, NULL);
	soup_server_message_set_response(message, "text/html",
					 SOUP_MEMORY_STATIC, "<p>", 3);
}

static void serve_mock(SoupServer **server, GMainContext *context, guint *port)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	g_main_context_push_thread_default(context);
	*server = soup_server_new(NULL, NULL);
	soup_server_add_handler(*server, NULL, on_request, NULL, NULL);
	soup_server_listen_local(*server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(*server);
	*port = (guint) g_uri_get_port(uris->data);
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	g_main_context_pop_thread_default(context);
}

static gpointer run_loop(gpointer loop)
{
	GMainContext *context = g_main_loop_get_context(loop);

	g_main_context_push_thread_default(context);
	g_main_loop_run(loop);
	g_main_context_pop_thread_default(context);
	return NULL;
}

static gboolean quit(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static void test_clock(struct fixture *f, gconstpointer data)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	g_autoptr(GMainLoop) loop = g_main_loop_new(context, FALSE);
	SoupServer *server;
	GThread *thread;
	guint port;

	serve_mock(&server, context, &port);
	thread = g_thread_new("mock", run_loop, loop);
	f->input.server = g_strdup_printf("http://127.0.0.1:%u", port);
	doctor_check_room_server(&f->input, f->report);
	g_main_context_invoke(context, quit, loop);
	g_thread_join(thread);
	soup_server_disconnect(server);
	g_object_unref(server);
	assert_row(f, "clock", "failed", "It is * s ahead of the server's");
	assert_row(f, "room-server", "failed", "*");
}

static void test_no_room(struct fixture *f, gconstpointer data)
{
	doctor_check_room_server(&f->input, f->report);
	assert_row(f, "room-server", "warning", "No room is configured");
}

/* --- STUN ---------------------------------------------------------------------- */
static void wait_for_stun(guint16 port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	struct sockaddr_storage seen;

	while (stun_probe((struct sockaddr *) &at, sizeof(at), false, 1000,
			  &seen) < 0) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(20000);
	}
}

static void test_coturn(struct fixture *f, gconstpointer data)
{
	g_autofree char *program = g_find_program_in_path("turnserver");
	guint16 port = find_free_port(), dead = find_free_port();
	g_autofree char *port_text = g_strdup_printf("%u", port);
	char *argv[] = {program, (char *) "-n", (char *) "--listening-ip",
			(char *) "127.0.0.1", (char *) "--listening-port",
			port_text, (char *) "--no-tls", (char *) "--no-dtls",
			(char *) "--no-cli", (char *) "--log-file",
			(char *) "/dev/null", (char *) "--pidfile",
			(char *) "/dev/null", NULL};
	g_auto(GStrv) urls = g_new0(char *, 4);
	g_autofree char *good = NULL, *bad = NULL;
	GPid pid;

	if (!program) {
		g_test_skip("coturn is not installed");
		return;
	}
	g_assert_true(g_spawn_async(f->dir, argv, NULL,
				    G_SPAWN_DO_NOT_REAP_CHILD |
				    G_SPAWN_STDOUT_TO_DEV_NULL |
				    G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
				    &pid, NULL));
	wait_for_stun(port);
	urls[0] = g_strdup_printf("stun:127.0.0.1:%u", port);
	urls[1] = g_strdup_printf("turn:me@127.0.0.1:%u?transport=tcp", port);
	urls[2] = g_strdup_printf("turn:me@127.0.0.1:%u", dead);
	f->input.ice_urls = g_steal_pointer(&urls);
	doctor_check_ice(&f->input, f->report);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	good = g_strdup_printf("stun:127.0.0.1:%u answers, and sees this box "
			       "as 127.0.0.1", port);
	assert_row(f, "ice-server", "ok", good);
	g_free(good);
	good = g_strdup_printf("turn:127.0.0.1:%u (TCP) answers*", port);
	assert_row(f, "ice-server", "ok", good);
	bad = g_strdup_printf("turn:127.0.0.1:%u: Connection refused", dead);
	assert_row(f, "ice-server", "failed", bad);
}

static void test_no_ice(struct fixture *f, gconstpointer data)
{
	doctor_check_ice(&f->input, f->report);
	assert_row(f, "ice-server", "skipped", "*the box is in none");
}

/* It would answer a plain request with silence, and be called dead. */
static void test_turn_over_tls(struct fixture *f, gconstpointer data)
{
	static const char *const urls[] = {"turns:user@127.0.0.1:9", NULL};

	f->input.ice_urls = g_strdupv((char **) urls);
	doctor_check_ice(&f->input, f->report);
	assert_row(f, "ice-server", "skipped",
		   "turns:127.0.0.1:9: not used: *without TLS");
}

/* --- this machine ---------------------------------------------------------------- */
static void test_missing_camera(struct fixture *f, gconstpointer data)
{
	f->input.video_source = g_strdup("v4l2:/dev/v4l/by-id/not-there");
	f->input.audio_source = g_strdup("none");
	doctor_check_devices(&f->input, f->report);
	assert_row(f, "camera", "failed", "*configured, but it is not there");
}

static void test_stand_ins(struct fixture *f, gconstpointer data)
{
	f->input.video_source = g_strdup("none");
	f->input.audio_source = g_strdup("none");
	f->input.picture = (struct doctor_stand_in){
		.source = g_strdup("v4l2:Door"),
		.why = g_strdup("no camera is named 'Door'"), .for_s = 725,
	};
	f->input.sound = (struct doctor_stand_in){
		.source = g_strdup("alsa:Desk"), .why = g_strdup("busy"),
		.for_s = 3,
	};
	doctor_check_devices(&f->input, f->report);
	assert_row(f, "camera", "warning",
		   "A placeholder picture has stood in for 'v4l2:Door' for "
		   "12 min 5 s: no camera is named 'Door'");
	assert_row(f, "microphone", "warning",
		   "Silence has stood in for 'alsa:Desk' for 3 s: busy");
}

static void test_devices_that_nobody_wants(struct fixture *f,
					   gconstpointer data)
{
	g_autoptr(JsonNode) node = NULL;

	f->input.video_source = g_strdup("none");
	f->input.audio_source = g_strdup("file:/srv/music.ogg");
	doctor_check_devices(&f->input, f->report);
	node = doctor_report_take(f->report);
	/* Whatever is plugged into this machine. */
	for (guint i = 0; i < 2; i++)
		g_assert_cmpstr(json_object_get_string_member(
					json_array_get_object_element(
						json_node_get_array(node), i),
					"state"), ==, "skipped");
}

static void test_config(struct fixture *f, gconstpointer data)
{
	g_autofree char *secret = put(f, "secret", "s3cret\n");
	g_autofree char *text = g_strdup_printf(
		"[room]\nsecret_file = %s\n[video]\nbitrat = 1M\n", secret);

	f->input.config_path = put(f, "skylink.conf", text);
	f->input.config_given = TRUE;
	doctor_check_config(&f->input, f->report);
	assert_row(f, "configuration", "failed", "*skylink.conf:4: *bitrate*");
	assert_row(f, "secret room.secret_file", "ok", "*");

	doctor_report_unref(f->report);
	f->report = doctor_report_new();
	g_assert_cmpint(g_chmod(secret, 0644), ==, 0);
	doctor_check_config(&f->input, f->report);
	assert_row(f, "secret room.secret_file", "failed", "*secret*");
}

/* Fills the disk, and looks. In a mount namespace of this thread's own. */
static void test_full_disk(struct fixture *f, gconstpointer data)
{
	g_autofree char *full = NULL;
	char block[4096] = {0};
	int fd;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", f->dir, "tmpfs", 0, "size=64k") < 0) {
		g_test_skip("a file system of one's own needs root");
		return;
	}
	f->input.state_dir = g_strdup(f->dir);
	f->input.spool_dir = g_build_filename(f->dir, "received", NULL);
	f->input.quota_bytes = 1000000;
	doctor_check_disk(&f->input, f->report);
	assert_row(f, "state-directory", "ok", "*");
	assert_row(f, "disk-space", "warning", "* are free in *");

	full = g_build_filename(f->dir, "full", NULL);
	fd = g_open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	g_assert_cmpint(errno, ==, ENOSPC);
	close(fd);
	doctor_report_unref(f->report);
	f->report = doctor_report_new();
	doctor_check_disk(&f->input, f->report);
	assert_row(f, "state-directory", "failed", "*No space left*");
	assert_row(f, "spool", "failed", "*No space left*");
	g_assert_cmpint(umount2(f->dir, MNT_DETACH), ==, 0);
}

static void test_kernel(struct fixture *f, gconstpointer data)
{
	f->input.io = g_strdup("epoll");
	f->input.io_reason = g_strdup("io_uring_setup: not permitted");
	f->input.demux = g_strdup("callback");
	f->input.demux_reason = g_strdup("a sandbox refuses");
	f->input.socket = g_build_filename(f->dir, "control.sock", NULL);
	doctor_check_kernel(&f->input, f->report);
	doctor_check_rights(&f->input, f->report);
	assert_row(f, "io_uring", "warning", "Not in use: *not permitted");
	assert_row(f, "reuseport-bpf", "warning", "a sandbox refuses");
	assert_row(f, "control-socket", "failed", "*No such file*");
}

/* --- the report --------------------------------------------------------------------- */
static void test_report(struct fixture *f, gconstpointer data)
{
	g_autoptr(JsonNode) rows = NULL;

	/* Somebody did not come back. */
	doctor_begin(f->report, "camera");
	assert_row(f, "camera", "failed", "*did not come to its end*");
	g_assert_false(doctor_report_cancel(f->report, 1));
	for (int i = 0; i < DOCTOR_ROWS_MAX + 10; i++)
		doctor_add(f->report, "x", DOCTOR_OK, NULL, "bad \xff bytes");
	/* and now it has, without a look at anything */
	doctor_run(&f->input, f->report);
	g_assert_true(doctor_report_cancel(f->report, 0));
	rows = doctor_report_take(f->report);
	g_assert_cmpuint(json_array_get_length(json_node_get_array(rows)), ==,
			 DOCTOR_ROWS_MAX);
}

#define ADD(name, test)                                                   \
	g_test_add("/doctor/" name, struct fixture, NULL, set_up, test,   \
		   tear_down)

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	ADD("good-server", test_good_server);
	ADD("wrong-key", test_wrong_key);
	ADD("dead-port", test_dead_port);
	ADD("no-such-name", test_no_such_name);
	ADD("good-certificate", test_good_certificate);
	ADD("certificate-ends-soon", test_certificate_ends_soon);
	ADD("expired-certificate", test_expired_certificate);
	ADD("strange-certificate", test_strange_certificate);
	ADD("clock", test_clock);
	ADD("no-room", test_no_room);
	ADD("coturn", test_coturn);
	ADD("no-ice", test_no_ice);
	ADD("turn-over-tls", test_turn_over_tls);
	ADD("missing-camera", test_missing_camera);
	ADD("stand-ins", test_stand_ins);
	ADD("unwanted-devices", test_devices_that_nobody_wants);
	ADD("config", test_config);
	ADD("full-disk", test_full_disk);
	ADD("kernel", test_kernel);
	ADD("report", test_report);
	return g_test_run();
}
