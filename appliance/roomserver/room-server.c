// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-server.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/roomserver/room-service.h"

#define DEFAULT_LISTEN		 "127.0.0.1:8080"
#define DEFAULT_KEY		 "demo"
#define DEFAULT_ROOM		 "lobby"
#define DEFAULT_MAX_CLIENTS	 1024
#define DEFAULT_PING_INTERVAL_MS 25000
#define DEFAULT_PING_TIMEOUT_MS	 60000

/* SkylinkJS 0.6.26 and later throw without a TURN entry of this form, and
 * turn it into ten addresses at this host. A name that cannot resolve (RFC
 * 6761 §6.4) is given up at once: gathering ends after 0.13 s, as without
 * any. With an address where nobody answers (loopback, broadcast, unspecified,
 * unroutable: all tried) it takes Chromium 40 s, which pages without trickle
 * wait for. */
#define DUMMY_TURN_URL	      "turn:none@turn.invalid"
#define DUMMY_TURN_CREDENTIAL "none"

struct room_server {
	struct room_listener listener;
	struct room_counters counters;
	struct room_service *service;
	GThread *thread;
	char *url;
};

static gpointer serve(gpointer data)
{
	struct room_server *server = data;

	room_service_run(server->service);
	return NULL;
}

G_STATIC_ASSERT(ROOM_SERVER_SECRET_BYTES == ROOM_SECRET_BYTES);

static gboolean fill_secret(uint8_t *secret, const guint8 *kept, GError **error)
{
	if (kept) {
		memcpy(secret, kept, ROOM_SECRET_BYTES);
		return TRUE;
	}
	if (getrandom(secret, ROOM_SECRET_BYTES, 0) == ROOM_SECRET_BYTES)
		return TRUE;
	g_set_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_BIND,
		    "Cannot start the room server: no random numbers: %s",
		    g_strerror(errno));
	return FALSE;
}

struct room_server *room_server_new(const struct room_server_config *config,
				    GError **error)
{
	struct room_server *server = g_new0(struct room_server, 1);
	struct room_core_config core = {
		.app_key = config->app_key ? config->app_key : DEFAULT_KEY,
		.turn_url =
			config->turn_url ? config->turn_url : DUMMY_TURN_URL,
		.turn_credential = config->turn_credential
					   ? config->turn_credential
					   : DUMMY_TURN_CREDENTIAL,
	};
	struct room_service_config service = {
		.core = &core,
		.viewer_room = config->viewer_room ? config->viewer_room
						   : DEFAULT_ROOM,
		.max_clients = config->max_clients ? config->max_clients
						   : DEFAULT_MAX_CLIENTS,
		.ping_interval_ms = config->ping_interval_ms
					    ? config->ping_interval_ms
					    : DEFAULT_PING_INTERVAL_MS,
		.ping_timeout_ms = config->ping_timeout_ms
					   ? config->ping_timeout_ms
					   : DEFAULT_PING_TIMEOUT_MS,
	};

	server->listener.fd = -1;
	if (!fill_secret(core.secret, config->token_secret, error) ||
	    !room_listener_open(&server->listener,
				config->listen ? config->listen
					       : DEFAULT_LISTEN,
				config->next_free_port, error))
		return room_server_free(server);
	server->url = g_strdup_printf("http://%s:%u/", server->listener.host,
				      server->listener.port);
	server->service = room_service_new(&service, &server->listener,
					   &server->counters, error);
	if (!server->service)
		return room_server_free(server);
	server->thread = g_thread_try_new("server", serve, server, error);
	if (!server->thread)
		return room_server_free(server);
	return server;
}

struct room_server *room_server_free(struct room_server *server)
{
	if (!server)
		return NULL;
	if (server->thread) {
		room_service_stop(server->service);
		g_thread_join(server->thread);
	}
	room_service_free(server->service);
	room_listener_close(&server->listener);
	g_free(server->url);
	g_free(server);
	return NULL;
}

guint16 room_server_get_port(struct room_server *server)
{
	return server->listener.port;
}

const char *room_server_get_url(struct room_server *server)
{
	return server->url;
}

char *room_server_get_local_url(struct room_server *server)
{
	return g_strdup_printf("http://%s:%u", server->listener.local_host,
			       server->listener.port);
}

void room_server_get_stats(struct room_server *server,
			   struct room_server_stats *ret)
{
	const struct room_counters *c = &server->counters;

	*ret = (struct room_server_stats){
		.clients = room_count_get(c->clients),
		.rooms = room_count_get(c->rooms),
		.clients_total = room_count_get(c->clients_total),
		.messages_in = room_count_get(c->messages_in),
		.messages_out = room_count_get(c->messages_out),
		.bytes_in = room_count_get(c->bytes_in),
		.bytes_out = room_count_get(c->bytes_out),
		.refused = room_count_get(c->refused),
		.dropped_slow = room_count_get(c->dropped_slow),
		.timeouts = room_count_get(c->timeouts),
		.bad_messages = room_count_get(c->bad_messages),
	};
}
