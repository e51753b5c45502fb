// SPDX-License-Identifier: Apache-2.0
#include "media/audio-pipeline.h"

#include "media/audio-feed.h"
#include "media/source-spec.h"
#include "media/unit-pool.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIN_BITRATE_BPS	 6000
#define MAX_BITRATE_BPS	 510000
#define N_UNITS		 256 /* in flight: 5 s */

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
	capture_threads_init(&p->threads);
	pthread_cond_init(&p->left, NULL);
	p->config = *config;
	p->clock = config->clock ? config->clock : media_clock_system();
	atomic_store(&p->bitrate_bps, config->bitrate_bps);
	atomic_store(&p->volume, 100);
	atomic_store(&p->level, 127);
	r = audio_choice_copy(&p->wanted, &config->choice);
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

void audio_pipeline_destroy(struct audio_pipeline *p)
{
	unit_pool_close(p->units);
	pthread_cond_destroy(&p->left);
	capture_threads_done(&p->threads);
	audio_choice_copy_done(&p->wanted);
	free(p);
}

/* --- the feed ---------------------------------------------------------------
 */
static void lock(struct audio_pipeline *p)
{
	pthread_mutex_lock(&p->threads.lock);
}

static void unlock(struct audio_pipeline *p)
{
	pthread_mutex_unlock(&p->threads.lock);
}

/* Until nobody is in a call of ours; with the lock, which is let go of. */
static void wait_left(struct audio_pipeline *p)
{
	while (p->busy)
		pthread_cond_wait(&p->left, &p->threads.lock);
}

struct audio_pipeline *audio_pipeline_free(struct audio_pipeline *p)
{
	if (!p)
		return NULL;
	/* It counts no more: nobody is called from now on. */
	lock(p);
	wait_left(p);
	if (p->feed) {
		p->feed->is_wanted = false;
		atomic_store(&p->feed->is_dropped, true);
		capture_thread_wake(&p->feed->thread);
		p->feed = NULL;
	}
	unlock(p);
	if (capture_threads_leave(&p->threads))
		audio_pipeline_destroy(p);
	return NULL;
}

/* Orders the feed to begin with the wanted choice. Return: 1: there is a feed
 * and it was told, 0: there is none, or -ENOMEM. */
static int tell_feed(struct audio_pipeline *p, bool only_if_wanted)
{
	struct audio_choice choice = {p->wanted.spec, p->wanted.channels};
	struct audio_choice_copy next = {0};
	int r = audio_choice_copy(&next, &choice);

	if (r < 0)
		return r;
	lock(p);
	if (p->feed && (p->feed->is_wanted || !only_if_wanted)) {
		struct audio_choice_copy skipped = p->feed->next;

		p->feed->next = next;
		next = skipped;
		p->feed->has_next = p->feed->is_wanted = true;
		capture_thread_wake(&p->feed->thread);
		r = 1;
	}
	unlock(p);
	audio_choice_copy_done(&next);
	return r;
}

/* Return: the feed hung and was left behind. */
static bool leave_behind(struct audio_pipeline *p, bool *ret_was_wanted)
{
	bool left = false;

	lock(p);
	if (p->feed && capture_thread_is_stuck(&p->feed->thread)) {
		for (unsigned int i = 0; i < CAPTURE_LEFT_MAX && !left; i++) {
			if (p->stuck[i])
				continue;
			*ret_was_wanted = p->feed->is_wanted;
			atomic_store(&p->feed->is_dropped, true);
			p->stuck[i] = p->feed;
			p->feed = NULL;
			left = true;
		}
	}
	unlock(p);
	return left;
}

bool audio_pipeline_check(struct audio_pipeline *p)
{
	bool was_wanted = false;

	if (!leave_behind(p, &was_wanted))
		return false;
	if (was_wanted)
		audio_feed_new(p);
	return true;
}

void audio_pipeline_poke(struct audio_pipeline *p)
{
	lock(p);
	if (p->feed && p->wanted.ops && p->wanted.ops->is_device) {
		p->feed->has_poke = true;
		capture_thread_wake(&p->feed->thread);
	}
	unlock(p);
}

bool audio_pipeline_is_about(struct audio_pipeline *p, const char *source,
			     const char *node)
{
	bool is;

	lock(p);
	is = p->feed && p->feed->is_wanted && p->wanted.spec && source &&
	     !strcmp(source, p->wanted.spec) &&
	     p->state != AUDIO_SOURCE_SILENCE;
	is |= node && *node && !strcmp(node, p->node);
	unlock(p);
	return is;
}

static bool is_wanted(const struct audio_pipeline *p,
		      const struct audio_choice *choice)
{
	if (!choice->source || !p->wanted.spec)
		return choice->source == p->wanted.spec;
	return !strcmp(choice->source, p->wanted.spec) &&
	       choice->channels == p->wanted.channels;
}

int audio_pipeline_set_source(struct audio_pipeline *p,
			      const struct audio_choice *choice,
			      char **ret_error)
{
	struct audio_choice_copy wanted = {0}, before;
	bool had_device;
	int r;

	*ret_error = audio_choice_find_fault(choice);
	if (*ret_error)
		return -EINVAL;
	if (is_wanted(p, choice))
		return 0;
	r = audio_choice_copy(&wanted, choice);
	if (r < 0)
		return r;
	lock(p);
	before = p->wanted;
	p->wanted = wanted;
	had_device = p->had_device;
	/* Only in its channels: the same device is waited for. */
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
	audio_choice_copy_done(&before);
	return r < 0 ? r : 0;
}

int audio_pipeline_take(struct audio_pipeline *p)
{
	int r = 0;

	if (atomic_load(&p->takers) == 0) {
		audio_pipeline_check(p);
		r = tell_feed(p, false);
		if (r == 0)
			r = audio_feed_new(p);
	}
	if (r < 0)
		return r;
	atomic_fetch_add(&p->takers, 1);
	return 0;
}

void audio_pipeline_release(struct audio_pipeline *p)
{
	assert(atomic_load(&p->takers) > 0);
	if (atomic_fetch_sub(&p->takers, 1) > 1)
		return;
	lock(p);
	if (p->feed) {
		p->feed->is_wanted = false;
		capture_thread_wake(&p->feed->thread);
	}
	wait_left(p);
	unlock(p);
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

	lock(p);
	s.channels = p->wanted.channels;
	s.state = p->state;
	s.since_us = p->since_us;
	s.lost = p->lost;
	memcpy(s.source, p->detail, sizeof(s.source));
	memcpy(s.node, p->node, sizeof(s.node));
	if (s.state != AUDIO_SOURCE_IDLE && !s.takers) {
		/* Its thread still closes it. */
		s.state = AUDIO_SOURCE_IDLE;
		snprintf(s.source, sizeof(s.source), "nobody listens");
	}
	unlock(p);
	*ret_stats = s;
}
