// SPDX-License-Identifier: Apache-2.0
#include "webrtc/congestion.h"

#include <string.h>

#define WINDOW_US	  INT64_C(50000)	/* of the standing queue */
#define BASE_US		  UINT64_C(1000000)
#define QUEUE_HIGH_US	  INT64_C(40000)
#define QUEUE_LOW_US	  INT64_C(15000)
#define QUEUE_BIG_US	  INT64_C(120000)
#define QUEUE_HUGE_US	  INT64_C(250000)
#define DECREASE_EVERY_US UINT64_C(200000)
#define HOLD_US		  UINT64_C(300000)
#define LOSS_EVERY_US	  UINT64_C(400000)
#define LOSS_MIN_PACKETS  20
#define LOSS_LOW	  0.02f
#define LOSS_HIGH	  0.10f
#define LOSS_HUGE	  0.25f
#define SILENCE_US	  UINT64_C(500000)
#define SEEN_US		  UINT64_C(30000000)
#define ACKED_US	  INT64_C(500000)
#define CAPACITY_US	  INT64_C(100000)
#define LINK_US		  INT64_C(300000)
#define STEP_MAX_US	  UINT64_C(200000)	/* one increase counts */

static double clamp(const struct congestion *c, double bps)
{
	double max = c->max_bps;

	if (c->remb_bps > 0 && c->remb_bps < max && !c->feedback)
		max = c->remb_bps;
	if (bps > max)
		bps = max;
	return bps < c->min_bps ? c->min_bps : bps;
}

void congestion_init(struct congestion *c, unsigned int start_bps,
		     unsigned int min_bps, unsigned int max_bps,
		     uint64_t now_us)
{
	memset(c, 0, sizeof(*c));
	c->min_bps = min_bps;
	c->max_bps = max_bps;
	c->target = clamp(c, start_bps);
	c->state_us = c->clean_us = c->last_us = now_us;
	c->last_feedback_us = c->loss_us = now_us;
}

void congestion_set_range(struct congestion *c, unsigned int min_bps,
			  unsigned int max_bps)
{
	c->min_bps = min_bps;
	c->max_bps = max_bps;
	c->target = clamp(c, c->target);
}

static void enter(struct congestion *c, enum congestion_state state,
		  uint64_t now_us)
{
	c->state = state;
	c->state_us = now_us;
}

void congestion_on_rtt(struct congestion *c, uint32_t rtt_us)
{
	c->rtt_us = rtt_us;
}

void congestion_on_sent(struct congestion *c, uint32_t bytes, uint64_t now_us)
{
	/* The silence that counts begins with the first unanswered packet. */
	if (!c->sent_since_feedback && !c->outage)
		c->last_feedback_us = now_us;
	c->sent_since_feedback += bytes;
}

/* --- what is measured ------------------------------------------------- */

static void add_arrival(struct congestion *c, int64_t arrival_us,
			uint32_t bytes)
{
	int64_t bucket = arrival_us / CONGESTION_BUCKET_US;
	int64_t ahead = bucket - c->rate_newest;

	if (!c->n_rate || ahead >= CONGESTION_RATE_BUCKETS ||
	    ahead < -CONGESTION_RATE_BUCKETS * 50) {
		/* the first, or after a long gap, or their clock jumped */
		memset(c->rate_bytes, 0, sizeof(c->rate_bytes));
		c->rate_newest = bucket;
		c->n_rate = 1;
		ahead = 0;
	}
	for (; ahead > 0; ahead--) {
		c->rate_newest++;
		c->rate_bytes[c->rate_newest & (CONGESTION_RATE_BUCKETS - 1)] =
			0;
		if (c->n_rate < CONGESTION_RATE_BUCKETS)
			c->n_rate++;
	}
	if (bucket > c->rate_newest - CONGESTION_RATE_BUCKETS)
		c->rate_bytes[bucket & (CONGESTION_RATE_BUCKETS - 1)] += bytes;
}

unsigned int congestion_get_acked(const struct congestion *c, int64_t span_us)
{
	/* The newest bucket is still filling: leave it out. */
	unsigned int n = (unsigned int) (span_us / CONGESTION_BUCKET_US);
	uint64_t bytes = 0;

	if (c->n_rate < 2)
		return 0;
	if (n > c->n_rate - 1)
		n = c->n_rate - 1;
	for (unsigned int i = 1; i <= n; i++)
		bytes += c->rate_bytes[(c->rate_newest - i) &
				       (CONGESTION_RATE_BUCKETS - 1)];
	return (unsigned int) (bytes * 8000000 /
			       (n * (uint64_t) CONGESTION_BUCKET_US));
}

