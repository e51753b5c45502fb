// SPDX-License-Identifier: Apache-2.0
/* The controller against a simulated link: a virtual clock in steps of 1 ms,
 * an encoder that follows the target, a token bucket with a tail-drop queue,
 * a receiver that reports every 100 ms, and the way back. */
#include "webrtc/congestion.h"

#include <glib.h>
#include <string.h>

#define STEP_US	   UINT64_C(1000)
#define PACKET	   1100
#define FLIGHT_MAX 8192

struct packet {
	uint16_t seq;
	uint16_t bytes;
	uint64_t arrives_us;
};

struct sim {
	struct congestion c;
	struct twcc_history history;
	struct twcc_recorder recorder;
	uint64_t now_us;
	/* the link */
	double link_bps;
	uint64_t queue_max_us;		/* tail drop beyond it */
	uint64_t delay_us;		/* each way */
	double loss;			/* at random */
	bool down;
	double backlog_bytes;
	struct packet flight[FLIGHT_MAX];
	unsigned int head, tail;
	/* the encoder */
	double encoder_bps;		/* follows the target within 100 ms */
	double encoder_max_bps;		/* less to do than the target: 0 no */
	uint64_t next_frame_us, next_report_us;
	GRand *rand;
	/* feedback on its way back */
	struct {
		uint64_t due_us;
		size_t len;
		uint8_t fci[TWCC_FCI_MAX];
	} back[64];
	unsigned int back_head, back_tail;
	/* what is judged */
	uint64_t max_queue_us, sent_bytes, arrived_bytes;
	uint32_t pacer_bytes;
	double pacer_credit;
};

static struct sim *sim_new(double link_bps, unsigned int start,
			   unsigned int max)
{
	struct sim *s = g_new0(struct sim, 1);

	s->now_us = 1000000;
	s->link_bps = link_bps;
	s->queue_max_us = 1000000;
	s->delay_us = 20000;
	s->rand = g_rand_new_with_seed(4711);
	s->encoder_bps = start;
	congestion_init(&s->c, start, 100000, max, s->now_us);
	twcc_history_init(&s->history, 65500);
	twcc_recorder_init(&s->recorder);
	congestion_on_rtt(&s->c, 40000);
	return s;
}

static void sim_free(struct sim *s)
{
	g_rand_free(s->rand);
	g_free(s);
}

static uint64_t queue_us(const struct sim *s)
{
	return (uint64_t) (s->backlog_bytes * 8e6 / s->link_bps);
}

static void send_packet(struct sim *s, uint16_t bytes)
{
	uint16_t seq = twcc_history_add(&s->history, s->now_us, bytes);

	congestion_on_sent(&s->c, bytes, s->now_us);
	s->sent_bytes += bytes;
	if (s->down || g_rand_double(s->rand) < s->loss ||
	    queue_us(s) > s->queue_max_us)
		return;
	s->backlog_bytes += bytes;
	s->flight[s->tail % FLIGHT_MAX] = (struct packet){
		seq, bytes, s->now_us + queue_us(s) + s->delay_us };
	s->tail++;
	g_assert_cmpuint(s->tail - s->head, <, FLIGHT_MAX);
}

static void encode_frame(struct sim *s)
{
	double target = congestion_get_target(&s->c);
	double bytes;

	if (s->encoder_max_bps && target > s->encoder_max_bps)
		target = s->encoder_max_bps;
	/* A third of the way per frame: what rate control does at best. */
	s->encoder_bps += (target - s->encoder_bps) / 3;
	bytes = s->encoder_bps / 8 / 30 * g_rand_double_range(s->rand, 0.8,
							      1.2);
	s->pacer_bytes += (uint32_t) bytes;
}

/* Spends what the pacer allows per millisecond. */
static void pace(struct sim *s)
{
	double factor = congestion_is_draining(&s->c) ? 1.0 : 1.5;
	double allowed = congestion_get_target(&s->c) * factor / 8 / 1000;

	if (!congestion_is_limited(&s->c))
		allowed = 20000;
	s->pacer_credit += allowed;
	if (!s->pacer_bytes && s->pacer_credit > PACKET)
		s->pacer_credit = PACKET;
	while (s->pacer_bytes && s->pacer_credit >= PACKET) {
		uint16_t n = (uint16_t) MIN(s->pacer_bytes, PACKET);

		send_packet(s, n);
		s->pacer_bytes -= n;
		s->pacer_credit -= n;
	}
}

static void on_result(void *user, const struct twcc_result *r)
{
	congestion_on_result(user, r);
}

