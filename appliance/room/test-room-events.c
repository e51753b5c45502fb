// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-events.h"

struct listener {
	RoomEvents *events;
	GString *seen;
	guint n;
	enum { LISTEN, PUSH_MORE, FREE } then;
};

static void push(struct listener *l, const char *name, int n)
{
	JsonObject *o = json_object_new();

	json_object_set_int_member(o, "n", n);
	room_events_push(l->events, name, o);
}

static void on_event(void *user, const char *name, JsonObject *params)
{
	struct listener *l = user;

	l->n++;
	if (l->seen->len < 64)
		g_string_append_printf(l->seen, "%s%d ", name,
				       (int) json_object_get_int_member(
					       params, "n"));
	if (l->then == PUSH_MORE && l->n == 1)
		push(l, "late", 0);
	if (l->then == FREE)
		l->events = room_events_free(l->events);
}

static void start(struct listener *l)
{
	l->seen = g_string_new(NULL);
	l->events = room_events_new(NULL, on_event, l);
}

static void finish(struct listener *l)
{
	room_events_free(l->events);
	g_string_free(l->seen, TRUE);
}

static void test_later_and_in_order(void)
{
	struct listener l = {0};

	start(&l);
	push(&l, "a", 1);
	push(&l, "b", 2);
	g_assert_cmpuint(l.n, ==, 0);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpstr(l.seen->str, ==, "a1 b2 ");
	finish(&l);
}

static void test_what_a_listener_causes(void)
{
	struct listener l = {.then = PUSH_MORE};

	start(&l);
	push(&l, "a", 1);
	push(&l, "b", 2);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpstr(l.seen->str, ==, "a1 b2 late0 ");
	finish(&l);
}

static void test_freed_by_a_listener(void)
{
	struct listener l = {.then = FREE};

	start(&l);
	push(&l, "a", 1);
	push(&l, "b", 2);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(l.n, ==, 1);
	finish(&l);
}

static void test_bounded(void)
{
	struct listener l = {0};

	start(&l);
	for (int i = 0; i < ROOM_EVENTS_MAX + ROOM_EVENTS_KEPT + 10; i++)
		push(&l, "e", i);
	g_assert_cmpuint(room_events_get_dropped(l.events), ==, 10);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(l.n, ==, ROOM_EVENTS_MAX + ROOM_EVENTS_KEPT);
	/* the oldest went */
	g_assert_true(g_str_has_prefix(l.seen->str, "e10 "));
	finish(&l);
}

/* Who floods us with messages loses messages, and nobody's end is lost. */
static void test_messages_displace_nothing(void)
{
	struct listener l = {0};

	start(&l);
	push(&l, "dataTransferState", 0);
	for (int i = 0; i < 2 * ROOM_EVENTS_MAX; i++)
		push(&l, "incomingMessage", i);
	push(&l, "peerLeft", 0);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(l.n, ==, ROOM_EVENTS_MAX + 1);
	g_assert_cmpuint(room_events_get_dropped(l.events), ==,
			 ROOM_EVENTS_MAX + 1);
	g_assert_true(g_str_has_prefix(l.seen->str, "dataTransferState0 "));
	finish(&l);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-events/order", test_later_and_in_order);
	g_test_add_func("/room-events/caused", test_what_a_listener_causes);
	g_test_add_func("/room-events/freed", test_freed_by_a_listener);
	g_test_add_func("/room-events/bounded", test_bounded);
	g_test_add_func("/room-events/messages",
			test_messages_displace_nothing);
	return g_test_run();
}
