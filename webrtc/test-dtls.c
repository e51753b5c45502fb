// SPDX-License-Identifier: Apache-2.0
/* Two associations back to back in one process. OpenSSL times its
 * retransmissions by gettimeofday(): the test defines its own, so that time
 * passes only when the test says so. */
#include "webrtc/dtls.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include <glib.h>

#include "webrtc/srtp-in.h"
#include "webrtc/srtp-out.h"

static uint64_t now_us = 1000000;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	tv->tv_sec = (time_t) (now_us / 1000000);
	tv->tv_usec = (suseconds_t) (now_us % 1000000);
	return 0;
}

struct side {
	const char *name;
	struct dtls_identity *identity;
	struct dtls *dtls;
	struct side *peer;
	GQueue wire;			/* GBytes on the way to the peer */
	unsigned int sent, connected, closed, messages;
	size_t largest;
	enum dtls_reason reason;
	GByteArray *got;		/* the last message */
	unsigned int drop;		/* bits: the nth datagram is lost */
	bool free_when_connected;
};

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct side *s = user;
	unsigned int n = s->sent++;

	s->largest = MAX(s->largest, len);
	if (n < 32 && s->drop >> n & 1)
		return;
	g_queue_push_tail(&s->wire, g_bytes_new(data, len));
}

static void on_connected(void *user)
{
	struct side *s = user;

	s->connected++;
	if (s->free_when_connected)
		s->dtls = dtls_free(s->dtls);
}

static void on_data(void *user, const uint8_t *data, size_t len)
{
	struct side *s = user;

	g_assert_cmpuint(s->connected, ==, 1);
	s->messages++;
	g_byte_array_set_size(s->got, 0);
	g_byte_array_append(s->got, data, (guint) len);
}

static void on_closed(void *user, enum dtls_reason reason, const char *detail)
{
	struct side *s = user;

	g_assert_nonnull(detail);
	s->closed++;
	s->reason = reason;
}

static const struct dtls_ops ops = {on_send, on_connected, on_data, on_closed};

struct pair {
	struct side client, server;
};

static void side_init(struct side *s, const char *name, struct side *peer,
		      enum dtls_role role)
{
	*s = (struct side) {.name = name, .peer = peer};
	g_queue_init(&s->wire);
	s->got = g_byte_array_new();
	g_assert_cmpint(dtls_identity_new(&s->identity), ==, 0);
	g_assert_cmpint(dtls_new(s->identity, role, &ops, s, &s->dtls), ==, 0);
}

static void side_done(struct side *s)
{
	s->dtls = dtls_free(s->dtls);
	s->identity = dtls_identity_unref(s->identity);
	g_queue_clear_full(&s->wire, (GDestroyNotify) g_bytes_unref);
	g_byte_array_unref(s->got);
}

static void promise(struct side *s)
{
	g_assert_cmpint(dtls_set_remote_fingerprint(
				s->dtls, "sha-256",
				dtls_identity_get_fingerprint(
					s->peer->identity),
				now_us),
			==, 0);
}

static void pair_init(struct pair *p)
{
	side_init(&p->client, "client", &p->server, DTLS_CLIENT);
	side_init(&p->server, "server", &p->client, DTLS_SERVER);
}

static void pair_done(struct pair *p)
{
	side_done(&p->client);
	side_done(&p->server);
}

static bool deliver(struct side *from, bool newest_first)
{
	GBytes *b = newest_first ? g_queue_pop_tail(&from->wire) :
				   g_queue_pop_head(&from->wire);
	const uint8_t *data;
	gsize len;

	if (!b)
		return false;
	data = g_bytes_get_data(b, &len);
	if (from->peer->dtls)
		dtls_input(from->peer->dtls, data, len, now_us);
	g_bytes_unref(b);
	return true;
}

/* Lets everything arrive; true when nothing is on the way any more. */
static void settle(struct pair *p, bool newest_first)
{
	bool moved;

	do {
		moved = deliver(&p->client, newest_first);
		moved |= deliver(&p->server, newest_first);
	} while (moved);
}

