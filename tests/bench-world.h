/* SPDX-License-Identifier: Apache-2.0 */
/* tests/bench-world.h - a wire that swallows what is sent into it
 *
 *   sending namespace          far namespace
 *   sockets -> lan0 ====veth==== lan1 -> dropped on arrival
 *
 * The neighbour entry names an Ethernet address that is not lan1's, so the
 * far side drops each frame as somebody else's: one crossing, and no receiver
 * in the figures. All of it runs on the sending thread's time. Without the
 * right to make namespaces it is the loopback device and a socket nobody
 * reads.
 *
 * Source:  veth(4), network_namespaces(7), SIOCETHTOOL
 * Thread:  the main thread, before any other exists
 * Memory:  none
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "bench-net.h"

struct bench_wire {
	bool is_loopback;
	pid_t far; /* keeps the far namespace; 0: none */
	int sink;  /* loopback: the socket nobody reads */
};

/* Return: 0 or negative errno. */
int bench_wire_open(struct bench_wire *wire);
void bench_wire_close(struct bench_wire *wire);

/* Whether the device takes super-packets whole. Return: 0, or negative errno
 * when it cannot be switched. */
int bench_wire_set_segmentation(struct bench_wire *wire, bool by_device);

/* One socket per peer, towards the far side. Return: 0 or negative errno. */
int bench_wire_connect(struct bench_wire *wire, struct bench_world *world,
		       unsigned int n_peers);
void bench_wire_disconnect(struct bench_world *world);
