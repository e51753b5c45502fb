// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-privileged-calls.c - getPeers, introducePeer */
#include "appliance/daemon-private.h"

#include <string.h>

#define PEER_LIST_ANSWER_MS 10000
#define PEER_LIST_CALLS_MAX 16

typedef struct {
	Daemon *daemon;
	ControlCall *call;
	GSource *timeout;
} PeerListCall;

static void free_peer_list_call(gpointer data)
{
	PeerListCall *p = data;

	g_source_destroy(p->timeout);
	g_source_unref(p->timeout);
	control_call_unref(p->call);
	g_free(p);
}

static gboolean on_peer_list_timeout(gpointer data)
{
	PeerListCall *p = data;

	control_call_fail(p->call, CONTROL_CODE_FAILED, NULL,
			  "The server sent no list within %d s",
			  PEER_LIST_ANSWER_MS / 1000);
	g_queue_remove(&p->daemon->peer_list_calls, p);
	free_peer_list_call(p);
	return G_SOURCE_REMOVE;
}

static void get_peers(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	gboolean all = json_object_get_boolean_member_with_default(
		control_call_get_params(call), "showAll", FALSE);
	g_autoptr(GError) error = NULL;
	PeerListCall *p;

	if (!daemon_need_room(call, d))
		return;
	if (d->peer_list_calls.length >= PEER_LIST_CALLS_MAX) {
		control_call_fail(call, CONTROL_CODE_BUSY, NULL,
				  "%d lists are waited for",
				  PEER_LIST_CALLS_MAX);
		return;
	}
	if (!room_get_peers(d->room, all, &error)) {
		daemon_fail_room(call, error);
		return;
	}
	p = g_new0(PeerListCall, 1);
	p->daemon = d;
	p->call = control_call_ref(call);
	p->timeout = g_timeout_source_new(PEER_LIST_ANSWER_MS);
	g_source_set_callback(p->timeout, on_peer_list_timeout, p, NULL);
	g_source_attach(p->timeout, NULL);
	g_queue_push_tail(&d->peer_list_calls, p);
}

/* Lists come in the order in which they were asked for. */
static void take_peer_list(Daemon *d, JsonObject *params)
{
	PeerListCall *p = g_queue_pop_head(&d->peer_list_calls);

	if (!p)
		return;
	control_call_reply(p->call, json_node_copy(json_object_get_member(
					    params, "peerList")));
	free_peer_list_call(p);
}

static void introduce_peer(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *params = control_call_get_params(call);
	g_autoptr(GError) error = NULL;

	if (!daemon_need_room(call, d))
		return;
	if (room_introduce(d->room, text_member(params, "sendingPeerId"),
			   text_member(params, "receivingPeerId"), &error))
		control_call_reply(call, NULL);
	else
		daemon_fail_room(call, error);
}

void daemon_privileged_event(Daemon *d, const char *name, JsonObject *params)
{
	if (!strcmp(name, "getPeersStateChange") &&
	    !g_strcmp0(text_member(params, "state"), "received"))
		take_peer_list(d, params);
}

void daemon_privileged_done(Daemon *d)
{
	PeerListCall *p;

	while ((p = g_queue_pop_head(&d->peer_list_calls))) {
		control_call_fail(p->call, CONTROL_CODE_STATE, NULL,
				  "The daemon is stopping");
		free_peer_list_call(p);
	}
}

const ControlHandler daemon_privileged_handlers[] = {
	{"getPeers", get_peers},
	{"introducePeer", introduce_peer},
	{NULL, NULL},
};
