/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-private.h - what the daemon's files share
 *
 * Source:  none (our own)
 * Thread:  control, but for the atomics
 * Memory:  one Daemon, owned by daemon_run()
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdatomic.h>

#include "appliance/control/control-server.h"
#include "appliance/daemon.h"
#include "appliance/process-stats.h"
#include "appliance/room/room.h"
#include "appliance/roomserver/room-server.h"
#include "media/audio-pipeline.h"
#include "media/video-pipeline.h"
#include "webrtc/rtc.h"

#define DAEMON_EVENTS_MAX 256	/* media state changes on their way */

typedef struct DaemonTransfers DaemonTransfers;

typedef struct {
	const struct daemon_options *options;
	GMainLoop *loop;

	struct room_server *room_server;	/* NULL: not ours */
	struct rtc_engine *engine;
	/* NULL, all three: a room server alone */
	struct video_pipeline *video;
	struct audio_pipeline *audio;
	struct daemon_streams *streams;
	Room *room;
	ControlServer *control;
	struct control_queue *events;		/* media threads -> control */
	DaemonTransfers *transfers;		/* NULL: a room server alone */

	/* How rooms are asked for and reached: configured, then init's. */
	char *room_server_url;
	char *app_key;
	char *default_room;		/* init's; NULL: none given */
	RoomAccess access;		/* owns its strings */
	gboolean no_trickle, audio_fallback;
	enum media_codec first_codec;	/* init's videoCodec, ... */
	gboolean has_first_codec;	/* ... unless auto */
	RoomApiCall *init_api;		/* init asks the room server */
	ControlCall *init_call;		/* and waits */

	char *room_name;		/* the room wanted; NULL: none */
	char *told;			/* daemon_log_event()'s */
	enum media_codec video_codecs[2];
	unsigned int n_video_codecs;

	/* Which rung serves a codec, -1: none. Network reads, control writes. */
	atomic_int rung[N_MEDIA_CODECS];
	unsigned int takers[N_MEDIA_CODECS];
	unsigned int refused[N_MEDIA_CODECS];	/* wanted one, got none */
	gboolean audio_taken;
	gboolean audio_muted, video_muted;

	/* joinRoom that waits for its outcome, and the last thing that went
	 * wrong meanwhile. */
	ControlCall *join_call;
	GSource *join_timeout;
	char *join_name, *join_error;
	gint64 join_error_code;		/* READY_STATE_CHANGE_ERROR, or 0 */
	GQueue peer_list_calls;		/* getPeers that waits */

	struct daemon_network *network;		/* NULL: a room server alone */
	struct daemon_reload *reload;
	struct config_job *config_job;	/* config.set is being written */

	struct process_stats process;
	GSource *notify_timer;			/* STATUS= is to be told */
	GSource *ready_timer;			/* READY= was not heard */
	char *notified;				/* what was told last */
	struct daemon_watchdog *watchdog;	/* NULL: nobody asks for it */
	struct MetricsServer *metrics;		/* NULL: [control] says none */
	struct daemon_doctor *doctor;		/* NULL: none is at work */
	struct daemon_devices *devices;		/* NULL: without pipelines */
	struct daemon_life *life;		/* NULL: a room server alone */
	struct daemon_selftest *selftest;	/* NULL: likewise */
	gboolean init_used;	/* rooms are reached as init said */
	gboolean locked_by_us;	/* the room we are in */
	struct daemon_console *console;		/* NULL: not yet, or ended */
	struct daemon_certificates *certificates; /* NULL: not yet, or ended */
	struct daemon_restart *restart;		/* NULL: nobody asked */
	gint64 started_us;
} Daemon;

/* The string of that name, or NULL. @o may be NULL. */
static inline const char *text_member(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_VALUE(n) &&
		json_node_get_value_type(n) == G_TYPE_STRING ?
		json_node_get_string(n) : NULL;
}

/* --- daemon-access.c ------------------------------------------------------- */
/* [room] and [network], for RoomConfig.access; borrows from @config. */
void daemon_read_access(Config *config, RoomAccess *ret);

/* --- daemon-roomserver.c --------------------------------------------------- */
/* The room server, if one is wanted. */
gboolean daemon_room_server_start(Daemon *d, GError **error);
/* Certificate, names and where files are kept: those of [roomserver]. Return:
 * the directory, which @config borrows; g_free() */
char *daemon_room_server_files(Daemon *d, struct room_server_config *config);
/* Are the certificates of both servers still the ones to show? Asked now and
 * then, from start to stop, and whenever the configuration is read. */
