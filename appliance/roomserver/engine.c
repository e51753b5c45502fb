// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/engine.h"

#include <string.h>

#include "appliance/roomserver/room-token.h"
#include "appliance/signaling/engineio.h"

struct engine {
	struct engine_config config;
	const struct engine_ops *ops;
	void *data;
	struct room_counters *counters;
	GHashTable *sessions; /* sid -> struct engine_session */
	GPtrArray *dead;      /* waiting for engine_reap() */
	size_t total_bytes;   /* in all queues, shared packets counted each */
	/* The message being handled: its text, the packet it came in if that
	 * can be passed on, and that packet once it is made. */
	const char *json, *raw;
	size_t json_len, raw_len;
	struct engine_packet *relayed;
};

struct engine_packet *engine_packet_new(const char *text, size_t len)
{
	struct engine_packet *packet = g_malloc(sizeof(*packet) + len);

	packet->refs = 1;
	packet->len = len;
	memcpy(packet->text, text, len);
	return packet;
}

struct engine_packet *engine_packet_ref(struct engine_packet *packet)
{
	packet->refs++;
	return packet;
}

struct engine_packet *engine_packet_unref(struct engine_packet *packet)
{
	if (packet && --packet->refs == 0)
		g_free(packet);
	return NULL;
}

struct engine_packet *engine_packet_for(struct engine *engine,
					const char *json, size_t len)
{
	g_autoptr(GString) text = NULL;

	if (engine->raw && json == engine->json && len == engine->json_len) {
		if (!engine->relayed)
			engine->relayed = engine_packet_new(engine->raw,
							    engine->raw_len);
		return engine_packet_ref(engine->relayed);
	}
	text = g_string_sized_new(len + len / 8 + 32);
	sio_event_format(text, json, len);
	return engine_packet_new(text->str, text->len);
}

static void clear_queue(struct engine_session *session)
{
	struct engine_packet *packet;

	while ((packet = g_queue_pop_head(&session->queue)))
		engine_packet_unref(packet);
	session->engine->total_bytes -= session->queue_bytes;
	session->queue_bytes = 0;
}

struct engine *engine_new(const struct engine_config *config,
			  const struct engine_ops *ops, void *data,
			  struct room_counters *counters)
{
	struct engine *engine = g_new0(struct engine, 1);

	engine->config = *config;
	engine->ops = ops;
	engine->data = data;
	engine->counters = counters;
	engine->sessions = g_hash_table_new(g_str_hash, g_str_equal);
	engine->dead = g_ptr_array_new();
	return engine;
}

