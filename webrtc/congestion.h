/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/congestion.h - the bit rate one path carries, from what the peer
 * reports
 *
 * With transport-wide feedback three signals are used:
 *
 *   standing queue  the least one-way delay of the last 50 ms, above the least
 *                   of the last 10 s. A burst of packets delays its own tail;
 *                   only a queue that never empties counts.
 *   acked rate      bytes per time at the receiver. While a queue stands it
 *                   is the capacity itself.
 *   loss
 *
 *      queue stands                        queue gone
 *   ----------------> DRAIN (0.85 .. 0.5 ----------------> HOLD 300 ms at 0.9
 *   ^                  x capacity)                          x capacity
 *   |                                                          |
 *   +---------- INCREASE: 5 %/s, faster the longer it is clean <
 *
 * Until the first sign of congestion the rate doubles every second. It is not
 * raised beyond what has been tried: at most 1.5 times the acked rate.
 * Without the extension REMB caps the rate and the loss in receiver reports
 * moves it. When feedback stops while we send, the rate is halved every
 * 500 ms, and three quarters of it come back with the first feedback.
 *
 * This is the first controller; whoever replaces it has this interface.
 *
 * Source:  draft-holmer-rmcat-transport-wide-cc-extensions-01 (the reports),
 *          RFC 8698 and RFC 8298 for the manner (own design)
 * Thread:  network
 * Memory:  embedded in its owner; never allocates
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "webrtc/twcc.h"

#define CONGESTION_BASES	10	/* seconds of least delays kept */
#define CONGESTION_RATE_BUCKETS 32
#define CONGESTION_BUCKET_US	INT64_C(20000)

enum congestion_state {
	CONGESTION_START,	/* never congested so far */
	CONGESTION_INCREASE,
	CONGESTION_DRAIN,
	CONGESTION_HOLD,
};

struct congestion {
	unsigned int min_bps, max_bps;
	double target;			/* bits/s */
	enum congestion_state state;
	uint64_t state_us;		/* since when */
	uint64_t clean_us;		/* since when no congestion was seen */
	uint64_t last_us;		/* the last increase was reckoned */
	uint64_t last_decrease_us;	/* 0: never */
	double link_bps;		/* capacity when last seen; or 0 */
	bool feedback;			/* TWCC has been received */
	uint64_t last_feedback_us;
	bool outage;
	uint64_t last_halved_us;
	double before_outage;
	uint64_t sent_since_feedback;	/* bytes */
	uint32_t rtt_us;

	/* least one-way delay (+ clock offset) per second; newest first */
	int64_t base[CONGESTION_BASES];
	unsigned int n_bases;
	uint64_t base_us;		/* when the newest began */
	int64_t window_min;		/* of the running 50 ms */
	int64_t window_us;		/* arrival that opened it */
	bool window_open;
	int64_t queue_us;		/* standing */
	int64_t queue_before_us;

	/* bytes received by arrival time */
	int64_t rate_newest;		/* bucket number */
	uint32_t rate_bytes[CONGESTION_RATE_BUCKETS];
	unsigned int n_rate;		/* buckets filled since the start */

	/* loss of the running interval */
	uint32_t n_lost, n_seen;
	uint64_t loss_us;
	float loss;			/* 0..1, of the last interval */
	double remb_bps;		/* 0: none */
};

void congestion_init(struct congestion *c, unsigned int start_bps,
		     unsigned int min_bps, unsigned int max_bps,
		     uint64_t now_us);
/* Another range, from now on; the target is brought into it. */
void congestion_set_range(struct congestion *c, unsigned int min_bps,
			  unsigned int max_bps);
void congestion_on_sent(struct congestion *c, uint32_t bytes, uint64_t now_us);
/* The fate of one packet; then, once per feedback, the conclusion. */
void congestion_on_result(struct congestion *c, const struct twcc_result *r);
void congestion_on_feedback(struct congestion *c, uint64_t now_us);
/* A receiver report: @loss 0..1 of one of our sources. Ignored while TWCC
 * feedback arrives. */
void congestion_on_report(struct congestion *c, float loss, uint64_t now_us);
void congestion_on_remb(struct congestion *c, uint64_t bps, uint64_t now_us);
void congestion_on_rtt(struct congestion *c, uint32_t rtt_us);
/* Notices missing feedback. Cheap; call it at least every 100 ms of sending. */
void congestion_on_tick(struct congestion *c, uint64_t now_us);

unsigned int congestion_get_target(const struct congestion *c);
/* The path has shown that it carries less than we may send. */
bool congestion_is_limited(const struct congestion *c);
/* It was congested within the last 30 s of feedback. */
bool congestion_was_seen(const struct congestion *c);
/* A queue stands in the path: send no faster than the target. */
bool congestion_is_draining(const struct congestion *c);
/* bits/s at the receiver over the last @span_us (<= 500 ms) of arrivals */
unsigned int congestion_get_acked(const struct congestion *c, int64_t span_us);
uint32_t congestion_get_queue_us(const struct congestion *c);
