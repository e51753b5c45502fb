// SPDX-License-Identifier: Apache-2.0
#include "media/video-pipeline.h"

#include "media/test-viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_pictures_arrive(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", codec);
	struct video_pipeline_stats s;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, codec, &rung), ==, 0);
	wait_for(&v, enough_units, 3 * FPS);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpint(s.state, ==, VIDEO_SOURCE_LIVE);
	g_assert_cmpstr(s.source, ==, "test 640x360@30");
	g_assert_cmpuint(s.frame_copies, ==, 0);
	g_assert_cmpuint(s.n_rungs, ==, 1);
	g_assert_cmpuint(s.rungs[0].takers, ==, 1);
	g_assert_cmpuint(s.rungs[0].width, ==, WIDTH);
	g_assert_cmpuint(s.rungs[0].keyframes, ==, 1);
	g_assert_cmpuint(s.rungs[0].encode_errors, ==, 0);
	g_assert_cmpuint(s.rungs[0].encode_us_p95, <, 10000000);
	video_pipeline_release(p, rung);

	g_assert_cmpuint(v.n_barcodes, >=, 3 * FPS * 95 / 100);
	g_assert_cmpuint(v.n_disorder, ==, 0);
	sem_post(&v.clock.gate);
	wait_for(&v, enough_idle, 1);
	stop(&v, p);
}

/* A rung runs while somebody takes it, the source while a rung runs. */
static void test_takers(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	struct video_pipeline_stats s;
	uint32_t a, b, c;
	unsigned int n;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &a), ==, 0);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &b), ==, 0);
	g_assert_cmpuint(a, ==, b);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &c), ==, 0);
	g_assert_cmpuint(a, !=, c);
	wait_more(&v, 10);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.n_rungs, ==, 2);

	video_pipeline_release(p, c);
	pthread_mutex_lock(&v.lock);
	n = v.n_units[MEDIA_CODEC_VP8];
	pthread_mutex_unlock(&v.lock);
	g_assert_cmpuint(n, >, 0);
	wait_more(&v, 10);
	g_assert_cmpuint(v.n_units[MEDIA_CODEC_VP8], ==, n);

	video_pipeline_release(p, a);
	wait_more(&v, 10); /* b still takes it */
	video_pipeline_release(p, b);
	n = v.n_units[MEDIA_CODEC_H264];
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.n_rungs, ==, 0);
	g_assert_cmpint(s.state, ==, VIDEO_SOURCE_IDLE);

	/* And again: the numbers go on, a keyframe comes first. */
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &a), ==, 0);
	sem_post(&v.clock.gate);
	wait_more(&v, 10);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.n_keyframes[MEDIA_CODEC_H264], ==, 2);
	g_assert_cmpuint(v.n_units[MEDIA_CODEC_H264], >=, n + 10);
	pthread_mutex_unlock(&v.lock);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_OPUS, &c), ==,
			-ENOTSUP);
	stop(&v, p);
}

static unsigned int keyframes(struct viewer *v)
{
	unsigned int n;

	pthread_mutex_lock(&v->lock);
	n = v->n_keyframes[v->watched];
	pthread_mutex_unlock(&v->lock);
	return n;
}

/* Time goes on by one picture with each. */
static unsigned int pictures_ms(struct viewer *v)
{
	unsigned int n;

	pthread_mutex_lock(&v->lock);
	n = v->n_units[v->watched];
	pthread_mutex_unlock(&v->lock);
	return n * 1000 / FPS;
}

