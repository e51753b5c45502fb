// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/engineio.h"

#include <errno.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

#define MAX_OPEN_BYTES	  4096
#define MIN_INTERVAL_MS	  1000
#define MAX_INTERVAL_MS	  (24 * 60 * 60 * 1000)
#define MAX_ACK_ID_DIGITS 16
#define MAX_LENGTH_DIGITS 8
#define MAX_REFUSAL_BYTES 4096
#define MAX_REFUSAL_CHARS 200
#define BINARY_TYPE_TEXT  0x00
#define BINARY_LENGTH_END 0xff

/* Where a packet's bytes stand while they are taken apart. */
struct cursor {
	const char *p;
	size_t left;
};

static int peek(const struct cursor *c)
{
	return c->left ? (unsigned char) *c->p : -1;
}

static void advance(struct cursor *c, size_t n)
{
	c->p += n;
	c->left -= n;
}

static void skip_space(struct cursor *c)
{
	while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\n' ||
	       peek(c) == '\r')
		advance(c, 1);
}

int eio_packet_parse(const char *text, size_t len, struct eio_packet *ret)
{
	if (!len || len > EIO_MAX_PACKET || text[0] < '0' || text[0] > '6')
		return -EBADMSG;

	*ret = (struct eio_packet){
		.type = (enum eio_type)(text[0] - '0'),
		.data = text + 1,
		.len = len - 1,
	};
	return 0;
}

/* A number of milliseconds; JavaScript servers may write it as a double. */
static int get_interval(JsonObject *object, const char *name,
			unsigned int *ret_ms)
{
	JsonNode *node = json_object_get_member(object, name);
	double ms;

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    (json_node_get_value_type(node) != G_TYPE_INT64 &&
	     json_node_get_value_type(node) != G_TYPE_DOUBLE))
		return -EBADMSG;
	ms = json_node_get_double(node);
	if (ms < 0 || ms > MAX_INTERVAL_MS)
		return -EBADMSG;
	*ret_ms = ms < MIN_INTERVAL_MS ? MIN_INTERVAL_MS : (unsigned int) ms;
	return 0;
}

static bool has_websocket_upgrade(JsonObject *object)
{
	JsonNode *node = json_object_get_member(object, "upgrades");
	JsonArray *upgrades;

	if (!node || !JSON_NODE_HOLDS_ARRAY(node))
		return false;
	upgrades = json_node_get_array(node);
	for (guint i = 0; i < json_array_get_length(upgrades); i++) {
		JsonNode *item = json_array_get_element(upgrades, i);

		if (g_strcmp0(json_node_get_value_type(item) == G_TYPE_STRING
				      ? json_node_get_string(item)
				      : NULL,
			      "websocket") == 0)
			return true;
	}
	return false;
}

int eio_open_parse(const char *data, size_t len, struct eio_open *ret)
{
	g_autoptr(JsonObject) object = NULL;
	struct eio_open open = {0};
	JsonNode *sid;
	const char *text;

	object = json_checked_parse_object(data, (gssize) len, MAX_OPEN_BYTES,
					   NULL);
	if (!object)
		return -EBADMSG;

	sid = json_object_get_member(object, "sid");
	if (!sid || !JSON_NODE_HOLDS_VALUE(sid) ||
	    json_node_get_value_type(sid) != G_TYPE_STRING)
		return -EBADMSG;
	text = json_node_get_string(sid);
	if (!*text ||
	    g_strlcpy(open.sid, text, sizeof(open.sid)) >= sizeof(open.sid))
		return -EBADMSG;

	if (get_interval(object, "pingInterval", &open.ping_interval_ms) < 0 ||
	    get_interval(object, "pingTimeout", &open.ping_timeout_ms) < 0)
		return -EBADMSG;
	open.upgrade_websocket = has_websocket_upgrade(object);
	*ret = open;
	return 0;
}

