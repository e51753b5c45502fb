/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/stream-trials.h - trying sources before they are taken
 *
 * Opening a camera, a sound card or a file may block, so a thread of its own
 * does it, for one request at a time. What cannot be opened is refused while
 * what is sent goes on.
 *
 * Source:  none (our own)
 * Thread:  control; the trial has a thread of its own, which touches nothing
 *          else, and is left behind when it does not come back
 * Memory:  at most STREAM_TRIALS_MAX wait, the running one included
 */
#pragma once

#include "appliance/media-options.h"

#define STREAM_TRIALS_MAX      8
#define STREAM_TRIAL_MS	       20000 /* then it is given up: the driver hangs */
#define STREAM_TRIALS_LEFT_MAX 4     /* threads in drivers that hang; no more
				      * is tried until one comes back */
#define STREAM_TRIALS_END_MS   2000  /* waited for a thread at the end */

typedef struct StreamTrials StreamTrials;

/* What came of it: NULL, or a sentence. */
typedef struct {
	char *audio_error, *video_error;
	gboolean audio_busy, video_busy; /* somebody has it open */
	char *video_node;  /* the busy camera, or NULL: not known */
	JsonNode *devices; /* of a look around, to be taken; else NULL */
} StreamTrialResult;

typedef void (*StreamTrialDone)(const StreamTrialResult *result, gpointer data);

/* @deadline_ms: 0: STREAM_TRIAL_MS */
StreamTrials *stream_trials_new(unsigned int deadline_ms);
/* Waits for the thread, for STREAM_TRIALS_END_MS; what waits is not called back,
 * its data is freed. */
void stream_trials_free(StreamTrials *t);

/**
 * stream_trials_add() - try a stream's sources
 * @stream: copied; NULL: look which devices there are instead
 * @begin:  called when its turn comes, to leave out what need not be tried
 * (NULL the copy's source); or NULL
 * @done:   called once, later, on the thread's default context, unless freed
 * @data:   (transfer full), freed with @free_data after @done
 *
 * Return: FALSE: too many wait, or hang in drivers; @data is freed.
 */
gboolean stream_trials_add(StreamTrials *t, const MediaStream *stream,
			   void (*begin)(MediaStream *copy, gpointer data),
			   StreamTrialDone done, gpointer data,
			   GDestroyNotify free_data);