/* Runs the clock to the next timer. Return: false when there is none. */
static bool tick(struct pair *p)
{
	uint64_t a = p->client.dtls ? dtls_next_timeout(p->client.dtls) :
				      UINT64_MAX;
	uint64_t b = p->server.dtls ? dtls_next_timeout(p->server.dtls) :
				      UINT64_MAX;

	if (MIN(a, b) == UINT64_MAX)
		return false;
	now_us = MAX(now_us, MIN(a, b));
	if (a <= now_us)
		dtls_timer(p->client.dtls, now_us);
	if (b <= now_us)
		dtls_timer(p->server.dtls, now_us);
	return true;
}

static void connect_pair(struct pair *p, bool newest_first)
{
	dtls_start(p->server.dtls, now_us);
	dtls_start(p->client.dtls, now_us);
	settle(p, newest_first);
	for (int i = 0; i < 40 && !(p->client.connected &&
				    p->server.connected); i++) {
		if (!tick(p))
			break;
		settle(p, newest_first);
	}
}

static void check_connected(struct pair *p)
{
	struct srtp_master cs, cr, ss, sr;
	enum srtp_profile c, s;

	g_assert_cmpuint(p->client.connected, ==, 1);
	g_assert_cmpuint(p->server.connected, ==, 1);
	g_assert_true(dtls_is_connected(p->client.dtls));
	g_assert_true(dtls_is_connected(p->server.dtls));
	g_assert_cmpuint(p->client.largest, <=, DTLS_MTU_BYTES);
	g_assert_cmpuint(p->server.largest, <=, DTLS_MTU_BYTES);
	g_assert_cmpstr(dtls_get_cipher(p->client.dtls), ==,
			"ECDHE-ECDSA-AES128-GCM-SHA256");
	g_assert_cmpstr(dtls_get_peer_fingerprint(p->client.dtls), ==,
			dtls_identity_get_fingerprint(p->server.identity));
	g_assert_cmpint(dtls_get_srtp(p->client.dtls, &c, &cs, &cr), ==, 0);
	g_assert_cmpint(dtls_get_srtp(p->server.dtls, &s, &ss, &sr), ==, 0);
	g_assert_cmpint(dtls_get_profile(p->client.dtls), ==, c);
	g_assert_cmpint(c, ==, SRTP_PROFILE_AEAD_AES_128_GCM);
	g_assert_cmpint(s, ==, SRTP_PROFILE_AEAD_AES_128_GCM);
	g_assert_cmpmem(&cs, sizeof(cs), &sr, sizeof(sr));
	g_assert_cmpmem(&cr, sizeof(cr), &ss, sizeof(ss));
	g_assert_true(memcmp(cs.key, cr.key, sizeof(cs.key)) != 0);
}

static void check_data(struct pair *p, struct side *from)
{
	uint8_t message[DTLS_DATA_MAX_BYTES];
	unsigned int before = from->peer->messages;

	memset(message, from->name[0], sizeof(message));
	g_assert_cmpint(dtls_write(from->dtls, message, sizeof(message)), ==,
			0);
	g_assert_cmpuint(from->largest, <=, DTLS_MTU_BYTES);
	settle(p, false);
	g_assert_cmpuint(from->peer->messages, ==, before + 1);
	g_assert_cmpmem(from->peer->got->data, from->peer->got->len, message,
			sizeof(message));
	g_assert_cmpint(dtls_write(from->dtls, message, sizeof(message) + 1),
			==, -EMSGSIZE);
}

