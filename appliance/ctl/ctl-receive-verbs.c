// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/ctl/ctl-files.h"
#include "appliance/ctl/ctl-private.h"
#include "appliance/ctl/ctl-progress.h"
#include "appliance/ctl/ctl-text.h"

#define CANCEL_MS 5000	/* for the daemon to end what was cancelled */

/* --- which transfers are meant --------------------------------------------- */
static int list_transfers(struct ctl *c, JsonNode **ret)
{
	int r = ctl_call(c, "transfer.list", NULL, ret);

	if (r == CTL_EXIT_OK && !JSON_NODE_HOLDS_ARRAY(*ret))
		return ctl_refuse(c, "The daemon tells of no transfers");
	return r;
}

static bool is_request(JsonObject *transfer)
{
	return !g_strcmp0(ctl_raw_member(transfer, "state"), "request");
}

/* Those that wait for an answer, or all; of @argument's, or all. */
static GPtrArray *select_transfers(JsonNode *list, const char *argument,
				   bool requests)
{
	JsonArray *array = json_node_get_array(list);
	GPtrArray *found = g_ptr_array_new();
	bool all = !argument || !strcmp(argument, "all");

	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonObject *o = json_array_get_object_element(array, i);
		const char *id = ctl_raw_member(o, "transferId");

		if (!id || (requests && !is_request(o)))
			continue;
		if (all || g_str_has_prefix(id, argument))
			g_ptr_array_add(found, o);
	}
	return found;
}

/* Without "all" it has to be one. Return: an exit status. */
static int check_selection(struct ctl *c, const GPtrArray *found)
{
	const char *argument = c->args.n_arguments ? c->args.arguments[0]
						   : NULL;
	bool all = argument && !strcmp(argument, "all");

	if (!found->len && (!argument || all))
		return ctl_refuse(c, "There is no transfer to %s%s",
				  ctl_verbs[c->args.verb].name,
				  strcmp(ctl_verbs[c->args.verb].name, "accept")
				  ? "" : "; --wait waits for one");
	if (!found->len)
		return ctl_refuse(c, "There is no such transfer '%s'; "
				     "'skylinkctl transfers' lists them",
				  argument);
	if (found->len > 1 && !all)
		return ctl_refuse(c, "It can be %u transfers; 'skylinkctl "
				     "transfers' lists them, 'all' means "
				     "every one", found->len);
	return CTL_EXIT_OK;
}

static JsonObject *name_transfer(JsonObject *transfer)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "peerId",
				      ctl_raw_member(transfer, "peerId"));
	json_object_set_string_member(params, "transferId",
				      ctl_raw_member(transfer, "transferId"));
	return params;
}

static int do_to_selected(struct ctl *c, const char *method, bool requests,
			  const char *done)
{
	g_autoptr(JsonNode) list = NULL;
	g_autoptr(GPtrArray) found = NULL;
	int r = list_transfers(c, &list);

	if (r)
		return r;
	found = select_transfers(list, c->args.n_arguments
						? c->args.arguments[0] : NULL,
				 requests);
	r = check_selection(c, found);
	for (unsigned int i = 0; i < found->len && r == CTL_EXIT_OK; i++)
		r = ctl_do(c, method,
			   ctl_params(name_transfer(found->pdata[i])), done);
	return r;
}

int ctl_run_reject(struct ctl *c)
{
	return do_to_selected(c, "acceptDataTransfer", true, "Refused.\n");
}

int ctl_run_cancel(struct ctl *c)
{
	return do_to_selected(c, "cancelDataTransfer", false, "Cancelled.\n");
}

/* --- accept ---------------------------------------------------------------- */
/* One that is being taken. */
struct taking {
	struct ctl *c;
	char *peer, *id, *path;		/* @path: ours, or NULL: the box's */
	struct ctl_progress *progress;
	bool interrupted;
	JsonNode *last;			/* its last dataTransferState */
};

