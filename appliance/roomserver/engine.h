/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/engine.h - Engine.IO sessions of a server
 *
 * A session is a queue of packets towards one client and the clock of its
 * silence, whatever carries it: a WebSocket, or polling requests that come
 * and go. The engine knows no sockets: it is fed packets and asked for them.
 *
 *   packets in                                   messages
 *   engine_session_receive() --> [ session ] --> ops->message
 *   engine_session_take()    <-- [ queue   ] <-- engine_session_send()
 *
 * Closing is in two steps, so that nothing vanishes under a caller's feet: a
 * session becomes *dead* anywhere, and goes in engine_reap(), which calls
 * ops->closed and then forgets it.
 *
 * Source:  docs/skylink-protocol.md §3
 * Thread:  server
 * Memory:  sessions belong to the engine; packets are shared by reference
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "appliance/roomserver/room-counters.h"

#define ENGINE_SID_CHARS 24	/* a secret between client and server */
/* Room in front of a packet for the WebSocket header. */
#define ENGINE_HEADROOM	 32

#define ENGINE_QUEUE_MAX_BYTES	 (4u << 20)
#define ENGINE_QUEUE_MAX_PACKETS 16384
#define ENGINE_TOTAL_MAX_BYTES	 (256u << 20)
/* Before it has joined, a client needs to say joinRoom and no more. */
#define ENGINE_UNJOINED_MAX_BYTES (16u << 10)
/* People answer the camera question between connecting and joining. */
#define ENGINE_JOIN_TIMEOUT_US	 (5 * 60 * G_USEC_PER_SEC)
/* From the last packet queued for a leaving client to its forced end. */
#define ENGINE_FINISH_TIMEOUT_US (5 * G_USEC_PER_SEC)

struct engine_packet {
	unsigned int refs;	/* of the server thread alone */
	size_t len;
	unsigned char headroom[ENGINE_HEADROOM];
	char text[];
};

struct engine_packet *engine_packet_new(const char *text, size_t len);
struct engine_packet *engine_packet_ref(struct engine_packet *packet);
struct engine_packet *engine_packet_unref(struct engine_packet *packet);

struct engine;
struct engine_session {
	char sid[ENGINE_SID_CHARS + 1];
	struct engine *engine;
	bool polling;		/* else a WebSocket */
	bool joined;		/* set by the owner: larger packets, no time
				 * limit for joining */
	bool finishing;		/* goes when its queue is empty */
	bool dead;		/* goes in the next engine_reap() */
	void *user, *address;	/* the owner's */
	bool pending;		/* the owner's: has something to write */
	void *carrier;		/* WebSocket, or the poll being held; NULL */
	void *poster;		/* the POST being received; NULL */
	/* private */
	GQueue queue;		/* struct engine_packet, owned */
	size_t queue_bytes;
	gint64 opened_us, heard_us, finish_us;
};

struct engine_config {
	unsigned int ping_interval_ms, ping_timeout_ms, max_sessions;
};

struct engine_ops {
	/* The queue has something, or the session has become dead. */
	void (*wake)(void *data, struct engine_session *session);
	/* The JSON text of one "message" event; valid UTF-8, not checked. */
	void (*message)(void *data, struct engine_session *session,
			const char *json, size_t len);
	/* The session goes after this: let go of carrier, poster, user. */
	void (*closed)(void *data, struct engine_session *session);
	gint64 (*monotonic_us)(void *data);
	void (*random)(void *data, uint8_t *bytes, size_t n);
};

struct engine *engine_new(const struct engine_config *config,
			  const struct engine_ops *ops, void *data,
			  struct room_counters *counters);
/* Closes all sessions. */
struct engine *engine_free(struct engine *engine);

/**
 * engine_packet_for() - the packet that carries a message to clients
 * @json: valid UTF-8
 *
 * While ops->message is called with this very text the packet is the one that
 * came, and made once: what is relayed is neither decoded nor encoded again.
 *
 * Return: (transfer full)
 */
struct engine_packet *engine_packet_for(struct engine *engine,
					const char *json, size_t len);

/* Return: NULL when there are as many as allowed. Its queue holds the open
 * packet and the "connected" of Socket.IO. */
struct engine_session *engine_open(struct engine *engine, bool polling);
/* Return: NULL if there is none, or it is dead. */
struct engine_session *engine_find(struct engine *engine, const char *sid);

/* Silent ones and those that never join or never go become dead. */
void engine_tick(struct engine *engine);
/* To be called when no session is in use any more. */
void engine_reap(struct engine *engine);
/* The server stops: all sessions say goodbye. */
void engine_finish_all(struct engine *engine);
unsigned int engine_n_sessions(const struct engine *engine);

/* One packet from the client. Nonsense makes the session dead. */
void engine_session_receive(struct engine_session *session, const char *text,
			    size_t len);
size_t engine_session_max_bytes(const struct engine_session *session);

/* A session whose queue would pass its limit becomes dead: what it does not
 * read must cost nobody else anything. */
void engine_session_send(struct engine_session *session,
			 struct engine_packet *packet);
/* Return: (transfer full): the next packet to write, or NULL. */
struct engine_packet *engine_session_take(struct engine_session *session);
bool engine_session_has_output(const struct engine_session *session);

/* Say goodbye ("41") after what is queued, then die. */
void engine_session_finish(struct engine_session *session);
void engine_session_kill(struct engine_session *session);
