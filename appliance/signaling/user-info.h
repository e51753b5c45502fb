/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/user-info.h - what a peer tells about itself and media
 *
 * 0.6.x sends flat settings and flags; 2.x keys them by stream id. Both are
 * read into the flat form that the 0.6.12 API documents.
 *
 * Source:  docs/skylink-protocol.md §4.3
 * Thread:  any
 * Memory:  user_info_done() releases what parsing made
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct {
	JsonNode *user_data;		/* a copy, or NULL when absent */
	JsonNode *audio, *video;	/* settings: false, true or an object; a
					 * copy, or NULL when absent */
	JsonNode *bandwidth;		/* limits, kbit/s: an object or NULL */
	gboolean has_media_status;
	gboolean audio_muted, video_muted;
	gboolean screenshare;
} UserInfo;

/* Return: FALSE with a MESSAGE_ERROR that names the field; @ret untouched. */
gboolean user_info_parse(JsonObject *object, UserInfo *ret, GError **error);
void user_info_done(UserInfo *info);

/* What we tell about ourselves. */
typedef struct {
	JsonNode *user_data;		/* NULL: unset, sent as "" */
	gboolean send_audio, send_video;
	gboolean audio_muted, video_muted;
	guint width, height, fps;	/* 0: unknown, left out */
	gboolean stereo, screenshare;
	guint max_audio_kbps, max_video_kbps, max_data_kbps; /* 0: none told */
	const char *agent;
	const char *version;
	const char *room;
} UserInfoSelf;

/* Return: (transfer full): fit for 0.6.12, 0.6.37, 0.9.x and 2.x. */
JsonObject *user_info_build(const UserInfoSelf *self);
