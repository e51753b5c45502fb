// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/control/control-fds.h"
#include "appliance/control/control-line.h"
#include "appliance/control/control-path.h"
#include "appliance/control/control-server.h"

/* The daemon's answers may be as long as its questions, plus their frame. */
#define ANSWER_MAX_BYTES (2 * CONTROL_LINE_MAX_BYTES)
/* While an answer is waited for; then the oldest are forgotten. */
#define EVENTS_MAX	 1000

struct ctl_client {
	int fd;
	int signal_fd;			/* -1: signals end the process */
	gint64 next_id;
	struct control_line lines;
	struct control_fd_queue fds;
	struct control_fds answer_fds;	/* of the last message */
	GQueue events;			/* JsonNode */
};

G_DEFINE_QUARK(skylink-ctl-error, ctl_error)

/* Return: a connected descriptor, or negative errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *) &address,
		    sizeof(address)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static const char *explain(int r)
{
	switch (-r) {
	case ENOENT:
		return "there is no such socket";
	case ECONNREFUSED:
		return "nobody listens there any more";
	case EACCES:
	case EPERM:
		return "this user may not; be root, or in group skylink or "
		       "skylink-read";
	default:
		return g_strerror(-r);
	}
}

struct ctl_client *ctl_client_new(const char *const *paths, GError **error)
{
	g_autoptr(GString) tried = g_string_new(NULL);
	struct ctl_client *client;
	int code = CTL_EXIT_NO_DAEMON;

	for (; *paths; paths++) {
		g_autoptr(GError) distrust = NULL;
		int r = connect_to(*paths);

		/* Asked after connecting: what is not there needs no trust,
		 * and nothing was said yet. */
		if (r >= 0 && !control_path_is_trusted(*paths, &distrust)) {
			close(r);
			g_string_append_printf(tried, "\n  %s: %s", *paths,
					       distrust->message);
			continue;
		}
		if (r >= 0) {
			client = g_new0(struct ctl_client, 1);
			client->fd = r;
			client->signal_fd = -1;
			client->next_id = 1;
			g_queue_init(&client->events);
			control_line_init(&client->lines, ANSWER_MAX_BYTES);
			return client;
		}
		if (r == -EACCES || r == -EPERM)
			code = CTL_EXIT_FORBIDDEN;
		g_string_append_printf(tried, "\n  %s: %s", *paths,
				       explain(r));
	}
	g_set_error(error, CTL_ERROR, code,
		    "No skylinkd answers. Tried:%s%s", tried->str,
		    code == CTL_EXIT_NO_DAEMON
			    ? "\nStart it with 'systemctl start skylinkd', or "
			      "'skylinkd --demo'." : "");
	return NULL;
}

struct ctl_client *ctl_client_free(struct ctl_client *client)
{
	if (!client)
		return NULL;
	close(client->fd);
	if (client->signal_fd >= 0)
		close(client->signal_fd);
	control_line_done(&client->lines);
	control_fd_queue_clear(&client->fds);
	control_fds_clear(&client->answer_fds);
	g_queue_clear_full(&client->events, (GDestroyNotify) json_node_unref);
	g_free(client);
	return NULL;
}

static void lost(GError **error)
{
	g_set_error_literal(error, CTL_ERROR, CTL_EXIT_LOST,
			    "skylinkd closed the connection");
}

void ctl_client_catch_signals(struct ctl_client *client)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	client->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static gboolean was_interrupted(struct ctl_client *c, GError **error)
{
	struct signalfd_siginfo info;

	if (c->signal_fd < 0 ||
	    read(c->signal_fd, &info, sizeof(info)) != sizeof(info))
		return FALSE;
	g_set_error_literal(error, CTL_ERROR, CTL_EXIT_INTERRUPTED,
			    "Interrupted");
	return TRUE;
}

/* @deadline_us: of g_get_monotonic_time(), or 0: none */
static gboolean wait_readable(struct ctl_client *c, gint64 deadline_us,
			      GError **error)
{
	struct pollfd p[] = {{.fd = c->fd, .events = POLLIN},
			     {.fd = c->signal_fd, .events = POLLIN}};

	for (;;) {
		gint64 left = deadline_us - g_get_monotonic_time();
		int r = poll(p, 2, !deadline_us ? -1
				   : left > 0 ? (int) ((left + 999) / 1000)
					      : 0);

		if (r > 0 && was_interrupted(c, error))
			return FALSE;
		if (r > 0 && p[0].revents)
			return TRUE;
		if (r > 0 || (r < 0 && errno == EINTR))
			continue;
		if (r < 0)
			lost(error);
		else
			g_set_error_literal(error, CTL_ERROR, CTL_EXIT_TIMEOUT,
					    "skylinkd did not answer in time");
		return FALSE;
	}
}

/* Return: the next message, an object. */
static JsonNode *read_message(struct ctl_client *c, gint64 deadline_us,
			      GError **error)
{
	for (;;) {
		const char *text;
		size_t len;
		ssize_t n;
		int r = control_line_next(&c->lines, &text, &len);

		if (r > 0) {
			/* From the daemon, which nests no deeper than what it
			 * checked itself plus a few levels of its own. */
			g_autofree char *copy = g_strndup(text, len);
			JsonNode *node = json_from_string(copy, NULL);

			control_fds_clear(&c->answer_fds);
			control_fd_queue_claim(&c->fds,
					       control_line_position(&c->lines),
					       &c->answer_fds);
			if (node && JSON_NODE_HOLDS_OBJECT(node))
				return node;
			g_clear_pointer(&node, json_node_unref);
		}
		if (r != 0) {
			g_set_error_literal(error, CTL_ERROR, CTL_EXIT_FAILED,
					    "What answered is no skylinkd");
			return NULL;
		}
		if (!wait_readable(c, deadline_us, error))
			return NULL;
		n = control_fd_queue_read(&c->fds, &c->lines, c->fd, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			lost(error);
			return NULL;
		}
	}
}

