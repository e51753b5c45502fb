// SPDX-License-Identifier: Apache-2.0
/* An association against a peer that is authentic but does what it likes: a
 * bare usrsctp socket on the same stack. */
#include "webrtc/sctp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include <glib.h>

#include "webrtc/sctp-channel.h"
#include "webrtc/sctp-socket.h"

static uint64_t now_us = 1000000;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	tv->tv_sec = (time_t) (now_us / 1000000);
	tv->tv_usec = (suseconds_t) (now_us % 1000000);
	return 0;
}

struct world {
	struct sctp_stack *stack;
	struct sctp_assoc *assoc;	/* ours: DTLS client, even ids */
	struct sctp_slot *slot;		/* theirs */
	struct socket *socket;
	GQueue to_us, to_them;		/* GBytes */
	unsigned int opened, closed, messages, failed;
	size_t last_len;
	unsigned int acks, resets;
};

static void send_to_them(void *user, const uint8_t *data, size_t len)
{
	struct world *w = user;

	g_queue_push_tail(&w->to_them, g_bytes_new(data, len));
}

static void on_open(void *user, uint16_t id, const char *label, bool remote)
{
	((struct world *) user)->opened++;
}

static void on_message(void *user, uint16_t id, bool text, const uint8_t *data,
		       size_t len)
{
	struct world *w = user;

	w->messages++;
	w->last_len = len;
}

static void on_closed(void *user, uint16_t id)
{
	((struct world *) user)->closed++;
}

static void on_failed(void *user, enum sctp_reason reason)
{
	((struct world *) user)->failed++;
}

static const struct sctp_ops ops = {
	.send = send_to_them,
	.channel_open = on_open,
	.message = on_message,
	.channel_closed = on_closed,
	.failed = on_failed,
};

/* --- the bare side --- */
static void send_to_us(void *user, const uint8_t *data, size_t len)
{
	struct world *w = user;

	g_queue_push_tail(&w->to_us, g_bytes_new(data, len));
}

static void do_nothing(void *user)
{
}

static bool never(const void *user)
{
	return false;
}

static const struct sctp_slot_ops slot_ops = {
	.output = send_to_us,
	.service = do_nothing,
	.is_waiting = never,
	.destroy = do_nothing,
};

static void on_upcall(struct socket *socket, void *user, int flags)
{
}

static void take(struct world *w, const void *data, size_t len,
		 const struct sctp_rcvinfo *info, int flags)
{
	const union sctp_notification *n = data;

	if (flags & MSG_NOTIFICATION)
		w->resets += n->sn_header.sn_type == SCTP_STREAM_RESET_EVENT &&
			     n->sn_header.sn_flags &
				     SCTP_STREAM_RESET_INCOMING_SSN;
	else
		w->acks += ntohl(info->rcv_ppid) == SCTP_PPID_DCEP && len == 1;
}

/* Return: false when there is nothing (any more). */
static bool receive(struct world *w)
{
	static _Alignas(8) uint8_t data[SCTP_STACK_BUFFER_BYTES];
	struct sctp_rcvinfo info = {0};
	socklen_t info_len = sizeof(info), from_len = 0;
	unsigned int type = 0;
	int flags = 0;
	ssize_t n = usrsctp_recvv(w->socket, data, sizeof(data), NULL,
				  &from_len, &info, &info_len, &type, &flags);

	if (n > 0)
		take(w, data, (size_t) n, &info, flags);
	return n > 0;
}

static void step(struct world *w)
{
	GBytes *b;

	now_us += 10000;
	while ((b = g_queue_pop_head(&w->to_us))) {
		gsize len;
		const uint8_t *data = g_bytes_get_data(b, &len);

		sctp_assoc_input(w->assoc, data, len);
		g_bytes_unref(b);
	}
	while ((b = g_queue_pop_head(&w->to_them))) {
		gsize len;
		const uint8_t *data = g_bytes_get_data(b, &len);

		sctp_stack_enter(w->stack);
		usrsctp_conninput(w->slot, data, len, 0);
		sctp_stack_leave(w->stack);
		g_bytes_unref(b);
	}
	while (w->socket && receive(w))
		continue;
	sctp_stack_tick(w->stack, now_us);
}

static void steps(struct world *w, unsigned int n)
{
	while (n--)
		step(w);
}

static void world_init(struct world *w)
{
	*w = (struct world) {0};
	g_queue_init(&w->to_us);
	g_queue_init(&w->to_them);
	g_assert_cmpint(sctp_stack_ref(&w->stack), ==, 0);
	g_assert_cmpint(sctp_assoc_new(w->stack, true, &ops, w, &w->assoc), ==,
			0);
	w->slot = sctp_slot_get(w->stack, &slot_ops, w);
	g_assert_nonnull(w->slot);
	g_assert_cmpint(sctp_socket_new(on_upcall, w, &w->socket), ==, 0);
	sctp_slot_register(w->slot);
	g_assert_cmpint(sctp_socket_connect(w->socket, w->slot), ==, 0);
	g_assert_cmpint(sctp_assoc_start(w->assoc), ==, 0);
	for (int i = 0; i < 1000 && !sctp_assoc_is_up(w->assoc); i++)
		step(w);
	g_assert_true(sctp_assoc_is_up(w->assoc));
}

