/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/control-queue.h - the way up: events for the control thread
 *
 *   network, ice --post()--> [bounded ring + eventfd] --> control: run(data)
 *
 * The twin of net_loop_post(). Events are rare (states, candidates, data
 * channel messages), so a short lock is fine here; no packet passes.
 *
 * Source:  eventfd(2)
 * Thread:  control to create and free; post from any
 * Memory:  owned by its creator; what is still queued when it is freed is
 *          run first, so that nothing leaks
 */
#pragma once

#include <glib.h>

struct control_queue;

/* @n_max: events queued at once. Return: 0 or negative errno. */
int control_queue_new(struct control_queue **ret, GMainContext *context,
		      unsigned int n_max);
struct control_queue *control_queue_free(struct control_queue *q);

/* Runs run(data) on the control thread, in order. Return: 0, or -ENOBUFS when
 * full: run() is then not called, @data stays the caller's. */
int control_queue_post(struct control_queue *q, void (*run)(void *data),
		       void *data);
