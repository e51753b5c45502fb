// SPDX-License-Identifier: Apache-2.0
/* What the transfers with a peer need of it: its connection, its clock, and what
 * is known about it. */
#include "appliance/room/room-peer-private.h"

static void transfers_get_context(void *user, PeerTransfersContext *ret)
{
	RoomPeer *p = user;
	const struct peer_channel *channel =
		peer_channels_get_messaging(&p->channels);

	*ret = (PeerTransfersContext){
		.self_id = p->config.self->mid,
		.agent = p->config.self->agent,
		.version = p->config.self->version,
		.peer = {
			.agent = p->info.agent,
			.dt_version = p->info.dt_version,
			.is_2x = peer_info_is_2x(&p->info),
			.is_mcu = p->handshake.peer_is_mcu,
		},
		.has_main = channel != NULL,
		.main_channel = channel ? channel->number : 0,
	};
}

static int transfers_send(void *user, guint16 channel, gboolean text,
			  const void *data, gsize len)
{
	RoomPeer *p = user;

	return rtc_peer_send(p->rtc, channel, text, data, len);
}

static gboolean transfers_open_channel(void *user, const char *label,
				       GError **error)
{
	RoomPeer *p = user;

	return peer_open_channel(p, label, FALSE, error);
}

static void transfers_close_channel(void *user, guint16 channel)
{
	RoomPeer *p = user;

	rtc_peer_close_channel(p->rtc, channel);
}

static void transfers_event(void *user, const char *name, JsonObject *params)
{
	peer_emit(user, name, params);
}

static gboolean transfers_is_wanted(void *user, const char *peer_id,
				    const char *transfer_id, JsonObject *info)
{
	RoomPeer *p = user;

	return p->config.events->transfer_wanted(p->config.user, peer_id,
						 transfer_id, info);
}

static gboolean transfers_has_room(void *user)
{
	RoomPeer *p = user;

	return p->config.events->transfer_room(p->config.user);
}

static gboolean on_transfer_timer(gpointer data)
{
	RoomPeer *p = data;

	peer_stop_timer(&p->transfer_timer);
	peer_transfers_tick(p->transfers);
	return G_SOURCE_REMOVE;
}

static void transfers_due_changed(void *user)
{
	RoomPeer *p = user;
	gint64 due = peer_transfers_get_due(p->transfers);
	gint64 wait = due - g_get_monotonic_time();

	peer_stop_timer(&p->transfer_timer);
	if (due >= 0)
		peer_set_timer(p, &p->transfer_timer,
			  (guint) (MAX(wait, 0) / 1000 + 1),
			  on_transfer_timer);
}

static gint64 transfers_now(void *user)
{
	return g_get_monotonic_time();
}

const struct peer_transfers_ops peer_transfers_peer_ops = {
	.get_context = transfers_get_context,
	.send = transfers_send,
	.open_channel = transfers_open_channel,
	.close_channel = transfers_close_channel,
	.event = transfers_event,
	.is_wanted = transfers_is_wanted,
	.has_room = transfers_has_room,
	.due_changed = transfers_due_changed,
	.now_us = transfers_now,
};

PeerTransfers *room_peer_get_transfers(RoomPeer *p)
{
	return p->transfers;
}

gboolean room_peer_is_mcu(RoomPeer *p)
{
	return p->handshake.peer_is_mcu;
}
