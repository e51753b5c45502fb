/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/doctor/doctor.h - looks at everything the box depends on
 *
 * Goes through the checks in turn and reports one row for each finding: what
 * was looked at, how it is, and what to do about it. Nothing is changed; each
 * check has its own bound of time, but for a system call that hangs: whoever
 * waits takes what is there at his own deadline.
 *
 * Source:  none (our own)
 * Thread:  doctor_run(): any but control, for it blocks; the report: any
 * Memory:  the input is its caller's; the report is shared by reference count
 */
#pragma once

#include <json-glib/json-glib.h>

#include "appliance/room/room-access.h"
#include "config/config.h"

#define DOCTOR_ROWS_MAX	   128
#define DOCTOR_DEADLINE_MS 28000	/* for all of it */

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARNING,		/* it works, but not as it could */
	DOCTOR_FAILED,
	DOCTOR_SKIPPED,		/* could not be looked at; why */
};

/* What is looked at; all strings and lists may be NULL. Owned. */
typedef struct {
	char *config_path;	/* the main file; NULL: none is read */
	gboolean config_given;	/* it must exist */
	char *set_path;
	char *server;		/* of rooms; NULL: none is configured */
	char *app_key, *room;
	char *secret;		/* of the key */
	RoomAccess access;
	char **ice_urls;	/* what the room named; NULL: not in a room */

	char *video_source, *audio_source;	/* as configured */
	gboolean camera_live, microphone_live;	/* this daemon has them open */
	/* What peers get in the place of a picture or a sound. */
	struct doctor_stand_in {
		char *source;		/* which is not there; NULL: it is */
		char *why;		/* a sentence */
		gint64 for_s;		/* since then */
	} picture, sound;
	char *io, *io_reason, *demux, *demux_reason; /* of the engine that runs;
						      * NULL: none does */
	int landlock_abi;	/* that this daemon has in force; or 0 ... */
	char *landlock_reason;	/* ... and why not; NULL: no daemon says */
	char *state_dir, *spool_dir;
	guint64 quota_bytes;
	char *socket;		/* the control socket */
} DoctorInput;

/* What the configuration alone says: for whom no daemon tells more. */
void doctor_input_read(Config *config, DoctorInput *ret);
void doctor_input_clear(DoctorInput *input);

typedef struct DoctorReport DoctorReport;

DoctorReport *doctor_report_new(void);
DoctorReport *doctor_report_ref(DoctorReport *report);
void doctor_report_unref(DoctorReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DoctorReport, doctor_report_unref)

/* Return: (transfer full): an array of {check, state, what, advice}; state is
 * "ok", "warning", "failed" or "skipped"; advice may be null. A check that
 * still runs is a failed row. */
JsonNode *doctor_report_take(DoctorReport *report);
/* No further check is begun; waits for the one that runs, so long. Return:
 * FALSE when it still does. */
gboolean doctor_report_cancel(DoctorReport *report, guint wait_ms);
gboolean doctor_report_is_cancelled(DoctorReport *report);

/* All checks, into @report. */
void doctor_run(const DoctorInput *input, DoctorReport *report);

/* --- for the files of checks ----------------------------------------------- */
/* From here on a deadline that passes is @check's fault. Static text. */
void doctor_begin(DoctorReport *report, const char *check);
/* @advice: what to do, or NULL */
void doctor_add(DoctorReport *report, const char *check,
		enum doctor_state state, const char *advice,
		const char *format, ...) G_GNUC_PRINTF(5, 6);

void doctor_check_config(const DoctorInput *input, DoctorReport *report);
void doctor_check_devices(const DoctorInput *input, DoctorReport *report);
void doctor_check_rights(const DoctorInput *input, DoctorReport *report);
void doctor_check_kernel(const DoctorInput *input, DoctorReport *report);
void doctor_check_disk(const DoctorInput *input, DoctorReport *report);
/* Name, connection, certificate, clock, room API. */
void doctor_check_room_server(const DoctorInput *input, DoctorReport *report);
void doctor_check_ice(const DoctorInput *input, DoctorReport *report);
