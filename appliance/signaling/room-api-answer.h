/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/room-api-answer.h - the room API's reply, taken apart
 *
 * Source:  docs/skylink-protocol.md §2.2, §2.3
 * Thread:  any
 * Memory:  room_api_answer_free()
 */
#pragma once

#include <glib.h>

#define ROOM_API_MAX_BYTES (256 * 1024)
#define ROOM_API_MAX_PORTS 16

#define ROOM_API_ERROR (room_api_error_quark())
GQuark room_api_error_quark(void);

enum room_api_error_code {
	ROOM_API_ERROR_NETWORK,		/* no answer at all */
	ROOM_API_ERROR_NAME,		/* the server's name is not known */
	ROOM_API_ERROR_TLS,		/* certificates, and whose clock */
	ROOM_API_ERROR_ANSWER,		/* an answer that is none of ours */
	ROOM_API_ERROR_REFUSED,		/* the server said no, and why */
	ROOM_API_ERROR_REQUEST,		/* what we would ask makes no sense */
};

typedef struct {
	/* echoed by joinRoom, word for word */
	char *cid, *api_owner, *username, *user_cred, *time_stamp;
	char *room_key, *room_cred, *start;
	char *len_text;			/* hours; NULL: len_number is it */
	gdouble len_number;
	gboolean is_privileged, auto_introduce, has_mcu;
	/* where the signaling server is */
	char *host;			/* "host", "host:port", "[::1]" */
	char *path;			/* "/socket.io" */
	guint16 http_ports[ROOM_API_MAX_PORTS];
	guint n_http_ports;
	guint16 https_ports[ROOM_API_MAX_PORTS];
	guint n_https_ports;
} RoomApiAnswer;

/**
 * room_api_answer_parse() - pure
 * @status:    HTTP status; 0: unknown
 * @ret_error: the server's own "error" number, or 0; may be NULL
 *
 * Return: the answer, or NULL with a ROOM_API_ERROR:
 * "The room server refused: unknown app key (4001): <info>".
 */
RoomApiAnswer *room_api_answer_parse(const char *text, gsize len, guint status,
				     gint *ret_error, GError **error);
RoomApiAnswer *room_api_answer_free(RoomApiAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RoomApiAnswer, room_api_answer_free)

/* The websocket URLs to try, in order: "ws://host:port/socket.io/".
 * Return: (transfer full): strings, at least one. */
GPtrArray *room_api_answer_urls(const RoomApiAnswer *answer, gboolean tls);
