/* SPDX-License-Identifier: Apache-2.0 */
/* media/coded-unit.h - one encoded access unit, shared by all who send it
 *
 * A unit is one video access unit (H.264 in Annex B byte-stream format) or one
 * Opus packet. Its one producer is an encoder or a pass-through source; its
 * readers are any number of peers. It returns to its producer's pool when the
 * last reader lets go.
 *
 * Source:  none (our own)
 * Thread:  any; the count is atomic, the contents are immutable once shared
 * Memory:  reference counted; release() runs on the thread of the last unref
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum media_codec {
	MEDIA_CODEC_VP8,
	MEDIA_CODEC_H264,
	MEDIA_CODEC_OPUS,
	N_MEDIA_CODECS,
};

enum media_kind {
	MEDIA_KIND_AUDIO,
	MEDIA_KIND_VIDEO,
};

struct coded_unit {
	atomic_uint refs;
	enum media_codec codec;
	bool keyframe;		/* video: decodable on its own (IDR with
				 * parameter sets, VP8 key frame) */
	uint32_t rung;		/* which running encoder made it */
	uint64_t number;	/* counts the units of this rung from 0; a gap
				 * means units were dropped on the way here */
	uint64_t capture_us;	/* CLOCK_MONOTONIC of the frame's capture, or of
				 * the first audio sample; microseconds */
	uint64_t encoded_us;	/* CLOCK_MONOTONIC when the encoder was done */
	uint32_t n_samples;	/* audio: duration at 48 kHz; video: 0 */
	uint8_t audio_level;	/* audio: -dBov, 0 (loudest) to 127 (silence);
				 * RFC 6464 */
	bool audio_voice;
	const uint8_t *data;
	size_t size;		/* bytes */
	void (*release)(struct coded_unit *u);
};

static inline struct coded_unit *coded_unit_ref(struct coded_unit *u)
{
	atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
	return u;
}

/* Lets go of one reference. Returns NULL, to be assigned. Takes NULL. */
static inline struct coded_unit *coded_unit_unref(struct coded_unit *u)
{
	if (u && atomic_fetch_sub_explicit(&u->refs, 1,
					   memory_order_acq_rel) == 1)
		u->release(u);
	return NULL;
}

/* "VP8", "H264", "opus": the encoding name of the codec's RTP payload format */
const char *media_codec_name(enum media_codec codec);