static void test_keyframes(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_VP8);
	unsigned int n, ms;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	wait_more(&v, 2 * FPS);
	g_assert_cmpuint(keyframes(&v), ==, 1);

	/* Many at once are one. */
	for (unsigned int i = 0; i < 20; i++)
		video_pipeline_request_keyframe(p, rung, false);
	wait_more(&v, FPS);
	g_assert_cmpuint(keyframes(&v), ==, 2);

	/* Without end: one in 300 ms and no more. While we wait for one picture
	 * several may pass. */
	n = keyframes(&v);
	ms = pictures_ms(&v);
	for (unsigned int i = 0; i < 2 * FPS; i++) {
		video_pipeline_request_keyframe(p, rung, false);
		wait_more(&v, 1);
	}
	n = keyframes(&v) - n;
	ms = pictures_ms(&v) - ms;
	g_test_message("%u keyframes in %u ms of requests", n, ms);
	g_assert_cmpuint(n, >=, 4);
	g_assert_cmpuint(n, <=, ms / 300 + 2);

	/* A first one does not wait. */
	wait_more(&v, FPS);
	n = keyframes(&v);
	video_pipeline_request_keyframe(p, rung, true);
	wait_more(&v, 3);
	g_assert_cmpuint(keyframes(&v), ==, n + 1);
	video_pipeline_request_keyframe(p, rung, true);
	wait_more(&v, 3);
	g_assert_cmpuint(keyframes(&v), ==, n + 2);
	stop(&v, p);
}

/* Between two pictures a new peer's request is answered with the last one. */
static void test_first_request_repeats_the_picture(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	struct video_pipeline_stats s;
	uint64_t before, captured;
	unsigned int n, pictures;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_more(&v, 10);

	/* Stop time: units post no more, so no new picture is drawn. */
	pthread_mutex_lock(&v.lock);
	v.watched = MEDIA_CODEC_OPUS;
	pthread_mutex_unlock(&v.lock);
	do {
		video_pipeline_get_stats(p, &s);
		captured = s.frames_captured;
		g_usleep(20000);
		video_pipeline_get_stats(p, &s);
	} while (s.frames_captured != captured ||
		 s.rungs[0].units_out != captured);

	pthread_mutex_lock(&v.lock);
	v.watched = MEDIA_CODEC_H264;
	v.next_number = s.rungs[0].units_out;
	before = v.last_capture_us;
	n = v.n_keyframes[MEDIA_CODEC_H264];
	pictures = v.n_units[MEDIA_CODEC_H264];
	/* A keyframe was made a moment ago: let that be long past. */
	atomic_fetch_add(&v.clock.now_us, 200000);
	pthread_mutex_unlock(&v.lock);

	video_pipeline_request_keyframe(p, rung, true);
	wait_for(&v, enough_units, pictures + 1);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.n_keyframes[MEDIA_CODEC_H264], ==, n + 1);
	g_assert_cmpuint(v.last_keyframe_us, >, before);
	pthread_mutex_unlock(&v.lock);
	stop(&v, p);
}

static void test_mute(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_more(&v, 10);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.mean_luma, >, 60);
	pthread_mutex_unlock(&v.lock);
	video_pipeline_set_muted(p, true);
	wait_more(&v, FPS);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.mean_luma, <, 20);
	pthread_mutex_unlock(&v.lock);
	video_pipeline_set_muted(p, false);
	wait_more(&v, FPS);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.mean_luma, >, 60);
	g_assert_cmpuint(v.n_disorder, ==, 0);
	pthread_mutex_unlock(&v.lock);
	stop(&v, p);
}

static void test_bitrate_is_clamped(void)
{
	struct viewer v;
	struct video_pipeline *p = start(&v, "test", MEDIA_CODEC_H264);
	struct video_pipeline_stats s;
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	video_pipeline_set_bitrate(p, rung, 1);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.rungs[0].target_bps, ==, 100000);
	video_pipeline_set_bitrate(p, rung, UINT32_MAX);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.rungs[0].target_bps, ==, 4000000);
	wait_more(&v, 5);
	stop(&v, p);
}

