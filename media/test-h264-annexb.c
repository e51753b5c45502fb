// SPDX-License-Identifier: Apache-2.0
#include "media/h264-annexb.h"

#include <glib.h>

/* Headers: 67 SPS, 68 PPS, 65 IDR, 41 slice, 06 SEI, 09 AUD. The bit after a
 * slice's header says whether it is its picture's first. */
static const uint8_t two_units[] = {
	0, 0, 0, 1,    0x67, 0x42, 0xc0, 0x1f, /* 0 */
	0, 0, 0, 1,    0x68, 0xce,	       /* 8 */
	0, 0, 0, 1,    0x65, 0x88, 1,	       /* 14, first slice */
	0, 0, 1, 0x65, 0x08, 2,		       /* 21, second slice */
	0, 0, 0, 1,    0x41, 0x9a, 3,	       /* 27, next picture */
};

static void test_nal_units(void)
{
	static const unsigned int types[] = {7, 8, 5, 5, 1};
	static const size_t starts[] = {0, 8, 14, 21, 27};
	static const size_t sizes[] = {4, 2, 3, 3, 3};
	struct h264_nal nal;
	size_t pos = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		g_assert_true(h264_next_nal(two_units, sizeof(two_units), &pos,
					    &nal));
		g_assert_cmpuint(nal.type, ==, types[i]);
		g_assert_cmpuint(nal.start, ==, starts[i]);
		g_assert_cmpuint(nal.size, ==, sizes[i]);
	}
	g_assert_false(h264_next_nal(two_units, sizeof(two_units), &pos, &nal));
}

static void test_unit_ends_before_the_next_picture(void)
{
	struct h264_unit_info info;

	/* Only when the next picture's first bits are there is it known. */
	for (size_t n = 0; n <= 32; n++)
		g_assert_cmpuint(h264_find_unit(two_units, n, false), ==, 0);
	g_assert_cmpuint(h264_find_unit(two_units, 33, false), ==, 27);
	g_assert_cmpuint(h264_find_unit(two_units, sizeof(two_units), false),
			 ==, 27);
	g_assert_cmpuint(h264_find_unit(two_units + 27, 7, false), ==, 0);
	g_assert_cmpuint(h264_find_unit(two_units + 27, 7, true), ==, 7);

	h264_inspect_unit(two_units, 27, &info);
	g_assert_true(info.has_picture && info.has_idr && info.has_sps &&
		      info.has_pps);
	h264_inspect_unit(two_units + 27, 7, &info);
	g_assert_true(info.has_picture);
	g_assert_false(info.has_idr || info.has_sps || info.has_pps);
}

static void test_what_stands_in_front_begins_a_unit(void)
{
	static const uint8_t fronts[] = {0x06, 0x67, 0x68, 0x09, 0x6e};

	for (size_t i = 0; i < sizeof(fronts); i++) {
		uint8_t data[] = {0, 0, 1, 0x65, 0x88, 1, 0, 0, 1, 0, 1};

		data[9] = fronts[i];
		g_assert_cmpuint(h264_find_unit(data, sizeof(data), false), ==,
				 6);
	}
}

static void test_zeros_and_nothing(void)
{
	static const uint8_t zeros[64];
	static const uint8_t empty_nals[] = {0, 0, 1, 0, 0, 1, 0, 0, 1};
	static const uint8_t padded[] = {0, 0, 0, 0, 0, 1, 0x41, 0x80, 0, 0, 0};
	struct h264_nal nal;
	size_t pos = 0;

	g_assert_false(h264_next_nal(zeros, sizeof(zeros), &pos, &nal));
	pos = 0;
	g_assert_false(
		h264_next_nal(empty_nals, sizeof(empty_nals), &pos, &nal));
	pos = 0;
	g_assert_false(h264_next_nal(NULL, 0, &pos, &nal));
	pos = 0;
	g_assert_true(h264_next_nal(padded, sizeof(padded), &pos, &nal));
	g_assert_cmpuint(nal.size, ==, 2);
	g_assert_cmpuint(h264_find_unit(zeros, sizeof(zeros), true), ==, 64);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/h264-annexb/nal-units", test_nal_units);
	g_test_add_func("/h264-annexb/unit-end",
			test_unit_ends_before_the_next_picture);
	g_test_add_func("/h264-annexb/fronts",
			test_what_stands_in_front_begins_a_unit);
	g_test_add_func("/h264-annexb/nothing", test_zeros_and_nothing);
	return g_test_run();
}
