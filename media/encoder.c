// SPDX-License-Identifier: Apache-2.0
#include "media/encoder.h"

/* The first of a codec is preferred. */
static const struct encoder_ops *const encoders[] = {
	&encoder_vpx_ops,
	&encoder_x264_ops,
};

const struct encoder_ops *encoder_find(enum media_codec codec)
{
	for (unsigned int i = 0; i < sizeof(encoders) / sizeof(encoders[0]);
	     i++)
		if (encoders[i]->codec == codec)
			return encoders[i];
	return NULL;
}
