// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_addresses(void)
{
	static const struct {
		const char *address, *host;
		unsigned int port;
	} good[] = {
		{"127.0.0.1:8080", "127.0.0.1", 8080},
		{"[::1]:8080", "::1", 8080},
		{"*:80", "", 80},
		{"localhost:0", "localhost", 0},
	};
	static const char *const bad[] = {
		"",	"8080", "127.0.0.1", ":8080", "::1:8080",
		"[]:1", "a:x",	"a:65536",   "a:-1",  "127.0.0.1:80x",
	};
	char host[64];
	uint16_t port;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_assert_cmpint(
			room_listener_split(good[i].address, host, &port), ==,
			0);
		g_assert_cmpstr(host, ==, good[i].host);
		g_assert_cmpuint(port, ==, good[i].port);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(room_listener_split(bad[i], host, &port), ==,
				-EINVAL);
}

static void test_busy_port(void)
{
	struct room_listener first, second;
	g_autoptr(GError) error = NULL;
	g_autofree char *address = NULL;
	g_autofree char *message = NULL;

	g_assert_true(room_listener_open(&first, "127.0.0.1:0", false, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(first.port, >, 0);
	address = g_strdup_printf("127.0.0.1:%u", first.port);

	g_assert_false(room_listener_open(&second, address, false, &error));
	g_assert_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_BIND);
	message = g_strdup_printf("Cannot listen on %s: Address already in use",
				  address);
	g_assert_cmpstr(error->message, ==, message);
	g_clear_error(&error);

	g_assert_true(room_listener_open(&second, address, true, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(second.port, >, first.port);
	g_assert_cmpuint(second.port, <=,
			 first.port + ROOM_LISTENER_MORE_PORTS);
	room_listener_close(&first);
	room_listener_close(&second);
}

static void test_bad_address(void)
{
	struct room_listener listener;
	g_autoptr(GError) error = NULL;

	g_assert_false(room_listener_open(&listener, "nowhere", false, &error));
	g_assert_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_ADDRESS);
	g_clear_error(&error);
	/* A well-formed address this machine does not have (RFC 5737). */
	g_assert_false(
		room_listener_open(&listener, "192.0.2.99:0", true, &error));
	g_assert_error(error, ROOM_LISTENER_ERROR, ROOM_LISTENER_BIND);
}

static int connect_v4(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(connect(fd, (struct sockaddr *) &to, sizeof(to)), ==,
			0);
	return fd;
}

static void check_all_addresses(const char *address)
{
	struct room_listener listener;
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	g_autoptr(GError) error = NULL;
	struct sockaddr_storage from;
	int fd, client;

	g_assert_true(room_listener_open(&listener, address, false, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(listener.host, !=, "");
	g_assert_cmpstr(listener.local_host, ==, "127.0.0.1");
	g_assert_cmpint(room_listener_accept(&listener, &from), ==, -EAGAIN);
	client = connect_v4(listener.port);
	fd = room_listener_accept(&listener, &from);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	close(client);

	v6.sin6_port = htons(listener.port);
	client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 ||
	    connect(client, (struct sockaddr *) &v6, sizeof(v6)) < 0) {
		g_test_skip("this machine has no IPv6");
	} else {
		fd = room_listener_accept(&listener, &from);
		g_assert_cmpint(fd, >=, 0);
		close(fd);
	}
	if (client >= 0)
		close(client);
	room_listener_close(&listener);
}

static void test_all_addresses(void)
{
	check_all_addresses("*:0");
}

static void test_all_addresses_v6(void)
{
	check_all_addresses("[::]:0");
}

/* Who is told of one address is told of that one. */
static void test_one_address(void)
{
	struct room_listener listener;
	g_autoptr(GError) error = NULL;

	g_assert_true(room_listener_open(&listener, "127.0.0.2:0", false,
					 &error));
	g_assert_no_error(error);
	g_assert_cmpstr(listener.host, ==, "127.0.0.2");
	g_assert_cmpstr(listener.local_host, ==, "127.0.0.2");
	room_listener_close(&listener);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-listener/addresses", test_addresses);
	g_test_add_func("/room-listener/busy", test_busy_port);
	g_test_add_func("/room-listener/bad", test_bad_address);
	g_test_add_func("/room-listener/all", test_all_addresses);
	g_test_add_func("/room-listener/all-v6", test_all_addresses_v6);
	g_test_add_func("/room-listener/one", test_one_address);
	return g_test_run();
}
