// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-reload.h"

#include <string.h>

#include "appliance/control/control-config.h"
#include "appliance/daemon-landlock.h"
#include "appliance/daemon-life.h"
#include "appliance/daemon-media.h"
#include "appliance/daemon-transfers.h"
#include "appliance/log-filter.h"

struct daemon_reload {
	Config *joined;		/* what held when the room was joined */
};

/* --- the parts, in the order in which they are applied ---------------------- */
static gboolean apply_access(Daemon *d, const bool changed[N_OPTIONS],
			     GError **error)
{
	return d->options->room_server_only || daemon_access_reload(d, error);
}

static gboolean apply_stream(Daemon *d, const bool changed[N_OPTIONS],
			     GError **error)
{
	if (!d->streams)
		return TRUE;
	if (!daemon_media_reload(d, changed, error))
		return FALSE;
	/* Another source may have other codecs. */
	daemon_media_reload_codecs(d);
	return TRUE;
}

static gboolean apply_rates(Daemon *d, const bool changed[N_OPTIONS],
			    GError **error)
{
	return !d->streams || daemon_media_reload_rates(d, error);
}

static gboolean apply_codec(Daemon *d, const bool changed[N_OPTIONS],
			    GError **error)
{
	if (d->streams)
		daemon_media_reload_codecs(d);
	return TRUE;
}

static gboolean apply_sound(Daemon *d, const bool changed[N_OPTIONS],
			    GError **error)
{
	if (d->streams)
		daemon_media_limit_audio(d);
	return TRUE;
}

static gboolean apply_volume(Daemon *d, const bool changed[N_OPTIONS],
			     GError **error)
{
	if (d->audio)
		audio_pipeline_set_volume(
			d->audio,
			(unsigned int) config_get_int(d->options->config,
						      OPT_AUDIO_VOLUME));
	return TRUE;
}

static gboolean apply_network(Daemon *d, const bool changed[N_OPTIONS],
			      GError **error)
{
	daemon_network_reload(d);
	return TRUE;
}

static gboolean apply_marks(Daemon *d, const bool changed[N_OPTIONS],
			    GError **error)
{
	daemon_network_reload_marks(d);
	return TRUE;
}

static gboolean apply_limits(Daemon *d, const bool changed[N_OPTIONS],
			     GError **error)
{
	return daemon_network_reload_limits(d, error);
}

static gboolean apply_receive(Daemon *d, const bool changed[N_OPTIONS],
			      GError **error)
{
	if (d->room)
		room_set_watch_only(d->room,
				    !config_get_bool(d->options->config,
						     OPT_NETWORK_RECEIVE));
	return TRUE;
}

static gboolean apply_user_data(Daemon *d, const bool changed[N_OPTIONS],
				GError **error)
{
	daemon_user_data_reload(d);
	return TRUE;
}

static gboolean apply_peers(Daemon *d, const bool changed[N_OPTIONS],
			    GError **error)
{
	unsigned int max = (unsigned int)
		config_get_int(d->options->config, OPT_NETWORK_MAX_PEERS);

	if (d->engine)
		rtc_engine_set_max_peers(d->engine, max);
	if (d->room)
		room_set_max_peers(d->room, max);
	return TRUE;
}

static gboolean apply_transfers(Daemon *d, const bool changed[N_OPTIONS],
				GError **error)
{
	daemon_transfers_reload(d);
	return TRUE;
}

static gboolean apply_clients(Daemon *d, const bool changed[N_OPTIONS],
			      GError **error)
{
	if (d->control)
		control_server_set_max_clients(
			d->control, (unsigned int) config_get_int(
					    d->options->config,
					    OPT_CONTROL_MAX_CLIENTS));
	return TRUE;
}

static gboolean apply_metrics(Daemon *d, const bool changed[N_OPTIONS],
			      GError **error)
{
	return daemon_metrics_start(d, error);
}

/* room.recover and the self-test are looked at when they are needed. */
static gboolean apply_life(Daemon *d, const bool changed[N_OPTIONS],
			   GError **error)
{
	daemon_life_reload(d);
	return TRUE;
}

/* Looked at with every call that names a file. */
static gboolean apply_folders(Daemon *d, const bool changed[N_OPTIONS],
			      GError **error)
{
	return TRUE;
}

static gboolean apply_log(Daemon *d, const bool changed[N_OPTIONS],
			  GError **error)
{
	if (d->options->log)
		log_filter_set_configured(
			d->options->log, config_get_string(d->options->config,
							   OPT_LOG_LEVEL));
	return TRUE;
}

#define OPTIONS(...) (const enum option_id[]){__VA_ARGS__, N_OPTIONS}

