// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"
#include "media/library-log.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/control/control-path.h"
#include "appliance/signaling/json-check.h"
#include "build-config.h"
#include "webrtc/control-queue.h"

#if HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

static void notify(const char *state)
{
#if HAVE_SYSTEMD
	sd_notify(0, state);
#endif
}

/* --- media -> transport --------------------------------------------------- */
static void on_unit(void *user, struct coded_unit *unit)
{
	Daemon *d = user;

	rtc_engine_push(d->engine, unit);
}

/* network */
static void on_keyframe_request(void *user, enum media_codec codec, bool first)
{
	Daemon *d = user;
	int rung = atomic_load(&d->rung[codec]);

	if (rung >= 0)
		video_pipeline_request_keyframe(d->video, (uint32_t) rung,
						first);
}

/* network */
static void on_rung_bitrate(void *user, enum media_codec codec,
			    unsigned int bps)
{
	Daemon *d = user;
	int rung = atomic_load(&d->rung[codec]);

	if (rung >= 0)
		video_pipeline_set_bitrate(d->video, (uint32_t) rung, bps);
}

/* --- media states: capture threads -> control ----------------------------- */
typedef struct {
	Daemon *daemon;
	gboolean video;
	int state;
	char *detail;
} MediaState;

static const char *video_state_name(int state)
{
	switch ((enum video_source_state) state) {
	case VIDEO_SOURCE_IDLE:
		return "idle";
	case VIDEO_SOURCE_LIVE:
		return "live";
	case VIDEO_SOURCE_PLACEHOLDER:
		return "placeholder";
	}
	return "unknown";
}

static const char *audio_state_name(int state)
{
	switch ((enum audio_source_state) state) {
	case AUDIO_SOURCE_IDLE:
		return "idle";
	case AUDIO_SOURCE_LIVE:
		return "live";
	case AUDIO_SOURCE_SILENCE:
		return "silence";
	}
	return "unknown";
}

static void run_media_state(void *data)
{
	MediaState *m = data;
	const char *name = m->video ? video_state_name(m->state) :
				      audio_state_name(m->state);

	g_message("%s: %s%s%s", m->video ? "video" : "audio", name,
		  m->detail && *m->detail ? ": " : "",
		  m->detail ? m->detail : "");
	if (m->daemon->control) {
		g_autoptr(JsonObject) params = json_object_new();

		json_object_set_string_member(params, "kind",
					      m->video ? "video" : "audio");
		json_object_set_string_member(params, "state", name);
		json_object_set_string_member(params, "detail",
					      m->detail ? m->detail : "");
		control_server_emit(m->daemon->control, "device.state", params);
	}
	g_free(m->detail);
	g_free(m);
}

static void post_media_state(Daemon *d, gboolean video, int state,
			     const char *detail)
{
	MediaState *m = g_new0(MediaState, 1);

	m->daemon = d;
	m->video = video;
	m->state = state;
	m->detail = g_strdup(detail);
	if (control_queue_post(d->events, run_media_state, m) < 0) {
		g_free(m->detail);
		g_free(m);
	}
}

static void on_video_state(void *user, enum video_source_state state,
			   const char *detail)
{
	post_media_state(user, TRUE, (int) state, detail);
}

static void on_audio_state(void *user, enum audio_source_state state,
			   const char *detail)
{
	post_media_state(user, FALSE, (int) state, detail);
}

/* --- the room ------------------------------------------------------------- */
static void tell_codec(Daemon *d, enum media_codec codec, gboolean running)
{
	g_autoptr(JsonObject) params = json_object_new();

	if (!d->control)
		return;
	json_object_set_string_member(params, "codec", media_codec_name(codec));
	json_object_set_boolean_member(params, "running", running);
	control_server_emit(d->control, "stats.codec", params);
}

static void take_codec(Daemon *d, enum media_codec codec)
{
	uint32_t rung;

	if (video_pipeline_take(d->video, codec, &rung) < 0) {
		g_warning("no %s from %s", media_codec_name(codec),
			  config_get_string(d->options->config,
					    OPT_VIDEO_SOURCE));
		d->refused[codec]++;
		return;
	}
	atomic_store(&d->rung[codec], (int) rung);
	if (d->takers[codec]++ == 0)
		tell_codec(d, codec, TRUE);
}

