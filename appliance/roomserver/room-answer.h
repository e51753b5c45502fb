/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-answer.h - HTTP answers of the room server
 *
 * Source:  Fetch standard §3.2 (CORS); docs/skylink-protocol.md §2.1, §3.5
 * Thread:  server, inside a libwebsockets callback of the connection
 * Memory:  bodies are borrowed for the call
 */
#pragma once

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

#define ROOM_ANSWER_MAX_HEADER 2048

struct room_answer {
	unsigned int status;
	const char *content_type;	/* NULL: no body */
	const char *body;
	size_t len;
	const char *etag;		/* NULL: not to be stored */
	const char *csp;		/* NULL: none */
	const char *location;		/* of a 3xx; or NULL */
	const char *cookie;		/* Set-Cookie; or NULL */
	bool for_us;			/* no other origin may read it */
};

/**
 * room_answer_send() - write headers and body, and end the transaction
 *
 * Carries the CORS headers that let any page read it, unless it is for us: keys
 * and tokens guard rooms, not the origin of the page.
 *
 * Return: what the callback must return: 0, or -1 to close the connection.
 */
int room_answer_send(struct lws *wsi, const struct room_answer *answer);

/* The answer to OPTIONS: whatever was asked for is allowed. */
int room_answer_preflight(struct lws *wsi);

/* As room_answer_send() inside LWS_CALLBACK_HTTP_CONFIRM_UPGRADE, where
 * libwebsockets ends the transaction. Return: 1, or -1 to close. */
int room_answer_refuse_upgrade(struct lws *wsi,
			       const struct room_answer *answer);
