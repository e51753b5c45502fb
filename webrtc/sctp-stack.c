// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sctp-stack.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <usrsctp.h>

#define US_PER_MS	 UINT64_C(1000)
/* After a longer gap (a suspended box) no more is caught up at once: its
 * timers are all due then anyway. */
#define TICK_MAX_MS	 60000
/* How far the clock is run to let closed sockets go at the end. */
#define FINISH_STEP_MS	 1000
#define FINISH_STEPS_MAX 600

/* usrsctp keeps about 100 bytes for each address it was ever told: while so
 * many that it knows rest, none is added. */
#define SLOTS_REST_MIN	     64

#define CHUNKS_ON_QUEUE_MAX  10240
#define INITIAL_CWND_PACKETS 10
#define MAX_BURST_PACKETS    10
#define DELAYED_SACK_MS	     20

struct sctp_stack {
	unsigned int depth;
	uint64_t last_us;		/* 0: the clock stands */
	uint64_t rest_us;		/* below a millisecond */
	struct sctp_slot *first;	/* those in use */
	struct sctp_slot *dirty, *dead;
	/* Those usrsctp knows already, the one unused for longest first. */
	struct sctp_slot *free_first, **free_last;
	unsigned int n_free;
	unsigned int n_touched;		/* slots[] from there are new */
	struct sctp_slot slots[SCTP_STACK_SLOTS_MAX];
	/* Touched as far as messages are long. */
	uint8_t buffer[SCTP_STACK_BUFFER_BYTES];
};

/* usrsctp's state is the process's; so must be the count of its users. */
static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int process_refs;
static struct sctp_stack *process_stack;
static pthread_t process_thread;	/* of the first reference */

static int conn_output(void *addr, void *buffer, size_t length, uint8_t tos,
		       uint8_t set_df)
{
	struct sctp_slot *slot = addr;

	if (slot->assoc)
		slot->ops->output(slot->assoc, buffer, length);
	return 0;
}

/* What has no socket option is set for all; data channels run over DTLS, so
 * authentication, address changes and ECN have no use. */
static void set_defaults(void)
{
	usrsctp_sysctl_set_sctp_asconf_enable(0);
	usrsctp_sysctl_set_sctp_auto_asconf(0);
	usrsctp_sysctl_set_sctp_auth_enable(0);
	usrsctp_sysctl_set_sctp_ecn_enable(0);
	usrsctp_sysctl_set_sctp_nrsack_enable(0);
	usrsctp_sysctl_set_sctp_pktdrop_enable(0);
	usrsctp_sysctl_set_sctp_max_chunks_on_queue(CHUNKS_ON_QUEUE_MAX);
	usrsctp_sysctl_set_sctp_initial_cwnd(INITIAL_CWND_PACKETS);
	usrsctp_sysctl_set_sctp_max_burst_default(MAX_BURST_PACKETS);
	usrsctp_sysctl_set_sctp_delayed_sack_time_default(DELAYED_SACK_MS);
}

static struct sctp_stack *stack_new(void)
{
	struct sctp_stack *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->free_last = &s->free_first;
	usrsctp_init_nothreads(0, conn_output, NULL);
	set_defaults();
	return s;
}

static void stack_free(struct sctp_stack *s)
{
	/* Closed sockets wait for timers; nobody else will run them. */
	for (unsigned int i = 0; i < FINISH_STEPS_MAX; i++) {
		if (usrsctp_finish() == 0) {
			free(s);
			return;
		}
		usrsctp_handle_timers(FINISH_STEP_MS);
	}
	/* An association was not freed: usrsctp still knows our slots. */
	assert(!"SCTP association leaked");
}

int sctp_stack_ref(struct sctp_stack **ret)
{
	int r = 0;

	pthread_mutex_lock(&process_lock);
	if (!process_refs) {
		process_stack = stack_new();
		process_thread = pthread_self();
	}
	if (process_refs && !pthread_equal(process_thread, pthread_self())) {
		r = -EBUSY;
	} else if (process_stack) {
		process_refs++;
		*ret = process_stack;
	} else {
		r = -ENOMEM;
	}
	pthread_mutex_unlock(&process_lock);
	return r;
}

struct sctp_stack *sctp_stack_unref(struct sctp_stack *stack)
{
	if (!stack)
		return NULL;
	pthread_mutex_lock(&process_lock);
	assert(stack == process_stack && process_refs);
	if (--process_refs == 0) {
		stack_free(process_stack);
		process_stack = NULL;
	}
	pthread_mutex_unlock(&process_lock);
	return NULL;
}