static void give_up_codec(Daemon *d, enum media_codec codec)
{
	uint32_t rung;

	/* One taker is as good as another: a peer that found no encoder may
	 * be among those who got one later. */
	if (d->refused[codec]) {
		d->refused[codec]--;
		return;
	}
	g_return_if_fail(d->takers[codec] > 0);
	rung = (uint32_t) atomic_load(&d->rung[codec]);
	if (--d->takers[codec] == 0) {
		atomic_store(&d->rung[codec], -1);
		tell_codec(d, codec, FALSE);
	}
	video_pipeline_release(d->video, rung);
}

static void on_codec_use(void *user, enum media_codec codec, gboolean took)
{
	Daemon *d = user;

	if (!d->video)
		return;
	if (took)
		take_codec(d, codec);
	else
		give_up_codec(d, codec);
}

/* Somebody listens while there is anybody. */
static void follow_audio(Daemon *d)
{
	g_autoptr(GPtrArray) peers = room_list_peer_ids(d->room);
	gboolean wanted = d->audio && peers->len > 0;

	if (wanted == d->audio_taken)
		return;
	if (!wanted)
		audio_pipeline_release(d->audio);
	else if (audio_pipeline_take(d->audio) < 0)
		return;
	d->audio_taken = wanted;
}

static void on_room_event(void *user, const char *name, JsonObject *params)
{
	Daemon *d = user;

	daemon_log_event(name, params);
	if (d->room && g_str_has_prefix(name, "peer"))
		follow_audio(d);
	daemon_control_event(d, name, params);
	if (d->control)
		control_server_emit(d->control, name, params);
}

gboolean daemon_join(Daemon *d, const char *name, GError **error)
{
	if (!d->room) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "No room server is configured: set [room] server "
			    "in %s", d->options->config_path ?
			    d->options->config_path : CONFIG_MAIN_FILE);
		return FALSE;
	}
	if (!room_join(d->room, name, error))
		return FALSE;
	g_free(d->room_name);
	d->room_name = g_strdup(name);
	return TRUE;
}

void daemon_leave(Daemon *d)
{
	if (d->room)
		room_leave(d->room);
	g_clear_pointer(&d->room_name, g_free);
}

void daemon_set_muted(Daemon *d, gboolean audio, gboolean video)
{
	d->audio_muted = audio;
	d->video_muted = video;
	if (d->audio)
		audio_pipeline_set_muted(d->audio, audio);
	if (d->video)
		video_pipeline_set_muted(d->video, video);
	if (d->room)
		room_set_muted(d->room, audio, video);
}

/* --- start ---------------------------------------------------------------- */
static gboolean source_is_none(const char *source)
{
	return !strcmp(source, "none");
}

static gboolean start_media(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	struct video_pipeline_config video = {
		.source = config_get_string(c, OPT_VIDEO_SOURCE),
		.width = (unsigned int) config_get_int(c, OPT_VIDEO_WIDTH),
		.height = (unsigned int) config_get_int(c, OPT_VIDEO_HEIGHT),
		.fps = (unsigned int) config_get_int(c, OPT_VIDEO_FPS),
		.bitrate_bps = (unsigned int)
			config_get_int(c, OPT_VIDEO_BITRATE),
		.min_bitrate_bps = (unsigned int)
			config_get_int(c, OPT_VIDEO_MIN_BITRATE),
		.max_bitrate_bps = (unsigned int)
			config_get_int(c, OPT_VIDEO_MAX_BITRATE),
		.on_unit = on_unit,
		.on_state = on_video_state,
		.user = d,
	};
	struct audio_pipeline_config audio = {
		.source = config_get_string(c, OPT_AUDIO_SOURCE),
		.channels = (unsigned int)
			config_get_int(c, OPT_AUDIO_CHANNELS),
		.bitrate_bps = (unsigned int)
			config_get_int(c, OPT_AUDIO_BITRATE),
		.on_unit = on_unit,
		.on_state = on_audio_state,
		.user = d,
	};
	char *why = NULL;
	int r = 0;

	library_log_silence();
	if (!source_is_none(video.source))
		r = video_pipeline_new(&d->video, &video, &why);
	if (r >= 0 && !source_is_none(audio.source))
		r = audio_pipeline_new(&d->audio, &audio, &why);
	if (r < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
			    "%s", why ? why : g_strerror(-r));
		free(why);
		return FALSE;
	}
	return TRUE;
}

