// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-progress.h"

#include <string.h>
#include <sys/ioctl.h>

#include "appliance/ctl/ctl-text.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX	400
#define BAR_COLUMNS	20
#define NAME_COLUMNS	30

struct peer {
	char *state;			/* the last that was printed */
	guint64 bytes, total;
};

struct ctl_progress {
	char *name;
	FILE *out;
	bool bar, drawn;
	gint64 started_us;
	GHashTable *peers;		/* peerId -> struct peer */
};

static void peer_free(gpointer data)
{
	struct peer *p = data;

	g_free(p->state);
	g_free(p);
}

struct ctl_progress *ctl_progress_new(const char *name, FILE *out, bool bar,
				      gint64 now_us)
{
	struct ctl_progress *p = g_new0(struct ctl_progress, 1);

	p->name = ctl_text_safe(name);
	p->out = out;
	p->bar = out && bar;
	p->started_us = now_us;
	p->peers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					 peer_free);
	return p;
}

struct ctl_progress *ctl_progress_free(struct ctl_progress *p)
{
	if (!p)
		return NULL;
	ctl_progress_clear(p);
	g_hash_table_unref(p->peers);
	g_free(p->name);
	g_free(p);
	return NULL;
}

void ctl_progress_clear(struct ctl_progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", p->out);
	p->drawn = false;
	if (p->out)
		fflush(p->out);
}

/* --- the line -------------------------------------------------------------- */
static char *shorten(const char *name)
{
	glong len = g_utf8_strlen(name, -1);
	g_autofree char *begin = NULL;

	if (len <= NAME_COLUMNS)
		return g_strdup(name);
	begin = g_utf8_substring(name, 0, NAME_COLUMNS - 3);
	return g_strconcat(begin, "...", NULL);
}

char *ctl_progress_line(const char *name, guint64 bytes, guint64 total,
			double seconds, unsigned int columns)
{
	g_autofree char *shown = shorten(name);
	g_autofree char *of = ctl_text_size((double) total);
	g_autofree char *done = ctl_text_size((double) bytes);
	double rate = seconds > 0 ? (double) bytes / seconds : 0;
	g_autofree char *speed = ctl_text_size(rate);
	unsigned int percent = !total ? 100
				      : (unsigned int) (MIN(bytes, total) /
							(double) total * 100);
	unsigned int full = percent * BAR_COLUMNS / 100;
	GString *s = g_string_new(NULL);
	char *text, *cut;

	g_string_append_printf(s, "%s %3u %% ", shown, percent);
	for (unsigned int i = 0; i < BAR_COLUMNS; i++)
		g_string_append_c(s, i < full ? '#' : '.');
	g_string_append_printf(s, " %s of %s", done, of);
	if (rate > 0)
		g_string_append_printf(s, "  %s/s", speed);
	if (rate > 0 && bytes < total) {
		g_autofree char *left = ctl_text_duration(
			(double) (total - bytes) / rate + 1);

		g_string_append_printf(s, "  %s", left);
	}
	text = g_string_free(s, FALSE);
	if (g_utf8_strlen(text, -1) <= (glong) columns)
		return text;
	cut = g_utf8_substring(text, 0, (glong) columns);
	g_free(text);
	return cut;
}

/* --- events ---------------------------------------------------------------- */
static const char *text_of(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_VALUE(n) &&
			       json_node_get_value_type(n) == G_TYPE_STRING
		       ? json_node_get_string(n) : NULL;
}

static JsonObject *object_of(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

bool ctl_progress_is_end(const char *state, bool *ret_well)
{
	bool well = !strcmp(state, "uploadCompleted") ||
		    !strcmp(state, "downloadCompleted");

	*ret_well = well;
	return well || !strcmp(state, "rejected") ||
	       !strcmp(state, "cancel") || !strcmp(state, "error");
}

char *ctl_progress_why(JsonObject *params)
{
	const char *why = text_of(object_of(params, "error"), "message");

	return why ? ctl_text_safe(why) : NULL;
}

static double number_of(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_VALUE(n) &&
			       json_node_get_value_type(n) != G_TYPE_STRING
		       ? json_node_get_double(n) : 0;
}

/* The slowest is what everybody waits for. */
static void draw(struct ctl_progress *p, gint64 now_us)
{
	unsigned int columns = COLUMNS_DEFAULT;
	guint64 bytes = G_MAXUINT64, total = 0;
	struct winsize size;
	GHashTableIter iter;
	gpointer peer;
	g_autofree char *line = NULL;

	g_hash_table_iter_init(&iter, p->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer)) {
		const struct peer *of = peer;

		if (of->bytes < bytes) {
			bytes = of->bytes;
			total = of->total;
		}
	}
	if (ioctl(fileno(p->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		columns = MIN(size.ws_col - 1u, COLUMNS_MAX);
	line = ctl_progress_line(p->name, bytes, total,
				 (double) (now_us - p->started_us) / 1e6,
				 columns);
	fprintf(p->out, "\r%s\033[K", line);
	p->drawn = true;
	fflush(p->out);
}

static void print_step(struct ctl_progress *p, const char *peer_id,
		       const char *state, JsonObject *params)
{
	g_autofree char *id = ctl_text_safe(peer_id);
	g_autofree char *shown = ctl_text_safe(state);
	g_autofree char *why = ctl_progress_why(params);

	fprintf(p->out, "%s: peer %s: %s%s%s\n", p->name, id, shown,
		why ? ": " : "", why ? why : "");
	fflush(p->out);
}

void ctl_progress_event(struct ctl_progress *p, JsonObject *params,
			gint64 now_us)
{
	const char *id = text_of(params, "peerId");
	const char *state = text_of(params, "state");
	JsonObject *info = object_of(params, "transferInfo");
	struct peer *peer;

	if (!id || !state)
		return;
	peer = g_hash_table_lookup(p->peers, id);
	if (!peer) {
		peer = g_new0(struct peer, 1);
		g_hash_table_insert(p->peers, g_strdup(id), peer);
	}
	peer->total = (guint64) MAX(number_of(info, "size"), 0);
	peer->bytes = (guint64) (number_of(info, "percentage") / 100 *
				 (double) peer->total);
	if (p->bar)
		draw(p, now_us);
	else if (p->out && g_strcmp0(peer->state, state))
		print_step(p, id, state, params);
	g_free(peer->state);
	peer->state = g_strdup(state);
}