static void step(struct sim *s)
{
	s->now_us += STEP_US;
	s->backlog_bytes -= s->link_bps / 8 * STEP_US / 1e6;
	if (s->backlog_bytes < 0)
		s->backlog_bytes = 0;

	while (s->head != s->tail &&
	       s->flight[s->head % FLIGHT_MAX].arrives_us <= s->now_us) {
		const struct packet *p = &s->flight[s->head++ % FLIGHT_MAX];

		/* the receiver's clock has its own zero */
		twcc_recorder_add(&s->recorder, p->seq,
				  p->arrives_us + 987654321);
		s->arrived_bytes += p->bytes;
	}
	if (s->now_us >= s->next_report_us) {
		size_t n = twcc_recorder_build(&s->recorder,
					       s->back[s->back_tail % 64].fci);

		s->next_report_us = s->now_us + 100000;
		if (n && !s->down) {
			s->back[s->back_tail % 64].len = n;
			s->back[s->back_tail % 64].due_us =
				s->now_us + s->delay_us;
			s->back_tail++;
		}
	}
	while (s->back_head != s->back_tail &&
	       s->back[s->back_head % 64].due_us <= s->now_us) {
		unsigned int i = s->back_head++ % 64;

		g_assert_cmpint(twcc_history_feedback(&s->history,
						      s->back[i].fci,
						      s->back[i].len,
						      s->now_us, on_result,
						      &s->c), ==, 0);
		congestion_on_feedback(&s->c, s->now_us);
	}
	if (s->now_us >= s->next_frame_us) {
		s->next_frame_us = s->now_us + 33333;
		encode_frame(s);
	}
	pace(s);
	congestion_on_tick(&s->c, s->now_us);
	if (queue_us(s) > s->max_queue_us)
		s->max_queue_us = queue_us(s);
}

static void run(struct sim *s, double seconds)
{
	uint64_t end = s->now_us + (uint64_t) (seconds * 1e6);

	s->max_queue_us = 0;
	s->sent_bytes = s->arrived_bytes = 0;
	while (s->now_us < end)
		step(s);
	g_test_message("%.1f s: target %u, queue %" G_GUINT64_FORMAT
		       " ms (most %" G_GUINT64_FORMAT "), arrived %.0f bit/s",
		       (double) s->now_us / 1e6, congestion_get_target(&s->c),
		       queue_us(s) / 1000, s->max_queue_us / 1000,
		       (double) s->arrived_bytes * 8 / seconds);
}

static void test_clean_link_reaches_the_most_and_stays(void)
{
	struct sim *s = sim_new(20e6, 500000, 4000000);

	run(s, 6);
	g_assert_cmpuint(congestion_get_target(&s->c), ==, 4000000);
	for (unsigned int i = 0; i < 6; i++) {
		run(s, 10);
		g_assert_cmpuint(congestion_get_target(&s->c), ==, 4000000);
	}
	g_assert_false(congestion_is_limited(&s->c));
	sim_free(s);
}

static void test_narrowing_and_healing(void)
{
	struct sim *s = sim_new(2.2e6, 2000000, 2000000);

	run(s, 5);
	g_assert_cmpuint(congestion_get_target(&s->c), ==, 2000000);

	s->link_bps = 500000;
	run(s, 2);
	g_assert_cmpuint(congestion_get_target(&s->c), <, 500000);
	g_assert_cmpuint(congestion_get_target(&s->c), >, 150000);
	g_assert_cmpuint(queue_us(s), <, 500000);
	run(s, 10);
	/* It stays usable: a short queue, and most of the capacity used. */
	g_assert_cmpuint(s->max_queue_us, <, 500000);
	g_assert_cmpuint(s->arrived_bytes * 8 / 10, >, 300000);
	g_assert_true(congestion_is_limited(&s->c));

	s->link_bps = 2.2e6;
	run(s, 8);
	g_assert_cmpuint(congestion_get_target(&s->c), >=, 1600000);
	sim_free(s);
}

/* Wherever in its cycle the controller is, healing takes no longer. */
static void test_healing_from_any_phase(void)
{
	for (unsigned int phase = 0; phase < 10; phase++) {
		struct sim *s = sim_new(2.2e6, 2000000, 2000000);

		run(s, 3);
		s->link_bps = 500000;
		run(s, 8 + phase * 0.5);
		s->link_bps = 2.2e6;
		run(s, 8);
		g_assert_cmpuint(congestion_get_target(&s->c), >=, 1600000);
		sim_free(s);
	}
}

static void test_random_loss_does_not_collapse(void)
{
	struct sim *s = sim_new(20e6, 1000000, 2000000);

	s->loss = 0.05;
	run(s, 30);
	g_assert_cmpuint(congestion_get_target(&s->c), >=, 1800000);
	sim_free(s);
}

