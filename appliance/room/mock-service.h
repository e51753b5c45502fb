/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/mock-service.h - a room service that says what a test wants
 *
 * MOCK: room API and signaling server for one client, on the loopback. The
 * real server keeps a peer from calling itself MCU, from using foreign ids and
 * from repeating what was recorded elsewhere, which is what these tests need.
 *
 * To be included by test-room*.c alone, after room-test.h.
 *
 * Thread:  the test's
 */
#pragma once

#include <libsoup/soup.h>

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"

struct mock {
	SoupServer *server;
	char *url;
	guint16 port;
	SoupWebsocketConnection *connection; /* the latest */
	GPtrArray *connections;
	GPtrArray *heard; /* JsonObject, after joinRoom */
	const char *sid;  /* given to the client; NULL: me1, me2 */
	const char *rid, *cid; /* NULL: r, c */
	gdouble weight;
	gboolean privileged;
	guint joined;
};

static inline void mock_on_api(SoupServer *server, SoupServerMessage *message,
			       const char *path, GHashTable *query,
			       gpointer data)
{
	struct mock *m = data;
	char *text = g_strdup_printf(
		"{\"success\":true,\"cid\":\"%s\",\"apiOwner\":\"o\","
		"\"username\":\"u\",\"userCred\":\"x\",\"timeStamp\":\"t\","
		"\"room_key\":\"%s\",\"roomCred\":\"rc\",\"start\":\"s\","
		"\"len\":\"24\",\"ipSigserver\":\"127.0.0.1\","
		"\"isPrivileged\":%s,\"httpPortList\":[%u]}",
		m->cid ? m->cid : "c", m->rid ? m->rid : "r",
		m->privileged ? "true" : "false", m->port);

	soup_server_message_set_status(message, 200, NULL);
	soup_server_message_set_response(message, "application/json",
					 SOUP_MEMORY_TAKE, text, strlen(text));
}

static inline void mock_tell(struct mock *m, const char *json)
{
	g_autoptr(GString) out = g_string_new("42[\"message\",");

	json_quote(out, json, strlen(json));
	g_string_append_c(out, ']');
	soup_websocket_connection_send_text(m->connection, out->str);
}

static inline void mock_let_in(struct mock *m)
{
	g_autofree char *sid = m->sid ? g_strdup(m->sid)
				      : g_strdup_printf("me%u", m->joined + 1);
	g_autofree char *json = g_strdup_printf(
		"{\"type\":\"inRoom\",\"sid\":\"%s\",\"rid\":\"%s\","
		"\"tieBreaker\":%.0f,\"pc_config\":{}}",
		sid, m->rid ? m->rid : "r", m->weight);

	m->joined++;
	mock_tell(m, json);
}

static inline void mock_on_frame(SoupWebsocketConnection *c, gint type,
				 GBytes *bytes, gpointer data)
{
	struct mock *m = data;
	gsize len, inner_len;
	const char *text = g_bytes_get_data(bytes, &len);
	g_autofree char *copy = g_strndup(text, len);
	g_autofree char *inner = NULL;
	JsonObject *o;

	if (!g_str_has_prefix(copy, "42[\"message\","))
		return;
	copy[len - 1] = '\0';
	inner = json_unquote(copy + 13, len - 14, &inner_len);
	o = json_checked_parse_object(inner, -1, 1 << 20, NULL);
	g_assert_nonnull(o);
	if (!strcmp(json_object_get_string_member(o, "type"), "joinRoom")) {
		json_object_unref(o);
		mock_let_in(m);
		return;
	}
	g_ptr_array_add(m->heard, o);
}

static inline void mock_on_socket(SoupServer *server,
				  SoupServerMessage *message, const char *path,
				  SoupWebsocketConnection *c, gpointer data)
{
	struct mock *m = data;

	m->connection = c;
	g_ptr_array_add(m->connections, g_object_ref(c));
	g_signal_connect(c, "message", G_CALLBACK(mock_on_frame), m);
	soup_websocket_connection_send_text(
		c, "0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,"
		   "\"pingTimeout\":60000}");
	soup_websocket_connection_send_text(c, "40");
}

static inline void mock_start(struct mock *m)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	m->server = soup_server_new(NULL, NULL);
	soup_server_add_handler(m->server, "/api", mock_on_api, m, NULL);
	soup_server_add_websocket_handler(m->server, "/socket.io/", NULL, NULL,
					  mock_on_socket, m, NULL);
	soup_server_listen_local(m->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(m->server);
	m->port = (guint16) g_uri_get_port(uris->data);
	m->url = g_strdup_printf("http://127.0.0.1:%u", m->port);
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	m->connections = g_ptr_array_new_with_free_func(g_object_unref);
	m->heard = g_ptr_array_new_with_free_func(
		(GDestroyNotify) json_object_unref);
}

/* The client must have gone. */
static inline void mock_stop(struct mock *m)
{
	for (guint i = 0; i < m->connections->len; i++) {
		SoupWebsocketConnection *c = m->connections->pdata[i];

		while (soup_websocket_connection_get_state(c) !=
		       SOUP_WEBSOCKET_STATE_CLOSED)
			g_main_context_iteration(NULL, TRUE);
	}
	soup_server_disconnect(m->server);
	g_object_unref(m->server);
	g_ptr_array_unref(m->connections);
	g_ptr_array_unref(m->heard);
	g_free(m->url);
}

/* The last message of this type to @target (NULL: to anybody). */
static inline JsonObject *mock_heard(struct mock *m, const char *type,
				     const char *target)
{
	for (guint i = m->heard->len; i-- > 0;) {
		JsonObject *o = m->heard->pdata[i];

		if (!strcmp(json_object_get_string_member(o, "type"), type) &&
		    (!target ||
		     !g_strcmp0(target,
				json_object_get_string_member_with_default(
					o, "target", NULL))))
			return o;
	}
	return NULL;
}

static inline guint mock_count(struct mock *m, const char *type,
			       const char *target)
{
	guint n = 0;

	for (guint i = 0; i < m->heard->len; i++) {
		JsonObject *o = m->heard->pdata[i];

		n += !strcmp(json_object_get_string_member(o, "type"), type) &&
		     (!target ||
		      !g_strcmp0(target,
				 json_object_get_string_member_with_default(
					 o, "target", NULL)));
	}
	return n;
}
