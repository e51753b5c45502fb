// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-selftest.h"

#include <string.h>

#include "appliance/daemon-doctor.h"
#include "appliance/daemon-media.h"
#include "appliance/daemon-messages.h"
#include "appliance/life/self-test.h"
#include "appliance/life/state-writer.h"
#include "appliance/life/wall-alarm.h"
#include "appliance/signaling/json-check.h"
#include "config/schedule.h"

#define RESULT_FILE "selftest.json"
#define TRIAL_MS     60000	/* for the thread; then a driver hangs */
#define LOOP_MS	    15000	/* until the packets are through */
#define LOOP_LOOK_MS 100
#define LOOP_PACKETS 20		/* of each kind */
#define STOP_WAIT_MS 2000
#define DIGITAL_SILENCE 127	/* RFC 6464 */

/* The way through our own transport. */
struct loop {
	struct rtc_peer *from, *to;
	enum media_codec codec;
	gboolean has_codec, audio;
	GSource *look;
	gint64 end_us;
	guint8 loudest;		/* -dBov */
};

/* Shared by control and the thread, which each hold a reference. */
struct trial {
	gatomicrefcount refs;
	DoctorReport *report;
	DoctorInput doctor;		/* the thread's */
	SelfTestInput input;
	char *source;
	Daemon *d;			/* control's; NULL: it ended */
	gboolean looked;		/* control's: its thread is through */
};

struct daemon_selftest {
	Daemon *d;
	WallAlarm *alarm;
	GTimeZone *zone;
	guint minute;			/* of the next night's */
	gint64 next_s;			/* 0: none */
	StateWriter *writer;		/* NULL: nothing is kept */
	struct trial *trial;		/* NULL: none runs */
	struct trial *left;		/* given up; its thread may be at work */
	GSource *deadline;		/* of the thread */
	struct loop loop;
	gint64 began_s;
	JsonObject *last;		/* NULL: there was none yet */
	GQueue calls;			/* of ControlCall, which wait */
};

static gint64 now_s(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static void trial_unref(gpointer data)
{
	struct trial *t = data;

	if (!g_atomic_ref_count_dec(&t->refs))
		return;
	doctor_input_clear(&t->doctor);
	doctor_report_unref(t->report);
	g_free(t->source);
	g_free(t);
}

/* --- the result --------------------------------------------------------------- */
static void keep(struct daemon_selftest *s)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	if (!s->writer)
		return;
	json_node_set_object(node, s->last);
	text = json_to_string(node, TRUE);
	if (strlen(text) <= DAEMON_SELFTEST_MAX_BYTES)
		state_writer_put(s->writer, text);
}

static void answer(struct daemon_selftest *s)
{
	ControlCall *call;

	while ((call = g_queue_pop_head(&s->calls))) {
		daemon_reply_object(call,
				    daemon_selftest_describe(s->d, TRUE));
		control_call_unref(call);
	}
}

/* @rows: (transfer full), or NULL; @reason: or NULL */
static void conclude(Daemon *d, const char *result, const char *reason,
		     JsonArray *rows)
{
	struct daemon_selftest *s = d->selftest;
	JsonObject *params = json_object_new();
	const struct daemon_message_about about = {.reason = result};

	g_clear_pointer(&s->last, json_object_unref);
	s->last = json_object_new();
	json_object_set_int_member(s->last, "at", s->began_s);
	json_object_set_string_member(s->last, "result", result);
	if (reason)
		json_object_set_string_member(s->last, "reason", reason);
	else
		json_object_set_null_member(s->last, "reason");
	json_object_set_array_member(s->last, "rows",
				     rows ? rows : json_array_new());
	keep(s);
	daemon_message_log(DAEMON_MESSAGE_SELFTEST, &about,
			   "self-test: %s%s%s", result, reason ? ": " : "",
			   reason ? reason : "");
	json_object_set_string_member(params, "result", result);
	json_object_set_int_member(params, "at", s->began_s);
	answer(s);
	daemon_emit(d, "selftest.done", params);
}