static void test_handshake(void)
{
	struct srtp_out *out = NULL;
	struct srtp_in *in = NULL;
	struct srtp_master send, receive;
	enum srtp_profile profile;
	uint8_t rtcp[64] = {0x80, 201};
	struct pair p;
	int r;

	pair_init(&p);
	promise(&p.client);
	promise(&p.server);
	g_assert_cmpint(dtls_get_srtp(p.client.dtls, &profile, &send,
				      &receive),
			==, -ENOTCONN);
	g_assert_cmpint(dtls_write(p.client.dtls, rtcp, 8), ==, -ENOTCONN);
	connect_pair(&p, false);
	check_connected(&p);
	check_data(&p, &p.client);
	check_data(&p, &p.server);
	/* Nothing lost: no timer has to run, and none is left. */
	g_assert_cmpuint(dtls_next_timeout(p.client.dtls), ==, UINT64_MAX);
	g_assert_cmpuint(dtls_next_timeout(p.server.dtls), ==, UINT64_MAX);

	/* The keys are each other's. */
	dtls_get_srtp(p.client.dtls, &profile, &send, &receive);
	g_assert_cmpint(srtp_out_new(profile, &send, &out), ==, 0);
	dtls_get_srtp(p.server.dtls, &profile, &send, &receive);
	g_assert_cmpint(srtp_in_new(profile, &receive, &in), ==, 0);
	r = srtp_out_rtcp(out, rtcp, 8, rtcp, sizeof(rtcp));
	g_assert_cmpint(r, ==, 28);
	g_assert_cmpint(srtp_in_rtcp(in, rtcp, (size_t) r), ==, 8);
	srtp_out_free(out);
	srtp_in_free(in);

	/* Good-bye. */
	dtls_close(p.client.dtls);
	settle(&p, false);
	g_assert_cmpuint(p.server.closed, ==, 1);
	g_assert_cmpint(p.server.reason, ==, DTLS_REASON_REMOTE);
	g_assert_cmpuint(p.client.closed, ==, 0);
	g_assert_cmpint(dtls_write(p.server.dtls, rtcp, 8), ==, -ENOTCONN);
	pair_done(&p);
}

/* Each datagram of the handshake lost once, and pairs of them. */
static void test_lost_flights(void)
{
	for (unsigned int c = 0; c < 4; c++) {
		for (unsigned int s = 0; s < 4; s++) {
			uint64_t before = now_us;
			struct pair p;

			pair_init(&p);
			promise(&p.client);
			promise(&p.server);
			p.client.drop = c ? 1u << (c - 1) : 0;
			p.server.drop = s ? 1u << (s - 1) : 0;
			connect_pair(&p, false);
			check_connected(&p);
			p.client.drop = p.server.drop = 0;
			check_data(&p, &p.client);
			check_data(&p, &p.server);
			g_assert_cmpuint(now_us - before, <, 2000000);
			pair_done(&p);
		}
	}
}

static void test_reordered_flights(void)
{
	struct pair p;

	pair_init(&p);
	promise(&p.client);
	promise(&p.server);
	connect_pair(&p, true);
	check_connected(&p);
	check_data(&p, &p.server);
	pair_done(&p);
}

static void test_nobody_answers(void)
{
	uint64_t before = now_us;
	struct pair p;

	pair_init(&p);
	dtls_start(p.client.dtls, now_us);
	while (!p.client.closed && tick(&p))
		;
	g_assert_cmpuint(p.client.closed, ==, 1);
	g_assert_cmpint(p.client.reason, ==, DTLS_REASON_TIMEOUT);
	g_assert_cmpuint(p.client.sent, ==, 13);
	g_assert_cmpuint(now_us - before, <, 40000000);
	g_assert_cmpuint(dtls_next_timeout(p.client.dtls), ==, UINT64_MAX);
	pair_done(&p);
}

static void test_wrong_fingerprint(void)
{
	struct pair p;

	/* The client promises itself something else. */
	pair_init(&p);
	g_assert_cmpint(dtls_set_remote_fingerprint(
				p.client.dtls, "SHA-256",
				dtls_identity_get_fingerprint(
					p.client.identity),
				now_us),
			==, 0);
	promise(&p.server);
	connect_pair(&p, false);
	g_assert_cmpuint(p.client.connected, ==, 0);
	g_assert_cmpuint(p.client.closed, ==, 1);
	g_assert_cmpint(p.client.reason, ==, DTLS_REASON_FINGERPRINT);
	g_assert_cmpuint(p.client.messages, ==, 0);
	g_assert_cmpuint(p.server.closed, ==, 1);	/* it was told */
	pair_done(&p);
}

