/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/room-api-client.h - ask the room API for a room's tokens
 *
 * One GET, tried again when nothing usable came back: each try has its time,
 * a refusal is final. Nothing blocks.
 *
 * Source:  docs/skylink-protocol.md §2.1, §2.3
 * Thread:  control; its context must be the thread's default one
 * Memory:  a call belongs to its creator; at most ROOM_API_MAX_BYTES are read
 */
#pragma once

#include <libsoup/soup.h>

#include "appliance/signaling/room-api-answer.h"

#define ROOM_API_TIMEOUT_MS 4000	/* per try */
#define ROOM_API_RETRIES    2
#define ROOM_API_MAX_HOURS  8784	/* a leap year */
#define ROOM_API_ROOM_HOURS 24		/* asked for with credentials */

typedef struct RoomApiCall RoomApiCall;

/* What is asked for. */
typedef struct {
	const char *base;	/* "http://host[:port]", "https://..", and
				 * "//host", which means https */
	gboolean force_ssl;	/* https whatever @base says */
	const char *app_key, *room;
	/* At most one; neither: authorised by the address. */
	const char *secret;	/* the credential is made from it */
	const char *credential;	/* made elsewhere, base64; with @start */
	const char *start;	/* ISO 8601, of a scheduled room; NULL: now,
				 * for ROOM_API_ROOM_HOURS */
	gdouble hours;		/* with @start */
	const char *region;	/* "sg", "us2", or NULL */
} RoomApiRequest;

typedef struct {
	SoupSession *session;	/* referenced */
	RoomApiRequest request;	/* copied */
	guint timeout_ms;	/* 0: ROOM_API_TIMEOUT_MS */

	/* Once, never from within room_api_call_new(). @answer: (transfer
	 * full), or NULL with @error; @server_error: the server's own number,
	 * or 0; @status: HTTP, or 0. May free the call. */
	void (*done)(void *user, RoomApiAnswer *answer, gint server_error,
		     guint status, const GError *error);
	/* A try failed and another follows. May be NULL. */
	void (*retry)(void *user, guint attempt, const GError *error);
	void *user;
} RoomApiConfig;

RoomApiCall *room_api_call_new(const RoomApiConfig *config);
/* Cancels; done() is not called any more. Takes NULL, returns NULL. */
RoomApiCall *room_api_call_free(RoomApiCall *call);

/**
 * room_api_url() - the request's address; pure
 * @now_ms: real time, for a room that starts now, and against caches
 *
 * The credential is base64(HMAC-SHA1(secret, room_hours_start)) of the very
 * texts that stand in the path, as encodeURIComponent() writes it.
 *
 * Return: (transfer full): the URL, or NULL with a ROOM_API_ERROR that names
 * what is wrong: the base, the start, the hours, a credential without start.
 */
char *room_api_url(const RoomApiRequest *request, gint64 now_ms,
		   GError **error);

/* Whether it is asked over TLS: "https://" and "//" are. */
gboolean room_api_is_tls(const RoomApiRequest *request);
