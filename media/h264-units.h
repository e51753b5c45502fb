/* SPDX-License-Identifier: Apache-2.0 */
/* media/h264-units.h - coded units from somebody else's H.264 encoder
 *
 * Begins at an IDR picture, and sees to it that the parameter sets stand in
 * front of each: encoders in cameras and files may say them only once, and
 * whoever joins later would never know them.
 *
 * Source:  ITU-T H.264 §7.4.1.2.1 (parameter sets)
 * Thread:  capture
 * Memory:  embedded in its owner; bounded, never allocates by itself
 */
#pragma once

#include "media/unit-pool.h"

#define H264_UNITS_SETS_MAX 1024 /* bytes of parameter sets */

struct h264_units {
	uint8_t sets[H264_UNITS_SETS_MAX];
	size_t n_sets; /* bytes; 0: none known */
	bool started;  /* an IDR has been seen since the last gap */
};

void h264_units_init(struct h264_units *h);

/* The stream has a gap: wait for its next IDR picture. */
void h264_units_break(struct h264_units *h);

/**
 * h264_units_make() - copy one access unit into a coded unit
 *
 * Return: 0; 1: nothing to send (before the first IDR, or no picture in it);
 *         -ENOBUFS, -EMSGSIZE, -ENOMEM.
 */
int h264_units_make(struct h264_units *h, struct unit_pool *pool,
		    const uint8_t *data, size_t size, uint64_t capture_us,
		    struct coded_unit **ret);
