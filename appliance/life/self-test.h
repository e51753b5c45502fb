/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/life/self-test.h - what the box tries at night
 *
 * The doctor's checks, then pictures of the camera (there, not black, not
 * frozen) and the machine's temperature. The way through encoder and transport
 * is daemon-selftest.c's: it needs the daemon's own engine.
 *
 * Source:  docs/life.md; sysfs: class/thermal, cpu/thermal_throttle
 * Thread:  self_test_run(): any but control, for it blocks; the rest: pure
 * Memory:  borrows its input
 */
#pragma once

#include "appliance/doctor/doctor.h"
#include "media/video-choice.h"

#define SELF_TEST_PICTURES 8
#define SELF_TEST_PICTURE_MS 5000	/* for all of them */
#define SELF_TEST_HOT_C 85

typedef struct {
	const DoctorInput *doctor;
	struct video_choice video;	/* source NULL: nothing is looked at */
	const char *sysfs;		/* "/sys", or a test's */
} SelfTestInput;

void self_test_run(const SelfTestInput *input, DoctorReport *report);
/* The parts of it that the doctor has not. */
void self_test_look(const struct video_choice *video, DoctorReport *report);
void self_test_temperature(const char *sysfs, DoctorReport *report);

/* "failed" if a row is, else "warning" if one is, else "ok". */
const char *self_test_result(JsonArray *rows);

/* The next time that @zone's clock shows @hour:@minute, after @now_s. */
int64_t self_test_next(GTimeZone *zone, unsigned int hour, unsigned int minute,
		       int64_t now_s);
