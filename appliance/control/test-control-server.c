// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/control/control-credentials.h"
#include "appliance/control/control-line.h"

#define DEADLINE_US (60 * G_USEC_PER_SEC)

struct fixture {
	char *dir, *path;
	GMainContext *context;
	ControlServer *server;
	ControlCall *kept;		/* by the method "keep" */
	unsigned int pings;
	unsigned int max_clients;
};

/* --- the methods of these tests ------------------------------------------ */
static const ControlParam echo_params[] = {
	{.name = "text", .type = CONTROL_STRING, .max = 65536, .help = "Text."},
	{.name = "n", .type = CONTROL_INT, .optional = true, .min = 1,
	 .max = 100000, .help = "Times."},
	{.name = "kind", .type = CONTROL_STRING, .optional = true,
	 .values = "audio|video", .help = "Kind."},
	{.name = "list", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Strings."},
	{.name = NULL},
};

static const ControlMethod methods[] = {
	{"test.echo", CONTROL_ROLE_READ, echo_params, "the text", "Echoes."},
	{"test.keep", CONTROL_ROLE_OPERATE, NULL, "later", "Answers later."},
	{"test.forget", CONTROL_ROLE_ADMIN, NULL, "never", "Never answers."},
	{"test.unserved", CONTROL_ROLE_READ, NULL, "-", "Has no handler."},
	{.name = NULL},
};

static const ControlEvent events[] = {
	{"peerJoined", "peerId", "One."},
	{"peerLeft", "peerId", "Two."},
	{"stats.codec", "codec", "Three."},
	{NULL, NULL, NULL},
};

static void run_echo(ControlCall *call, gpointer user)
{
	struct fixture *f = user;
	JsonObject *params = control_call_get_params(call);
	gint64 n = json_object_get_int_member_with_default(params, "n", 1);
	const char *text = json_object_get_string_member(params, "text");
	GString *s = g_string_new(NULL);

	f->pings++;
	for (gint64 i = 0; i < n; i++)
		g_string_append(s, text);
	control_call_reply(call, json_node_init_string(json_node_alloc(),
						       s->str));
	g_string_free(s, TRUE);
}

static void run_keep(ControlCall *call, gpointer user)
{
	struct fixture *f = user;

	g_assert_null(f->kept);
	f->kept = control_call_ref(call);
}

static void run_forget(ControlCall *call, gpointer user)
{
}

static const ControlHandler handlers[] = {
	{"test.echo", run_echo},
	{"test.keep", run_keep},
	{"test.forget", run_forget},
	{NULL, NULL},
};

static ControlServer *start(struct fixture *f, GError **error)
{
	ControlServerConfig config = {
		.context = f->context,
		.path = f->path,
		.methods = methods,
		.events = events,
		.handlers = handlers,
		.user = f,
		.max_clients = f->max_clients,
	};

	return control_server_new(&config, error);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->dir = g_dir_make_tmp("skylink-ctl-XXXXXX", &error);
	g_assert_no_error(error);
	f->path = g_build_filename(f->dir, "sub", "control.sock", NULL);
	f->context = g_main_context_new();
	f->server = start(f, &error);
	g_assert_no_error(error);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_autofree char *sub = g_path_get_dirname(f->path);

	control_server_free(f->server);
	g_clear_pointer(&f->kept, control_call_unref);
	g_main_context_unref(f->context);
	/* Nothing of ours is left behind: the directories are empty. */
	g_assert_cmpint(g_rmdir(sub), ==, 0);
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_free(f->path);
	g_free(f->dir);
}

/* --- a client ------------------------------------------------------------- */
struct peer {
	int fd;
	struct control_line lines;
};

static struct peer dial(struct fixture *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct peer p = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	g_assert_cmpint(p.fd, >=, 0);
	strcpy(address.sun_path, f->path);
	g_assert_cmpint(connect(p.fd, (struct sockaddr *) &address,
				sizeof(address)), ==, 0);
	g_assert_cmpint(fcntl(p.fd, F_SETFL, O_NONBLOCK), ==, 0);
	control_line_init(&p.lines, CONTROL_LINE_MAX_BYTES);
	return p;
}

static void hang_up(struct peer *p)
{
	close(p->fd);
	control_line_done(&p->lines);
}

static void turn(struct fixture *f)
{
	while (g_main_context_iteration(f->context, FALSE))
		;
}

static void say_bytes(struct fixture *f, struct peer *p, const char *data,
		      size_t len)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;

	while (len) {
		ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);

		if (n < 0) {
			g_assert_cmpint(errno, ==, EAGAIN);
			g_assert_cmpint(g_get_monotonic_time(), <, deadline);
			turn(f);
			continue;
		}
		data += n;
		len -= (size_t) n;
	}
	turn(f);
}

