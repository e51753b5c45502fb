// SPDX-License-Identifier: Apache-2.0
#include "config/schedule.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MIN	  1440
#define QUOTE_MAX_BYTES 60	/* of what was given, in messages */
#define DAY_S	  (INT64_C(86400))
#define DAYS_BACK 2	/* a line of yesterday may last until now; and the zone
			 * may be a day ahead */
#define DAYS_ON	  17
/* A weekly line that falls into a skipped hour once is a fortnight off. */
#define FAR_S	  (15 * DAY_S)

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu",
					"Fri", "Sat", "Sun"};

#define ALLOWED                                                            \
	"DAYS FROM-TO = ROOM, such as 'Mon-Fri 08:00-18:00 = lobby'; "     \
	"DAYS: daily, or Mon Tue Wed Thu Fri Sat Sun, also Mon-Fri and "   \
	"Sat,Sun; times from 00:00 to 24:00"

/* --- reading --------------------------------------------------------------- */
static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static bool take_day(const char **p, unsigned int *ret)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(day_names); i++)
		if (!g_ascii_strncasecmp(*p, day_names[i], 3)) {
			*p += 3;
			*ret = i;
			return true;
		}
	return false;
}

/* "Mon-Fri,Sun"; Fri-Mon goes over the week's end. */
static bool take_days(const char **p, uint8_t *ret)
{
	uint8_t days = 0;

	if (!g_ascii_strncasecmp(*p, "daily", 5)) {
		*p += 5;
		*ret = 0x7f;
		return true;
	}
	for (;;) {
		unsigned int from, to;

		if (!take_day(p, &from))
			return false;
		to = from;
		if (**p == '-') {
			(*p)++;
			if (!take_day(p, &to))
				return false;
		}
		for (unsigned int d = from;; d = (d + 1) % 7) {
			days |= (uint8_t) (1u << d);
			if (d == to)
				break;
		}
		if (**p != ',')
			break;
		*p = skip_blanks(*p + 1);
	}
	*ret = days;
	return true;
}

static bool take_two_digits(const char **p, unsigned int *ret)
{
	if (!g_ascii_isdigit((*p)[0]) || !g_ascii_isdigit((*p)[1]))
		return false;
	*ret = (unsigned int) ((*p)[0] - '0') * 10 +
	       (unsigned int) ((*p)[1] - '0');
	*p += 2;
	return true;
}

static bool take_time(const char **p, uint16_t *ret)
{
	unsigned int hour, minute;

	if (!take_two_digits(p, &hour) || *(*p)++ != ':' ||
	    !take_two_digits(p, &minute))
		return false;
	if (minute > 59 || hour > 24 || (hour == 24 && minute))
		return false;
	*ret = (uint16_t) (hour * 60 + minute);
	return true;
}

/* Return: NULL, or what is wrong. */
static const char *take_entry(const char *p, struct schedule_entry *ret,
			      const char **ret_room)
{
	struct schedule_entry e = {0};

	p = skip_blanks(p);
	if (!take_days(&p, &e.days))
		return "names no days of the week";
	if (*p != ' ' && *p != '\t')
		return "lacks a blank after the days";
	p = skip_blanks(p);
	if (!take_time(&p, &e.from_min))
		return "has no time HH:MM after the days";
	if (*p++ != '-')
		return "lacks the '-' between its times";
	if (!take_time(&p, &e.to_min))
		return "has no time HH:MM after the '-'";
	if (e.from_min == DAY_MIN)
		return "begins at 24:00, which is 00:00 of the next day";
	if (e.from_min == e.to_min)
		return "ends when it begins; the whole day is 00:00-24:00";
	if (e.to_min < e.from_min)
		e.to_min += DAY_MIN;
	p = skip_blanks(p);
	if (*p++ != '=')
		return "lacks the '=' before the room";
	p = skip_blanks(p);
	if (!*p)
		return "names no room";
	*ret = e;
	*ret_room = p;
	return NULL;
}

/* As rooms are named: one part of an address (room.name is checked alike). */
static const char *room_fault(const char *room)
{
	if (strlen(room) > SCHEDULE_MAX_ROOM_BYTES)
		return "has a room name of more than 256 bytes";
	if (!g_utf8_validate(room, -1, NULL))
		return "has a room name that is not UTF-8";
	if (strchr(room, '/') || !strcmp(room, ".") || !strcmp(room, ".."))
		return "has a room name with '/', or that is '.' or '..'";
	for (; *room; room++)
		if ((unsigned char) *room < ' ' || *room == 0x7f)
			return "has a control character in the room name";
	return NULL;
}

bool schedule_add(struct schedule *s, const char *text, char **ret_why)
{
	struct schedule_entry e = {0};
	g_autofree char *name = NULL;
	const char *room = NULL, *fault;

	if (s->n == SCHEDULE_MAX_ENTRIES) {
		*ret_why = g_strdup_printf("more than %d entries",
					   SCHEDULE_MAX_ENTRIES);
		return false;
	}
	fault = take_entry(text, &e, &room);
	if (!fault) {
		name = g_strchomp(g_strdup(room));
		fault = room_fault(name);
	}
	if (fault) {
		g_autofree char *valid = g_utf8_make_valid(
			text, (gssize) strnlen(text, QUOTE_MAX_BYTES));

		*ret_why = g_strdup_printf("'%s' %s; allowed: %s", valid,
					   fault, ALLOWED);
		return false;
	}
	e.room = g_steal_pointer(&name);
	s->entries[s->n++] = e;
	return true;
}

