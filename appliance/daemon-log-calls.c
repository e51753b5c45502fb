// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-log-calls.c - SkylinkLogs, setLogLevel, setDebugMode */
#include "appliance/daemon-private.h"

#include "appliance/log-filter.h"

static enum log_store_level level_param(ControlCall *call,
					enum log_store_level without)
{
	return (enum log_store_level) json_object_get_int_member_with_default(
		control_call_get_params(call), "logLevel", without);
}

static void set_log_level(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	log_filter_set_level(d->options->log,
			     level_param(call, LOG_STORE_WARN));
	control_call_reply(call, NULL);
}

static void set_debug_mode(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	struct log_filter *log = d->options->log;
	JsonNode *given = json_object_get_member(control_call_get_params(call),
						 "options");
	gboolean trace = TRUE, store = TRUE;
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o;

	if (given && JSON_NODE_HOLDS_OBJECT(given)) {
		o = json_node_get_object(given);
		trace = json_object_get_boolean_member_with_default(o, "trace",
								    FALSE);
		store = json_object_get_boolean_member_with_default(
			o, "storeLogs", FALSE);
	} else if (given) {
		trace = store = json_node_get_boolean(given);
	}
	atomic_store(&log->trace, trace);
	log_store_set_enabled(log->store, store);
	o = json_object_new();
	json_object_set_boolean_member(o, "trace", trace);
	json_object_set_boolean_member(o, "storeLogs", store);
	json_node_take_object(node, o);
	control_call_reply(call, node);
}

static void get_logs(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	control_call_reply(
		call, log_store_describe(d->options->log->store,
					 level_param(call, LOG_STORE_ALL)));
}

static void clear_all_logs(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	log_store_clear(d->options->log->store,
			level_param(call, LOG_STORE_ALL));
	control_call_reply(call, NULL);
}

static void print_all_logs(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	unsigned int n = log_store_print(d->options->log->store, stderr);

	control_call_reply(call, json_node_init_int(json_node_alloc(), n));
}

const ControlHandler daemon_log_handlers[] = {
	{"setLogLevel", set_log_level},
	{"setDebugMode", set_debug_mode},
	{"getLogs", get_logs},
	{"clearAllLogs", clear_all_logs},
	{"printAllLogs", print_all_logs},
	{NULL, NULL},
};
