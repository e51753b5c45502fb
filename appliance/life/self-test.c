// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/self-test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/schedule.h"
#include "config/whole-file.h"
#include "media/picture-look.h"
#include "media/unit-pool.h"
#include "media/video-source.h"

#define N_UNITS	  4
#define WHY_BYTES 256
#define HEED_US	  UINT64_C(100000)	/* so soon it lets go of the camera */
#define DAY_S	  86400
#define ZONES_MAX 32		/* of thermal_zone0 and so on */
#define SMALL_FILE_MAX_BYTES 64

/* --- the camera -------------------------------------------------------------- */
/* Return: 0 or a negative errno, -ECANCELED: nobody asks any more; @ret_units:
 * of a source that codes itself. */
static int watch(struct video_source *s, DoctorReport *report,
		 struct picture_look *look, unsigned int *ret_units)
{
	const struct media_clock *clock = media_clock_system();
	uint64_t end_us = media_clock_now_us(clock) +
			  SELF_TEST_PICTURE_MS * UINT64_C(1000);

	*ret_units = 0;
	while (look->n + *ret_units < SELF_TEST_PICTURES) {
		struct video_sample sample = {0};
		struct video_source_wait wait;
		struct pollfd fd;
		uint64_t now_us = media_clock_now_us(clock);
		int r;

		if (doctor_report_is_cancelled(report))
			return -ECANCELED;
		if (now_us >= end_us)
			return -ETIMEDOUT;
		s->ops->wait(s, &wait);
		fd = (struct pollfd){.fd = wait.fd, .events = wait.events};
		r = media_clock_wait(clock, &fd, wait.fd >= 0,
				     MIN(wait.deadline_us,
					 MIN(now_us + HEED_US, end_us)));
		if (r >= 0)
			r = s->ops->take(s, &sample);
		if (r < 0)
			return r;
		if (r == VIDEO_SOURCE_NOTHING)
			continue;
		if (sample.picture)
			picture_look_add(look, sample.picture);
		else
			++*ret_units;
		picture_unref(sample.picture);
		coded_unit_unref(sample.unit);
	}
	return 0;
}

/* A file may show the same all day; a sensor does not. */
static void tell_look(struct video_source *s, const struct picture_look *look,
		      unsigned int units, int r, DoctorReport *report)
{
	if (r < 0)
		doctor_add(report, "picture", DOCTOR_FAILED,
			   "Unplug the camera and plug it in again, or try "
			   "another one.",
			   "%s: %u pictures came, then: %s", s->detail,
			   look->n + units, g_strerror(-r));
	else if (s->ops->is_device && picture_look_is_black(look))
		doctor_add(report, "picture", DOCTOR_WARNING,
			   "Take the cap off, or switch the light on.",
			   "%s: the pictures are black", s->detail);
	else if (s->ops->is_device && picture_look_is_frozen(look))
		doctor_add(report, "picture", DOCTOR_FAILED,
			   "Unplug the camera and plug it in again.",
			   "%s: %u pictures, all the same", s->detail, look->n);
	else
		doctor_add(report, "picture", DOCTOR_OK, NULL,
			   "%s: %u pictures%s", s->detail, look->n + units,
			   units ? ", coded by the source" : "");
}

