// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-api.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>

static void test_paths(void)
{
	struct room_api_request request;

	g_assert_cmpint(room_api_parse("/api/demo/lobby", &request), ==, 0);
	g_assert_cmpstr(request.key, ==, "demo");
	g_assert_cmpstr(request.room, ==, "lobby");
	g_assert_false(request.scheduled);
	g_assert_cmpint(room_api_parse("/api/demo/a b & \303\251/", &request),
			==, 0);
	g_assert_cmpstr(request.room, ==, "a b & \303\251");
	g_assert_cmpint(room_api_parse("/api/k/r/2026-11-22T08:54:42.149Z/20",
				       &request),
			==, 0);
	g_assert_true(request.scheduled);
	g_assert_cmpstr(request.start, ==, "2026-11-22T08:54:42.149Z");
	g_assert_cmpstr(request.len, ==, "20");
	g_assert_cmpint(request.end_ms, ==,
			INT64_C(1795337682000) + 20 * 3600 * 1000);
	g_assert_cmpint(room_api_parse("/api/k/r/2026-11-22T08:54:42Z/0.25",
				       &request),
			==, 0);
	g_assert_cmpint(request.end_ms, ==,
			INT64_C(1795337682000) + 900 * 1000);
}

static void test_bad_paths(void)
{
	static const char *const bad[] = {
		"/api/",
		"/api/demo",
		"/api/demo/",
		"/api//lobby",
		"/api/k/r/2026-11-22T08:54:42.149Z",
		"/api/k/r/2026-11-22T08:54:42.149Z/0",
		"/api/k/r/2026-11-22T08:54:42.149Z/9999",
		"/api/k/r/2026-11-22T08:54:42.149Z/1x",
		"/api/k/r/2026-11-22T08:54:42.149Z/02",
		"/api/k/r/2026-11-22T08:54:42.149Z/.5",
		"/api/k/r/2026-11-22T08:54:42.149Z/1.",
		"/api/k/r/2026-11-22T08:54:42.149Z/1e2",
		"/api/k/r/2026-11-22T08:54:42.149Z/20/more",
		"/api/k/r/yesterday/20",
		"/api/k/\377",
	};
	struct room_api_request request;
	g_autofree char *long_room = g_strnfill(ROOM_API_MAX_ROOM + 1, 'r');
	g_autofree char *path = g_strdup_printf("/api/k/%s", long_room);

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(room_api_parse(bad[i], &request), ==, -EBADMSG);
	g_assert_cmpint(room_api_parse(path, &request), ==, -EBADMSG);
	path[strlen(path) - 1] = '\0';
	g_assert_cmpint(room_api_parse(path, &request), ==, 0);
	g_assert_cmpint(room_api_parse("/", &request), ==, -ENOENT);
	g_assert_cmpint(room_api_parse("/apis/k/r", &request), ==, -ENOENT);
}

static void test_hosts(void)
{
	static const struct {
		const char *header, *name;
		unsigned int port;
	} good[] = {
		{"127.0.0.1:8080", "127.0.0.1", 8080},
		{"box.local", "box.local", 0},
		{"[::1]:81", "[::1]", 81},
		{"[fd00::2]", "[fd00::2]", 0},
	};
	static const char *const bad[] = {
		"",	   ":80",   "a:",     "a:0",	  "a:65536",
		"a:8x",	   "a b",   "a\"b",   "[::1",	  "[]:1",
		"[::g]:1", "a/b:1", "a:80:1", "<script>", "[::1]x",
	};
	struct room_api_host host;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_assert_cmpint(room_api_parse_host(good[i].header, &host),
				==, 0);
		g_assert_cmpstr(host.name, ==, good[i].name);
		g_assert_cmpuint(host.port, ==, good[i].port);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(room_api_parse_host(bad[i], &host), ==,
				-EBADMSG);
}

static JsonObject *answer_on(const struct room_api_request *request,
			     bool port_in_host, uint16_t port)
{
	static const struct room_key key = {
		.name = "demo",
		.space = "demo",
		.auto_introduce = true,
	};
	static const uint8_t secret[ROOM_SECRET_BYTES] = {7};
	struct room_api_host host = {.name = "[::1]", .port = port};
	g_autofree char *text = room_api_format(
		request, &(struct room_api_grant){
				 .secret = secret,
				 .key = &key,
				 .uid = "user-1",
				 .now_ms = INT64_C(1795337682149),
				 .host = &host,
				 .port_in_host = port_in_host,
			 });
	g_autoptr(JsonNode) node = json_from_string(text, NULL);

	g_assert_nonnull(node);
	return json_node_dup_object(node);
}

static JsonObject *answer(const struct room_api_request *request,
			  bool port_in_host)
{
	return answer_on(request, port_in_host, 8081);
}

/* Behind a proxy there is no port in the address. */
static void test_usual_ports(void)
{
	struct room_api_request request = {.key = "demo", .room = "r"};
	g_autoptr(JsonObject) object = answer_on(&request, true, 0);

	g_assert_cmpstr(json_object_get_string_member(object, "ipSigserver"),
			==, "[::1]");
	g_assert_cmpint(json_array_get_int_element(
				json_object_get_array_member(object,
							     "httpPortList"),
				0),
			==, 80);
	g_assert_cmpint(json_array_get_int_element(
				json_object_get_array_member(object,
							     "httpsPortList"),
				0),
			==, 443);
}