/* --- through our own transport ------------------------------------------------ */
static void loop_end(Daemon *d)
{
	struct loop *l = &d->selftest->loop;

	if (l->look) {
		g_source_destroy(l->look);
		g_clear_pointer(&l->look, g_source_unref);
	}
	if (l->has_codec)
		daemon_media_codec_use(d, l->codec, FALSE);
	if (l->audio)
		audio_pipeline_release(d->audio);
	l->has_codec = l->audio = FALSE;
	l->from = rtc_peer_free(l->from);
	l->to = rtc_peer_free(l->to);
}

static void drop_deadline(struct daemon_selftest *s)
{
	if (s->deadline)
		g_source_destroy(s->deadline);
	g_clear_pointer(&s->deadline, g_source_unref);
}

static void finish(Daemon *d, const char *aborted)
{
	struct daemon_selftest *s = d->selftest;
	struct trial *t = g_steal_pointer(&s->trial);
	g_autoptr(JsonNode) rows = NULL;
	JsonArray *list;

	loop_end(d);
	drop_deadline(s);
	t->d = NULL;
	if (aborted)
		doctor_report_cancel(t->report, 0);
	rows = doctor_report_take(t->report);
	list = json_node_get_array(rows);
	conclude(d, aborted ? "aborted" : self_test_result(list), aborted,
		 json_array_ref(list));
	/* The next one waits for it: at most one thread hangs in a driver. */
	if (t->looked)
		trial_unref(t);
	else
		s->left = t;
}

static struct rtc_peer *other(Daemon *d, struct rtc_peer **self)
{
	struct loop *l = &d->selftest->loop;

	return self == &l->from ? l->to : l->from;
}

static void on_candidate(Daemon *d, struct rtc_peer **self, const char *mid,
			 unsigned int mline, const char *candidate)
{
	struct rtc_peer *to = other(d, self);

	if (to)
		rtc_peer_add_candidate(to, mid, mline, candidate, NULL);
}

static void from_candidate(void *user, const char *mid, unsigned int mline,
			   const char *candidate)
{
	Daemon *d = user;

	on_candidate(d, &d->selftest->loop.from, mid, mline, candidate);
}

static void to_candidate(void *user, const char *mid, unsigned int mline,
			 const char *candidate)
{
	Daemon *d = user;

	on_candidate(d, &d->selftest->loop.to, mid, mline, candidate);
}

/* As with a peer of the room: whoever takes the codec makes its encoder run. */
static void from_codec(void *user, const enum media_codec *codec)
{
	Daemon *d = user;
	struct loop *l = &d->selftest->loop;

	if (l->has_codec)
		daemon_media_codec_use(d, l->codec, FALSE);
	l->has_codec = codec != NULL;
	if (!codec)
		return;
	l->codec = *codec;
	daemon_media_codec_use(d, l->codec, TRUE);
}

static void ignore_done(void *user)
{
}

static void ignore_ice(void *user, enum rtc_ice_state state)
{
}

static void ignore_state(void *user, enum rtc_state state, const char *detail)
{
}

static void ignore_open(void *user, uint16_t channel, const char *label,
			bool remote)
{
}

static void ignore_message(void *user, uint16_t channel, bool text,
			   const uint8_t *data, size_t len)
{
}

static void ignore_channel(void *user, uint16_t channel)
{
}

static void ignore_media(void *user, const char *audio, const char *video)
{
}

#define IGNORING                                                   \
	.gathering_done = ignore_done, .ice_state = ignore_ice,    \
	.state = ignore_state, .channel_open = ignore_open,        \
	.channel_message = ignore_message,                         \
	.channel_closed = ignore_channel,                          \
	.channel_writable = ignore_channel, .remote_media = ignore_media

static const struct rtc_peer_ops from_ops = {
	.local_candidate = from_candidate, .video_codec = from_codec, IGNORING,
};

