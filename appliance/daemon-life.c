// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-life.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/daemon-media.h"
#include "appliance/daemon-messages.h"
#include "appliance/daemon-selftest.h"
#include "appliance/life/last-end.h"
#include "appliance/life/life-state.h"
#include "appliance/life/room-plan.h"
#include "appliance/life/state-writer.h"
#include "appliance/life/wall-alarm.h"
#include "appliance/spool/spool-path.h"

#define STATE_FILE "state.json"
#define ASIDE_FILE "state.json.aside"
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX_BYTES 64
/* The state, the set-file, and a new one of each beside them. */
#define STORAGE_MIN_BYTES (64 * 1024)

struct daemon_life {
	Daemon *d;
	struct room_plan plan;
	enum room_plan_source source;	/* what was acted on last */
	char *room;
	WallAlarm *alarm;

	char *dir;			/* NULL: no state is kept */
	int lock;
	StateWriter *writer;		/* NULL: likewise */
	GSource *write, *settle;
	char *boot_id;
	gint64 started_s;
	guint deaths;
	gboolean settled;
	gboolean relock;		/* once self is in the room */

	/* Of the one before. */
	enum life_verdict verdict;
	char *was_room, *why;
	gboolean recovered;
	char *aside;
};

static gint64 now_s(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static void drop(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static GSource *later(Daemon *d, guint ms, GSourceFunc func)
{
	GSource *source = g_timeout_source_new(ms);

	g_source_set_callback(source, func, d, NULL);
	g_source_attach(source, NULL);
	return source;
}

/* --- the plan ---------------------------------------------------------------- */
static void configure_plan(Daemon *d)
{
	Config *c = d->options->config;

	room_plan_configure(&d->life->plan,
			    config_get_list(c, OPT_ROOM_SCHEDULE),
			    config_get_string(c, OPT_ROOM_TIME_ZONE),
			    config_get_string(c, OPT_ROOM_NAME), now_s());
}

static void get_plan(Daemon *d, struct room_plan_state *ret)
{
	struct daemon_life *l = d->life;
	const char *name = config_get_string(d->options->config, OPT_ROOM_NAME);

	/* Another room.name counts from the next join on: this is one. */
	if (g_strcmp0(l->plan.configured, *name ? name : NULL)) {
		g_free(l->plan.configured);
		l->plan.configured = *name ? g_strdup(name) : NULL;
	}
	room_plan_get(&l->plan, now_s(), ret);
}

static void note_acted(struct daemon_life *l, const struct room_plan_state *s)
{
	char *room = g_strdup(s->room);

	g_free(l->room);
	l->room = room;
	l->source = s->source;
}

static gboolean go_to(Daemon *d, const char *room, GError **error)
{
	if (!g_strcmp0(room, d->room_name))
		return TRUE;
	if (!room) {
		daemon_abandon_join(d, "The schedule leaves the room");
		daemon_media_leave(d, NULL, NULL);
		daemon_leave(d);
		return TRUE;
	}
	daemon_abandon_join(d, "The schedule came in between");
	daemon_media_open_configured(d);
	return daemon_join(d, room, error);
}

/* The plan is looked at again: a change of its own is acted on; what a person
 * or a reload did meanwhile is not undone. */
static void follow_plan(Daemon *d)
{
	struct daemon_life *l = d->life;
	g_autoptr(GError) error = NULL;
	struct room_plan_state s;

	get_plan(d, &s);
	wall_alarm_set(l->alarm, s.until_s);
	if (s.source == l->source &&
	    (s.source != ROOM_PLAN_SCHEDULE || !g_strcmp0(s.room, l->room)))
		return;
	daemon_message_log(DAEMON_MESSAGE_SCHEDULE,
			   &(struct daemon_message_about){.room = s.room},
			   s.room ? "the schedule says: room %s"
				  : "the schedule says: no room%s",
			   s.room ? s.room : "");
	note_acted(l, &s);
	if (!go_to(d, s.room, &error))
		g_warning("cannot follow the schedule: %s", error->message);
	daemon_life_changed(d);
}

static void on_alarm(void *user, gboolean stepped)
{
	Daemon *d = user;

	if (stepped) {
		g_message("the clock was set");
		/* Certificates that were not valid yet may be now. */
		if (d->room)
			room_retry_soon(d->room);
	}
	follow_plan(d);
}

void daemon_life_by_hand(Daemon *d, const char *room)
{
	struct room_plan_state s;

	if (!d->life)
		return;
	room_plan_by_hand(&d->life->plan, room, now_s());
	get_plan(d, &s);
	note_acted(d->life, &s);
	daemon_life_changed(d);
}

const char *daemon_life_wanted(Daemon *d, gboolean follow)
{
	const char *name = config_get_string(d->options->config, OPT_ROOM_NAME);
	struct room_plan_state s;

	if (!d->life)
		return *name ? name : NULL;
	if (follow)
		room_plan_follow(&d->life->plan);
	get_plan(d, &s);
	note_acted(d->life, &s);
	return d->life->room;
}

const char *daemon_life_planned(Daemon *d)
{
	const char *name = config_get_string(d->options->config, OPT_ROOM_NAME);
	struct room_plan untouched;
	struct room_plan_state s;

	if (!d->life)
		return *name ? name : NULL;
	get_plan(d, &s);
	untouched = d->life->plan;
	untouched.by_hand = FALSE;
	room_plan_get(&untouched, now_s(), &s);
	return s.room;
}

void daemon_life_reload(Daemon *d)
{
	if (!d->life)
		return;
	configure_plan(d);
	follow_plan(d);
	daemon_selftest_reload(d);
}

/* --- what is kept ------------------------------------------------------------ */
static void fill_state(Daemon *d, struct life_state *s)
{
	struct daemon_life *l = d->life;
	g_autoptr(JsonNode) configured = daemon_configured_user_data(d);
	JsonNode *data = d->room ? room_get_user_data(d->room) : NULL;
	JsonObject *stream = daemon_media_save(d);

	*s = (struct life_state){
		.running = TRUE,
		.settled = l->settled,
		.deaths = l->deaths,
		.boot_id = g_strdup(l->boot_id),
		.started_s = l->started_s,
		/* A room of init's belongs to keys that are not kept. */
		.by_hand = l->plan.by_hand && !d->init_used,
		.hand_until_s = l->plan.hand_until_s,
		.room = g_strdup(d->room_name),
		.audio_muted = d->audio_muted,
		.video_muted = d->video_muted,
		/* Or will be: it may die again before. */
		.locked = d->locked_by_us || l->relock,
	};
	if (data && !json_node_equal(data, configured))
		s->user_data = json_node_copy(data);
	if (stream) {
		s->stream = json_node_new(JSON_NODE_OBJECT);
		json_node_take_object(s->stream, stream);
	}
}

static void put_state(Daemon *d, gboolean running)
{
	struct life_state s;
	g_autofree char *text = NULL;

	fill_state(d, &s);
	s.running = running;
	text = life_state_print(&s);
	/* User data that long: the rest is worth more. */
	if (!text) {
		g_clear_pointer(&s.user_data, json_node_unref);
		text = life_state_print(&s);
	}
	if (text)
		state_writer_put(d->life->writer, text);
	life_state_clear(&s);
}

static gboolean on_write(gpointer data)
{
	Daemon *d = data;

	drop(&d->life->write);
	put_state(d, TRUE);
	return G_SOURCE_REMOVE;
}

void daemon_life_changed(Daemon *d)
{
	if (d->life && d->life->writer && !d->life->write)
		d->life->write = later(d, DAEMON_LIFE_WRITE_MS, on_write);
}

static gboolean on_settled(gpointer data)
{
	Daemon *d = data;

	drop(&d->life->settle);
	d->life->settled = TRUE;
	d->life->deaths = 0;
	daemon_life_changed(d);
	return G_SOURCE_REMOVE;
}

static void on_told(void *user, const char *why)
{
	if (why)
		daemon_message_log(DAEMON_MESSAGE_STORAGE,
				   &(struct daemon_message_about){.reason = why},
				   "going on, though the state cannot be kept: "
				   "%s", why);
	else
		daemon_message_log(DAEMON_MESSAGE_STORAGE, NULL,
				   "the state is kept again");
	daemon_notify_event(user);
}

void daemon_life_event(Daemon *d, const char *name, JsonObject *params)
{
	gboolean self = json_object_get_boolean_member_with_default(
		params, "isSelf", FALSE);

	if (!d->life)
		return;
	daemon_selftest_event(d, name);
	if (!strcmp(name, "roomLock"))
		d->locked_by_us = json_object_get_boolean_member_with_default(
			params, "isLocked", FALSE) &&
			(self || d->locked_by_us);
	if (!self)
		return;
	if (!strcmp(name, "peerJoined") && d->life->relock) {
		d->life->relock = FALSE;
		/* Another room was never locked: the hour's, or by hand. */
		if (!g_strcmp0(d->room_name, d->life->was_room))
			room_lock(d->room, TRUE, NULL);
	}
	daemon_life_changed(d);
}

/* --- what the one before left ------------------------------------------------- */
static char *read_boot_id(void)
{
	char *text = NULL;
	gsize len;

	if (whole_file_read(BOOT_ID_FILE, BOOT_ID_MAX_BYTES, &text, &len) < 0)
		return g_strdup("unknown");
	return g_strchomp(text);
}

/* Return: FALSE: no state can be kept; said why. */
static gboolean open_dir(struct daemon_life *l)
{
	SpoolPathInput input;

	spool_path_input_init(&input);
	if (!input.service_dir || !*input.service_dir || l->d->options->demo)
		return FALSE;
	l->dir = g_build_filename(input.service_dir, "life", NULL);
	if (g_mkdir_with_parents(l->dir, 0700) == 0)
		l->lock = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->lock < 0) {
		g_warning("going on without a state: cannot open '%s': %s",
			  l->dir, g_strerror(errno));
		return FALSE;
	}
	if (flock(l->lock, LOCK_EX | LOCK_NB) < 0) {
		g_warning("going on without a state: another daemon uses '%s'",
			  l->dir);
		return FALSE;
	}
	return TRUE;
}

static void read_state(struct daemon_life *l, struct life_state *ret)
{
	g_autofree char *path = g_build_filename(l->dir, STATE_FILE, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	gsize len = 0;
	int r = whole_file_read(path, LIFE_STATE_MAX_BYTES, &text, &len);

	if (r == -ENOENT)
		return;
	if (r < 0)
		g_warning("ignoring '%s': %s", path, g_strerror(-r));
	else if (!life_state_parse(text, len, ret, &error))
		g_warning("ignoring '%s': %s", path, error->message);
}

static void put_aside(struct daemon_life *l)
{
	g_autofree char *path = g_build_filename(l->dir, STATE_FILE, NULL);

	l->aside = g_build_filename(l->dir, ASIDE_FILE, NULL);
	if (g_rename(path, l->aside) < 0)
		g_warning("cannot put '%s' aside: %s", path, g_strerror(errno));
	l->deaths = 0;
}

static void restore(Daemon *d, struct life_state *s)
{
	struct daemon_life *l = d->life;
	gint64 now = now_s();

	l->recovered = TRUE;
	if (s->stream)
		daemon_media_restore(d, json_node_get_object(s->stream));
	/* After it: another stream begins as it says itself. */
	daemon_set_muted(d, s->audio_muted, s->video_muted);
	if (s->by_hand && (!s->hand_until_s || now < s->hand_until_s)) {
		room_plan_by_hand(&l->plan, s->room, now);
		if (s->hand_until_s && l->plan.hand_until_s)
			l->plan.hand_until_s = MIN(l->plan.hand_until_s,
						   s->hand_until_s);
	}
	if (s->user_data && d->room)
		room_set_user_data(d->room, s->user_data);
	l->relock = s->locked;
}

static void tell(struct daemon_life *l)
{
	const struct daemon_message_about about = {
		.room = l->was_room,
		.reason = l->why ? l->why : life_verdict_name(l->verdict),
	};
	const char *room = l->was_room ? l->was_room : "(none)";

	switch (l->verdict) {
	case LIFE_FIRST:
	case LIFE_STOPPED:
		return;
	case LIFE_POWER_CUT:
		daemon_message_log(DAEMON_MESSAGE_RECOVERED, &about,
				   "started after a power cut or reset; was in "
				   "room %s", room);
		return;
	case LIFE_DIED:
		daemon_message_log(DAEMON_MESSAGE_RECOVERED, &about,
				   "restarted after %s; was in room %s",
				   l->why ? l->why : "an end without a word",
				   room);
		return;
	case LIFE_CRASH_LOOP:
		daemon_message_log(DAEMON_MESSAGE_RECOVERED, &about,
				   "restarted after %s, for the %dth time in a "
				   "row: its state is not used again, but put "
				   "aside in %s; was in room %s",
				   l->why ? l->why : "an end without a word",
				   LIFE_STATE_DEATHS_MAX, l->aside, room);
		return;
	}
}

static void look_back(Daemon *d)
{
	struct daemon_life *l = d->life;
	struct life_state s = {0};
	gboolean wanted = config_get_bool(d->options->config, OPT_ROOM_RECOVER);

	read_state(l, &s);
	l->verdict = life_state_judge(&s, l->boot_id, l->started_s);
	l->deaths = s.deaths;
	l->was_room = g_strdup(s.room);
	l->why = last_end_take(l->dir);
	if (l->verdict == LIFE_CRASH_LOOP)
		put_aside(l);
	else if (wanted && (l->verdict == LIFE_DIED ||
			    l->verdict == LIFE_POWER_CUT))
		restore(d, &s);
	tell(l);
	life_state_clear(&s);
}

/* --- start and end ------------------------------------------------------------ */
gboolean daemon_life_start(Daemon *d, GError **error)
{
	struct daemon_life *l = d->life = g_new0(struct daemon_life, 1);

	l->d = d;
	l->lock = -1;
	l->started_s = MAX(now_s(), 0);
	l->boot_id = read_boot_id();
	l->alarm = wall_alarm_new(on_alarm, d);
	if (!l->alarm) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			    "Cannot make a timer: %s", g_strerror(errno));
		return FALSE;
	}
	configure_plan(d);
	if (open_dir(l)) {
		g_autofree char *path = g_build_filename(l->dir, STATE_FILE,
							 NULL);

		look_back(d);
		l->writer = state_writer_new(path, NULL, 0, on_told, d);
		l->settle = later(d, LIFE_STATE_SETTLED_S * 1000, on_settled);
		daemon_life_changed(d);
	}
	daemon_selftest_start(d, l->writer ? l->dir : NULL);
	return TRUE;
}

