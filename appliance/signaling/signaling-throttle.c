// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/signaling-throttle.h"

#include <string.h>

#include "appliance/signaling/message-build.h"

struct SignalingThrottle {
	GQueue queue;		/* JsonObject, referenced */
	gboolean primed;	/* something was sent before */
	gint64 last_us;
};

SignalingThrottle *signaling_throttle_new(void)
{
	SignalingThrottle *t = g_new0(SignalingThrottle, 1);

	g_queue_init(&t->queue);
	return t;
}

void signaling_throttle_clear(SignalingThrottle *t)
{
	g_queue_clear_full(&t->queue, (GDestroyNotify) json_object_unref);
}

void signaling_throttle_free(SignalingThrottle *t)
{
	if (!t)
		return;
	signaling_throttle_clear(t);
	g_free(t);
}

static const char *member(JsonObject *o, const char *name)
{
	return json_object_get_string_member_with_default(o, name, "");
}

static gboolean is_throttled(const char *type)
{
	static const char *const types[] = {
		"stream", "updateUserEvent", "muteAudioEvent",
		"muteVideoEvent", "public", NULL,
	};

	return g_strv_contains(types, type);
}

/* A newer status makes the older one pointless; texts all count. */
static void drop_superseded(SignalingThrottle *t, const char *type)
{
	if (!strcmp(type, "public") || !strcmp(type, "stream"))
		return;
	for (GList *l = t->queue.head; l; l = l->next) {
		if (strcmp(member(l->data, "type"), type))
			continue;
		json_object_unref(l->data);
		g_queue_delete_link(&t->queue, l);
		return;
	}
}

static gint64 free_at(SignalingThrottle *t)
{
	return t->primed ? t->last_us + SIGNALING_THROTTLE_INTERVAL_US
			 : G_MININT64;
}

enum signaling_throttle_verdict
signaling_throttle_push(SignalingThrottle *t, JsonObject *message,
			gint64 now_us)
{
	const char *type = member(message, "type");

	/* A group goes to all: what is for one may not be in it. */
	if (!is_throttled(type) || json_object_has_member(message, "target"))
		return SIGNALING_THROTTLE_SEND;
	/* Behind others it waits even when the second is over: in order. */
	if (g_queue_is_empty(&t->queue) && now_us >= free_at(t)) {
		t->primed = TRUE;
		t->last_us = now_us;
		return SIGNALING_THROTTLE_SEND;
	}
	drop_superseded(t, type);
	if (g_queue_get_length(&t->queue) >= SIGNALING_THROTTLE_MAX)
		return SIGNALING_THROTTLE_FULL;
	g_queue_push_tail(&t->queue, json_object_ref(message));
	return SIGNALING_THROTTLE_QUEUED;
}

gint64 signaling_throttle_due_us(SignalingThrottle *t)
{
	return g_queue_is_empty(&t->queue) ? -1 : MAX(free_at(t), 0);
}

JsonObject *signaling_throttle_pop(SignalingThrottle *t, gint64 now_us)
{
	JsonObject *list[SIGNALING_THROTTLE_GROUP_MAX], *group;
	guint n = 0;

	if (g_queue_is_empty(&t->queue) || now_us < free_at(t))
		return NULL;
	while (n < G_N_ELEMENTS(list) && !g_queue_is_empty(&t->queue))
		list[n++] = g_queue_pop_head(&t->queue);
	t->primed = TRUE;
	t->last_us = now_us;
	if (n == 1)
		return list[0];
	group = message_build_group(member(list[0], "mid"),
				    member(list[0], "rid"), list, n);
	while (n)
		json_object_unref(list[--n]);
	return group;
}
