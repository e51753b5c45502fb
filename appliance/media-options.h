/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/media-options.h - what getUserMedia and its kin are asked for
 *
 * Source:  SkylinkJS 0.6.12 API (options of getUserMedia, sendStream,
 *          joinRoom; VIDEO_RESOLUTION)
 * Thread:  any
 * Memory:  media_stream_free() releases a stream
 */
#pragma once

#include <json-glib/json-glib.h>

/* A stream: which sources, and what is wanted of them. */
typedef struct {
	char *id;	    /* the MediaStream's; never NULL */
	char *audio_source; /* NULL: no sound */
	unsigned int channels;
	char *video_source; /* NULL: no picture */
	unsigned int width, height, fps;
	gboolean audio_muted, video_muted; /* at first */
	gboolean screenshare;
	unsigned int serial; /* counts streams */
} MediaStream;

/* What "true" means, and what options leave out. Borrowed. */
typedef struct {
	const char *audio_source, *video_source; /* "none": there is none */
	unsigned int channels, width, height, fps;
	/* A call's files (file:PATH, h264:PATH) must be below one of these;
	 * what is configured is exempt. NULL: any. */
	const char *const *folders;
} MediaDefaults;

/* Limits of what is sent, kbit/s; 0: none. */
typedef struct {
	unsigned int audio, video, data;
} MediaBandwidth;

/**
 * media_options_parse() - options of getUserMedia and sendStream
 * @options: {audio, video}, each a boolean or an object; what is left out is
 *           false. NULL: both are true
 *
 * Return: (transfer full): a stream of a new id, perhaps without anything; or
 * NULL with @error, which says what is wrong and what is right.
 */
MediaStream *media_options_parse(JsonObject *options,
				 const MediaDefaults *defaults, GError **error);

/* shareScreen's. @source: NULL or "test": a test picture; else any source of
 * pictures but a screen, which is not captured yet. */
MediaStream *media_options_parse_screen(const char *source, gboolean audio,
					const MediaDefaults *defaults,
					GError **error);

/* joinRoom's bandwidth; NULL: no limits. */
void media_options_parse_bandwidth(JsonObject *bandwidth, MediaBandwidth *ret);

MediaStream *media_stream_new(void);
MediaStream *media_stream_copy(const MediaStream *stream);
void media_stream_free(MediaStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaStream, media_stream_free)

/* Return: (transfer full): {id, audio, video, isScreensharing} as the events
 * carry it: false, or {source, stereo} and {source, resolution, frameRate} */
JsonObject *media_stream_to_json(const MediaStream *stream);
