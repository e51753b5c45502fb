// SPDX-License-Identifier: Apache-2.0
#include "webrtc/twcc.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "webrtc/be.h"

static void test_every_kind_of_chunk(void)
{
	/* base 0xfffe, 12 statuses, reference 2 (128 ms), packet 0:
	 * run of 2 small | 7 x 2 bit: small, large, lost, 0... | run of 3 lost
	 */
	static const uint8_t fci[] = {
		0xff, 0xfe, 0, 12, 0, 0, 2, 0,
		0x20, 0x02, 0xd8, 0x00, 0x00, 0x03,
		4, 8, 1, 0xff, 0xfc,	/* 1 ms, 2 ms, 250 us, -1 ms */
		0,
	};
	static const struct {
		bool received;
		int64_t us;
	} want[12] = {
		{ true, 129000 }, { true, 131000 }, { true, 131250 },
		{ true, 130250 },
	};
	struct twcc_status s;
	struct twcc_iter it;

	g_assert_cmpint(twcc_iter_init(&it, fci, sizeof(fci)), ==, 0);
	for (unsigned int i = 0; i < 12; i++) {
		g_assert_cmpint(twcc_iter_next(&it, &s), ==, 1);
		g_assert_cmphex(s.seq, ==, (uint16_t) (0xfffe + i));
		g_assert_true(s.received == want[i].received);
		if (s.received)
			g_assert_cmpint(s.arrival_us, ==, want[i].us);
	}
	g_assert_cmpint(twcc_iter_next(&it, &s), ==, 0);
}

static void test_vector_of_one_bit(void)
{
	static const uint8_t fci[] = { 0, 1, 0, 14, 0, 0, 1, 0,
				       0xa0, 0x01, 0, 40, 0, 0 };
	struct twcc_status s;
	struct twcc_iter it;
	unsigned int received = 0;

	g_assert_cmpint(twcc_iter_init(&it, fci, sizeof(fci)), ==, 0);
	while (twcc_iter_next(&it, &s) > 0) {
		if (!s.received)
			continue;
		received++;
		g_assert_true(s.seq == 1 || s.seq == 14);
		g_assert_cmpint(s.arrival_us, ==, s.seq == 1 ? 64000 : 74000);
	}
	g_assert_cmpuint(received, ==, 2);
}

