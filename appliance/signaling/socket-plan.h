/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/socket-plan.h - what to try, in which order, and when
 *
 *   every address by WebSocket	     1 try + 2 repeats
 *   every address by polling	     1 try + 4 repeats
 *   every address once more	     2 rounds, by what works through most
 *
 * A list that is through is not begun again: whoever owns the plan waits, and
 * asks the room server anew.
 *
 * Source:  docs/skylink-protocol.md §3.2
 * Thread:  any; pure
 * Memory:  none
 */
#pragma once

#include <glib.h>

#define SOCKET_PLAN_WEBSOCKET_REPEATS 2
#define SOCKET_PLAN_POLLING_REPEATS   4
#define SOCKET_PLAN_FINAL_ROUNDS      2
#define SOCKET_PLAN_DELAY_MS	      1000	/* before the first repeat */
#define SOCKET_PLAN_MAX_DELAYS	      5		/* doubles up to so many */

enum socket_transport_choice {
	SOCKET_TRANSPORT_AUTO,		/* WebSocket, then polling */
	SOCKET_TRANSPORT_WEBSOCKET,
	SOCKET_TRANSPORT_POLLING,
};

struct socket_plan_step {
	guint attempt;		/* the argument */
	guint address;		/* index into the list */
	gboolean polling;
	gboolean fallback;	/* not the first address and transport */
	guint repeat;		/* 0: the first try here */
	gboolean last_here;	/* its repeats are used up */
	guint wait_ms;		/* before it starts */
};

/**
 * socket_plan_get() - one step
 * @choice:   by what
 * @n:	      addresses, at least 1
 * @delay_ms: SOCKET_PLAN_DELAY_MS, or less in tests
 * @attempt:  from 0
 *
 * Return: FALSE when the plan is at its end.
 */
gboolean socket_plan_get(enum socket_transport_choice choice, guint n,
			 guint delay_ms, guint attempt,
			 struct socket_plan_step *ret);
