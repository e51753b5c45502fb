// SPDX-License-Identifier: Apache-2.0
#include "media/audio-pipeline.h"

#include "media/audio-level.h"
#include "media/audio-source.h"
#include "media/opus-encoder.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RETRY_US	 MEDIA_US_PER_SEC
#define STALL_US	 (3 * MEDIA_US_PER_SEC)
#define MIN_BITRATE_BPS	 6000
#define MAX_BITRATE_BPS	 510000
#define VOICE_LEVEL	 50  /* -dBov; louder than this counts as voice */
#define N_UNITS		 256 /* in flight: 5 s */
#define FRAME_US	 20000
#define MAX_JITTER_US	 40000 /* beyond it time has jumped */
#define JITTER_SHIFT	 5
#define CATCH_UP_US	 2000 /* a packet, while stamps are ahead of sound */
#define DETAIL_MAX_BYTES 256

struct audio_pipeline {
	struct audio_pipeline_config config;
	char *spec;
	const struct audio_source_ops *ops;
	const char *path; /* in spec */
	const struct media_clock *clock;
	struct media_count count;
	struct unit_pool *units;

	/* Control */
	pthread_t thread;
	bool capturing;
	int wake_fd;

	/* Between the threads */
	pthread_mutex_t lock; /* state and detail; never held in a call */
	enum audio_source_state state;
	char detail[DETAIL_MAX_BYTES];
	atomic_bool stopping, muted;
	atomic_uint bitrate_bps, takers, level;
	atomic_uint_fast64_t units_out, bytes_out, overruns, samples_lost;

	/* Capture thread */
	struct opus_encoder *encoder;
	struct audio_source *source;
	bool is_silence, is_live;
	uint64_t retry_us, stall_us;
	unsigned int n_have; /* frames of the packet that is filling */
	uint64_t packet_us;  /* capture of its first frame, as measured */
	uint64_t smooth_us;  /* the same, without the jitter; 0: unknown */
	uint64_t next_number;
	char why[DETAIL_MAX_BYTES];
};

static void set_state(struct audio_pipeline *p, enum audio_source_state state,
		      const char *detail)
{
	pthread_mutex_lock(&p->lock);
	p->state = state;
	snprintf(p->detail, sizeof(p->detail), "%s", detail);
	pthread_mutex_unlock(&p->lock);

	if (p->config.on_state)
		p->config.on_state(p->config.user, state, detail);
}

static int open_source(struct audio_pipeline *p,
		       const struct audio_source_ops *ops,
		       struct audio_source **ret)
{
	struct audio_source_config config = {
		.path = p->path,
		.channels = p->config.channels,
		.clock = p->clock,
		.wake_fd = p->wake_fd,
	};

	return ops->open(ret, &config, p->why, sizeof(p->why));
}

static void close_source(struct audio_pipeline *p)
{
	if (p->source)
		p->source = p->source->ops->close(p->source);
	p->n_have = 0;
}

static bool try_source(struct audio_pipeline *p)
{
	struct audio_source *source = NULL;

	snprintf(p->why, sizeof(p->why), "%s", p->spec);
	if (open_source(p, p->ops, &source) < 0)
		return false;
	close_source(p);
	p->source = source;
	p->is_silence = false;
	p->is_live = false;
	p->stall_us = media_clock_now_us(p->clock) + STALL_US;
	return true;
}

static void start_silence(struct audio_pipeline *p)
{
	char reason[DETAIL_MAX_BYTES];

	memcpy(reason, p->why, sizeof(reason));
	close_source(p);
	p->is_silence = true;
	p->retry_us = media_clock_now_us(p->clock) + RETRY_US;
	if (open_source(p, &audio_source_silence_ops, &p->source) < 0)
		p->source = NULL; /* no memory: tried again in a second */
	set_state(p, AUDIO_SOURCE_SILENCE, reason);
}

/* Packets follow each other by 20 ms exactly, while the clock that stamps them
 * jitters: follow it slowly, jump only when it jumped. */
static uint64_t smooth_time(struct audio_pipeline *p, uint64_t measured_us)
{
	int64_t error;

	if (p->smooth_us)
		p->smooth_us += FRAME_US;
	error = (int64_t) (measured_us - p->smooth_us);
	if (!p->smooth_us || error > MAX_JITTER_US)
		p->smooth_us = measured_us;
	else if (error > -MAX_JITTER_US)
		p->smooth_us += (uint64_t) (error / (1 << JITTER_SHIFT));
	else
		p->smooth_us -= CATCH_UP_US; /* never back, but slower */
	return p->smooth_us;
}

