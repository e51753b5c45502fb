// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/json-check.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

G_DEFINE_QUARK(json - check - error - quark, json_check_error)

#define MAX_SAFE_INTEGER (UINT64_C(1) << 53)

/* One pass over the text. The open brackets are bits of one word (1: object),
 * so that no text can make the checker recurse. */
struct checker {
	const unsigned char *text;
	size_t pos, len;
	struct json_check_fault fault;
	uint32_t objects;
	unsigned int depth;
};
G_STATIC_ASSERT(JSON_CHECK_MAX_DEPTH <= 32);

static bool fail_at(struct checker *c, enum json_check_code code, size_t offset,
		    const char *what)
{
	c->fault = (struct json_check_fault){code, offset, what};
	return false;
}

static bool fail(struct checker *c, const char *what)
{
	return fail_at(c, JSON_CHECK_SYNTAX, c->pos, what);
}

/* The byte at the cursor, or -1 at the end. */
static int peek(const struct checker *c)
{
	return c->pos < c->len ? c->text[c->pos] : -1;
}

static bool is_digit(int ch)
{
	return ch >= '0' && ch <= '9';
}

static void skip_space(struct checker *c)
{
	for (; c->pos < c->len; c->pos++) {
		unsigned char ch = c->text[c->pos];

		if (ch != ' ' && ch != '\t' && ch != '\n' && ch != '\r')
			return;
	}
}

static bool check_word(struct checker *c, const char *word)
{
	size_t n = strlen(word);

	if (c->len - c->pos < n || memcmp(c->text + c->pos, word, n) != 0)
		return fail(c, "unknown word");
	c->pos += n;
	return true;
}

static bool skip_digits(struct checker *c, const char *what)
{
	if (!is_digit(peek(c)))
		return fail(c, what);
	while (is_digit(peek(c)))
		c->pos++;
	return true;
}

/* What a double would round, another reader would read differently. */
static bool check_magnitude(struct checker *c, size_t start, bool integer)
{
	char number[JSON_CHECK_MAX_NUMBER + 1];
	size_t n = c->pos - start;
	guint64 magnitude;
	const char *digits = number;

	if (n > JSON_CHECK_MAX_NUMBER)
		return fail_at(c, JSON_CHECK_REFUSED, start,
			       "number is too long");
	memcpy(number, c->text + start, n);
	number[n] = '\0';

	if (!integer) {
		if (!isfinite(g_ascii_strtod(number, NULL)))
			return fail_at(c, JSON_CHECK_REFUSED, start,
				       "number is too large");
		return true;
	}

	if (*digits == '-')
		digits++;
	magnitude = g_ascii_strtoull(digits, NULL, 10);
	if (magnitude > MAX_SAFE_INTEGER)
		return fail_at(c, JSON_CHECK_REFUSED, start,
			       "integer is beyond 2^53");
	return true;
}

static bool check_number(struct checker *c)
{
	size_t start = c->pos;
	bool integer = true;

	if (peek(c) == '-')
		c->pos++;
	if (peek(c) == '0') {
		c->pos++;
		if (is_digit(peek(c)))
			return fail(c, "number has a leading zero");
	} else if (!skip_digits(c, "digit missing")) {
		return false;
	}
	if (peek(c) == '.') {
		integer = false;
		c->pos++;
		if (!skip_digits(c, "digit missing after the point"))
			return false;
	}
	if (peek(c) == 'e' || peek(c) == 'E') {
		integer = false;
		c->pos++;
		if (peek(c) == '+' || peek(c) == '-')
			c->pos++;
		if (!skip_digits(c, "digit missing in the exponent"))
			return false;
	}
	return check_magnitude(c, start, integer);
}