static const struct rtc_peer_ops to_ops = {
	.local_candidate = to_candidate, IGNORING,
};

/* Nobody else is here, and what is allowed may be one. */
static struct rtc_peer *second_peer(Daemon *d,
				    const struct rtc_peer_config *config,
				    GError **error)
{
	unsigned int max = (unsigned int)
		config_get_int(d->options->config, OPT_NETWORK_MAX_PEERS);
	struct rtc_peer *peer;

	rtc_engine_set_max_peers(d->engine, MAX(max, 2));
	peer = rtc_peer_new(d->engine, config, error);
	rtc_engine_set_max_peers(d->engine, max);
	return peer;
}

static gboolean loop_open(Daemon *d, GError **error)
{
	struct loop *l = &d->selftest->loop;
	const MediaStream *sent = daemon_media_get_stream(d);
	struct rtc_peer_config config = {
		.name = "self-test (sends)",
		.stream_id = "self-test",
		.send_audio = d->audio && sent->audio_source,
		.send_video = d->video && sent->video_source,
		.trickle = true,
		.video_codecs = d->video_codecs,
		.n_video_codecs = d->n_video_codecs,
		.ops = &from_ops,
		.user = d,
	};
	g_autofree char *offer = NULL, *response = NULL;

	l->from = rtc_peer_new(d->engine, &config, error);
	config.name = "self-test (receives)";
	config.send_audio = config.send_video = false;
	config.own_certificate = true;
	config.ops = &to_ops;
	if (l->from)
		l->to = second_peer(d, &config, error);
	if (!l->to)
		return FALSE;
	offer = rtc_peer_create_offer(l->from, false, error);
	if (offer)
		response = rtc_peer_accept_offer(l->to, offer, error);
	if (!response || !rtc_peer_accept_answer(l->from, response, error))
		return FALSE;
	l->audio = sent->audio_source && d->audio &&
		audio_pipeline_take(d->audio) == 0;
	return TRUE;
}

static void tell_sound(Daemon *d, DoctorReport *report)
{
	struct audio_pipeline_stats s;

	audio_pipeline_get_stats(d->audio, &s);
	if (s.state != AUDIO_SOURCE_LIVE)
		doctor_add(report, "sound", DOCTOR_FAILED,
			   "See what the doctor says of devices.", "%s",
			   s.source);
	else if (d->selftest->loop.loudest >= DIGITAL_SILENCE &&
		 !d->audio_muted)
		doctor_add(report, "sound", DOCTOR_WARNING,
			   "Look whether the microphone has a switch, and at "
			   "its level (alsamixer).",
			   "%s: digital silence", s.source);
	else
		doctor_add(report, "sound", DOCTOR_OK, NULL, "%s: %s%d dBov",
			   s.source, d->audio_muted ? "muted, " : "",
			   -(int) d->selftest->loop.loudest);
}

static void tell_way(Daemon *d, const struct rtc_peer_stats *to,
		     gboolean through, DoctorReport *report)
{
	struct rtc_peer_stats from;

	rtc_peer_get_stats(d->selftest->loop.from, &from);
	if (through)
		doctor_add(report, "loop", DOCTOR_OK, NULL,
			   "%u packets of picture (%s) and %u of sound came "
			   "through encoder and transport",
			   (unsigned int) to->rx_video_packets,
			   from.video_codec ? from.video_codec : "none",
			   (unsigned int) to->rx_audio_packets);
	else
		doctor_add(report, "loop", DOCTOR_FAILED,
			   "See the journal for the encoder, and whether this "
			   "machine has an address.",
			   "of %u packets of picture and %u of sound %u and %u "
			   "came within %d s",
			   (unsigned int) from.video_packets,
			   (unsigned int) from.audio_packets,
			   (unsigned int) to->rx_video_packets,
			   (unsigned int) to->rx_audio_packets, LOOP_MS / 1000);
}

