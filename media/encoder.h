/* SPDX-License-Identifier: Apache-2.0 */
/* media/encoder.h - picture encoders, as a table of functions
 *
 * Source:  RFC 6386 (VP8), ITU-T H.264 (Annex B output)
 * Thread:  encode; one encoder belongs to one thread
 * Memory:  owned by who opened it; close() returns NULL
 */
#pragma once

#include "media/coded-unit.h"
#include "media/picture.h"
#include "media/unit-pool.h"

struct encoder;

struct encoder_config {
	unsigned int width, height; /* pixels */
	enum picture_format format;
	unsigned int fps;
	unsigned int bitrate_bps;
	struct unit_pool *units; /* where the output goes; outlives it */
};

enum {
	ENCODER_UNIT = 0,
	ENCODER_SKIPPED = 1, /* the encoder dropped the picture by itself, to
			      * keep its rate */
};

struct encoder_ops {
	const char *name; /* "libvpx" */
	enum media_codec codec;
	unsigned int formats; /* bit per enum picture_format it eats */

	int (*open)(struct encoder **ret, const struct encoder_config *config);
	/* @keyframe: this one must be decodable on its own.
	 *
	 * Fills codec, keyframe, capture_us, data and size of *@ret. The
	 * picture is not used after the return. Return: ENCODER_UNIT with one
	 * reference in @ret, ENCODER_SKIPPED, -ENOBUFS when the readers hold
	 * all units (the picture was not encoded), or a negative errno: open
	 * it anew. */
	int (*encode)(struct encoder *e, const struct picture_frame *frame,
		      bool keyframe, struct coded_unit **ret);
	/* For the next picture on; bits per second. */
	int (*set_bitrate)(struct encoder *e, unsigned int bps);
	struct encoder *(*close)(struct encoder *e);
};

/* The part every encoder begins with. */
struct encoder {
	const struct encoder_ops *ops;
	struct encoder_config config;
};

extern const struct encoder_ops encoder_vpx_ops;
extern const struct encoder_ops encoder_x264_ops;

/* NULL if nothing here encodes @codec. */
const struct encoder_ops *encoder_find(enum media_codec codec);
