/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-subscription.h - which events one client gets
 *
 * Events of the table, each wanted or not; and rules, which want some events
 * of one peer, with certain fields, always or once. An event that several of
 * them want arrives once.
 *
 * Source:  SkylinkJS 0.6.12 API: on(), once(), off()
 * Thread:  control
 * Memory:  owned by its creator; at most CONTROL_RULES_MAX rules, each of at
 *          most CONTROL_WHERE_MAX_FIELDS conditions
 */
#pragma once

#include <json-glib/json-glib.h>

#define CONTROL_RULES_MAX	 64
#define CONTROL_WHERE_MAX_FIELDS 16
#define CONTROL_WHERE_MAX_BYTES	 4096

typedef struct ControlSubscription ControlSubscription;

/* Wants nothing. @n_events: rows of the event table. */
ControlSubscription *control_subscription_new(unsigned int n_events);
/* Takes NULL. */
ControlSubscription *control_subscription_free(ControlSubscription *sub);

typedef struct {
	const guint8 *marks;	/* one per row: wanted or not */
	gboolean all;		/* every event, and those of no row, too */
	const char *peer_id;	/* of events about a peer this one's; or NULL */
	JsonObject *where;	/* field -> value, or an array of values; a field
				 * may be a path "message.content"; or NULL */
	gboolean once;		/* gone after the first that fits */
} ControlSubscriptionRule;

/* Return: FALSE with @ret_why (g_free) when a limit is reached; nothing is
 * changed then. */
gboolean control_subscription_add(ControlSubscription *sub,
				  const ControlSubscriptionRule *rule,
				  char **ret_why);
/* What is marked is wanted no more, by rules neither. */
void control_subscription_remove(ControlSubscription *sub, const guint8 *marks,
				 gboolean all);

/* Might an event of that row be wanted? @event: -1: of no row. Takes NULL. */
gboolean control_subscription_may_want(const ControlSubscription *sub,
				       int event);
gboolean control_subscription_is_empty(const ControlSubscription *sub);
/**
 * control_subscription_take() - an event happened
 * @params: NULL for none
 *
 * Return: whether it is wanted. Rules that wanted one such are gone then.
 */
gboolean control_subscription_take(ControlSubscription *sub, int event,
				   JsonObject *params);
