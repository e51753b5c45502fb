// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-server.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/console/console-link.h"
#include "appliance/roomserver/room-certificate.h"
#include "appliance/roomserver/room-service.h"
#include "appliance/roomserver/room-state.h"

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
#define DUMMY_TURN	  "none@turn.invalid"
#define DUMMY_TURN_SECRET "none"

#define SECRET_FILE "roomserver.secret"

struct room_server {
	struct room_listener listener;
	struct room_counters counters;
	struct room_keys *keys;
	struct room_certificate *certificate;	/* NULL: http alone */
	struct room_service *service;
	struct console_link *console;	/* that wakes it; NULL: none */
	GThread *thread;
	char **names;		/* that this machine goes by */
	char *url;
};

static gpointer serve(gpointer data)
{
	struct room_server *server = data;

	room_service_run(server->service);
	return NULL;
}

static gboolean make_secret(uint8_t secret[ROOM_SECRET_BYTES], GError **error)
{
	/* At boot it may wait, and a signal come. */
	if (TEMP_FAILURE_RETRY(getrandom(secret, ROOM_SECRET_BYTES, 0)) ==
	    ROOM_SECRET_BYTES)
		return TRUE;
	g_set_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_BIND,
		    "Cannot start the room server: no random numbers: %s",
		    g_strerror(errno));
	return FALSE;
}

/* The secret of an earlier start, or a new one that is kept. */
static gboolean fill_secret(uint8_t secret[ROOM_SECRET_BYTES], const char *dir,
			    GError **error)
{
	g_autoptr(GBytes) kept = NULL;

	if (dir && !room_state_read(dir, SECRET_FILE, &kept, error))
		return FALSE;
	if (kept && g_bytes_get_size(kept) == ROOM_SECRET_BYTES) {
		memcpy(secret, g_bytes_get_data(kept, NULL), ROOM_SECRET_BYTES);
		return TRUE;
	}
	return make_secret(secret, error) &&
	       (!dir || room_state_write(dir, SECRET_FILE, secret,
					 ROOM_SECRET_BYTES, error));
}

static gboolean fill_tls(struct room_server *server,
			 const struct room_server_config *config,
			 const char *dir, GError **error)
{
	struct room_certificate_config certificate = {
		.file = config->certificate,
		.key_file = config->certificate_key,
		.state_dir = dir,
		.names = config->names,
	};

	if (config->tls)
		server->certificate = room_certificate_new(
			&certificate, g_get_real_time() / G_USEC_PER_SEC,
			error);
	return !config->tls || server->certificate;
}

/* What must be kept and cannot be is no reason not to serve. */
static gboolean fill_kept(struct room_server *server,
			  const struct room_server_config *config,
			  uint8_t secret[ROOM_SECRET_BYTES], GError **error)
{
	g_autoptr(GError) local = NULL;
	const char *dir = config->state_dir;

	if (fill_secret(secret, dir, &local) &&
	    fill_tls(server, config, dir, &local))
		return TRUE;
	if (!dir || local->domain != ROOM_STATE_ERROR ||
	    local->code != ROOM_STATE_ERROR_WRITE) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	g_warning("%s; the room server goes on with a secret and a certificate "
		  "that end with it",
		  local->message);
	return make_secret(secret, error) &&
	       fill_tls(server, config, NULL, error);
}

/* "user@host" and its password, or "host" and coturn's secret. */
static void split_turn(const struct room_server_config *config,
		       struct room_turn *ret, char **ret_user)
{
	const char *turn = config->turn ? config->turn : DUMMY_TURN;
	const char *at = strchr(turn, '@');

	*ret_user = at ? g_strndup(turn, (gsize) (at - turn)) : NULL;
	*ret = (struct room_turn){
		.host = at ? at + 1 : turn,
		.user = *ret_user,
		.secret = config->turn && config->turn_secret
				  ? config->turn_secret
				  : DUMMY_TURN_SECRET,
	};
}

/* Whoever comes from elsewhere must come by https, where there is that. */
static bool is_local(const char *host)
{
	return g_str_has_prefix(host, "127.") || !strcmp(host, "[::1]") ||
	       !strcmp(host, "localhost");
}

static char *make_url(const struct room_server *server)
{
	const char *host = server->listener.host;

	return g_strdup_printf("%s://%s:%u/",
			       server->certificate && !is_local(host)
				       ? "https"
				       : "http",
			       host, server->listener.port);
}

static unsigned int or_default(unsigned int value, unsigned int fallback)
{
	return value ? value : fallback;
}

