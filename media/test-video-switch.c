// SPDX-License-Identifier: Apache-2.0
/* Sources are replaced while rungs run: what a receiver sees of it. */
#include "media/test-viewer.h"

#include <dirent.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define N_SWITCHES 50

/* Descriptors or threads of this process. */
static unsigned int entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	g_assert_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* What a source that was replaced has is given back by its own thread. */
static void wait_for_entries(const char *path, unsigned int at_most)
{
	gint64 until = g_get_monotonic_time() + 60 * G_TIME_SPAN_SECOND;

	while (entries(path) > at_most) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(1000);
	}
}

static void change(struct video_pipeline *p, const char *source,
		   unsigned int width, unsigned int height, unsigned int fps)
{
	struct video_choice choice = {source, width, height, fps};
	char *error = NULL;

	g_assert_cmpint(video_pipeline_set_source(p, &choice, &error), ==, 0);
	g_assert_null(error);
}

static unsigned int live(struct viewer *v)
{
	unsigned int n;

	pthread_mutex_lock(&v->lock);
	n = v->n_live;
	pthread_mutex_unlock(&v->lock);
	return n;
}

/* The next live source, and a few of its pictures. Barcodes begin anew. */
static void wait_switch(struct viewer *v, unsigned int before)
{
	wait_for(v, enough_live, before + 1);
	pthread_mutex_lock(&v->lock);
	v->last_barcode = -1;
	pthread_mutex_unlock(&v->lock);
	wait_more(v, 4);
}

static void check_size(struct viewer *v, unsigned int width,
		       unsigned int height)
{
	pthread_mutex_lock(&v->lock);
	g_assert_cmpuint(v->last_width, ==, width);
	g_assert_cmpuint(v->last_height, ==, height);
	pthread_mutex_unlock(&v->lock);
}

/* Every unit is checked as it arrives: numbers without a gap, times rising,
 * and each one gives a picture. */
static void test_fifty_sources(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);
	static const struct {
		const char *source;
		unsigned int width, height, fps;
	} choices[] = {
		{"test-screen", 1280, 720, 15}, {"test", 640, 360, 30},
		{"test", 320, 240, 30},		{"test-screen", 320, 240, 30},
		{"test", 640, 360, 60},
	};
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", codec);
	unsigned int fds = 0, threads = 0, pictures;
	struct video_pipeline_stats s;
	uint64_t allocs = 0;
	uint32_t rung;

	v.every_unit_decodes = true;
	g_assert_cmpint(video_pipeline_take(p, codec, &rung), ==, 0);
	wait_for(&v, enough_live, 1);
	wait_more(&v, 4);
	for (unsigned int i = 0; i < N_SWITCHES; i++) {
		unsigned int c = i % G_N_ELEMENTS(choices), before = live(&v);

		change(p, choices[c].source, choices[c].width,
		       choices[c].height, choices[c].fps);
		wait_switch(&v, before);
		check_size(&v, choices[c].width, choices[c].height);
		if (i == N_SWITCHES / 5) {
			fds = entries("/proc/self/fd");
			threads = entries("/proc/self/task");
			video_pipeline_get_stats(p, &s);
			allocs = s.frame_allocs;
		}
	}
	/* One pool of pictures for each source, and no other. */
	video_pipeline_get_stats(p, &s);
	g_test_message("%u replaced: %u picture buffers each",
		       (unsigned int) s.replaced,
		       (unsigned int) ((s.frame_allocs - allocs) /
				       (N_SWITCHES - N_SWITCHES / 5 - 1)));
	g_assert_cmpuint(s.replaced, ==, N_SWITCHES + 1);
	g_assert_cmpuint(s.frame_allocs - allocs, <=,
			 8 * (N_SWITCHES - N_SWITCHES / 5 - 1));
	g_assert_cmpuint(s.frame_copies, ==, 0);
	g_assert_cmpuint(s.rungs[0].encode_errors, ==, 0);
	g_assert_cmpuint(s.rungs[0].keyframes, >=, N_SWITCHES + 1);
	wait_for_entries("/proc/self/fd", fds);
	wait_for_entries("/proc/self/task", threads);
	video_pipeline_release(p, rung);
	pthread_mutex_lock(&v.lock);
	pictures = v.n_pictures;
	g_assert_cmpuint(pictures, ==, v.n_units[codec]);
	g_assert_cmpuint(v.n_placeholder, ==, 0);
	pthread_mutex_unlock(&v.lock);
	stop(&v, p);
}

