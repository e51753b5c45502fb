// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-login.h"

#include <openssl/crypto.h>
#include <string.h>

#include "appliance/console/console-request.h"
#include "appliance/roomserver/room-answer.h"
#include "appliance/roomserver/room-pages.h"
#include "appliance/roomserver/room-polling.h"

static int answer(struct lws *wsi, unsigned int status, const char *json,
		  const char *cookie)
{
	return room_answer_send(wsi,
				&(struct room_answer){
					.status = status,
					.content_type = "application/json; "
							"charset=utf-8",
					.body = json,
					.len = strlen(json),
					.cookie = cookie,
					.for_us = true,
				});
}

static const char *role_name(enum console_role role)
{
	switch (role) {
	case CONSOLE_ROLE_NONE:
		break;
	case CONSOLE_ROLE_WATCH:
		return "\"watch\"";
	case CONSOLE_ROLE_OPERATE:
		return "\"operate\"";
	}
	return "null";
}

static int serve_session(struct room_service *service, struct lws *wsi,
			 const struct room_visit *visit)
{
	g_autofree char *json = g_strdup_printf(
		"{\"role\":%s,\"console\":%s,\"viewer\":%s}",
		role_name(visit->visitor.role),
		service->link && service->gate.can_operate ? "true" : "false",
		service->no_rooms ? "false" : "true");

	return answer(wsi, HTTP_STATUS_OK, json, NULL);
}

static bool is_json(struct lws *wsi)
{
	char type[64] = "";

	return lws_hdr_copy(wsi, type, sizeof(type),
			    WSI_TOKEN_HTTP_CONTENT_TYPE) > 0 &&
	       g_ascii_strncasecmp(type, "application/json",
				   strlen("application/json")) == 0;
}

static int serve_post(struct room_service *service, struct lws *wsi,
		      struct connection *connection,
		      const struct room_visit *visit, const char *path)
{
	if (!room_visit_is_own_page(wsi, visit)) {
		answer(wsi, HTTP_STATUS_FORBIDDEN,
		       "{\"error\":\"not a page of this box\"}", NULL);
		return -1;
	}
	if (strcmp(path, "/logout") == 0) {
		g_autofree char *cookie =
			room_visit_make_cookie(service, visit, "");

		console_auth_logout(service->auth, visit->session);
		return answer(wsi, HTTP_STATUS_OK, "{}", cookie);
	}
	if (strcmp(path, "/login") != 0 || !is_json(wsi)) {
		answer(wsi, HTTP_STATUS_BAD_REQUEST,
		       "{\"error\":\"JSON is needed\"}", NULL);
		return -1;
	}
	return room_polling_expect_body(wsi, connection, PURPOSE_LOGIN,
					CONSOLE_LOGIN_MAX_BYTES);
}

int room_login_serve(struct room_service *service, struct lws *wsi,
		     struct connection *connection,
		     const struct room_visit *visit, const char *path,
		     bool post)
{
	if (post)
		return serve_post(service, wsi, connection, visit, path);
	if (strcmp(path, "/session") == 0)
		return serve_session(service, wsi, visit);
	return room_pages_serve_file(
		wsi, strcmp(path, "/login") == 0 ? "/login.html" : path);
}

static int answer_login(struct room_service *service, struct lws *wsi,
			const struct console_login_outcome *outcome)
{
	g_autofree char *json = NULL, *cookie = NULL;
	struct room_visit visit;

	switch (outcome->result) {
	case CONSOLE_LOGIN_OK:
		break;
	case CONSOLE_LOGIN_WRONG:
		return answer(wsi, HTTP_STATUS_UNAUTHORIZED,
			      "{\"error\":\"wrong\"}", NULL);
	case CONSOLE_LOGIN_LATER:
		json = g_strdup_printf("{\"error\":\"later\",\"wait\":%u}",
				       outcome->wait_s);
		return answer(wsi, 429, json, NULL);
	}
	room_visit_read(service, wsi, false, &visit);
	cookie = room_visit_make_cookie(service, &visit, outcome->session);
	json = g_strdup_printf("{\"role\":%s}", role_name(outcome->role));
	return answer(wsi, HTTP_STATUS_OK, json, cookie);
}

int room_login_on_body(struct room_service *service, struct lws *wsi,
		       struct connection *connection)
{
	struct room_address *address = lws_get_opaque_user_data(wsi);
	struct console_login_outcome outcome;
	struct console_login login;
	int r = console_login_parse(connection->body->str,
				    connection->body->len, &login);

	OPENSSL_cleanse(connection->body->str, connection->body->len);
	connection_clear(connection);
	if (r < 0)
		return answer(wsi, HTTP_STATUS_BAD_REQUEST,
			      "{\"error\":\"not a password\"}", NULL);
	console_auth_login(service->auth, room_limits_number(address),
			   login.secret, login.len, login.token,
			   g_get_monotonic_time(), &outcome);
	OPENSSL_cleanse(&login, sizeof(login));
	if (outcome.result != CONSOLE_LOGIN_OK)
		room_count(service->counters->logins_failed, 1);
	r = answer_login(service, wsi, &outcome);
	OPENSSL_cleanse(&outcome, sizeof(outcome));
	return r;
}
