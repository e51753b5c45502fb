// SPDX-License-Identifier: Apache-2.0
#include "media/audio-pipeline.h"

#include "media/audio-level.h"
#include "media/audio-source.h"
#include "media/opus-encoder.h"
#include "media/source-spec.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
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

/* A choice of one's own. */
struct choice {
	char *spec; /* NULL: no source */
	const struct audio_source_ops *ops;
	const char *path; /* in spec */
	unsigned int channels;
};

struct audio_pipeline {
	struct audio_pipeline_config config;
	const struct media_clock *clock;
	struct media_count count;
	struct unit_pool *units;

	/* Control */
	struct choice wanted;
	pthread_t thread;
	bool capturing;
	int wake_fd;

	/* Between the threads */
	pthread_mutex_t lock; /* all that follows; never held in a call */
	struct choice next;   /* what to change to */
	bool has_next;
	enum audio_source_state state;
	uint64_t since_us, lost; /* of state; what was live and went */
	char detail[DETAIL_MAX_BYTES];
	atomic_bool stopping, muted;
	atomic_uint bitrate_bps, volume, takers, level;
	atomic_uint_fast64_t units_out, bytes_out, overruns, samples_lost,
		replaced;

	/* Capture thread */
	struct choice now;
	struct opus_encoder *encoder; /* NULL: no source, or no memory */
	struct audio_source *source;
	bool is_silence, is_live;
	uint64_t retry_us, stall_us;
	unsigned int n_have; /* frames of the packet that is filling */
	uint64_t packet_us;  /* capture of its first frame, as measured */
	uint64_t smooth_us;  /* the same, without the jitter; 0: unknown */
	uint64_t next_number;
	char why[DETAIL_MAX_BYTES];
};

static int copy_choice(struct choice *ret, const struct audio_choice *choice)
{
	struct choice c = {.channels = choice->channels};

	if (choice->source) {
		c.spec = strdup(choice->source);
		if (!c.spec)
			return -ENOMEM;
		c.ops = audio_source_find(c.spec, &c.path);
	}
	*ret = c;
	return 0;
}

static void drop_choice(struct choice *c)
{
	free(c->spec);
	*c = (struct choice){0};
}

