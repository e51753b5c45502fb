// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "appliance/room/room-private.h"
#include "appliance/signaling/message-build.h"

#define AGENT "skylinkd"

G_DEFINE_QUARK(room-error-quark, room_error)

gint64 room_now_ms(void)
{
	return g_get_real_time() / 1000;
}

void room_emit(Room *r, const char *name, JsonObject *params)
{
	room_events_push(r->events, name, params);
}

void room_send(Room *r, JsonObject *message)
{
	room_session_send(r->session, message);
}

/* --- self ---------------------------------------------------------------- */
void room_refresh_self(Room *r)
{
	const RoomStream *sends = &r->media.sends;

	g_clear_pointer(&r->self.user_info, json_object_unref);
	r->self.screenshare = sends->screenshare;
	r->info = (UserInfoSelf){
		.user_data = r->user_data,
		.send_audio = sends->send_audio,
		.send_video = sends->send_video,
		.audio_muted = r->media.audio_muted,
		.video_muted = r->media.video_muted,
		.width = sends->width,
		.height = sends->height,
		.fps = sends->fps,
		.stereo = sends->stereo,
		.screenshare = sends->screenshare,
		.max_audio_kbps = sends->max_audio_kbps,
		.max_video_kbps = sends->max_video_kbps,
		.max_data_kbps = sends->max_data_kbps,
		.agent = AGENT,
		.version = PACKAGE_VERSION,
		.room = room_session_get_room(r->session),
	};
	r->self.user_info = user_info_build(&r->info);
}

/* Our own peerInfo: what others make of our introduction. */
static JsonObject *self_info(Room *r)
{
	g_autoptr(JsonObject) enter = message_build_enter(&r->self, NULL);
	g_autoptr(Message) m = NULL;
	const char *room = room_session_get_room(r->session);
	struct peer_info info;
	JsonObject *json;

	json_object_set_string_member(enter, "mid", r->sid ? r->sid : "self");
	m = message_parse(enter, NULL);
	peer_info_init(&info, room ? room : "");
	if (m)
		peer_info_take_hello(&info, &m->hello, NULL);
	json = peer_info_to_json(&info);
	peer_info_done(&info);
	return json;
}

JsonObject *room_self_params(Room *r)
{
	JsonObject *params = json_object_new();

	if (r->sid)
		json_object_set_string_member(params, "peerId", r->sid);
	else
		json_object_set_null_member(params, "peerId");
	json_object_set_object_member(params, "peerInfo", self_info(r));
	json_object_set_boolean_member(params, "isSelf", TRUE);
	return params;
}

/* --- the session --------------------------------------------------------- */
static void on_session_event(void *user, const char *name, JsonObject *params)
{
	room_emit(user, name, params);
}

static void on_in_room(void *user, const Message *m)
{
	Room *r = user;
	JsonObject *params;

	g_free(r->mid);
	g_free(r->sid);
	g_free(r->rid);
	g_free(r->cid);
	r->mid = g_strdup(m->in_room.sid);
	r->sid = g_strdup(m->in_room.sid);
	r->rid = g_strdup(room_session_get_rid(r->session));
	r->cid = g_strdup(room_session_get_cid(r->session));
	r->self.mid = r->mid;
	r->self.rid = r->rid;
	r->self.cid = r->cid;
	/* 0.6.12's own rule where the server gives none */
	r->self.weight = m->in_room.has_tie_breaker
				 ? m->in_room.tie_breaker
				 : (gdouble) room_now_ms();
	/* not before: connections are made for one way or the other */
	r->self.ice_trickle = !r->config.no_trickle;
	r->self.no_data_channel =
		room_session_get_access(r->session)->no_data_channel;
	r->locked = FALSE;
	ice_servers_done(&r->ice);
	ice_servers_parse(m->in_room.ice_servers,
			  room_session_get_access(r->session),
			  room_session_get_host(r->session), &r->ice);
	room_refresh_self(r);

	room_emit(r, "peerJoined", room_self_params(r));
	room_tell_own_stream(r);
	room_send(r, message_build_enter(&r->self, NULL));
	params = json_object_new();
	json_object_set_string_member(params, "state", "enter");
	json_object_set_string_member(params, "peerId", r->sid);
	json_object_set_null_member(params, "error");
	room_emit(r, "handshakeProgress", params);
}

