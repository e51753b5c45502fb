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
#define ROOM_API_ROOM_HOURS 24		/* asked for with credentials */

typedef struct RoomApiCall RoomApiCall;

typedef struct {
	SoupSession *session;	/* referenced */
	const char *base;	/* "http://host[:port]", "https://..", and
				 * "//host", which means https */
	const char *app_key, *room;
	const char *secret;	/* NULL: authorised by the address */
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
 * @start, @len_hours: with @secret only
 *
 * Return: (transfer full): the URL, or NULL when @base is none.
 */
char *room_api_url(const char *base, const char *app_key, const char *room,
		   const char *secret, const char *start, guint len_hours,
		   gint64 rand_ms, GError **error);

/* Whether @base asks for TLS: "https://" and "//" do. */
gboolean room_api_base_is_tls(const char *base);

/* A session as the signaling client wants it: our user agent, no cookies. */
SoupSession *signaling_http_session_new(void);
