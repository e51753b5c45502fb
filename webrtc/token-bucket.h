/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/token-bucket.h - how much may be sent at a limited bit rate
 *
 * Fills at its rate up to 100 ms' worth (16 KiB at least) and goes into debt
 * for a message larger than what is there: messages are never cut, and the
 * average holds.
 *
 * Source:  none (our own)
 * Thread:  any; pure, the clock comes in with each call
 * Memory:  embedded in its owner, nothing to release; zeroed: no limit
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_BUCKET_BURST_US	 UINT64_C(100000)
#define TOKEN_BUCKET_BURST_BYTES 16384

struct token_bucket {
	uint64_t bps; /* 0: no limit */
	int64_t bits;
	uint64_t filled_us;
};

/* @bps: 0: no limit. A new limit begins with a full bucket, a changed one goes
 * on with what is there. */
void token_bucket_set_rate(struct token_bucket *b, uint64_t bps,
			   uint64_t now_us);
/* Return: when the next message may leave, @now_us or later; monotonic. */
uint64_t token_bucket_get_due_us(struct token_bucket *b, uint64_t now_us);
/* So much has left. */
void token_bucket_take(struct token_bucket *b, size_t bytes);
