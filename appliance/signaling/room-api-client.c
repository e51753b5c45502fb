// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/room-api-client.h"

#include <string.h>

#include "appliance/signaling/http-fetch.h"

/* What the newest 0.6 client calls itself, so that a server which tells
 * clients apart treats us like it. */
#define SDK_VERSION "0.6.37"
#define SDK_TYPE    "WEB_SDK"

struct RoomApiCall {
	gint refs; /* owner, and callbacks under way */
	RoomApiConfig config;
	char *base, *app_key, *room, *secret, *credential, *start, *region;
	HttpFetch *fetch; /* of this try */
	GSource *begin;	  /* nothing happens from within _new() */
	gboolean freed;
	guint attempt; /* from 0 */
};

gboolean room_api_is_tls(const RoomApiRequest *request)
{
	return request->force_ssl ||
	       !g_str_has_prefix(request->base, "http://");
}

static gboolean G_GNUC_PRINTF(2, 3)
	refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error)
		*error = g_error_new_valist(
			ROOM_API_ERROR, ROOM_API_ERROR_REQUEST, format, args);
	va_end(args);
	return FALSE;
}

/* "https://host:8080/path", without a slash at the end; NULL: none. */
static char *full_base(const RoomApiRequest *r, GError **error)
{
	const char *rest = strstr(r->base, "//");
	g_autofree char *full = rest == r->base || (r->force_ssl && rest)
					? g_strconcat("https:", rest, NULL)
					: g_strdup(r->base);
	g_autoptr(GUri) uri = NULL;

	while (g_str_has_suffix(full, "/"))
		full[strlen(full) - 1] = '\0';
	uri = g_uri_parse(full, G_URI_FLAGS_NONE, NULL);
	/* Not repeated: the address is in logs, in status and in errors. */
	if (uri && g_uri_get_userinfo(uri)) {
		refuse(error, "The room server's address holds a user or a "
			      "password; http://HOST[:PORT], "
			      "https://HOST[:PORT] or //HOST is wanted");
		return NULL;
	}
	if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri) ||
	    g_uri_get_query(uri) || g_uri_get_fragment(uri) ||
	    (strcmp(g_uri_get_scheme(uri), "http") &&
	     strcmp(g_uri_get_scheme(uri), "https")) ||
	    (!g_str_has_prefix(r->base, "http://") &&
	     !g_str_has_prefix(r->base, "https://") && rest != r->base)) {
		refuse(error,
		       "'%s' is no address of a room server: "
		       "http://HOST[:PORT], https://HOST[:PORT] or "
		       "//HOST is wanted",
		       r->base);
		return NULL;
	}
	return g_steal_pointer(&full);
}

/* As JavaScript writes the number. */
static char *format_hours(gdouble hours)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	return g_strdup(g_ascii_formatd(buf, sizeof(buf), "%.15g", hours));
}

static gboolean check_schedule(const RoomApiRequest *r, GError **error)
{
	g_autoptr(GDateTime) time = NULL;
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();

	if (!r->start) {
		if (r->credential)
			return refuse(error, "A ready-made credential holds "
					     "for one start and duration "
					     "only: start is missing");
		return TRUE;
	}
	time = g_date_time_new_from_iso8601(r->start, utc);
	if (!time || strlen(r->start) > 64)
		return refuse(error,
			      "'%s' is no time in ISO 8601, such as "
			      "2026-01-31T09:00:00.000Z",
			      r->start);
	if (!(r->hours > 0 && r->hours <= ROOM_API_MAX_HOURS))
		return refuse(error,
			      "A scheduled room lasts more than 0 and "
			      "at most %d hours",
			      ROOM_API_MAX_HOURS);
	if (!r->credential && !r->secret)
		return refuse(error,
			      "A scheduled room (%s) needs the key's "
			      "secret or a credential",
			      r->start);
	return TRUE;
}