static void say(struct fixture *f, struct peer *p, const char *line)
{
	g_autofree char *text = g_strconcat(line, "\n", NULL);

	say_bytes(f, p, text, strlen(text));
}

/* Return: the next message, or NULL at the end of the connection. */
static JsonNode *hear(struct fixture *f, struct peer *p)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;

	for (;;) {
		const char *text;
		size_t len, room;
		char *to;
		ssize_t n;

		if (control_line_next(&p->lines, &text, &len) == 1) {
			g_autofree char *copy = g_strndup(text, len);
			JsonNode *node = json_from_string(copy, NULL);

			g_assert_nonnull(node);
			return node;
		}
		to = control_line_reserve(&p->lines, &room);
		n = recv(p->fd, to, room, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return NULL;
		if (n > 0) {
			control_line_commit(&p->lines, (size_t) n);
			continue;
		}
		g_assert_cmpint(errno, ==, EAGAIN);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		turn(f);
	}
}

static void assert_result(struct fixture *f, struct peer *p, gint64 id,
			  const char *text)
{
	g_autoptr(JsonNode) node = hear(f, p);
	JsonObject *o;

	g_assert_nonnull(node);
	o = json_node_get_object(node);
	g_assert_cmpint(json_object_get_int_member(o, "id"), ==, id);
	g_assert_cmpstr(json_object_get_string_member(o, "jsonrpc"), ==, "2.0");
	g_assert_cmpstr(json_object_get_string_member(o, "result"), ==, text);
}

static void assert_error(struct fixture *f, struct peer *p, gint64 code,
			 const char *words)
{
	g_autoptr(JsonNode) node = hear(f, p);
	g_auto(GStrv) list = g_strsplit(words, ";", -1);
	JsonObject *o;
	const char *message;

	g_assert_nonnull(node);
	o = json_node_get_object(node);
	g_assert_true(json_object_has_member(o, "id"));
	o = json_object_get_object_member(o, "error");
	g_assert_nonnull(o);
	g_assert_cmpint(json_object_get_int_member(o, "code"), ==, code);
	message = json_object_get_string_member(o, "message");
	for (unsigned int i = 0; list[i]; i++)
		if (!strstr(message, list[i]))
			g_error("'%s' lacks '%s'", message, list[i]);
}

static void assert_event(struct fixture *f, struct peer *p, const char *name)
{
	g_autoptr(JsonNode) node = hear(f, p);
	JsonObject *o;

	g_assert_nonnull(node);
	o = json_node_get_object(node);
	g_assert_cmpstr(json_object_get_string_member(o, "method"), ==, name);
	g_assert_false(json_object_has_member(o, "id"));
	g_assert_nonnull(json_object_get_object_member(o, "params"));
}

static void assert_silence(struct fixture *f, struct peer *p)
{
	char byte;

	turn(f);
	g_assert_cmpint(recv(p->fd, &byte, 1, MSG_PEEK), ==, -1);
	g_assert_cmpint(errno, ==, EAGAIN);
}

#define CALL(method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method \
	"\",\"params\":" params "}"

/* --- requests ------------------------------------------------------------- */
static void test_calls(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);

	say(f, &p, CALL("test.echo", "{\"text\":\"hi\"}"));
	assert_result(f, &p, 1, "hi");
	say(f, &p, CALL("test.echo", "[\"ho\",2,\"audio\",\"x\"]"));
	assert_result(f, &p, 1, "hoho");
	/* A null for what is optional is as if it were not there. */
	say(f, &p, CALL("test.echo", "[\"ho\",null]"));
	assert_result(f, &p, 1, "ho");
	say(f, &p, CALL("test.echo", "{\"text\":\"x\",\"n\":3.0}"));
	assert_result(f, &p, 1, "xxx");
	/* A notification runs, and nobody answers. */
	say(f, &p, "{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\","
		   "\"params\":{\"text\":\"x\"}}");
	say(f, &p, "{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}");
	assert_silence(f, &p);
	g_assert_cmpuint(f->pings, ==, 5);
	hang_up(&p);
}

