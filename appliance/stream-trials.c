// SPDX-License-Identifier: Apache-2.0
#include "appliance/stream-trials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/device-list.h"
#include "drivers/v4l2-capture.h"
#include "media/audio-pipeline.h"
#include "media/video-choice.h"

/* What the thread and control both look at: it goes with the last of them. */
typedef struct {
	gatomicrefcount refs;
	MediaStream *stream; /* NULL: list the devices; the thread's */
	StreamTrialResult result;
	GSource *ready; /* attached when the thread is through */
	GMutex lock;
	GCond is_through;
	gboolean through, given_up;
} Work;

typedef struct {
	StreamTrials *owner;
	Work *work;
	void (*begin)(MediaStream *copy, gpointer data);
	StreamTrialDone done;
	gpointer data;
	GDestroyNotify free_data;
} Trial;

struct StreamTrials {
	GQueue waiting; /* of Trial; the head is being tried */
	gboolean busy;	/* it is */
	gboolean telling;
	GSource *deadline;
	unsigned int deadline_ms;
	Work *left[STREAM_TRIALS_LEFT_MAX]; /* whose threads were left behind */
	unsigned int n_left;
};

static void work_unref(gpointer data)
{
	Work *w = data;

	if (!g_atomic_ref_count_dec(&w->refs))
		return;
	media_stream_free(w->stream);
	free(w->result.audio_error);
	free(w->result.video_error);
	g_free(w->result.video_node);
	g_clear_pointer(&w->result.devices, json_node_unref);
	g_mutex_clear(&w->lock);
	g_cond_clear(&w->is_through);
	g_source_unref(w->ready);
	g_free(w);
}

static Work *work_new(const MediaStream *stream)
{
	Work *w = g_new0(Work, 1);

	g_atomic_ref_count_init(&w->refs);
	w->stream = stream ? media_stream_copy(stream) : NULL;
	g_mutex_init(&w->lock);
	g_cond_init(&w->is_through);
	w->ready = g_idle_source_new();
	g_source_set_priority(w->ready, G_PRIORITY_DEFAULT);
	return w;
}

static void trial_free(Trial *t)
{
	work_unref(t->work);
	if (t->free_data)
		t->free_data(t->data);
	g_free(t);
}

static char *node_of(const char *source)
{
	struct device device;
	char why[256];

	if (!g_str_has_prefix(source, "v4l2:") ||
	    v4l2_resolve(source + strlen("v4l2:"), &device, why,
			 sizeof(why)) < 0)
		return NULL;
	return g_strdup(device.node);
}

static gpointer try_thread(gpointer data)
{
	Work *w = data;
	const MediaStream *s = w->stream;

	if (!s) {
		w->result.devices = device_list_describe();
	} else {
		struct video_choice video = {s->video_source, s->width,
					     s->height, s->fps};
		struct audio_choice audio = {s->audio_source, s->channels};

		w->result.video_busy =
			video_choice_try(&video, &w->result.video_error) ==
			-EBUSY;
		w->result.audio_busy =
			audio_choice_try(&audio, &w->result.audio_error) ==
			-EBUSY;
		if (w->result.video_busy)
			w->result.video_node = node_of(s->video_source);
	}
	g_mutex_lock(&w->lock);
	w->through = TRUE;
	if (!w->given_up)
		g_source_attach(w->ready, NULL);
	g_cond_signal(&w->is_through);
	g_mutex_unlock(&w->lock);
	work_unref(w);
	return NULL;
}

/* Nobody is told when its thread is through. */
static void give_up(Work *w)
{
	g_mutex_lock(&w->lock);
	w->given_up = TRUE;
	g_mutex_unlock(&w->lock);
	g_source_destroy(w->ready);
}

static gboolean is_through(Work *w)
{
	gboolean through;

	g_mutex_lock(&w->lock);
	through = w->through;
	g_mutex_unlock(&w->lock);
	return through;
}

/* A driver that came back after all counts no more. */
static gboolean may_try(StreamTrials *t)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < t->n_left; i++) {
		if (is_through(t->left[i]))
			work_unref(t->left[i]);
		else
			t->left[n++] = t->left[i];
	}
	t->n_left = n;
	return n < STREAM_TRIALS_LEFT_MAX;
}

static void run_next(StreamTrials *t);

static void drop_deadline(StreamTrials *t)
{
	if (t->deadline)
		g_source_destroy(t->deadline);
	g_clear_pointer(&t->deadline, g_source_unref);
}

/* The head is through, or given up. Takes @result. */
static void tell(StreamTrials *t, const StreamTrialResult *result)
{
	Trial *trial = g_queue_pop_head(&t->waiting);

	drop_deadline(t);
	give_up(trial->work);
	t->busy = FALSE;
	/* What it leads to is there before the next one begins, which may find
	 * that nothing is left to try. */
	t->telling = TRUE;
	trial->done(result, trial->data);
	t->telling = FALSE;
	trial_free(trial);
	run_next(t);
}

