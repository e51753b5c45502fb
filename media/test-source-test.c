// SPDX-License-Identifier: Apache-2.0
#include "media/barcode.h"
#include "media/video-source.h"

#include "media/test-util.h"

#include <errno.h>
#include <string.h>

struct drawn {
	struct test_clock clock;
	struct media_count count;
	struct video_source *source;
};

static void open_drawn(struct drawn *d, unsigned int w, unsigned int h,
		       unsigned int fps)
{
	struct video_source_config config = {
		.width = w,
		.height = h,
		.fps = fps,
		.count = &d->count,
		.wake_fd = -1,
	};
	char why[128];

	memset(d, 0, sizeof(*d));
	test_clock_init(&d->clock, false);
	config.clock = &d->clock.clock;
	g_assert_cmpint(
		source_test_ops.open(&d->source, &config, why, sizeof(why)), ==,
		0);
}

static struct picture *draw(struct drawn *d, struct video_sample *sample)
{
	struct video_source_wait wait;

	source_test_ops.wait(d->source, &wait);
	g_assert_cmpint(wait.fd, ==, -1);
	media_clock_wait(&d->clock.clock, NULL, 0, wait.deadline_us);
	g_assert_cmpint(source_test_ops.take(d->source, sample), ==,
			VIDEO_SOURCE_SAMPLE);
	return sample->picture;
}

static void close_drawn(struct drawn *d)
{
	source_test_ops.close(d->source);
}

static void test_number_and_clock(void)
{
	struct video_sample sample;
	struct drawn d;

	open_drawn(&d, 1280, 720, 30);
	for (unsigned int i = 0; i < 100; i++) {
		struct picture *p = draw(&d, &sample);
		struct barcode b;

		g_assert_cmpint(barcode_read(p->data[0], p->stride[0], p->width,
					     p->height, &b),
				==, 0);
		g_assert_cmpuint(b.number, ==, i);
		g_assert_cmpuint(b.wall_100us, ==,
				 (uint32_t) (test_clock_wall(&d.clock) / 100));
		/* Absolute deadlines: no error adds up. */
		g_assert_cmpuint(sample.capture_us, ==,
				 TEST_CLOCK_START_US +
					 i * UINT64_C(1000000) / 30);
		picture_unref(p);
	}
	close_drawn(&d);
}

static bool same_picture(const struct picture *a, const struct picture *b)
{
	for (unsigned int plane = 0; plane < 3; plane++) {
		unsigned int w = plane ? a->width / 2 : a->width;
		unsigned int h = plane ? a->height / 2 : a->height;

		for (unsigned int y = 0; y < h; y++)
			if (memcmp(a->data[plane] + y * a->stride[plane],
				   b->data[plane] + y * b->stride[plane], w))
				return false;
	}
	return true;
}

/* Redrawing what moved must give what drawing everything gives. */
static void check_redrawing(unsigned int w, unsigned int h)
{
	struct picture *held[7];
	struct drawn fresh, reused;

	open_drawn(&fresh, w, h, 25);
	open_drawn(&reused, w, h, 25);
	for (size_t i = 0; i < G_N_ELEMENTS(held); i++) {
		struct video_sample a, b;

		held[i] = draw(&fresh, &a); /* an untouched buffer each time */
		draw(&reused, &b);	    /* the same one each time */
		g_assert_true(same_picture(held[i], b.picture));
		if (i > 0)
			g_assert_false(same_picture(held[i], held[i - 1]));
		picture_unref(b.picture);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
		picture_unref(held[i]);
	close_drawn(&fresh);
	close_drawn(&reused);
}

static void test_redrawing_is_complete(void)
{
	check_redrawing(1280, 720);
	check_redrawing(320, 180);
	check_redrawing(128, 64);
	check_redrawing(360, 640);
}

static void test_slow_readers_lose_frames(void)
{
	struct video_sample sample;
	struct picture *held[8];
	struct drawn d;

	open_drawn(&d, 320, 180, 30);
	for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
		held[i] = draw(&d, &sample);
	/* All buffers are out: three frames pass unseen. */
	for (unsigned int i = 0; i < 3; i++) {
		struct video_source_wait wait;

		source_test_ops.wait(d.source, &wait);
		media_clock_wait(&d.clock.clock, NULL, 0, wait.deadline_us);
		g_assert_cmpint(source_test_ops.take(d.source, &sample), ==,
				VIDEO_SOURCE_NOTHING);
	}
	picture_unref(held[0]);
	held[0] = draw(&d, &sample);
	g_assert_cmpuint(sample.n_missed, ==, 3);
	for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
		picture_unref(held[i]);

	/* A stall of a second is skipped, not drawn in a hurry. */
	atomic_fetch_add(&d.clock.now_us, 1000000);
	picture_unref(draw(&d, &sample));
	g_assert_cmpuint(sample.n_missed, >=, 28);
	if (source_test_ops.take(d.source, &sample) == VIDEO_SOURCE_SAMPLE)
		picture_unref(sample.picture); /* due this very moment */
	g_assert_cmpint(source_test_ops.take(d.source, &sample), ==,
			VIDEO_SOURCE_NOTHING);
	close_drawn(&d);
}

static void test_cost(void)
{
	struct video_sample sample;
	struct drawn d;
	gint64 start;

	open_drawn(&d, 1280, 720, 30);
	picture_unref(draw(&d, &sample));
	start = g_get_monotonic_time();
	for (unsigned int i = 0; i < 100; i++)
		picture_unref(draw(&d, &sample));
	g_test_message("720p: %.3f ms a picture",
		       (double) (g_get_monotonic_time() - start) / 100e3);
	g_assert_cmpuint(media_count_get(&d.count.frame_copies), ==, 0);
	g_assert_cmpuint(media_count_get(&d.count.frame_allocs), ==, 8);
	close_drawn(&d);
}

static void test_too_small(void)
{
	struct media_count count = {0};
	struct video_source_config config = {
		.width = 64,
		.height = 48,
		.fps = 30,
		.clock = media_clock_system(),
		.count = &count,
	};
	struct video_source *s = NULL;
	char why[128] = "";

	g_assert_cmpint(source_test_ops.open(&s, &config, why, sizeof(why)), ==,
			-EINVAL);
	g_assert_null(s);
	g_assert_cmpuint(strlen(why), >, 10);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source-test/number-and-clock", test_number_and_clock);
	g_test_add_func("/source-test/redrawing", test_redrawing_is_complete);
	g_test_add_func("/source-test/slow-readers",
			test_slow_readers_lose_frames);
	g_test_add_func("/source-test/cost", test_cost);
	g_test_add_func("/source-test/too-small", test_too_small);
	return g_test_run();
}