static void test_wrong_calls(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *line;
		int code;
		const char *words;
	} cases[] = {
		{"nonsense", CONTROL_CODE_PARSE, "JSON"},
		{"{\"jsonrpc\":\"2.0\",", CONTROL_CODE_PARSE, "JSON"},
		{"\"text\"", CONTROL_CODE_REQUEST, "object"},
		{"[]", CONTROL_CODE_REQUEST, "one request per line"},
		{"{}", CONTROL_CODE_REQUEST, "jsonrpc"},
		{"{\"jsonrpc\":\"2.0\"}", CONTROL_CODE_REQUEST, "method"},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}",
		 CONTROL_CODE_REQUEST, "id"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\","
		 "\"params\":5}", CONTROL_CODE_REQUEST, "params"},
		{CALL("test.ehco", "{}"), CONTROL_CODE_METHOD,
		 "test.ehco;Did you mean \"test.echo\""},
		{CALL("frobnicate", "{}"), CONTROL_CODE_METHOD, "rpc.discover"},
		{CALL("test.unserved", "{}"), CONTROL_CODE_METHOD,
		 "test.unserved"},
		{CALL("test.echo", "{}"), CONTROL_CODE_PARAMS,
		 "\"text\" is missing;a string"},
		{CALL("test.echo", "{\"text\":5}"), CONTROL_CODE_PARAMS,
		 "\"text\" is 5;a string"},
		{CALL("test.echo", "{\"text\":\"x\",\"n\":0}"),
		 CONTROL_CODE_PARAMS, "\"n\" is 0;from 1 to 100000"},
		{CALL("test.echo", "{\"text\":\"x\",\"n\":1.5}"),
		 CONTROL_CODE_PARAMS, "whole number"},
		{CALL("test.echo", "{\"text\":\"x\",\"kind\":\"adio\"}"),
		 CONTROL_CODE_PARAMS, "\"adio\";\"audio\", \"video\""},
		{CALL("test.echo", "{\"txt\":\"x\"}"), CONTROL_CODE_PARAMS,
		 "\"txt\";Did you mean \"text\""},
		{CALL("test.echo", "{\"text\":\"x\",\"list\":[\"a\",1]}"),
		 CONTROL_CODE_PARAMS, "\"list\""},
		{CALL("test.echo", "[\"x\",1,\"audio\",\"y\",5]"),
		 CONTROL_CODE_PARAMS, "5 parameters;at most 4"},
	};
	struct peer p = dial(f);
	ControlServerStats stats;

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		say(f, &p, cases[i].line);
		assert_error(f, &p, cases[i].code, cases[i].words);
	}
	/* Every wrong one was refused, and the connection goes on. */
	g_assert_cmpuint(f->pings, ==, 0);
	say(f, &p, CALL("test.echo", "{\"text\":\"still here\"}"));
	assert_result(f, &p, 1, "still here");
	control_server_get_stats(f->server, &stats);
	g_assert_cmpuint(stats.errors, ==, G_N_ELEMENTS(cases));
	g_assert_cmpuint(stats.bad_lines, ==, 8);
	hang_up(&p);
}

static void test_hostile_bytes(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);
	g_autofree char *big = g_malloc(CONTROL_LINE_MAX_BYTES + 2);
	GString *deep = g_string_new("{\"jsonrpc\":\"2.0\",\"params\":");

	/* One byte too long, then twice that; what follows is served. */
	memset(big, 'x', CONTROL_LINE_MAX_BYTES + 2);
	big[CONTROL_LINE_MAX_BYTES + 1] = '\n';
	say_bytes(f, &p, big, CONTROL_LINE_MAX_BYTES + 2);
	assert_error(f, &p, CONTROL_CODE_REQUEST, "1048576 bytes");
	say_bytes(f, &p, big, CONTROL_LINE_MAX_BYTES + 1);
	say_bytes(f, &p, big, CONTROL_LINE_MAX_BYTES + 2);
	assert_error(f, &p, CONTROL_CODE_REQUEST, "1048576 bytes");
	/* Exactly as long as allowed: not JSON, but a line. */
	say_bytes(f, &p, big + 1, CONTROL_LINE_MAX_BYTES + 1);
	assert_error(f, &p, CONTROL_CODE_PARSE, "JSON");

	for (int i = 0; i < 100000; i++)
		g_string_append_c(deep, '[');
	say(f, &p, deep->str);
	assert_error(f, &p, CONTROL_CODE_PARSE, "JSON");
	g_string_free(deep, TRUE);

	say_bytes(f, &p, "\0\377\376\n", 4);
	assert_error(f, &p, CONTROL_CODE_PARSE, "JSON");
	/* Empty lines mean nothing. */
	say_bytes(f, &p, "\n\n\n", 3);
	assert_silence(f, &p);

	/* A line byte by byte. */
	{
		static const char line[] = CALL("test.echo",
						"{\"text\":\"slow\"}") "\n";

		for (size_t i = 0; i < sizeof(line) - 1; i++) {
			assert_silence(f, &p);
			say_bytes(f, &p, line + i, 1);
		}
		assert_result(f, &p, 1, "slow");
	}
	/* Half a line, and gone. */
	say_bytes(f, &p, "{\"jsonrpc\"", 10);
	hang_up(&p);
	turn(f);
	{
		ControlServerStats stats;

		control_server_get_stats(f->server, &stats);
		g_assert_cmpuint(stats.clients, ==, 0);
	}
}

