// SPDX-License-Identifier: Apache-2.0
#include "webrtc/utf8.h"

#include <string.h>

#include <glib.h>

static bool valid(const char *s)
{
	return utf8_is_valid((const uint8_t *) s, strlen(s));
}

static void test_examples(void)
{
	g_assert_true(valid(""));
	g_assert_true(valid("plain text that is longer than one word"));
	g_assert_true(valid("gr\xc3\xbc\xc3\x9f dich, \xe2\x82\xac 5, "
			    "\xf0\x9f\x98\x80 and on"));
	g_assert_true(valid("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
	g_assert_true(utf8_is_valid((const uint8_t *) "a\0b", 3));

	g_assert_false(valid("\xc0\x80"));		/* overlong NUL */
	g_assert_false(valid("\xc1\xbf"));
	g_assert_false(valid("\xe0\x9f\xbf"));
	g_assert_false(valid("\xf0\x8f\xbf\xbf"));
	g_assert_false(valid("\xed\xa0\x80"));		/* surrogate */
	g_assert_false(valid("\xf4\x90\x80\x80"));	/* beyond the last */
	g_assert_false(valid("\xf5\x80\x80\x80"));
	g_assert_false(valid("12345678\x80"));
	g_assert_false(valid("\xe2\x82"));		/* cut */
	g_assert_false(valid("\xe2\x28\xa1"));
	g_assert_false(valid("\xff"));
}

/* Against GLib, which is right about everything but NUL. */
static void test_as_glib_says(void)
{
	GRand *rand = g_rand_new_with_seed(1);
	unsigned int n_valid = 0;
	uint8_t text[24];

	for (unsigned int i = 0; i < 200000; i++) {
		static const uint8_t heads[] = {0xc2, 0xdf, 0xe0, 0xe1, 0xed,
						0xef, 0xf0, 0xf3, 0xf4};
		size_t len = g_rand_int(rand) % sizeof(text), at;
		bool ok;

		memset(text, 'a', sizeof(text));
		at = len ? g_rand_int(rand) % len : 0;
		text[at] = heads[g_rand_int(rand) % sizeof(heads)];
		for (size_t k = at + 1; k < sizeof(text) && k < at + 4; k++)
			text[k] = (uint8_t) (g_rand_int(rand) & 0x3f) | 0x80;
		if (g_rand_boolean(rand) && at + 2 < len)
			text[at + 2] = 'x';
		if (g_rand_boolean(rand) && at + 3 < len)
			text[at + 3] = 'y';
		ok = g_utf8_validate((const char *) text, (gssize) len, NULL);
		n_valid += ok;
		g_assert_cmpint(utf8_is_valid(text, len), ==, ok);
	}
	g_assert_cmpuint(n_valid, >, 1000);
	g_assert_cmpuint(n_valid, <, 199000);
	g_rand_free(rand);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/utf8/examples", test_examples);
	g_test_add_func("/utf8/glib", test_as_glib_says);
	return g_test_run();
}
