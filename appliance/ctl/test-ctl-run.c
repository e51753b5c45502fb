// SPDX-License-Identifier: Apache-2.0
/* skylinkctl as a process of its own, against a server in this one. The test
 * program is both: with --as-skylinkctl it is the client. */
#include "appliance/ctl/ctl-run.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/control/control-config.h"
#include "appliance/ctl/ctl-table.h"

#define DEADLINE_S 60

struct fixture {
	char *dir, *path;
	ControlServer *server;
	Config *config;
	char *last_method, *last_params;
	ControlCall *kept;
};

/* --- a daemon ---------------------------------------------------------------- */
static JsonNode *from_text(const char *text)
{
	JsonNode *node = json_from_string(text, NULL);

	g_assert_nonnull(node);
	return node;
}

static void note_call(ControlCall *call, gpointer user)
{
	struct fixture *f = user;
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(node, control_call_get_params(call));
	g_free(f->last_method);
	g_free(f->last_params);
	f->last_method = g_strdup(control_call_get_method(call));
	f->last_params = json_to_string(node, FALSE);
}

static void run_status(ControlCall *call, gpointer user)
{
	note_call(call, user);
	control_call_reply(call, from_text(
		"{\"version\":\"0.1.0\",\"room\":{\"state\":\"joined\","
		"\"name\":\"lobby\"},\"peers\":[]}"));
}

static void run_peers(ControlCall *call, gpointer user)
{
	note_call(call, user);
	control_call_reply(call, from_text(
		"[{\"peerId\":\"abc\",\"state\":\"connected\"},"
		"{\"peerId\":\"abd\",\"state\":\"connected\"},"
		"{\"peerId\":\"xyz\",\"state\":\"connected\","
		"\"userData\":\"Hall 2\"}]"));
}

static void run_join(ControlCall *call, gpointer user)
{
	const char *room = json_object_get_string_member_with_default(
		control_call_get_params(call), "room", "lobby");
	JsonNode *result;

	note_call(call, user);
	if (!strcmp(room, "locked")) {
		control_call_fail(call, CONTROL_CODE_FAILED,
				  from_text("{\"errorCode\":5}"),
				  "The room is locked");
		return;
	}
	result = from_text("{\"peerId\":\"self1\"}");
	json_object_set_string_member(json_node_get_object(result), "room",
				      room);
	control_call_reply(call, result);
}

static void run_leave(ControlCall *call, gpointer user)
{
	note_call(call, user);
	control_call_reply(call, from_text("{\"previousRoom\":\"lobby\"}"));
}

static void run_mute(ControlCall *call, gpointer user)
{
	note_call(call, user);
	control_call_reply(call, from_text("{}"));
}

/* What is asked is all that matters. */
static void run_noted(ControlCall *call, gpointer user)
{
	note_call(call, user);
	control_call_reply(call, NULL);
}

static void run_logs(ControlCall *call, gpointer user)
{
	note_call(call, user);
	control_call_reply(call, from_text(
		"[[\"12:00\",\"WARN\",\"one \\u001b[2J\",null],"
		"[\"12:01\",\"INFO\",\"two\",{}]]"));
}

static void run_transfers(ControlCall *call, gpointer user)
{
	control_call_reply(call, from_text(
		"[{\"peerId\":\"abc\",\"transferId\":\"t1\",\"state\":"
		"\"request\",\"transferInfo\":{\"name\":\"a\\u001b.txt\","
		"\"size\":1000},\"bytes\":0,\"bytesPerSecond\":0},"
		"{\"peerId\":\"abd\",\"transferId\":\"u1\",\"state\":"
		"\"uploading\",\"transferInfo\":{\"name\":\"b\","
		"\"size\":1000},\"bytes\":500,\"bytesPerSecond\":100}]"));
}

static void run_received(ControlCall *call, gpointer user)
{
	control_call_reply(call, from_text(
		"[{\"name\":\"a.txt\",\"size\":2000000,\"time\":"
		"\"2026-01-01T00:00:00Z\",\"peerId\":\"abc\"}]"));
}