void daemon_certificates_start(Daemon *d);
void daemon_certificates_check(Daemon *d);
void daemon_certificates_stop(Daemon *d);
/* Only this machine reaches it, in the clear. */
gboolean daemon_room_server_is_local(struct room_server *server);

/* --- daemon-console.c ------------------------------------------------------- */
/* What is configured can be had. */
gboolean daemon_console_check(Config *config, GError **error);
/* Its secrets and its link; no server yet. Stopped also when it failed. */
gboolean daemon_console_start(Daemon *d, GError **error);
/* After the room server, which uses its link. */
void daemon_console_stop(Daemon *d);
/* Who may see the room server's pages; borrowed until the start is over. */
void daemon_console_fill_server(Daemon *d, struct room_server_config *config);
/* The server of its own, if one is wanted. */
gboolean daemon_console_listen(Daemon *d, GError **error);
/* The viewer page for people: a demo's has what opens it. g_free() */
char *daemon_console_viewer_url(Daemon *d);
/* Where it is, for people; then the secrets go. */
void daemon_console_print(Daemon *d);
/* That server; NULL: none, as it is with the room server's pages. */
struct room_server *daemon_console_server(Daemon *d);
/* An event, for whoever looks. */
void daemon_console_event(Daemon *d, const char *name, JsonObject *params);

/* --- daemon-status.c ------------------------------------------------------- */
/* One page on everything, as docs/control.md describes it. */
JsonNode *daemon_describe(Daemon *d);
JsonNode *daemon_describe_peers(Daemon *d);
JsonNode *daemon_describe_room(Daemon *d);

/* --- daemon-control.c ------------------------------------------------------ */
/* The handlers of the control methods, all files' together: (transfer full),
 * ended by a NULL method. */
ControlHandler *daemon_handlers_new(void);
/* Return: FALSE when no room is wanted at all; the call was answered. */
gboolean daemon_need_room(ControlCall *call, Daemon *d);
/* targetPeerId as room.h wants it (g_free; the strings are the call's); NULL:
 * everybody. Return: FALSE when it is there and empty, which is nobody; the
 * call was answered. */
gboolean daemon_get_targets(ControlCall *call, const char ***ret);
/* The call fails with what a room_ function said. */
void daemon_fail_room(ControlCall *call, const GError *error);
/* Takes @o. */
void daemon_reply_object(ControlCall *call, JsonObject *o);

/* --- daemon-room-calls.c: joining and leaving ------------------------------- */
extern const ControlHandler daemon_room_handlers[];
/* An event of the room: it may be what a call waits for. */
void daemon_control_event(Daemon *d, const char *name, JsonObject *params);
/* Calls that still wait are answered: before the control server ends. */
void daemon_control_done(Daemon *d);
/* joinRoom, if it waits, is answered with @why. */
void daemon_abandon_join(Daemon *d, const char *why);

/* --- daemon-init.c: init ---------------------------------------------------- */
extern const ControlHandler daemon_init_handlers[];
/* The room that joinRoom takes without a name; borrowed. */
const char *daemon_default_room(Daemon *d);
/* How rooms are asked for and reached becomes what is configured, from the next
 * join on; a room is made if there was none. On failure nothing changes. */
gboolean daemon_access_reload(Daemon *d, GError **error);
/* The room learns the codecs: init's first, the others as they are. */
void daemon_order_codecs(Daemon *d);
/* What still waits is answered with @why. */
void daemon_init_abandon(Daemon *d, const char *why);

/* --- daemon-peer-calls.c: messages, user data, lock, peers ------------------ */
extern const ControlHandler daemon_peer_handlers[];

/* --- daemon-privileged-calls.c: getPeers, introducePeer --------------------- */
extern const ControlHandler daemon_privileged_handlers[];
void daemon_privileged_event(Daemon *d, const char *name, JsonObject *params);
void daemon_privileged_done(Daemon *d);

/* --- daemon-log-calls.c: SkylinkLogs ---------------------------------------- */
extern const ControlHandler daemon_log_handlers[];

/* --- daemon-transfers.c: files and data URLs -------------------------------- */
extern const ControlHandler daemon_transfer_handlers[];

/* --- daemon-reload.c ------------------------------------------------------- */
void daemon_reload_start(Daemon *d);
void daemon_reload_stop(Daemon *d);
/* A room is joined: with the settings in force. */
void daemon_reload_joined(Daemon *d);