/* cred = base64(HMAC-SHA1(secret, room_len_start)), §2.1 */
static char *make_cred(const char *secret, const char *room, const char *start,
		       const char *hours)
{
	g_autofree char *text = g_strdup_printf("%s_%s_%s", room, hours, start);
	g_autoptr(GHmac) hmac = g_hmac_new(
		G_CHECKSUM_SHA1, (const guchar *) secret, strlen(secret));
	guint8 digest[20];
	gsize len = sizeof(digest);

	g_hmac_update(hmac, (const guchar *) text, (gssize) strlen(text));
	g_hmac_get_digest(hmac, digest, &len);
	return g_base64_encode(digest, len);
}

static char *iso_time(gint64 ms)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);

	return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S.000Z")
		    : g_strdup("");
}

/* "/start/len?cred=..&" behind the room's name, or "?". */
static void append_schedule(GString *url, const RoomApiRequest *r,
			    gint64 now_ms)
{
	g_autofree char *start = NULL, *hours = NULL, *cred = NULL;

	if (!r->secret && !r->credential) {
		g_string_append_c(url, '?');
		return;
	}
	start = r->start ? g_strdup(r->start) : iso_time(now_ms);
	hours = format_hours(r->start ? r->hours : ROOM_API_ROOM_HOURS);
	cred = r->credential ? g_strdup(r->credential)
			     : make_cred(r->secret, r->room, start, hours);
	g_string_append_c(url, '/');
	g_string_append_uri_escaped(url, start, ":", FALSE);
	g_string_append_printf(url, "/%s?cred=", hours);
	g_string_append_uri_escaped(url, cred, NULL, FALSE);
	g_string_append_c(url, '&');
}

char *room_api_url(const RoomApiRequest *r, gint64 now_ms, GError **error)
{
	g_autofree char *base = full_base(r, error);
	GString *url;

	if (!base || !check_schedule(r, error))
		return NULL;
	url = g_string_new(base);
	g_string_append(url, "/api/");
	g_string_append_uri_escaped(url, r->app_key, NULL, FALSE);
	g_string_append_c(url, '/');
	g_string_append_uri_escaped(url, r->room, NULL, FALSE);
	append_schedule(url, r, now_ms);
	g_string_append_printf(url, "rand=%" G_GINT64_FORMAT, now_ms);
	if (r->region) {
		g_string_append(url, "&rg=");
		g_string_append_uri_escaped(url, r->region, NULL, FALSE);
	}
	return g_string_free(url, FALSE);
}

/* --- one call ------------------------------------------------------------ */
static void start_try(RoomApiCall *call);

static RoomApiCall *ref(RoomApiCall *call)
{
	call->refs++;
	return call;
}

static void unref(RoomApiCall *call)
{
	if (--call->refs)
		return;
	g_object_unref(call->config.session);
	g_free(call->base);
	g_free(call->app_key);
	g_free(call->room);
	g_free(call->secret);
	g_free(call->credential);
	g_free(call->start);
	g_free(call->region);
	g_free(call);
}

static void stop_begin(RoomApiCall *call)
{
	if (!call->begin)
		return;
	g_source_destroy(call->begin);
	g_clear_pointer(&call->begin, g_source_unref);
}

/* Nothing usable came: try again, or give up with a sentence. */
static void fail_try(RoomApiCall *call, guint status, const GError *cause)
{
	g_autoptr(GError) error = NULL;
	int code = ROOM_API_ERROR_NETWORK;

	if (cause->domain == ROOM_API_ERROR)
		code = cause->code;
	else if (cause->domain == G_RESOLVER_ERROR)
		code = ROOM_API_ERROR_NAME;
	else if (cause->domain == G_TLS_ERROR)
		code = ROOM_API_ERROR_TLS;
	else if (g_error_matches(cause, G_IO_ERROR,
				 G_IO_ERROR_MESSAGE_TOO_LARGE))
		code = ROOM_API_ERROR_ANSWER;
	error = g_error_new(
		ROOM_API_ERROR, code,
		g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
			? "The room server at %s does not answer: "
			  "%s"
			: "The room server at %s cannot be asked: "
			  "%s",
		call->base, cause->message);
	if (call->attempt >= ROOM_API_RETRIES) {
		call->config.done(call->config.user, NULL, 0, status, error);
		return;
	}
	call->attempt++;
	if (call->config.retry)
		call->config.retry(call->config.user, call->attempt, error);
	if (!call->freed)
		start_try(call);
}