static void encode(struct audio_pipeline *p, int16_t *samples)
{
	size_t n = (size_t) OPUS_FRAME_SAMPLES * p->config.channels;
	struct coded_unit *u;
	uint8_t level;

	if (atomic_load_explicit(&p->muted, memory_order_relaxed))
		memset(samples, 0, n * sizeof(*samples));
	level = audio_level(samples, n);
	atomic_store_explicit(&p->level, level, memory_order_relaxed);
	p->smooth_us = smooth_time(p, p->packet_us);

	opus_encoder_set_bitrate(p->encoder, atomic_load(&p->bitrate_bps));
	if (opus_encoder_encode(p->encoder, &u) < 0) {
		atomic_fetch_add(&p->samples_lost, OPUS_FRAME_SAMPLES);
		return;
	}
	u->number = p->next_number++;
	u->capture_us = p->smooth_us;
	u->encoded_us = media_clock_now_us(p->clock);
	u->audio_level = level;
	u->audio_voice = level < VOICE_LEVEL;
	atomic_fetch_add_explicit(&p->units_out, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&p->bytes_out, u->size, memory_order_relaxed);
	p->config.on_unit(p->config.user, u);
	coded_unit_unref(u);
}

/* Return: what the source's read() does. */
static int read_some(struct audio_pipeline *p)
{
	uint64_t capture_us = 0, lost = 0;
	unsigned int want = OPUS_FRAME_SAMPLES - p->n_have;
	int16_t *samples = opus_encoder_get_input(p->encoder);
	int r;

	if (!samples)
		return -ENOMEM;
	r = p->source->ops->read(
		p->source, samples + (size_t) p->n_have * p->config.channels,
		want, &capture_us, &lost);
	if (lost) {
		atomic_fetch_add(&p->overruns, 1);
		atomic_fetch_add(&p->samples_lost, lost);
	}
	if (r <= 0)
		return r;

	if (p->n_have == 0)
		p->packet_us = capture_us;
	p->n_have += (unsigned int) r;
	p->stall_us = media_clock_now_us(p->clock) + STALL_US;
	if (!p->is_silence && !p->is_live) {
		p->is_live = true;
		set_state(p, AUDIO_SOURCE_LIVE, p->source->detail);
	}
	if (p->n_have == OPUS_FRAME_SAMPLES) {
		p->n_have = 0;
		encode(p, samples);
	}
	return r;
}

static void read_all(struct audio_pipeline *p)
{
	int r;

	do
		r = read_some(p);
	while (r > 0 && !atomic_load(&p->stopping));

	if (r < 0) {
		snprintf(p->why, sizeof(p->why), "%s stopped: %s", p->spec,
			 strerror(-r));
		start_silence(p);
	} else if (r == 0 && !p->is_silence && p->source->ops->is_device &&
		   media_clock_now_us(p->clock) >= p->stall_us) {
		snprintf(p->why, sizeof(p->why), "%s delivers no sound",
			 p->spec);
		start_silence(p);
	}
}

static void wait_source(struct audio_pipeline *p)
{
	struct pollfd fds[AUDIO_SOURCE_FDS_MAX + 1];
	struct audio_source_wait wait = {.deadline_us = MEDIA_NO_DEADLINE};
	bool waits_for_device = p->is_silence || !p->source;
	uint64_t deadline;
	eventfd_t ignored;

	if (p->source)
		p->source->ops->wait(p->source, &wait);
	deadline = wait.deadline_us;
	if (waits_for_device && p->retry_us < deadline)
		deadline = p->retry_us;
	if (!waits_for_device && p->source->ops->is_device &&
	    p->stall_us < deadline)
		deadline = p->stall_us;
	fds[0] = (struct pollfd){.fd = p->wake_fd, .events = POLLIN};
	memcpy(fds + 1, wait.fds, wait.n_fds * sizeof(fds[0]));

	media_clock_wait(p->clock, fds, wait.n_fds + 1, deadline);
	if (fds[0].revents)
		eventfd_read(p->wake_fd, &ignored);

	if (waits_for_device && media_clock_now_us(p->clock) >= p->retry_us &&
	    !try_source(p))
		p->retry_us = media_clock_now_us(p->clock) + RETRY_US;
}

static void *capture_thread(void *user)
{
	struct audio_pipeline *p = user;

	pthread_setname_np(pthread_self(), "capture-audio");
	if (!try_source(p))
		start_silence(p);

	for (;;) {
		wait_source(p);
		if (atomic_load(&p->stopping))
			break;
		if (p->source)
			read_all(p);
	}
	close_source(p);
	p->encoder = opus_encoder_free(p->encoder);
	set_state(p, AUDIO_SOURCE_IDLE, "nobody listens");
	return NULL;
}

