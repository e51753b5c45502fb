// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/room-api-answer.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

#define MAX_TOKEN_BYTES 4096
#define N_FALLBACK	2	/* ports that are tried when none is named */

G_DEFINE_QUARK(room-api-error-quark, room_api_error)

static const char *error_name(gint64 code)
{
	switch (code) {
	case 4001:
		return "unknown app key";
	case 4002:
	case 4003:
		return "the app key does not allow this address";
	case 4004:
		return "credentials are needed";
	case 4005:
		return "the credentials do not match";
	case 4006:
		return "the parent key is not valid";
	case 4010:
		return "no meeting is scheduled for these credentials";
	case 4020:
		return "no seat is left";
	case 4021:
		return "no token could be made";
	case 5005:
		return "this key belongs to another room server";
	default:
		return "it gave no known reason";
	}
}

static JsonNode *value_node(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

static const char *get_string(JsonObject *o, const char *name)
{
	JsonNode *node = value_node(o, name);

	if (!node || json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

static gboolean get_boolean(JsonObject *o, const char *name, gboolean absent)
{
	JsonNode *node = value_node(o, name);

	if (!node || json_node_get_value_type(node) != G_TYPE_BOOLEAN)
		return absent;
	return json_node_get_boolean(node);
}

static gboolean get_number(JsonObject *o, const char *name, gdouble *ret)
{
	JsonNode *node = value_node(o, name);
	GType type = node ? json_node_get_value_type(node) : G_TYPE_INVALID;

	if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
		return FALSE;
	*ret = json_node_get_double(node);
	return TRUE;
}

static gboolean refuse(GError **error, const char *field, const char *what)
{
	g_set_error(error, ROOM_API_ERROR, ROOM_API_ERROR_ANSWER,
		    "The room server's answer is not usable: field '%s' %s",
		    field, what);
	return FALSE;
}

static gboolean take_token(JsonObject *o, const char *name, char **ret,
			   GError **error)
{
	const char *text = get_string(o, name);

	if (!text)
		return refuse(error, name, "must be a string");
	if (strlen(text) > MAX_TOKEN_BYTES)
		return refuse(error, name, "is too long");
	*ret = g_strdup(text);
	return TRUE;
}

static gboolean take_tokens(JsonObject *o, RoomApiAnswer *a, GError **error)
{
	const struct {
		const char *name;
		char **ret;
	} tokens[] = {
		{"cid", &a->cid},
		{"apiOwner", &a->api_owner},
		{"username", &a->username},
		{"userCred", &a->user_cred},
		{"timeStamp", &a->time_stamp},
		{"room_key", &a->room_key},
		{"roomCred", &a->room_cred},
		{"start", &a->start},
		{"ipSigserver", &a->host},
	};

	for (guint i = 0; i < G_N_ELEMENTS(tokens); i++)
		if (!take_token(o, tokens[i].name, tokens[i].ret, error))
			return FALSE;
	if (get_number(o, "len", &a->len_number))
		return TRUE;
	if (!take_token(o, "len", &a->len_text, NULL))
		return refuse(error, "len", "must be a number or a string");
	return TRUE;
}

static void take_ports(JsonObject *o, const char *name,
		       const guint16 *fallback, guint16 *ports, guint *n)
{
	JsonNode *node = json_object_get_member(o, name);
	JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node)
				   ? json_node_get_array(node)
				   : NULL;
	guint len = array ? json_array_get_length(array) : 0;

	for (guint i = 0; i < len && *n < ROOM_API_MAX_PORTS; i++) {
		JsonNode *e = json_array_get_element(array, i);
		gdouble port = 0;

		if (JSON_NODE_HOLDS_VALUE(e) &&
		    json_node_get_value_type(e) == G_TYPE_INT64)
			port = json_node_get_double(e);
		if (port >= 1 && port <= 65535)
			ports[(*n)++] = (guint16) port;
	}
	if (!*n) {
		memcpy(ports, fallback, N_FALLBACK * sizeof(*ports));
		*n = N_FALLBACK;
	}
}

/* Only what may stand in a URL's authority, so that the server cannot smuggle
 * in a path, a user or a line end. */
static gboolean host_is_clean(const char *host)
{
	if (!*host || strlen(host) > 255)
		return FALSE;
	for (const char *c = host; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr(".-_:[]%", *c))
			return FALSE;
	return TRUE;
}

static gboolean path_is_clean(const char *path)
{
	if (path[0] != '/' || strlen(path) > 255)
		return FALSE;
	for (const char *c = path; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("/._-~", *c))
			return FALSE;
	return TRUE;
}

static RoomApiAnswer *parse_success(JsonObject *o, GError **error)
{
	static const guint16 http[N_FALLBACK] = {80, 3000};
	static const guint16 https[N_FALLBACK] = {443, 3443};
	g_autoptr(RoomApiAnswer) a = g_new0(RoomApiAnswer, 1);
	const char *path = get_string(o, "ipSigserverPath");

	if (!take_tokens(o, a, error))
		return NULL;
	if (!host_is_clean(a->host)) {
		refuse(error, "ipSigserver", "is not a host name");
		return NULL;
	}
	if (path && *path && !path_is_clean(path)) {
		refuse(error, "ipSigserverPath", "is not a path");
		return NULL;
	}
	a->path = g_strdup(path && *path ? path : "/socket.io");
	a->is_privileged = get_boolean(o, "isPrivileged", FALSE);
	a->auto_introduce = get_boolean(o, "autoIntroduce", TRUE);
	a->has_mcu = get_boolean(o, "hasMCU", FALSE);
	take_ports(o, "httpPortList", http, a->http_ports, &a->n_http_ports);
	take_ports(o, "httpsPortList", https, a->https_ports,
		   &a->n_https_ports);
	return g_steal_pointer(&a);
}

static void set_refusal(JsonObject *o, guint status, gint *ret_error,
			GError **error)
{
	const char *info = get_string(o, "info");
	gdouble code = 0;
	g_autofree char *quoted = NULL;

	get_number(o, "error", &code);
	if (!(code > -100000 && code < 100000))
		code = 0;
	if (ret_error)
		*ret_error = (gint) code;
	if (info && *info) {
		g_autofree char *cut = g_utf8_substring(
			info, 0, MIN(g_utf8_strlen(info, -1), 200));

		quoted = g_strescape(cut, NULL);
	}
	g_set_error(error, ROOM_API_ERROR, ROOM_API_ERROR_REFUSED,
		    "The room server refused: %s (error %d, HTTP %u)%s%s",
		    error_name((gint64) code), (gint) code, status,
		    quoted ? ": " : "", quoted ? quoted : "");
}

RoomApiAnswer *room_api_answer_parse(const char *text, gsize len, guint status,
				     gint *ret_error, GError **error)
{
	g_autoptr(GError) e = NULL;
	g_autoptr(JsonObject) o = json_checked_parse_object(
		text, (gssize) len, ROOM_API_MAX_BYTES, &e);

	if (ret_error)
		*ret_error = 0;
	if (!o) {
		g_set_error(error, ROOM_API_ERROR, ROOM_API_ERROR_ANSWER,
			    "The room server's answer (HTTP %u) is not usable: "
			    "%s", status, e->message);
		return NULL;
	}
	/* Old services know only the status, new ones only "success". */
	if (!get_boolean(o, "success", status == 200)) {
		set_refusal(o, status, ret_error, error);
		return NULL;
	}
	return parse_success(o, error);
}

RoomApiAnswer *room_api_answer_free(RoomApiAnswer *a)
{
	if (!a)
		return NULL;
	g_free(a->cid);
	g_free(a->api_owner);
	g_free(a->username);
	g_free(a->user_cred);
	g_free(a->time_stamp);
	g_free(a->room_key);
	g_free(a->room_cred);
	g_free(a->start);
	g_free(a->len_text);
	g_free(a->host);
	g_free(a->path);
	g_free(a);
	return NULL;
}

/* "host:8080" and "[::1]:8080" bring their port; "::1" is a bare address. */
static gboolean has_port(const char *host)
{
	const char *colon = strrchr(host, ':');

	if (!colon)
		return FALSE;
	if (host[0] == '[')
		return colon[-1] == ']';
	return strchr(host, ':') == colon;
}

GPtrArray *room_api_answer_urls(const RoomApiAnswer *a, gboolean tls)
{
	const char *scheme = tls ? "wss" : "ws";
	const guint16 *ports = tls ? a->https_ports : a->http_ports;
	guint n = tls ? a->n_https_ports : a->n_http_ports;
	GPtrArray *urls = g_ptr_array_new_with_free_func(g_free);
	gboolean bare_v6 = a->host[0] != '[' && strchr(a->host, ':') &&
			   !has_port(a->host);
	const char *slash = g_str_has_suffix(a->path, "/") ? "" : "/";

	if (has_port(a->host)) {
		g_ptr_array_add(urls, g_strdup_printf("%s://%s%s%s", scheme,
						      a->host, a->path, slash));
		return urls;
	}
	for (guint i = 0; i < n; i++)
		g_ptr_array_add(urls,
				g_strdup_printf("%s://%s%s%s:%u%s%s", scheme,
						bare_v6 ? "[" : "", a->host,
						bare_v6 ? "]" : "", ports[i],
						a->path, slash));
	return urls;
}
