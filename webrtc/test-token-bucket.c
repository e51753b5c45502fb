// SPDX-License-Identifier: Apache-2.0
#include "webrtc/token-bucket.h"

#include <glib.h>

/* What leaves in @seconds when somebody always has a message of @bytes. */
static uint64_t run(struct token_bucket *b, uint64_t *now, unsigned int seconds,
		    size_t bytes)
{
	uint64_t end = *now + seconds * UINT64_C(1000000), sent = 0;

	while (*now < end) {
		uint64_t due = token_bucket_get_due_us(b, *now);

		g_assert_cmpuint(due, >=, *now);
		if (due == *now) {
			token_bucket_take(b, bytes);
			sent += bytes;
		} else {
			*now = due;
		}
	}
	return sent;
}

static void test_zeroed_is_no_limit(void)
{
	struct token_bucket b = {0};

	token_bucket_take(&b, 1u << 30);
	g_assert_cmpuint(token_bucket_get_due_us(&b, 5), ==, 5);
}

static void test_average_holds(void)
{
	static const uint64_t rates[] = {8000, 100000, 1000000, 300000000};
	static const size_t sizes[] = {100, 16384, 65536};

	for (unsigned int i = 0; i < G_N_ELEMENTS(rates); i++) {
		for (unsigned int j = 0; j < G_N_ELEMENTS(sizes); j++) {
			struct token_bucket b = {0};
			uint64_t now = 1000000, sent;
			uint64_t right = rates[i] * 100 / 8;
			uint64_t slack = sizes[j] + TOKEN_BUCKET_BURST_BYTES +
					 rates[i] / 80;

			token_bucket_set_rate(&b, rates[i], now);
			sent = run(&b, &now, 100, sizes[j]);
			g_assert_cmpuint(sent, <=, right + slack);
			g_assert_cmpuint(sent + slack, >=, right);
		}
	}
}

static void test_idle_time_is_not_saved_up(void)
{
	struct token_bucket b = {0};
	uint64_t now = 1, sent;

	token_bucket_set_rate(&b, 80000, now);
	now += UINT64_C(3600) * 1000000;
	sent = run(&b, &now, 1, 1000);
	g_assert_cmpuint(sent, <=, 10000 + TOKEN_BUCKET_BURST_BYTES + 1000);
}

static void test_rate_changes(void)
{
	struct token_bucket b = {0};
	uint64_t now = 1;

	token_bucket_set_rate(&b, 80000, now);
	token_bucket_take(&b, TOKEN_BUCKET_BURST_BYTES + 10000);
	g_assert_cmpuint(token_bucket_get_due_us(&b, now), >=, now + 1000000);
	/* Ten times as fast the debt is paid in a tenth of the time. */
	token_bucket_set_rate(&b, 800000, now);
	g_assert_cmpuint(token_bucket_get_due_us(&b, now), <=, now + 101000);
	token_bucket_set_rate(&b, 0, now);
	g_assert_cmpuint(token_bucket_get_due_us(&b, now), ==, now);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/token-bucket/none", test_zeroed_is_no_limit);
	g_test_add_func("/token-bucket/average", test_average_holds);
	g_test_add_func("/token-bucket/idle", test_idle_time_is_not_saved_up);
	g_test_add_func("/token-bucket/changes", test_rate_changes);
	return g_test_run();
}
