/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/life/wall-alarm.h - called at a time of the clock on the wall
 *
 * A timer of GLib counts the seconds that pass; this one looks at the clock
 * that people see. When that clock is set (by NTP, by hand, at a boot without
 * a battery) the call comes at once and says so: what was planned by the old
 * time has to be planned anew.
 *
 * Source:  timerfd_create(2): CLOCK_REALTIME, TFD_TIMER_CANCEL_ON_SET
 * Thread:  control
 * Memory:  owned by its creator; one descriptor
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Nobody tells when a zone's rules change: it is looked again this often. */
#define WALL_ALARM_MAX_S 900

typedef struct WallAlarm WallAlarm;

/* @stepped: the clock was set. It may free the alarm. */
typedef void (*WallAlarmFunc)(void *user, gboolean stepped);

/* NULL: the kernel gives none; errno. */
WallAlarm *wall_alarm_new(WallAlarmFunc func, void *user);
WallAlarm *wall_alarm_free(WallAlarm *alarm);
/* Once, at this Unix time, or at once if that is past; 0, or far away: after
 * WALL_ALARM_MAX_S. Instead of what was set before. */
void wall_alarm_set(WallAlarm *alarm, int64_t at_s);