static int make_file(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	g_assert_cmpint(write(fd, text, strlen(text)), ==,
			(gssize) strlen(text));
	return fd;
}

static void run_fetch(ControlCall *call, gpointer user)
{
	int fd = make_file("its bytes\n");

	note_call(call, user);
	control_call_reply_fds(call, from_text("{\"fd\":0}"), &fd, 1);
}

/* The answer is what stands in the file. */
static void run_send_blob(ControlCall *call, gpointer user)
{
	int fd = control_call_take_fd(call, 0);
	char text[32] = "";

	note_call(call, user);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(pread(fd, text, sizeof(text) - 1, 0), >=, 0);
	close(fd);
	control_call_reply(call, json_node_init_string(json_node_alloc(),
						       text));
}

/* Never answers: somebody keeps the call. */
static void run_hang(ControlCall *call, gpointer user)
{
	struct fixture *f = user;

	g_clear_pointer(&f->kept, control_call_unref);
	f->kept = control_call_ref(call);
}

static void run_config(ControlCall *call, gpointer user)
{
	struct fixture *f = user;

	control_config_get(call, f->config);
}

static const ControlHandler handlers[] = {
	{"stats.status", run_status}, {"stats.peers", run_peers},
	{"joinRoom", run_join},	      {"leaveRoom", run_leave},
	{"muteStream", run_mute},     {"getPeerInfo", run_hang},
	{"config.get", run_config},
	{"sendMessage", run_noted},   {"sendP2PMessage", run_noted},
	{"setUserData", run_noted},   {"getUserData", run_noted},
	{"lockRoom", run_noted},      {"unlockRoom", run_noted},
	{"getUserMedia", run_noted},  {"sendStream", run_noted},
	{"stopStream", run_noted},    {"shareScreen", run_noted},
	{"stopScreen", run_noted},    {"refreshConnection", run_noted},
	{"introducePeer", run_noted}, {"getPeers", run_noted},
	{"setDebugMode", run_noted},  {"clearAllLogs", run_noted},
	{"setLogLevel", run_noted},   {"getLogs", run_logs},
	{"acceptDataTransfer", run_noted},
	{"cancelDataTransfer", run_noted},
	{"transfer.list", run_transfers},
	{"transfer.received", run_received},
	{"transfer.fetch", run_fetch}, {"transfer.remove", run_noted},
	{"sendBlobData", run_send_blob},
	{NULL, NULL},
};

static void set_up(struct fixture *f, gconstpointer data)
{
	ControlServerConfig config = {.handlers = handlers, .user = f};
	g_autoptr(GError) error = NULL;

	f->dir = g_dir_make_tmp("skylink-run-XXXXXX", &error);
	g_assert_no_error(error);
	f->path = g_build_filename(f->dir, "control.sock", NULL);
	f->config = config_new();
	config.path = f->path;
	f->server = control_server_new(&config, &error);
	g_assert_no_error(error);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	control_server_free(f->server);
	g_clear_pointer(&f->kept, control_call_unref);
	config_free(f->config);
	g_free(f->last_method);
	g_free(f->last_params);
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_free(f->dir);
	g_free(f->path);
}

/* --- a client ------------------------------------------------------------------ */
struct ctl_process {
	GSubprocess *process;
	char *out, *err;
	gboolean done;
};

static void on_done(GObject *source, GAsyncResult *result, gpointer user)
{
	struct ctl_process *p = user;
	g_autoptr(GError) error = NULL;

	g_subprocess_communicate_utf8_finish(p->process, result, &p->out,
					     &p->err, &error);
	g_assert_no_error(error);
	p->done = TRUE;
}

