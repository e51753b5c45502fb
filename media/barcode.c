// SPDX-License-Identifier: Apache-2.0
#include "media/barcode.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define LUMA_BLACK 16
#define LUMA_WHITE 235
#define N_BYTES	   7
#define FIRST_BIT  2 /* cell of the first data bit */

static const uint8_t head[2] = {0, 1};
static const uint8_t tail[2] = {1, 0};

unsigned int barcode_cell_width(unsigned int width)
{
	return width >= 960 ? 16 : width / BARCODE_N_CELLS;
}

static void pack(const struct barcode *b, uint8_t bytes[N_BYTES])
{
	bytes[0] = (uint8_t) (b->wall_100us >> 24);
	bytes[1] = (uint8_t) (b->wall_100us >> 16);
	bytes[2] = (uint8_t) (b->wall_100us >> 8);
	bytes[3] = (uint8_t) b->wall_100us;
	bytes[4] = (uint8_t) (b->number >> 8);
	bytes[5] = (uint8_t) b->number;
	bytes[6] = 0;
	for (unsigned int i = 0; i < 6; i++)
		bytes[6] ^= bytes[i];
}

void barcode_write(struct picture *p, const struct barcode *b)
{
	unsigned int cell = barcode_cell_width(p->width);
	uint8_t bytes[N_BYTES], cells[BARCODE_N_CELLS];

	assert(cell > 0 && p->height >= BARCODE_CELL_HEIGHT);

	pack(b, bytes);
	memcpy(cells, head, 2);
	for (unsigned int i = 0; i < N_BYTES * 8; i++)
		cells[FIRST_BIT + i] = bytes[i / 8] >> (7 - i % 8) & 1;
	memcpy(cells + BARCODE_N_CELLS - 2, tail, 2);

	for (unsigned int i = 0; i < BARCODE_N_CELLS; i++)
		memset(p->data[0] + i * cell,
		       cells[i] ? LUMA_WHITE : LUMA_BLACK, cell);
	for (unsigned int y = 1; y < BARCODE_CELL_HEIGHT; y++)
		memcpy(p->data[0] + (size_t) y * p->stride[0], p->data[0],
		       (size_t) cell * BARCODE_N_CELLS);
}

/* The middle of a cell: its edges are where coding errors gather. */
static unsigned int cell_luma(const uint8_t *luma, int stride,
			      unsigned int cell, unsigned int i)
{
	unsigned int margin = cell >= 8 ? cell / 4 : cell >= 3 ? 1 : 0;
	unsigned int x0 = i * cell + margin, x1 = (i + 1) * cell - margin;
	unsigned int y0 = BARCODE_CELL_HEIGHT / 4;
	unsigned int y1 = BARCODE_CELL_HEIGHT - y0;
	unsigned int sum = 0;

	for (unsigned int y = y0; y < y1; y++)
		for (unsigned int x = x0; x < x1; x++)
			sum += luma[(ptrdiff_t) y * stride + x];
	return sum / ((x1 - x0) * (y1 - y0));
}

int barcode_read(const uint8_t *luma, int stride, unsigned int width,
		 unsigned int height, struct barcode *ret)
{
	unsigned int cell = barcode_cell_width(width);
	uint8_t bytes[N_BYTES] = {0}, check[N_BYTES];
	uint8_t cells[BARCODE_N_CELLS];
	struct barcode b;

	if (cell == 0 || height < BARCODE_CELL_HEIGHT)
		return -EBADMSG;

	for (unsigned int i = 0; i < BARCODE_N_CELLS; i++)
		cells[i] = cell_luma(luma, stride, cell, i) >= 128;
	if (memcmp(cells, head, 2) ||
	    memcmp(cells + BARCODE_N_CELLS - 2, tail, 2))
		return -EBADMSG;

	for (unsigned int i = 0; i < N_BYTES * 8; i++)
		bytes[i / 8] =
			(uint8_t) (bytes[i / 8] << 1 | cells[FIRST_BIT + i]);
	b.wall_100us = (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 |
		       (uint32_t) bytes[2] << 8 | bytes[3];
	b.number = (uint16_t) (bytes[4] << 8 | bytes[5]);

	pack(&b, check);
	if (check[6] != bytes[6])
		return -EBADMSG;
	*ret = b;
	return 0;
}
