// SPDX-License-Identifier: Apache-2.0
#include "webrtc/delay-histogram.h"

#define FIRST_BITS 6 /* 64 us */
#define SUB_BITS   3 /* eight buckets to a doubling */

/* The value's leading bit chooses the doubling, the three bits behind it the
 * bucket in it. */
static unsigned int bucket_of(uint64_t delay_us)
{
	unsigned int octave, bucket;

	if (delay_us >> FIRST_BITS == 0)
		return 0;
	octave = 63 - (unsigned int) __builtin_clzll(delay_us);
	bucket = ((octave - FIRST_BITS) << SUB_BITS) +
		 (unsigned int) (delay_us >> (octave - SUB_BITS) &
				 ((1u << SUB_BITS) - 1));
	return bucket < DELAY_HISTOGRAM_BUCKETS ? bucket
						: DELAY_HISTOGRAM_BUCKETS - 1;
}

static uint32_t end_of(unsigned int bucket)
{
	unsigned int octave = FIRST_BITS + (bucket >> SUB_BITS);
	uint32_t sub = bucket & ((1u << SUB_BITS) - 1);

	return ((1u << SUB_BITS) + sub + 1) << (octave - SUB_BITS);
}

static void halve(struct delay_histogram *h)
{
	h->n = 0;
	for (unsigned int i = 0; i < DELAY_HISTOGRAM_BUCKETS; i++) {
		h->counts[i] /= 2;
		h->n += h->counts[i];
	}
}

void delay_histogram_add(struct delay_histogram *h, uint64_t delay_us)
{
	if (h->n >= DELAY_HISTOGRAM_KEEP)
		halve(h);
	h->counts[bucket_of(delay_us)]++;
	h->n++;
}

uint32_t delay_histogram_get(const struct delay_histogram *h, double share)
{
	double wanted = share * h->n;
	uint32_t below = 0;

	for (unsigned int i = 0; i < DELAY_HISTOGRAM_BUCKETS; i++) {
		below += h->counts[i];
		if (below && below >= wanted)
			return end_of(i);
	}
	return 0;
}
