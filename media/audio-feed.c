// SPDX-License-Identifier: Apache-2.0
#include "media/audio-feed.h"

#include "media/audio-level.h"
#include "media/unit-pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define RETRY_US      MEDIA_US_PER_SEC /* between two looks for a device */
#define EAGER_US      (MEDIA_US_PER_SEC / 10) /* the same, soon after news */
#define EAGER_FOR_US  (3 * MEDIA_US_PER_SEC)
#define STAND_IN_US   (5 * MEDIA_US_PER_SEC) /* the same, with a tone */
#define STALL_US      (3 * MEDIA_US_PER_SEC)
#define STORM_US      MEDIA_US_PER_SEC
#define STORM_MAX     25  /* overruns within STORM_US: it is of no use */
#define VOICE_LEVEL   50  /* -dBov; louder than this counts as voice */
#define FRAME_US      20000
#define MAX_JITTER_US 40000 /* beyond it time has jumped */
#define JITTER_SHIFT  5
#define CATCH_UP_US   2000 /* a packet, while stamps are ahead of sound */

int audio_choice_copy(struct audio_choice_copy *ret,
		      const struct audio_choice *choice)
{
	struct audio_choice_copy c = {.channels = choice->channels};

	if (choice->source) {
		c.spec = strdup(choice->source);
		if (!c.spec)
			return -ENOMEM;
		c.ops = audio_source_find(c.spec, &c.path);
	}
	*ret = c;
	return 0;
}

void audio_choice_copy_done(struct audio_choice_copy *c)
{
	free(c->spec);
	*c = (struct audio_choice_copy){0};
}

/* Return: false: nobody is there to be given a unit. Else they stay until
 * leave(). */
static bool enter(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;
	bool is_wanted;

	pthread_mutex_lock(&p->threads.lock);
	is_wanted = p->feed == f && f->is_wanted;
	p->busy |= is_wanted;
	pthread_mutex_unlock(&p->threads.lock);
	return is_wanted;
}

static void leave(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;

	pthread_mutex_lock(&p->threads.lock);
	p->busy = false;
	pthread_cond_broadcast(&p->left);
	pthread_mutex_unlock(&p->threads.lock);
}

static void set_state(struct audio_feed *f, enum audio_source_state state,
		      const char *detail)
{
	struct audio_pipeline *p = f->p;
	bool counts;

	pthread_mutex_lock(&p->threads.lock);
	counts = p->feed == f;
	if (counts) {
		if (state != p->state)
			p->since_us = media_clock_now_us(p->clock);
		if (p->state == AUDIO_SOURCE_LIVE &&
		    state == AUDIO_SOURCE_SILENCE)
			p->lost++;
		p->state = state;
		snprintf(p->detail, sizeof(p->detail), "%s", detail);
		p->busy = true;
	}
	pthread_mutex_unlock(&p->threads.lock);

	if (!counts)
		return;
	if (p->config.on_state)
		p->config.on_state(p->config.user, state, detail);
	leave(f);
}

/* Who asks sees which device is held. */
static void note_node(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;

	pthread_mutex_lock(&p->threads.lock);
	if (p->feed == f)
		snprintf(p->node, sizeof(p->node), "%s",
			 f->source ? f->source->node : "");
	if (p->feed == f && f->source && f->source->ops->is_device)
		p->had_device = true;
	pthread_mutex_unlock(&p->threads.lock);
}

/* --- into the source, which may hang ---------------------------------------
 */
/* Return: false: a thread that was left behind holds what this one wants, or
 * this one was left behind. */
static bool claim_device(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;
	bool is_free;

	pthread_mutex_lock(&p->threads.lock);
	is_free = p->feed == f;
	if (is_free)
		snprintf(f->held, sizeof(f->held), "%s", f->now.spec);
	for (unsigned int i = 0; i < CAPTURE_LEFT_MAX; i++)
		is_free &= !p->stuck[i] || strcmp(p->stuck[i]->held, f->held);
	pthread_mutex_unlock(&p->threads.lock);
	return is_free;
}

static bool had_device(struct audio_pipeline *p)
{
	bool had;

	pthread_mutex_lock(&p->threads.lock);
	had = p->had_device;
	pthread_mutex_unlock(&p->threads.lock);
	return had;
}