/* Those that can fail go first: less has to be taken back. */
static const struct part {
	gboolean (*apply)(Daemon *d, const bool changed[N_OPTIONS],
			  GError **error);
	const enum option_id *options;	/* until N_OPTIONS */
} parts[] = {
	{apply_access,
	 OPTIONS(OPT_ROOM_SERVER, OPT_ROOM_APP_KEY, OPT_ROOM_SECRET_FILE,
		 OPT_ROOM_NAME, OPT_ROOM_START, OPT_ROOM_DURATION,
		 OPT_ROOM_REGION, OPT_ROOM_FORCE_SSL, OPT_ROOM_CA_FILE,
		 OPT_ROOM_TRANSPORT, OPT_ROOM_SOCKET_TIMEOUT, OPT_NETWORK_STUN,
		 OPT_NETWORK_PUBLIC_STUN, OPT_NETWORK_TURN,
		 OPT_NETWORK_FORCE_TURN, OPT_NETWORK_TURN_TRANSPORT)},
	{apply_stream,
	 OPTIONS(OPT_VIDEO_SOURCE, OPT_VIDEO_WIDTH, OPT_VIDEO_HEIGHT,
		 OPT_VIDEO_FPS, OPT_AUDIO_SOURCE, OPT_AUDIO_CHANNELS)},
	{apply_rates, OPTIONS(OPT_VIDEO_BITRATE, OPT_VIDEO_MIN_BITRATE,
			      OPT_VIDEO_MAX_BITRATE)},
	{apply_metrics, OPTIONS(OPT_CONTROL_METRICS)},
	{apply_codec, OPTIONS(OPT_VIDEO_CODEC)},
	{apply_sound, OPTIONS(OPT_AUDIO_BITRATE)},
	{apply_limits,
	 OPTIONS(OPT_NETWORK_DATA_BITRATE, OPT_NETWORK_TOTAL_BITRATE,
		 OPT_AUDIO_BITRATE)},
	{apply_volume, OPTIONS(OPT_AUDIO_VOLUME)},
	{apply_network,
	 OPTIONS(OPT_NETWORK_ADDRESSES, OPT_NETWORK_INTERFACES,
		 OPT_NETWORK_LOOPBACK, OPT_NETWORK_PORT_MIN,
		 OPT_NETWORK_PORT_MAX)},
	{apply_marks,
	 OPTIONS(OPT_NETWORK_DSCP_AUDIO, OPT_NETWORK_DSCP_VIDEO)},
	{apply_receive, OPTIONS(OPT_NETWORK_RECEIVE)},
	{apply_user_data, OPTIONS(OPT_ROOM_USER_DATA)},
	{apply_peers, OPTIONS(OPT_NETWORK_MAX_PEERS)},
	{apply_transfers,
	 OPTIONS(OPT_TRANSFER_ACCEPT, OPT_TRANSFER_QUOTA, OPT_TRANSFER_MAX_FILE,
		 OPT_TRANSFER_MAX_FILES, OPT_TRANSFER_KEEP)},
	{apply_clients, OPTIONS(OPT_CONTROL_MAX_CLIENTS)},
	{apply_folders, OPTIONS(OPT_CONTROL_SOURCE_FOLDERS)},
	{apply_log, OPTIONS(OPT_LOG_LEVEL)},
	{apply_life,
	 OPTIONS(OPT_ROOM_SCHEDULE, OPT_ROOM_TIME_ZONE, OPT_ROOM_RECOVER,
		 OPT_SELFTEST_ENABLED, OPT_SELFTEST_HOUR)},
};

gboolean daemon_reload_handles(enum option_id id)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(parts); i++)
		for (const enum option_id *o = parts[i].options;
		     *o != N_OPTIONS; o++)
			if (*o == id)
				return TRUE;
	return FALSE;
}

/* Return: how many went well. */
static unsigned int apply_parts(Daemon *d, const bool changed[N_OPTIONS],
				unsigned int n, GError **error)
{
	for (unsigned int i = 0; i < n; i++) {
		gboolean touched = FALSE;

		for (const enum option_id *o = parts[i].options;
		     *o != N_OPTIONS; o++)
			touched |= changed[*o];
		if (touched && !parts[i].apply(d, changed, error))
			return i;
	}
	return n;
}

/* --- what differs ----------------------------------------------------------- */
static gboolean same(const Config *a, const Config *b, enum option_id id)
{
	return !strcmp(config_get_text(a, id), config_get_text(b, id));
}

/* What the new value is compared with: what is in force. */
static const Config *base_of(Daemon *d, enum option_id id)
{
	return option_table_get(id)->change == OPTION_REJOIN && d->room_name ?
		d->reload->joined : d->options->config;
}