struct engine *engine_free(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	if (!engine)
		return NULL;
	g_hash_table_iter_init(&iter, engine->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		engine_session_kill(value);
	engine_reap(engine);
	g_hash_table_unref(engine->sessions);
	g_ptr_array_unref(engine->dead);
	g_free(engine);
	return NULL;
}

static void send_text(struct engine_session *session, const char *text)
{
	struct engine_packet *packet = engine_packet_new(text, strlen(text));

	engine_session_send(session, packet);
	engine_packet_unref(packet);
}

struct engine_session *engine_open(struct engine *engine, bool polling)
{
	struct engine_session *session;
	uint8_t random[ENGINE_SID_CHARS / 4 * 3];
	struct eio_open open = {
		.ping_interval_ms = engine->config.ping_interval_ms,
		.ping_timeout_ms = engine->config.ping_timeout_ms,
	};
	g_autofree char *text = NULL;

	if (engine_n_sessions(engine) >= engine->config.max_sessions) {
		room_count(engine->counters->refused, 1);
		return NULL;
	}

	session = g_new0(struct engine_session, 1);
	session->engine = engine;
	session->polling = polling;
	g_queue_init(&session->queue);
	engine->ops->random(engine->data, random, sizeof(random));
	room_token_id(random, ENGINE_SID_CHARS, session->sid);
	session->opened_us = engine->ops->monotonic_us(engine->data);
	session->heard_us = session->opened_us;
	g_hash_table_insert(engine->sessions, session->sid, session);
	room_count(engine->counters->clients_total, 1);
	room_count_set(engine->counters->clients, engine_n_sessions(engine));

	g_strlcpy(open.sid, session->sid, sizeof(open.sid));
	text = eio_open_format(&open);
	send_text(session, text);
	send_text(session, "40");
	return session;
}

struct engine_session *engine_find(struct engine *engine, const char *sid)
{
	struct engine_session *session =
		g_hash_table_lookup(engine->sessions, sid);

	return session && !session->dead ? session : NULL;
}

unsigned int engine_n_sessions(const struct engine *engine)
{
	return g_hash_table_size(engine->sessions);
}

/* Return: what to count when the session's time is over, or NULL. */
static _Atomic uint64_t *overdue(struct engine_session *session, gint64 now_us)
{
	struct engine *engine = session->engine;
	gint64 silence_us = ((gint64) engine->config.ping_interval_ms +
			     engine->config.ping_timeout_ms) *
			    1000;

	if (session->finishing)
		return now_us - session->finish_us >= ENGINE_FINISH_TIMEOUT_US
			       ? &engine->counters->dropped_slow
			       : NULL;
	if (now_us - session->heard_us >= silence_us)
		return &engine->counters->timeouts;
	if (!session->joined &&
	    now_us - session->opened_us >= ENGINE_JOIN_TIMEOUT_US)
		return &engine->counters->timeouts;
	return NULL;
}

void engine_tick(struct engine *engine)
{
	gint64 now_us = engine->ops->monotonic_us(engine->data);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_session *session = value;
		_Atomic uint64_t *counter;

		if (session->dead)
			continue;
		counter = overdue(session, now_us);
		if (!counter)
			continue;
		room_count(*counter, 1);
		engine_session_kill(session);
	}
}

void engine_reap(struct engine *engine)
{
	/* closed() makes a leaving peer's "bye" overflow the queue of others:
	 * the list may grow while it is worked off. */
	while (engine->dead->len) {
		struct engine_session *session =
			g_ptr_array_steal_index_fast(engine->dead, 0);

		engine->ops->closed(engine->data, session);
		clear_queue(session);
		g_hash_table_remove(engine->sessions, session->sid);
		g_free(session);
	}
	room_count_set(engine->counters->clients, engine_n_sessions(engine));
}

void engine_session_kill(struct engine_session *session)
{
	if (session->dead)
		return;
	session->dead = true;
	clear_queue(session);
	g_ptr_array_add(session->engine->dead, session);
	session->engine->ops->wake(session->engine->data, session);
}

void engine_session_finish(struct engine_session *session)
{
	if (session->dead || session->finishing)
		return;
	send_text(session, "41");
	session->finishing = true;
	session->finish_us =
		session->engine->ops->monotonic_us(session->engine->data);
	session->engine->ops->wake(session->engine->data, session);
}

size_t engine_session_max_bytes(const struct engine_session *session)
{
	return session->joined ? EIO_MAX_PACKET : ENGINE_UNJOINED_MAX_BYTES;
}

void engine_finish_all(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		engine_session_finish(value);
}

static struct engine_session *find_longest_queue(struct engine *engine)
{
	struct engine_session *longest = NULL;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_session *session = value;

		if (!longest || session->queue_bytes > longest->queue_bytes)
			longest = session;
	}
	return longest;
}

static void drop_slow(struct engine_session *session)
{
	room_count(session->engine->counters->dropped_slow, 1);
	engine_session_kill(session);
}

void engine_session_send(struct engine_session *session,
			 struct engine_packet *packet)
{
	struct engine *engine = session->engine;

	if (session->dead || session->finishing)
		return;
	if (session->queue_bytes + packet->len > ENGINE_QUEUE_MAX_BYTES ||
	    session->queue.length >= ENGINE_QUEUE_MAX_PACKETS)
		drop_slow(session);
	/* Who has filled what all share goes, not who comes by then. */
	while (!session->dead &&
	       engine->total_bytes + packet->len > ENGINE_TOTAL_MAX_BYTES)
		drop_slow(find_longest_queue(engine));
	if (session->dead)
		return;
	g_queue_push_tail(&session->queue, engine_packet_ref(packet));
	session->queue_bytes += packet->len;
	engine->total_bytes += packet->len;
	engine->ops->wake(engine->data, session);
}

