// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-life.h"
#include "appliance/daemon-media.h"
#include "appliance/daemon-selftest.h"

/* --- what the calls share -------------------------------------------------- */
gboolean daemon_need_room(ControlCall *call, Daemon *d)
{
	if (d->room && d->room_name)
		return TRUE;
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "Self is in no room; joinRoom joins one");
	return FALSE;
}

gboolean daemon_get_targets(ControlCall *call, const char ***ret)
{
	JsonNode *node = json_object_get_member(control_call_get_params(call),
						"targetPeerId");
	JsonArray *list = node ? json_node_get_array(node) : NULL;
	guint n = list ? json_array_get_length(list) : 0;

	*ret = NULL;
	if (!list)
		return TRUE;
	if (!n) {
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL,
				  "Parameter \"targetPeerId\" is empty; leave "
				  "it out to reach all");
		return FALSE;
	}
	*ret = g_new0(const char *, n + 1);
	for (guint i = 0; i < n; i++)
		(*ret)[i] = json_array_get_string_element(list, i);
	return TRUE;
}

void daemon_fail_room(ControlCall *call, const GError *error)
{
	int code = CONTROL_CODE_FAILED;

	if (g_error_matches(error, ROOM_ERROR, ROOM_ERROR_NOT_IN_ROOM) ||
	    g_error_matches(error, ROOM_ERROR, ROOM_ERROR_NO_PEER))
		code = CONTROL_CODE_STATE;
	else if (g_error_matches(error, ROOM_ERROR, ROOM_ERROR_BUSY))
		code = CONTROL_CODE_BUSY;
	else if (g_error_matches(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT))
		code = CONTROL_CODE_PARAMS;
	control_call_fail(call, code, NULL, "%s", error->message);
}

void daemon_reply_object(ControlCall *call, JsonObject *o)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, o);
	control_call_reply(call, node);
}

/* --- looking -------------------------------------------------------------- */
static void stats_status(ControlCall *call, gpointer user)
{
	control_call_reply(call, daemon_describe(user));
}

static void stats_peers(ControlCall *call, gpointer user)
{
	control_call_reply(call, daemon_describe_peers(user));
}

static const ControlHandler daemon_look_handlers[] = {
	{ "stats.status", stats_status },
	{ "stats.peers", stats_peers },
	{ NULL, NULL },
};

ControlHandler *daemon_handlers_new(void)
{
	const ControlHandler *const lists[] = {
		daemon_init_handlers, daemon_room_handlers,
		daemon_peer_handlers, daemon_privileged_handlers,
		daemon_media_handlers,
		daemon_transfer_handlers,
		daemon_log_handlers, daemon_look_handlers,
		daemon_doctor_handlers,
		daemon_life_handlers,
		daemon_selftest_handlers,
		daemon_config_handlers,
		daemon_restart_handlers,
	};
	GArray *all = g_array_new(TRUE, FALSE, sizeof(ControlHandler));

	for (unsigned int i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const ControlHandler *h = lists[i]; h->method; h++)
			g_array_append_vals(all, h, 1);
	return (ControlHandler *) g_array_free(all, FALSE);
}