char *eio_open_format(const struct eio_open *open)
{
	g_autoptr(GString) out = g_string_new("0{\"sid\":");

	json_quote(out, open->sid, strlen(open->sid));
	g_string_append_printf(out,
			       ",\"upgrades\":[%s],\"pingInterval\":%u,"
			       "\"pingTimeout\":%u}",
			       open->upgrade_websocket ? "\"websocket\"" : "",
			       open->ping_interval_ms, open->ping_timeout_ms);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

int sio_packet_parse(const char *data, size_t len, struct sio_packet *ret)
{
	struct cursor c = {data, len};
	enum sio_type type;
	unsigned int digits = 0;

	if (peek(&c) < '0' || peek(&c) > '6')
		return -EBADMSG;
	type = (enum sio_type)(peek(&c) - '0');
	advance(&c, 1);
	if (type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK)
		return -ENOTSUP;

	if (peek(&c) == '/') {
		/* "/" or "/?query" up to a comma is the default namespace */
		advance(&c, 1);
		if (peek(&c) != ',' && peek(&c) != '?' && peek(&c) != -1)
			return -ENOTSUP;
		while (peek(&c) != ',' && peek(&c) != -1)
			advance(&c, 1);
		if (peek(&c) == ',')
			advance(&c, 1);
	}
	while (peek(&c) >= '0' && peek(&c) <= '9') {
		if (++digits > MAX_ACK_ID_DIGITS)
			return -EBADMSG;
		advance(&c, 1);
	}

	*ret = (struct sio_packet){type, c.p, c.left};
	return 0;
}

/* Bytes of the JSON string at the cursor, quotes included: text is checked. */
static size_t string_span(const struct cursor *c)
{
	size_t i = 1;

	while (c->p[i] != '"')
		i += c->p[i] == '\\' ? 2 : 1;
	return i + 1;
}

/* Bytes of the object at the cursor: text is checked. */
static size_t object_span(const struct cursor *c)
{
	struct cursor at = *c;
	unsigned int depth = 0;

	do {
		size_t n = 1;

		if (peek(&at) == '"')
			n = string_span(&at);
		else if (peek(&at) == '{')
			depth++;
		else if (peek(&at) == '}')
			depth--;
		advance(&at, n);
	} while (depth);
	return c->left - at.left;
}

int sio_event_parse(const char *data, size_t len, size_t max_bytes,
		    char **ret_text, size_t *ret_len)
{
	struct cursor c = {data, len};
	g_autofree char *name = NULL;
	size_t n;
	int r;

	r = json_check(data, len, max_bytes, NULL);
	if (r < 0)
		return r;

	/* The text is valid JSON from here on: an array is all to ask for. */
	skip_space(&c);
	if (peek(&c) != '[')
		return -EBADMSG;
	advance(&c, 1);
	skip_space(&c);
	if (peek(&c) != '"')
		return -EBADMSG;
	n = string_span(&c);
	name = json_unquote(c.p, n, NULL);
	if (strcmp(name, "message") != 0)
		return 1;
	advance(&c, n);
	skip_space(&c);
	if (peek(&c) != ',')
		return -EBADMSG;
	advance(&c, 1);
	skip_space(&c);

	if (peek(&c) == '"') {
		*ret_text = json_unquote(c.p, string_span(&c), ret_len);
		return 0;
	}
	if (peek(&c) == '{') {
		n = object_span(&c);
		*ret_text = g_strndup(c.p, n);
		*ret_len = n;
		return 0;
	}
	return -EBADMSG;
}

void sio_event_format(GString *out, const char *json, size_t len)
{
	g_string_append(out, "42[\"message\",");
	json_quote(out, json, len);
	g_string_append_c(out, ']');
}

enum eio_form eio_form_from_content_type(const char *content_type)
{
	static const char binary[] = "application/octet-stream";

	if (content_type &&
	    g_ascii_strncasecmp(content_type, binary, sizeof(binary) - 1) == 0)
		return EIO_FORM_BINARY;
	return EIO_FORM_TEXT;
}

/* UTF-8 of U+0000..U+00FF to the bytes these stand for, in place. */
static int decode_bytes(char *body, size_t len, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char) body[i];

		if (ch >= 0x80) {
			unsigned char next;

			if ((ch != 0xc2 && ch != 0xc3) || i + 1 == len)
				return -EBADMSG;
			next = (unsigned char) body[++i];
			if ((next & 0xc0) != 0x80)
				return -EBADMSG;
			ch = (unsigned char) (ch << 6 | (next & 0x3f));
		}
		body[n++] = (char) ch;
	}
	*ret_len = n;
	return 0;
}

