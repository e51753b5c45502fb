// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-private.h"

#include <string.h>

static gboolean is_mcu(const char *id)
{
	return !strcmp(id, "MCU");
}

static JsonObject *server_peer_params(const char *id)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "peerId", id);
	json_object_set_string_member(params, "serverPeerType", "mcu");
	return params;
}

static void tell_left(Room *r, RoomPeer *peer)
{
	JsonObject *params;

	if (is_mcu(room_peer_get_id(peer))) {
		room_emit(r, "serverPeerLeft",
			  server_peer_params(room_peer_get_id(peer)));
		return;
	}
	params = room_peer_event_params(peer);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	room_emit(r, "peerLeft", params);
}

void room_peers_tell_joined(Room *r, RoomPeer *peer)
{
	JsonObject *params;

	if (is_mcu(room_peer_get_id(peer))) {
		room_emit(r, "serverPeerJoined",
			  server_peer_params(room_peer_get_id(peer)));
		return;
	}
	params = room_peer_event_params(peer);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	room_emit(r, "peerJoined", params);
}

/* --- removing ------------------------------------------------------------ */
static void forget_bye(Room *r, const char *id)
{
	GSource *source = g_hash_table_lookup(r->byes, id);

	if (!source)
		return;
	g_source_destroy(source);
	g_hash_table_remove(r->byes, id);
}

/* --- when our own network failed ----------------------------------------- */
static void stop_recovery(Room *r)
{
	if (!r->recover_timer)
		return;
	g_source_destroy(r->recover_timer);
	g_clear_pointer(&r->recover_timer, g_source_unref);
}

static gboolean only_lost_left(Room *r)
{
	GHashTableIter iter;
	gpointer id;

	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		if (!g_hash_table_contains(r->lost, id))
			return FALSE;
	return TRUE;
}

static gboolean on_recover(gpointer data)
{
	Room *r = data;

	stop_recovery(r);
	/* A connection that stands is worth more than one to get back. */
	if (only_lost_left(r))
		room_session_rejoin(r->session,
				    "All connections were lost; joining anew");
	return G_SOURCE_REMOVE;
}

/* To be called whenever there is a connection less. */
static void arm_recovery(Room *r)
{
	if (r->recover_timer || !g_hash_table_size(r->lost) ||
	    !only_lost_left(r))
		return;
	r->recover_timer = g_timeout_source_new(ROOM_RECOVER_MS);
	g_source_set_callback(r->recover_timer, on_recover, r, NULL);
	g_source_attach(r->recover_timer, r->config.context);
}

static void forget_lost(Room *r)
{
	g_hash_table_remove_all(r->lost);
	stop_recovery(r);
}

void room_peers_found(Room *r, const char *id)
{
	g_hash_table_remove(r->lost, id);
	if (!g_hash_table_size(r->lost))
		stop_recovery(r);
}

/* Tells, forgets and frees; @peer is in one of the two collections. */
static void remove_peer(Room *r, RoomPeer *peer, const char *why)
{
	const char *id = room_peer_get_id(peer);
	RoomPeer *now = room_peers_find(r, id);

	g_info("Peer %s left: %s", id, why);
	/* One that was kept says nothing about who has its id by now: only our
	 * signaling was gone, and whoever is here again has not left. */
	if (!now || now == peer)
		tell_left(r, peer);
	room_peer_tell_closed(peer, now && now != peer);
	if (now == peer) {
		forget_bye(r, id);
		if (is_mcu(id))
			room_mcu_left(r);
		g_hash_table_remove(r->peers, id);
	} else {
		g_ptr_array_remove(r->kept, peer);
	}
	room_peer_free(peer);
	arm_recovery(r);
}

void room_peers_remove_all(Room *r)
{
	g_autoptr(GList) list = g_hash_table_get_values(r->peers);

	forget_lost(r);
	r->media.mcu = FALSE;
	/* First what may be somebody's second connection. */
	while (r->kept->len)
		remove_peer(r, r->kept->pdata[0], "we left the room");
	for (GList *l = list; l; l = l->next)
		remove_peer(r, l->data, "we left the room");
}

struct bye {
	Room *room;
	char *id;
};

static void free_bye(gpointer data)
{
	struct bye *bye = data;

	g_free(bye->id);
	g_free(bye);
}

static gboolean on_bye(gpointer data)
{
	struct bye *bye = data;

	/* forgets the bye as well, and with it this source */
	remove_peer(bye->room, room_peers_find(bye->room, bye->id),
		    "it left the room");
	return G_SOURCE_REMOVE;
}

void room_peers_bye(Room *r, const char *id)
{
	RoomPeer *peer = room_peers_find(r, id);
	struct bye *bye;
	GSource *source;

	room_peers_found(r, id);	/* and lost, but that is known now */
	if (!peer || g_hash_table_contains(r->byes, id))
		return;
	/* What is not connected has nothing to lose. */
	if (!room_peer_is_connected(peer)) {
		remove_peer(r, peer, "it left the room");
		return;
	}
	bye = g_new0(struct bye, 1);
	bye->room = r;
	bye->id = g_strdup(id);
	source = g_timeout_source_new(ROOM_BYE_GRACE_MS);
	g_source_set_callback(source, on_bye, bye, free_bye);
	g_source_attach(source, r->config.context);
	g_hash_table_insert(r->byes, g_strdup(id), source);
}

