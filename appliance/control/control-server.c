// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/control/control-client.h"
#include "appliance/control/control-constants.h"
#include "appliance/control/control-credentials.h"
#include "appliance/control/control-request.h"
#include "appliance/control/control-socket.h"
#include "config/nearest.h"

#define DEFAULT_MAX_CLIENTS 64
#define ACCEPTS_PER_TURN    16

typedef struct {
	const ControlMethod *method;
	ControlHandlerFunc run;
} Served;

struct ControlServer {
	GMainContext *context;
	struct control_socket socket;
	struct control_groups groups;
	GSource *accept_source;
	int spare_fd;			/* given up to refuse when out of fds */
	const ControlMethod *methods;
	const ControlEvent *events;
	unsigned int n_events;
	GHashTable *served;		/* name -> Served */
	gpointer user;
	unsigned int max_clients;
	GPtrArray *clients;		/* references */
	ControlServerStats stats;
};

struct ControlCall {
	gatomicrefcount refs;
	ControlClient *client;
	const ControlMethod *method;
	JsonNode *id;			/* NULL: nobody waits for an answer */
	JsonObject *params;
	struct control_fds *fds;	/* borrowed, while the handler runs */
	gboolean answered;
};

/* --- calls ---------------------------------------------------------------- */
static void count_error(ControlClient *client)
{
	ControlServer *server = client->server;

	if (control_client_is_open(client))
		server->stats.errors++;
}

static void close_all(const int *fds, unsigned int n_fds)
{
	for (unsigned int i = 0; i < n_fds; i++)
		close(fds[i]);
}

/* Takes @line and @fds. */
static void answer(ControlCall *call, GBytes *line, const int *fds,
		   unsigned int n_fds)
{
	g_assert(!call->answered);
	call->answered = TRUE;
	if (call->id)
		control_client_send_fds(call->client, line, fds, n_fds);
	else
		close_all(fds, n_fds);
	g_bytes_unref(line);
	control_client_call_done(call->client);
}

ControlCall *control_call_ref(ControlCall *call)
{
	g_atomic_ref_count_inc(&call->refs);
	return call;
}

void control_call_unref(ControlCall *call)
{
	if (!g_atomic_ref_count_dec(&call->refs))
		return;
	if (!call->answered)
		answer(call, control_message_error(
				     call->id, CONTROL_CODE_INTERNAL,
				     "The call ended without an answer",
				     NULL), NULL, 0);
	g_clear_pointer(&call->id, json_node_unref);
	json_object_unref(call->params);
	control_client_unref(call->client);
	g_free(call);
}

JsonObject *control_call_get_params(ControlCall *call)
{
	return call->params;
}

const char *control_call_get_method(ControlCall *call)
{
	return call->method->name;
}

gboolean control_call_is_alive(ControlCall *call)
{
	return control_client_is_open(call->client);
}

int control_call_take_fd(ControlCall *call, unsigned int index)
{
	return call->fds ? control_fds_take(call->fds, index) : -1;
}

void control_call_reply_fds(ControlCall *call, JsonNode *result,
			    const int *fds, unsigned int n_fds)
{
	GBytes *line = control_message_result(call->id, result);

	if (g_bytes_get_size(line) > CONTROL_LINE_MAX_BYTES) {
		g_bytes_unref(line);
		close_all(fds, n_fds);
		control_call_fail(call, CONTROL_CODE_INTERNAL, NULL,
				  "The answer is longer than the %u bytes that "
				  "a line may have", CONTROL_LINE_MAX_BYTES);
		return;
	}
	answer(call, line, fds, n_fds);
}

void control_call_reply(ControlCall *call, JsonNode *result)
{
	control_call_reply_fds(call, result, NULL, 0);
}

void control_call_fail(ControlCall *call, int code, JsonNode *data,
		       const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	count_error(call->client);
	answer(call, control_message_error(call->id, code, message, data),
	       NULL, 0);
}

/* --- events --------------------------------------------------------------- */
static int find_event(const ControlServer *server, const char *name)
{
	for (unsigned int i = 0; i < server->n_events; i++)
		if (!strcmp(server->events[i].name, name))
			return (int) i;
	return -1;
}