/* @line: arguments with one blank between; '~' stands for a blank. */
static void spawn(struct fixture *f, struct ctl_process *p, const char *line)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE |
		G_SUBPROCESS_FLAGS_STDERR_PIPE);
	g_autoptr(GError) error = NULL;

	*p = (struct ctl_process){0};
	g_subprocess_launcher_setenv(launcher, "SKYLINK_SOCKET", f->path,
				     TRUE);
	g_ptr_array_add(argv, g_file_read_link("/proc/self/exe", NULL));
	g_ptr_array_add(argv, g_strdup("--as-skylinkctl"));
	for (unsigned int i = 0; words[i]; i++)
		g_ptr_array_add(argv, g_strdelimit(g_strdup(words[i]), "~",
						   ' '));
	g_ptr_array_add(argv, NULL);
	p->process = g_subprocess_launcher_spawnv(
		launcher, (const char *const *) argv->pdata, &error);
	g_assert_no_error(error);
	g_subprocess_communicate_utf8_async(p->process, NULL, NULL, on_done,
					    p);
}

static gboolean on_deadline(gpointer data)
{
	g_error("skylinkctl did not end in %d s", DEADLINE_S);
	return G_SOURCE_REMOVE;
}

/* Return: its exit status. */
static int finish(struct ctl_process *p)
{
	guint deadline = g_timeout_add_seconds(DEADLINE_S, on_deadline, NULL);
	int status;

	while (!p->done)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(deadline);
	g_assert_true(g_subprocess_get_if_exited(p->process));
	status = g_subprocess_get_exit_status(p->process);
	g_object_unref(p->process);
	return status;
}

static void done(struct ctl_process *p)
{
	g_free(p->out);
	g_free(p->err);
}

static void assert_run(struct fixture *f, const char *line, int status,
		       const char *out, const char *err)
{
	struct ctl_process p;
	int got;

	spawn(f, &p, line);
	got = finish(&p);
	if (got != status || !strstr(p.out, out) || !strstr(p.err, err) ||
	    (!err[0] && p.err[0]))
		g_error("'%s' ended with %d, said '%s' and '%s'", line, got,
			p.out, p.err);
	done(&p);
}

static void assert_call(struct fixture *f, const char *method,
			const char *params)
{
	g_assert_cmpstr(f->last_method, ==, method);
	g_assert_cmpstr(f->last_params, ==, params);
}

static void test_verbs(struct fixture *f, gconstpointer data)
{
	assert_run(f, "status", 0, "Room      joined lobby\n", "");
	assert_run(f, "status --json", 0, "{\"version\":\"0.1.0\"", "");
	assert_run(f, "peers", 0, "abc", "");
	assert_run(f, "peers --color always", 0, "\033[32mconnected", "");
	assert_run(f, "join hall", 0, "Joined hall as self1.\n", "");
	assert_call(f, "joinRoom", "{\"room\":\"hall\"}");
	assert_run(f, "join hall -u {\"a\":1}", 0, "Joined", "");
	assert_call(f, "joinRoom", "{\"room\":\"hall\",\"options\":"
				   "{\"userData\":{\"a\":1}}}");
	assert_run(f, "join --user-data Hall~2", 0, "Joined lobby", "");
	assert_call(f, "joinRoom",
		    "{\"options\":{\"userData\":\"Hall 2\"}}");
	assert_run(f, "join hall --json", 0, "{\"peerId\":\"self1\"", "");
	assert_run(f, "leave", 0, "Left lobby.\n", "");
	assert_run(f, "mute audio", 0, "Muted audio.\n", "");
	assert_call(f, "muteStream", "{\"options\":{\"audioMuted\":true}}");
	assert_run(f, "unmute video audio", 0, "Unmuted video and audio.\n",
		   "");
	/* The daemon's table puts them in its own order. */
	assert_call(f, "muteStream", "{\"options\":{\"audioMuted\":false,"
				     "\"videoMuted\":false}}");
	assert_run(f, "call leaveRoom", 0, "\"previousRoom\" : \"lobby\"", "");
	assert_run(f, "call joinRoom [\"x\"] -j", 0, "\"room\":\"x\"", "");
	assert_run(f, "methods", 0, "rpc.discover", "");
	assert_run(f, "methods joinRoom", 0, "joinRoom [room] [options]", "");
	assert_run(f, "events", 0, "peerJoined", "");
	assert_run(f, "config video.fps", 0, "video.fps  30  default\n", "");
	assert_run(f, "help join", 0, "usage: skylinkctl join [ROOM]", "");
	assert_run(f, "join --help", 0, "usage: skylinkctl join [ROOM]", "");
	assert_run(f, "--version", 0, "skylinkctl " PACKAGE_VERSION, "");
	assert_run(f, "completion bash", 0, "complete -F", "");
}

