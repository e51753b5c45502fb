// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/wall-alarm.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct WallAlarm {
	int fd;
	gboolean stepped;	/* found out by setting it */
	GSource *source;
	WallAlarmFunc func;
	void *user;
};

static int64_t now_s(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
	WallAlarm *a = data;
	uint64_t times;
	ssize_t n = read(fd, &times, sizeof(times));
	gboolean stepped = a->stepped || (n < 0 && errno == ECANCELED);

	/* EAGAIN: another reading came in between. */
	if (n < 0 && !stepped)
		return G_SOURCE_CONTINUE;
	a->stepped = FALSE;
	a->func(a->user, stepped);
	return G_SOURCE_CONTINUE;
}

WallAlarm *wall_alarm_new(WallAlarmFunc func, void *user)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	WallAlarm *a;

	if (fd < 0)
		return NULL;
	a = g_new0(WallAlarm, 1);
	a->fd = fd;
	a->func = func;
	a->user = user;
	a->source = g_unix_fd_source_new(fd, G_IO_IN);
	g_source_set_callback(a->source, G_SOURCE_FUNC(on_readable), a, NULL);
	g_source_attach(a->source, g_main_context_get_thread_default());
	return a;
}

WallAlarm *wall_alarm_free(WallAlarm *a)
{
	if (!a)
		return NULL;
	g_source_destroy(a->source);
	g_source_unref(a->source);
	close(a->fd);
	g_free(a);
	return NULL;
}

void wall_alarm_set(WallAlarm *a, int64_t at_s)
{
	const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	int64_t last = now_s() + WALL_ALARM_MAX_S;
	struct itimerspec when = {
		/* 0 would disarm it */
		.it_value.tv_sec = at_s > 0 && at_s < last ? at_s : last,
	};

	/* When the clock is set from now on the descriptor becomes readable;
	 * when it was set just before this call alone says so. */
	if (timerfd_settime(a->fd, flags, &when, NULL) == 0 ||
	    errno != ECANCELED)
		return;
	a->stepped = TRUE;
	when.it_value = (struct timespec){.tv_nsec = 1};
	timerfd_settime(a->fd, flags, &when, NULL);
}