/* @pattern: a name, or the start of names and '*'. */
static gboolean event_matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return !strncmp(pattern, name, n - 1);
	return !strcmp(pattern, name);
}

gboolean control_server_has_subscriber(ControlServer *server, const char *name,
				       ControlRole least)
{
	int event = find_event(server, name);

	for (unsigned int i = 0; i < server->clients->len; i++) {
		const ControlClient *client = server->clients->pdata[i];

		if (client->role >= least &&
		    control_subscription_may_want(client->subscription, event))
			return TRUE;
	}
	return FALSE;
}

void control_server_emit(ControlServer *server, const char *name,
			 JsonObject *params)
{
	int event = find_event(server, name);
	GBytes *line = NULL;

	/* Backwards: a client that is closed here leaves its place to the
	 * last one, which was served already. */
	for (unsigned int i = server->clients->len; i-- > 0;) {
		ControlClient *client = server->clients->pdata[i];

		if (!control_subscription_take(client->subscription, event,
					       params))
			continue;
		if (!line)
			line = control_message_event(name, params);
		control_client_send(client, line);
	}
	if (line) {
		server->stats.events++;
		g_bytes_unref(line);
	}
}

static JsonNode *list_subscribed(const ControlServer *server,
				 const ControlClient *client)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();
	JsonArray *array = json_array_new();

	for (unsigned int i = 0; i < server->n_events; i++)
		if (control_subscription_may_want(client->subscription,
						  (int) i))
			json_array_add_string_element(array,
						      server->events[i].name);
	json_object_set_array_member(o, "events", array);
	json_node_take_object(node, o);
	return node;
}

static void unknown_event(ControlCall *call, const ControlServer *server,
			  const char *pattern)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *given = control_text_shorten(pattern);
	const char *near;

	for (unsigned int i = 0; i < server->n_events; i++)
		g_ptr_array_add(names, (gpointer) server->events[i].name);
	g_ptr_array_add(names, NULL);
	near = nearest_of(pattern, (const char *const *) names->pdata);
	control_call_fail(call, CONTROL_CODE_PARAMS, NULL,
			  "No event is called \"%s\"%s%s%s; rpc.discover lists "
			  "them", given, near ? ". Did you mean \"" : "",
			  near ? near : "", near ? "\"?" : "");
}

/* @param: which names the patterns.
 * Return: FALSE when a pattern fits nothing; the call was answered. */
static gboolean mark_events(ControlCall *call, ControlServer *server,
			    const char *param, guint8 *ret_marks,
			    gboolean *ret_all)
{
	JsonNode *node = json_object_get_member(call->params, param);
	JsonArray *patterns = node ? json_node_get_array(node) : NULL;
	unsigned int n = patterns ? json_array_get_length(patterns) : 0;

	*ret_all = n == 0;
	memset(ret_marks, n == 0, server->n_events);
	for (unsigned int i = 0; i < n; i++) {
		const char *p = json_array_get_string_element(patterns, i);
		gboolean found = FALSE;

		for (unsigned int e = 0; e < server->n_events; e++) {
			if (event_matches(p, server->events[e].name))
				found = ret_marks[e] = TRUE;
		}
		if (!found) {
			unknown_event(call, server, p);
			return FALSE;
		}
		*ret_all |= !strcmp(p, "*");
	}
	return TRUE;
}

static void add_rule(ControlCall *call, const char *names,
		     ControlSubscriptionRule rule)
{
	ControlClient *client = call->client;
	ControlServer *server = client->server;
	g_autofree guint8 *marks = g_malloc0(server->n_events + 1);
	g_autofree char *why = NULL;

	if (!mark_events(call, server, names, marks, &rule.all))
		return;
	rule.marks = marks;
	if (!client->subscription)
		client->subscription =
			control_subscription_new(server->n_events);
	if (!control_subscription_add(client->subscription, &rule, &why))
		control_call_fail(call, CONTROL_CODE_BUSY, NULL, "%s", why);
	else
		control_call_reply(call, list_subscribed(server, client));
}