static void on_message(void *user, const Message *m)
{
	room_take_message(user, m);
}

static void on_lost(void *user)
{
	Room *r = user;
	JsonObject *params = room_self_params(r);

	json_object_remove_member(params, "isSelf");
	room_emit(r, "sessionDisconnect", params);
	room_peers_signaling_lost(r);
	g_clear_pointer(&r->sid, g_free);
}

/* --- life ---------------------------------------------------------------- */
static void free_bye_source(gpointer source)
{
	g_source_unref(source);
}

static char *os_name(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		return g_strdup("Linux");
	return g_strdup_printf("%s %s", u.sysname, u.machine);
}

static gdouble on_random(void *user)
{
	Room *r = user;

	return r->config.random(r->config.user);
}

static gboolean check_config(const RoomConfig *c, GError **error)
{
	if (c->n_video_codecs <= N_MEDIA_CODECS)
		return TRUE;
	g_set_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
		    "More than %d video codecs", N_MEDIA_CODECS);
	return FALSE;
}

Room *room_new(const RoomConfig *config, GError **error)
{
	RoomSessionConfig session = {
		.room_server = config->room_server,
		.app_key = config->app_key,
		.secret = config->secret,
		.backoff_ms = config->backoff_ms,
		.backoff_max_ms = config->backoff_max_ms,
		.random = config->random ? on_random : NULL,
		.event = on_session_event,
		.in_room = on_in_room,
		.message = on_message,
		.lost = on_lost,
	};
	Room *r;

	if (!check_config(config, error))
		return NULL;
	r = g_new0(Room, 1);
	session.user = r;
	r->session = room_session_new(&session);
	if (!room_session_set_access(r->session, config->room_server,
				     config->app_key, config->secret,
				     &config->access, error)) {
		room_session_free(r->session);
		g_free(r);
		return NULL;
	}
	r->config = *config;
	room_set_max_peers(r, config->max_peers);
	memcpy(r->codecs, config->video_codecs,
	       config->n_video_codecs * sizeof(*r->codecs));
	if (config->user_data)
		r->user_data = json_node_copy(config->user_data);
	r->media = (RoomMedia){
		.watch_only = config->watch_only,
		.sends = {
			.send_audio = config->send_audio,
			.send_video = config->send_video,
			.width = config->width,
			.height = config->height,
			.fps = config->fps,
		},
		.stream_id = g_uuid_string_random(),
	};
	r->os = os_name();
	r->events = room_events_new(config->context, config->event,
				    config->user);
	r->peers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	r->kept = g_ptr_array_new();
	r->byes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					free_bye_source);
	r->lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					(GDestroyNotify) json_object_unref);
	r->self = (MessageSelf){
		.agent = AGENT,
		.version = PACKAGE_VERSION,
		.os = r->os,
		.ice_trickle = !config->no_trickle,
	};
	room_refresh_self(r);
	return r;
}

void room_free(Room *r)
{
	if (!r)
		return;
	room_leave(r);
	room_session_free(r->session);
	room_events_free(r->events);
	g_hash_table_unref(r->peers);
	g_hash_table_unref(r->byes);
	g_hash_table_unref(r->lost);
	g_ptr_array_unref(r->kept);
	ice_servers_done(&r->ice);
	json_object_unref(r->self.user_info);
	g_clear_pointer(&r->user_data, json_node_unref);
	g_free(r->mid);
	g_free(r->sid);
	g_free(r->rid);
	g_free(r->cid);
	g_free(r->os);
	g_free(r->media.stream_id);
	g_free(r);
}

gboolean room_check_name(const char *name, GError **error)
{
	const char *what = NULL;

	if (!name || !*name)
		what = "is empty";
	else if (strlen(name) > ROOM_MAX_NAME_BYTES)
		what = "is longer than 256 bytes";
	else if (!g_utf8_validate(name, -1, NULL))
		what = "is not UTF-8";
	else if (!strcmp(name, ".") || !strcmp(name, ".."))
		what = "cannot be part of an address";
	for (const char *c = name; !what && *c; c++)
		if (g_ascii_iscntrl(*c) || *c == '/')
			what = "contains '/' or control characters";
	if (what)
		g_set_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
			    "The room's name %s", what);
	return !what;
}

gboolean room_join(Room *r, const char *name, GError **error)
{
	if (!room_check_name(name, error))
		return FALSE;
	room_leave(r);
	room_session_join(r->session, name);
	room_refresh_self(r);
	return TRUE;
}

