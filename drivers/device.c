// SPDX-License-Identifier: Apache-2.0
#include "drivers/device.h"

#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/device-udev.h"

#define SYSFS "/sys/devices/"

static const char *property(struct udev_device *d, const char *name)
{
	const char *value = udev_device_get_property_value(d, name);

	return value ? value : "";
}

/* A text that a device gave itself: nothing in it that is no character. */
static void copy_name(char *ret, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		ret[n++] = (unsigned char) *from < ' ' || *from == 0x7f ?
			' ' : *from;
	ret[n] = '\0';
}

/* The folder of the hardware in sysfs, without what the class adds: of
 * ".../usb1/1-2/1-2:1.0/video4linux/video0" that before "/video4linux". */
static void read_place(struct udev_device *d, const char *class, char *ret,
		       size_t size)
{
	const char *path = udev_device_get_syspath(d), *end;

	if (!strncmp(path, SYSFS, strlen(SYSFS)))
		path += strlen(SYSFS);
	end = strstr(path, class);
	snprintf(ret, size, "%.*s", end ? (int) (end - path) :
		 (int) strlen(path), path);
}

static void read_names(struct udev_device *d, const char *class,
		       const char *suffix, struct device *ret)
{
	const char *serial = property(d, "ID_SERIAL");
	const char *path = property(d, "ID_PATH");
	struct udev_device *usb = udev_device_get_parent_with_subsystem_devtype(
		d, "usb", "usb_device");
	char place[DEVICE_ID_BYTES];

	read_place(d, class, place, sizeof(place));
	if (*serial)
		snprintf(ret->id, sizeof(ret->id), "%.20s%s%.120s%s",
			 property(d, "ID_BUS"), *property(d, "ID_BUS") ? "-" : "",
			 serial, suffix);
	snprintf(ret->port, sizeof(ret->port), "%.160s%s",
		 *path ? path : place, suffix);
	/* All interfaces of a USB device are one camera. */
	snprintf(ret->hardware, sizeof(ret->hardware), "%.190s",
		 usb ? udev_device_get_syspath(usb) : place);
	ret->has_serial = *property(d, "ID_SERIAL_SHORT");
}

static bool read_camera(struct udev_device *d, struct device *ret)
{
	const char *node = udev_device_get_devnode(d);
	const char *name = udev_device_get_sysattr_value(d, "name");
	const char *index = udev_device_get_sysattr_value(d, "index");
	char suffix[32];

	if (!node || strncmp(udev_device_get_sysname(d), "video", 5))
		return false;
	snprintf(suffix, sizeof(suffix), "-video-index%.8s",
		 index ? index : "0");
	snprintf(ret->node, sizeof(ret->node), "%s", node);
	copy_name(ret->name, sizeof(ret->name), name ? name : "");
	read_names(d, "/video4linux/", suffix, ret);
	return true;
}

static bool read_card(struct udev_device *d, struct device *ret)
{
	const char *sysname = udev_device_get_sysname(d);
	const char *model = property(d, "ID_MODEL_ENC");
	const char *id = udev_device_get_sysattr_value(d, "id");
	int number;

	if (sscanf(sysname, "card%d", &number) != 1)
		return false;
	snprintf(ret->node, sizeof(ret->node), "hw:%d", number);
	if (*property(d, "ID_MODEL"))
		model = property(d, "ID_MODEL");
	copy_name(ret->name, sizeof(ret->name), *model ? model : id ? id : "");
	read_names(d, "/sound/", "", ret);
	return true;
}

bool device_read(struct udev_device *d, enum device_kind kind,
		 struct device *ret)
{
	struct device found = { .kind = kind };

	if (!(kind == DEVICE_CAMERA ? read_camera(d, &found) :
				      read_card(d, &found)))
		return false;
	*ret = found;
	return true;
}

int device_compare(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	if (x->has_serial != y->has_serial)
		return x->has_serial ? -1 : 1;
	if (x->has_serial && strcmp(x->id, y->id))
		return strcmp(x->id, y->id);
	return strverscmp(x->node, y->node);
}

size_t device_list(enum device_kind kind, struct device *ret, size_t max)
{
	struct udev *udev = udev_new();
	struct udev_enumerate *e = udev ? udev_enumerate_new(udev) : NULL;
	struct udev_list_entry *entry;
	size_t n = 0;

	if (!e) {
		udev_unref(udev);
		return 0;
	}
	udev_enumerate_add_match_subsystem(e, kind == DEVICE_CAMERA ?
					   "video4linux" : "sound");
	udev_enumerate_scan_devices(e);
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(e)) {
		struct udev_device *d = udev_device_new_from_syspath(
			udev, udev_list_entry_get_name(entry));

		if (d && n < max && device_read(d, kind, &ret[n]))
			n++;
		udev_device_unref(d);
	}
	udev_enumerate_unref(e);
	udev_unref(udev);
	qsort(ret, n, sizeof(*ret), device_compare);
	return n;
}

/* --- which one is meant ------------------------------------------------------ */
enum fit {
	FIT_ID,		/* the best first */
	FIT_PORT,
	FIT_NAME,
	N_FITS,
};

/* The whole of it, or up to "-video-index". */
static bool is_named(const char *full, const char *word)
{
	size_t n = strlen(word);

	return n > 0 && !strncmp(full, word, n) &&
		(full[n] == '\0' || !strncmp(full + n, "-video-index", 12));
}

static bool fits(const struct device *d, enum fit fit, const char *word)
{
	switch (fit) {
	case FIT_ID:
		return is_named(d->id, word);
	case FIT_PORT:
		return is_named(d->port, word);
	case FIT_NAME:
		return *word && strcasestr(d->name, word);
	case N_FITS:
		break;
	}
	return false;
}

/* Return: as device_match(); *ret_other: the second that fits. */
static int match(const struct device *list, size_t n, enum fit fit,
		 const char *word, size_t *ret, size_t *ret_other)
{
	int r = -ENODEV;

	for (size_t i = 0; i < n; i++) {
		if (!fits(&list[i], fit, word))
			continue;
		if (r == -ENODEV) {
			*ret = i;
			r = 0;
		} else if (strcmp(list[*ret].hardware, list[i].hardware)) {
			*ret_other = i;
			return -ENOTUNIQ;
		}
	}
	return r;
}

int device_match_exactly(const struct device *list, size_t n, const char *word,
			 size_t *ret)
{
	size_t other;
	int r = match(list, n, FIT_ID, word, ret, &other);

	return r == -ENODEV ? match(list, n, FIT_PORT, word, ret, &other) : r;
}

int device_match(const struct device *list, size_t n, const char *word,
		 size_t *ret, char *why, size_t why_size)
{
	size_t other = 0;
	int r = -ENODEV;

	for (unsigned int fit = 0; fit < N_FITS && r == -ENODEV; fit++)
		r = match(list, n, (enum fit) fit, word, ret, &other);
	if (r == -ENODEV)
		snprintf(why, why_size, "no device has '%.120s' in its name or "
			 "identity", word);
	if (r == -ENOTUNIQ)
		snprintf(why, why_size, "'%.60s' fits two devices, %.70s and "
			 "%.70s: name one of them", word,
			 device_get_lasting_name(list, n, &list[*ret]),
			 device_get_lasting_name(list, n, &list[other]));
	return r;
}

const char *device_get_lasting_name(const struct device *list, size_t n,
				    const struct device *d)
{
	if (!*d->id || !d->has_serial)
		return d->port;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].hardware, d->hardware) &&
		    !strcmp(list[i].id, d->id))
			return d->port;
	return d->id;
}
