/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-server.h - JSON-RPC 2.0 over a Unix socket
 *
 *   client --line--> check --> handler(call) ... control_call_reply(call)
 *   control_server_emit() --one line, shared--> every client that subscribed
 *
 * One message per line. A client that does not read is dropped when its queue
 * is full: nobody waits for it. Roles come from the peer's credentials. Files
 * cross as descriptors with the line, both ways.
 *
 * Source:  JSON-RPC 2.0; unix(7) SO_PEERCRED, SO_PEERGROUPS
 * Thread:  control
 * Memory:  owned by its creator; calls that are still open when the server is
 *          freed answer into nothing
 */
#pragma once

#include <gio/gio.h>

#include "appliance/control/control-fds.h"
#include "appliance/control/control-table.h"

struct control_groups;

#define CONTROL_LINE_MAX_BYTES	(1u << 20)
#define CONTROL_QUEUE_MAX_BYTES (4u << 20)	/* per client, unsent */
#define CONTROL_OMIT_MAX	16		/* fields of too long an event */
#define CONTROL_CALLS_MAX	32		/* per client, unanswered */

typedef struct ControlServer ControlServer;
typedef struct ControlCall ControlCall;

/* @call is borrowed; answer it at once or control_call_ref() it and answer
 * later, exactly once. A call whose last reference goes without an answer is
 * answered with an internal error. */
typedef void (*ControlHandlerFunc)(ControlCall *call, gpointer user);

typedef struct {
	const char *method;	/* NULL ends the list */
	ControlHandlerFunc run;
} ControlHandler;

typedef struct {
	GMainContext *context;		/* NULL: the default one */
	const char *path;		/* of the socket; see control-path.h */
	/* Listens already, and is taken in place of @path; see
	 * control-activation.h. 0: none. Borrowed. */
	int listen_fd;
	const ControlMethod *methods;	/* NULL: control_methods */
	const ControlEvent *events;	/* NULL: control_events */
	/* A method without a handler is not served and not discovered; a
	 * handler without a method is a programming error. */
	const ControlHandler *handlers;
	gpointer user;			/* for the handlers */
	unsigned int max_clients;	/* 0: 64 */
	/* Who may what; NULL: the groups of this machine. */
	const struct control_groups *groups;
} ControlServerConfig;

typedef struct {
	unsigned int clients, subscribers;
	guint64 clients_total, clients_refused, dropped_slow;
	guint64 requests, errors, events, bytes_in, bytes_out;
	guint64 bad_lines;		/* not JSON, too long, not a request */
} ControlServerStats;

/* Takes over a stale socket only if nobody answers there. The directory is
 * made if its parent exists. Fails with a sentence that names the path. */
ControlServer *control_server_new(const ControlServerConfig *config,
				  GError **error);
/* Closes all clients and removes the socket. Takes NULL. */
void control_server_free(ControlServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControlServer, control_server_free)

/* Sends an event to everybody who subscribed to it. @params is borrowed and
 * may be NULL. Serialised once, and not at all when nobody listens. */
void control_server_emit(ControlServer *server, const char *name,
			 JsonObject *params);
/* Would anybody get this event who may call what needs @least? */
gboolean control_server_has_subscriber(ControlServer *server, const char *name,
				       ControlRole least);
/* From now on; 0: 64. Those above it that are here stay. */
void control_server_set_max_clients(ControlServer *server,
				    unsigned int max_clients);
const char *control_server_get_path(ControlServer *server);
void control_server_get_stats(ControlServer *server, ControlServerStats *ret);

ControlCall *control_call_ref(ControlCall *call);
void control_call_unref(ControlCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControlCall, control_call_unref)

/* The checked arguments under the API's names; never NULL; borrowed. */
JsonObject *control_call_get_params(ControlCall *call);
const char *control_call_get_method(ControlCall *call);
/* FALSE once the client went away: a long task can stop. */
gboolean control_call_is_alive(ControlCall *call);

/* The descriptor that came with the call's line, the caller's from now on;
 * -1: there is none of that index. Only from within the handler: what it does
 * not take is closed when it returns. */
int control_call_take_fd(ControlCall *call, unsigned int index);

/* Takes @result; NULL: null. */
void control_call_reply(ControlCall *call, JsonNode *result);
/* The same with descriptors, which it takes and closes; {"fd":0} in @result
 * means the first. At most CONTROL_FDS_MAX. */
void control_call_reply_fds(ControlCall *call, JsonNode *result,
			    const int *fds, unsigned int n_fds);
/* Takes @data, which becomes error.data; NULL: none. */
void control_call_fail(ControlCall *call, int code, JsonNode *data,
		       const char *format, ...) G_GNUC_PRINTF(4, 5);