static int open_source(struct audio_feed *f, const struct audio_source_ops *ops,
		       struct audio_source **ret)
{
	struct audio_source_config config = {
		.path = f->now.path,
		.channels = f->now.channels,
		.clock = f->p->clock,
		.wake_fd = f->thread.wake_fd,
		.device_only = had_device(f->p) || f->is_live,
	};
	int r;

	if (ops->is_device && !claim_device(f)) {
		snprintf(f->why, sizeof(f->why),
			 "the driver of '%.160s' hangs: unplug it and plug it "
			 "in again", f->now.spec);
		return -EBUSY;
	}
	if (ops->is_device)
		capture_thread_enter(&f->thread);
	r = ops->open(ret, &config, f->why, sizeof(f->why));
	capture_thread_leave(&f->thread);
	return r;
}

static void close_source(struct audio_feed *f)
{
	if (!f->source)
		return;
	if (f->source->ops->is_device)
		capture_thread_enter(&f->thread);
	f->source = f->source->ops->close(f->source);
	capture_thread_leave(&f->thread);
	f->n_have = 0;
	f->is_live = false;
	note_node(f);
}

static bool have_encoder(struct audio_feed *f)
{
	int r;

	if (f->encoder)
		return true;
	r = opus_encoder_new(&f->encoder, f->now.channels,
			     atomic_load(&f->p->bitrate_bps), f->p->units);
	if (r < 0)
		snprintf(f->why, sizeof(f->why), "no Opus encoder: %s",
			 strerror(-r));
	return r == 0;
}

/* Something happened: look often for a while. */
static void be_eager(struct audio_feed *f)
{
	uint64_t now = media_clock_now_us(f->p->clock);

	f->eager_us = now + EAGER_FOR_US;
	f->retry_us = now;
}

/* Opens what the configuration names. Return: false if that is not there; then
 * f->why says so, and it is sought until it is. */
static bool seek(struct audio_feed *f)
{
	struct audio_source *source = NULL;
	uint64_t now;
	int r;

	snprintf(f->why, sizeof(f->why), "%s", f->now.spec);
	r = have_encoder(f) ? open_source(f, f->now.ops, &source) : -ENOMEM;
	now = media_clock_now_us(f->p->clock);
	f->is_seeking = r < 0 || source->is_stand_in;
	f->retry_us = now + (f->is_live || r == 0	 ? STAND_IN_US
			     : now < f->eager_us &&
				     f->now.ops->is_device ? EAGER_US
							   : RETRY_US);
	if (r < 0)
		return false;
	close_source(f);
	f->source = source;
	f->is_silence = false;
	f->is_live = false;
	f->n_storm = 0;
	f->stall_us = now + STALL_US;
	note_node(f);
	return true;
}

static void start_silence(struct audio_feed *f)
{
	char reason[DETAIL_MAX_BYTES];

	memcpy(reason, f->why, sizeof(reason));
	close_source(f);
	f->is_silence = true;
	f->is_seeking = true;
	if (!f->encoder ||
	    open_source(f, &audio_source_silence_ops, &f->source) < 0)
		f->source = NULL; /* no memory: tried again in a second */
	set_state(f, AUDIO_SOURCE_SILENCE, reason);
}

/* What was live is not any more. */
static void lose(struct audio_feed *f)
{
	start_silence(f);
	be_eager(f);
	f->retry_us += f->now.ops->is_device ? EAGER_US : RETRY_US;
}

/* Packets follow each other by 20 ms exactly, while the clock that stamps them
 * jitters: follow it slowly, jump only when it jumped. */
static uint64_t smooth_time(struct audio_pipeline *p,
			    uint64_t measured_us)
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

