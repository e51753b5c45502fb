// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-refusal.h"

#include <string.h>

#include "appliance/room/backoff.h"

/* clang-format off */
static const struct room_refusal refusals[] = {
	{"locked",          "the room is locked", ROOM_WAIT_QUICK},
	{"notStart",        "the room has not started yet", ROOM_WAIT_QUICK},
	{"expired",         "the room's time is over", ROOM_WAIT_SLOW},
	{"roomclose",       "the room was closed", ROOM_WAIT_PATIENT},
	{"roomfull",        "the room is full", ROOM_WAIT_PATIENT},
	{"seatquota",       "no seat is left", ROOM_WAIT_PATIENT},
	{"duplicatedLogin", "our token is in use already", ROOM_WAIT_QUICK},
	{"oldTimeStamp",    "our token is too old", ROOM_WAIT_QUICK},
	{"serverError",     "the server has failed", ROOM_WAIT_QUICK},
	{"fastmsg",         "we sent too much at a time", ROOM_WAIT_PATIENT},
	{"credentialError", "our token is not valid", ROOM_WAIT_SLOW},
	{"keyFailed",       "the app key is not accepted", ROOM_WAIT_SLOW},
	{"verification",    "we could not be verified", ROOM_WAIT_SLOW},
};
/* clang-format on */

static const struct room_refusal unknown = {
	"", "it gave no known reason", ROOM_WAIT_QUICK,
};

const struct room_refusal *room_refusal_get(const char *reason)
{
	for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
		if (!strcmp(refusals[i].reason, reason))
			return &refusals[i];
	return &unknown;
}

enum room_wait room_refusal_api_wait(gint code)
{
	/* 4010 no meeting is scheduled, 4020 no seat, 4021 no token: pass */
	return (code >= 4001 && code <= 4006) || code == 5005
		       ? ROOM_WAIT_SLOW : ROOM_WAIT_QUICK;
}

guint room_wait_ms(enum room_wait wait, guint in_row, guint min_ms,
		   guint max_ms, gdouble random)
{
	switch (wait) {
	case ROOM_WAIT_QUICK:
		break;
	case ROOM_WAIT_PATIENT:
		min_ms *= 10;
		max_ms *= 2;
		break;
	case ROOM_WAIT_SLOW:
		min_ms = max_ms;
		max_ms *= 20;
		break;
	}
	return backoff_ms(in_row, min_ms, max_ms, random);
}
