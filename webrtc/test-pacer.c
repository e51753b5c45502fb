// SPDX-License-Identifier: Apache-2.0
#include "webrtc/pacer.h"

#include <errno.h>
#include <glib.h>

#define PACKET 1200u

static unsigned int n_dropped;

static void on_drop(void *user, enum pacer_class class, void *opaque)
{
	n_dropped++;
}

static int push_video(struct pacer *p, uint16_t packets, bool key, bool burst)
{
	return pacer_push(p, PACER_VIDEO, GUINT_TO_POINTER(packets),
			  packets * PACKET, packets, key, burst, 0);
}

/* Lets out what may leave at @now. Return: packets. */
static unsigned int let_out(struct pacer *p, uint64_t now)
{
	struct pacer_grant g;
	unsigned int n = 0;

	while (pacer_next(p, now, &g)) {
		pacer_sent(p, &g, g.packets * PACKET, now);
		n += g.packets;
	}
	return n;
}

static void test_ordinary_frame_is_one_chunk(void)
{
	struct pacer p;
	struct pacer_grant g;
	uint64_t now = 1000000;

	pacer_init(&p, 2000000, on_drop, NULL);
	for (unsigned int i = 0; i < 30; i++, now += 33333) {
		g_assert_cmpint(push_video(&p, 13, false, false), ==, 0);
		g_assert_true(pacer_next(&p, now, &g));
		g_assert_cmpuint(g.first, ==, 0);
		g_assert_cmpuint(g.packets, ==, 13);
		g_assert_true(pacer_sent(&p, &g, 13 * PACKET, now));
		g_assert_cmpuint(pacer_get_due_us(&p), ==, UINT64_MAX);
	}
}

/* What is ordinary grows with the rate, but only while the path takes it. */
static void test_ordinary_at_high_rates(void)
{
	struct pacer p;

	pacer_init(&p, 4000000, on_drop, NULL);
	push_video(&p, 20, false, false);
	g_assert_cmpuint(let_out(&p, 1000000), ==, 20);

	pacer_set_target(&p, 4000000, PACER_PATH_BRIM);
	push_video(&p, 20, false, false);
	g_assert_cmpuint(let_out(&p, 2000000), <, 20);
	pacer_clear(&p);

	pacer_set_target(&p, 10000000, PACER_PATH_FAST);
	push_video(&p, 45, false, false);
	g_assert_cmpuint(let_out(&p, 3000000), <, 45);
	pacer_clear(&p);
}

static void test_big_frame_leaves_at_the_floor_rate(void)
{
	struct pacer p;
	uint64_t now = 1000000, start = now;
	unsigned int n, first;

	pacer_init(&p, 2000000, on_drop, NULL);
	push_video(&p, 100, true, false);
	first = n = let_out(&p, now);
	g_assert_cmpuint(first, ==, PACER_CHUNK_PACKETS);
	while (n < 100) {
		uint64_t due = pacer_get_due_us(&p);

		g_assert_cmpuint(due, >, now);
		g_assert_cmpuint(due - now, <=, 2 * PACER_TICK_US);
		now = due;
		n += let_out(&p, now);
	}
	/* 10 Mb/s: 95 packets after the first chunk take 91 ms */
	g_assert_cmpuint(now - start, >, 85000);
	g_assert_cmpuint(now - start, <, 97000);
	g_assert_cmpuint(pacer_get_due_us(&p), ==, UINT64_MAX);
}

static void test_joiners_keyframe_bursts(void)
{
	struct pacer p;

	pacer_init(&p, 2000000, on_drop, NULL);
	push_video(&p, 100, true, true);
	g_assert_cmpuint(let_out(&p, 1000000), ==, PACER_BURST_PACKETS);
	g_assert_cmpuint(let_out(&p, 1000000), ==, 0);
}

static void test_audio_never_waits_and_rtx_goes_first(void)
{
	struct pacer p;
	struct pacer_grant g;

	pacer_init(&p, 2000000, on_drop, NULL);
	push_video(&p, 60, true, false);
	let_out(&p, 1000000);
	pacer_push(&p, PACER_RTX, NULL, PACKET, 1, false, false, 0);
	pacer_push(&p, PACER_AUDIO, NULL, 100, 1, false, false, 0);
	g_assert_cmpuint(pacer_get_due_us(&p), ==, 0);
	g_assert_true(pacer_next(&p, 1000000, &g));
	g_assert_cmpint(g.class, ==, PACER_AUDIO);
	pacer_sent(&p, &g, 100, 1000000);
	g_assert_true(pacer_next(&p, pacer_get_due_us(&p), &g));
	g_assert_cmpint(g.class, ==, PACER_RTX);
}

