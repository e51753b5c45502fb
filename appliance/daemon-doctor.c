// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-doctor.c - stats.doctor: the box looks at itself
 *
 * The looking is done by a thread, for it blocks; one at a time. When it is
 * late the call is answered with what is there, and the next one has to wait
 * until the thread comes back.
 */
#include "appliance/daemon-doctor.h"
#include "appliance/daemon-landlock.h"
#include "appliance/daemon-media.h"

#include <string.h>

#include "appliance/doctor/doctor.h"
#include "appliance/spool/spool-path.h"

/* What a stop waits for a check that runs. */
#define STOP_WAIT_MS 2000

/* Shared by control and the thread, which each hold a reference. */
struct daemon_doctor {
	gatomicrefcount refs;
	DoctorReport *report;
	DoctorInput input;		/* the thread's */
	/* control's: */
	Daemon *d;			/* NULL: it ended */
	ControlCall *call;		/* NULL: answered, or nobody's */
	void (*done)(Daemon *d, JsonNode *report); /* NULL: told, or nobody */
	GSource *deadline;
};

static void unref(struct daemon_doctor *w)
{
	if (!g_atomic_ref_count_dec(&w->refs))
		return;
	doctor_input_clear(&w->input);
	doctor_report_unref(w->report);
	g_free(w);
}

static void answer(struct daemon_doctor *w)
{
	if (w->deadline) {
		g_source_destroy(w->deadline);
		g_clear_pointer(&w->deadline, g_source_unref);
	}
	if (w->done) {
		w->done(w->d, doctor_report_take(w->report));
		w->done = NULL;
	}
	if (!w->call)
		return;
	control_call_reply(w->call, doctor_report_take(w->report));
	g_clear_pointer(&w->call, control_call_unref);
}

static gboolean on_deadline(gpointer data)
{
	answer(data);
	return G_SOURCE_REMOVE;
}

static gboolean on_done(gpointer data)
{
	struct daemon_doctor *w = data;

	if (w->d) {
		answer(w);
		w->d->doctor = NULL;
		unref(w);
	}
	return G_SOURCE_REMOVE;
}

static void release(gpointer data)
{
	unref(data);
}

/* The thread's reference goes with the source. */
static gpointer work(gpointer data)
{
	struct daemon_doctor *w = data;
	GSource *source = g_idle_source_new();

	doctor_run(&w->input, w->report);
	g_source_set_callback(source, on_done, w, release);
	g_source_attach(source, NULL);
	g_source_unref(source);
	return NULL;
}

/* --- what this very daemon does --------------------------------------------- */
static void set(char **member, const char *value)
{
	g_free(*member);
	*member = g_strdup(value);
}

/* The room in use, which init and joinRoom may have changed. */
static void fill_room(Daemon *d, DoctorInput *in)
{
	gboolean own = d->room_server &&
		!*config_get_string(d->options->config, OPT_ROOM_SERVER);

	set(&in->server, d->room_server_url);
	if (d->app_key)
		set(&in->app_key, d->app_key);
	if (d->room_name)
		set(&in->room, d->room_name);
	if (d->room) {
		room_access_done(&in->access);
		room_access_copy(&in->access, &d->access);
	}
	if (own && in->app_key) {
		config_secret_free(in->secret);
		in->secret = g_strdup(room_server_get_key_secret(
			d->room_server, in->app_key));
	}
	in->ice_urls = d->room ? room_list_ice_urls(d->room) : NULL;
}

static void fill_stand_in(struct doctor_stand_in *ret, const char *source,
			  const char *why, uint64_t since_us)
{
	*ret = (struct doctor_stand_in){
		.source = g_strdup(source),
		.why = g_strdup(why),
		.for_s = (g_get_monotonic_time() - (gint64) since_us) /
			G_USEC_PER_SEC,
	};
}

