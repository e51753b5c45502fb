// SPDX-License-Identifier: Apache-2.0
#include "media/barcode.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

struct canvas {
	struct media_count count;
	struct picture_pool *pool;
	struct picture *p;
};

static void open_canvas(struct canvas *c, unsigned int w, unsigned int h)
{
	memset(c, 0, sizeof(*c));
	g_assert_cmpint(
		picture_pool_new(&c->pool, &c->count, 1, PICTURE_I420, w, h),
		==, 0);
	c->p = picture_pool_get(c->pool);
	picture_fill(c->p, 128, 128, 128);
}

static void close_canvas(struct canvas *c)
{
	picture_unref(c->p);
	picture_pool_close(c->pool);
}

static int read_back(const struct canvas *c, struct barcode *ret)
{
	return barcode_read(c->p->data[0], c->p->stride[0], c->p->width,
			    c->p->height, ret);
}

static void test_round_trip(void)
{
	static const unsigned int widths[] = {60 * 2, 320,  640, 958,
					      960,    1280, 1920};

	for (size_t i = 0; i < G_N_ELEMENTS(widths); i++) {
		struct canvas c;

		open_canvas(&c, widths[i], 64);
		for (uint32_t n = 0; n < 200; n++) {
			struct barcode in = {n * 2654435761u,
					     (uint16_t) (n * 331)};
			struct barcode out = {0};

			barcode_write(c.p, &in);
			g_assert_cmpint(read_back(&c, &out), ==, 0);
			g_assert_cmpuint(out.wall_100us, ==, in.wall_100us);
			g_assert_cmpuint(out.number, ==, in.number);
		}
		close_canvas(&c);
	}
}

/* The layout other programs read: cell by cell. */
static void test_layout(void)
{
	struct barcode in = {0x80000001, 0x8001};
	struct canvas c;
	uint8_t *row;

	open_canvas(&c, 1280, 64);
	barcode_write(c.p, &in);
	row = c.p->data[0] + 15 * c.p->stride[0];
	g_assert_cmpuint(row[0], ==, 16);	     /* 0: black */
	g_assert_cmpuint(row[16], ==, 235);	     /* 1: white */
	g_assert_cmpuint(row[2 * 16 + 15], ==, 235); /* clock's first bit */
	g_assert_cmpuint(row[3 * 16], ==, 16);
	g_assert_cmpuint(row[33 * 16], ==, 235); /* clock's last bit */
	g_assert_cmpuint(row[34 * 16], ==, 235); /* number's first bit */
	g_assert_cmpuint(row[49 * 16], ==, 235); /* number's last bit */
	/* XOR: 80 ^ 00 ^ 00 ^ 01 ^ 80 ^ 01 = 0 */
	for (unsigned int i = 50; i < 58; i++)
		g_assert_cmpuint(row[i * 16], ==, 16);
	g_assert_cmpuint(row[58 * 16], ==, 235);
	g_assert_cmpuint(row[59 * 16], ==, 16);
	/* What is outside stays. */
	g_assert_cmpuint(row[60 * 16], ==, 128);
	g_assert_cmpuint(c.p->data[0][16 * c.p->stride[0]], ==, 128);
	close_canvas(&c);
}

static void test_damage_is_noticed(void)
{
	struct barcode in = {0x12345678, 4711}, out = {1, 2};
	struct canvas c;

	open_canvas(&c, 960, 64);
	g_assert_cmpint(read_back(&c, &out), ==, -EBADMSG);
	for (unsigned int cell = 0; cell < BARCODE_N_CELLS; cell++) {
		barcode_write(c.p, &in);
		for (unsigned int y = 0; y < 16; y++)
			for (unsigned int x = cell * 16; x < cell * 16 + 16;
			     x++) {
				uint8_t *luma =
					c.p->data[0] + y * c.p->stride[0] + x;

				*luma = (uint8_t) (255 - *luma);
			}
		g_assert_cmpint(read_back(&c, &out), ==, -EBADMSG);
	}
	g_assert_cmpuint(out.wall_100us, ==, 1); /* untouched */
	g_assert_cmpint(
		barcode_read(c.p->data[0], c.p->stride[0], 40, 64, &out), ==,
		-EBADMSG);
	g_assert_cmpint(
		barcode_read(c.p->data[0], c.p->stride[0], 960, 8, &out), ==,
		-EBADMSG);
	close_canvas(&c);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/barcode/round-trip", test_round_trip);
	g_test_add_func("/barcode/layout", test_layout);
	g_test_add_func("/barcode/damage", test_damage_is_noticed);
	return g_test_run();
}