/* The same size and rate: no new encoder by need, a keyframe all the same. */
static void test_begins_with_a_keyframe(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	unsigned int keyframes;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_more(&v, 20);
	pthread_mutex_lock(&v.lock);
	keyframes = v.n_keyframes[MEDIA_CODEC_H264];
	pthread_mutex_unlock(&v.lock);
	g_assert_cmpuint(keyframes, ==, 1);
	change(p, "test-screen", WIDTH, HEIGHT, FPS);
	wait_switch(&v, 1);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.n_keyframes[MEDIA_CODEC_H264], ==, 2);
	pthread_mutex_unlock(&v.lock);

	/* The same again is nothing at all. */
	change(p, "test-screen", WIDTH, HEIGHT, FPS);
	wait_more(&v, 10);
	g_assert_cmpuint(live(&v), ==, 2);
	stop(&v, p);
}

/* Both codecs, then one; units of a file and pictures, in turn: one thread at
 * a time delivers. */
static void test_pass_through_and_back(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "a.h264", NULL);
	g_autofree char *spec = g_strdup_printf("h264:%s", path);
	struct video_choice choice = {spec, WIDTH, HEIGHT, FPS};
	struct video_pipeline_stats s;
	struct viewer v;
	struct video_pipeline *p;
	char *error = NULL;
	uint32_t rung, vp8;

	make_stream(path);
	p = start(&v, "test", MEDIA_CODEC_H264);
	v.every_unit_decodes = true;
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &vp8), ==, 0);
	wait_more(&v, 10);
	g_assert_cmpint(video_pipeline_set_source(p, &choice, &error), ==,
			-EBUSY);
	g_assert_nonnull(strstr(error, "VP8"));
	free(error);
	wait_more(&v, 3);
	video_pipeline_release(p, vp8);

	for (unsigned int i = 0; i < 10; i++) {
		unsigned int before = live(&v);

		change(p, i % 2 ? "test" : spec, WIDTH, HEIGHT, FPS);
		wait_switch(&v, before);
		video_pipeline_get_stats(p, &s);
		g_assert_cmpstr(s.rungs[0].encoder, ==,
				i % 2 ? "libx264" : "pass-through");
		/* A first request is answered by whoever delivers. */
		video_pipeline_request_keyframe(p, rung, true);
		wait_more(&v, 3);
	}
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.n_placeholder, ==, 0);
	pthread_mutex_unlock(&v.lock);
	video_pipeline_release(p, rung);
	/* No VP8 of such a source: said at once. */
	change(p, spec, WIDTH, HEIGHT, FPS);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &vp8), ==,
			-ENOTSUP);
	stop(&v, p);
	g_unlink(path);
	g_rmdir(dir);
}

static void test_no_source(void)
{
	struct video_choice none = {.source = NULL};
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_VP8);
	struct video_pipeline_stats s;
	char *error = NULL;
	unsigned int n;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	wait_more(&v, 10);
	g_assert_cmpint(video_pipeline_set_source(p, &none, &error), ==, 0);
	sem_post(&v.clock.gate);
	wait_for(&v, enough_idle, 1);
	pthread_mutex_lock(&v.lock);
	n = v.n_units[MEDIA_CODEC_VP8];
	pthread_mutex_unlock(&v.lock);
	/* Nobody waits for a time any more: what comes now is from before. */
	video_pipeline_request_keyframe(p, rung, true);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpint(s.state, ==, VIDEO_SOURCE_IDLE);
	g_assert_cmpuint(v.n_units[MEDIA_CODEC_VP8], <=, n + 2);

	change(p, "test", 320, 240, 30);
	sem_post(&v.clock.gate);
	wait_switch(&v, 1);
	check_size(&v, 320, 240);

	/* Taken without a source: it waits for one. */
	video_pipeline_release(p, rung);
	g_assert_cmpint(video_pipeline_set_source(p, &none, &error), ==, 0);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	change(p, "test", WIDTH, HEIGHT, FPS);
	sem_post(&v.clock.gate);
	wait_switch(&v, 2);
	check_size(&v, WIDTH, HEIGHT);
	stop(&v, p);
}

