/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-keys.h - the application keys of a room server
 *
 * A key names an application; its rooms are apart from those of other keys.
 * An alias (a key with a parent) shares the rooms of its parent: so a
 * privileged key can look after the rooms of an ordinary one.
 *
 *   # one section for each key
 *   [demo]
 *   [kiosk]
 *   secret = 8c3...             callers show that they know it, or ...
 *   cors = self; *.example.org  ... come from one of these pages
 *   auto_introduce = no         newcomers are not announced
 *   [kiosk-desk]
 *   parent = kiosk
 *   privileged = yes            may list and introduce peers
 *
 * Source:  docs/skylink-protocol.md §2, §12; docs/room-server.md
 * Thread:  any once made: constant
 * Memory:  owned by their creator; secrets are overwritten before they go
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define ROOM_KEYS_MAX	       256
#define ROOM_KEYS_MAX_BYTES    (256u << 10)
#define ROOM_KEYS_MAX_LINE     4096
#define ROOM_KEYS_MAX_CORS     32
#define ROOM_KEYS_MAX_PROBLEMS 50
#define ROOM_KEY_MAX_NAME      128
#define ROOM_KEY_MAX_SECRET    256

struct room_key {
	const char *name;
	const char *secret;	 /* NULL: none */
	const char *const *cors; /* NULL terminated; NULL: none */
	const char *parent;	 /* NULL: not an alias */
	/* Whose rooms these are: the parent's name, or the own one; NULL when
	 * the parent does not exist. */
	const char *space;
	bool privileged, auto_introduce;
};

struct room_keys;

/* One key that asks for nothing. */
struct room_keys *room_keys_new_open(const char *name);

/**
 * room_keys_parse() - the keys of a file
 * @name:     of the file, for messages
 * @problems: takes "NAME:LINE: what; what is right" strings, to be freed with
 *            g_free(); at most %ROOM_KEYS_MAX_PROBLEMS. None holds a secret
 *
 * Return: NULL when there was a problem.
 */
struct room_keys *room_keys_parse(const char *name, const char *text,
				  size_t len, GPtrArray *problems);
/* Return: NULL */
struct room_keys *room_keys_free(struct room_keys *keys);

const struct room_key *room_keys_find(const struct room_keys *keys,
				      const char *name);
/* In the file's order; NULL after the last. */
const struct room_key *room_keys_get(const struct room_keys *keys,
				     unsigned int n);

/* What the room API answers a caller it turns away; 0 for nobody. */
enum room_refusal {
	ROOM_REFUSAL_NONE = 0,
	ROOM_REFUSAL_UNKNOWN_KEY = 4001,
	ROOM_REFUSAL_DOMAIN = 4002,    /* Referer only, and a wrong one */
	ROOM_REFUSAL_CORS = 4003,      /* a wrong Origin */
	ROOM_REFUSAL_ANONYMOUS = 4004, /* neither origin nor credential */
	ROOM_REFUSAL_CREDENTIAL = 4005,
	ROOM_REFUSAL_PARENT = 4006,
	ROOM_REFUSAL_NO_MEETING = 4010, /* its time is over */
};

/* A request as far as it says who asks. All but @room may be NULL. */
struct room_caller {
	const char *origin, *referer; /* headers */
	const char *host;	      /* the authority it came to: "box:8080" */
	const char *cred;	      /* of the query, escapes resolved */
	const char *room, *start, *len; /* as they stand in the path */
	gint64 end_ms;			/* of the schedule; 0: none */
	gint64 now_ms;
};

/* @key may be NULL (unknown). */
enum room_refusal room_key_check(const struct room_key *key,
				 const struct room_caller *caller);
/* For people; a constant. */
const char *room_refusal_describe(enum room_refusal refusal);

/* base64(HMAC-SHA1(secret, room_len_start)), as clients make it. g_free() */
char *room_key_credential(const char *secret, const char *room, const char *len,
			  const char *start);

/**
 * room_cors_match() - does a page belong to a domain?
 * @entry:  "*", "self", "example.org", "*.example.org", "https://a.example:8"
 * @origin: "https://a.example[:port][/...]"
 * @host:   what "self" stands for
 */
bool room_cors_match(const char *entry, const char *origin, const char *host);
