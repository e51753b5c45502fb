// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-channels.h"

#include <string.h>

static void free_channel(gpointer channel)
{
	peer_channel_free(channel);
}

void peer_channel_free(struct peer_channel *channel)
{
	if (!channel)
		return;
	g_free(channel->label);
	g_free(channel);
}

void peer_channels_init(struct peer_channels *c)
{
	*c = (struct peer_channels){
		.list = g_ptr_array_new_with_free_func(free_channel),
	};
}

void peer_channels_done(struct peer_channels *c)
{
	g_clear_pointer(&c->list, g_ptr_array_unref);
	g_clear_pointer(&c->messaging_label, g_free);
}

void peer_channels_clear(struct peer_channels *c)
{
	g_ptr_array_set_size(c->list, 0);
	g_clear_pointer(&c->messaging_label, g_free);
}

const struct peer_channel *peer_channels_add(struct peer_channels *c,
					     uint16_t number, const char *label)
{
	struct peer_channel *channel;

	if (c->list->len >= PEER_CHANNELS_MAX)
		return NULL;
	if (!c->messaging_label)
		c->messaging_label = g_strdup(label);
	channel = g_new0(struct peer_channel, 1);
	channel->number = number;
	channel->label = g_strdup(label);
	channel->messaging = !strcmp(label, c->messaging_label);
	g_ptr_array_add(c->list, channel);
	return channel;
}

struct peer_channel *peer_channels_take(struct peer_channels *c,
					uint16_t number)
{
	for (guint i = 0; i < c->list->len; i++) {
		struct peer_channel *channel = c->list->pdata[i];

		if (channel->number == number)
			return g_ptr_array_steal_index(c->list, i);
	}
	return NULL;
}

const struct peer_channel *peer_channels_find(const struct peer_channels *c,
					      uint16_t number)
{
	for (guint i = 0; i < c->list->len; i++) {
		const struct peer_channel *channel = c->list->pdata[i];

		if (channel->number == number)
			return channel;
	}
	return NULL;
}

const struct peer_channel *
peer_channels_get_messaging(const struct peer_channels *c)
{
	for (guint i = c->list->len; i-- > 0;) {
		struct peer_channel *channel = c->list->pdata[i];

		if (channel->messaging)
			return channel;
	}
	return NULL;
}
