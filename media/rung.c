// SPDX-License-Identifier: Apache-2.0
#include "media/rung.h"

#include "media/picture-convert.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST_ANY   1u
#define REQUEST_FIRST 2u
#define N_CONVERTED   3 /* one encoding, one kept, one spare */

/* A frame that is encoded twice gets a time of its own, this much later; the
 * next one is further away, at any rate we allow. */
#define REPEAT_US 2000

/* With keyframes closer than this a crowd that joins would starve everybody
 * else; who comes in between waits for the next picture. */
#define REPEAT_MIN_GAP_US UINT64_C(100000)

#define RETRY_US MEDIA_US_PER_SEC

static void count(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

int rung_init(struct rung *r, const struct rung_config *config)
{
	const struct encoder_ops *ops = encoder_find(config->codec);
	int ret;

	if (!ops)
		return -ENOTSUP;
	*r = (struct rung){
		.number = config->number,
		.ops = ops,
		.clock = config->clock,
		.count = config->count,
		.on_unit = config->on_unit,
		.user = config->user,
	};
	ret = unit_pool_new(&r->units, config->count, config->codec,
			    RUNG_N_UNITS);
	if (ret < 0)
		return ret;
	rung_set_bitrate(r, config->bitrate_bps);
	rung_set_range(r, config->min_bps, config->max_bps);
	sem_init(&r->wake, 0, 0);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->has_paused, NULL);
	return 0;
}

void rung_done(struct rung *r)
{
	if (!r->units)
		return;
	assert(!r->running);
	r->units = unit_pool_close(r->units);
	sem_destroy(&r->wake);
	pthread_cond_destroy(&r->has_paused);
	pthread_mutex_destroy(&r->lock);
}

static void deliver(struct rung *r, struct coded_unit *u)
{
	u->rung = r->number;
	u->number = r->next_number++;
	u->encoded_us = media_clock_now_us(r->clock);
	count(&r->units_out, 1);
	count(&r->bytes_out, u->size);
	if (u->keyframe)
		count(&r->keyframes, 1);
	r->on_unit(r->user, u);
	coded_unit_unref(u);
}

static void close_encoder(struct rung *r)
{
	if (r->encoder)
		r->encoder = r->ops->close(r->encoder);
	r->converted = picture_pool_close(r->converted);
}

/* The encoder fits the picture, or is made anew: cameras and placeholders
 * differ. */
static int fit_encoder(struct rung *r, const struct picture_frame *frame)
{
	const struct picture *p = frame->picture;
	struct encoder_config config = {
		.width = p->width,
		.height = p->height,
		.format = p->format,
		.fps = frame->fps,
		.bitrate_bps = rung_get_bitrate(r),
		.units = r->units,
	};
	uint64_t now = media_clock_now_us(r->clock);
	int ret;

	if (r->encoder) {
		const struct encoder_config *is = &r->encoder->config;

		if (is->width == p->width && is->height == p->height &&
		    is->format == p->format && is->fps == frame->fps) {
			if (is->bitrate_bps != config.bitrate_bps)
				return r->ops->set_bitrate(r->encoder,
							   config.bitrate_bps);
			return 0;
		}
		close_encoder(r);
	}
	if (now < r->retry_us)
		return -EAGAIN;

	ret = r->ops->open(&r->encoder, &config);
	if (ret < 0) {
		r->retry_us = now + RETRY_US;
		return ret;
	}
	keyframe_authority_init(&r->authority);
	atomic_store(&r->coded, false);
	atomic_store(&r->width, p->width);
	atomic_store(&r->height, p->height);
	return 0;
}

static void remember_time(struct rung *r, uint64_t us)
{
	unsigned int n =
		atomic_load_explicit(&r->n_times, memory_order_relaxed);

	atomic_store_explicit(&r->times_us[n % RUNG_N_TIMES],
			      us > UINT32_MAX ? UINT32_MAX : (unsigned int) us,
			      memory_order_relaxed);
	atomic_store_explicit(&r->n_times, n + 1, memory_order_release);
}

