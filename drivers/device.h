/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/device.h - cameras and microphones by what stays the same
 *
 * The kernel numbers devices in the order in which it meets them. What stays is
 * the serial number, wherever a device is plugged in (id), and the socket, for
 * devices that have none (port). Both are named as udev does in /dev/v4l/by-id
 * and by-path; where no udev runs there is no id, and the port is the device's
 * place in sysfs. Nothing here opens a device, and nothing blocks.
 *
 * Source:  libudev; systemd's rules 60-persistent-v4l and 78-sound-card
 * Thread:  any
 * Memory:  the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DEVICES_MAX	  64  /* of a kind; more are not seen */
#define DEVICE_NAME_BYTES 96
#define DEVICE_ID_BYTES	  192
#define DEVICE_NODE_BYTES 64

enum device_kind {
	DEVICE_CAMERA,
	DEVICE_MICROPHONE,	/* a sound card; it may only play */
};

struct device {
	enum device_kind kind;
	char node[DEVICE_NODE_BYTES];	/* "/dev/video0"; a card: "hw:1" */
	char name[DEVICE_NAME_BYTES];	/* for people: "Logitech C920" */
	char id[DEVICE_ID_BYTES];	/* "usb-Maker_Model_SERIAL-video-index0"
					 * "usb-Maker_Model_SERIAL"; "": none */
	char port[DEVICE_ID_BYTES];	/* "pci-0000:00:14.0-usb-0:2:1.0-
					 * video-index0" */
	char hardware[DEVICE_ID_BYTES];	/* tells one piece of hardware from
					 * another; two nodes may be one's */
	bool has_serial;		/* else others may have the same id */
};

/**
 * device_list() - what is plugged in now
 *
 * Devices with a serial number first, in byte order of id, then the others in
 * order of their nodes' numbers. A camera's nodes for metadata are among them:
 * who opens one sees. Return: how many, at most @max.
 */
size_t device_list(enum device_kind kind, struct device *ret, size_t max);

/* The order of device_list(), for qsort(3). */
int device_compare(const void *a, const void *b);

/**
 * device_match() - which of them a person means by @word
 * @word:    an id or a port, with or without "-video-indexN"; or a part of a
 *	     name, in any case of letters
 * @ret:     the index of the first of them; of one piece of hardware's nodes
 *	     that are not told apart by @word the first
 * @why:     on failure a sentence
 *
 * An id goes before a port, a port before a name. Pure. Return: 0, -ENODEV, or
 * -ENOTUNIQ: @word fits two pieces of hardware.
 */
int device_match(const struct device *list, size_t n, const char *word,
		 size_t *ret, char *why, size_t why_size);

/* As device_match(), for ids and ports alone, without a sentence. */
int device_match_exactly(const struct device *list, size_t n, const char *word,
			 size_t *ret);

/* What to write into the configuration for it, after "v4l2:" or "alsa:": the
 * id, if there is a serial number in it and nobody else has the same; else the
 * port. */
const char *device_get_lasting_name(const struct device *list, size_t n,
				    const struct device *d);
