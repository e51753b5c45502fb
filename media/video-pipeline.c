// SPDX-License-Identifier: Apache-2.0
#include "media/video-pipeline.h"

#include "media/rung.h"
#include "media/source-spec.h"
#include "media/video-source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RETRY_US	 MEDIA_US_PER_SEC /* between two looks for a device */
#define STALL_US	 (5 * MEDIA_US_PER_SEC) /* a device this silent is lost */
#define PATIENCE_US	 MEDIA_US_PER_SEC /* with one that has just started */
#define MIN_BITRATE_BPS	 16000
#define MAX_BITRATE_BPS	 100000000
#define DETAIL_MAX_BYTES 256

/* A rung's number is its codec: one rung of each. */
enum {
	RUNG_VP8 = MEDIA_CODEC_VP8,
	RUNG_H264 = MEDIA_CODEC_H264,
	N_RUNGS,
};

struct video_pipeline {
	struct video_pipeline_config config;
	const struct media_clock *clock;
	struct media_count count;
	struct rung rungs[N_RUNGS];

	/* Control */
	struct video_choice_copy wanted;
	pthread_t thread;
	bool capturing;
	int wake_fd;

	/* Between the threads */
	pthread_mutex_t lock; /* all that follows; never held in a call */
	pthread_cond_t left;
	bool active[N_RUNGS];
	bool busy[N_RUNGS]; /* the capture thread is inside: not to be stopped
			     */
	struct video_choice_copy next; /* what to change to */
	bool has_next;
	enum video_source_state state;
	uint64_t since_us, lost; /* of state; what was live and went */
	char detail[DETAIL_MAX_BYTES];
	atomic_bool stopping;
	atomic_bool muted;
	atomic_uint_fast64_t frames_captured, frames_missed, replaced;

	/* Capture thread. A source that was opened but has not delivered yet
	 * stands beside the placeholder and takes its place with its first
	 * sample: cameras need a while, and a FIFO waits for its writer. */
	struct video_choice_copy now;
	struct video_source *source; /* delivers, or the placeholder */
	struct video_source *pending;
	bool is_placeholder;
	bool is_leaving;      /* source is of the choice before */
	bool is_broken;	      /* the coded stream has a gap */
	uint64_t retry_us;    /* look for the device again */
	uint64_t stall_us;    /* a device silent until then is lost */
	uint64_t patience_us; /* then a placeholder stands in for pending */
	unsigned int width, height; /* of the last live picture */
	unsigned int coded_bps;	    /* what the outside encoder was told */
	char why[DETAIL_MAX_BYTES];
	struct picture_pool *black_pool;
	struct picture *black;
};

static void set_state(struct video_pipeline *p, enum video_source_state state,
		      const char *detail)
{
	pthread_mutex_lock(&p->lock);
	if (state != p->state)
		p->since_us = media_clock_now_us(p->clock);
	if (p->state == VIDEO_SOURCE_LIVE && state == VIDEO_SOURCE_PLACEHOLDER)
		p->lost++;
	p->state = state;
	snprintf(p->detail, sizeof(p->detail), "%s", detail);
	pthread_mutex_unlock(&p->lock);

	if (p->config.on_state)
		p->config.on_state(p->config.user, state, detail);
}

/* Coded units will do when nobody takes a rung that needs pictures. */
static bool wants_coded(struct video_pipeline *p)
{
	bool coded;

	pthread_mutex_lock(&p->lock);
	coded = p->active[RUNG_H264] && !p->active[RUNG_VP8];
	pthread_mutex_unlock(&p->lock);
	return coded;
}

static int open_source(struct video_pipeline *p,
		       const struct video_source_ops *ops,
		       struct video_source **ret)
{
	struct video_source_config config = {
		.path = p->now.path,
		.width = p->now.choice.width,
		.height = p->now.choice.height,
		.fps = p->now.choice.fps,
		.coded_wanted = wants_coded(p),
		.clock = p->clock,
		.count = &p->count,
		.units = p->rungs[RUNG_H264].units,
		.wake_fd = p->wake_fd,
	};

	if (ops == &source_placeholder_ops) {
		if (p->width) {
			config.width = p->width;
			config.height = p->height;
		}
		config.message =
			p->now.ops->is_device ? "NO CAMERA" : "NO PICTURE";
	}
	return ops->open(ret, &config, p->why, sizeof(p->why));
}