struct engine_packet *engine_session_take(struct engine_session *session)
{
	struct engine_packet *packet = g_queue_pop_head(&session->queue);

	if (!packet)
		return NULL;
	session->queue_bytes -= packet->len;
	session->engine->total_bytes -= packet->len;
	room_count(session->engine->counters->messages_out, 1);
	room_count(session->engine->counters->bytes_out, packet->len);
	return packet;
}

bool engine_session_has_output(const struct engine_session *session)
{
	return session->queue.length > 0;
}

static void bad_packet(struct engine_session *session)
{
	room_count(session->engine->counters->bad_messages, 1);
	engine_session_kill(session);
}

/* Exactly what sio_event_format() could have written, but for the choice of
 * escapes: one string, and nothing around it. The text is valid JSON. */
static bool is_plain_event(const char *text, size_t len)
{
	static const char start[] = "42[\"message\",\"";
	const char *p = text + sizeof(start) - 1;

	if (len < sizeof(start) + 1 ||
	    memcmp(text, start, sizeof(start) - 1) != 0)
		return false;
	/* The first quote behind an even number of backslashes ends it. */
	for (;; p++) {
		size_t n = 0;

		p = rawmemchr(p, '"');
		while (p[-1 - (ptrdiff_t) n] == '\\')
			n++;
		if (n % 2 == 0)
			return p == text + len - 2;
	}
}

static void receive_event(struct engine_session *session, const char *text,
			  size_t text_len, const struct sio_packet *packet)
{
	struct engine *engine = session->engine;
	g_autofree char *json = NULL;
	size_t len;
	int r;

	r = sio_event_parse(packet->data, packet->len,
			    engine_session_max_bytes(session), &json, &len);
	if (r < 0)
		/* A number beyond our limits, say: the message is lost, the
		 * client need not be. */
		room_count(engine->counters->bad_messages, 1);
	if (r != 0)
		return;
	engine->json = json;
	engine->json_len = len;
	engine->raw = is_plain_event(text, text_len) ? text : NULL;
	engine->raw_len = text_len;
	engine->ops->message(engine->data, session, json, len);
	engine->raw = engine->json = NULL;
	engine->relayed = engine_packet_unref(engine->relayed);
}

static void receive_message(struct engine_session *session, const char *text,
			    size_t text_len, const char *data, size_t len)
{
	struct sio_packet packet;

	if (sio_packet_parse(data, len, &packet) < 0) {
		bad_packet(session);
		return;
	}
	if (packet.type == SIO_EVENT)
		receive_event(session, text, text_len, &packet);
	else if (packet.type == SIO_DISCONNECT)
		engine_session_kill(session);
}

void engine_session_receive(struct engine_session *session, const char *text,
			    size_t len)
{
	struct engine *engine = session->engine;
	struct eio_packet packet;

	if (session->dead || session->finishing)
		return;
	session->heard_us = engine->ops->monotonic_us(engine->data);
	room_count(engine->counters->bytes_in, len);
	if (len > engine_session_max_bytes(session) ||
	    eio_packet_parse(text, len, &packet) < 0) {
		bad_packet(session);
		return;
	}

	switch (packet.type) {
	case EIO_PING: {
		g_autofree char *pong =
			g_strdup_printf("3%.*s", (int) packet.len, packet.data);

		send_text(session, pong);
		break;
	}
	case EIO_MESSAGE:
		receive_message(session, text, len, packet.data, packet.len);
		break;
	case EIO_CLOSE:
		engine_session_kill(session);
		break;
	case EIO_OPEN:
	case EIO_PONG:
	case EIO_UPGRADE:
	case EIO_NOOP:
		break; /* nothing a client of ours needs to say */
	}
}