void self_test_look(const struct video_choice *video, DoctorReport *report)
{
	struct media_count count = {0};
	struct video_source_config config = {
		.width = video->width,
		.height = video->height,
		.fps = video->fps,
		.clock = media_clock_system(),
		.count = &count,
		.wake_fd = -1,
	};
	const struct video_source_ops *ops =
		video->source ? video_source_find(video->source, &config.path)
			      : NULL;
	struct video_source *source = NULL;
	struct picture_look look = {0};
	char why[WHY_BYTES] = "";
	unsigned int units;
	int r;

	doctor_begin(report, "picture");
	if (!ops) {
		doctor_add(report, "picture", DOCTOR_SKIPPED, NULL,
			   "no picture is sent");
		return;
	}
	if (video_choice_is_fifo(video)) {
		doctor_add(report, "picture", DOCTOR_SKIPPED, NULL,
			   "%s: a FIFO, whose writer would see a reader come "
			   "and go", video->source);
		return;
	}
	r = unit_pool_new(&config.units, &count, MEDIA_CODEC_H264, N_UNITS);
	if (r == 0)
		r = ops->open(&source, &config, why, sizeof(why));
	if (r < 0) {
		doctor_add(report, "picture", DOCTOR_FAILED,
			   "See what the doctor says of devices.", "%s: %s",
			   video->source, *why ? why : g_strerror(-r));
	} else {
		r = watch(source, report, &look, &units);
		if (r != -ECANCELED)
			tell_look(source, &look, units, r, report);
	}
	if (source)
		source->ops->close(source);
	unit_pool_close(config.units);
}

/* --- the machine -------------------------------------------------------------- */
static gboolean read_number(const char *path, gint64 *ret)
{
	g_autofree char *text = NULL;
	gsize len;

	if (whole_file_read(path, SMALL_FILE_MAX_BYTES, &text, &len) < 0)
		return FALSE;
	return g_ascii_string_to_signed(g_strstrip(text), 10, G_MININT32,
					G_MAXINT32, ret, NULL);
}

void self_test_temperature(const char *sysfs, DoctorReport *report)
{
	g_autofree char *throttled = g_build_filename(
		sysfs, "devices/system/cpu/cpu0/thermal_throttle",
		"package_throttle_count", NULL);
	gint64 hottest = G_MININT64, times = 0;

	for (guint i = 0; i < ZONES_MAX; i++) {
		g_autofree char *path = g_strdup_printf(
			"%s/class/thermal/thermal_zone%u/temp", sysfs, i);
		gint64 milli;

		/* A sensor that is switched off tells nothing. */
		if (!read_number(path, &milli))
			continue;
		hottest = MAX(hottest, milli / 1000);
	}
	if (!read_number(throttled, &times))
		times = 0;
	if (hottest == G_MININT64)
		doctor_add(report, "temperature", DOCTOR_SKIPPED, NULL,
			   "the kernel tells none");
	else if (hottest >= SELF_TEST_HOT_C)
		doctor_add(report, "temperature", DOCTOR_WARNING,
			   "Give it air; dust may have settled.",
			   "%d degrees Celsius", (int) hottest);
	else
		doctor_add(report, "temperature", DOCTOR_OK, NULL,
			   "%d degrees Celsius", (int) hottest);
	if (times > 0)
		doctor_add(report, "temperature", DOCTOR_WARNING,
			   "Give it air; dust may have settled.",
			   "the processor was slowed down %d times since the "
			   "boot", (int) times);
}

void self_test_run(const SelfTestInput *input, DoctorReport *report)
{
	doctor_run(input->doctor, report);
	if (doctor_report_is_cancelled(report))
		return;
	self_test_look(&input->video, report);
	self_test_temperature(input->sysfs, report);
}

/* --- the result --------------------------------------------------------------- */
const char *self_test_result(JsonArray *rows)
{
	gboolean warning = FALSE;

	for (guint i = 0; i < json_array_get_length(rows); i++) {
		const char *state = json_object_get_string_member_with_default(
			json_array_get_object_element(rows, i), "state", "");

		if (!strcmp(state, "failed"))
			return "failed";
		warning |= !strcmp(state, "warning");
	}
	return warning ? "warning" : "ok";
}

int64_t self_test_next(GTimeZone *zone, unsigned int hour, unsigned int minute,
		       int64_t now_s)
{
	int64_t day = MAX(now_s, 0) / DAY_S - 2;
	int64_t at;

	do {
		at = schedule_moment(zone, day++, hour * 60 + minute);
	} while (at <= now_s);
	return at;
}
