// SPDX-License-Identifier: Apache-2.0
#include "drivers/sample-clock.h"

#define US_PER_SEC UINT64_C(1000000)

void sample_clock_init(struct sample_clock *c, unsigned int rate)
{
	*c = (struct sample_clock){ .rate = rate };
}

uint64_t sample_clock_take(struct sample_clock *c, uint64_t newest_us,
			   uint64_t waiting, unsigned int n, uint64_t *ret_lost)
{
	uint64_t age_us = waiting * US_PER_SEC / c->rate;
	uint64_t first_us = newest_us > age_us ? newest_us - age_us : 0;

	*ret_lost = 0;
	if (first_us < c->last_us)
		first_us = c->last_us;
	if (c->restarted && c->next_us && first_us > c->next_us)
		*ret_lost = (first_us - c->next_us) * c->rate / US_PER_SEC;
	c->restarted = false;
	c->last_us = first_us;
	c->next_us = first_us + (uint64_t) n * US_PER_SEC / c->rate;
	return first_us;
}

void sample_clock_restart(struct sample_clock *c)
{
	c->restarted = true;
}