/* Return: false if nobody takes it any more; else it runs until leave(). */
static bool enter(struct video_pipeline *p, unsigned int i)
{
	pthread_mutex_lock(&p->lock);
	p->busy[i] = p->active[i];
	pthread_mutex_unlock(&p->lock);
	return p->busy[i];
}

static void leave(struct video_pipeline *p, unsigned int i)
{
	pthread_mutex_lock(&p->lock);
	p->busy[i] = false;
	pthread_cond_signal(&p->left);
	pthread_mutex_unlock(&p->lock);
}

/* The rungs let go of its pictures, without which a device stays open, and
 * begin with a keyframe next. */
static void close_source(struct video_pipeline *p)
{
	for (unsigned int i = 0; p->source && i < N_RUNGS; i++) {
		if (!enter(p, i))
			continue;
		rung_pause(&p->rungs[i]);
		leave(p, i);
	}
	if (p->source)
		p->source = p->source->ops->close(p->source);
	p->is_placeholder = p->is_leaving = false;
	p->is_broken = true;
}

static void close_pending(struct video_pipeline *p)
{
	if (p->pending)
		p->pending = p->pending->ops->close(p->pending);
}

/* Shows p->why, in words to those who ask and as a picture to all. */
static void start_placeholder(struct video_pipeline *p)
{
	char reason[DETAIL_MAX_BYTES];

	memcpy(reason, p->why, sizeof(reason));
	close_source(p);
	p->is_placeholder = true;
	/* Without memory they see nothing. */
	if (open_source(p, &source_placeholder_ops, &p->source) < 0)
		p->source = NULL;
	set_state(p, VIDEO_SOURCE_PLACEHOLDER, reason);
}

/* Opens what the configuration names. Return: false if it is not there; then
 * p->why says so, and it is tried again in a second. */
static bool open_pending(struct video_pipeline *p)
{
	uint64_t now;
	int r;

	snprintf(p->why, sizeof(p->why), "%s", p->now.spec);
	r = open_source(p, p->now.ops, &p->pending);
	now = media_clock_now_us(p->clock);
	p->retry_us = now + RETRY_US;
	p->stall_us = now + STALL_US;
	p->patience_us = now + PATIENCE_US;
	return r == 0;
}

/* One black picture stands for every frame while muted. */
static struct picture *black_like(struct video_pipeline *p,
				  const struct picture *model)
{
	const struct picture *is = p->black;

	if (is && is->width == model->width && is->height == model->height &&
	    is->format == model->format)
		return p->black;

	p->black = picture_unref(p->black);
	p->black_pool = picture_pool_close(p->black_pool);
	if (picture_pool_new(&p->black_pool, &p->count, 1, model->format,
			     model->width, model->height) < 0)
		return NULL;
	p->black = picture_pool_get(p->black_pool);
	picture_fill(p->black, 16, 128, 128);
	return p->black;
}

static void distribute_picture(struct video_pipeline *p,
			       struct picture *picture, uint64_t capture_us)
{
	struct picture_frame frame = {
		.picture = picture,
		.capture_us = capture_us,
		.fps = p->source->fps,
	};

	if (atomic_load_explicit(&p->muted, memory_order_relaxed)) {
		frame.picture = black_like(p, picture);
		if (!frame.picture)
			return;
	}
	pthread_mutex_lock(&p->lock);
	for (unsigned int i = 0; i < N_RUNGS; i++)
		if (p->active[i])
			rung_push(&p->rungs[i], &frame);
	pthread_mutex_unlock(&p->lock);
}

/* An encoder in a camera hears of requests and rates through its source. */
static void steer(struct video_pipeline *p, struct rung *r)
{
	const struct video_source_ops *ops = p->source->ops;
	unsigned int bps = rung_get_bitrate(r);

	if (rung_wants_keyframe(r) && ops->request_keyframe)
		ops->request_keyframe(p->source);
	if (bps != p->coded_bps && ops->set_bitrate)
		ops->set_bitrate(p->source, bps);
	p->coded_bps = bps;
}