static void remove_events(ControlCall *call, const char *names)
{
	ControlClient *client = call->client;
	ControlServer *server = client->server;
	g_autofree guint8 *marks = g_malloc0(server->n_events + 1);
	gboolean all;

	if (!mark_events(call, server, names, marks, &all))
		return;
	if (client->subscription)
		control_subscription_remove(client->subscription, marks, all);
	control_call_reply(call, list_subscribed(server, client));
}

static JsonObject *object_param(ControlCall *call, const char *name)
{
	return json_object_has_member(call->params, name) ?
		json_object_get_object_member(call->params, name) : NULL;
}

static gboolean bool_param(ControlCall *call, const char *name)
{
	return json_object_get_boolean_member_with_default(call->params, name,
							   FALSE);
}

static void run_subscribe(ControlCall *call, gpointer user)
{
	const char *peer = json_object_get_string_member_with_default(
		call->params, "peerId", "");

	add_rule(call, "events", (ControlSubscriptionRule){
		.peer_id = *peer ? peer : NULL,
		.where = object_param(call, "where"),
		.once = bool_param(call, "once")});
}

static void run_unsubscribe(ControlCall *call, gpointer user)
{
	remove_events(call, "events");
}

static void run_on(ControlCall *call, gpointer user)
{
	add_rule(call, "eventName", (ControlSubscriptionRule){});
}

static void run_once(ControlCall *call, gpointer user)
{
	add_rule(call, "eventName", (ControlSubscriptionRule){
		.where = object_param(call, "condition"),
		.once = !bool_param(call, "fireAlways")});
}

static void run_off(ControlCall *call, gpointer user)
{
	remove_events(call, "eventName");
}

static gboolean is_served(const char *name, gpointer user)
{
	const ControlServer *server = user;

	return g_hash_table_contains(server->served, name);
}

static void run_discover(ControlCall *call, gpointer user)
{
	ControlServer *server = call->client->server;
	const ControlMethod *const tables[] = {server->methods,
					       control_builtin_methods};

	control_call_reply(call, control_table_discover(
					 tables, G_N_ELEMENTS(tables),
					 server->events, is_served, server));
}

static void run_constants(ControlCall *call, gpointer user)
{
	JsonNode *names = json_object_get_member(call->params, "names");
	g_autofree char *why = NULL;
	JsonNode *result = control_constants_describe(
		names ? json_node_get_array(names) : NULL, &why);

	if (result)
		control_call_reply(call, result);
	else
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s", why);
}

static const ControlHandler builtin_handlers[] = {
	{"subscribe", run_subscribe},
	{"unsubscribe", run_unsubscribe},
	{"on", run_on},
	{"once", run_once},
	{"off", run_off},
	{"rpc.discover", run_discover},
	{"rpc.constants", run_constants},
	{NULL, NULL},
};

/* --- requests ------------------------------------------------------------- */
static void send_error(ControlClient *client, JsonNode *id, int code,
		       const char *message)
{
	GBytes *line = control_message_error(id, code, message, NULL);

	count_error(client);
	control_client_send(client, line);
	g_bytes_unref(line);
}

static const char too_many_fds[] =
	"Not all descriptors arrived: a line may bring "
	G_STRINGIFY(CONTROL_FDS_MAX) ", and the daemon must have as many "
	"free";

static char *explain_unknown_method(ControlServer *server, const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *given = control_text_shorten(name);
	GHashTableIter iter;
	gpointer key;
	const char *near;

	g_hash_table_iter_init(&iter, server->served);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(names, key);
	g_ptr_array_add(names, NULL);
	near = nearest_of(name, (const char *const *) names->pdata);
	if (near)
		return g_strdup_printf("No method is called \"%s\". Did you "
				       "mean \"%s\"?", given, near);
	return g_strdup_printf("No method is called \"%s\"; rpc.discover "
			       "lists them", given);
}

static void run_request(ControlServer *server, ControlClient *client,
			const struct control_request *request,
			struct control_fds *fds)
{
	Served *served = g_hash_table_lookup(server->served, request->method);
	g_autofree char *why = NULL;
	JsonObject *params;
	ControlCall *call;