/* What a verb asks of the daemon. */
static void test_room_verbs(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *line, *method, *params;
	} rows[] = {
		{"msg hello~you", "sendMessage", "{\"message\":\"hello you\"}"},
		{"msg {\"a\":1} --p2p abc Hall~2", "sendP2PMessage",
		 "{\"message\":\"{\\\"a\\\":1}\",\"targetPeerId\":[\"abc\","
		 "\"xyz\"]}"},
		{"msg x xy", "sendMessage",
		 "{\"message\":\"x\",\"targetPeerId\":[\"xyz\"]}"},
		{"userdata {\"a\":1}", "setUserData",
		 "{\"userData\":{\"a\":1}}"},
		{"userdata Hall~3", "setUserData", "{\"userData\":\"Hall 3\"}"},
		{"userdata", "getUserData", "{}"},
		{"lock", "lockRoom", "{}"},
		{"unlock", "unlockRoom", "{}"},
		{"stream get", "getUserMedia",
		 "{\"options\":{\"audio\":true,\"video\":true}}"},
		{"stream send --video test", "sendStream",
		 "{\"options\":{\"video\":{\"source\":\"test\"}}}"},
		{"stream send -a no -v yes", "sendStream",
		 "{\"options\":{\"audio\":false,\"video\":true}}"},
		{"stream stop", "stopStream", "{}"},
		{"share", "shareScreen", "{}"},
		{"share test --audio yes", "shareScreen",
		 "{\"enableAudio\":true,\"source\":\"test\"}"},
		{"unshare", "stopScreen", "{}"},
		{"refresh", "refreshConnection", "{\"iceRestart\":false}"},
		{"refresh abc --ice", "refreshConnection",
		 "{\"targetPeerId\":[\"abc\"],\"iceRestart\":true}"},
		{"introduce a b", "introducePeer",
		 "{\"sendingPeerId\":\"a\",\"receivingPeerId\":\"b\"}"},
		{"list-all-peers", "getPeers", "{\"showAll\":true}"},
		{"logs on", "setDebugMode",
		 "{\"options\":{\"storeLogs\":true}}"},
		{"logs off", "setDebugMode",
		 "{\"options\":{\"storeLogs\":false}}"},
		{"logs clear", "clearAllLogs", "{}"},
		{"logs warn", "getLogs", "{\"logLevel\":1}"},
		{"loglevel debug", "setLogLevel", "{\"logLevel\":4}"},
		{"reject", "acceptDataTransfer",
		 "{\"peerId\":\"abc\",\"transferId\":\"t1\"}"},
		{"cancel u", "cancelDataTransfer",
		 "{\"peerId\":\"abd\",\"transferId\":\"u1\"}"},
		{"received remove a.txt", "transfer.remove",
		 "{\"name\":\"a.txt\"}"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		assert_run(f, rows[i].line, 0, "", "");
		assert_call(f, rows[i].method, rows[i].params);
	}
	/* A daemon's words cannot drive a terminal. */
	assert_run(f, "logs", 0, "12:00 WARN one ?[2J\n12:01 INFO two\n", "");
	assert_run(f, "transfers", 0, "a?.txt", "");
	assert_run(f, "received", 0, "a.txt  2 MB", "");
	assert_run(f, "msg x ab", CTL_EXIT_FAILED, "", "can be 2 peers");
	assert_run(f, "msg x hall", CTL_EXIT_FAILED, "", "no peer 'hall'");
	assert_run(f, "info nobody", CTL_EXIT_FAILED, "", "no peer 'nobody'");
	assert_run(f, "cancel", CTL_EXIT_FAILED, "", "can be 2 transfers");
	assert_run(f, "reject u1", CTL_EXIT_FAILED, "", "no such transfer");
	assert_run(f, "stream stop -a no", CTL_EXIT_USAGE, "", "both");
	assert_run(f, "share --audio alsa:", CTL_EXIT_USAGE, "", "yes or no");
	assert_run(f, "loglevel loud", CTL_EXIT_USAGE, "", "'loud'");
	assert_run(f, "received fetch", CTL_EXIT_USAGE, "", "name");
	assert_run(f, "received lose a", CTL_EXIT_USAGE, "", "fetch NAME");
	assert_run(f, "received -o x", CTL_EXIT_USAGE, "", "--output");
}