gboolean daemon_life_begin(Daemon *d, GError **error)
{
	struct room_plan_state s;

	get_plan(d, &s);
	note_acted(d->life, &s);
	wall_alarm_set(d->life->alarm, s.until_s);
	return !d->room || !s.room || daemon_join(d, s.room, error);
}

void daemon_life_stop(Daemon *d)
{
	struct daemon_life *l = d->life;

	daemon_selftest_stop(d);
	if (!l)
		return;
	drop(&l->write);
	drop(&l->settle);
	if (l->writer) {
		put_state(d, FALSE);
		l->writer = state_writer_free(l->writer);
	}
	d->life = NULL;
	if (l->lock >= 0)
		close(l->lock);
	l->alarm = wall_alarm_free(l->alarm);
	room_plan_clear(&l->plan);
	g_free(l->room);
	g_free(l->dir);
	g_free(l->boot_id);
	g_free(l->was_room);
	g_free(l->why);
	g_free(l->aside);
	g_free(l);
}

/* --- to be seen ---------------------------------------------------------------- */
static void set_text(JsonObject *o, const char *name, const char *text)
{
	if (text)
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

/* Unix seconds, and what the clock of the schedule shows then. */
static void set_time(JsonObject *o, const char *name, const char *text_name,
		     struct daemon_life *l, gint64 at_s)
{
	g_autoptr(GDateTime) utc = at_s ? g_date_time_new_from_unix_utc(at_s)
					: NULL;
	g_autoptr(GDateTime) local =
		utc ? g_date_time_to_timezone(utc, l->plan.zone) : NULL;
	g_autofree char *text =
		local ? g_date_time_format(local, "%Y-%m-%d %H:%M") : NULL;

	if (at_s)
		json_object_set_int_member(o, name, at_s);
	else
		json_object_set_null_member(o, name);
	set_text(o, text_name, text);
}

JsonObject *daemon_life_describe_schedule(Daemon *d)
{
	struct daemon_life *l = d->life;
	JsonObject *o = json_object_new();
	JsonArray *entries = json_array_new();
	struct room_plan_state s;

	get_plan(d, &s);
	set_text(o, "room", s.room);
	json_object_set_string_member(o, "source",
				      room_plan_source_name(s.source));
	set_time(o, "until", "until_text", l, s.until_s);
	set_text(o, "next_room", s.next_room);
	json_object_set_string_member(
		o, "time_zone", g_time_zone_get_identifier(l->plan.zone));
	for (unsigned int i = 0; i < l->plan.schedule.n; i++) {
		g_autofree char *text = schedule_entry_print(
			&l->plan.schedule.entries[i]);

		json_array_add_string_element(entries, text);
	}
	json_object_set_int_member(o, "entry", s.entry);
	json_object_set_array_member(o, "entries", entries);
	return o;
}

/* Why nothing would be kept now; NULL: it would. g_free() */
static char *storage_error(struct daemon_life *l)
{
	const char *error = state_writer_get_error(l->writer);
	struct statvfs fs;

	if (error)
		return g_strdup(error);
	if (statvfs(l->dir, &fs) < 0 ||
	    fs.f_bavail * fs.f_frsize >= STORAGE_MIN_BYTES)
		return NULL;
	return g_strdup_printf("no space left on the disk of %s", l->dir);
}

JsonObject *daemon_life_describe(Daemon *d)
{
	struct daemon_life *l = d->life;
	JsonObject *o = json_object_new();
	g_autofree char *error = l->writer ? storage_error(l) : NULL;

	json_object_set_string_member(o, "cause",
				      life_verdict_name(l->verdict));
	set_text(o, "detail", l->why);
	json_object_set_int_member(
		o, "ago_s", (g_get_monotonic_time() - d->started_us) /
		G_USEC_PER_SEC);
	set_text(o, "room", l->was_room);
	json_object_set_boolean_member(o, "recovered", l->recovered);
	set_text(o, "aside", l->aside);
	json_object_set_string_member(o, "storage", error ? error :
				      l->writer ? "ok" : "off");
	return o;
}

static void schedule_get_call(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	if (d->life)
		daemon_reply_object(call, daemon_life_describe_schedule(d));
	else
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "This daemon is a room server alone");
}

const ControlHandler daemon_life_handlers[] = {
	{ "schedule.get", schedule_get_call },
	{ NULL, NULL },
};
