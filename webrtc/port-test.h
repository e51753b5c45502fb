/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/port-test.h - a port for a server that a test starts
 *
 * Source:  ip(7); coturn listens by TCP and UDP, and waits for minutes for a port
 *          in which a TCP connection has just ended
 * Thread:  any
 * Memory:  none
 */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* On 127.0.0.1; free a moment ago by TCP and by UDP: other tests go on beside. */
static inline uint16_t find_free_port(void)
{
	bool is_free;
	uint16_t port;

	do {
		struct sockaddr_in at = {
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		socklen_t len = sizeof(at);
		int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		g_assert_cmpint(bind(tcp, (struct sockaddr *) &at, len), ==, 0);
		g_assert_cmpint(getsockname(tcp, (struct sockaddr *) &at, &len),
				==, 0);
		is_free = bind(udp, (struct sockaddr *) &at, len) == 0;
		port = ntohs(at.sin_port);
		close(udp);
		close(tcp);
	} while (!is_free);
	return port;
}
