// SPDX-License-Identifier: Apache-2.0
/* Cameras that go, come back as another node, are busy, forbidden or hang: what
 * the rest of the pipeline and a receiver see of it.
 *
 * The driver is a mock, in the place of drivers/v4l2-capture (the linker takes
 * ours): one camera, which the test commands. What real drivers do is seen in
 * tests/vm. */
#include "media/test-viewer.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drivers/v4l2-capture.h"
#include "media/capture-threads.h"

#define SPEC	  "v4l2:usb-Mock"
#define SIDE_MAX  1280
#define N_BUFFERS 6

/* --- the mock ---------------------------------------------------------------
 */
struct v4l2_capture {
	int fd;
	struct v4l2_format_info info;
	bool streaming;
};

static struct {
	pthread_mutex_t lock;
	bool plugged, hangs, hangs_closing, allows_two;
	unsigned int number, width, height;
	int open_result;	/* of the next n_refusals */
	unsigned int n_refusals;
	unsigned int n_open, n_opened, n_most_open;
	uint32_t sequence;
	sem_t let_go;
	uint8_t pixels[SIDE_MAX * SIDE_MAX * 3 / 2];
} mock = {.lock = PTHREAD_MUTEX_INITIALIZER};

int v4l2_resolve(const char *word, struct device *ret, char *why,
		 size_t why_size)
{
	int r = -ENODEV;

	pthread_mutex_lock(&mock.lock);
	if (mock.plugged) {
		*ret = (struct device){.kind = DEVICE_CAMERA};
		snprintf(ret->node, sizeof(ret->node), "/dev/video%u",
			 mock.number);
		r = 0;
	}
	pthread_mutex_unlock(&mock.lock);
	if (r < 0)
		snprintf(why, why_size, "no device has '%s'", word);
	return r;
}

int v4l2_find_camera(struct device *ret)
{
	char why[100];

	return v4l2_resolve("", ret, why, sizeof(why));
}

void v4l2_list_cameras(void (*found)(void *user, const struct v4l2_camera *c),
		       void *user)
{
}

int v4l2_capture_open(struct v4l2_capture **ret, const char *path,
		      const struct v4l2_format_wish *wishes,
		      unsigned int n_wishes)
{
	struct itimerspec pace = {{0, 33000000}, {0, 33000000}};
	struct v4l2_capture *c = NULL;
	int r = 0;

	pthread_mutex_lock(&mock.lock);
	if (!mock.plugged) {
		r = -ENOENT;
	} else if (mock.n_refusals) {
		mock.n_refusals--;
		r = mock.open_result;
	} else if (mock.n_open && !mock.allows_two) {
		r = -EBUSY;
	} else {
		c = g_new0(struct v4l2_capture, 1);
		c->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		g_assert_cmpint(timerfd_settime(c->fd, 0, &pace, NULL), ==, 0);
		c->info = (struct v4l2_format_info){
			.fourcc = V4L2_PIX_FMT_YUV420,
			.width = mock.width,
			.height = mock.height,
			.stride = mock.width,
			.fps_num = 30,
			.fps_den = 1,
		};
		mock.n_open++;
		mock.n_opened++;
		mock.n_most_open = MAX(mock.n_open, mock.n_most_open);
	}
	pthread_mutex_unlock(&mock.lock);
	if (c)
		*ret = c;
	return r;
}

struct v4l2_capture *v4l2_capture_free(struct v4l2_capture *c)
{
	if (!c)
		return NULL;
	close(c->fd);
	g_free(c);
	pthread_mutex_lock(&mock.lock);
	mock.n_open--;
	pthread_mutex_unlock(&mock.lock);
	return NULL;
}

void v4l2_capture_get_format(const struct v4l2_capture *c,
			     struct v4l2_format_info *ret)
{
	*ret = c->info;
}

unsigned int v4l2_capture_get_n_buffers(const struct v4l2_capture *c)
{
	return N_BUFFERS;
}

