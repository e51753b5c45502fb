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
#include <stddef.h>
#include <stdint.h>

#define SCTP_STACK_TICK_MS   10
#define SCTP_STACK_SLOTS_MAX 1024	/* associations at once */
/* Longer than any message that is taken: what does not end in it is none. */
#define SCTP_STACK_BUFFER_BYTES (262144 + 1)

struct sctp_stack;

/* The process's stack, made if this is the first reference. It belongs to the
 * thread of that one until the last reference is gone.
 * Return: 0, -EBUSY (another thread has it) or -ENOMEM. */
int sctp_stack_ref(struct sctp_stack **ret);
/* All associations must be freed before the last one. Takes NULL. */
struct sctp_stack *sctp_stack_unref(struct sctp_stack *stack);

/* Moves usrsctp's clock. The first call, and the first after a pause without
 * associations, only notes the time. */
void sctp_stack_tick(struct sctp_stack *stack, uint64_t now_us);
/* False: no associations, no ticks needed. */
bool sctp_stack_is_busy(const struct sctp_stack *stack);

/* --- for sctp.c ------------------------------------------------------------
 * A slot is the address usrsctp knows an association by. Slots live as long
 * as the stack: usrsctp may still name one whose association is gone. */
struct sctp_slot_ops {
	/* A packet leaves; usrsctp is on the stack and holds locks. */
	void (*output)(void *assoc, const uint8_t *data, size_t len);
	/* usrsctp has returned: do what was put off. */
	void (*service)(void *assoc);
	/* Is there anything that waits for time to pass? */
	bool (*is_waiting)(const void *assoc);
	/* The slot has been put, usrsctp may be entered: release all. */
	void (*destroy)(void *assoc);
};

struct sctp_slot {
	const struct sctp_slot_ops *ops;
	void *assoc;			/* NULL: nobody's (any more) */
	void *dead_assoc;		/* to be destroyed */
	struct sctp_stack *stack;
	struct sctp_slot *next_free;
	struct sctp_slot *prev, *next;	/* of those in use */
	struct sctp_slot *next_dirty, *next_dead;
	bool dirty, registered;
};

/* Return: a slot, or NULL when all are taken. */
struct sctp_slot *sctp_slot_get(struct sctp_stack *stack,
				const struct sctp_slot_ops *ops, void *assoc);
/* Makes the slot an address usrsctp accepts. It stays one as long as the
 * stack lives: to remove it usrsctp would use a thread that is not there. */
void sctp_slot_register(struct sctp_slot *slot);
/* Forgets the association; destroy() is called now, or when the calls on the
 * stack have returned. No other function of its ops is called any more. */
void sctp_slot_put(struct sctp_slot *slot);
/* Asks for service() before the outermost call returns. */
void sctp_slot_mark(struct sctp_slot *slot);

/* Around everything that enters usrsctp or calls the user. */
void sctp_stack_enter(struct sctp_stack *stack);
void sctp_stack_leave(struct sctp_stack *stack);
/* Where messages are read to, one at a time; SCTP_STACK_BUFFER_BYTES. */
uint8_t *sctp_stack_get_buffer(struct sctp_stack *stack);
/* True inside a callback: usrsctp must not be entered. */
bool sctp_stack_is_inside(const struct sctp_stack *stack);