/* Time must not stand still: two access units of one RTP time would be one. */
static void order_time(struct rung *r, uint64_t *capture_us)
{
	if (*capture_us <= r->last_capture_us)
		*capture_us = r->last_capture_us + 1000;
	r->last_capture_us = *capture_us;
}

static void encode(struct rung *r, struct picture_frame frame)
{
	uint64_t now = media_clock_now_us(r->clock), cpu = thread_cpu_ns();
	bool keyframe = keyframe_authority_is_due(&r->authority, now);
	struct coded_unit *u = NULL;
	int ret;

	order_time(r, &frame.capture_us);
	count(&r->frames_in, 1);
	ret = r->ops->encode(r->encoder, &frame, keyframe, &u);
	count(&r->encode_ns, thread_cpu_ns() - cpu);
	remember_time(r, media_clock_now_us(r->clock) - now);

	switch (ret) {
	case ENCODER_UNIT:
		if (u->keyframe)
			keyframe_authority_made(&r->authority, now);
		deliver(r, u);
		break;
	case ENCODER_SKIPPED:
		count(&r->frames_dropped, 1);
		break;
	case -ENOBUFS:
		/* The readers sit on all units; the stream has no gap, since
		 * the picture never entered the encoder. */
		count(&r->frames_dropped, 1);
		break;
	default:
		count(&r->errors, 1);
		close_encoder(r);
		break;
	}
}

/* What the encoder cannot eat is converted into a picture of ours. */
static int fit_picture(struct rung *r, struct picture_frame *frame)
{
	struct picture *p = frame->picture, *dst;
	struct picture_view view = picture_view_of(p);
	int ret;

	if (r->ops->formats >> p->format & 1)
		return 0;
	if (!r->converted) {
		ret = picture_pool_new(&r->converted, r->count, N_CONVERTED,
				       PICTURE_I420, p->width, p->height);
		if (ret < 0)
			return ret;
	}
	dst = picture_pool_get(r->converted);
	if (!dst)
		return -ENOBUFS;
	if (dst->width != p->width || dst->height != p->height) {
		picture_unref(dst);
		r->converted = picture_pool_close(r->converted);
		return fit_picture(r, frame);
	}
	picture_convert(dst, &view, r->count);
	picture_unref(p);
	frame->picture = dst;
	return 0;
}

/* Takes the frame's reference. */
static void encode_new(struct rung *r, struct picture_frame frame)
{
	int ret = fit_picture(r, &frame);

	if (ret == 0)
		ret = fit_encoder(r, &frame);
	if (ret < 0) {
		if (ret != -EAGAIN)
			count(&r->errors, 1);
		count(&r->frames_dropped, 1);
		picture_unref(frame.picture);
		return;
	}
	picture_unref(r->latest.picture);
	r->latest = frame;
	r->latest_repeated = false;
	encode(r, frame);
}

/* A new peer waits: give it what there is, a frame's time earlier. */
static void encode_again(struct rung *r)
{
	uint64_t now = media_clock_now_us(r->clock);
	struct picture_frame frame = r->latest;

	if (!frame.picture || !r->encoder || r->latest_repeated ||
	    (r->authority.any &&
	     now - r->authority.last_us < REPEAT_MIN_GAP_US))
		return;
	r->latest_repeated = true;
	frame.capture_us = r->last_capture_us + REPEAT_US;
	encode(r, frame);
}

enum task {
	TASK_NONE,
	TASK_FRAME,
	TASK_PAUSE,
	TASK_STOP,
};

static enum task next_task(struct rung *r, struct picture_frame *ret)
{
	enum task task = TASK_NONE;

	pthread_mutex_lock(&r->lock);
	if (r->stopping) {
		task = TASK_STOP;
	} else if (r->pausing) {
		task = TASK_PAUSE;
	} else if (r->n_queued > 0) {
		task = TASK_FRAME;
		*ret = r->queue[0];
		r->queue[0] = r->queue[1];
		r->n_queued--;
	}
	pthread_mutex_unlock(&r->lock);
	return task;
}

