// SPDX-License-Identifier: Apache-2.0
#include "media/video-feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define RETRY_US      MEDIA_US_PER_SEC /* between two looks for a device */
#define EAGER_US      (MEDIA_US_PER_SEC / 10) /* the same, soon after news */
#define EAGER_FOR_US  (3 * MEDIA_US_PER_SEC)
#define STAND_IN_US   (5 * MEDIA_US_PER_SEC) /* the same, with a test picture */
#define STALL_US      (5 * MEDIA_US_PER_SEC) /* a device this silent is lost */
#define PATIENCE_US   MEDIA_US_PER_SEC /* with one that has just started */

static void set_state(struct video_feed *f, enum video_source_state state,
		      const char *detail)
{
	struct video_pipeline *p = f->p;
	bool counts;

	pthread_mutex_lock(&p->threads.lock);
	counts = p->feed == f;
	if (counts) {
		if (state != p->state)
			p->since_us = media_clock_now_us(p->clock);
		if (p->state == VIDEO_SOURCE_LIVE &&
		    state == VIDEO_SOURCE_PLACEHOLDER)
			p->lost++;
		p->state = state;
		snprintf(p->detail, sizeof(p->detail), "%s", detail);
	}
	pthread_mutex_unlock(&p->threads.lock);

	if (counts && p->config.on_state)
		p->config.on_state(p->config.user, state, detail);
}

/* Who asks sees which device is held. */
static void note_node(struct video_feed *f)
{
	struct video_pipeline *p = f->p;
	const struct video_source *s = f->pending ? f->pending : f->source;

	pthread_mutex_lock(&p->threads.lock);
	if (p->feed == f)
		snprintf(p->node, sizeof(p->node), "%s", s ? s->node : "");
	pthread_mutex_unlock(&p->threads.lock);
}

/* Coded units will do when nobody takes a rung that needs pictures. */
static bool wants_coded(struct video_pipeline *p)
{
	bool coded;

	pthread_mutex_lock(&p->threads.lock);
	coded = p->active[RUNG_H264] && !p->active[RUNG_VP8];
	pthread_mutex_unlock(&p->threads.lock);
	return coded;
}

static bool had_device(struct video_pipeline *p)
{
	bool had;

	pthread_mutex_lock(&p->threads.lock);
	had = p->had_device;
	pthread_mutex_unlock(&p->threads.lock);
	return had;
}

/* Return: false: a thread that was left behind holds what this one wants, or
 * this one was left behind. */
