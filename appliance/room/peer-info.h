/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/peer-info.h - what is known about a peer: the API's peerInfo
 *
 * Fed by every message that carries userInfo and by the mute and user events;
 * an event with an older stamp than the last of its kind is ignored, and so is
 * what is larger than PEER_INFO_MAX_NODE_BYTES.
 *
 * Source:  SkylinkJS 0.6.12 API (peerInfo); docs/skylink-protocol.md §4.3, §4.5
 * Thread:  control
 * Memory:  embedded in its owner; peer_info_done()
 */
#pragma once

#include "appliance/signaling/message.h"

/* Of user data, and of each kind of settings, as JSON: every event about the
 * peer has them. */
#define PEER_INFO_MAX_NODE_BYTES 65536

enum peer_info_kind {
	PEER_INFO_USER_DATA,
	PEER_INFO_AUDIO_MUTED,
	PEER_INFO_VIDEO_MUTED,
	N_PEER_INFO_KINDS,
};

struct peer_info {
	char *agent, *version, *os;	/* never NULL */
	char *sm_version, *dt_version;	/* NULL: none told */
	char *room;
	char *rid;	/* the room it says it is in; NULL: it did not say */
	JsonNode *user_data;		/* never NULL; "" when unset */
	JsonNode *audio, *video, *bandwidth;	/* never NULL */
	gboolean audio_muted, video_muted, screenshare;
	gboolean has_stamp[N_PEER_INFO_KINDS];
	gdouble stamp[N_PEER_INFO_KINDS];
};

void peer_info_init(struct peer_info *info, const char *room);
void peer_info_done(struct peer_info *info);

/* Takes what a message tells. A userInfo that is not usable is left out.
 * Return: FALSE with @error for such a one; the rest is taken all the same. */
gboolean peer_info_take_hello(struct peer_info *info,
			      const MessageHello *hello, GError **error);

/* Return: whether something changed (an old stamp changes nothing). */
gboolean peer_info_take_user_data(struct peer_info *info, JsonNode *user_data,
				  gboolean has_stamp, gdouble stamp);
gboolean peer_info_take_mute(struct peer_info *info, enum peer_info_kind kind,
			     gboolean muted, gboolean has_stamp, gdouble stamp);

/* Whether the peer speaks 2.x. */
gboolean peer_info_is_2x(const struct peer_info *info);

/* Return: (transfer full): {userData, settings, mediaStatus, agent, room} */
JsonObject *peer_info_to_json(const struct peer_info *info);