static void set_state(struct audio_pipeline *p, enum audio_source_state state,
		      const char *detail)
{
	pthread_mutex_lock(&p->lock);
	if (state != p->state)
		p->since_us = media_clock_now_us(p->clock);
	if (p->state == AUDIO_SOURCE_LIVE && state == AUDIO_SOURCE_SILENCE)
		p->lost++;
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
		.path = p->now.path,
		.channels = p->now.channels,
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

static bool have_encoder(struct audio_pipeline *p)
{
	int r;

	if (p->encoder)
		return true;
	r = opus_encoder_new(&p->encoder, p->now.channels,
			     atomic_load(&p->bitrate_bps), p->units);
	if (r < 0)
		snprintf(p->why, sizeof(p->why), "no Opus encoder: %s",
			 strerror(-r));
	return r == 0;
}

static bool try_source(struct audio_pipeline *p)
{
	struct audio_source *source = NULL;

	if (!have_encoder(p))
		return false;
	snprintf(p->why, sizeof(p->why), "%s", p->now.spec);
	if (open_source(p, p->now.ops, &source) < 0)
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
	if (!p->encoder ||
	    open_source(p, &audio_source_silence_ops, &p->source) < 0)
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

static void apply_volume(int16_t *samples, size_t n, unsigned int percent)
{
	for (size_t i = 0; i < n; i++) {
		int v = samples[i] * (int) percent / 100;

		samples[i] = (int16_t) (v > INT16_MAX ? INT16_MAX :
					v < INT16_MIN ? INT16_MIN : v);
	}
}

static void encode(struct audio_pipeline *p, int16_t *samples)
{
	unsigned int volume = atomic_load_explicit(&p->volume,
						   memory_order_relaxed);
	size_t n = (size_t) OPUS_FRAME_SAMPLES * p->now.channels;
	struct coded_unit *u;
	uint8_t level;

	if (atomic_load_explicit(&p->muted, memory_order_relaxed))
		memset(samples, 0, n * sizeof(*samples));
	else if (volume != 100)
		apply_volume(samples, n, volume);
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
	r = p->source->ops->read(p->source,
				 samples + (size_t) p->n_have * p->now.channels,
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
		atomic_fetch_add_explicit(&p->replaced, 1,
					  memory_order_relaxed);
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
		snprintf(p->why, sizeof(p->why), "%s stopped: %s", p->now.spec,
			 strerror(-r));
		start_silence(p);
	} else if (r == 0 && !p->is_silence && p->source->ops->is_device &&
		   media_clock_now_us(p->clock) >= p->stall_us) {
		snprintf(p->why, sizeof(p->why), "%s delivers no sound",
			 p->now.spec);
		start_silence(p);
	}
}

static void wait_source(struct audio_pipeline *p)
{
	struct pollfd fds[AUDIO_SOURCE_FDS_MAX + 1];
	struct audio_source_wait wait = {.deadline_us = MEDIA_NO_DEADLINE};
	bool waits_for_device = p->now.ops && (p->is_silence || !p->source);
	uint64_t deadline;
	eventfd_t ignored;

	if (p->source)
		p->source->ops->wait(p->source, &wait);
	deadline = wait.deadline_us;
	if (waits_for_device && p->retry_us < deadline)
		deadline = p->retry_us;
	if (!waits_for_device && p->source && p->source->ops->is_device &&
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

/* Begins with p->now, another number of channels with another encoder. */
static void begin(struct audio_pipeline *p)
{
	close_source(p);
	p->is_silence = false;
	p->encoder = opus_encoder_free(p->encoder);
	if (!p->now.ops) {
		set_state(p, AUDIO_SOURCE_IDLE, "there is no source");
		return;
	}
	if (!try_source(p))
		start_silence(p);
}

static void change_source(struct audio_pipeline *p)
{
	struct choice next;
	bool found;

	pthread_mutex_lock(&p->lock);
	found = p->has_next;
	next = p->next;
	p->has_next = false;
	p->next = (struct choice){0};
	pthread_mutex_unlock(&p->lock);
	if (!found)
		return;
	drop_choice(&p->now);
	p->now = next;
	begin(p);
}

static void *capture_thread(void *user)
{
	struct audio_pipeline *p = user;

	pthread_setname_np(pthread_self(), "capture-audio");
	begin(p);
	for (;;) {
		wait_source(p);
		if (atomic_load(&p->stopping))
			break;
		change_source(p);
		if (p->source)
			read_all(p);
	}
	close_source(p);
	p->encoder = opus_encoder_free(p->encoder);
	set_state(p, AUDIO_SOURCE_IDLE, "nobody listens");
	return NULL;
}

char *audio_choice_find_fault(const struct audio_choice *c)
{
	const char *path;

	if (!c->source)
		return NULL;
	if (!audio_source_find(c->source, &path))
		return source_sentence(
			"'%.200s' is not an audio source; use auto, test, "
			"alsa:NAME or file:PATH",
			c->source);
	if (c->channels < 1 || c->channels > 2)
		return source_sentence(
			"%u channels are not possible; use 1 or 2",
			c->channels);
	return NULL;
}

static char *find_fault(const struct audio_pipeline_config *c)
{
	if (c->bitrate_bps < MIN_BITRATE_BPS ||
	    c->bitrate_bps > MAX_BITRATE_BPS)
		return source_sentence("an audio bit rate of %u bit/s is not "
				       "possible; use %u to %u",
				       c->bitrate_bps, MIN_BITRATE_BPS,
				       MAX_BITRATE_BPS);
	return audio_choice_find_fault(&c->choice);
}

int audio_choice_try(const struct audio_choice *choice, char **ret_error)
{
	char *fault = audio_choice_find_fault(choice);
	struct audio_source_config config = {
		.channels = choice->channels,
		.clock = media_clock_system(),
		.wake_fd = -1,
	};
	const struct audio_source_ops *ops;
	struct audio_source *source = NULL;
	char why[DETAIL_MAX_BYTES] = "";
	struct stat st;
	int r;

	if (fault) {
		*ret_error = fault;
		return -EINVAL;
	}
	if (!choice->source)
		return 0;
	ops = audio_source_find(choice->source, &config.path);
	/* Its writer would see a reader come and go. */
	if (config.path && !ops->is_device && stat(config.path, &st) == 0 &&
	    S_ISFIFO(st.st_mode))
		return 0;
	r = ops->open(&source, &config, why, sizeof(why));
	if (source)
		source->ops->close(source);
	if (r < 0)
		*ret_error = source_sentence("%s", *why ? why : strerror(-r));
	return r;
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
	atomic_store(&p->volume, 100);
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = p->wake_fd < 0 ? -errno : 0;
	if (r == 0)
		r = copy_choice(&p->wanted, &config->choice);
	if (r == 0)
		r = unit_pool_new(&p->units, &p->count, MEDIA_CODEC_OPUS,
				  N_UNITS);
	if (r < 0) {
		*ret_error = source_sentence("Cannot make the audio pipeline: %s", strerror(-r));
		audio_pipeline_free(p);
		return r;
	}
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
	drop_choice(&p->now);
	drop_choice(&p->next);
	p->has_next = false;
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
	drop_choice(&p->wanted);
	free(p);
	return NULL;
}

/* Of the same choice as what control wants. */
static int copy_wanted(struct audio_pipeline *p, struct choice *ret)
{
	struct audio_choice choice = {p->wanted.spec, p->wanted.channels};

	return copy_choice(ret, &choice);
}

int audio_pipeline_set_source(struct audio_pipeline *p,
			      const struct audio_choice *choice,
			      char **ret_error)
{
	struct choice wanted = {0}, next = {0}, skipped;
	int r;

	*ret_error = audio_choice_find_fault(choice);
	if (*ret_error)
		return -EINVAL;
	if (choice->source && p->wanted.spec
		    ? !strcmp(choice->source, p->wanted.spec) &&
			      choice->channels == p->wanted.channels
		    : choice->source == p->wanted.spec)
		return 0;
	r = copy_choice(&wanted, choice);
	if (r == 0 && p->capturing)
		r = copy_choice(&next, choice);
	if (r < 0) {
		drop_choice(&wanted);
		return r;
	}
	drop_choice(&p->wanted);
	pthread_mutex_lock(&p->lock);
	p->wanted = wanted;
	skipped = p->next;
	p->next = next;
	p->has_next = p->capturing;
	pthread_mutex_unlock(&p->lock);
	eventfd_write(p->wake_fd, 1);
	drop_choice(&skipped);
	return 0;
}

int audio_pipeline_take(struct audio_pipeline *p)
{
	eventfd_t ignored;
	int r;

	if (!p->capturing) {
		r = copy_wanted(p, &p->now);
		if (r < 0)
			return r;
		atomic_store(&p->stopping, false);
		eventfd_read(p->wake_fd, &ignored);
		r = pthread_create(&p->thread, NULL, capture_thread, p);
		if (r) {
			drop_choice(&p->now);
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

void audio_pipeline_set_volume(struct audio_pipeline *p, unsigned int percent)
{
	atomic_store(&p->volume, percent < AUDIO_VOLUME_MAX ?
		     percent : AUDIO_VOLUME_MAX);
}

void audio_pipeline_set_muted(struct audio_pipeline *p, bool muted)
{
	atomic_store(&p->muted, muted);
}

void audio_pipeline_get_stats(struct audio_pipeline *p,
			      struct audio_pipeline_stats *ret_stats)
{
	struct audio_pipeline_stats s = {
		.replaced = media_count_get(&p->replaced),
		.units_out = media_count_get(&p->units_out),
		.bytes_out = media_count_get(&p->bytes_out),
		.overruns = media_count_get(&p->overruns),
		.samples_lost = media_count_get(&p->samples_lost),
		.level = (uint8_t) atomic_load(&p->level),
		.takers = atomic_load(&p->takers),
	};

	pthread_mutex_lock(&p->lock);
	s.channels = p->wanted.channels;
	s.state = p->state;
	s.since_us = p->since_us;
	s.lost = p->lost;
	memcpy(s.source, p->detail, sizeof(s.source));
	pthread_mutex_unlock(&p->lock);
	*ret_stats = s;
}
