// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/ice-servers.h"

#include "appliance/signaling/json-check.h"

static struct ice_servers parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = json_checked_parse(text, -1, 65536, &error);
	struct ice_servers s;

	g_assert_no_error(error);
	ice_servers_parse(json_node_get_array(node), &s);
	return s;
}

static void test_wire_forms(void)
{
	struct ice_servers s = parse(
		"[{\"url\":\"turn:labuser@127.0.0.1\",\"credential\":\"pw\"},"
		"{\"url\":\"stun:h:19302\"},"
		"{\"url\":\"turn:h:80?transport=tcp\",\"username\":\"u\","
		"\"credential\":\"c\"},"
		"{\"urls\":[\"stun:a\",\"turn:b\"],\"username\":\"u\","
		"\"credential\":\"c\"},"
		"{\"url\":\"turn:a@b@h\",\"credential\":\"c\"}]");

	g_assert_cmpuint(s.n, ==, 6);
	g_assert_cmpuint(s.n_ignored, ==, 0);
	g_assert_cmpstr(s.list[0].url, ==, "turn:127.0.0.1");
	g_assert_cmpstr(s.list[0].username, ==, "labuser");
	g_assert_cmpstr(s.list[0].credential, ==, "pw");
	g_assert_cmpstr(s.list[1].url, ==, "stun:h:19302");
	g_assert_null(s.list[1].username);
	g_assert_cmpstr(s.list[2].url, ==, "turn:h:80?transport=tcp");
	g_assert_cmpstr(s.list[2].username, ==, "u");
	g_assert_cmpstr(s.list[4].url, ==, "turn:b");
	g_assert_cmpstr(s.list[5].username, ==, "a@b");
	ice_servers_done(&s);
}

static void test_useless_ones_are_counted(void)
{
	struct ice_servers s = parse(
		"[7,{},{\"url\":5},{\"urls\":{}},{\"url\":\"http://h\"},"
		"{\"url\":\"turn:h\"},{\"url\":\"turn:u@h\"},{\"url\":\"stun:\"},"
		"{\"url\":\"stun:a b\"},{\"url\":\"turn:u@\",\"credential\":"
		"\"c\"},{\"urls\":[1,\"x\"]},"
		"{\"url\":\"turn:none@127.0.0.1\",\"credential\":\"none\"}"
		"]");

	g_assert_cmpuint(s.n, ==, 0);
	g_assert_cmpuint(s.n_ignored, ==, 13);
	ice_servers_done(&s);
}

static void test_limit(void)
{
	struct ice_servers s = parse(
		"[{\"urls\":[\"stun:1\",\"stun:2\",\"stun:3\",\"stun:4\","
		"\"stun:5\",\"stun:6\",\"stun:7\",\"stun:8\",\"stun:9\"]}]");

	g_assert_cmpuint(s.n, ==, ICE_SERVERS_MAX);
	g_assert_cmpuint(s.n_ignored, ==, 1);
	ice_servers_done(&s);
}

static void test_none(void)
{
	struct ice_servers s;

	ice_servers_parse(NULL, &s);
	g_assert_cmpuint(s.n, ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice-servers/forms", test_wire_forms);
	g_test_add_func("/ice-servers/useless", test_useless_ones_are_counted);
	g_test_add_func("/ice-servers/limit", test_limit);
	g_test_add_func("/ice-servers/none", test_none);
	return g_test_run();
}
