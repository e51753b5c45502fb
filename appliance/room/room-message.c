// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-private.h"

#include <string.h>

#include "appliance/signaling/message-build.h"

/* --- whose it is --------------------------------------------------------- */
/* A peer of another room that was introduced to us names its own in all it
 * says, and speaks to us, or of itself; of the rooms only ours counts. */
static gboolean is_for_us(Room *r, const Message *m)
{
	RoomPeer *peer;

	if (!m->rid || !r->rid || !strcmp(m->rid, r->rid))
		return TRUE;
	switch (m->type) {
	case MESSAGE_ENTER:
	case MESSAGE_WELCOME:
	case MESSAGE_OFFER:
	case MESSAGE_ANSWER:
	case MESSAGE_CANDIDATE:
	case MESSAGE_END_OF_CANDIDATES:
	case MESSAGE_RESTART:
	case MESSAGE_ANSWER_ACK:
		if (m->target)
			return TRUE;
		break;
	case MESSAGE_ROOM_LOCK:
	case MESSAGE_PEER_LIST:
		return FALSE;
	default:
		break;
	}
	peer = m->mid ? room_peers_find(r, m->mid) : NULL;
	return peer && !g_strcmp0(room_peer_get_info(peer)->rid, m->rid);
}

static void note_room(RoomPeer *peer, const Message *m)
{
	struct peer_info *info = room_peer_get_info(peer);

	g_free(info->rid);
	info->rid = g_strdup(m->rid);
}

/* --- introductions ------------------------------------------------------- */
/* Our own second connection, which needs no media from us. */
static gboolean is_own_child(Room *r, const Message *m)
{
	return m->hello.parent_id && !strcmp(m->hello.parent_id, r->sid);
}

static void take_introduction(Room *r, const Message *m)
{
	RoomPeer *peer = room_peers_find(r, m->mid);
	gboolean is_new = !peer;
	g_autoptr(JsonObject) hello = NULL;

	if (is_own_child(r, m))
		return;
	if (is_new && room_peers_find_lost(r, m->mid))
		hello = json_object_ref(room_peers_find_lost(r, m->mid));
	room_peers_found(r, m->mid);
	if (!strcmp(m->mid, "MCU"))
		room_mcu_joined(r);
	if (is_new)
		peer = room_peers_add(r, m->mid, hello);
	if (!peer)
		return;
	note_room(peer, m);
	/* The newcomer is told of before its handshake, as known by now. */
	if (is_new) {
		peer_info_take_hello(room_peer_get_info(peer), &m->hello,
				     NULL);
		room_peers_tell_joined(r, peer);
	}
	room_peer_message(peer, m);
}

/* It was silent for so long that we gave it up, and now it answers what had
 * been asked of it then. */
static gboolean is_return(Room *r, const Message *m)
{
	return room_peers_find_lost(r, m->mid) &&
	       (m->type == MESSAGE_OFFER || m->type == MESSAGE_ANSWER ||
		m->type == MESSAGE_RESTART);
}

static void take_handshake(Room *r, const Message *m)
{
	RoomPeer *peer = room_peers_find(r, m->mid);

	if (is_own_child(r, m) || (!peer && !is_return(r, m)))
		r->unexpected++;	/* as SkylinkJS does: dropped */
	else if (peer)
		room_peer_message(peer, m);
	else
		take_introduction(r, m);
}

/* --- events of others ---------------------------------------------------- */
/* Whose message it is; from nobody that is here it is counted, and dropped. */
static RoomPeer *find_sender(Room *r, const Message *m)
{
	RoomPeer *peer = room_peers_find(r, m->mid);

	if (!peer)
		r->unexpected++;
	return peer;
}

static void take_text(Room *r, const Message *m)
{
	RoomPeer *peer = find_sender(r, m);
	JsonObject *params, *message;

	if (!peer)
		return;
	params = room_peer_event_params(peer);
	message = json_object_new();
	json_object_set_member(message, "content",
			       json_node_copy(m->text.data));
	json_object_set_string_member(message, "senderPeerId", m->mid);
	if (m->target)
		json_object_set_string_member(message, "targetPeerId",
					      m->target);
	else
		json_object_set_null_member(message, "targetPeerId");
	json_object_set_boolean_member(message, "isPrivate", m->target != NULL);
	json_object_set_boolean_member(message, "isDataChannel", FALSE);
	json_object_set_object_member(params, "message", message);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	room_emit(r, "incomingMessage", params);
}

static void emit_updated(Room *r, RoomPeer *peer)
{
	JsonObject *params = room_peer_event_params(peer);

	json_object_set_boolean_member(params, "isSelf", FALSE);
	room_emit(r, "peerUpdated", params);
}

static void emit_stream_event(Room *r, RoomPeer *peer, const char *name,
			      gboolean screenshare)
{
	JsonObject *params = room_peer_event_params(peer);

	json_object_set_boolean_member(params, "isSelf", FALSE);
	json_object_set_boolean_member(params, "isScreensharing", screenshare);
	room_emit(r, name, params);
}

static void take_mute(Room *r, const Message *m, enum peer_info_kind kind,
		      gboolean muted, gboolean has_stamp, gdouble stamp)
{
	RoomPeer *peer = find_sender(r, m);

	if (!peer || !peer_info_take_mute(room_peer_get_info(peer), kind,
					  muted, has_stamp, stamp))
		return;
	emit_stream_event(r, peer, "streamMuted",
			  room_peer_get_info(peer)->screenshare);
	emit_updated(r, peer);
}

