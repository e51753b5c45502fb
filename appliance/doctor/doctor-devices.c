// SPDX-License-Identifier: Apache-2.0
/* appliance/doctor/doctor-devices.c - cameras and microphones, and who holds
 * them */
#include "appliance/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/videodev2.h>
#include <string.h>
#include <unistd.h>

#include "appliance/ctl/ctl-text.h"
#include "drivers/alsa-capture.h"
#include "drivers/v4l2-capture.h"

#define RATE_HZ 48000

/* Of one kind of device. */
struct look {
	const DoctorInput *input;
	DoctorReport *report;
	const char *check;		/* "camera", "microphone" */
	gboolean live;			/* this daemon holds one */
	unsigned int n_found, n_closed;	/* nodes we may not open */
};

static void add_opened(struct look *l, const char *path, const char *name,
		       int r)
{
	if (r == 0)
		doctor_add(l->report, l->check, DOCTOR_OK, NULL,
			   "%s (%s) can be opened", name, path);
	else if (r == -EBUSY && l->live)
		doctor_add(l->report, l->check, DOCTOR_OK, NULL,
			   "%s (%s) is in use, as one is by this daemon", name,
			   path);
	else if (r == -EBUSY)
		doctor_add(l->report, l->check, DOCTOR_WARNING,
			   "End the other program, or choose another source.",
			   "%s (%s) is busy: another program has it", name,
			   path);
	else
		doctor_add(l->report, l->check, DOCTOR_FAILED,
			   "Unplug and replug it; see the kernel's log.",
			   "%s (%s) cannot be used: %s", name, path,
			   g_strerror(-r));
}

static void on_camera(void *user, const struct v4l2_camera *camera)
{
	struct look *l = user;
	struct v4l2_capture *capture = NULL;
	struct v4l2_format_wish wish = {
		.fourcc = camera->n_formats ? camera->formats[0].fourcc
					    : V4L2_PIX_FMT_YUYV,
		.width = 640, .height = 480, .fps = 30,
	};
	int r;

	l->n_found++;
	/* To agree on a format with a camera that runs would disturb it. */
	if (l->live) {
		doctor_add(l->report, l->check, DOCTOR_OK, NULL, "%s (%s)",
			   camera->card, camera->device.node);
		return;
	}
	r = v4l2_capture_open(&capture, camera->device.node, &wish, 1);
	if (r == 0)
		v4l2_capture_free(capture);
	/* No signal is the cable's business. */
	if (r == -ENOLINK || r == -ENOLCK)
		doctor_add(l->report, l->check, DOCTOR_WARNING,
			   "Look at the cable, and at what sends to it.",
			   "%s (%s) gets no steady signal", camera->card,
			   camera->device.node);
	else
		add_opened(l, camera->device.node, camera->card, r);
}

static void look_at_microphones(struct look *l)
{
	g_autofree struct alsa_microphone *all =
		g_new(struct alsa_microphone, DEVICES_MAX);
	size_t n = alsa_list_captures(all, DEVICES_MAX);

	for (size_t i = 0; i < n; i++) {
		struct alsa_capture *capture = NULL;
		int r = alsa_capture_open(&capture, all[i].pcm, RATE_HZ, 1);

		l->n_found++;
		if (r == 0)
			alsa_capture_free(capture);
		add_opened(l, all[i].pcm, all[i].device.name, r);
	}
}

/* What the listing passes over because it may not look. */
static void add_closed_nodes(struct look *l, const char *pattern)
{
	glob_t nodes;

	if (glob(pattern, 0, NULL, &nodes) != 0)
		return;
	for (size_t i = 0; i < nodes.gl_pathc; i++) {
		int fd = open(nodes.gl_pathv[i],
			      O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		int e = fd < 0 ? errno : 0;

		if (fd >= 0)
			close(fd);
		if (e != EACCES && e != EPERM)
			continue;
		l->n_closed++;
		doctor_add(l->report, l->check, DOCTOR_FAILED,
			   "Put the daemon's user into the groups video and "
			   "audio, and let the unit's DeviceAllow= name it.",
			   "%s may not be opened by this user: %s",
			   nodes.gl_pathv[i], g_strerror(e));
	}
	globfree(&nodes);
}

/* A device that the configuration names must be there, and be the only one of
 * that name. */
static void check_named(struct look *l, const char *source, const char *prefix,
			gboolean is_camera)
{
	struct alsa_microphone microphone;
	struct device camera;
	char why[256] = "";
	const char *name;
	int r;

	if (!source || !g_str_has_prefix(source, prefix))
		return;
	name = source + strlen(prefix);
	/* A PCM may have any name. */
	r = is_camera ? v4l2_resolve(name, &camera, why, sizeof(why)) :
			alsa_resolve(name, FALSE, &microphone, why,
				     sizeof(why));
	if (r == -ENOTUNIQ)
		doctor_add(l->report, l->check, DOCTOR_FAILED,
			   "Name one of them; 'skylinkctl devices' shows "
			   "what is there.", "%s", why);
	else if (is_camera && (r < 0 || !*camera.node))
		doctor_add(l->report, l->check, DOCTOR_FAILED,
			   "Plug it in, or choose another source; 'skylinkctl "
			   "devices' shows what is there.",
			   "%s is configured, but it is not there", source);
}

/* What is not to be used is not opened, and lacks nothing. NULL: nobody knows
 * what is configured. */
static gboolean is_wanted(struct look *l, const char *source,
			  const char *prefix)
{
	doctor_begin(l->report, l->check);
	if (!source || !strcmp(source, "auto") ||
	    g_str_has_prefix(source, prefix))
		return TRUE;
	doctor_add(l->report, l->check, DOCTOR_SKIPPED, NULL,
		   "None is wanted: the source is '%s'", source);
	return FALSE;
}

static void check_none(struct look *l, const char *stands)
{
	if (l->n_found || l->n_closed)
		return;
	doctor_add(l->report, l->check, DOCTOR_WARNING,
		   "Plug one in: it is taken by itself.",
		   "None is there: peers get %s", stands);
}

/* Whatever source it is: peers see it, and wonder since when. */
static void check_stand_in(struct look *l, const struct doctor_stand_in *in,
			   const char *what)
{
	g_autofree char *duration = NULL;

	if (!in->source)
		return;
	duration = ctl_text_duration((double) in->for_s);
	doctor_add(l->report, l->check, DOCTOR_WARNING,
		   "Bring it back, or choose another source; 'skylinkctl "
		   "devices' shows what is there.",
		   "%s has stood in for '%s' for %s: %s", what, in->source,
		   duration, in->why);
}

void doctor_check_devices(const DoctorInput *input, DoctorReport *r)
{
	struct look camera = {.input = input, .report = r, .check = "camera",
			      .live = input->camera_live};
	struct look microphone = {.input = input, .report = r,
				  .check = "microphone",
				  .live = input->microphone_live};

	if (is_wanted(&camera, input->video_source, "v4l2:")) {
		check_named(&camera, input->video_source, "v4l2:", TRUE);
		v4l2_list_cameras(on_camera, &camera);
		add_closed_nodes(&camera, "/dev/video*");
		check_none(&camera, "a test picture");
	}
	check_stand_in(&camera, &input->picture, "A placeholder picture");
	if (is_wanted(&microphone, input->audio_source, "alsa:")) {
		check_named(&microphone, input->audio_source, "alsa:", FALSE);
		look_at_microphones(&microphone);
		add_closed_nodes(&microphone, "/dev/snd/pcmC*c");
		check_none(&microphone, "a test tone");
	}
	check_stand_in(&microphone, &input->sound, "Silence");
}
