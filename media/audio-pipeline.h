/* SPDX-License-Identifier: Apache-2.0 */
/* media/audio-pipeline.h - one sound source and its Opus encoder
 *
 * 48 kHz, 20 ms frames. Source and encoder share the capture thread: Opus
 * costs 1 % of a core, a second thread would cost more in switches.
 *
 * The source may be replaced while it runs, with another number of channels
 * too: packets stay numbered and timed without going back. The old source is
 * closed first; what cannot be opened is silence.
 *
 * Source:  RFC 6716 (Opus), RFC 7587 (frame sizes), RFC 6464 (level)
 * Thread:  control, save where a function says "any"
 * Memory:  owned by its creator; free as in video-pipeline.h
 */
#pragma once

#include "media/audio-source.h"
#include "media/coded-unit.h"
#include "media/media-clock.h"

struct audio_pipeline;

enum audio_source_state {
	AUDIO_SOURCE_IDLE,	/* nobody listens, or there is no source */
	AUDIO_SOURCE_LIVE,
	AUDIO_SOURCE_SILENCE,	/* device missing or broke: silence at the right
				 * pace, the device is tried once a second */
};

struct audio_choice {
	/* "auto"	the first ALSA capture device, else the test tone
	 * "test"	a 440 Hz tone, interrupted for 50 ms each full second
	 * "alsa:NAME"	a microphone's identity, an ALSA PCM name ("alsa:hw:1,0",
	 *		"alsa:default"), or a part of a microphone's name
	 * "file:PATH"	whatever libavformat reads, looped; also a FIFO
	 * NULL		none: no device is open and nothing flows
	 */
	const char *source;
	unsigned int channels;		/* 1 or 2 */
};

struct audio_pipeline_config {
	struct audio_choice choice;
	unsigned int bitrate_bps;
	/* One Opus packet is ready; borrowed; capture thread; must not block */
	void (*on_unit)(void *user, struct coded_unit *unit);
	void (*on_state)(void *user, enum audio_source_state state,
			 const char *detail);
	void *user;

	/* The time that paces the sources; NULL: the kernel's. Outlives the
	 * pipeline. */
	const struct media_clock *clock;
};

struct audio_pipeline_stats {
	enum audio_source_state state;
	char source[256];
	uint64_t since_us;		/* CLOCK_MONOTONIC: state began */
	uint64_t lost;			/* times that a device gave way to
					 * silence */
	char node[AUDIO_NODE_BYTES];	/* the device that is held: "hw:1,0";
					 * "": none */
	unsigned int channels;
	uint64_t replaced;		/* times that a source took over while
					 * somebody listened */
	uint64_t units_out, bytes_out;
	uint64_t overruns;		/* ALSA xruns */
	uint64_t samples_lost;
	uint8_t level;			/* of the last packet, -dBov */
	unsigned int takers;
};

/* As video_pipeline_new(). */
int audio_pipeline_new(struct audio_pipeline **ret,
		       const struct audio_pipeline_config *config,
		       char **ret_error);
struct audio_pipeline *audio_pipeline_free(struct audio_pipeline *p);

/* As their namesakes in video-pipeline.h. */
bool audio_pipeline_check(struct audio_pipeline *p);
void audio_pipeline_poke(struct audio_pipeline *p);
bool audio_pipeline_is_about(struct audio_pipeline *p, const char *source,
			     const char *node);

/* As video_pipeline_set_source(), without -EBUSY. */
int audio_pipeline_set_source(struct audio_pipeline *p,
			      const struct audio_choice *choice,
			      char **ret_error);
/* As video_choice_find_fault() and video_choice_try(). */
char *audio_choice_find_fault(const struct audio_choice *choice);
int audio_choice_try(const struct audio_choice *choice, char **ret_error);

/* Counted users; the source runs while there is one. Its thread is told to end
 * and not waited for; but no unit comes after the last release has returned. */
int audio_pipeline_take(struct audio_pipeline *p);
void audio_pipeline_release(struct audio_pipeline *p);

void audio_pipeline_set_bitrate(struct audio_pipeline *p, unsigned int bps);
/* Software gain of what is captured, in percent: 0 is silence, 100 as it is;
 * what would be too loud is cut off. Any thread. */
#define AUDIO_VOLUME_MAX 400
void audio_pipeline_set_volume(struct audio_pipeline *p, unsigned int percent);
/* Muted: digital silence is encoded. Any thread. */
void audio_pipeline_set_muted(struct audio_pipeline *p, bool muted);
void audio_pipeline_get_stats(struct audio_pipeline *p,
			      struct audio_pipeline_stats *ret_stats);
