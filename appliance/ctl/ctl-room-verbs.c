// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "appliance/ctl/ctl-format.h"
#include "appliance/ctl/ctl-private.h"
#include "appliance/ctl/ctl-text.h"

/* --- who is meant ---------------------------------------------------------- */
static bool is_meant(JsonObject *peer, const char *argument, bool *ret_exact)
{
	const char *id = ctl_raw_member(peer, "peerId");
	const char *data = ctl_raw_member(peer, "userData");

	*ret_exact = id && !strcmp(id, argument);
	return (id && g_str_has_prefix(id, argument)) ||
	       (data && !strcmp(data, argument));
}

/* Return: NULL, and *@ret_n says how many it could be. */
static const char *find_peer(JsonArray *peers, const char *argument,
			     unsigned int *ret_n)
{
	const char *found = NULL;

	*ret_n = 0;
	for (guint i = 0; i < json_array_get_length(peers); i++) {
		JsonObject *o = json_array_get_object_element(peers, i);
		bool exact;

		if (!is_meant(o, argument, &exact))
			continue;
		found = ctl_raw_member(o, "peerId");
		if (exact) {
			*ret_n = 1;
			return found;
		}
		++*ret_n;
	}
	return *ret_n == 1 ? found : NULL;
}

int ctl_find_peers(struct ctl *c, const char *const *arguments, unsigned int n,
		   JsonArray **ret)
{
	g_autoptr(JsonNode) result = NULL;
	g_autoptr(JsonArray) list = json_array_new();
	int r;

	*ret = NULL;
	if (!n)
		return CTL_EXIT_OK;
	r = ctl_call(c, "stats.peers", NULL, &result);
	if (r)
		return r;
	if (!JSON_NODE_HOLDS_ARRAY(result))
		return ctl_refuse(c, "The daemon tells of no peers");
	for (unsigned int i = 0; i < n; i++) {
		unsigned int could_be;
		const char *id = find_peer(json_node_get_array(result),
					   arguments[i], &could_be);

		if (!id && could_be)
			return ctl_refuse(c, "'%s' can be %u peers; "
					     "'skylinkctl peers' lists them",
					  arguments[i], could_be);
		if (!id)
			return ctl_refuse(c, "There is no peer '%s'; "
					     "'skylinkctl peers' lists them",
					  arguments[i]);
		json_array_add_string_element(list, id);
	}
	*ret = g_steal_pointer(&list);
	return CTL_EXIT_OK;
}

/* Of all arguments from @from on, into @params. */
static int add_targets(struct ctl *c, unsigned int from, JsonObject *params)
{
	JsonArray *targets;
	int r = ctl_find_peers(c, c->args.arguments + from,
			       c->args.n_arguments - from, &targets);

	if (r == CTL_EXIT_OK && targets)
		json_object_set_array_member(params, "targetPeerId", targets);
	return r;
}

/* The id of one argument, into @params. */
static int add_peer(struct ctl *c, unsigned int argument, const char *name,
		    JsonObject *params)
{
	g_autoptr(JsonArray) one = NULL;
	int r = ctl_find_peers(c, c->args.arguments + argument, 1, &one);

	if (r == CTL_EXIT_OK)
		json_object_set_string_member(
			params, name, json_array_get_string_element(one, 0));
	return r;
}

/* Takes @params when it goes on. */
static int call_json(struct ctl *c, const char *method, JsonObject *params)
{
	g_autoptr(JsonNode) result = NULL;
	int r = ctl_call(c, method, ctl_params(params), &result);

	return r ? r : ctl_print(c, result, ctl_format_json(result));
}

/* --- verbs ----------------------------------------------------------------- */
int ctl_run_info(struct ctl *c)
{
	g_autoptr(JsonObject) params = json_object_new();
	int r = c->args.n_arguments ? add_peer(c, 0, "peerId", params) : 0;

	return r ? r : call_json(c, "getPeerInfo", g_steal_pointer(&params));
}

int ctl_run_msg(struct ctl *c)
{
	g_autoptr(JsonObject) params = json_object_new();
	int r;

	json_object_set_string_member(params, "message", c->args.arguments[0]);
	r = add_targets(c, 1, params);
	if (r)
		return r;
	return ctl_do(c, c->args.option[CTL_P2P] ? "sendP2PMessage"
						 : "sendMessage",
		      ctl_params(g_steal_pointer(&params)), "Sent.\n");
}

int ctl_run_userdata(struct ctl *c)
{
	JsonObject *params = json_object_new();

	if (!c->args.n_arguments)
		return call_json(c, "getUserData", params);
	json_object_set_member(params, "userData",
			       ctl_json_or_text(c->args.arguments[0]));
	return ctl_do(c, "setUserData", ctl_params(params), "Peers are told.\n");
}

int ctl_run_lock(struct ctl *c, bool lock)
{
	return ctl_do(c, lock ? "lockRoom" : "unlockRoom", NULL,
		      lock ? "The room is locked.\n"
			   : "The room is open.\n");
}

/* "yes", "no", or a source. */
static void add_source(JsonObject *o, const char *name, const char *value)
{
	JsonObject *how;

	if (!value)
		return;
	if (!strcmp(value, "yes") || !strcmp(value, "no")) {
		json_object_set_boolean_member(o, name, value[0] == 'y');
		return;
	}
	how = json_object_new();
	json_object_set_string_member(how, "source", value);
	json_object_set_object_member(o, name, how);
}

