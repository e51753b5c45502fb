// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-limits.h"

#include <arpa/inet.h>
#include <glib.h>

static struct room_address *from(struct room_limits *limits, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return room_limits_connect(limits,
					   (const struct sockaddr *) &v4);
	g_assert_cmpint(inet_pton(AF_INET6, text, &v6.sin6_addr), ==, 1);
	return room_limits_connect(limits, (const struct sockaddr *) &v6);
}

static void test_whose_is_whose(void)
{
	struct room_limits *limits = room_limits_new(4);
	struct room_address *a = from(limits, "192.0.2.1");
	struct room_address *b = from(limits, "192.0.2.2");
	struct room_address *mapped = from(limits, "::ffff:192.0.2.1");
	struct room_address *home = from(limits, "2001:db8::1");
	struct room_address *same = from(limits, "2001:db8::ffff:0:0:1");
	struct room_address *next = from(limits, "2001:db8:0:1::1");

	g_assert_true(a == mapped && a != b);
	g_assert_true(home == same && home != next);
	room_limits_disconnect(limits, a);
	room_limits_disconnect(limits, mapped);
	room_limits_disconnect(limits, b);
	room_limits_disconnect(limits, home);
	room_limits_disconnect(limits, same);
	room_limits_disconnect(limits, next);
	room_limits_free(limits);
}

static void test_limits(void)
{
	struct room_limits *limits = room_limits_new(2);
	unsigned int n = 2 * ROOM_CONNECTIONS_PER_CLIENT +
			 ROOM_MORE_CONNECTIONS;
	struct room_address *a = NULL, *b;

	for (unsigned int i = 0; i < n; i++)
		a = from(limits, "192.0.2.1");
	g_assert_null(from(limits, "192.0.2.1"));
	b = from(limits, "192.0.2.2");
	g_assert_nonnull(b);

	g_assert_true(room_limits_open(limits, a));
	g_assert_true(room_limits_open(limits, a));
	g_assert_false(room_limits_open(limits, a));
	g_assert_true(room_limits_open(limits, b));
	room_limits_close(limits, a);
	g_assert_true(room_limits_open(limits, a));

	/* A client that polls is there without a connection. */
	for (unsigned int i = 0; i < n; i++)
		room_limits_disconnect(limits, a);
	g_assert_false(room_limits_open(limits, a));
	room_limits_close(limits, a);
	room_limits_close(limits, a);
	room_limits_close(limits, b);
	room_limits_disconnect(limits, b);
	room_limits_free(limits);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-limits/addresses", test_whose_is_whose);
	g_test_add_func("/room-limits/limits", test_limits);
	return g_test_run();
}