static gboolean start(struct room_server *server,
		      const struct room_server_config *config, GError **error)
{
	g_autofree char *turn_user = NULL;
	struct room_core_config core = {.keys = server->keys};
	unsigned int max_clients =
		or_default(config->max_clients, DEFAULT_MAX_CLIENTS);
	struct room_service_config service = {
		.core = &core,
		.app_key = config->app_key ? config->app_key : DEFAULT_KEY,
		.viewer_room = config->viewer_room ? config->viewer_room
						   : DEFAULT_ROOM,
		.max_clients = max_clients,
		.max_clients_per_address = or_default(
			config->max_clients_per_address, max_clients),
		.ping_interval_ms = or_default(config->ping_interval_ms,
					       DEFAULT_PING_INTERVAL_MS),
		.ping_timeout_ms = or_default(config->ping_timeout_ms,
					      DEFAULT_PING_TIMEOUT_MS),
		.names = (const char *const *) server->names,
		.no_rooms = config->no_rooms,
		.viewer_open = config->viewer_open,
		.console = config->console,
		.operate_password = config->operate_password,
		.watch_password = config->watch_password,
		.token = config->token,
	};
	gboolean ok;

	split_turn(config, &core.turn, &turn_user);
	if (!fill_kept(server, config, core.secret, error) ||
	    !room_listener_open(&server->listener,
				config->listen ? config->listen
					       : DEFAULT_LISTEN,
				config->next_free_port, error))
		return FALSE;
	server->url = make_url(server);
	if (server->certificate)
		service.tls = room_certificate_get(server->certificate);
	server->service = room_service_new(&service, &server->listener,
					   &server->counters, error);
	ok = server->service != NULL;
	if (ok)
		server->thread =
			g_thread_try_new("server", serve, server, error);
	explicit_bzero(core.secret, sizeof(core.secret));
	if (ok && !server->thread)
		g_prefix_error(error, "Cannot start the room server: ");
	if (!ok || !server->thread)
		return FALSE;
	server->console = config->console;
	if (server->console)
		console_link_set_wake(server->console, room_service_wake,
				      server->service);
	return TRUE;
}

struct room_server *room_server_new(const struct room_server_config *config,
				    GError **error)
{
	struct room_server *server = g_new0(struct room_server, 1);

	server->listener.fd = -1;
	server->names = room_tls_own_names(config->names);
	server->keys =
		config->keys
			? config->keys
			: room_keys_new_open(config->app_key ? config->app_key
							     : DEFAULT_KEY);
	if (!start(server, config, error))
		return room_server_free(server);
	return server;
}

struct room_server *room_server_free(struct room_server *server)
{
	if (!server)
		return NULL;
	if (server->console)
		console_link_set_wake(server->console, NULL, NULL);
	if (server->thread) {
		room_service_stop(server->service);
		g_thread_join(server->thread);
	}
	room_service_free(server->service);
	room_listener_close(&server->listener);
	room_certificate_free(server->certificate);
	room_keys_free(server->keys);
	g_strfreev(server->names);
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

const char *room_server_get_fingerprint(struct room_server *server)
{
	return server->certificate
		       ? room_tls_get_fingerprint(
				 room_certificate_get(server->certificate))
		       : NULL;
}

gint64 room_server_get_certificate_end(struct room_server *server)
{
	return server->certificate
		       ? room_tls_get_end(
				 room_certificate_get(server->certificate))
		       : 0;
}

enum room_server_certificate
room_server_check_certificate(struct room_server *server, gint64 now,
			      GError **error)
{
	struct room_certificate *c = server->certificate;
	gboolean changed;

	if (!c)
		return ROOM_SERVER_CERTIFICATE_SAME;
	if (!room_certificate_check(c, now, &changed, error))
		return ROOM_SERVER_CERTIFICATE_BAD;
	if (changed) {
		room_service_set_tls(server->service, room_certificate_get(c));
		return ROOM_SERVER_CERTIFICATE_NEW;
	}
	if (!room_certificate_is_to_be_told(c, now))
		return ROOM_SERVER_CERTIFICATE_SAME;
	return room_tls_get_end(room_certificate_get(c)) > now
		       ? ROOM_SERVER_CERTIFICATE_SOON
		       : ROOM_SERVER_CERTIFICATE_ENDED;
}

const char *room_server_get_key_secret(struct room_server *server,
				       const char *app_key)
{
	const struct room_key *key = room_keys_find(server->keys, app_key);

	return key ? key->secret : NULL;
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
		.logins_failed = room_count_get(c->logins_failed),
		.refused = room_count_get(c->refused),
		.dropped_slow = room_count_get(c->dropped_slow),
		.timeouts = room_count_get(c->timeouts),
		.bad_messages = room_count_get(c->bad_messages),
	};
}
