// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-pages.h"

#include <string.h>

#include "appliance/roomserver/room-answer.h"
#include "appliance/roomserver/room-api.h"
#include "appliance/roomserver/viewer-files.h"
#include "appliance/signaling/json-check.h"

#define UID_CHARS 16
#define MAX_PATH  1024
#define JSON_TYPE "application/json; charset=utf-8"

/*
 * The path as it was meant: libwebsockets cuts it at each '&' as if it were a
 * query, and makes '+' a space. The pieces are put together again; "a+b" and
 * "a b" stay the same room for everybody.
 */
static bool read_path(struct lws *wsi, char *ret, size_t size)
{
	size_t used = 0;

	for (int i = 0;; i++) {
		int n = lws_hdr_copy_fragment(wsi, ret + used,
					      (int) (size - used),
					      WSI_TOKEN_GET_URI, i);

		if (n < 0)
			break;
		used += (size_t) n;
		if (used + 2 >= size)
			return false;
		ret[used++] = '&';
	}
	if (!used)
		return false;
	ret[used - 1] = '\0';
	g_strdelimit(ret, "+", ' ');
	return true;
}

static char *copy_header(struct lws *wsi, enum lws_token_indexes token)
{
	char text[MAX_PATH];

	return lws_hdr_copy(wsi, text, sizeof(text), token) > 0 ? g_strdup(text)
								: NULL;
}

static int answer_error(struct lws *wsi, unsigned int status, int code,
			const char *info)
{
	g_autofree char *body = room_api_format_error(code, info);

	return room_answer_json(wsi, status, body);
}

static enum room_refusal check_caller(struct lws *wsi,
				      const struct room_key *key,
				      const struct room_api_request *request,
				      const char *own_host)
{
	g_autofree char *origin = copy_header(wsi, WSI_TOKEN_ORIGIN);
	g_autofree char *referer = copy_header(wsi, WSI_TOKEN_HTTP_REFERER);
	char cred[ROOM_API_MAX_CRED];

	return room_key_check(
		key,
		&(struct room_caller){
			.origin = origin,
			.referer = referer,
			.host = own_host,
			.cred = lws_get_urlarg_by_name(wsi, "cred=", cred,
						       sizeof(cred)),
			.room = request->room,
			.start = request->scheduled ? request->start : NULL,
			.len = request->scheduled ? request->len : NULL,
			.end_ms = request->end_ms,
			.now_ms = g_get_real_time() / 1000,
		});
}

/* What a key's "self" stands for: a name of ours, and for whom we let look at
 * our page; NULL: for nobody. */
static const char *find_own_host(const struct room_service *service,
				 const struct room_visit *visit)
{
	return room_gate_check(&service->gate, ROOM_AREA_VIEWER,
			       &visit->visitor) == ROOM_ALLOWED
		       ? visit->visitor.host
		       : NULL;
}

static int serve_api(struct room_service *service, struct lws *wsi,
		     const struct room_visit *visit)
{
	char path[MAX_PATH];
	struct room_api_request request;
	struct room_api_host host;
	char header[ROOM_API_MAX_HOST + 8], version[16] = "";
	char uid[UID_CHARS + 1];
	uint8_t random[UID_CHARS / 4 * 3];
	const struct room_key *key;
	enum room_refusal refusal;
	g_autofree char *body = NULL;

	if (!read_path(wsi, path, sizeof(path)) ||
	    room_api_parse(path, &request) < 0)
		return answer_error(wsi, HTTP_STATUS_BAD_REQUEST, 400,
				    "This is not a room request");
	if (lws_hdr_copy(wsi, header, sizeof(header), WSI_TOKEN_HOST) <= 0 ||
	    room_api_parse_host(header, &host) < 0)
		return answer_error(wsi, HTTP_STATUS_BAD_REQUEST, 400,
				    "The Host header is no host");
	key = room_keys_find(service->keys, request.key);
	refusal = check_caller(wsi, key, &request,
			       find_own_host(service, visit));
	if (refusal) {
		room_count(service->counters->refused, 1);
		return answer_error(wsi, room_api_status(refusal), refusal,
				    room_refusal_describe(refusal));
	}

	lws_hdr_custom_copy(
		wsi, version, sizeof(version),
		"skylink_sdk_version:", (int) strlen("skylink_sdk_version:"));
	room_service_random(service, random, sizeof(random));
	room_token_id(random, UID_CHARS, uid);
	body = room_api_format(
		&request, &(struct room_api_grant){
				  .secret = service->secret,
				  .key = key,
				  .uid = uid,
				  .now_ms = g_get_real_time() / 1000,
				  .host = &host,
				  .port_in_host = room_api_wants_port(version),
			  });
	return room_answer_json(wsi, HTTP_STATUS_OK, body);
}