static void test_refused_hashes(void)
{
	struct pair p;

	pair_init(&p);
	g_assert_cmpint(dtls_set_remote_fingerprint(
				p.client.dtls, "sha-1",
				"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:"
				"49:6B:19:E5:7C:AB",
				now_us),
			==, -EOPNOTSUPP);
	g_assert_cmpint(dtls_set_remote_fingerprint(p.client.dtls, "sha-512",
						    "4A", now_us),
			==, -EINVAL);
	for (int i = 0; i < 10; i++)
		promise(&p.client);
	/* Four different ones, and no fifth. */
	for (int i = 1; i < 4; i++) {
		char text[] = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
			      "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";

		text[0] = (char) ('0' + i);
		g_assert_cmpint(dtls_set_remote_fingerprint(
					p.client.dtls, "sha-256", text,
					now_us),
				==, 0);
	}
	g_assert_cmpint(dtls_set_remote_fingerprint(
				p.client.dtls, "sha-256",
				dtls_identity_get_fingerprint(
					p.client.identity),
				now_us),
			==, -ENOSPC);
	pair_done(&p);
}

/* The answer arrives after the handshake: nobody is trusted before, and what
 * the peer sent meanwhile is there afterwards, within the bound. */
static void test_late_fingerprint(void)
{
	struct pair p;

	pair_init(&p);
	promise(&p.client);
	connect_pair(&p, false);
	g_assert_cmpuint(p.client.connected, ==, 1);
	g_assert_cmpuint(p.server.connected, ==, 0);
	for (uint8_t i = 0; i < DTLS_HELD_MAX + 5; i++)
		g_assert_cmpint(dtls_write(p.client.dtls, &i, 1), ==, 0);
	settle(&p, false);
	g_assert_cmpuint(p.server.messages, ==, 0);
	g_assert_cmpint(dtls_write(p.server.dtls, (uint8_t *) "x", 1), ==,
			-ENOTCONN);

	promise(&p.server);
	g_assert_cmpuint(p.server.connected, ==, 1);
	g_assert_cmpuint(p.server.messages, ==, DTLS_HELD_MAX);
	g_assert_cmpuint(p.server.got->data[0], ==, DTLS_HELD_MAX - 1);
	check_connected(&p);
	check_data(&p, &p.client);
	g_assert_cmpint(dtls_set_remote_fingerprint(p.server.dtls, "sha-256",
						    "00", now_us),
			==, -EISCONN);
	pair_done(&p);
}

/* The last flight of an unverified server is lost: it must answer the
 * client's repetition all the same. */
static void test_late_fingerprint_and_loss(void)
{
	struct pair p;

	pair_init(&p);
	promise(&p.client);
	p.server.drop = 1u << 1;	/* ChangeCipherSpec and Finished */
	connect_pair(&p, false);
	g_assert_cmpuint(p.client.connected, ==, 1);
	g_assert_cmpuint(p.server.connected, ==, 0);
	promise(&p.server);
	check_connected(&p);
	pair_done(&p);
}

static void test_garbage(void)
{
	GRand *rand = g_rand_new_with_seed(3);
	uint8_t junk[1500];
	struct pair p;

	pair_init(&p);
	promise(&p.client);
	promise(&p.server);
	connect_pair(&p, false);
	check_connected(&p);
	for (int i = 0; i < 2000; i++) {
		size_t len = g_rand_int(rand) % sizeof(junk);

		for (size_t k = 0; k < len; k++)
			junk[k] = (uint8_t) g_rand_int(rand);
		if (len > 13) {
			/* a record header that looks right */
			junk[0] = (uint8_t) (20 + g_rand_int(rand) % 5);
			junk[1] = 0xfe;
			junk[2] = 0xfd;
			junk[3] = 0;
			junk[4] = (uint8_t) (g_rand_int(rand) % 3);
			junk[11] = (uint8_t) ((len - 13) >> 8);
			junk[12] = (uint8_t) (len - 13);
		}
		dtls_input(p.server.dtls, junk, len, now_us);
		dtls_input(p.client.dtls, junk, len, now_us);
	}
	g_assert_cmpuint(p.client.messages, ==, 0);
	g_assert_cmpuint(p.server.messages, ==, 0);
	g_assert_cmpuint(p.client.closed, ==, 0);
	g_assert_cmpuint(p.server.closed, ==, 0);
	settle(&p, false);
	check_data(&p, &p.client);
	check_data(&p, &p.server);
	pair_done(&p);

	/* Before the handshake it must survive too. */
	for (int round = 0; round < 50; round++) {
		pair_init(&p);
		promise(&p.server);
		for (int i = 0; i < 10; i++) {
			size_t len = 1 + g_rand_int(rand) % 100;

			for (size_t k = 0; k < len; k++)
				junk[k] = (uint8_t) g_rand_int(rand);
			junk[0] = (uint8_t) (20 + i % 44);
			dtls_input(p.server.dtls, junk, len, now_us);
		}
		pair_done(&p);
	}
	g_rand_free(rand);
}