static gboolean on_ready(gpointer data)
{
	StreamTrials *t = data;
	Trial *trial = g_queue_peek_head(&t->waiting);

	tell(t, &trial->work->result);
	return G_SOURCE_REMOVE;
}

#define NO_ANSWER "the device's driver does not answer"

static void give_up_head(StreamTrials *t, const char *why)
{
	const Trial *trial = g_queue_peek_head(&t->waiting);
	g_autofree char *text = g_strdup(why);
	g_autoptr(JsonNode) none = json_node_new(JSON_NODE_ARRAY);
	StreamTrialResult given_up = {0};

	json_node_take_array(none, json_array_new());
	/* Which of the two hangs only the thread knows. */
	if (!trial->work->stream)
		given_up.devices = none;
	else if (trial->work->stream->video_source)
		given_up.video_error = text;
	else
		given_up.audio_error = text;
	tell(t, &given_up);
}

static gboolean on_deadline(gpointer data)
{
	StreamTrials *t = data;
	const Trial *trial = g_queue_peek_head(&t->waiting);

	g_atomic_ref_count_inc(&trial->work->refs);
	t->left[t->n_left++] = trial->work;
	g_warning(NO_ANSWER ": a thread that tried it is left behind (%u of "
		  "%u)", t->n_left, STREAM_TRIALS_LEFT_MAX);
	give_up_head(t, NO_ANSWER);
	return G_SOURCE_REMOVE;
}

static void run_next(StreamTrials *t)
{
	Trial *trial = g_queue_peek_head(&t->waiting);
	g_autoptr(GError) error = NULL;
	GThread *thread;

	if (!trial || t->busy || t->telling)
		return;
	/* Others were waiting when the last one was left behind. */
	if (!may_try(t)) {
		give_up_head(t, NO_ANSWER);
		return;
	}
	t->busy = TRUE;
	if (trial->begin)
		trial->begin(trial->work->stream, trial->data);
	g_source_set_callback(trial->work->ready, on_ready, t, NULL);
	t->deadline = g_timeout_source_new(t->deadline_ms);
	g_source_set_callback(t->deadline, on_deadline, t, NULL);
	g_source_attach(t->deadline, NULL);
	g_atomic_ref_count_inc(&trial->work->refs);
	thread = g_thread_try_new("try-source", try_thread, trial->work,
				  &error);
	if (thread) {
		g_thread_unref(thread);
		return;
	}
	work_unref(trial->work);
	give_up_head(t, error->message);
}

StreamTrials *stream_trials_new(unsigned int deadline_ms)
{
	StreamTrials *t = g_new0(StreamTrials, 1);

	g_queue_init(&t->waiting);
	t->deadline_ms = deadline_ms ? deadline_ms : STREAM_TRIAL_MS;
	return t;
}

/* Return: the thread of the head came back within STREAM_TRIALS_END_MS. */
static gboolean wait_for(Work *w)
{
	gint64 until =
		g_get_monotonic_time() + STREAM_TRIALS_END_MS * (gint64) 1000;
	gboolean through;

	g_mutex_lock(&w->lock);
	while (!w->through && g_cond_wait_until(&w->is_through, &w->lock, until))
		;
	through = w->through;
	g_mutex_unlock(&w->lock);
	return through;
}

void stream_trials_free(StreamTrials *t)
{
	Trial *head;

	if (!t)
		return;
	drop_deadline(t);
	head = g_queue_peek_head(&t->waiting);
	if (head && t->busy) {
		give_up(head->work);
		wait_for(head->work);
	}
	g_queue_clear_full(&t->waiting, (GDestroyNotify) trial_free);
	for (unsigned int i = 0; i < t->n_left; i++)
		work_unref(t->left[i]);
	g_free(t);
}

gboolean stream_trials_add(StreamTrials *t, const MediaStream *stream,
			   void (*begin)(MediaStream *copy, gpointer data),
			   StreamTrialDone done, gpointer data,
			   GDestroyNotify free_data)
{
	Trial *trial;

	if (g_queue_get_length(&t->waiting) >= STREAM_TRIALS_MAX ||
	    !may_try(t)) {
		if (free_data)
			free_data(data);
		return FALSE;
	}
	trial = g_new0(Trial, 1);
	trial->owner = t;
	trial->work = work_new(stream);
	trial->begin = stream ? begin : NULL;
	trial->done = done;
	trial->data = data;
	trial->free_data = free_data;
	g_queue_push_tail(&t->waiting, trial);
	run_next(t);
	return TRUE;
}
