// SPDX-License-Identifier: Apache-2.0
#include "media/audio-source.h"

#include "drivers/alsa-capture.h"
#include "media/source-spec.h"

#include <stdio.h>

static const struct audio_source_ops *const sources[] = {
	&audio_source_auto_ops,
	&audio_source_tone_ops,
	&audio_source_alsa_ops,
	&audio_source_file_ops,
};

const struct audio_source_ops *audio_source_find(const char *spec,
						 const char **ret_path)
{
	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (source_spec_is(spec, sources[i]->name,
				   sources[i]->wants_path, ret_path))
			return sources[i];
	return NULL;
}

/* The first microphone, else the tone, which stands in for one. What it opens
 * is not "auto" any more. */
static int auto_open(struct audio_source **ret,
		     const struct audio_source_config *config, char *why,
		     size_t why_size)
{
	struct audio_source_config found = *config;
	struct alsa_microphone microphone;
	int r = alsa_find_capture(&microphone);

	if (r == 0) {
		found.path = microphone.pcm;
		return audio_source_alsa_ops.open(ret, &found, why, why_size);
	}
	if (config->device_only) {
		snprintf(why, why_size, "no microphone is there");
		return r;
	}
	r = audio_source_tone_ops.open(ret, config, why, why_size);
	if (r == 0)
		(*ret)->is_stand_in = true;
	return r;
}

const struct audio_source_ops audio_source_auto_ops = {
	.name = "auto",
	.is_device = true,
	.open = auto_open,
};