static gboolean on_look(gpointer data)
{
	Daemon *d = data;
	struct daemon_selftest *s = d->selftest;
	struct loop *l = &s->loop;
	const MediaStream *sent = daemon_media_get_stream(d);
	struct rtc_peer_stats to;
	gboolean through = TRUE;

	if (!sent) {
		finish(d, "the stream was stopped");
		return G_SOURCE_REMOVE;
	}
	rtc_peer_get_stats(l->to, &to);
	if (sent->video_source)
		through = to.rx_video_packets >= LOOP_PACKETS;
	if (l->audio) {
		struct audio_pipeline_stats audio;

		audio_pipeline_get_stats(d->audio, &audio);
		if (audio.units_out)
			l->loudest = MIN(l->loudest, audio.level);
		through = through && to.rx_audio_packets >= LOOP_PACKETS;
	}
	if (!through && g_get_monotonic_time() < l->end_us)
		return G_SOURCE_CONTINUE;
	if (l->audio)
		tell_sound(d, s->trial->report);
	tell_way(d, &to, through, s->trial->report);
	finish(d, NULL);
	return G_SOURCE_REMOVE;
}

static void loop_begin(Daemon *d)
{
	struct daemon_selftest *s = d->selftest;
	g_autoptr(GError) error = NULL;

	if (!daemon_media_get_stream(d)) {
		doctor_add(s->trial->report, "loop", DOCTOR_SKIPPED, NULL,
			   "nothing is sent");
		finish(d, NULL);
		return;
	}
	s->loop = (struct loop){
		.loudest = DIGITAL_SILENCE,
		.end_us = g_get_monotonic_time() +
			LOOP_MS * G_TIME_SPAN_MILLISECOND,
	};
	if (!loop_open(d, &error)) {
		doctor_add(s->trial->report, "loop", DOCTOR_FAILED, NULL, "%s",
			   error->message);
		finish(d, NULL);
		return;
	}
	s->loop.look = g_timeout_source_new(LOOP_LOOK_MS);
	g_source_set_callback(s->loop.look, on_look, d, NULL);
	g_source_attach(s->loop.look, NULL);
}

/* --- the thread ----------------------------------------------------------------- */
static gboolean on_looked(gpointer data)
{
	struct trial *t = data;

	t->looked = TRUE;
	if (t->d) {
		drop_deadline(t->d->selftest);
		loop_begin(t->d);
	}
	return G_SOURCE_REMOVE;
}

static gboolean on_deadline(gpointer data)
{
	Daemon *d = data;
	DoctorReport *report = d->selftest->trial->report;

	doctor_report_cancel(report, 0);
	doctor_add(report, "self-test", DOCTOR_FAILED,
		   "If a camera hangs, unplug it and plug it in again.",
		   "it did not come to its end within %d s", TRIAL_MS / 1000);
	finish(d, NULL);
	return G_SOURCE_REMOVE;
}

static gpointer work(gpointer data)
{
	struct trial *t = data;
	GSource *source = g_idle_source_new();

	self_test_run(&t->input, t->report);
	/* The thread's reference goes with the source. */
	g_source_set_callback(source, on_looked, t, trial_unref);
	g_source_attach(source, NULL);
	g_source_unref(source);
	return NULL;
}

/* NULL: it may begin. */
static const char *why_not(Daemon *d)
{
	g_autoptr(GPtrArray) ids = d->room ? room_list_peer_ids(d->room)
					   : NULL;
	struct daemon_selftest *s = d->selftest;

	if (ids && ids->len)
		return "somebody is in the room";
	if (d->doctor)
		return "the doctor is at work";
	if (s->left && s->left->looked)
		g_clear_pointer(&s->left, trial_unref);
	if (s->left)
		return "the self-test before has not let go of a device yet";
	return NULL;
}

