/* SPDX-License-Identifier: Apache-2.0 */
/* config/schedule.h - which room when: a week of the clock on the wall
 *
 *   Mon-Fri 08:00-18:00 = standup
 *   Sat,Sun 22:00-02:00 = party        into the next day
 *   daily   00:00-24:00 = lobby        the first line that fits counts
 *
 * Times are those of a time zone. One that the clock shows twice (it is set
 * back) counts when it is shown first; one that it skips is the moment of the
 * skip. So each time of the table is one moment, in the table's order, and two
 * lines that touch neither leave a gap nor overlap, whatever the clock does.
 *
 * Source:  none (our own); zones: tzfile(5), as GLib reads them
 * Thread:  any; pure but for the zone
 * Memory:  embedded in its owner; at most SCHEDULE_MAX_ENTRIES
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_MAX_ENTRIES	64
#define SCHEDULE_MAX_ROOM_BYTES 256

struct schedule_entry {
	uint8_t days;			/* bit 0: Monday */
	uint16_t from_min, to_min;	/* minutes of the day; to_min beyond
					 * 1440: into the next day */
	char *room;
};

struct schedule {
	struct schedule_entry entries[SCHEDULE_MAX_ENTRIES];
	unsigned int n;
};

/**
 * schedule_add() - one line more
 * @text:    "DAYS FROM-TO = ROOM"
 * @ret_why: on failure what was given and what is allowed; g_free() it
 *
 * Return: false and nothing added.
 */
bool schedule_add(struct schedule *s, const char *text, char **ret_why);
/* Frees what is in it; it is empty then. */
void schedule_clear(struct schedule *s);
/* The line as it would be written; g_free() it. */
char *schedule_entry_print(const struct schedule_entry *e);

/* What holds at a moment, and until when. */
struct schedule_state {
	int entry;			/* -1: no line fits */
	const char *room;		/* its room, borrowed; NULL: none */
	int64_t until_s;		/* Unix time: another room, or none; 0:
					 * it stays so for ever */
	int next_entry;			/* what holds then; -1: no line */
	const char *next_room;
};

/* @now_s: Unix time. Cheap enough for each change, not for each packet. */
void schedule_get(const struct schedule *s, GTimeZone *zone, int64_t now_s,
		  struct schedule_state *ret);

/* The first moment at which @zone's clock shows @minute of the day @day (days
 * since 1970-01-01) or a later time; @minute may be beyond the day. */
int64_t schedule_moment(GTimeZone *zone, int64_t day, int64_t minute);

/* By name, such as Europe/Berlin; "": the box's. NULL: there is none.
 * g_time_zone_unref() */
GTimeZone *schedule_zone_new(const char *name);