/* The order of preference among what configuration and source allow. */
static void choose_codecs(Daemon *d)
{
	const char *wanted = config_get_string(d->options->config,
					       OPT_VIDEO_CODEC);
	static const enum media_codec all[] = { MEDIA_CODEC_H264,
						MEDIA_CODEC_VP8 };

	for (unsigned int i = 0; d->video && i < G_N_ELEMENTS(all); i++) {
		const char *name = media_codec_name(all[i]);

		if (strcmp(wanted, "auto") && g_ascii_strcasecmp(wanted, name))
			continue;
		if (video_pipeline_has_codec(d->video, all[i]))
			d->video_codecs[d->n_video_codecs++] = all[i];
	}
}

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

/* Of one interface; link-local ones of IPv6 reach no browser. */
static gboolean address_text(const struct ifaddrs *i,
			     char ret[INET6_ADDRSTRLEN])
{
	const struct sockaddr *a = i->ifa_addr;
	const struct in6_addr *v6;

	if (!a || !(i->ifa_flags & IFF_UP))
		return FALSE;
	if (a->sa_family == AF_INET)
		return inet_ntop(AF_INET,
				 &((const struct sockaddr_in *) a)->sin_addr,
				 ret, INET6_ADDRSTRLEN) != NULL;
	if (a->sa_family != AF_INET6)
		return FALSE;
	v6 = &((const struct sockaddr_in6 *) a)->sin6_addr;
	return !IN6_IS_ADDR_LINKLOCAL(v6) &&
		inet_ntop(AF_INET6, v6, ret, INET6_ADDRSTRLEN) != NULL;
}

/* [network] addresses, and those of [network] interfaces. NULL: any. */
static char **local_addresses(Config *c)
{
	const char *const *interfaces = config_get_list(c,
							OPT_NETWORK_INTERFACES);
	const char *const *addresses = config_get_list(c,
						       OPT_NETWORK_ADDRESSES);
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();
	struct ifaddrs *list = NULL;
	gboolean any = addresses[0] != NULL;
	char text[INET6_ADDRSTRLEN];

	if (!interfaces[0] && !any)
		return NULL;
	g_strv_builder_addv(all, (const char **) addresses);
	if (interfaces[0] && getifaddrs(&list) < 0)
		list = NULL;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!g_strv_contains(interfaces, i->ifa_name) ||
		    !address_text(i, text))
			continue;
		g_strv_builder_add(all, text);
		any = TRUE;
	}
	if (list)
		freeifaddrs(list);
	/* An empty list would mean all interfaces, which nobody asked for. */
	if (!any) {
		g_warning("no interface of network.interfaces has an address: "
			  "media stays on this machine until the next start");
		g_strv_builder_add(all, "127.0.0.1");
	}
	return g_strv_builder_end(all);
}

static gboolean start_engine(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	g_auto(GStrv) addresses = local_addresses(c);
	struct rtc_engine_config engine = {
		.backend = chosen_backend(config_get_string(c,
							    OPT_NETWORK_IO)),
		.no_gso = !strcmp(config_get_string(c, OPT_NETWORK_GSO), "off"),
		.demux = chosen_demux(config_get_string(c, OPT_NETWORK_DEMUX)),
		.port_min = (uint16_t) config_get_int(c, OPT_NETWORK_PORT_MIN),
		.port_max = (uint16_t) config_get_int(c, OPT_NETWORK_PORT_MAX),
		.addresses = (const char *const *) addresses,
		.loopback = d->options->demo ||
			config_get_bool(c, OPT_NETWORK_LOOPBACK),
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
		.request_keyframe = on_keyframe_request,
		.rung_bitrate = on_rung_bitrate,
		.user = d,
	};

	d->engine = rtc_engine_new(&engine, error);
	return d->engine != NULL;
}