static void begin(Daemon *d)
{
	struct daemon_selftest *s = d->selftest;
	const MediaStream *sent = daemon_media_get_stream(d);
	const char *busy = why_not(d);
	g_autoptr(GError) error = NULL;
	struct trial *t;
	GThread *thread;

	s->began_s = now_s();
	if (busy) {
		conclude(d, "skipped", busy, NULL);
		return;
	}
	t = g_new0(struct trial, 1);
	g_atomic_ref_count_init(&t->refs);
	g_atomic_ref_count_inc(&t->refs);	/* the thread's */
	t->report = doctor_report_new();
	daemon_doctor_fill(d, &t->doctor);
	t->input = (SelfTestInput){.doctor = &t->doctor, .sysfs = "/sys"};
	if (sent && sent->video_source) {
		t->source = g_strdup(sent->video_source);
		t->input.video = (struct video_choice){
			t->source, sent->width, sent->height, sent->fps};
	}
	t->d = d;
	s->trial = t;
	thread = g_thread_try_new("self-test", work, t, &error);
	if (thread) {
		g_thread_unref(thread);
		s->deadline = g_timeout_source_new(TRIAL_MS);
		g_source_set_callback(s->deadline, on_deadline, d, NULL);
		g_source_attach(s->deadline, NULL);
		return;
	}
	trial_unref(t);
	t->looked = TRUE;
	finish(d, error->message);
}

void daemon_selftest_event(Daemon *d, const char *name)
{
	/* The first that is heard of a peer, before anything is agreed. */
	if (d->selftest && d->selftest->trial &&
	    !strcmp(name, "handshakeProgress"))
		finish(d, "somebody came into the room");
}

/* --- when ------------------------------------------------------------------------ */
static void plan(Daemon *d)
{
	struct daemon_selftest *s = d->selftest;
	Config *c = d->options->config;

	s->next_s = config_get_bool(c, OPT_SELFTEST_ENABLED) ?
		self_test_next(s->zone, (guint) config_get_int(
				       c, OPT_SELFTEST_HOUR),
			       s->minute, now_s()) : 0;
	wall_alarm_set(s->alarm, s->next_s);
}

static void on_alarm(void *user, gboolean stepped)
{
	Daemon *d = user;
	struct daemon_selftest *s = d->selftest;
	gboolean due = !stepped && s->next_s && now_s() >= s->next_s;

	if (due && !s->trial)
		begin(d);
	/* Another minute each night, and not once more in this hour. */
	if (due)
		s->minute = (guint) g_random_int_range(0, 60);
	plan(d);
	if (due && s->next_s - now_s() < 3600)
		s->next_s = self_test_next(
			s->zone, (guint) config_get_int(d->options->config,
							OPT_SELFTEST_HOUR),
			s->minute, now_s() + 3600);
	wall_alarm_set(s->alarm, s->next_s);
}

void daemon_selftest_reload(Daemon *d)
{
	struct daemon_selftest *s = d->selftest;

	if (!s)
		return;
	g_clear_pointer(&s->zone, g_time_zone_unref);
	s->zone = schedule_zone_new(config_get_string(d->options->config,
						      OPT_ROOM_TIME_ZONE));
	if (!s->zone)
		s->zone = g_time_zone_new_utc();
	plan(d);
}

/* --- start and end ---------------------------------------------------------------- */
static void on_told(void *user, const char *why)
{
	if (why)
		g_warning("the self-test's result is not kept: %s", why);
}

/* What was kept: of our own making, or nothing. */
static JsonObject *read_last(const char *path)
{
	g_autofree char *text = NULL;
	g_autoptr(JsonObject) o = NULL;
	gsize len;
	JsonNode *rows;

	if (whole_file_read(path, DAEMON_SELFTEST_MAX_BYTES, &text, &len) < 0)
		return NULL;
	o = json_checked_parse_object(text, (gssize) len,
				      DAEMON_SELFTEST_MAX_BYTES, NULL);
	rows = o ? json_object_get_member(o, "rows") : NULL;
	if (rows && JSON_NODE_HOLDS_ARRAY(rows) && text_member(o, "result") &&
	    json_object_has_member(o, "at"))
		return g_steal_pointer(&o);
	g_warning("ignoring '%s': it holds no result of a self-test", path);
	return NULL;
}

