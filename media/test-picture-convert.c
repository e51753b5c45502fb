// SPDX-License-Identifier: Apache-2.0
#include "media/picture-convert.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  162 /* not a multiple of any block */
#define HEIGHT 50

struct target {
	struct media_count count;
	struct picture_pool *pool;
	struct picture *p;
};

static void open_target(struct target *t, unsigned int w, unsigned int h)
{
	memset(t, 0, sizeof(*t));
	g_assert_cmpint(
		picture_pool_new(&t->pool, &t->count, 1, PICTURE_I420, w, h),
		==, 0);
	t->p = picture_pool_get(t->pool);
}

static void close_target(struct target *t)
{
	picture_unref(t->p);
	picture_pool_close(t->pool);
}

static void check_colour(const struct picture *p, int y, int u, int v, int off)
{
	for (unsigned int plane = 0; plane < 3; plane++) {
		unsigned int w = plane ? p->width / 2 : p->width;
		unsigned int h = plane ? p->height / 2 : p->height;
		int want = plane == 0 ? y : plane == 1 ? u : v;

		for (unsigned int i = 0; i < h; i++)
			for (unsigned int j = 0; j < w; j++)
				g_assert_cmpint(
					abs(p->data[plane]
						   [i * p->stride[plane] + j] -
					    want),
					<=, off);
	}
}

/* One colour, in every layout, must stay that colour. */
static void test_layouts(void)
{
	static uint8_t planes[3][WIDTH * HEIGHT * 4];
	struct picture_view view = {
		.width = WIDTH,
		.height = HEIGHT,
		.data = {planes[0], planes[1], planes[2]},
	};
	struct target t;
	uint64_t n = 0;

	open_target(&t, WIDTH, HEIGHT);
	for (int layout = PIXELS_I420; layout <= PIXELS_BGRA; layout++) {
		int y = 100, u = 90, v = 160, off = 0;

		view.layout = (enum pixel_layout) layout;
		view.stride[0] = WIDTH;
		view.stride[1] = view.stride[2] = WIDTH / 2;
		memset(planes[0], y, sizeof(planes[0]));
		memset(planes[1], u, sizeof(planes[1]));
		memset(planes[2], v, sizeof(planes[2]));
		switch (view.layout) {
		case PIXELS_I420:
		case PIXELS_I422:
			break;
		case PIXELS_I444:
			view.stride[1] = view.stride[2] = WIDTH;
			break;
		case PIXELS_GREY:
			u = v = 128;
			break;
		case PIXELS_NV12:
			view.stride[1] = WIDTH;
			for (size_t i = 1; i < sizeof(planes[1]); i += 2)
				planes[1][i] = (uint8_t) v;
			break;
		case PIXELS_YUYV:
			view.stride[0] = 2 * WIDTH;
			for (size_t i = 0; i < sizeof(planes[0]); i += 4) {
				planes[0][i + 1] = (uint8_t) u;
				planes[0][i + 3] = (uint8_t) v;
			}
			break;
		case PIXELS_RGB24: /* pure red */
			view.stride[0] = 3 * WIDTH;
			memset(planes[0], 0, sizeof(planes[0]));
			for (size_t i = 0; i < sizeof(planes[0]); i += 3)
				planes[0][i] = 255;
			y = 82;
			u = 90;
			v = 240;
			off = 1;
			break;
		case PIXELS_BGRA: /* pure blue */
			view.stride[0] = 4 * WIDTH;
			memset(planes[0], 0, sizeof(planes[0]));
			for (size_t i = 0; i < sizeof(planes[0]); i += 4)
				planes[0][i] = 255;
			y = 41;
			u = 240;
			v = 110;
			off = 1;
			break;
		}
		picture_fill(t.p, 0, 0, 0);
		picture_convert(t.p, &view, &t.count);
		check_colour(t.p, y, u, v, off);
		g_assert_cmpuint(media_count_get(&t.count.frame_copies), ==,
				 ++n);
	}
	close_target(&t);
}

static void test_full_range_is_narrowed(void)
{
	static const struct {
		int in[3], out[3];
	} cases[] = {
		{{0, 128, 128}, {16, 128, 128}},
		{{255, 128, 128}, {235, 128, 128}},
		{{128, 0, 255}, {126, 16, 240}},
		{{200, 255, 0}, {188, 240, 16}},
	};
	static uint8_t planes[3][WIDTH * HEIGHT];
	struct target t;

	open_target(&t, WIDTH, HEIGHT);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (int layout = PIXELS_I420; layout <= PIXELS_I444;
		     layout++) {
			int chroma = layout == PIXELS_I444 ? WIDTH : WIDTH / 2;
			struct picture_view view = {
				.layout = (enum pixel_layout) layout,
				.full_range = true,
				.width = WIDTH,
				.height = HEIGHT,
				.data = {planes[0], planes[1], planes[2]},
				.stride = {WIDTH, chroma, chroma},
			};

			for (int plane = 0; plane < 3; plane++)
				memset(planes[plane], cases[i].in[plane],
				       sizeof(planes[plane]));
			picture_convert(t.p, &view, &t.count);
			check_colour(t.p, cases[i].out[0], cases[i].out[1],
				     cases[i].out[2], 1);
		}
	}
	close_target(&t);
}

static void test_odd_edges_are_cut(void)
{
	static uint8_t planes[3][65 * 49];
	struct picture_view view = {
		.layout = PIXELS_I420,
		.width = 65,
		.height = 49,
		.data = {planes[0], planes[1], planes[2]},
		.stride = {65, 33, 33},
	};
	struct target t;

	memset(planes, 77, sizeof(planes));
	open_target(&t, 64, 48);
	picture_convert(t.p, &view, &t.count);
	check_colour(t.p, 77, 77, 77, 0);
	close_target(&t);
}

static void test_cost(void)
{
	enum { W = 1280, H = 720, N = 50 };
	uint8_t *yuyv = g_malloc(W * H * 2), *copy = g_malloc(W * H * 2);
	struct picture_view view = {
		.layout = PIXELS_YUYV,
		.width = W,
		.height = H,
		.data = {yuyv},
		.stride = {W * 2},
	};
	gint64 start, convert_us, copy_us;
	struct target t;

	memset(yuyv, 100, W * H * 2);
	memset(copy, 0, W * H * 2);
	open_target(&t, W, H);
	picture_convert(t.p, &view, &t.count);
	start = g_get_monotonic_time();
	for (int i = 0; i < N; i++)
		picture_convert(t.p, &view, &t.count);
	convert_us = g_get_monotonic_time() - start;
	start = g_get_monotonic_time();
	for (int i = 0; i < N; i++) {
		yuyv[i] = (uint8_t) i;
		memcpy(copy, yuyv, W * H * 2);
	}
	copy_us = g_get_monotonic_time() - start;
	g_test_message("YUYV to I420 at 720p: %.3f ms; memcpy of it: %.3f ms",
		       (double) convert_us / N / 1000,
		       (double) copy_us / N / 1000);
	g_assert_cmpuint(copy[N - 1], ==, N - 1);
	g_assert_cmpuint(media_count_get(&t.count.frame_copies), ==, N + 1);
	close_target(&t);
	g_free(yuyv);
	g_free(copy);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/picture-convert/layouts", test_layouts);
	g_test_add_func("/picture-convert/full-range",
			test_full_range_is_narrowed);
	g_test_add_func("/picture-convert/odd", test_odd_edges_are_cut);
	g_test_add_func("/picture-convert/cost", test_cost);
	return g_test_run();
}