int eio_payload_init(struct eio_payload *payload, char *body, size_t len,
		     enum eio_form form)
{
	if (form == EIO_FORM_TEXT) {
		int r = decode_bytes(body, len, &len);

		if (r < 0)
			return r;
	}
	*payload = (struct eio_payload){body, len, form};
	return 0;
}

/* The decimal length up to its end mark; text and binary differ in what a
 * digit is and in the mark. */
static int read_length(struct cursor *c, int zero, int mark, size_t *ret)
{
	unsigned int digits = 0;
	size_t n = 0;

	while (peek(c) >= zero && peek(c) <= zero + 9) {
		if (++digits > MAX_LENGTH_DIGITS)
			return -EBADMSG;
		n = n * 10 + (size_t) (peek(c) - zero);
		advance(c, 1);
	}
	if (!digits || peek(c) != mark)
		return -EBADMSG;
	advance(c, 1);
	*ret = n;
	return 0;
}

int eio_payload_next(struct eio_payload *payload, const char **ret_text,
		     size_t *ret_len)
{
	struct cursor c = {payload->next, payload->left};
	size_t n;
	int r;

	if (!c.left)
		return 0;

	if (payload->form == EIO_FORM_BINARY) {
		if (peek(&c) != BINARY_TYPE_TEXT)
			return -EBADMSG;
		advance(&c, 1);
		r = read_length(&c, 0, BINARY_LENGTH_END, &n);
	} else {
		r = read_length(&c, '0', ':', &n);
	}
	if (r < 0)
		return r;
	if (!n || n > c.left || n > EIO_MAX_PACKET ||
	    !g_utf8_validate_len(c.p, n, NULL))
		return -EBADMSG;

	*ret_text = c.p;
	*ret_len = n;
	payload->next = (char *) c.p + n;
	payload->left = c.left - n;
	return 1;
}

void eio_payload_append(GString *body, const char *packet, size_t len,
			enum eio_form form)
{
	char digits[24];
	int n_digits = g_snprintf(digits, sizeof(digits), "%zu", len);

	if (form == EIO_FORM_BINARY) {
		g_string_append_c(body, BINARY_TYPE_TEXT);
		for (int i = 0; i < n_digits; i++)
			g_string_append_c(body, (char) (digits[i] - '0'));
		g_string_append_c(body, (char) BINARY_LENGTH_END);
		g_string_append_len(body, packet, (gssize) len);
		return;
	}

	g_string_append_len(body, digits, n_digits);
	g_string_append_c(body, ':');
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char) packet[i];

		if (ch < 0x80) {
			g_string_append_c(body, (char) ch);
		} else {
			g_string_append_c(body, (char) (0xc0 | ch >> 6));
			g_string_append_c(body, (char) (0x80 | (ch & 0x3f)));
		}
	}
}

char *eio_refusal_describe(unsigned int status, const char *body, size_t len)
{
	/* by code; a server may leave the message out */
	static const char *const known[] = {
		"Transport unknown", "Session ID unknown",
		"Bad handshake method", "Bad request",
	};
	g_autoptr(JsonObject) o = json_checked_parse_object(
		body, (gssize) len, MAX_REFUSAL_BYTES, NULL);
	JsonNode *node = o ? json_object_get_member(o, "code") : NULL;
	JsonNode *message = o ? json_object_get_member(o, "message") : NULL;
	const char *text = NULL;
	gint64 code = -1;
	g_autofree char *cut = NULL, *quoted = NULL;

	if (node && JSON_NODE_HOLDS_VALUE(node) &&
	    json_node_get_value_type(node) == G_TYPE_INT64)
		code = json_node_get_int(node);
	if (message && JSON_NODE_HOLDS_VALUE(message))
		text = json_node_get_string(message);
	if (!text && code >= 0 && code < (gint64) G_N_ELEMENTS(known))
		text = known[code];
	if (!text)
		return g_strdup_printf("the server answered HTTP %u", status);
	cut = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1),
					    MAX_REFUSAL_CHARS));
	quoted = g_strescape(cut, NULL);
	if (code < 0)
		return g_strdup_printf("the server answered HTTP %u: %s",
				       status, quoted);
	return g_strdup_printf("the server answered HTTP %u: %s (code %"
			       G_GINT64_FORMAT ")", status, quoted, code);
}