int v4l2_capture_start(struct v4l2_capture *c)
{
	return 0;
}

void v4l2_capture_stop(struct v4l2_capture *c)
{
	bool hangs;

	pthread_mutex_lock(&mock.lock);
	hangs = mock.hangs_closing;
	pthread_mutex_unlock(&mock.lock);
	while (hangs && sem_wait(&mock.let_go) < 0)
		;
}

int v4l2_capture_get_fd(const struct v4l2_capture *c)
{
	return c->fd;
}

short v4l2_capture_get_events(const struct v4l2_capture *c)
{
	return POLLIN;
}

int v4l2_capture_dequeue(struct v4l2_capture *c, struct v4l2_frame *ret)
{
	uint64_t ticks;
	bool plugged, hangs;

	pthread_mutex_lock(&mock.lock);
	plugged = mock.plugged;
	hangs = mock.hangs;
	pthread_mutex_unlock(&mock.lock);
	if (hangs) {
		while (sem_wait(&mock.let_go) < 0)
			;
		return -EIO;
	}
	if (!plugged)
		return -ENODEV;
	if (read(c->fd, &ticks, sizeof(ticks)) < 0)
		return -EAGAIN;
	*ret = (struct v4l2_frame){
		.index = mock.sequence % N_BUFFERS,
		.n_planes = 1,
		.data = {mock.pixels},
		.bytes = {(size_t) c->info.width * c->info.height * 3 / 2},
		.sequence = mock.sequence,
		.capture_us = media_clock_now_us(media_clock_system()),
	};
	mock.sequence++;
	return 0;
}

void v4l2_capture_queue(struct v4l2_capture *c, unsigned int index)
{
}

int v4l2_capture_force_keyframe(struct v4l2_capture *c)
{
	return -ENOTSUP;
}

int v4l2_capture_set_bitrate(struct v4l2_capture *c, unsigned int bps)
{
	return -ENOTSUP;
}

static void plug(unsigned int number, unsigned int width, unsigned int height)
{
	pthread_mutex_lock(&mock.lock);
	mock.plugged = true;
	mock.number = number;
	mock.width = width;
	mock.height = height;
	pthread_mutex_unlock(&mock.lock);
}

static void unplug(void)
{
	pthread_mutex_lock(&mock.lock);
	mock.plugged = false;
	pthread_mutex_unlock(&mock.lock);
}

static void refuse(int r, unsigned int n)
{
	pthread_mutex_lock(&mock.lock);
	mock.open_result = r;
	mock.n_refusals = n;
	pthread_mutex_unlock(&mock.lock);
}

static void hang(bool hangs)
{
	pthread_mutex_lock(&mock.lock);
	mock.hangs = hangs;
	pthread_mutex_unlock(&mock.lock);
}

static void hang_closing(bool hangs)
{
	pthread_mutex_lock(&mock.lock);
	mock.hangs_closing = hangs;
	pthread_mutex_unlock(&mock.lock);
}

static void allow_two(bool allows)
{
	pthread_mutex_lock(&mock.lock);
	mock.allows_two = allows;
	pthread_mutex_unlock(&mock.lock);
}

static unsigned int most_open(void)
{
	unsigned int n;

	pthread_mutex_lock(&mock.lock);
	n = mock.n_most_open;
	pthread_mutex_unlock(&mock.lock);
	return n;
}

/* --- the time: the kernel's, and what the test adds to it ------------------- */
static atomic_uint_fast64_t added_us;

static uint64_t now_us(void *user)
{
	return media_clock_now_us(media_clock_system()) +
	       atomic_load(&added_us);
}

static uint64_t wall_us(void *user)
{
	return media_clock_wall_us(media_clock_system());
}

