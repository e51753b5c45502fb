/* SPDX-License-Identifier: Apache-2.0 */
/* media/video-feed.h - the capture thread of a video pipeline: one source at a
 * time, and what stands in for it
 *
 *   seeking ---- open ----> pending --- first sample ---> live
 *      ^  (again until it     |                            |
 *      |   works)             | did not start              | device gone,
 *      +----------------------+----------------------------+ silent
 *
 * Until it is live the source before goes on, for PATIENCE_US at most; then a
 * placeholder stands in. A source is looked for every 100 ms for a while after
 * something happened (it was lost, a device came, the choice changed), because
 * nodes come before their permissions and devices are busy for a moment; then
 * once a second. "auto" that found no device shows the test picture and goes on
 * seeking; once it had one, it waits for one.
 *
 * Source:  none (our own)
 * Thread:  control for new, tell and the like; all else is the feed's own
 * Memory:  a feed frees itself when its thread ends
 */
#pragma once

#include "media/capture-threads.h"
#include "media/rung.h"
#include "media/video-choice.h"
#include "media/video-pipeline.h"
#include "media/video-source.h"

#define DETAIL_MAX_BYTES 256

/* A rung's number is its codec: one rung of each. */
enum {
	RUNG_VP8 = MEDIA_CODEC_VP8,
	RUNG_H264 = MEDIA_CODEC_H264,
	N_RUNGS,
};

struct video_feed;

struct video_pipeline {
	struct video_pipeline_config config;
	const struct media_clock *clock;
	struct media_count count;
	struct rung rungs[N_RUNGS];

	/* Control */
	struct video_choice_copy wanted;

	/* Between the threads, under threads.lock, which is never held in a
	 * call. */
	struct capture_threads threads;
	pthread_cond_t left;
	struct video_feed *feed; /* the one that counts; NULL: none runs */
	struct video_feed *stuck[CAPTURE_LEFT_MAX]; /* left behind */
	bool active[N_RUNGS];
	bool busy[N_RUNGS]; /* the capture thread is inside: not to be stopped
			     */
	bool had_device;    /* a device of the choice was live once */
	enum video_source_state state;
	uint64_t since_us, lost; /* of state; what was live and went */
	char detail[DETAIL_MAX_BYTES];
	char node[VIDEO_NODE_BYTES];
	atomic_bool muted;
	atomic_uint_fast64_t frames_captured, frames_missed, replaced;
};

struct video_feed {
	struct video_pipeline *p;
	struct capture_thread thread;

	/* Between the threads, as above */
	bool is_wanted;
	bool has_next, has_poke;
	struct video_choice_copy next; /* what to change to */
	char held[DETAIL_MAX_BYTES];   /* the device it opened last: not that
					* of now, while it is closed */

	/* The feed's own. A source that was opened but has not delivered yet
	 * stands beside the placeholder and takes its place with its first
	 * sample: cameras need a while, and a FIFO waits for its writer. */
	struct video_choice_copy now;
	struct video_source *source; /* delivers, or the placeholder */
	struct video_source *pending;
	bool is_placeholder;
	bool is_leaving;      /* source is of the choice before */
	bool is_broken;	      /* the coded stream has a gap */
	bool is_seeking;      /* what the choice names is to be opened */
	bool is_patient;      /* no placeholder before patience_us */
	uint64_t retry_us;    /* look for the device again */
	uint64_t eager_us;    /* until then often */
	uint64_t stall_us;    /* a device silent until then is lost */
	uint64_t patience_us; /* then a placeholder stands in for pending */
	unsigned int width, height; /* of the last live picture */
	unsigned int coded_bps;	    /* what the outside encoder was told */
	char why[DETAIL_MAX_BYTES];
	struct picture_pool *black_pool;
	struct picture *black;
};

/* A thread that begins with @p's wanted choice; it becomes p->feed. Return: 0
 * or a negative errno. */
int video_feed_new(struct video_pipeline *p);

/* Frees @p: by whoever is the last to look at it. */
void video_pipeline_destroy(struct video_pipeline *p);
