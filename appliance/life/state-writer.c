// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/state-writer.h"

#include <string.h>

struct StateWriter {
	char *path;
	const struct whole_file_ops *ops;
	guint retry_ms;
	StateWriterTold told;
	void *user;

	char *wanted;		/* the last one put; NULL: none yet */
	char *writing;		/* the thread's; NULL: it does not run */
	char *written;		/* on the disk */
	char *error;		/* why the last one is not */
	guint64 writes;
	GThread *thread;
	GSource *done;		/* attached by the thread */
	GSource *retry;
	GError *outcome;	/* the thread's, until it is joined */
};

static void drop(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static gpointer work(gpointer data)
{
	StateWriter *w = data;

	whole_file_write(w->path, w->writing, strlen(w->writing), 0, w->ops,
			 &w->outcome);
	g_source_attach(w->done, NULL);
	return NULL;
}

static void start(StateWriter *w);

static gboolean on_retry(gpointer data)
{
	StateWriter *w = data;

	drop(&w->retry);
	start(w);
	return G_SOURCE_REMOVE;
}

/* Return: TRUE when told has to be called. */
static gboolean take_outcome(StateWriter *w)
{
	g_autofree char *before = g_steal_pointer(&w->error);
	g_autoptr(GError) outcome = NULL;

	g_clear_pointer(&w->thread, g_thread_join);
	outcome = g_steal_pointer(&w->outcome);
	drop(&w->done);
	if (outcome) {
		w->error = g_strdup(outcome->message);
		g_clear_pointer(&w->writing, g_free);
	} else {
		w->writes++;
		g_free(w->written);
		w->written = g_steal_pointer(&w->writing);
	}
	return g_strcmp0(before, w->error) != 0;
}

static void wait_and_retry(StateWriter *w)
{
	if (w->retry)
		return;
	w->retry = g_timeout_source_new(w->retry_ms);
	g_source_set_callback(w->retry, on_retry, w, NULL);
	g_source_attach(w->retry, NULL);
}

static gboolean on_done(gpointer data)
{
	StateWriter *w = data;
	gboolean changed = take_outcome(w);

	if (w->error)
		wait_and_retry(w);
	else
		start(w);
	if (changed)
		w->told(w->user, w->error);
	return G_SOURCE_REMOVE;
}

static void start(StateWriter *w)
{
	if (w->writing || w->retry || !g_strcmp0(w->wanted, w->written))
		return;
	w->writing = g_strdup(w->wanted);
	w->done = g_idle_source_new();
	g_source_set_callback(w->done, on_done, w, NULL);
	w->thread = g_thread_try_new("state", work, w, &w->outcome);
	/* As if it had not been able to write: tried again later. */
	if (!w->thread)
		g_source_attach(w->done, NULL);
}

StateWriter *state_writer_new(const char *path,
			      const struct whole_file_ops *ops, guint retry_ms,
			      StateWriterTold told, void *user)
{
	StateWriter *w = g_new0(StateWriter, 1);

	w->path = g_strdup(path);
	w->ops = ops;
	w->retry_ms = retry_ms ? retry_ms : STATE_WRITER_RETRY_MS;
	w->told = told;
	w->user = user;
	return w;
}

void state_writer_put(StateWriter *w, const char *text)
{
	char *copy = g_strdup(text);

	g_free(w->wanted);
	w->wanted = copy;
	start(w);
}

const char *state_writer_get_error(StateWriter *w)
{
	return w->error;
}

guint64 state_writer_get_writes(StateWriter *w)
{
	return w->writes;
}

StateWriter *state_writer_free(StateWriter *w)
{
	if (!w)
		return NULL;
	if (w->writing)
		take_outcome(w);
	drop(&w->retry);
	if (w->wanted && g_strcmp0(w->wanted, w->written) &&
	    !whole_file_write(w->path, w->wanted, strlen(w->wanted), 0, w->ops,
			      &w->outcome))
		g_warning("the state is not kept: %s", w->outcome->message);
	g_clear_error(&w->outcome);
	g_free(w->path);
	g_free(w->wanted);
	g_free(w->written);
	g_free(w->error);
	g_free(w);
	return NULL;
}
