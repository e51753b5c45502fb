// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-gate.h"

#include <glib.h>

static const char *const names[] = {"kiosk", "box.example.org", NULL};

static void test_own_names(void)
{
	static const char *const own[] = {
		"127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "[fe80::1]",
		"10.1.2.3:80", "localhost", "LocalHost:8080", "kiosk",
		"Kiosk.local:8443", "box.example.org", "BOX.example.org:1",
	};
	static const char *const foreign[] = {
		"", "evil.example", "kiosk.evil.example", "xkiosk", "kiosk.",
		"example.org", "127.0.0.1.evil.example", "a b", "kiosk:x",
		"kiosk/", "user@kiosk", "[::1", "localhost.evil.example",
		"box.example.org.local.evil", "[kiosk]",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(own); i++)
		g_assert_true(room_gate_is_own(own[i], names));
	for (unsigned int i = 0; i < G_N_ELEMENTS(foreign); i++)
		g_assert_false(room_gate_is_own(foreign[i], names));
	g_assert_false(room_gate_is_own(NULL, names));
	g_assert_false(room_gate_is_own("kiosk", NULL));
	g_assert_true(room_gate_is_own("[::1]", NULL));
}

static void test_origin(void)
{
	g_assert_true(room_gate_same_origin("https://kiosk:8080",
					    "kiosk:8080"));
	g_assert_true(room_gate_same_origin("http://[::1]:8080",
					    "[::1]:8080"));
	/* Another port is another program. */
	g_assert_false(room_gate_same_origin("https://kiosk:81", "kiosk:8080"));
	g_assert_false(room_gate_same_origin("https://kiosk", "kiosk:8080"));
	g_assert_false(room_gate_same_origin("null", "kiosk"));
	g_assert_false(room_gate_same_origin("https://evil.example", "kiosk"));
	g_assert_false(room_gate_same_origin(NULL, "kiosk"));
	g_assert_false(room_gate_same_origin("https://kiosk", NULL));
}

struct row {
	enum room_area area;
	bool secure, loopback, same_machine;
	const char *host;
	enum console_role role;
	enum room_verdict verdict;
};

static const struct row rows[] = {
	/* rooms: SkylinkJS pages come from anywhere */
	{ROOM_AREA_ROOMS, false, true, true, "x.y", 0, ROOM_ALLOWED},
	{ROOM_AREA_ROOMS, false, false, true, "10.0.0.1", 0, ROOM_ALLOWED},
	{ROOM_AREA_ROOMS, false, false, false, "10.0.0.1", 0, ROOM_TO_HTTPS},
	{ROOM_AREA_ROOMS, true, false, false, "x.y", 0, ROOM_ALLOWED},
	/* viewer */
	{ROOM_AREA_VIEWER, false, true, true, "localhost", 0, ROOM_ALLOWED},
	{ROOM_AREA_VIEWER, false, true, true, NULL, 0, ROOM_ALLOWED},
	{ROOM_AREA_VIEWER, false, true, true, "evil.example", 0, ROOM_FOREIGN},
	{ROOM_AREA_VIEWER, false, false, true, "10.0.0.1", 0, ROOM_TO_HTTPS},
	{ROOM_AREA_VIEWER, false, false, false, "10.0.0.1",
	 CONSOLE_ROLE_OPERATE, ROOM_TO_HTTPS},
	{ROOM_AREA_VIEWER, true, false, false, "10.0.0.1", 0, ROOM_TO_LOGIN},
	{ROOM_AREA_VIEWER, true, false, false, "10.0.0.1", CONSOLE_ROLE_WATCH,
	 ROOM_ALLOWED},
	{ROOM_AREA_VIEWER, true, false, false, "evil.example",
	 CONSOLE_ROLE_WATCH, ROOM_FOREIGN},
	/* login */
	{ROOM_AREA_LOGIN, false, false, false, "10.0.0.1", 0, ROOM_TO_HTTPS},
	{ROOM_AREA_LOGIN, true, false, false, "10.0.0.1", 0, ROOM_ALLOWED},
	{ROOM_AREA_LOGIN, true, false, false, NULL, 0, ROOM_FOREIGN},
	/* console: on this machine, too */
	{ROOM_AREA_CONSOLE, false, true, true, "localhost", 0, ROOM_TO_LOGIN},
	{ROOM_AREA_CONSOLE, false, true, true, "localhost", CONSOLE_ROLE_WATCH,
	 ROOM_TO_LOGIN},
	{ROOM_AREA_CONSOLE, false, true, true, "localhost",
	 CONSOLE_ROLE_OPERATE, ROOM_ALLOWED},
	{ROOM_AREA_CONSOLE, false, true, true, NULL, CONSOLE_ROLE_OPERATE,
	 ROOM_FOREIGN},
	{ROOM_AREA_CONSOLE, true, true, true, "evil.example",
	 CONSOLE_ROLE_OPERATE, ROOM_FOREIGN},
};

static enum room_verdict check(const struct room_gate *gate,
			       const struct row *row)
{
	return room_gate_check(gate, row->area,
			       &(struct room_visitor){
				       .secure = row->secure,
				       .loopback = row->loopback,
				       .same_machine = row->same_machine,
				       .host = row->host,
				       .role = row->role,
			       });
}

static void test_verdicts(void)
{
	const struct room_gate gate = {
		.tls = true, .can_login = true, .can_operate = true,
		.names = names,
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("row %u", i);
		g_assert_cmpint(check(&gate, &rows[i]), ==, rows[i].verdict);
	}
}

static void test_as_configured(void)
{
	struct row lan = {ROOM_AREA_VIEWER, false, false, false, "10.0.0.1",
			  CONSOLE_ROLE_NONE, 0};
	struct room_gate gate = {.names = names};

	/* Without passwords nobody can, and is told so. */
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_CLOSED);
	lan.area = ROOM_AREA_CONSOLE;
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_CLOSED);
	/* tls = no said explicitly: everything goes in the clear. */
	gate.can_operate = true;
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_TO_LOGIN);
	lan.role = CONSOLE_ROLE_OPERATE;
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_ALLOWED);
	lan.role = CONSOLE_ROLE_NONE;
	lan.area = ROOM_AREA_ROOMS;
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_ALLOWED);
	gate.viewer_open = true;
	lan.area = ROOM_AREA_VIEWER;
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_ALLOWED);
	gate.tls = true;
	g_assert_cmpint(check(&gate, &lan), ==, ROOM_TO_HTTPS);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-gate/own-names", test_own_names);
	g_test_add_func("/room-gate/origin", test_origin);
	g_test_add_func("/room-gate/verdicts", test_verdicts);
	g_test_add_func("/room-gate/as-configured", test_as_configured);
	return g_test_run();
}