gboolean room_set_access(Room *r, const char *room_server, const char *app_key,
			 const char *secret, const RoomAccess *access,
			 GError **error)
{
	return room_session_set_access(r->session, room_server, app_key, secret,
				       access, error);
}

void room_set_max_peers(Room *r, unsigned int max_peers)
{
	r->config.max_peers = max_peers ? max_peers : ROOM_MAX_PEERS;
}

void room_set_watch_only(Room *r, gboolean watch_only)
{
	r->media.watch_only = watch_only;
}

void room_network_changed(Room *r)
{
	room_session_network_changed(r->session);
}

void room_set_trickle(Room *r, gboolean trickle)
{
	r->config.no_trickle = !trickle;
}

void room_set_video_codecs(Room *r, const enum media_codec *codecs,
			   unsigned int n)
{
	g_return_if_fail(n <= N_MEDIA_CODECS);
	memcpy(r->codecs, codecs, n * sizeof(*codecs));
	r->config.n_video_codecs = n;
}

void room_retry_soon(Room *r)
{
	room_session_retry_soon(r->session);
}

void room_leave(Room *r)
{
	if (room_session_get_state(r->session) == ROOM_SESSION_IDLE)
		return;
	room_peers_remove_all(r);
	if (r->sid)
		room_emit(r, "peerLeft", room_self_params(r));
	room_session_leave(r->session);
	g_clear_pointer(&r->sid, g_free);
	r->locked = FALSE;
}

/* --- what the daemon asks for -------------------------------------------- */
void room_emit_self(Room *r, const char *name, gboolean of_stream)
{
	JsonObject *params = room_self_params(r);

	if (of_stream)
		json_object_set_boolean_member(params, "isScreensharing",
					       r->media.sends.screenshare);
	room_emit(r, name, params);
}

static void tell_mute(Room *r, gboolean video)
{
	GHashTableIter iter;
	gpointer peer;

	room_send(r, message_build_mute(&r->self,
					video ? MESSAGE_MUTE_VIDEO
					      : MESSAGE_MUTE_AUDIO,
					video ? r->media.video_muted : r->media.audio_muted,
					room_now_ms()));
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		room_peer_send_media_state(peer, video);
}

void room_set_muted(Room *r, gboolean audio, gboolean video)
{
	gboolean audio_changed = !r->media.audio_muted != !audio;
	gboolean video_changed = !r->media.video_muted != !video;

	r->media.audio_muted = audio;
	r->media.video_muted = video;
	room_refresh_self(r);
	if (!r->sid || !(audio_changed || video_changed))
		return;
	/* Video first, as SkylinkJS does; the throttle spaces the two. */
	if (video_changed)
		tell_mute(r, TRUE);
	if (audio_changed)
		tell_mute(r, FALSE);
	room_emit_self(r, "streamMuted", TRUE);
	room_emit_self(r, "peerUpdated", FALSE);
}

static void send_user_data(Room *r, JsonNode *data, const char *target)
{
	JsonObject *message = message_build_update_user(&r->self, data,
							room_now_ms());

	if (target)
		json_object_set_string_member(message, "target", target);
	room_send(r, message);
}

/* 2.x calls string functions on it and reads JSON in it (§11): it gets a text,
 * each such peer for itself when there are others, too. */
static void tell_user_data(Room *r)
{
	gboolean is_text = !r->user_data ||
			   (JSON_NODE_HOLDS_VALUE(r->user_data) &&
			    json_node_get_value_type(r->user_data) ==
				    G_TYPE_STRING);
	g_autoptr(JsonNode) text = NULL;
	g_autofree char *json = NULL;
	guint n_2x = 0;
	GHashTableIter iter;
	gpointer id, peer;

	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		n_2x += peer_info_is_2x(room_peer_get_info(peer));
	if (is_text || !n_2x) {
		send_user_data(r, r->user_data, NULL);
		return;
	}
	json = json_to_string(r->user_data, FALSE);
	text = json_node_init_string(json_node_alloc(), json);
	if (n_2x == g_hash_table_size(r->peers)) {
		send_user_data(r, text, NULL);
		return;
	}
	send_user_data(r, r->user_data, NULL);
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, &id, &peer))
		if (peer_info_is_2x(room_peer_get_info(peer)))
			send_user_data(r, text, id);
}