static void let_go(struct rung *r)
{
	r->latest.picture = picture_unref(r->latest.picture);
	close_encoder(r);
	pthread_mutex_lock(&r->lock);
	/* It may have been given back meanwhile: a wake-up of before. */
	r->paused = r->pausing;
	pthread_cond_signal(&r->has_paused);
	pthread_mutex_unlock(&r->lock);
}

static void *encode_thread(void *user)
{
	struct rung *r = user;
	enum task task;
	char name[16];

	snprintf(name, sizeof(name), "encode-%s",
		 media_codec_name(r->ops->codec));
	pthread_setname_np(pthread_self(), name);

	do {
		struct picture_frame frame;
		unsigned int requests;

		while (sem_wait(&r->wake) < 0 && errno == EINTR)
			;
		task = next_task(r, &frame);
		if (task == TASK_PAUSE)
			let_go(r);
		if (task == TASK_PAUSE || task == TASK_STOP)
			continue; /* requests are for who delivers next */
		requests = atomic_exchange(&r->requests, 0);
		if (requests)
			keyframe_authority_request(&r->authority,
						   requests & REQUEST_FIRST);
		if (task == TASK_FRAME)
			encode_new(r, frame);
		else if (requests & REQUEST_FIRST)
			encode_again(r);
	} while (task != TASK_STOP);
	let_go(r);
	return NULL;
}

int rung_start(struct rung *r)
{
	int ret;

	assert(!r->running);
	r->stopping = r->pausing = r->paused = r->owned = false;
	r->retry_us = 0;
	r->waits_for_keyframe = true;
	keyframe_authority_init(&r->authority);
	atomic_store(&r->requests, 0);
	while (sem_trywait(&r->wake) == 0)
		;
	ret = pthread_create(&r->thread, NULL, encode_thread, r);
	if (ret)
		return -ret;
	r->running = true;
	return 0;
}

/* Empties the queue; not under the lock: the last reader of a picture calls its
 * owner. */
static void drop_queue(struct rung *r)
{
	struct picture_frame dropped[RUNG_QUEUE_LEN];
	unsigned int n;

	pthread_mutex_lock(&r->lock);
	n = r->n_queued;
	memcpy(dropped, r->queue, n * sizeof(dropped[0]));
	r->n_queued = 0;
	pthread_mutex_unlock(&r->lock);
	for (unsigned int i = 0; i < n; i++)
		picture_unref(dropped[i].picture);
}

void rung_stop(struct rung *r)
{
	if (!r->running)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_mutex_unlock(&r->lock);
	sem_post(&r->wake);
	pthread_join(r->thread, NULL);
	r->running = false;
	drop_queue(r);
}

void rung_pause(struct rung *r)
{
	if (r->owned)
		return;
	drop_queue(r);
	pthread_mutex_lock(&r->lock);
	r->pausing = true;
	sem_post(&r->wake);
	while (!r->paused)
		pthread_cond_wait(&r->has_paused, &r->lock);
	pthread_mutex_unlock(&r->lock);
	r->owned = true;
	r->waits_for_keyframe = true;
	keyframe_authority_init(&r->authority);
}

static void resume(struct rung *r)
{
	if (!r->owned)
		return;
	pthread_mutex_lock(&r->lock);
	r->pausing = r->paused = false;
	pthread_mutex_unlock(&r->lock);
	r->owned = false;
}

void rung_push(struct rung *r, const struct picture_frame *frame)
{
	struct picture *dropped = NULL;

	resume(r);
	picture_ref(frame->picture);
	pthread_mutex_lock(&r->lock);
	if (r->n_queued == RUNG_QUEUE_LEN) {
		dropped = r->queue[0].picture;
		r->queue[0] = r->queue[1];
		r->n_queued--;
	}
	r->queue[r->n_queued++] = *frame;
	pthread_mutex_unlock(&r->lock);

	if (dropped) {
		/* Its wake-up is still due: the new frame inherits it. */
		count(&r->frames_dropped, 1);
		picture_unref(dropped);
	} else {
		sem_post(&r->wake);
	}
}

