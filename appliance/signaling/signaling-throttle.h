/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/signaling-throttle.h - no chatty message sooner than a
 * second after the last
 *
 * Status and text messages that come too fast wait, and leave together as one
 * `group` when the second is over. All other types never wait.
 *
 * Source:  docs/skylink-protocol.md §4.4
 * Thread:  any; the clock is passed in
 * Memory:  signaling_throttle_free(); holds at most SIGNALING_THROTTLE_MAX
 *          messages, of which a status message replaces its own older one
 */
#pragma once

#include <json-glib/json-glib.h>

#define SIGNALING_THROTTLE_MAX	       256
#define SIGNALING_THROTTLE_GROUP_MAX   16
#define SIGNALING_THROTTLE_INTERVAL_US G_USEC_PER_SEC

typedef struct SignalingThrottle SignalingThrottle;

SignalingThrottle *signaling_throttle_new(void);
void signaling_throttle_free(SignalingThrottle *throttle);

enum signaling_throttle_verdict {
	SIGNALING_THROTTLE_SEND,	/* send it now */
	SIGNALING_THROTTLE_QUEUED,	/* kept (referenced) for later */
	SIGNALING_THROTTLE_FULL,	/* refused, nothing kept */
};

/* @message: what is about to be sent; @now_us: monotonic */
enum signaling_throttle_verdict
signaling_throttle_push(SignalingThrottle *throttle, JsonObject *message,
			gint64 now_us);

/* When signaling_throttle_pop() has something next; -1: nothing waits. */
gint64 signaling_throttle_due_us(SignalingThrottle *throttle);

/* Return: (transfer full): a message or group that is due, or NULL. */
JsonObject *signaling_throttle_pop(SignalingThrottle *throttle, gint64 now_us);

/* Forgets what waits, as after the loss of the connection. */
void signaling_throttle_clear(SignalingThrottle *throttle);
