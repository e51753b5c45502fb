// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-media.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/daemon-life.h"
#include "appliance/daemon-messages.h"
#include "media/library-log.h"
#include "webrtc/control-queue.h"

/* --- media -> transport --------------------------------------------------- */
static void on_unit(void *user, struct coded_unit *unit)
{
	Daemon *d = user;

	rtc_engine_push(d->engine, unit);
}

void daemon_media_keyframe_request(void *user, enum media_codec codec,
				   bool first)
{
	Daemon *d = user;
	int rung = atomic_load(&d->rung[codec]);

	if (rung >= 0)
		video_pipeline_request_keyframe(d->video, (uint32_t) rung,
						first);
}

void daemon_media_rung_bitrate(void *user, enum media_codec codec,
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

	daemon_message_log(DAEMON_MESSAGE_DEVICE,
			   &(struct daemon_message_about){
				   .device = m->video ? "video" : "audio",
				   .reason = name},
			   "%s: %s%s%s", m->video ? "video" : "audio", name,
			   m->detail && *m->detail ? ": " : "",
			   m->detail ? m->detail : "");
	if (!strcmp(name, "live"))
		daemon_devices_live(m->daemon, m->video ? DEVICE_CAMERA :
							  DEVICE_MICROPHONE);
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

/* --- who takes what ------------------------------------------------------- */
static void tell_codec(Daemon *d, enum media_codec codec, gboolean running)
{
	g_autoptr(JsonObject) params = json_object_new();

	if (!d->control)
		return;
	json_object_set_string_member(params, "codec", media_codec_name(codec));
	json_object_set_boolean_member(params, "running", running);
	control_server_emit(d->control, "stats.codec", params);
}

static const char *what_is_sent(Daemon *d)
{
	const MediaStream *s = daemon_media_get_stream(d);

	return s && s->video_source ? s->video_source : "no source";
}

static void take_codec(Daemon *d, enum media_codec codec)
{
	uint32_t rung;

	if (video_pipeline_take(d->video, codec, &rung) < 0) {
		g_warning("no %s from %s", media_codec_name(codec),
			  what_is_sent(d));
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

void daemon_media_codec_use(void *user, enum media_codec codec, gboolean took)
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
void daemon_media_follow_peers(Daemon *d)
{
	g_autoptr(GPtrArray) peers = room_list_peer_ids(d->room);
	const MediaStream *s = daemon_media_get_stream(d);
	gboolean wanted = s && s->audio_source && peers->len > 0;

	if (wanted == d->audio_taken)
		return;
	if (!wanted)
		audio_pipeline_release(d->audio);
	else if (audio_pipeline_take(d->audio) < 0)
		return;
	d->audio_taken = wanted;
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
	daemon_life_changed(d);
}

/* --- start and end -------------------------------------------------------- */
/* The order of preference among what configuration and source allow. */
static void choose_codecs(Daemon *d)
{
	const char *wanted = config_get_string(d->options->config,
					       OPT_VIDEO_CODEC);
	static const enum media_codec all[] = { MEDIA_CODEC_H264,
						MEDIA_CODEC_VP8 };

	d->n_video_codecs = 0;
	for (unsigned int i = 0; d->video && i < G_N_ELEMENTS(all); i++) {
		const char *name = media_codec_name(all[i]);

		if (strcmp(wanted, "auto") && g_ascii_strcasecmp(wanted, name))
			continue;
		if (video_pipeline_has_codec(d->video, all[i]))
			d->video_codecs[d->n_video_codecs++] = all[i];
	}
}

void daemon_media_reload_codecs(Daemon *d)
{
	choose_codecs(d);
	if (d->room)
		daemon_order_codecs(d);
}

gboolean daemon_media_reload_rates(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	unsigned int bps = (unsigned int) config_get_int(c, OPT_VIDEO_BITRATE);
	unsigned int min = (unsigned int) config_get_int(c,
							 OPT_VIDEO_MIN_BITRATE);
	unsigned int max = (unsigned int) config_get_int(c,
							 OPT_VIDEO_MAX_BITRATE);
	int r = rtc_engine_set_rates(d->engine, bps, min, max);

	if (r >= 0)
		r = video_pipeline_set_range(d->video, bps, min, max);
	if (r >= 0)
		return TRUE;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
		    "Cannot change the rates of the video: %s", g_strerror(-r));
	return FALSE;
}

gboolean daemon_media_start(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	struct video_pipeline_config video = {
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
		.bitrate_bps = (unsigned int)
			config_get_int(c, OPT_AUDIO_BITRATE),
		.on_unit = on_unit,
		.on_state = on_audio_state,
		.user = d,
	};
	char *why = NULL;
	int r;

	library_log_silence();
	r = video_pipeline_new(&d->video, &video, &why);
	if (r >= 0)
		r = audio_pipeline_new(&d->audio, &audio, &why);
	if (r < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
			    "%s", why ? why : g_strerror(-r));
		free(why);
		return FALSE;
	}
	audio_pipeline_set_volume(d->audio, (unsigned int)
				  config_get_int(c, OPT_AUDIO_VOLUME));
	if (!daemon_streams_start(d, error))
		return FALSE;
	choose_codecs(d);
	daemon_devices_start(d);
	return TRUE;
}

void daemon_media_stop(Daemon *d)
{
	daemon_devices_stop(d);
	daemon_streams_stop(d);
	if (d->audio_taken)
		audio_pipeline_release(d->audio);
	d->audio_taken = FALSE;
}

void daemon_media_free(Daemon *d)
{
	d->video = video_pipeline_free(d->video);
	d->audio = audio_pipeline_free(d->audio);
}

void daemon_media_fill_room(Daemon *d, RoomConfig *config)
{
	const MediaStream *s = daemon_media_get_stream(d);

	config->send_audio = s && s->audio_source;
	config->send_video = s && s->video_source;
	config->video_codecs = d->video_codecs;
	config->n_video_codecs = d->n_video_codecs;
	config->codec_use = daemon_media_codec_use;
}

void daemon_media_room_made(Daemon *d)
{
	Config *c = d->options->config;

	daemon_set_muted(d, config_get_bool(c, OPT_AUDIO_MUTED),
			 config_get_bool(c, OPT_VIDEO_MUTED));
	daemon_media_tell_room(d);
}