/* Four hexadecimal digits, or -1. */
static int read_hex4(struct checker *c)
{
	int value = 0;

	if (c->len - c->pos < 4)
		return -1;
	for (unsigned int i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value((char) c->text[c->pos + i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	c->pos += 4;
	return value;
}

/* The cursor stands behind "\u". */
static bool check_unicode_escape(struct checker *c)
{
	size_t start = c->pos - 2;
	int unit = read_hex4(c);

	if (unit < 0)
		return fail_at(c, JSON_CHECK_SYNTAX, start,
			       "\\u needs four hexadecimal digits");
	if (unit == 0)
		return fail_at(c, JSON_CHECK_REFUSED, start,
			       "\\u0000 is not accepted");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail_at(c, JSON_CHECK_REFUSED, start,
			       "low surrogate without a high one");
	if (unit < 0xd800 || unit > 0xdbff)
		return true;

	if (c->len - c->pos < 2 || c->text[c->pos] != '\\' ||
	    c->text[c->pos + 1] != 'u')
		return fail_at(c, JSON_CHECK_REFUSED, start,
			       "high surrogate without a low one");
	c->pos += 2;
	unit = read_hex4(c);
	if (unit < 0xdc00 || unit > 0xdfff)
		return fail_at(c, JSON_CHECK_REFUSED, start,
			       "high surrogate without a low one");
	return true;
}

static bool check_escape(struct checker *c)
{
	c->pos++;
	switch (peek(c)) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		c->pos++;
		return true;
	case 'u':
		c->pos++;
		return check_unicode_escape(c);
	default:
		return fail(c, "unknown escape");
	}
}

/* RFC 3629 §4: shortest forms only, no surrogates, nothing past U+10FFFF. */
static bool check_utf8(struct checker *c)
{
	unsigned char lead = c->text[c->pos];
	unsigned char low = 0x80, high = 0xbf;
	unsigned int more;

	if (lead >= 0xc2 && lead <= 0xdf) {
		more = 1;
	} else if ((lead & 0xf0) == 0xe0) {
		more = 2;
		if (lead == 0xe0)
			low = 0xa0;
		else if (lead == 0xed)
			high = 0x9f;
	} else if (lead >= 0xf0 && lead <= 0xf4) {
		more = 3;
		if (lead == 0xf0)
			low = 0x90;
		else if (lead == 0xf4)
			high = 0x8f;
	} else {
		return fail(c, "not UTF-8");
	}
	if (c->len - c->pos <= more)
		return fail(c, "not UTF-8");

	for (unsigned int i = 1; i <= more; i++) {
		unsigned char ch = c->text[c->pos + i];

		if (ch < low || ch > high)
			return fail(c, "not UTF-8");
		low = 0x80;
		high = 0xbf;
	}
	c->pos += more + 1;
	return true;
}

/* What needs no second look in a string: most of every text. Eight bytes at a
 * time, by the usual tests for a zero byte and for one below 0x20. */
static size_t skip_plain(const unsigned char *text, size_t pos, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;

	while (len - pos >= sizeof(uint64_t)) {
		uint64_t w, quote, backslash;

		memcpy(&w, text + pos, sizeof(w));
		quote = w ^ ones * '"';
		backslash = w ^ ones * '\\';
		if ((((w - ones * 0x20) | (quote - ones) |
		      (backslash - ones)) | w) & high)
			break;
		pos += sizeof(w);
	}
	while (pos < len && text[pos] >= 0x20 && text[pos] < 0x80 &&
	       text[pos] != '"' && text[pos] != '\\')
		pos++;
	return pos;
}

static bool check_string(struct checker *c)
{
	size_t start = c->pos++;

	while ((c->pos = skip_plain(c->text, c->pos, c->len)) < c->len) {
		unsigned char ch = c->text[c->pos];

		if (ch == '"') {
			c->pos++;
			return true;
		}
		if (ch < 0x20)
			return fail(c, "control character in a string");
		if (ch == '\\') {
			if (!check_escape(c))
				return false;
		} else if (ch < 0x80) {
			c->pos++;
		} else if (!check_utf8(c)) {
			return false;
		}
	}
	return fail_at(c, JSON_CHECK_SYNTAX, start, "string does not end");
}

static bool check_scalar(struct checker *c)
{
	switch (peek(c)) {
	case '"':
		return check_string(c);
	case 't':
		return check_word(c, "true");
	case 'f':
		return check_word(c, "false");
	case 'n':
		return check_word(c, "null");
	case -1:
		return fail(c, "value missing");
	default:
		if (peek(c) != '-' && !is_digit(peek(c)))
			return fail(c, "value expected");
		return check_number(c);
	}
}

static bool in_object(const struct checker *c)
{
	return c->depth && (c->objects >> (c->depth - 1) & 1);
}

static bool push(struct checker *c, bool object)
{
	if (c->depth == JSON_CHECK_MAX_DEPTH)
		return fail_at(c, JSON_CHECK_REFUSED, c->pos,
			       "nested too deeply");
	if (object)
		c->objects |= UINT32_C(1) << c->depth;
	else
		c->objects &= ~(UINT32_C(1) << c->depth);
	c->depth++;
	c->pos++;
	return true;
}

/* "name" : with the cursor left before the value */
static bool check_name(struct checker *c)
{
	skip_space(c);
	if (peek(c) != '"')
		return fail(c, "member name expected");
	if (!check_string(c))
		return false;
	skip_space(c);
	if (peek(c) != ':')
		return fail(c, "':' expected");
	c->pos++;
	return true;
}

/* One value up to its first scalar or its empty brackets. */
static bool check_opening(struct checker *c)
{
	for (;;) {
		bool object;

		skip_space(c);
		if (peek(c) != '{' && peek(c) != '[')
			return check_scalar(c);
		object = peek(c) == '{';
		if (!push(c, object))
			return false;
		skip_space(c);
		if (peek(c) == (object ? '}' : ']')) {
			c->pos++;
			c->depth--;
			return true;
		}
		if (object && !check_name(c))
			return false;
	}
}

static bool check_text(struct checker *c)
{
	if (!check_opening(c))
		return false;
	for (;;) {
		bool object = in_object(c);

		skip_space(c);
		if (!c->depth)
			break;
		if (peek(c) == ',') {
			c->pos++;
			if (object && !check_name(c))
				return false;
			if (!check_opening(c))
				return false;
		} else if (peek(c) == (object ? '}' : ']')) {
			c->pos++;
			c->depth--;
		} else {
			return fail(c, object ? "',' or '}' expected"
					      : "',' or ']' expected");
		}
	}
	if (c->pos < c->len)
		return fail(c, "something after the value");
	return true;
}

int json_check(const char *text, size_t len, size_t max_bytes,
	       struct json_check_fault *ret_fault)
{
	struct checker c = {.text = (const unsigned char *) text, .len = len};

	if (len > max_bytes) {
		fail_at(&c, JSON_CHECK_TOO_BIG, max_bytes, "text is too long");
		if (ret_fault)
			*ret_fault = c.fault;
		return -EMSGSIZE;
	}
	if (!check_text(&c)) {
		if (ret_fault)
			*ret_fault = c.fault;
		return -EBADMSG;
	}
	return 0;
}

JsonNode *json_checked_parse(const char *text, gssize len, gsize max_bytes,
			     GError **error)
{
	g_autoptr(JsonParser) parser = NULL;
	g_autoptr(GError) local_error = NULL;
	struct json_check_fault fault;
	size_t n = len < 0 ? strlen(text) : (size_t) len;

	if (json_check(text, n, max_bytes, &fault) < 0) {
		g_set_error(error, JSON_CHECK_ERROR, fault.code,
			    fault.code == JSON_CHECK_SYNTAX
				    ? "Not valid JSON at byte %zu: %s"
				    : "JSON not accepted at byte %zu: %s",
			    fault.offset, fault.what);
		return NULL;
	}

	parser = json_parser_new_immutable();
	if (!json_parser_load_from_data(parser, text, (gssize) n,
					&local_error)) {
		/* Checked text that json-glib cannot read: none is known. */
		g_set_error(error, JSON_CHECK_ERROR, JSON_CHECK_REFUSED,
			    "JSON not accepted: %s", local_error->message);
		return NULL;
	}
	return json_parser_steal_root(parser);
}

JsonObject *json_checked_parse_object(const char *text, gssize len,
				      gsize max_bytes, GError **error)
{
	g_autoptr(JsonNode) node =
		json_checked_parse(text, len, max_bytes, error);

	if (!node)
		return NULL;
	if (!JSON_NODE_HOLDS_OBJECT(node)) {
		g_set_error_literal(error, JSON_CHECK_ERROR, JSON_CHECK_REFUSED,
				    "JSON is not an object");
		return NULL;
	}
	return json_node_dup_object(node);
}

void json_quote(GString *out, const char *text, size_t len)
{
	size_t start = 0;

	g_string_append_c(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char) text[i];

		if (ch >= 0x20 && ch != '"' && ch != '\\')
			continue;
		g_string_append_len(out, text + start, (gssize) (i - start));
		start = i + 1;
		switch (ch) {
		case '"':
		case '\\':
			g_string_append_c(out, '\\');
			g_string_append_c(out, (char) ch);
			break;
		case '\n':
			g_string_append(out, "\\n");
			break;
		case '\r':
			g_string_append(out, "\\r");
			break;
		case '\t':
			g_string_append(out, "\\t");
			break;
		default:
			g_string_append_printf(out, "\\u%04x", ch);
			break;
		}
	}
	g_string_append_len(out, text + start, (gssize) (len - start));
	g_string_append_c(out, '"');
}

/* One or two \u escapes at @text to UTF-8; returns the input bytes used. */
static size_t unquote_unicode(const char *text, char *out, size_t *ret_n)
{
	gunichar ch = 0;
	size_t used = 6;

	for (unsigned int i = 2; i < 6; i++)
		ch = ch << 4 | (gunichar) g_ascii_xdigit_value(text[i]);
	if (ch >= 0xd800 && ch <= 0xdbff) {
		gunichar low = 0;

		for (unsigned int i = 8; i < 12; i++)
			low = low << 4 |
			      (gunichar) g_ascii_xdigit_value(text[i]);
		ch = 0x10000 + ((ch - 0xd800) << 10) + (low - 0xdc00);
		used = 12;
	}
	*ret_n = (size_t) g_unichar_to_utf8(ch, out);
	return used;
}

char *json_unquote(const char *text, size_t len, size_t *ret_len)
{
	/* An escape is never shorter than what it stands for. */
	char *out = g_malloc(len);
	size_t n = 0, i = 1;

	while (i < len - 1) {
		size_t written = 1;

		if (text[i] != '\\') {
			const char *next = memchr(text + i, '\\', len - 1 - i);
			size_t plain = next ? (size_t) (next - text) - i
					    : len - 1 - i;

			memcpy(out + n, text + i, plain);
			n += plain;
			i += plain;
			continue;
		}
		switch (text[i + 1]) {
		case 'b':
			out[n] = '\b';
			break;
		case 'f':
			out[n] = '\f';
			break;
		case 'n':
			out[n] = '\n';
			break;
		case 'r':
			out[n] = '\r';
			break;
		case 't':
			out[n] = '\t';
			break;
		case 'u':
			i += unquote_unicode(text + i, out + n, &written) - 2;
			break;
		default:
			out[n] = text[i + 1];
			break;
		}
		i += 2;
		n += written;
	}
	out[n] = '\0';
	if (ret_len)
		*ret_len = n;
	return out;
}
