/* SPDX-License-Identifier: Apache-2.0 */
/* media/opus-encoder.h - 20 ms of sound into one Opus packet
 *
 * libopus through libavcodec, with in-band FEC. The wrapper takes no bit rate
 * while it runs: a new rate opens a new encoder between two packets, which is
 * heard as nothing or as a faint click; rates of sound change seldom.
 *
 * Source:  RFC 6716, RFC 7587
 * Thread:  capture
 * Memory:  owned by its creator; a packet's bytes are the library's, carried
 *          by the unit without a copy
 */
#pragma once

#include "media/unit-pool.h"

#define OPUS_FRAME_SAMPLES 960 /* of each channel: 20 ms at 48 kHz */

struct opus_encoder;

/* Return: 0, -ENOTSUP without libopus, -EINVAL, -ENOMEM */
int opus_encoder_new(struct opus_encoder **ret, unsigned int channels,
		     unsigned int bitrate_bps, struct unit_pool *units);
struct opus_encoder *opus_encoder_free(struct opus_encoder *e);

/* Where the next 20 ms are written: OPUS_FRAME_SAMPLES interleaved frames.
 * Ask again after each packet. NULL without memory. */
int16_t *opus_encoder_get_input(struct opus_encoder *e);

/* Encodes what was written. Return: 0 with one reference in @ret, -ENOBUFS
 * when the readers hold all units, or another negative errno. */
int opus_encoder_encode(struct opus_encoder *e, struct coded_unit **ret);

/* Opens anew if @bitrate_bps is not the present rate. Return: as new; on
 * failure the old rate goes on. */
int opus_encoder_set_bitrate(struct opus_encoder *e, unsigned int bitrate_bps);