static void check_file_copies(const char *dir, const char *colour,
			      unsigned int copies_per_frame)
{
	g_autofree char *path = g_build_filename(dir, "a.y4m", NULL);
	g_autofree char *spec = g_strdup_printf("file:%s", path);
	struct viewer v;
	struct video_pipeline *p;
	struct video_pipeline_stats s;
	uint32_t rung;

	write_y4m(path, colour, 10);
	p = start(&v, spec, MEDIA_CODEC_VP8);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	wait_for(&v, enough_units, 35); /* it has looped three times */
	video_pipeline_release(p, rung);
	sem_post(&v.clock.gate);
	wait_for(&v, enough_idle, 1); /* from here on nothing counts */
	video_pipeline_get_stats(p, &s);
	g_test_message("Y4M %s: %u copies of %u frames", colour,
		       (unsigned int) s.frame_copies,
		       (unsigned int) s.frames_captured);
	g_assert_cmpuint(s.frames_captured, >=, 35);
	g_assert_cmpuint(s.frame_copies, ==,
			 s.frames_captured * copies_per_frame);
	g_assert_cmpuint(v.n_live, ==, 1);
	stop(&v, p);
	g_unlink(path);
}

static void test_file_and_its_copies(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);

	check_file_copies(dir, "420jpeg", 0);
	/* What the encoder cannot eat makes the counter move. */
	check_file_copies(dir, "420mpeg2 XCOLORRANGE=FULL", 1);
	check_file_copies(dir, "422", 1);
	check_file_copies(dir, "420mpeg2", 0);
	g_rmdir(dir);
}

static gpointer write_fifo(gpointer data)
{
	/* Blocks until the pipeline opens the other end. */
	write_y4m(data, "420mpeg2", 40);
	return NULL;
}

static void test_fifo_waits_for_its_writer(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "fifo", NULL);
	g_autofree char *spec = g_strdup_printf("file:%s", path);
	struct viewer v;
	struct video_pipeline *p;
	GThread *writer;
	uint32_t rung;

	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	p = start(&v, spec, MEDIA_CODEC_H264);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_for(&v, enough_placeholders, 1);
	writer = g_thread_new("writer", write_fifo, path);
	wait_for(&v, enough_live, 1);
	/* The writer is done: a placeholder until the next one comes. */
	wait_for(&v, enough_placeholders, 2);
	g_thread_join(writer);
	writer = g_thread_new("writer", write_fifo, path);
	wait_for(&v, enough_live, 2);
	wait_for(&v, enough_placeholders, 3);
	g_thread_join(writer);
	stop(&v, p);
	g_unlink(path);
	g_rmdir(dir);
}

static void test_stops_while_a_fifo_is_silent(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "fifo", NULL);
	g_autofree char *spec = g_strdup_printf("file:%s", path);
	struct viewer v;
	struct video_pipeline *p;
	uint32_t rung;
	int fd;

	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	p = start(&v, spec, MEDIA_CODEC_H264);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	/* Half a header, then nothing: the reader hangs in the library. */
	g_assert_cmpint(write(fd, "YUV4MPEG2 W64", 13), ==, 13);
	video_pipeline_release(p, rung);
	stop(&v, p);
	close(fd);
	g_unlink(path);
	g_rmdir(dir);
}

static void test_missing_camera(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "later.y4m", NULL);
	g_autofree char *spec = g_strdup_printf("file:%s", path);
	struct video_pipeline_stats s;
	struct viewer v;
	struct video_pipeline *p =
		start(&v, "v4l2:/dev/no-such-camera", MEDIA_CODEC_VP8);
	uint32_t rung;

	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	wait_for(&v, enough_units, 25); /* it was looked for twice more */
	video_pipeline_get_stats(p, &s);
	g_assert_cmpint(s.state, ==, VIDEO_SOURCE_PLACEHOLDER);
	g_assert_nonnull(strstr(s.source, "no-such-camera"));
	g_assert_cmpuint(s.frames_captured, ==, 0);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.n_placeholder, ==, 1); /* said once */
	g_assert_cmpuint(v.mean_luma, >, 30);
	pthread_mutex_unlock(&v.lock);
	stop(&v, p);

	/* What is missing may come. */
	p = start(&v, spec, MEDIA_CODEC_VP8);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	wait_for(&v, enough_units, 15);
	write_y4m(path, "420mpeg2", 10);
	wait_for(&v, enough_live, 1);
	wait_more(&v, 20);
	stop(&v, p);
	g_unlink(path);
	g_rmdir(dir);
}

