/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/sctp-stack.h - usrsctp, whose state is the process's, made ours
 *
 * usrsctp has one set of globals, one output callback and timers of its own.
 * Here it gets an owner: created by the first reference, shut down with the
 * last, driven by its user's clock, never by a thread of its own.
 *
 *   while sctp_stack_is_busy(): every SCTP_STACK_TICK_MS
 *	sctp_stack_tick(stack, now_us)
 *
 * usrsctp is never entered twice: what callbacks ask for meanwhile (send,
 * close, free) is remembered and done when it has returned.
 *
 * Source:  usrsctp's own interface (AF_CONN, nothreads)
 * Thread:  network; all associations of a process on the same one
 * Memory:  usrsctp allocates; a slot per association, SCTP_STACK_SLOTS_MAX
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCTP_STACK_TICK_MS   10
#define SCTP_STACK_SLOTS_MAX 1024	/* associations at once */

struct sctp_stack;

/* The process's stack, made if this is the first reference. Any thread, but
 * never at the same time as another call.
 * Return: 0 or -ENOMEM. */
int sctp_stack_ref(struct sctp_stack **ret);
/* All associations must be freed before the last one. */
struct sctp_stack *sctp_stack_unref(struct sctp_stack *stack);

/* Moves usrsctp's clock. The first call, and the first after a pause without
 * associations, only notes the time. */
void sctp_stack_tick(struct sctp_stack *stack, uint64_t now_us);
/* False: no associations, no ticks needed. */
bool sctp_stack_is_busy(const struct sctp_stack *stack);
