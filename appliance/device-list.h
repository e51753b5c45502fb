/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/device-list.h - what can be a source on this machine, as JSON
 *
 * Source:  none (our own)
 * Thread:  any; opens the devices to look, and may block
 * Memory:  the caller's
 */
#pragma once

#include <json-glib/json-glib.h>

/* Return: (transfer full): an array of {kind: "video" or "audio", source (to be
 * put into the configuration: it stays the same when the device is plugged in
 * again), name, id, port, node, pcm: audio, formats: video: [{fourcc, width,
 * height}, ...], the largest size of each}, first the devices, then the test
 * sources, which have a source and a name alone. */
JsonNode *device_list_describe(void);
