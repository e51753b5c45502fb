// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-devices.c - cameras and microphones come, go and hang
 *
 * The pipelines see by themselves that a device went, and look for it once a
 * second; what is heard here makes them look at once. */
#include "appliance/daemon-media.h"

#include <glib-unix.h>

#include "appliance/daemon-messages.h"
#include "drivers/device-watch.h"

#define CHECK_S 1

struct daemon_devices {
	struct device_watch *watch;	/* NULL: nobody tells */
	GSource *events, *timer;
	gint64 arrived_us[2];	/* of a kind: the last one; 0: it was used */
	gint64 back_ms[2];	/* from there to its live picture; -1: never */
};

static const char *kind_name(enum device_kind kind)
{
	switch (kind) {
	case DEVICE_CAMERA:
		return "video";
	case DEVICE_MICROPHONE:
		return "audio";
	}
	return "unknown";
}

static const struct {
	const char *event, *verb;
} words[] = {
	[DEVICE_ADDED] = { "device.added", "was plugged in" },
	[DEVICE_REMOVED] = { "device.removed", "was unplugged" },
	[DEVICE_CHANGED] = { "device.changed", "changed" },
};

static void tell(Daemon *d, enum device_event event, const struct device *what)
{
	/* A device's own words. */
	g_autofree char *name = g_utf8_make_valid(what->name, -1);
	g_autofree char *id = g_utf8_make_valid(what->id, -1);
	g_autoptr(JsonObject) params = json_object_new();

	if (event != DEVICE_CHANGED)
		daemon_message_log(DAEMON_MESSAGE_DEVICE,
				   &(struct daemon_message_about){
					   .device = kind_name(what->kind),
					   .reason = words[event].event},
				   "%s: '%s' (%s, %s) %s",
				   kind_name(what->kind), name, what->node,
				   *id ? id : what->port, words[event].verb);
	if (!d->control)
		return;
	json_object_set_string_member(params, "kind", kind_name(what->kind));
	json_object_set_string_member(params, "name", name);
	json_object_set_string_member(params, "id", id);
	json_object_set_string_member(params, "port", what->port);
	json_object_set_string_member(params, "node", what->node);
	control_server_emit(d->control, words[event].event, params);
}

void daemon_devices_note(void *user, enum device_event event,
			 const struct device *what)
{
	Daemon *d = user;

	if (event != DEVICE_REMOVED && (!what || what->kind == DEVICE_CAMERA))
		video_pipeline_poke(d->video);
	if (event != DEVICE_REMOVED &&
	    (!what || what->kind == DEVICE_MICROPHONE))
		audio_pipeline_poke(d->audio);
	if (!what)
		return;
	if (event == DEVICE_ADDED)
		d->devices->arrived_us[what->kind] = g_get_monotonic_time();
	tell(d, event, what);
}

void daemon_devices_live(Daemon *d, enum device_kind kind)
{
	struct daemon_devices *m = d->devices;

	if (!m || !m->arrived_us[kind])
		return;
	m->back_ms[kind] =
		(g_get_monotonic_time() - m->arrived_us[kind]) / 1000;
	m->arrived_us[kind] = 0;
	g_info("%s: live %" G_GINT64_FORMAT " ms after its device was there",
	       kind_name(kind), m->back_ms[kind]);
}

gint64 daemon_devices_get_back_ms(const Daemon *d, enum device_kind kind)
{
	return d->devices ? d->devices->back_ms[kind] : -1;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
	Daemon *d = data;

	device_watch_dispatch(d->devices->watch);
	return G_SOURCE_CONTINUE;
}

static void tell_hung(const char *kind)
{
	daemon_message_log(DAEMON_MESSAGE_DEVICE,
			   &(struct daemon_message_about){ .device = kind,
							   .reason = "hangs" },
			   "%s: the device's driver has not answered for %d s; "
			   "its thread is left behind and the device counts as "
			   "busy until it comes back", kind,
			   (int) (CAPTURE_STUCK_US / MEDIA_US_PER_SEC));
}

static gboolean on_check(gpointer data)
{
	Daemon *d = data;

	if (video_pipeline_check(d->video))
		tell_hung("video");
	if (audio_pipeline_check(d->audio))
		tell_hung("audio");
	return G_SOURCE_CONTINUE;
}

void daemon_devices_start(Daemon *d)
{
	struct daemon_devices *m = g_new0(struct daemon_devices, 1);
	int r = device_watch_new(&m->watch, daemon_devices_note, d);

	d->devices = m;
	m->back_ms[DEVICE_CAMERA] = m->back_ms[DEVICE_MICROPHONE] = -1;
	if (r < 0) {
		g_info("nobody tells of devices that come and go (%s): they "
		       "are looked for once a second", g_strerror(-r));
	} else {
		m->events = g_unix_fd_source_new(
			device_watch_get_fd(m->watch), G_IO_IN);
		g_source_set_callback(m->events, G_SOURCE_FUNC(on_readable), d,
				      NULL);
		g_source_attach(m->events, NULL);
	}
	m->timer = g_timeout_source_new_seconds(CHECK_S);
	g_source_set_callback(m->timer, on_check, d, NULL);
	g_source_attach(m->timer, NULL);
}

static void drop(GSource **source)
{
	if (*source)
		g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

void daemon_devices_stop(Daemon *d)
{
	struct daemon_devices *m = g_steal_pointer(&d->devices);

	if (!m)
		return;
	drop(&m->events);
	drop(&m->timer);
	device_watch_free(m->watch);
	g_free(m);
}

const char *daemon_devices_get_backend(const Daemon *d)
{
	return d->devices && d->devices->watch ?
		device_watch_get_backend(d->devices->watch) : "none";
}
