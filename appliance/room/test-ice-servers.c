// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/ice-servers.h"

#include "appliance/signaling/json-check.h"

static struct ice_servers parse_for(const char *text, const RoomAccess *access)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = json_checked_parse(text, -1, 65536, &error);
	struct ice_servers s;

	g_assert_no_error(error);
	ice_servers_parse(json_node_get_array(node), access, "box.local", &s);
	return s;
}

static struct ice_servers parse(const char *text)
{
	return parse_for(text, NULL);
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
		"{\"url\":\"turn:none@127.0.0.1\",\"credential\":\"none\"},"
		"{\"url\":\"turns:u@h:443\",\"credential\":\"c\"}]");

	g_assert_cmpuint(s.n, ==, 0);
	g_assert_cmpuint(s.n_ignored, ==, 14);
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

	ice_servers_parse(NULL, NULL, NULL, &s);
	g_assert_cmpuint(s.n, ==, 0);
}

/* The URLs in one line, and how many were not wanted. */
static void assert_filtered(const RoomAccess *access, const char *urls,
			    guint n_unwanted)
{
	struct ice_servers s = parse_for(
		"[{\"url\":\"stun:stun.temasys.io:3478\"},"
		"{\"url\":\"stun:stun.example.org\"},"
		"{\"url\":\"stun:box.local:3478\"},"
		"{\"url\":\"stun:box.local.example.org\"},"
		"{\"url\":\"turn:u@relay:80?transport=tcp\","
		"\"credential\":\"c\"}]", access);
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; i < s.n; i++)
		g_string_append_printf(out, "%s%s", i ? " " : "",
				       s.list[i].url);
	g_assert_cmpstr(out->str, ==, urls);
	g_assert_cmpuint(s.n_unwanted, ==, n_unwanted);
	g_assert_cmpuint(s.n_ignored, ==, 0);
	g_assert_cmpint(s.relay_only, ==, access->force_turn);
	ice_servers_done(&s);
}

#define ALL_STUN                                                               \
	"stun:stun.temasys.io:3478 stun:stun.example.org "                    \
	"stun:box.local:3478 stun:box.local.example.org"

static void test_what_is_wanted(void)
{
	assert_filtered(&(RoomAccess){0},
			ALL_STUN " turn:relay:80?transport=tcp", 0);
	assert_filtered(&(RoomAccess){.no_turn = TRUE}, ALL_STUN, 1);
	assert_filtered(&(RoomAccess){.no_stun = TRUE},
			"turn:relay:80?transport=tcp", 4);
	assert_filtered(&(RoomAccess){.no_public_stun = TRUE},
			"stun:stun.temasys.io:3478 stun:box.local:3478 "
			"turn:relay:80?transport=tcp", 2);
	assert_filtered(&(RoomAccess){.force_turn = TRUE},
			"turn:relay:80?transport=tcp", 4);
	assert_filtered(&(RoomAccess){.no_stun = TRUE,
				      .turn_transport = ROOM_TURN_UDP},
			"turn:relay:80?transport=udp", 4);
	assert_filtered(&(RoomAccess){.no_stun = TRUE,
				      .turn_transport = ROOM_TURN_TCP},
			"turn:relay:80?transport=tcp", 4);
	assert_filtered(&(RoomAccess){.no_stun = TRUE,
				      .turn_transport = ROOM_TURN_NONE},
			"turn:relay:80", 4);
	assert_filtered(&(RoomAccess){.no_stun = TRUE,
				      .turn_transport = ROOM_TURN_ALL},
			"turn:relay:80?transport=udp "
			"turn:relay:80?transport=tcp", 4);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice-servers/forms", test_wire_forms);
	g_test_add_func("/ice-servers/useless", test_useless_ones_are_counted);
	g_test_add_func("/ice-servers/limit", test_limit);
	g_test_add_func("/ice-servers/none", test_none);
	g_test_add_func("/ice-servers/wanted", test_what_is_wanted);
	return g_test_run();
}