static void test_discover(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);
	g_autoptr(JsonNode) node = NULL;
	JsonObject *o;
	JsonArray *list;

	say(f, &p, CALL("rpc.discover", "{}"));
	node = hear(f, &p);
	o = json_object_get_object_member(json_node_get_object(node),
					  "result");
	list = json_object_get_array_member(o, "methods");
	/* Three with handlers, seven of the server's own. */
	g_assert_cmpuint(json_array_get_length(list), ==, 10);
	o = json_array_get_object_element(list, 0);
	g_assert_cmpstr(json_object_get_string_member(o, "name"), ==,
			"test.echo");
	list = json_object_get_array_member(o, "params");
	g_assert_cmpuint(json_array_get_length(list), ==, 4);
	o = json_array_get_object_element(list, 0);
	g_assert_true(json_object_get_boolean_member(o, "required"));
	hang_up(&p);
}

/* --- answers that come later ---------------------------------------------- */
static void test_late_answers(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);

	say(f, &p, CALL("test.keep", "{}"));
	g_assert_nonnull(f->kept);
	g_assert_true(control_call_is_alive(f->kept));
	/* Others are answered meanwhile. */
	say(f, &p, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"test.echo\","
		   "\"params\":[\"x\"]}");
	assert_result(f, &p, 2, "x");
	control_call_reply(f->kept, json_node_init_string(json_node_alloc(),
							  "late"));
	g_clear_pointer(&f->kept, control_call_unref);
	assert_result(f, &p, 1, "late");

	/* A failure carries what the API's callback would get. */
	say(f, &p, CALL("test.keep", "{}"));
	control_call_fail(f->kept, CONTROL_CODE_STATE,
			  json_node_init_int(json_node_alloc(), 7),
			  "Not in a %s", "room");
	g_clear_pointer(&f->kept, control_call_unref);
	{
		g_autoptr(JsonNode) node = hear(f, &p);
		JsonObject *o = json_object_get_object_member(
			json_node_get_object(node), "error");

		g_assert_cmpint(json_object_get_int_member(o, "data"), ==, 7);
		g_assert_cmpstr(json_object_get_string_member(o, "message"),
				==, "Not in a room");
	}
	/* One that is never answered ends with an error, not with silence. */
	say(f, &p, CALL("test.forget", "{}"));
	assert_error(f, &p, CONTROL_CODE_INTERNAL, "without an answer");

	/* The client goes first, ... */
	say(f, &p, CALL("test.keep", "{}"));
	hang_up(&p);
	turn(f);
	g_assert_false(control_call_is_alive(f->kept));
	control_call_reply(f->kept, NULL);
	g_clear_pointer(&f->kept, control_call_unref);

	/* ... or the server does. */
	p = dial(f);
	say(f, &p, CALL("test.keep", "{}"));
	control_server_free(g_steal_pointer(&f->server));
	g_assert_false(control_call_is_alive(f->kept));
	control_call_fail(f->kept, -1, NULL, "nobody hears this");
	g_clear_pointer(&f->kept, control_call_unref);
	g_assert_null(hear(f, &p));
	hang_up(&p);
}

static void test_half_closed(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);

	/* echo '...' | nc: the answer comes although nothing more will. */
	say(f, &p, CALL("test.keep", "{}"));
	shutdown(p.fd, SHUT_WR);
	turn(f);
	g_assert_true(control_call_is_alive(f->kept));
	control_call_reply(f->kept, json_node_init_string(json_node_alloc(),
							  "ok"));
	g_clear_pointer(&f->kept, control_call_unref);
	assert_result(f, &p, 1, "ok");
	g_assert_null(hear(f, &p));
	hang_up(&p);
}

/* --- events --------------------------------------------------------------- */
static JsonObject *about_peer(const char *id)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "peerId", id);
	return o;
}

static void emit(struct fixture *f, const char *name, const char *id)
{
	JsonObject *o = about_peer(id);

	control_server_emit(f->server, name, o);
	json_object_unref(o);
	turn(f);
}

/* Return: how many events are subscribed, as the answer says. */
static unsigned int subscribe(struct fixture *f, struct peer *p,
			      const char *line)
{
	g_autoptr(JsonNode) node = NULL;
	JsonObject *o;

	say(f, p, line);
	node = hear(f, p);
	o = json_object_get_object_member(json_node_get_object(node),
					  "result");
	g_assert_nonnull(o);
	return json_array_get_length(json_object_get_array_member(o,
								  "events"));
}

