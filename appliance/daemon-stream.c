// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-stream.c - the user's and the screen's stream, and the calls
 * that open and stop them. See daemon-media.h. */
#include "appliance/daemon-media.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/stream-trials.h"

#define MANUAL_WAIT_MS 30000 /* joinRoom waits so long for getUserMedia */

struct daemon_streams {
	StreamTrials *trials;
	MediaStream *user, *screen; /* open, or NULL */
	gboolean stopped;	    /* by stopStream: joinRoom opens nothing */
	gboolean audio_fallback;
	MediaBandwidth limits;
	unsigned int serial; /* of the last stream */

	/* The joinRoom that waits for a stream */
	DaemonMediaDone join_done; /* NULL: none does */
	gpointer join_data;
	unsigned int join_number;
	GSource *join_timeout; /* it waits for getUserMedia */
};

typedef struct {
	Daemon *d;
	ControlCall *call; /* NULL: joinRoom's */
	unsigned int join_number;
	MediaStream *stream;
	gboolean may_fall_back;
} Request;

static void request_free(gpointer data)
{
	Request *r = data;

	if (r->call)
		control_call_unref(r->call);
	media_stream_free(r->stream);
	g_free(r);
}

static MediaDefaults defaults_of(Daemon *d)
{
	Config *c = d->options->config;

	return (MediaDefaults){
		.audio_source = config_get_string(c, OPT_AUDIO_SOURCE),
		.video_source = config_get_string(c, OPT_VIDEO_SOURCE),
		.channels =
			(unsigned int) config_get_int(c, OPT_AUDIO_CHANNELS),
		.width = (unsigned int) config_get_int(c, OPT_VIDEO_WIDTH),
		.height = (unsigned int) config_get_int(c, OPT_VIDEO_HEIGHT),
		.fps = (unsigned int) config_get_int(c, OPT_VIDEO_FPS),
		.folders = config_get_list(c, OPT_CONTROL_SOURCE_FOLDERS),
	};
}

const MediaStream *daemon_media_get_stream(Daemon *d)
{
	return !d->streams	    ? NULL
	       : d->streams->screen ? d->streams->screen
				    : d->streams->user;
}

/* --- what is sent follows what is open -------------------------------------
 */
static gboolean set_sources(Daemon *d, GError **error)
{
	const MediaStream *s = daemon_media_get_stream(d);
	struct video_choice video = {.source = NULL};
	struct audio_choice audio = {.source = NULL};
	char *why = NULL;
	int r;

	if (s) {
		video = (struct video_choice){s->video_source, s->width,
					      s->height, s->fps};
		audio = (struct audio_choice){s->audio_source, s->channels};
	}
	r = video_pipeline_set_source(d->video, &video, &why);
	if (r >= 0)
		r = audio_pipeline_set_source(d->audio, &audio, &why);
	if (r >= 0)
		return TRUE;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r), "%s",
		    why ? why : g_strerror(-r));
	free(why);
	return FALSE;
}

static RoomStream describe_to_room(Daemon *d)
{
	const struct daemon_streams *m = d->streams;
	const MediaStream *s = daemon_media_get_stream(d);
	RoomStream to = {
		.max_audio_kbps = m->limits.audio,
		.max_video_kbps = m->limits.video,
		.max_data_kbps = m->limits.data,
		.serial = m->serial,
	};

	if (!s)
		return to;
	to.id = s->id;
	to.serial = s->serial;
	to.send_audio = s->audio_source != NULL;
	to.stereo = to.send_audio && s->channels > 1;
	to.send_video = s->video_source != NULL;
	to.screenshare = s->screenshare;
	to.width = s->width;
	to.height = s->height;
	to.fps = s->fps;
	return to;
}

void daemon_media_tell_room(Daemon *d)
{
	RoomStream to = describe_to_room(d);

	if (!d->room)
		return;
	room_set_stream(d->room, &to);
	daemon_media_follow_peers(d);
}

static void emit_flagged(Daemon *d, const char *name, gboolean screenshare,
			 JsonObject *params)
{
	json_object_set_boolean_member(params, "isScreensharing", screenshare);
	daemon_emit(d, name, params);
}