static void test_files(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->dir, "a.json", NULL);
	g_autofree char *there = g_build_filename(f->dir, "a.txt", NULL);
	g_autofree char *second = g_build_filename(f->dir, "a (2).txt", NULL);
	g_autofree char *fetch = g_strdup_printf(
		"received fetch ../../a.txt -o %s", f->dir);
	g_autofree char *over = g_strdup_printf(
		"received fetch a.txt -o %s", there);
	g_autofree char *call = g_strdup_printf(
		"call sendBlobData {\"data\":{\"fd\":0,\"name\":\"n\"}} "
		"--fd %s", path);
	g_autofree char *at = g_strdup_printf("call joinRoom @%s -j", path);
	g_autofree char *text = NULL;

	g_assert_true(g_file_set_contents(path, "{\"room\":\"r\"}", -1,
					  NULL));
	assert_run(f, call, 0, "{\\\"room\\\":\\\"r\\\"}", "");
	assert_run(f, at, 0, "\"room\":\"r\"", "");
	assert_run(f, "call joinRoom @/none/x", CTL_EXIT_FAILED, "", "/none/x");
	assert_run(f, "call joinRoom --fd /none/x", CTL_EXIT_FAILED, "",
		   "/none/x");
	assert_run(f, "received fetch a.txt -o -", 0, "its bytes\n", "");
	assert_run(f, "call transfer.fetch [\"a\"]", 0, "its bytes\n", "");
	/* Whatever the daemon calls it, it lands where it was told to, beside
	 * what is there. */
	assert_run(f, fetch, 0, "a.txt\n", "");
	assert_run(f, fetch, 0, "a (2).txt\n", "");
	assert_run(f, over, CTL_EXIT_FAILED, "", "a.txt");
	g_assert_true(g_file_get_contents(second, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "its bytes\n");
	g_assert_cmpint(g_unlink(second), ==, 0);
	g_assert_cmpint(g_unlink(there), ==, 0);
	g_assert_cmpint(g_unlink(path), ==, 0);
}

static void test_failures(struct fixture *f, gconstpointer data)
{
	g_autofree char *nobody = g_strdup_printf("status -s %s/none", f->dir);

	assert_run(f, "join locked", CTL_EXIT_FAILED, "",
		   "skylinkctl: The room is locked\n");
	assert_run(f, "join locked --json", CTL_EXIT_FAILED,
		   "{\"error\":{\"code\":-32000,\"message\":\"The room is "
		   "locked\",\"data\":{\"errorCode\":5}}}\n", "locked");
	assert_run(f, "call no.such", CTL_EXIT_FAILED, "", "rpc.discover");
	assert_run(f, "methods zzz", CTL_EXIT_FAILED, "", "'zzz'");
	assert_run(f, "config vidoe", CTL_EXIT_FAILED, "", "\"video\"");
	assert_run(f, "call joinRoom {", CTL_EXIT_USAGE, "", "parameters");
	assert_run(f, "statsu", CTL_EXIT_USAGE, "", "'status'");
	assert_run(f, "call getPeerInfo -t 1", CTL_EXIT_TIMEOUT, "",
		   "in time");
	assert_run(f, nobody, CTL_EXIT_NO_DAEMON, "", "/none: there is no");
	/* A socket file that a killed daemon left behind. */
	{
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		g_autofree char *stale = g_build_filename(f->dir, "stale",
							  NULL);
		g_autofree char *line = g_strdup_printf("status -s %s", stale);

		strcpy(address.sun_path, stale);
		g_assert_cmpint(bind(fd, (struct sockaddr *) &address,
				     sizeof(address)), ==, 0);
		close(fd);
		assert_run(f, line, CTL_EXIT_NO_DAEMON, "",
			   "stale: nobody listens");
		g_assert_cmpint(g_unlink(stale), ==, 0);
	}
}

