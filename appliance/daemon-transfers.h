/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-transfers.h - files between control clients, room and spool
 *
 *   client --fd--> source --> room          sendBlobData
 *   room --> sink --fd--> client's file     acceptDataTransfer, destination
 *        `-> sink --> spool --fd--> client  ... and transfer.fetch
 *
 * [transfer] accept decides who may say yes to a peer.
 *
 * Source:  SkylinkJS 0.6.12 API; docs/control.md
 * Thread:  control
 * Memory:  one, of the Daemon
 */
#pragma once

#include "appliance/daemon-private.h"

gboolean daemon_transfers_start(Daemon *d, GError **error);
/* The configuration changed: its limits, and what becomes of an offer. */
void daemon_transfers_reload(Daemon *d);
void daemon_transfers_fill_room(Daemon *d, RoomConfig *room);
/* An event of the room, after clients got it. */
void daemon_transfers_event(Daemon *d, const char *name, JsonObject *params);
/* Calls that still wait are answered: before the control server ends. */
void daemon_transfers_done(Daemon *d);
/* After the room. */
void daemon_transfers_free(Daemon *d);