static void distribute_unit(struct video_pipeline *p, struct coded_unit *unit)
{
	struct rung *r = &p->rungs[RUNG_H264];

	if (!enter(p, RUNG_H264)) {
		coded_unit_unref(unit);
		p->is_broken = true;
		return;
	}
	if (atomic_load_explicit(&p->muted, memory_order_relaxed)) {
		coded_unit_unref(unit);
		p->is_broken = true;
	} else {
		if (p->is_broken)
			rung_break_units(r);
		p->is_broken = false;
		rung_push_unit(r, unit, p->source->width, p->source->height);
		steer(p, r);
	}
	leave(p, RUNG_H264);
}

static void distribute(struct video_pipeline *p, struct video_sample *sample)
{
	if (!p->is_placeholder) {
		atomic_fetch_add_explicit(&p->frames_captured, 1,
					  memory_order_relaxed);
		atomic_fetch_add_explicit(&p->frames_missed, sample->n_missed,
					  memory_order_relaxed);
	}
	if (!p->is_placeholder && !p->is_leaving) {
		p->width = p->source->width;
		p->height = p->source->height;
		p->stall_us = media_clock_now_us(p->clock) + STALL_US;
	}
	if (sample->unit) {
		distribute_unit(p, sample->unit);
	} else {
		distribute_picture(p, sample->picture, sample->capture_us);
		picture_unref(sample->picture);
	}
}

/* What runs: its next sample, or its end. */
static void take_from_source(struct video_pipeline *p)
{
	struct video_sample sample = {0};
	int r = p->source->ops->take(p->source, &sample);

	if (r == VIDEO_SOURCE_SAMPLE) {
		distribute(p, &sample);
		return;
	}
	if (r == VIDEO_SOURCE_NOTHING &&
	    (p->is_placeholder || !p->source->ops->is_device ||
	     media_clock_now_us(p->clock) < p->stall_us))
		return;
	if (p->is_leaving) {
		close_source(p); /* its end is not news */
		return;
	}
	snprintf(p->why, sizeof(p->why), "%s stopped: %s", p->now.spec,
		 r < 0 ? strerror(-r) : "no pictures for five seconds");
	p->retry_us = media_clock_now_us(p->clock) + RETRY_US;
	start_placeholder(p);
}

/* What was opened: its first sample makes it the source. */
static void take_from_pending(struct video_pipeline *p)
{
	struct video_sample sample = {0};
	int r = p->pending->ops->take(p->pending, &sample);

	if (r == VIDEO_SOURCE_SAMPLE) {
		close_source(p);
		p->source = p->pending;
		p->pending = NULL;
		p->coded_bps = 0;
		atomic_fetch_add_explicit(&p->replaced, 1,
					  memory_order_relaxed);
		set_state(p, VIDEO_SOURCE_LIVE, p->source->detail);
		distribute(p, &sample);
		return;
	}
	if (r == VIDEO_SOURCE_NOTHING &&
	    (!p->pending->ops->is_device ||
	     media_clock_now_us(p->clock) < p->stall_us))
		return;

	snprintf(p->why, sizeof(p->why), "%s did not start: %s", p->now.spec,
		 r < 0 ? strerror(-r) : "no pictures for five seconds");
	p->retry_us = media_clock_now_us(p->clock) + RETRY_US;
	close_pending(p);
	if (!p->is_placeholder)
		start_placeholder(p);
}

static void earlier(uint64_t *deadline_us, uint64_t us)
{
	if (us < *deadline_us)
		*deadline_us = us;
}

/* When one of them is to be asked: when it said, and a silent device when our
 * patience ends. */
static struct video_source_wait wait_of(struct video_pipeline *p,
					struct video_source *s)
{
	struct video_source_wait wait = {
		.fd = -1,
		.deadline_us = MEDIA_NO_DEADLINE,
	};

	if (!s)
		return wait;
	s->ops->wait(s, &wait);
	if (s->ops->is_device)
		earlier(&wait.deadline_us, p->stall_us);
	return wait;
}

