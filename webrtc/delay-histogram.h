/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/delay-histogram.h - quantiles of a delay, at a few nanoseconds each
 *
 * Eight buckets to each doubling, from 64 us to 67 s: a quantile is exact to
 * 9 %. When DELAY_HISTOGRAM_KEEP values are in, all counts are halved, so old
 * times fade.
 *
 * Source:  none (our own)
 * Thread:  any; one at a time
 * Memory:  embedded in its owner, zeroed before the first use
 */
#pragma once

#include <stdint.h>

#define DELAY_HISTOGRAM_BUCKETS 160
#define DELAY_HISTOGRAM_KEEP	4096

struct delay_histogram {
	uint32_t n;
	uint32_t counts[DELAY_HISTOGRAM_BUCKETS];
};

void delay_histogram_add(struct delay_histogram *h, uint64_t delay_us);

/* The upper end, in microseconds, of the bucket that holds the value below
 * which @share (0..1) of all are; 0 when there are none. */
uint32_t delay_histogram_get(const struct delay_histogram *h, double share);
