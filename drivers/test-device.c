// SPDX-License-Identifier: Apache-2.0
#include "drivers/device.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* Two nodes of one camera, two cameras of one model without a serial number,
 * two that claim to have the same one, and one that has its own. */
static const struct device cameras[] = {
	{ DEVICE_CAMERA, "/dev/video0", "Logi C920",
	  "usb-Logi_C920_A1-video-index0", "pci-0-usb-0:1:1.0-video-index0",
	  "/usb1/1-1", true },
	{ DEVICE_CAMERA, "/dev/video1", "Logi C920",
	  "usb-Logi_C920_A1-video-index1", "pci-0-usb-0:1:1.0-video-index1",
	  "/usb1/1-1", true },
	{ DEVICE_CAMERA, "/dev/video2", "Logi C270", "usb-Logi_C270-video-index0",
	  "pci-0-usb-0:2:1.0-video-index0", "/usb1/1-2", false },
	{ DEVICE_CAMERA, "/dev/video4", "Logi C270", "usb-Logi_C270-video-index0",
	  "pci-0-usb-0:3:1.0-video-index0", "/usb1/1-3", false },
	{ DEVICE_CAMERA, "/dev/video6", "Copy", "usb-Copy_001-video-index0",
	  "pci-0-usb-0:4:1.0-video-index0", "/usb1/1-4", true },
	{ DEVICE_CAMERA, "/dev/video8", "Copy", "usb-Copy_001-video-index0",
	  "pci-0-usb-0:5:1.0-video-index0", "/usb1/1-5", true },
	{ DEVICE_CAMERA, "/dev/video10", "Platform thing", "",
	  "platform/thing.0-video-index0", "platform/thing.0", false },
};

static void test_match(void)
{
	static const struct {
		const char *word;
		int r;
		size_t index;
	} rows[] = {
		{ "usb-Logi_C920_A1-video-index0", 0, 0 },
		{ "usb-Logi_C920_A1-video-index1", 0, 1 },
		{ "usb-Logi_C920_A1", 0, 0 },
		{ "usb-Logi_C920_A", -ENODEV, 0 },
		{ "C920", 0, 0 },
		{ "c920", 0, 0 },
		{ "thing", 0, 6 },
		{ "platform/thing.0", 0, 6 },
		{ "usb-Logi_C270", -ENOTUNIQ, 0 },
		{ "pci-0-usb-0:3:1.0", 0, 3 },
		{ "pci-0-usb-0:2:1.0-video-index0", 0, 2 },
		{ "usb-Copy_001", -ENOTUNIQ, 0 },
		{ "logi", -ENOTUNIQ, 0 },
		{ "Axis", -ENODEV, 0 },
		{ "", -ENODEV, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char why[256] = "";
		size_t found = 99;

		g_test_message("%s", rows[i].word);
		g_assert_cmpint(device_match(cameras, G_N_ELEMENTS(cameras),
					     rows[i].word, &found, why,
					     sizeof(why)), ==, rows[i].r);
		if (rows[i].r == 0)
			g_assert_cmpuint(found, ==, rows[i].index);
		else
			g_assert_nonnull(strstr(why, rows[i].word));
	}
}

/* Both are named, each so that its name fits it alone. */
static void test_two_fit(void)
{
	char why[256];
	size_t i;

	g_assert_cmpint(device_match(cameras, G_N_ELEMENTS(cameras), "C270", &i,
				     why, sizeof(why)), ==, -ENOTUNIQ);
	g_assert_nonnull(strstr(why, "pci-0-usb-0:2:1.0-video-index0"));
	g_assert_nonnull(strstr(why, "pci-0-usb-0:3:1.0-video-index0"));
}

/* What is shown to be pasted leads back to the same device. */
static void test_lasting_names(void)
{
	static const char *const names[] = {
		"usb-Logi_C920_A1-video-index0", "usb-Logi_C920_A1-video-index1",
		"pci-0-usb-0:2:1.0-video-index0",
		"pci-0-usb-0:3:1.0-video-index0",
		"pci-0-usb-0:4:1.0-video-index0",
		"pci-0-usb-0:5:1.0-video-index0",
		"platform/thing.0-video-index0",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cameras); i++) {
		const char *name = device_get_lasting_name(
			cameras, G_N_ELEMENTS(cameras), &cameras[i]);
		size_t found;

		g_assert_cmpstr(name, ==, names[i]);
		g_assert_cmpint(device_match_exactly(cameras,
						     G_N_ELEMENTS(cameras),
						     name, &found), ==, 0);
		g_assert_cmpuint(found, ==, i);
	}
}

/* Serial numbers first; nodes count as people do. */
static void test_order(void)
{
	struct device list[G_N_ELEMENTS(cameras)];

	for (size_t i = 0; i < G_N_ELEMENTS(list); i++)
		list[i] = cameras[G_N_ELEMENTS(list) - 1 - i];
	qsort(list, G_N_ELEMENTS(list), sizeof(list[0]), device_compare);
	g_assert_cmpstr(list[0].node, ==, "/dev/video6");
	g_assert_cmpstr(list[1].node, ==, "/dev/video8");
	g_assert_cmpstr(list[2].node, ==, "/dev/video0");
	g_assert_cmpstr(list[4].node, ==, "/dev/video2");
	g_assert_cmpstr(list[6].node, ==, "/dev/video10");
}

/* Whatever machine this is: names within their bounds, each leads back. */
static void test_this_machine(void)
{
	static struct device list[DEVICES_MAX];

	for (int kind = DEVICE_CAMERA; kind <= DEVICE_MICROPHONE; kind++) {
		size_t n = device_list((enum device_kind) kind, list,
				       DEVICES_MAX);

		g_assert_cmpuint(n, <=, DEVICES_MAX);
		for (size_t i = 0; i < n; i++) {
			g_test_message("%s '%s' %s", list[i].node, list[i].name,
				       device_get_lasting_name(list, n,
							       &list[i]));
			g_assert_cmpint(list[i].kind, ==, kind);
			g_assert_cmpstr(list[i].node, !=, "");
			g_assert_cmpstr(list[i].port, !=, "");
		}
		g_assert_cmpuint(device_list((enum device_kind) kind, list, 0),
				 ==, 0);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/device/match", test_match);
	g_test_add_func("/device/two-fit", test_two_fit);
	g_test_add_func("/device/lasting-names", test_lasting_names);
	g_test_add_func("/device/order", test_order);
	g_test_add_func("/device/this-machine", test_this_machine);
	return g_test_run();
}
