// SPDX-License-Identifier: Apache-2.0
#include "drivers/device-watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/device-udev.h"

#define UDEV_RUNS    "/run/udev/control"
#define DISPATCH_MAX 256
#define QUEUE_BYTES  (1024 * 1024)	/* a hub with everything on it */

struct device_watch {
	struct udev *udev;
	struct udev_monitor *monitor;
	const char *backend;
	void (*on_event)(void *user, enum device_event event,
			 const struct device *d);
	void *user;
};

int device_watch_new(struct device_watch **ret,
		     void (*on_event)(void *user, enum device_event event,
				      const struct device *d), void *user)
{
	struct device_watch *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;

	if (!w)
		return r;
	w->on_event = on_event;
	w->user = user;
	w->backend = access(UDEV_RUNS, F_OK) == 0 ? "udev" : "kernel";
	w->udev = udev_new();
	errno = 0;
	if (w->udev)
		w->monitor = udev_monitor_new_from_netlink(w->udev,
							   w->backend);
	if (w->monitor) {
		udev_monitor_set_receive_buffer_size(w->monitor, QUEUE_BYTES);
		r = udev_monitor_filter_add_match_subsystem_devtype(
			w->monitor, "video4linux", NULL);
		if (r >= 0)
			r = udev_monitor_filter_add_match_subsystem_devtype(
				w->monitor, "sound", NULL);
		if (r >= 0)
			r = udev_monitor_enable_receiving(w->monitor);
	} else if (errno) {
		r = -errno;
	}
	if (r < 0) {
		device_watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct device_watch *device_watch_free(struct device_watch *w)
{
	if (!w)
		return NULL;
	udev_monitor_unref(w->monitor);
	udev_unref(w->udev);
	free(w);
	return NULL;
}

int device_watch_get_fd(const struct device_watch *w)
{
	return udev_monitor_get_fd(w->monitor);
}

const char *device_watch_get_backend(const struct device_watch *w)
{
	return w->backend;
}

/* Return: false if it is of no interest. */
static bool read_event(const char *action, enum device_event *ret)
{
	if (!action)
		return false;
	if (!strcmp(action, "add"))
		*ret = DEVICE_ADDED;
	else if (!strcmp(action, "remove"))
		*ret = DEVICE_REMOVED;
	else if (!strcmp(action, "change"))
		*ret = DEVICE_CHANGED;
	else
		return false;
	return true;
}

static void tell(struct device_watch *w, struct udev_device *d)
{
	const char *subsystem = udev_device_get_subsystem(d);
	enum device_event event;
	struct device device;

	if (!subsystem || !read_event(udev_device_get_action(d), &event))
		return;
	if (device_read(d, strcmp(subsystem, "sound") ? DEVICE_CAMERA :
			DEVICE_MICROPHONE, &device))
		w->on_event(w->user, event, &device);
	else if (!strcmp(subsystem, "sound") && event != DEVICE_REMOVED)
		w->on_event(w->user, DEVICE_CHANGED, NULL);
}

void device_watch_dispatch(struct device_watch *w)
{
	for (unsigned int i = 0; i < DISPATCH_MAX; i++) {
		struct udev_device *d = udev_monitor_receive_device(w->monitor);

		if (!d)
			break;
		tell(w, d);
		udev_device_unref(d);
	}
}
