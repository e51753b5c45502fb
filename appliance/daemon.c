// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-life.h"
#include "appliance/daemon-media.h"
#include "appliance/daemon-transfers.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/control/control-activation.h"
#include "appliance/control/control-path.h"
#include "appliance/daemon-messages.h"
#include "appliance/signaling/json-check.h"
#include "webrtc/control-queue.h"


/* --- the room ------------------------------------------------------------- */
static void tell_event(Daemon *d, const char *name, JsonObject *params)
{
	daemon_log_event(&d->told, d->room_name, name, params);
	daemon_console_event(d, name, params);
	daemon_notify_event(d);
	if (d->room && g_str_has_prefix(name, "peer"))
		daemon_media_follow_peers(d);
	daemon_control_event(d, name, params);
	daemon_life_event(d, name, params);
	if (d->control)
		control_server_emit(d->control, name, params);
	/* After it: calls are answered when their events were told. */
	daemon_transfers_event(d, name, params);
}

static void on_room_event(void *user, const char *name, JsonObject *params)
{
	tell_event(user, name, params);
}

void daemon_emit(Daemon *d, const char *name, JsonObject *params)
{
	tell_event(d, name, params);
	json_object_unref(params);
}

gboolean daemon_can_join(Daemon *d, const char *name, GError **error)
{
	if (!d->room) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "No room server is configured: set [room] server "
			    "in %s", d->options->config_path ?
			    d->options->config_path : CONFIG_MAIN_FILE);
		return FALSE;
	}
	return room_check_name(name, error);
}

gboolean daemon_join(Daemon *d, const char *name, GError **error)
{
	if (!daemon_can_join(d, name, error) ||
	    !room_join(d->room, name, error))
		return FALSE;
	g_free(d->room_name);
	d->room_name = g_strdup(name);
	/* Who asks anew is told anew why it cannot be. */
	g_clear_pointer(&d->told, g_free);
	d->locked_by_us = FALSE;
	daemon_reload_joined(d);
	daemon_life_changed(d);
	return TRUE;
}

void daemon_leave(Daemon *d)
{
	if (d->room)
		room_leave(d->room);
	g_clear_pointer(&d->room_name, g_free);
	d->locked_by_us = FALSE;
	daemon_life_changed(d);
}

/* --- start ---------------------------------------------------------------- */
static enum net_backend chosen_backend(const char *io)
{
	return !strcmp(io, "io_uring") ? NET_BACKEND_URING :
		!strcmp(io, "epoll") ? NET_BACKEND_EPOLL : NET_BACKEND_AUTO;
}

static enum rtc_demux chosen_demux(const char *demux)
{
	return !strcmp(demux, "kernel") ? RTC_DEMUX_KERNEL :
		!strcmp(demux, "callback") ? RTC_DEMUX_CALLBACK :
					     RTC_DEMUX_AUTO;
}

static gboolean start_engine(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	g_auto(GStrv) addresses = NULL;
	struct rtc_engine_config engine = {
		.backend = chosen_backend(config_get_string(c,
							    OPT_NETWORK_IO)),
		.no_gso = !strcmp(config_get_string(c, OPT_NETWORK_GSO), "off"),
		.demux = chosen_demux(config_get_string(c, OPT_NETWORK_DEMUX)),
		.max_peers = (unsigned int)
			config_get_int(c, OPT_NETWORK_MAX_PEERS),
		.playout_delay_zero = !strcmp(
			config_get_string(c, OPT_NETWORK_PLAYOUT_DELAY),
			"zero"),
		.start_bps = (unsigned int)
			config_get_int(c, OPT_VIDEO_BITRATE),
		.min_bps = (unsigned int)
			config_get_int(c, OPT_VIDEO_MIN_BITRATE),
		.max_bps = (unsigned int)
			config_get_int(c, OPT_VIDEO_MAX_BITRATE),
		.request_keyframe = daemon_media_keyframe_request,
		.rung_bitrate = daemon_media_rung_bitrate,
		.user = d,
	};

	daemon_network_fill(d, &engine, &addresses);
	d->engine = rtc_engine_new(&engine, error);
	return d->engine != NULL;
}

