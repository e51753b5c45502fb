// SPDX-License-Identifier: Apache-2.0
/* Both encoders by the same tests: what goes in comes out of a decoder. */
#include "media/barcode.h"
#include "media/encoder.h"
#include "media/h264-annexb.h"
#include "media/video-source.h"

#include "media/test-util.h"

#include <string.h>

#define FPS	30
#define BITRATE 2000000

struct chain {
	struct test_clock clock;
	struct media_count count;
	struct video_source *source;
	struct unit_pool *units;
	const struct encoder_ops *ops;
	struct encoder *encoder;
	struct test_decoder decoder;
};

static void open_chain(struct chain *c, enum media_codec codec, unsigned int w,
		       unsigned int h)
{
	struct video_source_config sc = {
		.width = w,
		.height = h,
		.fps = FPS,
		.wake_fd = -1,
	};
	struct encoder_config ec = {
		.width = w,
		.height = h,
		.format = PICTURE_I420,
		.fps = FPS,
		.bitrate_bps = BITRATE,
	};
	char why[128];

	memset(c, 0, sizeof(*c));
	test_clock_init(&c->clock, false);
	sc.clock = &c->clock.clock;
	sc.count = &c->count;
	g_assert_cmpint(source_test_ops.open(&c->source, &sc, why, sizeof(why)),
			==, 0);
	g_assert_cmpint(unit_pool_new(&c->units, &c->count, codec, 8), ==, 0);
	ec.units = c->units;
	c->ops = encoder_find(codec);
	g_assert_nonnull(c->ops);
	g_assert_cmpint(c->ops->open(&c->encoder, &ec), ==, 0);
	test_decoder_init(&c->decoder, codec, 0);
}

static void close_chain(struct chain *c)
{
	g_assert_null(c->ops->close(c->encoder));
	source_test_ops.close(c->source);
	unit_pool_close(c->units);
	test_decoder_done(&c->decoder);
}

/* Draws and encodes one picture; NULL if the encoder skipped it. */
static struct coded_unit *step(struct chain *c, bool keyframe)
{
	struct picture_frame frame = {.fps = FPS};
	struct video_source_wait wait;
	struct video_sample sample;
	struct coded_unit *u = NULL;
	int r;

	source_test_ops.wait(c->source, &wait);
	media_clock_wait(&c->clock.clock, NULL, 0, wait.deadline_us);
	g_assert_cmpint(source_test_ops.take(c->source, &sample), ==, 0);
	frame.picture = sample.picture;
	frame.capture_us = sample.capture_us;
	r = c->ops->encode(c->encoder, &frame, keyframe, &u);
	g_assert_cmpint(r, >=, 0);
	if (r == ENCODER_UNIT)
		g_assert_cmpuint(u->capture_us, ==, sample.capture_us);
	/* Nobody holds the picture any more but us. */
	g_assert_cmpuint(atomic_load(&sample.picture->refs), ==, 1);
	picture_unref(sample.picture);
	return u;
}

static void check_h264_keyframe(const struct coded_unit *u)
{
	struct h264_unit_info info;

	g_assert_cmpmem(u->data, 4, "\0\0\0\1", 4);
	h264_inspect_unit(u->data, u->size, &info);
	g_assert_true(info.has_idr && info.has_sps && info.has_pps);
	/* constrained baseline: profile_idc 66, constraint_set1 */
	g_assert_cmpuint(u->data[5], ==, 66);
	g_assert_true(u->data[6] & 0x40);
}

static void check_barcodes(enum media_codec codec, unsigned int w,
			   unsigned int h)
{
	unsigned int n_read = 0, n_keyframes = 0;
	int last = -1;
	struct chain c;

	open_chain(&c, codec, w, h);
	for (unsigned int i = 0; i < 3 * FPS; i++) {
		struct coded_unit *u = step(&c, i == 0);
		const AVFrame *f = c.decoder.frame;
		struct barcode b;

		if (!u)
			continue;
		n_keyframes += u->keyframe;
		if (codec == MEDIA_CODEC_H264 && u->keyframe)
			check_h264_keyframe(u);
		g_assert_true(test_decoder_decode(&c.decoder, u));
		coded_unit_unref(u);
		g_assert_cmpint(barcode_read(f->data[0], f->linesize[0],
					     (unsigned int) f->width,
					     (unsigned int) f->height, &b),
				==, 0);
		g_assert_cmpint(b.number, >, last);
		last = b.number;
		n_read++;
	}
	g_test_message("%s %ux%u: %u of %u barcodes read",
		       media_codec_name(codec), w, h, n_read, 3 * FPS);
	g_assert_cmpuint(n_read, >=, 3 * FPS * 95 / 100);
	g_assert_cmpuint(n_keyframes, ==, 1);
	/* Test picture to encoder: no copy of ours, and nothing allocated
	 * after the pool's buffers. */
	g_assert_cmpuint(media_count_get(&c.count.frame_copies), ==, 0);
	g_assert_cmpuint(media_count_get(&c.count.frame_allocs), ==, 8);
	close_chain(&c);
}

static void test_barcode_survives(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);

	check_barcodes(codec, 1280, 720);
	check_barcodes(codec, 320, 180);
}

