// SPDX-License-Identifier: Apache-2.0
#include "appliance/doctor/doctor-wait.h"

static gboolean on_timeout(gpointer data)
{
	struct doctor_wait *w = data;

	w->timed_out = TRUE;
	g_cancellable_cancel(w->cancellable);
	return G_SOURCE_REMOVE;
}

void doctor_wait_begin(struct doctor_wait *w, guint timeout_ms)
{
	GMainContext *context = g_main_context_get_thread_default();

	*w = (struct doctor_wait){
		.cancellable = g_cancellable_new(),
		.loop = g_main_loop_new(context, FALSE),
		.timer = g_timeout_source_new(timeout_ms),
	};
	g_source_set_callback(w->timer, on_timeout, w, NULL);
	g_source_attach(w->timer, context);
}

void doctor_wait_done(GObject *source, GAsyncResult *result, gpointer data)
{
	struct doctor_wait *w = data;

	w->result = g_object_ref(result);
	g_main_loop_quit(w->loop);
}

GAsyncResult *doctor_wait_result(struct doctor_wait *w)
{
	if (!w->result)
		g_main_loop_run(w->loop);
	return w->result;
}

void doctor_wait_end(struct doctor_wait *w)
{
	g_source_destroy(w->timer);
	g_source_unref(w->timer);
	g_main_loop_unref(w->loop);
	g_object_unref(w->cancellable);
	g_object_unref(w->result);
}
