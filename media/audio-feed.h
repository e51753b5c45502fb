/* SPDX-License-Identifier: Apache-2.0 */
/* media/audio-feed.h - the capture thread of an audio pipeline: one source at a
 * time, silence in its place, and the encoder
 *
 * What is sought, how often, and what "auto" does: as in media/video-feed.h.
 * Packets follow each other by 20 ms whatever feeds them.
 *
 * Source:  none (our own)
 * Thread:  control for new; all else is the feed's own
 * Memory:  a feed frees itself when its thread ends
 */
#pragma once

#include "media/audio-pipeline.h"
#include "media/audio-source.h"
#include "media/capture-threads.h"
#include "media/media-count.h"
#include "media/opus-encoder.h"

#define DETAIL_MAX_BYTES 256

/* A choice of one's own. */
struct audio_choice_copy {
	char *spec; /* NULL: no source */
	const struct audio_source_ops *ops;
	const char *path; /* in spec */
	unsigned int channels;
};

struct audio_feed;

struct audio_pipeline {
	struct audio_pipeline_config config;
	const struct media_clock *clock;
	struct media_count count;
	struct unit_pool *units;

	/* Control */
	struct audio_choice_copy wanted;

	/* Between the threads, under threads.lock, which is never held in a
	 * call */
	struct capture_threads threads;
	struct audio_feed *feed; /* the one that counts; NULL: none runs */
	bool busy; /* it calls our user, who is not to go meanwhile */
	pthread_cond_t left;
	struct audio_feed *stuck[CAPTURE_LEFT_MAX]; /* left behind */
	bool had_device; /* a device of the choice was live once */
	enum audio_source_state state;
	uint64_t since_us, lost; /* of state; what was live and went */
	char detail[DETAIL_MAX_BYTES];
	char node[AUDIO_NODE_BYTES];
	atomic_bool muted;
	atomic_uint bitrate_bps, volume, takers, level;
	atomic_uint_fast64_t units_out, bytes_out, overruns, samples_lost,
		replaced;

	/* The feed's that counts: packets go on where the one before was */
	uint64_t smooth_us; /* of the last packet, without jitter; 0: none */
	uint64_t next_number;
};

struct audio_feed {
	struct audio_pipeline *p;
	struct capture_thread thread;
	atomic_bool is_dropped; /* left behind: it touches nothing any more */

	/* Between the threads, as above */
	bool is_wanted;
	bool has_next, has_poke;
	struct audio_choice_copy next;
	char held[DETAIL_MAX_BYTES]; /* as in video-feed.h */

	/* The feed's own */
	struct audio_choice_copy now;
	struct opus_encoder *encoder; /* NULL: no source, or no memory */
	struct audio_source *source;
	bool is_silence, is_live;
	bool is_seeking; /* what the choice names is to be opened */
	uint64_t retry_us, eager_us, stall_us;
	uint64_t storm_us;     /* when the overruns began to be counted */
	unsigned int n_storm;  /* overruns since */
	unsigned int n_have;   /* frames of the packet that is filling */
	uint64_t packet_us;    /* capture of its first frame, as measured */
	char why[DETAIL_MAX_BYTES];
};

/* As video_feed_new(). */
int audio_feed_new(struct audio_pipeline *p);

/* Frees @p: by whoever is the last to look at it. */
void audio_pipeline_destroy(struct audio_pipeline *p);

/* Return: 0 or -ENOMEM. */
int audio_choice_copy(struct audio_choice_copy *ret,
		      const struct audio_choice *choice);
void audio_choice_copy_done(struct audio_choice_copy *c);