static void emit_stopped(Daemon *d, gboolean screenshare)
{
	emit_flagged(d, "mediaAccessStopped", screenshare, json_object_new());
}

static void emit_success(Daemon *d, const MediaStream *s)
{
	JsonObject *params = json_object_new();

	json_object_set_object_member(params, "stream",
				      media_stream_to_json(s));
	emit_flagged(d, "mediaAccessSuccess", s->screenshare, params);
}

static void emit_error(Daemon *d, const char *why, gboolean screenshare,
		       gboolean after_fallback)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "error", why);
	json_object_set_boolean_member(params, "isAudioFallbackError",
				       after_fallback);
	emit_flagged(d, "mediaAccessError", screenshare, params);
}

static JsonObject *tracks(int expected, int received)
{
	JsonObject *o = json_object_new();

	json_object_set_int_member(o, "expected", expected);
	json_object_set_int_member(o, "received", received);
	return o;
}

/* @state: 0: sound alone is tried, 1: it is had, -1: it is not */
static void emit_fallback(Daemon *d, const char *why, int state)
{
	JsonObject *params = json_object_new(), *error = json_object_new();
	JsonObject *diff;

	json_object_set_string_member(error, "error", why);
	if (state == 1) {
		diff = json_object_new();
		json_object_set_object_member(diff, "video", tracks(1, 0));
		json_object_set_object_member(diff, "audio", tracks(1, 1));
		json_object_set_object_member(error, "diff", diff);
	}
	json_object_set_object_member(params, "error", error);
	json_object_set_int_member(params, "state", state);
	json_object_set_boolean_member(params, "isAudioFallback", TRUE);
	emit_flagged(d, "mediaAccessFallback", FALSE, params);
}

/* Takes @stream; NULL: that one ends. On failure all is as before. */
static gboolean attach(Daemon *d, MediaStream **slot, MediaStream *stream,
		       GError **error)
{
	struct daemon_streams *m = d->streams;
	MediaStream *old = *slot;
	gboolean screenshare = slot == &m->screen;

	*slot = stream;
	if (!set_sources(d, error)) {
		*slot = old;
		set_sources(d, NULL); /* one of the two may have followed */
		media_stream_free(stream);
		return FALSE;
	}
	m->serial++;
	if (old)
		emit_stopped(d, screenshare);
	if (stream) {
		stream->serial = m->serial;
		emit_success(d, stream);
	}
	if (stream && !screenshare)
		daemon_set_muted(d, stream->audio_muted, stream->video_muted);
	media_stream_free(old);
	daemon_media_tell_room(d);
	return TRUE;
}

/* --- joinRoom that waits ---------------------------------------------------
 */
void daemon_media_cancel_join(Daemon *d)
{
	struct daemon_streams *m = d->streams;

	if (!m)
		return;
	m->join_done = NULL;
	m->join_number++;	/* what is being tried for it is not attached */
	if (m->join_timeout) {
		g_source_destroy(m->join_timeout);
		g_clear_pointer(&m->join_timeout, g_source_unref);
	}
}

static void finish_join(Daemon *d, const GError *error)
{
	DaemonMediaDone done = d->streams->join_done;
	gpointer data = d->streams->join_data;

	daemon_media_cancel_join(d);
	if (done)
		done(d, error, data);
}

static gboolean on_manual_timeout(gpointer data)
{
	Daemon *d = data;
	g_autoptr(GError) error =
		g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
			    "Nobody called getUserMedia within %d s, which "
			    "manualGetUserMedia asks for",
			    MANUAL_WAIT_MS / 1000);

	finish_join(d, error);
	return G_SOURCE_REMOVE;
}

/* --- a request, from the trial to its end -----------------------------------
 */
/* @node: the busy one, or NULL. Two names may be one camera's, and one that
 * closes its camera is not live any more. */
static gboolean holds_video(Daemon *d, const char *node)
{
	return video_pipeline_is_about(d->video, NULL, node);
}

static gboolean audio_holds_device(Daemon *d)
{
	struct audio_pipeline_stats s;

	audio_pipeline_get_stats(d->audio, &s);
	return *s.node != '\0';
}

