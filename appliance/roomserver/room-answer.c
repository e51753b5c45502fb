// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-answer.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

struct header {
	unsigned char bytes[LWS_PRE + ROOM_ANSWER_MAX_HEADER];
	unsigned char *p, *end;
	bool failed;
};

static void add(struct header *h, struct lws *wsi, const char *name,
		const char *value)
{
	if (!h->failed)
		h->failed = lws_add_http_header_by_name(
				    wsi, (const unsigned char *) name,
				    (const unsigned char *) value,
				    (int) strlen(value), &h->p, h->end) != 0;
}

/* RFC 9110 §5.6.7, §6.6.1: whoever has a clock says what it shows. Another box
 * sees by it that its own is wrong. */
static void add_date(struct header *h, struct lws *wsi)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
					   "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
					     "May", "Jun", "Jul", "Aug",
					     "Sep", "Oct", "Nov", "Dec"};
	time_t now = time(NULL);
	struct tm tm;
	char text[40];

	if (!gmtime_r(&now, &tm))
		return;
	g_snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
		   days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	add(h, wsi, "date:", text);
}

static void begin(struct header *h, struct lws *wsi, unsigned int status)
{
	h->p = h->bytes + LWS_PRE;
	h->end = h->bytes + sizeof(h->bytes);
	h->failed = lws_add_http_header_status(wsi, status, &h->p, h->end) != 0;
	add_date(h, wsi);
}

/* What a request sent is echoed only if it can do no harm in a header. */
static bool is_harmless(const char *value)
{
	for (; *value; value++)
		if (*value < 0x21 || *value > 0x7e)
			return false;
	return true;
}

static void add_cors(struct header *h, struct lws *wsi)
{
	char origin[300];

	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) <= 0 ||
	    !is_harmless(origin)) {
		add(h, wsi, "access-control-allow-origin:", "*");
		return;
	}
	add(h, wsi, "access-control-allow-origin:", origin);
	add(h, wsi, "access-control-allow-credentials:", "true");
	add(h, wsi, "vary:", "Origin");
}

static int finish(struct header *h, struct lws *wsi, size_t content_length)
{
	if (h->failed ||
	    lws_add_http_header_content_length(wsi, content_length, &h->p,
					       h->end) ||
	    lws_finalize_write_http_header(wsi, h->bytes + LWS_PRE, &h->p,
					   h->end))
		return -1;
	return 0;
}

static int send_all(struct lws *wsi, const struct room_answer *answer)
{
	g_autofree unsigned char *body = NULL;
	struct header h;

	begin(&h, wsi, answer->status);
	if (answer->content_type)
		add(&h, wsi, "content-type:", answer->content_type);
	add(&h, wsi, "cache-control:", answer->etag ? "no-cache" : "no-store");
	if (answer->etag)
		add(&h, wsi, "etag:", answer->etag);
	if (answer->csp)
		add(&h, wsi, "content-security-policy:", answer->csp);
	add(&h, wsi, "x-content-type-options:", "nosniff");
	add(&h, wsi, "referrer-policy:", "same-origin");
	if (answer->location)
		add(&h, wsi, "location:", answer->location);
	if (answer->cookie)
		add(&h, wsi, "set-cookie:", answer->cookie);
	if (answer->for_us)
		add(&h, wsi, "cross-origin-resource-policy:", "same-origin");
	else
		add_cors(&h, wsi);
	if (finish(&h, wsi, answer->len) < 0)
		return -1;
	if (!answer->len)
		return 0;

	/* lws_write() wants to be allowed to scribble in front. */
	body = g_malloc(LWS_PRE + answer->len);
	memcpy(body + LWS_PRE, answer->body, answer->len);
	return lws_write(wsi, body + LWS_PRE, answer->len,
			 LWS_WRITE_HTTP_FINAL) < 0
		       ? -1
		       : 0;
}

int room_answer_send(struct lws *wsi, const struct room_answer *answer)
{
	if (send_all(wsi, answer) < 0)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int room_answer_refuse_upgrade(struct lws *wsi,
			       const struct room_answer *answer)
{
	return send_all(wsi, answer) < 0 ? -1 : 1;
}

int room_answer_preflight(struct lws *wsi)
{
	char headers[500];
	struct header h;

	/* Not 204: that has no length, and the connection is to be kept. */
	begin(&h, wsi, HTTP_STATUS_OK);
	add_cors(&h, wsi);
	add(&h, wsi, "access-control-allow-methods:", "GET, POST, OPTIONS");
	if (lws_hdr_copy(wsi, headers, sizeof(headers),
			 WSI_TOKEN_HTTP_AC_REQUEST_HEADERS) <= 0 ||
	    !is_harmless(g_strdelimit(headers, " ", ',')))
		g_strlcpy(headers,
			  "skylink_sdk_version,skylink_sdk_type,"
			  "skylink_api_version,x-server-select,content-type",
			  sizeof(headers));
	add(&h, wsi, "access-control-allow-headers:", headers);
	add(&h, wsi, "access-control-max-age:", "600");
	if (finish(&h, wsi, 0) < 0)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}
