/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-message.h - what routing needs of a message
 *
 * A look at the outermost members of one JSON object, without building a tree:
 * most messages are passed on as they are, and a tree of a session description
 * would cost more than all else the server does with it.
 *
 * Of a name that stands there twice the last counts, as for JSON.parse().
 * Names and values with escapes mean what they stand for.
 *
 * Source:  docs/skylink-protocol.md §4.1
 * Thread:  any
 * Memory:  spans point into the text, or into the struct for escaped ones
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longer ids, types and names do not exist here: they fit nothing. */
#define ROOM_MESSAGE_MAX_FIELD 64

struct room_field {
	enum {
		ROOM_FIELD_NONE, /* not there */
		ROOM_FIELD_NULL,
		ROOM_FIELD_TRUE,
		ROOM_FIELD_STRING,
		ROOM_FIELD_OTHER, /* another kind, or too long */
	} kind;
	const char *text; /* STRING; not NUL-terminated */
	size_t len;
};

struct room_message {
	struct room_field type, mid, rid, target, lock, sm_version;
	/* private */
	char decoded[6][ROOM_MESSAGE_MAX_FIELD];
};

/**
 * room_message_scan() - check one message, and note where its fields are
 * @json: unchecked text, @len bytes
 *
 * @ret must stay where it is while its fields are in use.
 *
 * Return: 0; -EBADMSG: not JSON as json_check() accepts it, not an object, or
 * without a type that is a string; -EMSGSIZE. @ret is then not to be used.
 */
int room_message_scan(struct room_message *ret, const char *json, size_t len);

bool room_field_is(const struct room_field *field, const char *text);
