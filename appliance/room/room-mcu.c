// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-private.h"

#include <errno.h>
#include <string.h>

/* Before the MCU's own connection is made: then it gets our media at once. */
void room_mcu_joined(Room *r)
{
	GHashTableIter iter;
	gpointer peer;

	if (r->media.mcu)
		return;
	r->media.mcu = TRUE;
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		room_peer_renew_media(peer);
}

void room_mcu_left(Room *r)
{
	GHashTableIter iter;
	gpointer peer, id;

	if (!r->media.mcu)
		return;
	r->media.mcu = FALSE;
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, &id, &peer))
		if (strcmp(id, "MCU"))
			room_peer_renew_media(peer);
}

void room_mcu_rejoin(Room *r)
{
	g_autofree char *room = g_strdup(room_session_get_room(r->session));
	GHashTableIter iter;
	gpointer peer;

	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		room_peer_announce_restart(peer);
	room_join(r, room, NULL); /* it was a good name before */
}

int room_mcu_send_p2p(Room *r, JsonNode *content, const char *const *targets)
{
	RoomPeer *mcu = room_peers_find(r, "MCU");
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	GHashTableIter iter;
	gpointer id;

	if (!mcu)
		return -ENOTCONN;
	g_hash_table_iter_init(&iter, r->peers);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		if (strcmp(id, "MCU"))
			g_ptr_array_add(all, id);
	if (!all->len)
		return -ENOTCONN;
	g_ptr_array_add(all, NULL);
	return room_peer_send_p2p(
		mcu, targets != NULL,
		targets ? targets : (const char *const *) all->pdata, content);
}