/* What runs already, or is about to, needs no trial, and a camera would refuse
 * it. */
static void leave_out(MediaStream *copy, gpointer data)
{
	Request *r = data;

	if (video_pipeline_is_about(r->d->video, copy->video_source, NULL))
		g_clear_pointer(&copy->video_source, g_free);
	if (audio_pipeline_is_about(r->d->audio, copy->audio_source, NULL))
		g_clear_pointer(&copy->audio_source, g_free);
}

static void fail_request(Request *r, const char *why, gboolean after_fallback)
{
	g_autoptr(GError) error = NULL;

	emit_error(r->d, why, r->stream->screenshare, after_fallback);
	if (r->call) {
		control_call_fail(r->call, CONTROL_CODE_FAILED,
				  json_node_init_string(json_node_alloc(), why),
				  "%s", why);
		return;
	}
	if (r->join_number != r->d->streams->join_number)
		return;
	error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_FAILED, why);
	finish_join(r->d, error);
}

static void commit(Request *r)
{
	Daemon *d = r->d;
	struct daemon_streams *m = d->streams;
	g_autoptr(GError) error = NULL;
	JsonNode *node = NULL;
	gboolean of_user = !r->stream->screenshare;

	if (r->call) {
		node = json_node_new(JSON_NODE_OBJECT);
		json_node_take_object(node, media_stream_to_json(r->stream));
	}
	if (!attach(d, of_user ? &m->user : &m->screen,
		    g_steal_pointer(&r->stream), &error)) {
		g_clear_pointer(&node, json_node_unref);
		r->stream = media_stream_new(); /* the error says of which */
		r->stream->screenshare = !of_user;
		fail_request(r, error->message, FALSE);
		return;
	}
	if (r->call)
		control_call_reply(r->call, node);
	if (of_user)
		m->stopped = FALSE;
	if (r->join_number ? r->join_number == m->join_number
			   : of_user && m->join_timeout != NULL)
		finish_join(d, NULL);
}

static void on_tried(const StreamTrialResult *result, gpointer data)
{
	Request *r = data;
	Daemon *d = r->d;
	/* Our own pipeline may be the one that has it open: it will let go. */
	const char *video_error =
		result->video_busy && holds_video(d, result->video_node)
			? NULL
			: result->video_error;
	const char *audio_error = result->audio_busy && audio_holds_device(d)
					  ? NULL
					  : result->audio_error;

	if (r->join_number && r->join_number != d->streams->join_number)
		return; /* given up meanwhile */
	if (!video_error && !audio_error) {
		commit(r);
		return;
	}
	if (!video_error || !r->may_fall_back || !r->stream->audio_source) {
		fail_request(r, video_error ? video_error : audio_error, FALSE);
		return;
	}
	emit_fallback(d, video_error, 0);
	if (audio_error) {
		emit_fallback(d, audio_error, -1);
		fail_request(r, audio_error, TRUE);
		return;
	}
	g_clear_pointer(&r->stream->video_source, g_free);
	emit_fallback(d, video_error, 1);
	commit(r);
}

/* Takes @stream. @call: or NULL: joinRoom's. */
static void submit(Daemon *d, ControlCall *call, MediaStream *stream)
{
	Request *r = g_new0(Request, 1);

	r->d = d;
	r->call = call ? control_call_ref(call) : NULL;
	r->join_number = call ? 0 : d->streams->join_number;
	r->stream = stream;
	r->may_fall_back =
		call && d->streams->audio_fallback && !stream->screenshare;
	if (stream_trials_add(d->streams->trials, stream, leave_out, on_tried,
			      r, request_free))
		return;
	if (call) {
		control_call_fail(call, CONTROL_CODE_BUSY, NULL,
				  "%u sources are being opened already",
				  STREAM_TRIALS_MAX);
	} else {
		g_autoptr(GError) error =
			g_error_new(G_IO_ERROR, G_IO_ERROR_BUSY,
				    "%u sources are being opened already",
				    STREAM_TRIALS_MAX);

		finish_join(d, error);
	}
}

/* --- calls ------------------------------------------------------------------
 */
