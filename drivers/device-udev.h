/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/device-udev.h - one device as udev tells of it
 *
 * Source:  libudev
 * Thread:  any, with a struct udev of its own
 * Memory:  the caller's
 */
#pragma once

#include <libudev.h>

#include "drivers/device.h"

/* Return: false if it is of another kind; *ret is untouched then. */
bool device_read(struct udev_device *d, enum device_kind kind,
		 struct device *ret);
