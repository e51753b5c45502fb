// SPDX-License-Identifier: Apache-2.0
/* tests/tsan-glib.c - tells the thread sanitizer what GLib synchronises
 *
 * GLib is not built with the sanitizer, and its locks are futexes: neither a
 * GMutex nor a source attached to another thread's context looks like an order
 * to it, and hundreds of races are reported where there are none. This is
 * linked into the unit tests of a build with -Db_sanitize=thread, stands in
 * front of GLib's functions, and says what they promise:
 *
 *   g_mutex_unlock(), g_cond_wait()  before the next g_mutex_lock()
 *   g_source_attach()                before the source's callback
 *   the end of a thread              before g_thread_join() returns
 *
 * Source:  GLib's documentation; sanitizer/tsan_interface.h
 * Thread:  any
 * Memory:  a few words per source of ours, until it is destroyed
 */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>

#include <glib-unix.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define REAL(name) ((__typeof__(&name)) real(#name))

static void *real(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (!fn)
		abort();
	return fn;
}

#undef g_mutex_lock
#undef g_mutex_unlock
#undef g_cond_wait
#undef g_cond_wait_until

void g_mutex_lock(GMutex *mutex)
{
	REAL(g_mutex_lock)(mutex);
	__tsan_acquire(mutex);
}

void g_mutex_unlock(GMutex *mutex)
{
	__tsan_release(mutex);
	REAL(g_mutex_unlock)(mutex);
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
	__tsan_release(mutex);
	REAL(g_cond_wait)(cond, mutex);
	__tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
	gboolean in_time;

	__tsan_release(mutex);
	in_time = REAL(g_cond_wait_until)(cond, mutex, end_time);
	__tsan_acquire(mutex);
	return in_time;
}

gpointer g_thread_join(GThread *thread)
{
	gpointer result = REAL(g_thread_join)(thread);

	__tsan_acquire(thread);
	return result;
}

/* --- sources ------------------------------------------------------------- */
struct wrapped {
	GSource *source;
	GSourceFunc fn;
	gpointer data;
	GDestroyNotify notify;
};

/* They read @data before they may. */
#define UNSEEN __attribute__((no_sanitize("thread")))

UNSEEN static gboolean call(gpointer data)
{
	struct wrapped *w = data;

	__tsan_acquire(w->source);
	return w->fn(w->data);
}

UNSEEN static gboolean call_with_fd(gint fd, GIOCondition condition,
				    gpointer data)
{
	struct wrapped *w = data;

	__tsan_acquire(w->source);
	return ((GUnixFDSourceFunc) (void *) w->fn)(fd, condition, w->data);
}

UNSEEN static void unwrap(gpointer data)
{
	struct wrapped *w = data;

	__tsan_acquire(w->source);
	if (w->notify)
		w->notify(w->data);
	free(w);
}

static const GSourceFuncs *funcs_of(GSource *source)
{
	const GSourceFuncs *funcs = source->source_funcs;

	g_source_unref(source);
	return funcs;
}

/* Only what the program itself sets: the callbacks of other libraries have
 * other arguments. */
static bool is_ours(const void *caller)
{
	struct link_map *map = NULL;
	Dl_info info;

	/* The program's name in its own link map is empty. */
	return dladdr1(caller, &info, (void **) &map, RTLD_DL_LINKMAP) && map &&
	       !map->l_name[0];
}

void g_source_set_callback(GSource *source, GSourceFunc fn, gpointer data,
			   GDestroyNotify notify)
{
	const GSourceFuncs *fd_funcs =
		funcs_of(g_unix_fd_source_new(0, G_IO_IN));
	const GSourceFuncs *timeout_funcs = funcs_of(g_timeout_source_new(0));
	const GSourceFuncs *idle_funcs = funcs_of(g_idle_source_new());
	const GSourceFuncs *funcs = source->source_funcs;
	struct wrapped *w;

	if (!fn || !is_ours(__builtin_return_address(0)) ||
	    (funcs != fd_funcs && funcs != timeout_funcs &&
	     funcs != idle_funcs)) {
		REAL(g_source_set_callback)(source, fn, data, notify);
		return;
	}
	w = malloc(sizeof(*w));
	if (!w)
		abort();
	*w = (struct wrapped){source, fn, data, notify};
	REAL(g_source_set_callback)
	(source, funcs == fd_funcs ? G_SOURCE_FUNC(call_with_fd) : call, w,
	 unwrap);
}

guint g_source_attach(GSource *source, GMainContext *context)
{
	__tsan_release(source);
	return REAL(g_source_attach)(source, context);
}