static gboolean has_media(ControlCall *call, Daemon *d)
{
	if (d->streams)
		return TRUE;
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "This is a room server alone: it sends nothing");
	return FALSE;
}

/* Return: FALSE, and the call is answered, if no device could help. */
static gboolean can_ever_work(ControlCall *call, const MediaStream *s)
{
	struct video_choice video = {s->video_source, s->width, s->height,
				     s->fps};
	struct audio_choice audio = {s->audio_source, s->channels};
	char *fault = video_choice_find_fault(&video);

	if (!fault)
		fault = audio_choice_find_fault(&audio);
	if (fault)
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s", fault);
	free(fault);
	return !fault;
}

static JsonObject *options_of(JsonObject *params)
{
	JsonNode *n = json_object_get_member(params, "options");

	return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

static void get_user_media(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	MediaDefaults defaults = defaults_of(d);
	g_autoptr(MediaStream) stream = NULL;
	g_autoptr(GError) error = NULL;

	if (!has_media(call, d))
		return;
	stream = media_options_parse(options_of(control_call_get_params(call)),
				     &defaults, &error);
	if (!stream)
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s",
				  error->message);
	else if (!stream->audio_source && !stream->video_source)
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL,
				  "Neither audio nor video is asked for; "
				  "stopStream sends nothing");
	else if (can_ever_work(call, stream))
		submit(d, call, g_steal_pointer(&stream));
}

static void stop_stream(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	g_autoptr(GError) error = NULL;

	if (!has_media(call, d))
		return;
	if (!d->streams->user) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "There is no stream to stop");
	} else if (attach(d, &d->streams->user, NULL, &error)) {
		d->streams->stopped = TRUE;
		control_call_reply(call, NULL);
	} else {
		control_call_fail(call, CONTROL_CODE_FAILED, NULL, "%s",
				  error->message);
	}
}

static void share_screen(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *params = control_call_get_params(call);
	MediaDefaults defaults = defaults_of(d);
	g_autoptr(MediaStream) stream = NULL;
	g_autoptr(GError) error = NULL;

	if (!has_media(call, d))
		return;
	/* The microphone that is open, rather than the configured one. */
	if (d->streams->user && d->streams->user->audio_source) {
		defaults.audio_source = d->streams->user->audio_source;
		defaults.channels = d->streams->user->channels;
	}
	stream = media_options_parse_screen(
		text_member(params, "source"),
		json_object_get_boolean_member_with_default(
			params, "enableAudio", FALSE),
		&defaults, &error);
	if (!stream)
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s",
				  error->message);
	else if (can_ever_work(call, stream))
		submit(d, call, g_steal_pointer(&stream));
}

static void stop_screen(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	g_autoptr(GError) error = NULL;

	if (!has_media(call, d))
		return;
	if (!d->streams->screen)
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "No screen is being shared");
	else if (attach(d, &d->streams->screen, NULL, &error))
		control_call_reply(call, NULL);
	else
		control_call_fail(call, CONTROL_CODE_FAILED, NULL, "%s",
				  error->message);
}

typedef struct {
	Daemon *d;
	ControlCall *call;
} Listing;

static void listing_free(gpointer data)
{
	Listing *l = data;

	control_call_unref(l->call);
	g_free(l);
}

/* "hw:1" of the card whose "hw:1,0" is held. */
static gboolean is_held(const char *node, const char *held)
{
	size_t n = strlen(node);

	return n > 0 && !strncmp(node, held, n) &&
	       (held[n] == '\0' || held[n] == ',');
}

static void on_listed(const StreamTrialResult *result, gpointer data)
{
	Listing *l = data;
	JsonArray *list = json_node_get_array(result->devices);
	struct video_pipeline_stats video;
	struct audio_pipeline_stats audio;

	video_pipeline_get_stats(l->d->video, &video);
	audio_pipeline_get_stats(l->d->audio, &audio);
	for (guint i = 0; i < json_array_get_length(list); i++) {
		JsonObject *o = json_array_get_object_element(list, i);
		const char *node = text_member(o, "node");

		if (node)
			json_object_set_boolean_member(
				o, "inUse", is_held(node, video.node) ||
						    is_held(node, audio.node));
	}
	control_call_reply(l->call, json_node_ref(result->devices));
}

