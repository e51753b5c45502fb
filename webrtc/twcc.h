/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/twcc.h - transport-wide congestion control feedback, both ends of it
 *
 * Sending:   each packet's number, time and size go into a ring; feedback is
 *            matched against it and gives each packet's fate, once.
 * Receiving: arrivals go into a ring, from which feedback is built.
 *
 *   FCI: base sequence number | packet status count
 *        reference time (24, 64 ms) | feedback packet count (8)
 *        chunks: 0 S S run(13)  or  1 0 14 x 1 bit  or  1 1 7 x 2 bits
 *        deltas: one byte (250 us) or two (signed), padded to 4
 *
 * Source:  draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1
 * Thread:  any; decoding is pure, the rings belong to one thread
 * Memory:  embedded in its owner; never allocates
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TWCC_HISTORY	   1024	/* packets: 1 s at 10 Mb/s */
#define TWCC_STATUSES_MAX  16384 /* we read from one feedback packet */
#define TWCC_RECORD	   512	/* arrivals remembered: 100 ms (one
				 * feedback) at 49 Mb/s */
#define TWCC_FEEDBACK_MAX  400	/* packets one feedback of ours tells of */
#define TWCC_FCI_MAX	   1000	/* bytes: 8 + chunks + 2 * 400, padded */

/* --- decoding ------------------------------------------------------------- */
struct twcc_status {
	uint16_t seq;
	bool received;
	int64_t arrival_us;	/* the receiver's clock, modulo 2^24 * 64 ms */
};

struct twcc_iter {
	const uint8_t *chunk, *delta, *end;
	uint16_t seq;
	uint16_t left;		/* statuses */
	int64_t time;		/* 250 us */
	/* the current chunk, symbol by symbol */
	uint16_t bits;
	uint16_t in_chunk;	/* symbols left in it */
	uint8_t kind;
};

/* Return: 0, or -EBADMSG when header or chunks do not fit @fci. */
int twcc_iter_init(struct twcc_iter *it, const uint8_t *fci, size_t len);
/* Return: 1 with a status, 0 at the end, -EBADMSG (deltas cut short). */
int twcc_iter_next(struct twcc_iter *it, struct twcc_status *ret);

/* --- what we sent --------------------------------------------------------- */
struct twcc_history {
	uint16_t next;		/* number of the next packet */
	bool primed;		/* a feedback was seen */
	int64_t arrival_base;	/* unwraps the remote's reference time */
	int64_t last_reference;
	struct {
		uint32_t send_us;	/* modulo 2^32 */
		uint16_t bytes;
		uint16_t state;
	} sent[TWCC_HISTORY];
};

struct twcc_result {
	uint64_t send_us;	/* our clock */
	int64_t arrival_us;	/* theirs, continuous; only if received */
	uint16_t bytes;
	bool received;
	bool was_lost;		/* reported lost before: it was only late */
};

typedef void (*twcc_result_fn)(void *user, const struct twcc_result *result);

void twcc_history_init(struct twcc_history *h, uint16_t first);
/* Records a packet that leaves now. Return: its number, for the extension. */
uint16_t twcc_history_add(struct twcc_history *h, uint64_t now_us,
			  size_t bytes);
/**
 * twcc_history_feedback() - match one feedback against what was sent
 * @fn: called per packet whose fate is new, in sequence order: received, or
 *      lost (once; it may turn out received later)
 *
 * Return: 0, or -EBADMSG; results before the damage have been given.
 */
int twcc_history_feedback(struct twcc_history *h, const uint8_t *fci,
			  size_t len, uint64_t now_us, twcc_result_fn fn,
			  void *user);

/* --- what we receive ------------------------------------------------------ */
struct twcc_recorder {
	bool primed;
	uint8_t count;		/* feedback packets built */
	uint64_t base;		/* first number not reported yet, unwrapped */
	uint64_t end;		/* behind the highest received */
	uint64_t ticks[TWCC_RECORD]; /* arrival, 250 us; 0: not received */
};

void twcc_recorder_init(struct twcc_recorder *r);
void twcc_recorder_add(struct twcc_recorder *r, uint16_t seq, uint64_t now_us);
/* Builds one feedback of what is new. Return: bytes (a multiple of 4), or 0
 * when there is nothing to tell. Call again until 0: one packet may not hold
 * everything. */
size_t twcc_recorder_build(struct twcc_recorder *r,
			   uint8_t fci[TWCC_FCI_MAX]);
static inline bool twcc_recorder_pending(const struct twcc_recorder *r)
{
	return r->base != r->end;
}