static void encode(struct audio_feed *f, int16_t *samples)
{
	struct audio_pipeline *p = f->p;
	unsigned int volume = atomic_load_explicit(&p->volume,
						   memory_order_relaxed);
	size_t n = (size_t) OPUS_FRAME_SAMPLES * f->now.channels;
	struct coded_unit *u;
	uint8_t level;

	if (atomic_load_explicit(&p->muted, memory_order_relaxed))
		memset(samples, 0, n * sizeof(*samples));
	else if (volume != 100)
		apply_volume(samples, n, volume);
	level = audio_level(samples, n);
	atomic_store_explicit(&p->level, level, memory_order_relaxed);
	p->smooth_us = smooth_time(p, f->packet_us);

	opus_encoder_set_bitrate(f->encoder, atomic_load(&p->bitrate_bps));
	if (opus_encoder_encode(f->encoder, &u) < 0) {
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

/* Return: -EIO if there are too many to hear anything between them. */
static int note_overrun(struct audio_feed *f, uint64_t lost)
{
	uint64_t now = media_clock_now_us(f->p->clock);

	atomic_fetch_add(&f->p->overruns, 1);
	atomic_fetch_add(&f->p->samples_lost, lost);
	if (!f->n_storm || now - f->storm_us > STORM_US) {
		f->storm_us = now;
		f->n_storm = 0;
	}
	return ++f->n_storm > STORM_MAX ? -EIO : 0;
}

/* Return: what the source's read() does. */
static int read_some(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;
	uint64_t capture_us = 0, lost = 0;
	unsigned int want = OPUS_FRAME_SAMPLES - f->n_have;
	int16_t *samples = opus_encoder_get_input(f->encoder);
	int r;

	if (!samples)
		return -ENOMEM;
	if (f->source->ops->is_device)
		capture_thread_enter(&f->thread);
	r = f->source->ops->read(f->source,
				 samples + (size_t) f->n_have * f->now.channels,
				 want, &capture_us, &lost);
	capture_thread_leave(&f->thread);
	if (atomic_load(&f->is_dropped))
		return 0;
	if (lost && note_overrun(f, lost) < 0)
		return -EIO;
	if (r <= 0)
		return r;

	if (f->n_have == 0)
		f->packet_us = capture_us;
	f->n_have += (unsigned int) r;
	f->stall_us = media_clock_now_us(p->clock) + STALL_US;
	if (!f->is_silence && !f->is_live) {
		f->is_live = true;
		atomic_fetch_add_explicit(&p->replaced, 1,
					  memory_order_relaxed);
		set_state(f, AUDIO_SOURCE_LIVE, f->source->detail);
	}
	if (f->n_have == OPUS_FRAME_SAMPLES) {
		f->n_have = 0;
		if (enter(f)) {
			encode(f, samples);
			leave(f);
		}
	}
	return r;
}

static bool has_orders(struct audio_feed *f)
{
	struct pollfd fd = {.fd = f->thread.wake_fd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

static void read_all(struct audio_feed *f)
{
	int r;

	do
		r = read_some(f);
	while (r > 0 && !has_orders(f));

	if (r < 0) {
		snprintf(f->why, sizeof(f->why), "%s stopped: %s", f->now.spec,
			 strerror(-r));
		lose(f);
	} else if (r == 0 && !f->is_silence && f->source->ops->is_device &&
		   media_clock_now_us(f->p->clock) >= f->stall_us) {
		snprintf(f->why, sizeof(f->why), "%s delivers no sound",
			 f->now.spec);
		lose(f);
	}
}

static void run_once(struct audio_feed *f)
{
	const struct media_clock *clock = f->p->clock;
	struct pollfd fds[AUDIO_SOURCE_FDS_MAX + 1];
	struct audio_source_wait wait = {.deadline_us = MEDIA_NO_DEADLINE};
	uint64_t deadline;
	eventfd_t ignored;

	if (f->source)
		f->source->ops->wait(f->source, &wait);
	deadline = wait.deadline_us;
	if (f->is_seeking && f->retry_us < deadline)
		deadline = f->retry_us;
	if (f->source && f->source->ops->is_device && f->stall_us < deadline)
		deadline = f->stall_us;
	fds[0] = (struct pollfd){.fd = f->thread.wake_fd, .events = POLLIN};
	memcpy(fds + 1, wait.fds, wait.n_fds * sizeof(fds[0]));

	media_clock_wait(clock, fds, wait.n_fds + 1, deadline);
	if (fds[0].revents) {
		/* There are orders, and they go first. */
		eventfd_read(f->thread.wake_fd, &ignored);
		return;
	}
	if (f->is_seeking && media_clock_now_us(clock) >= f->retry_us)
		seek(f);
	if (f->source)
		read_all(f);
}

/* Begins with f->now, another number of channels with another encoder. */
static void begin(struct audio_feed *f)
{
	close_source(f);
	f->is_silence = f->is_seeking = false;
	f->encoder = opus_encoder_free(f->encoder);
	if (!f->now.ops) {
		set_state(f, AUDIO_SOURCE_IDLE, "there is no source");
		return;
	}
	be_eager(f);
	if (!seek(f))
		start_silence(f);
}

/* --- orders -----------------------------------------------------------------
 */
enum order {
	ORDER_RUN,
	ORDER_BEGIN,
	ORDER_END,
};

static bool is_same(const struct audio_choice_copy *a,
		    const struct audio_choice_copy *b)
{
	return a->spec && b->spec && !strcmp(a->spec, b->spec) &&
	       a->channels == b->channels;
}

static enum order next_order(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;
	struct audio_choice_copy next = {0};
	enum order order = ORDER_RUN;
	bool poked;

	pthread_mutex_lock(&p->threads.lock);
	if (p->feed != f || !f->is_wanted) {
		order = ORDER_END;
	} else if (f->has_next) {
		order = ORDER_BEGIN;
		next = f->next;
		f->has_next = false;
		f->next = (struct audio_choice_copy){0};
	}
	poked = f->has_poke;
	f->has_poke = false;
	pthread_mutex_unlock(&p->threads.lock);

	if (poked && f->now.ops && f->now.ops->is_device)
		be_eager(f);
	if (order != ORDER_BEGIN)
		return order;
	/* Released and taken again before it was noticed: as before. */
	if (f->source && is_same(&next, &f->now)) {
		audio_choice_copy_done(&next);
		return ORDER_RUN;
	}
	/* By the choice that it was opened with. */
	close_source(f);
	audio_choice_copy_done(&f->now);
	f->now = next;
	return ORDER_BEGIN;
}

/* Return: false if it is wanted again meanwhile. */
static bool end(struct audio_feed *f)
{
	struct audio_pipeline *p = f->p;
	bool counts, is_wanted;

	close_source(f);
	f->encoder = opus_encoder_free(f->encoder);
	f->is_seeking = f->is_silence = false;
	set_state(f, AUDIO_SOURCE_IDLE, "nobody listens");

	pthread_mutex_lock(&p->threads.lock);
	counts = p->feed == f;
	is_wanted = counts && f->is_wanted;
	if (counts && !is_wanted)
		p->feed = NULL;
	for (unsigned int i = 0; i < CAPTURE_LEFT_MAX; i++) {
		if (p->stuck[i] != f)
			continue;
		/* What it held is free again. */
		p->stuck[i] = NULL;
		if (p->feed) {
			p->feed->has_poke = true;
			capture_thread_wake(&p->feed->thread);
		}
	}
	pthread_mutex_unlock(&p->threads.lock);
	return !is_wanted;
}

static void free_feed(struct audio_feed *f)
{
	audio_choice_copy_done(&f->now);
	audio_choice_copy_done(&f->next);
	capture_thread_done(&f->thread);
	free(f);
}

static void *feed_thread(void *user)
{
	struct audio_feed *f = user;
	struct audio_pipeline *p = f->p;
	bool over = false;

	pthread_setname_np(pthread_self(), "capture-audio");
	while (!over) {
		switch (next_order(f)) {
		case ORDER_END:
			over = end(f);
			continue;
		case ORDER_BEGIN:
			begin(f);
			break;
		case ORDER_RUN:
			break;
		}
		run_once(f);
	}
	free_feed(f);
	if (capture_threads_end(&p->threads))
		audio_pipeline_destroy(p);
	return NULL;
}

int audio_feed_new(struct audio_pipeline *p)
{
	struct audio_choice choice = {p->wanted.spec, p->wanted.channels};
	struct audio_feed *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->p = p;
	f->is_wanted = f->has_next = true;
	r = capture_thread_init(&f->thread, p->clock);
	if (r == 0)
		r = audio_choice_copy(&f->next, &choice);
	if (r == 0) {
		pthread_mutex_lock(&p->threads.lock);
		p->feed = f;
		pthread_mutex_unlock(&p->threads.lock);
		r = capture_thread_start(&p->threads, feed_thread, f);
	}
	if (r < 0) {
		pthread_mutex_lock(&p->threads.lock);
		if (p->feed == f)
			p->feed = NULL;
		pthread_mutex_unlock(&p->threads.lock);
		free_feed(f);
	}
	return r;
}
