/* SPDX-License-Identifier: Apache-2.0 */
/* media/audio-source.h - where sound comes from, as a table of functions
 *
 * Always interleaved S16 at 48 kHz, in as many channels as were asked for.
 *
 * Source:  none (our own)
 * Thread:  capture
 * Memory:  owned by who opened it; close() returns NULL
 */
#pragma once

#include "media/media-clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIO_RATE_HZ	     48000
#define AUDIO_SOURCE_FDS_MAX 8
#define AUDIO_NODE_BYTES     64

struct audio_source;

struct audio_source_config {
	const char *path; /* what follows the prefix; NULL if nothing; of the
			   * call alone */
	unsigned int channels;
	const struct media_clock *clock;
	int wake_fd; /* readable when a blocking call should end; -1 */
	bool device_only; /* auto: a device or nothing */
};

struct audio_source_wait {
	struct pollfd fds[AUDIO_SOURCE_FDS_MAX];
	unsigned int n_fds;
	uint64_t deadline_us; /* MEDIA_NO_DEADLINE: the descriptors alone */
};

struct audio_source_ops {
	const char *name; /* as in the configuration, before the colon */
	bool wants_path;
	bool is_device; /* silent for seconds means broken */

	/* On failure @why says what was wrong, for a person. */
	int (*open)(struct audio_source **ret,
		    const struct audio_source_config *config, char *why,
		    size_t why_size);
	void (*wait)(struct audio_source *s, struct audio_source_wait *ret);
	/* Reads up to @n_frames. @ret_capture_us: CLOCK_MONOTONIC of the first
	 * one. @ret_lost: frames lost before it. Return: frames read, 0: none
	 * yet, or a negative errno: the source is of no use any more. */
	int (*read)(struct audio_source *s, int16_t *dst, unsigned int n_frames,
		    uint64_t *ret_capture_us, uint64_t *ret_lost);
	struct audio_source *(*close)(struct audio_source *s);
};

/* The part every source begins with. */
struct audio_source {
	const struct audio_source_ops *ops;
	char detail[200]; /* what runs: "test 440 Hz" */
	unsigned int channels;
	bool is_stand_in; /* for a device that was not there: of auto */
	char node[AUDIO_NODE_BYTES]; /* the device it holds; "": none */
};

extern const struct audio_source_ops audio_source_tone_ops;
extern const struct audio_source_ops audio_source_silence_ops;
extern const struct audio_source_ops audio_source_alsa_ops;
extern const struct audio_source_ops audio_source_file_ops;
extern const struct audio_source_ops audio_source_auto_ops;

/* As video_source_find(). */
const struct audio_source_ops *audio_source_find(const char *spec,
						 const char **ret_path);
