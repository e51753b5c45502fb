// SPDX-License-Identifier: Apache-2.0
#include "webrtc/twcc.h"

#include <errno.h>
#include <string.h>

#include "webrtc/be.h"

#define FCI_HEADER	 8
#define TICK_US		 250
#define REFERENCE_TICKS	 256	/* 64 ms */
#define REFERENCE_WRAP	 (INT64_C(1) << 24)
#define RUN_MAX		 0x1fff
#define SYMBOLS_1BIT	 14
#define SYMBOLS_2BIT	 7

enum chunk_kind {
	CHUNK_RUN,
	CHUNK_1BIT,
	CHUNK_2BIT,
};

enum symbol {
	SYMBOL_LOST,
	SYMBOL_SMALL,		/* received, delta of one byte */
	SYMBOL_LARGE,		/* received, delta of two bytes, signed */
	SYMBOL_RESERVED,
};

/* --- decoding ------------------------------------------------------------- */

static unsigned int chunk_symbols(uint16_t chunk)
{
	if (!(chunk & 0x8000))
		return chunk & RUN_MAX;
	return chunk & 0x4000 ? SYMBOLS_2BIT : SYMBOLS_1BIT;
}

int twcc_iter_init(struct twcc_iter *it, const uint8_t *fci, size_t len)
{
	const uint8_t *p, *end = fci + len;
	unsigned int statuses, covered = 0;

	if (len < FCI_HEADER)
		return -EBADMSG;
	statuses = be16_get(fci + 2);
	if (!statuses || statuses > TWCC_STATUSES_MAX)
		return -EBADMSG;
	/* The deltas begin where the chunks have covered all statuses. A run
	 * of length 0 covers nothing: it cannot occur in honest feedback. */
	for (p = fci + FCI_HEADER; covered < statuses; p += 2) {
		unsigned int n;

		if (end - p < 2)
			return -EBADMSG;
		n = chunk_symbols(be16_get(p));
		if (!n)
			return -EBADMSG;
		covered += n;
	}
	*it = (struct twcc_iter){
		.chunk = fci + FCI_HEADER,
		.delta = p,
		.end = end,
		.seq = be16_get(fci),
		.left = (uint16_t) statuses,
		/* 24 bits, signed in the draft; unwrapped by the caller */
		.time = (int64_t) be24_get(fci + 4) * REFERENCE_TICKS,
	};
	return 0;
}

static enum symbol next_symbol(struct twcc_iter *it)
{
	enum symbol symbol = SYMBOL_LOST;

	if (!it->in_chunk) {
		it->bits = be16_get(it->chunk);
		it->chunk += 2;
		it->in_chunk = (uint16_t) chunk_symbols(it->bits);
		it->kind = !(it->bits & 0x8000) ? CHUNK_RUN :
			   it->bits & 0x4000	? CHUNK_2BIT
						: CHUNK_1BIT;
	}
	it->in_chunk--;
	switch ((enum chunk_kind) it->kind) {
	case CHUNK_RUN:
		symbol = (enum symbol) (it->bits >> 13 & 3);
		break;
	case CHUNK_1BIT:
		symbol = (enum symbol) (it->bits >> it->in_chunk & 1);
		break;
	case CHUNK_2BIT:
		symbol = (enum symbol) (it->bits >> 2 * it->in_chunk & 3);
		break;
	}
	return symbol;
}

int twcc_iter_next(struct twcc_iter *it, struct twcc_status *ret)
{
	enum symbol symbol;

	if (!it->left)
		return 0;
	symbol = next_symbol(it);
	switch (symbol) {
	case SYMBOL_LOST:
		break;
	case SYMBOL_SMALL:
		if (it->end - it->delta < 1)
			goto bad;
		it->time += *it->delta++;
		break;
	case SYMBOL_LARGE:
		if (it->end - it->delta < 2)
			goto bad;
		it->time += (int16_t) be16_get(it->delta);
		it->delta += 2;
		break;
	case SYMBOL_RESERVED:
		goto bad;
	}
	it->left--;
	ret->seq = it->seq++;
	ret->received = symbol != SYMBOL_LOST;
	ret->arrival_us = it->time * TICK_US;
	return 1;
bad:
	it->left = 0;
	return -EBADMSG;
}

/* --- what we sent --------------------------------------------------------- */