static int64_t base_delay(const struct congestion *c)
{
	int64_t base = c->base[0];

	for (unsigned int i = 1; i < c->n_bases; i++)
		if (c->base[i] < base)
			base = c->base[i];
	return base;
}

static void add_delay(struct congestion *c, int64_t delay, uint64_t send_us,
		      int64_t arrival_us)
{
	if (!c->n_bases || send_us - c->base_us >= BASE_US) {
		/* Late results may be older than the bucket: not a new one. */
		if (!c->n_bases || send_us > c->base_us) {
			memmove(c->base + 1, c->base,
				(CONGESTION_BASES - 1) * sizeof(c->base[0]));
			c->base[0] = delay;
			c->base_us = send_us;
			if (c->n_bases < CONGESTION_BASES)
				c->n_bases++;
		}
	}
	if (delay < c->base[0])
		c->base[0] = delay;

	/* Windows of arrival time: 50 ms of what was sent may take long to
	 * come through a narrow link. The packet that closes a window belongs
	 * to it: where frames are far apart, it is the first of a frame and
	 * has not waited behind its own kind. */
	if (!c->window_open) {
		c->window_open = true;
		c->window_us = arrival_us;
		c->window_min = delay;
	} else if (delay < c->window_min) {
		c->window_min = delay;
	}
	if (arrival_us - c->window_us >= WINDOW_US) {
		c->queue_before_us = c->queue_us;
		c->queue_us = c->window_min - base_delay(c);
		c->window_open = false;
	}
}

void congestion_on_result(struct congestion *c, const struct twcc_result *r)
{
	if (r->was_lost) {
		if (c->n_lost)
			c->n_lost--;
	} else {
		c->n_seen++;
		c->n_lost += !r->received;
	}
	if (!r->received)
		return;
	add_arrival(c, r->arrival_us, r->bytes);
	add_delay(c, r->arrival_us - (int64_t) r->send_us, r->send_us,
		  r->arrival_us);
}

/* --- what follows from it ----------------------------------------------- */

static void congested(struct congestion *c, double bps, uint64_t now_us)
{
	if (bps < c->target)
		c->target = clamp(c, bps);
	c->last_decrease_us = now_us;
	c->clean_us = now_us;
}

/* Growth per second: doubling before the first congestion; after one, slowly
 * around the capacity seen, then faster the longer nothing happened. */
static double growth(const struct congestion *c, uint64_t now_us)
{
	double clean = (double) (now_us - c->clean_us) / 1e6;
	double g;

	if (c->state == CONGESTION_START)
		g = 1.0;
	else if (clean < 2.0)
		g = 0.05;
	else if (clean < 3.5)
		g = 0.12;
	else
		g = 0.5;
	if (c->loss > LOSS_LOW)
		g *= 0.3;
	return g;
}

static void increase(struct congestion *c, uint64_t now_us)
{
	double acked = congestion_get_acked(c, ACKED_US);
	uint64_t step = now_us - c->last_us;
	double limit = acked * 1.5 + 50000;
	double bps;

	if (step > STEP_MAX_US)
		step = STEP_MAX_US;
	bps = c->target * (1.0 + growth(c, now_us) * (double) step / 1e6);
	/* What was not tried is not known. Without TWCC nobody tells. */
	if (c->feedback && bps > limit)
		bps = limit;
	if (bps > c->target)
		c->target = clamp(c, bps);
}

static void judge_queue(struct congestion *c, uint64_t now_us)
{
	bool rising = c->queue_us >= c->queue_before_us - 5000;
	double capacity, factor = 0.85;

	if (c->queue_us <= QUEUE_HIGH_US ||
	    (c->state == CONGESTION_DRAIN && !rising) ||
	    now_us - c->last_decrease_us < DECREASE_EVERY_US + c->rtt_us)
		return;
	capacity = congestion_get_acked(c, CAPACITY_US);
	/* Do not believe a moment's dip: from one second to the next a link
	 * hardly falls below a fifth, and if it does we come here again. */
	if (capacity < c->target / 5)
		capacity = c->target / 5;
	if (c->queue_us > QUEUE_HUGE_US)
		factor = 0.5;
	else if (c->queue_us > QUEUE_BIG_US)
		factor = 0.65;
	c->link_bps = capacity;
	/* More arrives than the target: an old backlog or retransmissions on
	 * top of it keep the queue standing, so make room for them. */
	if (capacity > c->target)
		capacity = c->target;
	congested(c, capacity * factor, now_us);
	enter(c, CONGESTION_DRAIN, now_us);
}

