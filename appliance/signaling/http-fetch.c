// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/http-fetch.h"

#include "appliance/signaling/http-session.h"

#define READ_BYTES 16384

struct HttpFetch {
	gint refs; /* owner, and one per operation under way */
	HttpFetchConfig config;
	GInputStream *body;
	GByteArray *bytes;
	GCancellable *cancellable;
	GSource *timer;
	gboolean timed_out, over; /* over: nobody waits any more */
};

static HttpFetch *ref(HttpFetch *f)
{
	f->refs++;
	return f;
}

static void unref(HttpFetch *f)
{
	if (--f->refs)
		return;
	g_clear_object(&f->body);
	g_object_unref(f->cancellable);
	g_object_unref(f->config.message);
	g_object_unref(f->config.session);
	g_byte_array_unref(f->bytes);
	g_free(f);
}

static void stop_timer(HttpFetch *f)
{
	if (!f->timer)
		return;
	g_source_destroy(f->timer);
	g_clear_pointer(&f->timer, g_source_unref);
}

static gboolean on_timeout(gpointer data)
{
	HttpFetch *f = data;

	stop_timer(f);
	f->timed_out = TRUE;
	g_cancellable_cancel(f->cancellable);
	return G_SOURCE_REMOVE;
}

/* @error: (transfer full) */
static void fail(HttpFetch *f, GError *error)
{
	f->over = TRUE;
	stop_timer(f);
	if (f->timed_out) {
		g_clear_error(&error);
		error = g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
				    "no reply within %u ms",
				    f->config.timeout_ms);
	} else {
		http_session_explain(f->config.message, &error);
	}
	f->config.done(f->config.user,
		       soup_message_get_status(f->config.message), NULL, 0,
		       error);
	g_error_free(error);
}

static void succeed(HttpFetch *f)
{
	guint len = f->bytes->len;

	f->over = TRUE;
	stop_timer(f);
	g_byte_array_append(f->bytes, (const guint8 *) "", 1);
	f->config.done(f->config.user,
		       soup_message_get_status(f->config.message),
		       (char *) f->bytes->data, len, NULL);
}

static void read_on(HttpFetch *f);

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
	HttpFetch *f = data;
	GError *error = NULL;
	g_autoptr(GBytes) bytes = g_input_stream_read_bytes_finish(
		G_INPUT_STREAM(source), result, &error);
	gsize size = bytes ? g_bytes_get_size(bytes) : 0;

	if (f->over) {
		g_clear_error(&error);
	} else if (!bytes) {
		fail(f, error);
	} else if (!size) {
		succeed(f);
	} else if (f->bytes->len + size > f->config.max_bytes) {
		fail(f, g_error_new(G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
				    "the answer is longer than %" G_GSIZE_FORMAT
				    " bytes",
				    f->config.max_bytes));
	} else {
		g_byte_array_append(f->bytes, g_bytes_get_data(bytes, NULL),
				    (guint) size);
		read_on(f);
	}
	unref(f);
}

static void read_on(HttpFetch *f)
{
	g_input_stream_read_bytes_async(f->body, READ_BYTES, G_PRIORITY_DEFAULT,
					f->cancellable, on_read, ref(f));
}

static void on_sent(GObject *source, GAsyncResult *result, gpointer data)
{
	HttpFetch *f = data;
	GError *error = NULL;

	f->body =
		soup_session_send_finish(SOUP_SESSION(source), result, &error);
	if (f->over)
		g_clear_error(&error);
	else if (!f->body)
		fail(f, error);
	else
		read_on(f);
	unref(f);
}

HttpFetch *http_fetch_new(const HttpFetchConfig *config)
{
	HttpFetch *f = g_new0(HttpFetch, 1);

	f->refs = 1;
	f->config = *config;
	g_object_ref(f->config.session);
	g_object_ref(f->config.message);
	f->bytes = g_byte_array_new();
	f->cancellable = g_cancellable_new();
	http_session_watch(f->config.message);
	if (config->timeout_ms) {
		f->timer = g_timeout_source_new(config->timeout_ms);
		g_source_set_callback(f->timer, on_timeout, f, NULL);
		g_source_attach(f->timer, g_main_context_get_thread_default());
	}
	soup_session_send_async(f->config.session, f->config.message,
				G_PRIORITY_DEFAULT, f->cancellable, on_sent,
				ref(f));
	return f;
}

HttpFetch *http_fetch_free(HttpFetch *f)
{
	if (!f)
		return NULL;
	f->over = TRUE;
	stop_timer(f);
	g_cancellable_cancel(f->cancellable);
	unref(f);
	return NULL;
}