/* A file that Landlock keeps from us can be had by a new start alone. */
static gboolean needs_restart(Daemon *d, const Config *next, enum option_id id)
{
	return option_table_get(id)->change == OPTION_RESTART ||
		!daemon_landlock_covers(d->options->landlock, next, id);
}

static gboolean awaits_join(Daemon *d, const Config *next)
{
	for (enum option_id i = 0; i < N_OPTIONS; i++)
		if (option_table_get(i)->change == OPTION_REJOIN &&
		    d->room_name && !same(next, d->reload->joined, i) &&
		    !needs_restart(d, next, i))
			return TRUE;
	return FALSE;
}

static const char *effect_of(Daemon *d, const Config *next, enum option_id id,
			     gboolean rejoin)
{
	if (needs_restart(d, next, id))
		return "restart";
	switch (option_table_get(id)->change) {
	case OPTION_LIVE:
		return "applied";
	case OPTION_REJOIN:
		/* Out of a room there is nothing to leave first. */
		return rejoin || !d->room_name ||
			same(next, d->reload->joined, id) ? "applied" : "rejoin";
	case OPTION_RESTART:
		return "restart";
	}
	g_assert_not_reached();
}

JsonArray *daemon_reload_preview(Daemon *d, const Config *next, gboolean rejoin)
{
	JsonArray *list = json_array_new();

	for (enum option_id i = 0; i < N_OPTIONS; i++) {
		const Config *old = base_of(d, i);
		g_autofree char *name = NULL;
		JsonObject *o;

		/* A change that waited may be taken back before it counted. */
		if (same(next, old, i))
			old = d->options->config;
		if (same(next, old, i))
			continue;
		name = control_config_name(i);
		o = json_object_new();
		json_object_set_string_member(o, "name", name);
		control_config_set_value(o, "old", old, i);
		control_config_set_value(o, "new", next, i);
		json_object_set_string_member(o, "effect",
					      effect_of(d, next, i, rejoin));
		json_object_set_string_member(o, "origin",
					      config_get_origin(next, i));
		json_array_add_object_element(list, o);
	}
	return list;
}

/* --- doing it ---------------------------------------------------------------- */
/* Origins too: a value may stand on another line now. */
static void take(Daemon *d, const Config *next, bool changed[N_OPTIONS])
{
	Config *running = d->options->config;

	for (enum option_id i = 0; i < N_OPTIONS; i++) {
		gboolean differs = !same(next, running, i);
		gboolean can = !needs_restart(d, next, i);

		changed[i] = differs && can;
		if (!differs || can)
			config_take(running, next, i);
	}
}

static gboolean join_again(Daemon *d, GError **error)
{
	gboolean other = !same(d->options->config, d->reload->joined,
			       OPT_ROOM_NAME);
	const char *wanted = daemon_life_wanted(d, other);
	g_autofree char *room = g_strdup(other || !d->room_name ?
					 wanted : d->room_name);

	daemon_leave(d);
	if (!room)
		return TRUE;
	daemon_media_open_configured(d);
	return daemon_join(d, room, error);
}

JsonArray *daemon_reload_apply(Daemon *d, const Config *next, gboolean rejoin,
			       gboolean *ret_rejoined, GError **error)
{
	g_autoptr(Config) before = config_copy(d->options->config);
	gboolean had_room = d->room != NULL;
	gboolean join = rejoin && awaits_join(d, next);
	g_autoptr(JsonArray) list = daemon_reload_preview(d, next, rejoin);
	const char *name = config_get_string(next, OPT_ROOM_NAME);
	bool changed[N_OPTIONS], all[N_OPTIONS];
	unsigned int done;

	if (*name && !room_check_name(name, error))
		return NULL;

	take(d, next, changed);
	done = apply_parts(d, changed, G_N_ELEMENTS(parts), error);
	if (done < G_N_ELEMENTS(parts)) {
		take(d, before, all);
		/* What worked before works again. */
		apply_parts(d, changed, done, NULL);
		return NULL;
	}
	/* The first server that was named: there was nothing to leave. */
	join |= !had_room && d->room;
	if (ret_rejoined)
		*ret_rejoined = join;
	if (join && !join_again(d, error))
		return NULL;
	return g_steal_pointer(&list);
}

void daemon_reload_joined(Daemon *d)
{
	for (enum option_id i = 0; i < N_OPTIONS; i++)
		if (option_table_get(i)->change == OPTION_REJOIN)
			config_take(d->reload->joined, d->options->config, i);
}

void daemon_reload_start(Daemon *d)
{
	d->reload = g_new0(struct daemon_reload, 1);
	d->reload->joined = config_copy(d->options->config);
}

void daemon_reload_stop(Daemon *d)
{
	if (!d->reload)
		return;
	config_free(d->reload->joined);
	g_clear_pointer(&d->reload, g_free);
}
