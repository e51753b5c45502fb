// SPDX-License-Identifier: Apache-2.0
#include "media/picture.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>

static void test_pool_hands_out_the_last_one_back(void)
{
	struct media_count count = {0};
	struct picture_pool *pool = NULL;
	struct picture *a, *b, *c;

	g_assert_cmpint(
		picture_pool_new(&pool, &count, 3, PICTURE_I420, 320, 180), ==,
		0);
	g_assert_cmpuint(media_count_get(&count.frame_allocs), ==, 3);

	a = picture_pool_get(pool);
	b = picture_pool_get(pool);
	g_assert_true(a != b);
	c = picture_pool_get(pool);
	g_assert_nonnull(c);
	g_assert_null(picture_pool_get(pool));

	picture_unref(b);
	picture_unref(a);
	g_assert_true(picture_pool_get(pool) == a);
	g_assert_true(picture_pool_get(pool) == b);
	g_assert_cmpuint(media_count_get(&count.frame_allocs), ==, 3);
	/* All are still out: closing leaves the memory to them. */
	picture_pool_close(pool);
	picture_unref(a);
	picture_unref(b);
	picture_fill(c, 1, 2, 3);
	picture_unref(c);
}

static bool is_resident(const struct picture *p)
{
	unsigned char page;

	g_assert_cmpint(mincore(p->data[0], 1, &page), ==, 0);
	return page & 1;
}

/* Pictures of one slow moment lose their memory, those in use keep it. */
static void test_slow_moment(void)
{
	struct media_count count = {0};
	struct picture_pool *pool = NULL;
	struct picture *p[4], *kept, *now;

	g_assert_cmpint(
		picture_pool_new(&pool, &count, 4, PICTURE_I420, 320, 180), ==,
		0);
	for (unsigned int i = 0; i < 4; i++) {
		p[i] = picture_pool_get(pool);
		picture_fill(p[i], 7, 8, 9);
		p[i]->note = 5;
	}
	for (unsigned int i = 0; i < 4; i++)
		picture_unref(p[i]);

	kept = picture_pool_get(pool);
	for (unsigned int i = 0; i < 1000; i++) {
		now = picture_pool_get(pool);
		g_assert_cmpuint(now->note, ==, 5);
		g_assert_cmpint(now->data[0][0], ==, 7);
		picture_unref(now);
	}
	g_assert_true(kept == p[3]);
	g_assert_true(now == p[2]);
	g_assert_true(is_resident(p[3]));
	g_assert_true(is_resident(p[2]));
	g_assert_false(is_resident(p[1]));
	g_assert_false(is_resident(p[0]));

	/* They are as good as new. */
	now = picture_pool_get(pool);
	picture_unref(picture_pool_get(pool));
	g_assert_true(picture_pool_get(pool) == p[1]);
	g_assert_cmpuint(p[1]->note, ==, 0);
	g_assert_cmpint(p[1]->data[0][0], ==, 0);
	picture_unref(p[1]);
	picture_unref(now);
	picture_unref(kept);
	picture_pool_close(pool);
}

static void test_last_reader_returns_it(void)
{
	struct media_count count = {0};
	struct picture_pool *pool = NULL;
	struct picture *p;

	g_assert_cmpint(
		picture_pool_new(&pool, &count, 1, PICTURE_NV12, 64, 64), ==,
		0);
	p = picture_pool_get(pool);
	picture_ref(p);
	picture_unref(p);
	g_assert_null(picture_pool_get(pool));
	picture_unref(p);
	g_assert_true(picture_pool_get(pool) == p);
	picture_unref(p);
	picture_pool_close(pool);
}

static void test_copies_are_counted(void)
{
	static const enum picture_format formats[] = {PICTURE_I420,
						      PICTURE_NV12};

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		struct media_count count = {0};
		struct picture_pool *pool = NULL;
		struct picture *a, *b;

		g_assert_cmpint(
			picture_pool_new(&pool, &count, 2, formats[i], 100, 50),
			==, 0);
		a = picture_pool_get(pool);
		b = picture_pool_get(pool);
		picture_fill(a, 10, 20, 30);
		picture_fill(b, 0, 0, 0);
		picture_copy(b, a, &count);
		g_assert_cmpuint(media_count_get(&count.frame_copies), ==, 1);
		g_assert_cmpuint(b->data[0][49 * b->stride[0] + 99], ==, 10);
		g_assert_cmpuint(b->data[1][24 * b->stride[1]], ==, 20);
		g_assert_cmpuint(formats[i] == PICTURE_I420
					 ? b->data[2][24 * b->stride[2] + 49]
					 : b->data[1][24 * b->stride[1] + 99],
				 ==, 30);
		picture_unref(a);
		picture_unref(b);
		picture_pool_close(pool);
	}
}

static void test_impossible_shapes(void)
{
	static const unsigned int sizes[][2] = {
		{0, 0}, {321, 180}, {320, 181}, {8, 8}, {8192, 64}, {64, 8192},
	};
	struct media_count count = {0};
	struct picture_pool *pool = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		g_assert_cmpint(picture_pool_new(&pool, &count, 1, PICTURE_I420,
						 sizes[i][0], sizes[i][1]),
				==, -EINVAL);
	g_assert_null(pool);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/picture/pool-order",
			test_pool_hands_out_the_last_one_back);
	g_test_add_func("/picture/slow-moment", test_slow_moment);
	g_test_add_func("/picture/last-reader", test_last_reader_returns_it);
	g_test_add_func("/picture/copies", test_copies_are_counted);
	g_test_add_func("/picture/impossible", test_impossible_shapes);
	return g_test_run();
}
