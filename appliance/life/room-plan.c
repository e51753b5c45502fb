// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/room-plan.h"

const char *room_plan_source_name(enum room_plan_source source)
{
	switch (source) {
	case ROOM_PLAN_CONFIGURED:
		return "configured";
	case ROOM_PLAN_SCHEDULE:
		return "schedule";
	case ROOM_PLAN_HAND:
		return "hand";
	}
	g_assert_not_reached();
}

void room_plan_clear(struct room_plan *p)
{
	schedule_clear(&p->schedule);
	g_clear_pointer(&p->zone, g_time_zone_unref);
	g_clear_pointer(&p->configured, g_free);
	room_plan_follow(p);
}

void room_plan_configure(struct room_plan *p, const char *const *entries,
			 const char *zone, const char *room, int64_t now_s)
{
	struct schedule_state state;

	schedule_clear(&p->schedule);
	for (; *entries; entries++) {
		g_autofree char *why = NULL;

		/* The option's reader has taken it, and so do we. */
		if (!schedule_add(&p->schedule, *entries, &why))
			g_warning("ignoring an entry of the schedule: %s", why);
	}
	g_clear_pointer(&p->zone, g_time_zone_unref);
	p->zone = schedule_zone_new(zone);
	if (!p->zone) {
		g_warning("falling back to UTC: the time zone %s is gone",
			  zone);
		p->zone = g_time_zone_new_utc();
	}
	g_free(p->configured);
	p->configured = *room ? g_strdup(room) : NULL;
	schedule_get(&p->schedule, p->zone, now_s, &state);
	p->hand_until_s = state.until_s;
}

void room_plan_by_hand(struct room_plan *p, const char *room, int64_t now_s)
{
	struct schedule_state state;
	char *copy = g_strdup(room);

	schedule_get(&p->schedule, p->zone, now_s, &state);
	g_free(p->hand_room);
	p->hand_room = copy;
	p->hand_until_s = state.until_s;
	p->by_hand = TRUE;
}

void room_plan_follow(struct room_plan *p)
{
	g_clear_pointer(&p->hand_room, g_free);
	p->by_hand = FALSE;
	p->hand_until_s = 0;
}

void room_plan_get(struct room_plan *p, int64_t now_s,
		   struct room_plan_state *ret)
{
	struct schedule_state state;

	schedule_get(&p->schedule, p->zone, now_s, &state);
	if (p->by_hand && p->hand_until_s && now_s >= p->hand_until_s)
		room_plan_follow(p);
	/* Only a clock that was set back makes a change come earlier. */
	if (p->by_hand && p->hand_until_s && state.until_s)
		p->hand_until_s = MIN(p->hand_until_s, state.until_s);
	*ret = (struct room_plan_state){
		.room = state.room ? state.room : p->configured,
		.source = state.room ? ROOM_PLAN_SCHEDULE
				     : ROOM_PLAN_CONFIGURED,
		.until_s = state.until_s,
		.entry = state.entry,
	};
	if (state.until_s)
		ret->next_room = state.next_room ? state.next_room
						 : p->configured;
	if (p->by_hand) {
		ret->room = p->hand_room;
		ret->source = ROOM_PLAN_HAND;
	}
}