/* Takes @params. */
static gboolean send_request(struct ctl_client *c, const char *method,
			     JsonNode *params, const int *fds,
			     unsigned int n_fds, GError **error)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();
	g_autofree char *text = NULL, *line = NULL;
	size_t len, sent = 0;

	json_object_set_string_member(o, "jsonrpc", "2.0");
	json_object_set_int_member(o, "id", c->next_id);
	json_object_set_string_member(o, "method", method);
	if (params)
		json_object_set_member(o, "params", params);
	json_node_take_object(root, o);
	text = json_to_string(root, FALSE);
	line = g_strconcat(text, "\n", NULL);
	len = strlen(line);
	while (sent < len) {
		/* They go with the first byte. */
		ssize_t n = control_fds_send(c->fd, line + sent, len - sent, 0,
					     fds, sent ? 0 : n_fds);

		if (n < 0 && errno == EINTR)
			continue;
		/* Refused at once (too many clients, no right): why stands in
		 * what it sent before it closed. */
		if (n < 0 && errno == EPIPE)
			return TRUE;
		if (n < 0) {
			lost(error);
			return FALSE;
		}
		sent += (size_t) n;
	}
	return TRUE;
}

static void set_call_error(JsonObject *o, GError **error)
{
	gint64 code = json_object_get_int_member_with_default(o, "code", 0);

	g_set_error_literal(error, CTL_ERROR,
			    code == CONTROL_CODE_FORBIDDEN ? CTL_EXIT_FORBIDDEN
							   : CTL_EXIT_FAILED,
			    json_object_get_string_member_with_default(
				    o, "message", "no reason given"));
}

static gboolean is_object_member(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_OBJECT(node);
}

gint64 ctl_client_ask(struct ctl_client *c, const char *method,
		      JsonNode *params, const int *fds, unsigned int n_fds,
		      GError **error)
{
	gint64 id = c->next_id;

	if (!send_request(c, method, params, fds, n_fds, error))
		return 0;
	c->next_id++;
	return id;
}

static gboolean is_event(JsonNode *message)
{
	JsonObject *o = json_node_get_object(message);

	return json_object_has_member(o, "method") &&
	       is_object_member(o, "params");
}

JsonNode *ctl_client_next(struct ctl_client *c, unsigned int timeout_ms,
			  GError **error)
{
	JsonNode *event = g_queue_pop_head(&c->events);

	if (event)
		return event;
	return read_message(c, timeout_ms ? g_get_monotonic_time() +
						    (gint64) timeout_ms * 1000
					  : 0, error);
}

bool ctl_client_is_answer(JsonNode *message, gint64 id, JsonNode **ret_result,
			  JsonNode **ret_error_object, GError **error)
{
	JsonObject *o = json_node_get_object(message);
	JsonNode *got = json_object_get_member(o, "id");

	/* An error without an id is about the connection: nothing else will
	 * come. */
	if (!got || (!JSON_NODE_HOLDS_NULL(got) &&
		     json_node_get_int(got) != id))
		return false;
	*ret_result = NULL;
	if (is_object_member(o, "error")) {
		JsonNode *e = json_object_get_member(o, "error");

		set_call_error(json_node_get_object(e), error);
		if (ret_error_object)
			*ret_error_object = json_node_copy(e);
		return true;
	}
	got = json_object_get_member(o, "result");
	*ret_result = got ? json_node_copy(got) : json_node_new(JSON_NODE_NULL);
	return true;
}

static void keep_event(struct ctl_client *c, JsonNode *event)
{
	if (g_queue_get_length(&c->events) >= EVENTS_MAX)
		json_node_unref(g_queue_pop_head(&c->events));
	g_queue_push_tail(&c->events, json_node_ref(event));
}

JsonNode *ctl_client_call_fds(struct ctl_client *c, const char *method,
			      JsonNode *params, const int *fds,
			      unsigned int n_fds, unsigned int timeout_ms,
			      JsonNode **ret_error_object, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
	gint64 id = ctl_client_ask(c, method, params, fds, n_fds, error);

	while (id) {
		g_autoptr(JsonNode) node = read_message(c, deadline, error);
		JsonNode *result;

		if (!node)
			return NULL;
		if (ctl_client_is_answer(node, id, &result, ret_error_object,
					 error))
			return result;
		if (is_event(node))
			keep_event(c, node);
	}
	return NULL;
}

JsonNode *ctl_client_call(struct ctl_client *c, const char *method,
			  JsonNode *params, unsigned int timeout_ms,
			  JsonNode **ret_error_object, GError **error)
{
	return ctl_client_call_fds(c, method, params, NULL, 0, timeout_ms,
				   ret_error_object, error);
}

int ctl_client_take_fd(struct ctl_client *c, unsigned int index)
{
	return control_fds_take(&c->answer_fds, index);
}

JsonNode *ctl_client_next_event(struct ctl_client *c, GError **error)
{
	for (;;) {
		JsonNode *node = ctl_client_next(c, 0, error);

		if (!node || is_event(node))
			return node;
		json_node_unref(node);
	}
}