/* [room] user_data: JSON, or a plain string; empty: the host's name. */
static JsonNode *read_user_data(const char *text)
{
	JsonNode *node = json_checked_parse(text, -1, OPTION_VALUE_MAX_BYTES,
					    NULL);

	if (!node)
		node = json_node_init_string(json_node_alloc(),
					     *text ? text : g_get_host_name());
	return node;
}

JsonNode *daemon_configured_user_data(Daemon *d)
{
	return read_user_data(config_get_string(d->options->config,
						OPT_ROOM_USER_DATA));
}

void daemon_user_data_reload(Daemon *d)
{
	g_autoptr(JsonNode) user_data = daemon_configured_user_data(d);

	if (d->room)
		room_set_user_data(d->room, user_data);
}

const char *daemon_configured_key(Daemon *d)
{
	Config *c = d->options->config;
	gboolean other = *config_get_string(c, OPT_ROOM_SERVER);

	/* our own server has one key, and we know it */
	return config_get_string(c, other || !d->room_server ?
				 OPT_ROOM_APP_KEY : OPT_ROOMSERVER_APP_KEY);
}

gboolean daemon_make_room(Daemon *d, const char *secret, GError **error)
{
	Config *c = d->options->config;
	g_autoptr(JsonNode) user_data = daemon_configured_user_data(d);
	RoomConfig room = {
		.engine = d->engine,
		.room_server = d->room_server_url,
		.app_key = d->app_key,
		.secret = secret,
		.access = d->access,
		.user_data = user_data,
		.watch_only = !config_get_bool(c, OPT_NETWORK_RECEIVE),
		.max_peers = (unsigned int)
			config_get_int(c, OPT_NETWORK_MAX_PEERS),
		.channel_messages = TRUE,
		.event = on_room_event,
		.user = d,
	};

	daemon_media_fill_room(d, &room);
	daemon_transfers_fill_room(d, &room);
	d->room = room_new(&room, error);
	if (!d->room)
		return FALSE;
	daemon_media_room_made(d);
	return TRUE;
}

static gboolean start_room(Daemon *d, GError **error)
{
	return daemon_access_reload(d, error) && daemon_life_start(d, error) &&
		daemon_life_begin(d, error);
}

/* systemd keeps a socket for us, and people find us there. */
static void tell_unused_path(const Daemon *d, const char *configured)
{
	const char *there = control_server_get_path(d->control);

	if (*configured && strcmp(configured, there))
		g_warning("ignoring control.socket = %s: systemd listens at "
			  "%s for this daemon; set ListenStream= of its "
			  ".socket unit", configured, there);
}

static gboolean start_control(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	const char *configured = config_get_string(c, OPT_CONTROL_SOCKET);
	ControlPathInput input;
	g_autofree char *path = NULL;
	g_autofree ControlHandler *handlers = daemon_handlers_new();
	ControlServerConfig config = {
		.handlers = handlers,
		.user = d,
		.max_clients = (unsigned int)
			config_get_int(c, OPT_CONTROL_MAX_CLIENTS),
	};

	control_path_input_init(&input);
	input.instance = d->options->instance;
	if (*configured)
		input.explicit_path = configured;
	path = control_path_for_daemon(&input);
	config.path = path;
	if (d->options->listen_fd > 0)
		config.listen_fd = d->options->listen_fd;
	else if (!control_path_prepare(path, error))
		return FALSE;
	d->control = control_server_new(&config, error);
	if (d->control && config.listen_fd)
		tell_unused_path(d, configured);
	return d->control != NULL;
}

/* --- what a person in front of the terminal sees -------------------------- */
static void print_address(Daemon *d)
{
	g_autofree char *url = NULL;

	if (d->room_server && !d->options->quiet) {
		url = daemon_console_viewer_url(d);
		printf("%s\n", url);
		fflush(stdout);
	}
	daemon_console_print(d);
}

