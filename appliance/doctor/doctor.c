// SPDX-License-Identifier: Apache-2.0
#include "appliance/doctor/doctor.h"

#include "appliance/control/control-path.h"
#include "appliance/daemon-private.h"
#include "appliance/spool/spool-path.h"

#define BYTES_PER_MB 1000000

struct DoctorReport {
	gatomicrefcount refs;
	GMutex lock;
	JsonArray *rows;
	const char *running;	/* the check that runs; NULL: none does */
	gboolean done, cancelled;
	GCond ended;
};

DoctorReport *doctor_report_new(void)
{
	DoctorReport *r = g_new0(DoctorReport, 1);

	g_atomic_ref_count_init(&r->refs);
	g_mutex_init(&r->lock);
	g_cond_init(&r->ended);
	r->rows = json_array_new();
	return r;
}

DoctorReport *doctor_report_ref(DoctorReport *r)
{
	g_atomic_ref_count_inc(&r->refs);
	return r;
}

void doctor_report_unref(DoctorReport *r)
{
	if (!g_atomic_ref_count_dec(&r->refs))
		return;
	g_mutex_clear(&r->lock);
	g_cond_clear(&r->ended);
	json_array_unref(r->rows);
	g_free(r);
}

void doctor_begin(DoctorReport *r, const char *check)
{
	g_mutex_lock(&r->lock);
	r->running = check;
	g_mutex_unlock(&r->lock);
}

static JsonObject *make_row(const char *check, enum doctor_state state,
			    const char *what, const char *advice)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARNING] = "warning",
		[DOCTOR_FAILED] = "failed",
		[DOCTOR_SKIPPED] = "skipped",
	};
	/* Drivers, servers and file names have their say in it. */
	g_autofree char *valid = g_utf8_make_valid(what, -1);
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "check", check);
	json_object_set_string_member(o, "state", names[state]);
	json_object_set_string_member(o, "what", valid);
	if (advice)
		json_object_set_string_member(o, "advice", advice);
	else
		json_object_set_null_member(o, "advice");
	return o;
}

void doctor_add(DoctorReport *r, const char *check, enum doctor_state state,
		const char *advice, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_mutex_lock(&r->lock);
	if (json_array_get_length(r->rows) < DOCTOR_ROWS_MAX)
		json_array_add_object_element(
			r->rows, make_row(check, state, what, advice));
	g_mutex_unlock(&r->lock);
}

gboolean doctor_report_cancel(DoctorReport *r, guint wait_ms)
{
	gint64 until = g_get_monotonic_time() +
		wait_ms * G_TIME_SPAN_MILLISECOND;
	gboolean done;

	g_mutex_lock(&r->lock);
	r->cancelled = TRUE;
	while (!r->done && g_cond_wait_until(&r->ended, &r->lock, until))
		;
	done = r->done;
	g_mutex_unlock(&r->lock);
	return done;
}

JsonNode *doctor_report_take(DoctorReport *r)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *rows = json_array_new();

	g_mutex_lock(&r->lock);
	for (unsigned int i = 0; i < json_array_get_length(r->rows); i++)
		json_array_add_element(
			rows, json_node_copy(json_array_get_element(r->rows,
								    i)));
	if (!r->done)
		json_array_add_object_element(rows, make_row(
			r->running ? r->running : "doctor", DOCTOR_FAILED,
			"This check did not come to its end in time; what "
			"follows it was not looked at",
			"Try again; if it stays so, look at the device or "
			"server it is about."));
	g_mutex_unlock(&r->lock);
	json_node_take_array(node, rows);
	return node;
}

gboolean doctor_report_is_cancelled(DoctorReport *r)
{
	gboolean cancelled;

	g_mutex_lock(&r->lock);
	cancelled = r->cancelled;
	g_mutex_unlock(&r->lock);
	return cancelled;
}

void doctor_run(const DoctorInput *input, DoctorReport *r)
{
	static const struct {
		const char *name;
		void (*run)(const DoctorInput *input, DoctorReport *report);
	} checks[] = {
		{"configuration", doctor_check_config},
		{"rights", doctor_check_rights},
		{"kernel", doctor_check_kernel},
		{"disk", doctor_check_disk},
		{"room-server", doctor_check_room_server},
		{"ice-server", doctor_check_ice},
		/* Last: drivers are what hangs. */
		{"device", doctor_check_devices},
	};

	for (unsigned int i = 0;
	     i < G_N_ELEMENTS(checks) && !doctor_report_is_cancelled(r);
	     i++) {
		doctor_begin(r, checks[i].name);
		checks[i].run(input, r);
	}
	g_mutex_lock(&r->lock);
	r->running = NULL;
	r->done = TRUE;
	g_cond_broadcast(&r->ended);
	g_mutex_unlock(&r->lock);
}

/* --- what the configuration says ------------------------------------------- */
static char *text(const Config *c, enum option_id id)
{
	const char *value = config_get_string(c, id);

	return *value ? g_strdup(value) : NULL;
}

void doctor_input_read(Config *c, DoctorInput *ret)
{
	ControlPathInput socket;
	SpoolPathInput path;
	RoomAccess access;

	*ret = (DoctorInput){
		.server = text(c, OPT_ROOM_SERVER),
		.app_key = text(c, OPT_ROOM_APP_KEY),
		.room = text(c, OPT_ROOM_NAME),
		.video_source = text(c, OPT_VIDEO_SOURCE),
		.audio_source = text(c, OPT_AUDIO_SOURCE),
		.quota_bytes = (guint64) config_get_int(c, OPT_TRANSFER_QUOTA) *
			BYTES_PER_MB,
	};
	daemon_read_access(c, &access);
	room_access_copy(&ret->access, &access);
	spool_path_input_init(&path);
	path.configured = config_get_string(c, OPT_TRANSFER_DIRECTORY);
	ret->spool_dir = spool_path_choose(&path);
	ret->state_dir = spool_path_state_dir(&path);
	control_path_input_init(&socket);
	if (*config_get_string(c, OPT_CONTROL_SOCKET))
		socket.explicit_path = config_get_string(c,
							 OPT_CONTROL_SOCKET);
	ret->socket = control_path_for_daemon(&socket);
	/* What is wrong with it is told by doctor_check_config(). */
	config_read_secret(c, OPT_ROOM_SECRET_FILE, &ret->secret, NULL);
}

void doctor_input_clear(DoctorInput *i)
{
	g_free(i->config_path);
	g_free(i->set_path);
	g_free(i->server);
	g_free(i->app_key);
	g_free(i->room);
	config_secret_free(i->secret);
	room_access_done(&i->access);
	g_strfreev(i->ice_urls);
	g_free(i->video_source);
	g_free(i->audio_source);
	g_free(i->picture.source);
	g_free(i->picture.why);
	g_free(i->sound.source);
	g_free(i->sound.why);
	g_free(i->io);
	g_free(i->io_reason);
	g_free(i->demux);
	g_free(i->demux_reason);
	g_free(i->landlock_reason);
	g_free(i->state_dir);
	g_free(i->spool_dir);
	g_free(i->socket);
	*i = (DoctorInput){0};
}
