// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console-link.h"

#include <errno.h>
#include <string.h>

#include "webrtc/control-queue.h"

struct console_link {
	struct console_link_ops ops;
	struct control_queue *queue;
	void (*wake)(void *server);
	void *server;

	GMutex lock;		/* all below; held for copies of pointers */
	GBytes *page;
	guint64 generation;
	GBytes *lines[CONSOLE_LINES];	/* the n-th stands at n % CONSOLE_LINES */
	guint64 n_lines;

	gint n_commands;	/* atomic: queued */
	gint n_readers;		/* atomic: as the server knows it */
	gint readers_queued;	/* atomic: control will look at it */
	unsigned int n_told;	/* control's */
};

struct queued {
	struct console_link *link;
	struct console_command command;
};

int console_link_new(struct console_link **ret, GMainContext *context,
		     const struct console_link_ops *ops)
{
	struct console_link *link = g_new0(struct console_link, 1);
	/* One place more: the number of readers always finds one. */
	int r = control_queue_new(&link->queue, context, CONSOLE_COMMANDS + 1);

	if (r < 0) {
		g_free(link);
		return r;
	}
	link->ops = *ops;
	g_mutex_init(&link->lock);
	*ret = link;
	return 0;
}

struct console_link *console_link_free(struct console_link *link)
{
	if (!link)
		return NULL;
	/* What is still queued is not to be done any more. */
	link->ops.run = NULL;
	link->ops.readers = NULL;
	link->queue = control_queue_free(link->queue);
	g_clear_pointer(&link->page, g_bytes_unref);
	for (unsigned int i = 0; i < CONSOLE_LINES; i++)
		g_clear_pointer(&link->lines[i], g_bytes_unref);
	g_mutex_clear(&link->lock);
	g_free(link);
	return NULL;
}

/* --- control ---------------------------------------------------------------- */
void console_link_set_wake(struct console_link *link,
			   void (*wake)(void *server), void *server)
{
	link->wake = wake;
	link->server = server;
}

static void wake(struct console_link *link)
{
	if (link->wake)
		link->wake(link->server);
}

void console_link_publish(struct console_link *link, const char *json)
{
	size_t len = strlen(json);
	GBytes *page, *old;

	if (len > CONSOLE_PAGE_MAX_BYTES)
		return;
	page = g_bytes_new(json, len);
	g_mutex_lock(&link->lock);
	old = link->page;
	link->page = page;
	link->generation++;
	g_mutex_unlock(&link->lock);
	g_bytes_unref(old);
	wake(link);
}

void console_link_tell(struct console_link *link, const char *json)
{
	size_t len = strlen(json);
	GBytes *line, **place, *old;

	if (len > CONSOLE_LINE_MAX_BYTES)
		return;
	line = g_bytes_new(json, len);
	g_mutex_lock(&link->lock);
	place = &link->lines[link->n_lines++ % CONSOLE_LINES];
	old = *place;
	*place = line;
	g_mutex_unlock(&link->lock);
	g_bytes_unref(old);
	wake(link);
}

static void run(void *data)
{
	struct queued *q = data;

	g_atomic_int_add(&q->link->n_commands, -1);
	if (q->link->ops.run)
		q->link->ops.run(q->link->ops.user, &q->command);
	g_free(q);
}

static void tell_readers(void *data)
{
	struct console_link *link = data;
	unsigned int n;

	g_atomic_int_set(&link->readers_queued, 0);
	n = (unsigned int) g_atomic_int_get(&link->n_readers);
	if (n == link->n_told || !link->ops.readers)
		return;
	link->n_told = n;
	link->ops.readers(link->ops.user, n);
}

/* --- server ----------------------------------------------------------------- */
GBytes *console_link_page(struct console_link *link, guint64 *generation)
{
	GBytes *page = NULL;

	g_mutex_lock(&link->lock);
	if (link->page && *generation != link->generation) {
		page = g_bytes_ref(link->page);
		*generation = link->generation;
	}
	g_mutex_unlock(&link->lock);
	return page;
}

GBytes *console_link_line(struct console_link *link, guint64 *cursor,
			  guint64 *ret_missed)
{
	GBytes *line = NULL;
	guint64 first;

	*ret_missed = 0;
	g_mutex_lock(&link->lock);
	first = link->n_lines > CONSOLE_LINES ? link->n_lines - CONSOLE_LINES
					      : 0;
	if (*cursor < first) {
		*ret_missed = first - *cursor;
		*cursor = first;
	}
	if (*cursor < link->n_lines)
		line = g_bytes_ref(link->lines[(*cursor)++ % CONSOLE_LINES]);
	g_mutex_unlock(&link->lock);
	return line;
}

int console_link_command(struct console_link *link,
			 const struct console_command *command)
{
	struct queued *q;
	int r = -ENOBUFS;

	if (g_atomic_int_add(&link->n_commands, 1) < CONSOLE_COMMANDS) {
		q = g_new(struct queued, 1);
		*q = (struct queued){link, *command};
		r = control_queue_post(link->queue, run, q);
		if (r < 0)
			g_free(q);
	}
	if (r < 0)
		g_atomic_int_add(&link->n_commands, -1);
	return r;
}

void console_link_set_readers(struct console_link *link, unsigned int n)
{
	g_atomic_int_set(&link->n_readers, (gint) n);
	if (!g_atomic_int_compare_and_exchange(&link->readers_queued, 0, 1))
		return;
	if (control_queue_post(link->queue, tell_readers, link) < 0)
		g_atomic_int_set(&link->readers_queued, 0);
}