static void list_devices(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	Listing *l;

	if (!has_media(call, d))
		return;
	l = g_new0(Listing, 1);
	l->d = d;
	l->call = control_call_ref(call);
	if (!stream_trials_add(d->streams->trials, NULL, NULL, on_listed, l,
			       listing_free))
		control_call_fail(call, CONTROL_CODE_BUSY, NULL,
				  "%u sources are being opened already",
				  STREAM_TRIALS_MAX);
}

const ControlHandler daemon_media_handlers[] = {
	{"getUserMedia", get_user_media},
	{"sendStream", get_user_media},
	{"stopStream", stop_stream},
	{"shareScreen", share_screen},
	{"stopScreen", stop_screen},
	{"device.list", list_devices},
	{NULL, NULL},
};

/* --- joinRoom, leaveRoom, init -----------------------------------------------
 */
/* The configured sources as a stream; NULL: there are none. */
static MediaStream *configured_stream(Daemon *d)
{
	MediaDefaults defaults = defaults_of(d);
	Config *c = d->options->config;
	g_autoptr(JsonObject) options = json_object_new();
	MediaStream *s;

	json_object_set_boolean_member(options, "audio",
				       strcmp(defaults.audio_source, "none"));
	json_object_set_boolean_member(options, "video",
				       strcmp(defaults.video_source, "none"));
	s = media_options_parse(options, &defaults, NULL);
	if (!s->audio_source && !s->video_source) {
		media_stream_free(s);
		return NULL;
	}
	s->audio_muted = config_get_bool(c, OPT_AUDIO_MUTED);
	s->video_muted = config_get_bool(c, OPT_VIDEO_MUTED);
	return s;
}

unsigned int daemon_media_get_audio_rate(Daemon *d)
{
	const struct daemon_streams *m = d->streams;
	unsigned int bps = (unsigned int) config_get_int(d->options->config,
							 OPT_AUDIO_BITRATE);

	return m->limits.audio && m->limits.audio < bps / 1000 ?
		m->limits.audio * 1000 : bps;
}

unsigned int daemon_media_get_data_limit(Daemon *d)
{
	return d->streams->limits.data * 1000;
}

void daemon_media_limit_audio(Daemon *d)
{
	audio_pipeline_set_bitrate(d->audio, daemon_media_get_audio_rate(d));
}

static void set_limits(Daemon *d, JsonObject *options)
{
	struct daemon_streams *m = d->streams;
	g_autoptr(GError) error = NULL;

	media_options_parse_bandwidth(
		options && json_object_has_member(options, "bandwidth")
			? json_object_get_object_member(options, "bandwidth")
			: NULL,
		&m->limits);
	daemon_media_limit_audio(d);
	video_pipeline_set_cap(d->video, m->limits.video * 1000);
	if (!daemon_network_reload_limits(d, &error))
		g_warning("ignoring the limit: %s", error->message);
	daemon_media_tell_room(d);
}

static void set_source(char **to, const char *configured)
{
	g_free(*to);
	*to = strcmp(configured, "none") ? g_strdup(configured) : NULL;
}

/* (transfer full): @s with what changed; a call may have chosen the rest. */
static MediaStream *change_stream(Daemon *d, const MediaStream *s,
				  const bool changed[N_OPTIONS])
{
	MediaDefaults defaults = defaults_of(d);
	MediaStream *n = media_stream_copy(s);
	gboolean had_video = s->video_source != NULL;
	gboolean had_audio = s->audio_source != NULL;

	n->audio_muted = d->audio_muted;
	n->video_muted = d->video_muted;
	if (changed[OPT_VIDEO_SOURCE])
		set_source(&n->video_source, defaults.video_source);
	if (changed[OPT_AUDIO_SOURCE])
		set_source(&n->audio_source, defaults.audio_source);
	if (changed[OPT_VIDEO_WIDTH] || !had_video)
		n->width = defaults.width;
	if (changed[OPT_VIDEO_HEIGHT] || !had_video)
		n->height = defaults.height;
	if (changed[OPT_VIDEO_FPS] || !had_video)
		n->fps = defaults.fps;
	if (changed[OPT_AUDIO_CHANNELS] || !had_audio)
		n->channels = defaults.channels;
	return n;
}