void rung_push_unit(struct rung *r, struct coded_unit *unit, unsigned int width,
		    unsigned int height)
{
	rung_pause(r);
	atomic_store_explicit(&r->coded, true, memory_order_relaxed);
	atomic_store_explicit(&r->width, width, memory_order_relaxed);
	atomic_store_explicit(&r->height, height, memory_order_relaxed);
	count(&r->frames_in, 1);
	if (r->waits_for_keyframe && !unit->keyframe) {
		count(&r->frames_dropped, 1);
		coded_unit_unref(unit);
		return;
	}
	r->waits_for_keyframe = false;
	order_time(r, &unit->capture_us);
	if (unit->keyframe)
		keyframe_authority_made(&r->authority,
					media_clock_now_us(r->clock));
	deliver(r, unit);
}

void rung_break_units(struct rung *r)
{
	r->waits_for_keyframe = true;
}

bool rung_wants_keyframe(struct rung *r)
{
	unsigned int requests = atomic_exchange(&r->requests, 0);
	uint64_t now = media_clock_now_us(r->clock);

	if (requests)
		keyframe_authority_request(&r->authority,
					   requests & REQUEST_FIRST);
	if (!r->authority.pending ||
	    !keyframe_authority_is_due(&r->authority, now))
		return false;
	keyframe_authority_made(&r->authority, now);
	return true;
}

unsigned int rung_get_bitrate(struct rung *r)
{
	unsigned int bps = atomic_load(&r->asked_bps);
	unsigned int cap = atomic_load(&r->cap_bps);
	unsigned int min = atomic_load(&r->min_bps);
	unsigned int max = atomic_load(&r->max_bps);

	if (bps < min)
		bps = min;
	if (bps > max)
		bps = max;
	return cap && bps > cap ? cap : bps;
}

void rung_request_keyframe(struct rung *r, bool first)
{
	unsigned int bit = first ? REQUEST_FIRST : REQUEST_ANY;

	/* An ordinary request rides on the next picture; a first one wakes the
	 * encoder, once. */
	if (!(atomic_fetch_or(&r->requests, bit) & bit) && first)
		sem_post(&r->wake);
}

void rung_set_bitrate(struct rung *r, unsigned int bps)
{
	atomic_store(&r->asked_bps, bps);
}

void rung_set_cap(struct rung *r, unsigned int bps)
{
	atomic_store(&r->cap_bps, bps);
}

void rung_set_range(struct rung *r, unsigned int min_bps, unsigned int max_bps)
{
	atomic_store(&r->min_bps, min_bps);
	atomic_store(&r->max_bps, max_bps);
}

static int compare_uint(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *) a;
	unsigned int y = *(const unsigned int *) b;

	return x < y ? -1 : x > y;
}

static uint32_t times_p95(struct rung *r)
{
	unsigned int n =
		atomic_load_explicit(&r->n_times, memory_order_acquire);
	unsigned int sorted[RUNG_N_TIMES];

	if (n > RUNG_N_TIMES)
		n = RUNG_N_TIMES;
	if (n == 0)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		sorted[i] = atomic_load_explicit(&r->times_us[i],
						 memory_order_relaxed);
	qsort(sorted, n, sizeof(sorted[0]), compare_uint);
	return sorted[(n - 1) * 95 / 100];
}

void rung_get_stats(struct rung *r, struct video_rung_stats *ret)
{
	*ret = (struct video_rung_stats){
		.codec = r->ops->codec,
		.rung = r->number,
		.takers = atomic_load(&r->takers),
		.width = atomic_load(&r->width),
		.height = atomic_load(&r->height),
		.frames_in = media_count_get(&r->frames_in),
		.frames_dropped = media_count_get(&r->frames_dropped),
		.units_out = media_count_get(&r->units_out),
		.bytes_out = media_count_get(&r->bytes_out),
		.keyframes = media_count_get(&r->keyframes),
		.encode_errors = media_count_get(&r->errors),
		.encode_ns_total = media_count_get(&r->encode_ns),
		.encode_us_p95 = times_p95(r),
		.target_bps = rung_get_bitrate(r),
		.encoder =
			atomic_load(&r->coded) ? "pass-through" : r->ops->name,
	};
}
