// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/socket-plan.h"

/* 1, 2, 4.. delays before a WebSocket's repeat, always one before polling's. */
static guint repeat_wait(gboolean polling, guint repeat, guint delay_ms)
{
	guint n = polling ? 1 : 1u << (repeat - 1);

	return MIN(n, SOCKET_PLAN_MAX_DELAYS) * delay_ms;
}

/* A pass over all addresses, each with its repeats. Return: whether @attempt
 * lies in it; otherwise what is left of @attempt is beyond it. */
static gboolean in_pass(gboolean polling, guint n, guint repeats,
			guint delay_ms, guint *attempt,
			struct socket_plan_step *ret)
{
	guint each = 1 + repeats;

	if (*attempt >= n * each) {
		*attempt -= n * each;
		return FALSE;
	}
	ret->polling = polling;
	ret->address = *attempt / each;
	ret->repeat = *attempt % each;
	ret->last_here = ret->repeat == repeats;
	if (ret->repeat)
		ret->wait_ms = repeat_wait(polling, ret->repeat, delay_ms);
	return TRUE;
}

gboolean socket_plan_get(enum socket_transport_choice choice, guint n,
			 guint delay_ms, guint attempt,
			 struct socket_plan_step *ret)
{
	struct socket_plan_step step = {.attempt = attempt};
	gboolean polls = choice != SOCKET_TRANSPORT_WEBSOCKET;
	guint left = attempt;
	gboolean found = FALSE;

	if (choice != SOCKET_TRANSPORT_POLLING)
		found = in_pass(FALSE, n, SOCKET_PLAN_WEBSOCKET_REPEATS,
				delay_ms, &left, &step);
	if (!found && polls)
		found = in_pass(TRUE, n, SOCKET_PLAN_POLLING_REPEATS, delay_ms,
				&left, &step);
	for (guint i = 0; i < SOCKET_PLAN_FINAL_ROUNDS && !found; i++) {
		found = in_pass(polls, n, 0, delay_ms, &left, &step);
		if (found && step.address == 0)
			step.wait_ms = delay_ms;
	}
	if (!found)
		return FALSE;
	step.fallback = step.address > 0 ||
			(step.polling && choice == SOCKET_TRANSPORT_AUTO);
	*ret = step;
	return TRUE;
}
