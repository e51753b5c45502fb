// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console-request.h"

#include <errno.h>
#include <string.h>

static int parse_login(const char *json, struct console_login *ret)
{
	return console_login_parse(json, strlen(json), ret);
}

static void test_login(void)
{
	g_autofree char *longest = g_strnfill(CONSOLE_MAX_PASSWORD, 'x');
	g_autofree char *text = NULL, *over = NULL;
	struct console_login l;

	g_assert_cmpint(parse_login("{\"password\":\"caf\xc3\xa9\"}", &l), ==,
			0);
	g_assert_false(l.token);
	g_assert_cmpstr(l.secret, ==, "caf\xc3\xa9");
	g_assert_cmpuint(l.len, ==, 5);
	g_assert_cmpint(parse_login("{\"token\":\"t\"}", &l), ==, 0);
	g_assert_true(l.token);
	text = g_strdup_printf("{\"password\":\"%s\"}", longest);
	g_assert_cmpint(parse_login(text, &l), ==, 0);
	over = g_strdup_printf("{\"password\":\"%sx\"}", longest);
	g_assert_cmpint(parse_login(over, &l), ==, -EBADMSG);
}

static void test_bad_login(void)
{
	static const char *const bad[] = {
		"", "{}", "[]", "\"x\"", "{\"password\":\"\"}",
		"{\"password\":7}", "{\"password\":null}",
		"{\"password\":\"a\",\"token\":\"b\"}", "{\"password\":\"a\"",
		"{\"password\":\"\\u0000\"}", "password=a",
	};
	struct console_login l = {.len = 99};

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(parse_login(bad[i], &l), ==, -EBADMSG);
	g_assert_cmpuint(l.len, ==, 99);
}

static int parse_command(const char *json, struct console_command *ret)
{
	return console_command_parse(json, strlen(json), ret);
}

static void test_command(void)
{
	struct console_command c;

	g_assert_cmpint(parse_command("{\"id\":4294967295,\"command\":\"mute\","
				      "\"video\":true}", &c), ==, 0);
	g_assert_cmpuint(c.id, ==, UINT32_MAX);
	g_assert_cmpint(c.verb, ==, CONSOLE_MUTE);
	g_assert_true(c.has_video && c.video && !c.has_audio);
	g_assert_cmpint(parse_command("{\"id\":0,\"command\":\"join\"}", &c),
			==, 0);
	g_assert_cmpint(c.verb, ==, CONSOLE_JOIN);
	g_assert_cmpint(parse_command("{\"id\":1,\"command\":\"leave\"}", &c),
			==, 0);
	g_assert_cmpint(c.verb, ==, CONSOLE_LEAVE);
	g_assert_cmpint(parse_command("{\"id\":1,\"command\":\"check\"}", &c),
			==, 0);
	g_assert_cmpint(c.verb, ==, CONSOLE_CHECK);
}

static void test_bad_command(void)
{
	static const char *const bad[] = {
		"{\"command\":\"join\"}",
		"{\"id\":-1,\"command\":\"join\"}",
		"{\"id\":4294967296,\"command\":\"join\"}",
		"{\"id\":1.5,\"command\":\"join\"}",
		"{\"id\":1,\"command\":\"reboot\"}",
		"{\"id\":1,\"command\":[\"join\"]}",
		"{\"id\":1,\"command\":\"mute\"}",
		"{\"id\":1,\"command\":\"mute\",\"audio\":1}",
		"{\"id\":1,\"command\":\"join\",\"audio\":true}",
		"[1,\"join\"]",
	};
	struct console_command c = {.id = 99};

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(parse_command(bad[i], &c), ==, -EBADMSG);
	g_assert_cmpuint(c.id, ==, 99);
}

static void test_cookie(void)
{
	char value[6];

	g_assert_cmpint(console_cookie_find("a=1; bb=22;ccc=333", "bb", value,
					    sizeof(value)), ==, 0);
	g_assert_cmpstr(value, ==, "22");
	g_assert_cmpint(console_cookie_find("a=1; bb=22;ccc=333", "ccc", value,
					    sizeof(value)), ==, 0);
	g_assert_cmpstr(value, ==, "333");
	g_assert_cmpint(console_cookie_find("a=12345", "a", value,
					    sizeof(value)), ==, 0);
	g_assert_cmpint(console_cookie_find("a=123456", "a", value,
					    sizeof(value)), ==, -EBADMSG);
	g_assert_cmpint(console_cookie_find("ab=1; xa=2", "a", value,
					    sizeof(value)), ==, -ENOENT);
	g_assert_cmpint(console_cookie_find("", "a", value, sizeof(value)), ==,
			-ENOENT);
	g_assert_cmpint(console_cookie_find(" ; ;;a", "a", value,
					    sizeof(value)), ==, -ENOENT);
	/* The first: a page cannot put one of its own in front of it. */
	g_assert_cmpint(console_cookie_find("a=1;a=2", "a", value,
					    sizeof(value)), ==, 0);
	g_assert_cmpstr(value, ==, "1");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/console-request/login", test_login);
	g_test_add_func("/console-request/bad-login", test_bad_login);
	g_test_add_func("/console-request/command", test_command);
	g_test_add_func("/console-request/bad-command", test_bad_command);
	g_test_add_func("/console-request/cookie", test_cookie);
	return g_test_run();
}
