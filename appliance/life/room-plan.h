/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/life/room-plan.h - which room the box wants to be in, and why
 *
 *   by hand (join, leave)    until the schedule changes rooms next; without a
 *                            schedule for ever
 *   by the schedule          while an entry of it fits
 *   as configured            else: room.name, or none where that is empty
 *
 * As with a thermostat on the wall: whoever turns it is obeyed, and the next
 * switching time takes over again.
 *
 * Source:  none (our own)
 * Thread:  control; pure, the time comes in
 * Memory:  embedded in its owner
 */
#pragma once

#include "config/schedule.h"

enum room_plan_source {
	ROOM_PLAN_CONFIGURED,
	ROOM_PLAN_SCHEDULE,
	ROOM_PLAN_HAND,
};

struct room_plan {
	struct schedule schedule;
	GTimeZone *zone;
	char *configured;	/* room.name; NULL: none */
	gboolean by_hand;
	char *hand_room;	/* NULL: left */
	int64_t hand_until_s;	/* Unix time; 0: for ever */
};

struct room_plan_state {
	const char *room;	/* wanted; NULL: none; borrowed */
	enum room_plan_source source;
	int64_t until_s;	/* it changes then; 0: never */
	const char *next_room;	/* NULL: none */
	int entry;		/* of the schedule that fits now; -1: none */
};

const char *room_plan_source_name(enum room_plan_source source);

void room_plan_clear(struct room_plan *plan);
/* What is configured from now on; checked before. What was chosen by hand
 * stays, but for its end. */
void room_plan_configure(struct room_plan *plan, const char *const *entries,
			 const char *zone, const char *room, int64_t now_s);
/* @room: joined; NULL: left. */
void room_plan_by_hand(struct room_plan *plan, const char *room, int64_t now_s);
/* As if nobody had touched it. */
void room_plan_follow(struct room_plan *plan);
/* What holds now. A choice by hand that is over is forgotten; when the clock
 * was set back it ends no later than the next change from there. */
void room_plan_get(struct room_plan *plan, int64_t now_s,
		   struct room_plan_state *ret);
