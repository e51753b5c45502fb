// SPDX-License-Identifier: Apache-2.0
#include "appliance/stream-trials.h"

#include <errno.h>
#include <stdlib.h>

#include "appliance/device-list.h"
#include "media/audio-pipeline.h"
#include "media/video-choice.h"

typedef struct {
	StreamTrials *owner;
	MediaStream *stream; /* NULL: list the devices */
	StreamTrialResult result;
	void (*begin)(MediaStream *copy, gpointer data);
	StreamTrialDone done;
	gpointer data;
	GDestroyNotify free_data;
} Trial;

struct StreamTrials {
	GQueue waiting;	 /* of Trial; the head is being tried */
	GThread *thread; /* NULL: nothing is */
	GSource *ready;	 /* the thread is through */
};

static void trial_free(Trial *t)
{
	media_stream_free(t->stream);
	free(t->result.audio_error);
	free(t->result.video_error);
	g_clear_pointer(&t->result.devices, json_node_unref);
	if (t->free_data)
		t->free_data(t->data);
	g_free(t);
}

static gpointer try_thread(gpointer data)
{
	Trial *t = data;
	const MediaStream *s = t->stream;

	if (!s) {
		t->result.devices = device_list_describe();
	} else {
		struct video_choice video = {s->video_source, s->width,
					     s->height, s->fps};
		struct audio_choice audio = {s->audio_source, s->channels};

		t->result.video_busy =
			video_choice_try(&video, &t->result.video_error) ==
			-EBUSY;
		t->result.audio_busy =
			audio_choice_try(&audio, &t->result.audio_error) ==
			-EBUSY;
	}
	g_source_attach(t->owner->ready, NULL);
	return NULL;
}

static void run_next(StreamTrials *t);

static void end_thread(StreamTrials *t)
{
	if (!t->thread)
		return;
	g_thread_join(g_steal_pointer(&t->thread));
	g_source_destroy(t->ready);
	g_clear_pointer(&t->ready, g_source_unref);
}

static gboolean on_ready(gpointer data)
{
	StreamTrials *t = data;
	Trial *trial = g_queue_pop_head(&t->waiting);

	end_thread(t);
	/* Before the word is given: it may ask for the next trial. */
	run_next(t);
	trial->done(&trial->result, trial->data);
	trial_free(trial);
	return G_SOURCE_REMOVE;
}

static void run_next(StreamTrials *t)
{
	Trial *trial = g_queue_peek_head(&t->waiting);

	if (!trial || t->thread)
		return;
	if (trial->begin)
		trial->begin(trial->stream, trial->data);
	t->ready = g_idle_source_new();
	g_source_set_priority(t->ready, G_PRIORITY_DEFAULT);
	g_source_set_callback(t->ready, on_ready, t, NULL);
	t->thread = g_thread_new("try-source", try_thread, trial);
}

StreamTrials *stream_trials_new(void)
{
	StreamTrials *t = g_new0(StreamTrials, 1);

	g_queue_init(&t->waiting);
	return t;
}

void stream_trials_free(StreamTrials *t)
{
	if (!t)
		return;
	end_thread(t);
	g_queue_clear_full(&t->waiting, (GDestroyNotify) trial_free);
	g_free(t);
}

gboolean stream_trials_add(StreamTrials *t, const MediaStream *stream,
			   void (*begin)(MediaStream *copy, gpointer data),
			   StreamTrialDone done, gpointer data,
			   GDestroyNotify free_data)
{
	Trial *trial;

	if (g_queue_get_length(&t->waiting) >= STREAM_TRIALS_MAX) {
		if (free_data)
			free_data(data);
		return FALSE;
	}
	trial = g_new0(Trial, 1);
	trial->owner = t;
	trial->stream = stream ? media_stream_copy(stream) : NULL;
	trial->begin = stream ? begin : NULL;
	trial->done = done;
	trial->data = data;
	trial->free_data = free_data;
	g_queue_push_tail(&t->waiting, trial);
	run_next(t);
	return TRUE;
}
