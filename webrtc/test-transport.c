// SPDX-License-Identifier: Apache-2.0
/* The network half of a peer without ICE: the test is the path, and a bare
 * DTLS client the remote. */
#include "webrtc/transport.h"

#include <string.h>

#include "webrtc/dtls-identity.h"
#include "webrtc/net-test.h"

struct call {
	struct rtc_engine *engine;
	struct transport *transport;
	struct dtls_identity *identity;
	struct dtls *remote;
	GQueue to_us, to_remote; /* GBytes on their way */
	unsigned int sent;	 /* datagrams of ours */
	unsigned int connected, gone, remote_connected;
};

static void no_keyframe(void *user, enum media_codec codec, bool first)
{
}

static void no_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
}

/* --- the remote ------------------------------------------------------------ */
static void remote_send(void *user, const uint8_t *data, size_t len)
{
	struct call *c = user;

	g_queue_push_tail(&c->to_us, g_bytes_new(data, len));
}

static void remote_connected(void *user)
{
	((struct call *) user)->remote_connected++;
}

static void remote_data(void *user, const uint8_t *data, size_t len)
{
}

static void remote_closed(void *user, enum dtls_reason reason,
			  const char *detail)
{
	g_assert_not_reached();
}

static const struct dtls_ops remote_ops = {
	.send = remote_send,
	.connected = remote_connected,
	.data = remote_data,
	.closed = remote_closed,
};

/* --- what the transport tells ---------------------------------------------- */
static void on_connected(void *user, const char *fingerprint)
{
	((struct call *) user)->connected++;
}

static void on_closed(void *user, bool failed, const char *detail)
{
	g_assert_not_reached();
}

static void on_gone(void *user)
{
	((struct call *) user)->gone++;
}

static const struct transport_ops transport_ops = {
	.connected = on_connected,
	.closed = on_closed,
	.gone = on_gone,
};

static void take_datagram(void *user, const uint8_t *data, size_t len)
{
	struct call *c = user;

	c->sent++;
	g_queue_push_tail(&c->to_remote, g_bytes_new(data, len));
}

/* --- steps, on the network thread ------------------------------------------ */
static void deliver_to_us(struct call *c)
{
	const struct sockaddr_storage from = {.ss_family = AF_INET};
	uint64_t now_us = net_loop_now_us(c->engine->loop);
	GBytes *bytes;

	while ((bytes = g_queue_pop_head(&c->to_us))) {
		gsize len;
		uint8_t *data = g_bytes_unref_to_data(bytes, &len);

		transport_on_packet(c->transport, data, len, &from, now_us);
		g_free(data);
	}
}

static void deliver_to_remote(struct call *c)
{
	uint64_t now_us = net_loop_now_us(c->engine->loop);
	GBytes *bytes;

	while ((bytes = g_queue_pop_head(&c->to_remote))) {
		dtls_input(c->remote, g_bytes_get_data(bytes, NULL),
			   g_bytes_get_size(bytes), now_us);
		g_bytes_unref(bytes);
	}
}

static void apply(void *data)
{
	struct call *c = data;
	struct transport_setup setup = {
		.dtls_role = DTLS_SERVER,
		.fingerprint_algorithm = "sha-256",
	};

	g_strlcpy(setup.fingerprint,
		  dtls_identity_get_fingerprint(c->identity),
		  sizeof(setup.fingerprint));
	transport_apply(c->transport, &setup);
}

static void attach(void *data)
{
	struct call *c = data;
	uint64_t now_us = net_loop_now_us(c->engine->loop);

	transport_attach(c->transport);
	g_assert_cmpint(dtls_new(c->identity, DTLS_CLIENT, &remote_ops, c,
				 &c->remote),
			==, 0);
	dtls_set_remote_fingerprint(
		c->remote, "sha-256",
		dtls_identity_get_fingerprint(c->engine->identity), now_us);
}

/* The ClientHello; the remote's pair is ready and ours is not. */
static void say_hello(void *data)
{
	struct call *c = data;

	dtls_start(c->remote, net_loop_now_us(c->engine->loop));
	g_assert_cmpuint(c->to_us.length, >, 0);
	deliver_to_us(c);
	g_assert_cmpuint(c->sent, ==, 0);
}