static gboolean on_signal(gpointer data)
{
	Daemon *d = data;

	daemon_message_log(DAEMON_MESSAGE_STOPPING, NULL, "stopping");
	g_main_loop_quit(d->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer data)
{
	daemon_config_hangup(data);
	return G_SOURCE_CONTINUE;
}

static gboolean start(Daemon *d, GError **error)
{
	int r = control_queue_new(&d->events, NULL, DAEMON_EVENTS_MAX);

	if (r < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
			    "Cannot make the event queue: %s", g_strerror(-r));
		return FALSE;
	}
	daemon_reload_start(d);
	if (!daemon_console_start(d, error) ||
	    !daemon_room_server_start(d, error) ||
	    !daemon_console_listen(d, error))
		return FALSE;
	if (!d->options->room_server_only) {
		if (!daemon_media_start(d, error))
			return FALSE;
		daemon_network_start(d);
		if (!start_engine(d, error))
			return FALSE;
		if (!daemon_transfers_start(d, error))
			return FALSE;
	}
	if (!start_control(d, error) || !daemon_metrics_start(d, error))
		return FALSE;
	return d->options->room_server_only || start_room(d, error);
}

static void stop(Daemon *d)
{
	daemon_metrics_stop(d);
	daemon_life_stop(d);
	daemon_network_stop(d);
	if (d->room)
		room_free(d->room);
	d->room = NULL;
	daemon_control_done(d);
	daemon_doctor_done(d);
	daemon_restart_done(d);
	daemon_config_done(d);
	daemon_transfers_done(d);
	daemon_media_stop(d);
	control_server_free(d->control);
	d->control = NULL;
	daemon_transfers_free(d);
	/* Without takers the pipelines push nothing, but the network thread may
	 * still ask them for a keyframe: the engine ends before them. */
	d->engine = rtc_engine_free(d->engine);
	daemon_media_free(d);
	daemon_certificates_stop(d);
	d->room_server = room_server_free(d->room_server);
	daemon_console_stop(d);
	daemon_notify_done(d);
	d->events = control_queue_free(d->events);
	g_clear_pointer(&d->room_server_url, g_free);
	g_clear_pointer(&d->room_name, g_free);
	g_clear_pointer(&d->told, g_free);
	g_clear_pointer(&d->app_key, g_free);
	g_clear_pointer(&d->default_room, g_free);
	room_access_done(&d->access);
	daemon_reload_stop(d);
}

void daemon_refuse_clients(const struct daemon_options *options,
			   const char *why)
{
	g_autofree char *text = g_strdup_printf("skylinkd cannot start: %s",
						why);

	daemon_notify_failed(why);
	control_activation_refuse(options->listen_fd, text);
}

int daemon_run(const struct daemon_options *options)
{
	Daemon *d = g_new0(Daemon, 1);
	g_autoptr(GError) error = NULL;
	guint on_int, on_term, on_hup = 0;
	int status = EXIT_FAILURE;

	d->options = options;
	d->started_us = g_get_monotonic_time();
	/* The first question counts from here. */
	process_stats_read(&d->process);
	for (int codec = 0; codec < N_MEDIA_CODECS; codec++)
		atomic_init(&d->rung[codec], -1);
	signal(SIGPIPE, SIG_IGN);
	d->loop = g_main_loop_new(NULL, FALSE);
	on_int = g_unix_signal_add(SIGINT, on_signal, d);
	on_term = g_unix_signal_add(SIGTERM, on_signal, d);
	/* Without files there is nothing to read again: a demo ends with its
	 * terminal. */
	if (options->load)
		on_hup = g_unix_signal_add(SIGHUP, on_hangup, d);

	if (start(d, &error)) {
		print_address(d);
		daemon_certificates_start(d);
		daemon_watchdog_start(d);
		daemon_message_log(DAEMON_MESSAGE_STARTED, NULL, "ready");
		daemon_notify_ready(d);
		g_main_loop_run(d->loop);
		daemon_notify_stopping(d);
		daemon_watchdog_stop(d);
		status = EXIT_SUCCESS;
	} else {
		fprintf(stderr, "skylinkd: %s\n", error->message);
		daemon_refuse_clients(options, error->message);
	}
	stop(d);
	g_source_remove(on_int);
	g_source_remove(on_term);
	if (on_hup)
		g_source_remove(on_hup);
	g_main_loop_unref(d->loop);
	g_free(d);
	return status;
}