void room_peers_signaling_lost(Room *r)
{
	g_autoptr(GList) list = g_hash_table_get_values(r->peers);

	forget_lost(r);
	r->media.mcu = FALSE;
	for (GList *l = list; l; l = l->next) {
		RoomPeer *peer = l->data;
		const char *id = room_peer_get_id(peer);

		forget_bye(r, id);
		if (!room_peer_is_connected(peer)) {
			remove_peer(r, peer, "signaling was lost");
			continue;
		}
		room_peer_detach(peer);
		g_hash_table_remove(r->peers, id);
		g_ptr_array_add(r->kept, peer);
	}
	while (r->kept->len > r->config.max_peers)
		remove_peer(r, r->kept->pdata[0], "too many were kept");
}

/* --- from the peers ------------------------------------------------------ */
static void on_event(void *user, const char *name, JsonObject *params)
{
	room_emit(user, name, params);
}

static void on_send(void *user, JsonObject *message)
{
	room_send(user, message);
}

static void on_codec_use(void *user, enum media_codec codec, gboolean took)
{
	Room *r = user;

	if (r->config.codec_use)
		r->config.codec_use(r->config.user, codec, took);
}

static JsonObject *on_about(void *user, const char *peer_id)
{
	RoomPeer *peer = room_peers_find(user, peer_id);

	return peer ? room_peer_event_params(peer) : NULL;
}

/* The same certificate: it is the one whose old connection we kept. */
static void on_connected(void *user, RoomPeer *peer)
{
	Room *r = user;
	const char *fingerprint = room_peer_get_fingerprint(peer);

	if (room_peer_is_detached(peer) || !*fingerprint)
		return;
	room_peers_found(r, room_peer_get_id(peer));
	for (guint i = 0; i < r->kept->len; i++) {
		RoomPeer *old = r->kept->pdata[i];

		if (strcmp(room_peer_get_fingerprint(old), fingerprint))
			continue;
		remove_peer(r, old, "it came back under a new id");
		return;
	}
}

static void note_lost(Room *r, RoomPeer *peer)
{
	JsonObject *hello = room_peer_get_hello(peer);

	if (!room_peer_is_detached(peer) &&
	    !g_hash_table_contains(r->byes, room_peer_get_id(peer)) &&
	    g_hash_table_size(r->lost) < r->config.max_peers)
		g_hash_table_insert(r->lost, g_strdup(room_peer_get_id(peer)),
				    hello ? json_object_ref(hello)
					  : json_object_new());
}

/* While its health tries to bring it back. */
static void on_down(void *user, RoomPeer *peer)
{
	Room *r = user;
	GSource *bye = g_hash_table_lookup(r->byes, room_peer_get_id(peer));

	if (bye) {
		remove_peer(r, peer, "it left the room");
		return;
	}
	g_info("Peer %s is out of reach", room_peer_get_id(peer));
	note_lost(r, peer);
	arm_recovery(r);
}

static void on_gone(void *user, RoomPeer *peer, gboolean lost, const char *why)
{
	Room *r = user;

	if (lost)
		note_lost(r, peer);
	remove_peer(r, peer, why);
}

static const struct room_peer_events peer_events = {
	.event = on_event,
	.send = on_send,
	.codec_use = on_codec_use,
	.about = on_about,
	.connected = on_connected,
	.down = on_down,
	.gone = on_gone,
	.transfer_wanted = room_transfers_is_wanted,
	.transfer_room = room_transfers_has_room,
};

/* --- finding and adding -------------------------------------------------- */
RoomPeer *room_peers_find(Room *r, const char *id)
{
	return id ? g_hash_table_lookup(r->peers, id) : NULL;
}

RoomPeer *room_peers_find_any(Room *r, const char *id)
{
	RoomPeer *peer = room_peers_find(r, id);

	for (guint i = 0; !peer && i < r->kept->len; i++)
		if (!strcmp(room_peer_get_id(r->kept->pdata[i]), id))
			peer = r->kept->pdata[i];
	return peer;
}

JsonObject *room_peers_find_lost(Room *r, const char *id)
{
	return g_hash_table_lookup(r->lost, id);
}

RoomPeer *room_peers_add(Room *r, const char *id, JsonObject *hello)
{
	RoomPeerConfig config = {
		.engine = r->config.engine,
		.context = r->config.context,
		.id = id,
		.self = &r->self,
		.room = room_session_get_room(r->session),
		.media = &r->media,
		.video_codecs = r->codecs,
		.n_video_codecs = r->config.n_video_codecs,
		.ice = &r->ice,
		.health_ms = r->config.health_ms,
		.returns = hello != NULL,
		.hello = hello,
		.events = &peer_events,
		.user = r,
	};
	g_autoptr(GError) error = NULL;
	RoomPeer *peer = NULL;

	if (g_hash_table_size(r->peers) < r->config.max_peers)
		peer = room_peer_new(&config, &error);
	/* A connection without signaling makes room for one with. */
	if (!peer && error && r->kept->len) {
		g_clear_error(&error);
		remove_peer(r, r->kept->pdata[0], "its place was needed");
		peer = room_peer_new(&config, &error);
	}
	if (!peer) {
		if (!r->peers_refused++)
			g_warning("Ignoring peer %s: %s", id,
				  error ? error->message
					: "the room is full for us");
		return NULL;
	}
	g_hash_table_insert(r->peers, g_strdup(id), peer);
	return peer;
}