/* An alias has its parent's rooms, and its own flags. */
static void test_alias(void)
{
	static const uint8_t secret[ROOM_SECRET_BYTES] = {7};
	struct room_api_request request = {.key = "desk", .room = "r"};
	struct room_api_host host = {.name = "h"};
	struct room_key key = {
		.name = "desk",
		.space = "desk",
		.privileged = true,
	};
	g_autoptr(JsonNode) own = NULL, alias = NULL;
	g_autofree char *text = NULL, *aliased = NULL;
	struct room_api_grant grant = {
		.secret = secret,
		.key = &key,
		.uid = "u",
		.host = &host,
	};

	text = room_api_format(&request, &grant);
	key.space = "kiosk";
	aliased = room_api_format(&request, &grant);
	own = json_from_string(text, NULL);
	alias = json_from_string(aliased, NULL);
	g_assert_cmpstr(json_object_get_string_member(json_node_get_object(own),
						      "room_key"),
			!=,
			json_object_get_string_member(
				json_node_get_object(alias), "room_key"));
	g_assert_true(json_object_get_boolean_member(
		json_node_get_object(alias), "isPrivileged"));
	g_assert_false(json_object_get_boolean_member(
		json_node_get_object(alias), "autoIntroduce"));
}

/* Everything SkylinkJS 0.6.12 to 2.x look at. */
static void test_answer(void)
{
	struct room_api_request request = {.key = "demo", .room = "a \"b\""};
	g_autoptr(JsonObject) object = answer(&request, false);
	g_autoptr(JsonObject) modern = answer(&request, true);
	static const char *const strings[][2] = {
		{"apiOwner", "appliance"},
		{"username", "user-1"},
		{"timeStamp", "2026-11-22T08:54:42.149Z"},
		{"start", "2026-11-22T08:54:42.149Z"},
		{"ipSigserver", "[::1]"},
		{"ipSigserverPath", "/socket.io"},
		{"pc_constraints", "{}"},
		{"offer_constraints", "{}"},
		{"media_constraints", "{}"},
		{"roomName", "a \"b\""},
	};
	JsonArray *ports = json_object_get_array_member(object, "httpPortList");

	for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
		g_assert_cmpstr(
			json_object_get_string_member(object, strings[i][0]),
			==, strings[i][1]);
	g_assert_true(json_object_get_boolean_member(object, "success"));
	g_assert_true(json_object_get_boolean_member(object, "autoIntroduce"));
	g_assert_false(json_object_get_boolean_member(object, "isPrivileged"));
	g_assert_cmpint(json_array_get_int_element(ports, 0), ==, 8081);
	g_assert_cmpint(json_object_get_int_member(object, "len"), ==,
			ROOM_API_OPEN_HOURS);
	g_assert_cmpuint(
		strlen(json_object_get_string_member(object, "room_key")), ==,
		ROOM_ID_CHARS);
	g_assert_cmpstr(json_object_get_string_member(modern, "ipSigserver"),
			==, "[::1]:8081");
}

static void test_scheduled_answer(void)
{
	struct room_api_request request = {
		.key = "demo",
		.room = "r",
		.scheduled = true,
		.start = "2026-11-23T00:00:00.000Z",
		.len = "2",
	};
	g_autoptr(JsonObject) object = answer(&request, false);
	g_autoptr(JsonObject) fraction = NULL;

	g_assert_cmpstr(json_object_get_string_member(object, "start"), ==,
			"2026-11-23T00:00:00.000Z");
	g_assert_cmpint(json_object_get_int_member(object, "len"), ==, 2);
	strcpy(request.len, "1.50");
	fraction = answer(&request, false);
	g_assert_cmpstr(json_object_get_string_member(fraction, "len"), ==,
			"1.50");
}

static void test_sdk_versions(void)
{
	g_assert_true(room_api_wants_port("2.6.2"));
	g_assert_false(room_api_wants_port("0.6.37"));
	g_assert_false(room_api_wants_port("20.1"));
	g_assert_false(room_api_wants_port(""));
	g_assert_false(room_api_wants_port(NULL));
}

static void test_error(void)
{
	g_autofree char *text = room_api_format_error(4001, "Unknown \"key\"");

	g_assert_cmpstr(text, ==,
			"{\"success\":false,\"error\":4001,"
			"\"info\":\"Unknown \\\"key\\\"\"}");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-api/paths", test_paths);
	g_test_add_func("/room-api/bad-paths", test_bad_paths);
	g_test_add_func("/room-api/hosts", test_hosts);
	g_test_add_func("/room-api/answer", test_answer);
	g_test_add_func("/room-api/scheduled", test_scheduled_answer);
	g_test_add_func("/room-api/usual-ports", test_usual_ports);
	g_test_add_func("/room-api/alias", test_alias);
	g_test_add_func("/room-api/sdk", test_sdk_versions);
	g_test_add_func("/room-api/error", test_error);
	return g_test_run();
}