static void world_done(struct world *w)
{
	w->assoc = sctp_assoc_free(w->assoc);
	usrsctp_close(w->socket);
	sctp_slot_put(w->slot);
	w->stack = sctp_stack_unref(w->stack);
	g_queue_clear_full(&w->to_us, (GDestroyNotify) g_bytes_unref);
	g_queue_clear_full(&w->to_them, (GDestroyNotify) g_bytes_unref);
}

static void tell(struct world *w, uint16_t id, uint32_t ppid, const void *data,
		 size_t len)
{
	struct sctp_sendv_spa spa = {
		.sendv_flags = SCTP_SEND_SNDINFO_VALID,
		.sendv_sndinfo = {.snd_sid = id, .snd_flags = SCTP_EOR,
				  .snd_ppid = htonl(ppid)},
	};

	g_assert_cmpint(usrsctp_sendv(w->socket, data, len, NULL, 0, &spa,
				      sizeof(spa), SCTP_SENDV_SPA, 0),
			==, len);
}

static void tell_open(struct world *w, uint16_t id, const char *label)
{
	struct dcep_message m = {.type = DCEP_OPEN, .label = label,
				 .label_len = strlen(label)};
	uint8_t wire[DCEP_OPEN_MAX_BYTES];
	int r = dcep_write(&m, wire, sizeof(wire));

	g_assert_cmpint(r, >, 0);
	tell(w, id, SCTP_PPID_DCEP, wire, (size_t) r);
}

static struct sctp_stats stats_of(struct world *w)
{
	struct sctp_stats s;

	sctp_assoc_get_stats(w->assoc, &s);
	return s;
}

static void test_nonsense(void)
{
	struct world w;

	world_init(&w);
	/* No channel, no such kind, no such message. */
	tell(&w, 5, SCTP_PPID_STRING, "x", 1);
	tell_open(&w, 1, "fine");
	steps(&w, 20);
	g_assert_cmpuint(w.opened, ==, 1);
	g_assert_cmpuint(w.acks, ==, 1);
	tell(&w, 1, 4711, "x", 1);
	tell(&w, 1, SCTP_PPID_DCEP, "x", 1);
	tell(&w, 1, SCTP_PPID_DCEP, "\x02", 1);	/* nobody asked */
	tell_open(&w, 1, "twice");
	steps(&w, 20);
	g_assert_cmpuint(stats_of(&w).dropped_other, ==, 4);
	g_assert_cmpuint(w.opened, ==, 1);

	/* An id of ours, and an opening that does not parse: both are told. */
	tell_open(&w, 2, "not yours");
	tell(&w, 7, SCTP_PPID_DCEP, "\x03\x77", 2);
	steps(&w, 100);
	g_assert_cmpuint(w.opened, ==, 1);
	g_assert_cmpuint(stats_of(&w).refused_channels, ==, 2);
	g_assert_cmpuint(w.resets, >=, 1);

	/* The channel that is fine still is. */
	tell(&w, 1, SCTP_PPID_STRING_EMPTY, "\0", 1);
	steps(&w, 20);
	g_assert_cmpuint(w.messages, ==, 1);
	g_assert_cmpuint(w.last_len, ==, 0);
	g_assert_cmpuint(w.failed, ==, 0);
	world_done(&w);
}

static void test_message_too_long(void)
{
	static const size_t sizes[] = {SCTP_MESSAGE_MAX_BYTES + 1,
				       SCTP_MESSAGE_MAX_BYTES + 5000,
				       900000};
	g_autofree uint8_t *data = g_malloc0(1000000);
	struct world w;

	world_init(&w);
	tell_open(&w, 1, "a");
	tell_open(&w, 3, "b");
	steps(&w, 20);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		tell(&w, 1, SCTP_PPID_BINARY, data, sizes[i]);
		for (int k = 0; k < 2000 &&
				stats_of(&w).dropped_size == i;
		     k++)
			step(&w);
		steps(&w, 500);
		g_assert_cmpuint(stats_of(&w).dropped_size, ==, i + 1);
		g_assert_cmpuint(w.messages, ==, 2 * i);

		/* What follows is whole, on this stream and another. */
		tell(&w, 1, SCTP_PPID_BINARY, data, 1000 + i);
		steps(&w, 50);
		g_assert_cmpuint(w.messages, ==, 2 * i + 1);
		g_assert_cmpuint(w.last_len, ==, 1000 + i);
		tell(&w, 3, SCTP_PPID_BINARY, data, SCTP_MESSAGE_MAX_BYTES);
		for (int k = 0; k < 2000 && w.messages == 2 * i + 1; k++)
			step(&w);
		g_assert_cmpuint(w.messages, ==, 2 * i + 2);
		g_assert_cmpuint(w.last_len, ==, SCTP_MESSAGE_MAX_BYTES);
	}
	world_done(&w);
}

static void test_shutdown(void)
{
	struct world w;

	world_init(&w);
	tell_open(&w, 1, "a");
	steps(&w, 20);
	usrsctp_shutdown(w.socket, SHUT_WR);
	steps(&w, 100);
	g_assert_cmpuint(w.failed, ==, 1);
	g_assert_cmpuint(w.closed, ==, 1);
	world_done(&w);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sctp-hostile/nonsense", test_nonsense);
	g_test_add_func("/sctp-hostile/too-long", test_message_too_long);
	g_test_add_func("/sctp-hostile/shutdown", test_shutdown);
	return g_test_run();
}