int ctl_run_stream(struct ctl *c)
{
	const char *audio = c->args.option[CTL_AUDIO];
	const char *video = c->args.option[CTL_VIDEO];
	JsonObject *params, *options;
	bool send = !strcmp(c->args.arguments[0], "send");

	if (!strcmp(c->args.arguments[0], "stop")) {
		if (audio || video)
			return ctl_usage_error(c, "'stream stop' stops both");
		return ctl_do(c, "stopStream", NULL, "Nothing is sent.\n");
	}
	params = json_object_new();
	options = json_object_new();
	add_source(options, "audio", audio ? audio : video ? NULL : "yes");
	add_source(options, "video", video ? video : audio ? NULL : "yes");
	json_object_set_object_member(params, "options", options);
	return ctl_do(c, send ? "sendStream" : "getUserMedia",
		      ctl_params(params),
		      send ? "It is sent.\n" : "It is taken.\n");
}

int ctl_run_share(struct ctl *c)
{
	const char *audio = c->args.option[CTL_AUDIO];
	JsonObject *params;

	if (audio && strcmp(audio, "yes") && strcmp(audio, "no"))
		return ctl_usage_error(c, "--audio of 'share' is yes or no");
	params = json_object_new();
	if (audio)
		json_object_set_boolean_member(params, "enableAudio",
					       audio[0] == 'y');
	if (c->args.n_arguments)
		json_object_set_string_member(params, "source",
					      c->args.arguments[0]);
	return ctl_do(c, "shareScreen", ctl_params(params),
		      "It is sent as the screen.\n");
}

int ctl_run_refresh(struct ctl *c)
{
	g_autoptr(JsonObject) params = json_object_new();
	int r = add_targets(c, 0, params);

	if (r)
		return r;
	json_object_set_boolean_member(params, "iceRestart",
				       c->args.option[CTL_ICE] != NULL);
	return ctl_do(c, "refreshConnection",
		      ctl_params(g_steal_pointer(&params)),
		      "It has begun.\n");
}

int ctl_run_introduce(struct ctl *c)
{
	JsonObject *params = json_object_new();

	/* They may be in other rooms, where nobody can be looked up. */
	json_object_set_string_member(params, "sendingPeerId",
				      c->args.arguments[0]);
	json_object_set_string_member(params, "receivingPeerId",
				      c->args.arguments[1]);
	return ctl_do(c, "introducePeer", ctl_params(params), "Asked.\n");
}

int ctl_run_list_all_peers(struct ctl *c)
{
	JsonObject *params = json_object_new();

	json_object_set_boolean_member(params, "showAll", TRUE);
	return call_json(c, "getPeers", params);
}

/* --- logs ------------------------------------------------------------------ */
static const char *const levels[] = {"error", "warn", "info", "log", "debug"};

static int level_of(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(levels); i++)
		if (!strcmp(levels[i], name))
			return (int) i;
	return -1;
}

static JsonNode *level_params(int level)
{
	JsonObject *params = json_object_new();

	if (level >= 0)
		json_object_set_int_member(params, "logLevel", level);
	return ctl_params(params);
}

/* [timestamp, level, text, object] each. */
static char *format_logs(JsonNode *logs)
{
	GString *s = g_string_new(NULL);
	JsonArray *list = JSON_NODE_HOLDS_ARRAY(logs)
				  ? json_node_get_array(logs) : NULL;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonNode *row = json_array_get_element(list, i);
		JsonArray *cells = JSON_NODE_HOLDS_ARRAY(row)
					   ? json_node_get_array(row) : NULL;

		for (guint k = 0; cells && k < 3 &&
				  k < json_array_get_length(cells); k++) {
			JsonNode *cell = json_array_get_element(cells, k);
			g_autofree char *text = NULL;
			g_autofree char *safe = NULL;

			if (JSON_NODE_HOLDS_VALUE(cell) &&
			    json_node_get_value_type(cell) == G_TYPE_STRING)
				text = json_node_dup_string(cell);
			else
				text = json_to_string(cell, FALSE);
			safe = ctl_text_safe(text);
			g_string_append_printf(s, "%s%s", k ? " " : "", safe);
		}
		g_string_append_c(s, '\n');
	}
	return g_string_free(s, FALSE);
}

int ctl_run_logs(struct ctl *c)
{
	const char *what = c->args.n_arguments ? c->args.arguments[0] : "";
	g_autoptr(JsonNode) result = NULL;
	JsonObject *params, *options;
	int r;

	if (!strcmp(what, "clear"))
		return ctl_do(c, "clearAllLogs", NULL, "Forgotten.\n");
	if (!strcmp(what, "on") || !strcmp(what, "off")) {
		params = json_object_new();
		options = json_object_new();
		json_object_set_boolean_member(options, "storeLogs",
					       !strcmp(what, "on"));
		json_object_set_object_member(params, "options", options);
		return ctl_do(c, "setDebugMode", ctl_params(params),
			      !strcmp(what, "on") ? "Lines are kept.\n"
						  : "No lines are kept.\n");
	}
	r = ctl_call(c, "getLogs", level_params(level_of(what)), &result);
	return r ? r : ctl_print(c, result, format_logs(result));
}

int ctl_run_loglevel(struct ctl *c)
{
	return ctl_do(c, "setLogLevel",
		      level_params(level_of(c->args.arguments[0])),
		      "Set.\n");
}
