/* SPDX-License-Identifier: Apache-2.0 */
/* media/test-util.h - what several tests of this folder share
 *
 * A clock that jumps instead of waiting, and decoders that say what arrived.
 *
 * Thread:  the test's
 */
#pragma once

#include "media/coded-unit.h"
#include "media/media-clock.h"

#include <glib.h>
#include <libavcodec/avcodec.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

/* Time moves to the deadline whenever somebody waits for it. With a gate, only
 * after the test posted it: so that a fast clock does not overrun an encoder.
 */
struct test_clock {
	struct media_clock clock;
	atomic_uint_fast64_t now_us;
	atomic_bool gated;
	sem_t gate;
};

#define TEST_CLOCK_START_US UINT64_C(5000000)
#define TEST_CLOCK_WALL_US  UINT64_C(1700000000000000)
#define TEST_GATE_MS	    3000 /* then time goes on all the same */

static inline uint64_t test_clock_now(void *user)
{
	struct test_clock *c = user;

	return atomic_load(&c->now_us);
}

static inline uint64_t test_clock_wall(void *user)
{
	return TEST_CLOCK_WALL_US + test_clock_now(user) - TEST_CLOCK_START_US;
}

static inline int test_clock_wait(void *user, struct pollfd *fds,
				  unsigned int n_fds, uint64_t deadline_us)
{
	struct test_clock *c = user;
	int r = poll(fds, n_fds, deadline_us == MEDIA_NO_DEADLINE ? -1 : 0);

	if (r != 0)
		return r < 0 ? 0 : r;
	if (atomic_load(&c->gated) && deadline_us > atomic_load(&c->now_us)) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += TEST_GATE_MS / 1000;
		sem_timedwait(&c->gate, &until);
	}
	if (deadline_us > atomic_load(&c->now_us))
		atomic_store(&c->now_us, deadline_us);
	return 0;
}

static inline void test_clock_init(struct test_clock *c, bool gated)
{
	*c = (struct test_clock){
		.clock = {test_clock_now, test_clock_wall, test_clock_wait, c},
	};
	atomic_store(&c->now_us, TEST_CLOCK_START_US);
	atomic_store(&c->gated, gated);
	sem_init(&c->gate, 0, gated ? 1 : 0);
}

/* Nobody waits for the test any more: before what its threads wait in ends. */
static inline void test_clock_open(struct test_clock *c)
{
	atomic_store(&c->gated, false);
	sem_post(&c->gate);
}

/* A moment to give up at, for pthread_cond_timedwait(). GLib's own locks are
 * futexes that the thread sanitizer cannot see. */
static inline struct timespec test_deadline(unsigned int seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	return t;
}

/* Decodes with libavcodec, the nearest thing to a receiver we have here. */
struct test_decoder {
	AVCodecContext *ctx;
	AVPacket *packet;
	AVFrame *frame;
};

static inline void test_decoder_init(struct test_decoder *d,
				     enum media_codec codec,
				     unsigned int channels)
{
	static const enum AVCodecID ids[] = {
		[MEDIA_CODEC_VP8] = AV_CODEC_ID_VP8,
		[MEDIA_CODEC_H264] = AV_CODEC_ID_H264,
		[MEDIA_CODEC_OPUS] = AV_CODEC_ID_OPUS,
	};
	const AVCodec *c = avcodec_find_decoder(ids[codec]);

	g_assert_nonnull(c);
	d->ctx = avcodec_alloc_context3(c);
	d->ctx->thread_count = 1;
	d->ctx->flags |= AV_CODEC_FLAG_LOW_DELAY;
	if (channels) {
		d->ctx->sample_rate = 48000;
		av_channel_layout_default(&d->ctx->ch_layout, (int) channels);
	}
	g_assert_cmpint(avcodec_open2(d->ctx, c, NULL), ==, 0);
	d->packet = av_packet_alloc();
	d->frame = av_frame_alloc();
}

static inline void test_decoder_done(struct test_decoder *d)
{
	avcodec_free_context(&d->ctx);
	av_packet_free(&d->packet);
	av_frame_free(&d->frame);
}

/* The unit's frame in d->frame. False if it gave none. */
static inline bool test_decoder_decode(struct test_decoder *d,
				       const struct coded_unit *u)
{
	g_assert_cmpint(av_new_packet(d->packet, (int) u->size), ==, 0);
	memcpy(d->packet->data, u->data, u->size);
	g_assert_cmpint(avcodec_send_packet(d->ctx, d->packet), ==, 0);
	av_packet_unref(d->packet);
	return avcodec_receive_frame(d->ctx, d->frame) == 0;
}
