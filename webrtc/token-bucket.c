// SPDX-License-Identifier: Apache-2.0
#include "webrtc/token-bucket.h"

#define US_PER_SEC UINT64_C(1000000)

static int64_t size_of(const struct token_bucket *b)
{
	uint64_t bits = b->bps * TOKEN_BUCKET_BURST_US / US_PER_SEC;

	return bits > TOKEN_BUCKET_BURST_BYTES * 8 ?
		(int64_t) bits : TOKEN_BUCKET_BURST_BYTES * 8;
}

static void fill(struct token_bucket *b, uint64_t now_us)
{
	uint64_t passed = now_us - b->filled_us;
	int64_t size = size_of(b);

	/* Nobody waits for a minute; and a product stays in 64 bits. */
	if (passed > 60 * US_PER_SEC)
		passed = 60 * US_PER_SEC;
	/* What is less than a bit is not lost: the clock stays behind. */
	if (passed * b->bps < US_PER_SEC)
		return;
	b->bits += (int64_t) (passed * b->bps / US_PER_SEC);
	b->filled_us = now_us;
	if (b->bits > size)
		b->bits = size;
}

void token_bucket_set_rate(struct token_bucket *b, uint64_t bps,
			   uint64_t now_us)
{
	if (b->bps == bps)
		return;
	if (b->bps) {
		fill(b, now_us);
		b->bps = bps;
		return;
	}
	b->bps = bps;
	b->filled_us = now_us;
	b->bits = size_of(b);
}

uint64_t token_bucket_get_due_us(struct token_bucket *b, uint64_t now_us)
{
	if (!b->bps)
		return now_us;
	fill(b, now_us);
	if (b->bits > 0)
		return now_us;
	/* One bit more than the debt, rounded up. */
	return now_us +
	       ((uint64_t) (1 - b->bits) * US_PER_SEC + b->bps - 1) / b->bps;
}

void token_bucket_take(struct token_bucket *b, size_t bytes)
{
	if (b->bps)
		b->bits -= (int64_t) bytes * 8;
}