static int serve_viewer_config(struct room_service *service, struct lws *wsi)
{
	g_autoptr(GString) body = g_string_new("{\"key\":");

	json_quote(body, service->app_key, strlen(service->app_key));
	g_string_append(body, ",\"room\":");
	json_quote(body, service->viewer_room, strlen(service->viewer_room));
	if (service->tls) {
		const char *print = room_tls_get_fingerprint(service->tls);

		g_string_append(body, ",\"fingerprint\":");
		json_quote(body, print, strlen(print));
		g_string_append(body, room_tls_is_self_signed(service->tls)
					      ? ",\"selfSigned\":true"
					      : ",\"selfSigned\":false");
	}
	g_string_append_c(body, '}');
	return room_answer_send(wsi, &(struct room_answer){
					     .status = HTTP_STATUS_OK,
					     .content_type = JSON_TYPE,
					     .body = body->str,
					     .len = body->len,
					     .for_us = true,
				     });
}

static int answer_missing(struct lws *wsi)
{
	static const char text[] = "There is nothing here\n";

	return room_answer_send(wsi, &(struct room_answer){
					     .status = HTTP_STATUS_NOT_FOUND,
					     .content_type = "text/plain; "
							     "charset=utf-8",
					     .body = text,
					     .len = strlen(text),
					     .for_us = true,
				     });
}

static int send_to(struct lws *wsi, const char *location)
{
	return room_answer_send(wsi, &(struct room_answer){
					     .status = HTTP_STATUS_FOUND,
					     .location = location,
					     .for_us = true,
				     });
}

int room_pages_serve_file(struct lws *wsi, const char *path)
{
	struct viewer_file file;
	char etag[64];

	if (!viewer_file_find(path, &file))
		return answer_missing(wsi);
	if (lws_hdr_copy(wsi, etag, sizeof(etag),
			 WSI_TOKEN_HTTP_IF_NONE_MATCH) > 0 &&
	    strcmp(etag, file.etag) == 0)
		return room_answer_send(wsi, &(struct room_answer){
						     .status = 304,
						     .etag = file.etag,
						     .for_us = true,
					     });
	return room_answer_send(wsi, &(struct room_answer){
					     .status = HTTP_STATUS_OK,
					     .content_type = file.content_type,
					     .body = file.bytes,
					     .len = file.len,
					     .etag = file.etag,
					     .csp = VIEWER_CSP,
					     .for_us = true,
				     });
}

int room_pages_serve(struct room_service *service, struct lws *wsi,
		     const struct room_visit *visit, const char *path)
{
	if (service->no_rooms && strcmp(path, "/") == 0)
		return send_to(wsi, "/console/");
	if (strcmp(path, "/console") == 0)
		return send_to(wsi, "/console/");
	if (service->no_rooms && (g_str_has_prefix(path, "/api/") ||
				  strcmp(path, "/viewer-config.json") == 0))
		return answer_missing(wsi);
	if (g_str_has_prefix(path, "/api/"))
		return serve_api(service, wsi, visit);
	if (strcmp(path, "/viewer-config.json") == 0)
		return serve_viewer_config(service, wsi);
	return room_pages_serve_file(wsi, path);
}
