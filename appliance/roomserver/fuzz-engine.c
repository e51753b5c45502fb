// SPDX-License-Identifier: Apache-2.0
/* Packets of a client, one a line. The first byte says whether it polls, and
 * whether it has joined. What reaches the owner is valid UTF-8 and no longer
 * than it may be; what is sent back can be taken to its end. */
#include "appliance/roomserver/engine.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	unsigned int n_messages, n_closed;
};

static void on_wake(void *data, struct engine_session *session)
{
}

static void on_message(void *data, struct engine_session *session,
		       const char *json, size_t len)
{
	struct engine_packet *packet =
		engine_packet_for(session->engine, json, len);

	g_assert_cmpuint(len, <=, engine_session_max_bytes(session));
	g_assert_true(g_utf8_validate(json, (gssize) len, NULL));
	engine_session_send(session, packet);
	engine_packet_unref(packet);
	((struct world *) data)->n_messages++;
}

static void on_closed(void *data, struct engine_session *session)
{
	((struct world *) data)->n_closed++;
}

static gint64 monotonic_us(void *data)
{
	return G_USEC_PER_SEC;
}

static void fill_random(void *data, uint8_t *bytes, size_t n)
{
	memset(bytes, 7, n);
}

static void receive_lines(struct engine_session *session, const char *text,
			  size_t left)
{
	while (left && !session->dead) {
		const char *end = memchr(text, '\n', left);
		size_t len = end ? (size_t) (end - text) : left;
		/* exactly as long, so that a byte beyond is noticed */
		g_autofree char *packet = g_memdup2(text, len);

		engine_session_receive(session, packet, len);
		left -= len + (end != NULL);
		text += len + (end != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct engine_config config = {
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 60000,
		.max_sessions = 2,
	};
	static const struct engine_ops ops = {
		.wake = on_wake,
		.message = on_message,
		.closed = on_closed,
		.monotonic_us = monotonic_us,
		.random = fill_random,
	};
	struct world w = {0};
	struct room_counters counters = {0};
	struct engine *engine;
	struct engine_session *session;
	struct engine_packet *packet;

	if (!size)
		return 0;
	engine = engine_new(&config, &ops, &w, &counters);
	session = engine_open(engine, data[0] & 1);
	session->joined = data[0] & 2;
	receive_lines(session, (const char *) data + 1, size - 1);
	while ((packet = engine_session_take(session)))
		engine_packet_unref(packet);
	engine_finish_all(engine);
	engine_tick(engine);
	engine_reap(engine);
	engine_free(engine);
	g_assert_cmpuint(w.n_closed, ==, 1);
	return 0;
}
