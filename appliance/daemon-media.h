/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-media.h - the box's own stream: what it sends, from where
 *
 * Two streams can be open, as in SkylinkJS: the user's (camera and microphone)
 * and the screen's. Peers get the screen's while there is one, else the
 * user's. The configuration's sources are the user's stream from the start on.
 *
 *   getUserMedia, sendStream
 *                 open sources as the user's stream, in place of the one
 *                 before
 *   stopStream    the user's stream ends: devices are closed
 *   shareScreen   opens the screen's stream; stopScreen goes back
 *
 * Opening may block, so a thread of its own tries a source before anything
 * changes: what cannot be opened is refused, and what was sent goes on.
 * Requests are served one after another.
 *
 * Source:  SkylinkJS 0.6.12 API (getUserMedia, sendStream, stopStream,
 *          shareScreen, stopScreen, joinRoom, leaveRoom, mediaAccess*)
 * Thread:  control
 * Memory:  what is open hangs off the Daemon; at most STREAM_TRIALS_MAX
 *          requests wait
 */
#pragma once

#include "appliance/daemon-private.h"

#include "appliance/media-options.h"
#include "drivers/device-watch.h"
#include "media/capture-threads.h"

/* getUserMedia, sendStream, stopStream, shareScreen, stopScreen, device.list;
 * ended by a NULL method. */
extern const ControlHandler daemon_media_handlers[];

/* The pipelines, with the configured sources; nothing runs before a peer
 * takes it. */
gboolean daemon_media_start(Daemon *d, GError **error);
/* Requests that wait are answered: before the control server ends. The
 * pipelines stay: the engine may still ask them for a keyframe. */
void daemon_media_stop(Daemon *d);
/* Without an engine. */
void daemon_media_free(Daemon *d);

/* What the engine calls. Network thread. @user: the Daemon. */
void daemon_media_keyframe_request(void *user, enum media_codec codec,
				   bool first);
void daemon_media_rung_bitrate(void *user, enum media_codec codec,
			       unsigned int bps);
/* What the room calls: RoomConfig.codec_use. */
void daemon_media_codec_use(void *user, enum media_codec codec, gboolean took);
/* What is sent, for room_new(): send_*, size, codecs. */
void daemon_media_fill_room(Daemon *d, RoomConfig *config);
/* A new room stands: it learns the stream. */
void daemon_media_room_made(Daemon *d);
/* What peers are sent now; borrowed; NULL: nothing. */
const MediaStream *daemon_media_get_stream(Daemon *d);
/* {userMedia, screenshare, bandwidth}: streams as events carry them, or null.
 * (transfer full) */
JsonObject *daemon_media_describe(Daemon *d);
/* Peers came or went: somebody listens while there is anybody. */
void daemon_media_follow_peers(Daemon *d);

/**
 * daemon_media_join() - joinRoom's audio, video, bandwidth, manualGetUserMedia
 * @options: joinRoom's options, or NULL
 * @done:    called once, at once or later, never after daemon_media_stop().
 *           @error: NULL when the room may be joined, else why a device could
 *           not be opened; borrowed
 *
 * Without audio and video the stream that is open is sent; if leaveRoom closed
 * it, the configured one is opened anew. With manualGetUserMedia and nothing
 * open: mediaAccessRequired, and @done comes with the stream that getUserMedia
 * opens, or with an error 30 s later.
 */
typedef void (*DaemonMediaDone)(Daemon *d, const GError *error, gpointer data);
void daemon_media_join(Daemon *d, JsonObject *options, DaemonMediaDone done,
		       gpointer data);
/* joinRoom was given up: its @done comes no more. */
void daemon_media_cancel_join(Daemon *d);

/**
 * daemon_media_leave() - leaveRoom's stopMediaOptions; before room_leave()
 * @options: a boolean, {userMedia, screenshare}, or NULL: both are stopped
 *
 * Return: FALSE with @error for anything else; nothing is stopped then.
 */
gboolean daemon_media_leave(Daemon *d, JsonNode *options, GError **error);

/* init's audioFallback: sound alone, when a picture cannot be had. */
void daemon_media_set_audio_fallback(Daemon *d, gboolean on);

void daemon_set_muted(Daemon *d, gboolean audio, gboolean video);

/* --- for the one after a crash ------------------------------------------------ */
/* {audio, video} as getUserMedia takes them, of the user's stream; NULL: it is
 * as configured. (transfer full) */
JsonObject *daemon_media_save(Daemon *d);
/* What that one saved; what cannot be taken stays as configured, and is
 * logged. Nothing is tried: a device that is missing may come. */
void daemon_media_restore(Daemon *d, JsonObject *saved);

/* --- the configuration changed ----------------------------------------------- */
/* What sound takes, and what joinRoom allows data (0: no limit), bits/s. */
unsigned int daemon_media_get_audio_rate(Daemon *d);
unsigned int daemon_media_get_data_limit(Daemon *d);
/* [video] and [audio] source, size, rate, channels: of the user's stream what
 * @changed says; what a call chose otherwise stays. On failure nothing changes.
 * All of these: with streams. */
gboolean daemon_media_reload(Daemon *d, const bool changed[N_OPTIONS],
			     GError **error);
gboolean daemon_media_reload_rates(Daemon *d, GError **error);
void daemon_media_reload_codecs(Daemon *d);
void daemon_media_limit_audio(Daemon *d);
/* Before a join: unless stopStream closed it. */
void daemon_media_open_configured(Daemon *d);

/* --- daemon-devices.c: hotplug ------------------------------------------------ */
/* With pipelines. Where nobody tells of devices they are looked for. */
void daemon_devices_start(Daemon *d);
void daemon_devices_stop(Daemon *d);
/* What a device_watch calls. @user: the Daemon; @what: NULL: a part of a sound
 * card. */
void daemon_devices_note(void *user, enum device_event event,
			 const struct device *what);
/* A source of @kind is live: how long was that after its device came? */
void daemon_devices_live(Daemon *d, enum device_kind kind);
/* So long, in ms, the last time; -1: none came. */
gint64 daemon_devices_get_back_ms(const Daemon *d, enum device_kind kind);
/* Who tells: "udev", "kernel" or "none". */
const char *daemon_devices_get_backend(const Daemon *d);

/* --- between daemon-media.c and daemon-stream.c ------------------------------ */
gboolean daemon_streams_start(Daemon *d, GError **error);
void daemon_streams_stop(Daemon *d);
void daemon_media_tell_room(Daemon *d);
