// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "appliance/control/control-path.h"
#include "appliance/control/control-server.h"
#include "appliance/ctl/ctl-completion.h"
#include "appliance/ctl/ctl-files.h"
#include "appliance/ctl/ctl-format.h"
#include "appliance/ctl/ctl-private.h"
#include "appliance/ctl/ctl-text.h"
#include "appliance/signaling/json-check.h"

static bool use_color(const struct ctl_args *a, FILE *out)
{
	const char *when = a->option[CTL_COLOR];
	const char *term = g_getenv("TERM");

	if (when && strcmp(when, "auto"))
		return !strcmp(when, "always");
	return !g_getenv("NO_COLOR") && term && strcmp(term, "dumb") &&
	       isatty(fileno(out));
}

int ctl_usage_error(struct ctl *c, const char *why)
{
	fprintf(c->err, "skylinkctl: %s\n'skylinkctl --help' explains.\n", why);
	return CTL_EXIT_USAGE;
}

/* With --json the error stands on standard output too, for scripts. */
int ctl_failed(struct ctl *c, const GError *error, JsonNode *object)
{
	g_autofree char *text = ctl_text_safe(error->message);

	if (c->args.option[CTL_JSON]) {
		g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
		JsonObject *o = json_object_new(), *e = json_object_new();
		g_autofree char *line = NULL;

		if (object) {
			json_object_set_member(o, "error",
					       json_node_copy(object));
			json_object_unref(e);
		} else {
			json_object_set_string_member(e, "message",
						      error->message);
			json_object_set_object_member(o, "error", e);
		}
		json_node_take_object(root, o);
		line = json_to_string(root, FALSE);
		fprintf(c->out, "%s\n", line);
	}
	/* Our own messages have lines; the daemon's are made safe. */
	fprintf(c->err, "skylinkctl: %s\n", object ? text : error->message);
	return error->code;
}

static bool connect_client(struct ctl *c, GError **error)
{
	ControlPathInput input;
	g_auto(GStrv) paths = NULL;

	control_path_input_init(&input);
	input.explicit_path = c->args.option[CTL_SOCKET];
	input.instance = c->args.option[CTL_INSTANCE];
	paths = control_path_for_client(&input);
	c->client = ctl_client_new((const char *const *) paths, error);
	return c->client != NULL;
}

int ctl_refuse(struct ctl *c, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	error = g_error_new_literal(CTL_ERROR, CTL_EXIT_FAILED, text);
	return ctl_failed(c, error, NULL);
}

int ctl_call(struct ctl *c, const char *method, JsonNode *params,
		JsonNode **ret_result)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) object = NULL;

	*ret_result = ctl_client_call(c->client, method, params,
				      c->args.timeout_ms, &object, &error);
	return *ret_result ? CTL_EXIT_OK : ctl_failed(c, error, object);
}

int ctl_print(struct ctl *c, JsonNode *result, char *page)
{
	g_autofree char *line = NULL;

	if (c->args.option[CTL_JSON]) {
		line = json_to_string(result, FALSE);
		fprintf(c->out, "%s\n", line);
	} else {
		fputs(page, c->out);
	}
	g_free(page);
	return CTL_EXIT_OK;
}

int ctl_do(struct ctl *c, const char *method, JsonNode *params,
	   const char *done)
{
	g_autoptr(JsonNode) result = NULL;
	int r = ctl_call(c, method, params, &result);

	return r ? r : ctl_print(c, result, g_strdup(done));
}

int ctl_subscribe(struct ctl *c, const char *const *events)
{
	g_autoptr(JsonNode) result = NULL;
	JsonObject *params = json_object_new();
	JsonArray *array = json_array_new();

	for (; *events; events++)
		json_array_add_string_element(array, *events);
	json_object_set_array_member(params, "events", array);
	return ctl_call(c, "subscribe", ctl_params(params), &result);
}

JsonNode *ctl_json_or_text(const char *text)
{
	JsonNode *node = json_checked_parse(text, -1, CONTROL_LINE_MAX_BYTES,
					    NULL);

	return node ? node : json_node_init_string(json_node_alloc(), text);
}

JsonNode *ctl_params(JsonObject *o)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, o);
	return node;
}

static void add_strings(JsonObject *o, const char *name, struct ctl *c)
{
	JsonArray *array;

	if (!c->args.n_arguments)
		return;
	array = json_array_new();
	for (unsigned int i = 0; i < c->args.n_arguments; i++)
		json_array_add_string_element(array, c->args.arguments[i]);
	json_object_set_array_member(o, name, array);
}

