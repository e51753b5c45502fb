// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/transfer-base64.h"

#include <errno.h>
#include <string.h>

/* RFC 4648 §10 */
static void test_vectors(void)
{
	static const char *const rows[][2] = {
		{"", ""},	    {"Zg==", "f"},	{"Zm8=", "fo"},
		{"Zm9v", "foo"},    {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"}, {" Zm9v\r\nYmFy\t", "foobar"},
		{"Zm8", "fo"},	    {"Zg", "f"},
	};
	guint8 out[64];

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		gssize n = transfer_base64_decode(rows[i][0],
						  strlen(rows[i][0]), out);

		g_assert_cmpmem(out, (gsize) MAX(n, 0), rows[i][1],
				strlen(rows[i][1]));
		g_assert_cmpint(n, >=, 0);
	}
}

static void test_bad(void)
{
	static const char *const rows[] = {
		"Z", "Zg=", "Zg===", "=", "Zm9vY", "Zm=v", "Zm9v=", "Zm_v",
		"Zm9v\x80", "{}", "Zm8==",
	};
	guint8 out[64];

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *row = g_strescape(rows[i], NULL);

		g_test_message("%s", row);
		g_assert_cmpint(transfer_base64_decode(
					rows[i], strlen(rows[i]), out),
				==, -EBADMSG);
	}
}

static void test_round_trip(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	guint8 data[1000], out[1010];

	for (gsize len = 0; len < sizeof(data); len++) {
		g_autofree char *text = NULL;

		for (gsize i = 0; i < len; i++)
			data[i] = (guint8) g_rand_int(rand);
		text = g_base64_encode(data, len);
		g_assert_cmpint(
			transfer_base64_decode(text, strlen(text), out), ==,
			len);
		g_assert_cmpmem(out, len, data, len);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transfer-base64/vectors", test_vectors);
	g_test_add_func("/transfer-base64/bad", test_bad);
	g_test_add_func("/transfer-base64/round-trip", test_round_trip);
	return g_test_run();
}
