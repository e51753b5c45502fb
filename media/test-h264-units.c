// SPDX-License-Identifier: Apache-2.0
#include "media/h264-units.h"

#include <glib.h>
#include <string.h>

static const uint8_t sets[] = {0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce};
static const uint8_t idr[] = {0, 0, 0, 1, 0x65, 0x88, 7};
static const uint8_t slice[] = {0, 0, 0, 1, 0x41, 0x9a, 8};

static void test_starts_at_an_idr_with_its_sets(void)
{
	struct media_count count = {0};
	struct unit_pool *pool = NULL;
	struct coded_unit *u = NULL;
	struct h264_units h;

	g_assert_cmpint(unit_pool_new(&pool, &count, MEDIA_CODEC_H264, 2), ==,
			0);
	h264_units_init(&h);

	g_assert_cmpint(h264_units_make(&h, pool, slice, sizeof(slice), 1, &u),
			==, 1);
	/* An IDR nobody can decode is no start. */
	g_assert_cmpint(h264_units_make(&h, pool, idr, sizeof(idr), 2, &u), ==,
			1);
	g_assert_cmpint(h264_units_make(&h, pool, sets, sizeof(sets), 3, &u),
			==, 1);

	g_assert_cmpint(h264_units_make(&h, pool, idr, sizeof(idr), 4, &u), ==,
			0);
	g_assert_true(u->keyframe);
	g_assert_cmpuint(u->capture_us, ==, 4);
	g_assert_cmpuint(u->size, ==, sizeof(sets) + sizeof(idr));
	g_assert_cmpmem(u->data, sizeof(sets), sets, sizeof(sets));
	g_assert_cmpmem(u->data + sizeof(sets), sizeof(idr), idr, sizeof(idr));
	coded_unit_unref(u);

	g_assert_cmpint(h264_units_make(&h, pool, slice, sizeof(slice), 5, &u),
			==, 0);
	g_assert_false(u->keyframe);
	g_assert_cmpmem(u->data, u->size, slice, sizeof(slice));
	coded_unit_unref(u);

	h264_units_break(&h);
	g_assert_cmpint(h264_units_make(&h, pool, slice, sizeof(slice), 6, &u),
			==, 1);
	unit_pool_close(pool);
}

static void test_sets_that_are_there_are_not_doubled(void)
{
	uint8_t whole[sizeof(sets) + sizeof(idr)];
	struct media_count count = {0};
	struct unit_pool *pool = NULL;
	struct coded_unit *u = NULL;
	struct h264_units h;

	memcpy(whole, sets, sizeof(sets));
	memcpy(whole + sizeof(sets), idr, sizeof(idr));
	g_assert_cmpint(unit_pool_new(&pool, &count, MEDIA_CODEC_H264, 2), ==,
			0);
	h264_units_init(&h);
	g_assert_cmpint(h264_units_make(&h, pool, whole, sizeof(whole), 1, &u),
			==, 0);
	g_assert_cmpmem(u->data, u->size, whole, sizeof(whole));
	coded_unit_unref(u);
	unit_pool_close(pool);
}

/* Sets beyond the bound are not kept, and do no harm. */
static void test_huge_sets(void)
{
	static uint8_t huge[8192];
	struct media_count count = {0};
	struct unit_pool *pool = NULL;
	struct coded_unit *u = NULL;
	struct h264_units h;

	memset(huge, 0x55, sizeof(huge));
	memcpy(huge, sets, sizeof(sets));
	memcpy(huge + 4000, sets, sizeof(sets));
	g_assert_cmpint(unit_pool_new(&pool, &count, MEDIA_CODEC_H264, 2), ==,
			0);
	h264_units_init(&h);
	g_assert_cmpint(h264_units_make(&h, pool, huge, sizeof(huge), 1, &u),
			==, 1);
	g_assert_cmpint(h264_units_make(&h, pool, idr, sizeof(idr), 2, &u), ==,
			1);
	unit_pool_close(pool);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/h264-units/start",
			test_starts_at_an_idr_with_its_sets);
	g_test_add_func("/h264-units/not-doubled",
			test_sets_that_are_there_are_not_doubled);
	g_test_add_func("/h264-units/huge", test_huge_sets);
	return g_test_run();
}