static void test_malformed_feedback(void)
{
	static const struct {
		uint8_t fci[16];
		size_t len;
		int init;
	} rows[] = {
		{ { 0 }, 7, -EBADMSG },
		{ { 0, 0, 0, 0, 0, 0, 0, 0 }, 8, -EBADMSG },
		{ { 0, 0, 0, 1, 0, 0, 0, 0 }, 8, -EBADMSG },	/* no chunk */
		{ { 0, 0, 0, 9, 0, 0, 0, 0, 0x00, 0x00 }, 10, -EBADMSG },
		{ { 0, 0, 0, 15, 0, 0, 0, 0, 0x80, 0 }, 10, -EBADMSG },
		{ { 0, 0, 0x7f, 0xff, 0, 0, 0, 0, 0x1f, 0xff }, 10, -EBADMSG },
		{ { 0, 0, 0, 1, 0, 0, 0, 0, 0x20, 1 }, 10, 0 },	/* no delta */
		{ { 0, 0, 0, 1, 0, 0, 0, 0, 0x40, 1, 5 }, 11, 0 },
		{ { 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 1, 5, 5 }, 12, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct twcc_status s;
		struct twcc_iter it;

		g_assert_cmpint(twcc_iter_init(&it, rows[i].fci, rows[i].len),
				==, rows[i].init);
		if (rows[i].init == 0) {
			g_assert_cmpint(twcc_iter_next(&it, &s), ==, -EBADMSG);
			g_assert_cmpint(twcc_iter_next(&it, &s), ==, 0);
		}
	}
}

struct check {
	uint64_t seq;			/* of the next result, unwrapped */
	uint64_t start_us;
	int64_t offset_us;		/* arrival - send, once known */
	unsigned int received, lost, late;
};

static void on_result(void *user, const struct twcc_result *r)
{
	struct check *c = user;

	if (r->was_lost)
		c->late++;
	if (r->received)
		c->received++;
	else
		c->lost++;
	if (r->received) {
		int64_t offset = r->arrival_us - (int64_t) r->send_us;

		/* A constant path: whatever wraps in between, the one-way
		 * delay stays, to the tick. */
		if (!c->offset_us)
			c->offset_us = offset;
		g_assert_cmpint(ABS(offset - c->offset_us), <=, 250);
	}
	g_assert_cmpuint(r->bytes, ==, 1000);
}

/* Both ends against each other, while the packet numbers wrap many times and
 * the 24-bit reference time (12.4 days) and the 32-bit send time once. */
static void test_round_trip_across_the_wraps(void)
{
	struct twcc_history *h = g_new0(struct twcc_history, 1);
	struct twcc_recorder *r = g_new0(struct twcc_recorder, 1);
	/* near the wraps of the 32-bit send time and the reference time */
	uint64_t now = (UINT64_C(1) << 24) * 64000 - 300000000;
	struct check c = { 0 };
	uint8_t fci[TWCC_FCI_MAX];
	unsigned int sent = 0, dropped = 0;
	size_t n;

	twcc_history_init(h, 65000);
	twcc_recorder_init(r);
	for (unsigned int i = 0; i < 300000; i++) {
		uint16_t seq = twcc_history_add(h, now, 1000);

		sent++;
		if (i % 7 == 3)
			dropped++;
		else
			twcc_recorder_add(r, seq, now + 20000);
		if (i % 50 == 49) {
			while ((n = twcc_recorder_build(r, fci))) {
				g_assert_cmpuint(n, <=, TWCC_FCI_MAX);
				g_assert_cmpint(
					twcc_history_feedback(h, fci, n,
							      now + 40000,
							      on_result, &c),
					==, 0);
			}
		}
		now += 2000;
	}
	g_assert_cmpuint(c.late, ==, 0);
	g_assert_cmpuint(c.received, ==, sent - dropped);
	/* The last one sent may be a loss nobody can know of yet. */
	g_assert_cmpuint(dropped - c.lost, <=, 1);
	g_free(h);
	g_free(r);
}

static void test_late_packet_is_told_again(void)
{
	struct twcc_history *h = g_new0(struct twcc_history, 1);
	struct twcc_recorder r;
	struct check c = { 0 };
	uint8_t fci[TWCC_FCI_MAX];
	size_t n;

	twcc_history_init(h, 0);
	twcc_recorder_init(&r);
	for (unsigned int i = 0; i < 4; i++)
		twcc_history_add(h, 1000000, 1000);
	twcc_recorder_add(&r, 0, 5000);
	twcc_recorder_add(&r, 3, 5000);
	n = twcc_recorder_build(&r, fci);
	g_assert_cmpint(twcc_history_feedback(h, fci, n, 1000000, on_result,
					      &c), ==, 0);
	g_assert_cmpuint(c.received, ==, 2);
	g_assert_cmpuint(c.lost, ==, 2);
	twcc_recorder_add(&r, 1, 5000);
	twcc_recorder_add(&r, 1, 5000);		/* and once more: a copy */
	n = twcc_recorder_build(&r, fci);
	g_assert_cmpuint(n, >, 0);
	g_assert_cmpint(twcc_history_feedback(h, fci, n, 1000000, on_result,
					      &c), ==, 0);
	g_assert_cmpuint(c.received, ==, 3);
	g_assert_cmpuint(c.late, ==, 1);
	g_assert_cmpuint(c.lost, ==, 2);
	g_assert_cmpuint(twcc_recorder_build(&r, fci), ==, 0);
	g_free(h);
}

static void test_feedback_about_nothing_of_ours(void)
{
	struct twcc_history *h = g_new0(struct twcc_history, 1);
	struct twcc_recorder r;
	struct check c = { 0 };
	uint8_t fci[TWCC_FCI_MAX];
	size_t n;

	twcc_history_init(h, 100);
	twcc_history_add(h, 0, 1000);
	twcc_recorder_init(&r);
	twcc_recorder_add(&r, 5000, 777);
	n = twcc_recorder_build(&r, fci);
	g_assert_cmpint(twcc_history_feedback(h, fci, n, 0, on_result, &c), ==,
			0);
	g_assert_cmpuint(c.received + c.lost, ==, 0);
	g_free(h);
}

static void test_gaps_longer_than_the_ring(void)
{
	struct twcc_recorder r;
	uint8_t fci[TWCC_FCI_MAX];
	struct twcc_status s = { 0 };
	struct twcc_iter it;
	uint16_t last = 0;
	size_t n;

	twcc_recorder_init(&r);
	twcc_recorder_add(&r, 0, 1000);
	twcc_recorder_add(&r, 30000, 2000);
	twcc_recorder_add(&r, 30001, 20000000);	/* delta beyond 16 bits */
	while ((n = twcc_recorder_build(&r, fci))) {
		int k;

		g_assert_cmpint(twcc_iter_init(&it, fci, n), ==, 0);
		while ((k = twcc_iter_next(&it, &s)) > 0)
			if (s.received)
				last = s.seq;
		g_assert_cmpint(k, ==, 0);
	}
	g_assert_cmpuint(last, ==, 30001);
	g_assert_false(twcc_recorder_pending(&r));
}

/* Every pattern of loss and delay survives the encoding. */
static void test_random_patterns(void)
{
	for (unsigned int round = 0; round < 500; round++) {
		uint16_t base = (uint16_t) g_test_rand_int();
		unsigned int n = (unsigned int) g_test_rand_int_range(1, 380);
		int mode = g_test_rand_int_range(0, 4);
		uint64_t at[400] = { 0 }, now = 1000000;
		struct twcc_recorder r;
		struct twcc_status s;
		struct twcc_iter it;
		uint8_t fci[TWCC_FCI_MAX];
		unsigned int i = 0;
		size_t len;

		twcc_recorder_init(&r);
		for (unsigned int j = 0; j < n; j++) {
			bool lost = j && j + 1 < n &&
				    g_test_rand_int_range(0, 4) < mode;

			now += (uint64_t) g_test_rand_int_range(0, 400) *
			       (mode & 1 ? 1000 : 250);
			if (lost)
				continue;
			at[j] = now / 250 * 250;
			twcc_recorder_add(&r, (uint16_t) (base + j), now);
		}
		while ((len = twcc_recorder_build(&r, fci))) {
			g_assert_cmpint(twcc_iter_init(&it, fci, len), ==, 0);
			while (twcc_iter_next(&it, &s) > 0) {
				g_assert_cmphex(s.seq, ==,
						(uint16_t) (base + i));
				g_assert_true(s.received == (at[i] != 0));
				if (s.received)
					g_assert_cmpint(s.arrival_us, ==,
							at[i]);
				i++;
			}
		}
		g_assert_cmpuint(i, ==, n);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/twcc/every-kind-of-chunk", test_every_kind_of_chunk);
	g_test_add_func("/twcc/vector-of-one-bit", test_vector_of_one_bit);
	g_test_add_func("/twcc/malformed-feedback", test_malformed_feedback);
	g_test_add_func("/twcc/round-trip-across-the-wraps",
			test_round_trip_across_the_wraps);
	g_test_add_func("/twcc/late-packet-is-told-again",
			test_late_packet_is_told_again);
	g_test_add_func("/twcc/feedback-about-nothing-of-ours",
			test_feedback_about_nothing_of_ours);
	g_test_add_func("/twcc/gaps-longer-than-the-ring",
			test_gaps_longer_than_the_ring);
	g_test_add_func("/twcc/random-patterns", test_random_patterns);
	return g_test_run();
}
