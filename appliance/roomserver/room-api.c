// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-api.h"

#include <errno.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

#define API_OWNER "appliance"

/* Copies what stands before the next slash or the end; 0 if it fits. */
static int take_segment(const char **path, char *ret, size_t size)
{
	size_t n = strcspn(*path, "/");

	if (!n || n >= size)
		return -EBADMSG;
	memcpy(ret, *path, n);
	ret[n] = '\0';
	*path += n;
	if (**path == '/')
		(*path)++;
	return 0;
}

/* A JSON number as people write hours: "2", "0.5". */
static bool is_hours(const char *text)
{
	const char *digits = text;

	while (g_ascii_isdigit(*text))
		text++;
	if (text == digits || (*digits == '0' && text - digits > 1))
		return false;
	if (*text == '.') {
		digits = ++text;
		while (g_ascii_isdigit(*text))
			text++;
		if (text == digits)
			return false;
	}
	return !*text;
}

static int parse_schedule(struct room_api_request *request)
{
	g_autoptr(GDateTime) start =
		g_date_time_new_from_iso8601(request->start, NULL);
	double hours = g_ascii_strtod(request->len, NULL);

	if (!start || !is_hours(request->len) || !(hours > 0) ||
	    hours > ROOM_API_MAX_HOURS)
		return -EBADMSG;
	request->end_ms = g_date_time_to_unix(start) * 1000 +
			  (gint64) (hours * 3600 * 1000);
	request->scheduled = true;
	return 0;
}

int room_api_parse(const char *path, struct room_api_request *ret)
{
	struct room_api_request request = {0};

	if (!g_str_has_prefix(path, "/api/"))
		return -ENOENT;
	if (!g_utf8_validate(path, -1, NULL))
		return -EBADMSG;
	path += strlen("/api/");
	if (take_segment(&path, request.key, sizeof(request.key)) < 0 ||
	    take_segment(&path, request.room, sizeof(request.room)) < 0)
		return -EBADMSG;

	if (*path) {
		if (take_segment(&path, request.start, sizeof(request.start)) <
			    0 ||
		    take_segment(&path, request.len, sizeof(request.len)) < 0 ||
		    *path || parse_schedule(&request) < 0)
			return -EBADMSG;
	}
	*ret = request;
	return 0;
}

static bool is_host_char(char ch)
{
	return g_ascii_isalnum(ch) || ch == '.' || ch == '-' || ch == '_';
}

/* Bytes of the name at the start of @header, 0 if there is none. */
static size_t host_span(const char *header)
{
	size_t n = 0;

	if (header[0] != '[') {
		while (is_host_char(header[n]))
			n++;
		return n;
	}
	n = 1;
	while (g_ascii_isxdigit(header[n]) || header[n] == ':' ||
	       header[n] == '.')
		n++;
	return n > 1 && header[n] == ']' ? n + 1 : 0;
}

int room_api_parse_host(const char *header, struct room_api_host *ret)
{
	size_t n = host_span(header);
	guint64 port = 0;

	if (!n || n > ROOM_API_MAX_HOST)
		return -EBADMSG;
	if (header[n] == ':') {
		if (!g_ascii_string_to_unsigned(header + n + 1, 10, 1,
						G_MAXUINT16, &port, NULL))
			return -EBADMSG;
	} else if (header[n]) {
		return -EBADMSG;
	}
	memcpy(ret->name, header, n);
	ret->name[n] = '\0';
	ret->port = (uint16_t) port;
	return 0;
}

bool room_api_wants_port(const char *sdk_version)
{
	return sdk_version && sdk_version[0] == '2' && sdk_version[1] == '.';
}

static void append_string(GString *out, const char *name, const char *value)
{
	if (out->str[out->len - 1] != '{')
		g_string_append_c(out, ',');
	json_quote(out, name, strlen(name));
	g_string_append_c(out, ':');
	json_quote(out, value, strlen(value));
}

static char *format_time(gint64 ms)
{
	g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc(ms / 1000);
	g_autofree char *text = g_date_time_format(second, "%Y-%m-%dT%H:%M:%S");

	return g_strdup_printf("%s.%03dZ", text, (int) (ms % 1000));
}