const char *ctl_raw_member(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node) : NULL;
}

JsonObject *ctl_object_member(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_OBJECT(node)
		       ? json_node_get_object(node) : NULL;
}

char *ctl_member(JsonNode *result, const char *name)
{
	const char *text = JSON_NODE_HOLDS_OBJECT(result) ?
		ctl_raw_member(json_node_get_object(result), name) : NULL;

	return text ? ctl_text_safe(text) : NULL;
}

/* --- verbs ----------------------------------------------------------------- */
static int run_page(struct ctl *c, const char *method,
		    char *(*format)(JsonNode *, bool))
{
	g_autoptr(JsonNode) result = NULL;
	int r = ctl_call(c, method, NULL, &result);

	return r ? r : ctl_print(c, result, format(result, c->color));
}

static int run_join(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	JsonObject *params = json_object_new();
	const char *data = c->args.option[CTL_USER_DATA];
	g_autofree char *room = NULL, *id = NULL;
	int r;

	if (c->args.n_arguments)
		json_object_set_string_member(params, "room",
					      c->args.arguments[0]);
	if (data) {
		JsonObject *options = json_object_new();

		json_object_set_member(options, "userData",
				       ctl_json_or_text(data));
		json_object_set_object_member(params, "options", options);
	}
	r = ctl_call(c, "joinRoom", ctl_params(params), &result);
	if (r)
		return r;
	room = ctl_member(result, "room");
	id = ctl_member(result, "peerId");
	return ctl_print(c, result,
		     g_strdup_printf("Joined %s%s%s.\n", room ? room
							      : "the room",
				     id ? " as " : "", id ? id : ""));
}

static int run_leave(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	g_autofree char *room = NULL;
	int r = ctl_call(c, "leaveRoom", NULL, &result);

	if (r)
		return r;
	room = ctl_member(result, "previousRoom");
	return ctl_print(c, result, g_strdup_printf("Left %s.\n",
						room ? room : "the room"));
}

static int run_mute(struct ctl *c, bool muted)
{
	g_autoptr(JsonNode) result = NULL;
	JsonObject *options = json_object_new();
	JsonObject *params = json_object_new();
	GString *page = g_string_new(muted ? "Muted" : "Unmuted");
	int r;

	for (unsigned int i = 0; i < c->args.n_arguments; i++) {
		const char *what = c->args.arguments[i];

		json_object_set_boolean_member(
			options, !strcmp(what, "audio") ? "audioMuted"
							: "videoMuted", muted);
		g_string_append_printf(page, "%s %s", i ? " and" : "", what);
	}
	json_object_set_object_member(params, "options", options);
	g_string_append(page, ".\n");
	r = ctl_call(c, "muteStream", ctl_params(params), &result);
	if (r) {
		g_string_free(page, TRUE);
		return r;
	}
	return ctl_print(c, result, g_string_free(page, FALSE));
}

static int run_restart(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	g_autofree char *state = NULL;
	JsonObject *params = json_object_new();
	const char *page = "It goes on.\n";
	int r;

	if (c->args.n_arguments)
		json_object_set_string_member(params, "when",
					      c->args.arguments[0]);
	r = ctl_call(c, "daemon.restart", ctl_params(params), &result);
	if (r)
		return r;
	state = ctl_member(result, "state");
	if (!g_strcmp0(state, "waiting"))
		page = "It restarts when its room is idle.\n";
	else if (!g_strcmp0(state, "restarting"))
		page = "It restarts.\n";
	return ctl_print(c, result, g_strdup(page));
}

static int print_event(struct ctl *c, JsonNode *event)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
	g_autofree char *stamp = g_strdup_printf(
		"%s.%03d", time, g_date_time_get_microsecond(now) / 1000);

	ctl_print(c, event, ctl_format_event(event, stamp, c->color));
	/* Whoever reads the pipe wants it now; and when nobody does any more,
	 * this is over. */
	return fflush(c->out) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

static int follow_events(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	JsonObject *params = json_object_new();
	int r;

	add_strings(params, "events", c);
	if (c->args.option[CTL_PEER])
		json_object_set_string_member(params, "peerId",
					      c->args.option[CTL_PEER]);
	r = ctl_call(c, "subscribe", ctl_params(params), &result);
	for (guint64 n = 0; !r && (!c->args.count || n < c->args.count); n++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) event = ctl_client_next_event(c->client,
								  &error);

		r = event ? print_event(c, event) : ctl_failed(c, error, NULL);
	}
	return r;
}