/* A device that is not there: the placeholder, and the next choice is taken
 * all the same. */
static void test_missing_then_there(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_more(&v, 5);
	change(p, "v4l2:/dev/no-such-camera", WIDTH, HEIGHT, FPS);
	wait_for(&v, enough_placeholders, 1);
	wait_more(&v, 5);
	change(p, "test-screen", WIDTH, HEIGHT, FPS);
	wait_switch(&v, 1);
	stop(&v, p);
}

/* Between two wake-ups of the capture thread only the last choice counts. */
static void test_many_at_once(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	struct video_pipeline_stats s;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_more(&v, 5);
	for (unsigned int i = 0; i < 1000; i++)
		change(p, i % 2 ? "test" : "test-screen", 320 + i % 3 * 2, 240,
		       30);
	change(p, "test", 480, 320, 30);
	do {
		wait_more(&v, 1);
		video_pipeline_get_stats(p, &s);
	} while (strcmp(s.source, "test 480x320@30"));
	wait_more(&v, 5);
	check_size(&v, 480, 320);
	g_test_message("1001 choices: %u were shown",
		       (unsigned int) s.replaced - 1);
	stop(&v, p);
}

static void test_cap(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	struct video_pipeline_stats s;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	video_pipeline_set_cap(p, 50000); /* less than the network's least */
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.rungs[0].target_bps, ==, 50000);
	video_pipeline_set_bitrate(p, rung, 3000000);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.rungs[0].target_bps, ==, 50000);
	video_pipeline_set_cap(p, 0);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.rungs[0].target_bps, ==, 3000000);
	stop(&v, p);
}

static void test_try(void)
{
	struct video_choice good = {"test", 640, 360, 30};
	struct video_choice missing = {"v4l2:/dev/no-such-camera", 640, 360,
				       30};
	struct video_choice no_file = {"file:/no/such/file", 640, 360, 30};
	struct video_choice wrong = {"camera", 640, 360, 30};
	unsigned int fds = entries("/proc/self/fd");
	char *error = NULL;

	g_assert_cmpint(video_choice_try(&good, &error), ==, 0);
	g_assert_null(error);
	g_assert_cmpint(video_choice_try(&missing, &error), ==, -ENOENT);
	g_assert_nonnull(strstr(error, "no-such-camera"));
	g_clear_pointer(&error, free);
	g_assert_cmpint(video_choice_try(&no_file, &error), ==, -ENOENT);
	g_assert_nonnull(strstr(error, "/no/such/file"));
	g_clear_pointer(&error, free);
	g_assert_cmpint(video_choice_try(&wrong, &error), ==, -EINVAL);
	g_clear_pointer(&error, free);
	g_assert_cmpuint(entries("/proc/self/fd"), ==, fds);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/video-switch/fifty/vp8",
			     GINT_TO_POINTER(MEDIA_CODEC_VP8),
			     test_fifty_sources);
	g_test_add_data_func("/video-switch/fifty/h264",
			     GINT_TO_POINTER(MEDIA_CODEC_H264),
			     test_fifty_sources);
	g_test_add_func("/video-switch/keyframe", test_begins_with_a_keyframe);
	g_test_add_func("/video-switch/pass-through",
			test_pass_through_and_back);
	g_test_add_func("/video-switch/none", test_no_source);
	g_test_add_func("/video-switch/missing", test_missing_then_there);
	g_test_add_func("/video-switch/many", test_many_at_once);
	g_test_add_func("/video-switch/cap", test_cap);
	g_test_add_func("/video-switch/try", test_try);
	return g_test_run();
}
