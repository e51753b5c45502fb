// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-events.h"

#include <string.h>

struct event {
	const char *name;
	JsonObject *params;
};

struct RoomEvents {
	gint refs;		/* owner, and a dispatch under way */
	GMainContext *context;
	RoomEventFn fn;
	void *user;
	GQueue queue;
	GSource *source;	/* attached while something waits */
	guint64 dropped;
	gboolean freed;
};

RoomEvents *room_events_new(GMainContext *context, RoomEventFn fn, void *user)
{
	RoomEvents *e = g_new0(RoomEvents, 1);

	e->refs = 1;
	e->context = context ? g_main_context_ref(context) : NULL;
	e->fn = fn;
	e->user = user;
	g_queue_init(&e->queue);
	return e;
}

static void free_event(gpointer data)
{
	struct event *event = data;

	json_object_unref(event->params);
	g_free(event);
}

static void unref(RoomEvents *e)
{
	if (--e->refs)
		return;
	if (e->context)
		g_main_context_unref(e->context);
	g_free(e);
}

static void stop(RoomEvents *e)
{
	if (!e->source)
		return;
	g_source_destroy(e->source);
	g_clear_pointer(&e->source, g_source_unref);
}

RoomEvents *room_events_free(RoomEvents *e)
{
	if (!e)
		return NULL;
	e->freed = TRUE;
	stop(e);
	g_queue_clear_full(&e->queue, free_event);
	unref(e);
	return NULL;
}

static gboolean on_dispatch(gpointer data)
{
	RoomEvents *e = data;
	/* Those that the listener causes wait for the next turn. */
	guint n = g_queue_get_length(&e->queue);

	stop(e);
	e->refs++;
	while (n-- && !e->freed) {
		struct event *event = g_queue_pop_head(&e->queue);

		if (!event)
			break;
		e->fn(e->user, event->name, event->params);
		free_event(event);
	}
	unref(e);
	return G_SOURCE_REMOVE;
}

static void start(RoomEvents *e)
{
	if (e->source)
		return;
	e->source = g_idle_source_new();
	g_source_set_priority(e->source, G_PRIORITY_DEFAULT);
	g_source_set_callback(e->source, on_dispatch, e, NULL);
	g_source_attach(e->source, e->context);
}

/* Peers choose how many of these there are, and nothing waits for one. */
static gboolean may_be_dropped(const char *name)
{
	return !strcmp(name, "incomingMessage") ||
	       !strcmp(name, "incomingDataStream") ||
	       !strcmp(name, "channelMessage");
}

void room_events_push(RoomEvents *e, const char *name, JsonObject *params)
{
	guint n = g_queue_get_length(&e->queue);
	struct event *event;

	if (n >= ROOM_EVENTS_MAX && may_be_dropped(name)) {
		json_object_unref(params);
		e->dropped++;
		return;
	}
	if (n >= ROOM_EVENTS_MAX + ROOM_EVENTS_KEPT) {
		free_event(g_queue_pop_head(&e->queue));
		e->dropped++;
	}
	event = g_new0(struct event, 1);
	event->name = name;
	event->params = params;
	g_queue_push_tail(&e->queue, event);
	start(e);
}

guint64 room_events_get_dropped(RoomEvents *e)
{
	return e->dropped;
}
