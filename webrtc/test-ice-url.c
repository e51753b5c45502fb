// SPDX-License-Identifier: Apache-2.0
#include "webrtc/ice-url.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

static void test_good(void)
{
	static const struct {
		const char *text;
		struct ice_url url;
	} rows[] = {
		{"stun:stun.example.com",
		 {ICE_URL_STUN, "", "stun.example.com", false, 3478, false}},
		{"STUN:192.0.2.1:19302",
		 {ICE_URL_STUN, "", "192.0.2.1", true, 19302, false}},
		{"turn:17:bob@turn.example.com?transport=tcp",
		 {ICE_URL_TURN, "17:bob", "turn.example.com", false, 3478,
		  true}},
		{"turn:a@b@192.0.2.1:443?transport=UDP",
		 {ICE_URL_TURN, "a@b", "192.0.2.1", true, 443, false}},
		{"turn:u@[fd00::2]:80",
		 {ICE_URL_TURN, "u", "fd00::2", true, 80, false}},
		{"turn:[::1]", {ICE_URL_TURN, "", "::1", true, 3478, false}},
		{"turns:h", {ICE_URL_TURNS, "", "h", false, 5349, false}},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct ice_url url;

		g_test_message("%s", rows[i].text);
		g_assert_cmpint(
			ice_url_parse(rows[i].text, strlen(rows[i].text), &url),
			==, 0);
		g_assert_cmpint(url.scheme, ==, rows[i].url.scheme);
		g_assert_cmpstr(url.user, ==, rows[i].url.user);
		g_assert_cmpstr(url.host, ==, rows[i].url.host);
		g_assert_cmpint(url.literal, ==, rows[i].url.literal);
		g_assert_cmpuint(url.port, ==, rows[i].url.port);
		g_assert_cmpint(url.tcp, ==, rows[i].url.tcp);
	}
}

static void test_bad(void)
{
	static const char *const rows[] = {
		"",
		"http://x",
		"stun:",
		"turn:u@",
		"turn:h:0",
		"turn:h:65536",
		"turn:h:x",
		"turn:[::1",
		"turn:[::1]x",
		"turn:a b",
		"turn:h?transport=sctp",
		"turn:h?x",
		"turn:?transport=udp",
		"stun:h:",
		"turn:[x y]",
	};
	struct ice_url url = {.port = 7};
	char *huge = g_strnfill(ICE_URL_MAX_BYTES + 1, 'a');

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("%s", rows[i]);
		g_assert_cmpint(ice_url_parse(rows[i], strlen(rows[i]), &url),
				==, -EBADMSG);
	}
	g_assert_cmpint(ice_url_parse(huge, strlen(huge), &url), ==, -EMSGSIZE);
	g_assert_cmpuint(url.port, ==, 7);
	g_free(huge);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice-url/good", test_good);
	g_test_add_func("/ice-url/bad", test_bad);
	return g_test_run();
}
