// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-peer-calls.c - messages, user data, lock, peers' connections
 */
#include "appliance/daemon-life.h"
#include "appliance/daemon-private.h"

/* --- messages ---------------------------------------------------------------
 */
typedef gboolean (*SendFn)(Room *room, JsonNode *message,
			   const char *const *targets, GError **error);

static void send_with(ControlCall *call, Daemon *d, SendFn send)
{
	JsonNode *message = json_object_get_member(
		control_call_get_params(call), "message");
	g_autofree const char **targets = NULL;
	g_autoptr(GError) error = NULL;

	if (!daemon_need_room(call, d) || !daemon_get_targets(call, &targets))
		return;
	if (send(d->room, message, targets, &error))
		control_call_reply(call, NULL);
	else
		daemon_fail_room(call, error);
}

static void send_message(ControlCall *call, gpointer user)
{
	send_with(call, user, room_send_message);
}

static void send_p2p_message(ControlCall *call, gpointer user)
{
	send_with(call, user, room_send_p2p_message);
}

/* --- user data --------------------------------------------------------------
 */
/* It needs no room: what is set is told at the next join. */
static gboolean need_room_server(ControlCall *call, Daemon *d)
{
	if (d->room)
		return TRUE;
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "No room server is configured; init can name one");
	return FALSE;
}

static void set_user_data(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	if (!need_room_server(call, d))
		return;
	room_set_user_data(d->room,
			   json_object_get_member(control_call_get_params(call),
						  "userData"));
	daemon_life_changed(d);
	control_call_reply(call, NULL);
}

static void get_user_data(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonNode *data;

	if (!need_room_server(call, d))
		return;
	data = room_get_user_data(d->room);
	/* SkylinkJS: an empty string while there is none. */
	control_call_reply(call,
			   data ? json_node_copy(data)
				: json_node_init_string(json_node_alloc(), ""));
}

/* --- lock -------------------------------------------------------------------
 */
static void set_lock(ControlCall *call, Daemon *d, gboolean lock)
{
	g_autoptr(GError) error = NULL;
	JsonObject *o;

	if (!daemon_need_room(call, d))
		return;
	if (!room_lock(d->room, lock, &error)) {
		daemon_fail_room(call, error);
		return;
	}
	o = json_object_new();
	json_object_set_boolean_member(o, "isLocked", lock);
	daemon_reply_object(call, o);
}

static void lock_room(ControlCall *call, gpointer user)
{
	set_lock(call, user, TRUE);
}

static void unlock_room(ControlCall *call, gpointer user)
{
	set_lock(call, user, FALSE);
}

/* --- peers ------------------------------------------------------------------
 */
static void get_peer_info(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	const char *id = text_member(control_call_get_params(call), "peerId");
	JsonObject *info = d->room ? room_get_peer_info(d->room, id) : NULL;

	if (info)
		daemon_reply_object(call, info);
	else
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  id ? "There is no peer '%s' in the room"
				     : "Self is in no room%s",
				  id ? id : "");
}

static void refresh_connection(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	g_autofree const char **targets = NULL;
	const char *const *ids;
	g_autoptr(GPtrArray) all = NULL;
	gboolean ice = json_object_get_boolean_member_with_default(
		control_call_get_params(call), "iceRestart", TRUE);
	JsonObject *errors, *o, *settings;
	JsonArray *list;
	JsonNode *node;

	if (!daemon_need_room(call, d) || !daemon_get_targets(call, &targets))
		return;
	list = json_array_new();
	errors = json_object_new();
	o = json_object_new();
	settings = json_object_new();
	node = json_node_new(JSON_NODE_OBJECT);
	json_object_set_boolean_member(settings, "iceRestart", ice);
	json_object_set_array_member(o, "listOfPeers", list);
	json_object_set_object_member(o, "refreshErrors", errors);
	json_object_set_object_member(o, "refreshSettings", settings);
	json_node_take_object(node, o);
	if (!targets) {
		all = room_list_peer_ids(d->room);
		g_ptr_array_add(all, NULL);
	}
	ids = targets ? targets : (const char **) all->pdata;
	for (guint i = 0; ids[i]; i++)
		json_array_add_string_element(list, ids[i]);
	/* What fails for one is told, the others go on. */
	room_refresh_each(d->room, ids, ice, errors);
	if (!json_array_get_length(list))
		control_call_fail(call, CONTROL_CODE_STATE, node,
				  "There is no peer to refresh");
	else if (json_object_get_size(errors))
		control_call_fail(call, CONTROL_CODE_FAILED, node,
				  "%u of %u peers could not be refreshed",
				  json_object_get_size(errors),
				  json_array_get_length(list));
	else
		control_call_reply(call, node);
}

static void generate_uuid(ControlCall *call, gpointer user)
{
	g_autofree char *uuid = g_uuid_string_random();

	control_call_reply(call,
			   json_node_init_string(json_node_alloc(), uuid));
}

const ControlHandler daemon_peer_handlers[] = {
	{"lockRoom", lock_room},
	{"unlockRoom", unlock_room},
	{"setUserData", set_user_data},
	{"getUserData", get_user_data},
	{"sendMessage", send_message},
	{"sendP2PMessage", send_p2p_message},
	{"refreshConnection", refresh_connection},
	{"getPeerInfo", get_peer_info},
	{"generateUUID", generate_uuid},
	{NULL, NULL},
};
