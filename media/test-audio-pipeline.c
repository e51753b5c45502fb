// SPDX-License-Identifier: Apache-2.0
#include "media/audio-pipeline.h"

#include "media/test-util.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_UNITS_KEPT 200
#define UNIT_FRAMES  960

struct listener {
	struct test_clock clock;
	struct test_decoder decoder;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int n_units, n_voice, channels;
	size_t bytes;
	uint64_t next_number, last_us;
	bool uneven, must_rise;
	bool hold, inside, released; /* on_unit() waits for the release */
	unsigned int n_decoded;
	uint8_t level;
	enum audio_source_state state;
	char *detail;
	float *samples; /* of the first channel */
	size_t n_samples;
};

static void on_unit(void *user, struct coded_unit *u)
{
	struct listener *l = user;

	g_assert_cmpint(u->codec, ==, MEDIA_CODEC_OPUS);
	g_assert_cmpuint(u->n_samples, ==, UNIT_FRAMES);
	g_assert_cmpuint(u->number, ==, l->next_number++);

	pthread_mutex_lock(&l->lock);
	if (l->must_rise) {
		g_assert_cmpuint(u->capture_us, >, l->last_us);
		l->n_decoded += test_decoder_decode(&l->decoder, u);
	} else if (l->n_units < N_UNITS_KEPT &&
		   test_decoder_decode(&l->decoder, u)) {
		const AVFrame *f = l->decoder.frame;

		/* Planar or not, the first channel is at the start of it. */
		g_assert_cmpint(f->format, ==, AV_SAMPLE_FMT_FLTP);
		memcpy(l->samples + l->n_samples, f->data[0],
		       (size_t) f->nb_samples * sizeof(float));
		l->n_samples += (size_t) f->nb_samples;
	}
	if (l->n_units && u->capture_us - l->last_us != 20000)
		l->uneven = true;
	l->last_us = u->capture_us;
	l->level = u->audio_level;
	l->n_voice += u->audio_voice;
	l->bytes += u->size;
	l->n_units++;
	pthread_cond_broadcast(&l->changed);
	if (l->hold) {
		struct timespec until = test_deadline(1);

		l->inside = true;
		while (!l->released &&
		       !pthread_cond_timedwait(&l->changed, &l->lock, &until))
			continue;
		l->hold = false;
	}
	g_assert_false(l->released);
	pthread_mutex_unlock(&l->lock);
}