static void on_fetched(void *user, guint status, char *body, gsize len,
		       const GError *cause)
{
	RoomApiCall *call = ref(user);
	g_autoptr(GError) error = NULL;
	RoomApiAnswer *answer;
	gint code;

	call->fetch = http_fetch_free(call->fetch);
	if (cause) {
		fail_try(call, status, cause);
		unref(call);
		return;
	}
	answer = room_api_answer_parse(body, len, status, &code, &error);
	/* A gateway's error page passes; what the server itself says stays. */
	if (!answer && status >= 500 &&
	    !g_error_matches(error, ROOM_API_ERROR, ROOM_API_ERROR_REFUSED))
		fail_try(call, status, error);
	else
		call->config.done(call->config.user, answer, code, status,
				  error);
	unref(call);
}

static void start_try(RoomApiCall *call)
{
	HttpFetchConfig config = {
		.session = call->config.session,
		.max_bytes = ROOM_API_MAX_BYTES,
		.timeout_ms = call->config.timeout_ms,
		.done = on_fetched,
		.user = call,
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(SoupMessage) message = NULL;
	g_autofree char *url = room_api_url(&call->config.request,
					    g_get_real_time() / 1000, &error);
	SoupMessageHeaders *headers;

	if (url)
		message = soup_message_new("GET", url);
	if (url && !message)
		refuse(&error, "'%s' is no address of a room server",
		       call->base);
	if (!message) {
		call->config.done(call->config.user, NULL, 0, 0, error);
		return;
	}
	headers = soup_message_get_request_headers(message);
	soup_message_headers_append(headers, "Skylink_SDK_version",
				    SDK_VERSION);
	soup_message_headers_append(headers, "Skylink_SDK_type", SDK_TYPE);
	config.message = message;
	call->fetch = http_fetch_new(&config);
}

static gboolean on_begin(gpointer data)
{
	RoomApiCall *call = ref(data);

	stop_begin(call);
	start_try(call);
	unref(call);
	return G_SOURCE_REMOVE;
}

RoomApiCall *room_api_call_new(const RoomApiConfig *config)
{
	RoomApiCall *call = g_new0(RoomApiCall, 1);
	RoomApiRequest *r = &call->config.request;

	call->refs = 1;
	call->config = *config;
	g_object_ref(call->config.session);
	if (!call->config.timeout_ms)
		call->config.timeout_ms = ROOM_API_TIMEOUT_MS;
	r->base = call->base = g_strdup(r->base);
	r->app_key = call->app_key = g_strdup(r->app_key);
	r->room = call->room = g_strdup(r->room);
	r->secret = call->secret = g_strdup(r->secret);
	r->credential = call->credential = g_strdup(r->credential);
	r->start = call->start = g_strdup(r->start);
	r->region = call->region = g_strdup(r->region);
	call->begin = g_idle_source_new();
	g_source_set_priority(call->begin, G_PRIORITY_DEFAULT);
	g_source_set_callback(call->begin, on_begin, call, NULL);
	g_source_attach(call->begin, g_main_context_get_thread_default());
	return call;
}

RoomApiCall *room_api_call_free(RoomApiCall *call)
{
	if (!call)
		return NULL;
	call->freed = TRUE;
	stop_begin(call);
	call->fetch = http_fetch_free(call->fetch);
	unref(call);
	return NULL;
}
