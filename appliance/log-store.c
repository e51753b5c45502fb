// SPDX-License-Identifier: Apache-2.0
#include "appliance/log-store.h"

#include <string.h>

struct line {
	gint64 time_us;
	enum log_store_level level;
	char *text, *place; /* place: or NULL */
};

struct LogStore {
	GMutex lock; /* guards everything below */
	gboolean enabled;
	struct line *lines; /* LOG_STORE_MAX; NULL: never switched on */
	unsigned int first, n;
};

LogStore *log_store_new(void)
{
	LogStore *store = g_new0(LogStore, 1);

	g_mutex_init(&store->lock);
	return store;
}

static struct line *line_at(LogStore *store, unsigned int i)
{
	return &store->lines[(store->first + i) % LOG_STORE_MAX];
}

static void drop_text(struct line *line)
{
	g_clear_pointer(&line->text, g_free);
	g_clear_pointer(&line->place, g_free);
}

LogStore *log_store_free(LogStore *store)
{
	if (!store)
		return NULL;
	log_store_clear(store, LOG_STORE_ALL);
	g_free(store->lines);
	g_mutex_clear(&store->lock);
	g_free(store);
	return NULL;
}

void log_store_set_enabled(LogStore *store, gboolean enabled)
{
	g_mutex_lock(&store->lock);
	if (enabled && !store->lines)
		store->lines = g_new0(struct line, LOG_STORE_MAX);
	store->enabled = enabled;
	g_mutex_unlock(&store->lock);
}

gboolean log_store_is_enabled(LogStore *store)
{
	gboolean enabled;

	g_mutex_lock(&store->lock);
	enabled = store->enabled;
	g_mutex_unlock(&store->lock);
	return enabled;
}

/* A stranger's words may be in it. */
static char *tame(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	if (strlen(valid) > LOG_STORE_TEXT_MAX_BYTES)
		*g_utf8_find_prev_char(valid,
				       valid + LOG_STORE_TEXT_MAX_BYTES) = '\0';
	for (char *p = valid; *p; p = g_utf8_next_char(p))
		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			memset(p, ' ', (size_t) (g_utf8_next_char(p) - p));
	return g_steal_pointer(&valid);
}

void log_store_add(LogStore *store, gint64 time_us, enum log_store_level level,
		   const char *text, const char *place)
{
	struct line *line;

	g_mutex_lock(&store->lock);
	if (store->enabled) {
		if (store->n == LOG_STORE_MAX) {
			drop_text(line_at(store, 0));
			store->first = (store->first + 1) % LOG_STORE_MAX;
			store->n--;
		}
		line = line_at(store, store->n++);
		line->time_us = time_us;
		line->level = level;
		line->text = tame(text);
		line->place = place ? tame(place) : NULL;
	}
	g_mutex_unlock(&store->lock);
}

/* --- asking ----------------------------------------------------------------
 */
static const char *level_name(enum log_store_level level)
{
	static const char *const names[] = {"error", "warn", "info", "log",
					    "debug"};

	return names[level];
}

/* As a Date becomes JSON. */
static char *format_time(gint64 time_us)
{
	g_autoptr(GDateTime) t =
		g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
	g_autofree char *seconds = g_date_time_format(t, "%Y-%m-%dT%H:%M:%S");

	return g_strdup_printf("%s.%03dZ", seconds,
			       (int) (time_us % G_USEC_PER_SEC / 1000));
}

/* In JSON, at most; quotes and backslashes take two. */
static size_t json_bytes(const struct line *line)
{
	size_t n = 64 + 2 * strlen(line->text);

	return n + (line->place ? 16 + 2 * strlen(line->place) : 0);
}

static JsonArray *describe_line(const struct line *line)
{
	g_autofree char *time = format_time(line->time_us);
	JsonArray *a = json_array_new();
	JsonObject *o;

	json_array_add_string_element(a, time);
	json_array_add_string_element(a, level_name(line->level));
	json_array_add_string_element(a, line->text);
	if (line->place) {
		o = json_object_new();
		json_object_set_string_member(o, "place", line->place);
		json_array_add_object_element(a, o);
	}
	return a;
}

static gboolean fits(const struct line *line, enum log_store_level level)
{
	return level == LOG_STORE_ALL || line->level == level;
}

/* Return: the first of the newest lines that fit into one answer. */
static unsigned int first_to_tell(LogStore *store, enum log_store_level level)
{
	size_t left = LOG_STORE_ANSWER_MAX_BYTES;

	for (unsigned int i = store->n; i-- > 0;) {
		const struct line *line = line_at(store, i);
		size_t need = fits(line, level) ? json_bytes(line) : 0;

		if (need > left)
			return i + 1;
		left -= need;
	}
	return 0;
}

JsonNode *log_store_describe(LogStore *store, enum log_store_level level)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *array = json_array_new();

	g_mutex_lock(&store->lock);
	for (unsigned int i = first_to_tell(store, level); i < store->n; i++)
		if (fits(line_at(store, i), level))
			json_array_add_array_element(
				array, describe_line(line_at(store, i)));
	g_mutex_unlock(&store->lock);
	json_node_take_array(node, array);
	return node;
}

void log_store_clear(LogStore *store, enum log_store_level level)
{
	unsigned int kept = 0;

	g_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < store->n; i++) {
		struct line *line = line_at(store, i);

		if (fits(line, level)) {
			drop_text(line);
		} else if (kept++ != i) {
			*line_at(store, kept - 1) = *line;
			line->text = line->place = NULL;
		}
	}
	store->n = kept;
	g_mutex_unlock(&store->lock);
}

unsigned int log_store_print(LogStore *store, FILE *to)
{
	unsigned int n;

	g_mutex_lock(&store->lock);
	n = store->n;
	for (unsigned int i = 0; i < n; i++) {
		const struct line *line = line_at(store, i);
		g_autofree char *time = format_time(line->time_us);

		fprintf(to, "%s %s: %s%s%s\n", time, level_name(line->level),
			line->text, line->place ? " @ " : "",
			line->place ? line->place : "");
	}
	g_mutex_unlock(&store->lock);
	fflush(to);
	return n;
}
