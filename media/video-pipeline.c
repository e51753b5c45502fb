// SPDX-License-Identifier: Apache-2.0
#include "media/video-pipeline.h"

#include "media/source-spec.h"
#include "media/video-feed.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_BITRATE_BPS	 16000
#define MAX_BITRATE_BPS	 100000000

/* --- the feed ---------------------------------------------------------------
 */
static void lock(struct video_pipeline *p)
{
	pthread_mutex_lock(&p->threads.lock);
}

static void unlock(struct video_pipeline *p)
{
	pthread_mutex_unlock(&p->threads.lock);
}

/* Orders the feed to begin with the wanted choice. Return: 1: there is a feed
 * and it was told, 0: there is none, or -ENOMEM. */
static int tell_feed(struct video_pipeline *p, bool only_if_wanted)
{
	struct video_choice_copy next = {0};
	int r = video_choice_copy(&next, &p->wanted.choice);

	if (r < 0)
		return r;
	lock(p);
	if (p->feed && (p->feed->is_wanted || !only_if_wanted)) {
		struct video_choice_copy skipped = p->feed->next;

		p->feed->next = next;
		next = skipped;
		p->feed->has_next = p->feed->is_wanted = true;
		capture_thread_wake(&p->feed->thread);
		r = 1;
	}
	unlock(p);
	video_choice_copy_done(&next);
	return r;
}

static int start_capture(struct video_pipeline *p)
{
	int r;

	video_pipeline_check(p);
	r = tell_feed(p, false);
	return r < 0 ? r : r == 1 ? 0 : video_feed_new(p);
}

static void stop_capture(struct video_pipeline *p)
{
	lock(p);
	if (p->feed) {
		p->feed->is_wanted = false;
		capture_thread_wake(&p->feed->thread);
	}
	unlock(p);
}

/* Return: the feed hung and was left behind. */
static bool leave_behind(struct video_pipeline *p, bool *ret_was_wanted)
{
	bool left = false;

	lock(p);
	if (p->feed && capture_thread_is_stuck(&p->feed->thread)) {
		for (unsigned int i = 0; i < CAPTURE_LEFT_MAX && !left; i++) {
			if (p->stuck[i])
				continue;
			*ret_was_wanted = p->feed->is_wanted;
			p->stuck[i] = p->feed;
			p->feed = NULL;
			left = true;
		}
	}
	unlock(p);
	return left;
}

bool video_pipeline_check(struct video_pipeline *p)
{
	bool was_wanted = false;

	if (!leave_behind(p, &was_wanted))
		return false;
	if (was_wanted)
		video_feed_new(p);
	return true;
}

void video_pipeline_poke(struct video_pipeline *p)
{
	lock(p);
	/* A wake-up ends what blocks in a file; news are of devices. */
	if (p->feed && p->wanted.ops && p->wanted.ops->is_device) {
		p->feed->has_poke = true;
		capture_thread_wake(&p->feed->thread);
	}
	unlock(p);
}

bool video_pipeline_is_about(struct video_pipeline *p, const char *source,
			     const char *node)
{
	bool is;

	lock(p);
	is = p->feed && p->feed->is_wanted && p->wanted.spec && source &&
	     !strcmp(source, p->wanted.spec) &&
	     p->state != VIDEO_SOURCE_PLACEHOLDER;
	is |= node && *node && !strcmp(node, p->node);
	unlock(p);
	return is;
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
	capture_threads_init(&p->threads);
	pthread_cond_init(&p->left, NULL);
	p->config = *config;
	p->clock = config->clock ? config->clock : media_clock_system();
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

void video_pipeline_destroy(struct video_pipeline *p)
{
	for (unsigned int i = 0; i < N_RUNGS; i++)
		rung_done(&p->rungs[i]);
	capture_threads_done(&p->threads);
	pthread_cond_destroy(&p->left);
	video_choice_copy_done(&p->wanted);
	free(p);
}

struct video_pipeline *video_pipeline_free(struct video_pipeline *p)
{
	if (!p)
		return NULL;
	/* It counts no more: nobody is called from now on. */
	lock(p);
	for (unsigned int i = 0; i < N_RUNGS; i++)
		while (p->busy[i])
			pthread_cond_wait(&p->left, &p->threads.lock);
	if (p->feed) {
		p->feed->is_wanted = false;
		capture_thread_wake(&p->feed->thread);
		p->feed = NULL;
	}
	unlock(p);
	for (unsigned int i = 0; i < N_RUNGS; i++)
		rung_stop(&p->rungs[i]);
	if (capture_threads_leave(&p->threads))
		video_pipeline_destroy(p);
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
	struct video_choice_copy wanted = {0}, before;
	bool had_device;
	int r;

	*ret_error = video_choice_find_fault(choice);
	if (*ret_error)
		return -EINVAL;
	if (video_choice_is_equal(choice, &p->wanted.choice))
		return 0;
	r = video_choice_copy(&wanted, choice);
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
		return r;
	}
	lock(p);
	before = p->wanted;
	p->wanted = wanted;
	had_device = p->had_device;
	/* Only in its size: the same device is waited for. */
	p->had_device &= before.spec && wanted.spec &&
			 !strcmp(before.spec, wanted.spec);
	unlock(p);
	r = tell_feed(p, true);
	if (r < 0) {
		lock(p);
		p->wanted = before;
		p->had_device = had_device;
		unlock(p);
		before = wanted;
	}
	video_choice_copy_done(&before);
	return r < 0 ? r : 0;
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
	lock(p);
	p->active[i] = active;
	while (p->busy[i])
		pthread_cond_wait(&p->left, &p->threads.lock);
	/* A camera may have to change between units and pictures. */
	if (p->feed && p->wanted.ops && p->wanted.ops->is_device)
		capture_thread_wake(&p->feed->thread);
	unlock(p);
}

int video_pipeline_take(struct video_pipeline *p, enum media_codec codec,
			uint32_t *ret_rung)
{
	struct rung *rung;
	bool is_first;
	int r;

	if (!video_pipeline_has_codec(p, codec))
		return -ENOTSUP;
	rung = &p->rungs[codec];
	if (atomic_load(&rung->takers) == 0) {
		r = rung_start(rung);
		if (r < 0)
			return r;
		is_first = !any_active(p);
		set_active(p, codec, true);
		r = is_first ? start_capture(p) : 0;
		if (r < 0) {
			set_active(p, codec, false);
			rung_stop(rung);
			return r;
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

	lock(p);
	s.since_us = p->since_us;
	s.lost = p->lost;
	memcpy(s.source, p->detail, sizeof(s.source));
	s.state = p->state;
	if (s.state != VIDEO_SOURCE_IDLE && !any_active(p)) {
		/* Its thread still closes it. */
		s.state = VIDEO_SOURCE_IDLE;
		snprintf(s.source, sizeof(s.source), "nobody watches");
	}
	memcpy(s.node, p->node, sizeof(s.node));
	unlock(p);

	for (unsigned int i = 0; i < N_RUNGS; i++)
		if (atomic_load(&p->rungs[i].takers) > 0)
			rung_get_stats(&p->rungs[i], &s.rungs[s.n_rungs++]);
	*ret_stats = s;
}