static void wait_for_subscriber(struct fixture *f)
{
	while (!control_server_has_subscriber(f->server, "peerLeft",
					      CONTROL_ROLE_READ))
		g_main_context_iteration(NULL, TRUE);
}

static void emit(struct fixture *f, const char *name, const char *peer)
{
	g_autoptr(JsonObject) o = json_object_new();

	json_object_set_string_member(o, "peerId", peer);
	control_server_emit(f->server, name, o);
}

static void test_follow(struct fixture *f, gconstpointer data)
{
	struct ctl_process p;

	spawn(f, &p, "events --follow peer* --peer a --count 2 --json");
	wait_for_subscriber(f);
	emit(f, "peerJoined", "a");
	emit(f, "peerJoined", "b");
	emit(f, "streamMuted", "a");
	emit(f, "peerLeft", "a");
	g_assert_cmpint(finish(&p), ==, 0);
	g_assert_cmpstr(p.out, ==,
			"{\"jsonrpc\":\"2.0\",\"method\":\"peerJoined\","
			"\"params\":{\"peerId\":\"a\"}}\n"
			"{\"jsonrpc\":\"2.0\",\"method\":\"peerLeft\","
			"\"params\":{\"peerId\":\"a\"}}\n");
	done(&p);

	/* The daemon ends while somebody follows. */
	spawn(f, &p, "events -f");
	wait_for_subscriber(f);
	emit(f, "peerJoined", "a");
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_clear_pointer(&f->server, control_server_free);
	g_assert_cmpint(finish(&p), ==, CTL_EXIT_LOST);
	g_assert_nonnull(strstr(p.out, " peerJoined peerId=a\n"));
	g_assert_nonnull(strstr(p.err, "closed the connection"));
	done(&p);
}

static void test_daemon_ends_before_the_answer(struct fixture *f,
					       gconstpointer data)
{
	struct ctl_process p;

	spawn(f, &p, "call getPeerInfo");
	while (!f->kept)
		g_main_context_iteration(NULL, TRUE);
	g_clear_pointer(&f->server, control_server_free);
	g_assert_cmpint(finish(&p), ==, CTL_EXIT_LOST);
	done(&p);
}

static void test_many_at_once(struct fixture *f, gconstpointer data)
{
	struct ctl_process p[24];

	for (unsigned int i = 0; i < G_N_ELEMENTS(p); i++)
		spawn(f, &p[i], i % 2 ? "status" : "join hall");
	for (unsigned int i = 0; i < G_N_ELEMENTS(p); i++) {
		g_assert_cmpint(finish(&p[i]), ==, 0);
		g_assert_nonnull(strstr(p[i].out, i % 2 ? "joined lobby"
							: "Joined hall"));
		done(&p[i]);
	}
}

#define ADD(path, fn) \
	g_test_add("/ctl-run/" path, struct fixture, NULL, set_up, fn, \
		   tear_down)

int main(int argc, char *argv[])
{
	if (argc > 1 && !strcmp(argv[1], "--as-skylinkctl"))
		return ctl_run(argc - 1, argv + 1, stdout, stderr);
	g_test_init(&argc, &argv, NULL);
	ADD("verbs", test_verbs);
	ADD("room-verbs", test_room_verbs);
	ADD("files", test_files);
	ADD("failures", test_failures);
	ADD("follow", test_follow);
	ADD("daemon-ends", test_daemon_ends_before_the_answer);
	ADD("many", test_many_at_once);
	return g_test_run();
}