static void test_keyframe_on_request(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);
	struct chain c;

	open_chain(&c, codec, 640, 360);
	for (unsigned int i = 0; i < 40; i++) {
		bool wanted = i == 0 || i == 17 || i == 18 || i == 30;
		struct coded_unit *u = step(&c, wanted);

		g_assert_nonnull(u);
		g_assert_cmpint(u->keyframe, ==, wanted);
		if (wanted && codec == MEDIA_CODEC_H264)
			check_h264_keyframe(u);
		/* The limit of 300 ms of the rate, and some grace. */
		g_assert_cmpuint(u->size, <, BITRATE / 8 * 4 / 10);
		coded_unit_unref(u);
	}
	close_chain(&c);
}

/* Bits per second over @n pictures. */
static unsigned int rate_over(struct chain *c, unsigned int n)
{
	size_t bytes = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct coded_unit *u = step(c, false);

		if (u) {
			bytes += u->size;
			coded_unit_unref(u);
		}
	}
	return (unsigned int) (bytes * 8 * FPS / n);
}

static void check_rate(struct chain *c, unsigned int bps)
{
	unsigned int is;

	g_assert_cmpint(c->ops->set_bitrate(c->encoder, bps), ==, 0);
	rate_over(c, 30); /* what the old rate left in its buffer */
	is = rate_over(c, 60);
	g_test_message("%s: %u kb/s wanted, %u made", c->ops->name, bps / 1000,
		       is / 1000);
	g_assert_cmpuint(is, >, bps * 7 / 10);
	g_assert_cmpuint(is, <, bps * 13 / 10);
}

static void test_bitrate_moves(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);
	struct chain c;

	open_chain(&c, codec, 1280, 720);
	coded_unit_unref(step(&c, true));
	check_rate(&c, 2000000);
	check_rate(&c, 500000);
	check_rate(&c, 3000000);
	check_rate(&c, 1000000);
	close_chain(&c);
}

/* Pictures lost in the two seconds after a slow peer's visit. */
static unsigned int come_and_go(struct chain *c, unsigned int n_pictures)
{
	unsigned int skipped = 0;

	coded_unit_unref(step(c, true));
	rate_over(c, 1);
	g_assert_cmpint(c->ops->set_bitrate(c->encoder, 500000), ==, 0);
	rate_over(c, n_pictures);
	g_assert_cmpint(c->ops->set_bitrate(c->encoder, 3000000), ==, 0);
	for (unsigned int i = 0; i < 2 * FPS; i++) {
		struct coded_unit *u = step(c, false);

		skipped += !u;
		if (u)
			coded_unit_unref(u);
	}
	return skipped;
}

/* A slow peer joins, which takes a keyframe, and leaves again soon: the rate
 * that is back must not cost those who stayed their pictures. */
static void test_raise_loses_nothing(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);

	for (unsigned int slow = 5; slow <= 25; slow += 5) {
		unsigned int skipped = 0;
		struct chain c;

		open_chain(&c, codec, 640, 360);
		rate_over(&c, 60);
		for (unsigned int n = 0; n < 4; n++)
			skipped += come_and_go(&c, slow);
		g_test_message("%s: %u pictures lost %u pictures after "
			       "each fall",
			       c.ops->name, skipped, slow);
		g_assert_cmpuint(skipped, ==, 0);
		close_chain(&c);
	}
}

/* Readers that keep all units stop the encoder before it, not after: the
 * stream has no gap. */
static void test_units_run_out(gconstpointer data)
{
	enum media_codec codec = (enum media_codec) GPOINTER_TO_INT(data);
	struct picture_frame frame = {.fps = FPS};
	struct video_source_wait wait;
	struct coded_unit *held[8], *u = NULL;
	struct video_sample sample;
	struct chain c;

	open_chain(&c, codec, 320, 180);
	for (size_t i = 0; i < G_N_ELEMENTS(held); i++) {
		held[i] = step(&c, i == 0);
		g_assert_nonnull(held[i]);
		g_assert_true(test_decoder_decode(&c.decoder, held[i]));
	}
	source_test_ops.wait(c.source, &wait);
	media_clock_wait(&c.clock.clock, NULL, 0, wait.deadline_us);
	g_assert_cmpint(source_test_ops.take(c.source, &sample), ==, 0);
	frame.picture = sample.picture;
	frame.capture_us = sample.capture_us;
	g_assert_cmpint(c.ops->encode(c.encoder, &frame, false, &u), ==,
			-ENOBUFS);
	g_assert_null(u);
	picture_unref(sample.picture);

	for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
		coded_unit_unref(held[i]);
	u = step(&c, false);
	g_assert_nonnull(u);
	g_assert_false(u->keyframe);
	g_assert_true(test_decoder_decode(&c.decoder, u));
	coded_unit_unref(u);
	close_chain(&c);
}

static void add(const char *name, enum media_codec codec,
		void (*func)(gconstpointer))
{
	g_autofree char *path = g_strdup_printf("/encoder/%s/%s",
						media_codec_name(codec), name);

	g_test_add_data_func(path, GINT_TO_POINTER(codec), func);
}

int main(int argc, char *argv[])
{
	static const enum media_codec codecs[] = {MEDIA_CODEC_VP8,
						  MEDIA_CODEC_H264};

	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		add("barcode-survives", codecs[i], test_barcode_survives);
		add("keyframe-on-request", codecs[i], test_keyframe_on_request);
		add("bitrate-moves", codecs[i], test_bitrate_moves);
		add("raise-loses-nothing", codecs[i], test_raise_loses_nothing);
		add("units-run-out", codecs[i], test_units_run_out);
	}
	return g_test_run();
}
