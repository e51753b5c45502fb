/* SPDX-License-Identifier: Apache-2.0 */
/* media/canvas.h - rectangles and readable text, drawn into a picture
 *
 * Source:  none (our own); the letters are a 5x7 dot matrix, capitals only
 * Thread:  any, on a picture nobody else reads yet
 * Memory:  never allocates
 */
#pragma once

#include "media/picture.h"

#define CANVAS_GLYPH_WIDTH  6 /* dots, the gap to the next included */
#define CANVAS_GLYPH_HEIGHT 7 /* dots */

struct canvas_colour {
	uint8_t y, u, v; /* limited range, BT.601 */
};

#define CANVAS_BLACK ((struct canvas_colour){16, 128, 128})
#define CANVAS_WHITE ((struct canvas_colour){235, 128, 128})

/* Fills a rectangle, cut at the picture's edges; odd edges grow to even ones
 * (chroma has half the resolution). I420 only. */
void canvas_fill(struct picture *p, unsigned int x, unsigned int y,
		 unsigned int width, unsigned int height,
		 struct canvas_colour colour);

/**
 * canvas_text() - write one line of text in luma
 * @dot:  pixels to a dot's side
 * @luma: brightness of the letters; the background stays
 *
 * What does not fit into the picture is cut; letters the font lacks become
 * question marks. Return: the width in pixels that was written.
 */
unsigned int canvas_text(struct picture *p, unsigned int x, unsigned int y,
			 unsigned int dot, uint8_t luma, const char *text);

/* Pixels of @text's width with dots of @dot pixels. */
unsigned int canvas_text_width(const char *text, unsigned int dot);
