/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-session.h - get into a room, and back into it for ever
 *
 *   IDLE --join--> ASKING --tokens--> CONNECTING --"40"--> JOINING --inRoom-->
 *     ^              ^                    |                   |        IN_ROOM
 *     |              |                    '--- anything fails '           |
 *     |           BACKOFF <--------------------- or is lost --------------'
 *   leave            (tokens are asked for anew at every attempt;
 *		       room-refusal.h says what waits longer)
 *
 * Source:  docs/skylink-protocol.md §1.2, §2, §4.1, §4.4, §13
 * Thread:  control; its context must be the thread's default one
 * Memory:  belongs to its creator. Callbacks must not free it
 */
#pragma once

#include "appliance/room/room-access.h"
#include "appliance/signaling/message.h"

#define ROOM_SESSION_BACKOFF_MS	    500
#define ROOM_SESSION_BACKOFF_MAX_MS 30000
/* A network came back, or changed, for this box and for all on the same switch:
 * each begins at a random time within this. */
#define ROOM_SESSION_SPREAD_MS	    3000
/* The clock was set: within this time, and not more often than that. */
#define ROOM_SESSION_SOON_MS	    1000
#define ROOM_SESSION_SOON_GAP_US    (INT64_C(5) * G_USEC_PER_SEC)
#define ROOM_SESSION_JOIN_MS	    10000	/* from joinRoom to inRoom */
#define ROOM_SESSION_PROBE_MS	    4000
/* A stay this long makes the next loss a first one again. */
#define ROOM_SESSION_STABLE_US	    (10 * G_USEC_PER_SEC)

enum room_session_state {
	ROOM_SESSION_IDLE,
	ROOM_SESSION_ASKING,
	ROOM_SESSION_CONNECTING,
	ROOM_SESSION_JOINING,
	ROOM_SESSION_IN_ROOM,
	ROOM_SESSION_BACKOFF,
};
const char *room_session_state_name(enum room_session_state state);

typedef struct RoomSession RoomSession;

typedef struct {
	const char *room_server, *app_key;
	const char *secret;		/* or NULL */
	guint backoff_ms, backoff_max_ms, join_ms;	/* 0: the defaults */
	guint retry_delay_ms;	/* 0: SOCKET_PLAN_DELAY_MS */
	guint probe_ms;		/* 0: ROOM_SESSION_PROBE_MS */
	guint spread_ms;	/* 0: ROOM_SESSION_SPREAD_MS */
	gdouble (*random)(void *user);	/* 0 <= x < 1; NULL: GLib's */

	/* An event under SkylinkJS's name. @params: (transfer full) */
	void (*event)(void *user, const char *name, JsonObject *params);
	void (*in_room)(void *user, const Message *in_room);
	/* A message of a peer or the server, groups taken apart. Our own, and
	 * those for others, are not among them. */
	void (*message)(void *user, const Message *message);
	/* We were in the room, and are not any more. */
	void (*lost)(void *user);
	void *user;
} RoomSessionConfig;

RoomSession *room_session_new(const RoomSessionConfig *config);
/* Leaves. Takes NULL, returns NULL. */
RoomSession *room_session_free(RoomSession *session);

/**
 * room_session_set_access() - another way in, from the next join on
 *
 * All NULL arguments: as they are; an empty @secret: none. At first: the
 * config's, and nothing of RoomAccess.
 *
 * Return: FALSE when it is no usable way (ROOM_ERROR, or the CA file's error);
 * nothing has changed then.
 */
gboolean room_session_set_access(RoomSession *session, const char *room_server,
				 const char *app_key, const char *secret,
				 const RoomAccess *access, GError **error);
/* That of the join under way, or else of the last. */
const RoomAccess *room_session_get_access(RoomSession *session);
/* The signaling server's, while connected to it; or NULL. */
const char *room_session_get_host(RoomSession *session);

void room_session_join(RoomSession *session, const char *room);
void room_session_leave(RoomSession *session);
/* Leaves the room and comes back as a new peer, after the wait that a loss
 * costs. In the room only. */
void room_session_rejoin(RoomSession *session, const char *why);
/* Skips what is left of the wait. */
void room_session_retry_now(RoomSession *session);
/* This machine's network is another one: an attempt that waits, or hangs, is
 * made anew within ROOM_SESSION_SPREAD_MS, at a random time, and a connection to
 * the server must prove itself within ROOM_SESSION_PROBE_MS; one that does goes
 * on, and nothing waits. Who was refused goes on waiting. */
void room_session_network_changed(RoomSession *session);
/* What waits begins within ROOM_SESSION_SOON_MS, at a random time; nothing when
 * that was just done. */
void room_session_retry_soon(RoomSession *session);

enum room_session_state room_session_get_state(RoomSession *session);
const char *room_session_get_room(RoomSession *session);	/* or NULL */
/* In the room only, else NULL: our id, the room's, the connection's. */
const char *room_session_get_sid(RoomSession *session);
const char *room_session_get_rid(RoomSession *session);
const char *room_session_get_cid(RoomSession *session);
/* Whether the key is: in the room only, else FALSE. */
gboolean room_session_is_privileged(RoomSession *session);

/**
 * room_session_send() - send, or throttle, one message
 * @message: (transfer full)
 *
 * Return: FALSE when not in the room, or when too much is waiting.
 */
gboolean room_session_send(RoomSession *session, JsonObject *message);

/* Return: (transfer full): state, room, server, transport, sid, retries,
 * nextAttemptMs, lastError, refusal (the reason of the last "no"), counters */
JsonObject *room_session_describe(RoomSession *session);