static void test_events(struct fixture *f, gconstpointer data)
{
	struct peer all = dial(f), some = dial(f), none = dial(f);

	g_assert_false(control_server_has_subscriber(f->server, "peerLeft",
					      CONTROL_ROLE_READ));
	g_assert_cmpuint(subscribe(f, &all, CALL("subscribe", "{}")), ==, 3);
	g_assert_cmpuint(subscribe(f, &some,
				   CALL("subscribe", "[\"peerJ*\"]")), ==, 1);
	g_assert_true(control_server_has_subscriber(f->server, "peerLeft",
					      CONTROL_ROLE_READ));
	/* Who subscribed may do everything, and no more than that. */
	g_assert_true(control_server_has_subscriber(f->server, "peerLeft",
						    CONTROL_ROLE_ADMIN));
	g_assert_false(control_server_has_subscriber(
		f->server, "peerLeft", (ControlRole) (CONTROL_ROLE_ADMIN + 1)));
	emit(f, "peerJoined", "p1");
	emit(f, "peerLeft", "p1");
	emit(f, "notInTheTable", "p1");
	control_server_emit(f->server, "stats.codec", NULL);
	assert_event(f, &all, "peerJoined");
	assert_event(f, &all, "peerLeft");
	assert_event(f, &all, "notInTheTable");
	assert_event(f, &all, "stats.codec");
	assert_event(f, &some, "peerJoined");
	assert_silence(f, &some);
	assert_silence(f, &none);

	/* More is added, and of one peer only. */
	g_assert_cmpuint(subscribe(f, &some, CALL("subscribe",
		"{\"events\":\"peerLeft\",\"peerId\":\"p2\"}")), ==, 2);
	emit(f, "peerLeft", "p1");
	emit(f, "peerLeft", "p2");
	assert_event(f, &some, "peerLeft");
	assert_silence(f, &some);
	assert_event(f, &all, "peerLeft");
	assert_event(f, &all, "peerLeft");

	g_assert_cmpuint(subscribe(f, &all, CALL("unsubscribe",
		"{\"events\":[\"peer*\"]}")), ==, 1);
	g_assert_cmpuint(subscribe(f, &all, CALL("unsubscribe", "{}")), ==, 0);
	emit(f, "peerLeft", "p1");
	emit(f, "notInTheTable", "p1");
	assert_silence(f, &all);
	hang_up(&all);
	hang_up(&some);
	hang_up(&none);
}

/* A peer chooses how long its messages are; a client's line has its limit. */
static void test_long_events_are_shortened(struct fixture *f,
					   gconstpointer data)
{
	static const char *const paths[] = {"message.content",
					    "transferInfo.data"};
	struct peer p = dial(f);
	g_autofree char *half = g_strnfill(CONTROL_LINE_MAX_BYTES / 2, 'x');
	g_autofree char *quotes = g_strnfill(CONTROL_LINE_MAX_BYTES, '"');
	JsonObject *params = json_object_new(), *message = json_object_new();
	JsonObject *info = json_object_new(), *heard;
	JsonArray *omitted;
	g_autoptr(JsonNode) node = NULL;

	json_object_set_string_member(message, "content", quotes);
	json_object_set_string_member(message, "senderPeerId", "p1");
	json_object_set_object_member(params, "message", message);
	json_object_set_string_member(info, "data", half);
	json_object_set_string_member(info, "name", "n");
	json_object_set_object_member(params, "transferInfo", info);
	json_object_set_string_member(params, "data", half + 1);
	json_object_set_string_member(params, "peerId", "p1");

	subscribe(f, &p, CALL("subscribe", "{}"));
	control_server_emit(f->server, "peerJoined", params);
	node = hear(f, &p);
	heard = json_object_get_object_member(json_node_get_object(node),
					      "params");
	omitted = json_object_get_array_member(heard, "omitted");
	g_assert_cmpuint(json_array_get_length(omitted), ==,
			 G_N_ELEMENTS(paths));
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		g_assert_cmpstr(json_array_get_string_element(omitted, i), ==,
				paths[i]);
	g_assert_cmpstr(json_object_get_string_member(heard, "peerId"), ==,
			"p1");
	g_assert_cmpstr(json_object_get_string_member(heard, "data"), ==,
			half + 1);
	info = json_object_get_object_member(heard, "transferInfo");
	g_assert_true(json_object_get_null_member(info, "data"));
	g_assert_cmpstr(json_object_get_string_member(info, "name"), ==, "n");
	/* What was given is as it was. */
	g_assert_cmpstr(json_object_get_string_member(message, "content"), ==,
			quotes);
	json_object_unref(params);
	hang_up(&p);
}

