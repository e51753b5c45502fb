/* SPDX-License-Identifier: Apache-2.0 */
/* media/barcode.h - clock and frame number, written into the picture itself
 *
 * Whoever receives the picture, however coded, can tell which frame it is and
 * when it was drawn: latency, freezes and order are measured in any receiver.
 *
 *   cell   0      1      2..33         34..49        50..57    58     59
 *        +------+------+-------------+-------------+---------+------+------+
 *        | black| white| wall clock  | frame number| XOR of  | white| black|
 *        |      |      | 0.1 ms, 32b | 16 bits     | 6 bytes |      |      |
 *        +------+------+-------------+-------------+---------+------+------+
 *
 * Most significant bit first, white is 1. A cell is 16x16 luma pixels at the
 * top left of the picture, width/60 wide (and still 16 high) in pictures
 * narrower than 960.
 *
 * Source:  none (our own; the layout of the project's measurements)
 * Thread:  any
 * Memory:  the caller's; never allocates
 */
#pragma once

#include "media/picture.h"

#define BARCODE_N_CELLS	    60
#define BARCODE_CELL_HEIGHT 16 /* pixels */

struct barcode {
	uint32_t wall_100us; /* CLOCK_REALTIME in 0.1 ms, modulo 2^32 */
	uint16_t number;     /* of the frame, modulo 2^16 */
};

/* Pixels of one cell's width in a picture of @width pixels. */
unsigned int barcode_cell_width(unsigned int width);

/* Draws @b. The picture is at least 60 pixels wide and 16 high. */
void barcode_write(struct picture *p, const struct barcode *b);

/**
 * barcode_read() - find the barcode in a luma plane
 * @stride: bytes from one row to the next
 *
 * Return: 0, or -EBADMSG if there is none or its check byte is wrong; then
 *         @ret is untouched.
 */
int barcode_read(const uint8_t *luma, int stride, unsigned int width,
		 unsigned int height, struct barcode *ret);