static int wait_us(void *user, struct pollfd *fds, unsigned int n_fds,
		   uint64_t deadline_us)
{
	return media_clock_wait(media_clock_system(), fds, n_fds,
				deadline_us == MEDIA_NO_DEADLINE
					? deadline_us
					: deadline_us - atomic_load(&added_us));
}

static const struct media_clock real_clock = {now_us, wall_us, wait_us, NULL};

/* on_unit() wants rising times and numbers without a gap, throughout. */
static struct video_pipeline *begin(struct viewer *v, const char *source)
{
	struct video_pipeline_config config = {
		.choice = {source, 320, 240, FPS},
		.bitrate_bps = 300000,
		.min_bitrate_bps = 100000,
		.max_bitrate_bps = 4000000,
		.on_unit = on_unit,
		.on_state = on_state,
		.user = v,
		.clock = &real_clock,
	};
	struct video_pipeline *p = NULL;
	char *error = NULL;
	uint32_t rung;

	memset(v, 0, sizeof(*v));
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	sem_init(&v->clock.gate, 0, 0);
	test_decoder_init(&v->decoder, MEDIA_CODEC_VP8, 0);
	v->watched = MEDIA_CODEC_VP8;
	v->decode = v->every_unit_decodes = true;
	v->last_barcode = -1;
	g_assert_cmpint(video_pipeline_new(&p, &config, &error), ==, 0);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	return p;
}

static void check(struct video_pipeline *p, enum video_source_state state,
		  unsigned int lost, const char *node)
{
	struct video_pipeline_stats s;

	video_pipeline_get_stats(p, &s);
	g_assert_cmpint(s.state, ==, state);
	g_assert_cmpuint(s.lost, ==, lost);
	g_assert_cmpstr(s.node, ==, node);
	g_assert_cmpuint(s.rungs[0].encode_errors, ==, 0);
}

static void check_size(struct viewer *v, unsigned int width,
		       unsigned int height)
{
	pthread_mutex_lock(&v->lock);
	g_assert_cmpuint(v->last_width, ==, width);
	g_assert_cmpuint(v->last_height, ==, height);
	pthread_mutex_unlock(&v->lock);
}

/* Gone, and back as another node with another size: the placeholder has the
 * size before, the picture the new one. */
static void test_gone_and_back(void)
{
	struct viewer v;
	struct video_pipeline *p;
	unsigned int n_placeholder;

	plug(0, 320, 240);
	p = begin(&v, SPEC);
	wait_for(&v, enough_live, 1);
	wait_more(&v, 5);
	check(p, VIDEO_SOURCE_LIVE, 0, "/dev/video0");
	unplug();
	wait_for(&v, enough_placeholders, 1);
	wait_more(&v, 3);
	check(p, VIDEO_SOURCE_PLACEHOLDER, 1, "");
	check_size(&v, 320, 240);
	plug(2, 480, 270);
	video_pipeline_poke(p);
	wait_for(&v, enough_live, 2);
	wait_more(&v, 5);
	check(p, VIDEO_SOURCE_LIVE, 1, "/dev/video2");
	check_size(&v, 480, 270);

	/* Nobody tells: it is looked for all the same. */
	unplug();
	wait_for(&v, enough_placeholders, 2);
	plug(0, 320, 240);
	wait_for(&v, enough_live, 3);
	check(p, VIDEO_SOURCE_LIVE, 2, "/dev/video0");
	n_placeholder = v.n_placeholder;
	g_assert_cmpuint(n_placeholder, ==, 2);
	stop(&v, p);
}

/* The node comes before its group; another program has it for a moment. */
static void test_refused_for_a_while(gconstpointer data)
{
	struct viewer v;
	struct video_pipeline *p;

	plug(0, 320, 240);
	p = begin(&v, SPEC);
	wait_for(&v, enough_live, 1);
	unplug();
	wait_for(&v, enough_placeholders, 1);
	refuse(GPOINTER_TO_INT(data), 5);
	plug(0, 320, 240);
	video_pipeline_poke(p);
	wait_for(&v, enough_live, 2);
	wait_more(&v, 3);
	check(p, VIDEO_SOURCE_LIVE, 1, "/dev/video0");
	stop(&v, p);
}

