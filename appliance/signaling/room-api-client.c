// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/room-api-client.h"

#include <string.h>

/* What the newest 0.6 client calls itself, so that a server which tells
 * clients apart treats us like it. */
#define SDK_VERSION "0.6.37"
#define SDK_TYPE    "WEB_SDK"

#define READ_BYTES 16384

struct RoomApiCall {
	gint refs;		/* owner, and one per operation under way */
	RoomApiConfig config;
	char *base, *app_key, *room, *secret;
	SoupMessage *message;
	GInputStream *body;
	GByteArray *bytes;
	GCancellable *cancellable;	/* of this try */
	GSource *timer;			/* of this try */
	gboolean timed_out, freed;
	guint attempt;			/* from 0 */
};

SoupSession *signaling_http_session_new(void)
{
	return soup_session_new_with_options(
		"user-agent", "skylinkd/" PACKAGE_VERSION, "idle-timeout", 30,
		NULL);
}

gboolean room_api_base_is_tls(const char *base)
{
	return !g_str_has_prefix(base, "http://");
}

/* cred = base64(HMAC-SHA1(secret, room_len_start)), §2.1 */
static char *make_cred(const char *secret, const char *room, const char *start,
		       guint len_hours)
{
	g_autofree char *text =
		g_strdup_printf("%s_%u_%s", room, len_hours, start);
	g_autoptr(GHmac) hmac =
		g_hmac_new(G_CHECKSUM_SHA1, (const guchar *) secret,
			   strlen(secret));
	guint8 digest[20];
	gsize len = sizeof(digest);
	g_autofree char *plain = NULL;

	g_hmac_update(hmac, (const guchar *) text, (gssize) strlen(text));
	g_hmac_get_digest(hmac, digest, &len);
	plain = g_base64_encode(digest, len);
	return g_uri_escape_string(plain, NULL, FALSE);
}

char *room_api_url(const char *base, const char *app_key, const char *room,
		   const char *secret, const char *start, guint len_hours,
		   gint64 rand_ms, GError **error)
{
	g_autofree char *full =
		g_str_has_prefix(base, "//") ? g_strconcat("https:", base, NULL)
					     : g_strdup(base);
	g_autofree char *key = g_uri_escape_string(app_key, NULL, FALSE);
	g_autofree char *name = g_uri_escape_string(room, NULL, FALSE);
	g_autofree char *cred = NULL;
	g_autoptr(GUri) uri = NULL;

	while (g_str_has_suffix(full, "/"))
		full[strlen(full) - 1] = '\0';
	uri = g_uri_parse(full, G_URI_FLAGS_NONE, NULL);
	if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri) ||
	    g_uri_get_query(uri) || g_uri_get_fragment(uri) ||
	    (strcmp(g_uri_get_scheme(uri), "http") &&
	     strcmp(g_uri_get_scheme(uri), "https"))) {
		g_set_error(error, ROOM_API_ERROR, ROOM_API_ERROR_NETWORK,
			    "'%s' is no address of a room server: "
			    "http://HOST[:PORT], https://HOST[:PORT] or //HOST "
			    "is wanted", base);
		return NULL;
	}
	if (!secret)
		return g_strdup_printf("%s/api/%s/%s?rand=%" G_GINT64_FORMAT,
				       full, key, name, rand_ms);
	cred = make_cred(secret, room, start, len_hours);
	return g_strdup_printf("%s/api/%s/%s/%s/%u?cred=%s&rand=%"
			       G_GINT64_FORMAT, full, key, name, start,
			       len_hours, cred, rand_ms);
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
	g_clear_object(&call->message);
	g_clear_object(&call->body);
	g_clear_object(&call->cancellable);
	g_clear_pointer(&call->bytes, g_byte_array_unref);
	g_object_unref(call->config.session);
	g_free(call->base);
	g_free(call->app_key);
	g_free(call->room);
	g_free(call->secret);
	g_free(call);
}

static void stop_timer(RoomApiCall *call)
{
	if (!call->timer)
		return;
	g_source_destroy(call->timer);
	g_clear_pointer(&call->timer, g_source_unref);
}

static void set_timer(RoomApiCall *call, guint ms, GSourceFunc fn)
{
	stop_timer(call);
	call->timer = g_timeout_source_new(ms);
	g_source_set_callback(call->timer, fn, call, NULL);
	g_source_attach(call->timer, g_main_context_get_thread_default());
}

static gboolean on_timeout(gpointer data)
{
	RoomApiCall *call = data;

	stop_timer(call);
	call->timed_out = TRUE;
	g_cancellable_cancel(call->cancellable);
	return G_SOURCE_REMOVE;
}

static void finish(RoomApiCall *call, RoomApiAnswer *answer, gint code,
		   const GError *error)
{
	guint status =
		call->message ? soup_message_get_status(call->message) : 0;

	stop_timer(call);
	if (call->freed)
		room_api_answer_free(answer);
	else
		call->config.done(call->config.user, answer, code, status,
				  error);
}