static void test_shallow_queue_backs_off_by_loss(void)
{
	struct sim *s = sim_new(2.2e6, 2000000, 2000000);

	s->queue_max_us = 30000;
	run(s, 3);
	s->link_bps = 500000;
	run(s, 3);
	g_assert_cmpuint(congestion_get_target(&s->c), <, 700000);
	run(s, 10);
	g_assert_cmpuint(s->arrived_bytes * 8 / 10, >, 300000);
	sim_free(s);
}

static void test_outage_of_three_seconds(void)
{
	struct sim *s = sim_new(4e6, 2000000, 2000000);

	run(s, 4);
	s->down = true;
	run(s, 3);
	g_assert_cmpuint(congestion_get_target(&s->c), <, 400000);
	s->down = false;
	run(s, 0.5);
	g_assert_cmpuint(congestion_get_target(&s->c), >=, 1400000);
	run(s, 4);
	g_assert_cmpuint(congestion_get_target(&s->c), ==, 2000000);
	sim_free(s);
}

static void test_a_still_picture_keeps_the_target(void)
{
	struct sim *s = sim_new(20e6, 1000000, 2000000);

	run(s, 4);
	s->encoder_max_bps = 100000;
	run(s, 20);
	g_assert_cmpuint(congestion_get_target(&s->c), ==, 2000000);
	/* but what was never tried is not promised */
	sim_free(s);
	s = sim_new(20e6, 300000, 4000000);
	s->encoder_max_bps = 200000;
	run(s, 20);
	g_assert_cmpuint(congestion_get_target(&s->c), <, 500000);
	sim_free(s);
}

static void test_clock_drift_is_no_queue(void)
{
	struct sim *s = sim_new(20e6, 2000000, 2000000);

	/* The receiver's clock runs 100 ppm fast, for an hour. */
	for (unsigned int i = 0; i < 3600 * 30; i++) {
		struct twcc_result r = {
			.send_us = 1000000 + i * UINT64_C(33333),
			.bytes = 1000, .received = true,
		};

		r.arrival_us = (int64_t) (r.send_us + r.send_us / 10000);
		congestion_on_result(&s->c, &r);
		congestion_on_feedback(&s->c, r.send_us + 40000);
		g_assert_cmpuint(congestion_get_queue_us(&s->c), <, 5000);
	}
	g_assert_cmpuint(congestion_get_target(&s->c), ==, 2000000);
	sim_free(s);
}

static void test_without_the_extension(void)
{
	struct congestion c;
	uint64_t now = 0;

	congestion_init(&c, 500000, 100000, 2000000, now);
	for (unsigned int i = 0; i < 40; i++)
		congestion_on_report(&c, 0, now += 1000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 2000000);
	congestion_on_remb(&c, 800000, now);
	g_assert_cmpuint(congestion_get_target(&c), ==, 800000);
	for (unsigned int i = 0; i < 10; i++)
		congestion_on_report(&c, 0.05f, now += 1000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 800000);
	congestion_on_report(&c, 0.5f, now += 1000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 600000);
	for (unsigned int i = 0; i < 60; i++)
		congestion_on_report(&c, 0.9f, now += 1000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 100000);
	congestion_on_remb(&c, 5000000, now);
	for (unsigned int i = 0; i < 60; i++)
		congestion_on_report(&c, 0, now += 1000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 2000000);
}

static void test_another_range(void)
{
	struct congestion c;

	congestion_init(&c, 2000000, 100000, 4000000, 0);
	congestion_set_range(&c, 50000, 300000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 300000);
	congestion_set_range(&c, 900000, 1000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 900000);
	congestion_set_range(&c, 100000, 4000000);
	g_assert_cmpuint(congestion_get_target(&c), ==, 900000);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/congestion/another-range", test_another_range);
	g_test_add_func("/congestion/clean-link-reaches-the-most-and-stays",
			test_clean_link_reaches_the_most_and_stays);
	g_test_add_func("/congestion/narrowing-and-healing",
			test_narrowing_and_healing);
	g_test_add_func("/congestion/healing-from-any-phase",
			test_healing_from_any_phase);
	g_test_add_func("/congestion/random-loss-does-not-collapse",
			test_random_loss_does_not_collapse);
	g_test_add_func("/congestion/shallow-queue-backs-off-by-loss",
			test_shallow_queue_backs_off_by_loss);
	g_test_add_func("/congestion/outage-of-three-seconds",
			test_outage_of_three_seconds);
	g_test_add_func("/congestion/a-still-picture-keeps-the-target",
			test_a_still_picture_keeps_the_target);
	g_test_add_func("/congestion/clock-drift-is-no-queue",
			test_clock_drift_is_no_queue);
	g_test_add_func("/congestion/without-the-extension",
			test_without_the_extension);
	return g_test_run();
}