static void run_once(struct video_pipeline *p)
{
	struct video_source_wait source = wait_of(p, p->source);
	struct video_source_wait pending = wait_of(p, p->pending);
	struct pollfd fds[3] = {
		{.fd = p->wake_fd, .events = POLLIN},
		{.fd = source.fd, .events = source.events},
		{.fd = pending.fd, .events = pending.events},
	};
	uint64_t deadline = source.deadline_us, now;
	eventfd_t ignored;

	earlier(&deadline, pending.deadline_us);
	if (p->is_placeholder && !p->pending)
		earlier(&deadline, p->retry_us);
	if (!p->is_placeholder && p->pending)
		earlier(&deadline, p->patience_us);

	media_clock_wait(p->clock, fds, 3, deadline);
	if (fds[0].revents)
		eventfd_read(p->wake_fd, &ignored);
	if (atomic_load(&p->stopping))
		return;

	now = media_clock_now_us(p->clock);
	if (p->source && (fds[1].revents || now >= source.deadline_us))
		take_from_source(p);
	if (p->pending && (fds[2].revents || now >= pending.deadline_us))
		take_from_pending(p);
	if (p->is_placeholder && !p->pending && now >= p->retry_us)
		open_pending(p);
	if (!p->is_placeholder && p->pending && now >= p->patience_us) {
		snprintf(p->why, sizeof(p->why), "%s has not begun yet",
			 p->now.spec);
		start_placeholder(p);
	}
}

/* Two cameras may be one, which then must be closed before it is opened. */
static bool is_to_be_closed_first(const struct video_pipeline *p)
{
	return !p->now.ops || (p->now.ops->is_device && p->source &&
			       p->source->ops->is_device);
}

/* Begins with p->now; what is shown meanwhile is p->source. */
static void begin(struct video_pipeline *p)
{
	p->width = p->height = 0;
	if (is_to_be_closed_first(p))
		close_source(p);
	if (!p->now.ops) {
		set_state(p, VIDEO_SOURCE_IDLE, "there is no source");
		return;
	}
	p->is_leaving = p->source && !p->is_placeholder;
	if (!open_pending(p))
		start_placeholder(p);
}

static void change_source(struct video_pipeline *p)
{
	struct video_choice_copy next;
	bool found;

	pthread_mutex_lock(&p->lock);
	found = p->has_next;
	next = p->next;
	p->has_next = false;
	p->next = (struct video_choice_copy){0};
	pthread_mutex_unlock(&p->lock);
	if (!found)
		return;
	close_pending(p);
	video_choice_copy_done(&p->now);
	p->now = next;
	begin(p);
}

static void *capture_thread(void *user)
{
	struct video_pipeline *p = user;

	pthread_setname_np(pthread_self(), "capture");
	begin(p);
	while (!atomic_load(&p->stopping)) {
		run_once(p);
		change_source(p);
		/* Somebody wants pictures of a camera that delivers units. */
		if (p->source && !p->is_leaving && p->source->coded &&
		    p->source->switchable && !wants_coded(p)) {
			close_source(p);
			if (!open_pending(p))
				start_placeholder(p);
		}
	}
	close_pending(p);
	close_source(p);
	p->black = picture_unref(p->black);
	p->black_pool = picture_pool_close(p->black_pool);
	set_state(p, VIDEO_SOURCE_IDLE, "nobody watches");
	return NULL;
}

static int start_capture(struct video_pipeline *p)
{
	eventfd_t ignored;
	int r;

	r = video_choice_copy(&p->now, &p->wanted.choice);
	if (r < 0)
		return r;
	atomic_store(&p->stopping, false);
	eventfd_read(p->wake_fd, &ignored);
	r = pthread_create(&p->thread, NULL, capture_thread, p);
	if (r) {
		video_choice_copy_done(&p->now);
		return -r;
	}
	p->capturing = true;
	return 0;
}

static void stop_capture(struct video_pipeline *p)
{
	if (!p->capturing)
		return;
	atomic_store(&p->stopping, true);
	eventfd_write(p->wake_fd, 1);
	pthread_join(p->thread, NULL);
	p->capturing = false;
	video_choice_copy_done(&p->now);
	video_choice_copy_done(&p->next);
	p->has_next = false;
}

static bool rates_can_work(unsigned int bps, unsigned int min_bps,
			   unsigned int max_bps)
{
	return min_bps >= MIN_BITRATE_BPS && max_bps <= MAX_BITRATE_BPS &&
		min_bps <= bps && bps <= max_bps;
}