/* Nothing usable came: try again, or give up with a sentence. */
static void fail_try(RoomApiCall *call, const GError *cause)
{
	g_autoptr(GError) error = NULL;

	stop_timer(call);
	if (call->freed)
		return;
	if (call->timed_out)
		g_set_error(&error, ROOM_API_ERROR, ROOM_API_ERROR_NETWORK,
			    "The room server at %s does not answer: no reply "
			    "within %u ms", call->base,
			    call->config.timeout_ms);
	else
		g_set_error(&error, ROOM_API_ERROR,
			    cause->domain == ROOM_API_ERROR
				    ? cause->code
				    : ROOM_API_ERROR_NETWORK,
			    "The room server at %s cannot be asked: %s",
			    call->base, cause->message);
	if (call->attempt >= ROOM_API_RETRIES) {
		finish(call, NULL, 0, error);
		return;
	}
	call->attempt++;
	ref(call);
	if (call->config.retry)
		call->config.retry(call->config.user, call->attempt, error);
	if (!call->freed)
		start_try(call);
	unref(call);
}

static void read_answer(RoomApiCall *call)
{
	guint status = soup_message_get_status(call->message);
	g_autoptr(GError) error = NULL;
	RoomApiAnswer *answer;
	gint code;

	answer = room_api_answer_parse((const char *) call->bytes->data,
				       call->bytes->len, status, &code, &error);
	/* A gateway's error page passes; what the server itself says stays. */
	if (!answer && status >= 500 &&
	    !g_error_matches(error, ROOM_API_ERROR, ROOM_API_ERROR_REFUSED))
		fail_try(call, error);
	else
		finish(call, answer, code, error);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
	RoomApiCall *call = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = g_input_stream_read_bytes_finish(
		G_INPUT_STREAM(source), result, &error);
	gsize size = bytes ? g_bytes_get_size(bytes) : 0;

	if (call->freed) {
		/* nobody waits */
	} else if (!bytes) {
		fail_try(call, error);
	} else if (!size) {
		read_answer(call);
	} else if (call->bytes->len + size > ROOM_API_MAX_BYTES) {
		g_set_error(&error, ROOM_API_ERROR, ROOM_API_ERROR_ANSWER,
			    "the answer is longer than %d bytes",
			    ROOM_API_MAX_BYTES);
		fail_try(call, error);
	} else {
		g_byte_array_append(call->bytes, g_bytes_get_data(bytes, NULL),
				    (guint) size);
		g_input_stream_read_bytes_async(call->body, READ_BYTES,
						G_PRIORITY_DEFAULT,
						call->cancellable, on_read,
						ref(call));
	}
	unref(call);
}

static void on_sent(GObject *source, GAsyncResult *result, gpointer data)
{
	RoomApiCall *call = data;
	g_autoptr(GError) error = NULL;
	GInputStream *body = soup_session_send_finish(SOUP_SESSION(source),
						      result, &error);

	g_set_object(&call->body, body);
	if (call->freed)
		goto out;
	if (!body) {
		fail_try(call, error);
		goto out;
	}
	g_byte_array_set_size(call->bytes, 0);
	g_input_stream_read_bytes_async(body, READ_BYTES, G_PRIORITY_DEFAULT,
					call->cancellable, on_read, ref(call));
out:
	g_clear_object(&body);
	unref(call);
}

static char *now_iso(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();

	return g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.000Z");
}

static void start_try(RoomApiCall *call)
{
	SoupMessageHeaders *headers;
	g_autofree char *start = now_iso();
	g_autofree char *url = NULL;
	g_autoptr(GError) error = NULL;

	url = room_api_url(call->base, call->app_key, call->room, call->secret,
			   start, ROOM_API_ROOM_HOURS,
			   g_get_real_time() / 1000, &error);
	if (url) {
		g_clear_object(&call->message);
		call->message = soup_message_new("GET", url);
	}
	if (!url || !call->message) {
		if (!error)
			g_set_error(&error, ROOM_API_ERROR,
				    ROOM_API_ERROR_NETWORK,
				    "'%s' is no address of a room server",
				    call->base);
		finish(call, NULL, 0, error);
		return;
	}
	headers = soup_message_get_request_headers(call->message);
	soup_message_headers_append(headers, "Skylink_SDK_version",
				    SDK_VERSION);
	soup_message_headers_append(headers, "Skylink_SDK_type", SDK_TYPE);

	g_clear_object(&call->cancellable);
	call->cancellable = g_cancellable_new();
	call->timed_out = FALSE;
	set_timer(call, call->config.timeout_ms, on_timeout);
	soup_session_send_async(call->config.session, call->message,
				G_PRIORITY_DEFAULT, call->cancellable, on_sent,
				ref(call));
}

static gboolean on_start(gpointer data)
{
	RoomApiCall *call = data;

	ref(call);
	stop_timer(call);
	start_try(call);
	unref(call);
	return G_SOURCE_REMOVE;
}

RoomApiCall *room_api_call_new(const RoomApiConfig *config)
{
	RoomApiCall *call = g_new0(RoomApiCall, 1);

	call->refs = 1;
	call->config = *config;
	g_object_ref(call->config.session);
	if (!call->config.timeout_ms)
		call->config.timeout_ms = ROOM_API_TIMEOUT_MS;
	call->base = g_strdup(config->base);
	call->app_key = g_strdup(config->app_key);
	call->room = g_strdup(config->room);
	call->secret = g_strdup(config->secret);
	call->bytes = g_byte_array_new();
	set_timer(call, 0, on_start);
	return call;
}

RoomApiCall *room_api_call_free(RoomApiCall *call)
{
	if (!call)
		return NULL;
	call->freed = TRUE;
	stop_timer(call);
	if (call->cancellable)
		g_cancellable_cancel(call->cancellable);
	unref(call);
	return NULL;
}
