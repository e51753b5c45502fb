/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-messages.h - the lines an operator can search for
 *
 * Each has an id that stays, whatever its words become:
 *
 *   journalctl MESSAGE_ID=8355d35611c04fdbb293734845b89945
 *   journalctl -u skylinkd SKYLINK_EVENT=peer-joined -o json
 *
 * The manual page is made from the same rows.
 *
 * Source:  systemd.journal-fields(7)
 * Thread:  any
 * Memory:  the table is constant
 */
#pragma once

#include <glib.h>

enum daemon_message {
	DAEMON_MESSAGE_STARTED,
	DAEMON_MESSAGE_STOPPING,
	DAEMON_MESSAGE_ROOM_JOINED,
	DAEMON_MESSAGE_ROOM_LEFT,
	DAEMON_MESSAGE_ROOM_LOST,
	DAEMON_MESSAGE_ROOM_REFUSED,
	DAEMON_MESSAGE_SIGNALING,
	DAEMON_MESSAGE_PEER_JOINED,
	DAEMON_MESSAGE_PEER_LEFT,
	DAEMON_MESSAGE_NETWORK,
	DAEMON_MESSAGE_DEVICE,
	DAEMON_MESSAGE_STUCK,
	DAEMON_MESSAGE_CRASHED,
	DAEMON_MESSAGE_SCHEDULE,
	DAEMON_MESSAGE_RECOVERED,
	DAEMON_MESSAGE_STORAGE,
	DAEMON_MESSAGE_SELFTEST,
	DAEMON_MESSAGE_RESTARTING,
	DAEMON_MESSAGE_NOT_JOINED,
	DAEMON_MESSAGE_CERTIFICATE,
	DAEMON_MESSAGE_CERTIFICATE_BAD,
	N_DAEMON_MESSAGES,
};

struct daemon_message_row {
	const char *id;		/* 128 bits, for ever */
	const char *event;	/* SKYLINK_EVENT */
	GLogLevelFlags level;
	const char *fields;	/* "SKYLINK_ROOM, SKYLINK_PEER", or "" */
	const char *help;
};

const struct daemon_message_row *daemon_message_get(enum daemon_message m);

/* What it is about; NULL where it is about none. Borrowed. */
struct daemon_message_about {
	const char *room, *peer;
	const char *device;	/* "video", "audio", or a stage's name */
	const char *reason;
};

/* @about: NULL: nothing in particular. Strangers' words in fields are cut to
 * DAEMON_MESSAGE_FIELD_MAX bytes; those in the line are the caller's care. */
#define DAEMON_MESSAGE_FIELD_MAX 256
void daemon_message_log(enum daemon_message m,
			const struct daemon_message_about *about,
			const char *format, ...) G_GNUC_PRINTF(3, 4);