static int accept_call(struct taking *t, int fd)
{
	JsonObject *params = json_object_new(), *destination;
	g_autoptr(JsonNode) result = NULL;
	g_autoptr(JsonNode) object = NULL;
	g_autoptr(GError) error = NULL;

	json_object_set_string_member(params, "peerId", t->peer);
	json_object_set_string_member(params, "transferId", t->id);
	json_object_set_boolean_member(params, "accept", TRUE);
	if (fd >= 0) {
		destination = json_object_new();
		json_object_set_int_member(destination, "fd", 0);
		json_object_set_object_member(params, "destination",
					      destination);
	}
	result = ctl_client_call_fds(t->c->client, "acceptDataTransfer",
				     ctl_params(params), &fd, fd >= 0 ? 1 : 0,
				     t->c->args.timeout_ms, &object, &error);
	return result ? CTL_EXIT_OK : ctl_failed(t->c, error, object);
}

static int cancel(struct taking *t)
{
	JsonObject *params = json_object_new();
	g_autoptr(GError) error = NULL;

	t->interrupted = true;
	json_object_set_string_member(params, "peerId", t->peer);
	json_object_set_string_member(params, "transferId", t->id);
	return ctl_client_ask(t->c->client, "cancelDataTransfer",
			      ctl_params(params), NULL, 0, &error)
		       ? CTL_EXIT_OK : ctl_failed(t->c, error, NULL);
}

/* Return: is it over? */
static bool take_event(struct taking *t, JsonNode *message)
{
	JsonObject *o = json_node_get_object(message);
	JsonObject *params = ctl_object_member(o, "params");
	const char *state = params ? ctl_raw_member(params, "state") : NULL;
	bool well;

	if (!state || g_strcmp0(ctl_raw_member(params, "transferId"), t->id) ||
	    g_strcmp0(ctl_raw_member(params, "peerId"), t->peer))
		return false;
	/* Its request may still be on its way. */
	if (!strcmp(state, "request"))
		return false;
	ctl_progress_event(t->progress, params, g_get_monotonic_time());
	if (!ctl_progress_is_end(state, &well))
		return false;
	t->last = json_node_copy(json_object_get_member(o, "params"));
	return true;
}

static int follow(struct taking *t)
{
	for (;;) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) message = ctl_client_next(
			t->c->client, t->interrupted ? CANCEL_MS : 0, &error);
		int r = CTL_EXIT_OK;

		if (message && take_event(t, message))
			return t->interrupted ? CTL_EXIT_INTERRUPTED
					      : CTL_EXIT_OK;
		if (message)
			continue;
		ctl_progress_clear(t->progress);
		if (error->code == CTL_EXIT_INTERRUPTED && !t->interrupted)
			r = cancel(t);
		else
			r = ctl_failed(t->c, error, NULL);
		if (r)
			return r;
	}
}

/* What became of it, in a sentence. */
static int report(struct taking *t)
{
	JsonObject *params = json_node_get_object(t->last);
	JsonObject *info = ctl_object_member(params, "transferInfo");
	const char *path = info ? ctl_raw_member(info, "path") : NULL;
	const char *text = info ? ctl_raw_member(info, "data") : NULL;
	g_autofree char *why = ctl_progress_why(params);
	g_autofree char *shown = NULL;
	bool well;

	ctl_progress_is_end(ctl_raw_member(params, "state"), &well);
	if (!well)
		return ctl_refuse(t->c, "It did not arrive: %s",
				  why ? why : ctl_raw_member(params, "state"));
	path = t->path ? t->path : path;
	shown = ctl_text_safe(path ? path : text ? text : "it");
	return ctl_print(t->c, t->last,
			 path ? g_strdup_printf("Received %s\n", shown)
			      : g_strdup_printf("%s\n", shown));
}

static int accept_one(struct ctl *c, JsonObject *transfer)
{
	JsonObject *info = ctl_object_member(transfer, "transferInfo");
	const char *name = info ? ctl_raw_member(info, "name") : NULL;
	bool is_text = info && !g_strcmp0(ctl_raw_member(info, "dataType"),
					  "dataURL");
	const char *output = c->args.option[CTL_OUTPUT];
	FILE *lines = c->args.option[CTL_JSON] ? NULL : c->out;
	bool bar = lines && isatty(fileno(c->err));
	struct taking t = {.c = c};
	int fd = -1, r = CTL_EXIT_OK;

	/* A data URL is in its event alone. */
	if (output && !is_text)
		r = ctl_create_file(c, output, name ? name : "", &fd, &t.path);
	if (r)
		return r;
	t.peer = g_strdup(ctl_raw_member(transfer, "peerId"));
	t.id = g_strdup(ctl_raw_member(transfer, "transferId"));
	t.progress = ctl_progress_new(name ? name : t.id,
				      bar ? c->err : lines, bar,
				      g_get_monotonic_time());
	r = accept_call(&t, fd);
	if (r == CTL_EXIT_OK)
		r = follow(&t);
	t.progress = ctl_progress_free(t.progress);
	if (r == CTL_EXIT_OK)
		r = report(&t);
	/* Ours, and empty: the daemon has taken back what it wrote. */
	if (r && t.path)
		unlink(t.path);
	if (fd >= 0)
		close(fd);
	g_clear_pointer(&t.last, json_node_unref);
	g_free(t.peer);
	g_free(t.id);
	g_free(t.path);
	return r;
}

