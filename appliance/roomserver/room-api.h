/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-api.h - the room API's requests and answers
 *
 *   GET /api/{key}/{room}                    who may join and where
 *   GET /api/{key}/{room}/{start}/{len}      the same for a scheduled room
 *
 * Source:  docs/skylink-protocol.md §2
 * Thread:  any
 * Memory:  parsers fill the caller's structs; answers are (transfer full)
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/roomserver/room-keys.h"
#include "appliance/roomserver/room-token.h"

#define ROOM_API_MAX_KEY	128
#define ROOM_API_MAX_ROOM	256
#define ROOM_API_MAX_START	40
#define ROOM_API_MAX_LEN	12
#define ROOM_API_MAX_CRED	128
#define ROOM_API_MAX_HOST	255
/* Rooms without a schedule: the token serves as long as a page stays open. */
#define ROOM_API_OPEN_HOURS	8760
#define ROOM_API_MAX_HOURS	8784

struct room_api_request {
	char key[ROOM_API_MAX_KEY + 1];
	char room[ROOM_API_MAX_ROOM + 1];
	bool scheduled;		/* all below is set */
	char start[ROOM_API_MAX_START + 1];	/* as they stand there: */
	char len[ROOM_API_MAX_LEN + 1];		/* credentials are made of it */
	gint64 end_ms;
};

/**
 * room_api_parse() - the path of a request
 * @path: without the query, its %-escapes already resolved
 *
 * Return: 0; -ENOENT if it is not a path of the room API at all; -EBADMSG.
 */
int room_api_parse(const char *path, struct room_api_request *ret);

struct room_api_host {
	char name[ROOM_API_MAX_HOST + 1];	/* "[::1]" keeps its brackets */
	uint16_t port;				/* 0: that of the scheme */
};

/* Return: 0, or -EBADMSG: a value that is no host goes into no answer. */
int room_api_parse_host(const char *header, struct room_api_host *ret);

/* SkylinkJS 2.x adds no port to ipSigserver; told by its SDK version. */
bool room_api_wants_port(const char *sdk_version);

/* What an answer is made from. */
struct room_api_grant {
	const uint8_t *secret;
	const struct room_key *key;	/* with a space */
	const char *uid;	/* fresh for every answer */
	gint64 now_ms;		/* wall clock */
	const struct room_api_host *host;
	bool port_in_host;
};

char *room_api_format(const struct room_api_request *request,
		      const struct room_api_grant *grant);
/* {"success":false,"error":4001,"info":"..."} */
char *room_api_format_error(int code, const char *info);
/* The HTTP status that goes with it: 0.6.12 looks at that alone. */
unsigned int room_api_status(enum room_refusal refusal);