	if (!served) {
		why = explain_unknown_method(server, request->method);
		if (request->id)
			send_error(client, request->id, CONTROL_CODE_METHOD,
				   why);
		return;
	}
	if (client->role < served->method->role) {
		why = g_strdup_printf(
			"%s needs the right to %s; this user may %s",
			served->method->name,
			control_role_name(served->method->role),
			control_role_name(client->role));
		if (request->id)
			send_error(client, request->id, CONTROL_CODE_FORBIDDEN,
				   why);
		return;
	}
	if (fds->truncated) {
		if (request->id)
			send_error(client, request->id, CONTROL_CODE_BUSY,
				   too_many_fds);
		return;
	}
	params = control_table_check(served->method, request->params, &why);
	if (!params) {
		if (request->id)
			send_error(client, request->id, CONTROL_CODE_PARAMS,
				   why);
		return;
	}
	call = g_new0(ControlCall, 1);
	g_atomic_ref_count_init(&call->refs);
	call->client = control_client_ref(client);
	call->method = served->method;
	call->id = request->id ? json_node_copy(request->id) : NULL;
	call->params = params;
	call->fds = fds;
	client->n_calls++;
	served->run(call, server->user);
	/* The server may be gone here, by the handler's will. */
	call->fds = NULL;
	control_call_unref(call);
}

static void on_line(ControlClient *client, const char *text, size_t len,
		    struct control_fds *fds)
{
	ControlServer *server = client->server;
	struct control_request request;
	enum control_code code;
	g_autofree char *why = NULL;

	server->stats.requests++;
	if (control_request_parse(text, len, &request, &code, &why)) {
		run_request(server, client, &request, fds);
	} else {
		server->stats.bad_lines++;
		send_error(client, request.id, code, why);
	}
	control_request_clear(&request);
}

static void on_long_line(ControlClient *client)
{
	ControlServer *server = client->server;
	g_autofree char *why = g_strdup_printf(
		"A line may have %u bytes; the rest of this one is skipped",
		CONTROL_LINE_MAX_BYTES);

	server->stats.bad_lines++;
	send_error(client, NULL, CONTROL_CODE_REQUEST, why);
}

static void on_closed(ControlClient *client, gboolean slow)
{
	ControlServer *server = client->server;

	server->stats.dropped_slow += slow;
	server->stats.bytes_in += client->bytes_in;
	server->stats.bytes_out += client->bytes_out;
	if (slow)
		g_message("A control client did not read its messages and was "
			  "dropped (%" G_GUINT64_FORMAT " so far)",
			  server->stats.dropped_slow);
	if (g_ptr_array_remove_fast(server->clients, client))
		control_client_unref(client);
}

static const struct control_client_ops client_ops = {
	.line = on_line,
	.long_line = on_long_line,
	.closed = on_closed,
};

/* --- connections ---------------------------------------------------------- */
static void add_client(ControlServer *server, int fd)
{
	struct control_credentials peer;
	ControlRole role = CONTROL_ROLE_NONE;
	ControlClient *client;

	if (control_credentials_get(fd, &peer) == 0)
		role = control_credentials_role(&peer, &server->groups,
						geteuid());
	client = control_client_new(server->context, fd, role, &client_ops,
				    server);
	g_ptr_array_add(server->clients, client);
	server->stats.clients_total++;

	if (role == CONTROL_ROLE_NONE) {
		server->stats.clients_refused++;
		send_error(client, NULL, CONTROL_CODE_FORBIDDEN,
			   "This user may not control the appliance: be root, "
			   "or a member of group " CONTROL_GROUP_OPERATE
			   " or " CONTROL_GROUP_READ);
		control_client_finish(client);
	} else if (server->clients->len > server->max_clients) {
		server->stats.clients_refused++;
		send_error(client, NULL, CONTROL_CODE_BUSY,
			   "Too many clients are connected; try later");
		control_client_finish(client);
	}
}

/* Without a descriptor the connection could not even be refused, and would
 * wake us for ever: the spare one makes room for that. */
