/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/peer-channels.h - which of a peer's data channels is for what
 *
 * The first channel is the messaging channel, whatever its label. Later ones
 * of the same label are messaging channels too (0.6.12 makes one more with
 * each offer, and talks on the newest); all others carry data.
 *
 * Source:  docs/skylink-protocol.md §6, §10.1
 * Thread:  control
 * Memory:  embedded in its owner; peer_channels_done(). At most
 *          PEER_CHANNELS_MAX
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#define PEER_CHANNELS_MAX 64

struct peer_channel {
	uint16_t number;
	char *label;
	gboolean messaging;
};

struct peer_channels {
	GPtrArray *list;	/* struct peer_channel, oldest first */
	char *messaging_label;	/* NULL: there was none yet */
};

void peer_channels_init(struct peer_channels *channels);
void peer_channels_done(struct peer_channels *channels);
/* A new connection: nothing of the old one holds. */
void peer_channels_clear(struct peer_channels *channels);

/* Return: the channel (borrowed), or NULL when there are too many. */
const struct peer_channel *peer_channels_add(struct peer_channels *channels,
					     uint16_t number,
					     const char *label);
/* Return: (transfer full): what it was, or NULL; peer_channel_free() */
struct peer_channel *peer_channels_take(struct peer_channels *channels,
					uint16_t number);
void peer_channel_free(struct peer_channel *channel);

/* Borrowed; NULL: none of this number. */
const struct peer_channel *
peer_channels_find(const struct peer_channels *channels, uint16_t number);
/* The newest messaging channel, or NULL. */
const struct peer_channel *
peer_channels_get_messaging(const struct peer_channels *channels);