/* What is being closed just now is worth waiting for: no placeholder. */
static void test_busy_for_a_moment(void)
{
	struct video_choice camera = {SPEC, 320, 240, FPS};
	struct viewer v;
	struct video_pipeline *p;
	char *error = NULL;

	plug(0, 320, 240);
	p = begin(&v, "test");
	wait_for(&v, enough_live, 1);
	refuse(-EBUSY, 3);
	g_assert_cmpint(video_pipeline_set_source(p, &camera, &error), ==, 0);
	wait_for(&v, enough_live, 2);
	wait_more(&v, 3);
	check(p, VIDEO_SOURCE_LIVE, 0, "/dev/video0");
	g_assert_cmpuint(v.n_placeholder, ==, 0);
	stop(&v, p);
}

/* Released and taken at once, again and again: never open twice, and never
 * found busy. */
static void test_released_and_taken(void)
{
	struct viewer v;
	struct video_pipeline *p;

	plug(0, 320, 240);
	p = begin(&v, SPEC);
	wait_for(&v, enough_live, 1);
	for (unsigned int i = 0; i < 50; i++) {
		uint32_t rung;

		video_pipeline_release(p, MEDIA_CODEC_VP8);
		g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung),
				==, 0);
		if (i % 10 == 0)
			wait_more(&v, 2);
	}
	wait_more(&v, 3);
	g_assert_cmpuint(v.n_placeholder, ==, 0);
	g_assert_cmpuint(most_open(), ==, 1);
	stop(&v, p);
}

/* No camera: the test picture. One comes: it is taken. It goes: a placeholder,
 * and no test picture. */
static void test_auto(void)
{
	struct video_pipeline_stats s;
	struct viewer v;
	struct video_pipeline *p;

	unplug();
	p = begin(&v, "auto");
	wait_for(&v, enough_live, 1);
	video_pipeline_get_stats(p, &s);
	g_assert_true(g_str_has_prefix(s.source, "test "));
	plug(3, 320, 240);
	video_pipeline_poke(p);
	wait_for(&v, enough_live, 2);
	check(p, VIDEO_SOURCE_LIVE, 0, "/dev/video3");
	unplug();
	wait_for(&v, enough_placeholders, 1);
	wait_more(&v, 3);
	check(p, VIDEO_SOURCE_PLACEHOLDER, 1, "");
	plug(4, 320, 240);
	video_pipeline_poke(p);
	wait_for(&v, enough_live, 3);
	check(p, VIDEO_SOURCE_LIVE, 1, "/dev/video4");
	stop(&v, p);
}

/* Until the thread is inside for longer than is allowed. */
static void let_it_be_stuck(struct video_pipeline *p)
{
	gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	while (!video_pipeline_check(p)) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		atomic_fetch_add(&added_us, MEDIA_US_PER_SEC);
		g_usleep(1000);
	}
}

/* Left behind, with a placeholder at once; the device counts as busy until its
 * driver comes back, and is live again by itself then. */
static void test_hangs(void)
{
	struct viewer v;
	struct video_pipeline *p;
	uint32_t rung;

	plug(0, 320, 240);
	p = begin(&v, SPEC);
	wait_for(&v, enough_live, 1);
	hang(true);
	let_it_be_stuck(p);
	wait_for(&v, enough_placeholders, 1);
	wait_more(&v, 3);
	g_assert_false(video_pipeline_check(p));
	/* Nobody waits for it: not here, nor with another source. */
	video_pipeline_release(p, MEDIA_CODEC_VP8);
	g_assert_cmpint(video_pipeline_take(p, MEDIA_CODEC_VP8, &rung), ==, 0);
	wait_more(&v, 3);
	pthread_mutex_lock(&v.lock);
	g_assert_nonnull(strstr(v.detail, "hangs"));
	pthread_mutex_unlock(&v.lock);
	g_assert_cmpuint(v.n_live, ==, 1);
	hang(false);
	sem_post(&mock.let_go);
	wait_for(&v, enough_live, 2);
	wait_more(&v, 3);
	g_assert_cmpuint(most_open(), ==, 1);
	stop(&v, p);
}