static void refuse_without_descriptors(ControlServer *server)
{
	int fd;

	if (server->spare_fd >= 0)
		close(server->spare_fd);
	fd = accept4(server->socket.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server->stats.clients_refused++;
}

static gboolean on_connection(int fd, GIOCondition condition, gpointer user)
{
	ControlServer *server = user;

	for (unsigned int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int client = accept4(fd, NULL, NULL,
				     SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client >= 0) {
			/* Refused ones linger until they have read why; more
			 * than twice the limit is not heard at all. */
			if (server->clients->len >= 2 * server->max_clients) {
				server->stats.clients_refused++;
				close(client);
			} else {
				add_client(server, client);
			}
			continue;
		}
		if (errno == EMFILE || errno == ENFILE)
			refuse_without_descriptors(server);
		else if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
	return G_SOURCE_CONTINUE;
}

static void add_handlers(ControlServer *server, const ControlMethod *methods,
			 const ControlHandler *handlers)
{
	for (; handlers && handlers->method; handlers++) {
		Served *served = g_new0(Served, 1);

		served->method = control_table_find(methods, handlers->method);
		served->run = handlers->run;
		if (!served->method)
			g_error("No row in the method table for '%s'",
				handlers->method);
		g_hash_table_insert(server->served,
				    (gpointer) served->method->name, served);
	}
}

ControlServer *control_server_new(const ControlServerConfig *config,
				  GError **error)
{
	ControlServer *server = g_new0(ControlServer, 1);
	gboolean groups;

	server->socket.fd = server->socket.lock_fd = -1;
	if (config->groups)
		server->groups = *config->groups;
	else
		control_groups_lookup(&server->groups);
	groups = server->groups.has_operate || server->groups.has_read;
	/* With the groups everybody may connect and roles decide; without
	 * them the file itself keeps others out. */
	if (!(config->listen_fd > 0
		      ? control_socket_adopt(config->listen_fd,
					     &server->socket, error)
		      : control_socket_listen(config->path,
					      groups ? 0666 : 0600,
					      &server->socket, error))) {
		g_free(server);
		return NULL;
	}
	server->context = g_main_context_ref(
		config->context ? config->context : g_main_context_default());
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server->methods = config->methods ? config->methods : control_methods;
	server->events = config->events ? config->events : control_events;
	while (server->events[server->n_events].name)
		server->n_events++;
	server->user = config->user;
	control_server_set_max_clients(server, config->max_clients);
	server->clients = g_ptr_array_new();
	server->served = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					       g_free);
	add_handlers(server, server->methods, config->handlers);
	add_handlers(server, control_builtin_methods, builtin_handlers);

	server->accept_source = g_unix_fd_source_new(server->socket.fd,
						     G_IO_IN);
	g_source_set_callback(server->accept_source,
			      G_SOURCE_FUNC(on_connection), server, NULL);
	g_source_attach(server->accept_source, server->context);
	return server;
}

void control_server_free(ControlServer *server)
{
	if (!server)
		return;
	g_source_destroy(server->accept_source);
	g_source_unref(server->accept_source);
	while (server->clients->len)
		control_client_close(server->clients->pdata[0]);
	g_ptr_array_unref(server->clients);
	g_hash_table_unref(server->served);
	control_socket_close(&server->socket);
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	g_main_context_unref(server->context);
	g_free(server);
}

void control_server_set_max_clients(ControlServer *server,
				    unsigned int max_clients)
{
	server->max_clients = max_clients ? max_clients : DEFAULT_MAX_CLIENTS;
}

const char *control_server_get_path(ControlServer *server)
{
	return server->socket.path;
}

void control_server_get_stats(ControlServer *server, ControlServerStats *ret)
{
	*ret = server->stats;
	ret->clients = server->clients->len;
	ret->subscribers = 0;
	for (unsigned int i = 0; i < server->clients->len; i++) {
		const ControlClient *c = server->clients->pdata[i];

		ret->subscribers +=
			!control_subscription_is_empty(c->subscription);
		ret->bytes_in += c->bytes_in;
		ret->bytes_out += c->bytes_out;
	}
}