/* The same stream in another size: nobody is told of another one. Takes
 * @stream. */
static gboolean resize(Daemon *d, MediaStream *stream, GError **error)
{
	struct daemon_streams *m = d->streams;
	MediaStream *old = m->user;

	m->user = stream;
	if (!set_sources(d, error)) {
		m->user = old;
		media_stream_free(stream);
		return FALSE;
	}
	media_stream_free(old);
	daemon_media_tell_room(d);
	return TRUE;
}

gboolean daemon_media_reload(Daemon *d, const bool changed[N_OPTIONS],
			     GError **error)
{
	struct daemon_streams *m = d->streams;
	MediaStream *next;

	if (!m->user) {
		/* Stopped by a call, or by leaving: joinRoom opens it. */
		next = m->stopped || !d->room_name ? NULL :
						     configured_stream(d);
		return !next || attach(d, &m->user, next, error);
	}
	next = change_stream(d, m->user, changed);
	if (!next->audio_source && !next->video_source) {
		g_clear_pointer(&next, media_stream_free);
		return attach(d, &m->user, NULL, error);
	}
	if (!g_strcmp0(next->audio_source, m->user->audio_source) &&
	    !g_strcmp0(next->video_source, m->user->video_source))
		return resize(d, next, error);
	g_free(next->id);
	next->id = g_uuid_string_random();
	return attach(d, &m->user, next, error);
}

void daemon_media_open_configured(Daemon *d)
{
	struct daemon_streams *m = d->streams;
	MediaStream *s = !m || m->user || m->stopped ? NULL :
						       configured_stream(d);

	/* A camera that is not there now may come. */
	if (s)
		attach(d, &m->user, s, NULL);
}

/* joinRoom named sources, or none at all on purpose. */
static void join_with_options(Daemon *d, JsonObject *options)
{
	MediaDefaults defaults = defaults_of(d);
	g_autoptr(GError) error = NULL;
	MediaStream *stream = media_options_parse(options, &defaults, &error);

	if (!stream) {
		finish_join(d, error);
	} else if (stream->audio_source || stream->video_source) {
		submit(d, NULL, stream);
	} else {
		media_stream_free(stream);
		if (d->streams->user) {
			d->streams->stopped = TRUE;
			attach(d, &d->streams->user, NULL, NULL);
		}
		finish_join(d, NULL);
	}
}

void daemon_media_join(Daemon *d, JsonObject *options, DaemonMediaDone done,
		       gpointer data)
{
	struct daemon_streams *m = d->streams;
	gboolean manual =
		options && json_object_get_boolean_member_with_default(
				   options, "manualGetUserMedia", FALSE);

	if (!m) {
		done(d, NULL, data);
		return;
	}
	daemon_media_cancel_join(d);
	m->join_done = done;
	m->join_data = data;
	set_limits(d, options);
	if (manual && !m->user) {
		m->join_timeout = g_timeout_source_new(MANUAL_WAIT_MS);
		g_source_set_callback(m->join_timeout, on_manual_timeout, d,
				      NULL);
		g_source_attach(m->join_timeout, NULL);
		daemon_emit(d, "mediaAccessRequired", json_object_new());
	} else if (!manual && options &&
		   (json_object_has_member(options, "audio") ||
		    json_object_has_member(options, "video"))) {
		join_with_options(d, options);
	} else {
		daemon_media_open_configured(d);
		finish_join(d, NULL);
	}
}