/* A slot's state: the packet number's high bits tell old from new, the low
 * ones its fate. */
#define SLOT(seq)	 ((seq) % TWCC_HISTORY)
#define GENERATION(seq)	 ((uint16_t) ((seq) / TWCC_HISTORY << 4))
#define STATE_IN_FLIGHT	 1
#define STATE_LOST	 2
#define STATE_RECEIVED	 3
#define STATE_MASK	 0xf

void twcc_history_init(struct twcc_history *h, uint16_t first)
{
	memset(h, 0, sizeof(*h));
	h->next = first;
}

uint16_t twcc_history_add(struct twcc_history *h, uint64_t now_us,
			  size_t bytes)
{
	uint16_t seq = h->next++;

	h->sent[SLOT(seq)].send_us = (uint32_t) now_us;
	h->sent[SLOT(seq)].bytes = (uint16_t) bytes;
	h->sent[SLOT(seq)].state = GENERATION(seq) | STATE_IN_FLIGHT;
	return seq;
}

/* The 24 bits of 64 ms wrap after 12 days: carry on from the last one. */
static void unwrap_reference(struct twcc_history *h, int64_t reference)
{
	int64_t d;

	if (!h->primed) {
		h->primed = true;
		h->last_reference = reference;
		return;
	}
	d = (reference - h->last_reference) & (REFERENCE_WRAP - 1);
	if (d >= REFERENCE_WRAP / 2) {
		if (reference > h->last_reference)
			h->arrival_base -= REFERENCE_WRAP;
	} else if (reference < h->last_reference) {
		h->arrival_base += REFERENCE_WRAP;
	}
	h->last_reference = reference;
}

int twcc_history_feedback(struct twcc_history *h, const uint8_t *fci,
			  size_t len, uint64_t now_us, twcc_result_fn fn,
			  void *user)
{
	struct twcc_status status;
	struct twcc_iter it;
	int64_t base_us;
	int r;

	r = twcc_iter_init(&it, fci, len);
	if (r < 0)
		return r;
	unwrap_reference(h, it.time / REFERENCE_TICKS);
	base_us = h->arrival_base * REFERENCE_TICKS * TICK_US;

	while ((r = twcc_iter_next(&it, &status)) > 0) {
		unsigned int slot = SLOT(status.seq);
		uint16_t state = h->sent[slot].state;
		uint16_t fate = state & STATE_MASK;
		struct twcc_result result;

		/* Never sent, long overwritten, or known already. */
		if ((state & ~STATE_MASK) != GENERATION(status.seq) ||
		    !fate || fate == STATE_RECEIVED ||
		    (fate == STATE_LOST && !status.received))
			continue;
		h->sent[slot].state = GENERATION(status.seq) |
			(status.received ? STATE_RECEIVED : STATE_LOST);
		result = (struct twcc_result){
			.send_us = now_us - (uint32_t) ((uint32_t) now_us -
							h->sent[slot].send_us),
			.arrival_us = base_us + status.arrival_us,
			.bytes = h->sent[slot].bytes,
			.received = status.received,
			.was_lost = fate == STATE_LOST,
		};
		fn(user, &result);
	}
	return r;
}

/* --- what we receive ------------------------------------------------------ */

void twcc_recorder_init(struct twcc_recorder *r)
{
	memset(r, 0, sizeof(*r));
}

/* Forgets what lies between @from and @to, at most the whole ring. */
static void forget(struct twcc_recorder *r, uint64_t from, uint64_t to)
{
	if (to - from >= TWCC_RECORD) {
		memset(r->ticks, 0, sizeof(r->ticks));
		return;
	}
	for (; from < to; from++)
		r->ticks[from % TWCC_RECORD] = 0;
}

void twcc_recorder_add(struct twcc_recorder *r, uint16_t seq, uint64_t now_us)
{
	uint64_t ticks = now_us / TICK_US + 1; /* 0 says: not received */
	uint64_t number;

	if (!r->primed) {
		/* Far from 0, so that late ones do not go below it. */
		number = (UINT64_C(1) << 16) + seq;
		r->primed = true;
		r->base = number;
		r->end = number + 1;
		r->ticks[number % TWCC_RECORD] = ticks;
		return;
	}
	number = r->end - 1;
	number += (uint64_t) (int64_t) (int16_t) (seq - (uint16_t) number);
	if (number >= r->end) {
		forget(r, r->end, number);
		r->end = number + 1;
		if (r->end - r->base > TWCC_RECORD)
			r->base = r->end - TWCC_RECORD;
	} else if (r->end - number > TWCC_RECORD ||
		   r->ticks[number % TWCC_RECORD]) {
		return;			/* too old, or a duplicate */
	} else if (number < r->base) {
		/* Reported lost, but only late: tell again from here. */
		r->base = number;
	}
	r->ticks[number % TWCC_RECORD] = ticks;
}