static void test_damaged_handshakes(void)
{
	GRand *rand = g_rand_new_with_seed(4);

	/* One byte of one datagram is wrong: whatever happens, nobody is
	 * connected to anything but the real peer, and nothing crashes. */
	for (unsigned int round = 0; round < 60; round++) {
		struct pair p;
		unsigned int at = round % 4;
		unsigned int n = 0;
		bool moved;

		pair_init(&p);
		promise(&p.client);
		promise(&p.server);
		dtls_start(p.client.dtls, now_us);
		do {
			struct side *from = g_queue_is_empty(&p.client.wire) ?
						    &p.server :
						    &p.client;
			GBytes *b = g_queue_pop_head(&from->wire);
			gsize len;
			uint8_t *data;

			moved = b != NULL;
			if (!b)
				break;
			data = g_bytes_unref_to_data(b, &len);
			if (n++ == at)
				data[g_rand_int(rand) % len] ^=
					(uint8_t) (1 + g_rand_int(rand) % 255);
			dtls_input(from->peer->dtls, data, len, now_us);
			g_free(data);
		} while (moved);
		if (p.client.connected && p.server.connected)
			check_connected(&p);
		pair_done(&p);
	}
	g_rand_free(rand);
}

static void test_free_in_callback(void)
{
	struct pair p;

	pair_init(&p);
	promise(&p.client);
	promise(&p.server);
	p.server.free_when_connected = true;
	connect_pair(&p, false);
	g_assert_cmpuint(p.server.connected, ==, 1);
	g_assert_null(p.server.dtls);
	pair_done(&p);
	g_assert_null(dtls_free(NULL));
	g_assert_null(dtls_identity_unref(NULL));
}

/* Buffers go after a silence, and every way to need them brings them back. */
static void test_rest(void)
{
	struct pair p;

	pair_init(&p);
	promise(&p.client);
	promise(&p.server);
	connect_pair(&p, false);
	check_connected(&p);
	for (int i = 0; i < 3; i++) {
		/* once for writing, once for reading, and twice is once */
		dtls_rest(p.client.dtls);
		dtls_rest(p.server.dtls);
		dtls_rest(p.server.dtls);
		check_data(&p, &p.server);
		dtls_rest(p.server.dtls);
		check_data(&p, &p.client);
		dtls_timer(p.client.dtls, now_us);
	}
	dtls_rest(p.client.dtls);
	dtls_rest(p.server.dtls);
	dtls_close(p.client.dtls);
	settle(&p, false);
	g_assert_cmpuint(p.server.closed, ==, 1);
	g_assert_cmpint(p.server.reason, ==, DTLS_REASON_REMOTE);
	pair_done(&p);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dtls/handshake", test_handshake);
	g_test_add_func("/dtls/lost", test_lost_flights);
	g_test_add_func("/dtls/reordered", test_reordered_flights);
	g_test_add_func("/dtls/nobody", test_nobody_answers);
	g_test_add_func("/dtls/wrong-fingerprint", test_wrong_fingerprint);
	g_test_add_func("/dtls/refused-hashes", test_refused_hashes);
	g_test_add_func("/dtls/late-fingerprint", test_late_fingerprint);
	g_test_add_func("/dtls/late-and-lost", test_late_fingerprint_and_loss);
	g_test_add_func("/dtls/garbage", test_garbage);
	g_test_add_func("/dtls/damaged", test_damaged_handshakes);
	g_test_add_func("/dtls/free-in-callback", test_free_in_callback);
	g_test_add_func("/dtls/rest", test_rest);
	return g_test_run();
}
