// SPDX-License-Identifier: Apache-2.0
/* media/source-tone.c - the test tone, and silence at the same pace
 *
 * 440 Hz, silent for the first 50 ms of each second of the wall clock: whoever
 * hears it can tell how late it is, and lip sync against the test picture's
 * clock can be measured. Samples are due by the monotonic clock from the start
 * on, never "a while after the last": errors do not add up.
 */
#include "media/audio-source.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TONE_HZ	    440
#define TONE_PERIOD 1200 /* samples: 11 whole waves at 48 kHz */
#define AMPLITUDE   8192 /* -12 dBFS */
#define GAP_US	    UINT64_C(50000)
#define RAMP_US	    UINT64_C(2000)   /* without it the gap clicks */
#define CHUNK	    960		     /* samples handed out at once: 20 ms */
#define MAX_LATE_US UINT64_C(200000) /* after it the lost time is skipped */

struct source_tone {
	struct audio_source base;
	const struct media_clock *clock;
	uint64_t start_us;
	uint64_t position; /* samples since start_us */
	bool silent;
	int16_t wave[TONE_PERIOD];
};

static struct source_tone *to_tone(struct audio_source *s)
{
	return (struct source_tone *) s;
}

static int open_any(struct audio_source **ret,
		    const struct audio_source_config *config,
		    const struct audio_source_ops *ops)
{
	struct source_tone *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->base.ops = ops;
	t->base.channels = config->channels;
	t->clock = config->clock;
	t->start_us = media_clock_now_us(t->clock);
	t->silent = ops == &audio_source_silence_ops;
	for (unsigned int i = 0; i < TONE_PERIOD; i++)
		t->wave[i] =
			(int16_t) lrint(AMPLITUDE * sin(2 * M_PI * TONE_HZ * i /
							AUDIO_RATE_HZ));
	if (t->silent)
		snprintf(t->base.detail, sizeof(t->base.detail), "silence");
	else
		snprintf(t->base.detail, sizeof(t->base.detail),
			 "test tone %u Hz", TONE_HZ);
	*ret = &t->base;
	return 0;
}

static int tone_open(struct audio_source **ret,
		     const struct audio_source_config *config, char *why,
		     size_t why_size)
{
	return open_any(ret, config, &audio_source_tone_ops);
}

static int silence_open(struct audio_source **ret,
			const struct audio_source_config *config, char *why,
			size_t why_size)
{
	return open_any(ret, config, &audio_source_silence_ops);
}

static struct audio_source *tone_close(struct audio_source *s)
{
	free(to_tone(s));
	return NULL;
}

static uint64_t time_of(const struct source_tone *t, uint64_t position)
{
	return t->start_us + position * 125 / 6; /* 10^6 / 48000 */
}

/* A sample exists when its time has passed, so a chunk is due at its end. */
static void tone_wait(struct audio_source *s, struct audio_source_wait *ret)
{
	struct source_tone *t = to_tone(s);

	ret->n_fds = 0;
	ret->deadline_us = time_of(t, t->position + CHUNK);
}

/* Loudness at a moment of the wall clock's second, 0 to 256. */
static int gain_at(uint64_t wall_us)
{
	uint64_t us = wall_us % MEDIA_US_PER_SEC;

	if (us < GAP_US)
		return 0;
	if (us < GAP_US + RAMP_US)
		return (int) ((us - GAP_US) * 256 / RAMP_US);
	if (us > MEDIA_US_PER_SEC - RAMP_US)
		return (int) ((MEDIA_US_PER_SEC - us) * 256 / RAMP_US);
	return 256;
}

static int tone_read(struct audio_source *s, int16_t *dst,
		     unsigned int n_frames, uint64_t *ret_capture_us,
		     uint64_t *ret_lost)
{
	struct source_tone *t = to_tone(s);
	uint64_t now = media_clock_now_us(t->clock), wall_us;

	*ret_lost = 0;
	if (now < time_of(t, t->position + CHUNK))
		return 0;
	if (now > time_of(t, t->position + CHUNK) + MAX_LATE_US) {
		uint64_t position = (now - t->start_us) * 6 / 125 - CHUNK;

		*ret_lost = position - t->position;
		t->position = position;
	}

	if (n_frames > CHUNK)
		n_frames = CHUNK;
	*ret_capture_us = time_of(t, t->position);
	wall_us = media_clock_wall_us(t->clock) - (now - *ret_capture_us);
	for (unsigned int i = 0; i < n_frames; i++) {
		int gain = t->silent ? 0 : gain_at(wall_us + i * 125 / 6);
		int v = t->wave[(t->position + i) % TONE_PERIOD] * gain / 256;

		for (unsigned int c = 0; c < t->base.channels; c++)
			*dst++ = (int16_t) v;
	}
	t->position += n_frames;
	return (int) n_frames;
}

const struct audio_source_ops audio_source_tone_ops = {
	.name = "test",
	.open = tone_open,
	.wait = tone_wait,
	.read = tone_read,
	.close = tone_close,
};

const struct audio_source_ops audio_source_silence_ops = {
	.name = "silence",
	.open = silence_open,
	.wait = tone_wait,
	.read = tone_read,
	.close = tone_close,
};