static unsigned int count_open(void)
{
	unsigned int n;

	pthread_mutex_lock(&mock.lock);
	n = mock.n_open;
	pthread_mutex_unlock(&mock.lock);
	return n;
}

/* One that hangs while it is closed is busy itself, and not the one that comes
 * after it; nor does the thread that was left behind in it open that one. */
static void test_hangs_closing(void)
{
	gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	struct video_choice none = {NULL, 320, 240, FPS};
	struct video_choice other = {"v4l2:usb-Other", 320, 240, FPS};
	struct video_choice same = {SPEC, 320, 240, FPS};
	struct video_pipeline_stats s;
	struct viewer v;
	struct video_pipeline *p;
	char *error = NULL;

	plug(0, 320, 240);
	p = begin(&v, SPEC);
	wait_for(&v, enough_live, 1);
	hang_closing(true);
	g_assert_cmpint(video_pipeline_set_source(p, &none, &error), ==, 0);
	let_it_be_stuck(p);
	hang_closing(false);
	g_assert_cmpint(video_pipeline_set_source(p, &same, &error), ==, 0);
	wait_for(&v, enough_placeholders, 1);
	pthread_mutex_lock(&v.lock);
	g_assert_nonnull(strstr(v.detail, "hangs"));
	pthread_mutex_unlock(&v.lock);
	allow_two(true);
	g_assert_cmpint(video_pipeline_set_source(p, &other, &error), ==, 0);
	wait_for(&v, enough_live, 2);
	wait_more(&v, 3);
	g_assert_cmpuint(count_open(), ==, 2);
	sem_post(&mock.let_go);
	while (count_open() > 1) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(1000);
	}
	allow_two(false);
	wait_more(&v, 3);
	video_pipeline_get_stats(p, &s);
	g_assert_cmpint(s.state, ==, VIDEO_SOURCE_LIVE);
	g_assert_cmpuint(v.n_live, ==, 2);
	stop(&v, p);
}

/* The end does not wait for it, and what it shared goes when it does. */
static void test_hangs_at_the_end(void)
{
	gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	struct viewer v;
	struct video_pipeline *p;

	plug(0, 320, 240);
	p = begin(&v, SPEC);
	wait_for(&v, enough_live, 1);
	hang(true);
	let_it_be_stuck(p);
	wait_for(&v, enough_placeholders, 1);
	stop(&v, p);
	hang(false);
	sem_post(&mock.let_go);
	while (count_open()) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(1000);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	sem_init(&mock.let_go, 0, 0);
	g_test_add_func("/video-hotplug/back", test_gone_and_back);
	g_test_add_data_func("/video-hotplug/permission-late",
			     GINT_TO_POINTER(-EACCES),
			     test_refused_for_a_while);
	g_test_add_data_func("/video-hotplug/busy", GINT_TO_POINTER(-EBUSY),
			     test_refused_for_a_while);
	g_test_add_func("/video-hotplug/busy-for-a-moment",
			test_busy_for_a_moment);
	g_test_add_func("/video-hotplug/released-and-taken",
			test_released_and_taken);
	g_test_add_func("/video-hotplug/auto", test_auto);
	g_test_add_func("/video-hotplug/hangs", test_hangs);
	g_test_add_func("/video-hotplug/hangs-closing", test_hangs_closing);
	g_test_add_func("/video-hotplug/hangs-at-the-end",
			test_hangs_at_the_end);
	return g_test_run();
}
