// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/ctl/ctl-private.h"
#include "appliance/ctl/ctl-progress.h"
#include "appliance/ctl/ctl-text.h"

#define CANCEL_MS 5000	/* for the daemon to end what was cancelled */

/* One call of sendBlobData or sendURLData, until it is answered. */
struct sending {
	struct ctl *c;
	gint64 call;
	const char *name;		/* as peers are told; NULL: a data URL */
	GHashTable *peers;		/* peerId -> transferId, while it runs */
	struct ctl_progress *progress;
	bool interrupted;
};

/* --- which transfers are ours ---------------------------------------------- */
/* The request names what was asked for last: others of this daemon's clients
 * that send the same name in the same moment cannot be told apart. */
static bool is_ours(const struct sending *s, JsonObject *params)
{
	JsonObject *info = ctl_object_member(params, "transferInfo");
	const char *type = info ? ctl_raw_member(info, "dataType") : NULL;
	const char *name = info ? ctl_raw_member(info, "name") : NULL;

	if (!json_object_get_boolean_member_with_default(params, "isSelf",
							 FALSE))
		return false;
	return s->name ? !g_strcmp0(name, s->name)
		       : !g_strcmp0(type, "dataURL");
}

static void on_event(struct sending *s, const char *event, JsonObject *params)
{
	const char *peer = ctl_raw_member(params, "peerId");
	const char *id = ctl_raw_member(params, "transferId");
	const char *state = ctl_raw_member(params, "state");
	bool well;

	if (!peer || !id)
		return;
	if (!strcmp(event, "incomingDataRequest")) {
		if (is_ours(s, params))
			g_hash_table_insert(s->peers, g_strdup(peer),
					    g_strdup(id));
		return;
	}
	if (!state || g_strcmp0(g_hash_table_lookup(s->peers, peer), id))
		return;
	ctl_progress_event(s->progress, params, g_get_monotonic_time());
	if (ctl_progress_is_end(state, &well))
		g_hash_table_remove(s->peers, peer);
}

static int cancel_all(struct sending *s)
{
	GHashTableIter iter;
	gpointer peer, id;

	s->interrupted = true;
	g_hash_table_iter_init(&iter, s->peers);
	while (g_hash_table_iter_next(&iter, &peer, &id)) {
		JsonObject *params = json_object_new();
		g_autoptr(GError) error = NULL;

		json_object_set_string_member(params, "peerId", peer);
		json_object_set_string_member(params, "transferId", id);
		if (!ctl_client_ask(s->c->client, "cancelDataTransfer",
				    ctl_params(params), NULL, 0, &error))
			return ctl_failed(s->c, error, NULL);
	}
	return CTL_EXIT_OK;
}

/* Return: an exit status when it is over, -1 when it goes on. */
static int take_message(struct sending *s, JsonNode *message,
			JsonNode **ret_result)
{
	JsonObject *o = json_node_get_object(message);
	JsonObject *params = ctl_object_member(o, "params");
	const char *event = ctl_raw_member(o, "method");
	g_autoptr(JsonNode) object = NULL;
	g_autoptr(GError) error = NULL;

	if (event && params) {
		on_event(s, event, params);
		return -1;
	}
	if (!ctl_client_is_answer(message, s->call, ret_result, &object,
				  &error))
		return -1;
	ctl_progress_clear(s->progress);
	if (!*ret_result)
		return ctl_failed(s->c, error, object);
	return CTL_EXIT_OK;
}

static int follow(struct sending *s, JsonNode **ret_result)
{
	int r = -1;

	while (r < 0) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) message = ctl_client_next(
			s->c->client, s->interrupted ? CANCEL_MS : 0, &error);

		if (message) {
			r = take_message(s, message, ret_result);
		} else if (error->code == CTL_EXIT_INTERRUPTED &&
			   !s->interrupted) {
			ctl_progress_clear(s->progress);
			r = cancel_all(s);
			r = r ? r : -1;
		} else {
			ctl_progress_clear(s->progress);
			r = ctl_failed(s->c, error, NULL);
		}
	}
	return s->interrupted ? CTL_EXIT_INTERRUPTED : r;
}

