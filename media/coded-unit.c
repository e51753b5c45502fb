// SPDX-License-Identifier: Apache-2.0
#include "media/coded-unit.h"

#include <assert.h>

const char *media_codec_name(enum media_codec codec)
{
	switch (codec) {
	case MEDIA_CODEC_VP8:
		return "VP8";
	case MEDIA_CODEC_H264:
		return "H264";
	case MEDIA_CODEC_OPUS:
		return "opus";
	case N_MEDIA_CODECS:
		break;
	}
	assert(!"not a codec");
	return NULL;
}