void room_set_user_data(Room *r, JsonNode *user_data)
{
	JsonNode *copy = user_data ? json_node_copy(user_data) : NULL;

	g_clear_pointer(&r->user_data, json_node_unref);
	r->user_data = copy;
	room_refresh_self(r);
	if (!r->sid)
		return;
	tell_user_data(r);
	room_emit_self(r, "peerUpdated", FALSE);
}

JsonNode *room_get_user_data(Room *r)
{
	return r->user_data;
}

gboolean room_need_joined(Room *r, GError **error)
{
	if (r->sid)
		return TRUE;
	g_set_error(error, ROOM_ERROR, ROOM_ERROR_NOT_IN_ROOM,
		    "Not in a room");
	return FALSE;
}

gboolean room_need_peers(Room *r, const char *const *targets, GError **error)
{
	for (; targets && *targets; targets++)
		if (!room_peers_find(r, *targets)) {
			g_set_error(error, ROOM_ERROR, ROOM_ERROR_NO_PEER,
				    "There is no peer '%s' in the room",
				    *targets);
			return FALSE;
		}
	return TRUE;
}

/* The sender sees its own message as an event, too. */
static void emit_own_message(Room *r, JsonNode *content,
			     const char *const *targets, gboolean p2p)
{
	JsonObject *params = room_self_params(r);
	JsonObject *message = json_object_new();
	JsonArray *list;

	json_object_set_member(message, "content", json_node_copy(content));
	json_object_set_string_member(message, "senderPeerId", r->sid);
	if (targets) {
		list = json_array_new();
		for (guint i = 0; targets[i]; i++)
			json_array_add_string_element(list, targets[i]);
		json_object_set_array_member(message, "targetPeerId", list);
	} else {
		json_object_set_null_member(message, "targetPeerId");
	}
	json_object_set_boolean_member(message, "isPrivate", targets != NULL);
	json_object_set_boolean_member(message, "isDataChannel", p2p);
	json_object_set_object_member(params, "message", message);
	room_emit(r, "incomingMessage", params);
}

gboolean room_send_message(Room *r, JsonNode *content,
			   const char *const *targets, GError **error)
{
	gboolean ok = TRUE;

	if (!room_need_joined(r, error) || !room_need_peers(r, targets, error))
		return FALSE;
	if (!targets)
		ok = room_session_send(r->session, message_build_text(
							   &r->self, NULL,
							   content));
	for (guint i = 0; targets && targets[i]; i++)
		ok = room_session_send(r->session,
				       message_build_text(&r->self, targets[i],
							  content)) && ok;
	if (!ok) {
		g_set_error(error, ROOM_ERROR, ROOM_ERROR_BUSY,
			    "Too much is waiting to be sent");
		return FALSE;
	}
	emit_own_message(r, content, targets, FALSE);
	return TRUE;
}

gboolean room_send_p2p_message(Room *r, JsonNode *content,
			       const char *const *targets, GError **error)
{
	guint n = 0;
	int last = -ENOTCONN;
	GHashTableIter iter;
	gpointer peer;

	if (!room_need_joined(r, error) || !room_need_peers(r, targets, error))
		return FALSE;
	if (r->media.mcu) {
		last = room_mcu_send_p2p(r, content, targets);
		n = last == 0;
	}
	g_hash_table_iter_init(&iter, r->peers);
	while (!r->media.mcu && g_hash_table_iter_next(&iter, NULL, &peer)) {
		int result;

		if (targets && !g_strv_contains(targets,
						room_peer_get_id(peer)))
			continue;
		result = room_peer_send_p2p(peer, targets != NULL, NULL,
					    content);
		if (result < 0)
			last = result;
		else
			n++;
	}
	if (!n) {
		g_set_error(error, ROOM_ERROR,
			    last == -EAGAIN ? ROOM_ERROR_BUSY
					    : ROOM_ERROR_NO_PEER,
			    "No peer takes the message: %s", g_strerror(-last));
		return FALSE;
	}
	emit_own_message(r, content, targets, TRUE);
	return TRUE;
}

gboolean room_lock(Room *r, gboolean lock, GError **error)
{
	JsonObject *params;

	if (!room_need_joined(r, error))
		return FALSE;
	r->locked = lock;
	room_send(r, message_build_room_lock(&r->self, lock));
	params = room_self_params(r);
	json_object_set_boolean_member(params, "isLocked", lock);
	room_emit(r, "roomLock", params);
	return TRUE;
}