static void append_tokens(GString *out, const struct room_api_request *request,
			  const struct room_api_grant *grant)
{
	g_autofree char *now = format_time(grant->now_ms);
	const char *start = request->scheduled ? request->start : now;
	const char *len = request->scheduled
				  ? request->len
				  : G_STRINGIFY(ROOM_API_OPEN_HOURS);
	char rid[ROOM_ID_CHARS + 1], cid[ROOM_ID_CHARS + 1];
	char token[ROOM_TOKEN_SIZE];

	room_token_cid(grant->secret, request->key, cid);
	/* Aliases of one parent have its rooms. */
	room_token_room_id(grant->secret, grant->key->space, request->room,
			   rid);

	append_string(out, "cid", cid);
	append_string(out, "apiOwner", API_OWNER);
	append_string(out, "username", grant->uid);
	room_token_make_user(grant->secret,
			     &(struct room_token_user){
				     .key = request->key,
				     .uid = grant->uid,
				     .time_stamp = now,
				     .cid = cid,
			     },
			     token);
	append_string(out, "userCred", token);
	append_string(out, "timeStamp", now);
	append_string(out, "room_key", rid);
	room_token_make_room(grant->secret,
			     &(struct room_token_room){
				     .key = request->key,
				     .rid = rid,
				     .start = start,
				     .len = len,
				     .api_owner = API_OWNER,
			     },
			     token);
	append_string(out, "roomCred", token);
	append_string(out, "start", start);
	/* What comes back must be what went out: JavaScript would write some
	 * fractions in another way. */
	if (strchr(len, '.'))
		append_string(out, "len", len);
	else
		g_string_append_printf(out, ",\"len\":%s", len);
}

char *room_api_format(const struct room_api_request *request,
		      const struct room_api_grant *grant)
{
	g_autoptr(GString) out = g_string_new("{\"success\":true");
	const struct room_api_host *host = grant->host;
	g_autofree char *with_port =
		host->port ? g_strdup_printf("%s:%u", host->name, host->port)
			   : g_strdup(host->name);

	append_tokens(out, request, grant);
	append_string(out, "ipSigserver",
		      grant->port_in_host ? with_port : host->name);
	append_string(out, "ipSigserverPath", "/socket.io");
	/* One port speaks both; without one in the address there is something
	 * in front of us that listens on the usual two. */
	g_string_append_printf(out,
			       ",\"httpPortList\":[%u],\"httpsPortList\":[%u]",
			       host->port ? host->port : 80u,
			       host->port ? host->port : 443u);
	/* Strings that hold JSON: SkylinkJS parses them, and without them
	 * takes the answer for a failure. */
	append_string(out, "pc_constraints", "{}");
	append_string(out, "offer_constraints", "{}");
	append_string(out, "media_constraints", "{}");
	g_string_append_printf(out,
			       ",\"bandwidth\":{},\"isPrivileged\":%s"
			       ",\"autoIntroduce\":%s"
			       ",\"enable_stats_config\":false"
			       ",\"hasMCU\":false",
			       grant->key->privileged ? "true" : "false",
			       grant->key->auto_introduce ? "true" : "false");
	append_string(out, "roomName", request->room);
	g_string_append_c(out, '}');
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *room_api_format_error(int code, const char *info)
{
	g_autoptr(GString) out = g_string_new(NULL);

	g_string_printf(out, "{\"success\":false,\"error\":%d", code);
	append_string(out, "info", info);
	g_string_append_c(out, '}');
	return g_string_free(g_steal_pointer(&out), FALSE);
}

unsigned int room_api_status(enum room_refusal refusal)
{
	switch (refusal) {
	case ROOM_REFUSAL_NONE:
		break;
	case ROOM_REFUSAL_UNKNOWN_KEY:
	case ROOM_REFUSAL_DOMAIN:
	case ROOM_REFUSAL_CORS:
	case ROOM_REFUSAL_ANONYMOUS:
	case ROOM_REFUSAL_CREDENTIAL:
	case ROOM_REFUSAL_PARENT:
		return 401;
	case ROOM_REFUSAL_NO_MEETING:
		return 400;
	}
	return 200;
}