static gboolean start_room_server(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	struct room_server_config config = {
		.listen = config_get_string(c, OPT_ROOMSERVER_LISTEN),
		.next_free_port = d->options->demo && !d->options->listen_given,
		.app_key = config_get_string(c, OPT_ROOMSERVER_APP_KEY),
		.viewer_room = config_get_string(c, OPT_ROOMSERVER_VIEWER_ROOM),
		.max_clients = (unsigned int)
			config_get_int(c, OPT_ROOMSERVER_MAX_CLIENTS),
	};

	if (!d->options->demo && !d->options->room_server_only &&
	    !config_get_bool(c, OPT_ROOMSERVER_ENABLED))
		return TRUE;
	d->room_server = room_server_new(&config, error);
	return d->room_server != NULL;
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

static gboolean start_room(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	const char *server = config_get_string(c, OPT_ROOM_SERVER);
	const char *user_data = config_get_string(c, OPT_ROOM_USER_DATA);
	const char *name = config_get_string(c, OPT_ROOM_NAME);
	g_autoptr(JsonNode) user_data_node = NULL;
	char *secret = NULL;
	RoomConfig room = {
		.engine = d->engine,
		/* our own server has one key, and we know it */
		.app_key = config_get_string(c, *server || !d->room_server ?
					     OPT_ROOM_APP_KEY :
					     OPT_ROOMSERVER_APP_KEY),
		.send_audio = d->audio != NULL,
		.send_video = d->video != NULL,
		.width = (unsigned int) config_get_int(c, OPT_VIDEO_WIDTH),
		.height = (unsigned int) config_get_int(c, OPT_VIDEO_HEIGHT),
		.fps = (unsigned int) config_get_int(c, OPT_VIDEO_FPS),
		.video_codecs = d->video_codecs,
		.n_video_codecs = d->n_video_codecs,
		.max_peers = (unsigned int)
			config_get_int(c, OPT_NETWORK_MAX_PEERS),
		.channel_messages = TRUE,
		.event = on_room_event,
		.codec_use = on_codec_use,
		.user = d,
	};

	if (*server)
		d->room_server_url = g_strdup(server);
	else if (d->room_server)
		d->room_server_url =
			room_server_get_local_url(d->room_server);
	else
		return TRUE;	/* ready and idle; status says what to set */
	if (!config_read_secret(c, OPT_ROOM_SECRET_FILE, &secret, error))
		return FALSE;
	user_data_node = read_user_data(user_data);
	room.room_server = d->room_server_url;
	room.secret = secret;
	room.user_data = user_data_node;
	d->room = room_new(&room, error);
	config_secret_free(secret);
	if (!d->room)
		return FALSE;
	daemon_set_muted(d, config_get_bool(c, OPT_AUDIO_MUTED),
			 config_get_bool(c, OPT_VIDEO_MUTED));
	return !*name || daemon_join(d, name, error);
}

static gboolean start_control(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	const char *configured = config_get_string(c, OPT_CONTROL_SOCKET);
	ControlPathInput input;
	g_autofree char *path = NULL;
	ControlServerConfig config = {
		.handlers = daemon_handlers,
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
	if (!control_path_prepare(path, error))
		return FALSE;
	d->control = control_server_new(&config, error);
	return d->control != NULL;
}

/* --- what a person in front of the terminal sees -------------------------- */
static void print_address(Daemon *d)
{
	if (!d->room_server || d->options->quiet)
		return;
	printf("%s\n", room_server_get_url(d->room_server));
	fflush(stdout);
}

static gboolean on_signal(gpointer data)
{
	Daemon *d = data;

	g_message("stopping");
	g_main_loop_quit(d->loop);
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
	if (!start_room_server(d, error))
		return FALSE;
	if (!d->options->room_server_only) {
		if (!start_media(d, error))
			return FALSE;
		choose_codecs(d);
		if (!start_engine(d, error))
			return FALSE;
	}
	if (!start_control(d, error))
		return FALSE;
	return d->options->room_server_only || start_room(d, error);
}

static void stop(Daemon *d)
{
	if (d->room)
		room_free(d->room);
	d->room = NULL;
	daemon_control_done(d);
	control_server_free(d->control);
	d->control = NULL;
	/* Without takers the pipelines push nothing, but the network thread may
	 * still ask them for a keyframe: the engine ends before them. */
	if (d->audio_taken)
		audio_pipeline_release(d->audio);
	d->engine = rtc_engine_free(d->engine);
	d->video = video_pipeline_free(d->video);
	d->audio = audio_pipeline_free(d->audio);
	d->room_server = room_server_free(d->room_server);
	d->events = control_queue_free(d->events);
	g_clear_pointer(&d->room_server_url, g_free);
	g_clear_pointer(&d->room_name, g_free);
}

int daemon_run(const struct daemon_options *options)
{
	Daemon *d = g_new0(Daemon, 1);
	g_autoptr(GError) error = NULL;
	guint on_int, on_term;
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

	if (start(d, &error)) {
		print_address(d);
		notify("READY=1\nSTATUS=running");
		g_main_loop_run(d->loop);
		notify("STOPPING=1");
		status = EXIT_SUCCESS;
	} else {
		fprintf(stderr, "skylinkd: %s\n", error->message);
	}
	stop(d);
	g_source_remove(on_int);
	g_source_remove(on_term);
	g_main_loop_unref(d->loop);
	g_free(d);
	return status;
}
