// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dtls-fingerprint.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

/* As Chromium wrote it in an offer. */
#define CHROMIUM                                                  \
	"19:89:4F:3B:47:EF:8B:09:DF:9E:87:A8:8E:1F:B9:A9:64:A2:" \
	"91:C7:BB:B9:C5:B3:F6:0A:5B:5B:5A:71:23:F0"

static void test_round_trip(void)
{
	g_autofree char *lower = g_ascii_strdown(CHROMIUM, -1);
	struct dtls_fingerprint a, b;
	char text[DTLS_FINGERPRINT_BYTES];

	g_assert_cmpint(dtls_fingerprint_parse("sha-256", CHROMIUM, &a), ==,
			0);
	g_assert_cmpuint(a.len, ==, 32);
	g_assert_cmpuint(a.bytes[0], ==, 0x19);
	g_assert_cmpuint(a.bytes[31], ==, 0xf0);
	dtls_fingerprint_format(&a, text);
	g_assert_cmpstr(text, ==, CHROMIUM);

	g_assert_cmpint(dtls_fingerprint_parse("SHA-256", lower, &b), ==, 0);
	g_assert_true(dtls_fingerprint_equal(&a, &b));
	b.bytes[31] ^= 1;
	g_assert_false(dtls_fingerprint_equal(&a, &b));
}

static void test_refusals(void)
{
	static const char *const bad[] = {
		"", "1", "19", ":", CHROMIUM ":", CHROMIUM ":00", CHROMIUM " ",
		"19894F3B47EF8B09DF9E87A88E1FB9A964A291C7BBB9C5B3F60A5B5B5A71",
		" " CHROMIUM, "G" CHROMIUM,
	};
	struct dtls_fingerprint fp;
	char cut[] = CHROMIUM;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(dtls_fingerprint_parse("sha-256", bad[i], &fp),
				==, -EINVAL);
	for (size_t i = strlen(cut); i-- > 0;) {
		cut[i] = 0;
		g_assert_cmpint(dtls_fingerprint_parse("sha-256", cut, &fp),
				==, -EINVAL);
	}
	g_assert_cmpint(dtls_fingerprint_parse("sha-384", CHROMIUM, &fp), ==,
			-EINVAL);
	g_assert_cmpint(dtls_fingerprint_parse("sha-1", CHROMIUM, &fp), ==,
			-EOPNOTSUPP);
	g_assert_cmpint(dtls_fingerprint_parse("md5", CHROMIUM, &fp), ==,
			-EOPNOTSUPP);
	g_assert_cmpint(dtls_fingerprint_parse("", CHROMIUM, &fp), ==,
			-EOPNOTSUPP);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dtls-fingerprint/round-trip", test_round_trip);
	g_test_add_func("/dtls-fingerprint/refusals", test_refusals);
	return g_test_run();
}