static bool claim_device(struct video_feed *f)
{
	struct video_pipeline *p = f->p;
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

/* --- into the source, which may hang ---------------------------------------
 */
static bool is_live(const struct video_feed *f)
{
	return f->source && !f->is_placeholder && !f->is_leaving;
}

static int open_source(struct video_feed *f, const struct video_source_ops *ops,
		       struct video_source **ret)
{
	struct video_pipeline *p = f->p;
	struct video_source_config config = {
		.path = f->now.path,
		.width = f->now.choice.width,
		.height = f->now.choice.height,
		.fps = f->now.choice.fps,
		.coded_wanted = wants_coded(p),
		.device_only = had_device(p) || is_live(f),
		.clock = p->clock,
		.count = &p->count,
		.units = p->rungs[RUNG_H264].units,
		.wake_fd = f->thread.wake_fd,
	};
	int r;

	if (ops == &source_placeholder_ops) {
		if (f->width) {
			config.width = f->width;
			config.height = f->height;
		}
		config.message =
			f->now.ops->is_device ? "NO CAMERA" : "NO PICTURE";
	} else if (ops->is_device && !claim_device(f)) {
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

static struct video_source *shut(struct video_feed *f, struct video_source *s)
{
	if (!s)
		return NULL;
	if (s->ops->is_device)
		capture_thread_enter(&f->thread);
	s = s->ops->close(s);
	capture_thread_leave(&f->thread);
	return s;
}

static int take(struct video_feed *f, struct video_source *s,
		struct video_sample *ret)
{
	int r;

	if (s->ops->is_device)
		capture_thread_enter(&f->thread);
	r = s->ops->take(s, ret);
	capture_thread_leave(&f->thread);
	return r;
}

/* --- the rungs --------------------------------------------------------------
 */
/* Return: false if nobody takes it any more; else it runs until leave(). */
static bool enter(struct video_feed *f, unsigned int i)
{
	struct video_pipeline *p = f->p;
	bool entered;

	pthread_mutex_lock(&p->threads.lock);
	entered = p->feed == f && p->active[i];
	if (entered)
		p->busy[i] = true;
	pthread_mutex_unlock(&p->threads.lock);
	return entered;
}

static void leave(struct video_feed *f, unsigned int i)
{
	struct video_pipeline *p = f->p;

	pthread_mutex_lock(&p->threads.lock);
	p->busy[i] = false;
	pthread_cond_signal(&p->left);
	pthread_mutex_unlock(&p->threads.lock);
}

/* The rungs let go of its pictures, without which a device stays open, and
 * begin with a keyframe next. */
static void close_source(struct video_feed *f)
{
	for (unsigned int i = 0; f->source && i < N_RUNGS; i++) {
		if (!enter(f, i))
			continue;
		rung_pause(&f->p->rungs[i]);
		leave(f, i);
	}
	f->source = shut(f, f->source);
	f->is_placeholder = f->is_leaving = false;
	f->is_broken = true;
	note_node(f);
}

static void close_pending(struct video_feed *f)
{
	f->pending = shut(f, f->pending);
	note_node(f);
}

/* Shows f->why, in words to those who ask and as a picture to all. */
static void start_placeholder(struct video_feed *f)
{
	char reason[DETAIL_MAX_BYTES];

	memcpy(reason, f->why, sizeof(reason));
	close_source(f);
	f->is_placeholder = true;
	/* Without memory they see nothing. */
	if (open_source(f, &source_placeholder_ops, &f->source) < 0)
		f->source = NULL;
	set_state(f, VIDEO_SOURCE_PLACEHOLDER, reason);
}

/* Something happened: look often for a while. */
static void be_eager(struct video_feed *f)
{
	uint64_t now = media_clock_now_us(f->p->clock);

	f->eager_us = now + EAGER_FOR_US;
	f->retry_us = now;
}

/* Opens what the configuration names. Return: a negative errno if that is not
 * there; then f->why says so, and it is sought until it is. */
static int seek(struct video_feed *f)
{
	uint64_t now;
	int r;

	snprintf(f->why, sizeof(f->why), "%s", f->now.spec);
	r = open_source(f, f->now.ops, &f->pending);
	now = media_clock_now_us(f->p->clock);
	f->is_seeking = r < 0;
	f->retry_us = now + (now < f->eager_us && f->now.ops->is_device
				     ? EAGER_US
			     : is_live(f) ? STAND_IN_US
					  : RETRY_US);
	if (r < 0)
		return r;
	f->stall_us = now + STALL_US;
	f->patience_us = now + PATIENCE_US;
	note_node(f);
	return 0;
}

/* One black picture stands for every frame while muted. */
static struct picture *black_like(struct video_feed *f,
				  const struct picture *model)
{
	const struct picture *is = f->black;

	if (is && is->width == model->width && is->height == model->height &&
	    is->format == model->format)
		return f->black;

	f->black = picture_unref(f->black);
	f->black_pool = picture_pool_close(f->black_pool);
	if (picture_pool_new(&f->black_pool, &f->p->count, 1, model->format,
			     model->width, model->height) < 0)
		return NULL;
	f->black = picture_pool_get(f->black_pool);
	picture_fill(f->black, 16, 128, 128);
	return f->black;
}

static void distribute_picture(struct video_feed *f, struct picture *picture,
			       uint64_t capture_us)
{
	struct video_pipeline *p = f->p;
	struct picture_frame frame = {
		.picture = picture,
		.capture_us = capture_us,
		.fps = f->source->fps,
	};

	if (atomic_load_explicit(&p->muted, memory_order_relaxed)) {
		frame.picture = black_like(f, picture);
		if (!frame.picture)
			return;
	}
	pthread_mutex_lock(&p->threads.lock);
	for (unsigned int i = 0; p->feed == f && i < N_RUNGS; i++)
		if (p->active[i])
			rung_push(&p->rungs[i], &frame);
	pthread_mutex_unlock(&p->threads.lock);
}

/* An encoder in a camera hears of requests and rates through its source. */
static void steer(struct video_feed *f, bool wants_keyframe, unsigned int bps)
{
	const struct video_source_ops *ops = f->source->ops;

	capture_thread_enter(&f->thread);
	if (wants_keyframe && ops->request_keyframe)
		ops->request_keyframe(f->source);
	if (bps != f->coded_bps && ops->set_bitrate)
		ops->set_bitrate(f->source, bps);
	capture_thread_leave(&f->thread);
	f->coded_bps = bps;
}

static void distribute_unit(struct video_feed *f, struct coded_unit *unit)
{
	struct rung *r = &f->p->rungs[RUNG_H264];
	bool muted = atomic_load_explicit(&f->p->muted, memory_order_relaxed);
	bool wants_keyframe;
	unsigned int bps;

	if (muted || !enter(f, RUNG_H264)) {
		coded_unit_unref(unit);
		f->is_broken = true;
		return;
	}
	if (f->is_broken)
		rung_break_units(r);
	f->is_broken = false;
	rung_push_unit(r, unit, f->source->width, f->source->height);
	wants_keyframe = rung_wants_keyframe(r);
	bps = rung_get_bitrate(r);
	leave(f, RUNG_H264);
	/* Outside: it may hang in there, and control waits for who is inside.
	 */
	steer(f, wants_keyframe, bps);
}

static void distribute(struct video_feed *f, struct video_sample *sample)
{
	struct video_pipeline *p = f->p;

	if (!f->is_placeholder) {
		atomic_fetch_add_explicit(&p->frames_captured, 1,
					  memory_order_relaxed);
		atomic_fetch_add_explicit(&p->frames_missed, sample->n_missed,
					  memory_order_relaxed);
	}
	if (is_live(f)) {
		f->width = f->source->width;
		f->height = f->source->height;
		f->stall_us = media_clock_now_us(p->clock) + STALL_US;
	}
	if (sample->unit) {
		distribute_unit(f, sample->unit);
	} else {
		distribute_picture(f, sample->picture, sample->capture_us);
		picture_unref(sample->picture);
	}
}

/* What runs: its next sample, or its end. */
static void take_from_source(struct video_feed *f)
{
	struct video_sample sample = {0};
	int r = take(f, f->source, &sample);

	if (r == VIDEO_SOURCE_SAMPLE) {
		distribute(f, &sample);
		return;
	}
	if (r == VIDEO_SOURCE_NOTHING &&
	    (f->is_placeholder || !f->source->ops->is_device ||
	     media_clock_now_us(f->p->clock) < f->stall_us))
		return;
	if (f->is_leaving) {
		close_source(f); /* its end is not news */
		return;
	}
	snprintf(f->why, sizeof(f->why), "%s stopped: %s", f->now.spec,
		 r < 0 ? strerror(-r) : "no pictures for five seconds");
	start_placeholder(f);
	f->is_seeking = !f->pending;
	be_eager(f);
	f->retry_us += f->now.ops->is_device ? EAGER_US : RETRY_US;
}

/* The first sample of what was opened makes it the source. */
static void go_live(struct video_feed *f, struct video_sample *sample)
{
	struct video_pipeline *p = f->p;

	close_source(f);
	f->source = f->pending;
	f->pending = NULL;
	f->coded_bps = 0;
	f->is_seeking = f->source->is_stand_in;
	f->retry_us = media_clock_now_us(p->clock) + STAND_IN_US;
	note_node(f);
	if (f->source->ops->is_device) {
		pthread_mutex_lock(&p->threads.lock);
		p->had_device |= p->feed == f;
		pthread_mutex_unlock(&p->threads.lock);
	}
	atomic_fetch_add_explicit(&p->replaced, 1, memory_order_relaxed);
	set_state(f, VIDEO_SOURCE_LIVE, f->source->detail);
	distribute(f, sample);
}

static void take_from_pending(struct video_feed *f)
{
	struct video_sample sample = {0};
	int r = take(f, f->pending, &sample);

	if (r == VIDEO_SOURCE_SAMPLE) {
		go_live(f, &sample);
		return;
	}
	if (r == VIDEO_SOURCE_NOTHING &&
	    (!f->pending->ops->is_device ||
	     media_clock_now_us(f->p->clock) < f->stall_us))
		return;

	snprintf(f->why, sizeof(f->why), "%s did not start: %s", f->now.spec,
		 r < 0 ? strerror(-r) : "no pictures for five seconds");
	f->retry_us = media_clock_now_us(f->p->clock) + RETRY_US;
	f->is_seeking = true;
	close_pending(f);
	if (!f->is_placeholder && !is_live(f))
		start_placeholder(f);
}

static void earlier(uint64_t *deadline_us, uint64_t us)
{
	if (us < *deadline_us)
		*deadline_us = us;
}

/* When one of them is to be asked: when it said, and a silent device when our
 * patience ends. */
static struct video_source_wait wait_of(struct video_feed *f,
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
		earlier(&wait.deadline_us, f->stall_us);
	return wait;
}

/* Nothing of the choice is to be seen yet, but what was before, or nothing. */
static bool is_patient(const struct video_feed *f)
{
	return f->now.ops && !f->is_placeholder && !is_live(f);
}

static void run_once(struct video_feed *f)
{
	const struct media_clock *clock = f->p->clock;
	struct video_source_wait source = wait_of(f, f->source);
	struct video_source_wait pending = wait_of(f, f->pending);
	struct pollfd fds[3] = {
		{.fd = f->thread.wake_fd, .events = POLLIN},
		{.fd = source.fd, .events = source.events},
		{.fd = pending.fd, .events = pending.events},
	};
	uint64_t deadline = source.deadline_us, now;
	eventfd_t ignored;

	earlier(&deadline, pending.deadline_us);
	if (f->is_seeking)
		earlier(&deadline, f->retry_us);
	if (is_patient(f))
		earlier(&deadline, f->patience_us);

	media_clock_wait(clock, fds, 3, deadline);
	if (fds[0].revents) {
		/* There are orders, and they go first. */
		eventfd_read(f->thread.wake_fd, &ignored);
		return;
	}
	now = media_clock_now_us(clock);
	if (f->source && (fds[1].revents || now >= source.deadline_us))
		take_from_source(f);
	if (f->pending && (fds[2].revents || now >= pending.deadline_us))
		take_from_pending(f);
	if (f->is_seeking && !f->pending && now >= f->retry_us)
		seek(f);
	if (is_patient(f) && now >= f->patience_us) {
		if (f->pending)
			snprintf(f->why, sizeof(f->why), "%s has not begun yet",
				 f->now.spec);
		start_placeholder(f);
	}
}

/* Two cameras may be one, which then must be closed before it is opened. */
static bool is_to_be_closed_first(const struct video_feed *f)
{
	return !f->now.ops || (f->now.ops->is_device && f->source &&
			       f->source->ops->is_device);
}

/* Begins with f->now; what is shown meanwhile is f->source. */
static void begin(struct video_feed *f)
{
	int r;

	f->width = f->height = 0;
	f->is_seeking = false;
	if (is_to_be_closed_first(f))
		close_source(f);
	if (!f->now.ops) {
		set_state(f, VIDEO_SOURCE_IDLE, "there is no source");
		return;
	}
	f->is_leaving = f->source && !f->is_placeholder;
	be_eager(f);
	f->patience_us = media_clock_now_us(f->p->clock) + PATIENCE_US;
	r = seek(f);
	/* A busy device may be one that is being closed just now. */
	if (r < 0 && (r != -EBUSY || f->is_placeholder))
		start_placeholder(f);
}

/* Somebody wants pictures of a camera that delivers units. */
static void give_pictures(struct video_feed *f)
{
	if (!is_live(f) || !f->source->coded || !f->source->switchable ||
	    wants_coded(f->p))
		return;
	close_source(f);
	f->patience_us = media_clock_now_us(f->p->clock) + PATIENCE_US;
	if (seek(f) < 0)
		start_placeholder(f);
}

/* --- orders -----------------------------------------------------------------
 */
enum order {
	ORDER_RUN,
	ORDER_BEGIN,
	ORDER_END,
};

static enum order next_order(struct video_feed *f)
{
	struct video_pipeline *p = f->p;
	struct video_choice_copy next = {0};
	enum order order = ORDER_RUN;
	bool poked;

	pthread_mutex_lock(&p->threads.lock);
	if (p->feed != f || !f->is_wanted) {
		order = ORDER_END;
	} else if (f->has_next) {
		order = ORDER_BEGIN;
		next = f->next;
		f->has_next = false;
		f->next = (struct video_choice_copy){0};
	}
	poked = f->has_poke;
	f->has_poke = false;
	pthread_mutex_unlock(&p->threads.lock);

	if (poked && f->now.ops && f->now.ops->is_device)
		be_eager(f);
	if (order != ORDER_BEGIN)
		return order;
	/* Released and taken again before it was noticed: as before. */
	if ((f->source || f->pending) &&
	    video_choice_is_equal(&next.choice, &f->now.choice)) {
		video_choice_copy_done(&next);
		return ORDER_RUN;
	}
	close_pending(f);
	video_choice_copy_done(&f->now);
	f->now = next;
	return ORDER_BEGIN;
}

/* Return: false if it is wanted again meanwhile. */
static bool end(struct video_feed *f)
{
	struct video_pipeline *p = f->p;
	bool is_wanted, counts;

	close_pending(f);
	close_source(f);
	f->black = picture_unref(f->black);
	f->black_pool = picture_pool_close(f->black_pool);
	f->is_seeking = false;
	set_state(f, VIDEO_SOURCE_IDLE, "nobody watches");

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

static void free_feed(struct video_feed *f)
{
	video_choice_copy_done(&f->now);
	video_choice_copy_done(&f->next);
	capture_thread_done(&f->thread);
	free(f);
}

static void *feed_thread(void *user)
{
	struct video_feed *f = user;
	struct video_pipeline *p = f->p;
	bool over = false;

	pthread_setname_np(pthread_self(), "capture");
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
		give_pictures(f);
		run_once(f);
	}
	free_feed(f);
	if (capture_threads_end(&p->threads))
		video_pipeline_destroy(p);
	return NULL;
}

int video_feed_new(struct video_pipeline *p)
{
	struct video_feed *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->p = p;
	f->is_wanted = f->has_next = true;
	r = capture_thread_init(&f->thread, p->clock);
	if (r == 0)
		r = video_choice_copy(&f->next, &p->wanted.choice);
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
