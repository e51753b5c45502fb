// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-refusal.h"

#include <string.h>

/* clang-format off */
static const struct room_refusal refusals[] = {
	{"locked",          "the room is locked", FALSE},
	{"notStart",        "the room has not started yet", FALSE},
	{"expired",         "the room's time is over", TRUE},
	{"roomclose",       "the room was closed", FALSE},
	{"roomfull",        "the room is full", FALSE},
	{"seatquota",       "no seat is left", FALSE},
	{"duplicatedLogin", "our token is in use already", FALSE},
	{"oldTimeStamp",    "our token is too old", FALSE},
	{"serverError",     "the server has failed", FALSE},
	{"fastmsg",         "we sent too much at a time", FALSE},
	{"credentialError", "our token is not valid", TRUE},
	{"keyFailed",       "the app key is not accepted", TRUE},
	{"verification",    "we could not be verified", TRUE},
};
/* clang-format on */

static const struct room_refusal unknown = {
	"", "it gave no known reason", FALSE,
};

const struct room_refusal *room_refusal_get(const char *reason)
{
	for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
		if (!strcmp(refusals[i].reason, reason))
			return &refusals[i];
	return &unknown;
}

gboolean room_refusal_api_is_slow(gint code)
{
	/* 4010 no meeting is scheduled, 4020 no seat, 4021 no token: pass */
	return (code >= 4001 && code <= 4006) || code == 5005;
}