static void judge_loss(struct congestion *c, uint64_t now_us)
{
	double acked;

	if (now_us - c->loss_us < LOSS_EVERY_US ||
	    c->n_seen < LOSS_MIN_PACKETS)
		return;
	c->loss = (float) c->n_lost / (float) c->n_seen;
	c->n_lost = c->n_seen = 0;
	c->loss_us = now_us;
	/* While a queue drains, its overflow is the same congestion. */
	if (c->loss <= LOSS_HIGH || c->state == CONGESTION_DRAIN)
		return;
	acked = congestion_get_acked(c, ACKED_US);
	if (c->loss > LOSS_HUGE && c->feedback &&
	    acked * 0.95 < c->target * (1 - c->loss / 2))
		congested(c, acked * 0.95, now_us);
	else
		congested(c, c->target * (1 - c->loss / 2), now_us);
	if (c->state == CONGESTION_START)
		enter(c, CONGESTION_INCREASE, now_us);
}

static void advance(struct congestion *c, uint64_t now_us)
{
	switch (c->state) {
	case CONGESTION_DRAIN:
		if (c->queue_us > QUEUE_HIGH_US &&
		    now_us - c->state_us >= (uint64_t) LINK_US)
			c->link_bps = congestion_get_acked(c, LINK_US);
		if (c->queue_us > QUEUE_LOW_US)
			break;
		/* The capacity was measured: nearly all of it is ours. */
		if (c->target < c->link_bps * 0.9)
			c->target = clamp(c, c->link_bps * 0.9);
		c->clean_us = now_us;
		enter(c, CONGESTION_HOLD, now_us);
		break;
	case CONGESTION_HOLD:
		if (now_us - c->state_us >= HOLD_US)
			enter(c, CONGESTION_INCREASE, now_us);
		break;
	case CONGESTION_START:
	case CONGESTION_INCREASE:
		if (c->queue_us < QUEUE_HIGH_US)
			increase(c, now_us);
		break;
	}
	c->last_us = now_us;
}

void congestion_on_feedback(struct congestion *c, uint64_t now_us)
{
	c->feedback = true;
	c->last_feedback_us = now_us;
	c->sent_since_feedback = 0;
	if (c->outage) {
		/* It is back. What was lost meanwhile tells nothing of the
		 * rate, and the delays begin anew. */
		c->outage = false;
		c->n_lost = c->n_seen = 0;
		c->loss_us = now_us;
		c->window_open = false;
		c->queue_us = c->queue_before_us = 0;
		c->target = clamp(c, c->before_outage * 0.75);
		c->clean_us = now_us;
		if (c->state == CONGESTION_START ||
		    c->state == CONGESTION_DRAIN)
			enter(c, CONGESTION_INCREASE, now_us);
	}
	judge_queue(c, now_us);
	judge_loss(c, now_us);
	advance(c, now_us);
}

void congestion_on_report(struct congestion *c, float loss, uint64_t now_us)
{
	if (c->feedback)
		return;
	c->loss = loss;
	if (loss > LOSS_HIGH) {
		if (now_us - c->last_decrease_us >= LOSS_EVERY_US) {
			congested(c, c->target * (1 - loss / 2), now_us);
			enter(c, CONGESTION_INCREASE, now_us);
		}
	} else {
		/* Reports come once a second or so: one step each. */
		double step = (double) (now_us - c->last_us) / 1e6;

		if (step > 1.5)
			step = 1.5;
		if (loss <= LOSS_LOW)
			c->target = clamp(c, c->target * (1 + 0.08 * step));
	}
	c->last_us = now_us;
}

void congestion_on_remb(struct congestion *c, uint64_t bps, uint64_t now_us)
{
	c->remb_bps = (double) bps;
	if (!c->feedback)
		c->target = clamp(c, c->target);
}

void congestion_on_tick(struct congestion *c, uint64_t now_us)
{
	uint64_t silence = SILENCE_US + 2 * (uint64_t) c->rtt_us;

	if (!c->feedback || !c->sent_since_feedback ||
	    now_us - c->last_feedback_us < silence)
		return;
	if (!c->outage) {
		c->outage = true;
		c->before_outage = c->target;
	} else if (now_us - c->last_halved_us < SILENCE_US) {
		return;
	}
	c->last_halved_us = now_us;
	c->target = clamp(c, c->target / 2);
}

unsigned int congestion_get_target(const struct congestion *c)
{
	return (unsigned int) c->target;
}

bool congestion_is_limited(const struct congestion *c)
{
	return c->state != CONGESTION_START && c->target < 0.9 * c->max_bps;
}

bool congestion_was_seen(const struct congestion *c)
{
	return c->last_decrease_us &&
	       c->last_us - c->last_decrease_us < SEEN_US;
}

bool congestion_is_draining(const struct congestion *c)
{
	return c->state == CONGESTION_DRAIN;
}

uint32_t congestion_get_queue_us(const struct congestion *c)
{
	return c->queue_us > 0 ? (uint32_t) c->queue_us : 0;
}
