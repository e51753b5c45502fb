// SPDX-License-Identifier: Apache-2.0
#include "media/picture-look.h"

#define STEP 4	/* pixels: each fourth of each fourth line is enough */

void picture_look_add(struct picture_look *look, const struct picture *p)
{
	uint64_t sum = UINT64_C(14695981039346656037);	/* FNV-1a */
	unsigned int bright = 0, seen = 0;

	for (unsigned int y = 0; y < p->height; y += STEP) {
		const uint8_t *line = p->data[0] + (ptrdiff_t) y * p->stride[0];

		for (unsigned int x = 0; x < p->width; x += STEP) {
			sum = (sum ^ line[x]) * UINT64_C(1099511628211);
			bright += line[x] > PICTURE_LOOK_DARK;
			seen++;
		}
	}
	/* Hot pixels are no picture: one in a thousand may shine. */
	look->n_dark += bright <= seen / 1000;
	look->n_same += look->n && sum == look->last;
	look->last = sum;
	look->n++;
}