static void test_on_once_off(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);

	subscribe(f, &p, CALL("once", "[\"peerJoined\","
				      "{\"peerId\":\"p2\"}]"));
	emit(f, "peerJoined", "p1");
	assert_silence(f, &p);
	emit(f, "peerJoined", "p2");
	assert_event(f, &p, "peerJoined");
	emit(f, "peerJoined", "p2");
	assert_silence(f, &p);

	/* fireAlways: whenever it fits. */
	g_assert_cmpuint(subscribe(f, &p, CALL("once",
		"[\"peerLeft\",{\"peerId\":[\"p1\",\"p3\"]},true]")), ==, 1);
	emit(f, "peerLeft", "p2");
	assert_silence(f, &p);
	for (int i = 0; i < 3; i++) {
		emit(f, "peerLeft", i ? "p3" : "p1");
		assert_event(f, &p, "peerLeft");
	}
	g_assert_cmpuint(subscribe(f, &p, CALL("on", "[\"peerJoined\"]")), ==,
			 2);
	emit(f, "peerJoined", "p1");
	assert_event(f, &p, "peerJoined");
	g_assert_cmpuint(subscribe(f, &p, CALL("off", "[\"peer*\"]")), ==, 0);
	emit(f, "peerJoined", "p1");
	emit(f, "peerLeft", "p1");
	assert_silence(f, &p);
	say(f, &p, CALL("on", "{}"));
	assert_error(f, &p, CONTROL_CODE_PARAMS, "\"eventName\" is missing");
	hang_up(&p);
}

static void test_unknown_events(struct fixture *f, gconstpointer data)
{
	struct peer p = dial(f);

	say(f, &p, CALL("subscribe", "{\"events\":[\"peerJoned\"]}"));
	assert_error(f, &p, CONTROL_CODE_PARAMS,
		     "\"peerJoned\";Did you mean \"peerJoined\"");
	say(f, &p, CALL("subscribe", "{\"events\":[\"zzz*\"]}"));
	assert_error(f, &p, CONTROL_CODE_PARAMS, "zzz");
	g_assert_false(control_server_has_subscriber(f->server, "peerJoined",
					      CONTROL_ROLE_READ));
	hang_up(&p);
}

static void test_slow_reader_is_dropped(struct fixture *f, gconstpointer data)
{
	struct peer slow = dial(f), good = dial(f);
	g_autofree char *text = g_strnfill(32768, 'e');
	ControlServerStats stats;
	unsigned int n = 0;

	subscribe(f, &slow, CALL("subscribe", "{}"));
	subscribe(f, &good, CALL("subscribe", "{}"));
	do {
		emit(f, "peerJoined", text);
		assert_event(f, &good, "peerJoined");
		control_server_get_stats(f->server, &stats);
		g_assert_cmpuint(++n, <, 1000);
	} while (!stats.dropped_slow);
	/* It was given its full queue, and no more. */
	g_assert_cmpuint(n, >, CONTROL_QUEUE_MAX_BYTES / 33000);
	g_assert_cmpuint(n, <, CONTROL_QUEUE_MAX_BYTES / 32768 + 40);
	g_assert_cmpuint(stats.clients, ==, 1);

	/* The other one does not miss any. */
	emit(f, "peerLeft", "x");
	assert_event(f, &good, "peerLeft");
	hang_up(&slow);
	hang_up(&good);
}

static void test_asking_without_reading_stops_itself(struct fixture *f,
						     gconstpointer data)
{
	static const char line[] =
		CALL("test.echo", "{\"text\":\"0123456789abcdef\",\"n\":4096}")
		"\n";
	struct peer p = dial(f);
	unsigned int asked = 0, seen;
	size_t sent = 0;

	/* Ask until the server takes no more. */
	for (unsigned int idle = 0; idle < 50;) {
		ssize_t n = send(p.fd, line + sent, sizeof(line) - 1 - sent,
				 MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t) n;
			idle = 0;
		} else {
			idle++;
		}
		if (sent == sizeof(line) - 1) {
			asked++;
			sent = 0;
		}
		turn(f);
		g_assert_cmpuint(asked, <, 100000);
	}
	/* A few answers of 64 KiB are queued, not one per question. */
	seen = f->pings;
	g_assert_cmpuint(seen, <, 40);
	g_assert_cmpuint(asked, >, seen);

	/* Reading makes it go on; nothing was lost. */
	for (unsigned int i = 0; i < asked; i++) {
		g_autoptr(JsonNode) node = hear(f, &p);

		g_assert_nonnull(node);
	}
	g_assert_cmpuint(f->pings, ==, asked);
	hang_up(&p);
}