void daemon_selftest_start(Daemon *d, const char *dir)
{
	struct daemon_selftest *s = g_new0(struct daemon_selftest, 1);

	s->d = d;
	s->alarm = wall_alarm_new(on_alarm, d);
	if (!s->alarm) {
		g_warning("going on without a self-test: no timer");
		g_free(s);
		return;
	}
	g_queue_init(&s->calls);
	if (dir) {
		g_autofree char *path = g_build_filename(dir, RESULT_FILE,
							 NULL);

		s->last = read_last(path);
		s->writer = state_writer_new(path, NULL, 0, on_told, d);
	}
	s->minute = (guint) g_random_int_range(0, 60);
	d->selftest = s;
	daemon_selftest_reload(d);
}

void daemon_selftest_stop(Daemon *d)
{
	struct daemon_selftest *s = d->selftest;
	ControlCall *call;

	if (!s)
		return;
	loop_end(d);
	drop_deadline(s);
	g_clear_pointer(&s->left, trial_unref);
	if (s->trial) {
		s->trial->d = NULL;
		doctor_report_cancel(s->trial->report, STOP_WAIT_MS);
		g_clear_pointer(&s->trial, trial_unref);
	}
	while ((call = g_queue_pop_head(&s->calls))) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "The daemon is stopping");
		control_call_unref(call);
	}
	d->selftest = NULL;
	s->writer = state_writer_free(s->writer);
	s->alarm = wall_alarm_free(s->alarm);
	g_clear_pointer(&s->zone, g_time_zone_unref);
	g_clear_pointer(&s->last, json_object_unref);
	g_free(s);
}

/* --- to be seen -------------------------------------------------------------------- */
static JsonObject *copy_last(JsonObject *last, gboolean with_rows)
{
	JsonObject *o = json_object_new();
	static const char *const names[] = {"at", "result", "reason", "rows"};

	for (guint i = 0; i < G_N_ELEMENTS(names) - !with_rows; i++)
		if (json_object_has_member(last, names[i]))
			json_object_set_member(
				o, names[i],
				json_node_copy(json_object_get_member(
					last, names[i])));
	return o;
}

JsonObject *daemon_selftest_describe(Daemon *d, gboolean with_rows)
{
	struct daemon_selftest *s = d->selftest;
	JsonObject *o = json_object_new();

	json_object_set_boolean_member(o, "running", s->trial != NULL);
	if (s->next_s)
		json_object_set_int_member(o, "next", s->next_s);
	else
		json_object_set_null_member(o, "next");
	if (s->last)
		json_object_set_object_member(o, "last",
					      copy_last(s->last, with_rows));
	else
		json_object_set_null_member(o, "last");
	/* A number, for graphs: 1 unless the last that ran had failed. */
	json_object_set_int_member(
		o, "ok", !s->last || g_strcmp0(text_member(s->last, "result"),
					       "failed"));
	return o;
}

static gboolean has_selftest(ControlCall *call, Daemon *d)
{
	if (d->selftest)
		return TRUE;
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "This daemon is a room server alone");
	return FALSE;
}

static void selftest_run(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	const char *busy;

	if (!has_selftest(call, d))
		return;
	busy = d->selftest->trial ? "a self-test runs already" : why_not(d);
	if (busy) {
		control_call_fail(call, CONTROL_CODE_BUSY, NULL,
				  "Not now: %s", busy);
		return;
	}
	g_queue_push_tail(&d->selftest->calls, control_call_ref(call));
	begin(d);
}

static void selftest_show(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	if (has_selftest(call, d))
		daemon_reply_object(call, daemon_selftest_describe(d, TRUE));
}

const ControlHandler daemon_selftest_handlers[] = {
	{ "selftest.run", selftest_run },
	{ "selftest.show", selftest_show },
	{ NULL, NULL },
};
