/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/device-watch.h - cameras and sound cards come and go
 *
 * What udev says, when its rules are through (names and permissions stand
 * then); without udev what the kernel says, as soon as it does. Where neither
 * can be heard nothing is told, and who waits for a device has to look.
 *
 * Source:  libudev (netlink, kobject uevents)
 * Thread:  any, one at a time: that which polls the descriptor
 * Memory:  owned by its creator
 */
#pragma once

#include "drivers/device.h"

enum device_event {
	DEVICE_ADDED,
	DEVICE_REMOVED,
	DEVICE_CHANGED,		/* its permissions or names did */
};

struct device_watch;

/**
 * device_watch_new() - listen
 * @on_event: of device_watch_dispatch(); @d is borrowed; NULL: a part of a sound
 *	      card changed: it may be that it can be opened now
 *
 * Return: 0 or a negative errno.
 */
int device_watch_new(struct device_watch **ret,
		     void (*on_event)(void *user, enum device_event event,
				      const struct device *d), void *user);
struct device_watch *device_watch_free(struct device_watch *w);

/* Readable: something is to be dispatched. */
int device_watch_get_fd(const struct device_watch *w);
/* Tells all that waits, at most 256 at a time; does not block. */
void device_watch_dispatch(struct device_watch *w);
/* "udev" or "kernel": who is heard. */
const char *device_watch_get_backend(const struct device_watch *w);