static void take_update(Room *r, const Message *m)
{
	RoomPeer *peer;

	switch (m->type) {
	case MESSAGE_MUTE_AUDIO:
		take_mute(r, m, PEER_INFO_AUDIO_MUTED, m->update.muted,
			  m->update.has_stamp, m->update.stamp);
		break;
	case MESSAGE_MUTE_VIDEO:
		take_mute(r, m, PEER_INFO_VIDEO_MUTED, m->update.muted,
			  m->update.has_stamp, m->update.stamp);
		break;
	default:
		peer = find_sender(r, m);
		if (peer && peer_info_take_user_data(
				    room_peer_get_info(peer),
				    m->update.user_data, m->update.has_stamp,
				    m->update.stamp))
			emit_updated(r, peer);
		break;
	}
}

/* 2.x's mute: "AUDIO_<stream>" or "VIDEO_<stream>" */
static void take_media_info(Room *r, const Message *m)
{
	gboolean muted = strcmp(m->media.media_state, "active") != 0;

	if (g_str_has_prefix(m->media.media_id, "AUDIO_"))
		take_mute(r, m, PEER_INFO_AUDIO_MUTED, muted, FALSE, 0);
	else if (g_str_has_prefix(m->media.media_id, "VIDEO_"))
		take_mute(r, m, PEER_INFO_VIDEO_MUTED, muted, FALSE, 0);
}

/* It comes throttled, after what the peer sends next was told: the message
 * knows better than the peer's information. */
static gboolean was_screenshare(const Message *m, RoomPeer *peer)
{
	JsonNode *video = m->stream.settings ?
		json_object_get_member(m->stream.settings, "video") : NULL;

	if (video && JSON_NODE_HOLDS_OBJECT(video))
		return json_object_get_boolean_member_with_default(
			json_node_get_object(video), "screenshare", FALSE);
	if (m->stream.session_type)
		return !strcmp(m->stream.session_type, "screensharing");
	return room_peer_get_info(peer)->screenshare;
}

static void take_stream(Room *r, const Message *m)
{
	RoomPeer *peer = find_sender(r, m);

	if (peer && !strcmp(m->stream.status, "ended"))
		emit_stream_event(r, peer, "streamEnded",
				  was_screenshare(m, peer));
}

static void take_lock(Room *r, const Message *m)
{
	RoomPeer *peer = room_peers_find(r, m->mid);
	JsonObject *params;

	r->locked = m->lock;
	if (!peer)
		return;
	params = room_peer_event_params(peer);
	json_object_set_boolean_member(params, "isLocked", m->lock);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	room_emit(r, "roomLock", params);
}

void room_take_message(Room *r, const Message *m)
{
	if (r->config.channel_messages) {
		JsonObject *params = json_object_new();

		json_object_set_object_member(params, "message",
					      json_object_ref(m->object));
		room_emit(r, "channelMessage", params);
	}
	if (!is_for_us(r, m)) {
		r->unexpected++;
		g_debug("Ignoring a message: '%s' of another room",
			m->type_name);
		return;
	}
	switch (m->type) {
	case MESSAGE_ENTER:
	case MESSAGE_WELCOME:
		take_introduction(r, m);
		break;
	case MESSAGE_OFFER:
	case MESSAGE_ANSWER:
	case MESSAGE_CANDIDATE:
	case MESSAGE_END_OF_CANDIDATES:
	case MESSAGE_RESTART:
	case MESSAGE_ANSWER_ACK:
		take_handshake(r, m);
		break;
	case MESSAGE_BYE:
		room_peers_bye(r, m->mid);
		break;
	case MESSAGE_PUBLIC:
	case MESSAGE_PRIVATE:
	case MESSAGE_MESSAGE:
		take_text(r, m);
		break;
	case MESSAGE_UPDATE_USER:
	case MESSAGE_MUTE_AUDIO:
	case MESSAGE_MUTE_VIDEO:
		take_update(r, m);
		break;
	case MESSAGE_MEDIA_INFO:
		take_media_info(r, m);
		break;
	case MESSAGE_STREAM:
		take_stream(r, m);
		break;
	case MESSAGE_ROOM_LOCK:
		take_lock(r, m);
		break;
	case MESSAGE_APPROACH:
		room_send(r, message_build_enter(&r->self, m->target));
		break;
	case MESSAGE_PEER_LIST:
		room_take_peer_list(r, m);
		break;
	case MESSAGE_INTRODUCE_ERROR:
		room_take_introduce_error(r, m);
		break;
	case MESSAGE_UNKNOWN:
	case MESSAGE_JOIN_ROOM:
	case MESSAGE_IN_ROOM:
	case MESSAGE_REDIRECT:
	case MESSAGE_GROUP:
	case MESSAGE_GET_PEERS:
	case MESSAGE_INTRODUCE:
	case MESSAGE_START_RECORDING:
	case MESSAGE_STOP_RECORDING:
	case MESSAGE_RECORDING:
	case MESSAGE_PING:
	case N_MESSAGE_TYPES:
		r->unexpected++;
		break;
	}
}