/* --- many clients --------------------------------------------------------- */
static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void test_a_thousand_clients(struct fixture *f, gconstpointer data)
{
	enum { AT_ONCE = 40, TOTAL = 1000 };
	struct peer peers[AT_ONCE];
	unsigned int n = 0, before = count_fds();
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	ControlServerStats stats;

	for (; n < AT_ONCE; n++)
		peers[n] = dial(f);
	while (n < TOTAL) {
		struct peer *p = &peers[g_rand_int_range(rand, 0, AT_ONCE)];

		switch (g_rand_int_range(rand, 0, 5)) {
		case 0:	/* asks and waits */
			say(f, p, CALL("test.echo", "{\"text\":\"x\"}"));
			assert_result(f, p, 1, "x");
			break;
		case 1:	/* asks and goes */
			say(f, p, CALL("test.echo", "{\"text\":\"x\"}"));
			break;
		case 2:	/* half a line */
			say_bytes(f, p, "{\"json", 7);
			break;
		case 3:	/* subscribes and goes while an event comes */
			say(f, p, CALL("subscribe", "{}"));
			control_server_emit(f->server, "stats.codec", NULL);
			break;
		case 4:	/* nothing */
			break;
		}
		hang_up(p);
		*p = dial(f);
		n++;
	}
	for (unsigned int i = 0; i < AT_ONCE; i++)
		hang_up(&peers[i]);
	turn(f);
	control_server_get_stats(f->server, &stats);
	g_assert_cmpuint(stats.clients, ==, 0);
	g_assert_cmpuint(stats.clients_total, ==, TOTAL);
	g_assert_cmpuint(stats.clients_refused, ==, 0);
	g_assert_cmpuint(count_fds(), ==, before);
}

static void test_too_many_clients(struct fixture *f, gconstpointer data)
{
	struct peer peers[6];
	ControlServerStats stats;

	control_server_free(f->server);
	f->max_clients = 2;
	f->server = start(f, NULL);
	g_assert_nonnull(f->server);
	for (unsigned int i = 0; i < G_N_ELEMENTS(peers); i++) {
		peers[i] = dial(f);
		turn(f);
	}
	for (unsigned int i = 2; i < G_N_ELEMENTS(peers); i++) {
		assert_error(f, &peers[i], CONTROL_CODE_BUSY, "Too many");
		g_assert_null(hear(f, &peers[i]));
	}
	/* Those who were there first are served all the same. */
	say(f, &peers[1], CALL("test.echo", "{\"text\":\"x\"}"));
	assert_result(f, &peers[1], 1, "x");
	control_server_get_stats(f->server, &stats);
	g_assert_cmpuint(stats.clients_refused, ==, 4);
	for (unsigned int i = 0; i < G_N_ELEMENTS(peers); i++)
		hang_up(&peers[i]);
}