/* --- daemon-config-calls.c: config.*, SIGHUP -------------------------------- */
extern const ControlHandler daemon_config_handlers[];
/* What is being written is waited for, and its call answered. */
void daemon_config_done(Daemon *d);
/* SIGHUP: reads the files again; what is wrong, and what changed, is logged. */
void daemon_config_hangup(Daemon *d);

/* --- daemon-network.c ------------------------------------------------------ */
/* Looks at the machine's addresses from now on. */
void daemon_network_start(Daemon *d);
void daemon_network_stop(Daemon *d);
/* [network] as the engine wants it. @ret_addresses: owns what @config borrows
 * (g_strfreev) */
void daemon_network_fill(Daemon *d, struct rtc_engine_config *config,
			 char ***ret_addresses);
/* Addresses and ports; code points; limits: as configured now. */
void daemon_network_reload(Daemon *d);
void daemon_network_reload_marks(Daemon *d);
gboolean daemon_network_reload_limits(Daemon *d, GError **error);

/* --- daemon-watchdog.c ----------------------------------------------------- */
/* Does nothing unless systemd asks for it. */
void daemon_watchdog_start(Daemon *d);
void daemon_watchdog_stop(Daemon *d);
/* An array of {stage, wanted, ok, still_s}, or null when nobody watches. */
JsonNode *daemon_watchdog_describe(Daemon *d);
/* Pictures must come, from a source that says so itself. */
gboolean daemon_watchdog_is_paced(const struct video_pipeline_stats *stats);

/* --- daemon-doctor.c: stats.doctor ------------------------------------------ */
extern const ControlHandler daemon_doctor_handlers[];
/* The same for the daemon itself: done() takes @report, on control, later; not
 * when the daemon ends first. FALSE: it is at work, or cannot. */
gboolean daemon_doctor_start(Daemon *d,
			     void (*done)(Daemon *d, JsonNode *report),
			     GError **error);
/* A call that waits is answered: before the control server ends. */
void daemon_doctor_done(Daemon *d);

/* --- daemon-restart.c: daemon.restart ---------------------------------------- */
extern const ControlHandler daemon_restart_handlers[];
/* {state: none, waiting or restarting, asked_s, peers, transfers} */
JsonNode *daemon_restart_describe(Daemon *d);
gboolean daemon_restart_is_waiting(Daemon *d);
void daemon_restart_done(Daemon *d);

/* --- daemon-metrics.c: [control] metrics ------------------------------------- */
/* As configured now; what ran before ends. On failure it stays. */
gboolean daemon_metrics_start(Daemon *d, GError **error);
void daemon_metrics_stop(Daemon *d);

/* --- daemon-notify.c: systemd ------------------------------------------------ */
void daemon_notify_ready(Daemon *d);
void daemon_notify_stopping(Daemon *d);
/* It does not start; 'systemctl status' shows @why. */
void daemon_notify_failed(const char *why);
void daemon_notify_done(Daemon *d);
/* Something happened: STATUS= follows, once a second at most. */
void daemon_notify_event(Daemon *d);
/* "in room lobby, 3 peers", of what status_view_room() and _peers() make. Pure.
 * g_free() */
char *daemon_notify_text(JsonObject *room, guint n_peers);

/* --- daemon-log.c ---------------------------------------------------------- */
/* One line for what an operator cares about; the rest is for debugging. */
/* @told: why the room is not joined, as told last: at the start a pointer to
 * NULL; g_free(). @room: the one we are in, or NULL */
void daemon_log_event(char **told, const char *room, const char *name,
		      JsonObject *params);

/* --- daemon.c -------------------------------------------------------------- */
/* An event of the daemon's own, with an API name: to everybody who would get it
 * from the room. @params: (transfer full) */
void daemon_emit(Daemon *d, const char *name, JsonObject *params);
/* What peers are told as configured; (transfer full) */
JsonNode *daemon_configured_user_data(Daemon *d);
/* room.user_data changed. */
void daemon_user_data_reload(Daemon *d);
/* To systemd, if it listens; does not wait. Return: negative errno: it did not
 * hear it (-EAGAIN: it has not read what came before). sd_notify(3) */
int daemon_notify(const char *state);
/* Would daemon_join() begin? Nothing is changed. */
gboolean daemon_can_join(Daemon *d, const char *name, GError **error);
gboolean daemon_join(Daemon *d, const char *name, GError **error);
/* The application key of the configuration; borrowed. */
const char *daemon_configured_key(Daemon *d);
/* Of room_server_url, app_key and access, when there is none. @secret: or NULL
 */
gboolean daemon_make_room(Daemon *d, const char *secret, GError **error);
void daemon_leave(Daemon *d);
