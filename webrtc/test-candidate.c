// SPDX-License-Identifier: Apache-2.0
#include "webrtc/candidate.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

static struct candidate parse(const char *line)
{
	struct candidate c;

	g_assert_cmpint(candidate_parse(line, strlen(line), &c), ==, 0);
	return c;
}

static void test_fields(void)
{
	struct candidate c = parse(
		"a=candidate:842163049 1 udp 1677729535 203.0.113.5 46154 typ "
		"srflx raddr 10.0.0.17 rport 46155 generation 0 ufrag aB+/ "
		"network-cost 999\r\n");

	g_assert_cmpstr(c.foundation, ==, "842163049");
	g_assert_cmpuint(c.component, ==, 1);
	g_assert_false(c.tcp);
	g_assert_cmpuint(c.priority, ==, 1677729535);
	g_assert_cmpstr(c.address, ==, "203.0.113.5");
	g_assert_cmpuint(c.port, ==, 46154);
	g_assert_cmpint(c.type, ==, CANDIDATE_SRFLX);
	g_assert_cmpstr(c.related_address, ==, "10.0.0.17");
	g_assert_cmpuint(c.related_port, ==, 46155);
	g_assert_cmpstr(c.ufrag, ==, "aB+/");
	g_assert_true(candidate_is_usable(&c));
}

/* The three ways the line arrives: SDP, signaling, and bare. */
static void test_prefixes(void)
{
	static const char *const lines[] = {
		"a=candidate:1 1 udp 5 192.0.2.2 9000 typ host",
		"candidate:1 1 udp 5 192.0.2.2 9000 typ host",
		"1 1 UDP 5 192.0.2.2 9000 typ host",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct candidate c = parse(lines[i]);

		g_assert_cmpstr(c.foundation, ==, "1");
		g_assert_cmpuint(c.port, ==, 9000);
	}
}

static void test_unusable(void)
{
	static const struct {
		const char *line;
		enum candidate_address family;
	} rows[] = {
		{"candidate:1 1 udp 5 0b3c1b5e-7f0e-4c2d-9a5c-1f7f3c0a9e11"
		 ".local 5 typ host",
		 CANDIDATE_MDNS},
		{"candidate:1 1 udp 5 host.example.com 5 typ host",
		 CANDIDATE_NAME},
		{"candidate:1 1 tcp 5 192.0.2.2 9 typ host tcptype active",
		 CANDIDATE_IPV4},
		{"candidate:1 2 udp 5 192.0.2.2 9 typ host", CANDIDATE_IPV4},
		{"candidate:1 1 udp 5 fd00::2 0 typ host", CANDIDATE_IPV6},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct candidate c = parse(rows[i].line);

		g_assert_cmpint(c.family, ==, rows[i].family);
		g_assert_false(candidate_is_usable(&c));
	}
}

static void test_round_trip(void)
{
	static const char *const lines[] = {
		"candidate:1 1 udp 2122194687 192.0.2.2 45880 typ host",
		"candidate:2 1 udp 7 fe80::1%eth0 4 typ relay raddr :: rport 9",
		"candidate:3 1 tcp 7 fd00::2 9 typ host tcptype passive",
		"candidate:4 1 udp 7 1.2.3.4 9 typ prflx ufrag abcd",
	};
	char text[CANDIDATE_MAX_BYTES];

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct candidate c = parse(lines[i]);
		int n = candidate_format(&c, text, sizeof(text));

		g_assert_cmpint(n, ==, strlen(lines[i]));
		g_assert_cmpstr(text, ==, lines[i]);
		g_assert_cmpint(candidate_format(&c, text, (size_t) n), ==,
				-ENOSPC);
	}
}

static void test_bad(void)
{
	static const char *const lines[] = {
		"",
		"candidate:",
		"candidate:1",
		"candidate:1 1 udp",
		"candidate:1 0 udp 5 1.2.3.4 5 typ host",
		"candidate:1 1 sctp 5 1.2.3.4 5 typ host",
		"candidate:1 1 udp 4294967296 1.2.3.4 5 typ host",
		"candidate:1 1 udp -5 1.2.3.4 5 typ host",
		"candidate:1 1 udp 5 1.2.3.4 65536 typ host",
		"candidate:1 1 udp 5 1:2:3 5 typ host",
		"candidate:1 1 udp 5 a$b 5 typ host",
		"candidate:1 1 udp 5 1.2.3.4 5 typ other",
		"candidate:1 1 udp 5 1.2.3.4 5 host",
		"candidate:1 1 udp 5 1.2.3.4 5 typ host rport x",
		"candidate:1 1 tcp 5 1.2.3.4 5 typ host tcptype x",
		"candidate:1 1 udp 5 1.2.3.4 5 typ host\r\na=x",
		"123456789012345678901234567890123 1 udp 5 1.2.3.4 5 typ host",
	};
	struct candidate c = {.port = 77};
	char *huge = g_strnfill(CANDIDATE_MAX_BYTES + 1, 'a');

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_test_message("%s", lines[i]);
		g_assert_cmpint(candidate_parse(lines[i], strlen(lines[i]), &c),
				==, -EBADMSG);
	}
	g_assert_cmpint(candidate_parse(huge, strlen(huge), &c), ==, -EMSGSIZE);
	g_assert_cmpuint(c.port, ==, 77); /* untouched */
	g_free(huge);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/candidate/fields", test_fields);
	g_test_add_func("/candidate/prefixes", test_prefixes);
	g_test_add_func("/candidate/unusable", test_unusable);
	g_test_add_func("/candidate/round-trip", test_round_trip);
	g_test_add_func("/candidate/bad", test_bad);
	return g_test_run();
}