static void test_keyframe_discards_older_video(void)
{
	struct pacer p;

	n_dropped = 0;
	pacer_init(&p, 2000000, on_drop, NULL);
	push_video(&p, 60, true, false);
	let_out(&p, 1000000);		/* begun, not finished */
	push_video(&p, 5, false, false);
	push_video(&p, 5, false, false);
	g_assert_cmpint(push_video(&p, 40, true, false), ==, 0);
	g_assert_cmpuint(n_dropped, ==, 3);
	g_assert_cmpuint(p.video_bytes, ==, 40 * PACKET);
	pacer_clear(&p);
	g_assert_cmpuint(n_dropped, ==, 4);
	g_assert_cmpuint(p.video_bytes, ==, 0);
	g_assert_cmpuint(p.n_keyframes, ==, 0);
}

static void test_queue_is_bounded_in_time_and_number(void)
{
	struct pacer p;
	unsigned int n = 0;

	n_dropped = 0;
	pacer_init(&p, 500000, on_drop, NULL);
	pacer_set_target(&p, 500000, PACER_PATH_SLOW);
	/* 750 kb/s and 400 ms: 37 kB */
	while (push_video(&p, 5, false, false) == 0)
		n++;
	g_assert_cmpuint(n * 5 * PACKET, >, 36000);
	g_assert_cmpuint(n * 5 * PACKET, <, 50000);
	/* a keyframe always gets in, and deltas may then wait longer */
	g_assert_cmpint(push_video(&p, 60, true, false), ==, 0);
	g_assert_cmpint(push_video(&p, 5, false, false), ==, 0);
	pacer_clear(&p);

	n_dropped = 0;
	for (n = 0; n < 40; n++)
		g_assert_cmpint(pacer_push(&p, PACER_AUDIO, NULL, 100, 1,
					   false, false, 0), ==, 0);
	g_assert_cmpuint(n_dropped, ==, 40 - PACER_AUDIO_MAX);
	for (n = 0; n < PACER_RTX_MAX; n++)
		g_assert_cmpint(pacer_push(&p, PACER_RTX, NULL, 100, 1, false,
					   false, 0), ==, 0);
	g_assert_cmpint(pacer_push(&p, PACER_RTX, NULL, 100, 1, false, false,
				   0), ==, -ENOBUFS);
	pacer_clear(&p);
	pacer_set_target(&p, 10000000, PACER_PATH_FAST);
	for (n = 0; n < PACER_VIDEO_MAX; n++)
		g_assert_cmpint(push_video(&p, 1, false, false), ==, 0);
	g_assert_cmpint(push_video(&p, 1, false, false), ==, -ENOBUFS);
	pacer_clear(&p);
}

static void test_slow_path_follows_its_rate(void)
{
	struct pacer p;
	uint64_t now = 1000000;
	unsigned int n = 0;

	pacer_init(&p, 400000, on_drop, NULL);
	pacer_set_target(&p, 400000, PACER_PATH_SLOW);
	push_video(&p, 20, true, false);
	while (n < 20) {
		n += let_out(&p, now);
		if (n < 20)
			now = pacer_get_due_us(&p);
	}
	/* 600 kb/s: 16 ms a packet, two at a time */
	g_assert_cmpuint(now - 1000000, >=, 18 * 16000);
	g_assert_cmpuint(now - 1000000, <=, 19 * 16000);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pacer/ordinary-frame-is-one-chunk",
			test_ordinary_frame_is_one_chunk);
	g_test_add_func("/pacer/ordinary-at-high-rates",
			test_ordinary_at_high_rates);
	g_test_add_func("/pacer/big-frame-leaves-at-the-floor-rate",
			test_big_frame_leaves_at_the_floor_rate);
	g_test_add_func("/pacer/joiners-keyframe-bursts",
			test_joiners_keyframe_bursts);
	g_test_add_func("/pacer/audio-never-waits-and-rtx-goes-first",
			test_audio_never_waits_and_rtx_goes_first);
	g_test_add_func("/pacer/keyframe-discards-older-video",
			test_keyframe_discards_older_video);
	g_test_add_func("/pacer/queue-is-bounded-in-time-and-number",
			test_queue_is_bounded_in_time_and_number);
	g_test_add_func("/pacer/slow-path-follows-its-rate",
			test_slow_path_follows_its_rate);
	return g_test_run();
}
