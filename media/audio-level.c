// SPDX-License-Identifier: Apache-2.0
#include "media/audio-level.h"

#include <math.h>

#define SILENCE 127

uint8_t audio_level(const int16_t *samples, size_t n)
{
	uint64_t sum = 0; /* 2^30 a sample: enough for 2^34 of them */
	double db;

	for (size_t i = 0; i < n; i++)
		sum += (uint64_t) ((int32_t) samples[i] * samples[i]);
	if (sum == 0)
		return SILENCE;

	/* 0 dBov is a full-scale square wave (RFC 6464 §3). */
	db = -10 * log10((double) sum / (double) n / (32768.0 * 32768.0));
	return db >= SILENCE ? SILENCE : (uint8_t) lrint(db);
}
