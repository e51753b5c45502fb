/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/sample-clock.h - when captured sound was captured, and what is lost
 *
 * Drivers say when the newest sample was there; the reader takes the oldest.
 * Times handed out never go back, and a restart after an overrun turns the
 * time that passed into samples lost.
 *
 *   ... taken | waiting (avail) | not yet
 *             ^                 ^
 *         wanted time        time stamp
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  embedded in its owner; nothing to release
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sample_clock {
	unsigned int rate;	/* Hz, never 0 */
	uint64_t last_us;	/* handed out last; 0: none yet */
	uint64_t next_us;	/* where the samples taken so far end; 0: none */
	bool restarted;		/* what comes next does not follow */
};

void sample_clock_init(struct sample_clock *c, unsigned int rate);

/**
 * sample_clock_take() - stamp samples that were just taken
 * @newest_us: CLOCK_MONOTONIC microseconds of the driver's time stamp
 * @waiting:   samples that waited then, those taken included
 * @n:         samples taken, at least one
 * @ret_lost:  samples lost before them; 0 unless the stream was restarted
 *
 * Return: when the first of them was captured, microseconds.
 */
uint64_t sample_clock_take(struct sample_clock *c, uint64_t newest_us,
			   uint64_t waiting, unsigned int n,
			   uint64_t *ret_lost);

/* The stream stopped and begins anew: what lies between is lost. */
void sample_clock_restart(struct sample_clock *c);