/* Takes @params. @name: NULL: a data URL */
static int send_one(struct ctl *c, const char *method, JsonObject *params,
		    const char *name, int fd)
{
	FILE *lines = c->args.option[CTL_JSON] ? NULL : c->out;
	bool bar = lines && isatty(fileno(c->err));
	struct sending s = {
		.c = c,
		.name = name,
		.peers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       g_free),
		.progress = ctl_progress_new(name ? name : "data URL",
					     bar ? c->err : lines, bar,
					     g_get_monotonic_time()),
	};
	g_autoptr(JsonNode) result = NULL;
	g_autoptr(GError) error = NULL;
	int r;

	s.call = ctl_client_ask(c->client, method, ctl_params(params), &fd,
				fd < 0 ? 0 : 1, &error);
	r = s.call ? follow(&s, &result) : ctl_failed(c, error, NULL);
	ctl_progress_free(s.progress);
	g_hash_table_unref(s.peers);
	if (r == CTL_EXIT_OK) {
		g_autofree char *safe = ctl_text_safe(name ? name : "It");

		r = ctl_print(c, result, g_strdup_printf("%s arrived.\n",
							 safe));
	}
	return r;
}

static int prepare(struct ctl *c)
{
	static const char *const events[] = {"incomingDataRequest",
					     "dataTransferState", NULL};

	ctl_client_catch_signals(c->client);
	return ctl_subscribe(c, events);
}

/* --- files ----------------------------------------------------------------- */
/* The daemon refuses these, too; here it is told by name. */
static int open_file(struct ctl *c, const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return ctl_refuse(c, "Cannot open '%s': %s", path,
				  g_strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return ctl_refuse(c, "'%s' is no regular file: peers are told "
				     "its size before it is sent", path);
	}
	*ret_fd = fd;
	return CTL_EXIT_OK;
}

static char *guess_mime_type(struct ctl *c, const char *name)
{
	g_autofree char *type = NULL;

	if (c->args.option[CTL_MIME_TYPE])
		return g_strdup(c->args.option[CTL_MIME_TYPE]);
	type = g_content_type_guess(name, NULL, 0, NULL);
	return g_content_type_get_mime_type(type);
}

static int send_file(struct ctl *c, const char *path, JsonArray *targets)
{
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *name = g_utf8_make_valid(base, -1);
	g_autofree char *mime_type = guess_mime_type(c, name);
	JsonObject *params, *data;
	int fd = -1, r = open_file(c, path, &fd);

	if (r)
		return r;
	params = json_object_new();
	data = json_object_new();
	json_object_set_int_member(data, "fd", 0);
	json_object_set_string_member(data, "name", name);
	if (mime_type)
		json_object_set_string_member(data, "mimeType", mime_type);
	json_object_set_object_member(params, "data", data);
	if (targets)
		json_object_set_array_member(params, "targetPeerId",
					     json_array_ref(targets));
	r = send_one(c, "sendBlobData", params, name, fd);
	close(fd);
	return r;
}

static bool is_file(const char *argument)
{
	return access(argument, F_OK) == 0;
}

int ctl_run_send(struct ctl *c)
{
	const char *peers[CTL_ARGUMENTS_MAX], *files[CTL_ARGUMENTS_MAX];
	unsigned int n_peers = 0, n_files = 0;
	g_autoptr(JsonArray) targets = NULL;
	int r, first = CTL_EXIT_OK;

	for (unsigned int i = 0; i < c->args.n_arguments; i++) {
		const char *a = c->args.arguments[i];

		/* The first one has to be a file. */
		if (!i || is_file(a))
			files[n_files++] = a;
		else
			peers[n_peers++] = a;
	}
	if (!is_file(files[0]))
		return ctl_refuse(c, "There is no file '%s'", files[0]);
	r = ctl_find_peers(c, peers, n_peers, &targets);
	if (r == CTL_EXIT_OK)
		r = prepare(c);
	for (unsigned int i = 0; i < n_files && r == CTL_EXIT_OK; i++) {
		int sent = send_file(c, files[i], targets);

		if (first == CTL_EXIT_OK)
			first = sent;
		/* One that is refused does not keep the others back. */
		if (sent != CTL_EXIT_FAILED)
			r = sent;
	}
	return r ? r : first;
}

int ctl_run_send_url(struct ctl *c)
{
	const char *text = c->args.arguments[0];
	g_autofree char *input = NULL;
	g_autoptr(JsonArray) targets = NULL;
	JsonObject *params;
	int r = ctl_find_peers(c, c->args.arguments + 1,
			       c->args.n_arguments - 1, &targets);

	if (r == CTL_EXIT_OK)
		r = prepare(c);
	if (r)
		return r;
	if (!strcmp(text, "-"))
		text = g_strchomp(input = ctl_read_all(stdin));
	params = json_object_new();
	json_object_set_string_member(params, "data", text);
	if (targets)
		json_object_set_array_member(params, "targetPeerId",
					     json_array_ref(targets));
	return send_one(c, "sendURLData", params, NULL, -1);
}