static char *sentence(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static char *sentence(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static char *find_fault(const struct audio_pipeline_config *c)
{
	const char *path;

	if (!c->source || !audio_source_find(c->source, &path))
		return sentence("'%s' is not an audio source; use auto, test, "
				"alsa:NAME or file:PATH",
				c->source ? c->source : "");
	if (c->channels < 1 || c->channels > 2)
		return sentence("%u channels are not possible; use 1 or 2",
				c->channels);
	if (c->bitrate_bps < MIN_BITRATE_BPS ||
	    c->bitrate_bps > MAX_BITRATE_BPS)
		return sentence("an audio bit rate of %u bit/s is not "
				"possible; use %u to %u",
				c->bitrate_bps, MIN_BITRATE_BPS,
				MAX_BITRATE_BPS);
	return NULL;
}

int audio_pipeline_new(struct audio_pipeline **ret,
		       const struct audio_pipeline_config *config,
		       char **ret_error)
{
	char *fault = find_fault(config);
	struct audio_pipeline *p;
	int r;

	if (fault) {
		*ret_error = fault;
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	p->config = *config;
	p->clock = config->clock ? config->clock : media_clock_system();
	atomic_store(&p->bitrate_bps, config->bitrate_bps);
	atomic_store(&p->level, 127);
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = p->wake_fd < 0 ? -errno : 0;
	p->spec = strdup(config->source);
	if (r == 0 && !p->spec)
		r = -ENOMEM;
	if (r == 0)
		r = unit_pool_new(&p->units, &p->count, MEDIA_CODEC_OPUS,
				  N_UNITS);
	if (r < 0) {
		*ret_error = sentence("no audio: %s", strerror(-r));
		audio_pipeline_free(p);
		return r;
	}
	p->config.source = p->spec;
	p->ops = audio_source_find(p->spec, &p->path);
	*ret = p;
	return 0;
}

static void stop_capture(struct audio_pipeline *p)
{
	if (!p->capturing)
		return;
	atomic_store(&p->stopping, true);
	eventfd_write(p->wake_fd, 1);
	pthread_join(p->thread, NULL);
	p->capturing = false;
}

struct audio_pipeline *audio_pipeline_free(struct audio_pipeline *p)
{
	if (!p)
		return NULL;
	stop_capture(p);
	unit_pool_close(p->units);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	pthread_mutex_destroy(&p->lock);
	free(p->spec);
	free(p);
	return NULL;
}

int audio_pipeline_take(struct audio_pipeline *p)
{
	eventfd_t ignored;
	int r;

	if (!p->capturing) {
		r = opus_encoder_new(&p->encoder, p->config.channels,
				     atomic_load(&p->bitrate_bps), p->units);
		if (r < 0)
			return r;
		atomic_store(&p->stopping, false);
		eventfd_read(p->wake_fd, &ignored);
		p->smooth_us = 0;
		r = pthread_create(&p->thread, NULL, capture_thread, p);
		if (r) {
			p->encoder = opus_encoder_free(p->encoder);
			return -r;
		}
		p->capturing = true;
	}
	atomic_fetch_add(&p->takers, 1);
	return 0;
}

void audio_pipeline_release(struct audio_pipeline *p)
{
	assert(atomic_load(&p->takers) > 0);
	if (atomic_fetch_sub(&p->takers, 1) == 1)
		stop_capture(p);
}

void audio_pipeline_set_bitrate(struct audio_pipeline *p, unsigned int bps)
{
	if (bps < MIN_BITRATE_BPS)
		bps = MIN_BITRATE_BPS;
	if (bps > MAX_BITRATE_BPS)
		bps = MAX_BITRATE_BPS;
	atomic_store(&p->bitrate_bps, bps);
}

void audio_pipeline_set_muted(struct audio_pipeline *p, bool muted)
{
	atomic_store(&p->muted, muted);
}

void audio_pipeline_get_stats(struct audio_pipeline *p,
			      struct audio_pipeline_stats *ret_stats)
{
	struct audio_pipeline_stats s = {
		.units_out = media_count_get(&p->units_out),
		.bytes_out = media_count_get(&p->bytes_out),
		.overruns = media_count_get(&p->overruns),
		.samples_lost = media_count_get(&p->samples_lost),
		.level = (uint8_t) atomic_load(&p->level),
		.takers = atomic_load(&p->takers),
	};

	pthread_mutex_lock(&p->lock);
	s.state = p->state;
	memcpy(s.source, p->detail, sizeof(s.source));
	pthread_mutex_unlock(&p->lock);
	*ret_stats = s;
}