/* Return: NULL if the configuration can work, else why not. */
static char *find_fault(const struct video_pipeline_config *c)
{
	if (!rates_can_work(c->bitrate_bps, c->min_bitrate_bps,
			    c->max_bitrate_bps))
		return source_sentence("a bit rate of %u between %u and %u "
				       "bit/s is not possible; use %u to %u",
				       c->bitrate_bps, c->min_bitrate_bps,
				       c->max_bitrate_bps, MIN_BITRATE_BPS,
				       MAX_BITRATE_BPS);
	return video_choice_find_fault(&c->choice);
}

static int start_rungs(struct video_pipeline *p)
{
	const struct video_pipeline_config *c = &p->config;

	for (unsigned int i = 0; i < N_RUNGS; i++) {
		struct rung_config config = {
			.number = i,
			.codec = (enum media_codec) i,
			.bitrate_bps = c->bitrate_bps,
			.min_bps = c->min_bitrate_bps,
			.max_bps = c->max_bitrate_bps,
			.clock = p->clock,
			.count = &p->count,
			.on_unit = c->on_unit,
			.user = c->user,
		};
		int r = rung_init(&p->rungs[i], &config);

		if (r < 0)
			return r;
	}
	return 0;
}

int video_pipeline_new(struct video_pipeline **ret,
		       const struct video_pipeline_config *config,
		       char **ret_error)
{
	char *fault = find_fault(config);
	struct video_pipeline *p;
	int r;

	if (fault) {
		*ret_error = fault;
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->left, NULL);
	p->config = *config;
	p->clock = config->clock ? config->clock : media_clock_system();
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = p->wake_fd < 0 ? -errno : 0;
	if (r == 0)
		r = video_choice_copy(&p->wanted, &config->choice);
	if (r == 0)
		r = start_rungs(p);
	if (r < 0) {
		*ret_error = source_sentence("Cannot make the video pipeline: %s", strerror(-r));
		video_pipeline_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct video_pipeline *video_pipeline_free(struct video_pipeline *p)
{
	if (!p)
		return NULL;
	stop_capture(p);
	for (unsigned int i = 0; i < N_RUNGS; i++) {
		rung_stop(&p->rungs[i]);
		rung_done(&p->rungs[i]);
	}
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	pthread_cond_destroy(&p->left);
	pthread_mutex_destroy(&p->lock);
	video_choice_copy_done(&p->wanted);
	free(p);
	return NULL;
}

static bool has_codec(const struct video_source_ops *ops, unsigned int codec)
{
	return ops && ops->always_coded ? codec == MEDIA_CODEC_H264
					: codec < N_RUNGS;
}

int video_pipeline_set_source(struct video_pipeline *p,
			      const struct video_choice *choice,
			      char **ret_error)
{
	struct video_choice_copy wanted = {0}, next = {0}, skipped;
	int r;

	*ret_error = video_choice_find_fault(choice);
	if (*ret_error)
		return -EINVAL;
	if (video_choice_is_equal(choice, &p->wanted.choice))
		return 0;
	r = video_choice_copy(&wanted, choice);
	if (r == 0 && p->capturing)
		r = video_choice_copy(&next, choice);
	for (unsigned int i = 0; r == 0 && i < N_RUNGS; i++) {
		if (!p->active[i] || has_codec(wanted.ops, i))
			continue;
		*ret_error = source_sentence(
			"'%.200s' has no %s, which %u of the peers take",
			choice->source, media_codec_name((enum media_codec) i),
			atomic_load(&p->rungs[i].takers));
		r = -EBUSY;
	}
	if (r < 0) {
		video_choice_copy_done(&wanted);
		video_choice_copy_done(&next);
		return r;
	}
	video_choice_copy_done(&p->wanted);
	p->wanted = wanted;
	if (!p->capturing)
		return 0;

	pthread_mutex_lock(&p->lock);
	skipped = p->next;
	p->next = next;
	p->has_next = true;
	pthread_mutex_unlock(&p->lock);
	eventfd_write(p->wake_fd, 1);
	video_choice_copy_done(&skipped);
	return 0;
}

bool video_pipeline_has_codec(const struct video_pipeline *p,
			      enum media_codec codec)
{
	return has_codec(p->wanted.ops, (unsigned int) codec);
}

static bool any_active(struct video_pipeline *p)
{
	/* Control alone writes it, so control reads it without the lock. */
	for (unsigned int i = 0; i < N_RUNGS; i++)
		if (p->active[i])
			return true;
	return false;
}

static void set_active(struct video_pipeline *p, unsigned int i, bool active)
{
	pthread_mutex_lock(&p->lock);
	p->active[i] = active;
	while (p->busy[i])
		pthread_cond_wait(&p->left, &p->lock);
	pthread_mutex_unlock(&p->lock);
	/* A camera may have to change between units and pictures. */
	if (p->wanted.ops && p->wanted.ops->is_device)
		eventfd_write(p->wake_fd, 1);
}

int video_pipeline_take(struct video_pipeline *p, enum media_codec codec,
			uint32_t *ret_rung)
{
	struct rung *rung;
	int r;

	if (!video_pipeline_has_codec(p, codec))
		return -ENOTSUP;
	rung = &p->rungs[codec];
	if (atomic_load(&rung->takers) == 0) {
		r = rung_start(rung);
		if (r < 0)
			return r;
		set_active(p, codec, true);
		if (!p->capturing) {
			r = start_capture(p);
			if (r < 0) {
				set_active(p, codec, false);
				rung_stop(rung);
				return r;
			}
		}
	}
	atomic_fetch_add(&rung->takers, 1);
	*ret_rung = rung->number;
	return 0;
}

void video_pipeline_release(struct video_pipeline *p, uint32_t rung)
{
	struct rung *r = &p->rungs[rung];

	assert(rung < N_RUNGS && atomic_load(&r->takers) > 0);
	if (atomic_fetch_sub(&r->takers, 1) > 1)
		return;
	set_active(p, rung, false);
	if (!any_active(p))
		stop_capture(p);
	rung_stop(r);
}

void video_pipeline_request_keyframe(struct video_pipeline *p, uint32_t rung,
				     bool first)
{
	if (rung < N_RUNGS)
		rung_request_keyframe(&p->rungs[rung], first);
}

void video_pipeline_set_bitrate(struct video_pipeline *p, uint32_t rung,
				unsigned int bps)
{
	if (rung < N_RUNGS)
		rung_set_bitrate(&p->rungs[rung], bps);
}

void video_pipeline_set_cap(struct video_pipeline *p, unsigned int bps)
{
	if (bps && bps < MIN_BITRATE_BPS)
		bps = MIN_BITRATE_BPS;
	for (unsigned int i = 0; i < N_RUNGS; i++)
		rung_set_cap(&p->rungs[i], bps);
}

int video_pipeline_set_range(struct video_pipeline *p, unsigned int bps,
			     unsigned int min_bps, unsigned int max_bps)
{
	if (!rates_can_work(bps, min_bps, max_bps))
		return -EINVAL;
	for (unsigned int i = 0; i < N_RUNGS; i++) {
		rung_set_range(&p->rungs[i], min_bps, max_bps);
		if (!atomic_load(&p->rungs[i].takers))
			rung_set_bitrate(&p->rungs[i], bps);
	}
	return 0;
}

void video_pipeline_set_muted(struct video_pipeline *p, bool muted)
{
	atomic_store(&p->muted, muted);
}

void video_pipeline_get_stats(struct video_pipeline *p,
			      struct video_pipeline_stats *ret_stats)
{
	struct video_pipeline_stats s = {
		.replaced = media_count_get(&p->replaced),
		.frames_captured = media_count_get(&p->frames_captured),
		.frames_missed = media_count_get(&p->frames_missed),
		.frame_copies = media_count_get(&p->count.frame_copies),
		.frame_allocs = media_count_get(&p->count.frame_allocs),
		.unit_copies = media_count_get(&p->count.unit_copies),
	};

	pthread_mutex_lock(&p->lock);
	s.state = p->state;
	s.since_us = p->since_us;
	s.lost = p->lost;
	memcpy(s.source, p->detail, sizeof(s.source));
	pthread_mutex_unlock(&p->lock);

	for (unsigned int i = 0; i < N_RUNGS; i++)
		if (atomic_load(&p->rungs[i].takers) > 0)
			rung_get_stats(&p->rungs[i], &s.rungs[s.n_rungs++]);
	*ret_stats = s;
}
