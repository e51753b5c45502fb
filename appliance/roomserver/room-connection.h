/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-connection.h - one TCP connection of the server
 *
 * What the parts of the room service (pages, polling, WebSocket) share: the
 * state of a connection, and of the service.
 *
 * Thread:  server
 * Memory:  connections belong to libwebsockets, sessions to the engine
 */
#pragma once

#include <glib.h>
#include <libwebsockets.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/roomserver/engine.h"
#include "appliance/roomserver/room-core.h"
#include "appliance/roomserver/room-gate.h"
#include "appliance/roomserver/room-limits.h"
#include "appliance/roomserver/room-listener.h"
#include "appliance/roomserver/room-service.h"
#include "appliance/signaling/engineio.h"

#define ROOM_SOCKET_PATH "/socket.io/"

enum purpose {
	PURPOSE_NONE,
	PURPOSE_WEBSOCKET,
	PURPOSE_POLL,		/* a GET held until there is something */
	PURPOSE_POST,		/* packets on their way in */
	PURPOSE_SWALLOW,	/* a body nobody wants */
	PURPOSE_LOGIN,		/* a password on its way in */
	PURPOSE_CONSOLE,	/* a WebSocket of the console */
};

/* One TCP connection; the polling ones serve many requests. */
struct connection {
	enum purpose purpose;
	struct engine_session *session;	/* NULL once it is gone */
	GString *body;			/* what has come of a POST, a message */
	size_t max_body;
	gint64 body_due_us;		/* then it must be whole */
	enum eio_form form;
	struct console_stream *stream;	/* PURPOSE_CONSOLE */
	bool gone;	/* the client hung up; the next writing closes it */
};

struct ev_loop;
struct console_link;
struct console_stream;

struct room_service {
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct lws *listen_wsi;
	struct lws *hangup_wsi;
	int hangup_epoll;	/* watches the connections of held polls */
	const struct room_listener *listener;
	struct room_counters *counters;
	struct engine *engine;
	struct room_core *core;
	uint8_t secret[ROOM_SECRET_BYTES];
	const struct room_keys *keys;
	struct room_tls *tls;		/* NULL: http alone */
	struct room_tls *context_tls;	/* the first, which the vhost has */
	_Atomic(struct room_tls *) next_tls;	/* to be taken; NULL: none */
	struct room_limits *limits;
	GPtrArray *pending;	/* sessions to be written to, each once */
	struct ev_loop *loop;	/* epoll; NULL: libwebsockets' own poll() */
	char *app_key, *viewer_room;
	bool no_rooms;		/* the console alone */
	struct room_gate gate;
	struct console_auth *auth;
	struct console_link *link;	/* NULL: no console */
	GPtrArray *streams;	/* of the console; borrowed */
	lws_sorted_usec_list_t tick;
	unsigned int n_connections, max_connections;
	unsigned int nested;	/* callbacks on the stack: reap at none */
	bool accept_paused, stopping;
	gint stop_requested;	/* atomic */
};

/* What a request of the Engine.IO kind says in its query. */
struct engine_query {
	char sid[EIO_MAX_SID + 1];
	bool websocket, polling, version_3, base64;
	bool sdk_2;		/* SkylinkJS 2.x says so in its address */
};

/* Forget the request the connection was busy with. */
void connection_clear(struct connection *connection);

/* Return: a session with its client in the rooms, or NULL: too many, in all or
 * from where @wsi comes. */
struct engine_session *
room_service_open_session(struct room_service *service, struct lws *wsi,
			  const struct engine_query *query);

/* The system's randomness; @data is not used. */
void room_service_random(void *data, uint8_t *bytes, size_t n);

void engine_query_read(struct lws *wsi, struct engine_query *ret);
/* Engine.IO's own error answers, by its codes 0 to 3. */
const char *engine_query_error(unsigned int code);

int room_answer_text(struct lws *wsi, unsigned int status, const char *type,
		     const char *text);
int room_answer_json(struct lws *wsi, unsigned int status, const char *json);