gboolean daemon_media_leave(Daemon *d, JsonNode *options, GError **error)
{
	gboolean user = TRUE, screen = TRUE;

	if (options && JSON_NODE_HOLDS_OBJECT(options)) {
		JsonObject *o = json_node_get_object(options);

		user = json_object_get_boolean_member_with_default(
			o, "userMedia", TRUE);
		screen = json_object_get_boolean_member_with_default(
			o, "screenshare", TRUE);
	} else if (options && JSON_NODE_HOLDS_VALUE(options) &&
		   json_node_get_value_type(options) == G_TYPE_BOOLEAN) {
		user = screen = json_node_get_boolean(options);
	} else if (options && !JSON_NODE_HOLDS_NULL(options)) {
		g_set_error_literal(error, G_IO_ERROR,
				    G_IO_ERROR_INVALID_ARGUMENT,
				    "stopMediaOptions: give true, false or "
				    "{userMedia, screenshare}");
		return FALSE;
	}
	if (!d->streams)
		return TRUE;
	/* In this order nothing is opened that is closed at once. */
	if (user && d->streams->user)
		attach(d, &d->streams->user, NULL, NULL);
	if (screen && d->streams->screen)
		attach(d, &d->streams->screen, NULL, NULL);
	return TRUE;
}

void daemon_media_set_audio_fallback(Daemon *d, gboolean on)
{
	if (d->streams)
		d->streams->audio_fallback = on;
}

/* --- for the one after a crash -----------------------------------------------
 */
static JsonObject *choice_of(const MediaStream *s)
{
	JsonObject *o = s ? media_stream_to_json(s) : json_object_new();

	json_object_remove_member(o, "id");
	json_object_remove_member(o, "isScreensharing");
	if (!s) {
		json_object_set_boolean_member(o, "audio", FALSE);
		json_object_set_boolean_member(o, "video", FALSE);
	}
	return o;
}

JsonObject *daemon_media_save(Daemon *d)
{
	struct daemon_streams *m = d->streams;
	g_autoptr(MediaStream) configured = m ? configured_stream(d) : NULL;
	g_autoptr(JsonObject) as_configured = choice_of(configured);
	g_autoptr(JsonObject) is = choice_of(m ? m->user : NULL);

	/* Closed by leaving: joinRoom opens what is configured. */
	if (!m || (!m->user && !m->stopped) ||
	    json_object_equal(as_configured, is))
		return NULL;
	return g_steal_pointer(&is);
}

void daemon_media_restore(Daemon *d, JsonObject *saved)
{
	struct daemon_streams *m = d->streams;
	g_autoptr(MediaStream) s = NULL;
	g_autoptr(GError) error = NULL;
	MediaDefaults defaults;

	if (!m)
		return;
	defaults = defaults_of(d);
	s = media_options_parse(saved, &defaults, &error);
	if (s && !s->audio_source && !s->video_source) {
		m->stopped = TRUE;
		attach(d, &m->user, NULL, &error);
	} else if (s) {
		attach(d, &m->user, g_steal_pointer(&s), &error);
	}
	if (error)
		g_warning("falling back to the configured stream: %s",
			  error->message);
}

/* --- start and end -----------------------------------------------------------
 */
gboolean daemon_streams_start(Daemon *d, GError **error)
{
	d->streams = g_new0(struct daemon_streams, 1);
	d->streams->trials = stream_trials_new(0);
	d->streams->user = configured_stream(d);
	return set_sources(d, error);
}

void daemon_streams_stop(Daemon *d)
{
	struct daemon_streams *m = g_steal_pointer(&d->streams);

	if (!m)
		return;
	/* Calls that wait are answered by their last reference. */
	stream_trials_free(m->trials);
	if (m->join_timeout) {
		g_source_destroy(m->join_timeout);
		g_source_unref(m->join_timeout);
	}
	media_stream_free(m->user);
	media_stream_free(m->screen);
	g_free(m);
}

static void set_stream(JsonObject *o, const char *name, const MediaStream *s)
{
	if (s)
		json_object_set_object_member(o, name, media_stream_to_json(s));
	else
		json_object_set_null_member(o, name);
}

JsonObject *daemon_media_describe(Daemon *d)
{
	JsonObject *o = json_object_new(), *limits = json_object_new();
	const struct daemon_streams *m = d->streams;

	set_stream(o, "userMedia", m ? m->user : NULL);
	set_stream(o, "screenshare", m ? m->screen : NULL);
	json_object_set_int_member(limits, "audio", m ? m->limits.audio : 0);
	json_object_set_int_member(limits, "video", m ? m->limits.video : 0);
	json_object_set_int_member(limits, "data", m ? m->limits.data : 0);
	json_object_set_object_member(o, "bandwidth", limits);
	return o;
}
