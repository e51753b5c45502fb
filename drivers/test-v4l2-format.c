// SPDX-License-Identifier: Apache-2.0
#include "drivers/v4l2-format.h"

#include <errno.h>
#include <glib.h>

static const struct v4l2_format_wish hd = { V4L2_PIX_FMT_NV12, 1280, 720, 30 };

static void test_both_kinds_of_device(void)
{
	static const uint32_t types[] = { V4L2_BUF_TYPE_VIDEO_CAPTURE,
					  V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE };

	for (unsigned int i = 0; i < G_N_ELEMENTS(types); i++) {
		struct v4l2_format_info info = { .fps_num = 7 };
		struct v4l2_format f;

		v4l2_format_ask(&hd, types[i], &f);
		g_assert_cmpuint(f.type, ==, types[i]);
		g_assert_cmpuint(v4l2_format_distance(&hd, &f), ==, 0);
		if (i)
			f.fmt.pix_mp.plane_fmt[0].bytesperline = 1344;
		else
			f.fmt.pix.bytesperline = 1344;
		v4l2_format_read(&f, &info);
		g_assert_cmpuint(info.fourcc, ==, V4L2_PIX_FMT_NV12);
		g_assert_cmpuint(info.width, ==, 1280);
		g_assert_cmpuint(info.height, ==, 720);
		g_assert_cmpuint(info.stride, ==, 1344);
		g_assert_cmpuint(info.fps_num, ==, 7);
	}
}

static struct v4l2_format answer(uint32_t fourcc, uint32_t width,
				 uint32_t height, uint32_t field)
{
	struct v4l2_format f = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	f.fmt.pix.pixelformat = fourcc;
	f.fmt.pix.width = width;
	f.fmt.pix.height = height;
	f.fmt.pix.field = field;
	return f;
}

static void test_the_nearest_wins(void)
{
	struct v4l2_format near, far, same_area, other, fields;

	near = answer(hd.fourcc, 1280, 800, V4L2_FIELD_NONE);
	far = answer(hd.fourcc, 640, 480, V4L2_FIELD_NONE);
	same_area = answer(hd.fourcc, 720, 1280, V4L2_FIELD_NONE);
	other = answer(V4L2_PIX_FMT_YUYV, 1280, 720, V4L2_FIELD_NONE);
	fields = answer(hd.fourcc, 1280, 720, V4L2_FIELD_ALTERNATE);

	g_assert_cmpuint(v4l2_format_distance(&hd, &near), >, 0);
	g_assert_cmpuint(v4l2_format_distance(&hd, &near), <,
			 v4l2_format_distance(&hd, &far));
	g_assert_cmpuint(v4l2_format_distance(&hd, &same_area), >, 0);
	g_assert_cmpuint(v4l2_format_distance(&hd, &other), ==, UINT64_MAX);
	g_assert_cmpuint(v4l2_format_distance(&hd, &fields), ==, UINT64_MAX);
	/* The largest answer there can be does not wrap. */
	far = answer(hd.fourcc, UINT32_MAX, UINT32_MAX, V4L2_FIELD_NONE);
	g_assert_cmpuint(v4l2_format_distance(&hd, &far), >,
			 UINT64_C(1) << 62);
}

struct colour_case {
	uint32_t colorspace, encoding, quantization;
	bool full_range, bt709;
};

static void test_colours(void)
{
	/* The table "default" of the documentation, and what overrides it. */
	static const struct colour_case cases[] = {
		{ V4L2_COLORSPACE_SMPTE170M, 0, 0, false, false },
		{ V4L2_COLORSPACE_SRGB, 0, 0, false, false },
		{ V4L2_COLORSPACE_JPEG, 0, 0, true, false },
		{ V4L2_COLORSPACE_REC709, 0, 0, false, true },
		{ V4L2_COLORSPACE_SRGB, V4L2_YCBCR_ENC_709, 0, false, true },
		{ V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_601, 0, false, false },
		{ V4L2_COLORSPACE_JPEG, 0, V4L2_QUANTIZATION_LIM_RANGE, false,
		  false },
		{ V4L2_COLORSPACE_SMPTE170M, 0, V4L2_QUANTIZATION_FULL_RANGE,
		  true, false },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct v4l2_format f = answer(hd.fourcc, 1280, 720, 0);
		struct v4l2_format_info info = { 0 };

		f.fmt.pix.colorspace = cases[i].colorspace;
		f.fmt.pix.ycbcr_enc = cases[i].encoding;
		f.fmt.pix.quantization = cases[i].quantization;
		v4l2_format_read(&f, &info);
		g_assert_true(info.full_range == cases[i].full_range);
		g_assert_true(info.bt709 == cases[i].bt709);
	}
}

static void test_bytes_that_are_there(void)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = {
		{ .bytesused = 1000, .data_offset = 100 },
		{ .bytesused = 500 },
	};
	struct v4l2_buffer b = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE,
		.m.planes = planes,
		.length = 2,
	};
	size_t mapped[3] = { 1000, 500, 0 }, at[3] = { 9, 9, 9 }, len[3] = { 0 };

	g_assert_cmpint(v4l2_format_locate(&b, 2, mapped, at, len), ==, 0);
	g_assert_cmpuint(at[0], ==, 100);
	g_assert_cmpuint(len[0], ==, 900);
	g_assert_cmpuint(at[1], ==, 0);
	g_assert_cmpuint(len[1], ==, 500);

	at[0] = len[0] = 9;
	planes[1].bytesused = 501;
	g_assert_cmpint(v4l2_format_locate(&b, 2, mapped, at, len), ==,
			-EBADMSG);
	planes[1].bytesused = 500;
	planes[0].data_offset = 1001;
	g_assert_cmpint(v4l2_format_locate(&b, 2, mapped, at, len), ==,
			-EBADMSG);
	g_assert_cmpuint(at[0], ==, 9);
	g_assert_cmpuint(len[0], ==, 9);

	b = (struct v4l2_buffer){ .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				  .bytesused = 1000 };
	g_assert_cmpint(v4l2_format_locate(&b, 1, mapped, at, len), ==, 0);
	g_assert_cmpuint(len[0], ==, 1000);
	b.bytesused = UINT32_MAX;
	g_assert_cmpint(v4l2_format_locate(&b, 1, mapped, at, len), ==,
			-EBADMSG);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/v4l2-format/both-kinds", test_both_kinds_of_device);
	g_test_add_func("/v4l2-format/nearest", test_the_nearest_wins);
	g_test_add_func("/v4l2-format/colours", test_colours);
	g_test_add_func("/v4l2-format/bytes", test_bytes_that_are_there);
	return g_test_run();
}
