// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-watchdog.c - feeds systemd's watchdog while all is well
 *
 * Control proves itself by running this timer. A stage that is stuck is named
 * in the log once; from then on nothing is fed, and systemd starts the daemon
 * anew.
 */
#include "appliance/daemon-private.h"

#include "appliance/daemon-messages.h"
#include "appliance/stage-watch.h"
#include "build-config.h"

#if HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* Each longer than anything that is merely slow: a camera that is opened anew
 * while its USB hub resets, an encoder on a machine that swaps. */
#define CAPTURE_DEADLINE_US (UINT64_C(20) * G_USEC_PER_SEC)
#define ENCODE_DEADLINE_US  (UINT64_C(20) * G_USEC_PER_SEC)
#define NETWORK_DEADLINE_US (UINT64_C(20) * G_USEC_PER_SEC)

struct daemon_watchdog {
	struct stage_watch stages;
	GSource *timer;
	uint64_t frames_captured;	/* when it was looked last */
	gboolean bitten;
};

static const char *encode_stage_name(enum media_codec codec)
{
	static const char *const names[N_MEDIA_CODECS] = {
		[MEDIA_CODEC_VP8] = "VP8 encoder",
		[MEDIA_CODEC_H264] = "H264 encoder",
	};

	return names[codec] ? names[codec] : "encoder";
}

/* Whoever writes into a FIFO may fall silent, and so does a camera that was
 * unplugged: a placeholder stands in for it, whose text begins like it. */
gboolean daemon_watchdog_is_paced(const struct video_pipeline_stats *s)
{
	return s->state == VIDEO_SOURCE_LIVE &&
	       (g_str_has_prefix(s->source, "v4l2:") ||
		g_str_has_prefix(s->source, "test"));
}

static void note_video(Daemon *d, struct stage_watch *w, uint64_t now)
{
	struct video_pipeline_stats s;
	gboolean wanted = FALSE, arrives;

	video_pipeline_get_stats(d->video, &s);
	arrives = s.frames_captured != d->watchdog->frames_captured;
	d->watchdog->frames_captured = s.frames_captured;
	for (unsigned int i = 0; i < s.n_rungs; i++) {
		const struct video_rung_stats *r = &s.rungs[i];

		stage_watch_note(w, encode_stage_name(r->codec),
				 r->takers > 0 && arrives && !d->video_muted,
				 r->units_out + r->encode_errors,
				 ENCODE_DEADLINE_US, now);
		wanted |= r->takers > 0;
	}
	/* Muted, a stream that is passed through falls silent. */
	stage_watch_note(w, "video source",
			 wanted && daemon_watchdog_is_paced(&s) &&
				 !d->video_muted,
			 s.frames_captured + s.replaced, CAPTURE_DEADLINE_US,
			 now);
}

static void note_audio(Daemon *d, struct stage_watch *w, uint64_t now)
{
	struct audio_pipeline_stats s;

	audio_pipeline_get_stats(d->audio, &s);
	stage_watch_note(w, "audio source",
			 s.takers > 0 && !g_str_has_prefix(s.source, "file:"),
			 s.units_out, CAPTURE_DEADLINE_US, now);
}

static void note_network(Daemon *d, struct stage_watch *w, uint64_t now)
{
	struct rtc_engine_stats s;

	rtc_engine_get_stats(d->engine, &s);
	stage_watch_note(w, "network", s.peers > 0, s.net.ticks,
			 NETWORK_DEADLINE_US, now);
}

static gboolean on_watchdog(gpointer data)
{
	Daemon *d = data;
	struct daemon_watchdog *w = d->watchdog;
	uint64_t now = (uint64_t) g_get_monotonic_time();
	const char *stuck;

	if (d->video)
		note_video(d, &w->stages, now);
	if (d->audio)
		note_audio(d, &w->stages, now);
	if (d->engine)
		note_network(d, &w->stages, now);
	stuck = stage_watch_find_stuck(&w->stages, now);
	if (stuck && !w->bitten)
		daemon_message_log(DAEMON_MESSAGE_STUCK,
				   &(struct daemon_message_about){
					   .device = stuck},
				   "the %s is stuck: waiting for the watchdog "
				   "to start the daemon anew", stuck);
	w->bitten |= stuck != NULL;
	if (!w->bitten)
		daemon_notify("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

JsonNode *daemon_watchdog_describe(Daemon *d)
{
	uint64_t now = (uint64_t) g_get_monotonic_time();
	const struct stage_watch *w;
	JsonArray *list;
	JsonNode *node;

	if (!d->watchdog)
		return json_node_new(JSON_NODE_NULL);
	w = &d->watchdog->stages;
	list = json_array_new();
	for (unsigned int i = 0; i < w->n; i++) {
		const struct stage_watch_stage *s = &w->stages[i];
		uint64_t still = now - s->moved_us;
		JsonObject *o = json_object_new();

		json_object_set_string_member(o, "stage", s->name);
		json_object_set_boolean_member(o, "wanted", s->wanted);
		json_object_set_boolean_member(
			o, "ok", !s->wanted || still <= s->deadline_us);
		json_object_set_int_member(o, "still_s",
					   (gint64) (still / G_USEC_PER_SEC));
		json_array_add_object_element(list, o);
	}
	node = json_node_new(JSON_NODE_ARRAY);
	json_node_take_array(node, list);
	return node;
}

/* How often systemd wants to be told; 0: not at all. */
static uint64_t watchdog_us(void)
{
	uint64_t us = 0;

#if HAVE_SYSTEMD
	if (sd_watchdog_enabled(0, &us) <= 0)
		return 0;
#endif
	return us;
}

void daemon_watchdog_start(Daemon *d)
{
	uint64_t us = watchdog_us();

	if (!us)
		return;
	d->watchdog = g_new0(struct daemon_watchdog, 1);
	d->watchdog->timer = g_timeout_source_new((guint) (us / 3000));
	g_source_set_callback(d->watchdog->timer, on_watchdog, d, NULL);
	g_source_attach(d->watchdog->timer, NULL);
}

void daemon_watchdog_stop(Daemon *d)
{
	if (!d->watchdog)
		return;
	g_source_destroy(d->watchdog->timer);
	g_source_unref(d->watchdog->timer);
	g_clear_pointer(&d->watchdog, g_free);
}