/* Turns symbols into status chunks. Return: bytes. */
static size_t write_chunks(const uint8_t *symbols, unsigned int n, uint8_t *out)
{
	uint8_t *p = out;
	unsigned int i = 0;

	while (i < n) {
		unsigned int run = 1, count, width;
		bool two_bit = false;
		uint16_t chunk;

		while (i + run < n && symbols[i + run] == symbols[i])
			run++;
		if (run >= SYMBOLS_1BIT || run == n - i) {
			be16_put(p, (uint16_t) (symbols[i] << 13 | run));
			p += 2;
			i += run;
			continue;
		}
		count = n - i < SYMBOLS_1BIT ? n - i : SYMBOLS_1BIT;
		for (unsigned int j = 0; j < count; j++)
			two_bit |= symbols[i + j] > SYMBOL_SMALL;
		if (two_bit && count > SYMBOLS_2BIT)
			count = SYMBOLS_2BIT;
		width = two_bit ? 2 : 1;
		chunk = two_bit ? 0xc000 : 0x8000;
		for (unsigned int j = 0; j < count; j++)
			chunk |= (uint16_t) (symbols[i + j]
					     << (14 - width * (j + 1)));
		be16_put(p, chunk);
		p += 2;
		i += count;
	}
	return (size_t) (p - out);
}

size_t twcc_recorder_build(struct twcc_recorder *r,
			   uint8_t fci[TWCC_FCI_MAX])
{
	uint8_t symbols[TWCC_FEEDBACK_MAX];
	uint8_t deltas[2 * TWCC_FEEDBACK_MAX];
	uint64_t first = r->base, reference = 0, last = 0, seq;
	unsigned int n = 0;
	size_t n_deltas = 0, len;

	/* The first that has arrived gives the reference time; the losses in
	 * front of it are told too. */
	for (seq = first; seq < r->end; seq++) {
		if (r->ticks[seq % TWCC_RECORD]) {
			reference = r->ticks[seq % TWCC_RECORD] - 1;
			reference /= REFERENCE_TICKS;
			break;
		}
	}
	if (seq == r->end) {
		r->base = r->end;
		return 0;
	}
	/* After an outage more may be missing than one feedback can tell: what
	 * came before is past caring for. */
	if (seq - first >= TWCC_FEEDBACK_MAX)
		first = seq - TWCC_FEEDBACK_MAX / 2;
	last = reference * REFERENCE_TICKS;

	for (seq = first; seq < r->end && n < TWCC_FEEDBACK_MAX; seq++) {
		uint64_t ticks = r->ticks[seq % TWCC_RECORD];
		int64_t delta;

		if (!ticks) {
			symbols[n++] = SYMBOL_LOST;
			continue;
		}
		delta = (int64_t) (ticks - 1 - last);
		if (delta < INT16_MIN || delta > INT16_MAX)
			break;		/* needs a reference of its own */
		if (delta >= 0 && delta <= UINT8_MAX) {
			symbols[n++] = SYMBOL_SMALL;
			deltas[n_deltas++] = (uint8_t) delta;
		} else {
			symbols[n++] = SYMBOL_LARGE;
			be16_put(deltas + n_deltas, (uint16_t) delta);
			n_deltas += 2;
		}
		last = ticks - 1;
	}

	r->base = seq;
	be16_put(fci, (uint16_t) first);
	be16_put(fci + 2, (uint16_t) n);
	be24_put(fci + 4, (uint32_t) (reference & 0xffffff));
	fci[7] = r->count++;
	len = FCI_HEADER + write_chunks(symbols, n, fci + FCI_HEADER);
	memcpy(fci + len, deltas, n_deltas);
	len += n_deltas;
	while (len % 4)
		fci[len++] = 0;
	return len;
}
