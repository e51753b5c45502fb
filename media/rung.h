/* SPDX-License-Identifier: Apache-2.0 */
/* media/rung.h - one running encoder and its thread
 *
 *   capture thread --push--> [frame|frame] --encode thread--> on_unit()
 *                            bounded: the oldest goes
 *
 * The queue holds two pictures. An encoder that falls behind loses the oldest:
 * a late picture is worth less than a new one. A peer's first keyframe request
 * does not wait for the next picture: the last one is encoded again at once.
 *
 * A coded source needs no encoder: its units pass straight to on_unit(), on the
 * capture thread. One thread at a time numbers and delivers: before the capture
 * thread does, the encode thread finishes its picture, closes its encoder and
 * says so; the next picture gives the rung back to it, and begins with a
 * keyframe.
 *
 * Source:  none (our own)
 * Thread:  control for init, start, stop, done; others as they say
 * Memory:  embedded in its owner; units may outlive it
 */
#pragma once

#include "media/encoder.h"
#include "media/keyframe-authority.h"
#include "media/media-clock.h"
#include "media/video-pipeline.h"

#include <pthread.h>
#include <semaphore.h>

#define RUNG_QUEUE_LEN 2   /* pictures */
#define RUNG_N_TIMES   256 /* encode times remembered */
#define RUNG_N_UNITS   256 /* units in flight: 8 s at 30 a second */

struct rung {
	/* Fixed from rung_init() on */
	uint32_t number;
	const struct encoder_ops *ops;
	const struct media_clock *clock;
	struct media_count *count;
	struct unit_pool *units;
	void (*on_unit)(void *user, struct coded_unit *unit);
	void *user;

	/* Control */
	pthread_t thread;
	bool running;

	/* Between the threads */
	sem_t wake;
	pthread_mutex_t lock; /* around the queue, for a few instructions */
	struct picture_frame queue[RUNG_QUEUE_LEN];
	unsigned int n_queued;
	bool stopping;
	bool pausing; /* the encode thread is to let go */
	bool paused;  /* it did */
	pthread_cond_t has_paused;
	atomic_uint requests;
	atomic_uint asked_bps; /* the network's wish */
	atomic_uint cap_bps;   /* the owner's limit; 0: none */
	atomic_uint min_bps, max_bps;
	atomic_uint takers;

	/* Capture thread */
	bool owned; /* it paused the rung */

	/* Encode thread; while the capture thread owns the rung, that one */
	struct encoder *encoder;
	struct keyframe_authority authority;
	struct picture_frame latest;
	bool latest_repeated;
	bool waits_for_keyframe;
	uint64_t retry_us; /* no encoder before this */
	uint64_t last_capture_us;
	struct picture_pool *converted;
	uint64_t next_number;

	/* Counters: one writer, any reader */
	atomic_uint width, height;
	atomic_bool coded;
	atomic_uint_fast64_t frames_in, frames_dropped, units_out, bytes_out,
		keyframes, encode_ns, errors;
	atomic_uint times_us[RUNG_N_TIMES];
	atomic_uint n_times; /* ever; the ring's head is modulo its size */
};

struct rung_config {
	uint32_t number;
	enum media_codec codec;
	unsigned int bitrate_bps, min_bps, max_bps;
	const struct media_clock *clock;
	struct media_count *count;
	void (*on_unit)(void *user, struct coded_unit *unit);
	void *user;
};

/* Return: 0, -ENOTSUP if nothing encodes the codec, -ENOMEM */
int rung_init(struct rung *r, const struct rung_config *config);
/* Not running. */
void rung_done(struct rung *r);

/* Return: 0 or a negative errno */
int rung_start(struct rung *r);
/* Lets the encoder finish its picture, joins the thread, lets go of all
 * pictures. */
void rung_stop(struct rung *r);

/* Hands over a frame; takes a reference of its own. Capture thread; returns at
 * once. */
void rung_push(struct rung *r, const struct picture_frame *frame);

/* All pictures waiting or kept are let go and the encoder is closed: waits for
 * the picture that is being encoded, and for nothing else. The next push begins
 * anew. Of a running rung; capture thread. */
void rung_pause(struct rung *r);

/* Passes on a unit of a coded source, from the first keyframe on. Takes the
 * reference. @width, @height: pixels, 0 if unknown. Capture thread. */
void rung_push_unit(struct rung *r, struct coded_unit *unit,
		    unsigned int width, unsigned int height);

/* The coded stream has a gap: wait for its next keyframe. Capture thread. */
void rung_break_units(struct rung *r);

/* What the outside encoder of a coded source is to be told. Capture thread.
 * rung_wants_keyframe(): true once for all requests that are due now.
 * rung_get_bitrate(): the target, bits per second. */
bool rung_wants_keyframe(struct rung *r);
unsigned int rung_get_bitrate(struct rung *r);

/* Any thread, no lock. */
void rung_request_keyframe(struct rung *r, bool first);
void rung_set_bitrate(struct rung *r, unsigned int bps);
/* No more than this, whatever is asked for; 0: as configured. */
void rung_set_cap(struct rung *r, unsigned int bps);
/* What the target is brought into. */
void rung_set_range(struct rung *r, unsigned int min_bps,
		    unsigned int max_bps);
void rung_get_stats(struct rung *r, struct video_rung_stats *ret);