static void test_pass_through(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "a.h264", NULL);
	g_autofree char *spec = g_strdup_printf("h264:%s", path);
	struct video_pipeline_stats s;
	struct viewer v;
	struct video_pipeline *p;
	uint32_t rung;

	make_stream(path);
	p = start(&v, spec, MEDIA_CODEC_H264);
	g_assert_false(video_pipeline_has_codec(p, MEDIA_CODEC_VP8));
	g_assert_true(video_pipeline_has_codec(p, MEDIA_CODEC_H264));
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==,
			-ENOTSUP);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_H264, &rung), ==, 0);
	wait_for(&v, enough_units, 100);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpstr(s.rungs[0].encoder, ==, "pass-through");
	g_assert_cmpuint(s.frame_copies, ==, 0);
	g_assert_cmpuint(s.frame_allocs, ==, 0);
	pthread_mutex_lock(&v.lock);
	g_assert_cmpuint(v.n_barcodes, ==, v.n_pictures);
	/* Each round begins at 0 again and may hold a repeated picture. */
	g_assert_cmpuint(v.n_disorder, <=, v.n_keyframes[MEDIA_CODEC_H264] + 1);
	g_assert_cmpuint(v.n_keyframes[MEDIA_CODEC_H264], >=, 6);
	pthread_mutex_unlock(&v.lock);

	/* Muted: nothing flows; after it, from a keyframe on. */
	video_pipeline_set_muted(p, true);
	atomic_store(&v.clock.gated, false);
	for (uint64_t until = atomic_load(&v.clock.now_us) + 500000;
	     atomic_load(&v.clock.now_us) < until;)
		g_thread_yield();
	/* What comes before the keyframe opens no gate. */
	video_pipeline_set_muted(p, false);
	wait_more(&v, 20);
	stop(&v, p);
	g_unlink(path);
	g_rmdir(dir);
}

static void test_wrong_configuration_is_named(void)
{
	static const struct video_pipeline_config good = {
		.choice.source = "test",
		.choice.width = 640,
		.choice.height = 360,
		.choice.fps = 30,
		.bitrate_bps = 1000000,
		.min_bitrate_bps = 100000,
		.max_bitrate_bps = 2000000,
	};
	struct video_pipeline_config wrong[8];
	struct video_pipeline *p = NULL;
	char *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		wrong[i] = good;
	wrong[0].choice.source = "camera";
	wrong[1].choice.source = "v4l2:";
	wrong[2].choice.source = "test:pattern";
	wrong[3].choice.source = "";
	wrong[4].choice.width = 641;
	wrong[5].choice.height = 100000;
	wrong[6].choice.fps = 0;
	wrong[7].bitrate_bps = 3000000;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_assert_cmpint(video_pipeline_new(&p, &wrong[i], &error), ==,
				-EINVAL);
		g_assert_nonnull(error);
		g_clear_pointer(&error, free);
		g_assert_null(p);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/video-pipeline/vp8",
			     GINT_TO_POINTER(MEDIA_CODEC_VP8),
			     test_pictures_arrive);
	g_test_add_data_func("/video-pipeline/h264",
			     GINT_TO_POINTER(MEDIA_CODEC_H264),
			     test_pictures_arrive);
	g_test_add_func("/video-pipeline/takers", test_takers);
	g_test_add_func("/video-pipeline/keyframes", test_keyframes);
	g_test_add_func("/video-pipeline/first-request",
			test_first_request_repeats_the_picture);
	g_test_add_func("/video-pipeline/mute", test_mute);
	g_test_add_func("/video-pipeline/bitrate", test_bitrate_is_clamped);
	g_test_add_func("/video-pipeline/file", test_file_and_its_copies);
	g_test_add_func("/video-pipeline/fifo", test_fifo_waits_for_its_writer);
	g_test_add_func("/video-pipeline/silent-fifo",
			test_stops_while_a_fifo_is_silent);
	g_test_add_func("/video-pipeline/missing", test_missing_camera);
	g_test_add_func("/video-pipeline/pass-through", test_pass_through);
	g_test_add_func("/video-pipeline/wrong-configuration",
			test_wrong_configuration_is_named);
	return g_test_run();
}
