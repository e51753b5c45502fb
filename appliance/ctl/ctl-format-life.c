// SPDX-License-Identifier: Apache-2.0
/* appliance/ctl/ctl-format-life.c - pages on schedule and self-test, and the
 * lines of 'status' about the box's life */
#include "appliance/ctl/ctl-format.h"

#include <string.h>

#include "appliance/ctl/ctl-format-private.h"

/* By this machine's clock: where the box stands it is its own. */
static char *time_text(JsonObject *o, const char *name)
{
	double at;
	g_autoptr(GDateTime) t =
		get_number(o, name, &at) && at > 0
			? g_date_time_new_from_unix_local((gint64) at) : NULL;

	return t ? g_date_time_format(t, "%Y-%m-%d %H:%M") : g_strdup("");
}

static const char *source_text(const char *source)
{
	if (!g_strcmp0(source, "hand"))
		return "chosen by hand";
	if (!g_strcmp0(source, "schedule"))
		return "by the schedule";
	return "as configured";
}

static void append_room(GString *s, JsonObject *o, const char *name)
{
	g_autofree char *room = safe(o, name);

	if (room[0])
		g_string_append_printf(s, "room %s", room);
	else
		g_string_append(s, "no room");
}

/* "from 2026-01-05 18:00 on: no room" */
static void append_next(GString *s, JsonObject *o)
{
	g_autofree char *until = safe(o, "until_text");

	if (!until[0])
		return;
	g_string_append_printf(s, "from %s on ", until);
	append_room(s, o, "next_room");
}

char *ctl_format_schedule(JsonNode *result, bool color)
{
	JsonObject *o = as_object(result);
	JsonArray *entries = get_array(o, "entries");
	guint n = entries ? json_array_get_length(entries) : 0;
	GString *s = g_string_new("Now   ");
	double entry = -1;

	append_room(s, o, "room");
	g_string_append_printf(s, ", %s\nNext  ",
			       source_text(get_string(o, "source")));
	if (get_string(o, "until_text"))
		append_next(s, o);
	else
		g_string_append(s, "the same for ever");
	append_text(s, "\nZone  ", o, "time_zone");
	g_string_append_c(s, '\n');
	get_number(o, "entry", &entry);
	for (guint i = 0; i < n; i++) {
		JsonNode *node = json_array_get_element(entries, i);
		bool is = (double) i == entry;
		g_autofree char *text =
			JSON_NODE_HOLDS_VALUE(node) && json_node_get_string(node)
				? ctl_text_safe(json_node_get_string(node))
				: g_strdup("");

		g_string_append(s, is ? "   *  " : "      ");
		ctl_text_paint(s, color, is ? CTL_BOLD : CTL_PLAIN, text);
		g_string_append_c(s, '\n');
	}
	if (!n)
		g_string_append(s, "      no schedule: room.schedule is "
				   "empty\n");
	return g_string_free(s, FALSE);
}

static enum ctl_color result_color(const char *result)
{
	if (!g_strcmp0(result, "ok"))
		return CTL_GOOD;
	return !g_strcmp0(result, "failed") ? CTL_BAD : CTL_WARN;
}

static void append_result(GString *s, JsonObject *last, bool color)
{
	g_autofree char *result = safe(last, "result");
	g_autofree char *at = time_text(last, "at");

	ctl_text_paint(s, color, result_color(result), result);
	append_text(s, ", ", last, "reason");
	if (at[0])
		g_string_append_printf(s, ", at %s", at);
}

char *ctl_format_selftest(JsonNode *result, bool color)
{
	JsonObject *o = as_object(result), *last = get_object(o, "last");
	JsonNode *rows = last ? json_object_get_member(last, "rows") : NULL;
	g_autofree char *next = time_text(o, "next");
	GString *s = g_string_new(NULL);

	if (rows && get_array(last, "rows") &&
	    json_array_get_length(get_array(last, "rows"))) {
		g_autofree char *page = ctl_format_doctor(rows, color);

		g_string_append(s, page);
	}
	g_string_append(s, "Last  ");
	if (last)
		append_result(s, last, color);
	else
		g_string_append(s, "none yet");
	g_string_append_printf(s, "\nNext  %s\n", is_true(o, "running")
			       ? "one runs now" : next[0] ? next
			       : "none: selftest.enabled is no");
	return g_string_free(s, FALSE);
}

/* --- of 'status' ------------------------------------------------------------- */
static void status_schedule(GString *s, JsonObject *o)
{
	JsonArray *entries = get_array(o, "entries");
	const char *source = get_string(o, "source");

	if ((!entries || !json_array_get_length(entries)) &&
	    g_strcmp0(source, "hand"))
		return;
	g_string_append_printf(s, "          %s", source_text(source));
	if (get_string(o, "until_text")) {
		g_string_append(s, "; ");
		append_next(s, o);
	}
	g_string_append_c(s, '\n');
}

void ctl_format_life_lines(GString *s, JsonObject *status, bool color)
{
	JsonObject *last = get_object(get_object(status, "selftest"), "last");

	status_schedule(s, get_object(status, "schedule"));
	if (last) {
		g_string_append(s, "Self-test ");
		append_result(s, last, color);
		g_string_append_c(s, '\n');
	}
}
