// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-private.h"

#include "appliance/signaling/message-build.h"

static gboolean sends_any(const RoomStream *s)
{
	return s->send_audio || s->send_video;
}

/* Another source behind it, and not the same one with other settings. */
static gboolean is_other_stream(const RoomStream *a, const RoomStream *b)
{
	return !a->send_audio != !b->send_audio ||
	       !a->send_video != !b->send_video ||
	       !a->screenshare != !b->screenshare || a->serial != b->serial;
}

static gboolean is_same(const RoomStream *a, const RoomStream *b)
{
	return !is_other_stream(a, b) && !a->stereo == !b->stereo &&
	       a->width == b->width && a->height == b->height &&
	       a->fps == b->fps && a->max_audio_kbps == b->max_audio_kbps &&
	       a->max_video_kbps == b->max_video_kbps &&
	       a->max_data_kbps == b->max_data_kbps;
}

void room_tell_own_stream(Room *r)
{
	const RoomStream *s = &r->media.sends;
	JsonObject *params, *stream;

	if (!sends_any(s))
		return;
	params = room_self_params(r);
	stream = json_object_new();
	json_object_set_string_member(stream, "id", r->media.stream_id);
	json_object_set_boolean_member(stream, "audio", s->send_audio);
	json_object_set_boolean_member(stream, "video", s->send_video);
	json_object_set_object_member(params, "stream", stream);
	room_emit(r, "incomingStream", params);
}

/* {audio, video} of the userInfo that others have of us */
static JsonObject *told_settings(Room *r)
{
	JsonObject *told =
		json_object_get_object_member(r->self.user_info, "settings");
	JsonObject *o = json_object_new();

	json_object_set_member(
		o, "audio",
		json_node_copy(json_object_get_member(told, "audio")));
	json_object_set_member(
		o, "video",
		json_node_copy(json_object_get_member(told, "video")));
	return o;
}

/* The events say what was; the peerInfo of the update what is. */
static void end_own_stream(Room *r, const RoomStream *next)
{
	g_autoptr(JsonObject) settings = told_settings(r);
	JsonObject *ended = message_build_stream_ended(
		&r->self, r->media.stream_id, settings,
		r->media.sends.screenshare);
	const RoomStream old = r->media.sends;
	GHashTableIter iter;
	gpointer peer;

	room_emit_self(r, "streamEnded", TRUE);
	r->media.sends = (RoomStream){.serial = next->serial};
	room_refresh_self(r);
	room_emit_self(r, "peerUpdated", FALSE);
	room_send(r, ended);
	/* 2.x wants to hear it of each medium. */
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer)) {
		if (old.send_audio)
			room_peer_send_media_state(peer, FALSE);
		if (old.send_video)
			room_peer_send_media_state(peer, TRUE);
	}
}

static void begin_own_stream(Room *r, const RoomStream *stream)
{
	/* A page makes a new stream of a new name alone. */
	g_free(r->media.stream_id);
	r->media.stream_id = stream->id ? g_strdup(stream->id) :
					  g_uuid_string_random();
	r->media.sends = *stream;
	r->media.sends.id = NULL;	/* not ours */
	room_refresh_self(r);
	if (!r->sid || !sends_any(stream))
		return;
	room_tell_own_stream(r);
	room_emit_self(r, "peerUpdated", FALSE);
}

void room_set_stream(Room *r, const RoomStream *stream)
{
	const RoomStream old = r->media.sends;
	gboolean other = is_other_stream(&old, stream);
	GHashTableIter iter;
	gpointer peer;

	if (is_same(&old, stream))
		return;
	if (other && r->sid && sends_any(&old))
		end_own_stream(r, stream);
	if (other) {
		begin_own_stream(r, stream);
	} else {
		r->media.sends = *stream;
		r->media.sends.id = NULL;
		room_refresh_self(r);
		if (r->sid)
			room_emit_self(r, "peerUpdated", FALSE);
	}
	if (r->media.mcu && r->sid) {
		room_mcu_rejoin(r);
		return;
	}
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		room_peer_renew_media(peer);
}