/* The next one that is offered; NULL and an exit status otherwise. */
static JsonNode *wait_request(struct ctl *c, int *ret)
{
	for (;;) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) event = ctl_client_next_event(c->client,
								  &error);
		JsonObject *o, *params;

		if (!event) {
			*ret = error->code == CTL_EXIT_INTERRUPTED
				       ? CTL_EXIT_INTERRUPTED
				       : ctl_failed(c, error, NULL);
			return NULL;
		}
		o = json_node_get_object(event);
		params = ctl_object_member(o, "params");
		if (!g_strcmp0(ctl_raw_member(o, "method"),
			       "incomingDataRequest") &&
		    !json_object_get_boolean_member_with_default(
			    params, "isSelf", FALSE))
			return json_node_copy(
				json_object_get_member(o, "params"));
	}
}

static int accept_next(struct ctl *c)
{
	int r = CTL_EXIT_OK;
	g_autoptr(JsonNode) request = wait_request(c, &r);

	return request ? accept_one(c, json_node_get_object(request)) : r;
}

int ctl_run_accept(struct ctl *c)
{
	static const char *const events[] = {"incomingDataRequest",
					     "dataTransferState", NULL};
	const char *argument = c->args.n_arguments ? c->args.arguments[0]
						   : NULL;
	bool on = c->args.option[CTL_FOLLOW] != NULL;
	bool any = !argument || !strcmp(argument, "all");
	g_autoptr(JsonNode) list = NULL;
	g_autoptr(GPtrArray) found = NULL;
	int r;

	ctl_client_catch_signals(c->client);
	/* Before it is asked what waits: nothing falls in between. */
	r = ctl_subscribe(c, events);
	if (r == CTL_EXIT_OK)
		r = list_transfers(c, &list);
	if (r)
		return r;
	found = select_transfers(list, argument, true);
	if (!found->len && any && (c->args.option[CTL_WAIT] || on))
		r = accept_next(c);
	else if (!on || !any)
		r = check_selection(c, found);
	for (unsigned int i = 0; i < found->len && r == CTL_EXIT_OK; i++)
		r = accept_one(c, found->pdata[i]);
	/* One that broke does not end it. */
	while (on && (r == CTL_EXIT_OK || r == CTL_EXIT_FAILED))
		r = accept_next(c);
	return r;
}

/* --- lists ----------------------------------------------------------------- */
static double number_member(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_VALUE(n) &&
			       json_node_get_value_type(n) != G_TYPE_STRING
		       ? json_node_get_double(n) : 0;
}

static void cell(struct ctl_columns *table, const char *text)
{
	ctl_columns_take(table, CTL_PLAIN, false,
			 ctl_text_safe(text ? text : "-"));
}

static void number_cell(struct ctl_columns *table, double bytes,
			const char *suffix)
{
	g_autofree char *size = ctl_text_size(MAX(bytes, 0));

	ctl_columns_take(table, CTL_PLAIN, true,
			 g_strconcat(size, suffix, NULL));
}

static char *print_table(struct ctl_columns *table, bool color)
{
	GString *s = g_string_new(NULL);

	ctl_columns_print(table, s, "", color);
	ctl_columns_free(table);
	return g_string_free(s, FALSE);
}

static void head(struct ctl_columns *table, const char *const *names)
{
	for (; *names; names++)
		ctl_columns_take(table, CTL_DIM, false, g_strdup(*names));
}

