/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/json-check.h - the gate every JSON text passes first
 *
 * json-glib overflows its stack on deep texts, wraps big integers and takes
 * things that are not JSON. Whatever comes from outside is checked here, and
 * only what passes is given to json-glib.
 *
 * Source:  RFC 8259; RFC 7493 §2.2 (integers exact in a double); RFC 3629
 * Thread:  any
 * Memory:  json_check() allocates nothing; its stack use is constant
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stddef.h>

#define JSON_CHECK_MAX_DEPTH 32
/* A longer number is refused: JavaScript prints at most 25 characters. */
#define JSON_CHECK_MAX_NUMBER 64

#define JSON_CHECK_ERROR (json_check_error_quark())
GQuark json_check_error_quark(void);

enum json_check_code {
	JSON_CHECK_SYNTAX,	/* not RFC 8259 */
	JSON_CHECK_TOO_BIG,	/* longer than the caller allows */
	JSON_CHECK_REFUSED,	/* JSON, but past one of our limits */
};

struct json_check_fault {
	enum json_check_code code;
	size_t offset;		/* byte at which it was noticed */
	const char *what;	/* a static phrase: "number has a leading zero" */
};

/**
 * json_check() - is this text one JSON value of the kind we accept?
 * @text:      need not end with a NUL
 * @len:       bytes
 * @max_bytes: the longest text the caller accepts
 * @ret_fault: may be NULL; written only on failure
 *
 * Beyond RFC 8259: depth at most %JSON_CHECK_MAX_DEPTH, no \u0000, surrogates
 * paired, valid UTF-8, integers within +-2^53, other numbers finite, nothing
 * but white space after the value.
 *
 * Return: 0, or -EBADMSG (-EMSGSIZE when @len > @max_bytes).
 */
int json_check(const char *text, size_t len, size_t max_bytes,
	       struct json_check_fault *ret_fault);

/**
 * json_checked_parse() - check, then parse with json-glib
 * @len: bytes, or -1 when @text ends with a NUL
 *
 * Return: (transfer full): the value, or NULL with @error in the domain
 * %JSON_CHECK_ERROR (codes of enum json_check_code), for example
 * "Not valid JSON at byte 17: number has a leading zero".
 */
JsonNode *json_checked_parse(const char *text, gssize len, gsize max_bytes,
			     GError **error);

/* Like json_checked_parse() for a text that must be an object. */
JsonObject *json_checked_parse_object(const char *text, gssize len,
				      gsize max_bytes, GError **error);

/**
 * json_quote() - append @text as a JSON string with its quotes
 *
 * @text must be valid UTF-8 without NUL; control characters, quotes and
 * backslashes are escaped, all else is kept as it is.
 */
void json_quote(GString *out, const char *text, size_t len);

/**
 * json_unquote() - the text of a JSON string
 * @text, @len: the string with its quotes, as accepted by json_check()
 *
 * Return: (transfer full): UTF-8, NUL-terminated; never longer than @len.
 */
char *json_unquote(const char *text, size_t len, size_t *ret_len);