gboolean room_is_locked(Room *r)
{
	return r->locked;
}

void room_refresh_each(Room *r, const char *const *ids, gboolean ice_restart,
		       JsonObject *errors)
{
	gboolean rejoins = FALSE;

	for (; *ids; ids++) {
		const char *one[] = {*ids, NULL};
		g_autoptr(GError) error = NULL;

		if (!room_need_joined(r, &error) ||
		    !room_need_peers(r, one, &error))
			json_object_set_string_member(errors, *ids,
						      error->message);
		else if (r->media.mcu)
			rejoins = TRUE;
		else
			room_peer_restart(room_peers_find(r, *ids),
					  ice_restart);
	}
	/* Not before all were looked at: it leaves the room. */
	if (rejoins)
		room_mcu_rejoin(r);
}

gboolean room_refresh(Room *r, const char *peer_id, gboolean ice_restart,
		      GError **error)
{
	const char *one[] = {peer_id, NULL};
	GHashTableIter iter;
	gpointer peer;

	if (!room_need_joined(r, error) ||
	    !room_need_peers(r, peer_id ? one : NULL, error))
		return FALSE;
	if (r->media.mcu) {
		room_mcu_rejoin(r);
		return TRUE;
	}
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		if (!peer_id || !strcmp(peer_id, room_peer_get_id(peer)))
			room_peer_restart(peer, ice_restart);
	return TRUE;
}

/* --- for people ---------------------------------------------------------- */
JsonObject *room_get_peer_info(Room *r, const char *peer_id)
{
	RoomPeer *peer;

	if (!peer_id || !g_strcmp0(peer_id, r->sid))
		return self_info(r);
	peer = room_peers_find_any(r, peer_id);
	return peer ? peer_info_to_json(room_peer_get_info(peer)) : NULL;
}

char **room_list_ice_urls(Room *r)
{
	g_autoptr(GStrvBuilder) urls = g_strv_builder_new();

	if (!r->sid)
		return NULL;
	for (guint i = 0; i < r->ice.n; i++)
		g_strv_builder_add(urls, r->ice.list[i].url);
	return g_strv_builder_end(urls);
}

JsonNode *room_describe(Room *r)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = room_session_describe(r->session);

	json_object_set_string_member(o, "streamId", r->media.stream_id);
	json_object_set_boolean_member(o, "locked", r->locked);
	json_object_set_boolean_member(o, "audioMuted", r->media.audio_muted);
	json_object_set_boolean_member(o, "videoMuted", r->media.video_muted);
	json_object_set_int_member(o, "peers", g_hash_table_size(r->peers));
	json_object_set_int_member(o, "keptPeers", r->kept->len);
	json_object_set_int_member(o, "lostPeers", g_hash_table_size(r->lost));
	json_object_set_int_member(o, "leavingPeers",
				   g_hash_table_size(r->byes));
	json_object_set_int_member(o, "iceServers", r->ice.n);
	json_object_set_int_member(o, "iceServersIgnored", r->ice.n_ignored);
	json_object_set_int_member(o, "iceServersNotWanted",
				   r->ice.n_unwanted);
	json_object_set_int_member(o, "peersRefused",
				   (gint64) r->peers_refused);
	json_object_set_int_member(o, "unexpectedMessages",
				   (gint64) r->unexpected);
	json_object_set_int_member(
		o, "eventsDropped",
		(gint64) room_events_get_dropped(r->events));
	json_node_take_object(node, o);
	return node;
}

JsonNode *room_describe_peers(Room *r)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *list = json_array_new();
	GHashTableIter iter;
	gpointer peer;

	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		json_array_add_object_element(list, room_peer_describe(peer));
	for (guint i = 0; i < r->kept->len; i++)
		json_array_add_object_element(
			list, room_peer_describe(r->kept->pdata[i]));
	json_node_take_array(node, list);
	return node;
}

GPtrArray *room_list_peer_ids(Room *r)
{
	GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer id;

	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		g_ptr_array_add(ids, g_strdup(id));
	for (guint i = 0; i < r->kept->len; i++)
		g_ptr_array_add(ids,
				g_strdup(room_peer_get_id(r->kept->pdata[i])));
	return ids;
}