/* More than is kept: it must not grow. */
static void say_much(void *data)
{
	struct call *c = data;
	uint8_t record[TRANSPORT_EARLY_BYTES_MAX + 1] = {22, 0xfe, 0xfd};
	const struct sockaddr_storage from = {.ss_family = AF_INET};

	transport_on_packet(c->transport, record, sizeof(record), &from, 0);
	for (unsigned int i = 0; i < 1000; i++)
		transport_on_packet(c->transport, record, 100, &from, 0);
	g_assert_cmpuint(c->sent, ==, 0);
}

static void give_path(void *data)
{
	struct call *c = data;
	const struct ice_path path = {
		.kind = ICE_PATH_RELAYED,
		.relay = take_datagram,
		.relay_user = c,
	};

	transport_on_path(c->transport, &path);
}

static void exchange(void *data)
{
	deliver_to_remote(data);
	deliver_to_us(data);
}

static void end(void *data)
{
	struct call *c = data;

	transport_on_closed(c->transport);
	c->remote = dtls_free(c->remote);
}

/* --- cases ------------------------------------------------------------------ */
static void open_call(struct call *c)
{
	const struct rtc_engine_config engine = {
		.start_bps = 1000000,
		.min_bps = 100000,
		.max_bps = 5000000,
		.request_keyframe = no_keyframe,
		.rung_bitrate = no_bitrate,
	};
	g_autoptr(GError) error = NULL;
	struct transport_config config = {
		.ops = &transport_ops,
		.user = c,
		.name = "remote",
	};

	memset(c, 0, sizeof(*c));
	c->engine = rtc_engine_new(&engine, &error);
	g_assert_no_error(error);
	config.engine = c->engine;
	g_assert_cmpint(dtls_identity_new(&c->identity), ==, 0);
	config.identity = c->engine->identity;
	c->transport = transport_new(&config);
	g_assert_nonnull(c->transport);
	net_test_call(c->engine->loop, attach, c);
}

static void close_call(struct call *c)
{
	net_test_call(c->engine->loop, end, c);
	g_assert_cmpuint(c->gone, ==, 1);
	rtc_engine_free(c->engine);
	dtls_identity_unref(c->identity);
	g_queue_clear_full(&c->to_us, (GDestroyNotify) g_bytes_unref);
	g_queue_clear_full(&c->to_remote, (GDestroyNotify) g_bytes_unref);
}

static void finish_handshake(struct call *c)
{
	/* Each side's flights, and what DTLS may repeat. */
	for (unsigned int i = 0; i < 100 && !c->remote_connected; i++)
		net_test_call(c->engine->loop, exchange, c);
	g_assert_cmpuint(c->connected, ==, 1);
	g_assert_cmpuint(c->remote_connected, ==, 1);
}

/* What came before the path is answered when it is there. */
static void test_hello_before_path(void)
{
	struct call c;

	open_call(&c);
	net_test_call(c.engine->loop, apply, &c);
	net_test_call(c.engine->loop, say_hello, &c);
	net_test_call(c.engine->loop, give_path, &c);
	net_test_settle(c.engine->loop);
	g_assert_cmpuint(c.sent, >, 0);
	finish_handshake(&c);
	close_call(&c);
}

/* The same for what came before the description. */
static void test_hello_before_description(void)
{
	struct call c;

	open_call(&c);
	net_test_call(c.engine->loop, give_path, &c);
	net_test_call(c.engine->loop, say_hello, &c);
	net_test_call(c.engine->loop, apply, &c);
	net_test_settle(c.engine->loop);
	g_assert_cmpuint(c.sent, >, 0);
	finish_handshake(&c);
	close_call(&c);
}

static void test_much_before_path(void)
{
	struct call c;

	open_call(&c);
	net_test_call(c.engine->loop, apply, &c);
	net_test_call(c.engine->loop, say_hello, &c);
	net_test_call(c.engine->loop, say_much, &c);
	net_test_call(c.engine->loop, give_path, &c);
	net_test_settle(c.engine->loop);
	g_assert_cmpuint(c.sent, >, 0);
	finish_handshake(&c);
	close_call(&c);
}

/* Kept records go with the transport. */
static void test_end_before_path(void)
{
	struct call c;

	open_call(&c);
	net_test_call(c.engine->loop, apply, &c);
	net_test_call(c.engine->loop, say_hello, &c);
	close_call(&c);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transport/hello-before-path", test_hello_before_path);
	g_test_add_func("/transport/hello-before-description",
			test_hello_before_description);
	g_test_add_func("/transport/much-before-path", test_much_before_path);
	g_test_add_func("/transport/end-before-path", test_end_before_path);
	return g_test_run();
}
