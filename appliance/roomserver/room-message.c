// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-message.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "appliance/signaling/engineio.h"
#include "appliance/signaling/json-check.h"

/* All below walks over text that json_check() has accepted: brackets match,
 * strings end, and there is no need to ask for the end of the text. */

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* @p stands on the opening quote; behind the closing one on return. */
static const char *skip_string(const char *p, bool *ret_escapes)
{
	const char *end = rawmemchr(++p, '"');

	*ret_escapes = memchr(p, '\\', (size_t) (end - p)) != NULL;
	if (!*ret_escapes)
		return end + 1;
	for (; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static bool ends_word(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' ||
		c == '\r' || c == '\n';
}

static const char *skip_value(const char *p)
{
	unsigned int depth = 0;
	bool escapes;

	do {
		if (*p == '"') {
			p = skip_string(p, &escapes);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		else if (!depth) {
			/* a number or a word: to what ends it; no NUL ends
			 * the text, so it is not a string for libc */
			while (!ends_word(*p))
				p++;
			break;
		}
		p++;
	} while (depth);
	return p;
}

/* The string at @p, decoded into @buffer if it has escapes. */
static struct room_field read_string(const char *p, const char *end,
				     bool escapes,
				     char buffer[ROOM_MESSAGE_MAX_FIELD])
{
	struct room_field field = {
		.kind = ROOM_FIELD_STRING,
		.text = p + 1,
		.len = (size_t) (end - p) - 2,
	};
	g_autofree char *decoded = NULL;

	if (escapes) {
		decoded = json_unquote(p, (size_t) (end - p), &field.len);
		field.text = buffer;
		if (field.len <= ROOM_MESSAGE_MAX_FIELD)
			memcpy(buffer, decoded, field.len);
	}
	if (field.len > ROOM_MESSAGE_MAX_FIELD)
		return (struct room_field){.kind = ROOM_FIELD_OTHER};
	return field;
}

static struct room_field *find_field(struct room_message *m,
				     const struct room_field *name,
				     unsigned int *ret_index)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[] = {
		{"type", offsetof(struct room_message, type)},
		{"mid", offsetof(struct room_message, mid)},
		{"rid", offsetof(struct room_message, rid)},
		{"target", offsetof(struct room_message, target)},
		{"lock", offsetof(struct room_message, lock)},
		{"SMProtocolVersion",
		 offsetof(struct room_message, sm_version)},
	};

	G_STATIC_ASSERT(G_N_ELEMENTS(known) ==
			G_N_ELEMENTS(((struct room_message *) 0)->decoded));
	for (unsigned int i = 0; i < G_N_ELEMENTS(known); i++)
		if (room_field_is(name, known[i].name)) {
			*ret_index = i;
			return (struct room_field *) ((char *) m +
						      known[i].offset);
		}
	return NULL;
}

static const char *read_member(struct room_message *m, const char *p)
{
	char buffer[ROOM_MESSAGE_MAX_FIELD];
	struct room_field name, *field;
	const char *end;
	unsigned int i = 0;
	bool escapes;

	end = skip_string(p, &escapes);
	name = read_string(p, end, escapes, buffer);
	field = find_field(m, &name, &i);
	p = skip_space(end); /* the colon */
	p = skip_space(p + 1);
	if (!field)
		return skip_value(p);
	switch (*p) {
	case '"':
		end = skip_string(p, &escapes);
		*field = read_string(p, end, escapes, m->decoded[i]);
		return end;
	case 'n':
		field->kind = ROOM_FIELD_NULL;
		break;
	case 't':
		field->kind = ROOM_FIELD_TRUE;
		break;
	default:
		field->kind = ROOM_FIELD_OTHER;
		break;
	}
	return skip_value(p);
}

int room_message_scan(struct room_message *ret, const char *json, size_t len)
{
	int r = json_check(json, len, EIO_MAX_PACKET, NULL);
	const char *p = json;

	if (r < 0)
		return r;
	p = skip_space(p);
	if (*p != '{')
		return -EBADMSG;
	ret->type.kind = ret->mid.kind = ret->rid.kind = ret->target.kind =
		ret->lock.kind = ret->sm_version.kind = ROOM_FIELD_NONE;
	p = skip_space(p + 1);
	while (*p != '}') {
		p = skip_space(read_member(ret, p));
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return ret->type.kind == ROOM_FIELD_STRING ? 0 : -EBADMSG;
}

bool room_field_is(const struct room_field *field, const char *text)
{
	return field->kind == ROOM_FIELD_STRING && strlen(text) == field->len &&
	       memcmp(field->text, text, field->len) == 0;
}