static void on_state(void *user, enum audio_source_state state,
		     const char *detail)
{
	struct listener *l = user;

	pthread_mutex_lock(&l->lock);
	l->state = state;
	g_free(l->detail);
	l->detail = g_strdup(detail);
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

static struct audio_pipeline *start(struct listener *l, const char *source,
				    unsigned int channels)
{
	struct audio_pipeline_config config = {
		.choice.source = source,
		.choice.channels = channels,
		.bitrate_bps = 32000,
		.on_unit = on_unit,
		.on_state = on_state,
		.user = l,
		.clock = &l->clock.clock,
	};
	struct audio_pipeline *p = NULL;
	char *error = NULL;

	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	test_clock_init(&l->clock, false);
	test_decoder_init(&l->decoder, MEDIA_CODEC_OPUS, channels);
	l->samples = g_new0(float, (N_UNITS_KEPT + 1) * UNIT_FRAMES);
	g_assert_cmpint(audio_pipeline_new(&p, &config, &error), ==, 0);
	return p;
}

static void stop(struct listener *l, struct audio_pipeline *p)
{
	g_assert_null(audio_pipeline_free(p));
	test_decoder_done(&l->decoder);
	g_free(l->samples);
	g_free(l->detail);
}

/* Who released has nobody in a call of before, and is not called again. */
static void test_released_is_over(void)
{
	struct listener l;
	struct audio_pipeline *p = start(&l, "test", 1);

	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	pthread_mutex_lock(&l.lock);
	l.hold = true;
	while (!l.inside)
		pthread_cond_wait(&l.changed, &l.lock);
	pthread_mutex_unlock(&l.lock);
	audio_pipeline_release(p);
	pthread_mutex_lock(&l.lock);
	l.released = true;
	pthread_cond_broadcast(&l.changed);
	pthread_mutex_unlock(&l.lock);
	stop(&l, p);
}

static void wait_units(struct listener *l, unsigned int n)
{
	struct timespec until = test_deadline(60);

	pthread_mutex_lock(&l->lock);
	while (l->n_units < n)
		g_assert_cmpint(
			pthread_cond_timedwait(&l->changed, &l->lock, &until),
			==, 0);
	pthread_mutex_unlock(&l->lock);
}

static void wait_more(struct listener *l, unsigned int n)
{
	unsigned int have;

	pthread_mutex_lock(&l->lock);
	have = l->n_units;
	pthread_mutex_unlock(&l->lock);
	wait_units(l, have + n);
}

/* Goertzel: the strength of one frequency, 1.0 for a full-scale sine. */
static double strength(const float *x, size_t n, double hz)
{
	double w = 2 * M_PI * hz / 48000, c = 2 * cos(w), a = 0, b = 0;

	for (size_t i = 0; i < n; i++) {
		double t = x[i] + c * a - b;

		b = a;
		a = t;
	}
	return sqrt(fmax(a * a + b * b - c * a * b, 0)) * 2 / (double) n;
}

static double rms(const float *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * x[i];
	return sqrt(sum / (double) n);
}

static void wait_state(struct listener *l, enum audio_source_state state)
{
	struct timespec until = test_deadline(60);

	pthread_mutex_lock(&l->lock);
	while (l->state != state)
		g_assert_cmpint(
			pthread_cond_timedwait(&l->changed, &l->lock, &until),
			==, 0);
	pthread_mutex_unlock(&l->lock);
}

static void check_tone(unsigned int channels)
{
	struct listener l;
	struct audio_pipeline *p = start(&l, "test", channels);
	size_t quarter = 12000, gap = 480; /* 10 ms */
	double best = 0;
	unsigned int n_quiet = 0;

	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	wait_units(&l, N_UNITS_KEPT);
	audio_pipeline_release(p);

	wait_state(&l, AUDIO_SOURCE_IDLE);
	g_assert_false(l.uneven);
	g_assert_cmpuint(l.n_samples, >, 180000);

	best = strength(l.samples + 24000, quarter, 440);
	g_assert_cmpfloat(best, >, 0.15);
	for (unsigned int hz = 220; hz < 2000; hz += 110)
		if (hz != 440)
			g_assert_cmpfloat(
				strength(l.samples + 24000, quarter, hz), <,
				best / 10);

	/* Four seconds hold four gaps of 50 ms. */
	for (size_t i = 0; i + gap <= l.n_samples; i += gap)
		n_quiet += rms(l.samples + i, gap) < 0.02;
	g_test_message("%u ch: 440 Hz at %.3f, %u quiet pieces of 10 ms",
		       channels, best, n_quiet);
	g_assert_cmpuint(n_quiet, >=, 9);
	g_assert_cmpuint(n_quiet, <=, 28);
	stop(&l, p);
}

static void test_tone_arrives(void)
{
	check_tone(1);
	check_tone(2);
}

static void test_level_and_mute(void)
{
	struct listener l;
	struct audio_pipeline *p = start(&l, "test", 1);
	struct audio_pipeline_stats s;

	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	wait_units(&l, 100);
	/* A sine at -12 dBFS is at -15 dBov. */
	pthread_mutex_lock(&l.lock);
	g_assert_cmpuint(l.n_voice, >, 80);
	pthread_mutex_unlock(&l.lock);
	audio_pipeline_get_stats(p, &s);
	g_assert_cmpint(s.state, ==, AUDIO_SOURCE_LIVE);
	g_assert_cmpstr(s.source, ==, "test tone 440 Hz");
	g_assert_cmpuint(s.takers, ==, 1);

	audio_pipeline_set_muted(p, true);
	wait_more(&l, 20);
	pthread_mutex_lock(&l.lock);
	g_assert_cmpuint(l.level, ==, 127);
	pthread_mutex_unlock(&l.lock);
	stop(&l, p);
}

static size_t bytes_of(struct listener *l, unsigned int n)
{
	unsigned int from;
	size_t before;

	wait_more(l, 5); /* the change has happened */
	pthread_mutex_lock(&l->lock);
	before = l->bytes;
	from = l->n_units;
	pthread_mutex_unlock(&l->lock);
	wait_units(l, from + n);
	pthread_mutex_lock(&l->lock);
	before = (l->bytes - before) / (l->n_units - from);
	pthread_mutex_unlock(&l->lock);
	return before;
}

static void test_bitrate_moves(void)
{
	struct listener l;
	struct audio_pipeline *p = start(&l, "test", 1);
	size_t low, high;

	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	wait_units(&l, 10);
	audio_pipeline_set_bitrate(p, 12000);
	low = bytes_of(&l, 200);
	audio_pipeline_set_bitrate(p, 96000);
	high = bytes_of(&l, 200);
	g_test_message("a packet: %zu bytes at 12 kb/s, %zu at 96", low, high);
	g_assert_cmpuint(high, >, 2 * low);
	stop(&l, p);
}

static void test_missing_device_is_silence(void)
{
	struct listener l;
	struct audio_pipeline *p =
		start(&l, "alsa:hw:CARD=nosuchcard,DEV=9", 1);

	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	wait_units(&l, 150); /* three seconds: the device was tried again */
	pthread_mutex_lock(&l.lock);
	g_assert_cmpint(l.state, ==, AUDIO_SOURCE_SILENCE);
	g_assert_nonnull(strstr(l.detail, "nosuchcard"));
	g_assert_cmpuint(l.level, ==, 127);
	g_assert_false(l.uneven);
	pthread_mutex_unlock(&l.lock);
	stop(&l, p);
}

/* 1 kHz at 44.1 kHz stereo, shorter than what is listened to: it loops. */
static void write_wav(const char *path)
{
	enum { RATE = 44100, N = RATE * 6 / 5, BYTES = N * 4 };
	uint32_t sizes[] = {GUINT32_TO_LE(36 + BYTES), GUINT32_TO_LE(BYTES)};
	uint16_t form[] = {GUINT16_TO_LE(1), GUINT16_TO_LE(2)};
	uint32_t rates[] = {GUINT32_TO_LE(RATE), GUINT32_TO_LE(RATE * 4)};
	uint16_t block[] = {GUINT16_TO_LE(4), GUINT16_TO_LE(16)};
	uint32_t format_bytes = GUINT32_TO_LE(16);
	FILE *f = fopen(path, "wbe");

	g_assert_nonnull(f);
	fwrite("RIFF", 4, 1, f);
	fwrite(&sizes[0], 4, 1, f);
	fwrite("WAVEfmt ", 8, 1, f);
	fwrite(&format_bytes, 4, 1, f);
	fwrite(form, sizeof(form), 1, f);
	fwrite(rates, sizeof(rates), 1, f);
	fwrite(block, sizeof(block), 1, f);
	fwrite("data", 4, 1, f);
	fwrite(&sizes[1], 4, 1, f);
	for (int i = 0; i < N; i++) {
		int16_t v = (int16_t) GINT16_TO_LE(
			lrint(8000 * sin(2 * M_PI * 1000 * i / RATE)));

		fwrite(&v, 2, 1, f);
		fwrite(&v, 2, 1, f);
	}
	fclose(f);
}

static void test_file_is_resampled_and_looped(void)
{
	g_autofree char *dir = g_dir_make_tmp("skylink-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "a.wav", NULL);
	g_autofree char *spec = g_strdup_printf("file:%s", path);
	struct audio_pipeline *p;
	struct listener l;

	write_wav(path);
	p = start(&l, spec, 1);
	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	wait_units(&l, N_UNITS_KEPT);
	audio_pipeline_release(p);
	g_assert_cmpfloat(strength(l.samples + 24000, 12000, 1000), >, 0.15);
	g_assert_cmpfloat(strength(l.samples + 160000, 12000, 1000), >, 0.15);
	g_assert_cmpfloat(strength(l.samples + 24000, 12000, 919), <, 0.03);
	g_assert_false(l.uneven);
	stop(&l, p);
	g_unlink(path);
	g_rmdir(dir);
}

static void change(struct audio_pipeline *p, const char *source,
		   unsigned int channels)
{
	struct audio_choice choice = {source, channels};
	char *error = NULL;

	g_assert_cmpint(audio_pipeline_set_source(p, &choice, &error), ==, 0);
}

/* Tone, silence, stereo, none: numbers without a gap (on_unit), times rising,
 * each packet a decodable one. */
static void test_source_is_replaced(void)
{
	struct audio_pipeline_stats s;
	struct listener l;
	struct audio_pipeline *p = start(&l, "test", 1);
	struct audio_choice wrong = {"tset", 1}, three = {"test", 3};
	char *error = NULL;
	unsigned int n;

	l.must_rise = true;
	g_assert_cmpint(audio_pipeline_take(p), ==, 0);
	wait_units(&l, 10);
	for (unsigned int i = 0; i < 50; i++) {
		change(p, i % 5 == 4 ? "alsa:no-such-device" : "test",
		       1 + i % 2);
		wait_more(&l, 4);
	}
	audio_pipeline_get_stats(p, &s);
	g_assert_cmpuint(s.channels, ==, 2);
	g_assert_cmpuint(s.replaced, >, 25);

	g_assert_cmpint(audio_pipeline_set_source(p, &wrong, &error), ==,
			-EINVAL);
	g_clear_pointer(&error, free);
	g_assert_cmpint(audio_pipeline_set_source(p, &three, &error), ==,
			-EINVAL);
	g_clear_pointer(&error, free);
	wait_more(&l, 4);

	change(p, NULL, 0);
	wait_state(&l, AUDIO_SOURCE_IDLE);
	pthread_mutex_lock(&l.lock);
	n = l.n_units;
	pthread_mutex_unlock(&l.lock);
	change(p, "test", 2);
	wait_units(&l, n + 10);
	wait_state(&l, AUDIO_SOURCE_LIVE);
	g_assert_cmpuint(l.n_decoded, ==, l.n_units);
	stop(&l, p);
}

static void test_try(void)
{
	struct audio_choice good = {"test", 2}, missing = {"alsa:nowhere", 1};
	char *error = NULL;

	g_assert_cmpint(audio_choice_try(&good, &error), ==, 0);
	g_assert_cmpint(audio_choice_try(&missing, &error), <, 0);
	g_assert_nonnull(strstr(error, "nowhere"));
	g_clear_pointer(&error, free);
}

static void test_wrong_configuration_is_named(void)
{
	static const struct audio_pipeline_config wrong[] = {
		{.choice.source = "tset",
		 .choice.channels = 1,
		 .bitrate_bps = 32000},
		{.choice.source = "alsa:",
		 .choice.channels = 1,
		 .bitrate_bps = 32000},
		{.choice.source = "test:1",
		 .choice.channels = 1,
		 .bitrate_bps = 32000},
		{.choice.source = "test",
		 .choice.channels = 3,
		 .bitrate_bps = 32000},
		{.choice.source = "test",
		 .choice.channels = 1,
		 .bitrate_bps = 32},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct audio_pipeline *p = NULL;
		char *error = NULL;

		g_assert_cmpint(audio_pipeline_new(&p, &wrong[i], &error), ==,
				-EINVAL);
		g_assert_null(p);
		g_assert_nonnull(error);
		free(error);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audio-pipeline/released-is-over",
			test_released_is_over);
	g_test_add_func("/audio-pipeline/tone", test_tone_arrives);
	g_test_add_func("/audio-pipeline/level-mute", test_level_and_mute);
	g_test_add_func("/audio-pipeline/bitrate", test_bitrate_moves);
	g_test_add_func("/audio-pipeline/missing-device",
			test_missing_device_is_silence);
	g_test_add_func("/audio-pipeline/file",
			test_file_is_resampled_and_looped);
	g_test_add_func("/audio-pipeline/replace", test_source_is_replaced);
	g_test_add_func("/audio-pipeline/try", test_try);
	g_test_add_func("/audio-pipeline/wrong-configuration",
			test_wrong_configuration_is_named);
	return g_test_run();
}