bool sctp_stack_is_busy(const struct sctp_stack *stack)
{
	return stack->first;
}

bool sctp_stack_is_inside(const struct sctp_stack *stack)
{
	return stack->depth > 0;
}

uint8_t *sctp_stack_get_buffer(struct sctp_stack *stack)
{
	return stack->buffer;
}

void sctp_stack_tick(struct sctp_stack *stack, uint64_t now_us)
{
	uint64_t elapsed_us, ms;

	if (!stack->first) {
		stack->last_us = 0;
		return;
	}
	if (!stack->last_us || now_us < stack->last_us) {
		stack->last_us = now_us;
		stack->rest_us = 0;
		return;
	}
	elapsed_us = now_us - stack->last_us + stack->rest_us;
	stack->last_us = now_us;
	ms = elapsed_us / US_PER_MS;
	stack->rest_us = elapsed_us % US_PER_MS;
	if (!ms)
		return;

	sctp_stack_enter(stack);
	usrsctp_handle_timers((uint32_t) (ms > TICK_MAX_MS ? TICK_MAX_MS : ms));
	for (struct sctp_slot *s = stack->first; s; s = s->next)
		if (s->ops->is_waiting(s->assoc))
			sctp_slot_mark(s);
	sctp_stack_leave(stack);
}

/* --- slots --- */
/* The one unused for longest, of SLOTS_REST_MIN at least: a late packet of its
 * former owner is all the less likely. A new one costs memory for good. */
static struct sctp_slot *take_free(struct sctp_stack *stack)
{
	struct sctp_slot *slot = stack->free_first;

	if (stack->n_free < SLOTS_REST_MIN &&
	    stack->n_touched < SCTP_STACK_SLOTS_MAX)
		return &stack->slots[stack->n_touched++];
	if (!slot)
		return NULL;
	stack->n_free--;
	stack->free_first = slot->next_free;
	if (!stack->free_first)
		stack->free_last = &stack->free_first;
	slot->next_free = NULL;
	return slot;
}

struct sctp_slot *sctp_slot_get(struct sctp_stack *stack,
				const struct sctp_slot_ops *ops, void *assoc)
{
	struct sctp_slot *slot = take_free(stack);

	if (!slot)
		return NULL;
	slot->stack = stack;
	slot->ops = ops;
	slot->assoc = assoc;
	slot->prev = NULL;
	slot->next = stack->first;
	if (stack->first)
		stack->first->prev = slot;
	stack->first = slot;
	return slot;
}

void sctp_slot_register(struct sctp_slot *slot)
{
	/* Seen in 0.9.5: usrsctp_deregister_address() queues work for the
	 * iterator thread, which takes a reference on some other socket. Not
	 * run, it leaks, and that socket never goes. */
	if (!slot->registered)
		usrsctp_register_address(slot);
	slot->registered = true;
}

static void put_back(struct sctp_slot *slot)
{
	struct sctp_stack *stack = slot->stack;

	slot->ops->destroy(slot->dead_assoc);
	slot->dead_assoc = NULL;
	slot->ops = NULL;
	*stack->free_last = slot;
	stack->free_last = &slot->next_free;
	stack->n_free++;
}

void sctp_slot_put(struct sctp_slot *slot)
{
	struct sctp_stack *stack = slot->stack;

	if (slot->prev)
		slot->prev->next = slot->next;
	else
		stack->first = slot->next;
	if (slot->next)
		slot->next->prev = slot->prev;
	slot->prev = slot->next = NULL;
	if (!stack->first)
		stack->last_us = 0;
	slot->dead_assoc = slot->assoc;
	slot->assoc = NULL;
	slot->next_dead = stack->dead;
	stack->dead = slot;
	if (!stack->depth) {
		sctp_stack_enter(stack);
		sctp_stack_leave(stack);
	}
}

void sctp_slot_mark(struct sctp_slot *slot)
{
	if (slot->dirty)
		return;
	slot->dirty = true;
	slot->next_dirty = slot->stack->dirty;
	slot->stack->dirty = slot;
}

void sctp_stack_enter(struct sctp_stack *stack)
{
	stack->depth++;
}

void sctp_stack_leave(struct sctp_stack *stack)
{
	struct sctp_slot *slot;

	if (stack->depth > 1) {
		stack->depth--;
		return;
	}
	while ((slot = stack->dirty)) {
		stack->dirty = slot->next_dirty;
		slot->dirty = false;
		if (slot->assoc)
			slot->ops->service(slot->assoc);
	}
	stack->depth--;
	while ((slot = stack->dead)) {
		stack->dead = slot->next_dead;
		put_back(slot);
	}
}