static int run_events(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	JsonNode *list;
	int r;

	if (c->args.option[CTL_FOLLOW])
		return follow_events(c);
	if (c->args.n_arguments || c->args.option[CTL_PEER] ||
	    c->args.option[CTL_COUNT])
		return ctl_usage_error(c, "names, --peer and --count go with "
				      "--follow");
	r = ctl_call(c, "rpc.discover", NULL, &result);
	if (r)
		return r;
	list = json_object_get_member(json_node_get_object(result),
				      "x-events");
	return ctl_print(c, list ? list : result,
		     ctl_format_event_list(result, c->color));
}

char *ctl_read_all(FILE *in)
{
	GString *s = g_string_new(NULL);
	char buffer[4096];
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0 &&
	       s->len <= CONTROL_LINE_MAX_BYTES)
		g_string_append_len(s, buffer, (gssize) n);
	return g_string_free(s, FALSE);
}

/* "-": standard input, "@FILE": a file's. Return: an exit status. */
static int read_params(struct ctl *c, const char *text, JsonNode **ret)
{
	g_autofree char *input = NULL, *why = NULL;
	g_autoptr(GError) error = NULL;

	if (!text)
		return CTL_EXIT_OK;
	if (!strcmp(text, "-")) {
		text = input = ctl_read_all(stdin);
	} else if (text[0] == '@') {
		FILE *f = fopen(text + 1, "re");

		if (!f)
			return ctl_refuse(c, "Cannot open '%s': %s", text + 1,
					  g_strerror(errno));
		text = input = ctl_read_all(f);
		fclose(f);
	}
	*ret = json_checked_parse(text, -1, CONTROL_LINE_MAX_BYTES, &error);
	if (*ret)
		return CTL_EXIT_OK;
	why = g_strdup_printf("The parameters: %s", error->message);
	return ctl_usage_error(c, why);
}

/* Takes @params. */
static int call_with(struct ctl *c, JsonNode *params, int fd)
{
	g_autoptr(JsonNode) result = NULL, object = NULL;
	g_autoptr(GError) error = NULL;
	int got, r;

	result = ctl_client_call_fds(c->client, c->args.arguments[0], params,
				     &fd, fd >= 0 ? 1 : 0, c->args.timeout_ms,
				     &object, &error);
	if (!result)
		return ctl_failed(c, error, object);
	r = ctl_print(c, result, ctl_format_json(result));
	got = ctl_client_take_fd(c->client, 0);
	if (got >= 0 && r == CTL_EXIT_OK) {
		fflush(c->out);
		r = ctl_copy_file(c, got, fileno(c->out), "standard output");
	}
	if (got >= 0)
		close(got);
	return r;
}

static int run_call(struct ctl *c)
{
	const char *path = c->args.option[CTL_FD];
	JsonNode *params = NULL;
	int fd = -1;
	int r = read_params(c, c->args.n_arguments > 1 ? c->args.arguments[1]
						       : NULL, &params);

	if (r)
		return r;
	if (path)
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (path && fd < 0) {
		g_clear_pointer(&params, json_node_unref);
		return ctl_refuse(c, "Cannot open '%s': %s", path,
				  g_strerror(errno));
	}
	r = call_with(c, params, fd);
	if (fd >= 0)
		close(fd);
	return r;
}

static int run_methods(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	const char *name = c->args.n_arguments ? c->args.arguments[0] : NULL;
	int r = ctl_call(c, "rpc.discover", NULL, &result);
	char *page;

	if (r)
		return r;
	page = ctl_format_methods(result, name, c->color);
	if (page)
		return ctl_print(c, result, page);
	fprintf(c->err, "skylinkctl: The daemon has no method '%s'.\n", name);
	return CTL_EXIT_FAILED;
}

static int print_text(struct ctl *c, char *text)
{
	fputs(text, c->out);
	g_free(text);
	return CTL_EXIT_OK;
}

static int run_help(struct ctl *c)
{
	int verb = -1;
	g_autofree char *why = NULL;

	if (c->args.n_arguments) {
		verb = ctl_table_find_verb(c->args.arguments[0]);
		if (verb < 0) {
			why = g_strdup_printf("There is no verb '%s'",
					      c->args.arguments[0]);
			return ctl_usage_error(c, why);
		}
	}
	return print_text(c, ctl_table_help(verb));
}

