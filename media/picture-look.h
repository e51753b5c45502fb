/* SPDX-License-Identifier: Apache-2.0 */
/* media/picture-look.h - is there anything to be seen?
 *
 * A camera with its cap on gives black pictures with a little noise; one whose
 * driver hangs gives the same picture again and again, to the bit, which no
 * sensor does.
 *
 * Source:  none (our own)
 * Thread:  any; pure
 * Memory:  embedded in its owner
 */
#pragma once

#include "media/picture.h"

/* Luma of video range; black is 16. Brighter than this somewhere: a picture. */
#define PICTURE_LOOK_DARK 40

struct picture_look {
	unsigned int n, n_dark, n_same;	/* same: as the one before */
	uint64_t last;			/* what the last one adds up to */
};

/* One more picture, in the order of their coming. */
void picture_look_add(struct picture_look *look, const struct picture *p);
static inline bool picture_look_is_black(const struct picture_look *look)
{
	return look->n && look->n_dark == look->n;
}
static inline bool picture_look_is_frozen(const struct picture_look *look)
{
	return look->n > 1 && look->n_same == look->n - 1;
}