static void fill_media(Daemon *d, DoctorInput *in)
{
	const MediaStream *sent = daemon_media_get_stream(d);
	struct video_pipeline_stats video;
	struct audio_pipeline_stats audio;
	struct rtc_engine_stats engine;

	if (d->video) {
		video_pipeline_get_stats(d->video, &video);
		in->camera_live = video.state == VIDEO_SOURCE_LIVE &&
			g_str_has_prefix(video.source, "v4l2:");
		if (sent && video.state == VIDEO_SOURCE_PLACEHOLDER)
			fill_stand_in(&in->picture, sent->video_source,
				      video.source, video.since_us);
	}
	if (d->audio) {
		audio_pipeline_get_stats(d->audio, &audio);
		in->microphone_live = audio.state == AUDIO_SOURCE_LIVE &&
			g_str_has_prefix(audio.source, "alsa:");
		if (sent && audio.state == AUDIO_SOURCE_SILENCE)
			fill_stand_in(&in->sound, sent->audio_source,
				      audio.source, audio.since_us);
	}
	if (!d->engine)
		return;
	rtc_engine_get_stats(d->engine, &engine);
	in->io = g_strdup(engine.backend);
	in->io_reason = g_strdup(engine.backend_reason);
	in->demux = g_strdup(engine.demux);
	in->demux_reason = g_strdup(engine.demux_reason);
}

void daemon_doctor_fill(Daemon *d, DoctorInput *in)
{
	SpoolPathInput path;

	doctor_input_read(d->options->config, in);
	in->config_path = g_strdup(d->options->config_path);
	in->set_path = g_strdup(d->options->set_path);
	in->config_given = d->options->config_path &&
		strcmp(d->options->config_path, CONFIG_MAIN_FILE);
	in->landlock_abi = daemon_landlock_get_abi(d->options->landlock);
	set(&in->landlock_reason,
	    daemon_landlock_get_reason(d->options->landlock));
	set(&in->socket, control_server_get_path(d->control));
	spool_path_input_init(&path);
	path.configured = config_get_string(d->options->config,
					    OPT_TRANSFER_DIRECTORY);
	path.instance = d->options->instance;
	path.demo = d->options->demo;
	g_free(in->spool_dir);
	in->spool_dir = spool_path_choose(&path);
	g_free(in->state_dir);
	in->state_dir = spool_path_state_dir(&path);
	fill_room(d, in);
	fill_media(d, in);
}

/* --- the call ----------------------------------------------------------------- */
/* NULL with @error: G_IO_ERROR_BUSY, or no thread is to be had. */
static struct daemon_doctor *start(Daemon *d, GError **error)
{
	struct daemon_doctor *w;
	GThread *thread;

	if (d->doctor) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			    "The doctor is at work for somebody else; try "
			    "again in half a minute");
		return NULL;
	}
	w = g_new0(struct daemon_doctor, 1);
	g_atomic_ref_count_init(&w->refs);
	g_atomic_ref_count_inc(&w->refs);	/* the thread's */
	w->report = doctor_report_new();
	daemon_doctor_fill(d, &w->input);
	thread = g_thread_try_new("doctor", work, w, error);
	if (!thread) {
		unref(w);
		unref(w);
		return NULL;
	}
	g_thread_unref(thread);
	w->d = d;
	w->deadline = g_timeout_source_new(DOCTOR_DEADLINE_MS);
	g_source_set_callback(w->deadline, on_deadline, w, NULL);
	g_source_attach(w->deadline, NULL);
	d->doctor = w;
	return w;
}

gboolean daemon_doctor_start(Daemon *d,
			     void (*done)(Daemon *d, JsonNode *report),
			     GError **error)
{
	struct daemon_doctor *w = start(d, error);

	if (w)
		w->done = done;
	return w != NULL;
}

static void stats_doctor(ControlCall *call, gpointer user)
{
	g_autoptr(GError) error = NULL;
	struct daemon_doctor *w = start(user, &error);

	if (w)
		w->call = control_call_ref(call);
	else
		control_call_fail(call, g_error_matches(error, G_IO_ERROR,
							G_IO_ERROR_BUSY) ?
				  CONTROL_CODE_BUSY : CONTROL_CODE_FAILED,
				  NULL, "%s", error->message);
}

void daemon_doctor_done(Daemon *d)
{
	struct daemon_doctor *w = g_steal_pointer(&d->doctor);

	if (!w)
		return;
	doctor_report_cancel(w->report, STOP_WAIT_MS);
	w->done = NULL;
	answer(w);
	w->d = NULL;
	unref(w);
}

const ControlHandler daemon_doctor_handlers[] = {
	{ "stats.doctor", stats_doctor },
	{ NULL, NULL },
};