void schedule_clear(struct schedule *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		g_clear_pointer(&s->entries[i].room, g_free);
	s->n = 0;
}

char *schedule_entry_print(const struct schedule_entry *e)
{
	unsigned int to = e->to_min > DAY_MIN ? e->to_min - DAY_MIN : e->to_min;
	GString *s = g_string_new(e->days == 0x7f ? "daily" : NULL);

	for (unsigned int d = 0; d < 7 && e->days != 0x7f; d++) {
		unsigned int last = d;

		if (!(e->days & 1u << d))
			continue;
		while (last < 6 && e->days & 1u << (last + 1))
			last++;
		g_string_append_printf(s, "%s%s", s->len ? "," : "",
				       day_names[d]);
		if (last > d)
			g_string_append_printf(s, "-%s", day_names[last]);
		d = last;
	}
	g_string_append_printf(s, " %02u:%02u-%02u:%02u = %s",
			       e->from_min / 60u, e->from_min % 60u, to / 60,
			       to % 60, e->room);
	return g_string_free(s, FALSE);
}

/* --- the clock on the wall -------------------------------------------------- */
GTimeZone *schedule_zone_new(const char *name)
{
	return *name ? g_time_zone_new_identifier(name)
		     : g_time_zone_new_local();
}

static int64_t offset_at(GTimeZone *zone, int64_t unix_s)
{
	int i = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, unix_s);

	return i < 0 ? 0 : g_time_zone_get_offset(zone, i);
}

int64_t schedule_moment(GTimeZone *zone, int64_t day, int64_t minute)
{
	int64_t wall = day * DAY_S + minute * 60;
	int64_t low = wall - DAY_S, high = wall + DAY_S;
	int64_t before = offset_at(zone, low), after = offset_at(zone, high);

	if (before == after)
		return wall - before;
	/* The clock is set once in these two days: when? */
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(zone, middle) == before)
			low = middle;
		else
			high = middle;
	}
	/* Still by the old clock; else by the new one, at the skip at the
	 * earliest. */
	return wall - before < high ? wall - before : MAX(high, wall - after);
}

/* --- what holds ------------------------------------------------------------- */
struct span {
	int64_t from_s, to_s;
	unsigned int entry;
};

static GArray *list_spans(const struct schedule *s, GTimeZone *zone,
			  int64_t now_s)
{
	GArray *spans = g_array_new(FALSE, FALSE, sizeof(struct span));
	/* 1970-01-01 was a Thursday; a negative day is the clock's fault */
	int64_t today = MAX(now_s, 0) / DAY_S;

	for (int64_t day = today - DAYS_BACK; day <= today + DAYS_ON; day++)
		for (unsigned int i = 0; i < s->n; i++) {
			const struct schedule_entry *e = &s->entries[i];
			struct span span = {.entry = i};

			if (!(e->days & 1u << ((day + 7 + 3) % 7)))
				continue;
			span.from_s = schedule_moment(zone, day, e->from_min);
			span.to_s = schedule_moment(zone, day, e->to_min);
			g_array_append_val(spans, span);
		}
	return spans;
}

static int entry_at(const GArray *spans, int64_t at_s)
{
	int best = -1;

	for (unsigned int i = 0; i < spans->len; i++) {
		const struct span *p = &g_array_index(spans, struct span, i);

		if (p->from_s <= at_s && at_s < p->to_s &&
		    (best < 0 || (int) p->entry < best))
			best = (int) p->entry;
	}
	return best;
}

static int compare_moments(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

static const char *room_of(const struct schedule *s, int entry)
{
	return entry < 0 ? NULL : s->entries[entry].room;
}

void schedule_get(const struct schedule *s, GTimeZone *zone, int64_t now_s,
		  struct schedule_state *ret)
{
	g_autoptr(GArray) spans = list_spans(s, zone, now_s);
	g_autofree int64_t *at = g_new(int64_t, 2 * spans->len + 1);
	size_t n = 0;

	*ret = (struct schedule_state){.entry = entry_at(spans, now_s),
				       .next_entry = -1};
	ret->room = room_of(s, ret->entry);
	for (unsigned int i = 0; i < spans->len; i++) {
		const struct span *p = &g_array_index(spans, struct span, i);

		if (p->from_s > now_s && p->from_s < now_s + FAR_S)
			at[n++] = p->from_s;
		/* Where the list ends nothing does. */
		if (p->to_s > now_s && p->to_s < now_s + FAR_S)
			at[n++] = p->to_s;
	}
	qsort(at, n, sizeof(*at), compare_moments);
	for (size_t i = 0; i < n; i++) {
		int entry;

		if (i && at[i] == at[i - 1])
			continue;
		entry = entry_at(spans, at[i]);
		if (!g_strcmp0(room_of(s, entry), ret->room))
			continue;
		ret->until_s = at[i];
		ret->next_entry = entry;
		ret->next_room = room_of(s, entry);
		return;
	}
}