static int run_with_daemon(struct ctl *c)
{
	g_autoptr(GError) error = NULL;

	if (!connect_client(c, &error))
		return c->args.verb == CTL_DOCTOR &&
				       error->code == CTL_EXIT_NO_DAEMON ?
			ctl_run_doctor(c, error->message) :
			ctl_failed(c, error, NULL);
	switch ((enum ctl_verb_id) c->args.verb) {
	case CTL_STATUS:
		return run_page(c, "stats.status", ctl_format_status);
	case CTL_PEERS:
		return run_page(c, "stats.peers", ctl_format_peers);
	case CTL_DEVICES:
		return run_page(c, "device.list", ctl_format_devices);
	case CTL_DOCTOR:
		return ctl_run_doctor(c, NULL);
	case CTL_SELFTEST:
		return ctl_run_selftest(c);
	case CTL_SCHEDULE:
		return run_page(c, "schedule.get", ctl_format_schedule);
	case CTL_TOP:
		return ctl_run_top(c);
	case CTL_INFO:
		return ctl_run_info(c);
	case CTL_JOIN:
		return run_join(c);
	case CTL_LEAVE:
		return run_leave(c);
	case CTL_MSG:
		return ctl_run_msg(c);
	case CTL_SEND:
		return ctl_run_send(c);
	case CTL_SEND_URL:
		return ctl_run_send_url(c);
	case CTL_ACCEPT:
		return ctl_run_accept(c);
	case CTL_REJECT:
		return ctl_run_reject(c);
	case CTL_CANCEL:
		return ctl_run_cancel(c);
	case CTL_TRANSFERS:
		return ctl_run_transfers(c);
	case CTL_RECEIVED:
		return ctl_run_received(c);
	case CTL_USERDATA:
		return ctl_run_userdata(c);
	case CTL_LOCK:
		return ctl_run_lock(c, true);
	case CTL_UNLOCK:
		return ctl_run_lock(c, false);
	case CTL_MUTE:
		return run_mute(c, true);
	case CTL_UNMUTE:
		return run_mute(c, false);
	case CTL_STREAM:
		return ctl_run_stream(c);
	case CTL_SHARE:
		return ctl_run_share(c);
	case CTL_UNSHARE:
		return ctl_do(c, "stopScreen", NULL,
			      "The stream is sent again.\n");
	case CTL_REFRESH:
		return ctl_run_refresh(c);
	case CTL_INTRODUCE:
		return ctl_run_introduce(c);
	case CTL_LIST_ALL_PEERS:
		return ctl_run_list_all_peers(c);
	case CTL_LOGS:
		return ctl_run_logs(c);
	case CTL_LOGLEVEL:
		return ctl_run_loglevel(c);
	case CTL_EVENTS:
		return run_events(c);
	case CTL_WATCH:
		return follow_events(c);
	case CTL_CALL:
		return run_call(c);
	case CTL_METHODS:
		return run_methods(c);
	case CTL_CONFIG:
		return ctl_run_config(c);
	case CTL_RESTART:
		return run_restart(c);
	case CTL_COMPLETION:
	case CTL_HELP_VERB:
	case N_CTL_VERBS:
		break;
	}
	g_assert_not_reached();
}

static int run(struct ctl *c)
{
	if (c->args.option[CTL_VERSION]) {
		fprintf(c->out, "skylinkctl %s\n", PACKAGE_VERSION);
		return CTL_EXIT_OK;
	}
	if (c->args.option[CTL_HELP])
		return print_text(c, ctl_table_help(c->args.verb));
	switch (c->args.verb) {
	case -1:
		return ctl_usage_error(c, "What shall be done? A verb is missing");
	case CTL_COMPLETION:
		return print_text(c, ctl_completion_make(
					     c->args.arguments[0]));
	case CTL_HELP_VERB:
		return run_help(c);
	default:
		return run_with_daemon(c);
	}
}

int ctl_run(int argc, char *const argv[], FILE *out, FILE *err)
{
	struct ctl c = {.out = out, .err = err};
	g_autofree char *why = NULL;
	int r;

	if (!ctl_args_parse(argc, argv, &c.args, &why))
		return ctl_usage_error(&c, why);
	c.color = use_color(&c.args, out);
	r = run(&c);
	ctl_client_free(c.client);
	/* What was printed must have arrived: "... > /dev/full". */
	if (fflush(out) != 0 && r == CTL_EXIT_OK)
		r = CTL_EXIT_FAILED;
	return r;
}
