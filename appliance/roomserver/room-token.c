// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-token.h"

#include <glib.h>
#include <string.h>

#define SHA256_BYTES 32
#define SHA1_BYTES   20

/* Fields end with a NUL, which none of them can hold: no two different lists
 * give the same input. */
static void compute(const uint8_t *secret, const char *const *fields,
		    unsigned int n_fields, uint8_t ret[SHA256_BYTES])
{
	g_autoptr(GHmac) hmac =
		g_hmac_new(G_CHECKSUM_SHA256, secret, ROOM_SECRET_BYTES);
	gsize len = SHA256_BYTES;

	for (unsigned int i = 0; i < n_fields; i++)
		g_hmac_update(hmac, (const guchar *) fields[i],
			      (gssize) strlen(fields[i]) + 1);
	g_hmac_get_digest(hmac, ret, &len);
}

static void to_base64url(const uint8_t *bytes, size_t len, char *ret,
			 size_t n_chars)
{
	g_autofree char *text = g_base64_encode(bytes, len);

	g_strdelimit(text, "+", '-');
	g_strdelimit(text, "/", '_');
	memcpy(ret, text, n_chars);
	ret[n_chars] = '\0';
}

static void to_hex(const uint8_t *bytes, char *ret, unsigned int n_chars)
{
	for (unsigned int i = 0; i < n_chars / 2; i++)
		g_snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

void room_token_make_user(const uint8_t secret[ROOM_SECRET_BYTES],
			  const struct room_token_user *user,
			  char ret[ROOM_TOKEN_SIZE])
{
	const char *fields[] = {"user", user->key, user->uid, user->time_stamp,
				user->cid};
	uint8_t digest[SHA256_BYTES];

	compute(secret, fields, G_N_ELEMENTS(fields), digest);
	to_base64url(digest, sizeof(digest), ret, ROOM_TOKEN_CHARS);
}

void room_token_make_room(const uint8_t secret[ROOM_SECRET_BYTES],
			  const struct room_token_room *room,
			  char ret[ROOM_TOKEN_SIZE])
{
	const char *fields[] = {"room",	     room->key, room->rid,
				room->start, room->len, room->api_owner};
	uint8_t digest[SHA256_BYTES];

	compute(secret, fields, G_N_ELEMENTS(fields), digest);
	to_base64url(digest, sizeof(digest), ret, ROOM_TOKEN_CHARS);
}

bool room_token_equal(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char difference = 0;

	if (len != strlen(b))
		return false;
	for (size_t i = 0; i < len; i++)
		difference |= (unsigned char) (a[i] ^ b[i]);
	return difference == 0;
}

void room_token_room_id(const uint8_t secret[ROOM_SECRET_BYTES],
			const char *key, const char *room,
			char ret[ROOM_ID_CHARS + 1])
{
	const char *fields[] = {"rid", key, room};
	uint8_t digest[SHA256_BYTES];

	compute(secret, fields, G_N_ELEMENTS(fields), digest);
	to_hex(digest, ret, ROOM_ID_CHARS);
}

void room_token_cid(const uint8_t secret[ROOM_SECRET_BYTES], const char *key,
		    char ret[ROOM_ID_CHARS + 1])
{
	const char *fields[] = {"cid", key};
	uint8_t digest[SHA256_BYTES];

	compute(secret, fields, G_N_ELEMENTS(fields), digest);
	to_hex(digest, ret, ROOM_ID_CHARS);
}

void room_token_id(const uint8_t *random, unsigned int n_chars, char *ret)
{
	to_base64url(random, n_chars / 4 * 3, ret, n_chars);
	/* To a command line it would be an option. */
	if (ret[0] == '-')
		ret[0] = 'A';
}

char *room_token_sha1(const char *secret, const char *text)
{
	g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA1,
					   (const guchar *) secret,
					   strlen(secret));
	uint8_t digest[SHA1_BYTES];
	gsize n = sizeof(digest);

	g_hmac_update(hmac, (const guchar *) text, -1);
	g_hmac_get_digest(hmac, digest, &n);
	return g_base64_encode(digest, n);
}