/* --- the socket file ------------------------------------------------------ */
static void test_socket_file(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *long_name = g_strnfill(120, 'x');
	char *path = f->path;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	GStatBuf st;
	int fd;

	/* A second one on the same path is refused, the first one stays. */
	g_assert_null(start(f, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
	g_assert_nonnull(strstr(error->message, f->path));
	g_clear_error(&error);
	g_assert_cmpint(g_stat(f->path, &st), ==, 0);

	/* A stale file, as a killed daemon leaves it, is replaced. */
	control_server_free(f->server);
	g_assert_cmpint(g_stat(f->path, &st), ==, -1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, f->path);
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address,
			     sizeof(address)), ==, 0);
	/* Somebody who has no lock, but answers, is left alone. */
	g_assert_cmpint(listen(fd, 1), ==, 0);
	f->server = start(f, &error);
	g_assert_null(f->server);
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
	g_clear_error(&error);
	close(fd);
	f->server = start(f, &error);
	g_assert_no_error(error);

	/* What is no socket is not ours to remove. */
	control_server_free(f->server);
	g_assert_true(g_file_set_contents(f->path, "precious", -1, NULL));
	f->server = start(f, &error);
	g_assert_null(f->server);
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
	g_clear_error(&error);
	g_assert_cmpint(g_remove(f->path), ==, 0);

	f->path = g_build_filename(f->dir, long_name, NULL);
	g_assert_null(start(f, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG);
	g_free(f->path);
	f->path = path;
}

/* --- roles ---------------------------------------------------------------- */
static void test_roles(void)
{
	const struct control_groups none = {0};
	const struct control_groups both = {true, true, 500, 501};
	struct control_credentials c = {.uid = 1000, .gid = 1000};

	g_assert_cmpint(control_credentials_role(&c, &none, 7), ==,
			CONTROL_ROLE_NONE);
	g_assert_cmpint(control_credentials_role(&c, &both, 7), ==,
			CONTROL_ROLE_NONE);
	g_assert_cmpint(control_credentials_role(&c, &none, 1000), ==,
			CONTROL_ROLE_ADMIN);
	c.groups[0] = 501;
	c.n_groups = 1;
	g_assert_cmpint(control_credentials_role(&c, &both, 7), ==,
			CONTROL_ROLE_READ);
	c.groups[1] = 500;
	c.n_groups = 2;
	g_assert_cmpint(control_credentials_role(&c, &both, 7), ==,
			CONTROL_ROLE_OPERATE);
	c.n_groups = 0;
	c.gid = 500;
	g_assert_cmpint(control_credentials_role(&c, &both, 7), ==,
			CONTROL_ROLE_OPERATE);
	/* Group 0 is no group of ours when ours do not exist. */
	c.gid = 0;
	g_assert_cmpint(control_credentials_role(&c, &none, 7), ==,
			CONTROL_ROLE_NONE);
	c.uid = 0;
	g_assert_cmpint(control_credentials_role(&c, &none, 7), ==,
			CONTROL_ROLE_ADMIN);
}

#define STRANGER_UID 60123
#define READER_GID   60124
#define OPERATOR_GID 60125

/* In a child: becomes somebody else, asks, and tells by its status whether
 * the answer has @expect in it. */
static void ask_as(struct fixture *f, gid_t gid, const char *line,
		   const char *expect)
{
	struct peer p = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char answer[4096];
	size_t len = 0;
	ssize_t n;

	strcpy(address.sun_path, f->path);
	if (setgroups(1, &gid) || setgid(STRANGER_UID) ||
	    setuid(STRANGER_UID) ||
	    connect(p.fd, (struct sockaddr *) &address, sizeof(address)))
		_exit(2);
	if (send(p.fd, line, strlen(line), MSG_NOSIGNAL) < 0 &&
	    errno != EPIPE)
		_exit(3);
	while ((n = recv(p.fd, answer + len, sizeof(answer) - 1 - len, 0)) >
	       0) {
		len += (size_t) n;
		if (answer[len - 1] == '\n')
			break;
	}
	answer[len] = '\0';
	_exit(strstr(answer, expect) ? 0 : 1);
}

static void assert_ask_as(struct fixture *f, gid_t gid, const char *line,
			  const char *expect)
{
	gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
	pid_t pid = fork();
	int status;

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0)
		ask_as(f, gid, line, expect);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		g_main_context_iteration(f->context, FALSE);
		g_usleep(100);	/* a child's end wakes no main loop of ours */
	}
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void test_roles_over_the_socket(struct fixture *f, gconstpointer data)
{
	static const struct control_groups groups = {
		true, true, OPERATOR_GID, READER_GID};
	ControlServerConfig config = {
		.context = f->context, .path = f->path, .methods = methods,
		.events = events, .handlers = handlers, .user = f,
		.groups = &groups,
	};

	if (geteuid() != 0) {
		g_test_skip("needs root, to become other users");
		return;
	}
	control_server_free(f->server);
	f->server = control_server_new(&config, NULL);
	g_assert_nonnull(f->server);
	g_assert_cmpint(chmod(f->dir, 0755), ==, 0);

	assert_ask_as(f, STRANGER_UID, "\n", "\"code\":-32001");
	assert_ask_as(f, READER_GID,
		      CALL("test.echo", "{\"text\":\"read\"}") "\n",
		      "\"result\":\"read\"");
	assert_ask_as(f, READER_GID, CALL("test.keep", "{}") "\n",
		      "needs the right to operate");
	g_assert_null(f->kept);
	assert_ask_as(f, OPERATOR_GID, CALL("test.forget", "{}") "\n",
		      "needs the right to administer");
	assert_ask_as(f, OPERATOR_GID,
		      CALL("test.echo", "{\"text\":\"op\"}") "\n",
		      "\"result\":\"op\"");
}

#define ADD(path, fn) \
	g_test_add("/control-server/" path, struct fixture, NULL, set_up, fn, \
		   tear_down)

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	ADD("calls", test_calls);
	ADD("wrong-calls", test_wrong_calls);
	ADD("hostile", test_hostile_bytes);
	ADD("discover", test_discover);
	ADD("late", test_late_answers);
	ADD("half-closed", test_half_closed);
	ADD("events", test_events);
	ADD("long-events", test_long_events_are_shortened);
	ADD("on-once-off", test_on_once_off);
	ADD("unknown-events", test_unknown_events);
	ADD("slow-reader", test_slow_reader_is_dropped);
	ADD("backpressure", test_asking_without_reading_stops_itself);
	ADD("churn", test_a_thousand_clients);
	ADD("too-many", test_too_many_clients);
	ADD("socket-file", test_socket_file);
	g_test_add_func("/control-server/roles", test_roles);
	ADD("roles-over-socket", test_roles_over_the_socket);
	return g_test_run();
}
