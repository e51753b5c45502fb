// SPDX-License-Identifier: Apache-2.0
/* media/source-alsa.c - a microphone as a source of sound */
#include "media/audio-source.h"

#include "drivers/alsa-capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_BYTES 256

struct source_alsa {
	struct audio_source base;
	struct alsa_capture *capture;
};

static struct source_alsa *to_alsa(struct audio_source *s)
{
	return (struct source_alsa *) s;
}

static struct audio_source *alsa_close(struct audio_source *s)
{
	struct source_alsa *a = to_alsa(s);

	if (!a)
		return NULL;
	alsa_capture_free(a->capture);
	free(a);
	return NULL;
}

/* An identity goes before a PCM of that name, a PCM before a part of a
 * microphone's name. */
static int open_meant(struct source_alsa *a,
		      const struct audio_source_config *config, char *why,
		      size_t why_size)
{
	bool is_hardware = strstr(config->path, "hw:") != NULL;
	const char *pcm = config->path;
	struct alsa_microphone found;
	int r = is_hardware ? -ENODEV
			    : alsa_resolve(pcm, false, &found, why, why_size);

	if (r == -ENOTUNIQ)
		return r;
	r = alsa_capture_open(&a->capture, r == 0 ? found.pcm : pcm,
			      AUDIO_RATE_HZ, config->channels);
	if (r != -ENOENT || is_hardware)
		return r;
	r = alsa_resolve(pcm, true, &found, why, why_size);
	if (r == 0)
		r = alsa_capture_open(&a->capture, found.pcm, AUDIO_RATE_HZ,
				      config->channels);
	return r;
}

static int alsa_open(struct audio_source **ret,
		     const struct audio_source_config *config, char *why,
		     size_t why_size)
{
	struct source_alsa *a = calloc(1, sizeof(*a));
	struct alsa_capture_info info;
	char reason[WHY_BYTES] = "";
	int r;

	if (!a)
		return -ENOMEM;
	r = open_meant(a, config, reason, sizeof(reason));
	if (r == 0)
		r = alsa_capture_start(a->capture);
	if (r < 0) {
		snprintf(why, why_size, "cannot record from '%.150s': %s",
			 config->path, *reason ? reason : strerror(-r));
		alsa_close(&a->base);
		return r;
	}
	alsa_capture_get_info(a->capture, &info);
	a->base.ops = &audio_source_alsa_ops;
	a->base.channels = config->channels;
	snprintf(a->base.node, sizeof(a->base.node), "%s", info.node);
	snprintf(a->base.detail, sizeof(a->base.detail), "alsa:%.150s %u Hz",
		 info.name, info.rate);
	*ret = &a->base;
	return 0;
}

static void alsa_wait(struct audio_source *s, struct audio_source_wait *ret)
{
	ret->n_fds = alsa_capture_get_fds(to_alsa(s)->capture, ret->fds,
					  AUDIO_SOURCE_FDS_MAX);
	ret->deadline_us = MEDIA_NO_DEADLINE;
}

static int alsa_read(struct audio_source *s, int16_t *dst,
		     unsigned int n_frames, uint64_t *ret_capture_us,
		     uint64_t *ret_lost)
{
	*ret_lost = 0;
	return alsa_capture_read(to_alsa(s)->capture, dst, n_frames,
				 ret_capture_us, ret_lost);
}

const struct audio_source_ops audio_source_alsa_ops = {
	.name = "alsa",
	.wants_path = true,
	.is_device = true,
	.open = alsa_open,
	.wait = alsa_wait,
	.read = alsa_read,
	.close = alsa_close,
};
