// SPDX-License-Identifier: Apache-2.0
#include "media/audio-source.h"

#include "drivers/alsa-capture.h"

#include <string.h>

static const struct audio_source_ops *const sources[] = {
	&audio_source_auto_ops,
	&audio_source_tone_ops,
	&audio_source_alsa_ops,
	&audio_source_file_ops,
};

const struct audio_source_ops *audio_source_find(const char *spec,
						 const char **ret_path)
{
	const char *colon = strchr(spec, ':');
	size_t len = colon ? (size_t) (colon - spec) : strlen(spec);
	const char *path = colon && colon[1] ? colon + 1 : NULL;

	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]);
	     i++) {
		const struct audio_source_ops *ops = sources[i];

		if (strlen(ops->name) != len || strncmp(ops->name, spec, len))
			continue;
		if (ops->wants_path != (colon != NULL) ||
		    ops->wants_path != (path != NULL))
			return NULL;
		*ret_path = path;
		return ops;
	}
	return NULL;
}

/* The first microphone, else the tone. What it opens is not "auto" any more. */
static int auto_open(struct audio_source **ret,
		     const struct audio_source_config *config, char *why,
		     size_t why_size)
{
	struct audio_source_config found = *config;
	char name[192];

	if (alsa_find_capture(name, sizeof(name)) < 0)
		return audio_source_tone_ops.open(ret, config, why, why_size);
	found.path = name;
	return audio_source_alsa_ops.open(ret, &found, why, why_size);
}

const struct audio_source_ops audio_source_auto_ops = {
	.name = "auto",
	.is_device = true,
	.open = auto_open,
};
