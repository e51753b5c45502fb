/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-sending.h - sendBlobData and sendURLData, until all is over
 *
 * Such a call is answered when the last of its transfers has ended, from the
 * dataTransferState events that tell of them. The transfers go on when the
 * caller leaves.
 *
 * Source:  SkylinkJS 0.6.12 API: sendBlobData(), callback
 * Thread:  control
 * Memory:  one list, owned by its creator; as long as the room's transfers
 */
#pragma once

#include "appliance/control/control-server.h"
#include "appliance/room/room.h"

typedef struct DaemonSending DaemonSending;

DaemonSending *daemon_sending_new(void);
/* Calls that still wait are answered. Takes NULL. */
void daemon_sending_free(DaemonSending *sending);

/* @ids: what room_send_data() answered, {peerId: transferId}; borrowed. */
void daemon_sending_add(DaemonSending *sending, ControlCall *call,
			const RoomTransferOffer *offer, gboolean is_private,
			JsonObject *ids);
/* A dataTransferState. */
void daemon_sending_event(DaemonSending *sending, JsonObject *params);
/* Ends what the room no longer knows: its peer left. @transfers: what
 * room_describe_transfers() answered; NULL: there is no room. */
void daemon_sending_check(DaemonSending *sending, JsonNode *transfers);