static char *format_transfers(JsonNode *list, bool color)
{
	static const char *const names[] = {"TRANSFER", "PEER", "STATE", "NAME",
					    "SIZE", "DONE", "SPEED", NULL};
	JsonArray *array = json_node_get_array(list);
	struct ctl_columns *table;

	if (!json_array_get_length(array))
		return g_strdup("Nothing is being transferred.\n");
	table = ctl_columns_new(G_N_ELEMENTS(names) - 1);
	head(table, names);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonObject *o = json_array_get_object_element(array, i);
		JsonObject *info = ctl_object_member(o, "transferInfo");

		cell(table, ctl_raw_member(o, "transferId"));
		cell(table, ctl_raw_member(o, "peerId"));
		cell(table, ctl_raw_member(o, "state"));
		cell(table, info ? ctl_raw_member(info, "name") : NULL);
		number_cell(table, number_member(info, "size"), "");
		number_cell(table, number_member(o, "bytes"), "");
		number_cell(table, number_member(o, "bytesPerSecond"), "/s");
	}
	return print_table(table, color);
}

int ctl_run_transfers(struct ctl *c)
{
	g_autoptr(JsonNode) list = NULL;
	int r = list_transfers(c, &list);

	return r ? r : ctl_print(c, list, format_transfers(list, c->color));
}

static char *format_received(JsonNode *list, bool color)
{
	static const char *const names[] = {"NAME", "SIZE", "TIME", "PEER",
					    NULL};
	JsonArray *array = JSON_NODE_HOLDS_ARRAY(list)
				   ? json_node_get_array(list) : NULL;
	struct ctl_columns *table;

	if (!array || !json_array_get_length(array))
		return g_strdup("No file came.\n");
	table = ctl_columns_new(G_N_ELEMENTS(names) - 1);
	head(table, names);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonObject *o = json_array_get_object_element(array, i);

		cell(table, ctl_raw_member(o, "name"));
		number_cell(table, number_member(o, "size"), "");
		cell(table, ctl_raw_member(o, "time"));
		cell(table, ctl_raw_member(o, "peerId"));
	}
	return print_table(table, color);
}

/* --- received -------------------------------------------------------------- */
static JsonNode *name_params(const char *name)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "name", name);
	return ctl_params(params);
}

static int fetch(struct ctl *c, const char *name)
{
	const char *output = c->args.option[CTL_OUTPUT];
	g_autoptr(JsonNode) result = NULL;
	g_autofree char *path = NULL, *shown = NULL;
	int r = ctl_call(c, "transfer.fetch", name_params(name), &result);
	int from, to;

	if (r)
		return r;
	from = ctl_client_take_fd(c->client, 0);
	if (from < 0)
		return ctl_refuse(c, "The daemon sent no file");
	if (output && !strcmp(output, "-")) {
		fflush(c->out);
		r = ctl_copy_file(c, from, fileno(c->out), "standard output");
		close(from);
		return r;
	}
	r = ctl_create_file(c, output ? output : ".", name, &to, &path);
	if (r == CTL_EXIT_OK) {
		r = ctl_copy_file(c, from, to, path);
		close(to);
		if (r)
			unlink(path);
	}
	close(from);
	if (r)
		return r;
	shown = ctl_text_safe(path);
	return ctl_print(c, result, g_strdup_printf("Fetched %s\n", shown));
}

int ctl_run_received(struct ctl *c)
{
	g_autoptr(JsonNode) list = NULL;
	const char *what = c->args.n_arguments ? c->args.arguments[0] : NULL;
	int r;

	if (what && strcmp(what, "fetch") && strcmp(what, "remove"))
		return ctl_usage_error(c, "'received' can fetch NAME or remove "
					  "NAME");
	if (what && c->args.n_arguments < 2)
		return ctl_usage_error(c, "Which file? A name is missing");
	if (c->args.option[CTL_OUTPUT] && (!what || strcmp(what, "fetch")))
		return ctl_usage_error(c, "--output goes with 'received "
					  "fetch'");
	if (what && !strcmp(what, "fetch"))
		return fetch(c, c->args.arguments[1]);
	if (what)
		return ctl_do(c, "transfer.remove",
			      name_params(c->args.arguments[1]), "Removed.\n");
	r = ctl_call(c, "transfer.received", NULL, &list);
	return r ? r : ctl_print(c, list, format_received(list, c->color));
}
