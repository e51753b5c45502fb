/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-token.h - stateless tokens of a room service
 *
 * The room API hands out a user token and a room token; joinRoom brings them
 * back together with all they were made from, so the server keeps nothing.
 *
 * Source:  docs/skylink-protocol.md §2.4
 * Thread:  any
 * Memory:  results into the caller's arrays
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOM_SECRET_BYTES 32
#define ROOM_TOKEN_CHARS  43	/* a SHA-256 in base64url, without padding */
#define ROOM_ID_CHARS	  32
#define ROOM_TOKEN_SIZE	  (ROOM_TOKEN_CHARS + 1)

/* What a user token and a room token vouch for. All strings, as on the wire. */
struct room_token_user {
	const char *key, *uid, *time_stamp, *cid;
};
struct room_token_room {
	const char *key, *rid, *start, *len, *api_owner;
};

void room_token_make_user(const uint8_t secret[ROOM_SECRET_BYTES],
			  const struct room_token_user *user,
			  char ret[ROOM_TOKEN_SIZE]);
void room_token_make_room(const uint8_t secret[ROOM_SECRET_BYTES],
			  const struct room_token_room *room,
			  char ret[ROOM_TOKEN_SIZE]);

/* In a time that does not depend on where a forgery differs. */
bool room_token_equal(const char *a, const char *b);

/* The room id of a room's name under one key: not to be guessed from it. */
void room_token_room_id(const uint8_t secret[ROOM_SECRET_BYTES],
			const char *key, const char *room,
			char ret[ROOM_ID_CHARS + 1]);

/* The application's connection id. */
void room_token_cid(const uint8_t secret[ROOM_SECRET_BYTES], const char *key,
		    char ret[ROOM_ID_CHARS + 1]);

/* @n_chars characters of [A-Za-z0-9_-] from @n_chars * 3 / 4 random bytes;
 * @n_chars is a multiple of 4, at most 64. */
void room_token_id(const uint8_t *random, unsigned int n_chars, char *ret);

/* base64(HMAC-SHA1(secret, text)): the form in which clients prove that they
 * know a key's secret, and coturn's time-limited credentials. g_free() it. */
char *room_token_sha1(const char *secret, const char *text);
