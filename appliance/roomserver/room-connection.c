// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-connection.h"

#include <string.h>

#include "appliance/roomserver/room-answer.h"
#include "appliance/roomserver/room-api.h"

/* libwebsockets stops searching the query at a longer one. */
#define MAX_ARGUMENT 512

void connection_clear(struct connection *connection)
{
	if (connection->body)
		g_string_free(connection->body, TRUE);
	memset(connection, 0, sizeof(*connection));
}

struct engine_session *
room_service_open_session(struct room_service *service, struct lws *wsi,
			  const struct engine_query *query)
{
	struct room_address *address = lws_get_opaque_user_data(wsi);
	struct engine_session *session;

	if (!room_limits_open(service->limits, address)) {
		room_count(service->counters->refused, 1);
		return NULL;
	}
	session = engine_open(service->engine, query->polling);
	if (!session) {
		room_limits_close(service->limits, address);
		return NULL;
	}
	session->address = address;
	session->user = room_client_new(service->core, session);
	if (query->sdk_2)
		room_client_set_no_groups(session->user);
	return session;
}

static bool query_has(struct lws *wsi, const char *name, const char *value)
{
	char text[MAX_ARGUMENT];
	const char *found =
		lws_get_urlarg_by_name(wsi, name, text, sizeof(text));

	return found && strcmp(found, value) == 0;
}

void engine_query_read(struct lws *wsi, struct engine_query *ret)
{
	char text[MAX_ARGUMENT];
	const char *sid =
		lws_get_urlarg_by_name(wsi, "sid=", text, sizeof(text));

	memset(ret, 0, sizeof(*ret));
	if (sid)
		g_strlcpy(ret->sid, sid, sizeof(ret->sid));
	ret->websocket = query_has(wsi, "transport=", "websocket");
	ret->polling = query_has(wsi, "transport=", "polling");
	ret->version_3 = query_has(wsi, "EIO=", "3");
	ret->base64 = query_has(wsi, "b64=", "1");
	sid = lws_get_urlarg_by_name(wsi, "Skylink_SDK_version=", text,
				     sizeof(text));
	ret->sdk_2 = room_api_wants_port(sid);
}

const char *engine_query_error(unsigned int code)
{
	static const char *const errors[] = {
		"{\"code\":0,\"message\":\"Transport unknown\"}",
		"{\"code\":1,\"message\":\"Session ID unknown\"}",
		"{\"code\":2,\"message\":\"Bad handshake method\"}",
		"{\"code\":3,\"message\":\"Bad request\"}",
	};

	return errors[code];
}

int room_answer_text(struct lws *wsi, unsigned int status, const char *type,
		     const char *text)
{
	return room_answer_send(wsi, &(struct room_answer){
					     .status = status,
					     .content_type = type,
					     .body = text,
					     .len = strlen(text),
				     });
}

int room_answer_json(struct lws *wsi, unsigned int status, const char *json)
{
	return room_answer_text(wsi, status, "application/json; charset=utf-8",
				json);
}
